"""Clause 7: a record that breaks one turns it red."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.actors import MODEL, SYSTEM
from complaints.vocabulary import CloseCode, Role, Verb
from reports.clauses.clause import ClauseStatus
from reports.integrity import Proof
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.builders import ALICE, ANNA, BURAK
from tests.rules.clause_records import (
    HOUSE,
    Change,
    by,
    facts,
    gone,
    is_red,
    seen,
    stands,
    then,
    without,
    wordless,
)


@clause("7.1")
def test_signing_before_the_notices_were_shown_turns_7_1_red() -> None:
    told = b.acknowledged(b.a_received_case())
    assert stands("7.1", seen(told)).standing is ClauseStatus.MET
    assert "before the notices" in is_red("7.1", [seen(told, shown=False)])


@clause("7.1")
def test_a_child_is_read_back_to_in_plain_words() -> None:
    told = seen(b.acknowledged(b.a_received_case()))
    plain = tuple(replace(one, template="readback.plain") for one in told.messages)
    assert stands("7.1", replace(told, messages=plain)).standing is ClauseStatus.MET


@clause("7.1")
def test_notices_that_did_not_leave_turn_7_1_red() -> None:
    told = seen(b.acknowledged(b.a_received_case()))
    failed = tuple(replace(one, state="failed") for one in told.messages)
    assert is_red("7.1", [replace(told, messages=failed)])


@clause("7.1")
def test_a_text_that_is_missing_turns_7_1_red() -> None:
    assert "'policy' is missing in tr" in is_red(
        "7.1", [], house=replace(HOUSE, texts={**HOUSE.texts, "tr": {**HOUSE.texts["tr"], "policy": ""}})
    )


def test_another_wording_is_counted_and_breaks_nothing() -> None:
    house = replace(HOUSE, versions={("en", "readback"): "bbb"})
    found = stands("7.1", seen(b.acknowledged(b.a_received_case())), house=house)
    figure = next(one for one in found.evidence.figures if one.what == "shown in the wording now in force")
    assert figure.share is not None
    assert (figure.share.hits, figure.share.of, found.standing) == (0, 1, ClauseStatus.MET)


@clause("7.2")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(wordless(Verb.RECEIVE), "without description", id="without what was said"),
        pytest.param(facts(Verb.RECEIVE, complainant=""), "without complainant", id="without the person"),
        pytest.param(gone(Verb.CONFIRM), "an event is missing", id="with an event taken out"),
        pytest.param(
            facts(Verb.ASSESS, issue_categories=[]), "without issues", id="assessed without an issue"
        ),
        pytest.param(
            facts(Verb.RECEIVE, received_at="2026-11-04T10:00:00Z"),
            "logged before",
            id="logged before it came",
        ),
    ],
)
def test_a_record_that_lacks_something_turns_7_2_red(wrong: Change, says: str) -> None:
    told = b.an_assessed_case()
    assert stands("7.2", seen(told)).standing is ClauseStatus.MET
    assert says in " ".join(one.what for one in stands("7.2", seen(told, wrong)).evidence.violations)
    assert is_red("7.2", [seen(told, wrong)])


@clause("7.2")
def test_a_complaint_without_its_events_turns_7_2_red() -> None:
    broken = replace(HOUSE, proof=Proof(9, ("A7K-M3Q-9T", 1, "this complaint has lost its events")))
    assert "lost its events" in is_red("7.2", [], house=broken)


@clause("7.3")
def test_a_deadline_without_a_message_turns_7_3_red() -> None:
    told = b.an_assessed_case()
    assert stands("7.3", seen(told), days=2).standing is ClauseStatus.MET
    assert "deadline passed without a message" in is_red("7.3", [seen(told)], days=10)


@clause("7.3")
def test_a_message_the_same_day_keeps_the_deadline() -> None:
    told = b.an_assessed_case().later(days=7)
    informed = told.do(Verb.INFORM, SYSTEM)
    assert stands("7.3", seen(informed), days=8).standing is ClauseStatus.MET


@clause("7.3")
def test_a_due_time_without_its_reason_turns_7_3_red() -> None:
    told = b.an_assessed_case()
    targets = [{**one, "basis": ""} for one in told.events[0].facts["targets"]]
    assert "without its reason" in is_red("7.3", [seen(told, facts(Verb.RECEIVE, targets=targets))])


@clause("7.4")
def test_a_complaint_that_nobody_ever_acknowledged_turns_7_4_red() -> None:
    told = b.a_received_case()
    assert stands("7.4", seen(b.acknowledged(told)), days=30).standing is ClauseStatus.MET
    assert stands("7.4", seen(told), days=0).standing is ClauseStatus.NO_EVIDENCE
    assert "never acknowledged" in is_red("7.4", [seen(told)], days=30)


@clause("7.4")
def test_too_many_late_acknowledgements_turn_7_4_red() -> None:
    late = b.a_received_case().later(days=5).do(Verb.ACKNOWLEDGE, SYSTEM)
    assert stands("7.4", seen(late), days=30).standing is ClauseStatus.MET
    assert is_red("7.4", [seen(late)] * 10, days=30) == "acknowledged in time"


@clause("7.5")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(by(Verb.ASSESS, MODEL, Role.MODEL), "without a person", id="by the model"),
        pytest.param(by(Verb.ASSESS, BURAK), "had not opened it", id="by somebody who had not read"),
        pytest.param(
            facts(Verb.RECEIVE, signs=[{"rule": "injury.x", "severity": 4, "safety": 2, "danger": False}]),
            "below a safety rule",
            id="below a safety rule, by a handler",
        ),
        pytest.param(facts(Verb.RECEIVE, has_words=False, media=1), "before a person listened", id="unheard"),
        pytest.param(without(Verb.ASSESS), "decided without an assessment", id="not at all"),
    ],
)
def test_an_assessment_that_is_none_turns_7_5_red(wrong: Change, says: str) -> None:
    told = b.a_told_case()
    assert stands("7.5", seen(told)).standing is ClauseStatus.MET
    assert says in is_red("7.5", [seen(told, wrong)])


@clause("7.6")
def test_a_decision_without_its_evidence_turns_7_6_red() -> None:
    told = b.a_told_case()
    assert stands("7.6", seen(told)).standing is ClauseStatus.MET
    bare = facts(Verb.INVESTIGATE, evidence=["complainant_heard"])
    assert "without records_checked" in is_red("7.6", [seen(told, bare)])


@clause("7.7")
def test_a_decision_without_a_cause_turns_7_7_red() -> None:
    told = b.a_told_case()
    assert stands("7.7", seen(told)).standing is ClauseStatus.MET
    assert "without a cause" in is_red("7.7", [seen(told, wordless(Verb.RESPOND, "root_cause"))])


@clause("7.7")
def test_an_overdue_remedy_of_which_nobody_spoke_turns_7_7_red() -> None:
    told = b.a_told_case(remedies=[b.a_refund()])
    assert stands("7.7", seen(told), days=7).standing is ClauseStatus.MET
    assert "a remedy is overdue" in is_red("7.7", [seen(told)], days=30)
    said = told.later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert stands("7.7", seen(said), days=30).standing is ClauseStatus.MET


@clause("7.8")
def test_a_decision_that_nobody_is_told_turns_7_8_red() -> None:
    told = b.a_decided_case()
    assert stands("7.8", seen(told), days=0.5).standing is ClauseStatus.MET
    assert "not communicated" in is_red("7.8", [seen(told)], days=10)


@clause("7.8")
def test_a_finding_without_reasons_turns_7_8_red() -> None:
    told = b.a_told_case()
    assert "without reasons" in is_red("7.8", [seen(told, wordless(Verb.RESPOND, "issues.0.reasons"))])


@clause("7.9")
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        pytest.param(without(Verb.ACCEPT), "not done and checked", id="an unverified remedy at the close"),
        pytest.param(
            facts(Verb.CLOSE, close_code=CloseCode.EXHAUSTED.value),
            "no outside body was offered",
            id="not exhausted",
        ),
        pytest.param(
            facts(Verb.CLOSE, close_code=CloseCode.LAPSED.value),
            "without a reply before the time",
            id="no silence yet",
        ),
        pytest.param(
            facts(Verb.CLOSE, close_code=CloseCode.WITHDRAWN.value),
            "complainant's request",
            id="not withdrawn",
        ),
        pytest.param(
            facts(Verb.CLOSE, close_code=CloseCode.NOT_COMPLAINT.value),
            "still classified as one",
            id="still a complaint",
        ),
    ],
)
def test_an_ending_without_what_it_needs_turns_7_9_red(wrong: Change, says: str) -> None:
    told = b.a_closed_case()
    assert stands("7.9", seen(told)).standing is ClauseStatus.MET
    assert says in is_red("7.9", [seen(told, wrong)])


@clause("7.9")
def test_a_yes_that_nobody_gave_turns_7_9_red() -> None:
    told = b.a_told_case()
    forged = then(Verb.CLOSE, ALICE, close_code=CloseCode.RESOLVED.value)
    assert "without the complainant's yes" in is_red("7.9", [seen(told, forged)])


@clause("7.9")
def test_a_refusal_after_which_nobody_names_the_outside_turns_7_9_red() -> None:
    told = b.a_told_case().do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    assert stands("7.9", seen(told), days=0.1).standing is ClauseStatus.MET
    assert "not named" in is_red("7.9", [seen(told)], days=10)
