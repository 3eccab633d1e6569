"""What the analysis of complaints counts (8.2): days, hours, causes and people, without words and names."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import NamedTuple

#: The columns of measures by which complaints are counted, and the series of all complaints together.
FAMILIES = ("category", "product", "branch")
ALL_COMPLAINTS = ("all", "")
#: A family and a code of it, or `ALL_COMPLAINTS`.
CountedCode = tuple[str, str]


class CauseCount(NamedTuple):
    """Complaints with the same codes; `in_period` is False for those of the twelve months before it."""

    in_period: bool
    category: str | None
    product: str | None
    cause_class: str | None
    number: int


class AnalysisCounts(NamedTuple):
    """Complaints with imported ones, without simulated contacts and contacts of other kinds.

    `days` are those on which complaints were received, by code. `hours` are the beginnings of hours of the last
    twelve months, in UTC: complaints received, and decisions with whether they upheld. `complainants` is the number
    of people by how many complaints they made in twelve months, and `repeats` of the period (`count_repeats`).
    """

    days: Mapping[CountedCode, Mapping[date, int]]
    received_hours: Mapping[datetime, int]
    decided_hours: Mapping[tuple[datetime, bool], int]
    causes: tuple[CauseCount, ...]
    complainants: Mapping[int, int]
    repeats: int


class MaskedStory(NamedTuple):
    """The masked words of one complaint, and the id of the person who wrote them."""

    ref: str
    person: str
    words: str


class Theme(NamedTuple):
    """New wording: masked words, complaints with them in the last days and before, and some of their references."""

    words: tuple[str, ...]
    recent: int
    before: int
    refs: tuple[str, ...]


class Themes(NamedTuple):
    """The themes among the texts that were read; `is_complete` is False if the time or the number was used up."""

    themes: tuple[Theme, ...]
    recent: int
    before: int
    is_complete: bool
