"""Every table of the record, those too whose behaviour comes later; 0001_tables.toml lists them.

It imports nothing of ours and spells plain SQLAlchemy types, so that it makes the same tables for ever.
"""

import tomllib
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

TYPES: dict[str, sa.types.TypeEngine[Any]] = {
    "boolean": sa.Boolean(),
    "bytes": sa.LargeBinary(),
    "date": sa.Date(),
    "float": sa.Float(),
    "integer": sa.Integer(),
    "json": sa.JSON(),
    "number": sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
    "string": sa.String(),
    "text": sa.Text(),
    "time": sa.DateTime(timezone=True),
}
TABLES: dict[str, dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "0001_tables.toml").read_text(encoding="utf-8")
)


def upgrade() -> None:
    """Make the tables; a trigger refuses any change of an event."""
    for name, table in TABLES.items():
        op.create_table(name, *_columns(table), *_constraints(name, table))
        for index, options in table.get("indexes", {}).items():
            where = sa.text(options["where"]) if "where" in options else None
            op.create_index(index, name, options["columns"], sqlite_where=where, postgresql_where=where)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION amends_events_stand() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION 'events are never changed'; END $$"
        )
        op.execute(
            "CREATE TRIGGER events_stand BEFORE UPDATE OR DELETE OR TRUNCATE ON events "
            "FOR EACH STATEMENT EXECUTE FUNCTION amends_events_stand()"
        )
    else:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER events_stand_{verb.lower()} BEFORE {verb} ON events "
                "BEGIN SELECT RAISE(ABORT, 'events are never changed'); END"
            )


def _columns(table: dict[str, Any]) -> list[sa.Column[Any]]:
    return [
        sa.Column(column, TYPES[kind.removesuffix("?")], nullable=kind.endswith("?"))
        for column, kind in table["columns"].items()
    ]


def _constraints(name: str, table: dict[str, Any]) -> list[sa.Constraint]:
    constraints: list[sa.Constraint] = [
        sa.ForeignKeyConstraint([column], [target], name=f"fk_{name}_{column}")
        for column, target in table.get("references", {}).items()
    ]
    constraints.append(sa.PrimaryKeyConstraint(*table["key"], name=f"pk_{name}"))
    if unique := table.get("unique"):
        constraints.append(sa.UniqueConstraint(*unique, name=f"uq_{name}_{'_'.join(unique)}"))
    return constraints


def downgrade() -> None:
    """Remove everything; indexes and triggers go with their tables."""
    for name in reversed(TABLES):
        op.drop_table(name)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION amends_events_stand()")
