"""The appendix of a case file: the pictures among the enclosures."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from struct import unpack_from

from amends.documents.blocks import Block, Heading, Picture
from amends.documents.case_file.record_view import RecordView
from amends.documents.typst import can_draw

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
#: JPEG markers that height and width follow: every start of frame except three.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

#: In pixels. More than any page needs; unpacking a larger picture could exhaust the memory.
_MOST_PIXELS = 40_000_000


@dataclass(frozen=True)
class StoredPicture:
    """A file of the complaint that is a picture; `number` is its number among the enclosures."""

    number: int
    data: bytes


def pictures(view: RecordView, stored: Sequence[StoredPicture]) -> Iterator[Block]:
    """Each picture as large as the page allows. A file that is not a whole JPEG or PNG is left out."""
    drawn = [
        Picture(svg, view.label("form.enclosure", number=picture.number))
        for picture in stored
        if (svg := _as_svg(picture.data)) is not None
    ]
    drawable = [picture for picture in drawn if can_draw(picture)]
    if drawable:
        yield Heading(view.label("pictures.title"), new_page=True)
        yield from drawable


def _as_svg(data: bytes) -> str | None:
    """The picture as an SVG, which the template accepts as a string like all other data."""
    if data.startswith(_PNG) and len(data) > 24:
        mime, (width, height) = "image/png", unpack_from(">II", data, 16)
    elif data.startswith(_JPEG) and (size := _jpeg_size(data)) is not None:
        mime, (width, height) = "image/jpeg", size
    else:
        return None
    if not 0 < width * height <= _MOST_PIXELS:
        return None
    encoded = base64.b64encode(data).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        f'<image width="{width}" height="{height}" href="data:{mime};base64,{encoded}"/></svg>'
    )


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from the first frame header, or None if there is none."""
    offset = 2
    while offset + 9 < len(data) and data[offset] == 0xFF:
        if data[offset + 1] in _FRAMES:
            height, width = unpack_from(">HH", data, offset + 5)
            return width, height
        offset += 2 + int(unpack_from(">H", data, offset + 2)[0])
    return None
