"""The remedies that a story asks for; not those that it refuses or reports from others (Annex E)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from triage.facts.fact import Story, StoryFact
from triage.language_tables import any_of, read_phrases

#: Characters before a wish in which words may show that it is only reported ("they said I want").
_CONTEXT = 24
#: Remedies whose words contain a negation ("why not", "never again").
_WITH_NEGATION = frozenset({"explanation", "a_change"})


@dataclass(frozen=True, slots=True)
class _WishPatterns:
    asked_for: tuple[tuple[str, re.Pattern[str]], ...]
    declined: re.Pattern[str]
    reported_before: re.Pattern[str]
    reported_after: re.Pattern[str]


def _whole_words(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{text})(?![^\W_])")


@lru_cache(maxsize=8)
def _patterns(language: str) -> _WishPatterns:
    table = read_phrases("facts", language)["remedies"]
    asked_for = []
    for remedy, things in table["objects"].items():
        if table["asks"].strip():
            gap = r"\b[^.!?;\n]{1,26}?(?<![^\W_])"
            asked_for.append((remedy, _whole_words(any_of(table["asks"]) + gap + any_of(things))))
        if table["asks_after"].strip():
            gap = r"[^.!?;\n]{1,26}?"
            asked_for.append((remedy, _whole_words(any_of(things) + gap + any_of(table["asks_after"]))))
    asked_for += [(remedy, _whole_words(any_of(phrases))) for remedy, phrases in table["direct"].items()]
    reported_before = rf"(?<![^\W_]){any_of(table['reported_before'])},?\s{{1,3}}$"
    return _WishPatterns(
        tuple(asked_for),
        _whole_words(any_of(table["declined"])),
        re.compile(reported_before),
        re.compile(rf",?\s{{1,3}}{any_of(table['reported_after'])}(?![^\W_])"),
    )


def wishes(story: Story, language: str) -> Iterator[StoryFact]:
    """The remedies that a story asks for, as their codes."""
    patterns, folded = _patterns(language), story.folded.text
    for remedy, pattern in patterns.asked_for:
        for match in pattern.finditer(folded):
            start, end = match.span()
            declined = remedy not in _WITH_NEGATION and patterns.declined.search(match.group())
            reported = patterns.reported_before.search(folded[max(0, start - _CONTEXT) : start])
            if not declined and not reported and not patterns.reported_after.match(folded, end):
                yield story.fact("remedy", remedy, start, end)
