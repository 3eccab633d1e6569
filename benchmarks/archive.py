"""What an action costs with very many complaints on file, beside the same action with a thousand (PostgreSQL).

Both databases stand on one server and take turns, action by action. The archive is closed complaints
(`benchmarks.archive_rows`); in hand both have the same few. AMENDS_ARCHIVE says how many, else 100,000.
"""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar

from rich.progress import Progress
from rich.table import Table
from sqlalchemy import text

from benchmarks import archive_rows, databases
from benchmarks.intake import KEYS
from benchmarks.measuring import ms, verdict
from complaints.people import MODEL, SYSTEM
from complaints.vocabulary import Verb
from store.engines import engines
from store.open import Store, open_store
from store.values import Conversation, Say, Turn
from store.worklists import Section
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, Desk
from triage.sketch import sketch

MANY = int(os.environ.get("AMENDS_ARCHIVE", "100000"))
FEW = 1_000
#: Real closed complaints from which the archive is copied.
FIRST = 8
IN_HAND = 100
ROUNDS = 40
MOST = 1.3
#: Asked once a morning, for the digest of managers.
MORNING = "each morning: like clusters"
STORY = (
    "Since Monday the water from the kitchen tap of house {0} is brown and smells of iron. I rang {0} times about "
    "order AB-{0}, was told that somebody would call back, and nobody did. We buy bottled water every day."
)
_PROPOSED: Mapping[str, Any] = {
    "words": 1, "category": "supply", "probability": 0.8, "severity": 2, "safety": 0,
    "abstained": False, "restricted": False, "model": None,
}  # fmt: skip
KINDS = ("say", "card", "thread", "propose", "letter", "acknowledge", "decision", "closing", "suggest")

R = TypeVar("R")


@dataclass
class Life:
    """One desk on which the actions of a live path are done and timed."""

    store: Store
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        """A desk with its staff."""
        self.desk = Desk(self.store, count(int(time.time() * 1000)))

    def timed(self, what: str, do: Callable[..., R], *args: Any, **more: Any) -> R:
        """Do it and remember what it took."""
        began = time.perf_counter()
        done = do(*args, **more)
        self.seconds[what].append(time.perf_counter() - began)
        return done

    def case(self, number: int, *, closes: bool = True) -> Iterator[str]:
        """A whole life of one complaint; each step yields, so that another desk may take its turn."""
        desk, store, timed = self.desk, self.store, self.timed
        chat = desk.chat(str(500_000 + number))
        says = (Say(f"receipt:{number}", "receipt", {}, (("Done",),)),)
        ref = timed(
            "hear a first message",
            desk.receive,
            STORY.format(number),
            chat=chat,
            says=says,
            source=f"{number}.1",
        )
        yield ref
        timed("hear an addition", desk.add, ref, "It is worse today.", chat=chat, source=f"{number}.2")
        yield ref
        timed("hear /status", store.hear, desk.key(), chat, _looking(ref, f"{number}.2"))
        yield ref
        owed = timed("claim what is due", store.claim, KINDS, 16, 60)
        yield ref
        for one in owed:
            timed("ask whether it is still owed", store.still_owed, one)
            if one.kind == "say":
                written = timed(
                    "write a message down", store.sending, one, "x", template="t", language="en", ref=ref
                )
                timed("say that it was sent", store.sent, written, f"{number}.9", settles=one.id)
            else:
                timed("settle a duty", store.settle, one.id)
        yield ref
        drawn = sketch(STORY.format(number))
        timed("look for like complaints", store.like_confirmed, ref, drawn)
        timed(
            "record a proposal", store.propose, ref, MODEL, dict(_PROPOSED), {"because": "{}"}, sketch=drawn
        )
        yield ref
        timed("read for a card", self._card, ref, number)
        timed("open", store.open_case, ref, desk.actor(HANDLER), "open")
        yield ref
        timed("assign", desk.act, ref, Verb.ASSIGN, MANAGER, {"owner": HANDLER})
        timed("assess", desk.act, ref, Verb.ASSESS, HANDLER, ASSESSED)
        yield ref
        told = {"language_confirmed": True}
        timed("reply", desk.act, ref, Verb.REPLY, HANDLER, told, {"text": "We are on it."})
        yield ref
        if not closes:
            return
        timed("resolve", desk.act, ref, Verb.RESOLVE, HANDLER, RESOLVED, RESOLVED_WORDS)
        store.act(ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        store.act(ref, Verb.COMMUNICATE_DECISION, SYSTEM)
        desk.complain(ref, Verb.ACCEPT, chat=chat)
        yield ref
        cause = {"root_cause": "An old pipe."}
        timed("close", desk.act, ref, Verb.CLOSE, HANDLER, {"cause_class": "single"}, cause)
        yield ref
        self._lists(number)
        yield ref

    def _card(self, ref: str, number: int) -> None:
        store = self.store
        store.case(ref)
        store.claim_post(ref, "C1", "card")
        store.likes_of(ref)
        store.posted(ref, "card", f"{number}.5", 1, 1)
        store.posts(ref)
        store.post_at("C1", f"{number}.5")

    def _lists(self, number: int) -> None:
        """What staff look up."""
        store, desk, timed = self.store, self.desk, self.timed
        handler, manager = desk.actor(HANDLER), desk.actor(MANAGER)
        for section in Section:
            timed(f"list: {section.value}", store.worklist, section, manager)
        for column, value in (("category", "supply"), ("state", "closed"), ("priority", "P4")):
            timed(f"list by {column}", store.coded, column, value, handler)
        timed("load of each owner", store.loads)
        timed("find a number", store.search_number, f"AB-{number}", handler)
        timed("list complaints", store.cases)
        timed("outbox", store.outbox)
        timed("next due", store.next_due)
        timed("how many are due", store.claimable, KINDS)
        timed(MORNING, store.like_clusters, manager)


def _looking(ref: str, source: str) -> Callable[[Conversation], Turn]:
    def step(talk: Conversation) -> Turn:
        talk.texts(ref)
        talk.sources(source)
        return Turn(state=talk.state)

    return step


def table(many: int = MANY, rounds: int = ROUNDS) -> Table:
    """Median of each action on both, and the ratio; the worst of all."""
    with ExitStack() as stack:
        fresh = stack.enter_context(databases.postgres(shared_buffers="512MB", max_wal_size="4GB"))
        lives = [Life(stack.enter_context(_filled(fresh(), number))) for number in (FEW, many)]
        for number in range(rounds + 5):
            if number == 5:
                for one in lives:
                    one.seconds.clear()
            for _ in zip(*(one.case(number) for one in lives), strict=True):
                pass
    drawn = Table(title=f"An action with {many:,} complaints on file", title_justify="left", show_edge=False)
    for column in ("", f"with {FEW:,}", f"with {many:,}", "ratio", "goal"):
        drawn.add_column(column)
    sums = [0.0, 0.0]
    for what in lives[0].seconds:
        few, much = (statistics.median(one.seconds[what]) for one in lives)
        if what == MORNING:
            # No action of anybody: it counts what came in ninety days, however much that is.
            drawn.add_row(what, ms(few), ms(much), f"{much / few:.2f}", "")
            continue
        sums = [sums[0] + few, sums[1] + much]
        drawn.add_row(what, ms(few), ms(much), f"{much / few:.2f}", verdict(much <= MOST * few))
    drawn.add_row(
        "all of them",
        ms(sums[0]),
        ms(sums[1]),
        f"{sums[1] / sums[0]:.2f}",
        verdict(sums[1] <= MOST * sums[0]),
    )
    return drawn


def _filled(url: str, number: int) -> Any:
    """A store with so many closed complaints on file and a few in hand."""
    with closing(open_store(url, KEYS)) as store:
        life = Life(store)
        refs = []
        for one in range(FIRST):
            refs += list(life.case(900_000 + one))[-1:]
        for one in range(IN_HAND):
            for _ in life.case(100_000 + one, closes=False):
                pass
        while owed := store.claim(KINDS, 100, 60):
            for each in owed:
                store.settle(each.id)
    with closing(engines(url)) as connections, Progress(transient=True) as bar:
        task = bar.add_task(f"{number:,} complaints", total=number)
        with connections.writing.connect() as connection:
            archive_rows.copy(
                connection, refs, number, progress=lambda done: bar.update(task, completed=done)
            )
            # As autovacuum would have left it.
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    return closing(open_store(url, KEYS))
