"""A SQLite file with tables and a first model, made once for all workers: training takes seconds of every start."""

from __future__ import annotations

import fcntl
import shutil
from base64 import b64decode
from contextlib import closing
from pathlib import Path

from amends.demo.settings import first_model
from store.database.keyring import Keyring
from store.database.migrate import upgrade
from store.store import open_store

LANGUAGES = ("en", "tr")


def learnt(file: Path, key: str) -> None:
    """Make `file`, in a folder of pytest's, a database whose desk has learnt the starter examples."""
    # One folder for all workers of a run; pytest itself takes it away some runs later.
    made = next(one for one in file.parents if one.name.startswith("pytest-")) / "learnt"
    made.mkdir(exist_ok=True)
    with (made / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        template = made / "template.db"
        if not template.exists():
            part = made / "part.db"
            upgrade(f"sqlite:///{part}")
            with closing(open_store(f"sqlite:///{part}", Keyring([b64decode(key)]))) as store:
                first_model(store, LANGUAGES)
            part.rename(template)
    shutil.copyfile(template, file)


def learnt_at(url: str, key: str) -> None:
    """The same in a database that is there; it gets its tables where it has none."""
    upgrade(url)
    with closing(open_store(url, Keyring([b64decode(key)]))) as store:
        first_model(store, LANGUAGES)
