"""The dialogue's own duties: what it says, and when it is woken to think again.

Fetching what people sent: up to 20 MB, which is all that Telegram hands to a bot.

The copy of one's own data, brought into the chat as a file: only whoever owns the chat reads it there.

Every duty that Telegram carries out, by kind; the wiring hands them to the scheduler.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog
from telegram.error import BadRequest, NetworkError, RetryAfter

from bots.dialogue import Elapsed
from bots.dialogue.inputs import MOST_BYTES
from bots.priority_lock import ShutdownWait
from bots.telegram.application import App
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import Intake
from bots.telegram.letters import LetterHandler, Perform
from bots.telegram.polling import seconds_of
from bots.telegram.sending import OutgoingMessage, Sender, Told
from bots.texts import Texts
from store.cases.receive_message import receive_message
from store.database.errors import UnknownRow
from store.files import keep_file, load_file_to_fetch, record_file_failed
from store.outbox.dead_letters import read_dead_letter
from store.outbox.outcomes import NO_ANSWER_AGAIN, Completed, Failed, Outcome, Retry
from store.store import Store
from store.values import Obligation


def say(sender: Sender, buttons: Buttons, texts: Texts) -> Perform:
    """Say one thing in a chat; a prompt that may have arrived is sent again and marked."""

    async def perform(owed: Obligation) -> Outcome:
        chat = owed.chat
        if chat is None or not owed.payload:
            # Erased meanwhile: there is nobody to say it to.
            return Completed()
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
        message = OutgoingMessage(text, said["template"], language, keyboard, owed.ref)
        return await sender.send(owed, chat, message)

    return perform


def wake(store: Store, intake: Intake) -> Perform:
    """Ask the dialogue again; its answer and the end of this duty are one transaction."""

    async def perform(owed: Obligation) -> Outcome:
        if owed.chat is None:
            return Completed()
        step = intake.stepping(Elapsed(str(owed.facts["what"])))
        await store.awrite(receive_message, owed.key, owed.chat, step, settles=owed.id)
        return Completed(settled=True)

    return perform


#: Seconds between two parts of a download; well within the lease.
SLOWEST = 30.0

log = structlog.get_logger(__name__)


def fetch(app: App, store: Store) -> Perform:
    """Download one file into the store; what cannot be had is marked, so that staff see it."""

    async def perform(owed: Obligation) -> Outcome:
        wanted = await store.aread(load_file_to_fetch, owed)
        try:
            file = await app.bot.get_file(wanted.platform_id)
            if (file.file_size or 0) > MOST_BYTES:
                await store.awrite(record_file_failed, wanted.ref, wanted.n, "too_large")
                return Completed()
            data = bytes(await file.download_as_bytearray(read_timeout=SLOWEST))
        except RetryAfter as flood:
            return Retry("flood", seconds_of(flood))
        except BadRequest as refused:
            state = "too_large" if "too big" in refused.message.lower() else "failed"
            log.warning("file_refused", ref=wanted.ref, n=wanted.n, state=state)
            await store.awrite(record_file_failed, wanted.ref, wanted.n, state)
            return Completed()
        except NetworkError as away:
            return Retry(type(away).__name__)
        await store.awrite(keep_file, wanted.ref, wanted.n, data, wanted.mime or sniffed(data))
        return Completed()

    return perform


_MAGIC = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"PK\x03\x04", "application/zip"),
)


def sniffed(data: bytes) -> str:
    """The type by the first bytes; a name or a sender's word is not evidence."""
    for start, mime in _MAGIC:
        if data.startswith(start):
            return mime
    if data[4:8] == b"ftyp":
        return "video/mp4"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


#: By a person's id and a language: the archive's name and bytes. It records that the copy was given out.
CopyOf = Callable[[str, str], tuple[str, bytes]]
#: What a bot may send at once (Telegram: 50 MB, the form around it included).
LARGEST_COPY_BYTES = 49 * 1024 * 1024


def mydata(sender: Sender, texts: Texts, copy_of: CopyOf | None) -> Perform:
    """Make the copy and send it; where it cannot be made or sent, staff see the duty fail and do it by hand."""

    async def perform(owed: Obligation) -> Outcome:
        chat = owed.chat
        if chat is None or not owed.payload:
            # Erased meanwhile: there is nothing left to copy.
            return Completed()
        if copy_of is None:
            return Failed("nothing here makes copies of data: run `amends privacy export` and hand it over")
        language = texts.language(chat.language)
        # Not on the thread that writes: everybody else would wait until the archive is made.
        name, body = await asyncio.to_thread(copy_of, str(owed.payload["fields"]["person"]), language)
        if len(body) > LARGEST_COPY_BYTES:
            return Failed(
                "the copy is larger than Telegram takes: run `amends privacy export` and hand it over"
            )
        caption = texts.say(language, owed.payload["template"])
        message = OutgoingMessage(caption, "mydata", language, file=(name, body))
        outcome = await sender.send(owed, chat, message)
        if isinstance(outcome, Retry) and outcome.why == NO_ANSWER_AGAIN:
            # Everything else in this chat waits behind it, and twice it may have arrived already.
            return Failed("nobody knows whether the copy arrived: ask, or run `amends privacy export`")
        return outcome

    return perform


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
    waiting: ShutdownWait | None = None,
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
        **LetterHandler(store, sender, buttons, texts).performers(),
    }


def inbox(store: Store, intake: Intake) -> Perform:
    """Handle again what was put aside; when it fails again it stays there and staff see the duty fail."""

    async def perform(owed: Obligation) -> Outcome:
        try:
            aside = await store.aread(read_dead_letter, int(owed.facts["id"]))
        except UnknownRow:
            # A person gave it up while this waited, or its 30 days are over.
            return Completed()
        await intake.retry(aside.raw)
        return Completed()

    return perform
