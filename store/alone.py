"""One process on a file: a second one would free what the first is sending at this moment, and send it again."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.answering import CANNOT_BE_USED
from store.engines import database_url
from store.errors import DatabaseAway, NotAlone


@contextmanager
def alone(url: str) -> Iterator[None]:
    """Hold the file at `url` for a working desk; a server's databases are shared and need no holding.

    Raises NotAlone while another process holds it; the system lets go of what a killed process held. The lock is on
    a file beside it: opening and closing the database's own would drop the locks that SQLite holds there.
    """
    parsed = database_url(url)
    if parsed.get_backend_name() != "sqlite":
        yield
        return
    beside = Path(f"{parsed.database}.running")
    try:
        held = beside.open("w")
    except OSError as wrong:
        raise DatabaseAway(CANNOT_BE_USED.format(said=f"{beside}: {wrong.strerror}")) from wrong
    with held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            raise NotAlone(
                f"Another `amends run` works on {parsed.database}: stop it first, or move to PostgreSQL, "
                "which several processes may share."
            ) from taken
        yield
