"""Whether a letter reached the complainant, as the messages show it and not as the act intended it (7.3, 7.4, 7.8).

"Delivered" means that a channel accepted the message, or that a person passed it on by voice.
"""

from datetime import datetime

from complaints.actions.registry import ACTIONS
from complaints.case import Event
from complaints.deadlines.working_time import due
from complaints.history import CaseHistory
from complaints.vocabulary import Flag, Role, Verb

#: States of a message that arrived: accepted by the channel, or read out by staff.
DELIVERED = frozenset({"sent", "told"})
#: How long a letter that staff wrote may take: quiet hours and a stopped process delay it.
_GRACE = "1 bd"


def was_delivered(history: CaseHistory, event: Event) -> bool:
    """True if a delivered message supports an act that records one.

    An act of a person records what they said or posted themselves. A letter that the complainant did not want
    (`kept`) is not expected.
    """
    template = ACTIONS[event.verb].records
    if event.role is not Role.SYSTEM or event.facts.get("kept") or not template:
        return True
    step = event.facts.get("step")
    earlier = [
        other.at
        for other in history.of_verb(event.verb)
        if other.seq < event.seq and other.role is Role.SYSTEM and other.facts.get("step") == step
    ]
    since = max(earlier, default=None)
    return any(
        message.direction == "out"
        and message.template == template
        and message.state in DELIVERED
        and (since is None or since <= message.at)
        and message.at <= event.at
        for message in history.messages
    )


def delivered_at(history: CaseHistory, verb: Verb, at: datetime) -> bool:
    """True if the acts of this verb at this time were delivered; also if an act of another verb set the time.

    For example, a member of staff records a disagreement that was given on the phone.
    """
    acts = [event for event in history.of_verb(verb) if event.at == at]
    return not acts or any(was_delivered(history, event) for event in acts)


def heard_between(history: CaseHistory, start: datetime, until: datetime, now: datetime) -> bool:
    """True if a message arrived after `start` and up to a working day after `until`, or may still arrive.

    Also where staff pass the news on by voice or no message is wanted.
    """
    case = history.case
    latest = due(until, _GRACE, case.rules.calendar).at
    if not case.has_chat or case.flags & {Flag.NO_CONTACT, Flag.UNREACHABLE} or now <= latest:
        return True
    by_voice = any("given_at" in event.facts and start <= event.at <= latest for event in history.events)
    return by_voice or any(
        message.direction == "out" and message.state in DELIVERED and start <= message.at <= latest
        for message in history.messages
    )
