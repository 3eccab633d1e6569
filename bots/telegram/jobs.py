"""The obligations that Telegram fulfils: replies, wake-ups, downloads, copies of data, dead letters, letters."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import structlog
from telegram.error import BadRequest, RetryAfter, TelegramError

from bots.dialogue.inputs import MAX_FILE_BYTES, Elapsed
from bots.dialogue.turn import TO_CHILD, written_reply
from bots.priority_lock import ShutdownWait
from bots.recovery import Handler
from bots.telegram.application import App, OnResult
from bots.telegram.callback_data import Buttons
from bots.telegram.intake import Intake
from bots.telegram.letters import LetterHandler
from bots.telegram.machine_words import Speech, transcript_handler, translation_handler
from bots.telegram.polling import pause_seconds
from bots.telegram.sending import AsPdf, OutgoingMessage, Sender
from bots.texts.texts import Texts
from store.cases.export import read_stored_file
from store.database.errors import UnknownRow
from store.files import SCANNED, load_file_to_fetch, record_file_failed, store_file
from store.outbox.complete import NO_ANSWER_AGAIN, Completed, Failed, Outcome, Retry
from store.outbox.failed import read_dead_letter
from store.store import Store
from store.values import FileToFetch, Obligation

#: Telegram's limit for a file from a bot is 50 MB, including the form around it.
LARGEST_COPY_BYTES = 49 * 1024 * 1024

#: Longest pause between two parts of a download, in seconds; well within the lease on the obligation.
DOWNLOAD_TIMEOUT_SECONDS = 30.0
#: Attempts in about eight hours. Then the person and the staff are informed.
DOWNLOAD_ATTEMPTS = 60

#: From the bytes of a file to whether the virus scanner passes it; None if it gave no verdict.
Scan = Callable[[bytes], Awaitable[bool | None]]
#: The reply about a file that cannot be had, by its state.
_MESSAGES = {"failed": "file.failed", "too_large": "file.too_large"}
#: From a person's id, or a reference, and a language to the file's name and bytes. Records that it was handed out.
CopyOf = Callable[[str, str], tuple[str, bytes]]
#: From a reference to the archive with its receipt, and whether the receipt has its proof already.
ReceiptOf = Callable[[str], tuple[bytes, bool]]

log = structlog.get_logger(__name__)


def job_handlers(
    app: App,
    store: Store,
    intake: Intake,
    buttons: Buttons,
    texts: Texts,
    *,
    rate_limited: bool = True,
    copy_of: CopyOf | None = None,
    form_of: CopyOf | None = None,
    as_pdf: AsPdf | None = None,
    receipt_of: ReceiptOf | None = None,
    scan: Scan | None = None,
    speech: Speech | None = None,
    on_result: OnResult | None = None,
    waiting: ShutdownWait | None = None,
) -> Mapping[str, Handler]:
    """The handler for each kind of obligation.

    `rate_limited`: keep to Telegram's rate limits (not in the demo and in tests). `copy_of` makes the copy of a
    person's data, `form_of` the form of a complaint, `as_pdf` a long letter, `receipt_of` the receipt of a complaint
    (None: letters offer none); `scan` checks each file, `speech` writes down recordings. `on_result` is called with
    the result of each message.
    """
    sender = Sender(
        app, store, texts, rate_limited=rate_limited, on_result=on_result, shutdown=waiting, as_pdf=as_pdf
    )
    return {
        "say": reply_handler(sender, buttons, texts),
        "wake": wake_up_handler(intake),
        "fetch": download_handler(app, store, intake, scan, speech),
        "transcribe": transcript_handler(store, intake.record, speech),
        "translate": translation_handler(store, intake.record, intake.translator),
        "inbox": dead_letter_handler(store, intake),
        "mydata": data_copy_handler(sender, texts, copy_of, receipt_of),
        "form_copy": form_handler(sender, texts, form_of),
        **LetterHandler(store, sender, buttons, texts, receipts=receipt_of is not None).handlers(),
    }


def reply_handler(sender: Sender, buttons: Buttons, texts: Texts) -> Handler:
    """Send one reply of the dialogue; if it may have arrived already, it is sent again with a note."""

    async def send_reply(obligation: Obligation) -> Outcome:
        chat = obligation.chat
        if chat is None or not obligation.payload:
            # The person's data was erased in the meantime.
            return Completed()
        reply = obligation.payload
        # In danger people are answered in the language that they write, also if the desk does not speak it.
        language = texts.danger_language(reply["fields"].get("spoken"), chat.language)
        keyboard = buttons.keyboard(
            texts,
            language,
            chat.address,
            reply["buttons"],
            step=reply["step"],
            ref=obligation.ref,
            turn=int(reply["fields"].get("turn", 0)),
        )
        text = written_reply(texts, language, reply["template"], reply["fields"])
        dates = reply["fields"].get("dates", {})
        child = TO_CHILD in reply["fields"]
        message = OutgoingMessage(
            text, reply["template"], language, keyboard, obligation.ref, dates=dates, to_child=child
        )
        return await sender.send(obligation, chat, message)

    return send_reply


def wake_up_handler(intake: Intake) -> Handler:
    """Run the dialogue again; its turn is stored and the obligation completed in one transaction."""

    async def wake_up(obligation: Obligation) -> Outcome:
        if obligation.chat is None:
            return Completed()
        what = Elapsed(str(obligation.facts["what"]))
        await intake.record(obligation.key, obligation.chat, what, completes=obligation.id)
        return Completed(settled=True)

    return wake_up


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
            what = Elapsed(f"{_MESSAGES[state]}:{wanted.ref}")
            await intake.record(f"{wanted.ref}:{obligation.key}:{state}", wanted.chat, what)
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


def data_copy_handler(
    sender: Sender, texts: Texts, copy_of: CopyOf | None, receipt_of: ReceiptOf | None = None
) -> Handler:
    """Send the copy of a person's data, or the receipt of one complaint, as a file into their own chat.

    If it cannot be made or sent, the obligation fails, and staff hand over a copy themselves.
    """

    async def send_copy(obligation: Obligation) -> Outcome:
        chat = obligation.chat
        if chat is None or not obligation.payload:
            # The person's data was erased in the meantime.
            return Completed()
        language, ref = texts.language(chat.language), obligation.payload["fields"].get("ref")
        if ref is not None:
            if receipt_of is None:
                return Failed("there is no AMENDS_SIGNING_KEY to sign a receipt with: set it (`amends init`)")
            body, is_proof = await asyncio.to_thread(receipt_of, ref)
            caption = texts.text(language, "mydata.proof" if is_proof else "mydata.receipt", ref=ref)
            return await sender.send(
                obligation, chat, OutgoingMessage(caption, "receipt", language, file=(f"{ref}.zip", body))
            )
        if copy_of is None:
            return Failed("nothing here makes copies of data: run `amends privacy export` and hand it over")
        # In a thread of its own: on the writing thread, everybody would wait until the archive is made.
        name, body = await asyncio.to_thread(copy_of, str(obligation.payload["fields"]["person"]), language)
        if len(body) > LARGEST_COPY_BYTES:
            return Failed(
                "the copy is larger than Telegram takes: run `amends privacy export` and hand it over"
            )
        to_reader = texts.to(child=TO_CHILD in obligation.payload["fields"])
        caption = to_reader.text(language, obligation.payload["template"])
        message = OutgoingMessage(caption, "mydata", language, file=(name, body))
        outcome = await sender.send(obligation, chat, message)
        if isinstance(outcome, Retry) and outcome.why == NO_ANSWER_AGAIN:
            # It may have arrived twice already, and all other messages of this chat wait behind it.
            return Failed("it is not known whether the copy arrived: ask, or run `amends privacy export`")
        return outcome

    return send_copy


def form_handler(sender: Sender, texts: Texts, form_of: CopyOf | None) -> Handler:
    """Send the complaint as a PDF form (Annex B) into the person's own chat."""

    async def send_form(obligation: Obligation) -> Outcome:
        chat = obligation.chat
        if chat is None or not obligation.payload:
            # The person's data was erased in the meantime.
            return Completed()
        if form_of is None:
            return Failed("nothing here makes forms: run `amends case file` and hand it over")
        language, ref = texts.language(chat.language), str(obligation.payload["fields"]["ref"])
        file = await asyncio.to_thread(form_of, ref, language)
        to_reader = texts.to(child=TO_CHILD in obligation.payload["fields"])
        caption = to_reader.text(language, obligation.payload["template"], ref=ref)
        return await sender.send(obligation, chat, OutgoingMessage(caption, "form_copy", language, file=file))

    return send_form


def dead_letter_handler(store: Store, intake: Intake) -> Handler:
    """Handle a dead letter again; when that fails, it stays one, and staff see the failed obligation."""

    async def retry_dead_letter(obligation: Obligation) -> Outcome:
        try:
            letter = await store.aread(read_dead_letter, int(obligation.facts["id"]))
        except UnknownRow:
            # Staff discarded it in the meantime, or its 30 days are over.
            return Completed()
        await intake.retry(letter.raw)
        return Completed()

    return retry_dead_letter
