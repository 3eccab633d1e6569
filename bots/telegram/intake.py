"""Takes in updates: one transaction each, in order within a chat, up to three attempts, then a dead letter.

`process_update` of python-telegram-bot returns normally even when a handler raised. So only the store decides
whether an update was taken (docs/design.md, rule 1).
"""

import asyncio
import hashlib
import json
import time
import traceback
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import structlog
from telegram import Update
from telegram.error import TelegramError
from telegram.ext import ContextTypes, TypeHandler

from bots.dialogue.inputs import IncomingMessage
from bots.dialogue.step import step
from bots.telegram.application import App
from bots.telegram.callback_data import Buttons
from bots.telegram.machine_words import Translator
from bots.telegram.updates import to_input, topic_of, update_key
from bots.texts.texts import Texts
from store.cases.receive_message import read_message, receive_message
from store.database.errors import (
    AlteredSchema,
    DatabaseUnavailable,
    SerializationConflict,
    WrongSchemaVersion,
)
from store.outbox.failed import find_handled_keys, keep_dead_letter
from store.people.contacts import TOPIC
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, Step

Raw = Mapping[str, Any]

#: Seconds before each attempt.
ATTEMPT_PAUSES = (0.0, 0.1, 1.0)
MAX_CONCURRENT_UPDATES = 32
#: Errors not caused by the update: the database is unavailable, or a newer release has migrated it.
TEMPORARY_ERRORS = frozenset(
    kind.__name__ for kind in (DatabaseUnavailable, AlteredSchema, SerializationConflict, WrongSchemaVersion)
)

log = structlog.get_logger(__name__)


class Intake:
    """The entry for all updates: from polling, from the webhook, and from dead letters."""

    def __init__(
        self, app: App, store: Store, buttons: Buttons, texts: Texts, *, translator: Translator | None = None
    ) -> None:
        self._app, self._store, self._buttons, self._texts = app, store, buttons, texts
        self.translator = translator
        #: By chat: its lock, and how many updates hold it or wait for it.
        self._chat_locks: dict[str, tuple[asyncio.Lock, int]] = {}
        self._slots = asyncio.Semaphore(MAX_CONCURRENT_UPDATES)
        self._error_by_update: dict[int, str] = {}
        self._callback_answers: set[asyncio.Task[None]] = set()
        #: Called after each update with the result and the duration in seconds.
        self.on_result: Callable[[str, float], None] | None = None
        # Every kind: Telegram delivers kinds that an earlier request asked for, and without a handler they would
        # become dead letters.
        app.add_handler(TypeHandler(Update, self._on_update))
        app.add_error_handler(self._on_error)

    async def take(self, raw: Raw) -> None:
        """Take one update: handle it, or store it as a dead letter that staff see.

        Raises DatabaseUnavailable when the store cannot take it now.
        """
        result = "not_taken"
        async with self._chat_lock(chat_of_raw(raw)), self._slots:
            started = time.perf_counter()
            try:
                result = await self._take(raw, key_of_raw(raw))
            finally:
                if self.on_result is not None:
                    self.on_result(result, time.perf_counter() - started)

    async def _take(self, raw: Raw, key: str) -> str:
        for attempt, pause in enumerate(ATTEMPT_PAUSES):
            await asyncio.sleep(pause)
            error = await self._try(raw)
            if error in TEMPORARY_ERRORS:
                # Telegram sends it again, to this process or another, once it can be stored.
                raise DatabaseUnavailable(
                    "The update cannot be stored now; Telegram keeps it and sends it again."
                )
            if key in await self._store.aread(find_handled_keys, [key]):
                return "retried" if attempt else "taken"
        error = error or "not_heard"
        log.error("update_set_aside", key=key, why=error)
        body = json.dumps(raw).encode()
        await self._store.awrite(keep_dead_letter, key, body, error)
        return "set_aside"

    async def retry(self, raw: bytes) -> None:
        """Handle a dead letter once more; raises RuntimeError when it fails again."""
        error = await self._try(json.loads(raw))
        if error:
            raise RuntimeError(f"the update failed again: {error}")

    async def _try(self, raw: Raw) -> str:
        """Parse and handle one update; returns the error, or an empty string."""
        try:
            update = Update.de_json(dict(raw), self._app.bot)
        except Exception as error:  # noqa: BLE001  # any error of the parser makes the update a dead letter
            return f"unparsed: {type(error).__name__}"
        await self._app.process_update(update)
        return self._error_by_update.pop(update.update_id, "")

    async def _on_update(self, update: Update, context: ContextTypes.DEFAULT_TYPE) -> None:
        converted = to_input(update, self._buttons, self._private_chat_link())
        if converted is None:
            return
        key, chat, incoming = converted
        is_known, topic = topic_of(update)
        run = self._dialogue_step(incoming)
        await self._record(key, chat, _keep_topic(run, topic) if is_known else run)
        if update.callback_query is not None:
            task = asyncio.create_task(self._answer_callback(update.callback_query.id))
            self._callback_answers.add(task)
            task.add_done_callback(self._callback_answers.discard)

    def _private_chat_link(self) -> str:
        user = self._app.bot.bot
        return f"https://t.me/{user.username}" if user.username else f"tg://user?id={user.id}"

    async def record(
        self, key: str, chat: Chat, incoming: IncomingMessage, completes: int | None = None
    ) -> None:
        """Record what the dialogue makes of something that came as no update; it completes this obligation."""
        await self._record(key, chat, self._dialogue_step(incoming), completes)

    async def _record(self, key: str, chat: Chat, run: Step, completes: int | None = None) -> None:
        # Other messages are recorded while the words of this one are read.
        read = await self._store.aread(read_message, chat, run)
        await self._store.awrite(receive_message, key, chat, run, read=read, completes=completes)

    def _dialogue_step(self, incoming: IncomingMessage | None) -> Step:
        """The dialogue's step for this input, with the store's clock."""

        def run(conversation: Conversation) -> DialogueTurn:
            if incoming is None:
                return DialogueTurn(state=conversation.state)
            turn = step(conversation, incoming, now=self._store.now(), texts=self._texts)
            return turn if self.translator is None else self.translator.mark(turn)

        return run

    async def _answer_callback(self, query: str) -> None:
        """End the progress mark on the pressed button; the reply itself is a message."""
        try:
            await self._app.bot.answer_callback_query(query)
        except TelegramError as error:
            # Telegram refuses old queries; the mark then disappears after some seconds without an answer.
            log.info("press_not_answered", error=type(error).__name__)

    async def _on_error(self, update: object, context: ContextTypes.DEFAULT_TYPE) -> None:
        """Keep the class of the error only: its message may contain a complainant's words."""
        error = type(context.error).__name__
        if isinstance(update, Update):
            self._error_by_update[update.update_id] = error
        frames = traceback.extract_tb(context.error.__traceback__) if context.error is not None else []
        where = [f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames[-4:]]
        log.warning("update_failed", error=error, where=where)

    @asynccontextmanager
    async def _chat_lock(self, chat: str) -> AsyncIterator[None]:
        """Handle the updates of a chat one at a time, in the order of their arrival."""
        lock, users = self._chat_locks.get(chat, (asyncio.Lock(), 0))
        self._chat_locks[chat] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._chat_locks[chat]
            if users == 1:
                del self._chat_locks[chat]
            else:
                self._chat_locks[chat] = (lock, users - 1)


def _keep_topic(run: Step, topic: int | None) -> Step:
    """The step, with the topic of this message kept in the state of the conversation."""

    def run_in_topic(conversation: Conversation) -> DialogueTurn:
        turn = run(conversation)
        state = {name: value for name, value in turn.state.items() if name != TOPIC}
        return replace(turn, state=state if topic is None else {**state, TOPIC: topic})

    return run_in_topic


def key_of_raw(raw: Raw) -> str:
    """The key of an unparsed update; without a number, a hash of its content."""
    number = raw.get("update_id")
    if isinstance(number, int):
        return update_key(number)
    return f"tg:raw:{hashlib.sha256(json.dumps(raw, sort_keys=True).encode()).hexdigest()[:32]}"


def chat_of_raw(raw: Raw) -> str:
    """The chat id of an unparsed update of any shape; "none" without one."""
    for content in raw.values():
        if isinstance(content, Mapping):
            holder = content.get("message", content)
            chat = holder.get("chat") if isinstance(holder, Mapping) else None
            if isinstance(chat, Mapping) and "id" in chat:
                return str(chat["id"])
    return "none"
