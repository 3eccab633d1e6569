"""What the shipped fonts can show: everything else is written as its number, so that nothing is lost silently.

Typst brings its own fonts and no others are used: a document looks the same on every machine. `covered.json`
holds what each of them has, written by `python -m amends.documents.probing`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

#: In the order in which they are tried.
FAMILIES = ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern")

#: Marks that join, separate or choose a form of letters; invisible, and harmless beside a letter.
_JOINERS = frozenset("\u200c\u200d\u200e\u200f\ufe0e\ufe0f")
#: A line breaks only at spaces: longer runs of anything else would leave the page.
_LONGEST_RUN = 40
_RUN = re.compile(rf"\S{{{_LONGEST_RUN}}}(?=\S)")
_NEWLINES = re.compile(r"\r\n|\r|\u2028|\u2029|\x0b|\x0c|\x85")
#: Most text needs none of the care below: these are in every font.
_PLAIN = re.compile(r"[ -~\n]*")


def shown(text: str) -> str:
    """The text as the fonts can show it: `[U+1F621]` for what they lack and for what would be invisible.

    Line ends become one newline, tabs four spaces. A letter with marks is shown only where one font has all
    of it. Very long words get places to break, which are invisible.
    """
    plain = _NEWLINES.sub("\n", text).replace("\t", "    ")
    if _PLAIN.fullmatch(plain) is None:
        plain = "".join(_cluster(one) for one in _clusters(plain))
    return _RUN.sub(lambda run: run.group() + "\u200b", plain)


def is_rtl(text: str) -> bool:
    """True where the first letter with a direction runs from right to left (UAX 9, rule P2)."""
    for letter in text:
        direction = unicodedata.bidirectional(letter)
        if direction in ("L", "R", "AL"):
            return direction != "L"
    return False


def _clusters(text: str) -> Iterator[str]:
    """Each letter with the marks and joiners that follow it."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not (unicodedata.category(text[at]).startswith("M") or text[at] in _JOINERS):
            yield text[start:at]
            start = at


def _cluster(one: str) -> str:
    # A joiner after a letter, as Persian writes it, is kept; one that joins nothing is shown.
    seen = one[:1] + "".join(letter for letter in one[1:] if letter not in _JOINERS)
    if seen == "\n" or any(all(has(family, letter) for letter in seen) for family in FAMILIES):
        return one
    return "".join(f"[U+{ord(letter):04X}]" for letter in one)


def has(family: str, letter: str) -> bool:
    """True when this font has this character, and it is one that can be seen."""
    starts, ends = _covered()[family]
    at = bisect_right(starts, ord(letter)) - 1
    return at >= 0 and ord(letter) <= ends[at]


@cache
def _covered() -> dict[str, tuple[list[int], list[int]]]:
    ranges = json.loads(files("amends.documents").joinpath("covered.json").read_text(encoding="ascii"))
    return {
        family: ([first for first, _ in ranges[family]], [last for _, last in ranges[family]])
        for family in FAMILIES
    }
