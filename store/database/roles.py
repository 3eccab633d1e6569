"""The rights of the running role on PostgreSQL: it adds to the record, and cannot change or delete what is there.

The owner of the tables and every superuser can still do both: they can grant themselves the right, or drop a trigger.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from store.database.engine import database_url
from store.database.errors import StoreError, database_errors
from store.database.transaction import Tx

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
