"""What each key of amends.toml means, with an example, from sections.toml."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel


@cache
def _tables() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    # Read when first asked: most commands show neither documentation nor a wrong value.
    return tomllib.loads(Path(__file__).with_name("sections.toml").read_text(encoding="utf-8"))


def _of_key(model: type[BaseModel], key: str) -> Mapping[str, Any]:
    """The entry of the class itself, or of the first one that it inherits from."""
    tables = _tables()
    return next(
        (tables[place.__name__][key] for place in model.__mro__ if key in tables.get(place.__name__, ())), {}
    )


def description(model: type[BaseModel], key: str) -> str:
    """What the key means; empty without an entry."""
    return str(_of_key(model, key).get("description", ""))


def example(model: type[BaseModel], key: str) -> Any:
    """A value as the file has it; None without an example."""
    return _of_key(model, key).get("example")
