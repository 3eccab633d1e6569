"""Many complaints at once: a list goes to another person, or its complainants get one text.

Both are chosen in one form and previewed, then done by the job `move` or `bulk_inform`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

from bots.slack.batches.steps import (
    act_on_each,
    informed_text,
    left_to_person,
    letter_blocks,
    preview_view,
    previewed_batch,
    taken_back_text,
)
from bots.slack.client.block_kit import Block, context, mention, plain, section
from bots.slack.client.refused_blocks import alerts
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import (
    OpenView,
    PrivateNotice,
    Response,
    push_view,
    take_back_offer,
    update_view,
)
from bots.slack.router import Router
from bots.slack.views.form_inputs import input_blocks, statement_of, values_of
from bots.slack.views.form_modals import View, metadata, modal, notice_view
from bots.slack.views.home import case_row
from bots.slack.views.incident_inputs import incident_headline
from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor, may_own
from complaints.batch import SAME_LETTER, Audience, Batch, audience_of, bulk_left_out
from complaints.case import Case, Facts
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, OutOfOrder
from complaints.event_facts import HELD, OVERRULED, TAKE_BACK_SECONDS
from complaints.forms import DESK_FORMS
from complaints.rulebook import categories_of
from complaints.times import format_time, last_day, parse_time
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.batches import load_batch
from store.cases.read import load_case, load_history
from store.cases.staff_letters import list_informed, take_back_one_of_many
from store.incidents import list_all_incident_cases, list_open_incidents
from store.outbox.complete import Completed, Outcome
from store.people.staff import load_member
from store.record.worklists import Worklist, WorklistSection, list_by_code, load_worklist
from store.rulebooks import load_current_rulebook, load_current_rulebooks
from store.values import Obligation

MOVE, PREVIEW = "move", "move_preview"
#: Complaints of one act: what a person can check in the preview.
MAX_MOVED = 100
#: Rows of one paragraph of the preview, and of the message to the new owner; the others are only counted.
_ROWS = 25
INFORM = "bulk_inform"
#: The lists that are not those of a category or an incident.
LISTS = (WorklistSection.MINE, WorklistSection.UNASSIGNED, WorklistSection.OVERDUE, WorklistSection.OPEN)
router = Router()


@router.action("home.move")
async def open_from_home(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.HAND_OVER, actor)
    return OpenView(await choose_view(slack))


async def choose_view(slack: SlackContext, source: str | None = None) -> View:
    """Which complaints, and either who gets them or the text to their complainants."""
    texts, rules = slack.texts, await slack.store.aread(load_current_rulebooks)
    lists = [(part.value, texts.text(f"bulk.list_{part.value}")) for part in LISTS]
    incidents = await slack.store.aread(list_open_incidents)
    lists += [(f"incident:{incident.id}", incident_headline(incident, texts)) for incident in incidents]
    lists += [(f"category:{code}", texts.text(f"category.{code}")) for code in categories_of(rules.own)]
    languages = tuple((code, texts.language_name(code)) for code in rules.languages)
    initial = {"list": WorklistSection.MINE.value, "from": source, "language": texts.language}
    choices = {"list": tuple(lists), "language": languages}
    inputs = input_blocks(DESK_FORMS[MOVE].fields, texts, initial, choices)
    blocks = [section(texts.text("move.hint")), *inputs]
    return modal(texts, MOVE, metadata("", 0), blocks, title="bulk.title", submit="modal.preview")


@router.view(MOVE)
async def preview_bulk(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.HAND_OVER, actor)
    values = values_of(submission.view["state"]["values"])
    source, target, text = values.get("from"), values.get("to"), str(values.get("text") or "").strip()
    if bool(target) == bool(text):
        raise BadFacts.worded("bulk_one", field="to")
    if target:
        return push_view(await move_preview_view(slack, values["list"], source, str(target), actor))
    language = str(values["language"])
    batch = Batch(
        INFORM, actor.id, slack.store.now(), facts={"language": language}, words={f"text.{language}": text}
    )
    stated = statement_of(submission.view)
    return push_view(await _inform_preview_view(slack, batch, values["list"], source, actor, stated))


async def move_preview_view(
    slack: SlackContext, chosen: str, source: str | None, target: str, actor: Actor
) -> View:
    """Which complaints move and which cannot; submitting moves exactly those shown."""
    authorise(None, Access.HAND_OVER, actor)
    owner = await slack.actor(target)
    from_person = (source or actor.id) if chosen == WorklistSection.MINE else None
    if from_person == target:
        raise BadFacts.worded("owner_same", field="to")
    if not is_allowed(None, Verb.ASSESS, owner):
        raise BadFacts.worded("owner_no_handler:deputy", field="to")
    texts = slack.texts

    async def divide(cases: Sequence[Case]) -> Audience:
        others = [case for case in cases if case.owner != target]
        staying = [(case, "cannot_own") for case in others if not may_own(case, target)]
        return Audience(tuple(case for case in others if may_own(case, target)), tuple(staying))

    audience, more = await _first_of_list(slack, chosen, source, actor, divide)
    moving, staying = audience.to, [case for case, _ in audience.left_out]
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
    # A complaint whose owner is another one by then is not moved.
    owners = {case.ref: case.owner for case in moving}
    facts = {"to": target, "source": source_name, "owners": owners}
    batch = Batch(MOVE, actor.id, slack.store.now(), facts=facts)
    view = await preview_view(slack, batch, audience, actor, blocks, callback_id=PREVIEW, title="move.title")
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
    return [section("\n".join(rows[start : start + _ROWS])) for start in range(0, len(rows), _ROWS)]


async def _inform_preview_view(
    slack: SlackContext, batch: Batch, chosen: str, source: str | None, actor: Actor, stated: Facts
) -> View:
    """How many get the text, who is left to a person and why, and three letters as they will be read."""
    store, texts, now = slack.store, slack.texts, batch.previewed_at
    text = _text(batch)

    async def divide(cases: Sequence[Case]) -> Audience:
        refs = [case.ref for case in cases]
        informed = await store.aread(list_informed, refs, text, now - SAME_LETTER)
        language = batch.facts["language"]
        return audience_of(
            cases, actor, partial(bulk_left_out, language=language, previewed_at=now, informed=informed)
        )

    audience, more = await _first_of_list(slack, chosen, source, actor, divide)
    left_out = left_to_person(audience.reasons, texts, "register.no_letter")
    if not audience.to:
        view = notice_view(texts.text("bulk.nobody"), texts, title="bulk.title", level="warning")
        return {**view, "blocks": [*view["blocks"], *left_out]}
    letters = [(case_row(case, texts, now), _letter(slack, case, text)) for case in audience.samples]
    blocks = [section(texts.count("incident.reaches", len(audience.to))), *left_out]
    blocks += [context(texts.count("bulk.more", more))] if more else []
    blocks += letter_blocks(letters)
    return await preview_view(
        slack, batch, audience, actor, blocks, callback_id=INFORM, title="bulk.title", stated=stated
    )


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


@router.view(PREVIEW, INFORM)
async def do_previewed(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Schedule the act for exactly the complaints that were counted."""
    authorise(None, Access.HAND_OVER, actor)
    batch = await previewed_batch(submission, actor, slack)
    at = format_time(batch.previewed_at)
    facts = {"batch": batch.id, "by": actor.id, "refs": list(batch.refs), "at": at, **batch.facts}
    if submission.form == INFORM:
        text_id = "bulk.under_way"
        facts |= {HELD: TAKE_BACK_SECONDS, OVERRULED: list(batch.overruled)}
        await _offer_take_back(batch, slack)
        await slack.schedule(f"bulk_inform:{batch.id}", "bulk_inform", facts, payload={"text": _text(batch)})
    else:
        text_id = "move.under_way"
        await slack.schedule(f"move:{batch.id}", "move", facts)
    return update_view(notice_view(slack.texts.count(text_id, len(batch.refs)), slack.texts))


async def _offer_take_back(batch: Batch, slack: SlackContext) -> None:
    """Sent before the letters are recorded: the first of many leave while the last are still being recorded."""
    text = slack.texts.count("bulk.take_back", len(batch.refs), seconds=TAKE_BACK_SECONDS)
    offer = take_back_offer(text, "bulk.take_back", batch.id, slack.texts)
    payload = {"member": batch.by, "text": offer.text, "blocks": offer.blocks}
    await slack.schedule(f"take_back:{batch.id}", "message", payload=payload)


@router.action("bulk.take_back")
async def take_back_bulk(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Take back all letters of a text to many that have not left."""
    batch = await slack.store.aread(load_batch, press.value, INFORM)
    if batch is None or batch.by != actor.id:
        raise OutOfOrder.worded("already_sent:many")
    taken_back = too_late = 0
    for ref in batch.refs:
        try:
            taken_back += await slack.store.awrite(
                take_back_one_of_many, ref, batch.id, f"bulk_inform:{batch.id}", actor
            )
        except ComplaintError:
            too_late += 1
    return PrivateNotice(taken_back_text(taken_back, too_late, slack.texts))


async def move(slack: SlackContext, obligation: Obligation) -> Outcome:
    """`move:<batch>`: assign each complaint with the manager's rights at this moment.

    Repeated after a crash it skips the complaints that the new owner has already.
    """
    facts, store, texts = obligation.facts, slack.store, slack.texts
    actor, target = await slack.actor(str(facts["by"])), str(facts["to"])
    assignment = {"owner": target, "batch": str(facts["batch"])}

    async def assign(ref: str) -> str | None:
        case = await store.aread(load_case, ref)
        if case.owner != target:
            if case.owner != facts["owners"][ref]:
                return texts.text("move.changed")
            await store.awrite(act, ref, Verb.ASSIGN, actor, assignment, {}, key=obligation.key)
        return None

    moved, refused = await act_on_each(slack, map(str, facts["refs"]), assign)
    lines = [texts.text("move.done", number=len(moved), to=mention(target))]
    if refused:
        lines += [texts.text("move.refused", number=len(refused)), *refused]
    await _notify(slack, obligation, actor.id, "\n".join(lines))
    if moved and target != actor.id:
        # Empty for a list that is not one person's.
        source, rest = str(facts["source"]), len(moved) - _ROWS
        text_id = "move.told" if source else "move.told_list"
        cases = [await store.aread(load_case, ref) for ref in moved[:_ROWS]]
        lines = [texts.count(text_id, len(moved), who=mention(actor.id), source=source)]
        lines += [case_row(case, texts, store.now()) for case in cases]
        lines += [texts.text("move.rest", number=rest)] if rest > 0 else []
        await _notify(slack, obligation, target, "\n".join(lines))
    return Completed()


async def inform(slack: SlackContext, obligation: Obligation) -> Outcome:
    """`bulk_inform:<batch>`: record the text in each complaint; its letter follows from the event.

    Who is left to a person is checked again. Repeated after a crash it skips the complaints that have it.
    """
    facts, store, now = obligation.facts, slack.store, slack.store.now()
    actor, batch, text = (
        await slack.actor(str(facts["by"])),
        str(facts["batch"]),
        str(obligation.payload["text"]),
    )
    recorded = {"batch": batch, HELD: facts[HELD]}
    recorded |= {OVERRULED: facts[OVERRULED]} if facts[OVERRULED] else {}
    previewed_at = parse_time(str(facts["at"]))

    async def record(ref: str) -> str | None:
        case = await store.aread(load_case, ref)
        # Another preview of the same text may have been sent since.
        earlier = await store.aread(list_informed, [ref], text, now - SAME_LETTER, other_than=batch)
        why = bulk_left_out(case, str(facts["language"]), previewed_at, informed=earlier)
        if why is not None:
            return slack.texts.text(f"left_out.{why}")
        words = {"text": text, "letter": _letter(slack, case, text)}
        try:
            # At the version that was checked: a message in between leaves it to a person.
            await store.awrite(
                act, ref, Verb.INFORM, actor, recorded, words, version=case.work_version, key=obligation.key
            )
        except AlreadyDone:
            # After a crash; or its sender took back all before this one was recorded.
            history = await store.aread(load_history, ref)
            if all(event.facts.get("batch") != batch for event in history):
                raise
        return None

    done, refused = await act_on_each(slack, map(str, facts["refs"]), record)
    await _notify(slack, obligation, actor.id, informed_text(done, refused, slack.texts))
    return Completed()


async def _notify(slack: SlackContext, obligation: Obligation, member_id: str, text: str) -> None:
    """Inform this person once about the result of an act on many."""
    key = f"message:{obligation.key}:{member_id}"
    await slack.schedule(key, "message", payload={"member": member_id, "text": text})


def _text(batch: Batch) -> str:
    return batch.words[f"text.{batch.facts['language']}"]


def _letter(slack: SlackContext, case: Case, text: str) -> str:
    """The exact letter to this complainant."""
    return slack.preview("reply", case, {"batch": "0"}, {"text": text}, now=slack.store.now())
