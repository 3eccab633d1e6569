"""Every table of the record, those too whose behaviour comes later.

It imports nothing of ours and spells plain SQLAlchemy types, so that it makes the same tables for ever.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; a trigger refuses any change of an event."""
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("roles", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
    )
    op.create_index("ix_attempts_ref", "attempts", ["ref"], unique=False)

    op.create_table(
        "checkpoints",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("heads", sa.Integer(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("signature", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_checkpoints"),
    )
    op.create_table(
        "clock",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("offset_seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_clock"),
    )
    op.create_table(
        "events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("ref", "seq", name="uq_events_ref_seq"),
    )
    op.create_index("ix_events_at", "events", ["at"], unique=False)

    op.create_table(
        "heard",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_heard"),
    )
    op.create_index("ix_heard_at", "heard", ["at"], unique=False)

    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key_wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("told_seq", sa.Integer(), nullable=False),
        sa.Column("batch", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_index(
        "ix_incidents_open",
        "incidents",
        ["id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )

    op.create_table(
        "incident_words",
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_words_incident_id"),
        sa.PrimaryKeyConstraint("incident_id", "seq", name="pk_incident_words"),
    )
    op.create_table(
        "lanes",
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("next_free_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("lane", name="pk_lanes"),
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("fencing", sa.Integer(), nullable=False),
        sa.Column("until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_leases"),
    )
    op.create_table(
        "models",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_models"),
        sa.UniqueConstraint("sha256", name="uq_models_sha256"),
    )
    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("key_wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("needs_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_table(
        "rulebooks",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rulebooks"),
    )
    op.create_table(
        "set_aside",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_set_aside"),
        sa.UniqueConstraint("key", name="uq_set_aside_key"),
    )
    op.create_index("ix_set_aside_expires_at", "set_aside", ["expires_at"], unique=False)

    op.create_table(
        "staff",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("slack_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("absent_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("absent_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deputy", sa.String(), nullable=True),
        sa.Column("stand_in", sa.String(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
    )
    op.create_index("ix_staff_slack_id", "staff", ["slack_id"], unique=False)

    op.create_table(
        "checkpoint_heads",
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["n"], ["checkpoints.n"], name="fk_checkpoint_heads_n"),
        sa.PrimaryKeyConstraint("n", "ref", name="pk_checkpoint_heads"),
    )
    op.create_index("ix_checkpoint_heads_ref", "checkpoint_heads", ["ref", "n"], unique=False)

    op.create_table(
        "contact_points",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("address_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("address_index", sa.LargeBinary(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("preferred", sa.Boolean(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("quiet_hours", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_contact_points_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_points"),
        sa.UniqueConstraint("channel", "address_index", name="uq_contact_points_channel_address_index"),
    )
    op.create_index("ix_contact_points_person_id", "contact_points", ["person_id"], unique=False)

    op.create_table(
        "model_uses",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("model_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["models.id"], name="fk_model_uses_model_id"),
        sa.PrimaryKeyConstraint("id", name="pk_model_uses"),
    )
    op.create_table(
        "settings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("rulebook_id", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["rulebook_id"], ["rulebooks.id"], name="fk_settings_rulebook_id"),
        sa.PrimaryKeyConstraint("id", name="pk_settings"),
    )
    op.create_table(
        "staff_roles",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["staff.id"], name="fk_staff_roles_member_id"),
        sa.PrimaryKeyConstraint("id", name="pk_staff_roles"),
    )
    op.create_index("ix_staff_roles_member", "staff_roles", ["member_id", "until"], unique=False)

    op.create_table(
        "complaints",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("key_wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("complainant_id", sa.String(), nullable=False),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("rulebook_id", sa.String(), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("jurisdiction", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("logged_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_simulation", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("work_version", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=True),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("safety", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("restriction", sa.String(), nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.Column("form_open", sa.Boolean(), nullable=False),
        sa.Column("last_words_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_target", sa.String(), nullable=True),
        sa.Column("next_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply", sa.String(), nullable=True),
        sa.Column("close_code", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["complainant_id"], ["people.id"], name="fk_complaints_complainant_id"),
        sa.ForeignKeyConstraint(["contact_id"], ["contact_points.id"], name="fk_complaints_contact_id"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_complaints_incident_id"),
        sa.ForeignKeyConstraint(["rulebook_id"], ["rulebooks.id"], name="fk_complaints_rulebook_id"),
        sa.PrimaryKeyConstraint("ref", name="pk_complaints"),
    )
    op.create_index("ix_complaints_incident", "complaints", ["incident_id", "ref"], unique=False)
    op.create_index("ix_complaints_next", "complaints", ["next_due_at", "ref"], unique=False)
    op.create_index("ix_complaints_owner", "complaints", ["owner", "next_due_at", "ref"], unique=False)
    op.create_index("ix_complaints_person", "complaints", ["complainant_id", "received_at"], unique=False)
    op.create_index("ix_complaints_priority", "complaints", ["priority", "next_due_at", "ref"], unique=False)
    op.create_index("ix_complaints_received", "complaints", ["received_at"], unique=False)
    op.create_index("ix_complaints_closed", "complaints", ["closed_at", "ref"], unique=False)
    op.create_index("ix_complaints_state", "complaints", ["state", "next_due_at", "ref"], unique=False)
    op.create_index(
        "ix_complaints_work",
        "complaints",
        ["owner", "next_due_at", "ref"],
        unique=False,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        "ix_complaints_open",
        "complaints",
        ["next_due_at", "ref"],
        unique=False,
        sqlite_where=sa.text("state <> 'closed'"),
        postgresql_where=sa.text("state <> 'closed'"),
    )
    op.create_index(
        "ix_complaints_waits",
        "complaints",
        ["next_due_at", "ref"],
        unique=False,
        sqlite_where=sa.text("waits"),
        postgresql_where=sa.text("waits"),
    )

    op.create_table(
        "denied",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_denied_ref"),
        sa.PrimaryKeyConstraint("ref", "member_id", name="pk_denied"),
    )

    op.create_table(
        "incident_receivers",
        sa.Column("batch", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("incident_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("left_out", sa.String(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_incident_receivers_incident_id"),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_incident_receivers_ref"),
        sa.PrimaryKeyConstraint("batch", "ref", name="pk_incident_receivers"),
    )
    op.create_index("ix_incident_receivers_incident_id", "incident_receivers", ["incident_id"], unique=False)

    op.create_table(
        "conversations",
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact_points.id"], name="fk_conversations_contact_id"),
        sa.PrimaryKeyConstraint("contact_id", name="pk_conversations"),
    )
    op.create_table(
        "assessments",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("safety", sa.Integer(), nullable=False),
        sa.Column("complexity", sa.Integer(), nullable=False),
        sa.Column("reach", sa.Integer(), nullable=False),
        sa.Column("recurrence", sa.Integer(), nullable=False),
        sa.Column("immediate_needed", sa.Boolean(), nullable=False),
        sa.Column("immediate_possible", sa.Boolean(), nullable=False),
        sa.Column("compensation_likely", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_assessments_ref"),
        sa.PrimaryKeyConstraint("ref", "seq", name="pk_assessments"),
    )
    op.create_index("ix_assessments_at", "assessments", ["at"], unique=False)

    op.create_table(
        "bindings",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("code_index", sa.LargeBinary(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_bindings_ref"),
        sa.PrimaryKeyConstraint("ref", "code_index", name="pk_bindings"),
    )
    op.create_index("ix_bindings_code_index", "bindings", ["code_index"], unique=False)

    op.create_table(
        "case_people",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("person_id", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=True),
        sa.Column("authority", sa.String(), nullable=True),
        sa.Column("may_receive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_case_people_person_id"),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_case_people_ref"),
        sa.PrimaryKeyConstraint("ref", "person_id", "role", name="pk_case_people"),
    )
    op.create_index("ix_case_people_person_id", "case_people", ["person_id"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("short", sa.Boolean(), nullable=False),
        sa.Column("findings", sa.JSON(), nullable=False),
        sa.Column("cause_class", sa.String(), nullable=False),
        sa.Column("others_affected", sa.String(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=True),
        sa.Column("communicated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overturned", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_decisions_ref"),
        sa.PrimaryKeyConstraint("ref", "seq", name="pk_decisions"),
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("work_version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_drafts_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_drafts"),
    )
    op.create_index("ix_drafts_expires_at", "drafts", ["expires_at"], unique=False)
    op.create_index("ix_drafts_ref", "drafts", ["ref"], unique=False)

    op.create_table(
        "externals",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("comply_by", sa.Date(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_externals_ref"),
        sa.PrimaryKeyConstraint("ref", "seq", name="pk_externals"),
    )
    op.create_table(
        "file_chunks",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_file_chunks_ref"),
        sa.PrimaryKeyConstraint("ref", "n", "part", name="pk_file_chunks"),
    )
    op.create_table(
        "files",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("mime", sa.String(), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("group", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("meta_sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_files_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_files"),
    )
    op.create_table(
        "identifiers",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("value_index", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_identifiers_ref"),
        sa.PrimaryKeyConstraint("ref", "kind", "value_index", name="pk_identifiers"),
    )
    op.create_index("ix_identifiers_value_index", "identifiers", ["value_index"], unique=False)

    op.create_table(
        "improvements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("what_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("cause_class", sa.String(), nullable=True),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("effective", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_improvements_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_improvements"),
    )
    op.create_index("ix_improvements_ref", "improvements", ["ref"], unique=False)

    op.create_table(
        "issues",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_issues_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_issues"),
    )
    op.create_table(
        "links",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("other_ref", sa.String(), nullable=False),
        sa.Column("relation", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_links_ref"),
        sa.PrimaryKeyConstraint("ref", "seq", name="pk_links"),
    )
    op.create_index("ix_links_other_ref", "links", ["other_ref"], unique=False)

    op.create_table(
        "obligations",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("speaks", sa.Boolean(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=True),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.Column("wait_until", sa.Float(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact_points.id"], name="fk_obligations_contact_id"),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_obligations_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_obligations"),
        sa.UniqueConstraint("scope", "key", name="uq_obligations_scope_key"),
    )
    op.create_index(
        "ix_obligations_chat",
        "obligations",
        ["contact_id", "due"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_obligations_due",
        "obligations",
        ["due"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_obligations_stuck",
        "obligations",
        ["due", "id"],
        unique=False,
        sqlite_where=sa.text("state = 'failed' OR (state = 'open' AND attempts > 0)"),
        postgresql_where=sa.text("state = 'failed' OR (state = 'open' AND attempts > 0)"),
    )

    op.create_table(
        "proposals",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("safety", sa.Integer(), nullable=False),
        sa.Column("abstained", sa.Boolean(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_proposals_ref"),
        sa.PrimaryKeyConstraint("ref", "seq", name="pk_proposals"),
    )
    op.create_table(
        "reads",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_reads_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_reads"),
    )
    op.create_index("ix_reads_ref_by", "reads", ["ref", "by", "id"], unique=False)

    op.create_table(
        "remedies",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("promised_by", sa.Date(), nullable=True),
        sa.Column("needs_acceptance", sa.Boolean(), nullable=False),
        sa.Column("separate_verifier", sa.Boolean(), nullable=False),
        sa.Column("external", sa.Boolean(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.String(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_by", sa.String(), nullable=True),
        sa.Column("promised_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_remedies_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_remedies"),
    )
    op.create_index(
        "ix_remedies_unchecked",
        "remedies",
        ["done_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NOT NULL AND verified_at IS NULL"),
        postgresql_where=sa.text("done_at IS NOT NULL AND verified_at IS NULL"),
    )
    op.create_table(
        "sketches",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("band_index", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_sketches_ref"),
        sa.PrimaryKeyConstraint("ref", "n", name="pk_sketches"),
    )
    op.create_index("ix_sketches_band_index", "sketches", ["band_index"], unique=False)

    op.create_table(
        "slack_messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("ts", sa.String(), nullable=True),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_slack_messages_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_slack_messages"),
        sa.UniqueConstraint("ref", "channel", "purpose", name="uq_slack_messages_ref_channel_purpose"),
    )
    op.create_index("ix_slack_messages_at", "slack_messages", ["channel", "ts"], unique=False)

    op.create_table(
        "targets",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("of", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("internal_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("promised_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("span", sa.String(), nullable=False),
        sa.Column("met_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_targets_ref"),
        sa.PrimaryKeyConstraint("ref", "target", "of", "version", name="pk_targets"),
    )
    op.create_index(
        "ix_targets_open",
        "targets",
        ["internal_due"],
        unique=False,
        sqlite_where=sa.text("met_at IS NULL"),
        postgresql_where=sa.text("met_at IS NULL"),
    )

    op.create_table(
        "texts",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("replaces", sa.Integer(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_texts_ref"),
        sa.PrimaryKeyConstraint("ref", "seq", "field", name="pk_texts"),
    )
    op.create_index("ix_texts_source", "texts", ["source"], unique=False)

    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ref", sa.String(), nullable=True),
        sa.Column("contact_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("obligation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("seq", sa.Integer(), nullable=True),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("template", sa.String(), nullable=True),
        sa.Column("template_version", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("translated_from", sa.String(), nullable=True),
        sa.Column("platform_id", sa.String(), nullable=True),
        sa.Column("batch_id", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_with", sa.String(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["contact_id"], ["contact_points.id"], name="fk_messages_contact_id"),
        sa.ForeignKeyConstraint(["obligation_id"], ["obligations.id"], name="fk_messages_obligation_id"),
        sa.ForeignKeyConstraint(["ref"], ["complaints.ref"], name="fk_messages_ref"),
        sa.PrimaryKeyConstraint("id", name="pk_messages"),
    )
    op.create_index("ix_messages_contact_id", "messages", ["contact_id"], unique=False)
    op.create_index("ix_messages_obligation_id", "messages", ["obligation_id"], unique=False)
    op.create_index("ix_messages_ref", "messages", ["ref", "id"], unique=False)
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


def downgrade() -> None:
    """Remove everything; indexes and triggers go with their tables."""
    op.drop_table("messages")
    op.drop_table("texts")
    op.drop_table("targets")
    op.drop_table("slack_messages")
    op.drop_table("sketches")
    op.drop_table("remedies")
    op.drop_table("reads")
    op.drop_table("proposals")
    op.drop_table("obligations")
    op.drop_table("links")
    op.drop_table("issues")
    op.drop_table("improvements")
    op.drop_table("identifiers")
    op.drop_table("files")
    op.drop_table("file_chunks")
    op.drop_table("externals")
    op.drop_table("drafts")
    op.drop_table("decisions")
    op.drop_table("case_people")
    op.drop_table("bindings")
    op.drop_table("assessments")
    op.drop_table("conversations")
    op.drop_table("incident_receivers")
    op.drop_table("denied")
    op.drop_table("complaints")
    op.drop_table("staff_roles")
    op.drop_table("settings")
    op.drop_table("model_uses")
    op.drop_table("contact_points")
    op.drop_table("checkpoint_heads")
    op.drop_table("staff")
    op.drop_table("set_aside")
    op.drop_table("rulebooks")
    op.drop_table("people")
    op.drop_table("models")
    op.drop_table("leases")
    op.drop_table("lanes")
    op.drop_table("incident_words")
    op.drop_table("incidents")
    op.drop_table("heard")
    op.drop_table("events")
    op.drop_table("clock")
    op.drop_table("checkpoints")
    op.drop_table("attempts")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION amends_events_stand()")
