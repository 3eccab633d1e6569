"""The patterns of rules, found by the words they can begin with, so that one word of a text tries few of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from triage.rule import KEY, Rule, compile_pattern, leads


@dataclass(frozen=True, slots=True)
class Matcher:
    """A pattern of a rule; `order` is its place among all, `starts` what the words it may open begin with."""

    order: int
    rule: Rule
    pattern: str | re.Pattern[str]
    starts: tuple[str, ...] = ()

    def match(self, folded: str, place: int) -> re.Match[str] | None:
        pattern = self.pattern if isinstance(self.pattern, re.Pattern) else compile_pattern(self.pattern)
        return pattern.match(folded, place)


@dataclass(frozen=True, slots=True)
class Index:
    """Patterns by the whole word that they begin with, or by the first letters of the words they may."""

    by_word: dict[str, list[Matcher]] = field(default_factory=dict)
    by_letters: dict[str, list[Matcher]] = field(default_factory=dict)

    def at(self, word: str) -> list[Matcher]:
        """The patterns to try at a word, in the order of their files."""
        exact = self.by_word.get(word, [])
        begun = [one for one in self.by_letters.get(word[:KEY], ()) if word.startswith(one.starts)]
        return sorted([*exact, *begun], key=_order) if exact and begun else exact or begun


def _order(matcher: Matcher) -> int:
    return matcher.order


def index_of(rules: Iterable[Rule]) -> Index:
    """The patterns of rules by the letters that lead to them."""
    index = Index()
    patterns = ((rule, pattern) for rule in rules for pattern in rule.patterns)
    for order, (rule, pattern) in enumerate(patterns):
        starts: dict[str, list[str]] = {}
        for lead in sorted(leads(pattern)):
            if lead.whole:
                index.by_word.setdefault(lead.letters, []).append(Matcher(order, rule, pattern))
            else:
                starts.setdefault(lead.key, []).append(lead.letters)
        for key, letters in starts.items():
            index.by_letters.setdefault(key, []).append(Matcher(order, rule, pattern, tuple(letters)))
    return index
