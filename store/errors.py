"""What the store refuses by itself; every message says what to do."""

from __future__ import annotations

from sqlalchemy import exc


class StoreError(Exception):
    """The database or what is in it does not allow this; the message gives the remedy."""


class SealBroken(StoreError):
    """A sealed value does not open: another key, another row, or altered bytes."""


class Erased(StoreError):
    """The key of this row was destroyed: its words are gone for good (8.1)."""


class NotMigrated(StoreError):
    """The tables are not those of this release."""


class DatabaseAway(StoreError):
    """The database does not answer, or its file cannot be opened."""


class UnknownRow(StoreError):
    """No row has this number."""


#: PostgreSQL's class of limits that a statement exceeds by what is in it: the next try would, too.
_ITS_OWN_FAULT = "54"


def is_away(wrong: BaseException | None) -> bool:
    """True where the database failed and not what was asked of it: no line, no room, a lock, closed for writing."""
    if isinstance(wrong, exc.TimeoutError):
        return True
    if not isinstance(wrong, exc.OperationalError | exc.InterfaceError | exc.InternalError):
        return False
    return not str(getattr(wrong.orig, "sqlstate", None) or "").startswith(_ITS_OWN_FAULT)
