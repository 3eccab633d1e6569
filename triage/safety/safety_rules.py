"""Safety rules: read from `triage/signs`, compiled, and indexed by the words that a pattern can begin with.

The index makes each word of a text try only a few patterns.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from triage.matching import lines_of, read_table

# No line break: it ends a sentence, and a new line must not change what was found before it.
_GAP = r"[\x20\t\-_'\"*/]{1,3}"
KEY = 3
"""Letters of a word that lead to its patterns."""
_LOOK_BEHIND = re.compile(r"\(\?<[=!](?:[^()\\]|\\.)*\)")


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns that raise severity (1-5) and safety (0-3) of clause 7.5; they never lower them.

    `triage/signs/README.md` explains the patterns and the switches from `negatable` to `conditional`. `language` says
    whose words may deny or doubt the sign; "" means any language.
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


def read_rules(language: str) -> tuple[Rule, ...]:
    """The rules of a file in `triage/signs`, such as "en" or "asking_en". Raises FileNotFoundError without a file."""
    table = read_table("signs", f"{language}.toml")
    code = language.rpartition("_")[2]
    return tuple(_parse_rule(entry, table.get("words", {}), code) for entry in table["rule"])


def _parse_rule(entry: dict[str, Any], words: dict[str, str], language: str) -> Rule:
    values = {key: value for key, value in entry.items() if key not in ("patterns", "needs", "unless")}
    return Rule(
        **values,
        patterns=tuple(_lines(entry["patterns"], words)),
        needs="|".join(_lines(entry.get("needs", ""), words)),
        unless="|".join(_lines(entry.get("unless", ""), words)),
        language=language,
    )


def _lines(value: str, words: dict[str, str]) -> list[str]:
    for name, pattern in words.items():
        value = value.replace(f"@{name}@", pattern)
    return lines_of(value)


@cache
def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A pattern as it matches from the start of a word; compiled when first needed, because a text needs few."""
    parts, position = [], 0
    for look_behind in _LOOK_BEHIND.finditer(pattern):
        # A look-behind has a fixed width, so a space in it is one character of a gap.
        parts += [
            _spaced(pattern[position : look_behind.start()]),
            look_behind.group().replace(" ", r"[\x20\t\-_']"),
        ]
        position = look_behind.end()
    parts.append(_spaced(pattern[position:]))
    return re.compile("(?:" + "".join(parts) + r")(?![^\W_])", re.MULTILINE)


@lru_cache(maxsize=1024)
def compile_search(pattern: str) -> re.Pattern[str]:
    """`needs` or `unless` as they are searched for in a sentence."""
    return re.compile(r"(?:\b|\A)(?:" + _spaced(pattern) + ")")


def _spaced(pattern: str) -> str:
    return pattern.replace(" ?", f"(?:{_GAP})?").replace(" ", _GAP)


@dataclass(frozen=True, slots=True, order=True)
class PatternStart:
    """How a pattern begins: with the word `letters` if `whole`, otherwise with a word that begins with them."""

    letters: str
    whole: bool

    @property
    def key(self) -> str:
        return self.letters[:KEY]


def pattern_starts(pattern: str) -> frozenset[PatternStart]:
    """The words that a pattern can begin with.

    Raises ValueError for a pattern that does not begin with three plain letters or a whole short word.
    """
    bare = pattern
    while look_behind := _LOOK_BEHIND.match(bare):
        bare = bare[look_behind.end() :]
    if bare.startswith("(?:"):
        end = _closing_bracket(bare)
        rest = bare[end + 1 :]
        if rest[:1] in ("?", "*", "{"):
            raise ValueError(f"safety pattern {pattern!r} must not begin with something optional")
        return frozenset(
            start for part in _alternatives(bare[3:end]) for start in pattern_starts(part + rest)
        )
    match = re.match(r"[a-z0-9]+", bare)
    letters = match.group() if match else ""
    rest = bare[len(letters) :]
    if rest[:1] in ("?", "*", "{"):
        letters, rest = letters[:-1], "?"
    if len(letters) >= KEY:
        # " ?" is a gap that a compound does not have: "gas ?geruch".
        return frozenset([PatternStart(letters, not rest or (rest[0] in " '" and rest[1:2] != "?"))])
    if letters and rest[:1] in (" ", "'"):
        return frozenset([PatternStart(letters, True)])
    if letters and rest[:1] in ("(", "["):
        return _starts_with_choice(pattern, letters, rest)
    raise ValueError(f"safety pattern {pattern!r} must begin with three plain letters or a whole short word")


def _starts_with_choice(pattern: str, letters: str, rest: str) -> frozenset[PatternStart]:
    """The starts of a pattern such as `ev(?:den|imizden)`, whose first one or two letters precede a choice."""
    if rest.startswith("(?:"):
        end = _closing_bracket(rest)
        if rest[end + 1 : end + 2] not in ("?", "*", "{"):
            after = rest[end + 1 :]
            parts = _alternatives(rest[3:end])
            return frozenset(start for part in parts for start in pattern_starts(letters + part + after))
    raise ValueError(f"safety pattern {pattern!r} must begin with three plain letters or a whole short word")


def _alternatives(group: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, character in enumerate(group):
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            parts.append(group[start:index])
            start = index + 1
    return [*parts, group[start:]]


def _closing_bracket(pattern: str) -> int:
    depth = 0
    for index, character in enumerate(pattern):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return index
    raise ValueError(f"safety pattern {pattern!r} has an open bracket")


@dataclass(frozen=True, slots=True)
class Matcher:
    """One pattern of a rule. `order` is its position among all; `starts` are the first letters of its words."""

    order: int
    rule: Rule
    pattern: str | re.Pattern[str]
    starts: tuple[str, ...] = ()

    def match(self, folded: str, position: int) -> re.Match[str] | None:
        pattern = self.pattern if isinstance(self.pattern, re.Pattern) else compile_pattern(self.pattern)
        return pattern.match(folded, position)


@dataclass(frozen=True, slots=True)
class RuleIndex:
    """Patterns by the whole word that they begin with, or by the first letters of such words."""

    by_word: dict[str, list[Matcher]] = field(default_factory=dict)
    by_letters: dict[str, list[Matcher]] = field(default_factory=dict)

    def matchers(self, word: str) -> list[Matcher]:
        """The patterns to try at a word, in the order of their files."""
        by_word = self.by_word.get(word, [])
        by_letters = [
            matcher for matcher in self.by_letters.get(word[:KEY], ()) if word.startswith(matcher.starts)
        ]
        if by_word and by_letters:
            return sorted([*by_word, *by_letters], key=lambda matcher: matcher.order)
        return by_word or by_letters


def index_rules(rules: Iterable[Rule]) -> RuleIndex:
    index = RuleIndex()
    patterns = ((rule, pattern) for rule in rules for pattern in rule.patterns)
    for order, (rule, pattern) in enumerate(patterns):
        letters_by_key: dict[str, list[str]] = {}
        for start in sorted(pattern_starts(pattern)):
            if start.whole:
                index.by_word.setdefault(start.letters, []).append(Matcher(order, rule, pattern))
            else:
                letters_by_key.setdefault(start.key, []).append(start.letters)
        for key, letters in letters_by_key.items():
            index.by_letters.setdefault(key, []).append(Matcher(order, rule, pattern, tuple(letters)))
    return index
