"""What the store refuses by itself; every message says what to do."""

from __future__ import annotations


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


class InTheWay(DatabaseAway):
    """Two transactions stood in each other's way, and this one gave in: done again, it does its work."""


class NotAlone(StoreError):
    """Another process works on this file."""


class UnknownRow(StoreError):
    """No row has this number."""
