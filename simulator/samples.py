"""Built-in pictures and a voice note for the page and for tests."""

import struct
from importlib.resources import files

from simulator.http import Upload

# One Opus frame of 20 ms of silence.
SILENCE = b"\xf8\xff\xfe"


def picture(number: int, size: str = "large") -> bytes:
    """A JPEG; `size` is small, medium or large. There are three, so picture 3 is picture 0 again."""
    return (files("simulator") / "pictures" / f"picture{number % 3 + 1}_{size}.jpg").read_bytes()


def photo(number: int) -> Upload:
    """A built-in picture under a file name of its own."""
    return Upload("file", f"photo{number + 1}.jpg", "image/jpeg", picture(number))


def voice(seconds: int) -> Upload:
    """A voice note: an Ogg Opus file with this many seconds of silence."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 9) + b"simulator" + struct.pack("<I", 0)
    pages = [_page([head], granule=0, number=0, flags=2), _page([tags], granule=0, number=1, flags=0)]
    for second in range(seconds):
        last = second == seconds - 1
        pages.append(
            _page([SILENCE] * 50, granule=48000 * (second + 1), number=second + 2, flags=4 if last else 0)
        )
    return Upload("file", "voice.ogg", "audio/ogg", b"".join(pages))


def _page(packets: list[bytes], *, granule: int, number: int, flags: int) -> bytes:
    table = bytes(len(packet) for packet in packets)
    page = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, 1, number, 0) + bytes([len(table)]) + table
    page += b"".join(packets)
    return page[:22] + struct.pack("<I", _crc(page)) + page[26:]


def _crc(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1) ^ 0x104C11DB7 if crc & 0x80000000 else crc << 1
    return crc & 0xFFFFFFFF


def dimensions(data: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG or JPEG; 800 by 600 for other data."""
    if data.startswith(b"\x89PNG") and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    offset = 2
    while data.startswith(b"\xff\xd8") and offset + 9 < len(data):
        if data[offset + 1] in (0xC0, 0xC1, 0xC2):
            height, width = struct.unpack(">HH", data[offset + 5 : offset + 9])
            return width, height
        offset += 2 + int(struct.unpack(">H", data[offset + 2 : offset + 4])[0])
    return 800, 600
