"""The complainant's side in one process: real python-telegram-bot and store, with the simulator as Telegram."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from amends.documents.labels import Labels
from amends.runtime.telegram import complaint_form, long_letter
from bots.telegram.application import App, build_application
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import Intake
from bots.telegram.jobs import CopyOf, ReceiptOf, Scan, job_handlers
from bots.telegram.machine_words import Speech, Translator
from bots.telegram.polling import Poller
from bots.texts.catalogues import load_catalogues
from complaints.vocabulary import Verb
from scheduler.ticks import act_handlers
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
TEXTS = load_catalogues(["en", "tr"])


@dataclass
class TelegramDesk:
    """The running Telegram side of the desk."""

    sim: Simulator
    store: Store
    app: App
    intake: Intake
    buttons: Buttons
    poller: Poller
    worker: Worker

    async def settled(self, timeout: float = 10) -> None:
        """Wait until every update is handled and every due obligation done."""
        for _ in range(3):
            await self.sim.until(
                lambda: not self.sim.world.telegram.updates, timeout=timeout, what="updates taken"
            )
            await self.worker.idle()

    async def send_story(
        self, name: str = "Anna", text: str = "The water has been brown since Monday."
    ) -> Customer:
        """A customer sends a story; returns the customer."""
        customer = self.sim.customer(name)
        await customer.says(text)
        await self.settled()
        return customer

    async def complete_form(self, customer: Customer) -> str:
        """The customer answers the questions and sends the form; returns the reference."""
        for label in ("Done", "Skip", "Apology", "Send"):
            await customer.presses(label)
            await self.settled()
        return self.ref

    def resolve(self, ref: str) -> None:
        """Staff assess the complaint and resolve it at first contact."""
        store, actor = self.store, self.store.read(load_actor, HANDLER)
        store.write(open_case, ref, actor, "case")
        store.write(act, ref, Verb.ASSIGN, actor, {"owner": HANDLER})
        store.write(act, ref, Verb.ASSESS, actor, ASSESSED)
        words = {**RESOLVED_WORDS, "letter": "We flushed the pipe."}
        store.write(act, ref, Verb.RESOLVE, actor, RESOLVED, words)

    @property
    def ref(self) -> str:
        """The reference of the only complaint."""
        (row,) = self.store.read(list_cases)[0]
        return str(row["ref"])


@asynccontextmanager
async def telegram_desk(
    sim: Simulator,
    store: Store,
    *,
    polls: bool = True,
    paced: bool = False,
    copy_of: CopyOf | None = None,
    receipt_of: ReceiptOf | None = None,
    scan: Scan | None = None,
    speech: Speech | None = None,
    translator: Translator | None = None,
    labels: Labels | None = None,
) -> AsyncIterator[TelegramDesk]:
    """Start it; everything is closed at the end."""
    Desk(store)
    store.write(use_rulebook, RULES)
    app = build_application(sim.bot_token, sim.telegram_url)
    buttons = Buttons(SECRET)
    intake = Intake(app, store, buttons, TEXTS, translator=translator)
    poller = Poller(app, store, intake, timeout=2)
    kinds = {
        **act_handlers(store),
        **job_handlers(
            app,
            store,
            intake,
            buttons,
            TEXTS,
            rate_limited=paced,
            copy_of=copy_of,
            form_of=labels and partial(complaint_form, store, labels),
            as_pdf=labels and partial(long_letter, store, labels, "Northwind Water"),
            receipt_of=receipt_of,
            scan=scan,
            speech=speech,
        ),
    }
    worker = Worker(store, kinds)
    await app.initialize()
    await app.start()
    store.on_commit(worker.nudge)
    tasks = [asyncio.create_task(worker.run())]
    if polls:
        tasks.append(asyncio.create_task(poller.run()))
    try:
        yield TelegramDesk(sim, store, app, intake, buttons, poller, worker)
        assert sim.breaches == []
    finally:
        poller.stop()
        worker.stop()
        await asyncio.wait(tasks, timeout=10)
        await app.stop()
        await app.shutdown()
