"""Histories as a real desk has them: seasons, weekdays, skewed codes, chance, and what was planted in them.

Days are drawn as counts, so that many years are simulated in seconds; `benchmarks.reports` makes rows of them.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

#: Complaints come Monday to Friday, some on Saturday.
WEEKDAYS = np.array([1.35, 1.2, 1.1, 1.1, 1.05, 0.7, 0.5])
CATEGORIES, PRODUCTS, BRANCHES = 24, 8, 12
#: What happened, since when, and what is wanted, by language; `{0}` is what the complaint is about.
SENTENCES = {
    "en": (
        ("The {0} does not work", "I was charged twice for the {0}", "Nobody came about the {0}"),
        ("since Monday", "for two weeks", "again this morning"),
        ("Please repair it.", "I want my money back.", "Please call me."),
        "After the update the new app shows an error.",
    ),
    "tr": (
        ("{0} çalışmıyor", "{0} için iki kez para alındı", "{0} için kimse gelmedi"),
        ("pazartesiden beri", "iki haftadır", "bu sabah yine"),
        ("Lütfen onarın.", "Paramı geri istiyorum.", "Lütfen beni arayın."),
        "Güncellemeden sonra yeni uygulama hata veriyor.",
    ),
    "de": (
        ("{0} funktioniert nicht", "{0} wurde doppelt berechnet", "Wegen {0} kam niemand"),
        ("seit Montag", "seit zwei Wochen", "heute früh wieder"),
        ("Bitte reparieren Sie das.", "Ich möchte mein Geld zurück.", "Bitte rufen Sie mich an."),
        "Nach dem Update zeigt die neue App einen Fehler.",
    ),
    "es": (
        ("No funciona {0}", "Me cobraron dos veces {0}", "Nadie vino por {0}"),
        ("desde el lunes", "desde hace dos semanas", "otra vez esta mañana"),
        ("Repárenlo, por favor.", "Quiero que me devuelvan el dinero.", "Llámenme, por favor."),
        "Tras la actualización la nueva aplicación da un error.",
    ),
}
#: Variance of a day beyond chance: the rate of a day is gamma distributed with this relative variance.
SPREAD = 0.04


@dataclass(frozen=True)
class Planted:
    """A change from `since`: at its height `factor` times as many, for so many days, at once or slowly."""

    row: int
    since: int
    days: int
    factor: float
    is_slow: bool


@dataclass(frozen=True)
class History:
    """Daily numbers by series (row) and day, from `start`."""

    start: date
    codes: tuple[tuple[str, str], ...]
    days: NDArray[np.int_]

    def counts(self, until: int) -> Mapping[tuple[str, str], Mapping[date, int]]:
        """As the store counts them, up to the day before `until`."""
        dates = [self.start + timedelta(days=day) for day in range(until)]
        return {
            code: {day: int(number) for day, number in zip(dates, row, strict=False) if number}
            for code, row in zip(self.codes, self.days[:, :until], strict=True)
        }


def story(chance: random.Random, language: str, about: str, *, is_new: bool) -> str:
    """A complaint in a few words; of the new ones, one in twenty has wording that no earlier one has."""
    happened, since, wanted, news = SENTENCES[language]
    words = f"{chance.choice(happened).format(about)} {chance.choice(since)}. {chance.choice(wanted)}"
    return f"{words} {news}" if is_new and chance.random() < 0.05 else words


def rates(start: date, days: int, daily: float, *, growth: float = 0.0) -> NDArray[np.float64]:
    """The expected complaints of each day: a winter peak, weekdays, closed around the turn of the year."""
    at = np.arange(days)
    dates = [start + timedelta(days=day) for day in range(days)]
    yearday = np.array([day.timetuple().tm_yday for day in dates])
    season = (
        1 + 0.25 * np.cos(2 * np.pi * (yearday - 20) / 365.25) + 0.08 * np.cos(4 * np.pi * yearday / 365.25)
    )
    weekday = WEEKDAYS[[day.weekday() for day in dates]]
    trend: NDArray[np.float64] = (1 + growth) ** (at / 365.25)
    expected: NDArray[np.float64] = daily * season * weekday * trend
    return expected


def shares(codes: int, skew: float = 0.18) -> NDArray[np.float64]:
    """Few codes have most complaints."""
    weights = np.exp(-skew * np.arange(codes))
    normal: NDArray[np.float64] = weights / weights.sum()
    return normal


def history(
    seed: int, *, days: int, daily: float, planted: tuple[Planted, ...] = (), start: date = date(2022, 1, 3)
) -> History:
    """Categories with products and branches drawn from them; a planted change is in one category (its row)."""
    chance = np.random.default_rng(seed)
    expected = shares(CATEGORIES)[:, None] * rates(start, days, daily)[None, :]
    for change in planted:
        at = np.arange(min(change.days, days - change.since))
        height = (at + 1) / change.days if change.is_slow else np.ones(len(at))
        expected[change.row, change.since : change.since + len(at)] *= 1 + (change.factor - 1) * height
        if change.is_slow:
            expected[change.row, change.since + len(at) :] *= change.factor
    # The days of a category vary more than chance alone: weather, campaigns, an outage.
    categories = chance.poisson(expected * chance.gamma(1 / SPREAD, SPREAD, size=expected.shape))
    total = categories.sum(axis=0)
    products = np.stack([chance.multinomial(number, shares(PRODUCTS, 0.4)) for number in total], axis=1)
    branches = np.stack([chance.multinomial(number, shares(BRANCHES, 0.15)) for number in total], axis=1)
    codes = [("all", "")]
    codes += [("category", f"category_{number:02}") for number in range(CATEGORIES)]
    codes += [("product", f"product_{number}") for number in range(PRODUCTS)]
    codes += [("branch", f"branch_{number:02}") for number in range(BRANCHES)]
    return History(start, tuple(codes), np.concatenate([total[None, :], categories, products, branches]))
