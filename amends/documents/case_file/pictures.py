"""The pictures among the enclosures, as an appendix."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import unpack_from

from amends.documents.blocks import Block, Heading, Picture
from amends.documents.case_file.telling import Telling
from amends.documents.setting import can_draw

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
#: Markers of a JPEG after which its height and width stand: every start of frame but three.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: What a page can show many times over; a picture that unpacks to more would take the machine's memory.
_MOST_PIXELS = 40_000_000


@dataclass(frozen=True)
class StoredPicture:
    """A file of the complaint that is a picture; `n` is its number among the enclosures."""

    n: int
    data: bytes


def pictures(told: Telling, shown: Sequence[StoredPicture]) -> Iterator[Block]:
    """Each picture as large as the page allows; what is no whole JPEG or PNG stays an enclosure only."""
    drawn = [
        Picture(svg, told.say("form.enclosure", number=one.n))
        for one in shown
        if (svg := _as_svg(one.data)) is not None
    ]
    whole = [one for one in drawn if can_draw(one)]
    if whole:
        yield Heading(told.say("pictures.title"), new_page=True)
        yield from whole


def _as_svg(data: bytes) -> str | None:
    """The picture inside an SVG, which the template can take as a text like everything else."""
    if data.startswith(PNG) and len(data) > 24:
        mime, (width, height) = "image/png", unpack_from(">II", data, 16)
    elif data.startswith(JPEG) and (size := _jpeg_size(data)) is not None:
        mime, (width, height) = "image/jpeg", size
    else:
        return None
    if not 0 < width * height <= _MOST_PIXELS:
        return None
    coded = base64.b64encode(data).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:{mime};base64,{coded}"/></svg>'
    )


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the first frame header; None where there is none."""
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        if data[at + 1] in _FRAMES:
            height, width = unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + int(unpack_from(">H", data, at + 2)[0])
    return None
