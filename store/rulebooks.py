"""Rulebooks: immutable rows identified by their content, and which of them new complaints get."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import bindparam, func, select

from complaints.errors import AlreadyDone
from complaints.rulebook import ALWAYS, Rulebook, Rulebooks, RulePeriod, as_json, from_json, later_settings
from complaints.times import format_time
from store.database.errors import StoreError, WrongSchemaVersion
from store.database.leases import find_leader
from store.database.prepared import Prepared
from store.database.transaction import Tx
from store.proof.hash_chain import list_instance_events, record_instance_event
from store.tables import RULEBOOKS, SETTINGS

#: The jurisdiction under which the rules of the organisation's own country are stored.
DEFAULT = ""
_HERE = SETTINGS.c.jurisdiction == bindparam("jurisdiction")
_NEWEST = select(func.max(SETTINGS.c.id)).where(_HERE)
#: Built once, since every message runs it.
_PERIODS = Prepared(
    select(SETTINGS.c.rulebook_id, SETTINGS.c.at)
    .where(
        _HERE,
        SETTINGS.c.id >= _NEWEST.where(SETTINGS.c.at == ALWAYS).scalar_subquery(),
    )
    .order_by(SETTINGS.c.id)
)


def close_day(tx: Tx, day: date, by: str, name: str | None) -> None:
    """Close the office on a day for complaints received from now on; without a name, open it again.

    The desk's log has the author. Dates of open complaints stay until they are moved (`redate`).
    Raises AlreadyDone if nothing would change.
    """
    own, previous = load_current_rulebook(tx), _closed_days(tx).get(day)
    if (previous is None) if name is None else day in own.calendar.holidays:
        raise AlreadyDone.worded("already_so:closure", day=day)
    for code in (DEFAULT, *own.jurisdictions):
        rows = _periods(tx, code)
        rules = [_closing(load_rulebook(tx, number), {day: name}) for number, _ in rows]
        starts = (since for _, since in rows)
        _use_periods(tx, code, [RulePeriod(*period) for period in zip(starts, rules, strict=True)])
    record_instance_event(tx, "close_day", {"day": day.isoformat(), "name": name, "by": by})


def with_closed_days(tx: Tx, rulebooks: Rulebooks) -> Rulebooks:
    """These rules of the settings with the days on which managers closed the office in Slack."""
    days = list_closed_days(tx, date.min)
    periods = {
        code: tuple(replace(period, rules=_closing(period.rules, days)) for period in dated)
        for code, dated in rulebooks.periods.items()
    }
    others = {code: _closing(rules, days) for code, rules in rulebooks.others.items()}
    return Rulebooks(_closing(rulebooks.own, days), others, periods)


def list_closed_days(tx: Tx, first: date) -> dict[date, str]:
    """The days from `first` on that managers closed, with their names."""
    return {day: name for day, name in sorted(_closed_days(tx).items()) if name and day >= first}


def _closed_days(tx: Tx) -> dict[date, str | None]:
    events = reversed(list_instance_events(tx, "close_day", 1000))
    return {date.fromisoformat(event["facts"]["day"]): event["facts"]["name"] for event in events}


def _closing(rules: Rulebook, days: Mapping[date, str | None]) -> Rulebook:
    """The rules with these days closed; a day without a name is open again."""
    closures, holidays = dict(rules.calendar.closures), dict(rules.calendar.holidays)
    for day, name in days.items():
        if name is None and closures.pop(day, None) is not None:
            del holidays[day]
        elif name is not None and day not in holidays:
            closures[day] = holidays[day] = name
    calendar = replace(
        rules.calendar, closures=dict(sorted(closures.items())), holidays=dict(sorted(holidays.items()))
    )
    return rules if calendar == rules.calendar else replace(rules, calendar=calendar)


def use_rulebook(
    tx: Tx, rules: Rulebook, jurisdiction: str = DEFAULT, periods: Sequence[RulePeriod] = ()
) -> bool:
    """Give new complaints these rules from now on; True, and events are recorded, if they differ from before.

    With `periods` the rules of each date are stored ahead, so those of a new day apply without a restart.
    """
    return _use_periods(tx, jurisdiction, periods or (RulePeriod(ALWAYS, rules),))


def _use_periods(tx: Tx, jurisdiction: str, periods: Sequence[RulePeriod]) -> bool:
    wanted = [(store_rulebook(tx, period.rules), period.since) for period in periods]
    if _periods(tx, jurisdiction) == wanted:
        return False
    for number, since in wanted:
        tx.add(SETTINGS, jurisdiction=jurisdiction, rulebook_id=number, at=since)
        facts = {"rulebook": number, "jurisdiction": jurisdiction}
        dated = {} if since == ALWAYS else {"since": format_time(since)}
        record_instance_event(tx, "load_settings", facts | dated)
    return True


def use_rulebooks(tx: Tx, rulebooks: Rulebooks) -> bool:
    """`use_rulebook` for every jurisdiction; True if any differs from before.

    A jurisdiction that the settings no longer have gets no new complaints: the organisation's own rules list them.
    """
    rulebooks = with_closed_days(tx, rulebooks)
    all_rules = {DEFAULT: rulebooks.own, **rulebooks.others}
    changed = [
        use_rulebook(tx, rules, code, rulebooks.periods.get(code, ())) for code, rules in all_rules.items()
    ]
    return any(changed)


def use_rulebooks_when_readable(tx: Tx, rulebooks: Rulebooks, *, lead: str, holder: str) -> bool:
    """`use_rulebooks`, unless the leader is another process that may not be able to read them; False: not yet.

    The new rules may use settings that came with a newer release. A leader of the older release could not load
    them, and would stop receiving messages and handling obligations.
    """
    leading = find_leader(tx, lead)
    if leading not in (None, holder) and _periods(tx, DEFAULT):
        newer_settings = later_settings(tuple(load_current_rulebooks(tx)))
        if not later_settings(_all_rules(rulebooks)) <= newer_settings:
            return False
    use_rulebooks(tx, rulebooks)
    return True


def _all_rules(rulebooks: Rulebooks) -> tuple[Rulebook, ...]:
    dated = (period.rules for periods in rulebooks.periods.values() for period in periods)
    return (*rulebooks, *dated)


def store_rulebook(tx: Tx, rules: Rulebook) -> str:
    """Store a rulebook unless it is there already; returns its id."""
    number = rules.id
    tx.insert_missing(RULEBOOKS, [{"id": number, "data": as_json(rules), "at": tx.now}])
    return number


def load_current_rulebook(tx: Tx) -> Rulebook:
    """The rules of the organisation's own country; raises StoreError if no settings were ever loaded."""
    return _in_force(tx, DEFAULT, tx.now)


def load_current_rulebooks(tx: Tx, received_at: datetime | None = None) -> Rulebooks:
    """The rules that complaints received then get, or now, by jurisdiction: today's settings, the law of that day.

    Raises StoreError if no settings were ever loaded.
    """
    moment = received_at or tx.now
    own = _in_force(tx, DEFAULT, moment)
    return Rulebooks(own, {code: _in_force(tx, code, moment) for code in own.jurisdictions})


def load_dated_rulebooks(tx: Tx) -> Rulebooks:
    """`load_current_rulebooks` for any time: `at` gives those of complaints received then."""
    own = _rule_periods(tx, DEFAULT)
    periods = {code: _rule_periods(tx, code) for code in own[0].rules.jurisdictions}
    others = {code: dated[0].rules for code, dated in periods.items()}
    return Rulebooks(own[0].rules, others, {DEFAULT: own, **periods})


def load_rulebook(tx: Tx, number: str) -> Rulebook:
    """A rulebook by its id; raises WrongSchemaVersion if a newer release wrote it with unknown settings."""
    rules = tx.rulebooks.get(number)
    if rules is None:
        data = tx.connection.execute(select(RULEBOOKS.c.data).where(RULEBOOKS.c.id == number)).scalar_one()
        try:
            rules = tx.rulebooks[number] = from_json(data)
        except TypeError as unknown:
            # Ignoring the unknown settings would give wrong dates; a process of the newer release handles it.
            raise WrongSchemaVersion(
                "These rules were written by a newer release with settings that this one does not have: install it."
            ) from unknown
    return rules


def _rule_periods(tx: Tx, jurisdiction: str) -> tuple[RulePeriod, ...]:
    return tuple(
        RulePeriod(since, load_rulebook(tx, number)) for number, since in _some_periods(tx, jurisdiction)
    )


def _some_periods(tx: Tx, jurisdiction: str) -> list[tuple[str, datetime]]:
    periods = _periods(tx, jurisdiction)
    if not periods:
        raise StoreError("the database has no settings yet: start `amends run` once")
    return periods


def _in_force(tx: Tx, jurisdiction: str, moment: datetime) -> Rulebook:
    periods = _some_periods(tx, jurisdiction)
    begun = [number for number, since in periods if since <= moment]
    return load_rulebook(tx, begun[-1] if begun else periods[0][0])


def _periods(tx: Tx, jurisdiction: str) -> list[tuple[str, datetime]]:
    """The ids of the rules that the newest settings have, each with the time from which it applies."""
    return [(number, since) for number, since in _PERIODS.rows(tx.connection, jurisdiction=jurisdiction)]


def list_rulebook_presets(tx: Tx) -> dict[str, str]:
    """The preset of every rulebook that was ever in force, by the rulebook's id."""
    numbers = tx.connection.execute(select(RULEBOOKS.c.id)).scalars().all()
    return {number: load_rulebook(tx, number).preset for number in numbers}
