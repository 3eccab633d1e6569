"""Measure an outage: a fault begins, people keep writing, the fault ends, and the desk recovers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from complaints.actors import MODEL
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import list_cases, load_case
from store.record.load import load_texts
from store.slack_posts import list_posts
from store.store import Store
from tests.edges.product import until
from tests.faults.desk_process import DeskProcess, wait_for_desk
from tests.faults.platforms import Platforms, platforms
from tests.faults.proxy import Proxy, proxied

REFERENCE = "Your reference is"
#: Longer than any recovery takes, in seconds.
PATIENCE = 150.0


@dataclass
class Rig:
    """A running desk with proxies to Telegram, to Slack and, with PostgreSQL, to the database."""

    desk: DeskProcess
    fakes: Platforms
    store: Store
    telegram: Proxy
    slack: Proxy
    database: Proxy | None = None
    chats: count[int] = field(default_factory=lambda: count(3_000_000))

    def people_write(self, count: int) -> list[int]:
        """Let this many people write one message each, and return their chats."""
        chats = [next(self.chats) for _ in range(count)]
        for chat in chats:
            self.fakes.telegram.add_message(chat, f"Chat {chat}: the water meter is broken.")
        return chats

    def answered(self, chats: list[int]) -> bool:
        """Check that each of these chats has a reference."""
        answered = {message.chat for message in self.fakes.telegram.accepted if REFERENCE in message.text}
        return answered.issuperset(chats)


@dataclass(frozen=True)
class Fault:
    """`begins` and `ends` change something outside the product, `duration` seconds apart.

    `answers` is False if people who write during the fault rightly get no answer (they blocked the bot).
    """

    name: str
    begins: Callable[[Rig], Awaitable[None]]
    ends: Callable[[Rig], Awaitable[None]]
    duration: float = 2.0
    answers: bool = True


@dataclass(frozen=True)
class OutageResult:
    """The result of a fault.

    Seconds count from its end: `first` and `last` until the first and the last answer (negative: answered during
    the fault), `cards` until a changed card shows the record (None: not measured).
    """

    name: str
    wrote: int
    lost: int
    cases_doubled: int
    doubled: int
    unmarked: int
    first: float
    last: float
    cards: float | None = None


async def run_outage(rig: Rig, fault: Fault, *, people: int = 4, cards: bool = False) -> OutageResult:
    """Run a fault once, and return when every expected answer has arrived. Raises after `PATIENCE` seconds.

    With `cards` a complaint changes during the fault, and its card in Slack must show the change.
    """
    loop = asyncio.get_running_loop()
    doubled = len(rig.fakes.telegram.doubled())
    await fault.begins(rig)
    changing = asyncio.create_task(_with_retry(rig.store, _change, rig.store)) if cards else None
    chats = rig.people_write(people)
    await asyncio.sleep(fault.duration)
    await fault.ends(rig)
    ended = loop.time()
    chats += rig.people_write(people)
    if fault.answers:
        await wait_for_desk(lambda: rig.answered(chats), rig.desk, seconds=PATIENCE)
    else:
        await wait_for_desk(lambda: rig.fakes.telegram.waiting == 0, rig.desk, seconds=PATIENCE)
    seconds = [message.at - ended for message in rig.fakes.telegram.accepted if message.chat in chats]
    repeats = rig.fakes.telegram.doubled()[doubled:]
    cases = await count_cases(rig, chats)
    card_seconds = None
    if changing is not None:
        ref = await changing
        await wait_for_desk(
            lambda: _with_retry(rig.store, _card_is_current, rig.store, ref), rig.desk, seconds=PATIENCE
        )
        card_seconds = loop.time() - ended
    return OutageResult(
        name=fault.name,
        wrote=len(chats),
        lost=sum(cases[chat] == 0 for chat in chats),
        cases_doubled=sum(cases[chat] > 1 for chat in chats),
        doubled=len(repeats),
        unmarked=sum(not repeat.marked for _, repeat in repeats),
        first=min(seconds, default=0.0),
        last=max(seconds, default=0.0),
        cards=card_seconds,
    )


def _change(store: Store) -> str:
    """Add an event to the record of a complaint and return its reference."""
    ref = str(store.read(list_cases, limit=1)[0][0]["ref"])
    facts = {
        "words": store.read(load_case, ref).words, "category": "money", "probability": 0.8, "severity": 2,
        "safety": 0, "abstained": False, "restricted": False, "model": "m1", "alternatives": [],
    }  # fmt: skip
    store.write(act, ref, Verb.PROPOSE, MODEL, facts, {"because": "[]"})
    return ref


def _card_is_current(store: Store, ref: str) -> bool:
    posts, version = store.read(list_posts, ref), store.read(load_case, ref).version
    return bool(posts) and all(post.ts is not None and post.shown_version >= version for post in posts)


async def count_cases(rig: Rig, chats: list[int]) -> dict[int, int]:
    """Count the recorded complaints of each chat by their words."""

    def count_in_store() -> dict[int, int]:
        cases = dict.fromkeys(chats, 0)
        after: str | None = None
        while True:
            rows, after = rig.store.read(list_cases, limit=200, after=after)
            for row in rows:
                words = rig.store.read(load_texts, row["ref"])[0].text
                chat = int(words.split()[1].rstrip(":"))
                if chat in cases:
                    cases[chat] += 1
            if after is None:
                return cases

    # The fault may have broken the test's own connection too.
    return await _with_retry(rig.store, count_in_store)


async def _with_retry(store: Store, call: Callable[..., Any], *args: Any) -> Any:
    """Run it in the store's thread, and retry while the database is down."""
    return await store.with_retry(lambda: store.in_thread(call, *args))


@asynccontextmanager
async def running_rig(
    folder: Path, database: str, *, socket: str | None = None, args: tuple[str, ...] = ()
) -> AsyncIterator[Rig]:
    """Start a desk and wait for its first answer. With `socket` (PostgreSQL's) it connects through a proxy."""
    async with AsyncExitStack() as stack:
        fakes = await stack.enter_async_context(platforms())
        telegram = await stack.enter_async_context(proxied(("127.0.0.1", fakes.port)))
        slack = await stack.enter_async_context(proxied(("127.0.0.1", fakes.port)))
        env = fakes.env(telegram=telegram.port, slack=slack.port)
        proxy: Proxy | None = None
        url = database
        if socket is not None:
            proxy = await stack.enter_async_context(proxied(socket))
            url = proxied_url(database, proxy)
        direct = DeskProcess(folder, env, database)
        store = direct.prepare()
        stack.callback(store.close)
        desk = DeskProcess(folder, env, url, args=args)
        rig = Rig(desk, fakes, store, telegram, slack, proxy)
        desk.start()
        stack.push_async_callback(desk.kill)
        chats = rig.people_write(1)
        await wait_for_desk(lambda: rig.answered(chats), desk)
        await until(lambda: bool(fakes.slack.lines), lambda: desk.log)
        yield rig


def proxied_url(url: str, proxy: Proxy) -> str:
    """Return the address of the same database through a proxy."""
    head = url.partition("?")[0]
    name = head.rsplit("/", 1)[1]
    return f"postgresql://postgres@127.0.0.1:{proxy.port}/{name}?connect_timeout=3"
