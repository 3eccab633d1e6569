"""Short lists of the complaints that a person may know of: reference, state and due time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bots.slack.client.block_kit import mention
from bots.slack.context import SlackContext
from bots.slack.texts import StaffTexts
from complaints.actors import Actor, is_excluded, may_read
from complaints.case import Case
from complaints.deadlines.targets import next_due
from complaints.priorities import priority_of
from store.record.worklists import WorklistSection, load_worklist

MAX_ROWS_OF_A_LIST = 15


async def open_cases(
    slack: SlackContext, actor: Actor, section: WorklistSection
) -> tuple[tuple[Case, ...], bool]:
    """The open complaints, the earliest due first, and whether there are more."""
    page = await slack.store.aread(load_worklist, section, actor, limit=MAX_ROWS_OF_A_LIST)
    return page.cases, bool(page.more)


def may_know_of(case: Case, actor: Actor) -> bool:
    """May this person know that it exists? Of a restricted complaint only its readers may."""
    return not is_excluded(case, actor.id) and (not case.restricted or may_read(case, actor))


def row(case: Case, texts: StaffTexts, now: datetime) -> str:
    """`A7K-M3Q-9T · Assessed · P2 · @alice · decision by Wed 4 Nov, 17:30`."""
    target = next_due(case)
    return texts.text(
        "list.row",
        ref=case.ref,
        state=texts.text(f"state.{case.state.value}"),
        priority=priority_of(case).value,
        owner=mention(case.owner) if case.owner else texts.text("card.no_owner"),
        due=texts.target_due(target, case, now) if target else texts.text("list.no_due"),
    )


def listing(title: str, cases: Sequence[Case], *, more: bool, texts: StaffTexts, now: datetime) -> str:
    """A titled list as mrkdwn."""
    lines = [row(case, texts, now) for case in cases] or [texts.text("command.none")]
    return "\n".join([f"*{title}*", *lines, *([texts.text("command.more")] if more else [])])
