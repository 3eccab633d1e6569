"""Which confirmed complaints are kept out of training, so that a new model is judged on what it never saw.

The part of an organisation's history that is held back, so that a model is judged on what it has not seen.

Where the rows have dates the most recent ones are held back: a model is always used on what comes after. Else
they are drawn at random, each category in its share. Copies of one text lie on one side.

Rows of a file that are copies of one another, exact or nearly so, found so that they stay together.

A copy on both sides of a split would let a model be examined on what it has learnt by heart. Nearly the same
are texts whose sketches, the lowest hashes of their runs of three words, have most in common.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from triage.example import Example
from triage.text import normalise

FIXED_SHARE = 10
"""One complaint in so many is never trained on by us."""

RECENT_SHARE = 0.2
"""At most this share of the rows is held back as the most recent."""

FEWEST = 30
"""Under so many recent rows a figure is chance, and they are not judged apart."""

FEWEST_FIXED = 100
"""Under so many fixed rows cross-fitted figures stand in. The same rows are asked at every run, so that a
model lucky on few of them would keep every better one out.
"""


@dataclass(frozen=True, slots=True)
class RecordRow:
    """An example of the record: its complaint's reference, when it was confirmed, and whether it is the whole
    complaint (`whole`) or the words of one of its issues.
    """

    example: Example
    ref: str
    at: datetime
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Parts:
    """`fixed` is never trained on; `learnt` is everything else, the earliest first; `unseen` are those of
    `learnt` that the model in use cannot have seen, `recent` the later half of these.
    """

    fixed: tuple[RecordRow, ...]
    learnt: tuple[RecordRow, ...]
    unseen: tuple[RecordRow, ...]
    recent: tuple[RecordRow, ...]


def is_fixed(ref: str) -> bool:
    """Does this complaint belong to the tenth that is kept out for ever? The reference alone decides, so that
    every process and every later run says the same.
    """
    return int.from_bytes(hashlib.sha256(ref.encode()).digest()[:8], "big") % FIXED_SHARE == 0


def fold_of(ref: str, folds: int) -> int:
    """In which of so many folds a complaint falls; all its rows in one."""
    return int.from_bytes(hashlib.sha256(ref.encode()).digest()[8:16], "big") % folds


def parted(rows: Sequence[RecordRow], *, seen_until: datetime | None) -> Parts:
    """The rows parted for training and judging; None: the model in use has seen no row at all.

    A text that also stands in the fixed part is learnt from nowhere: form letters are many and alike.
    """
    ordered = sorted(rows, key=lambda row: (row.at, row.ref, not row.whole))
    fixed = tuple(row for row in ordered if row.whole and is_fixed(row.ref))
    known = {spelled(row) for row in fixed}
    learnt = tuple(row for row in ordered if not is_fixed(row.ref) and spelled(row) not in known)
    whole = [row for row in learnt if row.whole]
    unseen = tuple(row for row in whole if seen_until is None or row.at > seen_until)
    held = min(len(unseen) - len(unseen) // 2, round(RECENT_SHARE * len(whole)))
    return Parts(fixed, learnt, unseen, unseen[len(unseen) - held :])


def without(rows: Sequence[RecordRow], held: Sequence[RecordRow]) -> list[RecordRow]:
    """The rows of all complaints but these, and without their texts told by others."""
    refs, texts = {row.ref for row in held}, {spelled(row) for row in held}
    return [row for row in rows if row.ref not in refs and spelled(row) not in texts]


def apart(history: Sequence[Example], held: Sequence[RecordRow]) -> list[Example]:
    """The rows of the history without those whose texts are held back: they too would tell them."""
    texts = {spelled(row) for row in held}
    return [one for one in history if _spelled(one) not in texts]


def spelled(row: RecordRow) -> str:
    """The text as training compares it."""
    return _spelled(row.example)


def _spelled(example: Example) -> str:
    return normalise(example.text).casefold()


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


_SKETCH = 24
_SHARED = 0.6
_FEWEST = 4
"""With fewer runs in common, short texts on one subject would pass for copies."""
_CROWDED = 100
"""A run that so many texts have is a phrase of the form they were written on."""
_TOLD_EVERY = 200
_WORD = re.compile(r"\w+")


def copy_groups(texts: Sequence[str], progress: Callable[[int, int], object] | None = None) -> list[int]:
    """For each text the number of the first text that it is a copy of, or its own."""
    leader = list(range(len(texts)))

    def first(place: int) -> int:
        while leader[place] != place:
            leader[place] = leader[leader[place]]
            place = leader[place]
        return place

    exact: dict[str, int] = {}
    holders: defaultdict[int, list[int]] = defaultdict(list)
    sizes: dict[int, int] = {}
    for place, text in enumerate(texts):
        words = _WORD.findall(normalise(text).casefold())
        same = exact.setdefault(" ".join(words), place)
        if same != place:
            leader[place] = first(same)
            continue
        sketch = _sketch(words)
        sizes[place] = len(sketch)
        shared = Counter(other for run in sketch if len(holders[run]) < _CROWDED for other in holders[run])
        for other, common in shared.items():
            if _alike(common, len(sketch), sizes[other]):
                one, two = sorted((first(place), first(other)))
                leader[two] = one
        for run in sketch:
            holders[run].append(place)
        if progress is not None and place % _TOLD_EVERY == 0:
            progress(place, len(texts))
    return [first(place) for place in range(len(texts))]


def _alike(common: int, one: int, other: int) -> bool:
    # Of long texts one may hold the other and more; of short ones that would be any two on one subject.
    whole = min(one, other) if min(one, other) == _SKETCH else one + other - common
    return common >= max(_FEWEST, _SHARED * whole)


def _sketch(words: Sequence[str]) -> list[int]:
    runs = {
        zlib.crc32(" ".join(words[place : place + 3]).encode()) for place in range(max(1, len(words) - 2))
    }
    return sorted(runs)[:_SKETCH]
