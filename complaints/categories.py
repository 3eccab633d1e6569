"""Which categories a complaint may have: those of Annex D and our own four, and an organisation's own.

An organisation's own stand beside the others and never replace them: some of those have duties of their own
(staff conduct, handling, discrimination, privacy, safety), which no other name may hide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from complaints.errors import BadFacts
from complaints.rulebook import Rulebook
from complaints.vocabulary import Category

CODE = re.compile(r"[a-z][a-z0-9_]{1,39}")
"""What the code of a category looks like, in events, reports and examples."""


def is_code(value: Any) -> bool:
    """True for what could be a category under some rulebook."""
    return isinstance(value, str) and CODE.fullmatch(value) is not None


def categories_of(rules: Rulebook) -> tuple[str, ...]:
    """Every category under these rules, an organisation's own before "other"."""
    ours = tuple(one.value for one in Category if one is not Category.OTHER)
    return (*ours, *rules.categories, Category.OTHER.value)


def need_known(facts: Mapping[str, Any], rules: Rulebook) -> None:
    """Raise BadFacts where facts name a category that the complaint's rules do not have (7.5)."""
    known = categories_of(rules)
    for path, code in _named(facts):
        if code not in known:
            raise BadFacts(
                f"'{path}' is no category under the rules of this complaint: choose one of {', '.join(known)}.",
                field=path,
                code="not_an_option",
            )


def _named(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if facts.get("category") is not None:
        yield "category", facts["category"]
    for group in ("issues", "alternatives"):
        rows = facts.get(group)
        for number, row in enumerate(rows if isinstance(rows, list | tuple) else ()):
            if isinstance(row, Mapping) and row.get("category") is not None:
                yield f"{group}.{number}.category", row["category"]
