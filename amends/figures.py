"""The figures of monitoring: crossed thresholds, daily states of objectives (6.2, 8.4), and publications (8.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from complaints.actors import SYSTEM
from complaints.registers.entries import Entry
from complaints.times import local_time
from reports.disclosure.public_figures import public_figures
from reports.kpis import Goal, TargetVerdict
from reports.monitoring import monitor
from reports.statistics import Share
from reports.tally import Period
from scheduler.worker import Handler
from store.outbox.complete import Completed, Outcome
from store.proof.hash_chain import list_instance_events
from store.registers import act_on_entry, add_entry, list_entries
from store.rulebooks import load_current_rulebook
from store.store import Store
from store.values import Obligation

if TYPE_CHECKING:
    from amends.settings import Settings

KIND = "register_figures"
#: The state of an objective by its verdict.
_STATES = {
    TargetVerdict.MET: "on_target", TargetVerdict.NOT_MET: "missed", TargetVerdict.TOO_FEW: "too_few",
}  # fmt: skip


class Threshold(NamedTuple):
    """Limits of a share between 0 and 1, over so many days: an alert above the one, or below the other."""

    figure: str
    above: float | None
    below: float | None
    days: int

    def crossed(self, value: float) -> tuple[str, float] | None:
        """The direction and the limit that this value crosses."""
        if self.above is not None and value > self.above:
            return "above", self.above
        return ("below", self.below) if self.below is not None and value < self.below else None


def figure_handlers(store: Store, thresholds: Sequence[Threshold]) -> Mapping[str, Handler]:
    """The handler of `register_figures`."""

    async def check(_: Obligation) -> Outcome:
        # In a thread of its own: a period of a large desk takes seconds.
        await asyncio.to_thread(check_figures, store, thresholds)
        return Completed()

    return {KIND: check}


def check_figures(store: Store, thresholds: Sequence[Threshold]) -> None:
    """Open an alert for each threshold that is crossed, once a month, and record changed states of objectives."""
    zone = store.read(load_current_rulebook).calendar.zone
    today = local_time(store.now(), zone).date()
    shares: dict[tuple[date, date], Mapping[str, Share]] = {}

    def share_of(figure: str, first: date, last: date) -> Share:
        if (first, last) not in shares:
            shares[first, last] = _shares(store, first, last, zone)
        return shares[first, last].get(figure, Share(0, 0))

    for threshold in thresholds:
        first = today - timedelta(days=threshold.days - 1)
        share = share_of(threshold.figure, first, today)
        crossed = None if share.value is None else threshold.crossed(share.value)
        if crossed is not None and share.value is not None:
            _open_alert(store, threshold.figure, crossed, share.value, first, today)
    for objective in store.read(list_entries, "objective", is_open=True):
        since = date.fromisoformat(objective.facts["since"])
        if since <= today:
            last = min(today, objective.due or today)
            _record_state(store, objective, share_of(objective.facts["figure"], since, last))


def _shares(store: Store, first: date, last: date, zone: str) -> Mapping[str, Share]:
    period = Period.of_days(first, last, zone)
    report = monitor(store.for_monitoring(period.start, period.end), period=period, now=store.now())
    # Of a figure with a share for each level or question, the first: that of level 1.
    return {figure.key: figure.share for figure in reversed(report.shares)}


def _open_alert(
    store: Store, figure: str, crossed: tuple[str, float], value: float, first: date, today: date
) -> None:
    direction, limit = crossed
    facts = {
        "figure": figure, "direction": direction, "limit": f"{100 * limit:g}", "value": f"{100 * value:.1f}",
        "since": first.isoformat(), "until": today.isoformat(),
    }  # fmt: skip
    same = ("figure", "direction", "limit")
    # Not by a key: keys are kept for days only.
    opened = [
        alert
        for alert in store.read(list_entries, "alert")
        if alert.facts["until"][:7] == facts["until"][:7]
        and all(alert.facts[name] == facts[name] for name in same)
    ]
    if not opened:
        store.write(add_entry, "alert", "raise", SYSTEM, facts)


def _record_state(store: Store, objective: Entry, share: Share) -> None:
    """The state against the objective's own target; only a change is recorded."""
    target = float(objective.facts["target"]) / 100
    goal = Goal(at_least=target) if objective.facts["direction"] == "at_least" else Goal(at_most=target)
    state = _STATES[goal.verdict(share.value, share.of)]
    if state != objective.state:
        value = None if share.value is None else round(share.value, 4)
        facts = {"value": value, "number": share.of}
        store.write(act_on_entry, objective.code, "measured", SYSTEM, facts, target=state)


def count_figures(store: Store, settings: Settings, period: Period, now: datetime) -> dict[str, Any]:
    """The figures of the period, as a publication records them."""
    days = period.days(settings.organisation.timezone)
    rows = store.for_monitoring(period.start, period.end)
    return public_figures(monitor(rows, period=period, now=now), *days)


def newest_publication(store: Store) -> dict[str, Any] | None:
    """The figures that were published last, with the time of that as `at`."""
    events = store.read(list_instance_events, "publication", 1)
    return {**events[0]["facts"], "at": events[0]["at"]} if events else None
