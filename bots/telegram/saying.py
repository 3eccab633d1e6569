"""The dialogue's own duties: what it says, and when it is woken to think again."""

from __future__ import annotations

from bots.dialogue import Elapsed
from bots.telegram.buttons import Buttons
from bots.telegram.intake import Intake
from bots.telegram.sending import Message, Sender
from bots.telegram.speaking import Perform
from bots.texts import Texts
from store.open import Store
from store.outcomes import Done, Outcome
from store.values import Obligation


def say(sender: Sender, buttons: Buttons, texts: Texts) -> Perform:
    """Say one thing in a chat; a prompt that may have arrived is sent again and marked."""

    async def perform(owed: Obligation) -> Outcome:
        chat = owed.chat
        if chat is None or not owed.payload:
            # Erased meanwhile: there is nobody to say it to.
            return Done()
        language = texts.language(chat.language)
        said = owed.payload
        keyboard = buttons.keyboard(
            texts,
            language,
            chat.address,
            said["buttons"],
            step=said["step"],
            ref=owed.ref,
            turn=int(said["fields"].get("turn", 0)),
        )
        text = texts.say(language, said["template"], **said["fields"])
        message = Message(text, said["template"], language, keyboard, owed.ref)
        return await sender.send(owed, chat, message)

    return perform


def wake(store: Store, intake: Intake) -> Perform:
    """Ask the dialogue again; its answer and the end of this duty are one transaction."""

    async def perform(owed: Obligation) -> Outcome:
        if owed.chat is None:
            return Done()
        step = intake.stepping(Elapsed(str(owed.facts["what"])))
        await store.in_thread(store.hear, owed.key, owed.chat, step, settles=owed.id)
        return Done(settled=True)

    return perform
