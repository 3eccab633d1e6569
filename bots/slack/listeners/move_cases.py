"""Acts on many complaints: a list goes to another person, or all its complainants get one text.

Both are chosen in one form and previewed, then done by the job `move` or `bulk_inform`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
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
from bots.slack.listeners.forms import TAKE_BACK_SECONDS
from bots.slack.listeners.incidents import previewed_batch
from bots.slack.listeners.letter_check import check_texts_to_all
from bots.slack.payloads import ButtonPress, FormSubmission, SlashCommand
from bots.slack.responses import OpenView, PrivateNotice, Response, push_view, update_view
from bots.slack.router import Router
from bots.slack.views.form_inputs import input_block, statement_of, values_of
from bots.slack.views.forms import View, metadata, modal, notice_view
from bots.slack.views.home import case_row
from bots.slack.views.incident import as_deliveries, incident_headline, left_to_person, taken_back_text
from bots.slack.views.letter_warnings import codes_of, warning_lines
from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor, may_own
from complaints.batches.batch import SAME_LETTER, Audience, Batch, audience_of, bulk_left_out
from complaints.case import Case
from complaints.errors import BadFacts, ComplaintError, OutOfOrder
from complaints.event_facts import HELD, OVERRULED
from complaints.forms import Field, Input, choice
from complaints.rulebook import categories_of
from complaints.times import format_time, last_day
from complaints.vocabulary import Verb
from store.cases.batches import load_batch, save_batch
from store.cases.staff_letters import list_informed, take_back_one_of_many
from store.incidents import list_all_incident_cases, list_open_incidents
from store.people.staff import list_members, load_member
from store.record.worklists import Worklist, WorklistSection, list_by_code, load_worklist
from store.rulebooks import load_current_rulebook, load_current_rulebooks

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
    stated = statement_of(submission.view)
    return push_view(await _inform_preview_view(slack, values, words, actor, stated))


@router.view(PREVIEW, INFORM)
async def do_previewed(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Schedule the act for exactly the complaints that were counted."""
    authorise(None, Access.HAND_OVER, actor)
    batch = await previewed_batch(submission, actor, slack)
    at = format_time(batch.previewed_at)
    facts = {"batch": batch.id, "by": actor.id, "refs": list(batch.refs), "at": at, **batch.facts}
    if submission.form == INFORM:
        text = slack.texts.count("bulk.under_way", len(batch.refs))
        facts |= {HELD: TAKE_BACK_SECONDS, OVERRULED: list(batch.overruled)}
        await _offer_take_back(batch, slack)
        await slack.schedule(f"bulk_inform:{batch.id}", "bulk_inform", facts, payload=batch.words)
    else:
        text = slack.texts.count("move.under_way", len(batch.refs))
        await slack.schedule(f"move:{batch.id}", "move", facts)
    return update_view(notice_view(text, slack.texts))


async def _offer_take_back(batch: Batch, slack: SlackContext) -> None:
    """Sent before the letters are recorded: the first of many leave while the last are still being recorded."""
    texts = slack.texts
    text = texts.count("bulk.take_back", len(batch.refs), seconds=TAKE_BACK_SECONDS)
    press = button(texts.text("verb.take_back"), "bulk.take_back", batch.id)
    payload = {"member": batch.by, "text": text, "blocks": [section(text), actions("take_back", [press])]}
    await slack.schedule(f"take_back:{batch.id}", "message", payload=payload)


@router.action("bulk.take_back")
async def take_back_bulk(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Take back all letters of a text to many that have not left."""
    batch = await slack.store.aread(load_batch, press.value, INFORM)
    if batch is None or batch.by != actor.id:
        raise OutOfOrder("These letters were sent long ago: write again.", code="already_sent")
    taken_back = too_late = 0
    for ref in batch.refs:
        try:
            taken_back += await slack.store.awrite(
                take_back_one_of_many, ref, batch.id, f"bulk_inform:{batch.id}", actor
            )
        except ComplaintError:
            too_late += 1
    return PrivateNotice(taken_back_text(taken_back, too_late, slack.texts))


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
        (Field("text", Input.TEXT, sealed=True, reader="complainant"), "bulk.text", None, None),
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


async def _pages(
    slack: SlackContext, chosen: str, source: str | None, actor: Actor
) -> AsyncIterator[Worklist]:
    """The complaints of a list that this person may know of."""
    name, _, value = chosen.partition(":")
    if name == "incident":
        of_incident = await slack.store.aread(list_all_incident_cases, int(value))
        cases = tuple(case for case in of_incident if case.is_open and is_allowed(case, Access.KNOW, actor))
        yield Worklist(cases, len(cases))
        return
    load = partial(list_by_code, column=name, value=value)
    if name != "category":
        load = partial(load_worklist, section=WorklistSection(name), owner=source)
    offset, more = 0, 1
    while more:
        page = await slack.store.aread(load, by=actor, offset=offset, limit=MAX_MOVED)
        yield page
        offset, more = offset + MAX_MOVED, page.more


async def _first_of_list(
    slack: SlackContext,
    chosen: str,
    source: str | None,
    actor: Actor,
    divide: Callable[[Sequence[Case]], Awaitable[Audience]],
) -> tuple[Audience, int]:
    """The first complaints that `divide` does not leave out, those left out so far, and how many more are listed."""
    to: list[Case] = []
    left_out: list[tuple[Case, str]] = []
    more = 0
    async for page in _pages(slack, chosen, source, actor):
        audience = await divide(page.cases)
        to += audience.to
        left_out += audience.left_out
        more = page.more + len(to[MAX_MOVED:])
        if len(to) >= MAX_MOVED:
            break
    return Audience(tuple(to[:MAX_MOVED]), tuple(left_out)), more


async def _inform_preview_view(
    slack: SlackContext, values: Mapping[str, Any], words: str, actor: Actor, stated: Mapping[str, Any]
) -> View:
    """How many get the text, who is left to a person and why, and three letters as they will be read."""
    store, texts, now = slack.store, slack.texts, slack.store.now()
    language = str(values["language"])

    async def divide(cases: Sequence[Case]) -> Audience:
        refs = [case.ref for case in cases]
        informed = await store.aread(list_informed, refs, words, now - SAME_LETTER)
        why = partial(bulk_left_out, language=language, previewed_at=now, informed=informed)
        return audience_of(cases, actor, why)

    audience, more = await _first_of_list(slack, str(values["list"]), values.get("from"), actor, divide)
    left_out = left_to_person(as_deliveries(audience), texts, "register.no_letter")
    if not audience.to:
        view = notice_view(texts.text("bulk.nobody"), texts, title="bulk.title", level="warning")
        return {**view, "blocks": [*view["blocks"], *left_out]}
    warned = await check_texts_to_all(slack, stated, {f"text.{language}": words}, audience.to[0], actor)
    blocks = [
        *alerts(warning_lines(warned, texts)),
        section(texts.count("incident.reaches", len(audience.to))),
    ]
    blocks += left_out
    if more:
        blocks.append(context(texts.count("bulk.more", more)))
    for case in audience.samples:
        letter = slack.preview("reply", case, {"batch": "0"}, {"text": words}, now=now)
        blocks += [divider(), section(case_row(case, texts, now)), *plain_sections(letter)]
    batch = Batch(
        INFORM, actor.id, now, refs=tuple(case.ref for case in audience.to), facts={"language": language},
        words={"text": words}, overruled=codes_of(warned),
    )  # fmt: skip
    draft = await store.awrite(save_batch, batch)
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
    from_person = (source or actor.id) if chosen == WorklistSection.MINE else None
    if from_person == target:
        raise BadFacts("Source and recipient are the same.", code="owner_same", field="to")
    if not is_allowed(None, Verb.ASSESS, owner):
        raise BadFacts("This person cannot take complaints.", code="owner_no_handler", field="to")
    texts = slack.texts

    async def divide(cases: Sequence[Case]) -> Audience:
        others = [case for case in cases if case.owner != target]
        staying = [(case, "cannot_own") for case in others if not may_own(case, target)]
        return Audience(tuple(case for case in others if may_own(case, target)), tuple(staying))

    audience, more = await _first_of_list(slack, chosen, source, actor, divide)
    moving, staying = audience.to, [case for case, _ in audience.left_out]
    # A complaint whose owner is another one by then is not moved.
    owners = {case.ref: case.owner for case in moving}
    if not moving and not staying:
        return notice_view(texts.text("bulk.nothing"), texts)
    source_name = mention(from_person) if from_person else ""
    summary_id = "move.preview" if from_person else "move.preview_list"
    summary = texts.count(summary_id, len(moving), source=source_name, to=mention(target))
    blocks = [*await _absence_warning(target, slack), section(summary), *_listed(moving, slack)]
    if staying:
        blocks += [section(texts.count("move.staying", len(staying), to=mention(target)))]
        blocks += _listed(staying[:MAX_MOVED], slack)
    if more:
        blocks.append(context(texts.text("move.more", number=more)))
    facts = {"to": target, "source": source_name, "owners": owners}
    batch = Batch(CHOOSE, actor.id, slack.store.now(), refs=tuple(owners), facts=facts)
    draft = await slack.store.awrite(save_batch, batch)
    stored = metadata("", 0, draft=draft)
    view = modal(texts, PREVIEW, stored, blocks, title="move.title", close="preview.back")
    if moving:
        view["submit"] = plain(texts.text("move.do", number=len(moving)), 24)
    return view


async def _absence_warning(target: str, slack: SlackContext) -> list[Block]:
    """The last day of an absence that is under way, and who gets the reminders until then."""
    member, texts, now = await slack.store.aread(load_member, target), slack.texts, slack.store.now()
    running = [absence for absence in member.absences if absence.runs(now)] if member else []
    if member is None or not running:
        return []
    zone = (await slack.store.aread(load_current_rulebook)).calendar.zone
    deputy = mention(member.deputy) if member.deputy else texts.text("away.managers")
    day = texts.day(last_day(max(absence.until for absence in running), zone))
    return alerts(texts.text("move.away", who=mention(target), day=day, deputy=deputy))


def _listed(cases: Sequence[Case], slack: SlackContext) -> list[Block]:
    now = slack.store.now()
    rows = [case_row(case, slack.texts, now) for case in cases]
    starts = range(0, len(rows), _ROWS_OF_A_SECTION)
    return [section("\n".join(rows[start : start + _ROWS_OF_A_SECTION])) for start in starts]
