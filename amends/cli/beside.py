"""What lies beside a model file: its card, which says whether it is whole, and the history that it learnt from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from store.models.examples import MOST
from store.models.history import TrainingHistory

if TYPE_CHECKING:
    from triage.learning.history import KeptRow
    from triage.model.pipeline import Model

_UNKNOWN = (
    "Later training runs will not know the history that this model learnt from: {why}. "
    "Lay {file} beside the model as `amends triage train` wrote it, and promote the model again."
)


def card_beside(model: Path) -> Path:
    """Where the card of a model file lies."""
    return model.with_name(f"{model.name}.card.json")


def load_file(file: Path, blob: bytes | None = None) -> Model:
    """The model of a file, which must be the very one of the card beside it, where there is one.

    `blob` are its bytes where they were read already. Raises UnreadableModel.
    """
    from triage.errors import UnreadableModel
    from triage.model.artefact import digest, load

    blob, place = blob if blob is not None else file.read_bytes(), card_beside(file)
    recorded = _recorded(place)
    if recorded is not None and recorded != digest(blob):
        raise UnreadableModel(
            f"{file} is not the model of {place}: its SHA-256 is another, so it was altered or is another's. "
            "Lay the two there as `amends triage train` wrote them."
        )
    return load(blob)


def _recorded(card: Path) -> str | None:
    """The SHA-256 that a card names; None without a card, or where what lies there is none."""
    try:
        said = json.loads(card.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    sha256 = said.get("sha256") if isinstance(said, dict) else None
    return sha256.lower() if isinstance(sha256, str) else None


def history_beside(model: Path) -> Path:
    """Where the rows lie that a model file learnt from."""
    return model.with_name(f"{model.name}.history.csv.gz")


@dataclass(frozen=True)
class Beside:
    """What lies beside a model: the rows of its history, or why later runs will not know them (None: it has none)."""

    sha256: str | None = None
    rows: Sequence[KeptRow] = ()
    unknown: str | None = None

    def for_the_store(self) -> TrainingHistory | None:
        """The newest of the rows, as many as a run can learn from."""
        from triage.learning.history import newest

        if self.sha256 is None or not self.rows:
            return None
        told = [
            {"text": one.text, "category": one.category, "severity": one.severity, "language": one.language}
            for one in newest(self.rows, MOST)
        ]
        return TrainingHistory(self.sha256, told)


def look_beside(file: Path, candidate: Model) -> Beside:
    """The history file of a model: only the very one that its card names is taken."""
    from triage.errors import UnreadableTable
    from triage.learning.history import read
    from triage.model.artefact import digest

    told = candidate.facts.get("history")
    if told is None:
        return Beside()
    sha256, place = told["sha256"], history_beside(file)
    try:
        raw = place.read_bytes()
        if digest(raw) != sha256:
            return Beside(
                unknown=_UNKNOWN.format(why=f"{place} was altered, or is of another model", file=place)
            )
        return Beside(sha256, read(raw))
    except OSError as wrong:
        return Beside(unknown=_UNKNOWN.format(why=f"{place} cannot be read ({wrong.strerror})", file=place))
    except UnreadableTable as wrong:
        return Beside(unknown=_UNKNOWN.format(why=f"{place}: {wrong}", file=place))
