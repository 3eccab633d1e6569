"""The journal of all changes under MACs, and the Merkle log over it with its checkpoints.

An older release would write rows without journal entries, which `db verify` reports as forged, so `serves_from` is
raised to this migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_EMPTY = {"sqlite": "x''", "postgresql": "''::bytea"}
APPEND_ONLY = ("journal", "log_leaves", "log_nodes", "log_checkpoints", "log_signatures")


def upgrade() -> None:
    """Add the tables, a column for the MAC of an event, and the triggers of append-only tables."""
    op.add_column("events", sa.Column("mac", sa.LargeBinary(), nullable=True))
    op.create_table(
        "proof_keys",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key_wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_proof_keys"),
    )
    op.create_table(
        "journal",
        sa.Column("id", NUMBER, nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_journal"),
        sa.UniqueConstraint("owner", "n", name="uq_journal_owner_n"),
    )
    op.create_table(
        "journal_heads",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("logged_n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_journal_heads"),
    )
    is_new = sa.text("n > logged_n")
    op.create_index(
        "ix_journal_heads_new", "journal_heads", ["owner"], sqlite_where=is_new, postgresql_where=is_new
    )
    op.create_table(
        "log_leaves",
        sa.Column("n", NUMBER, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("entry_n", sa.Integer(), nullable=False),
        sa.Column("entry_seq", sa.Integer(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_log_leaves"),
    )
    op.create_index("ix_log_leaves_owner", "log_leaves", ["owner", "n"])
    op.create_table(
        "log_nodes",
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("n", NUMBER, nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "n", name="pk_log_nodes"),
    )
    op.create_table(
        "log_checkpoints",
        sa.Column("size", NUMBER, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_log_checkpoints"),
    )
    op.create_table(
        "log_signatures",
        sa.Column("size", NUMBER, nullable=False),
        sa.Column("witness", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["size"], ["log_checkpoints.size"], name="fk_log_signatures_size"),
        sa.PrimaryKeyConstraint("size", "witness", name="pk_log_signatures"),
    )
    op.create_table(
        "receipts",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("leaf", NUMBER, nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_receipts_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_receipts"),
    )
    waits = sa.text("leaf IS NULL")
    op.create_index("ix_receipts_new", "receipts", ["ref"], sqlite_where=waits, postgresql_where=waits)
    op.create_table(
        "proof_state",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_proof_state"),
    )
    # The first transaction of this release reads it, and then anchors what was written before.
    older = " UNION ALL ".join(
        f"SELECT 1 FROM {table}" for table in ("events", "staff", "rulebooks", "people")
    )
    op.execute(
        f"INSERT INTO proof_state (name, value, mac) SELECT 'older', '', {_EMPTY[op.get_bind().dialect.name]} "
        f"WHERE EXISTS ({older})"
    )
    _refuse_changes()
    op.execute("UPDATE alembic_version SET serves_from = '0008'")


def _refuse_changes() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION amends_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ "
            "BEGIN RAISE EXCEPTION '% is never changed', TG_TABLE_NAME; END $$"
        )
        for table in APPEND_ONLY:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION amends_append_only()"
            )
        return
    for table in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_append_only_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is never changed'); END"
            )


def downgrade() -> None:
    """The proof goes with its tables; the public chain of events stays."""
    for table in (
        "proof_state", "receipts", "log_signatures", "log_checkpoints", "log_nodes", "log_leaves",
        "journal_heads", "journal", "proof_keys",
    ):  # fmt: skip
        op.drop_table(table)
    op.drop_column("events", "mac")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION amends_append_only()")
    op.execute("UPDATE alembic_version SET serves_from = '0004'")
