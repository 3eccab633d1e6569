"""The clocks of the law by subject, their restart, their calendar, and all levels together (7.3, docs/law.md)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from amends.settings.rulebook import preset_targets
from bots.letters.composer import Composer
from bots.letters.letter import Letter
from bots.letters.progress_letters import progress
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.card import card, flag_lines
from bots.texts.catalogues import load_catalogues
from complaints.deadlines.explanation import explained
from complaints.deadlines.opening_hours import parse_hours
from complaints.deadlines.working_time import due
from complaints.errors import BadFacts, NotAllowed
from complaints.measures.marks import marks
from complaints.rulebook import Calendar, HoldOff, Rulebook
from complaints.vocabulary import Target, Verb
from reports.monitoring import monitor
from reports.tally import Period
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    MONA,
    RULES,
    BuiltComplaint,
    a_case_at_level_two,
    a_received_case,
    acknowledged,
    assessed,
    at,
    proposed,
    rules_with,
)
from tests.rules.dialogue_play import TEXTS

STAFF = StaffTexts(load_catalogues(("en",), domain="staff"), "en")
HOURS = parse_hours("Mon-Fri 09:00-17:30") or {}
NEW_YEAR = {date(2027, 1, 1): "New Year", date(2027, 1, 6): "Epiphany"}
#: Closed for a week, which no legal date may notice.
CLOSED = {date(2027, 1, day): "Stocktaking" for day in range(11, 16)}
RECEIVED = at("2026-12-29 10:00")


def spain(day: date = date(2026, 12, 28), preset: str = "es_ley10_2025", *, closed: bool = False) -> Rulebook:
    days = NEW_YEAR | (CLOSED if closed else {})
    calendar = Calendar("Europe/London", HOURS, holidays=days, closures=CLOSED if closed else {})
    return replace(
        RULES,
        targets=preset_targets(preset, day),
        calendar=calendar,
        categories={"interruption": {}, "death_benefit": {}, "hardship": {}, "superannuation": {}},
    )


def legal(complaint: BuiltComplaint) -> datetime:
    target = complaint.case.target(Target.LEGAL)
    assert target is not None
    return target.internal_due


def why(complaint: BuiltComplaint, name: Target) -> str:
    target = complaint.case.target(name)
    assert target is not None
    return " ".join(explained(complaint.case, target, complaint.events))


@clause("7.3")
def test_a_complaint_about_a_bill_has_five_days_and_another_one_fifteen_working_days() -> None:
    received = acknowledged(a_received_case(rules=spain(), at=RECEIVED))
    assert legal(received) == at("2027-01-21 17:30")
    bill = assessed(received, category="money")
    assert legal(bill) == at("2027-01-03 10:00")
    assert "Rule clock.billing: 5 days." in why(bill, Target.LEGAL)
    assert "The law has a time of its own for this subject." in why(bill, Target.LEGAL)
    assert legal(assessed(received, category="service")) == at("2027-01-21 17:30")


@clause("7.3")
def test_of_several_matters_the_shortest_time_applies() -> None:
    received = acknowledged(a_received_case(rules=spain(), at=RECEIVED))
    both = assessed(received, category="service", issues=[{"category": "service"}, {"category": "money"}])
    assert legal(both) == at("2027-01-03 10:00")


@clause("7.3")
def test_the_time_of_another_subject_is_later_only_with_a_reason_of_a_manager() -> None:
    bill = assessed(acknowledged(a_received_case(rules=spain(), at=RECEIVED)), category="money")
    service = {"category": "service", "issues": [{"category": "service"}]}
    with pytest.raises(NotAllowed, match="Only a manager"):
        assessed(bill, **service)
    moved = assessed(bill, MONA, {"override_reason": "No bill is in question."}, **service)
    decide = moved.case.target(Target.DECIDE)
    assert decide is not None
    assert decide.internal_due > at("2027-01-03 10:00")
    assert legal(moved) == at("2027-01-21 17:30")


@clause("7.3")
def test_an_interruption_gets_a_first_answer_in_two_hours_at_night_too() -> None:
    night = a_received_case(rules=spain(), at=at("2027-01-01 23:30"))
    cut = assessed(night, category="interruption")
    first = cut.case.target(Target.FIRST_ACTION)
    assert first is not None
    assert first.internal_due == at("2027-01-02 01:30")
    assert "Rule clock.interruption: 2 h." in why(cut, Target.FIRST_ACTION)
    # That is information: the decision keeps its own time.
    assert legal(cut) > at("2027-01-20 00:00")


@clause("7.3")
def test_before_the_assessment_staff_work_to_the_proposed_subject_and_only_the_outer_date_is_promised() -> (
    None
):
    guess = proposed(a_received_case(rules=spain(), at=RECEIVED), category="money")
    decide = guess.case.target(Target.DECIDE)
    assert decide is not None
    assert decide.internal_due == at("2027-01-03 10:00")
    assert decide.promised_due == legal(guess) == at("2027-01-21 17:30")
    assert "The legal maximum (5 days) ends earlier:" in why(guess, Target.DECIDE)


@clause("7.3")
def test_own_closures_move_no_time_of_the_law() -> None:
    plain, closed = (
        acknowledged(a_received_case(rules=spain(closed=closed), at=RECEIVED)) for closed in (False, True)
    )
    assert legal(plain) == legal(closed) == at("2027-01-21 17:30")
    assert "days on which only we are closed move no legal date" in why(closed, Target.LEGAL)


@clause("7.3")
def test_a_completed_complaint_counts_from_its_completion() -> None:
    received = assessed(acknowledged(a_received_case(rules=spain(), at=RECEIVED)), category="service")
    question = {"text": "Which meter is it?"}
    ask = {"needed_by": "2027-01-12", "incomplete": True}
    with pytest.raises(BadFacts, match="at least 10 bd"):
        received.do(Verb.ASK, ALICE, {**ask, "needed_by": "2027-01-08"}, question)
    waiting = received.do(Verb.ASK, ALICE, {**ask, "needed_by": "2027-01-14"}, question)
    # No time of ours runs out while it waits, and no letter says so.
    assert "legal_passed" not in waiting.kinds
    with pytest.raises(BadFacts, match="asked before"):
        waiting.do(Verb.ASK, ALICE, {**ask, "needed_by": "2027-01-22"}, question)
    answered = replace(waiting, at=at("2027-01-07 09:59")).do(
        Verb.ANSWER, ANNA, {"field": "answer", "has_words": True}, {"answer": "The second."}
    )
    assert legal(answered) == at("2027-01-28 17:30")
    assert "The complaint was completed Thu 7 Jan 2027 10:00; the time counts from there." in why(
        answered, Target.LEGAL
    )


@clause("7.3")
def test_only_a_scheme_that_says_so_lets_a_complaint_be_called_incomplete() -> None:
    with pytest.raises(BadFacts, match="cannot be called incomplete"):
        assessed(a_received_case(at=RECEIVED)).do(
            Verb.ASK, ALICE, {"needed_by": "2027-01-05", "incomplete": True}, {"text": "Which meter?"}
        )


@clause("7.3")
@pytest.mark.parametrize(
    ("category", "until"),
    [
        ("service", "2027-01-28 10:00"),
        ("hardship", "2027-01-19 10:00"),
        ("superannuation", "2027-02-12 10:00"),
        ("death_benefit", "2027-04-26 10:00"),
    ],
)
def test_australian_firms_have_30_21_or_45_days_and_90_after_28(category: str, until: str) -> None:
    scheme = replace(spain(preset="au_rg271"), calendar=Calendar("UTC", HOURS))
    complaint = assessed(acknowledged(a_received_case(rules=scheme, at=RECEIVED)), category=category)
    assert legal(complaint) == at(until)


@clause("7.3")
def test_the_start_of_the_objection_period_counts_where_the_assessment_names_it() -> None:
    scheme = replace(spain(preset="au_rg271"), calendar=Calendar("UTC", HOURS))
    complaint = assessed(
        acknowledged(a_received_case(rules=scheme, at=RECEIVED)),
        category="death_benefit",
        period_from="2026-12-09",
    )
    assert legal(complaint) == at("2027-04-07 00:00")
    assert "First comes a period of 28 days" in why(complaint, Target.LEGAL)


@clause("7.9")
def test_all_levels_share_the_time_where_the_scheme_says_so() -> None:
    shared = rules_with(legal="30 days", legal_for_all_levels=True)
    second = a_case_at_level_two(rules=shared)
    first_due = second.case.received_at + timedelta(days=30)
    target = second.case.target(Target.LEGAL)
    assert target is not None
    assert (target.internal_due, target.met_at) == (first_due, None)
    alone = a_case_at_level_two(rules=rules_with(legal="30 days")).case.target(Target.LEGAL)
    assert alone is not None
    assert alone.met_at is not None


@clause("7.9")
def test_when_the_shared_time_passes_in_a_review_the_letter_does_not_say_that_nothing_was_answered() -> None:
    second = a_case_at_level_two(rules=rules_with(legal="30 days", legal_for_all_levels=True))
    notice = second.obligation("legal_passed")
    letter = Letter(second.case, TEXTS, "en")
    message = Composer(letter, second.events, lambda seq: {}, notice.due).compose(
        "legal_passed", notice.facts
    )
    assert message is not None
    assert "we had to finish the review of our answer by" in message.text
    assert "we had to answer by" not in message.text
    # The progress notice of the same day leaves to it what it has said: one apology and one list of bodies.
    assert "sorry" not in (brief := progress(letter, notice.due + timedelta(minutes=1)))
    assert "the next news comes by" in brief
    assert letter.body_list() in progress(letter, notice.due + timedelta(days=1))


@clause("7.3")
def test_an_outside_body_is_answered_in_the_time_of_the_law() -> None:
    scheme = spain(date(2028, 9, 20), "de_enwg111a")
    complaint = assessed(a_received_case(rules=scheme, at=RECEIVED))
    notified = complaint.do(Verb.NOTIFY_EXTERNAL, MONA, {"event": "notified"}, {"body": "Schlichtungsstelle"})
    reply_target = notified.case.target(Target.BODY_REPLY)
    assert reply_target is not None
    assert reply_target.internal_due == at("2027-01-28 17:30")
    sent = notified.do(Verb.NOTIFY_EXTERNAL, MONA, {"event": "file_sent"}, {"body": "Schlichtungsstelle"})
    answered = sent.case.target(Target.BODY_REPLY)
    assert answered is not None
    assert answered.met_at is not None


@clause("7.3")
@pytest.mark.parametrize("preset", ["de_enwg111a", "es_ley10_2025"])
def test_both_times_to_answer_an_outside_body_are_dates_with_reminders(preset: str) -> None:
    notice: tuple[Any, ...] = (Verb.NOTIFY_EXTERNAL, MONA, {"event": "notified"}, {"body": "The ombudsman"})
    earlier = assessed(a_received_case(rules=spain(date(2028, 9, 19), preset), at=RECEIVED)).do(*notice)
    assert earlier.case.target(Target.BODY_REPLY) is None
    rules = spain(date(2028, 9, 20), preset)
    asked = assessed(a_received_case(rules=rules, at=RECEIVED)).do(*notice)
    usual, longest = (asked.case.target(Target.BODY_REPLY, number) for number in (0, 1))
    assert usual is not None
    assert longest is not None
    assert (usual.span, longest.span) == ("20 bd", "30 bd")
    assert usual.internal_due < longest.internal_due
    # Our own closures move no time of the law.
    assert longest.internal_due == due(asked.at, "30 bd", rules.calendar.by_law).at
    keys = {obligation.key for obligation in asked.obligations if obligation.kind == "remind"}
    assert {"remind:body_reply:0:1:-1bd", "remind:body_reply:1:1:due"} <= keys
    dues = [STAFF.target_due(target, asked.case, asked.at) for target in (usual, longest)]
    assert dues[0].startswith("answer to the outside body by ")
    assert dues[1].startswith("answer to the outside body, in an exceptional case by ")
    message = card(asked.case, STAFF, now=asked.at, draw=1)
    assert all(line in json.dumps(message.blocks) for line in dues)
    sent = asked.do(Verb.NOTIFY_EXTERNAL, MONA, {"event": "file_sent"}, {"body": "The ombudsman"})
    answered = [sent.case.target(Target.BODY_REPLY, number) for number in (0, 1)]
    assert all(target is not None and target.met_at is not None for target in answered)


@clause("7.3")
def test_the_card_says_what_may_not_happen_while_it_is_open() -> None:
    rules = replace(RULES, hold_off=HoldOff(open=("cutoff",), outside=("cutoff", "collection")))
    complaint = assessed(a_received_case(rules=rules))
    assert "No cut-off over this matter now" in flag_lines(complaint.case, STAFF)
    outside = complaint.do(Verb.NOTIFY_EXTERNAL, MONA, {"event": "notified"}, {"body": "Junta Arbitral"})
    assert "No cut-off and no debt collection over this matter now" in flag_lines(outside.case, STAFF)
    assert not any("cut-off" in line for line in flag_lines(a_received_case().case, STAFF))


@clause("7.3")
def test_a_request_for_a_person_is_measured_from_the_request_to_the_first_message_of_staff() -> None:
    rules = replace(RULES, person_within="3 min")
    complaint = assessed(acknowledged(a_received_case(rules=rules)))
    asked = complaint.do(Verb.ADD, ANNA, {"field": "human", "kind": "question", "has_words": False}, {})
    reply = asked.do(Verb.REPLY, ALICE, {"language_confirmed": True}, {"text": "I am Alice; how can I help?"})
    late = asked.later(minutes=5).do(Verb.REPLY, ALICE, {}, {"text": "I am Alice."})
    period = Period(reply.case.received_at, late.at)
    requests = monitor([reply.case, late.case], period=period, now=late.at).person_requests
    assert (requests.requests, requests.met, requests.mean_wait) == (2, 2, timedelta(minutes=3, seconds=30))
    kept = [
        [success for key, _, success in marks(answered.case, answered.at) if key == "person_in_time"]
        for answered in (reply, late)
    ]
    assert kept == [[True], [False]]
