"""The copy of one's own data, brought into the chat as a file: only whoever owns the chat reads it there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bots.telegram.sending import Message, Sender
from bots.telegram.speaking import Perform
from bots.texts import Texts
from store.outcomes import NO_ANSWER_AGAIN, Done, GaveUp, Outcome, Retry
from store.values import Obligation

#: By a person's id and a language: the archive's name and bytes. It records that the copy was given out.
CopyOf = Callable[[str, str], tuple[str, bytes]]
#: What a bot may send at once (Telegram: 50 MB, the form around it included).
MOST_BYTES = 49 * 1024 * 1024


def mydata(sender: Sender, texts: Texts, copy_of: CopyOf | None) -> Perform:
    """Make the copy and send it; where it cannot be made or sent, staff see the duty fail and do it by hand."""

    async def perform(owed: Obligation) -> Outcome:
        chat = owed.chat
        if chat is None or not owed.payload:
            # Erased meanwhile: there is nothing left to copy.
            return Done()
        if copy_of is None:
            return GaveUp("nothing here makes copies of data: run `amends privacy export` and hand it over")
        language = texts.language(chat.language)
        # Not on the thread that writes: everybody else would wait until the archive is made.
        name, body = await asyncio.to_thread(copy_of, str(owed.payload["fields"]["person"]), language)
        if len(body) > MOST_BYTES:
            return GaveUp(
                "the copy is larger than Telegram takes: run `amends privacy export` and hand it over"
            )
        caption = texts.say(language, owed.payload["template"])
        message = Message(caption, "mydata", language, file=(name, body))
        outcome = await sender.send(owed, chat, message)
        if isinstance(outcome, Retry) and outcome.why == NO_ANSWER_AGAIN:
            # Everything else in this chat waits behind it, and twice it may have arrived already.
            return GaveUp("nobody knows whether the copy arrived: ask, or run `amends privacy export`")
        return outcome

    return perform
