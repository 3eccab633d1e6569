"""Very many messages due at once: how close sending gets to the platform's limit, and how long urgent ones wait.

The product schedules one bulk message for each of many chats while no desk runs. Then a real `amends run` starts with
a fake that answers 429 above 30 messages in any second, or above one a second in a chat. During the sending a few
people write about danger; the time to their first answer is measured. AMENDS_DUE is the number of messages, by
default 1,500.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.progress import track
from rich.table import Table

from amends.settings import rulebook
from benchmarks import databases
from benchmarks.measuring import quantile, result_table, verdict
from benchmarks.processes import desk, settings_of, standin, store_of
from benchmarks.standin import BOT_LIMIT
from complaints.obligations.kinds import SendPriority
from store.cases.receive_message import receive_message
from store.rulebooks import use_rulebook
from store.values import Chat, Conversation, DialogueTurn, ReplyText
from tests.edges.product import Product, until

DUE = int(os.environ.get("AMENDS_DUE", "1500"))
URGENT = 5
MIN_SHARE, MAX_WAIT = 0.95, 1.0
DANGER = "There is a smell of gas in my cellar and I feel dizzy."


async def table(due: int = DUE) -> Table:
    """For each store: messages a second, share of the limit, refusals, and the wait of urgent messages."""
    title = f"{due:,} messages due at once, the platform's limit {BOT_LIMIT}/s"
    report = result_table(
        title,
        " | a second | share of the limit | 429 for the bot, for a chat | doubled | urgent p50 | longest "
        "| goal",
    )
    for name, fresh in databases.each():
        report.add_row(name, *await _drain(fresh(), due))
    return report


async def _drain(url: str, due: int) -> tuple[str, ...]:
    async with standin(limits=True) as platforms:
        with TemporaryDirectory(prefix="amends-bench-drain-") as folder:
            _schedule_messages(Product(Path(folder), {"AMENDS_DATABASE_URL": url, **platforms.env}), due)
        async with desk(platforms, url):
            for n in range(URGENT):
                await asyncio.sleep(0.7 * due / BOT_LIMIT / URGENT)
                await platforms.writes(chat=900_000 + n, number=1, each_second=1, text=DANGER)
            counts = await _all_sent(platforms, due)
    sent = [at for at, chat, _ in counts["sent"] if chat < 900_000]
    chats = {chat for _, chat, _ in counts["sent"] if chat < 900_000}
    # The platform accepts the messages of the first second at once.
    rate = (len(sent) - BOT_LIMIT) / (max(sent) - min(sent))
    others = len([1 for at, chat, _ in counts["sent"] if chat >= 900_000 and at <= max(sent)])
    share = rate / BOT_LIMIT * (len(sent) + others) / len(sent)
    urgent = counts["answered"]
    holds = share >= MIN_SHARE and not any(counts["refused"].values()) and max(urgent) <= MAX_WAIT
    return (
        f"{rate:.1f}",
        f"{share:.0%}",
        "{bot}, {chat}".format(**counts["refused"]),
        str(len(sent) - len(chats)),
        f"{quantile(urgent, 0.5):.2f} s",
        f"{max(urgent):.2f} s",
        verdict(holds and len(chats) == due),
    )


def _schedule_messages(product: Product, due: int) -> None:
    """Schedule one message in each chat; no desk runs yet."""
    with closing(store_of(product)) as store:
        store.write(use_rulebook, rulebook(settings_of(product)))
        for n in track(range(due), "Scheduling", transient=True):
            chat = Chat("telegram", str(100_000 + n), "en", f"P{n}")
            store.write(receive_message, f"bench:{n}", chat, _schedule_message)


def _schedule_message(conversation: Conversation) -> DialogueTurn:
    return DialogueTurn(
        state=conversation.state, replies=(ReplyText("bulk", "maybe_twice", lane=SendPriority.BULK),)
    )


async def _all_sent(platforms: Any, due: int) -> dict[str, Any]:
    counts: dict[str, Any] = {}

    async def is_complete() -> bool:
        nonlocal counts
        counts = await platforms.seen()
        return len({chat for _, chat, _ in counts["sent"]}) >= due + URGENT

    await until(is_complete, lambda: f"{len(counts['sent'])} of {due} were sent", seconds=60 + due / 5)
    return counts
