"""The table of what the masks search for: `patterns.toml`."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any


@lru_cache(maxsize=1)
def read_patterns() -> dict[str, Any]:
    file = resources.files("store").joinpath("redaction", "patterns.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
