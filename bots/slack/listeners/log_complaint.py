"""Logging a complaint that came by phone, at the counter, by e-mail or letter, and acknowledging it aloud."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bots.dialogue.turn import read_signs as plain_rules
from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    context,
    header,
    plain_sections,
    plain_words,
    section,
)
from bots.slack.context import SlackContext
from bots.slack.payloads import LOG_AGAIN, ButtonPress, FormSubmission, SlashCommand
from bots.slack.responses import CLOSE_FORMS, OpenView, Response, update_view
from bots.slack.router import Router
from bots.slack.texts import StaffTexts
from bots.slack.views.form_inputs import input_block, values_of
from bots.slack.views.forms import View, metadata, modal
from bots.texts.texts import language_name
from complaints.actions.authorisation import authorise
from complaints.actors import Actor
from complaints.case import Case
from complaints.forms import FORMS, read
from complaints.rulebook import Rulebooks
from complaints.times import format_time
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.log import log_complaint
from store.people.staff import list_members
from store.rulebooks import load_current_rulebooks

FORM = "log_complaint"
READ_OUT = "log_complaint_told"
router = Router()


@router.action(LOG_AGAIN)
async def open_from_shortcut(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Open the form; from a message its words and time are filled in."""
    message = press.message or {}
    members = await slack.store.aread(list_members)
    names = {member.id: member.name for member in members}
    words = plain_words(str(message.get("text") or ""), names)
    sent_at = message.get("ts")
    received_at = None if sent_at is None else datetime.fromtimestamp(float(sent_at), UTC)
    view = await _form(slack, actor, press.trigger, words=words, received_at=received_at)
    return OpenView(view)


@router.command("log")
async def open_from_command(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    return OpenView(await _form(slack, actor, command.trigger))


@router.view(FORM)
async def record_complaint(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the complaint, then show what to read out to the complainant."""
    rules = await slack.store.aread(load_current_rulebooks)
    options = {"language": rules.languages, "jurisdiction": rules.codes}
    facts, words = read(FORM, values_of(submission.view["state"]["values"]), options=options)
    key = str(json.loads(submission.view["private_metadata"])["key"])
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
    slack: SlackContext, actor: Actor, trigger: str, *, words: str = "", received_at: datetime | None = None
) -> View:
    async with slack.refusals_recorded(None, FORM, actor):
        authorise(None, Verb.RECEIVE, actor)
    rules = await slack.store.aread(load_current_rulebooks)
    return log_view(
        rules,
        slack.texts,
        key=f"slack:log:{trigger}",
        received_at=slack.store.now() if received_at is None else received_at,
        words=words,
    )


def log_view(
    rules: Rulebooks, texts: StaffTexts, *, key: str, received_at: datetime, words: str = ""
) -> View:
    """The form; `words` and `received_at` are those of a message where a message is logged.

    `key` identifies a repeated submission: it travels in the metadata.
    """
    initial: dict[str, Any] = {
        "received_at": int(received_at.timestamp()) // 60 * 60,
        "language": rules.languages[0],
        "jurisdiction": rules.own.country,
        "description": words or None,
    }
    choices: Mapping[str, tuple[tuple[str, str], ...]] = {
        "language": tuple((code, language_name(code)) for code in rules.languages),
        "jurisdiction": tuple((code, texts.country(code)) for code in rules.codes),
    }
    inputs = [
        input_block(
            FORM, field, field.name, texts, initial=initial.get(field.name), choices=choices.get(field.name)
        )
        for field in FORMS[FORM]
        # With a single country the question has one answer.
        if field.name != "jurisdiction" or rules.are_several
    ]
    stored = metadata("", 0, key=key)
    return modal(texts, FORM, stored, inputs, title="verb.log_complaint", submit="modal.save")


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
