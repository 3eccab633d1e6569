"""Keeping a file shorter than claims may be brought is a choice to be made knowingly (docs/domain.md, section 7).

From settings to the rulebook that complaints are frozen to.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import holidays

from amends.settings import sections
from amends.settings.closures import Closures, DeskHours, closures_of
from amends.settings.field_types import parse_amount
from amends.settings.loading import Settings
from amends.settings.problems import BadCalendarFile, Problem, SettingsError
from complaints.deadlines.opening_hours import parse_hours
from complaints.deadlines.working_time import due, due_where_on_call
from complaints.retention import RetentionPeriod
from complaints.rulebook import (
    Calendar,
    Danger,
    Dialogue,
    FastTrack,
    LevelTargets,
    OnCall,
    PriorityTargets,
    RecourseStep,
    Rulebook,
    Rulebooks,
    Survey,
    Targets,
)
from complaints.vocabulary import Priority

#: Until when a claim out of a contract may be brought, in general; longer ones exist (deeds, personal injury).
LIMITATION: Mapping[str, str] = {"GB": "72 months", "TR": "120 months"}
_ANY_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def scheme_caution(rules: Rulebook, scheme: Mapping[str, Any]) -> str | None:
    """The same of a scheme that asks to keep files for a time; counted from receipt it ends before ours at best."""
    asked = scheme.get("keep")
    if not rules.retention or asked is None:
        return None
    keeping = RetentionPeriod.parse(rules.retention)
    kept, wanted = (due(_ANY_DAY, span, rules.calendar).at for span in (keeping.span, asked))
    return (
        f"privacy.retention purges files {_after(keeping)}, but {rules.preset} asks to keep them for "
        f"{asked} from receipt: make sure that none goes too early"
        if kept < wanted
        else None
    )


def retention_caution(rules: Rulebook) -> str | None:
    """What `check` says about the time that files are kept; None where nothing need be said."""
    if not rules.retention:
        return None
    keeping = RetentionPeriod.parse(rules.retention)
    said = f"privacy.retention purges files {_after(keeping)} ({rules.country})"
    limit = LIMITATION.get(rules.country)
    if limit is None:
        return f"{said}: make sure that no limitation period is longer"
    kept, claimed = (due(_ANY_DAY, span, rules.calendar).at for span in (keeping.span, limit))
    return (
        f"{said}, but claims may be brought for {limit}: make sure that it is meant"
        if kept < claimed
        else None
    )


def _after(keeping: RetentionPeriod) -> str:
    return f"{keeping.span} after {'receipt' if keeping.from_receipt else 'closing'}"


YEARS_BACK, YEARS_AHEAD = 2, 8

#: docs/domain.md, section 4: look, first action, update every, decide.
SECTION_4: Mapping[Priority, PriorityTargets] = {
    Priority.P1: PriorityTargets("30 min", "4 h", "1 day", "5 bd"),
    Priority.P2: PriorityTargets("4 wh", "1 bd", "2 bd", "5 bd"),
    Priority.P3: PriorityTargets("1 bd", "3 bd", "5 bd", "10 bd"),
    Priority.P4: PriorityTargets("2 bd", "5 bd", "10 bd", "20 bd"),
}

DEFAULT_LEVELS: Mapping[str, tuple[str, ...]] = {
    "1": ("handler", "manager"),
    "2": ("manager", "top_management"),
}

_PER_PRIORITY = ("look", "first_action", "update_every", "decide")
_GUARDED = (Priority.P1, Priority.P2)
_ONCE = (
    "ack",
    "approve",
    "remedy",
    "verify",
    "reply_reminder",
    "lapse",
    "legal",
    "extension_cap",
    "escalated_ack",
    "waiting_limit",
    "reopen_window",
    "subject",
    "improvement",
    "privacy",
    "delay_notice",
)
#: What only a scheme says of how its times are counted.
_OF_SCHEME = ("decide_from", "complex_doubles", "delay_outside")
#: Told before a promise that may not be kept, also where no scheme asks for it: never silence (7.3).
_NOTICE = "1 bd"

#: By when the law wants personal data complaints answered: Data (Use and Access) Act 2025, section 103 (in
#: force 19 June 2026: acknowledged within 30 days; here the answer); Turkey: law 6698 (KVKK), article 13.
_PRIVACY: Mapping[str, str] = {"GB": "30 days", "TR": "30 days"}


@cache
def preset_named(name: str) -> Mapping[str, Any]:
    """The preset's data; settings have checked the name."""
    return tomllib.loads((sections.PRESETS / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def _default_recourse(country: str) -> tuple[RecourseStep, ...]:
    bodies = tomllib.loads(Path(__file__).with_name("recourse.toml").read_text(encoding="utf-8"))
    return (RecourseStep(**bodies.get(country, bodies["other"])),)


def rulebook(settings: Settings, jurisdiction: str | None = None, *, year: int | None = None) -> Rulebook:
    """The rules in force, of the organisation's own country or of a further jurisdiction by its two letters.

    Public holidays reach from two years before `year` (this year where not given) to eight after it. Raises
    SettingsError for a jurisdiction that the settings do not have.
    """
    own = settings.organisation
    other = _jurisdiction(settings, jurisdiction)
    country = own.country if other is None else str(jurisdiction)
    region = own.region if other is None else other.region
    preset_name = (other and other.preset) or own.preset
    preset = preset_named(preset_name)
    hours = (other and other.calendar) or settings.calendar
    zone = (other and other.timezone) or own.timezone
    public = _public_holidays(country, region, own.staff_language, year or datetime.now(UTC).year)
    calendar = _calendar(hours, zone, public, imported(settings, hours, zone, year=year).days)
    if closed := _closed_for_a_year(calendar):
        where = (
            "calendar" if other is None or other.calendar is None else f"jurisdiction.{jurisdiction}.calendar"
        )
        what = f"no day is worked in the year after {closed}; a series that closes every day? Nothing could be due"
        raise SettingsError([Problem(where, str(settings.file), what)])
    # Who is on call lives by the organisation's clock, wherever the complaint comes from.
    on_call = _on_call(settings.on_call, "" if zone == own.timezone else own.timezone)
    levels = (other and other.levels) or settings.levels or preset.get("levels") or DEFAULT_LEVELS
    authority = settings.authority if other is None or other.authority is None else other.authority
    privacy = (other and other.privacy) or settings.privacy
    return Rulebook(
        organisation=own.name,
        country=country,
        region=region,
        languages=(other and other.languages) or own.languages,
        staff_language=own.staff_language,
        emergency_number=(other and other.emergency_number) or own.emergency_number,
        preset=preset_name,
        team=own.team,
        calendar=calendar,
        on_call=on_call,
        targets=_targets((other and other.targets) or settings.targets, preset, calendar, on_call, country),
        levels={int(number): tuple(roles) for number, roles in levels.items()},
        authority={role: parse_amount(limit.amount) for role, limit in authority.items()},
        recourse=_recourse(settings, other, preset, country),
        danger=_danger(settings, other),
        dialogue=Dialogue(**settings.dialogue.model_dump()),
        survey=Survey(**settings.survey.model_dump()),
        notice=privacy.notice,
        retention=privacy.retention or "",
        simulated=settings.simulation.telegram,
        categories={one.key: dict(one.name) for one in settings.category},
        jurisdictions=tuple(settings.jurisdiction) if other is None else (),
        fast_track=FastTrack(**preset["fast_track"]) if "fast_track" in preset else None,
        accept_within=preset.get("accept_within"),
        missed_payment=parse_amount(preset["missed_payment"]) if "missed_payment" in preset else None,
    )


def rulebooks(settings: Settings, *, year: int | None = None) -> Rulebooks:
    """The rules in force of the organisation's own country and of every further jurisdiction."""
    others = {code: rulebook(settings, code, year=year) for code in settings.jurisdiction}
    return Rulebooks(rulebook(settings, year=year), others)


def preset_targets(name: str) -> Targets:
    """The times of a preset where the settings say none."""
    return _targets(sections.TargetsSettings(), preset_named(name), Calendar(always=True), OnCall())


def cautions(settings: Settings) -> list[str]:
    """What is allowed and still worth a warning from `amends check`."""
    found = list(settings.unknown)
    for code in (None, *settings.jurisdiction):
        rules = rulebook(settings, code)
        where = f"jurisdiction.{code}.targets" if code and settings.jurisdiction[code].targets else "targets"
        found += [
            f"{where}.{key} is later than the default for the most urgent complaints"
            for key in rules.targets.overrides
        ]
        if rules.region is None and (parts := _parts_with_more(rules.country, datetime.now(UTC).year)):
            found.append(
                f"no region is set for {rules.country}: holidays of parts do not count ({', '.join(parts)})"
            )
        found += filter(None, [retention_caution(rules), scheme_caution(rules, preset_named(rules.preset))])
        found += _left_out(settings, code)
        if code and settings.jurisdiction[code].emergency_number is None:
            number = rules.emergency_number
            found.append(
                f"jurisdiction.{code}.emergency_number is not set: in danger people are told {number}"
            )
    if settings.privacy.purge and not settings.privacy.retention:
        found.append("privacy.purge does nothing without privacy.retention: say how long files are kept")
    return list(dict.fromkeys(found))


def _parts_with_more(country: str, year: int) -> list[str]:
    parts = holidays.list_supported_countries(include_aliases=False)[country]
    common = set(holidays.country_holidays(country, years=year))
    return [
        part for part in parts if set(holidays.country_holidays(country, subdiv=part, years=year)) - common
    ]


def _jurisdiction(settings: Settings, code: str | None) -> sections.Jurisdiction | None:
    if code is None or code == settings.organisation.country:
        return None
    if code not in settings.jurisdiction:
        known = ", ".join((settings.organisation.country, *settings.jurisdiction))
        raise SettingsError(
            [Problem(f"jurisdiction.{code}", str(settings.file), f"is not set; known are {known}")]
        )
    return settings.jurisdiction[code]


def imported(
    settings: Settings, said: sections.CalendarSettings, zone: str, *, year: int | None = None
) -> Closures:
    """The days off of the calendar's iCalendar files, over the same years; raises SettingsError."""
    now = year or datetime.now(UTC).year
    first, last = date(now - YEARS_BACK, 1, 1), date(now + YEARS_AHEAD, 12, 31)
    try:
        return closures_of(
            settings.file.parent, said.ics, DeskHours(zone, parse_hours(said.hours)), first, last
        )
    except BadCalendarFile as wrong:
        raise SettingsError([Problem("calendar.ics", str(settings.file), str(wrong))]) from wrong


def not_counted(settings: Settings) -> list[str]:
    """What of the calendar files of every jurisdiction is no day off here, and why; raises SettingsError."""
    codes = (None, *settings.jurisdiction)
    return list(dict.fromkeys(line for code in codes for line in _left_out(settings, code)))


def _left_out(settings: Settings, code: str | None) -> list[str]:
    other = settings.jurisdiction.get(code or "")
    said = (other and other.calendar) or settings.calendar
    zone = (other and other.timezone) or settings.organisation.timezone
    return [f"not counted as a day off: {one}" for one in imported(settings, said, zone).left_out]


def _calendar(
    said: sections.CalendarSettings, zone: str, public: Mapping[date, str], own: Mapping[date, str]
) -> Calendar:
    hours = parse_hours(said.hours)
    closed = {date.fromisoformat(day): name for day, name in said.closed.items()}
    return Calendar(
        zone=zone,
        hours=hours or {},
        always=hours is None,
        holidays=dict(sorted({**public, **own, **closed}.items())),
    )


def _closed_for_a_year(calendar: Calendar) -> date | None:
    """The last day worked before a year without one, or the first day off; None where each year has one."""
    off = sorted(calendar.holidays)
    if not off:
        return None
    worked = off[0]
    for day in (off[0] + timedelta(days=n) for n in range((off[-1] - off[0]).days + 1)):
        if day not in calendar.holidays and (calendar.always or day.weekday() in calendar.hours):
            worked = day
        elif (day - worked).days > 365:
            return worked
    return None


@cache
def _public_holidays(country: str, region: str | None, language: str, year: int) -> Mapping[date, str]:
    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    # Named for staff, who read why something is due when it is; never by the locale of the process.
    known = holidays.country_holidays(country).supported_languages
    spoken = [one for one in known if one.split("_")[0] == language.split("_")[0].split("-")[0]]
    english = [one for one in known if one.startswith("en")]
    named = next(iter(spoken + english), None)
    found = holidays.country_holidays(country, subdiv=region, years=years, language=named)
    return {day: found[day] for day in sorted(found)}


def _on_call(said: sections.OnCallSettings, zone: str) -> OnCall:
    if not said.people:
        return OnCall()
    hours = parse_hours(said.hours, overnight=True)
    return OnCall(always=hours is None, hours=hours or {}, people=said.people, zone=zone if hours else "")


def _danger(settings: Settings, other: sections.Jurisdiction | None) -> tuple[Danger, ...]:
    """The signs of one country are heard in the other too, but its numbers help nobody there."""
    if other is None or other.danger is not None:
        said = settings.danger if other is None else other.danger
        return tuple(Danger(signs=one.signs, number=one.number, text=one.text) for one in said or ())
    return tuple(Danger(signs=one.signs, text=one.text) for one in settings.danger)


def _recourse(
    settings: Settings, other: sections.Jurisdiction | None, preset: Mapping[str, Any], country: str
) -> tuple[RecourseStep, ...]:
    said = settings.recourse if other is None or other.recourse is None else other.recourse
    if other is not None and other.recourse is None and other.preset is not None:
        said = ()  # the bodies of the first country are not those of another country's scheme
    if said:
        return tuple(RecourseStep(**one.model_dump()) for one in said)
    return tuple(RecourseStep(**one) for one in preset.get("recourse", ())) or _default_recourse(country)


def _targets(
    said: sections.TargetsSettings,
    preset: Mapping[str, Any],
    calendar: Calendar,
    on_call: OnCall,
    country: str = "",
) -> Targets:
    """`[targets.Pn]` before `[targets]` before the preset before docs/domain.md, section 4."""
    scheme: Mapping[str, Any] = preset.get("targets", {})
    overrides: list[str] = []
    by_priority: dict[str, PriorityTargets] = {}
    for priority, standard in SECTION_4.items():
        spans: dict[str, str] = {}
        for key in _PER_PRIORITY:
            default: str = getattr(standard, key)
            own: str | None = getattr(said.of(priority), key)
            chosen: str = own or getattr(said, key) or scheme.get(key) or default
            guarded = (
                priority in _GUARDED and chosen != default and _ever_later(chosen, default, calendar, on_call)
            )
            if guarded and own:
                overrides.append(f"{priority}.{key}")
            spans[key] = default if guarded and not own else chosen
        by_priority[priority.value] = PriorityTargets(**spans)
    once = {key: getattr(said, key, None) or scheme.get(key) for key in _ONCE}
    once["privacy"] = once["privacy"] or _PRIVACY.get(country)
    once["delay_notice"] = once["delay_notice"] or _NOTICE
    return Targets(
        by_priority=by_priority,
        overrides=tuple(overrides),
        by_level={int(number): LevelTargets(**one) for number, one in scheme.get("level", {}).items()},
        **{key: scheme[key] for key in _OF_SCHEME if key in scheme},
        **{key: span for key, span in once.items() if span is not None},
    )


def _ever_later(one: str, other: str, calendar: Calendar, on_call: OnCall) -> bool:
    """Can the first span be due after the second? "8 weeks" and "5 bd" have no order but the calendar's."""
    return any(
        due_where_on_call(start, one, calendar, on_call).at
        > due_where_on_call(start, other, calendar, on_call).at
        for start in _sample(calendar)
    )


def _sample(calendar: Calendar) -> Iterator[datetime]:
    # Two plain weeks, hour by hour and off the hour: weekends, nights and edges of work are among them.
    year = max((day.year for day in calendar.holidays), default=2026 + YEARS_AHEAD) - YEARS_AHEAD
    first = datetime.combine(date(year, 3, 1), time(0, 30), UTC)
    yield from (first + timedelta(hours=hours) for hours in range(14 * 24))
