"""Fixtures that every kind of test may ask for."""

from tests.databases import (
    clock,
    database_url,
    postgres_server,
    postgres_store,
    postgres_template,
    postgres_url,
    sqlite_store,
    sqlite_template,
    sqlite_url,
    store,
)

__all__ = [
    "clock",
    "database_url",
    "postgres_server",
    "postgres_store",
    "postgres_template",
    "postgres_url",
    "sqlite_store",
    "sqlite_template",
    "sqlite_url",
    "store",
]
