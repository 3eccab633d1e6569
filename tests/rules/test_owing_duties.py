"""What is owed at each stage: keys, due times and what makes them moot (docs/design.md, rule 2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from complaints.actors import SYSTEM
from complaints.errors import AlreadyDone
from complaints.obligations.kinds import ACTS, KINDS, NewObligation, SendPriority
from complaints.obligations.resend import failing
from complaints.obligations.standing import card_waits_until, current_obligations
from complaints.vocabulary import Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    HEARD,
    LOWER_REASON,
    MONA,
    ORHAN,
    RULES,
    TUESDAY,
    Told,
    a_closed_case,
    a_decided_case,
    a_logged_case,
    a_message,
    a_received_case,
    a_resolved_case,
    a_sign,
    a_told_case,
    an_assessed_case,
    an_investigated_case,
    assessed,
    at,
    decided,
    heard_at,
    proposed,
    rules_with,
)

DANGER = a_sign("gas.gas_smell", 5, 3, danger=True)
WHY = {"reason": "Two more readings are needed."}
NEW = {"reason": "It came back."}


def keys(told: Told) -> set[str]:
    """What stands owed."""
    return {one.key for one in current_obligations(told.case)}


@clause("7.4")
def test_the_acknowledgement_is_owed_when_the_questions_end() -> None:
    told = a_received_case()
    assert "ack:1" not in keys(told)
    ended = told.do(Verb.END_FORM, SYSTEM, {"because": "silence"})
    duty = ended.duty("acknowledge")
    assert (duty.key, duty.due, duty.lane) == ("ack:1", ended.at, SendPriority.DIALOGUE)
    assert "ack:1" not in keys(ended.do(Verb.ACKNOWLEDGE, SYSTEM))


def test_the_questions_end_after_silence_or_at_latest_four_hours_on() -> None:
    told = a_received_case()
    ends = {one.key: one.due for one in told.owed if one.kind == "end_form"}
    assert ends == {
        "end_form:silence:1": TUESDAY + timedelta(minutes=30),
        "end_form:latest": TUESDAY + timedelta(hours=4),
    }
    more = told.do(Verb.ADD, ANNA, a_message())
    assert "end_form:silence:2" in keys(more)
    assert "end_form:silence:1" not in keys(more)
    assert not {one for one in keys(more.do(Verb.CONFIRM, ANNA)) if one.startswith("end_form")}


@clause("7.4")
def test_the_acknowledgement_is_owed_before_the_first_letter_of_staff_leaves() -> None:
    told = a_received_case().do(Verb.REPLY, ALICE, {}, {"text": "Hello."})
    assert told.duty("acknowledge").lane < told.duty("letter").lane


@clause("7.4")
def test_where_no_chat_takes_it_staff_are_reminded_of_the_acknowledgement() -> None:
    told = a_logged_case()
    assert "acknowledge" not in told.kinds
    assert "remind:ack:0:1:due" in told.keys
    by_voice = told.do(Verb.ACKNOWLEDGE, ALICE, heard_at(told), HEARD)
    assert "remind:ack:0:1:due" not in by_voice.keys


@clause("7.3")
def test_whoever_cannot_be_reached_is_written_to_again_when_back() -> None:
    told = a_received_case().do(Verb.CONFIRM, ANNA)
    failed = told.do(Verb.FAIL_DELIVERY, SYSTEM)
    assert "ack:1" not in keys(failed)
    assert "remind:ack:0:1:due" in keys(failed)
    assert "ack:1:r1" in keys(failed.do(Verb.ADD, ANNA, a_message()))
    undelivered = a_decided_case().do(Verb.FAIL_DELIVERY, SYSTEM)
    assert "decision" not in {one.kind for one in current_obligations(undelivered.case)}
    back = undelivered.do(Verb.ADD, ANNA, a_message())
    assert back.duty("decision").key.endswith(":r1")


def lost(one: NewObligation) -> dict[str, object]:
    """What a channel says that could not bring it."""
    return {"because": "blocked", **failing(one.key, one.kind, one.due, one.facts)}


@clause("7.3")
def test_words_of_staff_that_no_chat_took_are_owed_anew_once_in_their_order() -> None:
    told = an_assessed_case()
    replied = told.do(Verb.REPLY, ALICE, {}, {"text": "Hello."})
    reply = replied.duty("letter")
    failed = replied.do(Verb.FAIL_DELIVERY, SYSTEM, lost(reply))
    asked = failed.do(Verb.REPLY, ALICE, {}, {"text": "And this."})
    silent = asked.do(Verb.FAIL_DELIVERY, SYSTEM, lost(asked.duty("letter")))

    back = silent.do(Verb.ADD, ANNA, a_message())
    again = [one for one in back.owed if one.kind == "letter"]
    assert [one.key for one in again] == [f"{reply.key}:r1", f"{asked.duty('letter').key}:r1"]
    assert (again[0].due, again[0].facts["seq"]) == (reply.due, reply.facts["seq"])
    assert "letter" not in {one.kind for one in back.do(Verb.ADD, ANNA, a_message()).owed}

    twice = back.do(Verb.FAIL_DELIVERY, SYSTEM, lost(again[0])).do(Verb.ADD, ANNA, a_message())
    assert [one.key for one in twice.owed if one.kind == "letter"] == [f"{reply.key}:r2"]


@clause("7.3")
def test_a_notice_that_fell_due_while_nothing_reached_them_is_owed_once_they_are_back() -> None:
    told = an_assessed_case(rules=rules_with(legal="10 bd"))
    notice = told.duty("legal_passed")
    silent = told.do(Verb.FAIL_DELIVERY, SYSTEM, {"because": "blocked", "kind": "say"})
    later = replace(silent, at=notice.due + timedelta(hours=1)).do(Verb.ADD, ANNA, a_message())
    assert f"{notice.key}:r1" in keys(later)
    assert f"{notice.key}:r1" in keys(later.do(Verb.ADD, ANNA, a_message()))
    assert notice.key in keys(silent.do(Verb.ADD, ANNA, a_message()))


@clause("7.3")
def test_a_closing_that_no_chat_took_is_owed_anew_and_a_survey_is_not() -> None:
    closed = a_closed_case()
    closing, survey = (
        next(one for one in current_obligations(closed.case) if one.kind == kind)
        for kind in ("closing", "survey")
    )
    silent = closed.do(Verb.FAIL_DELIVERY, SYSTEM, lost(closing)).do(Verb.FAIL_DELIVERY, SYSTEM, lost(survey))
    back = silent.do(Verb.ADD, ANNA, a_message())
    assert {closing.key, f"{closing.key}:r1", survey.key} & keys(back) == {f"{closing.key}:r1", survey.key}


def test_a_logged_complaint_has_a_chat_once_its_code_was_redeemed() -> None:
    told = a_logged_case().do(Verb.BIND, ALICE)
    assert "ack:1" not in keys(told)
    assert "ack:1" in keys(told.do(Verb.BIND, ANNA))


def test_a_proposal_is_owed_after_the_burst_and_for_every_later_word() -> None:
    told = a_received_case()
    owed = {one.key: one.due for one in told.owed if one.kind == "propose"}
    assert owed == {
        "propose:1": TUESDAY + timedelta(seconds=20),
        "propose:latest": TUESDAY + timedelta(seconds=60),
    }
    assert not {one for one in keys(proposed(told)) if one.startswith("propose")}
    assert "propose:2" in keys(proposed(told).do(Verb.ADD, ANNA, a_message()))
    assert not {one for one in keys(an_assessed_case()) if one.startswith("propose")}


def test_the_card_is_owed_for_every_version_and_waits_for_the_proposal_at_first() -> None:
    told = a_received_case()
    assert told.duty("card").key == "card:1"
    assert card_waits_until(told.case) == TUESDAY + timedelta(seconds=90)
    assert card_waits_until(proposed(told).case) is None
    assert card_waits_until(an_assessed_case().case) is None
    assert card_waits_until(a_received_case(signs=(DANGER,)).case) is None
    assert card_waits_until(a_received_case(subjects=(BURAK.id,)).case) is None
    assert card_waits_until(told.do(Verb.ASSIGN, ALICE).case) is None


@clause("7.4")
def test_danger_pages_until_somebody_has_seen_it_and_then_says_who() -> None:
    told = a_received_case(signs=(DANGER,))
    page = told.duty("page")
    assert (page.key, page.due, page.lane) == (f"page:{TUESDAY.isoformat()}", TUESDAY, SendPriority.DANGER)
    assert told.duty("card").lane is SendPriority.DANGER
    seen = told.do(Verb.RECEIPT, ORHAN)
    assert "page" not in seen.kinds
    duty = seen.duty("danger_seen")
    assert (duty.lane, duty.facts["role"]) == (SendPriority.DANGER, "on_call")
    with pytest.raises(AlreadyDone):
        seen.do(Verb.RECEIPT, MONA)


@clause("7.1")
def test_the_first_real_dates_and_every_moved_one_are_told() -> None:
    told = an_assessed_case()
    assert told.duty("dates").facts == {"seq": 4, "verb": "assess"}
    assert "dates" not in assessed(told, category="service").kinds
    assert "dates" in assessed(told, severity=4).kinds
    extended = told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    facts = {"seq": 5, "verb": "extend", "target": "decide", "of": 0}
    assert extended.duty("dates").facts == facts


@clause("7.3")
def test_progress_is_told_at_every_preset_date() -> None:
    told = an_assessed_case()
    informed = told.later(days=7).do(Verb.INFORM, SYSTEM)
    assert (first := _progress(told)).due == at("2026-11-10 17:30")
    assert (second := _progress(informed)).due == at("2026-11-17 17:30")
    assert first.key != second.key
    assert "progress" not in decided(an_investigated_case()).kinds


def _progress(told: Told) -> NewObligation:
    """The notice of the next update; before a missed answer there is one of its own."""
    (one,) = (one for one in told.owed if one.kind == "progress" and "target" not in one.facts)
    return one


@clause("7.3")
def test_before_a_promised_date_is_missed_the_complainant_hears_that_there_is_no_answer_yet() -> None:
    rules = rules_with(delay_notice="1 bd")
    told = an_assessed_case(rules=rules)
    assert (told.duty("delay").key, told.duty("delay").due) == ("delay:2", at("2026-11-16 09:00"))
    assert a_received_case(rules=rules).duty("delay").due == at("2026-11-30 09:00")
    assert "delay" not in a_decided_case(rules=rules).kinds
    assert "delay" not in told.do(Verb.WITHDRAW, ANNA).kinds
    assert "delay" not in an_assessed_case().kinds


def _missed(told: Told) -> datetime:
    """When the notice leaves that the date of the answer will not be kept."""
    (one,) = (one for one in told.owed if one.key.startswith("progress:decide"))
    return one.due


@clause("7.3")
def test_after_the_notice_that_there_is_no_answer_yet_comes_one_that_the_date_will_not_be_kept() -> None:
    told = an_assessed_case(rules=rules_with(delay_notice="1 bd"))
    assert told.duty("delay").due == at("2026-11-16 09:00")
    assert _missed(told) == at("2026-11-17 16:30")
    # Held up until then, only the second leaves.
    assert told.duty("delay").facts["until"] == "2026-11-17T16:30:00Z"
    answered = decided(an_investigated_case(rules=rules_with(delay_notice="1 bd")))
    assert not [one for one in answered.keys if one.startswith("progress:decide")]


@clause("7.3")
def test_a_date_that_was_told_after_the_moment_of_its_first_notice_is_spoken_of_before_it_comes() -> None:
    told = an_assessed_case(rules=rules_with(delay_notice="1 bd"))
    raised = assessed(told.later(days=6), severity=4)
    assert "delay" not in raised.kinds
    assert _missed(raised) == at("2026-11-10 16:30")
    late = replace(told, at=at("2026-11-17 17:00")).do(
        Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-18"}, WHY
    )
    assert "delay" not in late.kinds
    assert _missed(late) == at("2026-11-18 16:30")
    early = told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-18"}, WHY)
    assert early.duty("delay").due == at("2026-11-17 09:00")
    passed = assessed(told.later(days=9), severity=4)
    assert "delay" not in passed.kinds
    assert not [one for one in passed.keys if one.startswith("progress:decide")]


@clause("7.3")
@pytest.mark.parametrize(("decide", "after"), [("40 min", 20), ("2 h", 60), ("61 min", 1)])
def test_a_date_that_is_very_near_is_spoken_of_between_its_telling_and_its_coming(
    decide: str, after: int
) -> None:
    spans = {one: replace(times, decide=decide) for one, times in RULES.targets.by_priority.items()}
    told = a_received_case(rules=rules_with(by_priority=spans, delay_notice="1 bd"))
    assert "delay" not in told.kinds
    assert _missed(told) == TUESDAY + timedelta(minutes=after)


@clause("7.3")
@pytest.mark.parametrize("notice", ["1 h", "30 min", "90 min", "2 h"])
def test_two_notices_of_one_date_leave_an_hour_apart_or_only_the_second_does(notice: str) -> None:
    told = an_assessed_case(rules=rules_with(delay_notice=notice))
    assert ("delay" in told.kinds) is (notice == "2 h")
    assert _missed(told) == at("2026-11-17 16:30")


@clause("7.3")
def test_who_heard_from_us_after_the_date_is_not_told_of_it_once_more() -> None:
    told = an_assessed_case(rules=rules_with(delay_notice="1 bd"))
    before_it = told.later(days=7).do(Verb.INFORM, SYSTEM)
    assert "progress:decide:2" in before_it.keys
    assert "progress:decide:2" not in told.later(days=15).do(Verb.INFORM, SYSTEM).keys


@clause("7.3")
def test_the_notice_of_a_legal_maximum_comes_before_it_and_the_outside_at_it() -> None:
    told = a_received_case(rules=rules_with(delay_notice="1 bd", legal="30 days"))
    assert told.duty("delay").due == at("2026-12-02 09:00")
    assert _missed(told) == at("2026-12-03 09:00")
    assert told.duty("legal_passed").due == at("2026-12-03 10:00")


@clause("7.3")
def test_the_legal_maximum_is_told_when_it_passes_undecided() -> None:
    rules = rules_with(legal="10 bd")
    duty = an_assessed_case(rules=rules).duty("legal_passed")
    assert (duty.key, duty.due) == ("legal_passed:1", at("2026-11-17 17:30"))
    assert "legal_passed" not in a_decided_case(rules=rules).kinds
    assert "legal_passed" not in an_assessed_case().kinds


@clause("8.4")
def test_staff_are_reminded_a_working_day_before_and_when_it_was_missed() -> None:
    told = an_assessed_case()
    reminders = {one.key: one.due for one in told.owed if one.key.startswith("remind:decide")}
    assert reminders == {
        "remind:decide:0:2:-1bd": at("2026-11-16 09:00"),
        "remind:decide:0:2:due": at("2026-11-17 17:30"),
    }


def test_the_most_urgent_has_no_time_for_a_days_notice() -> None:
    told = an_assessed_case(severity=5)
    assert "remind:decide:0:2:due" in told.keys
    assert not any(key.endswith("-1bd") for key in told.keys)


def test_a_new_version_makes_the_reminder_of_the_old_one_moot() -> None:
    told = an_assessed_case()
    extended = told.do(Verb.EXTEND, MONA, {"target": "decide", "extended_to": "2026-11-24"}, WHY)
    assert "remind:decide:0:3:due" in extended.keys
    assert "remind:decide:0:2:due" not in extended.keys


@clause("7.3")
def test_an_open_question_reminds_staff_of_the_reply() -> None:
    asked = a_told_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert "remind:reply:0:1:due" in asked.keys
    assert "lapse" not in asked.kinds
    replied = asked.do(Verb.REPLY, ALICE, {}, {"text": "It was the same day."})
    assert "remind:reply:0:1:due" not in replied.keys
    assert "lapse" in replied.kinds
    after_closing = a_closed_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    assert "remind:reply:0:1:due" in after_closing.keys


def test_the_end_of_waiting_is_told_to_staff_without_a_days_notice() -> None:
    told = an_investigated_case().do(Verb.ASK, ALICE, {"needed_by": "2026-11-09"}, {"text": "The bill?"})
    assert {one for one in told.keys if one.startswith("remind:waiting")} == {"remind:waiting:0:1:due"}


@pytest.mark.parametrize("quiet", [Verb.SURVEY, Verb.END_FORM])
def test_every_act_but_two_is_a_line_in_the_thread(quiet: Verb) -> None:
    assert a_resolved_case().duty("thread").facts["verb"] == "communicate_decision"
    told = a_received_case() if quiet is Verb.END_FORM else a_closed_case()
    assert "thread" not in told.do(quiet, SYSTEM, {"step": "sent"}).kinds


def test_every_kind_that_the_scheduler_acts_on_is_a_kind() -> None:
    assert set(ACTS) <= set(KINDS)


def test_after_a_lowering_the_reminders_follow_the_later_date() -> None:
    told = assessed(an_assessed_case(severity=4), MONA, LOWER_REASON, severity=1)
    assert told.duty("dates").facts["verb"] == "reassess"
