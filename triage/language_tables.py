"""The tables in `triage/phrases`, read and compiled to patterns: a new language is a file, not code."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any

LANGUAGES = ("en", "tr", "de", "es")


@lru_cache(maxsize=32)
def read_phrases(subject: str, language: str) -> dict[str, Any]:
    """The table of a subject in a language. Raises FileNotFoundError where there is none."""
    file = resources.files("triage").joinpath("phrases", f"{subject}_{language}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def languages_of(language: str | None) -> tuple[str, ...]:
    """The languages whose tables apply to a text: its own, or all where it has no tables or is not known."""
    return (language,) if language in LANGUAGES else LANGUAGES


def lines_of(text: str) -> list[str]:
    """The patterns of a text, one per line, without blank lines."""
    return [line for line in (line.strip() for line in text.splitlines()) if line]


def spaced(pattern: str) -> str:
    """The pattern with each space replaced by a short gap of white space."""
    return pattern.replace(" ?", r"\s{0,3}").replace(" ", r"\s{1,3}")


def any_of(text: str) -> str:
    """One pattern that matches any of the lines."""
    return "(?:" + "|".join(spaced(line) for line in lines_of(text)) + ")"


@lru_cache(maxsize=512)
def whole_words(text: str) -> re.Pattern[str]:
    """The lines as one compiled pattern that matches whole words of a folded text."""
    return re.compile(r"(?<![^\W_])" + any_of(text) + r"(?![^\W_])")
