"""What a database needs apart from rows: tables, triggers, views and indexes, and a role with few rights.

They act inside the desk's own transactions: what a planted trigger does lacks the desk's signature, but what an
index or a view leaves out is not found.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from store.database.engine import database_url
from store.database.errors import AlteredSchema, StoreError, database_errors
from store.database.prepared import DriverCursor
from store.database.transaction import Tx

_FOLDER = Path(__file__).parents[1] / "migrations"
#: What a newer release may have changed, while this one still runs on its tables.
_CHANGED_BY_RELEASES = ("table", "index", "constraint", "default")


def list_objects(connection: Connection) -> dict[str, str]:
    """A hash of the definition of each object, by its kind, name and table."""
    return {
        f"{kind} {name}" + (f" on {table}" if table else ""): _digest(definition)
        for kind, name, table, definition in connection.exec_driver_sql(_files()[0][connection.dialect.name])
    }


def find_differences(connection: Connection) -> Iterator[tuple[str, str]]:
    """Each object that was added, changed or removed, and what is wrong with it."""
    present, release = list_objects(connection), _files()[1]
    expected: dict[str, str] = release[connection.dialect.name]
    tables = tuple(f" on {name.rpartition(' on ')[2]}" for name in expected)
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    for name in sorted(present.keys() | expected.keys()):
        if present.get(name) == expected.get(name):
            continue
        is_by_release = name.startswith(_CHANGED_BY_RELEASES) or (
            " on " in name and not name.endswith(tables)
        )
        if revision == release["revision"] or not is_by_release:
            yield name, "unknown" if name not in expected else "missing" if name not in present else "changed"


def require_known_schema(connection: Connection) -> None:
    """Raise AlteredSchema if anything differs.

    Read once for each connection, and on SQLite again whenever the schema changed: PostgreSQL would take too long.
    """
    version = 0
    if connection.dialect.name == "sqlite":
        with DriverCursor(connection) as cursor:
            version = cursor.execute("PRAGMA main.schema_version").fetchone()[0]
    if connection.info.get("schema_version") == version:
        return
    if differences := [f"{name} is {what}" for name, what in find_differences(connection)]:
        raise AlteredSchema(
            f"The database was changed by somebody else: {'; '.join(differences[:5])}. Nothing is written, because "
            'it acts in our transactions. See docs/operations.md, "The schema was changed".'
        )
    connection.info["schema_version"] = version


@cache
def _files() -> tuple[dict[str, str], dict[str, Any]]:
    """The queries, and the objects of this release by database."""
    queries, release = (_FOLDER / name for name in ("objects.toml", "schema.json"))
    return tomllib.loads(queries.read_text(encoding="utf-8")), json.loads(release.read_text(encoding="utf-8"))


def _digest(definition: str) -> str:
    """Databases and their releases differ in white space and quotes."""
    plain = "".join(definition.split()).replace('"', "")
    return hashlib.sha256(plain.encode()).hexdigest()[:32]


#: Nothing in these tables is ever changed. A table that this release does not have is left out.
APPEND_ONLY = frozenset(
    {
        "events", "journal", "log_leaves", "log_nodes", "log_checkpoints", "log_signatures", "reads", "attempts",
    }
)  # fmt: skip
_IS_POWERFUL = text(
    "SELECT rolsuper OR pg_has_role(rolname, current_user, 'USAGE') FROM pg_roles WHERE rolname = :role"
)
_GRANTEES = text(
    "SELECT DISTINCT grantee FROM information_schema.role_table_grants WHERE table_schema = current_schema() "
    "AND table_name = 'events' AND privilege_type = 'INSERT' AND grantee NOT IN (current_user, 'PUBLIC')"
)


def grant_rights(url: str, role: str | None = None) -> list[str]:
    """Give `role`, and every role that has rights here already, exactly the rights that a running desk needs.

    Returns these roles. Connect as the owner of the tables, who runs the migrations. Raises StoreError where the
    role does not exist, is the owner or a superuser, and for SQLite, which has no roles.
    """
    parsed = database_url(url)
    if parsed.get_backend_name() == "sqlite":
        if role is not None:
            raise StoreError("SQLite has no roles: triggers refuse changes. Leave out --roles.")
        return []
    with database_errors(), create_engine(parsed, poolclass=NullPool).begin() as connection:
        names = sorted({*connection.execute(_GRANTEES).scalars()} | ({role} if role else set()))
        for statement in [line for name in names for line in _statements(connection, name)]:
            connection.exec_driver_sql(statement)
    return names


def may_change_events(tx: Tx) -> bool:
    """True if the role of this connection could change the record; always False on SQLite, which has no roles."""
    query = text("SELECT has_table_privilege('events', 'UPDATE')")
    return not tx.is_sqlite and bool(tx.connection.execute(query).scalar())


def _statements(connection: Connection, role: str) -> Iterator[str]:
    powerful = connection.execute(_IS_POWERFUL, {"role": role}).scalar()
    if powerful is not False:
        problem = "does not exist: CREATE ROLE it" if powerful is None else "can change everything"
        raise StoreError(f"The role {role} {problem}. Name a role that owns nothing and is no superuser.")
    quote, schema = connection.dialect.identifier_preparer.quote, inspect(connection).default_schema_name
    name, place = quote(role), f"SCHEMA {quote(str(schema))}"
    yield f"REVOKE ALL ON ALL TABLES IN {place} FROM {name}"
    yield f"REVOKE CREATE ON {place} FROM {name}"
    yield f"GRANT USAGE ON {place} TO {name}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN {place} TO {name}"
    for table in inspect(connection).get_table_names():
        rights = "SELECT, INSERT" if table in APPEND_ONLY else "SELECT, INSERT, UPDATE, DELETE"
        yield f"GRANT {'SELECT' if table == 'alembic_version' else rights} ON {quote(table)} TO {name}"
