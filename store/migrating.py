"""Bringing the tables to this release, and refusing to work on others (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine

from store.engines import database_url
from store.errors import NotMigrated

_HERE = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`; repeating it changes nothing."""
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Migrate back down to `revision` ("base": no tables at all)."""
    command.downgrade(_config(url), revision)


def is_current(url: str) -> bool:
    """True when the tables are those of this release."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
    finally:
        engine.dispose()
    return set(found) == set(ScriptDirectory.from_config(_config(url)).get_heads())


def require_current(url: str) -> None:
    """NotMigrated unless `is_current`."""
    if not is_current(url):
        raise NotMigrated("The database is not at this release: run `amends db upgrade`.")


def _engine(url: str) -> Engine:
    return create_engine(database_url(url))


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["url"] = database_url(url)
    return config
