"""The buttons of a complaint and of the app's home: an act that needs no form is done, any other opens its form."""

import json
import re

from bots.slack.client.block_kit import actions, button, header, section
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress, HomeOpened, read_metadata
from bots.slack.responses import (
    Acknowledged,
    OpenView,
    PrivateNotice,
    PublishHome,
    Redraw,
    RedrawView,
    ReplaceView,
    Response,
)
from bots.slack.router import Router
from bots.slack.views.form_modals import View, notice_view, opened_from_home, with_matters, with_row
from bots.slack.views.form_pages import other_page, typed_values
from bots.slack.views.home import home_view
from bots.slack.views.open_form import explained_view, opened_view, require_form, view_for
from complaints.actions.authorisation import Access, authorise
from complaints.actions.registry import FORM_VERBS, form_of
from complaints.actors import Actor
from complaints.forms import FORMS, rows_in
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.bind import create_bind_code
from store.cases.read import load_case
from store.cases.staff_letters import take_back
from store.outbox.deliveries import list_failed_obligations
from store.outbox.failed import retry_failed
from store.record.worklists import WorklistSection
from store.values import RecordedAct

router = Router()


@router.action("case.take")
async def take(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    facts = {"owner": actor.id}
    await slack.store.awrite(
        act, press.ref, Verb.ASSIGN, actor, facts, {}, version=press.work_version, key=press.key
    )
    return Redraw()


@router.action("case.receipt")
async def confirm_receipt(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Say that one has seen a danger, or as top management a significant complaint."""
    facts = {"of": "executive"} if press.channel == slack.channels.executive else {}
    # Without a version: the person has seen it, even if the complaint changed since.
    await slack.store.awrite(act, press.ref, Verb.RECEIPT, actor, facts, {}, version=None, key=press.key)
    return Redraw()


@router.action("case.take_back")
async def take_back_letter(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Take back a letter that has not left yet, and offer to write another one."""
    recorded = await slack.store.awrite(take_back, press.ref, int(press.detail), actor, key=press.key)
    return _offer_again(recorded, "take_back.done", slack)


@router.action("case.withdraw_draft")
async def withdraw_draft(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """The author or the owner withdraws the decision that waits for a second person."""
    case = await slack.store.aread(load_case, press.ref)
    async with slack.refusals_recorded(press.ref, press.attempt, actor):
        require_form("withdraw_draft", case, actor)
    facts = {"seq": case.drafted.seq if case.drafted is not None else 0}
    recorded = await slack.store.awrite(
        act, press.ref, Verb.TAKE_BACK, actor, facts, {}, version=press.work_version, key=press.key
    )
    return _offer_again(recorded, "take_back.draft", slack)


def _offer_again(recorded: RecordedAct, text_id: str, slack: SlackContext) -> PrivateNotice:
    ref, verb, texts = recorded.case.ref, str(recorded.event.facts["letter"]), slack.texts
    form = form_of(verb)
    text = texts.text(text_id, ref=ref)
    again = actions("take_back", [button(texts.text(f"verb.{form}"), f"case.{form}", ref)])
    return PrivateNotice(text, [section(text), again])


@router.action("case.bind")
async def make_code(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Show a new code that connects a logged complaint to the complainant's chat (4.3).

    The code is stored nowhere in clear, so a second press makes another one.
    """
    texts = slack.texts
    case = await slack.store.aread(load_case, press.ref)
    async with slack.refusals_recorded(press.ref, "bind", actor):
        require_form("bind", case, actor)
    code, until = await slack.store.awrite(
        create_bind_code, press.ref, actor, version=press.work_version, key=press.key
    )
    explanation = texts.text("bind.told", until=texts.moment(until, case.rules.calendar.zone))
    view = notice_view(explanation, texts, title="verb.bind", ref=case.ref)
    return OpenView({**view, "blocks": [header(code), *view["blocks"]]})


@router.action("case.file")
async def send_file(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Send a file of the complaint to the direct messages of the person who pressed."""
    facts = {"ref": press.ref, "file": int(press.detail), "to": actor.id}
    await slack.schedule(f"slack_file:{press.key}", "slack_file", facts)
    return PrivateNotice(slack.texts.text("file.on_its_way"))


@router.action("open.previous", "open.next")
async def turn_page_of_case(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    return RedrawView(lambda: opened_view(slack, press.ref, actor, page=int(press.detail)))


@router.action(re.compile(r"^reason\."))
async def open_with_reason(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """The complaint, or the form that asked for the reason."""

    async def draw() -> View:
        form = press.detail if press.detail in FORM_VERBS else "open"
        view = await view_for(slack, form, press.ref, actor, reason=press.name)
        return opened_from_home(view) if press.metadata.from_home else view

    return RedrawView(draw)


@router.action("due.previous", "due.next")
async def turn_page_of_dates(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    return RedrawView(lambda: explained_view(slack, press.ref, actor, page=int(press.detail)))


@router.action(re.compile(r"^case\."))
async def open_form(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Open the complaint, its dates, or the form of an act."""
    view = await view_for(
        slack,
        press.name,
        press.ref,
        actor,
        work_version=press.work_version,
        suggested_link=press.suggested_link,
    )
    return OpenView(opened_from_home(view) if press.in_home else view)


@router.action("more")
async def add_row(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    view, group = _view(press), press.value
    changed = with_row(view, group)
    if changed is None:
        first_field = FORMS[str(view["callback_id"])].rows_of(group)[0]
        path = f"{group}.{await _next_row(slack, view, group)}.{first_field.name}"
        changed = await other_page(slack, view, actor, at=path, added={path: None})
    return ReplaceView(changed)


@router.action("matters")
async def take_matters(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    view = _view(press)
    matters = [(str(text), str(category)) for text, category in json.loads(press.value)]
    changed = with_matters(view, matters)
    if changed is None:
        first = await _next_row(slack, view, "issues")
        added: dict[str, str] = {}
        for row, (text, category) in enumerate(matters, start=first):
            added |= {f"issues.{row}.text": text, f"issues.{row}.category": category}
        changed = await other_page(slack, view, actor, at=f"issues.{first}.text", added=added)
    return ReplaceView(changed)


async def _next_row(slack: SlackContext, view: View, group: str) -> int:
    rows = rows_in(group, await typed_values(slack, view))
    return max([read_metadata(view).rows.get(group, 0) - 1, *rows]) + 1


@router.action("form.previous")
async def turn_form_back(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    return ReplaceView(await other_page(slack, _view(press), actor, page=press.metadata.page - 1))


@router.home
async def show_home(opened: HomeOpened, slack: SlackContext) -> Response:
    """Draw the home as the record is now; a person without a role reads that they have none."""
    if opened.tab != "home":
        return Acknowledged()
    return PublishHome(opened.member_id, await home_view(slack, opened.member_id))


@router.display_action(re.compile(r"^home\.page\.\d$"))
async def turn_page(press: ButtonPress, slack: SlackContext) -> Response:
    """A page of one list, or (`all:0`) all lists again."""
    section = None if press.ref == "all" else WorklistSection(press.ref)
    view = await home_view(slack, press.member_id, only=section, offset=int(press.detail))
    return PublishHome(press.member_id, view)


@router.action("outbox.retry")
async def retry_obligation(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Try a failed obligation again; only managers, and only what they may know of."""
    async with slack.refusals_recorded(None, press.attempt, actor):
        authorise(None, Access.MANAGE, actor)
    number = int(press.value)
    if number in {failed.number for failed in await slack.store.aread(list_failed_obligations, actor)}:
        await slack.store.awrite(retry_failed, number)
    return PublishHome(actor.id, await home_view(slack, actor.id))


def _view(press: ButtonPress) -> View:
    assert press.view is not None
    return dict(press.view)
