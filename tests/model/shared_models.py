"""The starter models, each trained once for all test workers: a training takes seconds, and a dozen files need it."""

from __future__ import annotations

import fcntl
from functools import lru_cache
from pathlib import Path

from triage.learning.examples import train_starter
from triage.model.artefact import dump, load
from triage.model.pipeline import Model

_SHARED = list[Path]()


def share(folder: Path) -> None:
    """Set the folder in which the workers of this run share models."""
    _SHARED[:] = [folder]


@lru_cache
def starter_model(languages: tuple[str, ...]) -> Model:
    """Return the model that `train_starter` makes, through a shared file."""
    file = _SHARED[0] / f"{'-'.join(languages)}.model"
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not file.exists():
            part = file.with_suffix(".part")
            part.write_bytes(dump(train_starter(languages)))
            part.rename(file)
    return load(file.read_bytes())
