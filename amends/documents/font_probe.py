"""Writes covered.json: which characters each shipped font has, asked of Typst itself.

`python -m amends.documents.font_probe`, after a new Typst: PDF/A refuses a character without a glyph, so that a
text which compiles in one font alone is covered by it. Takes some minutes.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import typst

from amends.documents.blocks import FAMILIES
from amends.documents.typst import FONTS

#: Beyond these the shipped fonts have nothing but mathematical letters and pictures.
_PLANE = range(0x20, 0xFFFE)
#: Han and Hangul, of which they have nothing: asking one by one would take most of the time.
_NONE = (range(0x3400, 0xA000), range(0xAC00, 0xD7A4))
#: Nothing to see in these: unassigned, control, private, surrogates, and formatting that reorders or hides.
_UNSEEN = frozenset({"Cn", "Cc", "Co", "Cs", "Cf"})
#: Shown by every font as nothing at all: variation selectors, fillers, a grapheme joiner.
_HIDDEN = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0}
)
_BLOCK = 128
#: Given by its path: Typst numbers every source given as bytes anew, and has 65,535 numbers in a process.
_SOURCE = Path(__file__).with_name("probe.typ")


def shows(family: str, letters: str) -> bool:
    """True when this font alone has a glyph for each of these characters."""
    try:
        typst.compile(
            _SOURCE,
            root=_SOURCE.parent,
            sys_inputs={"family": family, "text": letters},
            font_paths=FONTS,
            ignore_system_fonts=True,
            pdf_standards=["a-3u"],
            format="pdf",
        )
    except typst.TypstError:
        return False
    return True


def covered(family: str) -> list[tuple[int, int]]:
    """First and last of each run of characters that the font has."""
    ranges: list[tuple[int, int]] = []
    for letter in _having(family):
        if ranges and ranges[-1][1] == letter - 1:
            ranges[-1] = (ranges[-1][0], letter)
        else:
            ranges.append((letter, letter))
    return ranges


def _having(family: str) -> Iterator[int]:
    letters = [
        at
        for at in _PLANE
        if unicodedata.category(chr(at)) not in _UNSEEN
        and at not in _HIDDEN
        and not any(at in none for none in _NONE)
    ]
    for at in range(0, len(letters), _BLOCK):
        yield from _halves(family, letters[at : at + _BLOCK])


def _halves(family: str, letters: list[int]) -> Iterator[int]:
    # A mark at the start of a text would join what stands before it: each is asked with nothing round it.
    if shows(family, " ".join(map(chr, letters))):
        yield from letters
    elif len(letters) > 1:
        half = len(letters) // 2
        yield from _halves(family, letters[:half])
        yield from _halves(family, letters[half:])


if __name__ == "__main__":
    found = {family: covered(family) for family in FAMILIES}
    file = Path(__file__).with_name("covered.json")
    file.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="ascii")
    sys.stdout.write(f"{file}: {', '.join(f'{name} {len(runs)} runs' for name, runs in found.items())}\n")
