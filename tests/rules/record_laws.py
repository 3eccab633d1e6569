"""What must hold of any complaint after any act, said without looking at how the rules are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from complaints.actions.fold import fold
from complaints.actions.registry import ACTIONS
from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import explain_step, reached
from complaints.deadlines.explanation import steps_of
from complaints.deadlines.quiet_hours import quiet_until
from complaints.deadlines.targets import CAPPED_BY_LAW
from complaints.errors import ComplaintError
from complaints.obligations.kinds import KINDS
from complaints.obligations.per_event import event_obligations
from complaints.obligations.standing import current_obligations
from complaints.priorities import priority_of
from complaints.vocabulary import CloseCode, Flag, Role, State, Target, Verb
from tests.rules.random_acts import BY_ID, SAID

MANAGING = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})
_IMPERATIVES = frozenset({"Say", "Give", "Name", "Write", "Choose"})

#: docs/surfaces.md, "Versions": never by these.
NEVER_WORK = frozenset(
    {Verb.ADD, Verb.PROPOSE, Verb.ACKNOWLEDGE, Verb.FAIL_DELIVERY, Verb.NOTE, Verb.RECEIPT, Verb.SURVEY}
)
#: … and of the complainant's acts only by these.
ANSWERING = frozenset({Verb.ACCEPT, Verb.DISAGREE, Verb.WITHDRAW, Verb.REOPEN})


def a_refusal_gives_reason_and_remedy(refused: ComplaintError) -> None:
    """A sentence of reason and remedy, or one that says what to give."""
    message = str(refused)
    assert message.endswith(".")
    assert refused.code
    assert ": " in message or "; " in message or message.split()[0] in _IMPERATIVES, message


def the_state_moved_along_the_table(before: Case, event: Event, after: Case) -> None:
    """From a source of the verb to one of the states that it may lead to from there."""
    assert after.state in ACTIONS[event.verb].moves.ways[before.state]


def only_a_yes_is_a_yes(before: Case, event: Event, after: Case) -> None:
    """Acceptance comes of the complainant's act, or of what staff heard, when and from whom."""
    if after.reply == "accept" and before.reply != "accept":
        assert event.verb is Verb.ACCEPT
        by_voice = bool(event.facts.get("given_at")) and bool(event.words.get("by_whom"))
        assert event.role is Role.COMPLAINANT or (event.role in {Role.HANDLER, *MANAGING} and by_voice)
    if after.close_code in (CloseCode.LAPSED, CloseCode.ANSWERED_NO_REPLY):
        assert after.reply is None


def nobody_judges_at_two_levels(case: Case) -> None:
    """Deciders, approvers and investigators of a level have no part in another."""
    levels = sorted(case.acted_at)
    for at, one in enumerate(levels):
        for other in levels[at + 1 :]:
            assert not case.acted_at[one] & case.acted_at[other]
    by_level: dict[int, set[str]] = {}
    for decision in case.decisions:
        by_level.setdefault(decision.level, set()).update({decision.by, decision.approved_by or decision.by})
    for one, people in by_level.items():
        assert not any(people & others for other, others in by_level.items() if other != one)


def nothing_closes_with_a_remedy_owed(before: Case, after: Case) -> None:
    """Every promise was carried out and checked, and its checker is another where that must be."""
    if after.state is State.CLOSED and before.state is not State.CLOSED:
        assert all(one.done_at and one.verified_at for one in after.remedies if one.owed)
    for one in after.remedies:
        if one.separate_verifier and one.verified_by is not None:
            assert one.verified_by != one.done_by


def an_offer_is_owed_after_a_yes_and_only_then(event: Event, after: Case) -> None:
    """A yes takes up every open offer; whatever offer is owed was taken up by one."""
    if event.verb is Verb.ACCEPT:
        assert not any(one.offered for one in after.remedies)
    for one in after.remedies:
        if one.needs_acceptance and one.owed:
            assert one.accepted_at is not None
            assert one.ended_at is None
    if not after.is_open:
        assert not after.open_offer


def severity_stands_above_the_rules(case: Case, events: Sequence[Event]) -> None:
    """Below a fired rule only by a manager who has seen it fire."""
    for sign in case.signs:
        for name, holds, fired in (
            ("severity", case.severity, sign.severity),
            ("safety", case.safety, sign.safety),
        ):
            if holds < fired:
                assert any(
                    event.seq > sign.seq
                    and event.verb in (Verb.ASSESS, Verb.REASSESS)
                    and BY_ID[event.by].roles & MANAGING
                    and int(event.facts[name]) < fired
                    for event in events
                )


def no_clock_is_moved(before: Case, event: Event, after: Case) -> None:
    """What was set stands; a live date gives way to extend, a new priority, a new level or its own start."""
    kept = {_named(one): one for one in after.targets}
    for one in before.targets:
        now = kept[_named(one)]
        assert (now.internal_due, now.promised_due, now.start) == (
            one.internal_due,
            one.promised_due,
            one.start,
        )
    for one in before.current_targets():
        latest = after.target(one.target, one.of)
        assert latest is not None
        if one.met_at is None and latest.internal_due != one.internal_due:
            assert _may_move(before, event, after, one), (event.verb, one, latest)


def an_extension_makes_no_date_earlier(before: Case, event: Event, after: Case) -> None:
    """The only act that moves a date moves it onwards, inside and outside."""
    agreed = event.verb is Verb.APPROVE and event.facts.get("extends")
    if not (agreed or (event.verb is Verb.EXTEND and not event.facts.get("asks"))):
        return
    for one in after.current_targets():
        earlier = before.target(one.target, one.of)
        if earlier is not None and earlier.met_at is None:
            assert one.internal_due >= earlier.internal_due
            assert one.promised_due >= earlier.promised_due


def every_date_explains_itself(case: Case, events: Sequence[Event]) -> None:
    """The steps of each version, replaced or not, start with who set it and end at its due time."""
    for one in case.targets:
        steps = steps_of(case, one, events)
        assert steps[0].code in {"set", "extended"}
        assert reached(steps) == one.internal_due
        # What held a date when the rules were changed is told by a step of its own, and then the record's date.
        held = one.basis.partition(";")[2] not in ("", CAPPED_BY_LAW)
        assert held or "recorded" not in {step.code for step in steps}, (one, steps)
        assert all(explain_step(step).strip() for step in steps)


def _named(one: TargetSet) -> tuple[Target, int, int]:
    return one.target, one.of, one.version


def _may_move(before: Case, event: Event, after: Case, one: TargetSet) -> bool:
    return (
        (event.verb is Verb.EXTEND and not event.facts["asks"])
        or event.verb is Verb.REDATE
        or (event.verb is Verb.APPROVE and event.facts.get("extends") is not None)
        or priority_of(before) is not priority_of(after)
        or before.level != after.level
        or (one.target is Target.UPDATE and after.last_contact_at != before.last_contact_at)
        # In the same moment as the contact before it, too.
        or (one.target is Target.UPDATE and event.verb is Verb.INFORM)
        or (one.target is Target.UPDATE and _only_the_named_day_stays(before, after))
        or (one.target is Target.WAITING and event.verb is Verb.ASK)
        or (one.target is Target.DECIDE and _complexity(before) != _complexity(after))
        or (one.target is Target.DECIDE and _counts_from_the_acknowledgement(before, after))
        or before.received_at != after.received_at
        or (one.target is Target.SUBJECT and _named_or_put_off(before, event, after))
    )


def _only_the_named_day_stays(before: Case, after: Case) -> bool:
    """News as often as the rules ask ends with the decision; the day that somebody named for it does not."""
    latest = after.target(Target.UPDATE)
    named = before.next_news_by
    return latest is not None and named is not None and latest.internal_due == named and bool(after.decision)


def _counts_from_the_acknowledgement(before: Case, after: Case) -> bool:
    return after.rules.targets.decide_from == "acknowledged" and before.acks != after.acks


def other_rules_break_no_promise(before: Case, event: Event, after: Case) -> None:
    """Under other rules a promised date moves later only where that was said, and the complainant hears of it.

    What the law sets is corrected; a day that was missed, or given to the complainant, stays.
    """
    if event.verb is not Verb.REDATE:
        return
    assert after.rules_before == (*before.rules_before, before.rules)
    told = {
        one.facts["target"]
        for one in event_obligations(after, event)
        if one.facts.get("about", one.kind) == "dates"
    }
    for one in before.current_targets():
        latest = after.target(one.target, one.of)
        assert latest is not None
        if one.met_at is not None or one.target in (Target.LEGAL, Target.PRIVACY, Target.SUBJECT):
            continue
        assert event.facts["later"] or latest.promised_due <= one.promised_due
        assert one.internal_due > event.at or latest.internal_due <= one.internal_due
        if one.target is Target.LAPSE:
            assert latest.internal_due >= one.internal_due
        heard = one.target is Target.DECIDE or (one.target is Target.UPDATE and before.assessment is not None)
        if heard and latest.promised_due > one.promised_due:
            assert one.target in told


def _named_or_put_off(before: Case, event: Event, after: Case) -> bool:
    return before.fairness.named_at != after.fairness.named_at or "subject_not_yet" in event.facts


def _complexity(case: Case) -> int:
    return case.assessment.complexity if case.assessment is not None else 1


def versions_count_work(before: Case, event: Event, after: Case) -> None:
    """`version` counts events; `work_version` acts of staff and the complainant's answers."""
    assert after.version == before.version + 1 == event.seq
    assert after.work_version - before.work_version in (0, 1)
    if after.work_version > before.work_version:
        assert event.verb not in NEVER_WORK
        assert event.role not in (Role.SYSTEM, Role.MODEL)
        assert event.role is not Role.COMPLAINANT or event.verb in ANSWERING
    elif event.role not in (Role.SYSTEM, Role.MODEL, Role.COMPLAINANT):
        assert event.verb in NEVER_WORK | {Verb.COMMUNICATE_DECISION, Verb.OFFER_RECOURSE, Verb.ERASE}


def the_events_are_the_case(case: Case, events: Sequence[Event]) -> None:
    """Folding them again gives the same."""
    assert fold(events, case.first_rules) == case


def events_hold_no_words(event: Event) -> None:
    """JSON values, every text a code; only the bases of dates are short phrases, of settings."""
    written = json.dumps(event.facts, allow_nan=False)
    assert SAID not in written
    told = {name: value for name, value in json.loads(written).items() if name != "targets"}
    assert not any(letter.isspace() for text in _texts(told) for letter in text)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [*map(str, value), *(text for one in value.values() for text in _texts(one))]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def the_excluded_stay_outside(before: Case, event: Event, after: Case) -> None:
    """Whoever is named, leads somebody named, or is in conflict, neither acts nor owns."""
    assert event.by not in before.subjects | before.lines | before.conflicted
    assert after.owner not in after.subjects | after.lines | after.conflicted
    assert before.denied <= after.denied


def a_manager_complained_about_is_for_the_top(before: Case, event: Event) -> None:
    """What only managers do is done by top management where a manager is complained about (C)."""
    managing = event.verb in (Verb.APPROVE, Verb.NOT_ACCEPT, Verb.UNRESTRICT, Verb.HOLD, Verb.RELEASE)
    if managing and before.fairness.leads:
        assert event.role is Role.TOP_MANAGEMENT


def staff_are_heard_before_they_are_judged(before: Case, event: Event) -> None:
    """Told and heard, or a manager has said why not yet (C)."""
    if event.verb in (Verb.RESPOND, Verb.RESOLVE) and before.subjects and before.restricted:
        fair = before.fairness
        assert fair.not_yet is not None or (fair.informed_at is not None and fair.heard_at is not None)


def an_outside_decision_stands_above_ours(before: Case, event: Event, after: Case) -> None:
    """Ours stay as they were; one that was overturned leaves an improvement and somebody to tell it to (7.9)."""
    if event.verb is not Verb.CONCLUDE_EXTERNAL:
        return
    assert after.decisions == before.decisions
    overturned = {one.seq for one in after.outside if one.overturned}
    assert {one.seq for one in after.improvements} == overturned
    if event.seq in overturned:
        assert {one.kind for one in event_obligations(after, event)} >= {"told_overturned"}


def duties_are_named_by_their_date(case: Case) -> None:
    """Keys are unique, of a known kind, and name the version of the target they come from."""
    owed = list(current_obligations(case))
    assert owed == list(current_obligations(case))
    assert len({one.key for one in owed}) == len(owed)
    assert {one.kind for one in owed} <= set(KINDS)
    for one in owed:
        json.dumps(dict(one.facts))
        target = Target.DECIDE if one.facts.get("target") == Target.DECIDE else _TARGET_OF.get(one.kind)
        if one.kind == "remind":
            latest = case.target(Target(one.facts["target"]), one.facts["of"])
            assert latest is not None
            assert one.key.split(":")[3] == str(latest.version)
        elif target is not None:
            of = int(one.facts.get("remedy", 0))
            latest = case.target(target, of)
            assert latest is not None
            assert str(latest.version) in one.key.split(":")[1:]
            # What is due in quiet hours is told before them, never after the date.
            date = latest.promised_due if target is Target.DECIDE else latest.internal_due
            again = one.kind == "remedy_late" and _times_late(case, one.key) > 0
            assert one.kind == "lapse" or again or one.due <= date


def no_deadline_without_message(case: Case) -> None:
    """Every date that the complainant waits for has a message owed by then, or is over (7.3: never silence)."""
    told = case.reachable or case.told_by_people
    if not case.is_open or case.is_history or case.erased_at or not told or Flag.WITHDRAWN in case.flags:
        return
    notices: dict[tuple[str, str], Any] = {}
    for one in current_obligations(case):
        kind, target = one.facts.get("about", one.kind), str(one.facts.get("target", ""))
        by = _PROMISED_BY.get((kind, target))
        if by is not None:
            notices[by, str(one.facts.get("remedy", 0))] = one.due
    for date in case.current_targets():
        # What had passed before anybody here knew of it is a figure, not a promise.
        if date.target not in _WAITED_FOR or date.met_at is not None or date.promised_due <= case.logged_at:
            continue
        if date.target is Target.FIRST_ACTION and not date.basis.startswith("extend"):
            continue
        at = notices.get((date.target, str(date.of)))
        if date.target in _BESIDE and date.promised_due <= date.set_at:
            continue
        if date.target is Target.DECIDE and at is None and (_told_too_late(case) or _heard_since(case)):
            continue
        if date.target is Target.UPDATE and at is None:
            # That the answer will be late leaves in the same minute, and tells this too.
            at = notices.get((Target.DECIDE, "0"))
        if date.target is Target.REMEDY and _times_late(case, f"remedy_late:{date.of}"):
            # Told when its date came; since then it is told again and again.
            assert at is not None
            continue
        assert at is not None, (date, case.state)
        assert at <= date.promised_due, (date, at)
        # That it will be missed is no news once it is: told before, never in the breath that names the date.
        ahead = date.target in _PROMISED and date.promised_due > date.set_at
        assert not ahead or date.set_at < at < date.promised_due, (date, at)


def notices_of_a_date_follow_each_other(case: Case) -> None:
    """First that there is no answer yet, then that the date will not be kept: neither twice nor both at once."""
    owed = [one for one in current_obligations(case) if one.facts.get("target") == Target.DECIDE]
    notices = {one.facts.get("about", one.kind): one.due for one in owed if "remind" not in one.key}
    first, last = notices.get("delay"), notices.get("progress")
    assert len(notices) == len([one for one in owed if "remind" not in one.key])
    if first is not None and last is not None:
        quiet, zone = case.rules.dialogue.quiet_hours, case.rules.calendar.zone
        assert quiet_until(first, quiet, zone) <= last - timedelta(hours=1)


#: What is waited for beside the answer, the first contact only once it was told that it comes later.
_BESIDE = (Target.DATA_REQUEST, Target.REPLY, Target.PRIVACY, Target.FIRST_ACTION)
#: The dates that are promised outside while the complaint is with us, and which notice tells of each.
_WAITED_FOR = frozenset({Target.UPDATE, Target.DECIDE, Target.LEGAL, Target.REMEDY, *_BESIDE})
#: Of these, what was promised by a day: kept, or told before it is not.
_PROMISED = frozenset({Target.DECIDE, Target.REMEDY, *_BESIDE})
_PROMISED_BY: Mapping[tuple[str, str], Target] = {
    ("progress", ""): Target.UPDATE,
    ("progress", "decide"): Target.DECIDE,
    ("legal_passed", "legal"): Target.LEGAL,
    ("remedy_late", ""): Target.REMEDY,
    **{("delay", one.value): one for one in _BESIDE},
}


_TARGET_OF: Mapping[str, Target] = {
    "progress": Target.UPDATE,
    "legal_passed": Target.LEGAL,
    "reply_reminder": Target.REPLY_REMINDER,
    "remedy_late": Target.REMEDY,
    "lapse": Target.LAPSE,
}


def no_duty_is_forgotten(before: Case, after: Case) -> None:
    """A key that is gone was overtaken by what makes it moot."""
    gone = {one.key: one for one in current_obligations(before)}
    for one in current_obligations(after):
        gone.pop(one.key, None)
        # What is to be told by people once more stands anew, as a round of its own: voice:decision:6:r1.
        gone.pop(one.key.rpartition(":r")[0], None)
    for key, one in gone.items():
        # Once there is a chat it takes over what people were to tell.
        over = after.erased_at is not None or (before.told_by_people and not after.told_by_people)
        over = over or _MOOT[one.facts.get("about", one.kind)](before, after, key.removeprefix("voice:"))
        assert over, (key, before.state, after.state)


def _silenced(before: Case, after: Case) -> bool:
    """Nobody hears us: unreachable, withdrawn, or over."""
    return not after.is_open or _unheard(after) or Flag.WITHDRAWN in after.flags


def _unheard(after: Case) -> bool:
    return after.has_chat and not after.reachable


def _target_over(target: Target, after: Case, key: str, *, of: int = 0) -> bool:
    latest = after.target(target, of)
    return latest is None or latest.met_at is not None or str(latest.version) not in key.split(":")[1:]


def _times_late(case: Case, key: str) -> int:
    return next(one.late for one in case.remedies if str(one.n) == key.split(":")[1])


def _told_too_late(after: Case) -> bool:
    """Set when it had passed already: nothing can be told before it."""
    one = after.target(Target.DECIDE)
    return one is not None and one.promised_due <= one.set_at


def _heard_since(after: Case) -> bool:
    """Whoever heard from us after the date is told of it no more."""
    one = after.target(Target.DECIDE)
    return one is not None and after.last_contact_at is not None and after.last_contact_at > one.promised_due


def _reminder_over(before: Case, after: Case, key: str) -> bool:
    _, target, of, version, when = key.split(":")
    # Another priority has another ladder, and the days before are counted by the calendar that holds; when it is due,
    # that is told in every one.
    anew = priority_of(before) is not priority_of(after) or before.rules != after.rules
    other = when != "due" and anew
    told = target == Target.ACK and after.reachable
    # The number of a remedy is no version of its date.
    return other or told or _target_over(Target(target), after, f"remind:{version}", of=int(of))


_MOOT: Mapping[str, Callable[[Case, Case, str], bool]] = {
    "card": lambda before, after, key: after.version > before.version,
    "end_form": lambda before, after, key: not after.form_open or after.words > before.words,
    "page": lambda before, after, key: after.danger_receipt_at is not None,
    "propose": lambda before, after, key: (
        after.assessment is not None
        or after.proposed != before.proposed
        or after.words > before.words
        or after.state not in (State.RECEIVED, State.ASSESSED, State.INVESTIGATING, State.ESCALATED)
    ),
    "acknowledge": lambda before, after, key: (
        _silenced(before, after)
        or before.level in after.acks
        or after.level > before.level
        or after.returns > before.returns
    ),
    "decision": lambda before, after, key: (
        _silenced(before, after)
        or after.state not in (State.DECIDED, State.REMEDYING)
        or any(one.communicated_at for one in after.decisions if str(one.seq) == key.split(":")[1])
    ),
    "recourse": lambda before, after, key: _silenced(before, after) or after.state is not State.DISAGREED,
    "progress": lambda before, after, key: (
        _silenced(before, after)
        or _target_over(Target.DECIDE if ":decide:" in key else Target.UPDATE, after, key)
        or (":decide:" in key and _heard_since(after))
    ),
    "delay": lambda before, after, key: (
        (_unheard(after) or _target_over(Target(key.split(":")[1]), after, key))
        if key.split(":")[1] in set(_BESIDE)
        else (
            _silenced(before, after)
            or _target_over(Target.DECIDE, after, key)
            # Other rules may want none.
            or before.rules != after.rules
        )
    ),
    "legal_passed": lambda before, after, key: (
        _silenced(before, after)
        or _target_over(Target.DECIDE if ":decide:" in key else Target.LEGAL, after, key)
        or (":decide:" in key and (before.rules != after.rules or before.level != after.level))
    ),
    "remind": _reminder_over,
    "remedy_late": lambda before, after, key: (
        _target_over(Target.REMEDY, after, f"remedy_late:{key.split(':')[2]}", of=int(key.split(":")[1]))
        # Recorded: it is told again later, under a key of its own.
        or _times_late(after, key) > _times_late(before, key)
    ),
    "reply_reminder": lambda before, after, key: _target_over(Target.REPLY_REMINDER, after, key),
    "lapse": lambda before, after, key: (
        _target_over(Target.LAPSE, after, key)
        or after.question_at is not None
        or after.question_answered_at != before.question_answered_at
        or not after.everything_verified
        or sum(one.verified_at is not None for one in after.owed_remedies)
        != sum(one.verified_at is not None for one in before.owed_remedies)
    ),
    "closing": lambda before, after, key: not after.reachable or after.close_code is None,
    "survey": lambda before, after, key: (
        not after.reachable
        or after.reopened > before.reopened
        or after.surveys != before.surveys
        or after.close_code in (None, CloseCode.NOT_COMPLAINT, CloseCode.MERGED)
        or len(after.signs) > len(before.signs)
        or bool({Flag.MINOR, Flag.NO_CONTACT} & after.flags)
    ),
    "survey_reminder": lambda before, after, key: (
        not after.reachable
        or after.surveys != before.surveys
        or after.close_code in (None, CloseCode.NOT_COMPLAINT, CloseCode.MERGED)
        or len(after.signs) > len(before.signs)
        or bool({Flag.MINOR, Flag.NO_CONTACT} & after.flags)
    ),
}
