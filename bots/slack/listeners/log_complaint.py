"""Logging a complaint that came by phone, at the counter, by e-mail or letter, and acknowledging it aloud.

A message that is longer than one input continues in further inputs of the form: `description`, `description.1` and so
on. Joined again, they are the description that is recorded and searched for danger.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bots.dialogue.turn import read_signs as plain_rules
from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    context,
    cut,
    escaped,
    header,
    plain_sections,
    plain_words,
    section,
)
from bots.slack.client.refused_blocks import alerts
from bots.slack.context import SlackContext
from bots.slack.payloads import LOG_AGAIN, ButtonPress, FormSubmission, SlashCommand
from bots.slack.responses import CLOSE_FORMS, OpenView, Response, update_view
from bots.slack.router import Router
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import MOST_IN_INPUT, input_block, values_of
from bots.slack.views.form_modals import View, metadata, modal
from bots.texts.texts import currency_of, language_name
from complaints.actions.authorisation import authorise
from complaints.actors import Actor
from complaints.case import Case
from complaints.forms import FORMS, MOST_ATTACHMENTS, Field, Input, read
from complaints.times import format_time
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.staff_intake import log_complaint
from store.people.staff import list_members, list_names
from store.redaction.contact_details import complainant_text, find_contact_details
from store.rulebooks import load_current_rulebooks

FORM = "log_complaint"
READ_OUT = "log_complaint_told"
#: The files of the message that is logged, each with a box to tick.
MESSAGE_FILES = "message_files"
#: The headings of the form, by the first field below each.
_PARTS = {"description": "log.part_problem", "name": "log.part_person", "language": "log.part_answer"}
router = Router()


@router.action(LOG_AGAIN)
async def open_from_shortcut(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Open the form; from a message its words, time, language, files and who wrote it are filled in."""
    message = press.message or {}
    members = await slack.store.aread(list_members)
    names = {member.id: member.name for member in members}
    words = "\n\n".join(_parts(message, names))
    sent_at = message.get("ts")
    received_at = None if sent_at is None else datetime.fromtimestamp(float(sent_at), UTC)
    files = _files(message)
    view = await _form(
        slack,
        actor,
        press.trigger,
        words=words,
        received_at=received_at,
        files=files[:MOST_ATTACHMENTS],
        warnings=_warnings(message, files[MOST_ATTACHMENTS:], slack.texts),
    )
    return OpenView(view)


def _messages(message: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The message and those shared with it, each with a text and files of its own."""
    return [message, *(message.get("attachments") or ())]


def _files(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The files of the message and of those shared with it, without e-mails; one that is in both counts once."""
    files = {
        str(file["id"]): {"name": cut(str(file.get("name") or file["id"]), 75), "size": file.get("size", 0)}
        for part in _messages(message)
        for file in part.get("files") or ()
        if file.get("id") and file.get("filetype") != "email"
    }
    return [{"id": file_id, **file} for file_id, file in files.items()]


def _warnings(
    message: Mapping[str, Any], left_out: Sequence[Mapping[str, Any]], texts: StaffTexts
) -> list[str]:
    """What of the message the form does not get: the end of an e-mail, and files over its limit."""
    is_preview = any(
        file.get("filetype") == "email" and not file.get("plain_text") and file.get("has_more")
        for part in _messages(message)
        for file in part.get("files") or ()
    )
    names = escaped(", ".join(file["name"] for file in left_out), 1000)
    return [
        *([texts.text("log.only_beginning")] if is_preview else ()),
        *([texts.text("log.files_left", names=names, most=MOST_ATTACHMENTS)] if left_out else ()),
    ]


def _parts(message: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    """The texts of a message: its own, those of messages shared with it, and e-mails that were sent to Slack."""
    messages = _messages(message)
    parts = [plain_words(str(part.get("text") or ""), names) for part in messages]
    for file in (file for part in messages for file in part.get("files") or ()):
        if file.get("filetype") == "email":
            senders = ", ".join(str(sender.get("original", "")) for sender in file.get("from") or ())
            body = file.get("plain_text") or file.get("preview_plain_text") or ""
            parts += [f"From: {senders}" if senders else "", str(file.get("subject") or ""), str(body)]
    return [part for part in parts if part]


@router.command("log")
async def open_from_command(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    return OpenView(await _form(slack, actor, command.trigger))


@router.view(FORM)
async def record_complaint(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the complaint, then show what to read out to the complainant."""
    rules = await slack.store.aread(load_current_rulebooks)
    options = {"language": rules.languages, "jurisdiction": rules.codes}
    values = values_of(submission.view["state"]["values"])
    stored = json.loads(submission.view["private_metadata"])
    ticked = values.pop(MESSAGE_FILES, ())
    of_message = [file for file in stored.get("files", ()) if file["id"] in ticked]
    values["description"] = _joined(values)
    values["attachments"] = [*values.get("attachments", ()), *of_message]
    facts, words = read(FORM, values, options=options)
    key = str(stored["key"])
    case = await slack.store.awrite(log_complaint, key, facts, words, actor, plain_rules)
    spoken = await slack.store.in_thread(
        lambda: slack.read_out(case, "logged", {}, events=(), words_of=lambda seq: {}, now=slack.store.now())
    )
    return update_view(read_out_view(case, case.ref if spoken is None else spoken.text, slack.texts))


@router.view(READ_OUT)
async def acknowledge(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """It was read out or posted: that is the acknowledgement (7.4)."""
    facts = {"what": "acknowledge", "given_at": format_time(slack.store.now()), "level": 1}
    words = {"by_whom": slack.texts.text("log.by_whom")}
    await slack.store.awrite(act, submission.metadata.ref, Verb.ACKNOWLEDGE, actor, facts, words)
    return CLOSE_FORMS


async def _form(
    slack: SlackContext,
    actor: Actor,
    trigger: str,
    *,
    words: str = "",
    received_at: datetime | None = None,
    files: Sequence[Mapping[str, Any]] = (),
    warnings: Sequence[str] = (),
) -> View:
    """The form; `words`, `received_at` and `files` are those of a message where a message is logged.

    The key identifies a repeated submission: it travels in the metadata, as `files` do.
    """
    async with slack.refusals_recorded(None, FORM, actor):
        authorise(None, Verb.RECEIVE, actor)
    texts, rules = slack.texts, await slack.store.aread(load_current_rulebooks)
    received_at = received_at or slack.store.now()
    members = await slack.store.aread(list_names)
    desk: dict[str, Any] = {
        "staff": [name for names in members.values() for name in names],
        "organisation": rules.own.organisation,
    }
    details = find_contact_details(words, rules.own.country, **desk)
    language = await asyncio.to_thread(_written_language, complainant_text(words, **desk), rules.languages)
    initial: dict[str, Any] = details | {
        "currency": currency_of(rules.own.country),
        "received_at": int(received_at.timestamp()) // 60 * 60,
        "language": language,
        "jurisdiction": rules.own.country,
    }
    choices: Mapping[str, tuple[tuple[str, str], ...]] = {
        "language": tuple((code, language_name(code)) for code in rules.languages),
        "jurisdiction": tuple((code, texts.country(code)) for code in rules.codes),
    }
    inputs: list[Block] = alerts("\n".join(warnings))
    for field in FORMS[FORM].fields:
        if field.name in _PARTS:
            inputs.append(header(texts.text(_PARTS[field.name])))
        if field.name == "name" and details:
            inputs += alerts(texts.text("log.check_details"))
        # With a single country the question has one answer.
        if field.name == "description":
            inputs += _description_inputs(field, words, texts)
        elif field.name != "jurisdiction" or rules.are_several:
            first, options = initial.get(field.name), choices.get(field.name)
            inputs.append(input_block(field, field.name, texts, initial=first, choices=options))
        if field.name == "attachments" and files:
            ids = [file["id"] for file in files]
            names = tuple((file["id"], file["name"]) for file in files)
            label = texts.text("field.message_files")
            entry = Field(MESSAGE_FILES, Input.FLAGS)
            inputs.append(input_block(entry, MESSAGE_FILES, texts, initial=ids, choices=names, label=label))
    stored = metadata("", 0, key=f"slack:log:{trigger}", **({"files": files} if files else {}))
    return modal(texts, FORM, stored, inputs, title="verb.log_complaint", submit="modal.save")


def _written_language(words: str, languages: Sequence[str]) -> str:
    """The language of the words where it is sure and of the desk, otherwise the desk's first one."""
    if not words:
        return languages[0]
    # Imported here: commands start without the language model.
    from triage.text import desk_language

    language, is_sure = desk_language(words, languages)
    return language if language and is_sure and language in languages else languages[0]


def _description_inputs(field: Field, words: str, texts: StaffTexts) -> list[Block]:
    """As many inputs as the words need, and a warning if they are longer than one, or than all that are allowed."""
    parts, label = _split(words), texts.text(field.label)
    if len(parts) == 1:
        return [input_block(field, field.name, texts, initial=words or None)]
    kept = parts[: field.most // MOST_IN_INPUT]
    blocks = alerts(texts.text("log.long", parts=len(kept)))
    if missing := sum(map(len, parts[len(kept) :])):
        blocks += alerts(texts.text("log.too_long", missing=missing), level="error")
    return blocks + [
        input_block(
            field,
            f"{field.name}.{number}" if number else field.name,
            texts,
            initial=part,
            required=None if number == 0 else False,
            label=texts.text("log.part", label=label, number=number + 1, parts=len(kept)),
        )
        for number, part in enumerate(kept)
    ]


def _split(words: str) -> list[str]:
    """The words in parts of one input, split after a line or a word; joined without a separator they are the same."""
    parts = []
    while len(words) > MOST_IN_INPUT:
        half = MOST_IN_INPUT // 2
        end = max(words.rfind("\n", half, MOST_IN_INPUT), words.rfind(" ", half, MOST_IN_INPUT)) + 1
        parts.append(words[: end or MOST_IN_INPUT])
        words = words[end or MOST_IN_INPUT :]
    return [*parts, words]


def _joined(values: dict[str, Any]) -> str:
    """The words of all inputs of the description, which are taken out of the values.

    There is a blank between two parts even if Slack or a person removed it: "smell of" and "gas" stay two words.
    """
    paths = sorted(
        (path for path in values if path.partition(".")[0] == "description"),
        key=lambda path: int(path.partition(".")[2] or 0),
    )
    words = ""
    for part in (str(values.pop(path)) for path in paths):
        words += part if not words or words[-1].isspace() else f" {part}"
    return words


def read_out_view(case: Case, text: str, texts: StaffTexts) -> View:
    """What to read out to the complainant, word for word; submitting says that it was done (7.4)."""
    zone = case.rules.calendar.zone
    blocks: list[Block] = [
        header(case.ref),
        section(texts.text("log.read_out", when=texts.moment(case.received_at, zone))),
        *plain_sections(text),
        context(texts.text("log.bind_hint")),
    ]
    return modal(
        texts, READ_OUT, metadata(case.ref, case.work_version), blocks[:MODAL_BLOCKS],
        title="verb.log_complaint", submit="log.told", close="log.later",
    )  # fmt: skip
