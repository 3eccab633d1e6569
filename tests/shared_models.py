"""The starter models and the demo's past, each made once for all test workers: a dozen files need a training."""

from __future__ import annotations

import fcntl
import io
import json
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amends.demo import first_model as demo_model
from amends.demo.past_file import ensure_current
from triage import __main__ as training_process
from triage.example import Example
from triage.learning.examples import train_starter
from triage.model.artefact import dump, load
from triage.model.pipeline import Model

_SHARED = list[Path]()


@pytest.fixture(scope="session", autouse=True)
def shared_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One folder for all workers of a run (pytest removes it some runs later); the demo's model is from there too."""
    worker_folder = tmp_path_factory.getbasetemp()
    run = next(
        folder_above
        for folder_above in (worker_folder, *worker_folder.parents)
        if folder_above.name.startswith("pytest-")
    )
    folder = run / "starter-models"
    folder.mkdir(exist_ok=True)
    _SHARED[:] = [folder]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_model, "train_starter", starter_model)
        yield


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


def ensure_demo_past() -> None:
    """Make the demo's past unless its file is current: it takes a minute, so one worker does it for all."""
    with (_SHARED[0] / "past.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ensure_current()


def train_here(order: bytes, *, starters: Sequence[Example]) -> tuple[dict[str, Any], bytes]:
    """What the training process answers to an order, run in this process and with other starter examples.

    Its start and the starter examples take four seconds; tests of the process itself start it.
    """
    output = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_process, "starter_examples", lambda languages: starters)
        patch.setattr(training_process, "exit_without", lambda parent: None)
        patch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(order)))
        patch.setattr(sys, "stdout", SimpleNamespace(buffer=output))
        training_process.main()
    head, _, blob = output.getvalue().partition(b"\n")
    return json.loads(head), blob
