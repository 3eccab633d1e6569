"""Registers in Slack: lists from the home, entries, the acts on them, and reminders (docs/registers.md)."""

import json
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from bots.slack import recipients
from bots.slack.batches.change_letter import letter_view
from bots.slack.client.block_kit import SlackMessage, escaped
from bots.slack.context import SlackContext
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import (
    OpenView,
    Redraw,
    RedrawView,
    ReplaceView,
    Response,
    push_view,
    schedule_home,
    update_view,
)
from bots.slack.router import Router
from bots.slack.views.form_inputs import statement_of, values_of
from bots.slack.views.form_modals import View
from bots.slack.views.register_entries import (
    FORM,
    act_form,
    alert_message,
    effect_text,
    entry_view,
    list_view,
    reminder_message,
)
from complaints.actions.authorisation import Access, authorise, authorise_entry, may_act_on_entry
from complaints.actors import Actor
from complaints.errors import BadFacts
from complaints.registers.definitions import REGISTERS, Register, RegisterAct
from complaints.registers.entries import Entry, options_of, read_form, require_state, waiting_letter
from complaints.times import local_time
from store.cases.read import load_case
from store.improvements import check_effect
from store.outbox.complete import Completed, Outcome
from store.people.staff import list_members
from store.registers import act_on_entry, add_entry, list_entries, load_entry, visible_refs
from store.rulebooks import load_current_rulebook, load_current_rulebooks
from store.values import Obligation

router = Router()


@router.action("home.register")
async def open_register(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    register = _register(press.value)
    async with slack.refusals_recorded(None, f"register {register.name}", actor):
        authorise_entry(None, register, actor)
    return OpenView(
        list_view(register, await slack.store.aread(list_entries, register.name), actor, slack.texts)
    )


@router.action("register.open")
async def open_entry(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    return OpenView(await _entry_view(slack, await slack.store.aread(load_entry, press.value), actor))


@router.action(re.compile(r"^register\.new\."))
async def begin_entry(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    register = _register(press.ref)
    return OpenView(await _form(slack, register, None, press.detail, actor))


@router.action("case.improvement")
async def begin_improvement(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """The form of an improvement action, with what the complaint says in codes; its words stay with the complaint."""
    case = await slack.store.aread(load_case, press.ref)
    async with slack.refusals_recorded(case.ref, "improvement", actor):
        authorise(case, Access.KNOW, actor)
    register = REGISTERS["improvement"]
    act = "add" if may_act_on_entry(None, register.acts["add"], actor) else "suggest"
    initial = {"source": "case", "refs": [case.ref], "category": case.category, "owner": case.owner}
    return OpenView(await _form(slack, register, None, act, actor, initial))


@router.action(re.compile(r"^register\.act\."))
async def act_from_button(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """An act without a form is done at once; any other opens its form."""
    entry = await slack.store.aread(load_entry, press.ref)
    act = _act(entry.register, press.detail)
    if act.fields:
        form = await _form(slack, entry.register, entry, act.name, actor)
        # In place of the entry: Slack stacks three views, and the list is the first and a preview the third.
        return ReplaceView(form) if press.in_modal else OpenView(form)
    version = press.metadata.version or None
    await slack.store.awrite(act_on_entry, entry.code, act.name, actor, version=version, key=press.key)
    if not press.in_modal:
        return Redraw()

    async def draw() -> View:
        return await _entry_view(slack, await slack.store.aread(load_entry, entry.code), actor)

    return RedrawView(draw)


@router.view(FORM)
async def save_act(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    view, store = submission.view, slack.store
    stored = json.loads(view["private_metadata"])
    begins = stored["ref"].endswith(":")
    entry = None if begins else await store.aread(load_entry, stored["ref"])
    register = _register(stored["ref"].rstrip(":")) if entry is None else entry.register
    act = _act(register, stored["act"])
    rules = await store.aread(load_current_rulebooks)
    values = values_of(view["state"]["values"])
    facts, words = read_form(
        act, values, rules.languages, options_of(rules.own, () if entry is None else entry.refs)
    )
    if act.name == "propose_letter" and entry is not None:
        authorise_entry(entry, act, actor)
        require_state(entry, act)
        return push_view(await letter_view(slack, entry, words, actor, statement_of(view)))
    key = f"slack:{view['id']}:{stored['ref']}:{stored['version']}"
    if entry is None:
        saved = await store.awrite(add_entry, register.name, act.name, actor, facts, words, key=key)
    else:
        saved = await store.awrite(
            act_on_entry, entry.code, act.name, actor, facts, words, version=stored["version"], key=key
        )
    await schedule_home(slack, f"{key}:{saved.version}", actor.id)
    return update_view(await _entry_view(slack, saved, actor))


async def _form(
    slack: SlackContext,
    register: Register,
    entry: Entry | None,
    name: str,
    actor: Actor,
    initial: Mapping[str, Any] | None = None,
) -> View:
    act = _act(register, name)
    async with slack.refusals_recorded(None, f"register {register.name} {act.name}", actor):
        authorise_entry(entry, act, actor)
    require_state(entry, act)
    rules = await slack.store.aread(load_current_rulebooks)
    visible = () if entry is None else await slack.store.aread(visible_refs, entry, actor)
    return act_form(register, act, entry, rules.own, rules.languages, slack.texts, initial, visible)


async def _entry_view(slack: SlackContext, entry: Entry, actor: Actor) -> View:
    async with slack.refusals_recorded(None, f"register {entry.register.name}", actor):
        authorise_entry(entry, entry.register, actor)
    visible = await slack.store.aread(visible_refs, entry, actor)
    notes = await _notes(slack, entry)
    zone = (await slack.store.aread(load_current_rulebooks)).own.calendar.zone
    return entry_view(entry, visible, actor, slack.texts, zone=zone, notes=notes)


async def _notes(slack: SlackContext, entry: Entry) -> list[str]:
    """Lines of one register: how many have read a policy, and the last value of an objective."""
    if entry.register.name == "policy" and entry.state == "in_force":
        members = {member.id for member in await slack.store.aread(list_members)}
        number = len(entry.readers & members)
        return [slack.texts.text("register.attested", number=number, total=len(members))]
    if entry.register.name == "objective" and "value" in entry.facts:
        facts = entry.facts
        value = "–" if facts["value"] is None else slack.texts.percent(facts["value"])
        return [slack.texts.text("register.measured", value=value, number=facts["number"])]
    return []


def _register(name: str) -> Register:
    if name not in REGISTERS:
        raise BadFacts.worded("form_expired:register")
    return REGISTERS[name]


def _act(register: Register, name: str) -> RegisterAct:
    if name not in register.acts:
        raise BadFacts.worded("form_expired:register_act")
    return register.acts[name]


class RegisterJobs:
    def __init__(self, direct: DirectMessageJobs) -> None:
        self.direct = direct
        self.slack = direct.slack

    async def remind(self, obligation: Obligation) -> Outcome:
        """While the entry is open with this due day: the owner; without an owner, those who may accept it.

        For an owner who is away or has left, the deputy gets it, or the managers.
        """
        store, texts = self.slack.store, self.slack.texts
        entry = await store.aread(load_entry, str(obligation.facts["code"]))
        due = date.fromisoformat(str(obligation.facts["due"]))
        if not entry.is_open or entry.due != due:
            return Completed()
        zone = (await store.aread(load_current_rulebook)).calendar.zone
        is_late = due < local_time(store.now(), zone).date()
        message = reminder_message(
            entry, "register.overdue" if is_late else "register.reminder", texts, day=texts.day(due)
        )
        if entry.owner is None:
            people = await self._people(entry, "accept", "") if "accept" in entry.register.acts else []
            return await self.direct.send(people, message, obligation)
        members, now = await store.aread(list_members), store.now()
        present = {member.id for member in recipients.present_members(members, now)}
        people = [entry.owner]
        if entry.owner not in present:
            people = recipients.substitutes(entry.owner, members, now)
        return await self.direct.send(people, message, obligation)

    async def check(self, obligation: Obligation) -> Outcome:
        """Count the complaints before and after the change, record the result and inform the owner."""
        about = obligation.facts
        entry = await self.slack.store.awrite(check_effect, str(about["code"]), int(about["version"]))
        if entry is None or entry.owner is None:
            return Completed()
        text = effect_text(entry, self.slack.texts)
        message = reminder_message(entry, "register.checked", self.slack.texts, effect=text)
        return await self.direct.send([entry.owner], message, obligation)

    async def notify(self, obligation: Obligation) -> Outcome:
        """Show an act to the people who approve or answer it, or to the person that it praises."""
        texts, version = self.slack.texts, int(obligation.facts["version"])
        entry = await self.slack.store.aread(load_entry, str(obligation.facts["code"]))
        done = entry.acts[version - 1]
        if done.act == "passed_on":
            text = f"{texts.text('register.praised')}\n{escaped(done.words['text'], 2500)}"
            return await self.direct.send([str(entry.owner)], SlackMessage(text, []), obligation)
        if entry.state == "answered" or (done.act == "propose_letter" and waiting_letter(entry) != done):
            return Completed()
        if done.act == "propose_letter":
            people = await self._people(entry, "approve_letter", done.by)
            message = reminder_message(entry, "register.approval", texts, number=len(done.facts["to"]))
        else:
            people = await self._people(entry, "answer", done.by)
            message = alert_message(entry, texts)
        return await self.direct.send(people, message, obligation)

    async def _people(self, entry: Entry, name: str, author: str) -> list[str]:
        """Everybody who may do this act, without the person whose act leads to it."""
        members, act = await self.slack.store.aread(list_members), entry.register.acts[name]
        return [
            member.id
            for member in members
            if member.id != author and may_act_on_entry(entry, act, recipients.member_actor(member))
        ]
