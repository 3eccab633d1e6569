"""The size and root of the log in a file outside of the database, so that an emptied or older one is noticed (8.1).

It is next to amends.toml, and changes after each checkpoint. Only a new start that a person confirms sets it back.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from amends.settings import Settings
from amends.witness import write_durably
from store.custody.verify_log import compare_head
from store.database.errors import StoreError
from store.proof.log import LogHead, read_log_head, record_new_start
from store.proof.notes import Checkpoint
from store.store import Store
from store.values import Damage

_FILE_NAME = "log_head.json"


class OlderDatabase(StoreError):
    """The database lacks what this desk had: its log does not continue the one in the file."""


def head_file(settings: Settings) -> Path:
    return settings.file.absolute().parent / _FILE_NAME


def kept_head(file: Path) -> LogHead | None:
    """What the file says; None if there is none. Raises StoreError if it cannot be read."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        checkpoint = Checkpoint(data["origin"], int(data["size"]), bytes.fromhex(data["root"]))
        return LogHead(checkpoint, int(data["start"]), str(data["at"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{file} cannot be read ({type(error).__name__}), so nothing shows whether the database is complete: let "
            "this account read it. If it is damaged, verify with a checkpoint kept outside, then delete it."
        ) from error


def advance_head(store: Store, file: Path) -> Damage | None:
    """Write the newest checkpoint into the file if the log continues what is there; otherwise return the damage.

    Raises OSError if it cannot be written.
    """
    with _locked(file.parent):
        kept = kept_head(file)
        compared = None if kept is None else store.read(compare_head, kept)
        if isinstance(compared, Damage):
            return compared
        newest = store.read(read_log_head)
        # A log without its newest checkpoint must not set the file back.
        if newest is not None and (kept is None or newest.position > kept.position):
            _write(file, newest)
        return None


def require_continued(store: Store, file: Path) -> None:
    """Raise OlderDatabase if the database lacks what the file says; otherwise write the newest checkpoint into it."""
    damage = advance_head(store, file)
    if damage is not None and (kept := kept_head(file)) is not None:
        raise OlderDatabase(
            f"The desk does not start: its database is empty, older than it was, or another one ({damage.why}).\n"
            f"{file} says: {kept.checkpoint.size} entries of the log at {kept.at}. Complaints, letters and "
            "decisions may be missing. Nothing was changed or sent.\n"
            "What it may mean: AMENDS_DATABASE_URL names another database; an old copy was put back without "
            "`amends db restore`; or somebody removed a part of the record.\n"
            "What to do:\n"
            "1. Check AMENDS_DATABASE_URL, and keep a copy of the database.\n"
            "2. Restore the newest backup into an empty database: `amends db restore FILE` (docs/custody.md).\n"
            "3. If you know why it is so and nothing newer exists, confirm it: `amends db new-start`."
        )


def begin_again(store: Store, file: Path, by: str) -> None:
    """Record that a person confirmed this database as a new start, and write its head into the file."""
    with _locked(file.parent):
        store.write(record_new_start, kept_head(file), by)
        newest = store.read(read_log_head)
        if newest is not None:
            _write(file, newest)


def _write(file: Path, head: LogHead) -> None:
    checkpoint = head.checkpoint
    data: Mapping[str, Any] = {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "start": head.start,
        "at": head.at,
    }
    write_durably(file, json.dumps(data) + "\n")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder, so that of two processes the later one reads what the other wrote."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
