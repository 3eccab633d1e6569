"""Reads people and days from the arguments of a slash command."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from complaints.errors import BadFacts
from store.values import Member

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{6,})")

#: A longer absence is a typing error, or the person has left.
MAX_ABSENCE = timedelta(days=366)


def require_member(word: str, members: Iterable[Member]) -> Member:
    """The member of staff with this name or id. Raises BadFacts for no member, or for several."""
    member = member_of(word, members)
    if member is None:
        raise BadFacts("That names nobody of the staff.", code="nobody_of_staff")
    return member


def member_of(word: str, members: Iterable[Member]) -> Member | None:
    """The member that `<@U0000001|alice>`, `U0000001` or `@alice` names; None for no member, or for several."""
    staff = list(members)
    match = _MENTION.fullmatch(word)
    if match is not None:
        member_id = match[1] or match[2]
        return next((member for member in staff if member.id == member_id), None)
    name = word.lstrip("@").casefold()
    by_name = [
        member
        for member in staff
        if name in {member.name.casefold(), *(alias.casefold() for alias in member.aliases)}
    ]
    by_first_name = [member for member in staff if member.name.casefold().split()[:1] == [name]]
    for group in (by_name, by_first_name):
        if len(group) == 1:
            return group[0]
    return None


@dataclass(frozen=True)
class Away:
    """`away @burak until 2026-12-04 deputy @alice`: `until` is the day of return, `member_id` is None for oneself."""

    until: date
    member_id: str | None = None
    deputy: str | None = None


def read_away(arguments: str, members: Iterable[Member], today: date) -> Away:
    """Read what follows `away`: optionally another person, `until DATE`, optionally `deputy @NAME`.

    Raises BadFacts with a code of its own for each thing that cannot be read.
    """
    staff = list(members)
    member_id: str | None = None
    deputy: str | None = None
    until: date | None = None
    expected = "member"
    for word in arguments.split():
        match word.casefold():
            case "until" | "to":
                expected = "day"
                continue
            case "deputy":
                expected = "deputy"
                continue
        if expected == "day":
            until = _day(word)
        elif expected == "deputy":
            deputy = require_member(word, staff).id
        else:
            member_id = require_member(word, staff).id
        expected = "member"
    if until is None:
        raise BadFacts("Say until when.", code="not_a_date")
    if not today < until <= today + MAX_ABSENCE:
        raise BadFacts("That day is over, or too far ahead.", code="away_when")
    return Away(until, member_id, deputy)


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError as wrong:
        raise BadFacts("That is no day: write it as 2026-12-04.", code="not_a_date") from wrong
