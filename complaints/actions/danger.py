"""A danger to people: its alarm, who has seen it, and who closed it (5.3, 7.3)."""

from collections.abc import Mapping
from typing import Any

from complaints.actions.action import NOBODY, Action, ActionRequest, WordKind, stays
from complaints.actors import HANDLERS, MANAGERS
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Alarm, RecordedSign
from complaints.errors import AlreadyDone, OutOfOrder
from complaints.event_facts import FactShapes, one_of
from complaints.hazards import HAZARD_OF_KIND
from complaints.obligations import per_event
from complaints.times import parse_time
from complaints.vocabulary import EVERY, Flag, Role, Verb

#: The answers that end the bot's part of the conversation about a danger; a person still closes the alarm.
CALM_ANSWERS = frozenset({"no", "over"})


def is_certain(sign: RecordedSign) -> bool:
    """Whether a sign pages at once: present danger, and any sign of a hazard that pages without a question."""
    hazard = HAZARD_OF_KIND.get(sign.kind)
    return sign.danger or (sign.look and hazard is not None and hazard.unasked)


def raised_alarms(case: Case, event: Event, signs: tuple[RecordedSign, ...]) -> tuple[Alarm, ...]:
    """The alarms after the signs and the answer in a message (5.3).

    A sign after the conversation ended, or a certain one after a person has seen the alarm, begins a new alarm in the
    place of the open one: it is seen and closed for itself.
    """
    answer, alarm, at = event.facts.get("danger_answer"), case.alarm, event.at
    late = parse_time(event.facts["written_at"]) if "written_at" in event.facts else None
    certain = any(map(is_certain, signs)) or (alarm is not None and answer in ("yes", "unclear"))
    possible = certain or any(sign.look for sign in signs)
    begun = Alarm(at, at if certain else None, written_at=late)
    if alarm is None:
        return (*case.alarms, begun) if possible else case.alarms
    if (possible and alarm.talks_until is not None) or (certain and alarm.seen_at is not None):
        return (*_newest_changed(case, ended_at=at), begun)
    certain_at = alarm.certain_at or (at if certain else None)
    calm_at = alarm.calm_at or (at if answer in CALM_ANSWERS else None)
    return _newest_changed(case, certain_at=certain_at, calm_at=calm_at)


def _newest_changed(case: Case, **to: Any) -> tuple[Alarm, ...]:
    """The alarms with other values in the newest, of which there must be one."""
    return (*case.alarms[:-1], changed(case.alarms[-1], **to))


def check_receipt(case: Case, request: ActionRequest) -> Facts:
    """Confirm that an open danger, or for the top a significant complaint, has been seen (5.3).

    A manager may confirm for the top if `of` is "executive" (the button in its channel). Raises AlreadyDone if
    another person confirmed it before.
    """
    actor = request.actor
    significant = Flag.SIGNIFICANT in case.flags
    if not case.alarms and not significant:
        raise OutOfOrder.worded("nothing_to_receive", ref=case.ref)
    for_top = request.facts.get("of") == "executive" and actor.has(Role.MANAGER)
    executive = (
        significant and case.executive_receipt_at is None and (actor.has(Role.TOP_MANAGEMENT) or for_top)
    )
    if case.unseen_alarm is None and not executive:
        raise AlreadyDone.worded("already_so:receipt", ref=case.ref)
    return {**request.facts, "danger": case.unseen_alarm is not None, "executive": executive}


def apply_receipt(case: Case, event: Event) -> Case:
    updated = see_alarm(case, event) if event.facts.get("danger") else case
    at = event.at if event.facts.get("executive") else case.executive_receipt_at
    return changed(updated, executive_receipt_at=at)


def looked_alarms(case: Case, event: Event, *, has_read: bool) -> tuple[Alarm, ...]:
    """The alarms after an act of staff: who takes, assesses or answers a complaint has seen a possible danger."""
    alarm = case.unseen_alarm
    takes = event.by == event.facts.get("owner")
    looks = alarm is not None and alarm.certain_at is None and (takes or has_read)
    return see_alarm(case, event).alarms if looks else case.alarms


def require_alarm(case: Case) -> None:
    if case.alarm is None:
        raise AlreadyDone.worded("already_so:end_danger", ref=case.ref)


def check_end_danger(case: Case, request: ActionRequest) -> Facts:
    """Close the alarm with a reason: a person did what had to be done, or saw that there was nothing to do (5.3).

    The bot's conversation about the danger ends with it, and letters that it held back leave.
    """
    return request.facts


def apply_end_danger(case: Case, event: Event) -> Case:
    updated = see_alarm(case, event)
    return changed(updated, alarms=_newest_changed(updated, ended_at=event.at))


def see_alarm(case: Case, event: Event) -> Case:
    """The case after this person confirmed that they have seen the open danger."""
    if case.unseen_alarm is None:
        return case
    return changed(case, alarms=_newest_changed(case, seen_at=event.at, seen_by=event.by))


def reopen_alarm(case: Case, event: Event) -> Case:
    """No answer came to the complainant in a conversation: the open danger is paged again."""
    if case.alarm is None:
        return case
    return changed(case, alarms=(*_newest_changed(case, ended_at=event.at), Alarm(event.at, event.at)))


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.RECEIPT: Action(
        "5.3", MANAGERS | {Role.ON_CALL}, stays(EVERY),
        check=check_receipt, apply=apply_receipt,
        words=WordKind.INTERNAL, form="receipt", facts=FactShapes(shapes={"of": one_of("danger", "executive")}),
        raises_work_version=NOBODY, leaves=(per_event.danger_seen,), without_reading=True, is_work=False,
        answers_alarm=True, done="danger_seen",
    ),
    Verb.END_DANGER: Action(
        "5.3", HANDLERS | {Role.ON_CALL}, stays(EVERY),
        requires=require_alarm, check=check_end_danger, apply=apply_end_danger,
        words=WordKind.INTERNAL, form="end_danger", raises_work_version=NOBODY, answers_alarm=True,
    ),
}
# fmt: on
