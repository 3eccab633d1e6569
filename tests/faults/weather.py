"""A desk in bad weather: a trouble begins, people go on writing, it ends; how long until all is as it should be."""

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
from store.record.texts import load_texts
from store.slack.posts import list_posts
from store.store import Store
from tests.edges.product import until
from tests.faults.desk import DeskProcess, waited
from tests.faults.proxy import Proxy, proxied
from tests.faults.standing import Platforms, platforms

REFERENCE = "Your reference is"
#: Longer than any trouble is waited out.
PATIENCE = 150.0


@dataclass
class Stage:
    """A running desk between proxies: towards Telegram, Slack and, on PostgreSQL, the database."""

    desk: DeskProcess
    far: Platforms
    store: Store
    telegram: Proxy
    slack: Proxy
    database: Proxy | None = None
    chats: count[int] = field(default_factory=lambda: count(3_000_000))
    told: list[int] = field(default_factory=list)

    def people_write(self, how_many: int) -> list[int]:
        """So many people tell something, one message each; their chats."""
        chats = [next(self.chats) for _ in range(how_many)]
        for chat in chats:
            self.far.telegram.says(chat, f"Chat {chat}: the water meter is broken.")
        self.told += chats
        return chats

    def answered(self, chats: list[int]) -> bool:
        """Each of them has a reference."""
        known = {one.chat for one in self.far.telegram.accepted if REFERENCE in one.text}
        return known.issuperset(chats)


@dataclass(frozen=True)
class Trouble:
    """`begins` and `ends` change something outside the product; in between `lasts` seconds pass.

    `answers` False: those who write meanwhile get no answer, and that is right (they blocked us).
    """

    name: str
    begins: Callable[[Stage], Awaitable[None]]
    ends: Callable[[Stage], Awaitable[None]]
    lasts: float = 2.0
    answers: bool = True


@dataclass(frozen=True)
class Weathered:
    """What came of a trouble. Seconds are from its end: until the first of those who wrote meanwhile was answered
    (negative where the trouble did not keep us), until the last, and until a card that changed in
    it shows the record (None: nobody looked)."""

    name: str
    wrote: int
    lost: int
    cases_doubled: int
    doubled: int
    unmarked: int
    first: float
    last: float
    cards: float | None = None


async def weathered(stage: Stage, trouble: Trouble, *, people: int = 4, cards: bool = False) -> Weathered:
    """Let it happen once; returns when everybody was answered who will be, or raises after `PATIENCE`.

    With `cards` a complaint changes meanwhile, and its card in Slack is waited for as well.
    """
    loop = asyncio.get_running_loop()
    doubled = len(stage.far.telegram.doubled())
    await trouble.begins(stage)
    changing = asyncio.create_task(_surely(stage.store, _change, stage.store)) if cards else None
    chats = stage.people_write(people)
    await asyncio.sleep(trouble.lasts)
    await trouble.ends(stage)
    ended = loop.time()
    chats += stage.people_write(people)
    if trouble.answers:
        await waited(lambda: stage.answered(chats), stage.desk, seconds=PATIENCE)
    else:
        await waited(lambda: stage.far.telegram.waiting == 0, stage.desk, seconds=PATIENCE)
    at = [one.at - ended for one in stage.far.telegram.accepted if one.chat in chats]
    again = stage.far.telegram.doubled()[doubled:]
    told = await told_of(stage, chats)
    right = None
    if changing is not None:
        ref = await changing
        await waited(lambda: _surely(stage.store, _is_shown, stage.store, ref), stage.desk, seconds=PATIENCE)
        right = loop.time() - ended
    return Weathered(
        name=trouble.name,
        wrote=len(chats),
        lost=sum(told[chat] == 0 for chat in chats),
        cases_doubled=sum(told[chat] > 1 for chat in chats),
        doubled=len(again),
        unmarked=sum(not one.marked for _, one in again),
        first=min(at, default=0.0),
        last=max(at, default=0.0),
        cards=right,
    )


def _change(store: Store) -> str:
    """Something comes into the record of a complaint; its reference."""
    ref = str(store.read(list_cases, limit=1)[0][0]["ref"])
    facts = {
        "words": store.read(load_case, ref).words, "category": "money", "probability": 0.8, "severity": 2,
        "safety": 0, "abstained": False, "restricted": False, "model": "m1", "alternatives": [],
    }  # fmt: skip
    store.write(act, ref, Verb.PROPOSE, MODEL, facts, {"because": "[]"})
    return ref


def _is_shown(store: Store, ref: str) -> bool:
    posts, version = store.read(list_posts, ref), store.read(load_case, ref).version
    return bool(posts) and all(post.ts is not None and post.shown_version >= version for post in posts)


async def told_of(stage: Stage, chats: list[int]) -> dict[int, int]:
    """How many complaints the record has of each chat, by its words."""

    def counted() -> dict[int, int]:
        found = dict.fromkeys(chats, 0)
        after: str | None = None
        while True:
            rows, after = stage.store.read(list_cases, limit=200, after=after)
            for row in rows:
                words = stage.store.read(load_texts, row["ref"])[0].text
                chat = int(words.split()[1].rstrip(":"))
                if chat in found:
                    found[chat] += 1
            if after is None:
                return found

    # A connection of ours may have died with the desk's.
    return await _surely(stage.store, counted)


async def _surely(store: Store, call: Callable[..., Any], *args: Any) -> Any:
    """Run it in the store's thread, again while the database is down."""
    return await store.with_retry(lambda: store.in_thread(call, *args))


@asynccontextmanager
async def staged(
    folder: Path, database: str, *, socket: str | None = None, args: tuple[str, ...] = ()
) -> AsyncIterator[Stage]:
    """A running desk that has answered once. `socket`: PostgreSQL's, which the desk then reaches by a proxy."""
    async with AsyncExitStack() as stack:
        far = await stack.enter_async_context(platforms())
        telegram = await stack.enter_async_context(proxied(("127.0.0.1", far.port)))
        slack = await stack.enter_async_context(proxied(("127.0.0.1", far.port)))
        env = far.env(telegram=telegram.port, slack=slack.port)
        proxy: Proxy | None = None
        url = database
        if socket is not None:
            proxy = await stack.enter_async_context(proxied(socket))
            url = by_proxy(database, proxy)
        straight = DeskProcess(folder, env, database)
        store = straight.prepare()
        stack.callback(store.close)
        desk = DeskProcess(folder, env, url, args=args)
        stage = Stage(desk, far, store, telegram, slack, proxy)
        desk.start()
        stack.push_async_callback(desk.kill)
        chats = stage.people_write(1)
        await waited(lambda: stage.answered(chats), desk)
        await until(lambda: bool(far.slack.lines), lambda: desk.log)
        yield stage


def by_proxy(url: str, proxy: Proxy) -> str:
    """The same database through a proxy."""
    head = url.partition("?")[0]
    name = head.rsplit("/", 1)[1]
    return f"postgresql://postgres@127.0.0.1:{proxy.port}/{name}?connect_timeout=3"
