"""The baseline of the intake benchmark issues exactly the SQL statements of a real intake."""

from __future__ import annotations

from contextlib import closing

from benchmarks import bare_intake, intake
from store.database.engine import create_engines
from store.rulebooks import use_rulebook
from store.store import open_store
from tests.edges.issued_statements import issued_statements


def test_the_bare_baseline_issues_the_statements_of_an_intake(database_url: str) -> None:
    with closing(open_store(database_url, intake.KEYS, intake.clock)) as store:
        store.write(use_rulebook, intake.RULES)
        intake.receive(store, "the rules are read once")
        actual = issued_statements(store._engines.writing, lambda: intake.receive(store, "a"))
    with closing(create_engines(database_url)) as connections:

        def take_in() -> None:
            with connections.writing.begin() as connection:
                bare_intake.intake(connection, "b")

        bare = issued_statements(connections.writing, take_in)
    # The journal is part of the product's cost, like rules and encryption, and so is the check of the schema.
    proof = {"amends_touched", "journal", "journal_heads", "proof_keys", "main", "alembic_version"}
    actual = [(kind, *rest) for kind, *rest in actual if kind != "PRAGMA" and not proof & set(rest[0])]
    assert len(actual) > 15
    assert bare == actual
