"""Spikes and slow drifts in the number of complaints, compared with the season and the trend before (8.2).

A spike is a window of seven days with more complaints than a quasi-Poisson regression expects (Farrington 1996,
Noufaily 2013): trend and season from up to three years, earlier outbreaks weighted down. A drift is a CUSUM (Page
1954) of the last 26 weeks. Both limits are corrected for every series and every look of a report: where nothing
changed, at most 5 % of reports name a spike, and at most 5 % a drift.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from math import exp
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from complaints.measures.report_counts import ALL_COMPLAINTS, CountedCode

#: Days that are read before the end of a period: three years and the gap.
HISTORY = timedelta(days=7 * 186)
#: Of all tests of one report together: the share of reports without a change that name one.
FALSE_ALARMS = 0.05
#: A window with fewer complaints is no spike, however few were expected.
FEWEST_IN_SPIKE = 5
#: Weeks just before the period that are not compared with: a problem that grows would hide itself.
_GAP = 4
#: Weeks with complaints that a comparison needs; with so many it knows a trend, and a season.
_LEAST_WEEKS, _TREND_WEEKS, _SEASON_WEEKS = 12, 52, 104
_MOST_WEEKS = 156
#: Weeks that a drift may take to show, and its smallest shift of interest in standard deviations, halved (CUSUM's k).
_DRIFT_WEEKS, _SLACK = 26, 0.5
#: A CUSUM that passed its limit by chance stays above it for about so many weeks.
_STAYS = 5
#: A single week counts for at most this many standard deviations in a CUSUM: a spike is no drift.
_MOST_IN_WEEK = 3.0
#: Weeks further above what was fitted have less weight (Noufaily and others, 2013).
_OUTLIER = 2.58
_YEAR = 365.25 / 7
_Array = NDArray[np.float64]


class Spike(NamedTuple):
    """Seven days with more complaints than expected, the most unlikely ones of a series.

    `since` is the end of its first such window in the period, `limit` the largest number that chance explains.
    `is_new` is true for a code that had no complaint before.
    """

    code: CountedCode
    since: date
    last_day: date
    number: int
    expected: float
    limit: int
    is_new: bool


class Drift(NamedTuple):
    """A level that rose or fell slowly: its mean week from `since` to the end of the period, and the expected one."""

    code: CountedCode
    is_rise: bool
    since: date
    signalled: date
    weekly: float
    expected: float


class CountChanges(NamedTuple):
    """What a period shows. `tested` series had complaints in twelve weeks or more, `seasonal` ones in two years."""

    spikes: tuple[Spike, ...]
    drifts: tuple[Drift, ...]
    tested: int
    seasonal: int


def find_changes(counts: Mapping[CountedCode, Mapping[date, int]], first: date, last: date) -> CountChanges:
    """Spikes and drifts from `first` to `last` (both included), by code; `counts` reach back up to `HISTORY`."""
    codes = sorted(code for code, days in counts.items() if days)
    if not codes:
        return CountChanges((), (), 0, 0)
    start = max(min(min(counts[code]) for code in codes), last - HISTORY)
    days = np.zeros((len(codes), (last - start).days + 1))
    for row, code in enumerate(codes):
        for day, number in counts[code].items():
            if start <= day <= last:
                days[row, (day - start).days] = number
    at = max((first - start).days, 0)
    spikes, tested, seasonal = _spikes(codes, days, at, start)
    return CountChanges(spikes, _drifts(codes, days, at, start), tested, seasonal)


class _Expected(NamedTuple):
    """Of each series and point: the mean and its variance with the error of the estimate; NaN if it is too short."""

    mean: _Array
    variance: _Array
    error: _Array


def _weeks(days: _Array, end: int, most: int) -> _Array:
    """Whole weeks that end just before this day, the earliest first."""
    number = min(end // 7, most)
    weeks: _Array = days[:, end - 7 * number : end].reshape(len(days), number, 7).sum(axis=2)
    return weeks


def _spikes(
    codes: Sequence[CountedCode], days: _Array, at: int, start: date
) -> tuple[tuple[Spike, ...], int, int]:
    base_end = at - 7 * _GAP
    weeks = _weeks(days, max(base_end, 0), _MOST_WEEKS)
    if days.shape[1] < 7 or weeks.shape[1] < _LEAST_WEEKS:
        return (), 0, 0
    windows = np.lib.stride_tricks.sliding_window_view(days, 7, axis=1).sum(axis=2)[:, max(at - 6, 0) :]
    # The place of each window in weeks after the middle of the last week of the comparison.
    places = (np.arange(windows.shape[1]) + max(at - 6, 0) - (base_end - 7)) / 7
    lengths = _lengths(weeks)
    expected = _expect(weeks, places, lengths, has_trend=True)
    is_tested = lengths >= _LEAST_WEEKS
    # A code without complaints before is new wherever the record itself is long enough.
    is_new = (lengths == 0) & (weeks.shape[1] >= _LEAST_WEEKS)
    tests = max(1, int(is_tested.sum()) * windows.shape[1])
    with np.errstate(invalid="ignore"):
        chance = _tail(windows, expected)
        flagged = (windows >= FEWEST_IN_SPIKE) & ((chance < FALSE_ALARMS / tests) & is_tested[:, None])
    flagged |= (windows >= FEWEST_IN_SPIKE) & is_new[:, None]
    spikes = []
    for row in map(int, np.flatnonzero(flagged.any(axis=1))):
        first = int(flagged[row].argmax())
        top = int(windows[row].argmax() if is_new[row] else np.nanargmin(chance[row]))
        ends = start + timedelta(days=max(at - 6, 0) + 6)
        limit = 0 if is_new[row] else _limit(expected, row, top, FALSE_ALARMS / tests)
        spikes.append(
            Spike(
                code=codes[row],
                since=ends + timedelta(days=first),
                last_day=ends + timedelta(days=top),
                number=int(windows[row, top]),
                expected=0.0 if is_new[row] else float(expected.mean[row, top]),
                limit=limit,
                is_new=bool(is_new[row]),
            )
        )
    return tuple(spikes), int(is_tested.sum()), int((lengths >= _SEASON_WEEKS).sum())


def _drifts(codes: Sequence[CountedCode], days: _Array, at: int, start: date) -> tuple[Drift, ...]:
    """Rises and falls whose CUSUM is above its limit in a week that ends in the period."""
    total = days.shape[1]
    weeks = _weeks(days, total, _MOST_WEEKS + _DRIFT_WEEKS)
    before, recent = weeks[:, :-_DRIFT_WEEKS], weeks[:, -_DRIFT_WEEKS:]
    lengths = _lengths(before)
    # Without a trend: a level that rises for years is a drift.
    expected = _expect(before, np.arange(1.0, _DRIFT_WEEKS + 1), lengths, has_trend=False)
    is_seasonal = lengths >= _SEASON_WEEKS
    # Too short a record to know a season: the share of all complaints is compared.
    is_relative = ~is_seasonal & (lengths >= _DRIFT_WEEKS) & [code != ALL_COMPLAINTS for code in codes]
    if ALL_COMPLAINTS in codes:
        for row in map(int, np.flatnonzero(is_relative)):
            _expect_share(expected, row, weeks, codes.index(ALL_COMPLAINTS), int(lengths[row]))
    tested = np.flatnonzero(is_seasonal | is_relative)
    if not len(tested):
        return ()
    # Imported where it computes, here and below: the process that takes messages only reads the result.
    from scipy.stats import norm

    in_period = max(1, -(-(total - at) // 7))
    limit = _cusum_limit(2 * len(tested) * (in_period + _STAYS))
    drifts = []
    for row in map(int, tested):
        mean, variance = expected.mean[row], expected.variance[row]
        below = _tail(recent[row] + 1, expected, row)
        middle = below + (_tail(recent[row], expected, row) - below) / 2
        scores = np.clip(norm.isf(middle), -_MOST_IN_WEEK, _MOST_IN_WEEK)
        # The error of the estimate is the same in every week: without this it would add up to a drift.
        slack = _SLACK + expected.error[row] / np.sqrt(variance)
        # A share also falls where another one rises, so it shows rises alone.
        for is_rise in (True,) if is_relative[row] else (True, False):
            sums = _cusum(scores if is_rise else -scores, slack)
            above = np.flatnonzero(sums[-in_period:] > limit)
            if not len(above):
                continue
            top = _DRIFT_WEEKS - min(in_period, _DRIFT_WEEKS) + int(above[0])
            since = int(np.flatnonzero(np.concatenate([[0.0], sums[:top]]) == 0)[-1])
            first_signal = int(np.flatnonzero(sums > limit)[0])
            week_start = start + timedelta(days=total - 7 * _DRIFT_WEEKS)
            drifts.append(
                Drift(
                    code=codes[row],
                    is_rise=is_rise,
                    since=week_start + timedelta(weeks=since),
                    signalled=week_start + timedelta(weeks=first_signal, days=6),
                    weekly=float(recent[row, since:].mean()),
                    expected=float(mean[since:].mean()),
                )
            )
    return tuple(drifts)


def _expect_share(expected: _Expected, row: int, weeks: _Array, every: int, length: int) -> None:
    """Expect the share of all complaints that the code had before: a season of all is in both."""
    totals, numbers = np.maximum(weeks[every], 1e-9), weeks[row]
    base = slice(-_DRIFT_WEEKS - length, -_DRIFT_WEEKS)
    share = numbers[base].sum() / totals[base].sum()
    chance = totals * share * (1 - share)
    residuals = (numbers - totals * share)[base] ** 2 / np.maximum(chance[base], 1e-9)
    spread = max(1.0, float(residuals.sum()) / (length - 1))
    recent = totals[-_DRIFT_WEEKS:]
    expected.mean[row] = recent * share
    expected.error[row] = recent * np.sqrt(spread * share * (1 - share) / totals[base].sum())
    expected.variance[row] = spread * chance[-_DRIFT_WEEKS:] + expected.error[row] ** 2


def _cusum(scores: _Array, slack: _Array) -> _Array:
    sums, total = np.zeros(len(scores)), 0.0
    for week, score in enumerate(scores - slack):
        total = max(0.0, total + float(score))
        sums[week] = total
    return sums


def _cusum_limit(weeks: int) -> float:
    """The limit above which chance lifts any of so many weeks in 5 % of reports (Siegmund's approximation, 1985)."""
    from scipy.optimize import brentq

    length = weeks / FALSE_ALARMS

    def excess(b: float) -> float:
        return (exp(2 * _SLACK * b) - 2 * _SLACK * b - 1) / (2 * _SLACK**2) - length

    return float(brentq(excess, 0.1, 60)) - 1.166


def _lengths(weeks: _Array) -> NDArray[np.int_]:
    """The number of weeks from the first with a complaint, by series."""
    if not weeks.shape[1]:
        return np.zeros(len(weeks), dtype=int)
    has_complaints = weeks > 0
    return np.where(has_complaints.any(axis=1), weeks.shape[1] - has_complaints.argmax(axis=1), 0)


def _expect(weeks: _Array, places: _Array, lengths: NDArray[np.int_], *, has_trend: bool) -> _Expected:
    """What each series leads us to expect at these places, in weeks after its last week."""
    shape = (len(weeks), len(places))
    mean, variance, error = (np.full(shape, np.nan) for _ in range(3))
    bounds = (_LEAST_WEEKS, _TREND_WEEKS, _SEASON_WEEKS, 10**6)
    at = np.arange(1.0 - weeks.shape[1], 1.0)
    for low, high in pairwise(bounds):
        rows = np.flatnonzero((lengths >= low) & (lengths < high))
        if len(rows):
            options = {"trend": has_trend and low >= _TREND_WEEKS, "season": low >= _SEASON_WEEKS}
            used = at[None, :] > -lengths[rows, None]
            fitted = _fit(weeks[rows], used.astype(float), _design(at, **options), _design(places, **options))
            mean[rows], variance[rows], error[rows] = fitted
    return _Expected(mean, variance, error)


def _design(at: _Array, *, trend: bool, season: bool) -> _Array:
    columns = [np.ones_like(at)]
    columns += [at / _YEAR] if trend else []
    columns += (
        [wave(2 * np.pi * at * n / _YEAR) for n in (1, 2) for wave in (np.sin, np.cos)] if season else []
    )
    return np.stack(columns, axis=1)


def _fit(weeks: _Array, used: _Array, design: _Array, at: _Array) -> tuple[_Array, _Array, _Array]:
    """Quasi-Poisson regressions of all series at once: mean, variance and standard error of the mean at `at`."""
    weights = used
    freedom = used.sum(axis=1) - design.shape[1]
    for _ in range(3):
        beta, covariance, fitted = _solve(weeks, weights, design)
        excess = (weights * (weeks - fitted) ** 2 / fitted).sum(axis=1) / freedom
        spread = np.maximum(excess, 1.0)
        # Anscombe residuals are nearly normal, so that an outlier is one on both sides.
        residuals = (
            1.5 * (weeks ** (2 / 3) - fitted ** (2 / 3)) / fitted ** (1 / 6) / np.sqrt(spread)[:, None]
        )
        lowered = np.where(residuals > _OUTLIER, 1 / np.maximum(residuals, 1) ** 2, 1.0) * used
        weights = lowered * (used.sum(axis=1) / lowered.sum(axis=1))[:, None]
    mean = np.exp(np.clip(beta @ at.T, -20, 20))
    error = mean * np.sqrt(np.einsum("dp,spq,dq->sd", at, covariance, at) * spread[:, None])
    return mean, spread[:, None] * mean + error**2, error


def _solve(weeks: _Array, weights: _Array, design: _Array) -> tuple[_Array, _Array, _Array]:
    """Iteratively reweighted least squares; a small ridge keeps series of few complaints finite."""
    ridge = 1e-6 * np.eye(design.shape[1])
    level = np.log(np.maximum((weights * weeks).sum(axis=1) / weights.sum(axis=1), 1e-3))
    beta = np.zeros((len(weeks), design.shape[1]))
    beta[:, 0] = level
    for _ in range(12):
        linear = np.clip(beta @ design.T, -20, 20)
        fitted = np.exp(linear)
        information = np.einsum("sw,wp,wq->spq", weights * fitted, design, design) + ridge
        moved = np.einsum("sw,wp->sp", weights * (fitted * linear + weeks - fitted), design)
        beta = np.linalg.solve(information, moved[..., None])[..., 0]
    fitted = np.exp(np.clip(beta @ design.T, -20, 20))
    return beta, np.linalg.inv(information), fitted


def _tail(numbers: _Array, expected: _Expected, row: Any = slice(None)) -> _Array:
    """The probability of at least these numbers: negative binomial with this mean and variance."""
    from scipy.stats import nbinom, poisson

    mean, variance = expected.mean[row], expected.variance[row]
    size = mean**2 / np.maximum(variance - mean, 1e-9 * mean)
    tail: _Array = nbinom.sf(numbers - 1, size, size / (size + mean))
    return np.where(variance > mean * (1 + 1e-6), tail, poisson.sf(numbers - 1, mean))


def _limit(expected: _Expected, row: int, column: int, chance: float) -> int:
    from scipy.stats import nbinom

    mean, variance = float(expected.mean[row, column]), float(expected.variance[row, column])
    size = mean**2 / max(variance - mean, 1e-9 * mean)
    return int(nbinom.isf(chance, size, size / (size + mean)))
