"""What a safety rule is, and how the rules of a language are read from its file in `triage/signs`.

The patterns of rules, found by the words they can begin with, so that one word of a text tries few of them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns that raise severity (1-5) and safety (0-3) of clause 7.5; never lower them.

    See `triage/signs/README.md` for the patterns and the switches, from `negatable` to `conditional`.
    `language` says whose words may deny or doubt them; it is empty for signs of no known language.
    """

    name: str
    kind: str
    severity: int
    safety: int
    danger: bool
    patterns: tuple[str, ...]
    needs: str = ""
    unless: str = ""
    negatable: bool = True
    possible: bool = True
    suspicion: bool = False
    conditional: bool = False
    language: str = ""


# No line break: it ends a sentence, and what follows on a new line must not change what was found before it.
_GAP = r"[\x20\t\-_'\"*/]{1,3}"
# Letters that lead from a word to its patterns.
KEY = 3
_BEHIND = re.compile(r"\(\?<[=!](?:[^()\\]|\\.)*\)")


def _spaced(pattern: str) -> str:
    return pattern.replace(" ?", f"(?:{_GAP})?").replace(" ", _GAP)


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern as it matches at the start of a word; compiled on first need: one text meets few."""
    pieces, place = [], 0
    for behind in _BEHIND.finditer(pattern):
        # A look-behind has a fixed width, so a space in it is one character of a gap.
        pieces += [_spaced(pattern[place : behind.start()]), behind.group().replace(" ", r"[\x20\t\-_']")]
        place = behind.end()
    pieces.append(_spaced(pattern[place:]))
    return re.compile("(?:" + "".join(pieces) + r")(?![^\W_])", re.MULTILINE)


@lru_cache(maxsize=1024)
def compile_search(pattern: str) -> re.Pattern[str]:
    """`needs` or `unless` as they are searched for in a sentence."""
    return re.compile(r"\b(?:" + _spaced(pattern) + ")")


def _alternatives(group: str) -> list[str]:
    parts, depth, place = [], 0, 0
    for index, character in enumerate(group):
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            parts.append(group[place:index])
            place = index + 1
    return [*parts, group[place:]]


def _closing(pattern: str) -> int:
    depth = 0
    for index, character in enumerate(pattern):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return index
    raise ValueError(f"safety pattern {pattern!r} has an open bracket")


@dataclass(frozen=True, slots=True, order=True)
class PatternStart:
    """How a pattern begins: with the word `letters`, or, if not `whole`, with a word that begins so."""

    letters: str
    whole: bool

    @property
    def key(self) -> str:
        """The first three letters of the word, or the whole of a shorter one."""
        return self.letters[:KEY]


def leads(pattern: str) -> frozenset[PatternStart]:
    """The words a pattern can begin with, so that a word of a text leads to few patterns.

    Raises ValueError for a pattern that does not begin with three plain letters or a whole short word.
    """
    bare = pattern
    while behind := _BEHIND.match(bare):
        bare = bare[behind.end() :]
    if bare.startswith("(?:"):
        end = _closing(bare)
        rest = bare[end + 1 :]
        if rest[:1] in ("?", "*", "{"):
            raise ValueError(f"safety pattern {pattern!r} must not begin with something optional")
        return frozenset(lead for part in _alternatives(bare[3:end]) for lead in leads(part + rest))
    found = re.match(r"[a-z0-9]+", bare)
    letters = found.group() if found else ""
    rest = bare[len(letters) :]
    if rest[:1] in ("?", "*", "{"):
        letters, rest = letters[:-1], "?"
    if len(letters) >= KEY:
        # " ?" is a gap that a compound does without: "gas ?geruch".
        return frozenset([PatternStart(letters, not rest or (rest[0] in " '" and rest[1:2] != "?"))])
    if letters and rest[:1] in (" ", "'"):
        return frozenset([PatternStart(letters, True)])
    if letters and rest[:1] in ("(", "["):
        return _short_leads(pattern, letters, rest)
    raise ValueError(f"safety pattern {pattern!r} must begin with three plain letters or a whole short word")


def leading_keys(pattern: str) -> frozenset[str]:
    """The first three letters of the words a pattern can begin with; raises ValueError as `leads` does."""
    return frozenset(lead.key for lead in leads(pattern))


def _short_leads(pattern: str, letters: str, rest: str) -> frozenset[PatternStart]:
    """How a pattern such as `ev(?:den|imizden)` begins, whose first letters end in a choice."""
    if rest.startswith("(?:"):
        end = _closing(rest)
        if rest[end + 1 : end + 2] not in ("?", "*", "{"):
            parts = _alternatives(rest[3:end])
            return frozenset(lead for part in parts for lead in leads(letters + part + rest[end + 1 :]))
    raise ValueError(f"safety pattern {pattern!r} must begin with three plain letters or a whole short word")


def _lines(value: str, words: dict[str, str]) -> list[str]:
    for name, meaning in words.items():
        value = value.replace(f"@{name}@", meaning)
    return [line for line in (line.strip() for line in value.splitlines()) if line]


def _read(entry: dict[str, Any], words: dict[str, str], language: str) -> Rule:
    rest = {key: value for key, value in entry.items() if key not in ("patterns", "needs", "unless")}
    return Rule(
        **rest,
        patterns=tuple(_lines(entry["patterns"], words)),
        needs="|".join(_lines(entry.get("needs", ""), words)),
        unless="|".join(_lines(entry.get("unless", ""), words)),
        language=language,
    )


def read_rules(language: str) -> tuple[Rule, ...]:
    """The rules of a language from its file; raises FileNotFoundError where there is none."""
    text = resources.files("triage").joinpath("signs", f"{language}.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    own = language.rpartition("_")[2]
    return tuple(_read(entry, table.get("words", {}), own) for entry in table["rule"])


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
