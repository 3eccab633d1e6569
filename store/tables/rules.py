"""The rules in force, the models in use over time, and what the present one learnt from besides the record."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, LargeBinary
from sqlmodel import Field

from store.tables.columns import NUMBER, Row, UtcDateTime


class RulebookRow(Row, table=True):
    """A rulebook by the hash of its content; a complaint holds it for its whole life."""

    __tablename__ = "rulebooks"

    id: str = Field(primary_key=True)
    data: dict[str, Any] = Field(sa_type=JSON)
    at: datetime = Field(sa_type=UtcDateTime)


class Setting(Row, table=True):
    """Which rulebook new complaints of a jurisdiction get, since when; the newest row holds."""

    __tablename__ = "settings"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    jurisdiction: str
    rulebook_id: str = Field(foreign_key="rulebooks.id")
    at: datetime = Field(sa_type=UtcDateTime)


class Model(Row, table=True):
    """A trained model: its artefact, hash and card."""

    __tablename__ = "models"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    sha256: str = Field(unique=True)
    card: dict[str, Any] = Field(sa_type=JSON)
    blob: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)


class ModelUse(Row, table=True):
    """Which model is used, since when; the newest row holds, so one step back is one more row."""

    __tablename__ = "model_uses"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    model_id: int = Field(foreign_key="models.id", sa_type=NUMBER)
    at: datetime = Field(sa_type=UtcDateTime)
    #: `kept`, `trained`, `promoted`, `forced` or `rolled_back`; None: by a release that did not say.
    how: str | None
    by: str | None
    why: str | None


class ModelRun(Row, table=True):
    """A training run or a promotion, with what the gate said of its candidate.

    `key` is the pipeline and a digest of all that was learnt from; `until` is when the record was read.
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


class HistoryPart(Row, table=True):
    """Rows of the history that a promoted model learnt from, sealed together; of no complaint of ours.

    `sha256` is of the file that they came in; `rows` how many there are in this part.
    """

    __tablename__ = "history_parts"

    id: int | None = Field(default=None, primary_key=True, sa_type=NUMBER)
    sha256: str
    rows: int
    sealed: bytes = Field(sa_type=LargeBinary)
    at: datetime = Field(sa_type=UtcDateTime)
