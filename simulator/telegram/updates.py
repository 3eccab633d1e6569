"""Delivery of updates to the bot: long polling with getUpdates, and the webhook."""

import asyncio
import json
from itertools import islice
from typing import Any
from urllib.parse import urlparse

from simulator.http import Unreachable, Upload, post_request
from simulator.state.telegram_state import TelegramRefusal, Webhook, bad_request
from simulator.state.world import World

Json = dict[str, Any]


async def get_updates(world: World, arguments: Json, uploads: list[Upload]) -> list[Json]:
    """getUpdates. An offset confirms all older updates; a second poller ends the first (409)."""
    telegram = world.telegram
    if telegram.webhook.url:
        raise TelegramRefusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
            "webhook first",
        )
    if "allowed_updates" in arguments:
        telegram.allowed_updates = arguments["allowed_updates"] or None
    _confirm(world, arguments.get("offset", 0))
    telegram.poll_number += 1
    this_poll = telegram.poll_number
    telegram.arrived.set()
    limit = arguments.get("limit", 100)
    if not 1 <= limit <= 100:
        limit = 100
    loop = asyncio.get_running_loop()
    deadline = loop.time() + min(max(arguments.get("timeout", 0), 0), 50)
    while not telegram.updates:
        remaining = deadline - loop.time()
        if remaining <= 0 or world.changes.closed or world.trouble.telegram_down:
            return []
        telegram.arrived.clear()
        try:
            await asyncio.wait_for(telegram.arrived.wait(), remaining)
        except TimeoutError:
            return []
        if telegram.poll_number != this_poll:
            raise TelegramRefusal(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is "
                "running",
            )
    return list(islice(telegram.updates, limit))


def _confirm(world: World, offset: int) -> None:
    updates = world.telegram.updates
    if offset < 0:
        while len(updates) > -offset:
            updates.popleft()
    while updates and offset > 0 and updates[0]["update_id"] < offset:
        updates.popleft()
    world.mark_changed()


async def set_webhook(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    """setWebhook. Plain http is allowed for loopback addresses, as in a self-hosted Bot API server."""
    url = arguments["url"]
    if not url:
        return await delete_webhook(world, arguments, uploads)
    parsed = urlparse(url)
    if parsed.scheme not in ("https", "http") or not parsed.hostname:
        raise bad_request("bad webhook: invalid HTTP URL")
    if parsed.scheme == "http" and parsed.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    secret = arguments.get("secret_token", "")
    if len(secret) > 256 or not all(c.isascii() and (c.isalnum() or c in "_-") for c in secret):
        raise bad_request("secret token contains unallowed characters")
    world.telegram.webhook = Webhook(url, secret, arguments.get("max_connections", 40))
    if "allowed_updates" in arguments:
        world.telegram.allowed_updates = arguments["allowed_updates"] or None
    if arguments.get("drop_pending_updates"):
        world.telegram.updates.clear()
    world.telegram.poll_number += 1
    world.telegram.arrived.set()
    world.mark_changed()
    return True


async def delete_webhook(world: World, arguments: Json, uploads: list[Upload]) -> bool:
    world.telegram.webhook = Webhook()
    if arguments.get("drop_pending_updates"):
        world.telegram.updates.clear()
    world.mark_changed()
    return True


async def get_webhook_info(world: World, arguments: Json, uploads: list[Upload]) -> Json:
    hook = world.telegram.webhook
    info: Json = {
        "url": hook.url,
        "has_custom_certificate": False,
        "pending_update_count": len(world.telegram.updates),
    }
    if hook.url:
        info["max_connections"] = hook.max_connections
    if hook.last_error:
        info |= {"last_error_date": hook.last_error_at, "last_error_message": hook.last_error}
    if world.telegram.allowed_updates:
        info["allowed_updates"] = world.telegram.allowed_updates
    return info


class WebhookDelivery:
    """Pushes updates to the webhook: in order within a chat, in parallel across chats, with retries."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.busy: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Deliver updates until the simulator stops."""
        while not self.world.changes.closed:
            version = self.world.changes.version
            self._start_deliveries()
            await self.world.changes.wait_for_newer(version, None)

    def stop(self) -> None:
        for task in self.busy.values():
            task.cancel()

    def _start_deliveries(self) -> None:
        hook = self.world.telegram.webhook
        if not hook.url or self.world.trouble.telegram_down:
            return
        for update in self.world.telegram.updates:
            if len(self.busy) >= hook.max_connections:
                return
            chat_key = _chat_key(update)
            if chat_key not in self.busy:
                self.busy[chat_key] = asyncio.create_task(self._deliver(chat_key, update))

    async def _deliver(self, chat_key: str, update: Json) -> None:
        world, attempt = self.world, 0
        try:
            while (hook := world.telegram.webhook).url and update in world.telegram.updates:
                failure = await self._attempt(hook, update)
                if failure is None:
                    if update in world.telegram.updates:
                        world.telegram.updates.remove(update)
                    return
                hook.last_error, hook.last_error_at = failure, int(world.now().timestamp())
                waits = world.limits.webhook_retry_seconds
                await asyncio.sleep(waits[min(attempt, len(waits) - 1)])
                attempt += 1
        finally:
            self.busy.pop(chat_key, None)
            world.mark_changed()

    async def _attempt(self, hook: Webhook, update: Json) -> str | None:
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret
        try:
            answer = await post_request(
                hook.url,
                json.dumps(update).encode(),
                headers,
                max_wait=self.world.limits.webhook_timeout_seconds,
            )
        except Unreachable as reason:
            return str(reason)
        if 200 <= answer.status < 300:
            return None
        return f"Wrong response from the webhook: {answer.status}"


def _chat_key(update: Json) -> str:
    content = next(value for key, value in update.items() if key != "update_id")
    chat = content.get("chat") or content.get("message", {}).get("chat") or {}
    return str(chat.get("id", update["update_id"]))
