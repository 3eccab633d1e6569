"""One line in the thread for what happened: verb, who, when, how many messages; never words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.slack.voice import Voice
from complaints.actions.intake import RETURNED
from complaints.case import Case, Event
from complaints.deadlines.working_time import due
from complaints.vocabulary import Role, Verb

#: What the card itself shows at once, and what is of no use to the people in the thread.
SILENT: frozenset[Verb] = frozenset({Verb.RECEIVE, Verb.PROPOSE, Verb.CONFIRM, Verb.END_FORM, Verb.SURVEY})
_WORDS: frozenset[Verb] = frozenset({Verb.ADD, Verb.ANSWER})


def _wrote(event: Event) -> bool:
    return event.verb in _WORDS and event.facts.get("kind") != RETURNED


def event_line(event: Event, case: Case, voice: Voice) -> str:
    """`Assessed · @alice · Wed 4 Nov, 10:15`."""
    when = voice.moment(event.at, case.rules.calendar.zone)
    done = "did.extend_asked" if event.facts.get("asks") else f"did.{event.verb.value}"
    who = voice.who(event.by, case)
    if event.role is Role.COMPLAINANT:
        # Whoever handed it to a chat is no longer the person of the complaint, and still no staff.
        who = voice.say("who.complainant")
        done = "did.bound" if event.verb is Verb.BIND else done
        done = "did.returned" if event.verb in _WORDS else done
    return voice.say("thread.line", did=voice.say(done), who=who, when=when)


def run_of(events: Sequence[Event], seq: int, case: Case) -> list[Event]:
    """The run of the complainant's messages that this event belongs to, no longer apart than a burst."""
    at = next(n for n, one in enumerate(events) if one.seq == seq)
    if not _wrote(events[at]):
        return [events[at]]
    first = last = at
    while first > 0 and _together(events[first - 1], events[first], case):
        first -= 1
    while last < len(events) - 1 and _together(events[last], events[last + 1], case):
        last += 1
    return list(events[first : last + 1])


def _together(one: Event, other: Event, case: Case) -> bool:
    return _wrote(one) and _wrote(other) and other.at <= _burst_end(one, case)


def _burst_end(event: Event, case: Case) -> datetime:
    return due(event.at, case.rules.dialogue.burst, case.rules.calendar).at


def line_for(events: Sequence[Event], seq: int, case: Case, voice: Voice) -> tuple[str, datetime] | None:
    """The line that this event owes and when it may be written; None where another line tells of it.

    Forty messages in three minutes are one line: the last of a run speaks for all of it.
    """
    run = run_of(events, seq, case)
    last = run[-1]
    if last.verb in SILENT or last.seq != seq:
        return None
    if not _wrote(last):
        return event_line(last, case, voice), last.at
    first = voice.clock(run[0].at, case.rules.calendar.zone)
    until = voice.clock(last.at, case.rules.calendar.zone)
    span = first if first == until else f"{first}–{until}"
    return voice.say("thread.wrote", number=len(run), when=span), _burst_end(last, case)
