"""Why each date is when it is: every version of every clock with the steps that led to it; never a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bots.slack.blocks import (
    MODAL_BLOCKS,
    VIEW_BYTES,
    Block,
    escaped,
    header,
    joined,
    mention,
    pages,
    plain,
    section,
)
from bots.slack.card import headline
from bots.slack.modals import View, metadata, turning
from bots.slack.voice import Voice
from complaints.actors import MODEL_ID, SYSTEM_ID
from complaints.case import Case, Event
from complaints.case_values import TargetSet
from complaints.deadlines.due_steps import DueStep
from complaints.deadlines.explanation import in_order, steps_of
from complaints.vocabulary import Role

#: Room for the head and the page's own buttons.
_PER_PAGE = MODAL_BLOCKS - 4
_OURS = frozenset({SYSTEM_ID, MODEL_ID, Role.COMPLAINANT.value})


def due_view(case: Case, events: Sequence[Event], voice: Voice, *, now: datetime, page: int = 0) -> View:
    """One page of the dates explained: the open ones first, then what was met or replaced.

    `events` are without words: the reason of an extension stands where the complaint is opened.
    """
    body = pages(list(_body(case, events, voice, now)), _PER_PAGE, VIEW_BYTES)
    page = max(0, min(page, len(body) - 1))
    blocks = [header(headline(case, voice)), *body[page]]
    if len(body) > 1:
        blocks.append(turning("due", case.ref, page, len(body), voice))
    return {
        "type": "modal",
        "callback_id": "due",
        "private_metadata": metadata(case.ref, case.work_version, page=page),
        "title": plain(voice.say("verb.due"), 24),
        "close": plain(voice.say("modal.close"), 24),
        "blocks": blocks,
    }


def _body(case: Case, events: Sequence[Event], voice: Voice, now: datetime) -> Iterator[Block]:
    ordered = in_order(case)
    opens = [one for one in ordered if _is_open(case, one)]
    for one in (*opens, *(each for each in ordered if each not in opens)):
        lines = [f"*{_title(case, one, voice, now)}*"]
        lines += [f"• {_sentence(step, voice)}" for step in steps_of(case, one, events)]
        yield from (section(each) for each in joined(lines))


def _is_open(case: Case, one: TargetSet) -> bool:
    return one.met_at is None and case.target(one.target, one.of) == one


def _title(case: Case, one: TargetSet, voice: Voice, now: datetime) -> str:
    if _is_open(case, one):
        return voice.due(one, case, now)
    zone = case.rules.calendar.zone
    name, when = voice.say(f"target.{one.target.value}"), voice.by(one.internal_due, zone)
    if one.met_at is not None:
        return voice.say("due.met", target=name, when=when, met=voice.moment(one.met_at, zone))
    return voice.say("due.superseded", target=name, when=when, version=one.version)


def _sentence(step: DueStep, voice: Voice) -> str:
    """One step in the staff's language."""
    moment = voice.closing_whole if step.code == "closing" else voice.moment_whole
    return voice.say(
        f"why.{step.code}",
        local=moment(step.local) if step.local else "",
        until=voice.moment_whole(step.until) if step.until else "",
        zone=step.zone,
        day=voice.day(step.day) if step.day else "",
        days=", ".join(voice.day(day) for day in step.days),
        span=voice.span(step.span) if step.span else "",
        name=voice.say(f"did.{step.name}") if step.code == "set" else escaped(step.name, 300),
        number=step.number,
        by=voice.say(f"who.{step.by}") if step.by in _OURS else mention(step.by),
    )
