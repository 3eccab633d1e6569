"""The remedy that a story asks for in so many words: neither refused, nor denied, nor told of others (Annex E)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from triage.details.detail import Detail, Story
from triage.language_tables import any_of, read_phrases

#: How far before and after a wish the words may stand that make it somebody's report.
_NEAR = 24
#: Wishes that hold a "why" or a "never again" themselves.
_NEGATIVE = frozenset({"explanation", "a_change"})


@dataclass(frozen=True, slots=True)
class _Table:
    ways: tuple[tuple[str, re.Pattern[str]], ...]
    declined: re.Pattern[str]
    before: re.Pattern[str]
    after: re.Pattern[str]


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{text})(?![^\W_])")


@lru_cache(maxsize=8)
def _table(language: str) -> _Table:
    table = read_phrases("details", language)["remedies"]
    ways = []
    for remedy, things in table["objects"].items():
        if table["asks"].strip():
            gap = r"\b[^.!?;\n]{1,26}?(?<![^\W_])"
            ways.append((remedy, _pattern(any_of(table["asks"]) + gap + any_of(things))))
        if table["asks_after"].strip():
            gap = r"[^.!?;\n]{1,26}?"
            ways.append((remedy, _pattern(any_of(things) + gap + any_of(table["asks_after"]))))
    ways += [(remedy, _pattern(any_of(said))) for remedy, said in table["direct"].items()]
    before = rf"(?<![^\W_]){any_of(table['reported_before'])},?\s{{1,3}}$"
    return _Table(
        tuple(ways),
        _pattern(any_of(table["declined"])),
        re.compile(before),
        re.compile(rf",?\s{{1,3}}{any_of(table['reported_after'])}(?![^\W_])"),
    )


def wishes(story: Story, language: str) -> Iterator[Detail]:
    """The remedies asked for, by their codes."""
    table, folded = _table(language), story.folded.text
    for remedy, pattern in table.ways:
        for hit in pattern.finditer(folded):
            start, end = hit.span()
            declined = remedy not in _NEGATIVE and table.declined.search(hit.group())
            reported = table.before.search(folded[max(0, start - _NEAR) : start])
            if not declined and not reported and not table.after.match(folded, end):
                yield story.detail("remedy", remedy, start, end)
