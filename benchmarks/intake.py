"""Intakes per second: our `hear`, beside the same statements in bare SQLModel, in the same run.

The bare side writes the rows that an intake of ours writes (as many, into the same tables, with the same
bytes) through plain SQLModel sessions: no rules, no dialogue, no cipher, no hash. What lies between the two
is the price of the rules. Rounds of both alternate, for the machine's noise changes by the minute
(`benchmarks.noise` is quoted beside).
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.table import Table
from sqlalchemy import Engine, insert, select
from sqlmodel import Session

from complaints.intake import said
from complaints.rulebook import Calendar, Limit, PriorityTargets, Rulebook, Targets, as_json
from complaints.vocabulary import Verb
from store.engines import engines
from store.keyring import Keyring
from store.migrating import upgrade
from store.open import Store, open_store
from store.tables import METADATA, RULEBOOKS
from store.tables.columns import Row
from store.values import Act, Chat, Conversation, Say, Turn

ROUNDS = 7
INTAKES = 150
WORDS = "The water meter in my cellar has been dripping since Monday, and nobody answers the telephone. " * 4

_SPANS = PriorityTargets("1 bd", "3 bd", "5 bd", "10 bd")
RULES = Rulebook(
    organisation="Northwind Water",
    country="GB",
    languages=("en",),
    staff_language="en",
    emergency_number="112",
    preset="small_business",
    calendar=Calendar(hours=dict.fromkeys(range(5), ((540, 1050),))),
    targets=Targets(by_priority=dict.fromkeys(("P1", "P2", "P3", "P4"), _SPANS), legal="10 bd"),
    levels={1: ("handler",)},
    authority={"handler": Limit(10_000, "GBP")},
)

#: Table and values of each.
Rows = list[tuple[str, dict[str, Any]]]


def table() -> Table:
    """Median intakes per second of both sides, the spread over the rounds, and their ratio."""
    with tempfile.TemporaryDirectory(prefix="amends-bench-") as folder:
        ours, bare, rows = _measured(Path(folder))
    drawn = Table(
        title="Intakes per second (SQLite, each one durable)", title_justify="left", show_edge=False
    )
    for column in ("", "median", "slowest round", "fastest round", "share of bare"):
        drawn.add_column(column)
    drawn.add_row(f"bare SQLModel, the same {rows} rows", *_row(bare), "100 %")
    share = statistics.median(ours) / statistics.median(bare)
    drawn.add_row("Amends: hear, receive, seal, chain, owe", *_row(ours), f"{share:.0%}")
    return drawn


def _row(rates: list[float]) -> tuple[str, str, str]:
    return f"{statistics.median(rates):,.0f}", f"{min(rates):,.0f}", f"{max(rates):,.0f}"


def _measured(folder: Path) -> tuple[list[float], list[float], int]:
    """Rates of our rounds and of the bare ones, taken in turn; and how many rows one intake writes."""
    ours, bare = f"sqlite:///{folder / 'ours.db'}", f"sqlite:///{folder / 'bare.db'}"
    for url in (ours, bare):
        upgrade(url)
    with closing(open_store(ours, Keyring([b"benchmarks only, 32 bytes long.."]))) as store:
        store.use_rulebook(RULES)
        written = _rows_of_one(store)
        both: tuple[list[float], list[float]] = ([], [])
        with closing(engines(bare)) as connections:
            plain = _Bare(connections.writing, written)
            for number in range(ROUNDS + 1):
                for rates, intake in zip(both, (_Ours(store).intake, plain.intake), strict=True):
                    rate = _rate(intake, number)
                    if number:  # the first round of each fills caches
                        rates.append(rate)
    return both[0], both[1], len(written)


def _rate(intake: Callable[[str], None], number: int) -> float:
    began = time.perf_counter()
    for one in range(INTAKES):
        intake(f"{number}-{one}")
    return INTAKES / (time.perf_counter() - began)


class _Ours:
    """Every intake is a new person's first message, as Telegram would bring it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def intake(self, name: str) -> None:
        """One message in, one transaction."""
        chat = Chat("telegram", f"chat-{name}", "en", f"Person {name}")
        self._store.hear(f"tg:{name}", chat, _step)


def _step(talk: Conversation) -> Turn:
    ref = talk.next_ref
    facts = said(field="description", has_words=True, source="1")
    receipt = Say(f"receipt:{ref}", "receipt", {"ref": ref}, (("Done",),), ref)
    return Turn(
        state={"step": "story", "ref": ref},
        acts=(Act(Verb.RECEIVE, ref, facts, {"description": WORDS}),),
        says=(receipt,),
    )


def _rows_of_one(store: Store) -> Rows:
    """The rows that one intake of ours leaves, read back from the tables."""
    before = _everything(store)
    _Ours(store).intake("sample")
    after = _everything(store)
    return [(name, row) for name, rows in after.items() for row in rows if row not in before[name]]


def _everything(store: Store) -> dict[str, list[dict[str, Any]]]:
    def read(tx: Any) -> dict[str, list[dict[str, Any]]]:
        return {
            one.name: [dict(row._mapping) for row in tx.connection.execute(select(one))]  # noqa: SLF001
            for one in METADATA.sorted_tables
        }

    return store.run(read, writes=False)


class _Bare:
    """The same rows through plain SQLModel: model objects, a session, a commit."""

    def __init__(self, engine: Engine, rows: Rows) -> None:
        self._engine, self._rows = engine, rows
        self._models = {str(one.__tablename__): one for one in Row.__subclasses__()}
        with engine.begin() as connection:
            connection.execute(
                insert(RULEBOOKS).values(id=RULES.id, data=as_json(RULES), at=datetime.now(UTC))
            )

    def intake(self, name: str) -> None:
        """One commit of fresh rows: keys and references are new, everything else is as ours wrote it."""
        contact = int.from_bytes(name.encode()[-6:])
        with Session(self._engine) as session:
            for table, rows in groupby(self._rows, key=lambda one: one[0]):
                session.add_all(self._models[table](**_fresh(table, row, name, contact)) for _, row in rows)
                # Parents before children: without relationships a session does not sort them.
                session.flush()
            session.commit()


def _fresh(table: str, row: dict[str, Any], name: str, contact: int) -> dict[str, Any]:
    """The row of another intake."""
    fresh = {column: value for column, value in row.items() if column != "id"}
    for column in {"ref", "scope", "person_id", "complainant_id"} & fresh.keys():
        if fresh[column]:
            fresh[column] = f"chat:{name}" if str(fresh[column]).startswith("chat:") else name
    if fresh.get("contact_id") is not None:
        fresh["contact_id"] = contact
    if table == "people":
        fresh["id"] = name
    elif table == "contact_points":
        fresh |= {"id": contact, "address_index": name.encode()}
    elif table == "heard":
        fresh["key"] = name
    return fresh
