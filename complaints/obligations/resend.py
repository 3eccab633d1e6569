"""Letters to send again after a failed delivery, once the complainant can be reached (7.3).

A failed delivery names the obligation that failed. A silence lasts from the first failure until the complainant
writes or unblocks the bot. A letter of staff is scheduled once more for its event. A notice about the state of the
case (a date that passed, the closing) gets a new key. A survey is never sent again.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from complaints.case import Case, Event, changed
from complaints.case_values import FailedLetter, Silence
from complaints.obligations.kinds import NewObligation, kinds_that_are
from complaints.times import format_time, parse_time

#: Letters of one event: later events do not make them unnecessary.
OF_ONE_EVENT = kinds_that_are("of_event")
#: Notices about the state of the case; no event records that they arrived.
OF_THE_STATE = kinds_that_are("of_state")

#: The fact that marks a letter which could not be delivered when it was written.
LATE = "late"
_RESENT = re.compile(r":r\d+$")


def failed_delivery_facts(key: str, kind: str, due: datetime, facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of a failed delivery: the kind, and the whole obligation where it can be sent again."""
    if kind not in OF_ONE_EVENT | OF_THE_STATE:
        return {"kind": kind}
    return {
        "kind": kind,
        "owed": {"key": _RESENT.sub("", key), "kind": kind, "due": format_time(due), "facts": dict(facts)},
    }


def add_failed_delivery(case: Case, event: Event) -> tuple[Silence, ...]:
    """The silences of a case, with this failure added to the last one."""
    obligation = event.facts.get("owed")
    lost = (
        (
            FailedLetter(
                obligation["key"], obligation["kind"], parse_time(obligation["due"]), obligation["facts"]
            ),
        )
        if obligation
        else ()
    )
    last = _lasting(case)
    if last is not None:
        return (*case.silences[:-1], changed(last, missed=last.missed + lost))
    return (*case.silences, Silence(event.at, lost))


def end_last_silence(case: Case, event: Event) -> tuple[Silence, ...]:
    """The silences of a case after this event ended the last one."""
    last = _lasting(case)
    if last is None:
        return case.silences
    ended = changed(last, until=event.at, ended_by=event.seq, returns=case.returns + 1)
    return (*case.silences[:-1], ended)


def _lasting(case: Case) -> Silence | None:
    last = case.silences[-1] if case.silences else None
    return last if last is not None and last.until is None else None


def resent_letters(case: Case, event: Event) -> Iterator[NewObligation]:
    """The letters that failed, with their old due times, so that they leave in the original order."""
    last = case.silences[-1] if case.silences else None
    if last is None or last.ended_by != event.seq:
        return
    for letter in last.missed:
        if letter.kind in OF_ONE_EVENT:
            yield NewObligation(
                _resend_key(letter.key, last), letter.kind, letter.due, facts={**letter.facts, LATE: True}
            )


def with_resend_keys(case: Case, obligations: Iterator[NewObligation]) -> Iterator[NewObligation]:
    """The same obligations; a notice that failed or fell due in a silence gets a new key."""
    if not case.silences:
        yield from obligations
        return
    for obligation in obligations:
        silence = next(
            (silence for silence in reversed(case.silences) if _lost_in(silence, obligation)), None
        )
        yield obligation if silence is None else changed(obligation, key=_resend_key(obligation.key, silence))


def _lost_in(silence: Silence, obligation: NewObligation) -> bool:
    if obligation.kind not in OF_THE_STATE or silence.until is None:
        return False
    return silence.since <= obligation.due < silence.until or obligation.key in {
        lost.key for lost in silence.missed
    }


def _resend_key(key: str, silence: Silence) -> str:
    return f"{key}:r{silence.returns}"
