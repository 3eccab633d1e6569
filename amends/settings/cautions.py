"""Settings that are allowed but worth a warning from `amends check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import holidays

from amends.settings.loading import Settings
from amends.settings.rulebook import ignored_closures, preset_named, rulebook
from complaints.deadlines.periods import RetentionPeriod
from complaints.deadlines.working_time import Span, due
from complaints.rulebook import Rulebook

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
    table = f"jurisdiction.{code}.targets" if code and settings.jurisdiction[code].targets else "targets"
    for key in rules.targets.overrides:
        yield f"{table}.{key} is later than the default for the most urgent complaints"
    if rules.region is None and (parts := _parts_with_own_holidays(rules.country, datetime.now(UTC).year)):
        yield f"no region is set for {rules.country}: holidays of parts do not count ({', '.join(parts)})"
    yield from filter(None, [_limitation_caution(rules), _scheme_caution(rules, preset_named(rules.preset))])
    yield from ignored_closures(settings, code)
    if code and settings.jurisdiction[code].emergency_number is None:
        number = rules.emergency_number
        yield f"jurisdiction.{code}.emergency_number is not set: in danger people are given {number}"


def _limitation_caution(rules: Rulebook) -> str | None:
    """A warning if files are kept for a shorter time than claims may be brought (docs/domain.md, section 7)."""
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


def _scheme_caution(rules: Rulebook, scheme: Mapping[str, Any]) -> str | None:
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
