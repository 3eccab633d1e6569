"""Delivery truth in words: what became of each notice, as the channel told it; never a name or a word (7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.slack.blocks import Block, button, escaped, section
from bots.slack.voice import Voice
from complaints.case import Case
from complaints.deadlines.local_time import wall
from store.values import Delivery, DeliveryStatus, FailedObligation

#: What a person should see until it is over, whatever was delivered since.
UNSETTLED: frozenset[DeliveryStatus] = frozenset(
    {
        DeliveryStatus.GIVEN_UP,
        DeliveryStatus.NOT_DELIVERED,
        DeliveryStatus.TRYING,
        DeliveryStatus.WAITING,
        DeliveryStatus.TO_TELL,
    }
)
#: Lines of a card: what is unsettled, and the newest that arrived.
FEW, NEWEST = 6, 2


def lines(told: Sequence[Delivery], case: Case, voice: Voice, now: datetime) -> list[str]:
    """One line for each, the oldest first: `Acknowledgement delivered 10:02`."""
    return [line(one, case, voice, now) for one in told]


def for_card(told: Sequence[Delivery]) -> list[Delivery]:
    """Of each kind its newest; all that is unsettled, and the newest others."""
    newest = {one.kind: one for one in told}
    standing = [one for one in told if newest[one.kind] is one or one.fate is DeliveryStatus.GIVEN_UP]
    settled = [one for one in standing if one.fate not in UNSETTLED][-NEWEST:]
    return [one for one in standing if one.fate in UNSETTLED or one in settled][-FEW:]


def line(one: Delivery, case: Case, voice: Voice, now: datetime) -> str:
    """What, how far, when, and why not."""
    what = voice.say(f"delivery.{one.kind}") if one.is_notice else escaped(one.kind, 60)
    zone = case.rules.calendar.zone
    fields = {
        "what": what,
        "when": _when(one.at, now, zone, voice),
        "why": voice.say(f"delivery.why.{one.why or 'other'}"),
        "first": _when(one.first or one.at, now, zone, voice),
        "number": one.number,
    }
    return voice.say(f"delivery.{one.fate.value}", **fields)


def _when(at: datetime, now: datetime, zone: str, voice: Voice) -> str:
    same_day = wall(at, zone).date() == wall(now, zone).date()
    return voice.clock(at, zone) if same_day else voice.moment(at, zone)


def stuck_blocks(found: Sequence[FailedObligation], voice: Voice, zone: str) -> list[Block]:
    """What was given up, each with a button that tries it again."""
    return [
        section(
            stuck_line(one, voice, zone),
            accessory=button(voice.say("stuck.retry"), "outbox.retry", str(one.number)),
        )
        for one in found
    ]


def stuck_line(one: FailedObligation, voice: Voice, zone: str) -> str:
    """`A7K-M3Q-9T · Acknowledgement · since Wed 4 Nov, 10:02 · number 12`."""
    what = voice.say(f"delivery.{one.kind}") if one.is_notice else escaped(one.kind, 60)
    return voice.say(
        "stuck.row", ref=one.ref or "–", what=what, when=voice.moment(one.at, zone), number=one.number
    )
