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
from functools import partial
from itertools import count
from typing import Any, TypeVar

from rich.progress import Progress
from rich.table import Table
from sqlalchemy import text

from benchmarks import archive_rows, databases
from benchmarks.intake import KEYS
from benchmarks.measuring import ms, verdict
from complaints.actors import MODEL, SYSTEM
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.outgoing_messages import begin_sending, record_sent
from store.cases.propose import propose
from store.cases.read import list_cases, load_case, open_case
from store.cases.receive_message import receive_message
from store.database.engine import engines
from store.outbox.claim import claim, count_claimable
from store.outbox.complete import complete, is_still_required, next_due
from store.outbox.failed import list_failed
from store.people.identifiers import search_number
from store.record.worklists import WorklistSection, count_open_by_owner, list_codes, load_worklist
from store.similarity.similar import is_similar_confirmed, list_similar_cases, list_similar_clusters
from store.slack.posts import claim_post, find_case_of_post, list_posts, record_posted
from store.store import Store, open_store
from store.values import Conversation, DialogueTurn, ReplyText
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, Desk
from triage.similarity import sketch

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
        says = (ReplyText(f"receipt:{number}", "receipt", {}, (("Done",),)),)
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
        timed(
            "hear /status",
            partial(store.write, receive_message),
            desk.key(),
            chat,
            _looking(ref, f"{number}.2"),
        )
        yield ref
        owed = timed("claim what is due", partial(store.write, claim), KINDS, 16, 60)
        yield ref
        for one in owed:
            timed("ask whether it is still owed", partial(store.read, is_still_required), one)
            if one.kind == "say":
                written = timed(
                    "write a message down",
                    partial(store.write, begin_sending),
                    one,
                    "x",
                    template="t",
                    language="en",
                    ref=ref,
                )
                timed(
                    "say that it was sent",
                    partial(store.write, record_sent),
                    written,
                    f"{number}.9",
                    settles=one.id,
                )
            else:
                timed("settle a duty", partial(store.write, complete), one.id)
        yield ref
        drawn = sketch(STORY.format(number))
        timed("look for like complaints", partial(store.read, is_similar_confirmed), ref, drawn)
        timed(
            "record a proposal",
            partial(store.write, propose),
            ref,
            MODEL,
            dict(_PROPOSED),
            {"because": "{}"},
            sketch=drawn,
        )
        yield ref
        timed("read for a card", self._card, ref, number)
        timed("open", partial(store.write, open_case), ref, desk.actor(HANDLER), "open")
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
        store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
        desk.complain(ref, Verb.ACCEPT, chat=chat)
        yield ref
        cause = {"root_cause": "An old pipe."}
        timed("close", desk.act, ref, Verb.CLOSE, HANDLER, {"cause_class": "single"}, cause)
        yield ref
        self._lists(number)
        yield ref

    def _card(self, ref: str, number: int) -> None:
        store = self.store
        store.read(load_case, ref)
        store.write(claim_post, ref, "C1", "card")
        store.read(list_similar_cases, ref)
        store.write(record_posted, ref, "card", f"{number}.5", 1, 1)
        store.read(list_posts, ref)
        store.read(find_case_of_post, "C1", f"{number}.5")

    def _lists(self, number: int) -> None:
        """What staff look up."""
        store, desk, timed = self.store, self.desk, self.timed
        handler, manager = desk.actor(HANDLER), desk.actor(MANAGER)
        for section in WorklistSection:
            timed(f"list: {section.value}", partial(store.read, load_worklist), section, manager)
        for column, value in (("category", "supply"), ("state", "closed"), ("priority", "P4")):
            timed(f"list by {column}", partial(store.read, list_codes), column, value, handler)
        timed("load of each owner", partial(store.read, count_open_by_owner))
        timed("find a number", partial(store.write, search_number), f"AB-{number}", handler)
        timed("list complaints", partial(store.read, list_cases))
        timed("outbox", partial(store.read, list_failed))
        timed("next due", partial(store.read, next_due))
        timed("how many are due", partial(store.read, count_claimable), KINDS)
        timed(MORNING, partial(store.read, list_similar_clusters), manager)


def _looking(ref: str, source: str) -> Callable[[Conversation], DialogueTurn]:
    def step(talk: Conversation) -> DialogueTurn:
        talk.texts(ref)
        talk.sources(source)
        return DialogueTurn(state=talk.state)

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
        while owed := store.write(claim, KINDS, 100, 60):
            for each in owed:
                store.write(complete, each.id)
    with closing(engines(url)) as connections, Progress(transient=True) as bar:
        task = bar.add_task(f"{number:,} complaints", total=number)
        with connections.writing.connect() as connection:
            archive_rows.copy(
                connection, refs, number, progress=lambda done: bar.update(task, completed=done)
            )
            # As autovacuum would have left it.
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    return closing(open_store(url, KEYS))
