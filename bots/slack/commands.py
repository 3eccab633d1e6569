"""`/complaints …`: one word, answered privately; what opens a view or takes longer says so by coming later."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from slack_bolt.async_app import AsyncAck
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack import lists, refusals
from bots.slack.absence import away, back
from bots.slack.blocks import Block, escaped
from bots.slack.desk import Desk
from bots.slack.entering import admit
from bots.slack.late import is_late
from bots.slack.modals import View
from bots.slack.moving import move_view
from bots.slack.opening import view_for
from bots.slack.policy import policy
from bots.slack.reporting import owe_clauses, owe_report, owe_stats
from bots.slack.searching import search
from bots.slack.stage import ask_view, only_the_stage
from bots.slack.taking_down import TakingDown
from bots.slack.telling import unexpected
from complaints.actors import Actor
from complaints.errors import ComplaintError
from complaints.references import parse_reference
from store.record.worklists import WorklistSection
from store.rulebooks import load_current_rulebooks


@dataclass(frozen=True)
class Asked:
    """What stands behind the command's name: `rest` are the words after the first; who, where, until when."""

    rest: str
    by: Actor
    trigger: str
    channel: str
    now: datetime


@dataclass(frozen=True)
class Answer:
    """Said at once and privately; nothing where a view opened instead."""

    text: str = ""
    blocks: list[Block] = field(default_factory=list)


#: Words that are answered by a text; the others answer with more.
_SAID: Mapping[str, Callable[[Desk, Asked], Awaitable[str]]] = {
    "search": lambda desk, asked: search(desk, asked.rest, asked.by),
    "stats": lambda desk, asked: owe_stats(desk, asked.trigger, asked.by, asked.channel),
    "report": lambda desk, asked: owe_report(desk, asked.trigger, asked.rest, asked.by),
    "clauses": lambda desk, asked: owe_clauses(desk, asked.trigger, asked.by, asked.channel),
    "away": lambda desk, asked: away(desk, asked.rest, asked.by),
    "back": lambda desk, asked: back(desk, asked.rest, asked.by),
}


#: Every word that we know.
WORDS = frozenset({*_SAID, "help", "list", "mine", "show", "log", "policy", "move"})


class Commands:
    """The listener of the slash command."""

    def __init__(self, desk: Desk, client: AsyncWebClient, own_team: str | None) -> None:
        self.desk = desk
        self.client = client
        self.own_team = own_team
        self.taking_down = TakingDown(desk, client, own_team)

    async def ran(self, ack: AsyncAck, body: Mapping[str, Any]) -> None:
        """Answered privately in the acknowledgement; what takes longer is owed before it."""
        voice = self.desk.voice
        word, _, rest = str(body.get("text") or "help").strip().partition(" ")
        # What is no word of ours may be somebody's name or number: neither a log nor an attempt holds it.
        what = f"command {word.lower() if word.lower() in WORDS else 'unknown'}"
        try:
            actor = await admit(self.desk, body, self.own_team, str(body["user_id"]), what=what)
            trigger, channel = str(body["trigger_id"]), str(body.get("channel_id") or "")
            asked = Asked(rest.strip(), actor, trigger, channel, self.desk.store.now())
            answer = await self._answer(word.lower(), asked)
        except ComplaintError as refused:
            answer = Answer(refusals.words(refused, voice))
        except SlackApiError as failure:
            unexpected(what, failure)
            answer = Answer(voice.say("late.command" if is_late(failure) else "refused.unexpected"))
        except Exception as failure:  # noqa: BLE001 - a person is told plainly, whatever happened
            unexpected("command", failure)
            answer = Answer(voice.say("refused.unexpected"))
        if answer.blocks:
            await ack(text=answer.text, blocks=answer.blocks)
        elif answer.text:
            await ack(answer.text)
        else:
            # An empty answer: the command opened a view.
            await ack()

    async def _answer(self, word: str, asked: Asked) -> Answer:
        desk, voice, rest, by = self.desk, self.desk.voice, asked.rest, asked.by
        if word in _SAID:
            return Answer(await _SAID[word](desk, asked))
        match word:
            case "help" | "":
                return Answer(voice.say("command.help"))
            case "list":
                return await self._list("list.title", by, WorklistSection.OPEN)
            case "mine":
                return await self._list("list.mine", by, WorklistSection.MINE)
            case "show" if not rest:
                return Answer(voice.say("command.show_what"))
            case "show" if only_the_stage(by):
                await self._open(asked, ask_view(parse_reference(rest) or rest, voice))
                return Answer()
            case "log":
                await self._open(asked, await self.taking_down.view(by, asked.trigger))
                return Answer()
            case "show":
                await self._open(asked, await view_for(desk, "open", parse_reference(rest) or rest, by))
                return Answer()
            case "policy":
                return await self._policy(rest)
            case "move":
                await self._open(asked, await move_view(desk, rest, by))
                return Answer()
            case _:
                return Answer(voice.say("command.unknown", word=escaped(word, 30)))

    async def _policy(self, country: str) -> Answer:
        voice = self.desk.voice
        known = await self.desk.store.aread(load_current_rulebooks)
        code = known.code(country)
        if country.strip() and code is None:
            # Another country's promises would be taken for this one's.
            countries = ", ".join(f"`{one}` {voice.country(one)}" for one in known.codes)
            return Answer(voice.say("policy.no_country", word=escaped(country, 30), countries=countries))
        return Answer(voice.say("policy.title"), policy(known.of(code), voice))

    async def _list(self, title: str, by: Actor, section: WorklistSection) -> Answer:
        voice, now = self.desk.voice, self.desk.store.now()
        found, more = await lists.cases(self.desk, by, section)
        return Answer(lists.listing(voice.say(title), found, more=more, voice=voice, now=now))

    async def _open(self, asked: Asked, view: View) -> None:
        await self.client.views_open(trigger_id=asked.trigger, view=view)
