"""The time of each action with very many stored complaints, compared with a thousand (PostgreSQL).

Both databases are on one server and take turns, action by action. The archive has closed complaints
(`benchmarks.archive_rows`); both have the same few open ones. AMENDS_ARCHIVE is its size, by default 100,000.
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
from benchmarks.measuring import ms, result_table, verdict
from complaints.actors import MODEL, SYSTEM
from complaints.vocabulary import Verb
from store.cases.act import act, record_proposal
from store.cases.outgoing_messages import begin_sending, record_sent
from store.cases.read import list_cases, load_case, open_case
from store.cases.receive_message import receive_message
from store.database.engine import create_engines
from store.outbox.claim import claim, count_claimable
from store.outbox.complete import complete, find_next_due, is_still_required
from store.outbox.failed import list_failed
from store.record.worklists import WorklistSection, count_open_by_owner, list_by_code, load_worklist
from store.similarity.search import CaseSearch, search_cases
from store.similarity.similar import count_confirmed_similar, list_similar_cases, list_similar_clusters
from store.slack_posts import claim_post, list_posts, record_posted
from store.store import Store, open_store
from store.values import Conversation, DialogueTurn, ReplyText
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, Desk
from triage.shingles import sketch

ARCHIVE_SIZE = int(os.environ.get("AMENDS_ARCHIVE", "100000"))
BASE_SIZE = 1_000
#: The number of real closed complaints that the archive is copied from.
PATTERNS = 8
OPEN_CASES = 100
ROUNDS = 40
MAX_RATIO = 1.3
#: Runs once a morning, for the managers' digest.
MORNING_LABEL = "each morning: similar clusters"
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
class ActionTimer:
    """One desk on which the actions of a complaint are done and timed."""

    store: Store
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.desk = Desk(self.store, count(int(time.time() * 1000)))

    def measure(self, what: str, do: Callable[..., R], *args: Any, **options: Any) -> R:
        """Call it and record the seconds."""
        started = time.perf_counter()
        result = do(*args, **options)
        self.seconds[what].append(time.perf_counter() - started)
        return result

    def case(self, number: int, *, closes: bool = True) -> Iterator[str]:
        """One complaint from receipt to closing; each step yields, so that the other desk takes its turn."""
        desk, store, measure = self.desk, self.store, self.measure
        chat = desk.chat(str(500_000 + number))
        replies = (ReplyText(f"receipt:{number}", "receipt", {}, (("Done",),)),)
        ref = measure(
            "receive a first message",
            desk.receive,
            STORY.format(number),
            chat=chat,
            says=replies,
            source=f"{number}.1",
        )
        yield ref
        measure("receive an addition", desk.add, ref, "It is worse today.", chat=chat, source=f"{number}.2")
        yield ref
        measure(
            "receive /status",
            store.write,
            receive_message,
            desk.key(),
            chat,
            _read_conversation(ref, f"{number}.2"),
        )
        yield ref
        obligations = measure("claim due obligations", store.write, claim, KINDS, 16, 60)
        yield ref
        for obligation in obligations:
            measure("check that it is still required", store.read, is_still_required, obligation)
            if obligation.kind == "say":
                message = measure(
                    "begin sending a message",
                    store.write,
                    begin_sending,
                    obligation,
                    "x",
                    template="t",
                    language="en",
                    ref=ref,
                )
                measure(
                    "record that it was sent",
                    store.write,
                    record_sent,
                    message,
                    f"{number}.9",
                    completes=obligation.id,
                )
            else:
                measure("complete an obligation", store.write, complete, obligation.id)
        yield ref
        hashes = sketch(STORY.format(number))
        measure("look for similar complaints", store.read, count_confirmed_similar, ref, hashes)
        measure(
            "record a proposal",
            store.write,
            record_proposal,
            ref,
            MODEL,
            dict(_PROPOSED),
            {"because": "{}"},
            sketch=hashes,
        )
        yield ref
        measure("read for a card", self._card, ref, number)
        measure("open", store.write, open_case, ref, desk.actor(HANDLER), "open")
        yield ref
        measure("assign", desk.act, ref, Verb.ASSIGN, MANAGER, {"owner": HANDLER})
        measure("assess", desk.act, ref, Verb.ASSESS, HANDLER, ASSESSED)
        yield ref
        facts = {"language_confirmed": True}
        measure("reply", desk.act, ref, Verb.REPLY, HANDLER, facts, {"text": "We are on it."})
        yield ref
        if not closes:
            return
        measure("resolve", desk.act, ref, Verb.RESOLVE, HANDLER, RESOLVED, RESOLVED_WORDS)
        store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
        store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
        desk.complain(ref, Verb.ACCEPT, chat=chat)
        yield ref
        cause = {"root_cause": "An old pipe."}
        measure("close", desk.act, ref, Verb.CLOSE, HANDLER, {"cause_class": "single"}, cause)
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

    def _lists(self, number: int) -> None:
        """The lists and searches of staff."""
        store, desk, measure = self.store, self.desk, self.measure
        handler, manager = desk.actor(HANDLER), desk.actor(MANAGER)
        for section in WorklistSection:
            measure(f"list: {section.value}", store.read, load_worklist, section, manager)
        for column, value in (("category", "supply"), ("state", "closed"), ("priority", "P4")):
            measure(f"list by {column}", store.read, list_by_code, column, value, handler)
        measure("load of each owner", store.read, count_open_by_owner)
        measure(
            "find a number", store.write, search_cases, CaseSearch(number=f"AB-{number}"), handler, limit=15
        )
        measure("list complaints", store.read, list_cases)
        measure("outbox", store.read, list_failed)
        measure("next due", store.read, find_next_due)
        measure("count due obligations", store.read, count_claimable, KINDS)
        measure(MORNING_LABEL, store.read, list_similar_clusters, manager)


def _read_conversation(ref: str, source: str) -> Callable[[Conversation], DialogueTurn]:
    def step(conversation: Conversation) -> DialogueTurn:
        conversation.texts(ref)
        conversation.find_source(source)
        return DialogueTurn(state=conversation.state)

    return step


def table(archive_size: int = ARCHIVE_SIZE, rounds: int = ROUNDS) -> Table:
    """The median of each action on both databases and their ratio, then the sum of all."""
    with ExitStack() as stack:
        fresh = stack.enter_context(databases.postgres(shared_buffers="512MB", max_wal_size="4GB"))
        timers = [
            ActionTimer(stack.enter_context(_filled(fresh(), number))) for number in (BASE_SIZE, archive_size)
        ]
        for number in range(rounds + 5):
            if number == 5:
                for timer in timers:
                    timer.seconds.clear()
            for _ in zip(*(timer.case(number) for timer in timers), strict=True):
                pass
    report = result_table(
        f"An action with {archive_size:,} complaints on file",
        f" | with {BASE_SIZE:,} | with {archive_size:,} | ratio | goal",
    )
    sums = [0.0, 0.0]
    for action in timers[0].seconds:
        base_seconds, archive_seconds = (statistics.median(timer.seconds[action]) for timer in timers)
        if action == MORNING_LABEL:
            # No person waits for it, and it reads all complaints of ninety days: no goal.
            report.add_row(
                action, ms(base_seconds), ms(archive_seconds), f"{archive_seconds / base_seconds:.2f}", ""
            )
            continue
        sums = [sums[0] + base_seconds, sums[1] + archive_seconds]
        report.add_row(
            action,
            ms(base_seconds),
            ms(archive_seconds),
            f"{archive_seconds / base_seconds:.2f}",
            verdict(archive_seconds <= MAX_RATIO * base_seconds),
        )
    report.add_row(
        "all of them",
        ms(sums[0]),
        ms(sums[1]),
        f"{sums[1] / sums[0]:.2f}",
        verdict(sums[1] <= MAX_RATIO * sums[0]),
    )
    return report


def _filled(url: str, number: int) -> Any:
    """A store with this many closed complaints and a few open ones."""
    with closing(open_store(url, KEYS)) as store:
        timer = ActionTimer(store)
        refs = []
        for number_ in range(PATTERNS):
            refs += list(timer.case(900_000 + number_))[-1:]
        for number_ in range(OPEN_CASES):
            for _ in timer.case(100_000 + number_, closes=False):
                pass
        while obligations := store.write(claim, KINDS, 100, 60):
            for obligation in obligations:
                store.write(complete, obligation.id)
    with closing(create_engines(url)) as connections, Progress(transient=True) as bar:
        task = bar.add_task(f"{number:,} complaints", total=number)
        with connections.writing.connect() as connection:
            archive_rows.copy(
                connection, refs, number, progress=lambda done: bar.update(task, completed=done)
            )
            # Statistics as autovacuum keeps them.
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE"))
    return closing(open_store(url, KEYS))
