"""A desk on the database of an installation that the tests use through its command line."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from amends.settings import load, rulebook
from store.database.keyring import Keyring
from store.rulebooks import use_rulebook
from tests.databases import FakeClock, opened
from tests.edges.desk import Desk
from tests.edges.product import KEY, Product


@contextmanager
def desk_of(product: Product, at: datetime) -> Iterator[Desk]:
    """A desk that works on the installation's database, with the rules of its amends.toml."""
    keys = Keyring([base64.b64decode(KEY)])
    with opened(product.env["AMENDS_DATABASE_URL"], FakeClock(at), keys) as store:
        desk = Desk(store)
        store.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
        yield desk
