"""What did not reach the complainant while no chat took it, owed anew once they are back (7.3).

A failed delivery names the duty that failed; a silence is the time from the first failure until they write or let
us in again. What a person of staff wrote is owed once more by its event; what follows from the state of the case
(a date that passed, the closing) goes on under another key. A survey, a courtesy, is never owed anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from complaints.case import Case, Event, changed
from complaints.case_values import Missed, Silence
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.timestamps import format_time, parse_time

#: Letters of one event: whatever came after it, they are still owed.
OF_ONE_EVENT: frozenset[str] = frozenset(
    {
        "letter",
        "dates",
        "confirmation",
        "remedy_notice",
        "outside",
        "next_recourse",
        "no_independent",
        "summary",
    }
)
#: Notices of how it stands, of which nothing in the record says that they arrived.
OF_THE_STATE: frozenset[str] = frozenset({"progress", "delay", "legal_passed", "reply_reminder", "closing"})

#: Stands among the facts of a letter that could not be brought when it was written.
LATE = "late"
_ANEW = re.compile(r":r\d+$")


def failing(key: str, kind: str, due: datetime, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a failed delivery says of its duty: more than its kind where it could be owed anew."""
    if kind not in OF_ONE_EVENT | OF_THE_STATE:
        return {"kind": kind}
    return {
        "kind": kind,
        "owed": {"key": _ANEW.sub("", key), "kind": kind, "due": format_time(due), "facts": dict(facts)},
    }


def silenced(case: Case, event: Event) -> tuple[Silence, ...]:
    """The silences of a case with this failure in the last of them.

    What earlier releases recorded begins none: what was told since then would be told twice.
    """
    if "kind" not in event.facts:
        return case.silences
    told = event.facts.get("owed")
    lost = (Missed(told["key"], told["kind"], parse_time(told["due"]), told["facts"]),) if told else ()
    last = _lasting(case)
    if last is not None:
        return (*case.silences[:-1], changed(last, missed=last.missed + lost))
    return (*case.silences, Silence(event.at, lost))


def heard_again(case: Case, event: Event) -> tuple[Silence, ...]:
    """The silences of a case whose last one this event ended."""
    last = _lasting(case)
    if last is None:
        return case.silences
    ended = changed(last, until=event.at, ended_by=event.seq, returns=case.returns + 1)
    return (*case.silences[:-1], ended)


def _lasting(case: Case) -> Silence | None:
    last = case.silences[-1] if case.silences else None
    return last if last is not None and last.until is None else None


def letters_again(case: Case, event: Event) -> Iterator[NewObligation]:
    """Once they are back: the letters that failed, by their old due times, so that they come in their order."""
    last = case.silences[-1] if case.silences else None
    if last is None or last.ended_by != event.seq:
        return
    for one in last.missed:
        if one.kind in OF_ONE_EVENT:
            yield NewObligation(
                _anew(one.key, last), one.kind, one.due, SendPriority.NOTICE, {**one.facts, LATE: True}
            )


def notices_again(case: Case, owed: Iterator[NewObligation]) -> Iterator[NewObligation]:
    """The same duties, those under a new key that failed in a silence or fell due in one."""
    if not case.silences:
        yield from owed
        return
    for one in owed:
        lost = next((gone for gone in reversed(case.silences) if _lost_in(gone, one)), None)
        yield one if lost is None else changed(one, key=_anew(one.key, lost))


def _lost_in(silence: Silence, one: NewObligation) -> bool:
    if one.kind not in OF_THE_STATE or silence.until is None:
        return False
    return silence.since <= one.due < silence.until or one.key in {lost.key for lost in silence.missed}


def _anew(key: str, silence: Silence) -> str:
    return f"{key}:r{silence.returns}"
