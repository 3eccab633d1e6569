"""What proves the record: the journal of every change, the log over it with its checkpoints, and the key for MACs."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, Text, UniqueConstraint, text
from sqlmodel import Field

from store.tables.column_types import NUMBER, Row, UtcDateTime, partial_index


class ProofKeyRow(Row, table=True):
    """The random key of all MACs, wrapped by the instance's key."""

    __tablename__ = "proof_keys"

    id: int = Field(primary_key=True)
    key_wrapped: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)


class JournalRow(Row, table=True):
    """The rows that one transaction changed for one owner, as keyed commitments; never changed.

    `owner` is a complaint, an incident (`-incident-N`), `chat:N`, `person:ID`, or `-desk:TABLE`. `hash` covers
    `entry` and the entry before, `mac` covers `hash`.
    """

    __tablename__ = "journal"
    __table_args__ = (UniqueConstraint("owner", "n"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    owner: str
    n: int
    at: datetime = Field(sa_type=UtcDateTime)
    entry: str = Field(sa_type=Text)
    hash: str
    mac: bytes = Field(sa_type=LargeBinary)


class JournalHeadRow(Row, table=True):
    """The newest journal entry of an owner; `logged_n` is the newest that the log covers."""

    __tablename__ = "journal_heads"
    __table_args__ = (partial_index("ix_journal_heads_new", "owner", where=text("n > logged_n")),)

    owner: str = Field(primary_key=True)
    n: int
    hash: str
    mac: bytes = Field(sa_type=LargeBinary)
    logged_n: int


class LogLeafRow(Row, table=True):
    """One leaf of the log: the journal head of an owner at a checkpoint, with the head of its event chain."""

    __tablename__ = "log_leaves"
    __table_args__ = (Index("ix_log_leaves_owner", "owner", "n"),)

    n: int = Field(primary_key=True, sa_type=NUMBER)
    owner: str
    #: Number of the journal entry and of the event that `data` names.
    entry_n: int
    entry_seq: int
    data: str = Field(sa_type=Text)
    hash: bytes = Field(sa_type=LargeBinary)


class LogNodeRow(Row, table=True):
    """The hash of a complete subtree of 2**level leaves, so that a proof reads a few rows; level 0 are the leaves."""

    __tablename__ = "log_nodes"

    level: int = Field(primary_key=True)
    n: int = Field(primary_key=True, sa_type=NUMBER)
    hash: bytes = Field(sa_type=LargeBinary)


class LogCheckpointRow(Row, table=True):
    """A checkpoint of the log in C2SP format; `note` is signed where the desk has a signing key."""

    __tablename__ = "log_checkpoints"

    size: int = Field(primary_key=True, sa_type=NUMBER)
    at: datetime = Field(sa_type=UtcDateTime)
    root: bytes = Field(sa_type=LargeBinary)
    note: str = Field(sa_type=Text)
    mac: bytes = Field(sa_type=LargeBinary)


class LogSignatureRow(Row, table=True):
    """The cosignature of a witness on a checkpoint."""

    __tablename__ = "log_signatures"

    size: int = Field(foreign_key="log_checkpoints.size", primary_key=True, sa_type=NUMBER)
    witness: str = Field(primary_key=True)
    line: str
    at: datetime = Field(sa_type=UtcDateTime)


class ReceiptRow(Row, table=True):
    """A receipt that a complainant asked for; `leaf` is its place in the log from the next checkpoint on."""

    __tablename__ = "receipts"
    __table_args__ = (partial_index("ix_receipts_new", "ref", where=text("leaf IS NULL")),)

    ref: str = Field(foreign_key="complaints.ref", primary_key=True)
    n: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    data: str = Field(sa_type=Text)
    leaf: int | None = Field(sa_type=NUMBER)


class ProofStateRow(Row, table=True):
    """How far `db verify` came, and what the log must have: JSON with its MAC."""

    __tablename__ = "proof_state"

    name: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)
    mac: bytes = Field(sa_type=LargeBinary)
