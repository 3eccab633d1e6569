"""The opened complaint: everything said and sent, what was done, and why each date is when it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bots.slack import delivered
from bots.slack.blocks import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    divider,
    escaped,
    header,
    joined,
    mention,
    pages,
    pieces,
    plain,
    said,
    section,
)
from bots.slack.card import act_row, flag_lines, headline, next_words
from bots.slack.likes import like_blocks
from bots.slack.modals import View, metadata, turning
from bots.slack.offers import verbs_for
from bots.slack.proposed import proposal_blocks
from bots.slack.shown import said_blocks
from bots.slack.thread import event_line
from bots.slack.voice import Voice
from complaints.case import Case, Event
from complaints.vocabulary import Role
from store.values import OpenedCase

#: Room for the head, the buttons and the page's own buttons.
_PER_PAGE = MODAL_BLOCKS - 8


def open_view(opened: OpenedCase, voice: Voice, *, now: datetime, page: int = 0, draw: int = 0) -> View:
    """One page of the opened complaint (the first holds the newest state and the buttons)."""
    case = opened.case
    body = pages(_body(opened, voice, now), _PER_PAGE)
    page = max(0, min(page, len(body) - 1))
    offer = verbs_for(case)
    # The view is open already.
    acts = type(offer)(tuple(name for name in offer.buttons if name != "open"), offer.others)
    blocks: list[Block] = [header(headline(case, voice)), section(next_words(case, voice, now))]
    if acts.buttons or acts.others:
        blocks.append(act_row(case, voice, acts, draw))
    blocks += body[page]
    if len(body) > 1:
        blocks.append(turning("open", case.ref, page, len(body), voice))
    return {
        "type": "modal",
        "callback_id": "open",
        "private_metadata": metadata(case.ref, case.work_version, page=page),
        "title": plain(voice.say("verb.open"), 24),
        "close": plain(voice.say("modal.close"), 24),
        "blocks": blocks,
    }


def _body(opened: OpenedCase, voice: Voice, now: datetime) -> list[Block]:
    case = opened.case
    blocks: list[Block] = []
    if opened.complainant_name:
        blocks.append(said(voice.say("open.complainant", name=opened.complainant_name)))
    if opened.support_needs:
        blocks.append(said(voice.say("open.support", needs=opened.support_needs)))
    flags = flag_lines(case, voice)
    if flags:
        blocks.append(section("\n".join(flags)))
    if opened.read_before:
        zone = case.rules.calendar.zone
        who = ", ".join(f"{mention(one.by)} ({voice.moment(one.at, zone)})" for one in opened.read_before)
        blocks.append(section(voice.say("open.read_before", who=who)))
    if case.assessment is None:
        blocks += proposal_blocks(opened, voice)
    blocks += like_blocks(case, opened.likes, voice, now=now)
    blocks += [header(voice.say("open.said")), *said_blocks(opened, voice)]
    blocks += _to_tell(opened, voice)
    shown = delivered.lines(opened.deliveries, case, voice, now)
    if shown:
        blocks.append(header(voice.say("open.delivered")))
        blocks += [section(each) for each in joined(shown)]
    ours = _messages(opened, voice)
    if ours:
        blocks += [header(voice.say("open.messages")), *ours]
    if opened.draft_words:
        blocks.append(header(voice.say("open.unsent")))
        blocks += [said(each) for text in opened.draft_words.values() for each in pieces(text)]
    blocks += [divider(), header(voice.say("open.events")), *_events(opened, voice)]
    dues = _dues(case, voice, now)
    if dues:
        blocks += [header(voice.say("open.dues")), *dues]
    return blocks


def _to_tell(opened: OpenedCase, voice: Voice) -> list[Block]:
    """The exact words that somebody is still to tell or to post, by the way the complainant chose."""
    blocks: list[Block] = []
    for one in opened.messages:
        if one.get("state") == TO_TELL:
            blocks.append(header(voice.say("open.to_tell", how=voice.say(f"channel.{one['channel']}"))))
            blocks += [said(each) for each in pieces(str(one.get("text") or "–"), 2800)]
    return blocks


def _messages(opened: OpenedCase, voice: Voice) -> list[Block]:
    """Every message of ours, exact, and how far each got; what came in stands above."""
    zone = opened.case.rules.calendar.zone
    blocks = []
    for one in opened.messages:
        if one.get("direction") == "in" or one.get("state") == TO_TELL:
            continue
        state = str(one.get("state") or "")
        told = f" · {voice.say(f'message.{state}')}" if state in STATES else ""
        first, *rest = pieces(str(one.get("text") or "–"), 2800) or ["–"]
        blocks.append(said(f"{voice.moment(_instant(one['at']), zone)}{told}\n{first}"))
        blocks += [said(each) for each in rest]
    return blocks


TO_TELL = "to_tell"
STATES: frozenset[str] = frozenset({"sending", "sent", "uncertain", "failed", TO_TELL, "told", "by_chat"})


def _instant(at: Any) -> datetime:
    return at if isinstance(at, datetime) else datetime.fromisoformat(str(at))


def _events(opened: OpenedCase, voice: Voice) -> list[Block]:
    """What was done, a line each, with the words that staff put to it."""
    found: list[str] = []
    for event in opened.events:
        found += [event_line(event, opened.case, voice), *_staff_words(event, opened.case)]
    return [section(each) for each in joined(found)]


def _staff_words(event: Event, case: Case) -> list[str]:
    """The words of an act of staff; the complainant's and the proposal's stand above, letters among the messages."""
    if event.role in (Role.COMPLAINANT, Role.MODEL):
        return []
    return [
        f"> {escaped(' '.join(text.split()), 1000)}"
        for path, text in event.words.items()
        if path != "letter" and text.strip()
    ]


def _dues(case: Case, voice: Voice, now: datetime) -> list[Block]:
    """Each open date, with the way to how it came about."""
    dates = sorted(case.current_targets(), key=lambda each: each.internal_due)
    lines = [f"• {voice.due(one, case, now)}" for one in dates if one.met_at is None]
    if not case.targets:
        return []
    why = actions("dues", [button(voice.say("verb.due"), "case.due", case.ref)])
    return [*(section(each) for each in joined(lines)), why]


def page_of(value: str) -> tuple[str, int]:
    """Reference and page of a turning button's value."""
    ref, _, page = value.rpartition(":")
    return ref, int(page)


def redrawn(view: Mapping[str, Any]) -> list[Block]:
    """The blocks of an open view with the next draw: Slack keeps a menu's old choice otherwise."""
    blocks = []
    for block in view["blocks"]:
        block_id = str(block.get("block_id"))
        if block_id.startswith("actions:"):
            _, version, _ = block_id.replace(".", ":").split(":")
            draw = int(block_id.rpartition(".")[2]) + 1
            block = {**block, "block_id": f"actions:{version}.{draw}"}
        blocks.append(block)
    return blocks
