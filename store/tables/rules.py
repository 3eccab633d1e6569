"""Rulebooks in force, registers, and trained models with their use, runs and training history."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary, UniqueConstraint
from sqlmodel import Field

from store.tables.column_types import NUMBER, Row, UtcDateTime


class RulebookRow(Row, table=True):
    """A rulebook; its id is the hash of its content. A complaint keeps its rulebook until it is redated."""

    __tablename__ = "rulebooks"

    id: str = Field(primary_key=True)
    data: dict[str, Any] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class SettingRow(Row, table=True):
    """Which rulebook complaints of a jurisdiction get that are received from `at` on.

    Each change of the settings writes all its rows, one for each change of the law; the newest change counts.
    """

    __tablename__ = "settings"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    jurisdiction: str
    rulebook_id: str = Field(foreign_key="rulebooks.id")
    at: datetime = Field(sa_type=UtcDateTime)


class LetterTemplateRow(Row, table=True):
    """One version of a template of letters; `used` and `edited` count the letters sent with it."""

    __tablename__ = "letter_templates"

    number: int = Field(primary_key=True)
    version: int = Field(primary_key=True)
    name: str
    form: str
    language: str
    category: str
    outcome: str
    text: str
    by: str
    at: datetime = Field(sa_type=UtcDateTime)
    is_retired: bool
    used: int
    edited: int


class RegisterEntryRow(Row, table=True):
    """One act on an entry of a register; `state`, `owner` and `due` are those after it."""

    __tablename__ = "register_entries"
    __table_args__ = (UniqueConstraint("register_name", "number", "version"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    register_name: str
    number: int
    version: int
    at: datetime = Field(sa_type=UtcDateTime)
    by: str
    role: str
    act: str
    facts: dict[str, Any] = Field(sa_type=JSON)
    words_sealed: bytes | None = Field(sa_type=LargeBinary)
    state: str
    owner: str | None
    due: date | None = Field(index=True)


class ModelRow(Row, table=True):
    """A trained model: its bytes, their hash, and its card."""

    __tablename__ = "models"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    sha256: str = Field(unique=True)
    card: dict[str, Any] = Field(sa_type=JSON)
    blob: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)


class ModelUseRow(Row, table=True):
    """Which model is in use, and since when; the newest row counts, so a rollback adds a row."""

    __tablename__ = "model_uses"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    model_id: int = Field(foreign_key="models.id", sa_type=NUMBER)
    at: datetime = Field(sa_type=UtcDateTime)
    #: `kept`, `trained`, `promoted`, `forced` or `rolled_back`.
    how: str
    by: str | None
    why: str | None


class ModelRunRow(Row, table=True):
    """A training run or the evaluation of a file, with the gate's verdict on its candidate.

    `key` is the pipeline and a digest of the training data; `until` is when the record was read.
    """

    __tablename__ = "model_runs"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    model_id: int = Field(foreign_key="models.id", sa_type=NUMBER, index=True)
    key: str = Field(index=True)
    at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    examples: int
    passes: bool
    verdict: dict[str, Any] = Field(sa_type=JSON)


class HistoryPartRow(Row, table=True):
    """Part of the training history, sealed; its rows came from a file and not from this desk's complaints.

    `sha256` is the hash of the file, `rows` the number of rows in this part.
    """

    __tablename__ = "history_parts"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    sha256: str
    rows: int
    sealed: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)
