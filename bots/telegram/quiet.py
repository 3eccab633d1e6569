"""The complainant's quiet hours hold back what we begin, never what answers (surfaces.md, "Quiet hours")."""

from __future__ import annotations

from datetime import datetime

from complaints.record import Case
from complaints.worktime import due, quiet_until


def held_until(case: Case, now: datetime, *, answers: bool = False, closing: bool = False) -> datetime | None:
    """When a letter that we begin may leave; None: now.

    `answers` is a reply of staff, which leaves at once within half an hour of the person's last message.
    `closing` by the person's own act answers a press and is not held back.
    """
    rules = case.rules
    until = quiet_until(now, rules.dialogue.quiet_hours, rules.calendar.zone)
    if until <= now:
        return None
    if answers and case.last_words_at is not None:
        fresh = due(case.last_words_at, rules.dialogue.answer_at_once_within, rules.calendar).at
        if now <= fresh:
            return None
    return None if closing and case.close_code == "withdrawn" else until
