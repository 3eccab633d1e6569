"""Reports that the calendar sends to a channel (8.4): one obligation for each ended period."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from complaints.deadlines.opening_hours import next_morning
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.rulebook import Calendar
from complaints.times import at_minute, local_time

#: Months of each period that is counted in months.
_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
WHEN = ("weekly", *_MONTHS)


@dataclass(frozen=True)
class ScheduledReport:
    """A kind of report, the channel that gets it, and `when`: one of `WHEN`."""

    kind: str
    channel: str
    when: str


def last_period(when: str, today: date) -> tuple[date, date]:
    """The first day of the last period that ended before today, and the day after its last one."""
    if when == "weekly":
        after = today - timedelta(days=today.weekday())
        return after - timedelta(days=7), after
    months = _MONTHS[when]
    after = date(today.year, (today.month - 1) // months * months + 1, 1)
    number = after.year * 12 + after.month - 1 - months
    return date(number // 12, number % 12 + 1, 1), after


def report_obligations(
    reports: Iterable[ScheduledReport], now: datetime, calendar: Calendar
) -> Iterator[NewObligation]:
    """The report of each last period, due on the first working morning after it; the key is the period."""
    for report in reports:
        first, after = last_period(report.when, local_time(now, calendar.zone).date())
        facts = {"report": report.kind, "channel": report.channel, "first": first.isoformat()}
        yield NewObligation(
            f"channel_report:{report.kind}:{report.channel}:{report.when}:{first}",
            "channel_report",
            next_morning(at_minute(after, 0, calendar.zone), calendar),
            SendPriority.BULK,
            facts | {"after": after.isoformat()},
        )
