"""The type of a file by its content: what it was sent as is no evidence, and a program may be sent as a picture."""

import re
import tomllib
from importlib import resources

BINARY, TEXT = "application/octet-stream", "text/plain"
_TABLES = tomllib.loads(resources.files("store").joinpath("file_types.toml").read_text(encoding="utf-8"))
#: First bytes of a file, its type and its extension.
_MAGIC: list[tuple[bytes, str, str]] = [
    (start.encode("latin-1"), mime, ending) for start, mime, ending in _TABLES["magic"]
]
#: Beginnings of text that a program would run, after blanks and a byte-order mark, in lower case.
_SCRIPTS = re.compile(
    rb"<\?php|<!doctype html|<html|<script|<svg[^>]*>.*<script|<\?xml[^>]*>.*<script|@echo off|powershell|"
    rb"(?:param\s*\(|\$\w+\s*=)|wscript\.|set-executionpolicy|javascript:|import (?:os|sys|subprocess)\b|rem \w",
    re.DOTALL,
)
SCRIPT = "text/x-script"
#: Types that a device may run; staff are warned and get them as `.bin`.
PROGRAMS = frozenset({
    "application/vnd.microsoft.portable-executable", "application/x-executable", "application/x-mach-binary",
    "application/wasm", "application/vnd.android.dex", "application/x-ms-shortcut", SCRIPT,
})  # fmt: skip
#: What a declared type may add to the sniffed one, because one container serves several types.
_REFINES = {mime: tuple(beginnings) for mime, beginnings in _TABLES["refines"].items()}


def media_type(data: bytes, declared: str | None = None) -> str:
    """The media type of these bytes; `declared` counts only where it says more and agrees with the content."""
    sniffed = _sniff(data)
    kind = (declared or "").partition(";")[0].strip().lower()
    if sniffed == BINARY:
        # Unknown bytes are nothing that we would recognise, under any declared type.
        return kind if kind and not kind.startswith(("image/", "text/")) and kind not in _KNOWN else BINARY
    return kind if kind not in PROGRAMS and kind.startswith(_REFINES.get(sniffed, ("\x00",))) else sniffed


def extension(data: bytes) -> str:
    """The extension by the content, never by the name that the file had; `.bin` for programs and unknown bytes."""
    sniffed = _sniff(data)
    if sniffed in PROGRAMS:
        return ".bin"
    extensions = {mime: ending for _, mime, ending in _MAGIC}
    return {**extensions, "image/webp": ".webp", "video/mp4": ".mp4", "audio/wav": ".wav", TEXT: ".txt"}.get(
        sniffed, ".bin"
    )


def is_program(mime: str | None) -> bool:
    """Whether a device may run a file of this type."""
    return mime in PROGRAMS


def _sniff(data: bytes) -> str:
    for start, mime, _ in _MAGIC:
        if data.startswith(start) and not (start == b"MZ" and len(data) < 64):
            return mime
    if data[4:8] == b"ftyp":
        return "video/mp4"
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12], BINARY)
    if data[:2] == b"BM" and data[6:10] == bytes(4):
        return "image/bmp"
    return _sniff_text(data[:4096])


def _sniff_text(start: bytes) -> str:
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _SCRIPTS.match(text.lower()):
        return SCRIPT
    if b"\x00" in start or not text:
        return BINARY
    try:
        # The last character may be cut in the middle.
        start[: max(1, len(start) - 3)].decode()
    except UnicodeDecodeError:
        return BINARY
    return TEXT


_KNOWN = frozenset({*(mime for _, mime, _ in _MAGIC), "image/webp", "video/mp4", "audio/wav", "image/bmp"})
