"""State is the fold of the events: which change each verb makes, and what every event does besides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from complaints.changes import ending, hearing, joining, judging, naming, outside, past, ruling
from complaints.copying import changed
from complaints.doing import instant
from complaints.particulars import TargetSet
from complaints.permissions import JUDGING
from complaints.priorities import is_significant
from complaints.record import Case, Event
from complaints.rulebook import Rulebook
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
        received_at=instant(facts["received_at"]),
        logged_at=event.at,
        channel=facts["channel"],
        complainant=facts["complainant"],
        language=facts["language"],
        form_open=event.role is Role.COMPLAINANT,
        form_ended_at=None if event.role is Role.COMPLAINANT else event.at,
        level_started_at=instant(facts["received_at"]),
        is_simulation=bool(facts.get("is_simulation", False)),
        answer_by=facts.get("answer_by"),
    )
    heard = hearing.heard(case, event)
    return _common(past.imported(heard, event) if "imported" in facts else heard, event)


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
        case = hearing.form_ended(case, event)
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
            start=instant(one["start"]),
            internal_due=instant(one["internal_due"]),
            promised_due=instant(one["promised_due"]),
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
    Verb.ADD: hearing.heard,
    Verb.CONFIRM: hearing.confirmed,
    Verb.END_FORM: hearing.form_ended,
    Verb.ACKNOWLEDGE: hearing.acknowledged,
    Verb.FAIL_DELIVERY: hearing.delivery_failed,
    Verb.NOTE: hearing.noted,
    Verb.PROPOSE: hearing.proposed,
    Verb.ASSESS: judging.assessed,
    Verb.REASSESS: judging.assessed,
    Verb.RECLASSIFY: judging.reclassifying,
    Verb.EXTEND: judging.extending,
    Verb.REDATE: ruling.redated,
    Verb.ASSIGN: judging.assigned,
    Verb.REPLY: hearing.contacted,
    Verb.ASK: hearing.asked,
    Verb.ANSWER: hearing.heard,
    Verb.INFORM: hearing.contacted,
    Verb.INVESTIGATE: judging.investigating,
    Verb.RESOLVE: judging.resolved,
    Verb.RESPOND: judging.responded,
    Verb.APPROVE: judging.approved,
    Verb.COMMUNICATE_DECISION: judging.communicated,
    Verb.ACCEPT: judging.accepted,
    Verb.DISAGREE: judging.disagreed,
    Verb.ESCALATE: judging.escalated,
    Verb.OFFER_RECOURSE: ending.recourse_offered,
    Verb.NOTIFY_EXTERNAL: outside.external,
    Verb.CONCLUDE_EXTERNAL: outside.external_concluded,
    Verb.REMEDY_DONE: ending.remedy_done,
    Verb.REMEDY_LATE: ending.remedy_late,
    Verb.VERIFY: ending.verified,
    Verb.CLOSE: ending.closing,
    Verb.LAPSE: ending.closing,
    Verb.WITHDRAW: ending.withdrawn,
    Verb.REOPEN: ending.reopened,
    Verb.NOT_ACCEPT: ending.closing,
    Verb.LINK: joining.linked,
    Verb.MERGE: ending.merging,
    Verb.BIND: hearing.bound,
    Verb.RESTRICT: naming.restricted,
    Verb.UNRESTRICT: ending.released,
    Verb.HOLD: ending.flagged(Flag.LEGAL_HOLD, sets=True),
    Verb.RELEASE: ending.flagged(Flag.LEGAL_HOLD, sets=False),
    Verb.DECLARE_CONFLICT: naming.conflicted,
    Verb.RECEIPT: ending.received_notice,
    Verb.SURVEY: ending.surveyed,
    Verb.ERASE: ending.erased,
}
