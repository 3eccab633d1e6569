"""The model of the starters, trained once for all workers: it takes seconds, and a dozen files ask for it."""

from __future__ import annotations

import fcntl
from functools import lru_cache
from pathlib import Path

from triage.learning.examples import train_starter
from triage.model.artefact import dump, load
from triage.model.pipeline import Model

_SHARED = list[Path]()


def share(folder: Path) -> None:
    """Where the workers of this run lay down what each of them may need."""
    _SHARED[:] = [folder]


@lru_cache
def starter_model(languages: tuple[str, ...]) -> Model:
    """As `train_starter` makes it, through its file."""
    made = _SHARED[0] / f"{'-'.join(languages)}.model"
    with made.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            part = made.with_suffix(".part")
            part.write_bytes(dump(train_starter(languages)))
            part.rename(made)
    return load(made.read_bytes())
