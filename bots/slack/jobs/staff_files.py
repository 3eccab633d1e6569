"""Files for staff: sent to one person's direct messages as a recorded read, and deleted there a day later."""

import asyncio
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError

from bots.slack.client.block_kit import SlackMessage
from bots.slack.client.client import NETWORK, TIMEOUT, error_of, proxy_for
from bots.slack.client.slack_limits import RateLimitWait
from bots.slack.jobs.post import Poster, failure_outcome
from complaints.errors import ComplaintError
from complaints.forms import LARGEST_ATTACHMENT
from complaints.obligations.kinds import SendPriority
from store.database.errors import StoreError
from store.files import (
    ATTACHED,
    SCANNED,
    extension,
    is_program,
    load_file_to_fetch,
    media_type,
    read_file_bytes,
    record_file_failed,
    store_file,
)
from store.outbox.complete import Completed, Failed, Outcome, Retry
from store.slack_posts import record_direct_message
from store.values import Obligation

KEPT_FOR = timedelta(hours=24)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class FileJobs:
    def __init__(self, poster: Poster) -> None:
        self.poster = poster

    async def send(self, obligation: Obligation) -> Outcome:
        """`slack_file`: read the file for this person, which is recorded, and send it."""
        slack, facts = self.poster.slack, obligation.facts
        ref, number, member_id = str(facts["ref"]), int(facts["file"]), str(facts["to"])
        try:
            actor = await slack.actor(member_id)
            content = await slack.store.awrite(read_file_bytes, ref, number, actor)
        except (ComplaintError, StoreError):
            channel = await self.poster.conversation(member_id)
            text = slack.texts.text("file.unavailable", ref=ref)
            answer = {"channel": channel, "user": member_id, "text": text}
            await slack.schedule(f"tell:{obligation.key}", "tell", payload=answer)
            return Completed()
        name = f"{_UNSAFE.sub('-', ref)}-{number}{extension(content)}"
        comment = slack.texts.text("file.here", ref=ref)
        if is_program(media_type(content)):
            comment += f"\n{slack.texts.text('file.program')}"
        return await self.deliver(member_id, name, content, comment, ref=ref)

    async def fetch(self, obligation: Obligation) -> Outcome:
        """`slack_fetch`: download a file that staff uploaded, and check it by its content and with the virus scanner.

        Of a file that cannot be sent the letter says so, because it waits for all its files; managers are informed
        of a scan that cannot be had.
        """
        slack = self.poster.slack
        wanted = await slack.store.aread(load_file_to_fetch, obligation)
        try:
            file = (await self.poster.client.files_info(file=wanted.platform_id))["file"]
            content = await self._download(str(file.get("url_private_download") or ""))
        except SlackApiError as refused:
            if error_of(refused) not in ("file_not_found", "file_deleted", "missing_scope"):
                raise
            content = b""
        if not 0 < len(content) <= LARGEST_ATTACHMENT or is_program(media_type(content)):
            await slack.store.awrite(record_file_failed, wanted.ref, wanted.n, "failed")
            return Completed() if wanted.kind == ATTACHED else Failed("Slack did not hand over the file")
        state = "fetched" if slack.scan is None else SCANNED[await slack.scan(content)]
        await slack.store.awrite(store_file, wanted.ref, wanted.n, content, file.get("mimetype"), state)
        return Retry("the virus scanner gave no verdict") if state == "unscanned" else Completed()

    async def _download(self, url: str) -> bytes:
        """At most one byte more than may be sent; nothing of a file that another host has.

        Only Slack gets the token: aiohttp leaves it out after a redirect to another host.
        """
        if not _is_of_slack(url, self.poster.client.base_url):
            return b""
        limit = aiohttp.ClientTimeout(total=TIMEOUT * 4)
        headers = {"Authorization": f"Bearer {self.poster.client.token}"}
        proxy = proxy_for(url, self.poster.client.proxy)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.get(url, headers=headers, proxy=proxy) as answer,
        ):
            answer.raise_for_status()
            try:
                return await answer.content.readexactly(LARGEST_ATTACHMENT + 1)
            except asyncio.IncompleteReadError as whole:
                return whole.partial

    async def deliver(
        self, member_id: str, name: str, content: bytes, comment: str, *, ref: str | None = None
    ) -> Outcome:
        """Upload a file into one person's direct messages, and schedule its deletion a day later.

        A file of a complaint is deleted earlier if the complaint (`ref`) is erased.
        """
        slack, client = self.poster.slack, self.poster.client
        try:
            channel = await self.poster.conversation(member_id)
            ticket = await self._uploaded(name, content)
            # Scheduled before the file can be seen: a worker that dies in between leaves no file behind.
            file_id = str(ticket["file_id"])
            await slack.schedule(
                f"slack_file_delete:{file_id}", "slack_file_delete", {"file": file_id, "ref": ref},
                due=slack.store.now() + KEPT_FOR, priority=SendPriority.BULK,
            )  # fmt: skip
            if ref is not None:
                # A message of its own: Slack does not name the comment of a file, so no erasure could delete it.
                ts = await self.poster.post(channel, SlackMessage(comment, []), f"slack_file:{file_id}")
                await slack.store.awrite_with_retry(record_direct_message, ref, channel, ts)
            await client.files_completeUploadExternal(
                files=[{"id": file_id, "title": name}],
                channel_id=channel,
                initial_comment=None if ref is not None else comment,
            )
        except (SlackApiError, RateLimitWait, *NETWORK) as failure:
            return failure_outcome(failure)
        return Completed()

    async def share(self, channel: str, name: str, content: bytes, comment: str, thread: str | None) -> None:
        """Upload a file into a channel or a thread, where it stays. Raises what a failed call raises."""
        ticket = await self._uploaded(name, content)
        await self.poster.client.files_completeUploadExternal(
            files=[{"id": str(ticket["file_id"]), "title": name}],
            channel_id=channel,
            initial_comment=comment,
            thread_ts=thread,
        )

    async def _uploaded(self, name: str, content: bytes) -> Mapping[str, Any]:
        ticket = await self.poster.client.files_getUploadURLExternal(filename=name, length=len(content))
        await self._upload(str(ticket["upload_url"]), content)
        return {"file_id": ticket["file_id"]}

    async def delete(self, obligation: Obligation) -> Outcome:
        """`slack_file_delete`: delete a file; one that is deleted already needs nothing."""
        try:
            await self.poster.client.files_delete(file=str(obligation.facts["file"]))
        except SlackApiError as failure:
            if error_of(failure) not in ("file_not_found", "file_deleted"):
                raise
        return Completed()

    async def _upload(self, url: str, content: bytes) -> None:
        limit = aiohttp.ClientTimeout(total=TIMEOUT * 4)
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(url, data=content, proxy=proxy_for(url, self.poster.client.proxy)) as answer,
        ):
            answer.raise_for_status()


def _is_of_slack(url: str, api: str) -> bool:
    """Is this the origin of the API or, over HTTPS, a subdomain of its host, as files.slack.com is?"""
    address, own = urlsplit(url), urlsplit(api)
    if (address.scheme, address.netloc) == (own.scheme, own.netloc):
        return True
    return address.scheme == "https" and (address.hostname or "").endswith(f".{own.hostname}")
