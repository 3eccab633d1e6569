"""Texts for staff in their language: by id, with times in the organisation's zone and codes by their names."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_decimal

from bots.slack.client.block_kit import mention
from bots.texts.texts import Texts, country_name
from complaints.actors import MODEL_ID, OPERATOR_ID, SYSTEM_ID
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.obligations.approvals import awaits_reader
from complaints.times import day_ended, local_time
from complaints.vocabulary import Target

#: Families of texts for codes that are stored as plain words. After a return to an older release the record may have
#: codes that this release does not know.
STORED_CODES = frozenset({
    "asked_for", "category", "channel", "criterion", "delivery", "did", "evidence", "file", "finding", "left_out",
    "limit", "message", "remedy", "role", "to_tell", "warned",
})  # fmt: skip


@dataclass(frozen=True)
class StaffTexts:
    """What staff read, in one language.

    An id that the staff catalogue does not have raises KeyError; one of `STORED_CODES` gets a general text.
    """

    catalogue: Texts
    language: str

    def text(self, id_: str, **fields: Any) -> str:
        if id_.partition(".")[0] in STORED_CODES and not self.catalogue.has(id_):
            return self.catalogue.text(self.language, "code.unknown")
        return self.catalogue.text(self.language, id_, **fields)

    def count(self, id_: str, number: int, **fields: Any) -> str:
        """A text in the plural form of this number, which is its field {number}."""
        return self.catalogue.count(self.language, id_, number, **fields)

    def choices(self, prefix: str, codes: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """The codes, each with its text `PREFIX.CODE`, as the choices of an input."""
        return tuple((str(code), self.text(f"{prefix}.{code}")) for code in codes)

    @property
    def _day(self) -> str:
        """The pattern of a day: `Wed 4 Nov`, in German `Mi., 4. Nov.`."""
        return "EEE, d. MMM" if self.language == "de" else "EEE d MMM"

    def moment(self, moment: datetime, zone: str) -> str:
        """`Wed 4 Nov, 17:30`, in the organisation's time zone."""
        return str(
            format_datetime(moment, f"{self._day}, HH:mm", tzinfo=ZoneInfo(zone), locale=self.language)
        )

    def due_time(self, due_at: datetime, zone: str) -> str:
        """`Wed 4 Nov, 17:30`; a due time at midnight is 24:00 of the day that ends."""
        day = day_ended(local_time(due_at, zone))
        if day is None:
            return self.moment(due_at, zone)
        return str(format_date(day, f"{self._day}, '24:00'", locale=self.language))

    def moment_with_year(self, local: datetime) -> str:
        """`Wed 4 Nov 2026, 17:30`, of a local time; with its seconds if it has any."""
        pattern = f"{self._day} y, HH:mm:ss" if local.second else f"{self._day} y, HH:mm"
        return str(format_datetime(local, pattern, tzinfo=local.tzinfo, locale=self.language))

    def closing_with_year(self, local: datetime) -> str:
        """The same for a closing time; midnight is 24:00 of the day that ends."""
        day = day_ended(local)
        if day is None:
            return self.moment_with_year(local)
        return str(format_date(day, f"{self._day} y, '24:00'", locale=self.language))

    def clock(self, moment: datetime, zone: str) -> str:
        """`14:02`."""
        return str(format_time(moment, "HH:mm", tzinfo=ZoneInfo(zone), locale=self.language))

    def day(self, day: date) -> str:
        """`Wed 4 Nov 2026`."""
        return str(format_date(day, f"{self._day} y", locale=self.language))

    def duration(self, length: str) -> str:
        """`10 bd` as `10 working days`."""
        return self.catalogue.span(self.language, length)

    def percent(self, share: float) -> str:
        """`3.03` for .0303 and `97` for .97: at most two digits after the point, so that 3.03 does not read as 3."""
        return str(format_decimal(share * 100, "0.##", locale=self.language))

    def language_name(self, code: str) -> str:
        return self.catalogue.language_name(code, self.language)

    def country(self, code: str) -> str:
        return country_name(self.language, code)

    def actor_name(self, actor_id: str, case: Case) -> str:
        """Who acted, as mrkdwn: staff by mention, the complainant never by name."""
        if actor_id in (SYSTEM_ID, MODEL_ID, OPERATOR_ID):
            return self.text(f"who.{actor_id}")
        if actor_id == case.complainant:
            return self.text("who.complainant")
        return mention(actor_id)

    @property
    def second_reading(self) -> str:
        """The name of the date of an approval while a reader is awaited."""
        return self.text("target.second_reading")

    def target_name(self, target: str, number: int) -> str:
        """What a due time is for; the further ones of a target can have a name of their own."""
        id_ = f"target.{target}.{number}"
        return self.text(id_ if self.catalogue.has(id_) else f"target.{target}")

    def target_due(self, target: TargetSet, case: Case, now: datetime, *, name: str | None = None) -> str:
        """`decision by Wed 4 Nov, 17:30`, or that it was missed; with another `name` for what is due."""
        is_reading = target.target is Target.APPROVE and awaits_reader(case)
        if name is None:
            name = self.second_reading if is_reading else self.target_name(target.target, target.of)
        when = self.due_time(target.internal_due, case.rules.calendar.zone)
        return self.text("due.missed" if target.internal_due < now else "due.by", target=name, when=when)
