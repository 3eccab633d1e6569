"""The exact text of an act before it is done: shown to staff, stored with the act, sent as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bots.letters import decided, under_way
from bots.letters.writing import Letter
from bots.texts import Texts
from complaints.record import Case

#: Forms whose text goes to the complainant.
FORMS = frozenset({"reply", "ask", "inform", "resolve", "decide"})


def preview(
    form: str,
    case: Case,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    texts: Texts,
    now: datetime,
    language: str | None = None,
    told: Sequence[str] = (),
) -> str:
    """The letter of a filled form, as the complainant will read it; the store keeps it as words["letter"].

    `told` are the issues in words, from the assessment. Raises ValueError for a form that writes nothing.
    """
    letter = Letter(case, texts, texts.language(language or case.language))
    match form:
        case "reply":
            return under_way.reply(letter, words)
        case "ask":
            return under_way.ask(letter, words, facts["needed_by"])
        case "inform":
            return under_way.inform(letter, words, facts["next_date"])
        case "resolve":
            return decided.short(letter, facts, words)
        case "decide":
            return decided.full(letter, facts, words, told=told, now=now)
    raise ValueError(f"the form {form!r} writes nothing to the complainant")
