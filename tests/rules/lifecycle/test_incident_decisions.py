"""Rules of one decision on all complaints of an incident: who is left to a person, and who may approve it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from complaints.actions.perform import perform
from complaints.actors import Actor
from complaints.batch import (
    IncidentDecision,
    apply_decision,
    check_approver,
    check_form,
    decision_left_out,
    folds_into_incident,
    next_step,
    refusal_of,
)
from complaints.case import Case
from complaints.case_values import Alarm, RecordedSign
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.incidents import IncidentAct, fields_of, perform_on_incident
from complaints.vocabulary import Flag, State, Verb
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    MONA,
    RULES,
    TUESDAY,
    TUGBA,
    a_received_case,
    an_assessed_case,
    an_investigated_case,
    decided,
)
from tests.rules.lifecycle.test_incidents import an_incident

LATER = TUESDAY + timedelta(hours=2)
FACTS = {
    "finding": "upheld", "type": "compensation", "amount": "25.00", "currency": "GBP", "category": "supply",
    "severity": 2, "reach": 3, "recurrence": 2, "evidence": ALL_EVIDENCE, "cause_class": "recurring",
}  # fmt: skip
WORDS = {"reasons.en": "The pump failed.", "root_cause": "A pump.", "others_action": "All are answered."}


def a_decision(number: int = 1, **facts: Any) -> IncidentDecision:
    return IncidentDecision(7, "7.2", MONA.id, LATER, LATER, number, {**FACTS, **facts}, WORDS)


def a_member(**changes: Any) -> Case:
    """A complaint of incident 7 whose form has ended, with nothing to look at."""
    return replace(a_received_case().case, **{"form_open": False, "incident": 7, **changes})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"alarms": (Alarm(TUESDAY),)}, "safety"),
        ({"signs": (RecordedSign("fire", 4, 0, False, TUESDAY, seq=1),)}, "severity"),
        ({"flags": frozenset({Flag.FOR_ANOTHER})}, "representative"),
        ({"flags": frozenset({Flag.SUPPORT_NEED})}, "support_need"),
        ({"flags": frozenset({Flag.RESTRICTED})}, "restricted"),
        ({"flags": frozenset({Flag.NO_CONTACT})}, "unreachable"),
        ({"flags": frozenset({Flag.PROCESSING_RESTRICTED})}, "processing"),
        ({"channel": "phone"}, "unreachable"),
        ({"second_issue": True}, "second_issue"),
        ({"level": 2}, "decided"),
        ({"state": State.DECIDED}, "decided"),
        ({"last_words_at": LATER + timedelta(seconds=1)}, "newer"),
        ({"form_open": True}, "newer"),
        ({"only_in_media": True}, "media"),
        ({"written_in": "pl"}, "language"),
        ({"external_open": True}, "outside"),
        ({"incident": None}, "left"),
        ({"incident": 8}, "left"),
        # Another reason would show its reference.
        ({"incident": None, "flags": frozenset({Flag.RESTRICTED})}, "restricted"),
    ],
)
def test_what_needs_a_look_of_its_own_is_left_to_a_person(changes: dict[str, Any], why: str | None) -> None:
    assert decision_left_out(a_member(**changes), 7, LATER, LATER) == why


def test_a_complaint_with_a_decision_or_a_draft_is_left_to_a_person() -> None:
    decided_case = decided(an_investigated_case()).case
    # 150 GBP is above the handler's limit, so this decision waits for approval.
    remedies = [{"type": "refund", "amount": "150.00", "currency": "GBP"}]
    drafted = decided(an_investigated_case(), remedies=remedies).case
    members = [replace(case, form_open=False, incident=7) for case in (decided_case, drafted)]

    assert [decision_left_out(case, 7, LATER, LATER) for case in members] == ["decided", "drafted"]


def test_the_manager_assesses_what_nobody_assessed_and_decides_it_for_approval() -> None:
    member, verbs = a_member(), []
    while (step := next_step(member, a_decision())) is not None:
        verb, facts, words = step
        verbs.append((verb, facts["batch"]))
        member = perform(member, verb, at=LATER, actor=MONA, facts=facts, words=words).case

    assert verbs == [(verb, "7.2") for verb in (Verb.ASSESS, Verb.INVESTIGATE, Verb.RESPOND)]
    assert member.assessment is not None
    assert (member.assessment.by, member.assessment.category) == (MONA.id, "supply")
    assert member.drafted is not None
    assert member.drafted.needs_approval


def test_a_complaint_never_gets_a_lower_severity_than_it_has() -> None:
    member = a_member(signs=(RecordedSign("damage", 3, 0, False, TUESDAY, seq=1),))

    assert apply_decision(member, a_decision(), MONA, LATER).severity == 3


def test_an_assessment_by_a_person_stays() -> None:
    member = replace(an_assessed_case(category="money").case, form_open=False)

    assert apply_decision(member, a_decision(), MONA, LATER).category == "money"


def test_a_complaint_that_lacks_evidence_is_left_to_a_person() -> None:
    decision = a_decision(evidence=["complainant_heard"])

    assert refusal_of(a_member(), decision, MONA, LATER) == "evidence"


def test_a_complainant_in_whose_language_there_is_no_text_is_left_to_a_person() -> None:
    assert refusal_of(a_member(language="tr"), a_decision(), MONA, LATER) == "language"


def test_a_form_with_a_text_in_each_language_asks_for_no_confirmation() -> None:
    check_form({"finding": "upheld", "type": "apology"}, WORDS, ("en", "tr"))

    assert "language_confirmed" not in {entry.name for entry in fields_of("incident_decide", ("en", "tr"))}


def test_a_person_who_is_excluded_from_a_complaint_does_not_decide_it_with_the_others() -> None:
    member = a_member(conflicted=frozenset({MONA.id}))

    assert refusal_of(member, a_decision(), MONA, LATER) == "not_open"


@pytest.mark.parametrize(
    ("by", "number", "code"),
    [
        (TUGBA, 300, None),
        (MONA, 1, "not_allowed.second_person"),
        (ALICE, 1, "not_allowed.manager"),
        (replace(MONA, id="U_OTHER"), 80, None),
        # 81 times 25 GBP is 2,025 GBP; a manager may grant 2,000.
        (replace(MONA, id="U_OTHER"), 81, "not_allowed.limit"),
    ],
)
def test_a_second_manager_approves_within_a_limit_for_all_together(
    by: Actor, number: int, code: str | None
) -> None:
    if code is None:
        check_approver(a_decision(number), by, RULES.authority)
        return
    with pytest.raises(NotAllowed) as refused:
        check_approver(a_decision(number), by, RULES.authority)

    assert refused.value.code == code


def test_who_decided_may_take_it_back() -> None:
    check_approver(a_decision(), MONA, RULES.authority, agreed=False)


@pytest.mark.parametrize(
    ("facts", "words", "field"),
    [
        ({}, {"changes.en": "A new pump."}, "changes.tr"),
        ({}, {}, "changes.en"),
        ({"amount": "25.00"}, {}, "type"),
    ],
)
def test_a_form_that_would_send_half_a_letter_is_refused(
    facts: dict[str, Any], words: dict[str, str], field: str
) -> None:
    with pytest.raises(BadFacts) as wrong:
        check_form({"finding": "upheld", **facts}, words, ("en", "tr"))

    assert wrong.value.field == field


def test_managers_decide_even_after_the_end_and_one_decision_waits_at_a_time() -> None:
    ended = an_incident(ended_at=TUESDAY)

    def act(kind: IncidentAct, by: Actor, *, waits: bool = False) -> Any:
        facts = {"batch": "7.2"}
        return perform_on_incident(ended, kind, at=LATER, by=by, facts=facts, words={}, decision_waits=waits)

    assert act(IncidentAct.DECIDE, MONA).role == "manager"
    assert act(IncidentAct.APPROVE, TUGBA, waits=True).role == "top_management"
    for kind, waits in ((IncidentAct.DECIDE, True), (IncidentAct.APPROVE, False)):
        with pytest.raises(OutOfOrder):
            act(kind, MONA, waits=waits)
    with pytest.raises(NotAllowed):
        act(IncidentAct.DECIDE, ALICE)


@pytest.mark.parametrize(
    ("changes", "folds"),
    [
        ({}, True),
        ({"state": State.DECIDED}, True),
        ({"state": State.ESCALATED, "level": 2}, False),
        ({"question_at": TUESDAY}, False),
        ({"alarms": (Alarm(TUESDAY),)}, False),
        ({"second_issue": True}, False),
    ],
)
def test_a_card_is_folded_only_while_the_complaint_needs_no_look_of_its_own(
    changes: dict[str, Any], folds: bool
) -> None:
    assert folds_into_incident(a_member(**changes)) is folds
