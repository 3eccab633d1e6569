"""A fresh installation with its database, for tests of the commands that read the record; others make their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from amends.init import InitAnswers, write_installation
from amends.settings import load
from store.database.keyring import Keyring
from tests.databases import FakeClock, opened
from tests.edges.desk import Desk
from tests.edges.product import Product
from triage.proposal import load_phrases_and_languages
from triage.reader.danger import danger_reader

ANSWERS = InitAnswers(name="Northwind Water", country="GB", timezone="Europe/London", languages=("en", "tr"))


@pytest.fixture(scope="session", autouse=True)
def _loaded_reader() -> None:
    """What a desk loads before it takes messages. With scikit-learn, a desk in this process starts no child."""
    danger_reader()
    load_phrases_and_languages()


@pytest.fixture
def product(tmp_path: Path, usual_url: str) -> Product:
    """An installation with a migrated database."""
    return Product(tmp_path, {"AMENDS_DATABASE_URL": usual_url})


@pytest.fixture
def place(tmp_path: Path, usual_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fresh installation with its database; its amends.toml."""
    folder = tmp_path / "desk"
    write_installation(folder, ANSWERS)
    monkeypatch.setenv("AMENDS_DATABASE_URL", usual_url)
    return folder / "amends.toml"


@pytest.fixture
def desk(place: Path, usual_url: str, clock: FakeClock) -> Iterator[Desk]:
    """The desk that the installation's database belongs to, on 3 November 2026."""
    with opened(usual_url, clock, Keyring(load(place).secrets.keys())) as store:
        yield Desk(store)
