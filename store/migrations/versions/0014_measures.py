"""One row of measures for each complaint, from which reports are counted.

It only adds. An older release leaves its rows behind: they name an older version of their complaint, and are
computed again. So `serves_from` stays. Complaints of before get their rows from the daily obligation `measure`, or at
once from `amends db measure`.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.create_table(
        "measures",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("rule", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("rulebook_id", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assessed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_simulation", sa.Boolean(), nullable=False),
        sa.Column("is_history", sa.Boolean(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("written_in", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("safety", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("first_priority", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("close_code", sa.String(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("cause_class", sa.String(), nullable=True),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("support_need", sa.Boolean(), nullable=False),
        sa.Column("missed_danger", sa.Boolean(), nullable=False),
        sa.Column("incomplete", sa.Boolean(), nullable=False),
        sa.Column("decision_working_days", sa.Integer(), nullable=True),
        sa.Column("decision_days", sa.Float(), nullable=True),
        sa.Column("closure_working_days", sa.Integer(), nullable=True),
        sa.Column("closure_days", sa.Float(), nullable=True),
        sa.Column("process_score", sa.Float(), nullable=True),
        sa.Column("outcome_score", sa.Float(), nullable=True),
        sa.Column("marks", sa.String(), nullable=False),
        sa.Column("pending", sa.String(), nullable=True),
        sa.Column("stages", sa.String(), nullable=False),
        sa.Column("details", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("ref", name="pk_measures"),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_measures_ref"),
    )
    op.create_index("ix_measures_received", "measures", ["received_at"])


def downgrade() -> None:
    """The rows go; a later upgrade computes them again."""
    op.drop_table("measures")
