"""Opening the store for one command, with settings read from where the options say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from amends.keys import keyring
from amends.settings import Settings, load
from store.store import Store, open_store

Config = Annotated[
    Path | None, typer.Option("--config", help="amends.toml; else AMENDS_CONFIG, else ./amends.toml.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Reference = Annotated[str, typer.Argument(help="A reference such as A7K-M3Q-9T, in any case and spacing.")]


@contextmanager
def opened(config: Path | None) -> Iterator[tuple[Settings, Store]]:
    """Settings and an open store, closed afterwards."""
    settings = load(config)
    store = open_store(settings.secrets.database_url, keyring(settings))
    try:
        yield settings, store
    finally:
        store.close()
