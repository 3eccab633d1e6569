"""What staff read, in their language: texts by id, moments in the organisation's zone, codes by name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time

from bots.slack.blocks import mention
from bots.texts.texts import Texts, country_name
from complaints.actors import MODEL_ID, OPERATOR_ID, SYSTEM_ID
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.local_time import day_ended, wall


@dataclass(frozen=True)
class Voice:
    """`texts` is the staff catalogue; it raises KeyError for an id that it does not have."""

    texts: Texts
    language: str

    def say(self, id_: str, **fields: Any) -> str:
        """A text of the staff catalogue."""
        return self.texts.say(self.language, id_, **fields)

    def count(self, id_: str, number: int, **fields: Any) -> str:
        """A text in the form for this number, which is its field {number}."""
        return self.texts.count(self.language, id_, number, **fields)

    def moment(self, at: datetime, zone: str) -> str:
        """`Wed 4 Nov, 17:30`, where the organisation works."""
        return str(format_datetime(at, "EEE d MMM, HH:mm", tzinfo=ZoneInfo(zone), locale=self.language))

    def by(self, due: datetime, zone: str) -> str:
        """`Wed 4 Nov, 17:30`, of a due time; the end of a day is its own 24:00, not the next day's 00:00."""
        ended = day_ended(wall(due, zone))
        if ended is None:
            return self.moment(due, zone)
        return str(format_date(ended, "EEE d MMM, '24:00'", locale=self.language))

    def moment_whole(self, local: datetime) -> str:
        """`Wed 4 Nov 2026, 17:30`, of a time on the wall, with its seconds where it has any."""
        pattern = "EEE d MMM y, HH:mm:ss" if local.second else "EEE d MMM y, HH:mm"
        return str(format_datetime(local, pattern, tzinfo=local.tzinfo, locale=self.language))

    def closing_whole(self, local: datetime) -> str:
        """The same, of a closing time; the end of a day is its own 24:00."""
        ended = day_ended(local)
        if ended is None:
            return self.moment_whole(local)
        return str(format_date(ended, "EEE d MMM y, '24:00'", locale=self.language))

    def span(self, written: str) -> str:
        """A length of time in words: `10 bd` as `10 working days`."""
        return self.texts.span(self.language, written)

    def country(self, code: str) -> str:
        """A country, by its two letters, by its name."""
        return country_name(self.language, code)

    def clock(self, at: datetime, zone: str) -> str:
        """`14:02`."""
        return str(format_time(at, "HH:mm", tzinfo=ZoneInfo(zone), locale=self.language))

    def day(self, day: date) -> str:
        """`Wed 4 Nov 2026`."""
        return str(format_date(day, "EEE d MMM y", locale=self.language))

    def who(self, id_: str, case: Case) -> str:
        """Who acted, as mrkdwn: staff by mention, the complainant never by name."""
        if id_ in (SYSTEM_ID, MODEL_ID, OPERATOR_ID):
            return self.say(f"who.{id_}")
        if id_ == case.complainant:
            return self.say("who.complainant")
        return mention(id_)

    def due(self, one: TargetSet, case: Case, now: datetime) -> str:
        """`decision by Wed 4 Nov, 17:30`, or that it was missed."""
        name = self.say(f"target.{one.target.value}")
        when = self.by(one.internal_due, case.rules.calendar.zone)
        return self.say("due.missed" if one.internal_due < now else "due.by", target=name, when=when)
