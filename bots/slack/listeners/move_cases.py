"""Acts on many complaints: a list goes to another person, or all its complainants get one text.

Both are chosen in one form and previewed, then done by the job `move` or `bulk_inform`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    context,
    divider,
    mention,
    plain,
    plain_sections,
    section,
)
from bots.slack.client.new_blocks import alerts
from bots.slack.context import SlackContext
from bots.slack.listeners.commands import require_member
from bots.slack.listeners.incidents import previewed_draft
from bots.slack.listeners.letter_check import check_texts_to_all
from bots.slack.payloads import ButtonPress, FormSubmission, SlashCommand
from bots.slack.responses import OpenView, Response, push_view, update_view
from bots.slack.router import Router
from bots.slack.views.form_inputs import input_block, values_of
from bots.slack.views.forms import View, metadata, modal, notice_view
from bots.slack.views.home import case_row
from bots.slack.views.incident import as_deliveries, incident_headline, left_to_person
from bots.slack.views.incident_decision import sample_cases
from bots.slack.views.letter_warnings import codes_of, warning_lines
from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor, may_own
from complaints.case import Case
from complaints.errors import BadFacts
from complaints.event_facts import OVERRULED
from complaints.forms import Field, Input, choice, text
from complaints.incidents import bulk_left_out
from complaints.rulebook import categories_of
from complaints.times import format_time
from complaints.vocabulary import Verb
from store.cases.incident_updates import audience_of, save_incident_draft
from store.incidents import list_all_incident_cases, list_open_incidents
from store.people.staff import list_members
from store.record.worklists import Worklist, WorklistSection, list_by_code, load_worklist
from store.rulebooks import load_current_rulebooks

CHOOSE, PREVIEW, INFORM = "move", "move_preview", "bulk_inform"
#: The lists that are not those of a category or an incident.
LISTS = (WorklistSection.MINE, WorklistSection.UNASSIGNED, WorklistSection.OVERDUE, WorklistSection.OPEN)
#: Complaints of one act: what a person can check in the preview.
MAX_MOVED = 100
#: Rows of one paragraph of the preview.
_ROWS_OF_A_SECTION = 25
router = Router()


@router.action("home.move")
async def open_from_home(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.HAND_OVER, actor)
    return OpenView(await choose_view(slack))


@router.command("move")
async def open_from_command(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Open the form with the person that the command names; the preview at once if it named both."""
    authorise(None, Access.HAND_OVER, actor)
    members = await slack.store.aread(list_members, with_owners=True)
    words = [word for word in command.rest.split() if word.casefold() not in ("from", "to")]
    named = [require_member(word, members).id for word in words]
    if len(named) >= 2:
        return OpenView(await move_preview_view(slack, WorklistSection.MINE, named[0], named[1], actor))
    return OpenView(await choose_view(slack, named[0] if named else None))


@router.view(CHOOSE)
async def preview_bulk(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.HAND_OVER, actor)
    values = values_of(submission.view["state"]["values"])
    source, target, words = values.get("from"), values.get("to"), str(values.get("text") or "").strip()
    if bool(target) == bool(words):
        raise BadFacts("Name a person or write a text.", field="to", code="bulk_one")
    if target:
        return push_view(await move_preview_view(slack, values["list"], source, str(target), actor))
    return push_view(await _inform_preview_view(slack, values, words, actor))


@router.view(PREVIEW, INFORM)
async def do_previewed(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Schedule the act for exactly the complaints that were counted."""
    authorise(None, Access.HAND_OVER, actor)
    draft = await previewed_draft(submission, actor, slack, submission.form)
    facts = {"batch": draft.id, "by": actor.id, "refs": list(draft.refs), "at": draft.at, **draft.facts}
    if submission.form == INFORM:
        text = slack.texts.count("bulk.under_way", len(draft.refs))
        await slack.schedule(f"bulk_inform:{draft.id}", "bulk_inform", facts, payload=draft.words)
    else:
        text = slack.texts.count("move.under_way", len(draft.refs))
        await slack.schedule(f"move:{draft.id}", "move", facts)
    return update_view(notice_view(text, slack.texts))


async def choose_view(slack: SlackContext, source: str | None = None) -> View:
    """Which complaints, and either who gets them or the text to their complainants."""
    texts, rules = slack.texts, await slack.store.aread(load_current_rulebooks)
    lists = [(part.value, texts.text(f"bulk.list_{part.value}")) for part in LISTS]
    incidents = await slack.store.aread(list_open_incidents)
    lists += [(f"incident:{incident.id}", incident_headline(incident, texts)) for incident in incidents]
    lists += [(f"category:{code}", texts.text(f"category.{code}")) for code in categories_of(rules.own)]
    languages = tuple((code, texts.catalogue.language_name(code, texts.language)) for code in rules.languages)
    fields: tuple[tuple[Field, str, object, tuple[tuple[str, str], ...] | None], ...] = (
        (choice("list", (), required=True), "bulk.list", WorklistSection.MINE.value, tuple(lists)),
        (Field("from", Input.STAFF), "move.from", source, None),
        (Field("to", Input.STAFF), "move.to", None, None),
        (text("text"), "bulk.text", None, None),
        (choice("language", (), required=True), "field.language", texts.language, languages),
    )
    inputs = [
        input_block(
            CHOOSE, field, field.name, texts, initial=initial, choices=choices, label=texts.text(label)
        )
        for field, label, initial, choices in fields
    ]
    blocks = [section(texts.text("move.hint")), *inputs]
    return modal(texts, CHOOSE, metadata("", 0), blocks, title="bulk.title", submit="modal.preview")


async def _listed_cases(slack: SlackContext, chosen: str, source: str | None, actor: Actor) -> Worklist:
    """The first complaints of a list that this person may know of."""
    name, _, value = chosen.partition(":")
    if name == "category":
        return await slack.store.aread(list_by_code, name, value, actor, limit=MAX_MOVED)
    if name == "incident":
        of_incident = await slack.store.aread(list_all_incident_cases, int(value))
        cases = tuple(case for case in of_incident if case.is_open and is_allowed(case, Access.KNOW, actor))
        return Worklist(cases[:MAX_MOVED], len(cases))
    part = WorklistSection(name)
    return await slack.store.aread(load_worklist, part, actor, owner=source, limit=MAX_MOVED)


async def _inform_preview_view(
    slack: SlackContext, values: Mapping[str, Any], words: str, actor: Actor
) -> View:
    """How many get the text, who is left to a person and why, and three letters as they will be read."""
    store, texts, now = slack.store, slack.texts, slack.store.now()
    language = str(values["language"])
    page = await _listed_cases(slack, str(values["list"]), values.get("from"), actor)
    audience = audience_of(page.cases, actor, lambda case: bulk_left_out(case, language, now))
    if not audience.to:
        raise BadFacts("Nobody can be informed with all: write to each.", field="list", code="nobody_to_tell")
    warned = await check_texts_to_all(slack, {}, {f"text.{language}": words}, audience.to[0], actor)
    blocks = [
        *alerts(warning_lines(warned, texts)),
        section(texts.count("incident.reaches", len(audience.to))),
    ]
    blocks += left_to_person(as_deliveries(audience), texts)
    if page.more:
        blocks.append(context(texts.text("move.more", number=page.more)))
    for case in sample_cases(audience):
        letter = slack.preview("reply", case, {"batch": "0"}, {"text": words}, now=now)
        blocks += [divider(), section(case_row(case, texts, now)), *plain_sections(letter)]
    refs, facts = [case.ref for case in audience.to], {"language": language, OVERRULED: codes_of(warned)}
    more = {"facts": facts, "refs": refs, "at": format_time(now)}
    draft = await store.awrite(save_incident_draft, 0, actor.id, 0, {"text": words}, form=INFORM, more=more)
    stored = metadata("", 0, draft=draft)
    submit = "preview.send_anyway" if warned else "preview.send"
    return modal(
        texts, INFORM, stored, blocks[:MODAL_BLOCKS], title="bulk.title", submit=submit, close="preview.back"
    )


async def move_preview_view(
    slack: SlackContext, chosen: str, source: str | None, target: str, actor: Actor
) -> View:
    """Which complaints move and which cannot; submitting moves exactly those shown."""
    authorise(None, Access.HAND_OVER, actor)
    owner = await slack.actor(target)
    if not is_allowed(None, Verb.ASSESS, owner) or source == target:
        raise BadFacts("This person cannot take complaints.", code="owner_no_handler", field="to")
    page = await _listed_cases(slack, chosen, source, actor)
    cases = [case for case in page.cases if case.owner != target]
    moving = [case for case in cases if may_own(case, target)]
    staying = [case for case in cases if not may_own(case, target)]
    texts = slack.texts
    # A complaint whose owner is another one by then is not moved.
    owners = {case.ref: case.owner for case in moving}
    source_name = mention(source or actor.id) if chosen == WorklistSection.MINE else texts.text("bulk.chosen")
    if not moving and not staying:
        return notice_view(texts.text("bulk.nothing"), texts)
    summary = texts.count("move.preview", len(moving), source=source_name, to=mention(target))
    blocks = [section(summary), *_listed(moving, slack)]
    if staying:
        blocks += [section(texts.count("move.staying", len(staying), to=mention(target)))]
        blocks += _listed(staying, slack)
    if page.more:
        blocks.append(context(texts.text("move.more", number=page.more)))
    more = {"facts": {"to": target, "source": source_name, "owners": owners}, "refs": list(owners)}
    draft = await slack.store.awrite(save_incident_draft, 0, actor.id, 0, {}, form=CHOOSE, more=more)
    stored = metadata("", 0, draft=draft)
    view = modal(texts, PREVIEW, stored, blocks, title="move.title", close="preview.back")
    if moving:
        view["submit"] = plain(texts.text("move.do", number=len(moving)), 24)
    return view


def _listed(cases: Sequence[Case], slack: SlackContext) -> list[Block]:
    now = slack.store.now()
    rows = [case_row(case, slack.texts, now) for case in cases]
    starts = range(0, len(rows), _ROWS_OF_A_SECTION)
    return [section("\n".join(rows[start : start + _ROWS_OF_A_SECTION])) for start in starts]
