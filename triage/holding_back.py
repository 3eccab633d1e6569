"""The part of an organisation's history that is held back, so that a model is judged on what it has not seen.

Where the rows have dates the most recent ones are held back: a model is always used on what comes after. Else
they are drawn at random, each category in its share. Copies of one text lie on one side.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from triage.example import Example

SHARE = 0.2
_DATED = 0.9
"""The share of rows that need a date for a split by time; those without one are learnt from."""
_MOST = 0.4
"""Where one day holds so many rows that no more recent part can be told apart, the split is random."""


@dataclass(frozen=True, slots=True)
class Split:
    """Places of the rows to learn from and of those held back; `since` is where the latter begin, by time."""

    learnt: tuple[int, ...]
    held: tuple[int, ...]
    how: str
    since: datetime | None = None


def hold_back(rows: Sequence[Example], groups: Sequence[int], *, seed: int = 0) -> Split:
    """Divide rows in `SHARE` held back and the rest; `groups` are the numbers of `copies.copy_groups`.

    `how` is "time", "random", or "none" where too few rows are left to hold any back.
    """
    dated = [row.at for row in rows if row.at is not None]
    if len(dated) >= _DATED * len(rows) and len(set(dated)) > 1:
        split = _by_time(rows, groups, sorted(dated))
        if (
            0 < len(split.held) <= _MOST * len(rows)
            and len({rows[place].category for place in split.learnt}) > 1
        ):
            return split
    held = _at_random(rows, groups, seed)
    learnt = tuple(place for place in range(len(rows)) if place not in held)
    return Split(learnt, tuple(sorted(held)), "random" if held else "none")


def _by_time(rows: Sequence[Example], groups: Sequence[int], dated: list[datetime]) -> Split:
    since = dated[-max(1, round(SHARE * len(dated)))]
    if since == dated[0]:
        since = min(at for at in dated if at > dated[0])
    recent = [place for place, row in enumerate(rows) if row.at is not None and row.at >= since]
    # What repeats an older row is no news: it is learnt from with it.
    older = set(groups) & {groups[place] for place in set(range(len(rows))) - set(recent)}
    held = tuple(place for place in recent if groups[place] not in older)
    taken = set(held)
    return Split(tuple(place for place in range(len(rows)) if place not in taken), held, "time", since)


def _at_random(rows: Sequence[Example], groups: Sequence[int], seed: int) -> set[int]:
    members: defaultdict[int, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    by_category: defaultdict[str, list[list[int]]] = defaultdict(list)
    for places in members.values():
        labels = Counter(rows[place].category for place in places)
        by_category[min(labels, key=lambda label: (-labels[label], label))].append(places)
    random = np.random.default_rng(seed)
    held: set[int] = set()
    for category in sorted(by_category):
        drawn = by_category[category]
        wanted = round(SHARE * sum(map(len, drawn)))
        order = random.permutation(len(drawn))
        # The last of a category is never held back: nothing would be left to learn it from.
        for number in order[:-1].tolist():
            if len(drawn[number]) <= wanted:
                held.update(drawn[number])
                wanted -= len(drawn[number])
    return held
