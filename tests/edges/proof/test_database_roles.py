"""The running role on PostgreSQL adds to the record, and cannot change or delete what is in it."""

from __future__ import annotations

import secrets

import psycopg
import pytest
from sqlalchemy import make_url

from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.custody.verify import verify
from store.database.errors import StoreError
from store.database.schema import APPEND_ONLY, grant_rights, may_change_events
from store.people.staff import load_actor
from store.tables import METADATA
from tests.databases import FakeClock, opened
from tests.edges.desk import HANDLER, Desk

ROLE = f"desk-{secrets.token_hex(3)}"


@pytest.fixture
def role(postgres_url: str) -> str:
    """A second role without any right; its name needs quotes."""
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        if owner.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone() is None:
            owner.execute(f'CREATE ROLE "{ROLE}" LOGIN')
    return ROLE


def logged_in_as(url: str, name: str) -> str:
    return make_url(url).set(username=name, password=None).render_as_string(hide_password=False)


def test_the_desk_works_with_a_role_that_cannot_change_the_record(
    postgres_url: str, role: str, clock: FakeClock
) -> None:
    with opened(postgres_url, clock) as store:
        assert store.read(may_change_events) is True
    grant_rights(postgres_url, role)
    assert grant_rights(postgres_url) == [role]
    url = logged_in_as(postgres_url, role)
    with opened(url, clock) as store:
        ref = Desk(store).receive("The water is brown.")
        by = store.read(load_actor, HANDLER)
        store.write(open_case, ref, by, "open")
        store.write(act, ref, Verb.ASSIGN, by, {"owner": by.id}, {})
        assert store.read(load_case, ref).owner == by.id
        assert store.read(verify).first_bad is None
        assert store.read(may_change_events) is False
    with psycopg.connect(url, autocommit=True) as connection:
        present = {row[0] for row in connection.execute("SELECT tablename FROM pg_tables").fetchall()}
        for table in sorted(APPEND_ONLY & present):
            column = next(iter(METADATA.tables[table].primary_key.columns)).name
            for statement in (
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"ALTER TABLE {table} DISABLE TRIGGER ALL",
                f"DROP TABLE {table}",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE alembic_version SET version_num = '0001'")


def test_granting_again_takes_back_what_was_granted_too_much(postgres_url: str, role: str) -> None:
    grant_rights(postgres_url, role)
    with psycopg.connect(postgres_url, autocommit=True) as owner:
        owner.execute(f'GRANT ALL ON events TO "{role}"')
        grant_rights(postgres_url)
        may = owner.execute("SELECT has_table_privilege(%s, 'events', 'UPDATE')", [role]).fetchone()
    assert may == (False,)


@pytest.mark.parametrize(("name", "problem"), [("nobody-here", "does not exist"), ("postgres", "can change")])
def test_a_role_that_is_missing_or_too_powerful_is_refused(
    postgres_url: str, name: str, problem: str
) -> None:
    with pytest.raises(StoreError, match=problem):
        grant_rights(postgres_url, name)


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    assert grant_rights(sqlite_url) == []
    with pytest.raises(StoreError, match="triggers refuse"):
        grant_rights(sqlite_url, "desk")
