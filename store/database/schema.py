"""Compare triggers, views, indexes and the like with those that the migrations make.

They act inside the desk's own transactions: what a planted trigger writes gets the desk's signature, and what an
index or a view leaves out is not found.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from store.database.errors import AlteredSchema
from store.database.transaction import sqlite_cursor

_FOLDER = Path(__file__).parents[1] / "migrations"
#: What a newer release may have changed, while this one still runs on its tables.
_CHANGED_BY_RELEASES = ("index", "constraint", "default", "function amends_touch_", "trigger touch_")


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
        with sqlite_cursor(connection) as cursor:
            version = cursor.execute("PRAGMA main.schema_version").fetchone()[0]
    if connection.info.get("schema_version") == version:
        return
    if differences := [f"{name} is {what}" for name, what in find_differences(connection)]:
        raise AlteredSchema(
            f"The database was changed by somebody else: {'; '.join(differences[:5])}. Nothing is written, because "
            'it would be signed as ours. See docs/operations.md, "The schema was changed".'
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
