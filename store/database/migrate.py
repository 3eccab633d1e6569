"""Migrate the tables with Alembic, and refuse tables that do not fit this release."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, create_engine, inspect
from sqlalchemy.pool import NullPool

from store.database.engine import CONNECTION_TIMEOUTS, database_url
from store.database.errors import WrongSchemaVersion, database_errors
from store.database.schema import require_known_schema

# Alembic is imported where tables change: every other command would load it and all migrations to open the record.
if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_MIGRATIONS = Path(__file__).parents[1] / "migrations"
_REVISION = re.compile(r'^(revision|down_revision) = "(\w+)"$', re.MULTILINE)
_NEWER = "The database is of a newer release (its tables are at {revision}): install that release."


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`; repeating it changes nothing.

    Raises DatabaseUnavailable, or WrongSchemaVersion if the tables are of a newer release.
    """
    from alembic import command

    with database_errors():
        status = schema_status(url)
        if status.is_newer:
            raise WrongSchemaVersion(_NEWER.format(revision=status.revision))
        command.upgrade(_config(url), revision)


def ensure_tables(url: str) -> None:
    """Create the tables in an empty database; WrongSchemaVersion or AlteredSchema if the desk cannot work on them."""
    with database_errors():
        empty = not inspect(_engine(url)).get_table_names()
    if empty:
        upgrade(url)
    require_current(url)
    require_known(url)


def require_known(url: str) -> None:
    """Raise AlteredSchema unless tables, triggers, views and indexes are those of the migrations."""
    with database_errors(), _engine(url).connect() as connection:
        require_known_schema(connection)


def downgrade(url: str, revision: str) -> None:
    """Migrate down to `revision` ("base": no tables)."""
    from alembic import command

    command.downgrade(_config(url), revision)


@dataclass(frozen=True)
class SchemaStatus:
    """The revision of the tables (None: no tables yet) and that of this release.

    `revisions` are all revisions of this release. `serves_from` is the last revision of the oldest release that may
    work on the tables.
    """

    revision: str | None
    own_revision: str
    revisions: frozenset[str]
    serves_from: str | None

    @property
    def is_current(self) -> bool:
        """True if the tables are those of this release."""
        return self.revision == self.own_revision

    @property
    def is_newer(self) -> bool:
        """True if a later release migrated the tables."""
        return self.revision is not None and self.revision not in self.revisions

    @property
    def serves(self) -> bool:
        """True if this release may work on the tables: its own, or a later release only added to them."""
        if self.is_newer:
            return self.serves_from is not None and self.serves_from <= self.own_revision
        return self.is_current


def schema_status(url: str) -> SchemaStatus:
    """Read the revision of the tables; raises DatabaseUnavailable."""
    own_revision, revisions = _revisions()
    if _is_new_file(url):
        # Connecting would create the file.
        return SchemaStatus(None, own_revision, revisions, None)
    with database_errors(), _engine(url).connect() as connection:
        row: Mapping[Any, Any] = {}
        if inspect(connection).has_table("alembic_version"):
            # The revision, and the oldest release that may work on these tables. Another program that uses Alembic
            # has such a table too, without our column.
            row = connection.exec_driver_sql("SELECT * FROM alembic_version").mappings().first() or {}
    return SchemaStatus(row.get("version_num"), own_revision, revisions, row.get("serves_from"))


def require_current(url: str) -> None:
    """Raise WrongSchemaVersion unless this release may work on the tables."""
    status = schema_status(url)
    if status.is_newer and not status.serves:
        raise WrongSchemaVersion(_NEWER.format(revision=status.revision))
    if status.revision is None:
        raise WrongSchemaVersion(
            "The database has no tables yet: the first `amends run` makes them, or `amends db upgrade` now."
        )
    if not status.serves:
        raise WrongSchemaVersion("The database is not at this release: run `amends db upgrade`.")


def migration_scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory(str(_MIGRATIONS))


@cache
def _revisions() -> tuple[str, frozenset[str]]:
    """The last revision of this release, and all its revisions, read from the text of the migrations.

    Importing them takes most of the time that opening a database does.
    """
    before: dict[str, str | None] = {}
    for file in (_MIGRATIONS / "versions").glob("*.py"):
        ids = dict(_REVISION.findall(file.read_text(encoding="utf-8")))
        before[ids["revision"]] = ids.get("down_revision")
    (last,) = before.keys() - set(before.values())
    return last, frozenset(before)


def _engine(url: str) -> Engine:
    parsed = database_url(url)
    timeouts = {} if parsed.get_backend_name() == "sqlite" else CONNECTION_TIMEOUTS
    # It keeps no connection, so it needs no `dispose`.
    return create_engine(parsed, connect_args=timeouts, poolclass=NullPool)


def _is_new_file(url: str) -> bool:
    """True for a SQLite file that does not exist yet, in a folder that exists."""
    parsed = database_url(url)
    if parsed.get_backend_name() != "sqlite" or str(parsed.database).startswith("file:"):
        return False
    file = Path(str(parsed.database))
    return file.parent.is_dir() and not file.exists()


def _config(url: str) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["url"] = database_url(url)
    return config
