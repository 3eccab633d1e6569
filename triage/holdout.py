"""Which confirmed complaints are kept out of training, so that a new model is judged on what it never saw."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
class Row:
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

    fixed: tuple[Row, ...]
    learnt: tuple[Row, ...]
    unseen: tuple[Row, ...]
    recent: tuple[Row, ...]


def is_fixed(ref: str) -> bool:
    """Does this complaint belong to the tenth that is kept out for ever? The reference alone decides, so that
    every process and every later run says the same.
    """
    return int.from_bytes(hashlib.sha256(ref.encode()).digest()[:8], "big") % FIXED_SHARE == 0


def fold_of(ref: str, folds: int) -> int:
    """In which of so many folds a complaint falls; all its rows in one."""
    return int.from_bytes(hashlib.sha256(ref.encode()).digest()[8:16], "big") % folds


def parted(rows: Sequence[Row], *, seen_until: datetime | None) -> Parts:
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


def without(rows: Sequence[Row], held: Sequence[Row]) -> list[Row]:
    """The rows of all complaints but these, and without their texts told by others."""
    refs, texts = {row.ref for row in held}, {spelled(row) for row in held}
    return [row for row in rows if row.ref not in refs and spelled(row) not in texts]


def apart(history: Sequence[Example], held: Sequence[Row]) -> list[Example]:
    """The rows of the history without those whose texts are held back: they too would tell them."""
    texts = {spelled(row) for row in held}
    return [one for one in history if _spelled(one) not in texts]


def spelled(row: Row) -> str:
    """The text as training compares it."""
    return _spelled(row.example)


def _spelled(example: Example) -> str:
    return normalise(example.text).casefold()
