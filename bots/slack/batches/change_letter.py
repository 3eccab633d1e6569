"""The letter about what was changed: its preview, the second person who approves it, and its job (4.8, 8.7)."""

from collections.abc import Mapping

from bots.slack.batches.steps import (
    act_on_each,
    informed_text,
    left_to_person,
    letter_blocks,
    letter_heading,
    preview_view,
    previewed_batch,
)
from bots.slack.client.block_kit import MODAL_BLOCKS, Block, mention, section
from bots.slack.context import SlackContext
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import CLOSE_FORMS, ReplaceView, Response
from bots.slack.router import Router
from bots.slack.views.form_modals import View, metadata, modal
from bots.slack.views.register_entries import reminder_message
from complaints.actions.authorisation import authorise_entry
from complaints.actors import Actor
from complaints.batch import Audience, Batch
from complaints.case import Case, Facts, Words
from complaints.errors import OutOfOrder
from complaints.registers.entries import Entry
from store.improvements import load_letter, load_letter_audience, propose_letter, record_letter
from store.outbox.complete import Completed, Outcome
from store.registers import act_on_entry
from store.values import Obligation

PROPOSE, APPROVE = "change_letter", "change_letter_approve"
router = Router()


async def letter_view(slack: SlackContext, entry: Entry, words: Words, actor: Actor, stated: Facts) -> View:
    """How many get the letter, who does not and why, and a letter in each language; nothing is recorded yet."""
    audience = (await slack.store.aread(load_letter_audience, entry, words, actor)).require_some()
    batch = Batch(PROPOSE, actor.id, slack.store.now(), entry.code, entry.version, words=words)
    return await preview_view(
        slack, batch, audience, actor, _preview(slack, audience, words), stated=stated,
        callback_id=PROPOSE, title="verb.improvement", submit="preview.ask_approval",
    )  # fmt: skip


@router.view(PROPOSE)
async def ask_second_person(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    await slack.store.awrite(propose_letter, await previewed_batch(submission, actor, slack), actor)
    return CLOSE_FORMS


@router.action("register.act.approve_letter")
async def open_approval(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """The letter as it would leave now, for the second person."""
    waiting = await slack.store.aread(load_letter, press.ref)
    if waiting is None:
        raise OutOfOrder.worded("nothing_to_approve")
    entry, letter = waiting
    async with slack.refusals_recorded(None, "register improvement approve_letter", actor):
        authorise_entry(entry, entry.register.acts["approve_letter"], actor)
    audience = await slack.store.aread(load_letter_audience, entry, letter.words, actor)
    asks = section(slack.texts.text("register.asks_approval", who=mention(letter.by)))
    blocks = [asks, *_preview(slack, audience, letter.words)][:MODAL_BLOCKS]
    stored = metadata(entry.code, entry.version)
    view = modal(slack.texts, APPROVE, stored, blocks, title="verb.improvement", submit="verb.approve")
    return ReplaceView(view)


@router.view(APPROVE)
async def approve(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    code, version = submission.metadata.ref, submission.metadata.version
    await slack.store.awrite(act_on_entry, code, "approve_letter", actor, version=version)
    return CLOSE_FORMS


async def send_letters(direct: DirectMessageJobs, obligation: Obligation) -> Outcome:
    """Record the approved letter in each complaint; who may not get it by now is left out, and none gets two."""
    slack, store, version = direct.slack, direct.slack.store, int(obligation.facts["version"])
    approved = await store.aread(load_letter, str(obligation.facts["code"]), version)
    if approved is None:
        return Completed()
    entry, letter = approved
    author = await slack.actor(letter.by)
    approver = await slack.actor(entry.acts[version - 1].by)
    audience = await store.aread(load_letter_audience, entry, letter.words, author)
    # Only to complaints that the approver may read too.
    approved_now = await store.aread(load_letter_audience, entry, letter.words, approver)
    refs = {case.ref for case in approved_now.to} & set(letter.facts["to"])
    cases = {case.ref: case for case in audience.to if case.ref in refs}

    async def record(ref: str) -> None:
        text = _letter(slack, cases[ref], letter.words)
        await store.awrite(record_letter, entry, letter, cases[ref], author, text, approver.id)

    done = informed_text(*await act_on_each(slack, cases, record), slack.texts)
    message = reminder_message(entry, "register.letters", slack.texts, done=done)
    return await direct.send([letter.by], message, obligation)


def _preview(slack: SlackContext, audience: Audience, words: Mapping[str, str]) -> list[Block]:
    texts = slack.texts
    letters = [(letter_heading(case, texts), _letter(slack, case, words)) for case in audience.samples]
    return [
        section(texts.count("incident.reaches", len(audience.to))),
        *left_to_person(audience.reasons, texts, "register.no_letter"),
        *letter_blocks(letters),
    ]


def _letter(slack: SlackContext, case: Case, words: Mapping[str, str]) -> str:
    """The exact letter to this complainant."""
    text = {"text": words[f"text.{case.language}"]}
    return slack.preview("change", case, {}, text, now=slack.store.now())
