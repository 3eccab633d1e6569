"""Settings that are allowed but worth a warning from `amends check`."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import holidays

from amends.settings.presets import RulesOfDay, preset_named
from amends.settings.rulebook import ignored_closures, rulebook
from amends.settings.settings_file import Settings
from complaints.deadlines.opening_hours import WEEKDAYS, works_on
from complaints.deadlines.periods import RetentionPeriod
from complaints.deadlines.working_time import Span, due, rolled_to_working_day
from complaints.rulebook import Rulebook
from complaints.times import at_minute, local_time

#: How long claims under a contract may be brought, as a rule. Some periods are longer (deeds, personal injury).
LIMITATION: Mapping[str, str] = {"GB": "72 months", "TR": "120 months"}
#: Lengths of time are compared from this day.
_ANY_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def cautions(settings: Settings) -> list[str]:
    warnings = list(settings.unknown)
    for code in (None, *settings.jurisdiction):
        warnings += _jurisdiction_cautions(settings, code)
    if settings.privacy.purge and not settings.privacy.retention:
        warnings.append("privacy.purge does nothing without privacy.retention: say how long files are kept")
    return list(dict.fromkeys(warnings))


def _jurisdiction_cautions(settings: Settings, code: str | None) -> Iterator[str]:
    rules = rulebook(settings, code)
    today = local_time(datetime.now(UTC), rules.calendar.zone).date()
    scheme = preset_named(rules.preset).on(today)
    table = f"jurisdiction.{code}.targets" if code and settings.jurisdiction[code].targets else "targets"
    for key in rules.targets.overrides:
        yield f"{table}.{key} is later than the default for the most urgent complaints"
    if rules.region is None and (parts := _parts_with_own_holidays(rules.country, datetime.now(UTC).year)):
        yield f"no region is set for {rules.country}: holidays of parts do not count ({', '.join(parts)})"
    yield from filter(None, [_limitation_caution(rules), _scheme_caution(rules, scheme)])
    yield from ignored_closures(settings, code)
    yield from _closure_cautions(rules, today)
    payments = scheme.group("missed_payment")
    if payments and rules.missed_payment is None:
        sums = ", ".join(f"{region} {amount}" for region, amount in payments.items())
        yield f"{rules.preset}: no payment for a missed time is named: set the region ({sums})"
    if code and settings.jurisdiction[code].emergency_number is None:
        number = rules.emergency_number
        yield f"jurisdiction.{code}.emergency_number is not set: in danger people are given {number}"


def _closure_cautions(rules: Rulebook, today: date) -> Iterator[str]:
    """A warning with an example if days on which only we are closed would have moved a legal date."""
    calendar = rules.calendar
    if calendar.by_law is calendar:
        return
    days = {day: f"{day} ({name})" for day, name in calendar.closures.items() if day >= today}
    for weekday in calendar.closed_weekdays:
        days[today + timedelta(days=(weekday - today.weekday()) % 7)] = f"each {WEEKDAYS[weekday]}"
    working = [(day, name) for day, name in sorted(days.items()) if works_on(day, calendar.by_law)]
    for day, name in working:
        start = at_minute(day - timedelta(days=1), 12 * 60, calendar.zone)
        for rule, span in _times_of_law(rules):
            ends = [due(start, span, by) for by in (calendar.by_law, calendar)]
            if rule == "privacy":
                # Only the last day counts, so the example is an answer that is due on the closed day.
                first = due(at_minute(day, 12 * 60, calendar.zone), "0 days", calendar)
                ends = [rolled_to_working_day(first, by) for by in (calendar.by_law, calendar)]
            stays, moved = (local_time(end.at, calendar.zone).date() for end in ends)
            if stays < moved:
                more = f" and {len(working) - 1} more" if len(working) > 1 else ""
                yield (
                    f"closed {name}{more}: that moves your own dates, and no legal one. For example `{rule}` "
                    f"({span}, {rules.country}) stays {stays}; with the closure it would have been {moved}"
                )
                return


def _times_of_law(rules: Rulebook) -> Iterator[tuple[str, str]]:
    """The times that the law or the scheme sets, with the names of their settings."""
    targets = rules.targets
    times = {"legal": targets.legal, "decide": targets.by_priority["P4"].decide, "privacy": targets.privacy}
    times |= {"ack": targets.ack, "escalated_ack": targets.escalated_ack}
    for level, own in targets.by_level.items():
        times |= {f"level.{level}.ack": own.ack, f"level.{level}.decide": own.decide}
    if rules.fast_track is not None:
        yield "fast_track", rules.fast_track.within
    for rule, span in times.items():
        if span is not None and rules.is_law(rule):
            yield rule, span


def _limitation_caution(rules: Rulebook) -> str | None:
    """A warning if files are kept for a shorter time than claims may be brought (docs/custody.md, "Purge")."""
    if not rules.retention:
        return None
    period = RetentionPeriod.parse(rules.retention)
    warning = f"privacy.retention purges files {_after(period)} ({rules.country})"
    limit = LIMITATION.get(rules.country)
    if limit is None:
        return f"{warning}: make sure that no limitation period is longer"
    if _is_shorter(period.span, limit, rules):
        return f"{warning}, but claims may be brought for {limit}: make sure that this is intended"
    return None


def _scheme_caution(rules: Rulebook, scheme: RulesOfDay) -> str | None:
    """A warning if files may be purged before the time from receipt for which the scheme wants them kept.

    A period from closing ends later than one from receipt, so only the lengths are compared.
    """
    required = scheme.get("keep")
    if not rules.retention or required is None:
        return None
    period = RetentionPeriod.parse(rules.retention)
    if not _is_shorter(period.span, required, rules):
        return None
    return (
        f"privacy.retention purges files {_after(period)}, but {rules.preset} asks to keep them for "
        f"{required} from receipt: make sure that none is purged too early"
    )


def _is_shorter(span: Span | str, other: str, rules: Rulebook) -> bool:
    first, second = (due(_ANY_DAY, length, rules.calendar).at for length in (span, other))
    return first < second


def _after(period: RetentionPeriod) -> str:
    return f"{period.span} after {'receipt' if period.from_receipt else 'closing'}"


def _parts_with_own_holidays(country: str, year: int) -> list[str]:
    parts = holidays.list_supported_countries(include_aliases=False)[country]
    common = set(holidays.country_holidays(country, years=year))
    return [
        part for part in parts if set(holidays.country_holidays(country, subdiv=part, years=year)) - common
    ]
