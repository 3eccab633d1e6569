"""Moving all complaints of one person to another: chosen, previewed, then done by the job `move`."""

import json
from collections.abc import Sequence

from bots.slack.client.block_kit import Block, context, mention, plain, section
from bots.slack.context import SlackContext
from bots.slack.listeners.commands import require_member
from bots.slack.payloads import ButtonPress, FormSubmission, SlashCommand
from bots.slack.responses import OpenView, Response, push_view, update_view
from bots.slack.router import Router
from bots.slack.views.form_inputs import VALUE, values_of
from bots.slack.views.forms import View, metadata, modal, notice_view
from bots.slack.views.home import case_row
from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor, may_own
from complaints.case import Case
from complaints.errors import BadFacts
from complaints.vocabulary import Verb
from store.people.staff import list_members
from store.record.worklists import WorklistSection, load_worklist

CHOOSE, PREVIEW = "move", "move_preview"
#: Complaints of one move: what a person can check in the preview, and what a view's metadata can hold.
MAX_MOVED = 100
#: Rows of one paragraph of the preview.
_ROWS_OF_A_SECTION = 25
router = Router()


@router.action("home.move")
async def open_from_home(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    authorise(None, Access.HAND_OVER, actor)
    return OpenView(choose_view(slack))


@router.command("move")
async def open_from_command(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Open the form with the person that the command names; the preview at once if it named both."""
    authorise(None, Access.HAND_OVER, actor)
    members = await slack.store.aread(list_members)
    words = [word for word in command.rest.split() if word.casefold() not in ("from", "to")]
    named = [require_member(word, members).id for word in words]
    if len(named) >= 2:
        return OpenView(await move_preview_view(slack, named[0], named[1], actor))
    return OpenView(choose_view(slack, named[0] if named else None))


@router.view(CHOOSE)
async def preview_move(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    values = values_of(submission.view["state"]["values"])
    return push_view(await move_preview_view(slack, str(values["from"]), str(values["to"]), actor))


@router.view(PREVIEW)
async def move_cases(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Schedule the move of exactly the complaints that were shown."""
    authorise(None, Access.HAND_OVER, actor)
    texts, stored = slack.texts, json.loads(submission.view["private_metadata"])
    facts = {name: stored[name] for name in ("source", "to", "batch", "refs")} | {"by": actor.id}
    await slack.schedule(f"move:{stored['batch']}", "move", facts)
    text = texts.count("move.under_way", len(stored["refs"]))
    return update_view(notice_view(text, texts))


def choose_view(slack: SlackContext, source: str | None = None) -> View:
    texts = slack.texts
    inputs: list[Block] = []
    for name, label_id, initial in (("from", "move.from", source), ("to", "move.to", None)):
        element: Block = {"type": "users_select", "action_id": VALUE}
        if initial is not None:
            element["initial_user"] = initial
        label = plain(texts.text(label_id))
        inputs.append({"type": "input", "block_id": name, "label": label, "element": element})
    blocks = [section(texts.text("move.hint")), *inputs]
    return modal(texts, CHOOSE, metadata("", 0), blocks, title="move.title", submit="modal.preview")


async def move_preview_view(slack: SlackContext, source: str, target: str, actor: Actor) -> View:
    """Which complaints move and which cannot; submitting moves exactly those shown."""
    authorise(None, Access.HAND_OVER, actor)
    owner = await slack.actor(target)
    if not is_allowed(None, Verb.ASSESS, owner) or source == target:
        raise BadFacts("This person cannot take complaints.", code="owner_no_handler", field="to")
    page = await slack.store.aread(load_worklist, WorklistSection.MINE, actor, owner=source, limit=MAX_MOVED)
    moving = [case for case in page.cases if may_own(case, target)]
    staying = [case for case in page.cases if not may_own(case, target)]
    texts = slack.texts
    if not moving and not staying:
        text = texts.text("move.nothing", who=mention(source))
        return notice_view(text, texts)
    summary = texts.count("move.preview", len(moving), source=mention(source), to=mention(target))
    blocks = [section(summary), *_listed(moving, slack)]
    if staying:
        blocks += [section(texts.count("move.staying", len(staying), to=mention(target)))]
        blocks += _listed(staying, slack)
    if page.more:
        blocks.append(context(texts.text("move.more", number=page.more)))
    batch = f"{source}:{target}:{slack.store.now():%Y%m%dT%H%M%S}"
    refs = [case.ref for case in moving]
    stored = metadata("", 0, source=source, to=target, batch=batch, refs=refs)
    view = modal(texts, PREVIEW, stored, blocks, title="move.title", close="preview.back")
    if moving:
        view["submit"] = plain(texts.text("move.do", number=len(moving)), 24)
    return view


def _listed(cases: Sequence[Case], slack: SlackContext) -> list[Block]:
    now = slack.store.now()
    rows = [case_row(case, slack.texts, now) for case in cases]
    starts = range(0, len(rows), _ROWS_OF_A_SECTION)
    return [section("\n".join(rows[start : start + _ROWS_OF_A_SECTION])) for start in starts]
