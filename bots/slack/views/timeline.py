"""One line in the thread for each event: verb, who, when, how many messages; never any words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.slack.texts import StaffTexts
from complaints.actions.intake import RETURNED
from complaints.case import Case, Event
from complaints.deadlines.working_time import due
from complaints.vocabulary import Role, Verb

#: Events that the card shows already, or that staff need no line for.
NOT_IN_THREAD: frozenset[Verb] = frozenset(
    {Verb.RECEIVE, Verb.PROPOSE, Verb.CONFIRM, Verb.END_FORM, Verb.SURVEY}
)

_WORDS: frozenset[Verb] = frozenset({Verb.ADD, Verb.ANSWER})


def event_line(event: Event, case: Case, texts: StaffTexts) -> str:
    """`Assessed · @alice · Wed 4 Nov, 10:15`."""
    when = texts.moment(event.at, case.rules.calendar.zone)
    text_id = "did.extend_asked" if event.facts.get("asks") else f"did.{event.verb.value}"
    who = texts.actor_name(event.by, case)
    if event.role is Role.COMPLAINANT:
        # By role and not by id: a chat that was connected later has another id.
        who = texts.text("who.complainant")
        text_id = "did.bound" if event.verb is Verb.BIND else text_id
        text_id = "did.returned" if event.verb in _WORDS else text_id
    return texts.text("thread.line", did=texts.text(text_id), who=who, when=when)


def message_run(events: Sequence[Event], seq: int, case: Case) -> list[Event]:
    """The burst of the complainant's messages to which this event belongs; the event alone if it is no message."""
    index = next(index for index, event in enumerate(events) if event.seq == seq)
    if not _is_message(events[index]):
        return [events[index]]
    first = last = index
    while first > 0 and _same_burst(events[first - 1], events[first], case):
        first -= 1
    while last < len(events) - 1 and _same_burst(events[last], events[last + 1], case):
        last += 1
    return list(events[first : last + 1])


def _is_message(event: Event) -> bool:
    return event.verb in _WORDS and event.facts.get("kind") != RETURNED


def _same_burst(event: Event, following: Event, case: Case) -> bool:
    return _is_message(event) and _is_message(following) and following.at <= _burst_end(event, case)


def _burst_end(event: Event, case: Case) -> datetime:
    return due(event.at, case.rules.dialogue.burst, case.rules.calendar).at


def thread_line(
    events: Sequence[Event], seq: int, case: Case, texts: StaffTexts
) -> tuple[str, datetime] | None:
    """The line for this event and when it may be posted; None if the line of another event includes it.

    Forty messages in three minutes are one line, which belongs to the last of them.
    """
    run = message_run(events, seq, case)
    last = run[-1]
    if last.verb in NOT_IN_THREAD or last.seq != seq:
        return None
    if not _is_message(last):
        return event_line(last, case, texts), last.at
    first = texts.clock(run[0].at, case.rules.calendar.zone)
    until = texts.clock(last.at, case.rules.calendar.zone)
    span = first if first == until else f"{first}–{until}"
    return texts.text("thread.wrote", number=len(run), when=span), _burst_end(last, case)
