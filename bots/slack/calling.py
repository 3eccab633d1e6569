"""People and days as they are typed after a slash command."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from complaints.errors import BadFacts
from store.values import Member

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{6,})")
#: Further ahead is a slip of the keyboard, or somebody who has left.
LONGEST_AWAY = timedelta(days=366)


def member_of(word: str, members: Iterable[Member]) -> Member | None:
    """Whom `<@U0000001|alice>`, `U0000001` or `@alice` means; None where nobody or several are meant."""
    known = list(members)
    found = _MENTION.fullmatch(word)
    if found is not None:
        number = found[1] or found[2]
        return next((one for one in known if one.id == number), None)
    name = word.lstrip("@").casefold()
    called = [
        one for one in known if name in {one.name.casefold(), *(each.casefold() for each in one.aliases)}
    ]
    first = [one for one in known if one.name.split()[:1] and one.name.split()[0].casefold() == name]
    for group in (called, first):
        if len(group) == 1:
            return group[0]
    return None


@dataclass(frozen=True)
class Away:
    """`away @burak until 2026-12-04 deputy @alice`, read; `until` is the day of return."""

    until: date
    who: str | None = None
    deputy: str | None = None


def read_away(said: str, members: Iterable[Member], today: date) -> Away:
    """Read what stands behind `away`: perhaps somebody else, `until DATE`, perhaps `deputy @somebody`.

    Raises BadFacts with a code of its own for each thing that cannot be read.
    """
    known = list(members)
    who: str | None = None
    deputy: str | None = None
    until: date | None = None
    role = "who"
    for word in said.split():
        if word.casefold() in ("until", "deputy", "to"):
            role = "until" if word.casefold() != "deputy" else "deputy"
            continue
        if role == "until":
            until = _day(word)
            role = "who"
            continue
        member = member_of(word, known)
        if member is None:
            raise BadFacts("That is nobody of the staff.", code="nobody_of_staff")
        who, deputy = (who, member.id) if role == "deputy" else (member.id, deputy)
        role = "who"
    if until is None:
        raise BadFacts("Say until when.", code="not_a_date")
    if not today < until <= today + LONGEST_AWAY:
        raise BadFacts("That day is over, or too far ahead.", code="away_when")
    return Away(until, who, deputy)


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError as wrong:
        raise BadFacts("That is no day: write it as 2026-12-04.", code="not_a_date") from wrong
