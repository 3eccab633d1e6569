"""Every duty that Telegram carries out, by kind; the wiring hands them to the scheduler."""

from __future__ import annotations

from collections.abc import Mapping

from bots.telegram.application import App
from bots.telegram.buttons import Buttons
from bots.telegram.fetching import fetch
from bots.telegram.intake import Intake
from bots.telegram.mydata import CopyOf, mydata
from bots.telegram.saying import say, wake
from bots.telegram.sending import Sender, Told
from bots.telegram.speaking import Perform, Speaking
from bots.texts import Texts
from bots.turns import Waiting
from store.errors import UnknownRow
from store.open import Store
from store.outcomes import Done, Outcome
from store.values import Obligation


def performers(
    app: App,
    store: Store,
    intake: Intake,
    buttons: Buttons,
    texts: Texts,
    *,
    paced: bool = True,
    copy_of: CopyOf | None = None,
    told: Told | None = None,
    waiting: Waiting | None = None,
) -> Mapping[str, Perform]:
    """A performer for each kind. With `paced` False nothing waits for its turn (demo and tests).

    `copy_of` makes the copy of a person's data; `told` hears what became of each message.
    """
    sender = Sender(app, store, texts, paced=paced, told=told, waiting=waiting)
    return {
        "say": say(sender, buttons, texts),
        "wake": wake(store, intake),
        "fetch": fetch(app, store),
        "inbox": inbox(store, intake),
        "mydata": mydata(sender, texts, copy_of),
        **Speaking(store, sender, buttons, texts).performers(),
    }


def inbox(store: Store, intake: Intake) -> Perform:
    """Handle again what was put aside; when it fails again it stays there and staff see the duty fail."""

    async def perform(owed: Obligation) -> Outcome:
        try:
            aside = await store.in_thread(store.set_aside_take, int(owed.facts["id"]))
        except UnknownRow:
            # A person gave it up while this waited, or its 30 days are over.
            return Done()
        await intake.retry(aside.raw)
        return Done()

    return perform
