"""Files for staff: sent to one person's own direct messages, on the record, and deleted there a day later."""

from __future__ import annotations

import re
from datetime import timedelta

import aiohttp
from slack_sdk.errors import SlackApiError

from bots.slack.client import TIMEOUT, error_of, proxy_for
from bots.slack.pace import Wait
from bots.slack.posting import NETWORK, Poster, outcome_of
from bots.slack.telling import owe_whisper
from complaints.errors import ComplaintError
from complaints.obligations.kinds import NewObligation, SendPriority
from store.database.errors import StoreError
from store.files import read_file_bytes
from store.outbox.outcomes import Completed, Outcome
from store.outbox.rows import insert_obligation
from store.values import Obligation

KEPT = timedelta(hours=24)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class Filing:
    """Files of one desk."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster

    async def send(self, owed: Obligation) -> Outcome:
        """`slack_file`: read the file on the record for this person, send it, owe its deletion."""
        desk = self.poster.desk
        ref, seq, to = str(owed.facts["ref"]), int(owed.facts["file"]), str(owed.facts["to"])
        try:
            actor = await desk.actor(to)
            data = await desk.store.awrite(read_file_bytes, ref, seq, actor)
        except (ComplaintError, StoreError):
            channel = await self.poster.direct(to)
            text = desk.voice.say("file.unavailable", ref=ref)
            await owe_whisper(desk, owed.key, to, channel, text)
            return Completed()
        name = f"{_UNSAFE.sub('-', ref)}-{seq}{_ending(data)}"
        return await self.deliver(to, name, data, desk.voice.say("file.here", ref=ref))

    async def deliver(self, to: str, name: str, data: bytes, comment: str) -> Outcome:
        """Upload these bytes into one person's direct messages, and owe their deletion a day later."""
        desk, client = self.poster.desk, self.poster.client
        try:
            channel = await self.poster.direct(to)
            ticket = await client.files_getUploadURLExternal(filename=name, length=len(data))
            await self._upload(str(ticket["upload_url"]), data)
            # Owed before it can be seen: who dies or hears no answer in between leaves no file behind.
            gone = NewObligation(
                f"slack_file_delete:{ticket['file_id']}", "slack_file_delete", desk.store.now() + KEPT,
                SendPriority.BULK, {"file": str(ticket["file_id"])},
            )  # fmt: skip
            await desk.store.awrite(insert_obligation, gone, None, None, {})
            await client.files_completeUploadExternal(
                files=[{"id": ticket["file_id"], "title": name}],
                channel_id=channel,
                initial_comment=comment,
            )
        except (SlackApiError, Wait, *NETWORK) as failure:
            return outcome_of(failure)
        return Completed()

    async def delete(self, owed: Obligation) -> Outcome:
        """`slack_file_delete`: gone after a day; one that is gone already needs nothing."""
        try:
            await self.poster.client.files_delete(file=str(owed.facts["file"]))
        except SlackApiError as failure:
            if error_of(failure) in ("file_not_found", "file_deleted"):
                return Completed()
            return outcome_of(failure)
        except NETWORK as failure:
            return outcome_of(failure)
        return Completed()

    async def _upload(self, url: str, data: bytes) -> None:
        limit = aiohttp.ClientTimeout(total=TIMEOUT * 4)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(url, data=data, proxy=proxy_for(url, self.poster.client.proxy)) as answer,
        ):
            answer.raise_for_status()


def _ending(data: bytes) -> str:
    """A file's ending by what it is, never by what it was called."""
    kinds = (
        (b"\xff\xd8\xff", ".jpg"),
        (b"\x89PNG", ".png"),
        (b"%PDF", ".pdf"),
        (b"OggS", ".ogg"),
        (b"GIF8", ".gif"),
    )
    if data[4:8] == b"ftyp":
        return ".mp4"
    return next((ending for head, ending in kinds if data.startswith(head)), ".bin")
