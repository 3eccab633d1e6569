"""The content of a file decides its type; a program that was sent as a picture is stored and marked as a program."""

from __future__ import annotations

import pytest

from store.files import extension, is_program, media_type

PNG = b"\x89PNG\r\n\x1a\n" + bytes(24)
EXE = b"MZ\x90\x00" + bytes(100)


@pytest.mark.parametrize(
    ("data", "declared", "stored"),
    [
        (EXE, "image/png", "application/vnd.microsoft.portable-executable"),
        (b"\x7fELF" + bytes(60), "image/jpeg", "application/x-executable"),
        (b"#!/bin/sh\nrm -rf /\n", "image/png", "text/x-script"),
        (b"<?php system($_GET['c']);", "image/gif", "text/x-script"),
        (b"\xef\xbb\xbf<!DOCTYPE html><script>alert(1)</script>", "image/png", "text/x-script"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>', "image/png", "text/x-script"),
        (b"@echo off\r\ndel *.*\r\n", "text/plain", "text/x-script"),
        (PNG, "application/pdf", "image/png"),
        (PNG, None, "image/png"),
        (b"PK\x03\x04" + bytes(20), "image/png", "application/zip"),
        (b"the text of a letter", "image/png", "text/plain"),
        (b"\x00\x01\x02\x03", "image/png", "application/octet-stream"),
        # The declared type says more than the content, and agrees with it.
        (b"a;b\n1;2\n", "text/csv", "text/csv"),
        (
            b"PK\x03\x04" + bytes(20),
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.text",
        ),
        (b"\x00\x00\x00\x18ftypM4A " + bytes(8), "audio/mp4", "audio/mp4"),
        (b"OggS" + bytes(8), "audio/opus", "audio/opus"),
    ],
)
def test_the_content_decides_the_type(data: bytes, declared: str | None, stored: str) -> None:
    assert media_type(data, declared) == stored


def test_a_program_is_forwarded_under_a_name_that_nothing_runs() -> None:
    assert (extension(EXE), extension(PNG), extension(b"#!/bin/sh\n")) == (".bin", ".png", ".bin")
    assert is_program(media_type(EXE, "image/png"))
    assert not is_program(media_type(PNG, "application/vnd.microsoft.portable-executable"))
