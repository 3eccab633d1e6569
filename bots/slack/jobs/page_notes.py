"""Sentences below a page: that the message was read late, and who was not reached outside of Slack."""

from datetime import timedelta

from bots.slack.client.block_kit import mention
from bots.slack.context import SlackContext
from complaints.case import Case
from store.alerts import list_unreached


async def page_notes(slack: SlackContext, case: Case) -> str:
    """The sentences that apply now, each after a blank."""
    texts, notes, alarm = slack.texts, "", case.alarm
    if alarm is not None and alarm.written_at is not None:
        minutes = alarm.read_after // timedelta(minutes=1)
        at = texts.moment(alarm.written_at, case.rules.calendar.zone)
        notes += f" {texts.text('dm.read_late', at=at, minutes=minutes)}"
    if unreached := await slack.store.aread(list_unreached, case.ref):
        notes += f" {texts.text('dm.not_reached', who=', '.join(map(mention, unreached)))}"
    return notes
