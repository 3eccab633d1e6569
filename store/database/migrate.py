"""Bringing the tables to this release, and refusing to work on others (Alembic)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Engine, MetaData, String, Table, create_engine, inspect, select

from store.database.engine import ANSWERS_IN, database_url
from store.database.errors import WrongSchemaVersion, database_errors

_HERE = Path(__file__).parents[1] / "migrations"
#: One row: the revision, and the oldest release that may work on these tables.
_VERSION = Table("alembic_version", MetaData(), Column("version_num", String), Column("serves_from", String))
_NEWER = "The database is of a newer release (its tables are at {revision}): install that release."


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`; repeating it changes nothing.

    DatabaseAway where it does not answer; NotMigrated where the tables are of a newer release than this.
    """
    with database_errors():
        found = schema_status(url)
        if found.is_newer:
            raise WrongSchemaVersion(_NEWER.format(revision=found.revision))
        command.upgrade(_config(url), revision)


def begin(url: str) -> None:
    """Make the tables where there are none at all; NotMigrated where this release cannot work on them."""
    engine = _engine(url)
    try:
        with database_errors():
            empty = not inspect(engine).get_table_names()
    finally:
        engine.dispose()
    if empty:
        upgrade(url)
    require_current(url)


def downgrade(url: str, revision: str) -> None:
    """Migrate back down to `revision` ("base": no tables at all)."""
    command.downgrade(_config(url), revision)


@dataclass(frozen=True)
class SchemaStatus:
    """At which revision the tables are, beside that of this release; None: there are none yet.

    `serves_from` is the oldest release that may work on them, by its last revision.
    """

    revision: str | None
    ours: str
    known: frozenset[str]
    serves_from: str | None

    @property
    def is_current(self) -> bool:
        """They are those of this release."""
        return self.revision == self.ours

    @property
    def is_newer(self) -> bool:
        """A later release was here."""
        return self.revision is not None and self.revision not in self.known

    @property
    def serves(self) -> bool:
        """This release may work on them: they are its own, or a later release only added to them."""
        if self.is_newer:
            return self.serves_from is not None and self.serves_from <= self.ours
        return self.is_current


def schema_status(url: str) -> SchemaStatus:
    """Where the tables stand; DatabaseAway where the database does not answer."""
    ours, known = _revisions()
    if _is_new_file(url):
        # Looking at it must not make it.
        return SchemaStatus(None, ours, known, None)
    engine = _engine(url)
    try:
        with database_errors(), engine.connect() as connection:
            revision = MigrationContext.configure(connection).get_current_revision()
            columns = set()
            if revision is not None:
                columns = {one["name"] for one in inspect(connection).get_columns("alembic_version")}
            floor = None
            if "serves_from" in columns:
                floor = connection.execute(select(_VERSION.c.serves_from)).scalar()
    finally:
        engine.dispose()
    return SchemaStatus(revision, ours, known, floor)


def require_current(url: str) -> None:
    """NotMigrated unless this release may work on the tables as they are."""
    found = schema_status(url)
    if found.is_newer and not found.serves:
        raise WrongSchemaVersion(_NEWER.format(revision=found.revision))
    if found.revision is None:
        raise WrongSchemaVersion(
            "The database has no tables yet: the first `amends run` makes them, or `amends db upgrade` now."
        )
    if not found.serves:
        raise WrongSchemaVersion("The database is not at this release: run `amends db upgrade`.")


@cache
def _revisions() -> tuple[str, frozenset[str]]:
    """The last revision of this release, and all that it knows.

    Read once: loading every migration takes most of the time that opening a database does.
    """
    script = ScriptDirectory(str(_HERE))
    return str(script.get_current_head()), frozenset(one.revision for one in script.walk_revisions())


def _engine(url: str) -> Engine:
    parsed = database_url(url)
    return create_engine(parsed, connect_args={} if parsed.get_backend_name() == "sqlite" else ANSWERS_IN)


def _is_new_file(url: str) -> bool:
    """A file of SQLite's that a first start would make, in a folder that is there."""
    parsed = database_url(url)
    if parsed.get_backend_name() != "sqlite" or str(parsed.database).startswith("file:"):
        return False
    file = Path(str(parsed.database))
    return file.parent.is_dir() and not file.exists()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.attributes["url"] = database_url(url)
    return config
