"""Letters about the complainant's conduct: a warning, a limit on contact, and what became of it (4.3, 4.5)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from bots.letters.letter import Letter


def warning(letter: Letter, words: Mapping[str, str]) -> str:
    """What should change in the contact, in the words of staff; nothing is limited by it."""
    return letter.text(
        "conduct.warning", text=words["text"].strip(), team=letter.signature, org=letter.organisation
    )


def limit(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str], outcome: str = "limit") -> str:
    """What the limit names, until when and why, and how to appeal; or how it was reviewed, or that it ended."""
    names = (
        "• " + letter.text(f"conduct.limit.{name}", days=str(facts.get("reply_days") or ""))
        for name in facts["limits"]
    )
    return letter.text(
        f"conduct.{outcome}",
        limits="\n".join(names),
        date=letter.due_day(date.fromisoformat(str(facts["until"]))),
        reason=words.get("reason", "").strip(),
        team=letter.signature,
        org=letter.organisation,
    )
