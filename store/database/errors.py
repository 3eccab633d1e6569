"""Errors of the store, and the translation of the database driver's errors into them.

Every message says what to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection


class StoreError(Exception):
    """The database or its content does not allow this; the message gives the remedy."""


class SealBroken(StoreError):
    """A sealed value does not open: wrong key, wrong row, or altered bytes."""


class Altered(SealBroken):
    """A sealed value was altered, or belongs to another row: the secret that sealed it is there."""


class DamagedCase(StoreError):
    """The events of one complaint cannot be read; every other complaint can."""


class Erased(StoreError):
    """The key of this row was destroyed, so its words cannot be read again (8.1)."""


class WrongSchemaVersion(StoreError):
    """The tables do not fit this release."""


class DatabaseUnavailable(StoreError):
    """The database does not answer, or its file cannot be opened."""


class AlteredSchema(DatabaseUnavailable):
    """The database has other triggers, views or indexes than the migrations make: the desk writes nothing."""


class SerializationConflict(DatabaseUnavailable):
    """The database aborted this transaction because of a concurrent one. Retrying is safe."""


class AlreadyRunning(StoreError):
    """Another process already uses this SQLite file."""


class UnknownRow(StoreError):
    """No row has this number."""


CANNOT_BE_USED = (
    "The database cannot be used ({reason}): check AMENDS_DATABASE_URL, and that the database runs and "
    "accepts the login."
)
FAILED_AT_WORK = (
    "The database failed ({reason}): check that it runs, that its disk has free space, and that no "
    "other program holds a lock on it."
)
#: SQLSTATE class 40: the transaction was rolled back because of a concurrent one.
_ROLLED_BACK_CLASS = "40"
#: SQLSTATE 25006, read-only transaction: managed servers turn read-only when their disk is full.
_READ_ONLY = "25006"


@contextmanager
def database_errors(message: str = CANNOT_BE_USED) -> Iterator[None]:
    """Raise DatabaseUnavailable with `message` for any database error; `{reason}` is its first line."""
    try:
        yield
    except DBAPIError as error:
        raise DatabaseUnavailable(message.format(reason=_first_line(error))) from error


@contextmanager
def translated_errors() -> Iterator[None]:
    """Around one transaction, raise DatabaseUnavailable when the database fails.

    SerializationConflict if only this transaction was aborted. Any other error passes unchanged.
    """
    try:
        yield
    except NoConnection as error:
        raise DatabaseUnavailable(FAILED_AT_WORK.format(reason="no free connection")) from error
    except DBAPIError as error:
        state = str(getattr(error.orig, "sqlstate", None) or "")
        failed = isinstance(error, OperationalError | InterfaceError) or error.connection_invalidated
        if state.startswith(_ROLLED_BACK_CLASS):
            raise SerializationConflict(FAILED_AT_WORK.format(reason=_first_line(error))) from error
        if not (failed or state == _READ_ONLY):
            raise
        raise DatabaseUnavailable(FAILED_AT_WORK.format(reason=_first_line(error))) from error


def _first_line(error: DBAPIError) -> str:
    # The driver's message names the address, but never the password.
    return str(error.orig).strip().partition("\n")[0]
