"""The size and root of the log in a file outside of the database, so that an emptied or older one is noticed (8.1).

It is next to amends.toml, and changes after each checkpoint. Only a new start that a person confirms sets it back.
"""

import fcntl
import os
from pathlib import Path

from amends.settings import Settings
from amends.witness import write_durably
from store.custody.verify_log import HEAD, compare_head
from store.database.errors import StoreError
from store.proof.log import LogHead, read_log_head, record_new_start
from store.proof.notes import parse_checkpoint
from store.store import Store
from store.values import Damage


class OlderDatabase(StoreError):
    """The database lacks what this desk had: its log does not continue the one in the file."""


def head_file(settings: Settings) -> Path:
    return settings.file.absolute().parent / HEAD


def kept_head(file: Path) -> LogHead | None:
    """What the file says; None if there is none. Raises StoreError if it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
        start, at = text.split("\n")[3:5]
        return LogHead(parse_checkpoint(text), int(start), at)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{file} cannot be read ({type(error).__name__}), so nothing shows whether the database is complete: let "
            "this account read it. If it is damaged, verify with a checkpoint kept outside, then delete it."
        ) from error


def advance_head(store: Store, file: Path, *, confirmed_by: str | None = None) -> None:
    """Write the newest checkpoint into the file.

    Raises OlderDatabase if the log does not continue what the file says, unless a person confirms that: then it is
    recorded as a new start. Raises OSError if the file cannot be written.
    """
    # Of two processes the later one reads what the other wrote.
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        kept = kept_head(file)
        if confirmed_by is not None:
            store.write(record_new_start, kept, confirmed_by)
        elif kept is not None and isinstance(compared := store.read(compare_head, kept), Damage):
            raise OlderDatabase(
                f"The database is empty, older than it was, or another one ({compared.why}).\n"
                f"{file} says: {kept.checkpoint.size} entries of the log at {kept.at}. Complaints, letters and "
                "decisions may be missing. The desk does not start; nothing was recorded or sent.\n"
                "What it may mean: AMENDS_DATABASE_URL names another database; an old copy was put back without "
                "`amends db restore`; or somebody removed a part of the record.\n"
                "What to do:\n"
                "1. Check AMENDS_DATABASE_URL, and keep a copy of the database.\n"
                "2. Restore the newest backup into an empty database: `amends db restore FILE` (docs/custody.md).\n"
                "3. If you know why it is so and nothing newer exists, confirm it: `amends db new-start`."
            )
        newest = store.read(read_log_head)
        # A log without its newest checkpoint must not set the file back.
        if newest is not None and (kept is None or newest.position > kept.position):
            write_durably(file, newest.text())
    finally:
        os.close(folder)
