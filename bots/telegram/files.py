"""The files that complainants send, downloaded into the store."""

from collections.abc import Awaitable, Callable
from typing import Literal

import structlog
from telegram.error import BadRequest, RetryAfter, TelegramError

from bots.dialogue.inputs import MAX_FILE_BYTES, Elapsed
from bots.recovery import Handler
from bots.telegram.application import App
from bots.telegram.intake import Intake
from bots.telegram.machine_words import Speech
from bots.telegram.polling import pause_seconds
from store.cases.export import read_stored_file
from store.cases.receive_message import receive_message
from store.files import SCANNED, load_file_to_fetch, record_file_failed, store_file
from store.outbox.complete import Completed, Failed, Outcome, Retry
from store.store import Store
from store.values import FileToFetch, Obligation

#: Longest pause between two parts of a download, in seconds; well within the lease on the obligation.
DOWNLOAD_TIMEOUT_SECONDS = 30.0
#: Attempts in about eight hours. Then the person and the staff are informed.
DOWNLOAD_ATTEMPTS = 60

#: From the bytes of a file to whether the virus scanner passes it; None if it gave no verdict.
Scan = Callable[[bytes], Awaitable[bool | None]]
#: The reply about a file that cannot be had, by its state.
_MESSAGES = {"failed": "file.failed", "too_large": "file.too_large"}

log = structlog.get_logger(__name__)


def download_handler(
    app: App, store: Store, intake: Intake, scan: Scan | None = None, speech: Speech | None = None
) -> Handler:
    """Download one file into the store, up to 20 MiB; of a file that cannot be had the person is informed.

    Without a verdict of the scanner the file is kept, not handed on, and scanned again later.
    """

    async def keep(wanted: FileToFetch, data: bytes) -> Outcome:
        state = "fetched" if scan is None else SCANNED[await scan(data)]
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
