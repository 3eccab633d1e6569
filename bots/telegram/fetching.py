"""Fetching what people sent: up to 20 MB, which is all that Telegram hands to a bot."""

from __future__ import annotations

import structlog
from telegram.error import BadRequest, NetworkError, RetryAfter

from bots.dialogue.heard import MOST_BYTES
from bots.telegram.application import App
from bots.telegram.polling import seconds_of
from bots.telegram.speaking import Perform
from store.open import Store
from store.outcomes import Done, Outcome, Retry
from store.values import Obligation

#: Seconds between two parts of a download; well within the lease.
SLOWEST = 30.0

log = structlog.get_logger(__name__)


def fetch(app: App, store: Store) -> Perform:
    """Download one file into the store; what cannot be had is marked, so that staff see it."""

    async def perform(owed: Obligation) -> Outcome:
        wanted = await store.in_thread(store.file_to_fetch, owed)
        try:
            file = await app.bot.get_file(wanted.platform_id)
            if (file.file_size or 0) > MOST_BYTES:
                await store.in_thread(store.file_failed, wanted.ref, wanted.n, "too_large")
                return Done()
            data = bytes(await file.download_as_bytearray(read_timeout=SLOWEST))
        except RetryAfter as flood:
            return Retry("flood", seconds_of(flood))
        except BadRequest as refused:
            state = "too_large" if "too big" in refused.message.lower() else "failed"
            log.warning("file_refused", ref=wanted.ref, n=wanted.n, state=state)
            await store.in_thread(store.file_failed, wanted.ref, wanted.n, state)
            return Done()
        except NetworkError as away:
            return Retry(type(away).__name__)
        await store.in_thread(store.keep_file, wanted.ref, wanted.n, data, wanted.mime or sniffed(data))
        return Done()

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
