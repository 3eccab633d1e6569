"""What staff change for the desk: an absence, the days on which the office is closed, templates of letters."""

import hashlib
import json
from datetime import date
from typing import Any

from bots.slack.client.block_kit import Block, button, context, cut, escaped, mention, section
from bots.slack.context import SlackContext
from bots.slack.listeners.slash_commands import (
    MAX_ABSENCE,
    Away,
    absence_days,
    require_own_or_manager,
    set_absence,
)
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import (
    Acknowledged,
    OpenView,
    RedrawView,
    ReplaceView,
    Response,
    field_errors,
    update_view,
)
from bots.slack.router import Router
from bots.slack.views.actions import verb_of
from bots.slack.views.form_inputs import input_blocks, values_of
from bots.slack.views.form_modals import View, metadata, modal, notice_view, with_notice
from bots.slack.views.template_views import (
    FORM,
    edit_view,
    list_view,
    preview_text,
    template_options,
    with_template,
)
from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor
from complaints.errors import BadFacts
from complaints.forms import DESK_FORMS, read_all
from complaints.letter_texts import LetterTemplate, unknown_field
from complaints.times import format_time, local_time, parse_time
from store.cases.read import load_case
from store.cases.staff_letters import list_templates, load_template, save_template
from store.people.staff import end_absence, list_members
from store.rulebooks import close_day, list_closed_days, load_current_rulebook

ABSENCE, CLOSURE = "absence", "closure"
#: Absences and closed days of a form.
MAX_LISTED = 20
router = Router()


@router.action("home.absence", "home.closure")
async def open_settings(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    form = press.action.rpartition(".")[2]
    authorise(None, Access.MANAGE if form == CLOSURE else Access.KNOW, actor)
    return OpenView(await _settings_view(form, actor, slack))


@router.action("absence.end", "absence.remove")
async def end_listed_absence(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """End the absence of this line, or remove it if it is only planned."""
    absent = require_own_or_manager(press.ref, actor)
    await slack.store.awrite(end_absence, absent, by=actor.id, since=parse_time(press.detail))
    return RedrawView(lambda: _settings_view(ABSENCE, actor, slack))


@router.view(ABSENCE, CLOSURE)
async def save_settings(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the change, with its author, and say what it means."""
    facts, words = read_all(DESK_FORMS[submission.form].fields, values_of(submission.view["state"]["values"]))
    texts, today = slack.texts, await _today(slack)
    if submission.form == ABSENCE:
        since = date.fromisoformat(facts["since"]) if facts.get("since") else None
        until, absent = date.fromisoformat(facts["until"]), require_own_or_manager(facts["member"], actor)
        if not max(today, since or today) < until <= today + MAX_ABSENCE or (since or today) < today:
            raise BadFacts.worded("away_when", field="until")
        members = await slack.store.aread(list_members)
        away = Away(until, absent, facts.get("deputy"))
        if absent not in {member.id for member in members}:
            raise BadFacts.worded("nobody_of_staff:absent", field="member")
        text = await set_absence(slack, actor, away, members, None if since == today else since)
        return update_view(notice_view(text, texts))
    authorise(None, Access.MANAGE, actor)
    day, name = date.fromisoformat(facts["day"]), words.get("name", "").strip()
    if day <= today:
        raise BadFacts.worded("not_ahead", field="day")
    if bool(name) == facts["open_again"]:
        raise BadFacts.worded("closure_name", field="name")
    await slack.store.awrite(close_day, day, actor.id, name or None)
    return update_view(notice_view(texts.text("closure.saved", day=texts.day(day)), texts))


async def _settings_view(form: str, actor: Actor, slack: SlackContext) -> View:
    """The fields of a form below what is recorded."""
    texts = slack.texts
    blocks: list[Block] = [section(texts.text(f"{form}.hint"))]
    if form == CLOSURE:
        days = await slack.store.aread(list_closed_days, await _today(slack))
        blocks += [context(f"{texts.day(day)}: {name}") for day, name in list(days.items())[:MAX_LISTED]]
    else:
        blocks += await _recorded_absences(actor, slack)
    blocks += input_blocks(DESK_FORMS[form].fields, texts, {"member": actor.id})
    return modal(texts, form, metadata("", 0), blocks, title=f"{form}.title", submit="modal.save")


async def _recorded_absences(actor: Actor, slack: SlackContext) -> list[Block]:
    """The person's own absences that are not over, for managers those of all, each with a button that ends it."""
    texts, now = slack.texts, slack.store.now()
    zone = (await slack.store.aread(load_current_rulebook)).calendar.zone
    recorded = [
        (absence, member.id)
        for member in await slack.store.aread(list_members)
        for absence in member.absences
        if absence.until > now and (member.id == actor.id or is_allowed(None, Access.MANAGE, actor))
    ]
    blocks = []
    for absence, member_id in sorted(recorded, key=lambda row: row[0].since)[:MAX_LISTED]:
        deputy = "–" if absence.deputy is None else mention(absence.deputy)
        line = texts.text(
            "absence.row", who=mention(member_id), deputy=deputy, **absence_days(absence, texts, zone)
        )
        act = "end" if absence.runs(now) else "remove"
        value = f"{member_id}:{format_time(absence.since)}"
        blocks.append(section(line, accessory=button(texts.text(f"absence.{act}"), f"absence.{act}", value)))
    return blocks


async def _today(slack: SlackContext) -> date:
    rules = await slack.store.aread(load_current_rulebook)
    return local_time(slack.store.now(), rules.calendar.zone).date()


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
