"""Random updates with restarts: nothing crashes, every update is taken, and every chat still answers at the end.

People write first messages in four languages, press old and new buttons, edit, send files and commands, and block the
bot; staff act in between and hours pass. The desk is real, with its poller and worker on SQLite; only Telegram is
the simulator. AMENDS_UPDATES is the number of updates, by default 2,000. Every RESTART_EVERY of them
the desk is closed and opened again, and every OF_A_DESK a new desk begins.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from random import Random

from rich.progress import Progress
from rich.table import Table

from benchmarks import databases
from benchmarks.measuring import result_table, verdict
from complaints.errors import ComplaintError
from complaints.vocabulary import Verb
from simulator import Simulator
from simulator.customer import Customer
from simulator.telegram.people import TelegramImpossible
from store.cases.act import act
from store.cases.read import list_cases
from store.outbox.failed import list_dead_letters
from store.people.staff import load_actor
from store.store import open_store
from tests.databases import KEYS, FakeClock
from tests.edges.desk import HANDLER, MANAGER
from tests.edges.telegram_desk import TelegramDesk, telegram_desk
from tests.rules.first_messages import read_stories

UPDATES = int(os.environ.get("AMENDS_UPDATES", "2000"))
#: With hundreds of open complaints in a chat or a desk, each update and each day would take four times as long.
PER_CHAT, FEWEST_CHATS, OF_A_DESK = 50, 40, 2000
RESTART_EVERY, SETTLE_EVERY = 500, 20
#: Runs with other seeds are other updates: AMENDS_SEED.
SEED = int(os.environ.get("AMENDS_SEED", "20261127"))
#: How long a busy machine may take until every update is handled.
BUSY_SECONDS = 300
COMMANDS = (
    "/start", "/status", "/human", "/how", "/policy", "/mydata", "/language", "/cancel", "/withdraw", "/reopen",
    "/complain", "/add more", "/help", "/nonsense",
)  # fmt: skip
WORDS = (
    "", "no", "ja", "sí", "evet", "thank you!", "When do I get an answer?", "This takes far too long.", "5", "1",
    "There is a strong smell of gas in the kitchen!", "That was on Tuesday, not on Monday.", "I accept", "Gönder",
    "another matter: the bill is wrong too", "\u202e\u0000x", "a" * 4096, "👍",
)  # fmt: skip

STORIES = [story["text"] for story in read_stories("first_messages.toml")]


async def table(updates: int = UPDATES) -> Table:
    """One row: updates, restarts, dead letters, chats that no longer answer."""
    random = Random(SEED)  # the same run on every machine
    restarts = dead = stuck = 0
    with Progress(transient=True) as bar:
        task = bar.add_task("updates", total=updates)
        for first in range(0, updates, OF_A_DESK):
            number = min(OF_A_DESK, updates - first)
            of_desk = await _one_desk(random, number, lambda: bar.advance(task))
            restarts, dead, stuck = (a + b for a, b in zip((restarts, dead, stuck), of_desk, strict=True))
    report = result_table(
        "Random updates with restarts", "updates | restarts | dead letters | stuck chats | goal"
    )
    report.add_row(f"{updates:,}", str(restarts), str(dead), str(stuck), verdict(not dead and not stuck))
    return report


async def _one_desk(random: Random, updates: int, advance: Callable[[], object]) -> tuple[int, int, int]:
    """A new desk with this many updates: its restarts, dead letters and chats that no longer answer."""
    restarts = dead = stuck = 0
    with databases.sqlite() as fresh:
        url, clock = fresh(), FakeClock()
        async with Simulator() as sim:
            people = [sim.customer(f"P{number}") for number in range(max(FEWEST_CHATS, updates // PER_CHAT))]
            for start in range(0, updates, RESTART_EVERY):
                store = open_store(url, KEYS, clock)
                async with telegram_desk(sim, store) as desk:
                    for number in range(start, min(start + RESTART_EVERY, updates)):
                        await _send(random, random.choice(people), desk)
                        if number % SETTLE_EVERY == 0:
                            await desk.settled(BUSY_SECONDS)
                            clock.go_on(minutes=random.choice((1, 30, 60 * 24)))
                            _staff_acts(random, desk)
                        advance()
                    await desk.settled(BUSY_SECONDS)
                    if start + RESTART_EVERY >= updates:
                        stuck = await _chats_without_answer(people, desk)
                    dead = len(store.read(list_dead_letters))
                store.close()
                restarts += 1
    return restarts, dead, stuck


async def _send(random: Random, person: Customer, desk: TelegramDesk) -> None:
    """One thing that a person does; what their phone does not offer is left out."""
    texts = random.choice((STORIES, WORDS, COMMANDS))
    with suppress(TelegramImpossible):
        match random.randrange(12):
            case 0 | 1 | 2 if person.buttons:
                await person.presses(random.choice(person.buttons), oldest=random.random() < 0.2)
            case 3:
                await random.choice((person.sends_photo, person.sends_voice, person.sends_sticker))()
            case 4:
                await random.choice((person.sends_location, person.sends_contact, person.sends_album))()
            case 5:
                await person.edits(await person.says(random.choice(STORIES)), random.choice(WORDS))
            case 6 if random.random() < 0.2:
                person.blocks()
                person.unblocks()
            case _:
                await person.says(random.choice(texts))


def _staff_acts(random: Random, desk: TelegramDesk) -> None:
    """What staff may do now with one complaint; what the rules refuse is left out."""
    rows = desk.store.read(list_cases)[0]
    if not rows:
        return
    ref = str(random.choice(rows)["ref"])
    actor = desk.store.read(load_actor, random.choice((HANDLER, MANAGER)))
    with suppress(ComplaintError):
        match random.randrange(4):
            case 0:
                desk.resolve(ref)
            case 1:
                words = {"text": "We are on it."}
                desk.store.write(act, ref, Verb.REPLY, actor, {"language_confirmed": True}, words)
            case 2:
                facts = {"needed_by": "2027-11-10", "language_confirmed": True}
                desk.store.write(act, ref, Verb.ASK, actor, facts, {"text": "Which tap?"})
            case _:
                desk.store.write(act, ref, Verb.NOT_ACCEPT, actor, {}, {"reason": "Out of scope."})


async def _chats_without_answer(people: list[Customer], desk: TelegramDesk) -> int:
    """How many chats get no answer to /status."""
    stuck = 0
    for person in people:
        person.unblocks()
        before = len(person.heard)
        await person.says("/status")
        await desk.settled(BUSY_SECONDS)
        stuck += len(person.heard) == before
    return stuck
