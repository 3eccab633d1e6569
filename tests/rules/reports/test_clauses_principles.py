"""Clauses 3, 4 and 5.3: a record that violates a clause turns it red."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.actors import MODEL
from complaints.history import CaseHistory, MessageEntry, ReadEntry
from complaints.vocabulary import Role, Verb
from reports.clauses.clause_evidence import ClauseStatus, OrganisationFacts, RolePeriod
from reports.integrity import Proof
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE, ANNA, BURAK, IDA, MONA, ORHAN, TUGBA, WITHOUT_ROLE
from tests.rules.clause_records import (
    HOUSE,
    LONG_AGO,
    TEXTS,
    Change,
    clause_result,
    done_by,
    history_of,
    is_red,
    with_facts,
    without_words,
)

AN_ENQUIRY = {"kind": "enquiry"}


def reclassified() -> b.BuiltComplaint:
    """Two people agreed that it is an enquiry."""
    proposed = b.acknowledged(b.a_received_case()).do(
        Verb.RECLASSIFY, ALICE, AN_ENQUIRY, {"reason": "A question."}
    )
    return proposed.do(Verb.APPROVE, MONA, {"agreed": "yes"})


@clause("3")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(done_by(Verb.APPROVE, ALICE), "one person alone", id="by the one who proposed it"),
        pytest.param(without_words(Verb.RECLASSIFY), "without a reason", id="without a reason"),
        pytest.param(
            with_facts(
                Verb.RECEIVE, signs=[{"rule": "injury.x", "severity": 4, "safety": 2, "danger": False}]
            ),
            "harm",
            id="although somebody came to harm",
        ),
    ],
)
def test_a_wrongly_reclassified_complaint_turns_3_red(wrong: Change, says: str) -> None:
    assert clause_result("3", history_of(reclassified())).status is ClauseStatus.MET
    assert says in is_red("3", [history_of(reclassified(), wrong)])


@clause("4.1")
def test_one_broken_principle_turns_4_1_red() -> None:
    assert clause_result("4.1", history_of(reclassified())).status is not ClauseStatus.VIOLATED
    stranger = ReadEntry(WITHOUT_ROLE.id, "", HOUSE.now, 1)
    opened = replace(history_of(b.an_assessed_case()), reads=(stranger,))
    assert clause_result("4.1", opened).status is ClauseStatus.VIOLATED


@clause("4.2")
@pytest.mark.parametrize(
    "house",
    [
        pytest.param(replace(HOUSE, texts={"en": TEXTS["en"]}), id="a language without a policy"),
        pytest.param(replace(HOUSE, rules=replace(b.RULES, recourse=())), id="no outside body"),
    ],
)
def test_a_missing_policy_or_outside_body_turns_4_2_red(house: OrganisationFacts) -> None:
    assert clause_result("4.2").status is ClauseStatus.MET
    assert is_red("4.2", [], house=house)


@clause("4.3")
def test_a_message_in_an_unsupported_language_turns_4_3_red() -> None:
    history = history_of(b.an_assessed_case())
    assert clause_result("4.3", history).status is ClauseStatus.MET
    french = MessageEntry("out", "acknowledgement", None, "fr", "sent", HOUSE.now)
    assert "written to in fr" in is_red("4.3", [replace(history, messages=(french,))])


@clause("4.3")
@pytest.mark.parametrize(
    ("written_in", "language", "state", "figures"),
    [
        ("en", "en", "sent", {"messages in a language that is spoken": (1, 1)}),
        ("de", "en", "sent", {"messages in a language that is spoken": (0, 1)}),
        ("tr", "en", "sent", {"messages in a language that is spoken": (0, 1)}),
        ("en", "en", "failed", {}),
        (None, "en", "sent", {"messages to people whose language was not detected": None}),
    ],
)
def test_a_message_counts_as_spoken_only_in_the_language_in_which_the_person_writes(
    written_in: str | None, language: str, state: str, figures: dict[str, tuple[int, int] | None]
) -> None:
    change = with_facts(Verb.PROPOSE, written_in=written_in)
    message = MessageEntry("out", "acknowledge", None, language, state, HOUSE.now)
    history = replace(history_of(b.proposed(b.a_received_case()), change), messages=(message,))
    evidence = clause_result("4.3", history).evidence
    assert {
        figure.what: None if figure.share is None else (figure.share.hits, figure.share.of)
        for figure in evidence.figures
        if figure.what.startswith("messages")
    } == figures


@clause("4.4")
@pytest.mark.parametrize(
    ("record", "says"),
    [
        pytest.param(lambda: b.a_received_case(), "not acknowledged", id="never acknowledged"),
        pytest.param(
            lambda: b.an_assessed_case().do(Verb.ADD, ANNA, b.a_message(kind="question")),
            "a question is overdue",
            id="a question nobody answers",
        ),
    ],
)
def test_silence_on_a_due_message_turns_4_4_red(record: object, says: str) -> None:
    assert callable(record)
    history = history_of(record())
    assert clause_result("4.4", history_of(b.an_assessed_case()), days=1).status is ClauseStatus.MET
    assert says in is_red("4.4", [history], days=30)


@clause("4.5")
def test_an_act_by_the_person_complained_about_turns_4_5_red() -> None:
    complaint = b.an_assessed_case()
    assert clause_result("4.5", history_of(complaint)).status is ClauseStatus.MET
    named = with_facts(Verb.RECEIVE, subjects=[ALICE.id])
    assert "excluded" in is_red("4.5", [history_of(complaint, named)])


@clause("4.6")
@pytest.mark.parametrize(
    "house",
    [
        pytest.param(replace(HOUSE, settings=frozenset({"complaint_fee"})), id="a setting with a fee"),
        pytest.param(
            replace(HOUSE, texts={**TEXTS, "tr": {**TEXTS["tr"], "start": "Merhaba."}}),
            id="a text that does not say that it is free",
        ),
    ],
)
def test_a_price_turns_4_6_red(house: OrganisationFacts) -> None:
    assert clause_result("4.6").status is ClauseStatus.MET
    assert is_red("4.6", [], house=house)


def restricted() -> b.BuiltComplaint:
    """Restricted, and owned by Alice."""
    return b.an_assessed_case().do(Verb.RESTRICT, ALICE, words={"reason": "It names somebody."})


@clause("4.7")
@pytest.mark.parametrize(
    ("read", "says"),
    [
        pytest.param(
            ReadEntry(WITHOUT_ROLE.id, "handler", HOUSE.now, 2), "without a reading role", id="a stranger"
        ),
        pytest.param(ReadEntry(IDA.id, "intake", HOUSE.now, 2), "without a reading role", id="intake"),
        pytest.param(ReadEntry(BURAK.id, "handler", HOUSE.now, 99), "not cleared", id="not cleared"),
    ],
)
def test_reading_without_permission_turns_4_7_red(read: ReadEntry, says: str) -> None:
    history = history_of(restricted())
    assert clause_result("4.7", history).status is ClauseStatus.MET
    assert says in is_red("4.7", [replace(history, reads=(*history.reads, read))])


@clause("4.7")
def test_reading_by_the_person_complained_about_turns_4_7_red() -> None:
    complaint = b.acknowledged(b.a_received_case(subjects=(BURAK.id,)))
    read = ReadEntry(BURAK.id, "handler", HOUSE.now, 1)
    assert "complained about" in is_red("4.7", [replace(history_of(complaint), reads=(read,))])


@clause("4.7")
def test_an_export_on_request_is_recorded_and_violates_nothing() -> None:
    given_out = tuple(
        ReadEntry(by, by.partition(":")[0], HOUSE.now, 2)
        for by in ("operator", "operator:alice", "complainant")
    )
    history = history_of(restricted())
    assert (
        clause_result("4.7", replace(history, reads=(*history.reads, *given_out))).status is ClauseStatus.MET
    )
    posing = ReadEntry(WITHOUT_ROLE.id, "operator", HOUSE.now, 2)
    assert "without a reading role" in is_red("4.7", [replace(history, reads=(posing,))])


@clause("4.7")
def test_reading_after_the_role_ended_turns_4_7_red() -> None:
    over = tuple(
        replace(period, until=HOUSE.now - timedelta(days=9)) if period.member == BURAK.id else period
        for period in HOUSE.periods
    )
    read = ReadEntry(BURAK.id, "handler", HOUSE.now, 2)
    history = replace(history_of(b.an_assessed_case()), reads=(read,))
    assert clause_result("4.7", history).status is ClauseStatus.MET
    assert is_red("4.7", [history], house=replace(HOUSE, periods=over))


@clause("4.9")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(
            with_facts(Verb.ASSESS, owner=None), "has no owner", id="an assessed complaint without an owner"
        ),
        pytest.param(
            done_by(Verb.RESPOND, MODEL, Role.MODEL), "without a person", id="a decision by the model"
        ),
        pytest.param(
            done_by(Verb.RESPOND, WITHOUT_ROLE, Role.HANDLER),
            "without the role",
            id="an act without the role",
        ),
    ],
)
def test_a_complaint_without_an_accountable_person_turns_4_9_red(wrong: Change, says: str) -> None:
    complaint = b.a_communicated_case()
    assert clause_result("4.9", history_of(complaint)).status is ClauseStatus.MET
    assert says in " ".join(
        violation.what for violation in clause_result("4.9", history_of(complaint, wrong)).evidence.violations
    )
    assert is_red("4.9", [history_of(complaint, wrong)])


@clause("4.9")
def test_an_escalated_complaint_without_an_owner_turns_4_9_red() -> None:
    history = history_of(b.a_case_at_level_two())
    assert clause_result("4.9", history, days=0).status is ClauseStatus.MET
    assert "has no owner" in is_red("4.9", [history], days=30)


@clause("4.9")
def test_a_complaint_whose_owner_has_left_turns_4_9_red() -> None:
    history = history_of(b.an_assessed_case())
    staying = tuple(period for period in HOUSE.periods if period.member != history.case.owner)
    left = RolePeriod(str(history.case.owner), Role.HANDLER, LONG_AGO, HOUSE.now)
    assert clause_result("4.9", history).status is ClauseStatus.MET
    assert "has no owner" in is_red("4.9", [history], house=replace(HOUSE, periods=(*staying, left)))


@clause("4.10")
def test_an_overturned_decision_without_an_improvement_turns_4_10_red() -> None:
    history = overturned()
    assert clause_result("4.10", history).status is ClauseStatus.NO_EVIDENCE
    bare = replace(history, case=replace(history.case, improvements=()))
    assert "overturned outside" in is_red("4.10", [bare])


def overturned() -> CaseHistory:
    """An outside body overturned the decision, and an improvement was opened."""
    complaint = b.a_case_offered_recourse().do(
        Verb.CONCLUDE_EXTERNAL,
        ALICE,
        {"event": "final", "overturned": "yes", "comply_by": "2026-12-01", "cause_class": "recurring"},
        {"body": "Ombudsman", "outcome": "Pay.", "cause": "A rule.", "prevention": "Another rule."},
    )
    return history_of(complaint)


@clause("2018")
def test_a_broken_chain_turns_the_2018_row_red() -> None:
    assert clause_result("2018").status is ClauseStatus.NO_EVIDENCE
    broken = replace(HOUSE, proof=Proof(9, ("A7K-M3Q-9T", 3, "this event is missing")))
    assert "this event is missing" in is_red("2018", [], house=broken)


@clause("5.3")
def test_a_significant_complaint_without_executive_receipt_turns_5_3_red() -> None:
    complaint = b.an_assessed_case(severity=4)
    receipted = complaint.do(Verb.RECEIPT, TUGBA, {"of": "executive"})
    assert clause_result("5.3", history_of(receipted), days=30).status is ClauseStatus.MET
    assert clause_result("5.3", history_of(complaint), days=0).status is ClauseStatus.MET
    assert "press the receipt" in is_red("5.3", [history_of(complaint)], days=30)


@clause("5.3")
def test_a_role_without_a_member_turns_5_3_red() -> None:
    few = tuple(period for period in HOUSE.periods if period.role is not Role.TOP_MANAGEMENT)
    assert "the role top_management" in is_red("5.3", [], house=replace(HOUSE, periods=few))


def test_on_call_staff_may_give_a_receipt() -> None:
    complaint = b.a_received_case(signs=(b.a_sign(danger=True),)).do(Verb.RECEIPT, ORHAN, {"of": "danger"})
    assert clause_result("4.9", history_of(complaint)).status is not ClauseStatus.VIOLATED


def test_an_answer_recorded_by_phone_violates_nothing() -> None:
    complaint = b.a_communicated_case()
    accepted = complaint.do(Verb.ACCEPT, ALICE, b.phone_facts(complaint), b.BY_PHONE)
    assert clause_result("4.9", history_of(accepted)).status is ClauseStatus.MET
