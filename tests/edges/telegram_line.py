"""The complainant's side in one process: real python-telegram-bot and store, the simulator for Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bots.telegram.application import App, build_application
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import Intake
from bots.telegram.jobs import CopyOf, performers
from bots.telegram.polling import Poller
from bots.texts import load
from complaints.vocabulary import Verb
from scheduler.housekeeping import acting
from scheduler.worker import Worker
from simulator import Simulator
from simulator.customer import Customer
from store.cases.act import act
from store.cases.read import list_cases, open_case
from store.people.staff import load_actor
from store.rulebooks import use_rulebook
from store.store import Store
from tests.edges.desk import ASSESSED, HANDLER, RESOLVED, RESOLVED_WORDS, Desk
from tests.rules.dialogue_play import RULES

SECRET = b"a secret for buttons, 32 bytes.."
TEXTS = load(["en", "tr"])


@dataclass
class Line:
    """A running line; `settled` waits until everything due was done."""

    sim: Simulator
    store: Store
    app: App
    intake: Intake
    buttons: Buttons
    poller: Poller
    performing: Worker

    async def settled(self) -> None:
        """Every update taken, every due duty done."""
        for _ in range(3):
            await self.sim.until(lambda: not self.sim.world.telegram.updates, what="updates taken")
            await self.performing.idle()

    async def tells(
        self, name: str = "Anna", text: str = "The water has been brown since Monday."
    ) -> Customer:
        """Somebody tells a story; returns her."""
        customer = self.sim.customer(name)
        await customer.says(text)
        await self.settled()
        return customer

    async def signs(self, customer: Customer) -> str:
        """She answers the questions and sends; returns the reference."""
        for label in ("Done", "Skip", "Apology", "Send"):
            await customer.presses(label)
            await self.settled()
        return self.ref

    def decides(self, ref: str) -> None:
        """Staff put it right on the spot."""
        store, by = self.store, self.store.read(load_actor, HANDLER)
        store.write(open_case, ref, by, "case")
        store.write(act, ref, Verb.ASSIGN, by, {"owner": HANDLER})
        store.write(act, ref, Verb.ASSESS, by, ASSESSED)
        words = {**RESOLVED_WORDS, "letter": "We flushed the pipe."}
        store.write(act, ref, Verb.RESOLVE, by, RESOLVED, words)

    @property
    def ref(self) -> str:
        """The only complaint."""
        (one,) = self.store.read(list_cases)[0]
        return str(one["ref"])


@asynccontextmanager
async def line(
    sim: Simulator, store: Store, *, polls: bool = True, paced: bool = False, copy_of: CopyOf | None = None
) -> AsyncIterator[Line]:
    """Start it; on the way out everything is closed."""
    Desk(store)
    store.write(use_rulebook, RULES)
    app = build_application(sim.bot_token, sim.telegram_url)
    buttons = Buttons(SECRET)
    intake = Intake(app, store, buttons, TEXTS)
    poller = Poller(app, store, intake, timeout=2)
    kinds = {**acting(store), **performers(app, store, intake, buttons, TEXTS, paced=paced, copy_of=copy_of)}
    performing = Worker(store, kinds)
    await app.initialize()
    await app.start()
    store.on_commit(performing.nudge)
    tasks = [asyncio.create_task(performing.run())]
    if polls:
        tasks.append(asyncio.create_task(poller.run()))
    try:
        yield Line(sim, store, app, intake, buttons, poller, performing)
        assert sim.breaches == []
    finally:
        poller.stop()
        performing.stop()
        await asyncio.wait(tasks, timeout=10)
        await app.stop()
        await app.shutdown()
