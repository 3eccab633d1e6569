"""What a whole life of a complaint costs the database, in numbers that no machine changes.

A life: received, opened, assessed, resolved, acknowledged, decided, accepted, closed, and its survey answered. The
bounds are what it costs today; who lowers a number lowers its bound.
"""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from complaints.actors import SYSTEM
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import open_case
from store.store import Store
from store.values import ReplyText
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, RESOLVED, RESOLVED_WORDS, Desk
from tests.edges.issued_statements import issued_statements

BOUNDS = {"statements": 183, "transactions": 11, "rows": 83, "bytes": 32_000}
#: The space of one life is the growth of so many.
LIVES = 20


def test_a_life_costs_no_more_statements_transactions_rows_and_bytes(
    sqlite_store: Store, clock: FakeClock
) -> None:
    store, desk = sqlite_store, Desk(sqlite_store)
    for number in range(LIVES):
        live(desk, clock, number)
    engine = store._engines.writing
    with engine.connect() as connection:
        before = space(connection)
    issued = issued_statements(engine, lambda: live(desk, clock, LIVES))
    kinds = [kind for kind, *_ in issued]
    with engine.connect() as connection:
        rows = sum(space(connection)[0].values()) - sum(before[0].values())
    for number in range(LIVES + 1, 2 * LIVES):
        live(desk, clock, number)
    with engine.connect() as connection:
        grown = space(connection)[1] - before[1]
    costs = {
        "statements": len(kinds), "transactions": kinds.count("BEGIN"), "rows": rows, "bytes": grown // LIVES
    }  # fmt: skip
    assert {name: cost for name, cost in costs.items() if not 0 < cost <= BOUNDS[name]} == {}


def space(connection: Connection) -> tuple[dict[str, int], int]:
    """The rows of each table, and the bytes of the file."""
    tables = inspect(connection).get_table_names()
    rows = {
        table: connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables
    }
    pages, size = (
        connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in ("page_count", "page_size")
    )
    return rows, pages * size


def live(desk: Desk, clock: FakeClock, number: int) -> None:
    store = desk.store
    chat, handler = desk.chat(f"{80_000 + number}"), desk.actor(HANDLER)
    receipt = ReplyText(f"receipt:{number}", "receipt", {}, (("Done",),))
    ref = desk.receive(says=(receipt,), chat=chat)
    store.write(open_case, ref, handler, "open")
    for verb, facts, words in ((Verb.ASSESS, ASSESSED, {}), (Verb.RESOLVE, RESOLVED, RESOLVED_WORDS)):
        store.write(act, ref, verb, handler, facts, words)
        clock.go_on(seconds=1)
    desk.deliver(ref, "acknowledge")
    store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    desk.deliver(ref, "decision")
    store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
    desk.complain(ref, Verb.ACCEPT, chat=chat)
    store.write(act, ref, Verb.CLOSE, handler, {"cause_class": "single"}, {"root_cause": "An old pipe."})
    desk.complain(ref, Verb.SURVEY, {"step": "scores", "answers": {"overall": 5}}, chat=chat)
