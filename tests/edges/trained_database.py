"""A SQLite file with tables and a first model, trained once for all pytest workers: training takes seconds."""

from __future__ import annotations

import fcntl
import shutil
from base64 import b64decode
from contextlib import closing
from pathlib import Path

from amends.demo.first_model import first_model
from scheduler.training import schedule_first_training
from store.database.keyring import Keyring
from store.database.migrate import upgrade
from store.outbox.claim import claim
from store.outbox.complete import complete
from store.store import open_store

LANGUAGES = ("en", "tr")


def copy_trained_database(file: Path, key: str) -> None:
    """Copy a database whose model was trained on the starter examples to `file`, in a folder of pytest."""
    # One folder for all workers of a run; pytest deletes it some runs later.
    folder = next(parent for parent in file.parents if parent.name.startswith("pytest-")) / "learnt"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        template = folder / "template.db"
        if not template.exists():
            part = folder / "part.db"
            upgrade(f"sqlite:///{part}")
            with closing(open_store(f"sqlite:///{part}", Keyring([b64decode(key)]))) as store:
                first_model(store, LANGUAGES)
            part.rename(template)
    shutil.copyfile(template, file)


def skip_first_training(url: str, key: str) -> None:
    """Create the tables and complete the first training, a process of some seconds, for tests that need no model."""
    upgrade(url)
    with closing(open_store(url, Keyring([b64decode(key)]))) as store:
        schedule_first_training(store)
        for obligation in store.write(claim, ("train",), 1, 60.0):
            store.write(complete, obligation.id)


def train_database(url: str, key: str) -> None:
    """Migrate an existing database and train its first model."""
    upgrade(url)
    with closing(open_store(url, Keyring([b64decode(key)]))) as store:
        first_model(store, LANGUAGES)
