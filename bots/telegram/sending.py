"""Sending one message, at least once and saying so: written down, sent, settled (docs/design.md, rule 2)."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import httpx
import structlog
from telegram import InlineKeyboardMarkup, InputFile, LinkPreviewOptions
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError

from bots.priority_lock import ShutdownWait
from bots.telegram.application import App
from bots.telegram.polling import seconds_of
from bots.telegram.rate_limit import TelegramRateLimit
from bots.texts import Texts
from complaints.actors import SYSTEM
from complaints.obligations.resend import failing
from complaints.vocabulary import Verb
from store.cases.act import act
from store.outbox.messages import Following, begin_sending, begin_sending_in_order, record_sent, record_unsent
from store.outbox.outcomes import NO_ANSWER, NO_ANSWER_AGAIN, Completed, Failed, Outcome, RateLimited, Retry
from store.outbox.rate_limit import Limit, RateSlot
from store.people.contacts import mark_blocked
from store.store import Store
from store.values import Chat, MessageState, Obligation

LONGEST = 4096
#: A message that may have arrived twice is sent once more after so many seconds, then after twice as many, and so on.
COPIES_APART = 60.0
#: Telegram answers a large file only when it has stored it.
FILE_ANSWERED_WITHIN = 60.0
#: Why a message waits that surely did not reach Telegram.
UNREACHABLE = "unreachable"

#: Told of each message: the kind of its duty and what became of it.
Told = Callable[[str, str], None]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OutgoingMessage:
    """What is to be sent. `must_arrive` is sent again when nobody knows whether it did, and says so.

    `acts` is what its acceptance brings about in the record; `file` goes with it, by its name.
    """

    text: str
    template: str
    language: str
    keyboard: InlineKeyboardMarkup | None = None
    ref: str | None = None
    must_arrive: bool = True
    acts: Sequence[Following] = ()
    file: tuple[str, bytes] | None = None


class Sender:
    """The bot's voice. With `paced` False the pace is left to the other side (demo, tests)."""

    def __init__(
        self,
        app: App,
        store: Store,
        texts: Texts,
        *,
        paced: bool = True,
        told: Told | None = None,
        waiting: ShutdownWait | None = None,
    ) -> None:
        self._told = told or (lambda _kind, _state: None)
        self._bot, self._store, self._texts = app.bot, store, texts
        self._pace = TelegramRateLimit(store, waiting=waiting) if paced else None

    async def send(self, owed: Obligation, chat: Chat, message: OutgoingMessage) -> Outcome:
        """Send it and settle the duty; returns what remains to be done."""
        store = self._store
        if owed.uncertain and not message.must_arrive:
            # It may have arrived; a courtesy is not worth asking twice. What follows from it stands all the same.
            for ref, verb, by, facts, words in message.acts:
                key = f"uncertain:{owed.key}"
                await store.awrite(act, ref, verb, by, facts, words, key=key)
            return Completed()
        if owed.uncertain:
            mark = self._texts.say(message.language, "maybe_twice")
            message = replace(message, text=f"{mark}\n\n{message.text}")
        number = await self._begin(owed, chat, message)
        if isinstance(number, RateLimited):
            return number
        try:
            platform_id = await self._deliver(chat, message)
        except TelegramError as wrong:
            return await self._failed(owed, chat, message, number, wrong)
        refused = await store.awrite_with_retry(
            record_sent, number, platform_id, settles=owed.id, acts=tuple(message.acts)
        )
        self._told(owed.kind, MessageState.SENT.value)
        for one in refused:
            log.info("act_refused_after_sending", ref=message.ref, code=one.code)
        return Completed(settled=True)

    async def _begin(self, owed: Obligation, chat: Chat, message: OutgoingMessage) -> int | RateLimited:
        """Write it down and wait for its turn; the number of the message, or when to ask again."""
        store = self._store
        written: dict[str, Any] = {
            "template": message.template,
            "language": message.language,
            "ref": message.ref,
            "version": self._texts.version(message.language, message.template),
        }
        if self._pace is None:
            return await store.awrite(begin_sending, owed, message.text, **written)

        def write(limits: Sequence[Limit], ahead: float) -> tuple[int, RateSlot] | float:
            return store.write(begin_sending_in_order, owed, message.text, limits, ahead, **written)

        return await self._pace.begin(chat.address, owed.lane, write)

    async def _deliver(self, chat: Chat, message: OutgoingMessage) -> str:
        """One call to Telegram; a group that became a supergroup is followed to its new number."""
        try:
            return await self._call(int(chat.address), message)
        except ChatMigrated as moved:
            return await self._call(moved.new_chat_id, message)

    async def _call(self, chat_id: int, message: OutgoingMessage) -> str:
        if message.file is not None:
            name, body = message.file
            file = InputFile(io.BytesIO(body), filename=name)
            sent = await self._bot.send_document(
                chat_id, file, caption=message.text, read_timeout=FILE_ANSWERED_WITHIN
            )
        elif length(message.text) <= LONGEST:
            sent = await self._bot.send_message(
                chat_id,
                message.text,
                reply_markup=message.keyboard,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
        else:
            caption = self._texts.say(message.language, "attached", ref=message.ref or "")
            file = InputFile(io.BytesIO(message.text.encode()), filename=f"{message.ref or 'amends'}.txt")
            sent = await self._bot.send_document(
                chat_id, file, caption=caption, reply_markup=message.keyboard
            )
        return str(sent.message_id)

    async def _failed(
        self,
        owed: Obligation,
        chat: Chat,
        message: OutgoingMessage,
        number: int,
        wrong: TelegramError,
    ) -> Outcome:
        store, failed = self._store, MessageState.FAILED
        unsure = not isinstance(wrong, RetryAfter | Forbidden | BadRequest) and not never_left(wrong)
        self._told(owed.kind, (MessageState.UNCERTAIN if unsure else failed).value)
        log.info("message_not_sent", id=owed.id, kind=owed.kind, error=type(wrong).__name__)
        if isinstance(wrong, RetryAfter):
            pause = seconds_of(wrong)
            if self._pace is not None:
                await self._pace.refused(chat.address, pause)
            await store.awrite_with_retry(record_unsent, number, failed, "flood")
            return Retry("flood", pause)
        if isinstance(wrong, Forbidden) or is_gone(wrong):
            # The notice is not given (7.3): the record says so, and staff find another way.
            acts: tuple[Following, ...] = ()
            if message.ref is not None:
                facts = {
                    "because": "blocked",
                    "template": message.template,
                    **failing(owed.key, owed.kind, owed.due, owed.facts),
                }
                acts = ((message.ref, Verb.FAIL_DELIVERY, SYSTEM, facts, {}),)
            await store.awrite_with_retry(mark_blocked, chat, True, store.now())
            await store.awrite_with_retry(
                record_unsent, number, failed, "blocked", settles=owed.id, acts=acts
            )
            return Completed(settled=True)
        if isinstance(wrong, BadRequest):
            await store.awrite_with_retry(record_unsent, number, failed, "refused")
            return Failed(f"Telegram refuses this message: {wrong.message}")
        if not unsure:
            await store.awrite_with_retry(record_unsent, number, failed, UNREACHABLE)
            return Retry(UNREACHABLE)
        uncertain = MessageState.UNCERTAIN
        if not message.must_arrive:
            acts = tuple(message.acts)
            await store.awrite_with_retry(
                record_unsent, number, uncertain, NO_ANSWER, settles=owed.id, acts=acts
            )
            return Completed(settled=True)
        await store.awrite_with_retry(record_unsent, number, uncertain, NO_ANSWER)
        if not owed.uncertain:
            return Retry(NO_ANSWER)
        # Two copies may be there already: a line that cuts after every message must not bring ten.
        return Retry(NO_ANSWER_AGAIN, COPIES_APART * owed.attempts)


def nobody_there(failed: Retry) -> bool:
    """True when the message waits for its next try because Telegram was not there to take it."""
    return failed.why in (UNREACHABLE, NO_ANSWER, NO_ANSWER_AGAIN)


def is_gone(wrong: Exception) -> bool:
    """True when the chat is no longer there: as good as blocked."""
    text = wrong.message.lower() if isinstance(wrong, BadRequest) else ""
    return "chat not found" in text or "user is deactivated" in text or "peer_id_invalid" in text


def never_left(wrong: TelegramError) -> bool:
    """True when the message surely did not reach Telegram's hand: no connection, or an answer of refusal.

    A line that broke after the request went out leaves it open: Telegram knows no idempotency key.
    """
    cause = wrong.__cause__
    if cause is None or isinstance(cause, TelegramError):
        return isinstance(wrong, NetworkError)
    return isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def length(text: str) -> int:
    """Characters as Telegram counts them (UTF-16)."""
    return len(text.encode("utf-16-le")) // 2
