"""What a caller may be told of a complaint, once they are known: where it stands, by when we answer (4.7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncAck

from bots.slack import refusals
from bots.slack.blocks import actions, button, plain, section
from bots.slack.desk import Desk
from bots.slack.entering import admit
from bots.slack.inputs import VALUE, values_of
from bots.slack.modals import View, metadata, notice_view, with_notice
from bots.slack.press import read_meta
from bots.slack.telling import unexpected
from bots.slack.voice import Voice
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import ComplaintError, NotAllowed
from complaints.permissions import READERS
from complaints.vocabulary import Role, State, Target
from store.people.identity import load_case_for_caller

CALLBACK = "stage"
FIELD = "proof"
#: What we promised outside, the nearest told.
_PROMISED = frozenset({Target.DECIDE, Target.REMEDY, Target.LAPSE})


def only_the_stage(by: Actor) -> bool:
    """Whoever takes calls hears where a complaint stands, and nothing of what was said."""
    return by.has(Role.INTAKE) and not by.roles & READERS


def ask_view(ref: str, voice: Voice) -> View:
    """Asks what the caller gave beside the reference."""
    return {
        "type": "modal",
        "callback_id": CALLBACK,
        "private_metadata": metadata(ref, 0),
        "title": plain(voice.say("stage.title"), 24),
        "submit": plain(voice.say("stage.check"), 24),
        "close": plain(voice.say("modal.cancel"), 24),
        "blocks": [
            section(voice.say("stage.ask", ref=ref)),
            {
                "type": "input",
                "block_id": FIELD,
                "label": plain(voice.say("stage.proof"), 2000),
                "element": {"type": "plain_text_input", "action_id": VALUE, "max_length": 200},
                "optional": False,
            },
        ],
    }


def stage_view(case: Case, voice: Voice) -> View:
    """The stage in plain words and the next promised date; a note may be added."""
    view = notice_view(voice.say("stage.title"), stage_words(case, voice), voice, ref=case.ref)
    row = actions(f"actions:{case.work_version}.0", [button(voice.say("verb.note"), "case.note", case.ref)])
    return {**view, "blocks": [*view["blocks"], row]}


def stage_words(case: Case, voice: Voice) -> str:
    """Reference, when it came, where it stands and by when they hear; no word of what was said."""
    zone = case.rules.calendar.zone
    live = [one for one in case.current_targets() if one.met_at is None and one.target in _PROMISED]
    following = min(live, key=lambda one: one.promised_due, default=None)
    by = voice.say("stage.nothing")
    if following is not None and case.state is not State.CLOSED:
        target = voice.say(f"target.{following.target.value}")
        by = voice.say("stage.by", target=target, when=voice.by(following.promised_due, zone))
    return voice.say(
        "stage.told",
        ref=case.ref,
        received=voice.moment(case.received_at, zone),
        state=voice.say(f"state.{case.state.value}"),
        by=by,
    )


class Stage:
    """The listener of the question."""

    def __init__(self, desk: Desk, own_team: str | None) -> None:
        self.desk = desk
        self.own_team = own_team

    async def submitted(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Shown only to whoever gave what is on file; every try is on the record."""
        view, voice, desk = body["view"], self.desk.voice, self.desk
        ref = read_meta(view).ref
        try:
            by = str(body["user"]["id"])
            actor = await admit(desk, body, self.own_team, by, what=CALLBACK, ref=ref)
            given = str(values_of(view["state"]["values"]).get(FIELD) or "")
            case = await desk.store.awrite(load_case_for_caller, ref, actor, given)
            answer: dict[str, Any] = {"response_action": "update", "view": stage_view(case, voice)}
        except NotAllowed as refused:
            told = {FIELD: refusals.words(refused, voice)}
            answer = {"response_action": "errors", "errors": told}
        except ComplaintError as refused:
            shown = with_notice(view, refusals.words(refused, voice))
            answer = {"response_action": "update", "view": shown}
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected(f"stage of {ref}", failure)
            shown = with_notice(view, voice.say("refused.unexpected"))
            answer = {"response_action": "update", "view": shown}
        await ack(**answer)
