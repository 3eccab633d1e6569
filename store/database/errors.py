"""Errors of the store, the translation of the database driver's errors into them, and damaged rows.

Every message says what to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

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
    """The database has other tables, triggers, views or indexes than the migrations make: nothing is written."""


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


#: Replaces words that do not open.
UNREADABLE = "[unreadable]"
#: The places in order, and the same as a set: a damaged store may have many.
_collected: ContextVar[tuple[list[str], set[str]] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting_damage() -> Iterator[list[str]]:
    """Collect the places (table, row, field) that cannot be read, each once, in the list that this yields.

    Only for reading: what is written from a partly read record would lose words. Within another
    `collecting_damage` the inner one collects.
    """
    damaged: list[str] = []
    token = _collected.set((damaged, set()))
    try:
        yield damaged
    finally:
        _collected.reset(token)


def note_damage(place: str) -> bool:
    """Note a place that cannot be read; False if no caller collects, so that the caller must raise."""
    collected = _collected.get()
    if collected is None:
        return False
    damaged, places = collected
    if place not in places:
        places.add(place)
        damaged.append(place)
    return True


def damaged_ref(place: str) -> str:
    """The reference, person or other row that a place belongs to."""
    return place.split("|")[1].split("/")[0]


def describe_damage(place: str) -> str:
    """A place in words for operators, such as `A7K-M3Q-9T: description of event 3 cannot be read`."""
    table, row, field = place.split("|")
    ref, _, number = row.partition("/")
    part = f" {number.split('/')[0]}" if number else ""
    return f"{ref}: {table.replace('_', ' ')}{part}, {field.replace('_', ' ')}, cannot be read"


#: What an operator does about it.
DAMAGE_REMEDY = (
    "Restore the row from a backup (docs/custody.md, Damage); `amends db verify` names every damaged row."
)
