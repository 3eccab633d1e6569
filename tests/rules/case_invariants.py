"""What must hold for any complaint after any act, stated independently of how the rules are written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from complaints.actions.perform import event_obligations, fold
from complaints.actions.registry import ACTIONS
from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import explain_step, reached
from complaints.deadlines.explanation import explanation_steps
from complaints.deadlines.quiet_hours import quiet_until
from complaints.deadlines.targets import CAPPED_BY_LAW
from complaints.errors import ComplaintError
from complaints.obligations.approvals import awaited_act
from complaints.obligations.kinds import KINDS
from complaints.obligations.standing import current_obligations
from complaints.priorities import priority_of
from complaints.vocabulary import UNDECIDED, CloseCode, Flag, Role, State, Target, Verb
from tests.rules.random_actions import BY_ID, SEALED_TEXT

MANAGING = frozenset({Role.MANAGER, Role.TOP_MANAGEMENT})
_IMPERATIVES = frozenset({"Say", "Give", "Name", "Write", "Choose"})

#: docs/surfaces.md, "Versions": these verbs never count as work.
NEVER_WORK = frozenset(
    {
        *(Verb.ADD, Verb.PROPOSE, Verb.ACKNOWLEDGE, Verb.FAIL_DELIVERY, Verb.NOTE, Verb.RECEIPT, Verb.SURVEY),
        Verb.REVIEW_CASE,
    }
)
#: Of the complainant's acts only these count as work.
COMPLAINANT_ANSWERS = frozenset({Verb.ACCEPT, Verb.DISAGREE, Verb.WITHDRAW, Verb.REOPEN})


def a_refusal_gives_reason_and_remedy(refused: ComplaintError) -> None:
    """The message is a reason with a remedy, or a request for what is missing."""
    message = str(refused)
    assert message.endswith(".")
    assert refused.code
    assert ": " in message or "; " in message or message.split()[0] in _IMPERATIVES, message


def the_transition_is_allowed(before: Case, event: Event, after: Case) -> None:
    """The verb leads from the earlier state to one of the states that its row allows."""
    assert after.state in ACTIONS[event.verb].moves.ways[before.state]


def acceptance_is_explicit(before: Case, event: Event, after: Case) -> None:
    """Acceptance is an act of the complainant, or recorded by staff with time and source."""
    if after.reply == "accept" and before.reply != "accept":
        assert event.verb is Verb.ACCEPT
        by_voice = bool(event.facts.get("given_at")) and bool(event.words.get("by_whom"))
        assert event.role is Role.COMPLAINANT or (event.role in {Role.HANDLER, *MANAGING} and by_voice)
    if after.close_code in (CloseCode.LAPSED, CloseCode.ANSWERED_NO_REPLY):
        assert after.reply is None


def no_person_decides_at_two_levels(case: Case) -> None:
    """Deciders, approvers and investigators of one level take no part in another."""
    levels = sorted(case.acted_at)
    for at, level in enumerate(levels):
        for other in levels[at + 1 :]:
            assert not case.acted_at[level] & case.acted_at[other]
    by_level: dict[int, set[str]] = {}
    for decision in case.decisions:
        by_level.setdefault(decision.level, set()).update({decision.by, decision.approved_by or decision.by})
    for level, people in by_level.items():
        assert not any(people & others for other, others in by_level.items() if other != level)


def no_complaint_closes_with_a_due_remedy(before: Case, after: Case) -> None:
    """Every due remedy is done and verified, by another person where the rules require it."""
    if after.state is State.CLOSED and before.state is not State.CLOSED:
        assert all(remedy.done_at and remedy.verified_at for remedy in after.remedies if remedy.owed)
    for remedy in after.remedies:
        if remedy.separate_verifier and remedy.verified_by is not None:
            assert remedy.verified_by != remedy.done_by


def an_offer_is_due_only_after_acceptance(event: Event, after: Case) -> None:
    """Acceptance makes every open offer due, and an offer is due for no other reason."""
    if event.verb is Verb.ACCEPT:
        assert not any(remedy.offered for remedy in after.remedies)
    for remedy in after.remedies:
        if remedy.needs_acceptance and remedy.owed:
            assert remedy.accepted_at is not None
            assert remedy.ended_at is None
    if not after.is_open:
        assert not after.open_offer


def severity_is_not_below_fired_rules(case: Case, events: Sequence[Event]) -> None:
    """Only a manager who knew that the rule had fired rates below it."""
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


def no_date_moves_without_a_reason(before: Case, event: Event, after: Case) -> None:
    """A date moves only by an extension, a new priority, a new level or a new start; old versions never
    change."""
    kept = {_named(target): target for target in after.targets}
    for target in before.targets:
        now = kept[_named(target)]
        assert (now.internal_due, now.promised_due, now.start) == (
            target.internal_due,
            target.promised_due,
            target.start,
        )
    for target in before.current_targets():
        latest = after.target(target.target, target.of)
        assert latest is not None
        if target.met_at is None and latest.internal_due != target.internal_due:
            assert _may_move(before, event, after, target), (event.verb, target, latest)


def an_extension_makes_no_date_earlier(before: Case, event: Event, after: Case) -> None:
    """An extension moves a date later, both the internal and the promised one."""
    agreed = event.verb is Verb.APPROVE and event.facts.get("extends")
    if not (agreed or (event.verb is Verb.EXTEND and not event.facts.get("asks"))):
        return
    for target in after.current_targets():
        earlier = before.target(target.target, target.of)
        if earlier is not None and earlier.met_at is None:
            assert target.internal_due >= earlier.internal_due
            assert target.promised_due >= earlier.promised_due


def every_date_is_explained(case: Case, events: Sequence[Event]) -> None:
    """The steps of each version, replaced or not, start with its author and end at its due time."""
    for target in case.targets:
        steps = explanation_steps(case, target, events)
        assert steps[0].code in {"set", "extended"}
        assert reached(steps) == target.internal_due
        # A date held back when the rules changed has a step of its own; only then may the recorded date
        # appear.
        is_kept_date = target.basis.partition(";")[2] not in ("", CAPPED_BY_LAW)
        # A decision that was written under earlier rules, and told under these, keeps the day that it promises.
        is_earlier_promise = target.target is Target.REMEDY and target.under > 0 and target.version == 1
        is_kept_date = is_kept_date or is_earlier_promise
        assert is_kept_date or "recorded" not in {step.code for step in steps}, (target, steps)
        assert all(explain_step(step).strip() for step in steps)


def _named(target: TargetSet) -> tuple[Target, int, int]:
    return target.target, target.of, target.version


def _may_move(before: Case, event: Event, after: Case, target: TargetSet) -> bool:
    return (
        (event.verb is Verb.EXTEND and not event.facts["asks"])
        or event.verb is Verb.REDATE
        or (event.verb is Verb.APPROVE and event.facts.get("extends") is not None)
        or priority_of(before) is not priority_of(after)
        or before.level != after.level
        or (target.target is Target.UPDATE and after.last_contact_at != before.last_contact_at)
        # Also when the contact before it was in the same moment.
        or (target.target is Target.UPDATE and event.verb is Verb.INFORM)
        or (target.target is Target.UPDATE and _only_the_named_day_stays(before, after))
        or (target.target is Target.UPDATE and _work_follows_the_notice(before, after))
        or (target.target is Target.WAITING and event.verb is Verb.ASK)
        or (target.target is Target.DECIDE and _complexity(before) != _complexity(after))
        or (target.target is Target.DECIDE and _counts_from_the_acknowledgement(before, after))
        or before.received_at != after.received_at
        or (target.target is Target.SUBJECT and _named_or_put_off(before, event, after))
    )


def _work_follows_the_notice(before: Case, after: Case) -> bool:
    """A notice that nobody works delays the next news; with the first work the usual interval counts again."""
    return before.noticed_at_version == before.work_version and after.work_version > before.work_version


def _only_the_named_day_stays(before: Case, after: Case) -> bool:
    """The regular updates end with the decision; a next-news date named by staff does not."""
    latest = after.target(Target.UPDATE)
    named = before.next_news_by
    return latest is not None and named is not None and latest.internal_due == named and bool(after.decision)


def _counts_from_the_acknowledgement(before: Case, after: Case) -> bool:
    return after.rules.targets.decide_from == "acknowledged" and before.acks != after.acks


def redating_keeps_promises(before: Case, event: Event, after: Case) -> None:
    """Other rules move a promised date later only on request, and the complainant is notified.

    Legal dates are corrected; a date that was missed or given to the complainant stays.
    """
    if event.verb is not Verb.REDATE:
        return
    assert after.rules_before == (*before.rules_before, before.rules)
    notified_targets = {
        obligation.facts["target"]
        for obligation in event_obligations(after, event)
        if obligation.facts.get("about", obligation.kind) == "dates"
    }
    for target in before.current_targets():
        latest = after.target(target.target, target.of)
        assert latest is not None
        if target.met_at is not None or target.target in (Target.LEGAL, Target.PRIVACY, Target.SUBJECT):
            continue
        assert event.facts["later"] or latest.promised_due <= target.promised_due
        assert target.internal_due > event.at or latest.internal_due <= target.internal_due
        if target.target is Target.LAPSE:
            assert latest.internal_due >= target.internal_due
        is_announced = target.target is Target.DECIDE or (
            target.target is Target.UPDATE and before.assessment is not None
        )
        if is_announced and latest.promised_due > target.promised_due:
            assert target.target in notified_targets


def _named_or_put_off(before: Case, event: Event, after: Case) -> bool:
    return before.fairness.named_at != after.fairness.named_at or "subject_not_yet" in event.facts


def _complexity(case: Case) -> int:
    return case.assessment.complexity if case.assessment is not None else 1


def versions_count_events_and_work(before: Case, event: Event, after: Case) -> None:
    """`version` counts events; `work_version` counts acts of staff and the complainant's answers."""
    assert after.version == before.version + 1 == event.seq
    assert after.work_version - before.work_version in (0, 1)
    if after.work_version > before.work_version:
        assert event.verb not in NEVER_WORK
        assert event.role not in (Role.SYSTEM, Role.MODEL)
        assert event.role is not Role.COMPLAINANT or event.verb in COMPLAINANT_ANSWERS
    elif event.role not in (Role.SYSTEM, Role.MODEL, Role.COMPLAINANT):
        assert event.verb in NEVER_WORK | {Verb.COMMUNICATE_DECISION, Verb.OFFER_RECOURSE, Verb.ERASE}


def the_events_rebuild_the_case(case: Case, events: Sequence[Event]) -> None:
    assert fold(events, case.first_rules) == case


def events_contain_no_words(event: Event) -> None:
    """Facts are JSON values and every text is a code; only the bases of dates are short phrases."""
    written = json.dumps(event.facts, allow_nan=False)
    assert SEALED_TEXT not in written
    facts = {name: value for name, value in json.loads(written).items() if name != "targets"}
    assert not any(letter.isspace() for text in _texts(facts) for letter in text)


def _texts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [*map(str, value), *(text for item in value.values() for text in _texts(item))]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return [value] if isinstance(value, str) else []


def excluded_people_neither_act_nor_own(before: Case, event: Event, after: Case) -> None:
    """Named people, their managers and people with a conflict of interest neither act nor own."""
    assert event.by not in before.subjects | before.excluded_managers | before.conflicted
    assert after.owner not in after.subjects | after.excluded_managers | after.conflicted
    assert before.denied <= after.denied


def complaints_about_managers_need_top_management(before: Case, event: Event) -> None:
    """Where a manager is complained about, only top management performs managers' acts (Annex C)."""
    managing = event.verb in (Verb.APPROVE, Verb.NOT_ACCEPT, Verb.UNRESTRICT, Verb.HOLD, Verb.RELEASE)
    # An operator places and ends a hold on the command line.
    by_operator = event.role is Role.SYSTEM and event.verb in (Verb.HOLD, Verb.RELEASE)
    if managing and before.fairness.leads and not by_operator:
        assert event.role is Role.TOP_MANAGEMENT


def subjects_are_heard_before_a_decision(before: Case, event: Event) -> None:
    """Staff complained about are informed and may reply first, or a manager recorded why not yet (Annex C)."""
    if event.verb in (Verb.RESPOND, Verb.RESOLVE) and before.subjects and before.restricted:
        fair = before.fairness
        assert fair.not_yet is not None or (fair.informed_at is not None and fair.heard_at is not None)


def an_outside_decision_keeps_ours_and_opens_improvements(before: Case, event: Event, after: Case) -> None:
    """Our decisions are kept; an overturned one opens an improvement and notifies its decider (7.9)."""
    if event.verb is not Verb.CONCLUDE_EXTERNAL:
        return
    assert after.decisions == before.decisions
    overturned = {outside_decision.seq for outside_decision in after.outside if outside_decision.overturned}
    assert {improvement.seq for improvement in after.improvements} == overturned
    if event.seq in overturned:
        assert {obligation.kind for obligation in event_obligations(after, event)} >= {"told_overturned"}


def obligation_keys_name_their_target_version(case: Case) -> None:
    """Keys are unique, of a registered kind, and name the version of their target."""
    obligations = list(current_obligations(case))
    assert obligations == list(current_obligations(case))
    assert len({obligation.key for obligation in obligations}) == len(obligations)
    assert {obligation.kind for obligation in obligations} <= set(KINDS)
    for obligation in obligations:
        json.dumps(dict(obligation.facts))
        target = (
            Target.DECIDE
            if obligation.facts.get("target") == Target.DECIDE
            else _TARGET_OF.get(obligation.kind)
        )
        if obligation.kind == "remind":
            latest = case.target(Target(obligation.facts["target"]), obligation.facts["of"])
            assert latest is not None
            assert obligation.key.split(":")[3] == str(latest.version)
        elif target is not None:
            of = int(obligation.facts.get("remedy", 0))
            latest = case.target(target, of)
            assert latest is not None
            assert str(latest.version) in obligation.key.split(":")[1:]
            # What is due in quiet hours is sent before them, never after the date.
            date = latest.promised_due if target is Target.DECIDE else latest.internal_due
            again = obligation.kind == "remedy_late" and _times_late(case, obligation.key) > 0
            assert obligation.kind == "lapse" or again or obligation.due <= date


def every_deadline_has_a_message(case: Case) -> None:
    """Every date that the complainant waits for has a message due by then, or is over (7.3: never silence)."""
    can_be_informed = case.reachable or case.is_offline
    if (
        not case.is_open
        or case.is_history
        or case.erased_at
        or not can_be_informed
        or Flag.WITHDRAWN in case.flags
        or case.in_danger
    ):
        return
    notices: dict[tuple[str, str], Any] = {}
    for obligation in current_obligations(case):
        kind, target = obligation.facts.get("about", obligation.kind), str(obligation.facts.get("target", ""))
        by = _TARGET_OF_NOTICE.get((kind, target))
        if by is not None:
            notices[by, str(obligation.facts.get("remedy", 0))] = obligation.due
    for date in case.current_targets():
        # A date that had passed before the complaint was logged is counted, but was never promised.
        if date.target not in _AWAITED or date.met_at is not None or date.promised_due <= case.logged_at:
            continue
        if date.target is Target.FIRST_ACTION and not date.basis.startswith("extend"):
            continue
        at = notices.get((date.target, str(date.of)))
        if date.target in _ALSO_AWAITED and date.promised_due <= date.set_at:
            continue
        if (
            date.target is Target.DECIDE
            and at is None
            and (_was_set_too_late(case) or _was_contacted_since(case))
        ):
            continue
        if date.target is Target.UPDATE and at is None:
            # The notice of a late decision is sent in the same minute and covers this date.
            at = notices.get((Target.DECIDE, "0"))
        if date.target is Target.REMEDY and _times_late(case, f"remedy_late:{date.of}"):
            # Announced when its date came; further notices repeat from then on.
            assert at is not None
            continue
        assert at is not None, (date, case.state)
        assert at <= date.promised_due, (date, at)
        # The warning comes before the date is missed, but not in the message that sets the date.
        ahead = date.target in _PROMISED and date.promised_due > date.set_at
        assert not ahead or date.set_at < at < date.promised_due, (date, at)


def notices_of_a_date_are_ordered(case: Case) -> None:
    """First the delay notice, then the missed-date notice: neither twice nor both at once."""
    obligations = [
        obligation
        for obligation in current_obligations(case)
        if obligation.facts.get("target") == Target.DECIDE
    ]
    notices = {
        obligation.facts.get("about", obligation.kind): obligation.due
        for obligation in obligations
        if "remind" not in obligation.key
    }
    first, last = notices.get("delay"), notices.get("progress")
    assert len(notices) == len([obligation for obligation in obligations if "remind" not in obligation.key])
    if first is not None and last is not None:
        quiet, zone = case.rules.dialogue.quiet_hours, case.rules.calendar.zone
        assert quiet_until(first, quiet, zone) <= last - timedelta(hours=1)


#: Awaited in addition to the decision; the first contact only after it was postponed.
_ALSO_AWAITED = (Target.DATA_REQUEST, Target.REPLY, Target.PRIVACY, Target.FIRST_ACTION)
#: The dates promised to the complainant while the complaint is open, and the notice of each.
_AWAITED = frozenset({Target.UPDATE, Target.DECIDE, Target.LEGAL, Target.REMEDY, *_ALSO_AWAITED})
#: Dates promised for a day: met, or announced before they are missed.
_PROMISED = frozenset({Target.DECIDE, Target.REMEDY, *_ALSO_AWAITED})
_TARGET_OF_NOTICE: Mapping[tuple[str, str], Target] = {
    ("progress", ""): Target.UPDATE,
    ("progress", "decide"): Target.DECIDE,
    ("legal_passed", "legal"): Target.LEGAL,
    ("remedy_late", ""): Target.REMEDY,
    **{("delay", target.value): target for target in _ALSO_AWAITED},
}


_TARGET_OF: Mapping[str, Target] = {
    "progress": Target.UPDATE,
    "legal_passed": Target.LEGAL,
    "reply_reminder": Target.REPLY_REMINDER,
    "remedy_late": Target.REMEDY,
    "lapse": Target.LAPSE,
}


def no_obligation_disappears_without_a_reason(before: Case, after: Case) -> None:
    """An obligation disappears only when its condition became obsolete."""
    gone = {obligation.key: obligation for obligation in current_obligations(before)}
    for obligation in current_obligations(after):
        gone.pop(obligation.key, None)
        # An offline notice that is given again has a round of its own: voice:decision:6:r1.
        gone.pop(obligation.key.rpartition(":r")[0], None)
    for key, obligation in gone.items():
        # Once there is a chat, it replaces offline notices.
        over = after.erased_at is not None or (before.is_offline and not after.is_offline)
        over = over or _OBSOLETE_WHEN[obligation.facts.get("about", obligation.kind)](
            before, after, key.removeprefix("voice:")
        )
        assert over, (key, before.state, after.state)


def _receives_nothing(before: Case, after: Case) -> bool:
    """No message reaches the complainant: unreachable, withdrawn, or closed."""
    return not after.is_open or _is_unreachable(after) or Flag.WITHDRAWN in after.flags


def _is_unreachable(after: Case) -> bool:
    return after.has_chat and not after.reachable


def _target_is_over(target: Target, after: Case, key: str, *, of: int = 0) -> bool:
    latest = after.target(target, of)
    return latest is None or latest.met_at is not None or str(latest.version) not in key.split(":")[1:]


def _times_late(case: Case, key: str) -> int:
    return next(remedy.late for remedy in case.remedies if str(remedy.n) == key.split(":")[1])


def _was_set_too_late(after: Case) -> bool:
    """The date had passed when it was set, so that no notice could precede it."""
    target = after.target(Target.DECIDE)
    return target is not None and target.promised_due <= target.set_at


def _was_contacted_since(after: Case) -> bool:
    """A complainant contacted after the date gets no further notice of it."""
    target = after.target(Target.DECIDE)
    return (
        target is not None
        and after.last_contact_at is not None
        and after.last_contact_at > target.promised_due
    )


def _reminder_over(before: Case, after: Case, key: str) -> bool:
    _, target, of, version, when = key.split(":")
    # Another priority has other reminder steps, and the days before a date follow the current calendar.
    # Every set of steps contains the one at the due time.
    anew = priority_of(before) is not priority_of(after) or before.rules != after.rules
    other = when != "due" and anew
    is_acknowledged = target == Target.ACK and after.reachable
    # The number of a remedy is not a version of its date.
    return other or is_acknowledged or _target_is_over(Target(target), after, f"remind:{version}", of=int(of))


_OBSOLETE_WHEN: Mapping[str, Callable[[Case, Case, str], bool]] = {
    "card": lambda before, after, key: after.version > before.version,
    "end_form": lambda before, after, key: not after.form_open or after.words > before.words,
    "page": lambda before, after, key: (
        after.alarms != before.alarms or after.words > before.words or not after.in_danger
    ),
    "alert": lambda before, after, key: (
        after.alarms != before.alarms or after.words > before.words or not after.in_danger
    ),
    "propose": lambda before, after, key: (
        after.assessment is not None
        or after.proposed != before.proposed
        or after.words > before.words
        or after.state not in (State.RECEIVED, State.ASSESSED, State.INVESTIGATING, State.ESCALATED)
        or Flag.PROCESSING_RESTRICTED in after.flags
    ),
    "ask_approval": lambda before, after, key: (
        awaited_act(after) is not Verb.APPROVE
        or after.drafted is None
        or after.drafted.seq != int(key.split(":")[1])
    ),
    "check_late": lambda before, after, key: (
        awaited_act(after) is not Verb.CHECK_DECISION
        or after.drafted is None
        or after.drafted.seq != int(key.split(":")[1])
        or after.drafted.by in after.denied
    ),
    **dict.fromkeys(
        ("ask_review", "redraw_review"),
        lambda before, after, key: (
            after.open_review is None or after.open_review.seq != int(key.split(":")[1])
        ),
    ),
    "index_words": lambda before, after, key: (
        after.words > before.words
        or after.proposed != before.proposed
        or Flag.PROCESSING_RESTRICTED in after.flags
        or (after.assessment is None and after.state in UNDECIDED)
    ),
    "acknowledge": lambda before, after, key: (
        _receives_nothing(before, after)
        or before.level in after.acks
        or after.level > before.level
        or after.returns > before.returns
    ),
    "decision": lambda before, after, key: (
        _receives_nothing(before, after)
        or after.state not in (State.DECIDED, State.REMEDYING)
        or any(
            decision.communicated_at for decision in after.decisions if str(decision.seq) == key.split(":")[1]
        )
    ),
    "recourse": lambda before, after, key: (
        _receives_nothing(before, after) or after.state is not State.DISAGREED
    ),
    "progress": lambda before, after, key: (
        _receives_nothing(before, after)
        or _target_is_over(Target.DECIDE if ":decide:" in key else Target.UPDATE, after, key)
        or (":decide:" in key and _was_contacted_since(after))
    ),
    "delay": lambda before, after, key: (
        (_is_unreachable(after) or _target_is_over(Target(key.split(":")[1]), after, key))
        if key.split(":")[1] in set(_ALSO_AWAITED)
        else (
            _receives_nothing(before, after)
            or _target_is_over(Target.DECIDE, after, key)
            # Other rules may require no delay notice.
            or before.rules != after.rules
        )
    ),
    "legal_passed": lambda before, after, key: (
        _receives_nothing(before, after)
        or _target_is_over(Target.DECIDE if ":decide:" in key else Target.LEGAL, after, key)
        or (":decide:" in key and (before.rules != after.rules or before.level != after.level))
    ),
    "remind": _reminder_over,
    "remedy_late": lambda before, after, key: (
        _target_is_over(Target.REMEDY, after, f"remedy_late:{key.split(':')[2]}", of=int(key.split(":")[1]))
        # Recorded as late: the next notice has a key of its own.
        or _times_late(after, key) > _times_late(before, key)
    ),
    "reply_reminder": lambda before, after, key: (
        # A question of the complainant is answered first.
        _target_is_over(Target.REPLY_REMINDER, after, key) or after.question_at is not None
    ),
    "lapse": lambda before, after, key: (
        _target_is_over(Target.LAPSE, after, key)
        or after.question_at is not None
        or after.question_answered_at != before.question_answered_at
        or not after.everything_verified
        or sum(remedy.verified_at is not None for remedy in after.owed_remedies)
        != sum(remedy.verified_at is not None for remedy in before.owed_remedies)
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
