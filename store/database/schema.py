"""Compare triggers, views, indexes and the like with those that the migrations make.

They act inside the desk's own transactions: what a planted trigger writes gets the desk's signature, and what an
index or a view leaves out is not found.
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sqlalchemy import Connection

from store.database.errors import AlteredSchema
from store.database.transaction import sqlite_cursor

_FOLDER = Path(__file__).parents[1] / "migrations"
#: A constraint's own index has no definition on SQLite.
_OBJECTS_SQLITE = (
    "SELECT type, name, tbl_name, coalesce(sql, '') FROM main.sqlite_master WHERE type <> 'table'"
)
#: What `amends db upgrade` of a newer release may have changed, while this one still runs on its tables.
_CHANGED_BY_RELEASES = ("index", "constraint", "default", "function amends_touch_", "trigger touch_")


def list_objects(connection: Connection) -> dict[str, str]:
    """A hash of the definition of each object, by its kind, name and table."""
    name = connection.dialect.name
    rows = connection.exec_driver_sql(_OBJECTS_SQLITE if name == "sqlite" else _objects_postgresql())
    return {
        f"{kind} {name}" + (f" on {table}" if table else ""): _digest(definition)
        for kind, name, table, definition in rows
    }


def find_differences(connection: Connection) -> Iterator[tuple[str, str]]:
    """Each object that was added, changed or removed, and what is wrong with it."""
    found, release = list_objects(connection), _release()
    expected: dict[str, str] = release[connection.dialect.name]
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) == expected.get(name):
            continue
        if revision != release["revision"] and name.startswith(_CHANGED_BY_RELEASES):
            continue
        yield (
            name,
            "is unknown" if name not in expected else "is missing" if name not in found else "was changed",
        )


def require_known_schema(connection: Connection) -> None:
    """Raise AlteredSchema if anything differs; on SQLite it is read again only after the schema changed."""
    version = None
    if connection.dialect.name == "sqlite":
        with sqlite_cursor(connection) as cursor:
            version = cursor.execute("PRAGMA main.schema_version").fetchone()[0]
        if connection.info.get("schema_version") == version:
            return
    if differences := [" ".join(difference) for difference in find_differences(connection)]:
        raise AlteredSchema(
            f"The database was changed by somebody else: {'; '.join(differences[:5])}. Nothing is written, because "
            'it would be signed as ours. See docs/operations.md, "The schema was changed".'
        )
    connection.info["schema_version"] = version


@cache
def _release() -> dict[str, dict[str, str]]:
    """The objects of this release by database; `python -m tests.schema_file` writes them from the migrations."""
    value: dict[str, dict[str, str]] = json.loads((_FOLDER / "schema.json").read_text(encoding="utf-8"))
    return value


@cache
def _objects_postgresql() -> str:
    return (_FOLDER / "objects_postgresql.sql").read_text(encoding="utf-8")


def _digest(definition: str) -> str:
    """Databases and their releases differ in white space and quotes."""
    plain = "".join(definition.split()).replace('"', "")
    return hashlib.sha256(plain.encode()).hexdigest()[:32]
