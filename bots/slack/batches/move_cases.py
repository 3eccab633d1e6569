"""A list of complaints goes to another person: which complaints, the preview, and the job."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial

from bots.slack.batches.steps import act_on_each, batch_view
from bots.slack.client.block_kit import Block, context, mention, plain, section
from bots.slack.client.new_blocks import alerts
from bots.slack.context import SlackContext
from bots.slack.views.forms import View, notice_view
from bots.slack.views.home import case_row
from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor, may_own
from complaints.batches.batch import Audience, Batch
from complaints.case import Case
from complaints.errors import BadFacts
from complaints.times import last_day
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case
from store.incidents import list_all_incident_cases
from store.outbox.complete import Completed, Outcome
from store.people.staff import load_member
from store.record.worklists import Worklist, WorklistSection, list_by_code, load_worklist
from store.rulebooks import load_current_rulebook
from store.values import Obligation

MOVE, PREVIEW = "move", "move_preview"
#: Complaints of one act: what a person can check in the preview.
MAX_MOVED = 100
#: Rows of one paragraph of the preview, and of the message to the new owner; the others are only counted.
_ROWS = 25


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

    audience, more = await first_of_list(slack, chosen, source, actor, divide)
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
    view = await batch_view(slack, batch, audience, blocks, callback_id=PREVIEW, title="move.title")
    if moving:
        view["submit"] = plain(texts.text("move.do", number=len(moving)), 24)
    return view


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
    await notify(slack, obligation, actor.id, "\n".join(lines))
    if moved and target != actor.id:
        # Empty for a list that is not one person's.
        source, rest = str(facts["source"]), len(moved) - _ROWS
        text_id = "move.told" if source else "move.told_list"
        cases = [await store.aread(load_case, ref) for ref in moved[:_ROWS]]
        lines = [texts.count(text_id, len(moved), who=mention(actor.id), source=source)]
        lines += [case_row(case, texts, store.now()) for case in cases]
        lines += [texts.text("move.rest", number=rest)] if rest > 0 else []
        await notify(slack, obligation, target, "\n".join(lines))
    return Completed()


async def notify(slack: SlackContext, obligation: Obligation, member_id: str, text: str) -> None:
    """Inform this person once about the result of an act on many."""
    key = f"message:{obligation.key}:{member_id}"
    await slack.schedule(key, "message", payload={"member": member_id, "text": text})


async def first_of_list(
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
