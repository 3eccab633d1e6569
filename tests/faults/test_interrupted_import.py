"""`amends import` of a large file: killed and started again, its statements, its memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select

from amends.past_complaints import CHUNK_ROWS
from store.cases.staff_intake import PastComplaint, import_past
from store.custody.verify import verify
from store.database.keyring import Keyring
from store.database.transaction import Tx
from store.store import Store, open_store
from store.tables import COMPLAINTS, CONTACTS, PEOPLE, TEXTS
from tests.edges.desk import Desk
from tests.edges.issued_statements import issued_statements
from tests.edges.product import PATIENCE, Product
from tests.forked import Command

ROWS = 4 * CHUNK_ROWS + 7
#: Each person complains twice, in different chunks too.
PEOPLE_OF_ROWS = ROWS // 2


def write_file(folder: Path, rows: int) -> None:
    lines = ["received_at,description,closed_at,close_code,channel,category,name,email,customer_ref"]
    lines += [
        f"2025-03-01 09:30,Bill {number} was wrong.,2025-03-20,resolved,phone,money,Mary Past,"
        f"p{number % PEOPLE_OF_ROWS}@past.example,C-{number}"
        for number in range(rows)
    ]
    (folder / "past.csv").write_text("\n".join(lines), encoding="utf-8")


def count(tx: Tx, column: object = COMPLAINTS.c.ref) -> int:
    return int(tx.connection.execute(select(func.count(func.distinct(column)))).scalar_one())


async def test_an_import_killed_in_the_middle_goes_on_without_a_lost_or_doubled_row(
    database_url: str, tmp_path: Path
) -> None:
    product = Product(tmp_path, {"AMENDS_DATABASE_URL": database_url})
    write_file(tmp_path, ROWS)
    store = open_store(database_url, Keyring([bytes(range(32))]))
    streams = {"in": Path(os.devnull), "out": tmp_path / "out", "err": tmp_path / "err"}
    seen = [0]
    for _ in range(2):
        command = Command(("import", "past.csv"), tmp_path, product.environment(), streams).begin()
        give_up_at = time.monotonic() + PATIENCE
        while store.read(count) == seen[-1] and time.monotonic() < give_up_at:
            time.sleep(0.01)
        command.kill()
        command.wait(PATIENCE)
        seen.append(store.read(count))
    # Each time whole chunks were kept.
    assert seen == sorted(set(seen))
    assert all(done % CHUNK_ROWS == 0 or done == ROWS for done in seen)
    ended = await product.amends("import", "past.csv", "--json")
    assert (ended.code, len(ended.json["known"])) == (0, seen[-1]), ended.err
    assert len(ended.json["imported"]) == ROWS - seen[-1]
    assert [store.read(count, column) for column in (COMPLAINTS.c.ref, TEXTS.c.source)] == [ROWS, ROWS]
    for column in (PEOPLE.c.id, CONTACTS.c.id):
        assert store.read(count, column) == PEOPLE_OF_ROWS
    verified = store.read(verify)
    assert (verified.first_bad, verified.cases) == (None, ROWS)
    store.close()


def past(store: Store, number: int) -> PastComplaint:
    ending = {"closed_at": "2025-03-20T00:00:00Z", "close_code": "resolved", "category": "money"}
    words = {"description": f"Bill {number}.", "name": "Mary Past", "email": f"p{number}@past.example"}
    return PastComplaint(number, store.now() - timedelta(days=600), "phone", "en", ending, words)


def test_an_imported_chunk_takes_a_statement_for_each_table_and_fifty_rows(sqlite_store: Store) -> None:
    Desk(sqlite_store)
    first, *chunks = (
        [past(sqlite_store, number) for number in range(*ends)] for ends in ((1, 5), (5, 15), (15, 165))
    )
    sqlite_store.write(import_past, first)
    kinds = []
    for chunk in chunks:
        issued = issued_statements(
            sqlite_store._engines.writing, lambda chunk=chunk: sqlite_store.write(import_past, chunk)
        )
        kinds.append([kind for kind, *_ in issued])
    assert len(kinds[0]) <= 30
    # Rows that may exist already go fifty at a time, of two tables.
    assert len(kinds[1]) <= len(kinds[0]) + 4


def test_the_memory_of_an_import_does_not_grow_with_its_file(tmp_path: Path, sqlite_url: str) -> None:
    product = Product(tmp_path, {"AMENDS_DATABASE_URL": sqlite_url})
    peaks = []
    for rows in (1_000, 4_000):
        write_file(tmp_path, rows)
        process = subprocess.Popen(
            [sys.executable, "-m", "amends", "import", "past.csv"],
            cwd=tmp_path,
            env=product.environment(),
            stdout=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        assert status == 0
        peaks.append(usage.ru_maxrss)
    # All rows in memory took 12 KB each: a third more.
    assert peaks[1] < 1.08 * peaks[0]
