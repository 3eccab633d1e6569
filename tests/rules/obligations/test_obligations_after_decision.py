"""Obligations from the decision to the survey: delivery, reply, remedies, closing (7.8, 7.9, 8.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bots.letters.composer import Composer
from bots.letters.letter import Letter
from complaints.actors import SYSTEM
from complaints.deadlines.targets import next_news
from complaints.vocabulary import CloseCode, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    BY_PHONE,
    MONA,
    RESOLUTION,
    RESOLVED,
    BuiltComplaint,
    a_case_at_level_two,
    a_case_offered_recourse,
    a_closed_case,
    a_communicated_case,
    a_decided_case,
    a_message,
    a_received_case,
    a_refund,
    a_sign,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    at,
    decided,
    phone_facts,
    remedied,
    rules_with,
)
from tests.rules.dialogue_play import TEXTS

DANGER = a_sign("gas.gas_smell", 5, 3, danger=True)
WHY = {"reason": "Two more readings are needed."}
NEW = {"reason": "It came back."}


@clause("7.8")
def test_a_decision_is_due_for_delivery_as_soon_as_it_is_taken() -> None:
    complaint = a_decided_case()
    obligation = complaint.obligation("decision")
    assert (obligation.key, obligation.due) == (f"decision:{complaint.last.seq}", complaint.at)
    assert "decision" not in a_communicated_case().kinds
    drafted = decided(an_investigated_case(severity=4))
    assert "decision" not in drafted.kinds
    approved = drafted.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert approved.obligation("decision").due == approved.at


@clause("7.9")
def test_a_missing_reply_is_reminded_of_once_and_lapses_later() -> None:
    complaint = a_communicated_case()
    assert complaint.obligation("reply_reminder").due == at("2026-11-17 17:30")
    assert complaint.obligation("lapse").due == at("2026-12-01 17:30")
    accepted = complaint.do(Verb.ACCEPT, ANNA)
    assert not accepted.kinds & {"reply_reminder", "lapse"}


@clause("7.9")
def test_lapsing_waits_until_every_due_remedy_is_verified() -> None:
    complaint = a_communicated_case(remedies=[a_refund()])
    assert "lapse" not in complaint.kinds
    assert "reply_reminder" in complaint.kinds
    checked = remedied(complaint.later(days=40))
    assert checked.obligation("lapse").due == checked.at


@clause("7.7")
def test_a_done_and_a_late_remedy_are_each_communicated() -> None:
    complaint = a_communicated_case(remedies=[a_refund()])
    # Sent an hour before the promised day ends, not once it is over.
    assert (complaint.obligation("remedy_late").key, complaint.obligation("remedy_late").due) == (
        "remedy_late:0:1",
        at("2026-11-17 16:30"),
    )
    done = complaint.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": complaint.at.isoformat()})
    assert done.obligation("remedy_notice").facts["remedy"] == 0
    assert "remedy_late" not in done.kinds
    assert "remedy_late" in complaint.do(Verb.DISAGREE, ANNA, {"reviewers": 1}).kinds


@clause("7.7")
def test_an_overdue_remedy_is_communicated_repeatedly() -> None:
    complaint = a_communicated_case(remedies=[a_refund()]).later(days=20)
    late = complaint.do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    again = late.obligation("remedy_late")
    assert again.key == "remedy_late:0:1:1"
    assert late.at + timedelta(days=5) <= again.due <= late.at + timedelta(days=9)
    later = late.later(days=9).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert later.obligation("remedy_late").key == "remedy_late:0:1:2"
    # A done remedy needs no late notice.
    assert "remedy_late" not in remedied(later).kinds


def _template(complaint: BuiltComplaint, seq: int) -> str | None:
    """The template of a late remedy's notice."""
    composer = Composer(Letter(complaint.case, TEXTS, "en"), complaint.events, lambda seq: {}, complaint.at)
    message = composer.compose("remedy_notice", {"remedy": 0, "seq": seq, "verb": "remedy_late"})
    return message and message.template


@clause("7.7")
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_a_late_remedy_notice_differs_before_and_after_the_promised_date(language: str) -> None:
    complaint = replace(a_communicated_case(remedies=[a_refund()]), at=at("2026-11-17 16:30"))
    late = complaint.do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    letter = Letter(late.case, TEXTS, language)
    facts = {"remedy": 0, "seq": late.last.seq, "verb": "remedy_late"}
    texts = []
    for now in (late.at, late.at + timedelta(days=1)):
        notice = Composer(letter, late.events, lambda seq: {}, now).compose("remedy_notice", facts)
        assert notice is not None
        assert letter.due_day(at("2026-11-17 17:30")) in notice.text
        assert letter.due_day(next_news(late.case, now)) in notice.text
        texts.append(notice.text)
    assert texts[0] != texts[1]
    # The next notice is the second, although the first came before the date.
    assert late.obligation("remedy_late").key == "remedy_late:0:1:1"
    again = late.later(days=8).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    assert _template(again, again.last.seq) == "remedy_late.still"


@clause("7.3")
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_a_delayed_data_request_is_announced_before_its_date(language: str) -> None:
    closed = a_closed_case()
    requested = closed.do(Verb.ADD, ANNA, a_message(kind="data_erasure"))
    obligation = requested.obligation("delay")
    target = requested.case.target(Target.DATA_REQUEST)
    assert target is not None
    assert obligation.key == "delay:data_request:1"
    assert requested.at < obligation.due == target.promised_due - timedelta(hours=1)
    letter = Letter(requested.case, TEXTS, language)
    early, late = (
        Composer(letter, requested.events, lambda seq: {}, now).compose("delay", obligation.facts)
        for now in (obligation.due, obligation.due + timedelta(days=1))
    )
    assert early is not None
    assert late is not None
    assert letter.due_day(target.promised_due) in early.text
    assert letter.due_day(target.promised_due) in late.text
    assert early.text != late.text
    assert "delay" not in requested.do(Verb.REPLY, ALICE, {}, {"text": "It is erased on Monday."}).kinds
    assert "delay" not in closed.kinds


@clause("7.3")
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_a_delayed_answer_to_a_question_is_announced_before_its_date(language: str) -> None:
    questioned = a_communicated_case().do(Verb.ADD, ANNA, a_message(kind="question"))
    obligation, target = questioned.obligation("delay"), questioned.case.target(Target.REPLY)
    assert target is not None
    assert (obligation.key, obligation.facts["target"]) == ("delay:reply:1", "reply")
    assert questioned.at < obligation.due == target.promised_due - timedelta(hours=1)
    letter = Letter(questioned.case, TEXTS, language)
    early, late = (
        Composer(letter, questioned.events, lambda seq: {}, now).compose("delay", obligation.facts)
        for now in (obligation.due, target.promised_due)
    )
    assert early is not None
    assert late is not None
    assert letter.due_day(target.promised_due) in early.text
    assert early.text != late.text
    assert "delay" not in questioned.do(Verb.REPLY, ALICE, {}, {"text": "Because of the meter."}).kinds


@clause("7.3")
def test_a_delayed_privacy_answer_is_announced_before_its_date() -> None:
    complaint = an_assessed_case(rules=rules_with(privacy="30 days"), category="privacy")
    target = complaint.case.target(Target.PRIVACY)
    assert target is not None
    (obligation,) = (
        obligation for obligation in complaint.obligations if obligation.key == "delay:privacy:1"
    )
    assert obligation.due == target.promised_due - timedelta(hours=1)
    composer = Composer(Letter(complaint.case, TEXTS, "en"), complaint.events, lambda seq: {}, obligation.due)
    spoken = composer.compose("delay", obligation.facts)
    assert spoken is not None
    assert "personal data" in spoken.text
    answered = complaint.do(Verb.REPLY, ALICE, {"answers_privacy": True}, {"text": "We hold this."})
    assert "delay:privacy:1" not in answered.keys


@clause("7.3")
def test_a_postponed_first_contact_is_announced_before_it_is_missed() -> None:
    complaint = acknowledged(a_received_case())
    assert not any(key.startswith("delay:first_action") for key in complaint.keys)
    why = {"reason": "The inspector is away."}
    moved = complaint.do(Verb.EXTEND, MONA, {"target": "first_action", "extended_to": "2026-11-12"}, why)
    (obligation,) = (
        obligation for obligation in moved.obligations if obligation.key.startswith("delay:first_action")
    )
    assert moved.at < obligation.due < at("2026-11-12 17:30")
    spoken = Composer(Letter(moved.case, TEXTS, "en"), moved.events, lambda seq: {}, obligation.due)
    assert spoken.compose("delay", obligation.facts) is not None


def news_due(complaint: BuiltComplaint) -> datetime:
    """When the next progress notice is sent."""
    (obligation,) = (
        obligation
        for obligation in complaint.obligations
        if obligation.kind == "progress" and "target" not in obligation.facts
    )
    return obligation.due


@clause("7.3")
def test_a_next_news_date_named_by_staff_is_kept_but_never_later_than_the_rules() -> None:
    complaint = an_assessed_case()
    words = {"done": "We wrote to the works.", "left": "Their answer."}
    soon = complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-11-05"}, words)
    target = soon.case.target(Target.UPDATE)
    assert target is not None
    assert target.internal_due == at("2026-11-05 17:30")
    assert news_due(soon) <= at("2026-11-05 17:30")
    # A reply does not cancel the named day; the progress notice of that day does.
    replied = soon.do(Verb.REPLY, ALICE, {}, {"text": "One thing more."})
    assert news_due(replied) <= at("2026-11-05 17:30")
    kept = replace(replied, at=at("2026-11-05 17:29")).do(Verb.INFORM, SYSTEM)
    assert news_due(kept) > at("2026-11-05 17:30")
    late = complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-12-18"}, words)
    plain = late.case.target(Target.UPDATE)
    assert plain is not None
    assert (plain.internal_due, plain.basis) == (at("2026-11-10 17:30"), "P3.update_every")


@clause("7.3")
def test_a_next_news_date_after_the_decision_is_kept_and_the_decision_counts() -> None:
    words = {"done": "The pipe is ordered.", "left": "Laying it."}
    complaint = a_communicated_case(remedies=[a_refund()])
    named = complaint.do(Verb.INFORM, ALICE, {"next_date": "2026-11-06"}, words)
    assert named.at < news_due(named) <= at("2026-11-06 17:30")
    composer = Composer(Letter(named.case, TEXTS, "en"), named.events, lambda seq: {}, news_due(named))
    spoken = composer.compose("progress", {})
    assert spoken is not None
    assert spoken.text.endswith("Still to do: doing what we promised and checking it.")
    informed = named.do(Verb.INFORM, SYSTEM)
    assert "progress" not in informed.kinds
    before = an_investigated_case().do(Verb.INFORM, ALICE, {"next_date": "2026-11-06"}, words)
    waiting = decided(before)
    assert news_due(waiting) <= at("2026-11-06 17:30")
    assert "progress" not in waiting.do(Verb.COMMUNICATE_DECISION, SYSTEM).kinds


@clause("7.7")
def test_the_first_notice_of_a_late_remedy_differs_and_a_done_remedy_has_none() -> None:
    first = (
        a_communicated_case(remedies=[a_refund()]).later(days=20).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    )
    again = first.later(days=9).do(Verb.REMEDY_LATE, SYSTEM, {"remedy": 0})
    seqs = [event.seq for event in again.events if event.verb is Verb.REMEDY_LATE]
    # Composed late, the first notice is still the first.
    assert [_template(again, seq) for seq in seqs] == ["remedy_late", "remedy_late.still"]
    done = again.do(Verb.REMEDY_DONE, ALICE, {"remedy": "0", "done_at": again.at.isoformat()})
    assert _template(done, seqs[-1]) is None


@clause("F")
def test_a_disagreement_is_acknowledged_at_the_next_level_or_recourse_offered() -> None:
    assert a_case_at_level_two().obligation("acknowledge").key == "ack:2"
    complaint = a_communicated_case().do(Verb.DISAGREE, ANNA, {"reviewers": 0})
    assert complaint.obligation("recourse").due == complaint.at
    assert "recourse" not in a_case_offered_recourse().kinds


@clause("7.9")
def test_an_answer_by_phone_is_confirmed_in_writing() -> None:
    complaint = a_communicated_case()
    for verb in (Verb.ACCEPT, Verb.DISAGREE, Verb.WITHDRAW):
        spoken = complaint.do(verb, ALICE, phone_facts(complaint), BY_PHONE)
        assert spoken.obligation("confirmation").facts == {"seq": spoken.last.seq, "verb": verb.value}
        assert "confirmation" not in complaint.do(verb, ANNA).kinds


def test_a_new_owner_is_notified() -> None:
    complaint = an_assessed_case()
    assert complaint.do(Verb.ASSIGN, MONA, {"owner": BURAK.id}).obligation(
        "told_owner"
    ).due == complaint.at + timedelta(minutes=1)
    assert "told_owner" not in complaint.do(Verb.ASSIGN, MONA).kinds


def test_possible_approvers_are_asked() -> None:
    assert "ask_approval" in decided(an_investigated_case(severity=4)).kinds
    reclassified = an_assessed_case().do(
        Verb.RECLASSIFY, ALICE, {"kind": "praise"}, {"reason": "Thanks only."}
    )
    assert "ask_approval" in reclassified.kinds
    assert "ask_approval" not in decided(an_investigated_case()).kinds


@clause("7.9")
def test_every_closing_is_communicated_with_its_code() -> None:
    assert a_closed_case().obligation("closing").facts == {"code": CloseCode.RESOLVED}
    reclassified = an_assessed_case().do(
        Verb.RECLASSIFY, ALICE, {"kind": "praise"}, {"reason": "Thanks only."}
    )
    thanked = reclassified.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert thanked.obligation("closing").facts == {"code": CloseCode.NOT_COMPLAINT}
    assert "survey" not in thanked.kinds


@clause("7.9")
def test_a_withdrawal_is_confirmed_once_even_when_handling_continues() -> None:
    complaint = an_assessed_case(safety=1, severity=2).do(Verb.WITHDRAW, ANNA)
    assert complaint.obligation("closing").key == "closing:0"
    assert complaint.obligation("closing").facts == {"code": CloseCode.WITHDRAWN}
    assert not complaint.kinds & {"progress", "acknowledge", "decision"}
    withdrawn = a_communicated_case(remedies=[a_refund()]).do(Verb.WITHDRAW, ANNA)
    closed = remedied(withdrawn).do(Verb.CLOSE, ALICE, {}, {"root_cause": "That."})
    assert closed.obligation("closing") == withdrawn.obligation("closing")
    assert "remedy_notice" not in remedied(withdrawn).kinds


@clause("8.3")
def test_the_survey_follows_closing_by_three_days_and_is_reminded_of_once() -> None:
    closed = a_closed_case()
    assert closed.obligation("survey").due == closed.at + timedelta(days=3)
    sent = closed.later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    assert "survey" not in sent.kinds
    assert sent.obligation("survey_reminder").due == sent.at + timedelta(days=5)
    for step in ("reminded", "answered"):
        assert "survey_reminder" not in sent.do(Verb.SURVEY, SYSTEM, {"step": step}).kinds


@clause("8.3")
def test_no_complainant_is_surveyed_twice_in_thirty_days() -> None:
    sent = a_closed_case().later(days=3).do(Verb.SURVEY, SYSTEM, {"step": "sent"})
    soon = _closed_again(sent.do(Verb.REOPEN, ANNA, {}, NEW))
    assert "survey" not in soon.kinds
    late = _closed_again(sent.later(days=60).do(Verb.REOPEN, ANNA, {}, NEW))
    assert late.obligation("survey").key == "survey:1"
    assert late.obligation("closing").key == "closing:1"


def _closed_again(complaint: BuiltComplaint) -> BuiltComplaint:
    refused = complaint.do(Verb.RESOLVE, ALICE, RESOLUTION, RESOLVED).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    return refused.do(Verb.ACCEPT, ANNA).do(Verb.CLOSE, ALICE, {}, {"root_cause": "That."})


@clause("8.3")
def test_minors_unreachable_complainants_and_merged_complaints_are_not_surveyed() -> None:
    minor = acknowledged(a_received_case(signs=(a_sign("minor.minor_mentioned", 2, 0),)))
    merged = acknowledged(a_received_case()).do(
        Verb.MERGE, ALICE, {"other_ref": "777-777-7E", "other_complainant": ANNA.id}
    )
    lost = a_closed_case().do(Verb.FAIL_DELIVERY, SYSTEM)
    refused = minor.do(Verb.NOT_ACCEPT, MONA, {}, WHY)
    for complaint in (refused, merged, lost):
        assert not complaint.kinds & {"survey", "survey_reminder"}
