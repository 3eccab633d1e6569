"""Clauses 3 and 4, and 5.3: a record that breaks one turns it red."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.actors import MODEL
from complaints.history import CaseHistory, MessageEntry, ReadEntry
from complaints.vocabulary import Role, Verb
from reports.clauses.clause import ClauseStatus
from reports.clauses.evidence import House
from reports.integrity import Proof
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE, ANNA, BURAK, IDA, MONA, NOBODY, ORHAN, TUGBA
from tests.rules.clause_records import HOUSE, TEXTS, Change, by, facts, is_red, seen, stands, wordless

AN_ENQUIRY = {"kind": "enquiry"}


def reclassified() -> b.Told:
    """Two people found that it is an enquiry."""
    asked = b.acknowledged(b.a_received_case()).do(
        Verb.RECLASSIFY, ALICE, AN_ENQUIRY, {"reason": "A question."}
    )
    return asked.do(Verb.APPROVE, MONA, {"agreed": "yes"})


@clause("3")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(by(Verb.APPROVE, ALICE), "one person alone", id="by the one who proposed it"),
        pytest.param(wordless(Verb.RECLASSIFY), "without a reason", id="without a reason"),
        pytest.param(
            facts(Verb.RECEIVE, signs=[{"rule": "injury.x", "severity": 4, "safety": 2, "danger": False}]),
            "harm",
            id="although somebody came to harm",
        ),
    ],
)
def test_a_complaint_called_none_turns_3_red(wrong: Change, says: str) -> None:
    assert stands("3", seen(reclassified())).standing is ClauseStatus.MET
    assert says in is_red("3", [seen(reclassified(), wrong)])


@clause("4.1")
def test_one_broken_principle_turns_4_1_red() -> None:
    assert stands("4.1", seen(reclassified())).standing is not ClauseStatus.VIOLATED
    stranger = ReadEntry(NOBODY.id, "", HOUSE.now, 1)
    opened = replace(seen(b.an_assessed_case()), reads=(stranger,))
    assert stands("4.1", opened).standing is ClauseStatus.VIOLATED


@clause("4.2")
@pytest.mark.parametrize(
    "house",
    [
        pytest.param(replace(HOUSE, texts={"en": TEXTS["en"]}), id="a language without a policy"),
        pytest.param(replace(HOUSE, rules=replace(b.RULES, recourse=())), id="no outside body"),
    ],
)
def test_what_cannot_be_read_turns_4_2_red(house: House) -> None:
    assert stands("4.2").standing is ClauseStatus.MET
    assert is_red("4.2", [], house=house)


@clause("4.3")
def test_a_message_in_a_language_that_is_not_spoken_turns_4_3_red() -> None:
    told = seen(b.an_assessed_case())
    assert stands("4.3", told).standing is ClauseStatus.MET
    french = MessageEntry("out", "acknowledgement", None, "fr", "sent", HOUSE.now)
    assert "written to in fr" in is_red("4.3", [replace(told, messages=(french,))])


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
def test_silence_turns_4_4_red(record: object, says: str) -> None:
    assert callable(record)
    told = seen(record())
    assert stands("4.4", seen(b.an_assessed_case()), days=1).standing is ClauseStatus.MET
    assert says in is_red("4.4", [told], days=30)


@clause("4.5")
def test_an_act_of_the_person_complained_about_turns_4_5_red() -> None:
    told = b.an_assessed_case()
    assert stands("4.5", seen(told)).standing is ClauseStatus.NOT_YET
    named = facts(Verb.RECEIVE, subjects=[ALICE.id])
    assert "excluded" in is_red("4.5", [seen(told, named)])


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
def test_a_price_turns_4_6_red(house: House) -> None:
    assert stands("4.6").standing is ClauseStatus.MET
    assert is_red("4.6", [], house=house)


def restricted() -> b.Told:
    """In the restricted place, owned by Alice."""
    return b.an_assessed_case().do(Verb.RESTRICT, ALICE, words={"reason": "It names somebody."})


@clause("4.7")
@pytest.mark.parametrize(
    ("read", "says"),
    [
        pytest.param(
            ReadEntry(NOBODY.id, "handler", HOUSE.now, 2), "without a reading role", id="a stranger"
        ),
        pytest.param(ReadEntry(IDA.id, "intake", HOUSE.now, 2), "without a reading role", id="intake"),
        pytest.param(ReadEntry(BURAK.id, "handler", HOUSE.now, 99), "not cleared", id="not cleared"),
    ],
)
def test_an_opening_by_somebody_who_may_not_turns_4_7_red(read: ReadEntry, says: str) -> None:
    told = seen(restricted())
    assert stands("4.7", told).standing is ClauseStatus.MET
    assert says in is_red("4.7", [replace(told, reads=(*told.reads, read))])


@clause("4.7")
def test_an_opening_by_the_person_complained_about_turns_4_7_red() -> None:
    told = b.acknowledged(b.a_received_case(subjects=(BURAK.id,)))
    read = ReadEntry(BURAK.id, "handler", HOUSE.now, 1)
    assert "complained about" in is_red("4.7", [replace(seen(told), reads=(read,))])


@clause("4.7")
def test_what_was_given_out_on_request_is_on_the_record_and_breaks_nothing() -> None:
    given = tuple(ReadEntry(one, one, HOUSE.now, 2) for one in ("operator", "complainant"))
    told = seen(restricted())
    assert stands("4.7", replace(told, reads=(*told.reads, *given))).standing is ClauseStatus.MET
    posing = ReadEntry(NOBODY.id, "operator", HOUSE.now, 2)
    assert "without a reading role" in is_red("4.7", [replace(told, reads=(posing,))])


@clause("4.7")
def test_an_opening_after_the_role_ended_turns_4_7_red() -> None:
    over = tuple(
        replace(one, until=HOUSE.now - timedelta(days=9)) if one.member == BURAK.id else one
        for one in HOUSE.periods
    )
    read = ReadEntry(BURAK.id, "handler", HOUSE.now, 2)
    told = replace(seen(b.an_assessed_case()), reads=(read,))
    assert stands("4.7", told).standing is ClauseStatus.MET
    assert is_red("4.7", [told], house=replace(HOUSE, periods=over))


@clause("4.9")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(
            facts(Verb.ASSESS, owner=None), "has no owner", id="an assessed complaint without an owner"
        ),
        pytest.param(by(Verb.RESPOND, MODEL, Role.MODEL), "without a person", id="a decision by the model"),
        pytest.param(
            by(Verb.RESPOND, NOBODY, Role.HANDLER), "without the role", id="an act without the role"
        ),
    ],
)
def test_nobody_answering_for_it_turns_4_9_red(wrong: Change, says: str) -> None:
    told = b.a_told_case()
    assert stands("4.9", seen(told)).standing is ClauseStatus.MET
    assert says in " ".join(one.what for one in stands("4.9", seen(told, wrong)).evidence.violations)
    assert is_red("4.9", [seen(told, wrong)])


@clause("4.9")
def test_an_escalated_complaint_that_nobody_takes_in_time_turns_4_9_red() -> None:
    told = seen(b.a_case_at_level_two())
    assert stands("4.9", told, days=0).standing is ClauseStatus.MET
    assert "has no owner" in is_red("4.9", [told], days=30)


@clause("4.10")
def test_a_decision_overturned_outside_without_an_action_turns_4_10_red() -> None:
    told = overturned()
    assert stands("4.10", told).standing is ClauseStatus.NOT_YET
    bare = replace(told, case=replace(told.case, improvements=()))
    assert "overturned outside" in is_red("4.10", [bare])


def overturned() -> CaseHistory:
    """An outside body decided otherwise, and an action was opened."""
    told = b.a_case_offered_recourse().do(
        Verb.CONCLUDE_EXTERNAL,
        ALICE,
        {"event": "final", "overturned": "yes", "comply_by": "2026-12-01", "cause_class": "recurring"},
        {"body": "Ombudsman", "outcome": "Pay.", "cause": "A rule.", "prevention": "Another rule."},
    )
    return seen(told)


@clause("2018")
def test_a_broken_chain_turns_the_2018_row_red() -> None:
    assert stands("2018").standing is ClauseStatus.NOT_YET
    broken = replace(HOUSE, proof=Proof(9, ("A7K-M3Q-9T", 3, "this event is missing")))
    assert "this event is missing" in is_red("2018", [], house=broken)


@clause("5.3")
def test_a_significant_complaint_that_the_top_has_not_seen_turns_5_3_red() -> None:
    told = b.an_assessed_case(severity=4)
    receipted = told.do(Verb.RECEIPT, TUGBA, {"of": "executive"})
    assert stands("5.3", seen(receipted), days=30).standing is ClauseStatus.MET
    assert stands("5.3", seen(told), days=0).standing is ClauseStatus.MET
    assert "press the receipt" in is_red("5.3", [seen(told)], days=30)


@clause("5.3")
def test_a_role_that_nobody_holds_turns_5_3_red() -> None:
    few = tuple(one for one in HOUSE.periods if one.role is not Role.TOP_MANAGEMENT)
    assert "the role top_management" in is_red("5.3", [], house=replace(HOUSE, periods=few))


def test_on_call_staff_may_press_a_receipt() -> None:
    told = b.a_received_case(signs=(b.a_sign(danger=True),)).do(Verb.RECEIPT, ORHAN, {"of": "danger"})
    assert stands("4.9", seen(told)).standing is not ClauseStatus.VIOLATED


def test_what_is_said_by_voice_is_an_act_like_any_other() -> None:
    told = b.a_told_case()
    heard = told.do(Verb.ACCEPT, ALICE, b.heard_at(told), b.HEARD)
    assert stands("4.9", seen(heard)).standing is ClauseStatus.MET
