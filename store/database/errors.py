"""What the store refuses by itself; every message says what to do.

A database that does not answer, cannot write or went away in the middle: one error of ours for all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection


class StoreError(Exception):
    """The database or what is in it does not allow this; the message gives the remedy."""


class SealBroken(StoreError):
    """A sealed value does not open: another key, another row, or altered bytes."""


class Erased(StoreError):
    """The key of this row was destroyed: its words are gone for good (8.1)."""


class WrongSchemaVersion(StoreError):
    """The tables are not those of this release."""


class DatabaseUnavailable(StoreError):
    """The database does not answer, or its file cannot be opened."""


class SerializationConflict(DatabaseUnavailable):
    """Two transactions stood in each other's way, and this one gave in: done again, it does its work."""


class AlreadyRunning(StoreError):
    """Another process works on this file."""


class UnknownRow(StoreError):
    """No row has this number."""


CANNOT_BE_USED = (
    "The database cannot be used ({said}): check AMENDS_DATABASE_URL, and that the database runs and "
    "lets us in."
)
STOPPED_ANSWERING = (
    "The database does not do its work ({said}): see that it runs, that there is room on its disk, and that no "
    "other program holds it."
)
#: Two transactions in each other's way (SQLSTATE 40…): for whoever waits for the database a matter of trying again.
_IN_THE_WAY = "40"
#: Open for reading alone: what managed servers do when their disk is full.
_READ_ONLY = "25006"


@contextmanager
def database_errors(told: str = CANNOT_BE_USED) -> Iterator[None]:
    """DatabaseAway with this message where the database refuses; `{said}` is its first line."""
    try:
        yield
    except DBAPIError as wrong:
        raise DatabaseUnavailable(told.format(said=_first_line(wrong))) from wrong


@contextmanager
def translated_errors() -> Iterator[None]:
    """Round one transaction: DatabaseAway where the database fails (InTheWay: for once), anything else as it is."""
    try:
        yield
    except NoConnection as wrong:
        raise DatabaseUnavailable(STOPPED_ANSWERING.format(said="no free connection")) from wrong
    except DBAPIError as wrong:
        state = str(getattr(wrong.orig, "sqlstate", None) or "")
        failed = isinstance(wrong, OperationalError | InterfaceError) or wrong.connection_invalidated
        if state.startswith(_IN_THE_WAY):
            raise SerializationConflict(STOPPED_ANSWERING.format(said=_first_line(wrong))) from wrong
        if not (failed or state == _READ_ONLY):
            raise
        raise DatabaseUnavailable(STOPPED_ANSWERING.format(said=_first_line(wrong))) from wrong


def _first_line(wrong: DBAPIError) -> str:
    # The driver's own message names the address, never the password.
    return str(wrong.orig).strip().partition("\n")[0]
