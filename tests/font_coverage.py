"""Writes covered.json: which characters each shipped font has, found by typesetting them with Typst.

Run `python -m tests.font_coverage` after an upgrade of Typst; it takes some minutes. PDF/A refuses a
character without a glyph. A text that compiles with one font alone is therefore covered by that font.
"""

import json
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import typst

from amends import documents
from amends.documents.typst import FAMILIES, FONTS

#: Above this plane the shipped fonts have only mathematical letters and pictures.
_PLANE = range(0x20, 0xFFFE)
#: Han and Hangul: the shipped fonts have none of them, and probing them would take most of the time.
_NOT_COVERED = (range(0x3400, 0xA000), range(0xAC00, 0xD7A4))
#: Unicode categories of invisible characters: unassigned, control, private, surrogate, formatting.
_INVISIBLE_CATEGORIES = frozenset({"Cn", "Cc", "Co", "Cs", "Cf"})
#: Invisible in every font: variation selectors, fillers, the grapheme joiner.
_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x3164, *range(0xFE00, 0xFE10), 0xFFA0}
)
_BATCH = 128
#: A path and not bytes: Typst gives every source in bytes a new number, and a process has only 65,535.
_SOURCE = Path(__file__).with_suffix(".typ")


def covers(family: str, letters: str) -> bool:
    """True if this font alone has a glyph for each of these characters."""
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


def covered_ranges(family: str) -> list[tuple[int, int]]:
    """First and last code point of each run of characters that the font has."""
    ranges: list[tuple[int, int]] = []
    for letter in _covered_letters(family):
        if ranges and ranges[-1][1] == letter - 1:
            ranges[-1] = (ranges[-1][0], letter)
        else:
            ranges.append((letter, letter))
    return ranges


def _covered_letters(family: str) -> Iterator[int]:
    letters = [
        letter
        for letter in _PLANE
        if unicodedata.category(chr(letter)) not in _INVISIBLE_CATEGORIES
        and letter not in _INVISIBLE
        and not any(letter in block for block in _NOT_COVERED)
    ]
    for start in range(0, len(letters), _BATCH):
        yield from _bisect(family, letters[start : start + _BATCH])


def _bisect(family: str, letters: list[int]) -> Iterator[int]:
    # A combining mark would join the character before it: spaces keep them apart.
    if covers(family, " ".join(map(chr, letters))):
        yield from letters
    elif len(letters) > 1:
        half = len(letters) // 2
        yield from _bisect(family, letters[:half])
        yield from _bisect(family, letters[half:])


if __name__ == "__main__":
    ranges_by_family = {family: covered_ranges(family) for family in FAMILIES}
    file = Path(documents.__file__).with_name("covered.json")
    file.write_text(json.dumps(ranges_by_family, separators=(",", ":")) + "\n", encoding="ascii")
    summary = ", ".join(f"{family} {len(ranges)} runs" for family, ranges in ranges_by_family.items())
    sys.stdout.write(f"{file}: {summary}\n")
