"""When a letter that the organisation starts may leave: the complainant's quiet hours hold it back."""

from __future__ import annotations

from datetime import datetime

from complaints.case import Case
from complaints.deadlines.quiet_hours import quiet_until
from complaints.deadlines.working_time import due


def letter_held_until(
    case: Case, now: datetime, *, is_reply: bool = False, is_closing: bool = False
) -> datetime | None:
    """The end of the quiet hours that hold a letter back (UTC); None: it may leave now.

    `is_reply`: a reply, question or progress report of staff leaves at once within `answer_at_once_within` (half
    an hour by default) of the complainant's last message. `is_closing`: the closing letter answers a complainant
    who withdrew just now, so it is not held back.
    """
    dialogue, calendar = case.rules.dialogue, case.rules.calendar
    until = quiet_until(now, dialogue.quiet_hours, calendar.zone)
    if until <= now:
        return None
    answers_at_once_until = None
    if is_reply and case.last_words_at is not None:
        answers_at_once_until = due(case.last_words_at, dialogue.answer_at_once_within, calendar).at
    if answers_at_once_until is not None and now <= answers_at_once_until:
        return None
    if is_closing and case.close_code == "withdrawn":
        return None
    return until
