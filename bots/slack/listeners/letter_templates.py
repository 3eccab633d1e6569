"""Templates of letters: chosen in a form, and changed by those who may (7.8)."""

import hashlib
import json
from typing import Any

from bots.slack.client.block_kit import cut, escaped
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import Acknowledged, OpenView, ReplaceView, Response, field_errors, update_view
from bots.slack.router import Router
from bots.slack.views.actions import verb_of
from bots.slack.views.form_inputs import values_of
from bots.slack.views.forms import with_notice
from bots.slack.views.letter_templates import (
    FORM,
    edit_view,
    list_view,
    preview_text,
    template_options,
    with_template,
)
from complaints.actions.authorisation import Access, authorise
from complaints.actors import Actor
from complaints.errors import BadFacts
from complaints.forms import DESK_FORMS, read_all
from complaints.letter_texts import LetterTemplate, unknown_field
from store.cases.read import load_case
from store.cases.staff_letters import list_templates, load_template, save_template
from store.rulebooks import load_current_rulebook

router = Router()


@router.action("template")
async def use_template(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Fill the field of the form; what was typed into it is replaced."""
    assert press.view is not None
    case = await slack.store.aread(load_case, press.metadata.ref)
    form = str(press.view["callback_id"])
    async with slack.refusals_recorded(case.ref, form, actor):
        authorise(case, verb_of(form, case), actor)
    template = await slack.store.aread(load_template, press.value)
    changed = with_template(press.view, template, case, slack.texts)
    return Acknowledged() if changed is None else ReplaceView(changed)


@router.action("home.templates")
async def open_list(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.TEMPLATES, actor)
    first = int(press.value) if press.value.isdecimal() else 0
    view = list_view(await slack.store.aread(list_templates), slack.texts, first)
    return ReplaceView(view) if first else OpenView(view)


@router.action("home.template")
async def open_template(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.TEMPLATES, actor)
    template = None if press.value == "0" else await slack.store.aread(load_template, press.value)
    return OpenView(edit_view(template, await slack.store.aread(load_current_rulebook), slack.texts))


@router.view(FORM)
async def preview_or_save(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """First show the text with examples in its fields; submitted again unchanged, save the next version."""
    authorise(None, Access.TEMPLATES, actor)
    view, texts = submission.view, slack.texts
    values = values_of(view["state"]["values"])
    rules = await slack.store.aread(load_current_rulebook)
    facts, words = read_all(DESK_FORMS[FORM].fields, values, template_options(rules))
    if (unknown := unknown_field(words["text"])) is not None:
        return field_errors({"text": texts.text("template.unknown_field", field=cut(unknown, 40))})
    stored = json.loads(view["private_metadata"])
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
    if stored.get("shown") != digest:
        reads = f"{texts.text('template.reads')}\n{escaped(preview_text(words['text'], texts), 2500)}"
        metadata = json.dumps({**stored, "shown": digest})
        return update_view({**with_notice(view, reads, level="info"), "private_metadata": metadata})
    await slack.store.awrite(save_template, _template(stored["template"], facts, words, actor, slack))
    return update_view(list_view(await slack.store.aread(list_templates), texts))


def _template(
    code: str, facts: dict[str, Any], words: dict[str, str], actor: Actor, slack: SlackContext
) -> LetterTemplate:
    number, _, version = code.partition(".")
    if not number.isdecimal():
        raise BadFacts.worded("form_expired")
    return LetterTemplate(
        int(number), int(version or 0), words["name"], facts["form"], facts["language"], facts.get("category", ""),
        facts.get("outcome", ""), words["text"], actor.id, slack.store.now(), bool(facts["retired"]),
    )  # fmt: skip
