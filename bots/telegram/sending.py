"""Sends a message at least once: recorded, sent, then the obligation is completed (docs/design.md, rule 2).

A message that may have been sent twice says so.
"""

import asyncio
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import structlog
from telegram import InlineKeyboardMarkup, InputFile, LinkPreviewOptions, MessageEntity
from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError

from bots.letters.letter import shorten
from bots.priority_lock import ShutdownWait
from bots.telegram.application import App, OnResult
from bots.telegram.polling import pause_seconds
from bots.telegram.telegram_limits import TelegramRateLimit
from bots.texts.texts import Texts
from complaints.actors import SYSTEM
from complaints.obligations.resend import failed_delivery_facts
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.outgoing_messages import (
    FollowUpAct,
    begin_sending,
    begin_sending_in_order,
    record_sent,
    record_unsent,
)
from store.outbox.complete import NO_ANSWER, NO_ANSWER_AGAIN, Completed, Failed, Outcome, RateLimited, Retry
from store.outbox.rate_limit import Limit, RateSlot
from store.people.contacts import forget_topic, mark_blocked
from store.store import Store
from store.values import Chat, MessageState, Obligation

MAX_TEXT_LENGTH = 4096
MAX_CAPTION_LENGTH = 1024
#: A message that may have arrived twice is sent again after this many seconds, then after twice as many, and so on.
REPEAT_SECONDS = 60.0
#: Telegram answers only after it has stored the whole file.
FILE_TIMEOUT_SECONDS = 60.0
#: The reason of a retry for a message that did not reach Telegram.
UNREACHABLE = "unreachable"

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class OutgoingMessage:
    """A message to send.

    `must_arrive`: send it again, with a note, when its delivery is uncertain. `acts` are recorded once it is
    accepted. `file`: the name and content of an attachment. `dates`: promised dates as the text has them, each with
    its time in seconds since 1970. `in_short`: what the chat shows if the text is too long and goes as a PDF.
    """

    text: str
    template: str
    language: str
    keyboard: InlineKeyboardMarkup | None = None
    ref: str | None = None
    must_arrive: bool = True
    acts: Sequence[FollowUpAct] = ()
    file: tuple[str, bytes] | None = None
    dates: Mapping[str, int] = field(default_factory=dict)
    in_short: str = ""
    to_child: bool = False


#: From a text, its language and the reference to the bytes of a PDF.
AsPdf = Callable[[str, str, str], bytes]


class Sender:
    """Sends messages of the bot; without `rate_limited`, the other side limits the rate (demo, tests)."""

    def __init__(
        self,
        app: App,
        store: Store,
        texts: Texts,
        *,
        rate_limited: bool = True,
        on_result: OnResult | None = None,
        shutdown: ShutdownWait | None = None,
        as_pdf: AsPdf | None = None,
    ) -> None:
        self._as_pdf = as_pdf
        self._on_result = on_result or (lambda _kind, _state: None)
        self._bot, self._store, self._texts = app.bot, store, texts
        self._rate_limit = TelegramRateLimit(store, shutdown=shutdown) if rate_limited else None

    async def send(self, obligation: Obligation, chat: Chat, message: OutgoingMessage) -> Outcome:
        """Send the message and complete the obligation; returns the outcome for the worker."""
        store = self._store
        if obligation.uncertain and not message.must_arrive:
            # It may have arrived, and it is not worth a second copy. The acts that follow are recorded all the same.
            for ref, verb, actor, facts, words in message.acts:
                key = f"uncertain:{obligation.key}"
                await store.awrite(act, ref, verb, actor, facts, words, key=key)
            return Completed()
        if obligation.uncertain:
            note = self._texts.to(child=message.to_child).text(message.language, "maybe_twice")
            message = replace(message, text=f"{note}\n\n{message.text}")
        number = await self._begin(obligation, chat, message)
        if isinstance(number, RateLimited):
            return number
        try:
            platform_id = await self._deliver(chat, message)
        except TelegramError as error:
            return await self._failed(obligation, chat, message, number, error)
        refused = await store.awrite_with_retry(
            record_sent, number, platform_id, completes=obligation.id, acts=tuple(message.acts)
        )
        self._on_result(obligation.kind, MessageState.SENT.value)
        for refusal in refused:
            log.info("act_refused_after_sending", ref=message.ref, code=refusal.code)
        return Completed(settled=True)

    async def _begin(self, obligation: Obligation, chat: Chat, message: OutgoingMessage) -> int | RateLimited:
        """Record the message and wait for its slot; returns its number, or when to try again."""
        store = self._store
        details: dict[str, Any] = {
            "template": message.template,
            "language": message.language,
            "ref": message.ref,
            "version": self._texts.to(child=message.to_child).version(message.language, message.template),
        }
        if self._rate_limit is None:
            return await store.awrite(begin_sending, obligation, message.text, **details)

        def record(limits: Sequence[Limit], reserve: float) -> tuple[int, RateSlot] | float:
            return store.write(begin_sending_in_order, obligation, message.text, limits, reserve, **details)

        return await self._rate_limit.begin(chat.address, obligation.lane, record)

    async def _deliver(self, chat: Chat, message: OutgoingMessage) -> str:
        """Call Telegram. What it refuses is left out at once: a topic that is gone, or the marks of the dates."""
        try:
            return await self._call(int(chat.address), message, chat.topic)
        except ChatMigrated as moved:
            return await self._call(moved.new_chat_id, message, None)
        except BadRequest as error:
            if message.dates and not (is_topic_gone(error) or is_chat_gone(error)):
                return await self._deliver(chat, replace(message, dates={}))
            if chat.topic is None or not is_topic_gone(error):
                raise
            await self._store.awrite_with_retry(forget_topic, chat)
            return await self._call(int(chat.address), message, None)

    async def _call(self, chat_id: int, message: OutgoingMessage, topic: int | None) -> str:
        if message.file is None and telegram_length(message.text) <= MAX_TEXT_LENGTH:
            sent = await self._bot.send_message(
                chat_id,
                message.text,
                message_thread_id=topic,
                entities=date_entities(message.text, message.dates),
                reply_markup=message.keyboard,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
            return str(sent.message_id)
        if message.file is not None:
            (name, body), caption = message.file, message.text
        else:
            name, body = await asyncio.to_thread(self._as_file, message)
            caption = self._caption(message, is_pdf=name.endswith(".pdf"))
        sent = await self._bot.send_document(
            chat_id,
            InputFile(io.BytesIO(body), filename=name),
            caption=caption,
            caption_entities=date_entities(caption, message.dates),
            message_thread_id=topic,
            reply_markup=message.keyboard,
            read_timeout=FILE_TIMEOUT_SECONDS,
        )
        return str(sent.message_id)

    def _as_file(self, message: OutgoingMessage) -> tuple[str, bytes]:
        """The name and the bytes of a text that is too long: a PDF, or plain text if none can be made."""
        name = message.ref or "amends"
        try:
            if self._as_pdf is not None:
                return f"{name}.pdf", self._as_pdf(message.text, message.language, name)
        except Exception as error:  # noqa: BLE001  # a letter that is owed leaves in any case
            log.error("letter_not_typeset", ref=message.ref, error=type(error).__name__)
        return f"{name}.txt", message.text.encode()

    def _caption(self, message: OutgoingMessage, *, is_pdf: bool) -> str:
        """What the chat shows of a long letter: a decision in short, otherwise how the letter begins."""
        ref, language, texts = message.ref or "", message.language, self._texts.to(child=message.to_child)
        if not is_pdf:
            caption = texts.text(language, "attached", ref=ref)
        elif message.in_short:
            caption = texts.text(language, "attached.decision", ref=ref, summary=message.in_short)
        else:
            start = shorten(message.text, MAX_CAPTION_LENGTH // 2)
            caption = texts.text(language, "attached.letter", ref=ref, start=start)
        while telegram_length(caption) > MAX_CAPTION_LENGTH:
            caption = shorten(caption, len(caption) - 20)
        return caption

    async def _failed(
        self,
        obligation: Obligation,
        chat: Chat,
        message: OutgoingMessage,
        number: int,
        error: TelegramError,
    ) -> Outcome:
        store, failed = self._store, MessageState.FAILED
        is_uncertain = not isinstance(error, RetryAfter | Forbidden | BadRequest) and not was_not_sent(error)
        self._on_result(obligation.kind, (MessageState.UNCERTAIN if is_uncertain else failed).value)
        log.info("message_not_sent", id=obligation.id, kind=obligation.kind, error=type(error).__name__)
        if isinstance(error, RetryAfter):
            pause = pause_seconds(error)
            if self._rate_limit is not None:
                await self._rate_limit.refused(chat.address, pause)
            await store.awrite_with_retry(record_unsent, number, failed, "flood")
            return Retry("flood", pause)
        if isinstance(error, Forbidden) or is_chat_gone(error):
            # The complainant was not informed (7.3): record it, so that staff use another route.
            acts: tuple[FollowUpAct, ...] = ()
            if message.ref is not None:
                facts = {
                    "because": "blocked",
                    "template": message.template,
                    **failed_delivery_facts(
                        obligation.key, obligation.kind, obligation.due, obligation.facts
                    ),
                }
                acts = ((message.ref, Verb.FAIL_DELIVERY, SYSTEM, facts, {}),)
            await store.awrite_with_retry(mark_blocked, chat, True, store.now())
            await store.awrite_with_retry(
                record_unsent, number, failed, "blocked", completes=obligation.id, acts=acts
            )
            return Completed(settled=True)
        if isinstance(error, BadRequest):
            await store.awrite_with_retry(record_unsent, number, failed, "refused")
            return Failed(f"Telegram refuses this message: {error.message}")
        if not is_uncertain:
            await store.awrite_with_retry(record_unsent, number, failed, UNREACHABLE)
            return Retry(UNREACHABLE)
        uncertain = MessageState.UNCERTAIN
        if not message.must_arrive:
            acts = tuple(message.acts)
            await store.awrite_with_retry(
                record_unsent, number, uncertain, NO_ANSWER, completes=obligation.id, acts=acts
            )
            return Completed(settled=True)
        await store.awrite_with_retry(record_unsent, number, uncertain, NO_ANSWER)
        if not obligation.uncertain:
            return Retry(NO_ANSWER)
        # Two copies may have arrived: a connection that drops after each message must not deliver ten.
        return Retry(NO_ANSWER_AGAIN, REPEAT_SECONDS * obligation.attempts)


def is_telegram_unavailable(outcome: Retry) -> bool:
    return outcome.why in (UNREACHABLE, NO_ANSWER, NO_ANSWER_AGAIN)


def is_chat_gone(error: Exception) -> bool:
    """True when the chat no longer exists; handled like a blocked bot."""
    text = error.message.lower() if isinstance(error, BadRequest) else ""
    return "chat not found" in text or "user is deactivated" in text or "peer_id_invalid" in text


def is_topic_gone(error: BadRequest) -> bool:
    """True when the topic was deleted or closed, or the owner or the person's app switched topics off."""
    text = error.message.lower()
    return any(
        reason in text
        for reason in ("message thread not found", "not a forum", "topic_deleted", "topic_closed")
    )


def was_not_sent(error: TelegramError) -> bool:
    """True when the message certainly did not reach Telegram: no connection, or an error from Telegram.

    A connection that broke after the request leaves it open, since Telegram has no idempotency key.
    """
    cause = error.__cause__
    if cause is None or isinstance(cause, TelegramError):
        return isinstance(error, NetworkError)
    return isinstance(cause, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def date_entities(text: str, dates: Mapping[str, int]) -> list[MessageEntity] | None:
    """Marks of the promised dates: a tap shows the time, and the text stays as written; None without dates.

    An entity with a format would be rewritten in the reader's zone, which can be another day than we promised.
    """
    pattern = "|".join(re.escape(written) for written in sorted(dates, key=len, reverse=True))
    return [
        MessageEntity(
            MessageEntity.DATE_TIME,
            telegram_length(text[: match.start()]),
            telegram_length(match[0]),
            unix_time=datetime.fromtimestamp(dates[match[0]], UTC),
        )
        for match in (re.finditer(pattern, text) if pattern else ())
    ] or None


def telegram_length(text: str) -> int:
    """The length as Telegram counts it, in UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2
