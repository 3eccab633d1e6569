"""An invented next release: this one with one more migration."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.database import migrate
from tests.edges import example_migration

#: The migration of a release that only adds, and of one that removes what this release needs.
ADDS = Path(example_migration.__file__).read_text(encoding="utf-8")
REMOVES = """
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_column("measures", "details")
    op.execute("UPDATE alembic_version SET serves_from = '0002'")
"""


@contextmanager
def next_release(folder: Path, migration: str = ADDS) -> Iterator[None]:
    """Within this block the code of the store is that of the next release, with this migration in `folder`."""
    migrations = migrate._MIGRATIONS
    copy = folder / "next_migrations"
    shutil.copytree(migrations, copy, dirs_exist_ok=True)
    (copy / "versions" / "0002_next.py").write_text(migration, encoding="utf-8")
    migrate._MIGRATIONS = copy
    migrate._revisions.cache_clear()
    try:
        yield
    finally:
        migrate._MIGRATIONS = migrations
        migrate._revisions.cache_clear()
