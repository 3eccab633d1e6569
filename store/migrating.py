"""Bringing the tables to this release, and refusing to work on others (Alembic)."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect

from store.answering import answering
from store.engines import ANSWERS_IN, database_url
from store.errors import NotMigrated

_HERE = Path(__file__).parent / "migrations"


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`; repeating it changes nothing. DatabaseAway where it does not answer."""
    with answering():
        command.upgrade(_config(url), revision)


def begin(url: str) -> None:
    """Make the tables where there are none at all; NotMigrated where they are those of another release."""
    engine = _engine(url)
    try:
        with answering():
            empty = not inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if empty:
        upgrade(url)
    require_current(url)


def downgrade(url: str, revision: str) -> None:
    """Migrate back down to `revision` ("base": no tables at all)."""
    command.downgrade(_config(url), revision)


def is_current(url: str) -> bool:
    """True when the tables are those of this release; DatabaseAway where the database does not answer."""
    engine = _engine(url)
    try:
        with answering(), engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_heads()
    finally:
        engine.dispose()
    return set(found) == set(ScriptDirectory.from_config(_config(url)).get_heads())


def require_current(url: str) -> None:
    """NotMigrated unless `is_current`."""
    if not is_current(url):
        raise NotMigrated("The database is not at this release: run `amends db upgrade`.")


def _engine(url: str) -> Engine:
    parsed = database_url(url)
    return create_engine(parsed, connect_args={} if parsed.get_backend_name() == "sqlite" else ANSWERS_IN)


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["url"] = database_url(url)
    return config
