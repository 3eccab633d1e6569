"""Holdout: which complaints are kept out of training, so that a model is judged on what it has not seen.

For the record (`split_record`): a fixed tenth is never trained on, and the most recent rows are held out once. For a
history file (`split_history`): the most recent rows where they have dates, otherwise a stratified random sample.
Duplicates of a text, exact or near, stay on one side, because a model that has seen a copy would look too good.
"""

import hashlib
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from triage.example import Example
from triage.text import normalise

FIXED_ONE_IN = 10
"""One complaint in ten is never trained on by Amends."""

RECENT_SHARE = 0.2
"""At most this share of the record is held out as the most recent rows."""

FEWEST = 30
"""With fewer recent rows a figure is chance, so they are not judged separately."""

FEWEST_FIXED = 100
"""With fewer fixed rows, cross-fitted figures are used instead. The fixed rows are the same in every run, so a model
that is lucky on few of them would keep out every better one.
"""


@dataclass(frozen=True, slots=True)
class RecordRow:
    """An example of the record, with its complaint's reference and the time of confirmation (aware).

    `whole` says that the text is the whole complaint; otherwise it is the words of one of its issues.
    """

    example: Example
    ref: str
    at: datetime
    whole: bool = True


@dataclass(frozen=True, slots=True)
class RecordSplit:
    """The parts of the record.

    `fixed` is never trained on, `train` is all other rows in order of time. `unseen` are the rows of `train` that
    the model in use cannot have seen, and `recent` the newest of these, which judge a candidate trained without them.
    """

    fixed: tuple[RecordRow, ...]
    train: tuple[RecordRow, ...]
    unseen: tuple[RecordRow, ...]
    recent: tuple[RecordRow, ...]


def is_fixed(ref: str) -> bool:
    """Whether this complaint belongs to the tenth that is never trained on.

    Only the reference decides, so every process and every later run agrees.
    """
    return int.from_bytes(hashlib.sha256(ref.encode()).digest()[:8], "big") % FIXED_ONE_IN == 0


def fold_number(ref: str, folds: int) -> int:
    """The fold of a complaint, 0 to `folds` - 1; all its rows are in the same fold."""
    return int.from_bytes(hashlib.sha256(ref.encode()).digest()[8:16], "big") % folds


def split_record(rows: Sequence[RecordRow], *, seen_until: datetime | None) -> RecordSplit:
    """Split the record for training and judging; `seen_until` None: the model in use has seen no row.

    A row whose text also occurs in the fixed part is left out: form letters are many and identical.
    """
    ordered = sorted(rows, key=lambda row: (row.at, row.ref, not row.whole))
    fixed = tuple(row for row in ordered if row.whole and is_fixed(row.ref))
    fixed_texts = _texts(fixed)
    train = tuple(
        row for row in ordered if not is_fixed(row.ref) and comparable_text(row.example) not in fixed_texts
    )
    whole = [row for row in train if row.whole]
    unseen = tuple(row for row in whole if seen_until is None or row.at > seen_until)
    count = min(len(unseen) - len(unseen) // 2, round(RECENT_SHARE * len(whole)))
    return RecordSplit(fixed, train, unseen, unseen[len(unseen) - count :])


def exclude_complaints(rows: Sequence[RecordRow], holdout: Sequence[RecordRow]) -> list[RecordRow]:
    """The rows without those of the held-out complaints and without their texts in other complaints."""
    refs, texts = {row.ref for row in holdout}, _texts(holdout)
    return [row for row in rows if row.ref not in refs and comparable_text(row.example) not in texts]


def exclude_texts(history: Sequence[Example], holdout: Sequence[RecordRow]) -> list[Example]:
    """The rows of the history without those that have a held-out text."""
    texts = _texts(holdout)
    return [example for example in history if comparable_text(example) not in texts]


def comparable_text(example: Example) -> str:
    """The text as training compares it: normalised, ignoring case."""
    return normalise(example.text).casefold()


def _texts(rows: Sequence[RecordRow]) -> set[str]:
    return {comparable_text(row.example) for row in rows}


HOLDOUT_SHARE = 0.2
"""Share of a history file that is held out."""
_DATED_SHARE = 0.9
"""Share of the rows that need a date for a split by time; undated rows are trained on."""
_MOST_BY_TIME = 0.4
"""If a split by time holds out more than this share (many rows have the same date), the split is random."""


@dataclass(frozen=True, slots=True)
class HistorySplit:
    """Indices of the rows to train on and of those held out.

    `how` is "time", "random", or "none" where too few rows are left to hold any out. `since` is the date of the
    first row held out by time.
    """

    train: tuple[int, ...]
    holdout: tuple[int, ...]
    how: str
    since: datetime | None = None


def split_history(rows: Sequence[Example], groups: Sequence[int], *, seed: int = 0) -> HistorySplit:
    """Hold out about a fifth of the rows; `groups` are the numbers of `duplicate_groups` of their texts."""
    dates = [row.at for row in rows if row.at is not None]
    if len(dates) >= _DATED_SHARE * len(rows) and len(set(dates)) > 1:
        split = _split_by_time(rows, groups, sorted(dates))
        categories = {rows[index].category for index in split.train}
        if 0 < len(split.holdout) <= _MOST_BY_TIME * len(rows) and len(categories) > 1:
            return split
    holdout = _draw_holdout(rows, groups, seed)
    train = _others(rows, holdout)
    return HistorySplit(train, tuple(sorted(holdout)), "random" if holdout else "none")


def _split_by_time(rows: Sequence[Example], groups: Sequence[int], dates: list[datetime]) -> HistorySplit:
    since = dates[-max(1, round(HOLDOUT_SHARE * len(dates)))]
    if since == dates[0]:
        since = min(date for date in dates if date > dates[0])
    recent = [index for index, row in enumerate(rows) if row.at is not None and row.at >= since]
    # A recent row that repeats an older one is trained on together with it.
    older_groups = {groups[index] for index in _others(rows, set(recent))}
    holdout = tuple(index for index in recent if groups[index] not in older_groups)
    return HistorySplit(_others(rows, set(holdout)), holdout, "time", since)


def _draw_holdout(rows: Sequence[Example], groups: Sequence[int], seed: int) -> set[int]:
    """Draw whole groups of duplicates at random, in each category its share."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for index, group in enumerate(groups):
        members[group].append(index)
    by_category: defaultdict[str, list[list[int]]] = defaultdict(list)
    for indices in members.values():
        counts = Counter(rows[index].category for index in indices)
        by_category[min(counts, key=lambda category: (-counts[category], category))].append(indices)
    random = np.random.default_rng(seed)
    holdout: set[int] = set()
    for category in sorted(by_category):
        candidates = by_category[category]
        wanted = round(HOLDOUT_SHARE * sum(map(len, candidates)))
        order = random.permutation(len(candidates))
        # The last group of a category is never held out: nothing would be left to learn the category from.
        for number in order[:-1].tolist():
            if len(candidates[number]) <= wanted:
                holdout.update(candidates[number])
                wanted -= len(candidates[number])
    return holdout


def _others(rows: Sequence[Example], indices: Collection[int]) -> tuple[int, ...]:
    return tuple(index for index in range(len(rows)) if index not in indices)


_SKETCH_SIZE = 24
_SHARED_SHARE = 0.6
_FEWEST_SHARED = 4
"""With fewer shingles in common, short texts on the same subject would pass for duplicates."""
_CROWDED = 100
"""A shingle that this many texts share is a phrase of the form that they were written on."""
_PROGRESS_EVERY = 200
_WORD = re.compile(r"\w+")


def duplicate_groups(texts: Sequence[str], progress: Callable[[int, int], object] | None = None) -> list[int]:
    """For each text the index of the first text that it duplicates, exactly or nearly, or its own index.

    Near-duplicates are texts whose sketches, the lowest hashes of their three-word shingles, have most in common
    (Broder 1997). `progress` receives the number of texts done and of all texts.
    """
    parents = list(range(len(texts)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    first_exact: dict[str, int] = {}
    texts_of_shingle: defaultdict[int, list[int]] = defaultdict(list)
    sizes: dict[int, int] = {}
    for index, text in enumerate(texts):
        words = _WORD.findall(normalise(text).casefold())
        exact = first_exact.setdefault(" ".join(words), index)
        if exact != index:
            parents[index] = root(exact)
            continue
        sketch = _sketch(words)
        sizes[index] = len(sketch)
        shared = Counter(
            other
            for shingle in sketch
            if len(texts_of_shingle[shingle]) < _CROWDED
            for other in texts_of_shingle[shingle]
        )
        for other, common in shared.items():
            if _are_near_duplicates(common, len(sketch), sizes[other]):
                first, second = sorted((root(index), root(other)))
                parents[second] = first
        for shingle in sketch:
            texts_of_shingle[shingle].append(index)
        if progress is not None and index % _PROGRESS_EVERY == 0:
            progress(index, len(texts))
    return [root(index) for index in range(len(texts))]


def _are_near_duplicates(common: int, size: int, other_size: int) -> bool:
    # Of two long texts one may contain the other and more. Short texts are compared with their union, because
    # containment would hold for any two on the same subject.
    smaller = min(size, other_size)
    reference = smaller if smaller == _SKETCH_SIZE else size + other_size - common
    return common >= max(_FEWEST_SHARED, _SHARED_SHARE * reference)


def _sketch(words: Sequence[str]) -> list[int]:
    shingles = {
        zlib.crc32(" ".join(words[start : start + 3]).encode()) for start in range(max(1, len(words) - 2))
    }
    return sorted(shingles)[:_SKETCH_SIZE]
