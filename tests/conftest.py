"""Fixtures that every kind of test may ask for."""

import os

# Before numpy is loaded: arrays here are small, and threads of each worker would fight for the same cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from hypothesis import settings

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

# A test says what holds, not how fast: a busy machine would fail Hypothesis's 200 ms an example.
settings.register_profile("amends", deadline=None)
settings.load_profile("amends")
