"""Fixtures that every kind of test may ask for."""

import gc
import os
from functools import lru_cache, partial

# Before numpy is loaded: arrays here are small, and threads of each worker would fight for the same cores.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import structlog
from httpx._transports import default as httpx_transport
from hypothesis import settings
from sqlalchemy import event
from sqlalchemy.pool import Pool

from store.database import engine as store_engine
from tests.databases import (
    COMPILED,
    LONG,
    clock,
    database_url,
    migrated_on_postgres,
    postgres_server,
    postgres_store,
    postgres_template,
    postgres_url,
    pytest_generate_tests,
    sqlite_store,
    sqlite_template,
    sqlite_url,
    store,
    sync_no_sqlite_file,
    usual_store,
    usual_url,
)
from tests.shared_models import shared_models

__all__ = [
    "LONG",
    "clock",
    "database_url",
    "migrated_on_postgres",
    "postgres_server",
    "postgres_store",
    "postgres_template",
    "postgres_url",
    "pytest_generate_tests",
    "shared_models",
    "sqlite_store",
    "sqlite_template",
    "sqlite_url",
    "store",
    "usual_store",
    "usual_url",
]

# Collecting nine thousand tests only adds objects: looking for garbage among them took a fifth of that time.
gc.set_threshold(100_000, 50, 50)
event.listen(Pool, "checkout", sync_no_sqlite_file)
store_engine.create_engine = partial(  # type: ignore[attr-defined]
    store_engine.create_engine, execution_options={"compiled_cache": COMPILED}
)
# Reading the certificate authorities takes 6 ms for each HTTP client, and the tests make thousands of clients.
httpx_transport.create_ssl_context = lru_cache(httpx_transport.create_ssl_context)  # type: ignore[attr-defined]

# Unless told otherwise, structlog shows an exception with every local variable of every frame: seconds for each.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

# A test says what holds, not how fast: a busy machine would fail Hypothesis's 200 ms an example.
settings.register_profile("amends", deadline=None)
settings.register_profile("long", deadline=None, max_examples=1500, stateful_step_count=120)
settings.load_profile("long" if LONG else "amends")


def pytest_collection_finish() -> None:
    """Take the modules and the collected tests out of every later search for garbage."""
    gc.freeze()
