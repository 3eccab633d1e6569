"""Sentences below a page: that the message was read late, and who was not reached outside of Slack."""

from datetime import timedelta

from bots.slack.client.block_kit import mention
from bots.slack.context import SlackContext
from complaints.case import Case
from store.alerts import list_unreached


async def page_notes(slack: SlackContext, case: Case) -> str:
    """The sentences that apply now, each after a blank."""
    texts, notes, written_at = slack.texts, "", case.alarm.written_at if case.alarm else None
    if written_at is not None:
        minutes = (case.alarms[-1].at - written_at) // timedelta(minutes=1)
        at = texts.moment(written_at, case.rules.calendar.zone)
        notes += f" {texts.text('dm.read_late', at=at, minutes=minutes)}"
    if unreached := await slack.store.aread(list_unreached, case.ref):
        notes += f" {texts.text('dm.not_reached', who=', '.join(map(mention, unreached)))}"
    return notes
