"""Very many messages due at once: how near to the platform's limit they leave, and that what is urgent need not wait.

The duties are written by the product while no desk runs, one bulk message for each of many chats; then a real
`amends run` starts beside a stand-in that answers 429 above 30 messages in any second, or one a second in a
chat. While they leave, a few people write of danger: what they hear first is counted. AMENDS_DUE says how many
are due, else 1,500.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.progress import track
from rich.table import Table

from amends.settings import rulebook
from benchmarks import databases
from benchmarks.measuring import quantile, verdict
from benchmarks.processes import desk, settings_of, standin, store_of
from benchmarks.standin import OF_THE_BOT
from complaints.obligations.kinds import SendPriority
from store.cases.receive_message import receive_message
from store.rulebooks import use_rulebook
from store.values import Chat, Conversation, DialogueTurn, ReplyText
from tests.edges.product import Product, until

DUE = int(os.environ.get("AMENDS_DUE", "1500"))
URGENT = 5
LEAST_SHARE, MOST_WAIT = 0.95, 1.0
DANGER = "There is a smell of gas in my cellar and I feel dizzy."


async def table(due: int = DUE) -> Table:
    """Messages a second of the platform's 30, refusals, and how long the urgent ones took, on each store."""
    title = f"{due:,} messages due at once, the platform's limit {OF_THE_BOT}/s"
    drawn = Table(title=title, title_justify="left", show_edge=False)
    for column in (
        "",
        "a second",
        "share of the limit",
        "429 of the bot, of a chat",
        "doubled",
        "urgent p50",
        "longest",
        "goal",
    ):
        drawn.add_column(column)
    with ExitStack() as stack:
        for name, fresh in (
            ("SQLite", stack.enter_context(databases.sqlite())),
            ("PostgreSQL", stack.enter_context(databases.postgres())),
        ):
            drawn.add_row(name, *await _drained(fresh(), due))
    return drawn


async def _drained(url: str, due: int) -> tuple[str, ...]:
    async with standin(limits=True) as far:
        with TemporaryDirectory(prefix="amends-bench-owing-") as folder:
            _owe(Product(Path(folder), {"AMENDS_DATABASE_URL": url, **far.env}), due)
        async with desk(far, url):
            for one in range(URGENT):
                await asyncio.sleep(0.7 * due / OF_THE_BOT / URGENT)
                await far.writes(chat=900_000 + one, number=1, each_second=1, text=DANGER)
            told = await _all_sent(far, due)
    sent = [at for at, chat, _ in told["sent"] if chat < 900_000]
    chats = {chat for _, chat, _ in told["sent"] if chat < 900_000}
    # The first second's worth may leave at once, as the platform has it.
    rate = (len(sent) - OF_THE_BOT) / (max(sent) - min(sent))
    others = len([1 for at, chat, _ in told["sent"] if chat >= 900_000 and at <= max(sent)])
    share = rate / OF_THE_BOT * (len(sent) + others) / len(sent)
    urgent = told["answered"]
    holds = share >= LEAST_SHARE and not any(told["refused"].values()) and max(urgent) <= MOST_WAIT
    return (
        f"{rate:.1f}",
        f"{share:.0%}",
        "{bot}, {chat}".format(**told["refused"]),
        str(len(sent) - len(chats)),
        f"{quantile(urgent, 0.5):.2f} s",
        f"{max(urgent):.2f} s",
        verdict(holds and len(chats) == due),
    )


def _owe(product: Product, due: int) -> None:
    """Somebody in each chat is owed a message; no desk runs yet."""
    with closing(store_of(product)) as store:
        store.write(use_rulebook, rulebook(settings_of(product)))
        for one in track(range(due), "Owing", transient=True):
            chat = Chat("telegram", str(100_000 + one), "en", f"P{one}")
            store.write(receive_message, f"bench:{one}", chat, _owing)


def _owing(talk: Conversation) -> DialogueTurn:
    return DialogueTurn(state=talk.state, says=(ReplyText("bulk", "maybe_twice", lane=SendPriority.BULK),))


async def _all_sent(far: Any, due: int) -> dict[str, Any]:
    told: dict[str, Any] = {}

    async def enough() -> bool:
        nonlocal told
        told = await far.seen()
        return len({chat for _, chat, _ in told["sent"]}) >= due + URGENT

    await until(enough, lambda: f"{len(told['sent'])} of {due} were sent", seconds=60 + due / 5)
    return told
