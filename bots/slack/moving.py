"""Moving somebody's complaints to somebody else: shown first, then an act for each, told once to each person."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import lists, refusals
from bots.slack.blocks import Block, context, mention, plain, section
from bots.slack.calling import member_of
from bots.slack.desk import Desk
from bots.slack.entering import admit
from bots.slack.inputs import VALUE, values_of
from bots.slack.late import is_late, offer_again
from bots.slack.modals import View, metadata, notice_view
from bots.slack.posting import NETWORK, Poster
from bots.slack.press import Press
from bots.slack.telling import unexpected
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, ComplaintError, NotAllowed
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.permissions import is_excluded, judged_below
from complaints.vocabulary import Role, Verb
from store.cases.act import act
from store.cases.read import load_case
from store.outbox.outcomes import Completed, Outcome
from store.outbox.rows import insert_obligation
from store.people.staff import list_members
from store.record.worklists import WorklistSection, load_worklist
from store.values import Obligation

CHOOSE, PREVIEW = "move", "move_preview"
#: One move: what a person can look over before saying yes, and what a view's metadata can carry.
MOST = 100
_LINES = 25


async def move_view(desk: Desk, said: str, by: Actor) -> View:
    """The form, filled with whom the command named; the preview at once where it named both."""
    _must_manage(by)
    members = await desk.store.aread(list_members)
    named = []
    for word in said.split():
        if word.casefold() in ("from", "to"):
            continue
        found = member_of(word, members)
        if found is None:
            raise BadFacts("That is nobody of the staff.", code="nobody_of_staff")
        named.append(found.id)
    if len(named) >= 2:
        return await preview_view(desk, named[0], named[1], by)
    return choose_view(desk, named[0] if named else None)


def choose_view(desk: Desk, source: str | None = None) -> View:
    """From whom, to whom."""
    voice = desk.voice
    inputs: list[Block] = []
    for name, id_, initial in (("from", "move.from", source), ("to", "move.to", None)):
        element: Block = {"type": "users_select", "action_id": VALUE}
        if initial is not None:
            element["initial_user"] = initial
        label = plain(voice.say(id_))
        inputs.append({"type": "input", "block_id": name, "label": label, "element": element})
    return {
        "type": "modal",
        "callback_id": CHOOSE,
        "private_metadata": metadata("", 0),
        "title": plain(voice.say("move.title"), 24),
        "submit": plain(voice.say("modal.preview"), 24),
        "close": plain(voice.say("modal.cancel"), 24),
        "blocks": [section(voice.say("move.hint")), *inputs],
    }


async def preview_view(desk: Desk, source: str, to: str, by: Actor) -> View:
    """Which complaints move and which cannot; submitting moves exactly those shown."""
    _must_manage(by)
    owner = await desk.actor(to)
    if not owner.roles & ACTIONS[Verb.ASSESS].roles or source == to:
        raise BadFacts("This person cannot take complaints.", code="owner_no_handler", field="to")
    page = await desk.store.aread(load_worklist, WorklistSection.MINE, by, owner=source, limit=MOST)
    moving = [one for one in page.cases if not _stays(one, to)]
    staying = [one for one in page.cases if _stays(one, to)]
    voice = desk.voice
    if not moving and not staying:
        return notice_view(voice.say("modal.notice"), voice.say("move.nothing", who=mention(source)), voice)
    head = voice.count("move.preview", len(moving), source=mention(source), to=mention(to))
    blocks = [section(head), *_listed(moving, desk)]
    if staying:
        blocks += [section(voice.count("move.staying", len(staying), to=mention(to)))]
        blocks += _listed(staying, desk)
    if page.more:
        blocks.append(context(voice.say("move.more", number=page.more)))
    batch = f"{source}:{to}:{desk.store.now():%Y%m%dT%H%M%S}"
    refs = [one.ref for one in moving]
    view: View = {
        "type": "modal",
        "callback_id": PREVIEW,
        "private_metadata": metadata("", 0, source=source, to=to, batch=batch, refs=refs),
        "title": plain(voice.say("move.title"), 24),
        "close": plain(voice.say("preview.back"), 24),
        "blocks": blocks,
    }
    if moving:
        view["submit"] = plain(voice.say("move.do", number=len(moving)), 24)
    return view


def _stays(case: Case, to: str) -> bool:
    return is_excluded(case, to) or judged_below(case, to)


def _listed(cases: Sequence[Case], desk: Desk) -> list[Block]:
    now = desk.store.now()
    rows = [lists.row(one, desk.voice, now) for one in cases]
    return [section("\n".join(rows[at : at + _LINES])) for at in range(0, len(rows), _LINES)]


def _must_manage(by: Actor) -> None:
    if not by.has(Role.MANAGER, Role.TOP_MANAGEMENT):
        raise NotAllowed("Only a manager moves complaints: ask one.", code="not_allowed.assign")


class Moving:
    """The listeners of the two views and of the home's button."""

    def __init__(self, desk: Desk, client: AsyncWebClient, own_team: str | None) -> None:
        self.desk = desk
        self.client = client
        self.own_team = own_team

    async def pressed(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """`home.move`: the form."""
        await ack()
        voice = self.desk.voice
        try:
            by = await admit(self.desk, body, self.own_team, str(body["user"]["id"]), what="move")
            view = await move_view(self.desk, "", by)
        except ComplaintError as refused:
            view = notice_view(voice.say("modal.notice"), refusals.words(refused, voice), voice)
        try:
            await self.client.views_open(trigger_id=str(body["trigger_id"]), view=view)
        except (SlackApiError, *NETWORK) as failure:
            unexpected("move", failure)
            if is_late(failure):
                press = Press("move", "", str(body["user"]["id"]), str(body["trigger_id"]))
                await offer_again(self.desk, press, "home.move", "move")

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """The form leads to the preview; the preview is owed before it is acknowledged."""
        view, voice = body["view"], self.desk.voice
        try:
            by = await admit(self.desk, body, self.own_team, str(body["user"]["id"]), what="move")
            if view["callback_id"] == CHOOSE:
                given = values_of(view["state"]["values"])
                shown = await preview_view(self.desk, str(given["from"]), str(given["to"]), by)
                await ack(response_action="push", view=shown)
                return
            _must_manage(by)
            text = await self._owe(view, by)
        except BadFacts as wrong:
            field = wrong.field or "to"
            await ack(response_action="errors", errors={field: refusals.words(wrong, voice)})
            return
        except ComplaintError as refused:
            text = refusals.words(refused, voice)
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected("move", failure)
            text = voice.say("refused.unexpected")
        await ack(response_action="update", view=notice_view(voice.say("modal.notice"), text, voice))

    async def _owe(self, view: Mapping[str, Any], by: Actor) -> str:
        told = json.loads(view["private_metadata"])
        facts = {name: told[name] for name in ("source", "to", "batch", "refs")} | {"by": by.id}
        owed = NewObligation(
            f"move:{told['batch']}", "move", self.desk.store.now(), SendPriority.DIALOGUE, facts
        )
        await self.desk.store.awrite(insert_obligation, owed, None, None, {})
        return self.desk.voice.count("move.under_way", len(told["refs"]))


class Moves:
    """Performs `move`: one act for each complaint, each with the mover's rights at this moment."""

    def __init__(self, poster: Poster) -> None:
        self.desk = poster.desk

    async def move(self, owed: Obligation) -> Outcome:
        """`move:<batch>`; done again after a kill it finds what was moved and goes on."""
        facts, desk, voice = owed.facts, self.desk, self.desk.voice
        by, to = await desk.actor(str(facts["by"])), str(facts["to"])
        moved: list[str] = []
        refused: list[str] = []
        for ref in facts["refs"]:
            why = await self._one(str(ref), by, facts)
            if why is None:
                moved.append(str(ref))
            else:
                refused.append(f"{ref}: {why}")
        lines = [voice.say("move.done", number=len(moved), to=mention(to))]
        if refused:
            lines += [voice.say("move.refused", number=len(refused)), *refused]
        await self._tell(owed, by.id, "\n".join(lines))
        if moved and to != by.id:
            text = voice.count("move.told", len(moved), who=mention(by.id), source=mention(facts["source"]))
            await self._tell(owed, to, "\n".join([text, *await self._rows(moved)]))
        return Completed()

    async def _one(self, ref: str, by: Actor, facts: Mapping[str, Any]) -> str | None:
        """None when the new owner has it; else why not, in words."""
        desk, to = self.desk, str(facts["to"])
        try:
            case = await desk.store.aread(load_case, ref)
            if case.owner == to:
                return None
            if case.owner != facts["source"]:
                return desk.voice.say("move.changed")
            told = {"owner": to, "batch": str(facts["batch"])}
            await desk.store.awrite(act, ref, Verb.ASSIGN, by, told, {}, key=f"move:{facts['batch']}")
        except ComplaintError as refused:
            return refusals.words(refused, desk.voice)
        return None

    async def _rows(self, refs: Sequence[str]) -> list[str]:
        now = self.desk.store.now()
        cases = [await self.desk.store.aread(load_case, ref) for ref in refs[:_LINES]]
        rest = len(refs) - len(cases)
        rows = [lists.row(one, self.desk.voice, now) for one in cases]
        return [*rows, self.desk.voice.say("move.rest", number=rest)] if rest else rows

    async def _tell(self, owed: Obligation, member: str, text: str) -> None:
        key = f"message:{owed.key}:{member}"
        message = NewObligation(key, "message", self.desk.store.now(), SendPriority.DIALOGUE)
        await self.desk.store.awrite(insert_obligation, message, None, None, {"member": member, "text": text})
