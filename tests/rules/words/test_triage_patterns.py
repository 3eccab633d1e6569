"""The rule files themselves: every pattern can be found, compiled and read."""

from __future__ import annotations

import re

import pytest

from triage.matching import LANGUAGES, fold
from triage.safety.safety_rules import compile_pattern, compile_search, pattern_starts, read_rules

RULES = [
    pytest.param(rule, id=f"{language}-{rule.name}")
    for language in LANGUAGES
    for rule in read_rules(language)
]


@pytest.mark.parametrize("rule", RULES)
def test_every_pattern_compiles_and_can_be_reached(rule: object) -> None:
    for pattern in rule.patterns:  # type: ignore[attr-defined]
        assert pattern_starts(pattern)
        assert compile_pattern(pattern)
        assert "@" not in pattern
        assert fold(pattern).text == pattern.lower()
    for context in (rule.needs, rule.unless):  # type: ignore[attr-defined]
        assert not context or compile_search(context)


@pytest.mark.parametrize("pattern", ["", r"\w+ gas", "(?:a)?gas", "ga?", "ga", ".*"], ids=range(6))
def test_a_pattern_that_could_begin_anywhere_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="safety pattern"):
        pattern_starts(pattern)


def leading_keys(pattern: str) -> set[str]:
    return {start.key for start in pattern_starts(pattern)}


def test_the_keys_of_a_pattern_cover_every_alternative_at_its_beginning() -> None:
    assert leading_keys("(?:water|gas) leak") == {"wat", "gas"}
    assert leading_keys("(?<=on )fire") == {"fir"}
    assert leading_keys("ev(?:den|imizden) at") == {"evd", "evi"}
    assert leading_keys("su bas") == {"su"}
    assert leading_keys("child(?:ren)?") == {"chi"}


def test_a_space_in_a_pattern_matches_any_short_gap() -> None:
    pattern = compile_pattern("gas leak")
    assert all(pattern.match(text) for text in ("gas leak", "gas-leak", "gas  leak", "gas\tleak"))
    assert not pattern.match("gas\nleak")
    assert not pattern.match("gas leakage")
    assert not pattern.match("gas, then a leak")


def test_a_language_without_rules_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        read_rules("xx")


def test_no_pattern_has_catastrophic_backtracking() -> None:
    nested = re.compile(r"\((?:\?:)?[^()]*[+*]\)[+*]")
    for language in LANGUAGES:
        for rule in read_rules(language):
            assert [pattern for pattern in rule.patterns if nested.search(pattern)] == []
