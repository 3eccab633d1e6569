"""What is owed from the decision to the survey: telling, waiting, remedies, closing (7.8, 7.9, 8.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bots.letters import Letter
from bots.letters.composer import Composer
from complaints.actors import SYSTEM
from complaints.deadlines.targets import next_news
from complaints.vocabulary import CloseCode, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    HEARD,
    MONA,
    RESOLUTION,
    RESOLVED,
    Told,
    a_case_at_level_two,
    a_case_offered_recourse,
    a_closed_case,
    a_decided_case,
    a_message,
    a_received_case,
    a_refund,
    a_sign,
    a_told_case,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    at,
    decided,
    heard_at,
    remedied,
    rules_with,
)
from tests.rules.dialogue_play import TEXTS

DANGER = a_sign("gas.gas_smell", 5, 3, danger=True)
WHY = {"reason": "Two more readings are needed."}
NEW = {"reason": "It came back."}


@clause("7.8")
def test_the_decision_is_told_as_soon_as_it_was_taken() -> None:
    told = a_decided_case()
    duty = told.duty("decision")
    assert (duty.key, duty.due) == (f"decision:{told.last.seq}", told.at)
    assert "decision" not in a_told_case().kinds
    drafted = decided(an_investigated_case(severity=4))
    assert "decision" not in drafted.kinds
    approved = drafted.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert approved.duty("decision").due == approved.at


@clause("7.9")
def test_a_reply_is_reminded_of_once_and_silence_ends_it_later() -> None:
    told = a_told_case()
    assert told.duty("reply_reminder").due == at("2026-11-17 17:30")
    assert told.duty("lapse").due == at("2026-12-01 17:30")
    accepted = told.do(Verb.ACCEPT, ANNA)
    assert not accepted.kinds & {"reply_reminder", "lapse"}


@clause("7.9")
def test_nothing_lapses_while_a_remedy_is_owed_or_unchecked() -> None:
    told = a_told_case(remedies=[a_refund()])
    assert "lapse" not in told.kinds
    assert "reply_reminder" in told.kinds
    checked = remedied(told.later(days=40))
    assert checked.duty("lapse").due == checked.at


@clause("7.7")
def test_a_remedy_is_told_when_done_and_when_late() -> None:
    told = a_told_case(remedies=[a_refund()])
    # Told an hour before the promised day ends, not once it is over.
    assert (told.duty("remedy_late").key, told.duty("remedy_late").due) == (
        "remedy_late:0:1",
        at("2026-11-17 16:30"),
    )
    done = told.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": told.at.isoformat()})
    assert done.duty("remedy_notice").facts["remedy"] == 0
    assert "remedy_late" not in done.kinds
    assert "remedy_late" in told.do(Verb.DISAGREE, ANNA, {"reviewers": 1}).kinds


@clause("7.7")
def test_a_remedy_that_stays_undone_is_told_again_and_again() -> None:
    told = a_told_case(remedies=[a_refund()]).later(days=20)
    late = told.do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    again = late.duty("remedy_late")
    assert again.key == "remedy_late:0:1:1"
    assert late.at + timedelta(days=5) <= again.due <= late.at + timedelta(days=9)
    later = late.later(days=9).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert later.duty("remedy_late").key == "remedy_late:0:1:2"
    # What is done is owed no word of lateness.
    assert "remedy_late" not in remedied(later).kinds


def _template(told: Told, seq: int) -> str | None:
    """Which text a late remedy's notice has."""
    composer = Composer(Letter(told.case, TEXTS, "en"), told.events, lambda seq: {}, told.at)
    said = composer.compose("remedy_notice", {"remedy": 0, "seq": seq, "verb": "remedy_late"})
    return said and said.template


@clause("7.7")
@pytest.mark.parametrize("language", ["en", "tr"])
def test_before_its_date_a_remedy_is_said_to_miss_it_and_after_it_to_have_missed_it(language: str) -> None:
    told = replace(a_told_case(remedies=[a_refund()]), at=at("2026-11-17 16:30"))
    late = told.do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    letter = Letter(late.case, TEXTS, language)
    facts = {"remedy": 0, "seq": late.last.seq, "verb": "remedy_late"}
    said = []
    for now in (late.at, late.at + timedelta(days=1)):
        one = Composer(letter, late.events, lambda seq: {}, now).compose("remedy_notice", facts)
        assert one is not None
        assert letter.due_day(at("2026-11-17 17:30")) in one.text
        assert letter.due_day(next_news(late.case, now)) in one.text
        said.append(one.text)
    assert said[0] != said[1]
    # The next is the second, though the first came before the date.
    assert late.duty("remedy_late").key == "remedy_late:0:1:1"
    again = late.later(days=8).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert _template(again, again.last.seq) == "remedy_late.still"


@clause("7.3")
@pytest.mark.parametrize("language", ["en", "tr"])
def test_who_asked_about_their_data_hears_before_the_date_that_it_will_not_be_kept(language: str) -> None:
    closed = a_closed_case()
    asked = closed.do(Verb.ADD, ANNA, a_message(kind="data_erasure"))
    duty = asked.duty("delay")
    target = asked.case.target(Target.DATA_REQUEST)
    assert target is not None
    assert duty.key == "delay:data_request:1"
    assert asked.at < duty.due == target.promised_due - timedelta(hours=1)
    letter = Letter(asked.case, TEXTS, language)
    early, late = (
        Composer(letter, asked.events, lambda seq: {}, now).compose("delay", duty.facts)
        for now in (duty.due, duty.due + timedelta(days=1))
    )
    assert early is not None
    assert late is not None
    assert letter.due_day(target.promised_due) in early.text
    assert letter.due_day(target.promised_due) in late.text
    assert early.text != late.text
    assert "delay" not in asked.do(Verb.REPLY, ALICE, {}, {"text": "It is erased on Monday."}).kinds
    assert "delay" not in closed.kinds


@clause("7.3")
@pytest.mark.parametrize("language", ["en", "tr"])
def test_who_asked_a_question_hears_before_it_goes_unanswered_beyond_its_date(language: str) -> None:
    asked = a_told_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    duty, target = asked.duty("delay"), asked.case.target(Target.REPLY)
    assert target is not None
    assert (duty.key, duty.facts["target"]) == ("delay:reply:1", "reply")
    assert asked.at < duty.due == target.promised_due - timedelta(hours=1)
    letter = Letter(asked.case, TEXTS, language)
    early, late = (
        Composer(letter, asked.events, lambda seq: {}, now).compose("delay", duty.facts)
        for now in (duty.due, target.promised_due)
    )
    assert early is not None
    assert late is not None
    assert letter.due_day(target.promised_due) in early.text
    assert early.text != late.text
    assert "delay" not in asked.do(Verb.REPLY, ALICE, {}, {"text": "Because of the meter."}).kinds


@clause("7.3")
def test_the_part_about_personal_data_is_not_missed_in_silence() -> None:
    told = an_assessed_case(rules=rules_with(privacy="30 days"), category="privacy")
    target = told.case.target(Target.PRIVACY)
    assert target is not None
    (duty,) = (one for one in told.owed if one.key == "delay:privacy:1")
    assert duty.due == target.promised_due - timedelta(hours=1)
    said = Composer(Letter(told.case, TEXTS, "en"), told.events, lambda seq: {}, duty.due)
    spoken = said.compose("delay", duty.facts)
    assert spoken is not None
    assert "personal data" in spoken.text
    answered = told.do(Verb.REPLY, ALICE, {"answers_privacy": True}, {"text": "We hold this."})
    assert "delay:privacy:1" not in answered.keys


@clause("7.3")
def test_a_first_contact_that_was_told_to_come_later_is_not_missed_in_silence() -> None:
    told = acknowledged(a_received_case())
    assert not any(key.startswith("delay:first_action") for key in told.keys)
    why = {"reason": "The inspector is away."}
    moved = told.do(Verb.EXTEND, MONA, {"target": "first_action", "extended_to": "2026-11-12"}, why)
    (duty,) = (one for one in moved.owed if one.key.startswith("delay:first_action"))
    assert moved.at < duty.due < at("2026-11-12 17:30")
    spoken = Composer(Letter(moved.case, TEXTS, "en"), moved.events, lambda seq: {}, duty.due)
    assert spoken.compose("delay", duty.facts) is not None


def news_due(told: Told) -> datetime:
    """When the next progress notice leaves."""
    (one,) = (one for one in told.owed if one.kind == "progress" and "target" not in one.facts)
    return one.due


@clause("7.3")
def test_the_day_that_staff_named_for_the_next_news_is_kept_or_told_and_no_later_than_the_rules_ask() -> None:
    told = an_assessed_case()
    words = {"done": "We wrote to the works.", "left": "Their answer."}
    soon = told.do(Verb.INFORM, ALICE, {"next_date": "2026-11-05"}, words)
    target = soon.case.target(Target.UPDATE)
    assert target is not None
    assert target.internal_due == at("2026-11-05 17:30")
    assert news_due(soon) <= at("2026-11-05 17:30")
    # A reply in between takes the named day not back; the progress notice of that day does.
    replied = soon.do(Verb.REPLY, ALICE, {}, {"text": "One thing more."})
    assert news_due(replied) <= at("2026-11-05 17:30")
    kept = replace(replied, at=at("2026-11-05 17:29")).do(Verb.INFORM, SYSTEM)
    assert news_due(kept) > at("2026-11-05 17:30")
    late = told.do(Verb.INFORM, ALICE, {"next_date": "2026-12-18"}, words)
    plain = late.case.target(Target.UPDATE)
    assert plain is not None
    assert (plain.internal_due, plain.basis) == (at("2026-11-10 17:30"), "P3.update_every")


@clause("7.3")
def test_a_day_named_after_the_decision_is_kept_or_told_too_and_the_decision_itself_is_such_news() -> None:
    words = {"done": "The pipe is ordered.", "left": "Laying it."}
    told = a_told_case(remedies=[a_refund()])
    named = told.do(Verb.INFORM, ALICE, {"next_date": "2026-11-06"}, words)
    assert named.at < news_due(named) <= at("2026-11-06 17:30")
    composer = Composer(Letter(named.case, TEXTS, "en"), named.events, lambda seq: {}, news_due(named))
    spoken = composer.compose("progress", {})
    assert spoken is not None
    assert spoken.text.endswith("Still to do: doing what we promised and checking it.")
    heard = named.do(Verb.INFORM, SYSTEM)
    assert "progress" not in heard.kinds
    before = an_investigated_case().do(Verb.INFORM, ALICE, {"next_date": "2026-11-06"}, words)
    waiting = decided(before)
    assert news_due(waiting) <= at("2026-11-06 17:30")
    assert "progress" not in waiting.do(Verb.COMMUNICATE_DECISION, SYSTEM).kinds


@clause("7.7")
def test_the_first_notice_of_a_missed_date_and_the_next_differ_and_none_follows_what_is_done() -> None:
    first = a_told_case(remedies=[a_refund()]).later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    again = first.later(days=9).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    seqs = [one.seq for one in again.events if one.verb is Verb.REMEDY_LATE]
    # Composed late, the first is still the first.
    assert [_template(again, seq) for seq in seqs] == ["remedy_late", "remedy_late.still"]
    done = again.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": again.at.isoformat()})
    assert _template(done, seqs[-1]) is None


@clause("F")
def test_a_disagreement_is_acknowledged_at_the_next_level_or_the_outside_offered() -> None:
    assert a_case_at_level_two().duty("acknowledge").key == "ack:2"
    told = a_told_case().do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    assert told.duty("recourse").due == told.at
    assert "recourse" not in a_case_offered_recourse().kinds


@clause("7.9")
def test_an_answer_heard_by_voice_is_confirmed_in_writing() -> None:
    told = a_told_case()
    for verb in (Verb.ACCEPT, Verb.DISAGREE, Verb.WITHDRAW):
        spoken = told.do(verb, ALICE, heard_at(told), HEARD)
        assert spoken.duty("confirmation").facts == {"seq": spoken.last.seq, "verb": verb.value}
        assert "confirmation" not in told.do(verb, ANNA).kinds


def test_whoever_is_given_a_complaint_is_told() -> None:
    told = an_assessed_case()
    assert told.do(Verb.ASSIGN, MONA, {"owner": BURAK.id}).duty("told_owner").due == told.at + timedelta(
        minutes=1
    )
    assert "told_owner" not in told.do(Verb.ASSIGN, MONA).kinds


def test_those_who_may_agree_are_asked() -> None:
    assert "ask_approval" in decided(an_investigated_case(severity=4)).kinds
    asked = an_assessed_case().do(Verb.RECLASSIFY, ALICE, {"kind": "praise"}, {"reason": "Thanks only."})
    assert "ask_approval" in asked.kinds
    assert "ask_approval" not in decided(an_investigated_case()).kinds


@clause("7.9")
def test_every_ending_is_told_with_its_code() -> None:
    assert a_closed_case().duty("closing").facts == {"code": CloseCode.RESOLVED}
    asked = an_assessed_case().do(Verb.RECLASSIFY, ALICE, {"kind": "praise"}, {"reason": "Thanks only."})
    thanked = asked.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert thanked.duty("closing").facts == {"code": CloseCode.NOT_COMPLAINT}
    assert "survey" not in thanked.kinds


@clause("7.9")
def test_a_withdrawal_is_confirmed_once_though_the_matter_goes_on() -> None:
    told = an_assessed_case(safety=1, severity=2).do(Verb.WITHDRAW, ANNA)
    assert told.duty("closing").key == "closing:0"
    assert told.duty("closing").facts == {"code": CloseCode.WITHDRAWN}
    assert not told.kinds & {"progress", "acknowledge", "decision"}
    owed = a_told_case(remedies=[a_refund()]).do(Verb.WITHDRAW, ANNA)
    closed = remedied(owed).do(Verb.CLOSE, ALICE, {}, {"root_cause": "That."})
    assert closed.duty("closing") == owed.duty("closing")
    assert "remedy_notice" not in remedied(owed).kinds


@clause("8.3")
def test_the_survey_follows_three_days_after_an_ending_and_is_reminded_of_once() -> None:
    closed = a_closed_case()
    assert closed.duty("survey").due == closed.at + timedelta(days=3)
    sent = closed.later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert "survey" not in sent.kinds
    assert sent.duty("survey_reminder").due == sent.at + timedelta(days=5)
    for step in ("reminded", "answered"):
        assert "survey_reminder" not in sent.do(Verb.SURVEY, SYSTEM, {"step": step}).kinds


@clause("8.3")
def test_nobody_is_surveyed_twice_in_thirty_days() -> None:
    sent = a_closed_case().later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    soon = _closed_again(sent.do(Verb.REOPEN, ANNA, {}, NEW))
    assert "survey" not in soon.kinds
    late = _closed_again(sent.later(days=60).do(Verb.REOPEN, ANNA, {}, NEW))
    assert late.duty("survey").key == "survey:1"
    assert late.duty("closing").key == "closing:1"


def _closed_again(told: Told) -> Told:
    refused = told.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    return refused.do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE, {}, {"root_cause": "That."})


@clause("8.3")
def test_a_minor_the_unreachable_and_a_merged_complaint_are_not_surveyed() -> None:
    minor = acknowledged(a_received_case(signs=(a_sign("minor.minor_mentioned", 2, 0),)))
    merged = acknowledged(a_received_case()).do(
        Verb.MERGE, ALICE, {"other_ref": "777-777-7E", "other_complainant": ANNA.id}
    )
    lost = a_closed_case().do(Verb.FAIL_DELIVERY, SYSTEM)
    refused = minor.do(Verb.NOT_ACCEPT, MONA, {}, WHY)
    for told in (refused, merged, lost):
        assert not told.kinds & {"survey", "survey_reminder"}
