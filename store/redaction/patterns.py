"""The table of what the masks search for, `patterns.toml`, and its patterns."""

import re
import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any


@lru_cache(maxsize=1)
def read_patterns() -> dict[str, Any]:
    file = resources.files("store").joinpath("redaction", "patterns.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


@lru_cache(maxsize=16)
def word_list(name: str) -> frozenset[str]:
    return frozenset(read_patterns()[name].split())


@lru_cache(maxsize=16)
def patterns(name: str) -> tuple[re.Pattern[str], ...]:
    """The lines of this name, compiled."""
    return tuple(re.compile(line) for line in _lines(name))


@lru_cache(maxsize=16)
def pattern(name: str) -> re.Pattern[str]:
    """One pattern that matches any of the lines of this name."""
    return re.compile("|".join(_lines(name)))


def _lines(name: str) -> list[str]:
    text, parts = read_patterns()[name], read_patterns()["parts"]
    part = re.compile("|".join(f"{{{name}}}" for name in parts))
    while part.search(text):
        text = part.sub(lambda match: parts[match.group()[1:-1]], text)
    return [line for line in text.split("\n") if line]
