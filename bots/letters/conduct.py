"""Letters about the complainant's conduct: a warning, a limit on contact, and what became of it (4.3, 4.5)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from bots.letters.letter import Letter


def warning(letter: Letter, words: Mapping[str, str]) -> str:
    """What should change in the contact, in the words of staff; nothing is limited by it."""
    return letter.text(
        "conduct.warning", text=words["text"].strip(), team=letter.team, org=letter.organisation
    )


def limit(
    letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str], *, renewed: bool = False
) -> str:
    """What the limit names, until when and why, how to appeal, and what is never limited."""
    return letter.text(
        "conduct.renewed" if renewed else "conduct.limit",
        limits="\n".join(
            "• " + letter.text(f"conduct.limit.{name}", days=str(facts.get("reply_days") or ""))
            for name in facts["limits"]
        ),
        date=letter.due_day(date.fromisoformat(str(facts["until"]))),
        reason=words.get("reason", "").strip(),
        team=letter.team,
        org=letter.organisation,
    )


def reviewed(letter: Letter, outcome: str, words: Mapping[str, str]) -> str:
    """The limit stays after an appeal, or has ended: by a person, or on its last day."""
    in_force = letter.case.conduct.limit
    fields = {"reason": words.get("reason", "").strip(), "team": letter.team, "org": letter.organisation}
    if outcome == "kept" and in_force is not None:
        fields["date"] = letter.due_day(in_force.until)
    return letter.text(f"conduct.{outcome}", **fields)
