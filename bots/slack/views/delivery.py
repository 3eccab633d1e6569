"""What became of each notice, as the channel reported it (7.3); never a name or the complainant's words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.slack.client.block_kit import Block, button, escaped, section
from bots.slack.texts import StaffTexts
from complaints.case import Case
from complaints.times import local_time
from store.values import Delivery, DeliveryStatus, FailedObligation

#: Shown until it is over, even if something newer was delivered.
UNSETTLED: frozenset[DeliveryStatus] = frozenset(
    {
        DeliveryStatus.GIVEN_UP,
        DeliveryStatus.NOT_DELIVERED,
        DeliveryStatus.TRYING,
        DeliveryStatus.WAITING,
        DeliveryStatus.TO_TELL,
    }
)
#: Lines of a card in all, and of these the newest that were delivered.
MAX_LINES, MAX_DELIVERED = 6, 2


def delivery_lines(deliveries: Sequence[Delivery], case: Case, texts: StaffTexts, now: datetime) -> list[str]:
    """One line for each, the oldest first: `Acknowledgement delivered 10:02`."""
    return [_delivery_line(delivery, case, texts, now) for delivery in deliveries]


def deliveries_for_card(deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Of each kind the newest and all that failed; of what was delivered only the last few."""
    newest = {delivery.kind: delivery for delivery in deliveries}
    relevant = [
        delivery
        for delivery in deliveries
        if newest[delivery.kind] is delivery or delivery.fate is DeliveryStatus.GIVEN_UP
    ]
    delivered = [delivery for delivery in relevant if delivery.fate not in UNSETTLED][-MAX_DELIVERED:]
    return [delivery for delivery in relevant if delivery.fate in UNSETTLED or delivery in delivered][
        -MAX_LINES:
    ]


def failed_blocks(failed: Sequence[FailedObligation], texts: StaffTexts, zone: str) -> list[Block]:
    """Failed obligations, each with a button that tries it again."""
    return [
        section(
            failed_line(obligation, texts, zone),
            accessory=button(texts.text("stuck.retry"), "outbox.retry", str(obligation.number)),
        )
        for obligation in failed
    ]


def failed_line(failed: FailedObligation, texts: StaffTexts, zone: str) -> str:
    """`A7K-M3Q-9T · Acknowledgement · since Wed 4 Nov, 10:02 · number 12`."""
    what = texts.text(f"delivery.{failed.kind}") if failed.is_notice else escaped(failed.kind, 60)
    when = texts.moment(failed.at, zone)
    return texts.text("stuck.row", ref=failed.ref or "–", what=what, when=when, number=failed.number)


def _delivery_line(delivery: Delivery, case: Case, texts: StaffTexts, now: datetime) -> str:
    zone = case.rules.calendar.zone
    is_notice = delivery.is_notice
    fields = {
        "what": texts.text(f"delivery.{delivery.kind}") if is_notice else escaped(delivery.kind, 60),
        "when": _when(delivery.at, now, zone, texts),
        "why": texts.text(f"delivery.why.{delivery.why or 'other'}"),
        "first": _when(delivery.first or delivery.at, now, zone, texts),
        "number": delivery.number,
    }
    return texts.text(f"delivery.{delivery.fate.value}", **fields)


def _when(moment: datetime, now: datetime, zone: str, texts: StaffTexts) -> str:
    same_day = local_time(moment, zone).date() == local_time(now, zone).date()
    return texts.clock(moment, zone) if same_day else texts.moment(moment, zone)
