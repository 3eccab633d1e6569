"""Model files: a model with the card and the history next to it, and the starter model in the user's cache."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from amends.cli.console import err, stage

if TYPE_CHECKING:
    from store.models.training_examples import TrainingHistory
    from triage.learning.own_history import HistoryRow
    from triage.model.pipeline import Model

#: The fact of a cached model that names its version: a file without it was not written here.
_FACT = "starter_version"
_UNUSABLE = (
    "Later training runs will not know the history that this model learnt from: {reason}. "
    "Put {file} next to the model as `amends triage train` wrote it, and promote the model again."
)


def card_path(model: Path) -> Path:
    return model.with_name(f"{model.name}.card.json")


def history_path(model: Path) -> Path:
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

    def renamed(self, names: Mapping[str, str]) -> ModelHistory:
        """The same rows under other names of categories, old to new."""
        from triage.learning.own_history import rename_rows

        return replace(self, rows=rename_rows(self.rows, names))

    def for_store(self) -> TrainingHistory | None:
        """The newest rows, as many as a training run can use."""
        from store.models.training_examples import MOST, TrainingHistory
        from triage.learning.own_history import newest_examples

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
    from triage.learning.own_history import read_history_file
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


def starter_model(languages: Sequence[str] | None) -> Model:
    """The model of the starter examples in these languages, None for all; training takes seconds, reading does not.

    Standard error names a cache file that is ignored, and a cache that cannot be written.
    """
    from triage.learning import examples

    version = examples.starter_version(languages)
    name = f"starter-{'-'.join(languages) if languages is not None else 'all'}"
    try:
        file = cache_folder() / f"{name}-{version}.skops"
    except RuntimeError as error:  # a container's user may have no home directory
        err.print(f"The model is not kept for the next time: {error}")
        return _train_starter(languages)
    model = _read_cached(file, version)
    if model is None:
        model = _train_starter(languages)
        _write_cached(file, replace(model, facts={**model.facts, _FACT: version}))
        # Names have the version's length: `starter-en-????` is never a model of English and Turkish.
        _remove_older(file, f"{name}-{'?' * len(version)}.skops")
    return model


def _train_starter(languages: Sequence[str] | None) -> Model:
    from triage.learning import examples

    with stage("Training a model from the starter examples"):
        return examples.train_starter(languages)


def cache_folder() -> Path:
    """Where this platform keeps caches of programs (on Linux by the XDG Base Directory Specification)."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "amends" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "amends"
    xdg = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (xdg if xdg.is_absolute() else home / ".cache") / "amends"


def _read_cached(file: Path, version: str) -> Model | None:
    """The model of a cache file; None without one, and for a file that is damaged or another's."""
    from triage.errors import UnreadableModel
    from triage.model.artefact import load

    try:
        model = load(file.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnreadableModel) as error:
        err.print(f"{file} is ignored: {error}")
        return None
    if model.facts.get(_FACT) != version:
        err.print(f"{file} is ignored: it is another model.")
        return None
    return model


def _write_cached(file: Path, model: Model) -> None:
    from triage.model.artefact import dump

    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".", delete=False) as part:
            try:
                part.write(dump(model))
                part.flush()
                # Other processes see either no file or a complete one.
                Path(part.name).replace(file)
            except OSError:
                Path(part.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        err.print(f"The model is not kept for the next time: {file} cannot be written ({error.strerror}).")


def _remove_older(file: Path, pattern: str) -> None:
    for older in file.parent.glob(pattern):
        if older != file:
            with suppress(OSError):
                older.unlink()
