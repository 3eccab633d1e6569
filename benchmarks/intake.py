"""Intakes per second: `receive_message` compared with the same statements alone, in the same run.

The baseline is `benchmarks.bare_intake`: the same statements with all reads, without rules, dialogue, encryption and
hashes. The difference is their cost. Rounds of both alternate, because the machine's noise changes within minutes;
the processor time of one intake changes less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.table import Table
from sqlalchemy import insert

from benchmarks import bare_intake, databases
from benchmarks.measuring import ms, quantile, result_table, verdict
from complaints.actions.intake import message_facts
from complaints.rulebook import ALWAYS, Calendar, Limit, PriorityTargets, Rulebook, Targets, as_json
from complaints.vocabulary import Verb
from store.cases.receive_message import receive_message
from store.database.engine import create_engines
from store.database.keyring import Keyring
from store.rulebooks import use_rulebook
from store.store import Store, open_store
from store.tables import RULEBOOKS, SETTINGS
from store.values import Chat, Conversation, DialogueTurn, PlannedAct, ReplyText

ROUNDS = 7
INTAKES = 200
#: Concurrent intakes on PostgreSQL, as in the product; SQLite has one writer.
THREADS = (1, 8, 16)
MIN_SHARE, MAX_TAIL = 0.6, 3.0
WORDS = "The water meter in my cellar has been dripping since Monday, and nobody answers the telephone. " * 4
KEYS = Keyring([b"benchmarks only, 32 bytes long.."])

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

#: An evening: no reminder before a due time is past, so that every intake creates the same obligations.
RECEIVED_AT = datetime(2026, 11, 3, 20, 0, tzinfo=UTC)

Intake = Callable[[str], None]


@dataclass
class IntakeTimes:
    """The rounds of one side: intakes per second, seconds of each intake, processor seconds per intake."""

    rates: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def round(self, intake: Intake, names: list[str], threads: int) -> None:
        """Run these intakes on this many threads and record their times."""

        def timed(name: str) -> float:
            started = time.perf_counter()
            intake(name)
            return time.perf_counter() - started

        cpu, started = time.process_time(), time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            self.seconds += pool.map(timed, names)
        self.rates.append(len(names) / (time.perf_counter() - started))
        self.cpu.append((time.process_time() - cpu) / len(names))


def table(rounds: int = ROUNDS, intakes: int = INTAKES) -> Table:
    """Median intakes per second, p99 and processor time of both sides on each store, with their ratios."""
    report = result_table(
        "Intakes per second, each one durable",
        " | median | rounds | p50 | p99 | CPU each | share of bare | p99 / bare | goal",
    )
    with databases.sqlite() as fresh:
        _rows(report, "SQLite", fresh, 1, rounds, intakes)
    with databases.postgres() as fresh:
        for threads in THREADS:
            _rows(report, f"PostgreSQL, {threads} thread(s)", fresh, threads, rounds, intakes)
    return report


def _rows(report: Table, name: str, fresh: databases.Fresh, threads: int, rounds: int, intakes: int) -> None:
    plain, product = measured(fresh, threads, rounds, intakes)
    share = statistics.median(product.rates) / statistics.median(plain.rates)
    tail = quantile(product.seconds, 0.99) / quantile(plain.seconds, 0.99)
    goal = verdict(share >= MIN_SHARE and tail <= MAX_TAIL)
    report.add_row(f"{name}: bare statements", *_row(plain), "100 %", "1.0", "")
    report.add_row(f"{name}: Amends", *_row(product), f"{share:.0%}", f"{tail:.1f}", goal)


def _row(side: IntakeTimes) -> tuple[str, ...]:
    return (
        f"{statistics.median(side.rates):,.0f}",
        f"{min(side.rates):,.0f}-{max(side.rates):,.0f}",
        ms(quantile(side.seconds, 0.5)),
        ms(quantile(side.seconds, 0.99)),
        ms(statistics.median(side.cpu)),
    )


def measured(
    fresh: databases.Fresh, threads: int, rounds: int, intakes: int
) -> tuple[IntakeTimes, IntakeTimes]:
    """The bare side and the product, in alternating rounds."""
    sides = (IntakeTimes(), IntakeTimes())
    with bare(fresh()) as plain, product_intake(fresh()) as receive:
        for number in range(rounds + 1):
            for side, intake in zip(sides, (plain, receive), strict=True):
                # The first round of each fills caches and opens connections.
                counted = side if number else IntakeTimes()
                counted.round(intake, [f"{number}-{n}" for n in range(intakes)], threads)
    return sides


def clock() -> datetime:
    """The time of every intake."""
    return RECEIVED_AT


@contextmanager
def product_intake(url: str) -> Iterator[Intake]:
    """The product: every intake is a new person's first message from Telegram."""
    with closing(open_store(url, KEYS, clock)) as store:
        store.write(use_rulebook, RULES)
        yield lambda name: receive(store, name)


def receive(store: Store, name: str) -> None:
    """One incoming message in one transaction."""
    store.write(
        receive_message, f"tg:{name}", Chat("telegram", f"chat-{name}", "en", f"Person {name}"), _step
    )


def _step(conversation: Conversation) -> DialogueTurn:
    ref = conversation.next_ref
    facts = message_facts(field="description", has_words=True, source="1")
    receipt = ReplyText(f"receipt:{ref}", "receipt", {"ref": ref}, (("Done",),), ref)
    return DialogueTurn(
        state={"step": "story", "ref": ref},
        acts=(PlannedAct(Verb.RECEIVE, ref, facts, {"description": WORDS}),),
        replies=(receipt,),
    )


@contextmanager
def bare(url: str) -> Iterator[Intake]:
    """The same statements alone, on connections with the product's options."""
    with closing(create_engines(url)) as connections:
        with connections.writing.begin() as connection:
            now = datetime.now(UTC)
            connection.execute(insert(RULEBOOKS).values(id=RULES.id, data=as_json(RULES), at=now))
            connection.execute(insert(SETTINGS).values(jurisdiction="", rulebook_id=RULES.id, at=ALWAYS))

        def intake(name: str) -> None:
            with connections.writing.begin() as connection:
                bare_intake.intake(connection, name)

        yield intake
