"""Unreasonable conduct: a warning, a limit with its safeguards, and all that a limit leaves as it is (4.3, 4.5)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bots.letters.composer import Composer
from bots.letters.letter import Letter
from bots.slack.recipients import appeal_deciders, reminded_members
from bots.slack.views.actions import due_served, waiting_form
from complaints.actors import SYSTEM
from complaints.errors import BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import HELD
from complaints.obligations.reminders import ReminderLevel
from complaints.vocabulary import Target, Verb
from store.values import Member
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    MONA,
    TUGBA,
    BuiltComplaint,
    a_closed_case,
    a_message,
    a_sign,
    an_assessed_case,
)
from tests.rules.dialogue_play import TEXTS

WHY = {"reason": "Nine messages call our staff names."}


def warn(complaint: BuiltComplaint, **facts: Any) -> BuiltComplaint:
    return complaint.do(Verb.WARN_CONDUCT, ALICE, facts, {"text": "Please write without names."})


def warned(complaint: BuiltComplaint | None = None) -> BuiltComplaint:
    written = warn(complaint or a_closed_case())
    return written.do(Verb.DELIVER, SYSTEM, {"seq": written.last.seq})


def limit_facts(complaint: BuiltComplaint, **more: Any) -> dict[str, Any]:
    until = (complaint.at + timedelta(days=60)).date().isoformat()
    return {"limits": ["fewer_replies"], "reply_days": "14", "until": until, **more}


def limited() -> BuiltComplaint:
    complaint = warned()
    asked_for = complaint.do(Verb.LIMIT_CONTACT, ALICE, limit_facts(complaint), WHY)
    return asked_for.do(Verb.APPROVE, MONA, {"agreed": "yes"})


@clause("4.3")
def test_a_limit_needs_a_warning_a_reason_a_last_day_and_a_second_person() -> None:
    complaint = a_closed_case()
    with pytest.raises(OutOfOrder, match="first"):
        complaint.do(Verb.LIMIT_CONTACT, ALICE, limit_facts(complaint), WHY)
    complaint = warned()
    too_long = (complaint.at + timedelta(days=200)).date().isoformat()
    for facts, words, field in (
        (limit_facts(complaint), {}, "reason"),
        (limit_facts(complaint, until=too_long), WHY, "until"),
        (limit_facts(complaint, reply_days=None), WHY, "reply_days"),
    ):
        with pytest.raises(BadFacts) as refused:
            complaint.do(Verb.LIMIT_CONTACT, ALICE, facts, words)
        assert refused.value.field == field
    asked_for = complaint.do(Verb.LIMIT_CONTACT, MONA, limit_facts(complaint), WHY)
    assert asked_for.case.conduct.limit is None
    with pytest.raises(NotAllowed):
        asked_for.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert "conduct" in asked_for.do(Verb.APPROVE, TUGBA, {"agreed": "yes"}).kinds


@clause("4.3")
@pytest.mark.parametrize("facts", [{HELD: 10}, {}])
def test_a_warning_counts_from_its_delivery_and_allows_a_limit_only_then(facts: dict[str, int]) -> None:
    written = warn(a_closed_case(), **facts)
    with pytest.raises(OutOfOrder) as refused:
        written.do(Verb.LIMIT_CONTACT, ALICE, limit_facts(written), WHY)
    assert refused.value.code == "warning_unsent"
    sent = written.later(minutes=5).do(Verb.DELIVER, SYSTEM, {"seq": written.last.seq})
    assert sent.case.conduct.warned_at == sent.at
    assert sent.do(Verb.LIMIT_CONTACT, ALICE, limit_facts(sent), WHY).case.conduct.pending
    back = written.do(Verb.TAKE_BACK, ALICE, {"seq": written.last.seq})
    with pytest.raises(OutOfOrder) as refused:
        back.do(Verb.LIMIT_CONTACT, ALICE, limit_facts(back), WHY)
    assert refused.value.code == "no_warning"


@clause("7.3")
def test_a_warning_is_no_contact_about_the_matter_and_silences_no_notice() -> None:
    before = an_assessed_case()
    written = warn(before.later(days=2), **{HELD: 10})
    sent = warned(before)
    for after in (written, sent):
        assert (after.case.contacted, after.case.last_contact_at) == (False, before.case.last_contact_at)
        assert not {"met", "targets"} & set(after.last.facts)
    assert {key for key in before.keys if key.startswith("remind")} <= set(written.keys)


@clause("4.3")
def test_a_limit_puts_off_only_answers_about_the_closed_matter_and_never_those_to_a_danger() -> None:
    complaint = limited()
    usual = warned().do(Verb.ADD, ANNA, a_message()).case.target(Target.REPLY)
    held = complaint.do(Verb.ADD, ANNA, a_message())
    target = held.case.target(Target.REPLY)
    since = complaint.case.conduct.limit.since if complaint.case.conduct.limit else None
    assert usual is not None
    assert target is not None
    assert since is not None
    assert target.internal_due == since + timedelta(days=14) > usual.internal_due
    assert held.case.words == complaint.case.words + 1
    danger = held.do(Verb.ADD, ANNA, a_message(signs=(a_sign("gas.smell", danger=True),)))
    urgent = danger.case.target(Target.REPLY)
    assert urgent is not None
    assert urgent.internal_due <= usual.internal_due
    assert "page" in danger.kinds
    reopened = complaint.do(Verb.REOPEN, MONA, {}, {"reason": "New facts."})
    assert reopened.case.reply_held_until is None


@clause("4.5")
def test_under_a_limit_to_one_contact_only_the_owner_or_a_manager_writes() -> None:
    complaint = warned()
    limits = {"limits": ["one_contact"], "reply_days": None}
    facts = {name: value for name, value in limit_facts(complaint, **limits).items() if value is not None}
    in_force = complaint.do(Verb.LIMIT_CONTACT, ALICE, facts, WHY).do(Verb.APPROVE, MONA, {"agreed": "yes"})
    reply = {"language_confirmed": True}, {"text": "The record is below."}
    with pytest.raises(NotAllowed, match="Only the owner"):
        in_force.do(Verb.REPLY, BURAK, *reply)
    for writer in (ALICE, MONA):
        in_force.do(Verb.REPLY, writer, *reply)


@clause("4.5")
def test_an_appeal_is_decided_by_a_person_without_a_part_in_the_limit() -> None:
    complaint = limited().do(Verb.APPEAL_LIMIT, ANNA)
    assert complaint.case.target(Target.CONDUCT, 1) is not None
    with pytest.raises(OutOfOrder):
        complaint.do(Verb.APPEAL_LIMIT, ANNA)
    for outcome in ("kept", "ended"):
        with pytest.raises(NotAllowed):
            complaint.do(Verb.REVIEW_LIMIT, MONA, {"outcome": outcome}, WHY)
    with pytest.raises(NotAllowed):
        complaint.do(Verb.REVIEW_LIMIT, BURAK, {"outcome": "ended"}, WHY)
    ended = complaint.do(Verb.REVIEW_LIMIT, TUGBA, {"outcome": "ended"}, WHY)
    assert ended.case.conduct.limit is None
    assert "conduct" in ended.kinds


@clause("4.5")
def test_an_appeal_asks_only_people_without_a_part_and_its_missed_day_is_written_about() -> None:
    complaint = limited().do(Verb.APPEAL_LIMIT, ANNA)
    case, target = complaint.case, complaint.case.target(Target.CONDUCT, 1)
    assert target is not None
    assert complaint.obligation("ask_approval").due == complaint.at
    members = [Member(actor.id, actor.id, (), actor.roles) for actor in (ALICE, BURAK, MONA, TUGBA)]
    assert appeal_deciders(case, members, complaint.at) == (TUGBA.id,)
    for level in ReminderLevel:
        people = reminded_members(case, Target.CONDUCT, members, complaint.at, level, number=1)
        assert people == (TUGBA.id,)
    assert waiting_form(case, TUGBA) == "review_limit"
    assert waiting_form(case, MONA) == "approve"
    assert due_served(case, "review_limit") == target

    delay = complaint.obligation("delay")
    assert target.promised_due - timedelta(days=1) < delay.due < target.promised_due
    assert (delay.facts["target"], delay.facts["of"]) == ("conduct", 1)
    composer = Composer(Letter(case, TEXTS, "en"), complaint.events, lambda seq: {}, delay.due)
    written = composer.compose("delay", delay.facts)
    assert written is not None
    assert "you disagreed with the limit" in written.text
    assert "We will not keep that date" in written.text
    kept = complaint.do(Verb.REVIEW_LIMIT, TUGBA, {"outcome": "kept"}, WHY)
    assert "delay" not in kept.kinds
    assert appeal_deciders(kept.case, members, kept.at) == ()


@clause("4.5")
def test_the_reminder_of_a_limit_to_approve_goes_to_those_who_may_approve_it() -> None:
    complaint = warned()
    asked_for = complaint.do(Verb.LIMIT_CONTACT, MONA, limit_facts(complaint), WHY)
    members = [Member(actor.id, actor.id, (), actor.roles) for actor in (ALICE, BURAK, MONA, TUGBA)]
    level = ReminderLevel.LEAD
    people = reminded_members(asked_for.case, Target.CONDUCT, members, asked_for.at, level, number=2)
    assert people == (TUGBA.id,)


@clause("4.5")
def test_a_limit_ends_on_its_last_day_unless_it_was_renewed() -> None:
    complaint = limited()
    with pytest.raises(OutOfOrder):
        complaint.do(Verb.REVIEW_LIMIT, SYSTEM, {"outcome": "lapsed"})
    ends_at = complaint.obligation("limit_ends").due
    later = complaint.later(days=70)
    assert later.at > ends_at
    assert later.do(Verb.REVIEW_LIMIT, SYSTEM, {"outcome": "lapsed"}).case.conduct.limit is None
    until = (complaint.at + timedelta(days=100)).date().isoformat()
    renewed = complaint.do(Verb.REVIEW_LIMIT, TUGBA, {"outcome": "renewed", "until": until}, WHY)
    with pytest.raises(OutOfOrder):
        renewed.later(days=70).do(Verb.REVIEW_LIMIT, SYSTEM, {"outcome": "lapsed"})
