"""The files that complainants send: downloaded into the store, and recordings written down by a machine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import structlog
from telegram.error import BadRequest, RetryAfter, TelegramError

from bots.dialogue.inputs import MAX_FILE_BYTES, Elapsed, Transcript
from bots.dialogue.turn import AUDIBLE
from bots.recovery import Handler
from bots.telegram.application import App
from bots.telegram.intake import Intake
from bots.telegram.polling import pause_seconds
from store.cases.export import read_stored_file
from store.cases.receive_message import receive_message
from store.files import FetchedState, load_file_to_fetch, record_file_failed, store_file
from store.outbox.complete import Completed, Failed, Outcome, RateLimited, Retry
from store.store import Store
from store.values import FileToFetch, Obligation

#: Longest pause between two parts of a download, in seconds; well within the lease on the obligation.
DOWNLOAD_TIMEOUT_SECONDS = 30.0
#: Attempts in about eight hours. Then the person and the staff are informed.
DOWNLOAD_ATTEMPTS = 60
#: Attempts in about ten minutes and the time that the command takes. Then the staff are informed.
TRANSCRIPT_ATTEMPTS = 8
#: Only one recording is written down at a time, because it takes a whole processor. Look again after so many seconds.
BUSY_SECONDS = 2.0

#: From the bytes of a file to whether the virus scanner passes it; None if it gave no verdict.
Scan = Callable[[bytes], Awaitable[bool | None]]
_STATES: Mapping[bool | None, FetchedState] = {True: "fetched", False: "infected", None: "unscanned"}
#: The reply about a file that cannot be had, by its state.
_MESSAGES = {"failed": "file.failed", "too_large": "file.too_large"}

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Speech:
    """How recordings of up to `max_seconds` are written down; `transcribe` returns None if it failed."""

    transcribe: Callable[[bytes], Awaitable[str | None]]
    max_seconds: int

    def takes(self, file: FileToFetch) -> bool:
        return file.kind in AUDIBLE and (file.seconds or 0) <= self.max_seconds


def download_handler(
    app: App, store: Store, intake: Intake, scan: Scan | None = None, speech: Speech | None = None
) -> Handler:
    """Download one file into the store, up to 20 MiB; of a file that cannot be had the person is informed.

    Without a verdict of the scanner the file is kept, not handed on, and scanned again later.
    """

    async def keep(wanted: FileToFetch, data: bytes) -> Outcome:
        state = "fetched" if scan is None else _STATES[await scan(data)]
        transcribe = speech is not None and speech.takes(wanted)
        await store.awrite(store_file, wanted.ref, wanted.n, data, wanted.mime, state, transcribe=transcribe)
        return Retry("the virus scanner gave no verdict") if state == "unscanned" else Completed()

    async def give_up(
        obligation: Obligation, wanted: FileToFetch, state: Literal["failed", "too_large"]
    ) -> Outcome:
        log.warning("file_refused", ref=wanted.ref, n=wanted.n, state=state)
        await store.awrite(record_file_failed, wanted.ref, wanted.n, state)
        if wanted.chat is not None:
            step = intake.dialogue_step(Elapsed(f"{_MESSAGES[state]}:{wanted.ref}"))
            await store.awrite(receive_message, f"{wanted.ref}:{obligation.key}:{state}", wanted.chat, step)
        # Staff see a failed obligation, and can try again. A smaller file comes with a message of its own.
        return Failed("Telegram did not hand over the file") if state == "failed" else Completed()

    async def download(obligation: Obligation) -> Outcome:
        wanted = await store.aread(load_file_to_fetch, obligation)
        if wanted.state == "unscanned":
            return await keep(wanted, await store.aread(read_stored_file, wanted.ref, wanted.n))
        try:
            file = await app.bot.get_file(wanted.platform_id)
            if (file.file_size or 0) > MAX_FILE_BYTES:
                return await give_up(obligation, wanted, "too_large")
            data = bytes(await file.download_as_bytearray(read_timeout=DOWNLOAD_TIMEOUT_SECONDS))
        except RetryAfter as flood:
            return Retry("flood", pause_seconds(flood))
        except BadRequest as refused:
            is_too_large = "too big" in refused.message.lower()
            return await give_up(obligation, wanted, "too_large" if is_too_large else "failed")
        except TelegramError as error:
            if obligation.attempts >= DOWNLOAD_ATTEMPTS:
                return await give_up(obligation, wanted, "failed")
            return Retry(type(error).__name__)
        if len(data) > MAX_FILE_BYTES:
            return await give_up(obligation, wanted, "too_large")
        return await keep(wanted, data)

    return download


def transcript_handler(store: Store, intake: Intake, speech: Speech | None = None) -> Handler:
    """Write down one recording; the recording stays, and a person still has to listen to it.

    The words go through the dialogue in one transaction, so the safety rules read them as they read a message.
    """
    running = asyncio.Lock()

    async def transcribe(obligation: Obligation) -> Outcome:
        wanted = await store.aread(load_file_to_fetch, obligation)
        if speech is None or wanted.chat is None or wanted.state != "fetched":
            return Completed()
        if running.locked():
            return RateLimited(BUSY_SECONDS)
        async with running:
            text = await speech.transcribe(await store.aread(read_stored_file, wanted.ref, wanted.n))
        if text is None:
            why = "the speech command gave no text: see the log"
            return Retry(why) if obligation.attempts < TRANSCRIPT_ATTEMPTS else Failed(why)
        if text:
            step = intake.dialogue_step(Transcript(wanted.ref, wanted.n, text))
            await store.awrite(
                receive_message,
                f"{wanted.ref}:{obligation.key}",
                wanted.chat,
                step,
                completes=obligation.id,
            )
        return Completed(settled=bool(text))

    return transcribe
