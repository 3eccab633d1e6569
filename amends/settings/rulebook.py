"""Builds the rulebook from the settings and the preset; a complaint keeps the one under which it was received."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import holidays
from babel.core import get_global

from amends.settings import sections
from amends.settings.closures import Closures, DeskHours, closures_of
from amends.settings.field_types import parse_amount, parse_limit
from amends.settings.presets import RulesOfDay, country_law, preset_named
from amends.settings.problems import BadCalendarFile, Problem, SettingsError
from amends.settings.settings_file import Settings
from complaints.deadlines.opening_hours import parse_hours
from complaints.deadlines.working_time import due_where_on_call
from complaints.hazards import table_hash
from complaints.rulebook import (
    ALWAYS,
    Calendar,
    Completion,
    Danger,
    Dialogue,
    FastTrack,
    HoldOff,
    InvestigationPlan,
    LevelTargets,
    Limit,
    OnCall,
    PriorityTargets,
    RecourseStep,
    Rulebook,
    Rulebooks,
    RulePeriod,
    SubjectClock,
    Survey,
    Targets,
)
from complaints.times import at_minute, local_time
from complaints.vocabulary import Priority

#: The years of public holidays in a rulebook, counted from this year.
YEARS_BACK, YEARS_AHEAD = 2, 8

#: The default times of docs/domain.md, section 4: look, first action, update every, decide.
DEFAULT_TIMES: Mapping[Priority, PriorityTargets] = {
    Priority.P1: PriorityTargets("30 min", "4 h", "1 day", "5 bd"),
    Priority.P2: PriorityTargets("4 wh", "1 bd", "2 bd", "5 bd"),
    Priority.P3: PriorityTargets("1 bd", "3 bd", "5 bd", "10 bd"),
    Priority.P4: PriorityTargets("2 bd", "5 bd", "10 bd", "20 bd"),
}

DEFAULT_LEVELS: Mapping[str, tuple[str, ...]] = {
    "1": ("handler", "manager"),
    "2": ("manager", "top_management"),
}

#: The times of a priority, and the priorities that a preset or `[targets]` cannot make slower.
_PER_PRIORITY = tuple(PriorityTargets.__dataclass_fields__)
_GUARDED = (Priority.P1, Priority.P2)
#: The times that are the same for every priority, and how a scheme counts, which only its preset says.
_SAME_FOR_ALL = tuple(
    name
    for name in Targets.__dataclass_fields__
    if name not in ("by_priority", "overrides", "law", "by_level", "clocks", "completion")
)
#: A day before every change of the law in a preset.
_FIRST_DAY = date(1970, 1, 1)
#: How long before a promised date the complainant is warned if it may be missed, also without a scheme (7.3).
_DELAY_NOTICE = "1 bd"


def rulebook(
    settings: Settings, jurisdiction: str | None = None, *, year: int | None = None, on: date | None = None
) -> Rulebook:
    """The rules of the organisation's own country, or of a further jurisdiction by its two letters.

    They are for complaints received on the day `on` (default: today). Public holidays reach from two years before
    `year` (default: this year) to eight years after it. Raises SettingsError for a jurisdiction that the settings do
    not have.
    """
    own = settings.organisation
    other = _jurisdiction(settings, jurisdiction)
    country = own.country if other is None else str(jurisdiction)
    region = own.region if other is None else other.region
    preset_name = (other and other.preset) or own.preset
    hours = (other and other.calendar) or settings.calendar
    zone = (other and other.timezone) or own.timezone
    day = on or local_time(datetime.now(UTC), zone).date()
    preset, law = preset_named(preset_name).on(day), country_law(country).on(day)
    public = _public_holidays(country, region, own.staff_language, year or datetime.now(UTC).year)
    calendar = _calendar(hours, zone, country, public, _closures(settings, hours, zone, year=year).days)
    if last_day := _last_day_before_closed_year(calendar):
        key = (
            "calendar" if other is None or other.calendar is None else f"jurisdiction.{jurisdiction}.calendar"
        )
        what = f"no day is worked in the year after {last_day}; a series that closes every day? Nothing could be due"
        raise SettingsError([Problem(key, str(settings.file), what)])
    # On-call hours are in the organisation's time zone, also for complaints from a further jurisdiction.
    on_call = _on_call(settings.on_call, "" if zone == own.timezone else own.timezone)
    levels = (other and other.levels) or settings.levels or preset.get("levels") or DEFAULT_LEVELS
    limits = settings.authority if other is None or other.authority is None else other.authority
    amounts = {role: limit.amount for role, limit in limits.items()} or {
        role: (amount,) for role, amount in default_authority(country).items()
    }
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
        hazards_signed_until=hazards_signed_until(settings),
        targets=_targets((other and other.targets) or settings.targets, preset, calendar, on_call, law),
        levels={int(number): tuple(roles) for number, roles in levels.items()},
        authority={role: parse_limit(texts, currency_of(country)) for role, texts in amounts.items()},
        recourse=_recourse(settings, other, preset, law),
        danger=_danger(settings, other),
        dialogue=Dialogue(**settings.dialogue.model_dump()),
        survey=Survey(**settings.survey.model_dump()),
        notice=privacy.notice,
        retention=privacy.retention or "",
        simulated=settings.simulation.telegram,
        categories={category.key: dict(category.name) for category in settings.category},
        products=tuple(product.key for product in settings.product),
        branches=tuple(branch.key for branch in settings.branch),
        jurisdictions=tuple(settings.jurisdiction) if other is None else (),
        fast_track=FastTrack(**preset.get("fast_track")) if preset.get("fast_track") else None,
        accept_within=preset.get("accept_within"),
        missed_payment=_missed_payment(preset, region),
        hold_off=HoldOff(**preset.get("hold_off", {})),
        person_within=preset.get("person_within"),
        check_share=settings.quality_check.share,
        required_training=settings.training.required,
        investigation={
            int(level): InvestigationPlan(plan.steps, plan.required)
            for level, plan in settings.investigation.items()
        },
    )


#: What a role may grant alone where the file has no [authority], in the country's currency.
DEFAULT_AUTHORITY: Mapping[sections.LevelRole, int] = {"handler": 50, "manager": 500}


def default_authority(country: str) -> dict[sections.LevelRole, str]:
    """What each role may grant alone without [authority]; top management has no limit."""
    return {role: f"{amount} {currency_of(country)}" for role, amount in DEFAULT_AUTHORITY.items()}


def currency_of(country: str) -> str:
    """The currency in use in the country, from CLDR; EUR if it has none."""
    for code, _start, end, tender in get_global("territory_currencies").get(country, ()):
        if end is None and tender:
            return str(code)
    return "EUR"


def rulebooks(settings: Settings, *, year: int | None = None) -> Rulebooks:
    """The rules of the organisation's own country and of every further jurisdiction, today and by date."""
    others = {code: rulebook(settings, code, year=year) for code in settings.jurisdiction}
    own = rulebook(settings, year=year)
    periods = {
        "" if rules is own else rules.country: tuple(_periods(settings, rules, year))
        for rules in (own, *others.values())
    }
    return Rulebooks(own, others, {code: dated for code, dated in periods.items() if len(dated) > 1})


def _periods(settings: Settings, rules: Rulebook, year: int | None) -> Iterator[RulePeriod]:
    """The rules of one jurisdiction for each time between two changes of the law that changes them."""
    last: Rulebook | None = None
    for day in (_FIRST_DAY, *preset_named(rules.preset).change_days()):
        then = rulebook(settings, rules.country, year=year, on=day)
        if then != last:
            yield RulePeriod(ALWAYS if last is None else at_minute(day, 0, rules.calendar.zone), then)
        last = then


def preset_targets(name: str, on: date | None = None) -> Targets:
    """The times of a preset for complaints received on this day (default: today), without a calendar."""
    preset = preset_named(name).on(on or datetime.now(UTC).date())
    return _targets(sections.TargetsSettings(), preset, Calendar(always=True), OnCall(), RulesOfDay({}))


def _missed_payment(preset: RulesOfDay, region: str | None) -> Limit | None:
    """The scheme's payment for a missed time in this region; None without a region that has one."""
    amount = preset.get(f"missed_payment.{region}")
    return None if amount is None else parse_amount(amount)


def _jurisdiction(settings: Settings, code: str | None) -> sections.Jurisdiction | None:
    if code is None or code == settings.organisation.country:
        return None
    if code not in settings.jurisdiction:
        codes = ", ".join((settings.organisation.country, *settings.jurisdiction))
        raise SettingsError(
            [Problem(f"jurisdiction.{code}", str(settings.file), f"is not set; known are {codes}")]
        )
    return settings.jurisdiction[code]


def _closures(
    settings: Settings, hours: sections.CalendarSettings, zone: str, *, year: int | None = None
) -> Closures:
    """The days off from the calendar's iCalendar files, over the same years. Raises SettingsError."""
    now = year or datetime.now(UTC).year
    first, last = date(now - YEARS_BACK, 1, 1), date(now + YEARS_AHEAD, 12, 31)
    try:
        return closures_of(
            settings.file.parent, hours.ics, DeskHours(zone, parse_hours(hours.hours)), first, last
        )
    except BadCalendarFile as wrong:
        raise SettingsError([Problem("calendar.ics", str(settings.file), str(wrong))]) from wrong


def ignored_closures(settings: Settings, code: str | None) -> list[str]:
    """Events in the calendar files of this jurisdiction that are no days off, each with the reason."""
    other = settings.jurisdiction.get(code or "")
    hours = (other and other.calendar) or settings.calendar
    zone = (other and other.timezone) or settings.organisation.timezone
    return [f"not counted as a day off: {event}" for event in _closures(settings, hours, zone).left_out]


def all_ignored_closures(settings: Settings) -> list[str]:
    """Events in the calendar files of every jurisdiction that are no days off. Raises SettingsError."""
    codes = (None, *settings.jurisdiction)
    return list(dict.fromkeys(event for code in codes for event in ignored_closures(settings, code)))


def _calendar(
    section: sections.CalendarSettings,
    zone: str,
    country: str,
    public: Mapping[date, str],
    from_files: Mapping[date, str],
) -> Calendar:
    """Every day off, and which of them only the organisation has: those move no legal date."""
    hours = parse_hours(section.hours)
    own = {**from_files, **{date.fromisoformat(day): name for day, name in section.closed.items()}}
    weekend = holidays.country_holidays(country).weekend
    return Calendar(
        zone=zone,
        hours=hours or {},
        always=hours is None,
        holidays=dict(sorted({**public, **own}.items())),
        closures={day: own[day] for day in sorted(own) if day not in public},
        closed_weekdays=()
        if hours is None
        else tuple(day for day in range(7) if day not in hours and day not in weekend),
    )


def _last_day_before_closed_year(calendar: Calendar) -> date | None:
    """The last working day (or the first day off) before a year without one; None if there is no such year."""
    days_off = sorted(calendar.holidays)
    if not days_off:
        return None
    first = last_worked = days_off[0]
    for day in (first + timedelta(days=number) for number in range((days_off[-1] - first).days + 1)):
        if day not in calendar.holidays and (calendar.always or day.weekday() in calendar.hours):
            last_worked = day
        elif (day - last_worked).days > 365:
            return last_worked
    return None


@cache
def _public_holidays(country: str, region: str | None, language: str, year: int) -> Mapping[date, str]:
    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    # Staff read the names where a due time is explained: use their language, never the locale of the process.
    available = holidays.country_holidays(country).supported_languages
    matching = [code for code in available if code.split("_")[0] == language.split("_")[0].split("-")[0]]
    english = [code for code in available if code.startswith("en")]
    chosen = next(iter(matching + english), None)
    names = holidays.country_holidays(country, subdiv=region, years=years, language=chosen)
    return {day: names[day] for day in sorted(names)}


#: How long the signature on the hazards holds.
_SIGNED_FOR = timedelta(days=365)


def hazards_signed_until(settings: Settings) -> str:
    """The last day, in ISO 8601, on which the signature on the hazards holds; "" where it is of other sentences."""
    own = settings.hazards
    is_current = own.hash == table_hash(hazard_countries(settings))
    return (own.signed_on + _SIGNED_FOR).isoformat() if own.signed_on is not None and is_current else ""


def hazard_countries(settings: Settings) -> frozenset[str]:
    """The countries whose sentences a safety officer signs."""
    return frozenset({settings.organisation.country, *settings.jurisdiction})


def _on_call(section: sections.OnCallSettings, zone: str) -> OnCall:
    if not section.people:
        return OnCall()
    hours = parse_hours(section.hours, overnight=True)
    return OnCall(always=hours is None, hours=hours or {}, people=section.people, zone=zone if hours else "")


def _danger(settings: Settings, other: sections.Jurisdiction | None) -> tuple[Danger, ...]:
    """The jurisdiction's signs of danger, or those of the organisation without their local telephone numbers."""
    if other is None or other.danger is not None:
        own = settings.danger if other is None else other.danger
        return tuple(
            Danger(signs=danger.signs, number=danger.number, text=danger.text) for danger in own or ()
        )
    return tuple(Danger(signs=danger.signs, text=danger.text) for danger in settings.danger)


def _recourse(
    settings: Settings, other: sections.Jurisdiction | None, preset: RulesOfDay, law: RulesOfDay
) -> tuple[RecourseStep, ...]:
    bodies = settings.recourse if other is None or other.recourse is None else other.recourse
    if other is not None and other.recourse is None and other.preset is not None:
        bodies = ()  # A jurisdiction with its own scheme has the bodies of that scheme, not the organisation's.
    if bodies:
        return tuple(RecourseStep(**body.model_dump()) for body in bodies)
    by_rule = preset.group("recourse") or law.group("recourse")
    return tuple(RecourseStep(**body) for body in by_rule.values())


def _targets(
    section: sections.TargetsSettings,
    scheme: RulesOfDay,
    calendar: Calendar,
    on_call: OnCall,
    law: RulesOfDay,
) -> Targets:
    """The times. Each is from the first place that sets it: `[targets.Pn]`, `[targets]`, the preset, the defaults.

    `law` has the times that a country sets for every scheme.
    """
    overrides: list[str] = []
    by_priority: dict[str, PriorityTargets] = {}
    for priority, default_times in DEFAULT_TIMES.items():
        spans: dict[str, str] = {}
        for key in _PER_PRIORITY:
            default: str = getattr(default_times, key)
            own: str | None = getattr(section.for_priority(priority), key)
            chosen: str = own or getattr(section, key) or scheme.get(key) or default
            guarded = (
                priority in _GUARDED
                and chosen != default
                and _can_be_later(chosen, default, calendar, on_call)
            )
            if guarded and own:
                overrides.append(f"{priority}.{key}")
            spans[key] = default if guarded and not own else chosen
        by_priority[priority.value] = PriorityTargets(**spans)
    same_for_all = {key: _first_set(key, section, scheme, law) for key in _SAME_FOR_ALL}
    same_for_all["delay_notice"] = same_for_all["delay_notice"] or _DELAY_NOTICE
    completion = scheme.get("completion")
    by_level: dict[int, dict[str, Any]] = {}
    for key, value in scheme.group("level").items():
        by_level.setdefault(int(key[0]), {})[key[2:]] = value
    return Targets(
        by_priority=by_priority,
        overrides=tuple(overrides),
        by_level={number: LevelTargets(**times) for number, times in by_level.items()},
        law=tuple(rule.name for rule in scheme.rules.values() if rule.is_by_law),
        clocks=tuple(SubjectClock(name, **clock) for name, clock in scheme.group("clock").items()),
        completion=Completion(**completion) if completion else None,
        **{key: span for key, span in same_for_all.items() if span is not None},
    )


def _first_set(key: str, section: sections.TargetsSettings, scheme: RulesOfDay, law: RulesOfDay) -> Any:
    values = (getattr(section, key, None), scheme.get(key), law.get(key))
    return next((value for value in values if value is not None), None)


def _can_be_later(span: str, other: str, calendar: Calendar, on_call: OnCall) -> bool:
    """True if the first length can end after the other; only a calendar can compare "8 weeks" with "5 bd"."""
    return any(
        due_where_on_call(start, span, calendar, on_call).at
        > due_where_on_call(start, other, calendar, on_call).at
        for start in _sample_starts(calendar)
    )


def _sample_starts(calendar: Calendar) -> Iterator[datetime]:
    # Each half hour past the hour of two ordinary weeks: with nights, weekends, and the edges of working hours.
    year = max((day.year for day in calendar.holidays), default=2026 + YEARS_AHEAD) - YEARS_AHEAD
    first = datetime.combine(date(year, 3, 1), time(0, 30), UTC)
    yield from (first + timedelta(hours=hours) for hours in range(14 * 24))
