"""State is the fold of the events: which change each verb makes, and what every event does besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from complaints.actions import (
    access,
    closing,
    import_past,
    intake,
    judgement_changes,
    redate,
    reply_and_recourse,
)
from complaints.case import Case, Event, changed
from complaints.case_values import TargetSet
from complaints.permissions import JUDGING
from complaints.priorities import is_significant
from complaints.rulebook import Rulebook
from complaints.timestamps import parse_time
from complaints.vocabulary import Flag, Role, State, Target, Verb

#: A first message of staff ends the questions; the acknowledgement is owed before it leaves.
STAFF_MESSAGES: frozenset[Verb] = frozenset({Verb.REPLY, Verb.ASK, Verb.INFORM, Verb.RESOLVE})


def fold(events: Iterable[Event], rules: Rulebook) -> Case:
    """The case that these events add up to; the first must be `receive`."""
    case: Case | None = None
    for event in events:
        case = begin(event, rules) if case is None else after(case, event)
    if case is None:
        raise ValueError("a complaint has at least the event by which it was received")
    return case


def begin(event: Event, rules: Rulebook) -> Case:
    """The case as its first event leaves it."""
    facts = event.facts
    case = Case(
        ref=facts["ref"],
        rules=rules,
        received_at=parse_time(facts["received_at"]),
        logged_at=event.at,
        channel=facts["channel"],
        complainant=facts["complainant"],
        language=facts["language"],
        form_open=event.role is Role.COMPLAINANT,
        form_ended_at=None if event.role is Role.COMPLAINANT else event.at,
        level_started_at=parse_time(facts["received_at"]),
        is_simulation=bool(facts.get("is_simulation", False)),
        answer_by=facts.get("answer_by"),
    )
    heard = intake.heard(case, event)
    return _common(import_past.imported(heard, event) if "imported" in facts else heard, event)


def after(case: Case, event: Event) -> Case:
    """The case as one more event leaves it."""
    change = _CHANGES.get(event.verb)
    return _common(change(case, event) if change else case, event)


def _common(case: Case, event: Event) -> Case:
    """What every event does: count, remember who judged, take over targets, keep the derived flags."""
    acted = case.acted_at
    if event.verb in JUDGING:
        # Judging never changes the level, so this is the level that was judged.
        acted = {**acted, case.level: acted.get(case.level, frozenset()) | {event.by}}
    spoken = event.verb in STAFF_MESSAGES and event.role is not Role.SYSTEM
    if case.form_open and (spoken or case.state is State.DECIDED):
        case = intake.form_ended(case, event)
    case = changed(
        case,
        version=event.seq,
        work_version=case.work_version + (1 if event.raises_work else 0),
        acted_at=acted,
        targets=_targets(case.targets, event, under=len(case.rules_before)),
    )
    significant = Flag.SIGNIFICANT in case.flags or is_significant(case)
    return changed(case, flags=case.flags | {Flag.SIGNIFICANT}) if significant else case


def _targets(targets: tuple[TargetSet, ...], event: Event, *, under: int) -> tuple[TargetSet, ...]:
    new = tuple(
        TargetSet(
            target=Target(one["target"]),
            version=one["version"],
            of=one["of"],
            start=parse_time(one["start"]),
            internal_due=parse_time(one["internal_due"]),
            promised_due=parse_time(one["promised_due"]),
            basis=one["basis"],
            span=one["span"],
            set_at=event.at,
            under=under,
        )
        for one in event.facts.get("targets", ())
    )
    met = {(Target(one["target"]), one["of"], one["version"]) for one in event.facts.get("met", ())}
    return (
        tuple(
            changed(one, met_at=event.at) if (one.target, one.of, one.version) in met else one
            for one in targets
        )
        + new
    )


_CHANGES: Mapping[Verb, Callable[[Case, Event], Case]] = {
    Verb.ADD: intake.heard,
    Verb.CONFIRM: intake.confirmed,
    Verb.END_FORM: intake.form_ended,
    Verb.ACKNOWLEDGE: intake.acknowledged,
    Verb.FAIL_DELIVERY: intake.delivery_failed,
    Verb.NOTE: intake.noted,
    Verb.PROPOSE: intake.proposed,
    Verb.ASSESS: judgement_changes.assessed,
    Verb.REASSESS: judgement_changes.assessed,
    Verb.RECLASSIFY: judgement_changes.reclassifying,
    Verb.EXTEND: judgement_changes.extending,
    Verb.REDATE: redate.apply_redate,
    Verb.ASSIGN: judgement_changes.assigned,
    Verb.REPLY: intake.contacted,
    Verb.ASK: intake.asked,
    Verb.ANSWER: intake.heard,
    Verb.INFORM: intake.contacted,
    Verb.INVESTIGATE: judgement_changes.investigating,
    Verb.RESOLVE: judgement_changes.resolved,
    Verb.RESPOND: judgement_changes.responded,
    Verb.APPROVE: judgement_changes.approved,
    Verb.COMMUNICATE_DECISION: judgement_changes.communicated,
    Verb.ACCEPT: judgement_changes.accepted,
    Verb.DISAGREE: judgement_changes.disagreed,
    Verb.ESCALATE: judgement_changes.escalated,
    Verb.OFFER_RECOURSE: closing.recourse_offered,
    Verb.NOTIFY_EXTERNAL: reply_and_recourse.external,
    Verb.CONCLUDE_EXTERNAL: reply_and_recourse.external_concluded,
    Verb.REMEDY_DONE: closing.remedy_done,
    Verb.REMEDY_LATE: closing.remedy_late,
    Verb.VERIFY: closing.verified,
    Verb.CLOSE: closing.closing,
    Verb.LAPSE: closing.closing,
    Verb.WITHDRAW: closing.withdrawn,
    Verb.REOPEN: closing.reopened,
    Verb.NOT_ACCEPT: closing.closing,
    Verb.LINK: access.linked,
    Verb.MERGE: closing.merging,
    Verb.BIND: intake.bound,
    Verb.RESTRICT: access.restricted,
    Verb.UNRESTRICT: closing.released,
    Verb.HOLD: closing.flagged(Flag.LEGAL_HOLD, sets=True),
    Verb.RELEASE: closing.flagged(Flag.LEGAL_HOLD, sets=False),
    Verb.DECLARE_CONFLICT: access.conflicted,
    Verb.RECEIPT: closing.received_notice,
    Verb.SURVEY: closing.surveyed,
    Verb.ERASE: closing.erased,
}
