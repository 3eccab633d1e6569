"""Clause 7: a record that violates a clause turns it red."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.actors import MODEL, SYSTEM
from complaints.vocabulary import CloseCode, Role, Verb
from reports.clauses.clause_evidence import ClauseStatus
from reports.integrity import Proof
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE, ANNA, BURAK
from tests.rules.clause_records import (
    HOUSE,
    Change,
    clause_result,
    done_by,
    history_of,
    is_red,
    removed,
    with_act,
    with_facts,
    without,
    without_words,
)


@clause("7.1")
def test_signing_before_the_notices_were_shown_turns_7_1_red() -> None:
    complaint = b.acknowledged(b.a_received_case())
    assert clause_result("7.1", history_of(complaint)).status is ClauseStatus.MET
    assert "before the notices" in is_red("7.1", [history_of(complaint, notices_shown=False)])


@clause("7.1")
def test_the_plain_read_back_for_a_child_counts_for_7_1() -> None:
    history = history_of(b.acknowledged(b.a_received_case()))
    plain = tuple(replace(message, template="readback.plain") for message in history.messages)
    assert clause_result("7.1", replace(history, messages=plain)).status is ClauseStatus.MET


@clause("7.1")
def test_undelivered_notices_turn_7_1_red() -> None:
    history = history_of(b.acknowledged(b.a_received_case()))
    failed = tuple(replace(message, state="failed") for message in history.messages)
    assert is_red("7.1", [replace(history, messages=failed)])


@clause("7.1")
def test_a_missing_text_turns_7_1_red() -> None:
    assert "'policy' is missing in tr" in is_red(
        "7.1", [], house=replace(HOUSE, texts={**HOUSE.texts, "tr": {**HOUSE.texts["tr"], "policy": ""}})
    )


def test_an_older_wording_is_counted_and_violates_nothing() -> None:
    house = replace(HOUSE, versions={("en", "readback"): "bbb"})
    clause_count = clause_result("7.1", history_of(b.acknowledged(b.a_received_case())), house=house)
    figure = next(
        figure
        for figure in clause_count.evidence.figures
        if figure.what == "shown in the wording now in force"
    )
    assert figure.share is not None
    assert (figure.share.hits, figure.share.of, clause_count.status) == (0, 1, ClauseStatus.MET)


@clause("7.2")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(without_words(Verb.RECEIVE), "without description", id="without what was said"),
        pytest.param(
            with_facts(Verb.RECEIVE, complainant=""), "without complainant", id="without the person"
        ),
        pytest.param(removed(Verb.CONFIRM), "an event is missing", id="with an event taken out"),
        pytest.param(
            with_facts(Verb.ASSESS, issue_categories=[]), "without issues", id="assessed without an issue"
        ),
        pytest.param(
            with_facts(Verb.RECEIVE, received_at="2026-11-04T10:00:00Z"),
            "logged before",
            id="logged before it came",
        ),
    ],
)
def test_an_incomplete_record_turns_7_2_red(wrong: Change, says: str) -> None:
    complaint = b.an_assessed_case()
    assert clause_result("7.2", history_of(complaint)).status is ClauseStatus.MET
    assert says in " ".join(
        violation.what for violation in clause_result("7.2", history_of(complaint, wrong)).evidence.violations
    )
    assert is_red("7.2", [history_of(complaint, wrong)])


@clause("7.2")
def test_a_complaint_without_its_events_turns_7_2_red() -> None:
    broken = replace(HOUSE, proof=Proof(9, ("A7K-M3Q-9T", 1, "this complaint has lost its events")))
    assert "lost its events" in is_red("7.2", [], house=broken)


@clause("7.3")
def test_a_deadline_without_a_message_turns_7_3_red() -> None:
    complaint = b.an_assessed_case()
    assert clause_result("7.3", history_of(complaint), days=2).status is ClauseStatus.MET
    assert "deadline passed without a message" in is_red("7.3", [history_of(complaint)], days=10)


@clause("7.3")
def test_a_message_on_the_same_day_keeps_the_deadline() -> None:
    complaint = b.an_assessed_case().later(days=7)
    informed = complaint.do(Verb.INFORM, SYSTEM)
    assert clause_result("7.3", history_of(informed), days=8).status is ClauseStatus.MET


@clause("7.3")
def test_a_due_time_without_its_basis_turns_7_3_red() -> None:
    complaint = b.an_assessed_case()
    targets = [{**event, "basis": ""} for event in complaint.events[0].facts["targets"]]
    assert "without its reason" in is_red(
        "7.3", [history_of(complaint, with_facts(Verb.RECEIVE, targets=targets))]
    )


@clause("7.4")
def test_a_complaint_never_acknowledged_turns_7_4_red() -> None:
    complaint = b.a_received_case()
    assert clause_result("7.4", history_of(b.acknowledged(complaint)), days=30).status is ClauseStatus.MET
    assert clause_result("7.4", history_of(complaint), days=0).status is ClauseStatus.NO_EVIDENCE
    assert "never acknowledged" in is_red("7.4", [history_of(complaint)], days=30)


@clause("7.4")
def test_too_many_late_acknowledgements_turn_7_4_red() -> None:
    late = b.a_received_case().later(days=5).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert clause_result("7.4", history_of(late), days=30).status is ClauseStatus.MET
    assert is_red("7.4", [history_of(late)] * 10, days=30) == "acknowledged in time"


@clause("7.5")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(done_by(Verb.ASSESS, MODEL, Role.MODEL), "without a person", id="by the model"),
        pytest.param(done_by(Verb.ASSESS, BURAK), "had not opened it", id="by somebody who had not read"),
        pytest.param(
            with_facts(
                Verb.RECEIVE, signs=[{"rule": "injury.x", "severity": 4, "safety": 2, "danger": False}]
            ),
            "below a safety rule",
            id="below a safety rule, by a handler",
        ),
        pytest.param(
            with_facts(Verb.RECEIVE, has_words=False, media=1), "before a person listened", id="unheard"
        ),
        pytest.param(without(Verb.ASSESS), "decided without an assessment", id="not at all"),
    ],
)
def test_an_assessment_without_a_valid_assessor_turns_7_5_red(wrong: Change, says: str) -> None:
    complaint = b.a_communicated_case()
    assert clause_result("7.5", history_of(complaint)).status is ClauseStatus.MET
    assert says in is_red("7.5", [history_of(complaint, wrong)])


@clause("7.5")
def test_a_handler_who_assesses_below_a_likely_sign_keeps_7_5_met() -> None:
    likely = [{"rule": "fire.fire_likely", "severity": 4, "safety": 2, "danger": False, "look": True}]
    history = history_of(b.a_communicated_case(), with_facts(Verb.RECEIVE, signs=likely))
    assert clause_result("7.5", history).status is ClauseStatus.MET


@clause("7.6")
def test_a_decision_without_the_required_evidence_turns_7_6_red() -> None:
    complaint = b.a_communicated_case()
    assert clause_result("7.6", history_of(complaint)).status is ClauseStatus.MET
    bare = with_facts(Verb.INVESTIGATE, evidence=["complainant_heard"])
    assert "without records_checked" in is_red("7.6", [history_of(complaint, bare)])


@clause("7.7")
def test_a_decision_without_a_cause_turns_7_7_red() -> None:
    complaint = b.a_communicated_case()
    assert clause_result("7.7", history_of(complaint)).status is ClauseStatus.MET
    assert "without a cause" in is_red(
        "7.7", [history_of(complaint, without_words(Verb.RESPOND, "root_cause"))]
    )


@clause("7.7")
def test_an_overdue_remedy_without_a_notice_turns_7_7_red() -> None:
    complaint = b.a_communicated_case(remedies=[b.a_refund()])
    assert clause_result("7.7", history_of(complaint), days=7).status is ClauseStatus.MET
    assert "a remedy is overdue" in is_red("7.7", [history_of(complaint)], days=30)
    informed = complaint.later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert clause_result("7.7", history_of(informed), days=30).status is ClauseStatus.MET


@clause("7.8")
def test_a_decision_never_communicated_turns_7_8_red() -> None:
    complaint = b.a_decided_case()
    assert clause_result("7.8", history_of(complaint), days=0.5).status is ClauseStatus.MET
    assert "not communicated" in is_red("7.8", [history_of(complaint)], days=10)


@clause("7.8")
def test_a_finding_without_reasons_turns_7_8_red() -> None:
    complaint = b.a_communicated_case()
    assert "without reasons" in is_red(
        "7.8", [history_of(complaint, without_words(Verb.RESPOND, "issues.0.reasons"))]
    )


@clause("7.9")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(without(Verb.ACCEPT), "not done and checked", id="an unverified remedy at the close"),
        pytest.param(
            with_facts(Verb.CLOSE, close_code=CloseCode.EXHAUSTED.value),
            "no outside body was offered",
            id="not exhausted",
        ),
        pytest.param(
            with_facts(Verb.CLOSE, close_code=CloseCode.LAPSED.value),
            "without a reply before the time",
            id="no silence yet",
        ),
        pytest.param(
            with_facts(Verb.CLOSE, close_code=CloseCode.WITHDRAWN.value),
            "complainant's request",
            id="not withdrawn",
        ),
        pytest.param(
            with_facts(Verb.CLOSE, close_code=CloseCode.NOT_COMPLAINT.value),
            "still classified as one",
            id="still a complaint",
        ),
    ],
)
def test_a_closing_without_its_conditions_turns_7_9_red(wrong: Change, says: str) -> None:
    complaint = b.a_closed_case()
    assert clause_result("7.9", history_of(complaint)).status is ClauseStatus.MET
    assert says in is_red("7.9", [history_of(complaint, wrong)])


@clause("7.9")
def test_a_closing_without_acceptance_turns_7_9_red() -> None:
    complaint = b.a_communicated_case()
    forged = with_act(Verb.CLOSE, ALICE, close_code=CloseCode.RESOLVED.value)
    assert "without the complainant's yes" in is_red("7.9", [history_of(complaint, forged)])


@clause("7.9")
def test_a_disagreement_without_an_offer_of_recourse_turns_7_9_red() -> None:
    complaint = b.a_communicated_case().do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    assert clause_result("7.9", history_of(complaint), days=0.1).status is ClauseStatus.MET
    assert "not named" in is_red("7.9", [history_of(complaint)], days=10)
