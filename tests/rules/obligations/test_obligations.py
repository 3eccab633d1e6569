"""Obligations at each stage: keys, due times and what makes them obsolete (docs/design.md, rule 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from complaints.actors import SYSTEM
from complaints.case_values import Alarm, RecordedSign
from complaints.deadlines.periods import form_ends
from complaints.deadlines.targets import next_news
from complaints.errors import AlreadyDone
from complaints.obligations.kinds import ACTS, KINDS, NewObligation, SendPriority
from complaints.obligations.resend import failed_delivery_facts
from complaints.obligations.standing import card_waits_until, current_obligations
from complaints.priorities import priority_of
from complaints.vocabulary import Flag, Priority, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    BY_PHONE,
    LOWER_REASON,
    MONA,
    ORHAN,
    RULES,
    TUESDAY,
    BuiltComplaint,
    a_closed_case,
    a_communicated_case,
    a_decided_case,
    a_logged_case,
    a_message,
    a_received_case,
    a_resolved_case,
    a_sign,
    an_assessed_case,
    an_investigated_case,
    assessed,
    at,
    decided,
    phone_facts,
    proposed,
    rules_with,
)

DANGER = a_sign("gas.gas_smell", 5, 3, danger=True)
WHY = {"reason": "Two more readings are needed."}
NEW = {"reason": "It came back."}


def keys(complaint: BuiltComplaint) -> set[str]:
    return {obligation.key for obligation in current_obligations(complaint.case)}


@clause("7.4")
def test_the_acknowledgement_is_due_when_the_form_ends() -> None:
    complaint = a_received_case()
    assert "ack:1" not in keys(complaint)
    ended = complaint.do(Verb.END_FORM, SYSTEM, {"because": "silence"})
    obligation = ended.obligation("acknowledge")
    assert (obligation.key, obligation.due, obligation.priority) == ("ack:1", ended.at, SendPriority.DIALOGUE)
    assert "ack:1" not in keys(ended.do(Verb.ACKNOWLEDGE, SYSTEM))


def test_the_form_ends_after_thirty_minutes_of_silence_or_after_four_hours() -> None:
    complaint = a_received_case()
    ends = {
        obligation.key: obligation.due
        for obligation in complaint.obligations
        if obligation.kind == "end_form"
    }
    assert ends == {
        "end_form:silence:1": TUESDAY + timedelta(minutes=30),
        "end_form:latest": TUESDAY + timedelta(hours=4),
    }
    more = complaint.do(Verb.ADD, ANNA, a_message())
    assert "end_form:silence:2" in keys(more)
    assert "end_form:silence:1" not in keys(more)
    assert not {key for key in keys(more.do(Verb.CONFIRM, ANNA)) if key.startswith("end_form")}


@clause("7.4")
def test_the_acknowledgement_is_sent_before_the_first_letter_of_staff() -> None:
    complaint = a_received_case().do(Verb.REPLY, ALICE, {}, {"text": "Hello."})
    assert complaint.obligation("acknowledge").priority < complaint.obligation("letter").priority


@clause("7.4")
def test_without_a_chat_staff_are_reminded_of_the_acknowledgement() -> None:
    complaint = a_logged_case()
    assert "acknowledge" not in complaint.kinds
    assert "remind:ack:0:1:due" in complaint.keys
    by_voice = complaint.do(Verb.ACKNOWLEDGE, ALICE, phone_facts(complaint), BY_PHONE)
    assert "remind:ack:0:1:due" not in by_voice.keys


@clause("7.3")
def test_an_unreachable_complainant_gets_the_messages_when_reachable_again() -> None:
    complaint = a_received_case().do(Verb.CONFIRM, ANNA)
    failed = complaint.do(Verb.FAIL_DELIVERY, SYSTEM)
    assert "ack:1" not in keys(failed)
    assert "remind:ack:0:1:due" in keys(failed)
    assert "ack:1:r1" in keys(failed.do(Verb.ADD, ANNA, a_message()))
    undelivered = a_decided_case().do(Verb.FAIL_DELIVERY, SYSTEM)
    assert "decision" not in {obligation.kind for obligation in current_obligations(undelivered.case)}
    back = undelivered.do(Verb.ADD, ANNA, a_message())
    assert back.obligation("decision").key.endswith(":r1")


def lost_delivery(obligation: NewObligation) -> dict[str, object]:
    """The facts of a channel that could not deliver the obligation."""
    return {
        "because": "blocked",
        **failed_delivery_facts(obligation.key, obligation.kind, obligation.due, obligation.facts),
    }


@clause("7.3")
def test_undelivered_letters_of_staff_are_sent_again_once_and_in_order() -> None:
    complaint = an_assessed_case()
    replied = complaint.do(Verb.REPLY, ALICE, {}, {"text": "Hello."})
    reply = replied.obligation("letter")
    failed = replied.do(Verb.FAIL_DELIVERY, SYSTEM, lost_delivery(reply))
    asked_again = failed.do(Verb.REPLY, ALICE, {}, {"text": "And this."})
    silent = asked_again.do(Verb.FAIL_DELIVERY, SYSTEM, lost_delivery(asked_again.obligation("letter")))

    back = silent.do(Verb.ADD, ANNA, a_message())
    again = [obligation for obligation in back.obligations if obligation.kind == "letter"]
    assert [obligation.key for obligation in again] == [
        f"{reply.key}:r1",
        f"{asked_again.obligation('letter').key}:r1",
    ]
    assert (again[0].due, again[0].facts["seq"]) == (reply.due, reply.facts["seq"])
    assert "letter" not in {
        obligation.kind for obligation in back.do(Verb.ADD, ANNA, a_message()).obligations
    }

    twice = back.do(Verb.FAIL_DELIVERY, SYSTEM, lost_delivery(again[0])).do(Verb.ADD, ANNA, a_message())
    assert [obligation.key for obligation in twice.obligations if obligation.kind == "letter"] == [
        f"{reply.key}:r2"
    ]


@clause("7.3")
def test_a_notice_due_while_unreachable_is_sent_once_reachable() -> None:
    complaint = an_assessed_case(rules=rules_with(legal="10 bd"))
    notice = complaint.obligation("legal_passed")
    silent = complaint.do(Verb.FAIL_DELIVERY, SYSTEM, {"because": "blocked", "kind": "say"})
    later = replace(silent, at=notice.due + timedelta(hours=1)).do(Verb.ADD, ANNA, a_message())
    assert f"{notice.key}:r1" in keys(later)
    assert f"{notice.key}:r1" in keys(later.do(Verb.ADD, ANNA, a_message()))
    assert notice.key in keys(silent.do(Verb.ADD, ANNA, a_message()))


@clause("7.3")
def test_an_undelivered_closing_is_sent_again_and_a_survey_is_not() -> None:
    closed = a_closed_case()
    closing, survey = (
        next(obligation for obligation in current_obligations(closed.case) if obligation.kind == kind)
        for kind in ("closing", "survey")
    )
    silent = closed.do(Verb.FAIL_DELIVERY, SYSTEM, lost_delivery(closing)).do(
        Verb.FAIL_DELIVERY, SYSTEM, lost_delivery(survey)
    )
    back = silent.do(Verb.ADD, ANNA, a_message())
    assert {closing.key, f"{closing.key}:r1", survey.key} & keys(back) == {f"{closing.key}:r1", survey.key}


def test_a_logged_complaint_has_a_chat_once_its_code_is_redeemed() -> None:
    complaint = a_logged_case().do(Verb.BIND, ALICE)
    assert "ack:1" not in keys(complaint)
    assert "ack:1" in keys(complaint.do(Verb.BIND, ANNA))


def test_a_proposal_is_due_after_the_first_messages_and_after_later_words() -> None:
    complaint = a_received_case()
    due_by_key = {
        obligation.key: obligation.due for obligation in complaint.obligations if obligation.kind == "propose"
    }
    assert due_by_key == {
        "propose:1": TUESDAY + timedelta(seconds=20),
        "propose:latest": TUESDAY + timedelta(seconds=60),
    }
    assert not {key for key in keys(proposed(complaint)) if key.startswith("propose")}
    assert "propose:2" in keys(proposed(complaint).do(Verb.ADD, ANNA, a_message()))
    assert not {key for key in keys(an_assessed_case()) if key.startswith("propose")}


def test_every_version_gets_a_card_and_the_first_waits_for_the_proposal() -> None:
    complaint = a_received_case()
    assert complaint.obligation("card").key == "card:1"
    assert card_waits_until(complaint.case) == TUESDAY + timedelta(seconds=90)
    assert card_waits_until(proposed(complaint).case) is None
    assert card_waits_until(an_assessed_case().case) is None
    assert card_waits_until(a_received_case(signs=(DANGER,)).case) is None
    assert card_waits_until(a_received_case(subjects=(BURAK.id,)).case) is None
    assert card_waits_until(complaint.do(Verb.ASSIGN, ALICE).case) is None


@clause("7.4")
def test_danger_pages_staff_until_a_receipt_and_then_tells_the_complainant() -> None:
    complaint = a_received_case(signs=(DANGER,))
    page = complaint.obligation("page")
    assert (page.key, page.due, page.priority) == (
        f"page:{TUESDAY.isoformat()}",
        TUESDAY,
        SendPriority.DANGER,
    )
    assert complaint.obligation("card").priority is SendPriority.DANGER
    receipted = complaint.do(Verb.RECEIPT, ORHAN)
    assert receipted.obligation("page").key == f"page:{receipted.at.isoformat()}:close"
    obligation = receipted.obligation("danger_seen")
    assert (obligation.priority, obligation.facts["role"]) == (SendPriority.DANGER, "on_call")
    with pytest.raises(AlreadyDone):
        receipted.do(Verb.RECEIPT, MONA)
    closed = receipted.do(Verb.END_DANGER, ORHAN, {"danger_end": "helped"})
    assert "page" not in closed.kinds
    with pytest.raises(AlreadyDone):
        closed.do(Verb.END_DANGER, MONA, {"danger_end": "over"})


POSSIBLE = RecordedSign("gas.gas_likely", 4, 2, False, TUESDAY, look=True)


@clause("7.4")
def test_a_possible_danger_asks_for_a_look_at_once_and_a_person_closes_it() -> None:
    complaint = a_received_case(signs=(POSSIBLE,))
    page = complaint.obligation("page")
    assert (page.due, page.priority) == (TUESDAY, SendPriority.DANGER)
    assert (complaint.case.severity, complaint.case.safety) == (2, 0)
    assert Flag.SIGNIFICANT not in complaint.case.flags
    for verb, facts in ((Verb.RECEIPT, {}), (Verb.ASSIGN, {})):
        seen = complaint.later(minutes=5).do(verb, ORHAN if verb is Verb.RECEIPT else ALICE, facts)
        assert seen.obligation("page").key.endswith(":close")


@clause("7.4")
@pytest.mark.parametrize(("answer", "pages"), [("no", False), ("yes", True), ("unclear", True)])
def test_only_a_clear_no_keeps_a_possible_danger_from_paging(answer: str, pages: bool) -> None:
    complaint = a_received_case(signs=(POSSIBLE,))
    answered = complaint.do(Verb.ADD, ANNA, a_message() | {"danger_answer": answer})
    assert answered.case.alarm is not None
    assert (answered.case.alarm.pages_from == answered.at) is pages
    assert answered.case.alarm.kind == ("page" if pages else "look")
    # In any case a person still has to look, and to close it.
    assert "page" in answered.kinds


@pytest.mark.parametrize(("minutes", "kind"), [(0, "look"), (1, "page")])
def test_a_possible_danger_counts_as_a_page_where_nobody_acted_within_two_minutes(
    minutes: int, kind: str
) -> None:
    # Each act follows a minute later.
    complaint = a_received_case(signs=(POSSIBLE,)).later(minutes=minutes)
    denied = complaint.do(Verb.ADD, ANNA, a_message() | {"danger_answer": "no"})
    assert [alarm.kind for alarm in denied.case.alarms] == [kind]
    assert [alarm.kind for alarm in complaint.do(Verb.RECEIPT, ORHAN).case.alarms] == [kind]


@clause("7.3")
def test_while_the_bot_stays_with_a_danger_nothing_else_is_started_and_afterwards_it_is() -> None:
    complaint = a_received_case(signs=(DANGER,))
    held = {"end_form", "acknowledge", "progress", "delay", "legal_passed"}
    assert not held & set(complaint.kinds)
    later = complaint.later(hours=6)
    over = later.do(Verb.ADD, ANNA, a_message() | {"danger_answer": "over"})
    assert {"end_form", "progress"} <= set(over.kinds)
    # What came due meanwhile was skipped under its own key.
    latest = next(row for row in over.obligations if row.kind == "end_form" and "latest" in row.key)
    assert latest.key == "end_form:latest:calm1"


@clause("7.4")
def test_a_decision_shows_that_a_possible_danger_was_looked_at() -> None:
    later = an_investigated_case().do(Verb.ADD, ANNA, a_message(signs=(POSSIBLE,))).later(minutes=5)
    assert later.case.unseen_alarm is not None
    assert decided(later).case.unseen_alarm is None


@clause("7.1")
def test_the_first_dates_and_every_moved_date_are_communicated() -> None:
    complaint = an_assessed_case()
    assert complaint.obligation("dates").facts == {"seq": 4, "verb": "assess"}
    assert "dates" not in assessed(complaint, category="service").kinds
    assert "dates" in assessed(complaint, severity=4).kinds
    extended = complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    facts = {"seq": 5, "verb": "extend", "target": "decide", "of": 0}
    assert extended.obligation("dates").facts == facts


@clause("7.3")
def test_progress_is_communicated_at_every_update_date() -> None:
    complaint = an_assessed_case()
    informed = complaint.later(days=7).do(Verb.INFORM, SYSTEM)
    assert (first := _progress(complaint)).due == at("2026-11-10 17:30")
    assert (second := _progress(informed)).due == at("2026-11-17 17:30")
    assert first.key != second.key
    assert "progress" not in decided(an_investigated_case()).kinds


@clause("7.3")
def test_a_notice_of_a_grave_complaint_is_not_repeated_daily_while_nobody_works_on_it() -> None:
    complaint = an_assessed_case(severity=5, safety=3)
    assert priority_of(complaint.case) is Priority.P1
    informed = complaint.later(days=1).do(Verb.INFORM, SYSTEM)
    assert _progress(informed).due >= informed.last.at + timedelta(days=5)
    assert _progress(informed).due == next_news(informed.case, informed.last.at)

    worked_on = informed.do(Verb.INVESTIGATE, ALICE)
    assert _progress(worked_on).due < informed.last.at + timedelta(days=3)


def _progress(complaint: BuiltComplaint) -> NewObligation:
    """The notice of the next update; a late decision has a notice of its own."""
    (obligation,) = (
        obligation
        for obligation in complaint.obligations
        if obligation.kind == "progress" and "target" not in obligation.facts
    )
    return obligation


@clause("7.3")
def test_a_delay_notice_is_sent_before_a_promised_date_is_missed() -> None:
    rules = rules_with(delay_notice="1 bd")
    complaint = an_assessed_case(rules=rules)
    assert (complaint.obligation("delay").key, complaint.obligation("delay").due) == (
        "delay:2",
        at("2026-11-16 09:00"),
    )
    assert a_received_case(rules=rules).obligation("delay").due == at("2026-11-30 09:00")
    assert "delay" not in a_decided_case(rules=rules).kinds
    assert "delay" not in complaint.do(Verb.WITHDRAW, ANNA).kinds
    assert "delay" not in an_assessed_case().kinds


def _missed(complaint: BuiltComplaint) -> datetime:
    """When the missed-date notice of the decision is sent."""
    (obligation,) = (
        obligation for obligation in complaint.obligations if obligation.key.startswith("progress:decide")
    )
    return obligation.due


@clause("7.3")
def test_a_delay_notice_is_followed_by_a_notice_that_the_date_will_be_missed() -> None:
    complaint = an_assessed_case(rules=rules_with(delay_notice="1 bd"))
    assert complaint.obligation("delay").due == at("2026-11-16 09:00")
    assert _missed(complaint) == at("2026-11-17 16:30")
    # If it is delayed until then, only the second notice is sent.
    assert complaint.obligation("delay").facts["until"] == "2026-11-17T16:30:00Z"
    answered = decided(an_investigated_case(rules=rules_with(delay_notice="1 bd")))
    assert not [key for key in answered.keys if key.startswith("progress:decide")]


@clause("7.3")
def test_a_date_set_after_its_delay_notice_was_due_still_gets_a_warning() -> None:
    complaint = an_assessed_case(rules=rules_with(delay_notice="1 bd"))
    raised = assessed(complaint.later(days=6), severity=4)
    assert "delay" not in raised.kinds
    assert _missed(raised) == at("2026-11-10 16:30")
    late = replace(complaint, at=at("2026-11-17 17:00")).do(
        Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-18"}, WHY
    )
    assert "delay" not in late.kinds
    assert _missed(late) == at("2026-11-18 16:30")
    early = complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-18"}, WHY)
    assert early.obligation("delay").due == at("2026-11-17 09:00")
    passed = assessed(complaint.later(days=9), severity=4)
    assert "delay" not in passed.kinds
    assert not [key for key in passed.keys if key.startswith("progress:decide")]


@clause("7.3")
@pytest.mark.parametrize(("decide", "after"), [("40 min", 20), ("2 h", 60), ("61 min", 1)])
def test_a_very_near_date_gets_its_warning_before_it_passes(decide: str, after: int) -> None:
    spans = {priority: replace(times, decide=decide) for priority, times in RULES.targets.by_priority.items()}
    complaint = a_received_case(rules=rules_with(by_priority=spans, delay_notice="1 bd"))
    assert "delay" not in complaint.kinds
    assert _missed(complaint) == TUESDAY + timedelta(minutes=after)


@clause("7.3")
@pytest.mark.parametrize("notice", ["1 h", "30 min", "90 min", "2 h"])
def test_two_notices_of_a_date_are_an_hour_apart_or_only_the_second_is_sent(notice: str) -> None:
    complaint = an_assessed_case(rules=rules_with(delay_notice=notice))
    assert ("delay" in complaint.kinds) is (notice == "2 h")
    assert _missed(complaint) == at("2026-11-17 16:30")


@clause("7.3")
def test_a_contact_after_the_date_replaces_the_missed_date_notice() -> None:
    complaint = an_assessed_case(rules=rules_with(delay_notice="1 bd"))
    before_it = complaint.later(days=7).do(Verb.INFORM, SYSTEM)
    assert "progress:decide:2" in before_it.keys
    assert "progress:decide:2" not in complaint.later(days=15).do(Verb.INFORM, SYSTEM).keys


@clause("7.3")
def test_the_notice_of_the_legal_maximum_precedes_it_and_recourse_comes_with_it() -> None:
    complaint = a_received_case(rules=rules_with(delay_notice="1 bd", legal="30 days"))
    assert complaint.obligation("delay").due == at("2026-12-02 09:00")
    assert _missed(complaint) == at("2026-12-03 09:00")
    assert complaint.obligation("legal_passed").due == at("2026-12-03 10:00")


@clause("7.3")
def test_passing_the_legal_maximum_undecided_is_communicated() -> None:
    rules = rules_with(legal="10 bd")
    obligation = an_assessed_case(rules=rules).obligation("legal_passed")
    assert (obligation.key, obligation.due) == ("legal_passed:1", at("2026-11-17 17:30"))
    assert "legal_passed" not in a_decided_case(rules=rules).kinds
    assert "legal_passed" not in an_assessed_case().kinds


@clause("8.4")
def test_staff_are_reminded_a_working_day_before_a_date_and_when_it_passes() -> None:
    complaint = an_assessed_case()
    reminders = {
        obligation.key: obligation.due
        for obligation in complaint.obligations
        if obligation.key.startswith("remind:decide")
    }
    assert reminders == {
        "remind:decide:0:2:-1bd": at("2026-11-16 09:00"),
        "remind:decide:0:2:due": at("2026-11-17 17:30"),
    }


def test_the_most_urgent_priority_has_no_reminder_a_day_before() -> None:
    complaint = an_assessed_case(severity=5)
    assert "remind:decide:0:2:due" in complaint.keys
    assert not any(key.endswith("-1bd") for key in complaint.keys)


def test_a_new_version_of_a_date_cancels_the_reminder_of_the_old_one() -> None:
    complaint = an_assessed_case()
    extended = complaint.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    assert "remind:decide:0:3:due" in extended.keys
    assert "remind:decide:0:2:due" not in extended.keys


@clause("7.3")
def test_an_open_question_reminds_staff_of_the_reply() -> None:
    questioned = a_communicated_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert "remind:reply:0:1:due" in questioned.keys
    assert "lapse" not in questioned.kinds
    replied = questioned.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    assert "remind:reply:0:1:due" not in replied.keys
    assert "lapse" in replied.kinds
    after_closing = a_closed_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert "remind:reply:0:1:due" in after_closing.keys


def test_the_end_of_waiting_is_reminded_of_only_when_it_passes() -> None:
    complaint = an_investigated_case().do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    assert {key for key in complaint.keys if key.startswith("remind:waiting")} == {"remind:waiting:0:1:due"}


@pytest.mark.parametrize("quiet", [Verb.SURVEY, Verb.END_FORM])
def test_every_act_except_survey_and_form_end_posts_to_the_thread(quiet: Verb) -> None:
    assert a_resolved_case().obligation("thread").facts["verb"] == "communicate_decision"
    complaint = a_received_case() if quiet is Verb.END_FORM else a_closed_case()
    assert "thread" not in complaint.do(quiet, SYSTEM, {"step": "sent"}).kinds


def test_every_kind_that_the_scheduler_handles_is_an_obligation_kind() -> None:
    assert set(ACTS) <= set(KINDS)


def test_after_a_lower_priority_the_later_date_is_communicated() -> None:
    complaint = assessed(an_assessed_case(severity=4), MONA, LOWER_REASON, severity=1)
    assert complaint.obligation("dates").facts["verb"] == "reassess"


def test_the_silence_that_ends_a_form_begins_after_a_danger() -> None:
    case = a_received_case().case
    began = case.last_words_at or case.logged_at
    calm_at = began + timedelta(minutes=20)
    after_danger = replace(case, alarms=(Alarm(began, calm_at=calm_at),))

    assert form_ends(after_danger)[0] - form_ends(case)[0] == calm_at - began
    assert form_ends(after_danger)[1] == form_ends(case)[1]
