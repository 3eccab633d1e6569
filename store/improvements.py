"""Improvement actions: did they help, counted from the measures of complaints of their kind (8.7)."""

from datetime import date, timedelta
from math import isinf

from sqlalchemy import func, select

from complaints.actors import SYSTEM
from complaints.registers.effect import Effect
from complaints.registers.entries import Entry
from complaints.times import at_minute
from complaints.vocabulary import ContactKind
from store.database.transaction import Tx
from store.registers import act_on_entry, load_entry
from store.rulebooks import load_current_rulebook
from store.tables import MEASURES

_ROW = MEASURES.c


def count_effect(tx: Tx, entry: Entry) -> Effect:
    """The complaints of its category in the days before the day on which it was done, and in as many after it."""
    done_on, days = date.fromisoformat(entry.facts["done_on"]), int(entry.facts["effect_days"])
    zone = load_current_rulebook(tx).calendar.zone
    start, middle, end = (at_minute(done_on + timedelta(days=step), 0, zone) for step in (-days, 0, days))
    is_before = _ROW.received_at < middle
    query = select(func.count().filter(is_before), func.count().filter(~is_before)).where(
        _ROW.received_at >= start,
        _ROW.received_at < end,
        _ROW.category == entry.facts["category"],
        _ROW.kind == ContactKind.COMPLAINT.value,
        _ROW.is_simulation.is_(False),
    )
    before, after = tx.connection.execute(query).one()
    return Effect(before, days, after, days)


def check_effect(tx: Tx, code: str, version: int) -> Entry | None:
    """Record whether a done action helped; None if the entry changed since. A repeat changes nothing."""
    entry = load_entry(tx, code)
    checked = entry.acts_of("check")
    if checked and checked[-1].version == version + 1:
        return entry
    if entry.state != "done" or entry.version != version:
        return None
    effect = count_effect(tx, entry)
    low, high = effect.interval
    facts = {
        "before": effect.before, "after": effect.after, "days": effect.after_days,
        "ratio_low": round(low, 4), "ratio_high": None if isinf(high) else round(high, 4),
    }  # fmt: skip
    return act_on_entry(tx, code, "check", SYSTEM, facts, target=effect.verdict.value)
