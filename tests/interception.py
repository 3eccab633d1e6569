"""Let one function of the store fail, wait or lie, while the store itself stays real."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from store.store import Store


def replace_in_store(
    monkeypatch: pytest.MonkeyPatch,
    store: Store,
    function: Callable[..., Any],
    replacement: Callable[..., Any],
) -> None:
    """Where the store is asked to run `function`, call `replacement` with its arguments (without `tx`)."""
    for way in ("read", "write"):
        real = getattr(store, way)

        def call(run: Callable[..., Any], /, *args: Any, _real: Any = real, **named: Any) -> Any:
            return replacement(*args, **named) if run is function else _real(run, *args, **named)

        monkeypatch.setattr(store, way, call)
