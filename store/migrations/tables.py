"""Tables of a migration as data: `versions/<revision>_tables.toml` lists them in the order in which they are made.

Never changed in what it makes: with plain SQLAlchemy types and nothing of ours it makes the same tables for ever.
`key`, `unique` and `references` give the constraints pk_TABLE, uq_TABLE_COLUMNS and fk_TABLE_COLUMN. A "?" marks a
column that may be NULL, a "!" a key that the database does not number.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

#: A table: its columns with their types, its constraints and its indexes.
Table = Mapping[str, Any]
#: On SQLite the tables are STRICT, which knows these types only: then no value has another type than its column.
_TEXT, _INTEGER = sa.Text(), sa.Integer()
TYPES: Mapping[str, sa.types.TypeEngine[Any]] = {
    "boolean": sa.Boolean().with_variant(_INTEGER, "sqlite"),
    "bytes": sa.LargeBinary(),
    "date": sa.Date().with_variant(_TEXT, "sqlite"),
    "float": sa.Float().with_variant(sa.REAL(), "sqlite"),
    "integer": _INTEGER,
    "json": sa.JSON().with_variant(_TEXT, "sqlite"),
    "number": sa.BigInteger().with_variant(_INTEGER, "sqlite"),
    "string": sa.String().with_variant(_TEXT, "sqlite"),
    "text": _TEXT,
    "time": sa.DateTime(timezone=True).with_variant(_TEXT, "sqlite"),
}


def tables_of(revision: str) -> dict[str, Table]:
    file = Path(__file__).parent / "versions" / f"{revision}_tables.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def create_tables(tables: Mapping[str, Table]) -> None:
    for name, table in tables.items():
        options = {"sqlite_strict": True, "sqlite_with_rowid": table.get("rowid", True)}
        op.create_table(name, *_columns(table), *_constraints(name, table), **options)
        for index, of_index in table.get("indexes", {}).items():
            where = sa.text(of_index["where"]) if "where" in of_index else None
            op.create_index(index, name, of_index["columns"], sqlite_where=where, postgresql_where=where)


def _columns(table: Table) -> list[sa.Column[Any]]:
    return [
        sa.Column(
            column,
            TYPES[kind.rstrip("?!")],
            nullable=kind.endswith("?"),
            autoincrement=False if kind.endswith("!") else "auto",
        )
        for column, kind in table["columns"].items()
    ]


def _constraints(name: str, table: Table) -> list[sa.Constraint]:
    constraints: list[sa.Constraint] = [
        sa.ForeignKeyConstraint([column], [target], name=f"fk_{name}_{column}")
        for column, target in table.get("references", {}).items()
    ]
    constraints.append(sa.PrimaryKeyConstraint(*table["key"], name=f"pk_{name}"))
    if unique := table.get("unique"):
        constraints.append(sa.UniqueConstraint(*unique, name=f"uq_{name}_{'_'.join(unique)}"))
    return constraints


def compare_type(context: Any, _inspected: Any, _column: Any, inspected: Any, declared: Any) -> bool | None:
    """Whether a column has another type than the code declares, for Alembic; None lets Alembic compare."""
    declared = getattr(declared, "impl", declared)
    if isinstance(declared, sa.String) and isinstance(inspected, sa.String):
        return False
    if context.dialect.name != "sqlite":
        return None
    strict = ((sa.Integer | sa.Boolean, sa.Integer), (sa.Float, sa.Float), (sa.LargeBinary, sa.LargeBinary))
    expected = next((there for here, there in strict if isinstance(declared, here)), sa.Text)
    return not isinstance(inspected, expected)
