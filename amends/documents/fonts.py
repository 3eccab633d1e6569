"""Which characters the shipped fonts can show; all others are printed as their code point, so none is lost.

Only the fonts that Typst ships are used: a document looks the same on every machine. `covered.json` lists the
characters of each font; `python -m tests.font_coverage` writes it.
"""

import json
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

#: In the order in which Typst tries them; document.typ has the same list.
FAMILIES = ("Libertinus Serif", "DejaVu Sans Mono", "New Computer Modern")

#: Joiners, direction marks and variation selectors: invisible, and harmless after a letter.
_JOINERS = frozenset("\u200c\u200d\u200e\u200f\ufe0e\ufe0f")
#: Typst breaks lines only at spaces: a longer run without one would leave the page.
_LONGEST_RUN = 40
_RUN = re.compile(rf"\S{{{_LONGEST_RUN}}}(?=\S)")
_NEWLINES = re.compile(r"\r\n|\r|\u2028|\u2029|\x0b|\x0c|\x85")
#: Every font has these characters; most texts have no others and need no further check.
_ASCII = re.compile(r"[ -~\n]*")


def printable(text: str) -> str:
    """The text as the fonts can show it: `[U+1F621]` replaces what no font has and what would be invisible.

    Line ends become one newline, a tab becomes four spaces. A letter with marks is kept only if one font has
    all of its characters. Invisible break points are added to very long words.
    """
    plain = _NEWLINES.sub("\n", text).replace("\t", "    ")
    if _ASCII.fullmatch(plain) is None:
        plain = "".join(_printable_cluster(cluster) for cluster in _clusters(plain))
    return _RUN.sub(lambda run: run.group() + "\u200b", plain)


def printable_data(data: Any) -> Any:
    """JSON values with every text made printable, except pictures."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, Mapping):
        return {name: value if name == "svg" else printable_data(value) for name, value in data.items()}
    return [printable_data(value) for value in data] if isinstance(data, list | tuple) else data


def has_glyph(family: str, letter: str) -> bool:
    starts, ends = _covered()[family]
    index = bisect_right(starts, ord(letter)) - 1
    return index >= 0 and ord(letter) <= ends[index]


def _clusters(text: str) -> Iterator[str]:
    """Each letter with the marks and joiners that follow it."""
    start = 0
    for end in range(1, len(text) + 1):
        if end == len(text) or not (unicodedata.category(text[end]).startswith("M") or text[end] in _JOINERS):
            yield text[start:end]
            start = end


def _printable_cluster(cluster: str) -> str:
    # A joiner after a letter is kept: Persian is written so. A joiner without a letter is printed as its code point.
    visible = cluster[:1] + "".join(letter for letter in cluster[1:] if letter not in _JOINERS)
    if visible == "\n" or any(all(has_glyph(family, letter) for letter in visible) for family in FAMILIES):
        return cluster
    return "".join(f"[U+{ord(letter):04X}]" for letter in cluster)


@cache
def _covered() -> dict[str, tuple[list[int], list[int]]]:
    ranges = json.loads(files("amends.documents").joinpath("covered.json").read_text(encoding="ascii"))
    return {
        family: ([first for first, _ in ranges[family]], [last for _, last in ranges[family]])
        for family in FAMILIES
    }
