"""What comes from outside bodies, and the way to them where nobody here is independent (7.9, F)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bots.letters.writing import Letter, heading, parts


def concluded(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """The body decided, or we did what it decided: its decision stands above ours."""
    body = words.get("body", "").strip()
    if facts.get("event") == "complied":
        return letter.say("outside.complied", body=body)
    outcome = words.get("outcome", "").strip()
    by = facts.get("comply_by")
    owed = by and facts.get("complainant_accepts") != "no"
    return parts(
        letter.say("outside", body=body),
        heading(letter.say("outside.decided"), outcome) if outcome else "",
        letter.say("outside.above") if facts.get("overturned") == "yes" else "",
        letter.say("outside.by", date=letter.day(date.fromisoformat(str(by)))) if owed else "",
    )


def next_step(letter: Letter, step: int) -> str:
    """What the complainant refused from outside: the body that comes after it; `step` counts from 0."""
    one = letter.case.rules.recourse[step]
    return letter.say(
        "recourse.next", body=letter.step(step + 1, one.body, one.contact, free=one.free, limit=one.limit)
    )


def no_independent(letter: Letter) -> str:
    """Everybody who could decide it is part of the matter: the outside is open at once."""
    return letter.say("recourse.no_independent", bodies=letter.bodies())
