"""The letter about what was changed: its preview, and the second person who approves it (4.8, 8.7)."""

from collections.abc import Mapping

from bots.slack.client.block_kit import MODAL_BLOCKS, Block, divider, mention, plain_sections, section
from bots.slack.client.new_blocks import alerts
from bots.slack.context import SlackContext
from bots.slack.listeners.incidents import previewed_batch
from bots.slack.listeners.letter_check import check_texts_to_all
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import CLOSE_FORMS, ReplaceView, Response
from bots.slack.router import Router
from bots.slack.views.forms import View, metadata, modal
from bots.slack.views.incident import as_deliveries, left_to_person
from bots.slack.views.letter_warnings import codes_of, warning_lines
from complaints.actions.authorisation import authorise_entry
from complaints.actors import Actor
from complaints.batches.batch import Audience, Batch
from complaints.case import Facts, Words
from complaints.errors import BadFacts, OutOfOrder
from complaints.registers.entries import Entry
from store.cases.batches import save_batch
from store.improvements import load_letter, load_letter_audience, propose_letter
from store.registers import act_on_entry

PROPOSE, APPROVE = "change_letter", "change_letter_approve"
router = Router()


@router.action("register.act.approve_letter")
async def open_approval(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """The letter as it would leave now, for the second person."""
    waiting = await slack.store.aread(load_letter, press.ref)
    if waiting is None:
        raise OutOfOrder("Nothing waits for approval.", code="nothing_to_approve")
    entry, letter = waiting
    async with slack.refusals_recorded(None, "register improvement approve_letter", actor):
        authorise_entry(entry, entry.register.acts["approve_letter"], actor)
    audience = await slack.store.aread(load_letter_audience, entry, letter.words, actor)
    asks = section(slack.texts.text("register.asks_approval", who=mention(letter.by)))
    blocks = [asks, *_preview(slack, audience, letter.words)]
    stored = metadata(entry.code, entry.version)
    return ReplaceView(
        modal(
            slack.texts,
            APPROVE,
            stored,
            blocks[:MODAL_BLOCKS],
            title="verb.improvement",
            submit="verb.approve",
        )
    )


@router.view(APPROVE)
async def approve(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    code, version = submission.metadata.ref, submission.metadata.version
    await slack.store.awrite(act_on_entry, code, "approve_letter", actor, version=version)
    return CLOSE_FORMS


@router.view(PROPOSE)
async def ask_second_person(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    batch = await previewed_batch(submission, actor, slack)
    await slack.store.awrite(propose_letter, batch, actor)
    return CLOSE_FORMS


async def preview_view(slack: SlackContext, entry: Entry, words: Words, actor: Actor, stated: Facts) -> View:
    """How many get the letter, who does not and why, and a letter in each language; nothing is recorded yet."""
    audience = await slack.store.aread(load_letter_audience, entry, words, actor)
    if not audience.to:
        raise BadFacts("Nobody can get this letter.", code="nobody_to_tell")
    warned = await check_texts_to_all(slack, stated, words, audience.to[0], actor)
    batch = Batch(
        PROPOSE, actor.id, slack.store.now(), entry.code, entry.version,
        words=words, overruled=codes_of(warned),
    )  # fmt: skip
    draft = await slack.store.awrite(save_batch, batch)
    blocks = [*alerts(warning_lines(warned, slack.texts)), *_preview(slack, audience, words)]
    return modal(
        slack.texts, PROPOSE, metadata(entry.code, entry.version, draft=draft), blocks[:MODAL_BLOCKS],
        title="verb.improvement", submit="preview.ask_approval", close="preview.back",
    )  # fmt: skip


def _preview(slack: SlackContext, audience: Audience, words: Mapping[str, str]) -> list[Block]:
    texts = slack.texts
    blocks = [section(texts.count("incident.reaches", len(audience.to)))]
    blocks += left_to_person(as_deliveries(audience), texts, "register.no_letter")
    for case in audience.samples:
        written = {"text": words[f"text.{case.language}"]}
        letter = slack.preview("change", case, {}, written, now=slack.store.now())
        name = texts.catalogue.language_name(case.language, texts.language)
        heading = section(texts.text("incident.letter_to", ref=case.ref, name=name))
        blocks += [divider(), heading, *plain_sections(letter)]
    return blocks
