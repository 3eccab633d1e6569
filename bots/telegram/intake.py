"""Taking updates: each in one transaction, in order within a chat, tried three times, then put aside.

python-telegram-bot's `process_update` returns normally when a handler raised, so whether an update was taken
is read from the store and from nothing else (docs/design.md, rule 1).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import PurePath
from typing import Any

import structlog
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes

from bots.dialogue import IncomingMessage, step
from bots.telegram.application import App, route
from bots.telegram.callback_data import Buttons
from bots.telegram.updates import hear_update, key_of
from bots.texts import Texts
from store.cases.receive_message import receive_message
from store.database.errors import DatabaseUnavailable, SerializationConflict, WrongSchemaVersion
from store.outbox.dead_letters import is_dead_letter, set_aside
from store.store import Store
from store.values import Conversation, DialogueTurn

Raw = Mapping[str, Any]

#: Seconds before each try.
TRIES = (0.0, 0.1, 1.0)
SIDE_BY_SIDE = 32
#: What no update can be blamed for: a database that is away, rules of a newer release beside this one.
NOT_ITS_FAULT = frozenset(
    {DatabaseUnavailable.__name__, SerializationConflict.__name__, WrongSchemaVersion.__name__}
)

log = structlog.get_logger(__name__)


class Intake:
    """The one way in, for polling, the webhook and updates that were put aside."""

    def __init__(self, app: App, store: Store, buttons: Buttons, texts: Texts) -> None:
        self._app, self._store, self._buttons, self._texts = app, store, buttons, texts
        self._lanes: dict[str, tuple[asyncio.Lock, int]] = {}
        self._room = asyncio.Semaphore(SIDE_BY_SIDE)
        self._why: dict[int, str] = {}
        self._courtesies: set[asyncio.Task[None]] = set()
        #: Told of each update: how it was handled, and in how many seconds.
        self.told: Callable[[str, float], None] | None = None
        route(app, self._on_update)
        app.add_error_handler(self._on_error)

    async def take(self, raw: Raw) -> None:
        """Take one update for good: handled, or put aside and staff told; raises when the store is away."""
        outcome = "not_taken"
        async with self._lane(lane_of(raw)), self._room:
            begun = time.perf_counter()
            try:
                outcome = await self._take(raw, key_of_raw(raw))
            finally:
                if self.told is not None:
                    self.told(outcome, time.perf_counter() - begun)

    async def _take(self, raw: Raw, key: str) -> str:
        for tried, pause in enumerate(TRIES):
            await asyncio.sleep(pause)
            why = await self._try(raw)
            if why in NOT_ITS_FAULT:
                # It comes again once what is said can be kept, here or by another process.
                raise DatabaseUnavailable("What was said cannot be kept now: Telegram holds it meanwhile.")
            if key in await self._store.aread(is_dead_letter, [key]):
                return "retried" if tried else "taken"
        why = why or "not_heard"
        log.error("update_set_aside", key=key, why=why)
        body = json.dumps(raw).encode()
        await self._store.awrite(set_aside, key, body, why)
        return "set_aside"

    async def retry(self, raw: bytes) -> None:
        """Handle an update that was put aside, once; raises when it fails again."""
        update = json.loads(raw)
        why = await self._try(update)
        if why:
            raise RuntimeError(f"the update failed again: {why}")

    async def _try(self, raw: Raw) -> str:
        """Parse and handle; returns what went wrong, or nothing."""
        try:
            update = Update.de_json(dict(raw), self._app.bot)
        except Exception as wrong:  # noqa: BLE001  # whatever a stranger's JSON does to the parser, it is put aside
            return f"unparsed: {type(wrong).__name__}"
        await self._app.process_update(update)
        return self._why.pop(update.update_id, "")

    async def _on_update(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        found = hear_update(update, self._buttons, self._link())
        if found is None:
            return
        key, chat, heard = found
        await self._store.awrite(receive_message, key, chat, self.stepping(heard))
        if update.callback_query is not None:
            task = asyncio.create_task(self._stop_waiting(update.callback_query.id))
            self._courtesies.add(task)
            task.add_done_callback(self._courtesies.discard)

    def _link(self) -> str:
        """What leads from a group to the private chat with the bot."""
        me = self._app.bot.bot
        return f"https://t.me/{me.username}" if me.username else f"tg://user?id={me.id}"

    def stepping(self, heard: IncomingMessage | None) -> Any:
        """The dialogue's step for what was heard, with the clock; the rules in force are the store's."""

        def take(conversation: Conversation) -> DialogueTurn:
            if heard is None:
                return DialogueTurn(state=conversation.state)
            return step(conversation, heard, now=self._store.now(), texts=self._texts)

        return take

    async def _stop_waiting(self, query: str) -> None:
        """End the app's waiting mark on the button; the answer itself is a message."""
        try:
            await self._app.bot.answer_callback_query(query)
        except TelegramError as missed:
            # A courtesy of some seconds' worth: an old query is refused, and nothing is lost by it.
            log.info("press_not_answered", error=type(missed).__name__)

    async def _on_error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Remember why, by class: the message of an error may hold somebody's words."""
        why = type(context.error).__name__
        if isinstance(update, Update):
            self._why[update.update_id] = why
        frames = traceback.extract_tb(context.error.__traceback__) if context.error is not None else []
        where = [f"{PurePath(one.filename).name}:{one.lineno}" for one in frames[-4:]]
        log.warning("update_failed", error=why, where=where)

    @asynccontextmanager
    async def _lane(self, name: str) -> AsyncIterator[None]:
        """Hold a chat: its updates are handled one at a time and in the order in which they came."""
        lock, waiting = self._lanes.get(name, (asyncio.Lock(), 0))
        self._lanes[name] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._lanes[name]
            if waiting == 1:
                del self._lanes[name]
            else:
                self._lanes[name] = (lock, waiting - 1)


def key_of_raw(raw: Raw) -> str:
    """The key of an update as it came; one without a number goes by its content."""
    number = raw.get("update_id")
    if isinstance(number, int):
        return key_of(number)
    return f"tg:raw:{hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()[:32]}"


def lane_of(raw: Raw) -> str:
    """The chat of an update, read without trusting its shape."""
    for content in raw.values():
        if isinstance(content, Mapping):
            holder = content.get("message", content)
            chat = holder.get("chat") if isinstance(holder, Mapping) else None
            if isinstance(chat, Mapping) and "id" in chat:
                return str(chat["id"])
    return "none"
