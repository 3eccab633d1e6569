"""Many customers in one line of a story: `50 people write: …`, then `People 6-50 press Yes`.

They are called Person-1, Person-2 … in the order in which they first wrote.
"""

from __future__ import annotations

import re

_WRITE = re.compile(r"(\d+) people write((?: \[[a-z]{2}\])?: .+)")
_GROUP = re.compile(r"\b[Pp]eople (\d+)-(\d+)\b")
_FIRST = re.compile(r"(?:People|Bot to people|Bot told people|Bot never told people|Records of people) \d")
_CARDS = re.compile(r"(.+ on) the cards of people (\d+)-(\d+)")
#: What several people do, as one of them does it.
_ONE: tuple[tuple[str, str], ...] = (
    (" press ", " presses "),
    (" send ", " sends "),
    (" block ", " blocks "),
    (" unblock ", " unblocks "),
)


def people(line: str, known: int) -> list[str] | None:
    """The line once for each of its people, or None for a line about nobody or about one.

    `known` is how many people have written so far.
    """
    crowd = _WRITE.fullmatch(line)
    if crowd:
        return [f"Person-{known + n}{crowd[2]}" for n in range(1, int(crowd[1]) + 1)]
    cards = _CARDS.fullmatch(line)
    if cards:
        return [f"{cards[1]} Person-{n}'s card" for n in range(int(cards[2]), int(cards[3]) + 1)]
    group = _GROUP.search(line) if _FIRST.match(line) else None
    if group is None:
        return None
    first, last = int(group[1]), int(group[2])
    if line.startswith("Records of"):
        line = line.replace("Records", "Record", 1)
    for several, one in _ONE:
        line = line.replace(several, one, 1)
    return [_GROUP.sub(f"Person-{n}", line, count=1) for n in range(first, last + 1)]


def new_people(line: str) -> int:
    """How many people write here for the first time."""
    crowd = _WRITE.fullmatch(line)
    return int(crowd[1]) if crowd else 0
