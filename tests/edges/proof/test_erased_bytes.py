"""After an erasure no file of the database has a byte of what was erased, neither a key nor an encrypted text."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, select

from complaints.actors import complainant
from complaints.vocabulary import Verb
from scheduler.ticks import housekeeping_handlers
from simulator import Simulator
from store.backup import back_up
from store.cases.act import act
from store.custody.erasure import erase_complainant, find_person
from store.custody.secret_keys import record_keys_rotated, rotate_keys
from store.database.keyring import Keyring
from store.database.transaction import Tx
from store.outbox.claim import claim
from store.outbox.complete import Completed, Rescheduled
from store.store import Store
from store.tables import METADATA
from store.values import Obligation
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import Desk
from tests.edges.proof.test_erasure import a_closed_complaint
from tests.edges.telegram_desk import telegram_desk

#: Public data of the desk, and what belongs to staff or to no complaint.
_KEPT_TABLES = frozenset({"staff", "models", "history_parts", "events"})
#: Bytes at the start, the middle and the end of a value that are searched for.
_WINDOW = 24


def sealed_values(tx: Tx) -> set[bytes]:
    """Every encrypted value, key and look-up hash of people and complaints."""
    values: set[bytes] = set()
    for table in METADATA.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, LargeBinary)]
        if table.name not in _KEPT_TABLES and columns:
            for row in tx.connection.execute(select(*columns)):
                values |= {bytes(value) for value in row if value and len(value) >= _WINDOW}
    return values


def found(values: set[bytes], database: Path) -> int:
    """How many of these values the database, its write-ahead log and its index have a part of."""
    files = [database, *(database.with_name(f"{database.name}-{suffix}") for suffix in ("wal", "shm"))]
    content = b"\0".join(file.read_bytes() for file in files if file.exists())
    return sum(
        any(
            value[at : at + _WINDOW] in content
            for at in (0, (len(value) - _WINDOW) // 2, len(value) - _WINDOW)
        )
        for value in values
    )


def database_file(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def due_removal(store: Store, clock: FakeClock) -> list[Obligation]:
    """The scheduled removal, when it is due."""
    clock.go_on(minutes=1)
    return store.write(claim, ["remnants"], 5, 60)


def rows_with(tx: Tx, word: str) -> set[str]:
    """The columns of every table that hold this word."""
    return {
        f"{table.name}.{name}"
        for table in METADATA.sorted_tables
        for row in tx.connection.execute(table.select()).mappings()
        for name, value in row.items()
        if word in str(value)
    }


@clause("8.1")
async def test_no_number_of_a_chat_is_in_the_database_or_a_backup(
    usual_url: str, clock: FakeClock, tmp_path: Path
) -> None:
    """Not before an erasure either, except encrypted: the rate limit of a chat is not erased with the person."""
    file, number = database_file(usual_url), 7_031_415_926
    patterns = (str(number).encode(), number.to_bytes(6), number.to_bytes(8))
    async with Simulator() as sim:
        with opened(usual_url, clock) as store:
            async with telegram_desk(sim, store, paced=True) as desk:
                anna = sim.customer("Anna", number=number)
                await anna.says("The water has been brown since Monday.")
                await desk.settled()
                ref = await desk.complete_form(anna)
                sim.fail_next("sendMessage", status=429, retry_after=1)
                await anna.says("/status")
                await desk.settled()
                store.write(act, ref, Verb.WITHDRAW, complainant(store.read(find_person, ref)))
                await desk.settled()
            assert store.read(rows_with, str(number)) == set()
            assert store.write(erase_complainant, ref, "request").person_erased
            (obligation,) = due_removal(store, clock)
            assert await housekeeping_handlers(store)["remnants"](obligation) == Completed()
            assert store.read(rows_with, str(number)) == set()
        back_up(usual_url, tmp_path / "backup.db")
    for copy in (file, tmp_path / "backup.db"):
        content = copy.read_bytes()
        assert [pattern for pattern in patterns if pattern in content] == []


@clause("8.1")
@pytest.mark.parametrize("others", [0, 40])
async def test_no_erased_byte_is_left_in_the_database_or_its_log(
    usual_url: str, clock: FakeClock, others: int
) -> None:
    file = database_file(usual_url)
    with opened(usual_url, clock) as store:
        desk = Desk(store)
        for number in range(others):
            desk.receive("The lamp is broken. " * 40, chat=desk.chat(str(80_000 + number)))
        kept = store.read(sealed_values)
        ref = a_closed_complaint(desk)
        erased = store.read(sealed_values) - kept
        assert found(erased, file) == len(erased) > 15
        store.write(erase_complainant, ref, "request")
        erased -= store.read(sealed_values)
        assert found(erased, file) > 0
        (obligation,) = due_removal(store, clock)
        assert await housekeeping_handlers(store)["remnants"](obligation) == Completed()
        assert found(erased, file) == 0
    assert found(erased, file) == 0


async def test_while_another_transaction_reads_old_pages_the_removal_is_tried_again(
    usual_url: str, clock: FakeClock
) -> None:
    file = database_file(usual_url)
    with opened(usual_url, clock) as store, opened(usual_url, clock) as reader:
        desk = Desk(store)
        ref = a_closed_complaint(desk)
        erased = store.read(sealed_values)
        handler = housekeeping_handlers(store)["remnants"]

        def erase_meanwhile(tx: Tx) -> object:
            sealed_values(tx)
            store.write(erase_complainant, ref, "request")
            return due_removal(store, clock)

        (obligation,) = reader.read(erase_meanwhile)
        erased -= store.read(sealed_values)
        snapshot = reader._engines.reading.connect()
        snapshot.execute(select(METADATA.tables["clock"]))
        store.write(lambda tx: tx.connection.exec_driver_sql("UPDATE clock SET id = id"))
        assert isinstance(await handler(obligation), Rescheduled)
        assert found(erased, file) > 0
        snapshot.close()
        assert await handler(obligation) == Completed()
        assert found(erased, file) == 0


def test_only_the_owner_can_read_the_files_of_the_database_after_the_first_write(
    usual_url: str, clock: FakeClock
) -> None:
    file = database_file(usual_url)
    file.chmod(0o644)
    with opened(usual_url, clock) as store:
        Desk(store)
        files = [file, *file.parent.glob(f"{file.name}-*")]
        assert {part.name: oct(part.stat().st_mode & 0o777) for part in files} == dict.fromkeys(
            (file.name, f"{file.name}-shm", f"{file.name}-wal"), "0o600"
        )


def test_no_key_that_the_old_secret_wrapped_is_left_after_a_rotation(
    usual_url: str, clock: FakeClock
) -> None:
    file, old, new = database_file(usual_url), b"old" + b"." * 29, b"new" + b"." * 29
    with opened(usual_url, clock, Keyring([old])) as store:
        a_closed_complaint(Desk(store))
    with opened(usual_url, clock, Keyring([new, old])) as store:
        wrapped = store.read(sealed_values)
        while store.write(rotate_keys, damaged=set()):
            pass
        store.write(record_keys_rotated)
        wrapped -= store.read(sealed_values)
        assert found(wrapped, file) > 3
        (obligation,) = due_removal(store, clock)
        assert obligation.kind == "remnants"
        assert store.remove_remnants()
        assert found(wrapped, file) == 0
