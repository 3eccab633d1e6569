"""Model files: a model with the card and the history next to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.models.history import TrainingHistory
    from triage.learning.history import HistoryRow
    from triage.model.pipeline import Model

_UNUSABLE = (
    "Later training runs will not know the history that this model learnt from: {reason}. "
    "Put {file} next to the model as `amends triage train` wrote it, and promote the model again."
)


def card_path(model: Path) -> Path:
    """The card of a model file."""
    return model.with_name(f"{model.name}.card.json")


def history_path(model: Path) -> Path:
    """The rows that a model file learnt from."""
    return model.with_name(f"{model.name}.history.csv.gz")


def load_file(file: Path, blob: bytes | None = None) -> Model:
    """The model of a file; `blob` are its bytes if they were read already.

    Raises UnreadableModel, also if the card next to it has the SHA-256 of another model.
    """
    from triage.errors import UnreadableModel
    from triage.model.artefact import digest, load

    blob, card = blob if blob is not None else file.read_bytes(), card_path(file)
    recorded = _recorded_digest(card)
    if recorded is not None and recorded != digest(blob):
        raise UnreadableModel(
            f"{file} is not the model of {card}: its SHA-256 differs, so it was altered or is another model. "
            "Put both files there as `amends triage train` wrote them."
        )
    return load(blob)


def _recorded_digest(card: Path) -> str | None:
    """The SHA-256 in a card; None without a card, or where the file is not one."""
    try:
        content = json.loads(card.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    sha256 = content.get("sha256") if isinstance(content, dict) else None
    return sha256.lower() if isinstance(sha256, str) else None


@dataclass(frozen=True)
class ModelHistory:
    """The rows that a model learnt from, or why they cannot be used; neither for a model without history."""

    sha256: str | None = None
    rows: Sequence[HistoryRow] = ()
    unusable: str | None = None

    def for_store(self) -> TrainingHistory | None:
        """The newest rows, as many as a training run can use."""
        from store.models.examples import MOST
        from store.models.history import TrainingHistory
        from triage.learning.history import newest_examples

        if self.sha256 is None or not self.rows:
            return None
        rows = [
            {"text": row.text, "category": row.category, "severity": row.severity, "language": row.language}
            for row in newest_examples(self.rows, MOST)
        ]
        return TrainingHistory(self.sha256, rows)


def read_history(file: Path, model: Model) -> ModelHistory:
    """The history next to a model file, if it is the one that the model's facts name by SHA-256."""
    from triage.errors import UnreadableTable
    from triage.learning.history import read_history_file
    from triage.model.artefact import digest

    recorded = model.facts.get("history")
    if recorded is None:
        return ModelHistory()
    path = history_path(file)
    try:
        data = path.read_bytes()
        if digest(data) == recorded["sha256"]:
            return ModelHistory(recorded["sha256"], read_history_file(data))
        reason = f"{path} was altered, or is of another model"
    except OSError as error:
        reason = f"{path} cannot be read ({error.strerror})"
    except UnreadableTable as error:
        reason = f"{path}: {error}"
    return ModelHistory(unusable=_UNUSABLE.format(reason=reason, file=path))
