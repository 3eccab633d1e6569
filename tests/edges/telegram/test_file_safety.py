"""Files of complainants: typed by content, named by us, never unpacked, and held back if the scanner objects."""

from __future__ import annotations

import ast
import gzip
import io
import json
import os
import re
import sys
import zipfile
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from struct import pack
from types import SimpleNamespace
from typing import Any, cast

import pytest
import telegram

from amends import checks
from amends.checks import _scanner
from amends.documents.case_file.case_file import _as_svg
from amends.documents.labels import load_labels
from amends.privacy.data_export import archive
from amends.runtime.programs import file_scanner, scan
from bots.telegram import jobs
from simulator import Simulator
from store.cases.export import read_stored_file
from store.cases.read import load_case, open_case
from store.database.errors import StoreError
from store.files import read_file_bytes, store_file
from store.outbox.failed import list_failed, retry_failed
from store.people.staff import load_actor
from store.store import Store
from store.values import ReceivedFile
from tests.databases import FakeClock
from tests.edges.desk import HANDLER
from tests.edges.slack_office import ALICE, MONA, open_office
from tests.edges.telegram_desk import TelegramDesk, telegram_desk
from tests.source import modules
from triage.errors import UnreadableTable
from triage.learning import own_history

#: The bytes that every scanner takes for a virus, in parts so that none objects to this file.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-ANTIVIRUS" + b"-TEST-FILE!$H+H*"
#: A scanner in one line: 1 for the test file, 0 for others.
SCANNER = [sys.executable, "-c", "import sys; sys.exit(b'EICAR' in sys.stdin.buffer.read())"]
NO_SIZE = property(lambda file: None, lambda file, size: None)
PHOTO = ReceivedFile("f1", "u1", "photo", "1", name="tap.png")


def exits(code: int) -> list[str]:
    """A scanner that always ends with this code."""
    return [sys.executable, "-c", f"raise SystemExit({code})"]


def zip_bomb(levels: int = 3) -> bytes:
    """A small archive of archives that would unpack to terabytes."""
    data = zlib.compress(bytes(1 << 20), 9)
    for _ in range(levels):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
            for number in range(16):
                target.writestr(f"../../{number}.zip", data)
        data = packed.getvalue()
    return data


def office_file() -> bytes:
    """A word processor's file with a macro, which is a ZIP archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr("word/vbaProject.bin", b"macro")
    return packed.getvalue()


# The scanner.


async def test_the_scanner_passes_a_clean_file_and_refuses_an_infected_one() -> None:
    assert [await scan(SCANNER, data) for data in (b"harmless", b"", EICAR, bytes(5_000_000))] == [
        True, True, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize("words", [exits(2), exits(-9), ["/no/such/program"], [str(Path(__file__))]])
async def test_a_scanner_that_fails_gives_no_verdict(words: list[str]) -> None:
    assert await scan(words, b"data") is None


async def test_a_scanner_that_does_not_read_its_input_decides_all_the_same() -> None:
    assert await scan(exits(1), bytes(5_000_000)) is False


async def test_a_scanner_that_hangs_is_stopped_and_gives_no_verdict(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    assert await scan([sys.executable, "-c", code], b"data", timeout_seconds=2) is None
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


async def test_the_scanner_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMENDS_SECRET_KEY", "secret")
    code = "import os, sys; sys.exit(any(name.startswith('AMENDS') for name in os.environ))"
    assert await scan([sys.executable, "-c", code], b"data") is True


def test_without_a_command_there_is_no_scanner() -> None:
    assert file_scanner("") is None


@pytest.mark.parametrize(
    ("command", "mark", "result"),
    [
        (SCANNER, "ok", ""),
        (exits(0), "warn", "passes the EICAR test file, or refuses a clean one"),
        (exits(1), "warn", "passes the EICAR test file, or refuses a clean one"),
        (["/no/such/program"], "warn", "no verdict"),
    ],
)
async def test_the_check_tries_the_scanner(command: list[str], mark: str, result: str) -> None:
    line = " ".join(f'"{word}"' if " " in word else word for word in command)
    settings = SimpleNamespace(files=SimpleNamespace(scanner=line))
    (finding,) = await _scanner(cast(Any, settings))
    assert finding.mark == mark
    assert result in finding.result
    assert checks._SCANNER_TEST == EICAR


# The file in the store, with and without a verdict.


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[TelegramDesk]:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as running:
        yield running


def states(desk: TelegramDesk) -> list[str]:
    actor = desk.store.read(load_actor, HANDLER)
    return [file.state for file in desk.store.write(open_case, desk.ref, actor, "case").files]


def bytes_for_staff(desk: TelegramDesk) -> bytes:
    return desk.store.write(read_file_bytes, desk.ref, 1, desk.store.read(load_actor, HANDLER))


def export(desk: TelegramDesk) -> tuple[dict[str, Any], list[str]]:
    """The complainant's own copy: its data and the names in it."""
    person = desk.store.read(load_case, desk.ref).complainant
    labels = load_labels(("en", "tr"), "Europe/London")
    with zipfile.ZipFile(io.BytesIO(archive(desk.store, person, labels))) as packed:
        return json.loads(packed.read("data.json")), packed.namelist()


async def test_an_infected_file_is_kept_and_given_to_nobody(usual_store: Store) -> None:
    async with (
        Simulator() as sim,
        telegram_desk(sim, usual_store, scan=lambda data: scan(SCANNER, data)) as desk,
    ):
        await sim.customer("Anna").sends_document("bill.pdf", b"%PDF-1.4 " + EICAR)
        await desk.settled()
        assert states(desk) == ["infected"]
        with pytest.raises(StoreError, match="infected: it is not handed on"):
            bytes_for_staff(desk)
        data, names = export(desk)
        (file,) = data["complaints"][0]["files"]
        assert (file["state"], file["path"]) == ("infected", None)
        assert [name for name in names if name.startswith("files/")] == []
        # It is evidence, so it is not thrown away.
        assert usual_store.read(read_stored_file, desk.ref, 1) == b"%PDF-1.4 " + EICAR
        (notice,) = [
            row for row in usual_store.read(list_failed, everything=True) if row["kind"] == "told_failed"
        ]
        assert notice["ref"] == desk.ref


async def test_a_file_without_a_verdict_waits_and_is_scanned_again(usual_store: Store) -> None:
    verdicts: list[bool | None] = [None, True]

    async def scanner(data: bytes) -> bool | None:
        assert data == b"%PDF-1.4 ok"
        return verdicts.pop(0)

    async with Simulator() as sim, telegram_desk(sim, usual_store, scan=scanner) as desk:
        await sim.customer("Anna").sends_document("bill.pdf", b"%PDF-1.4 ok")
        await desk.settled()
        assert states(desk) == ["unscanned"]
        with pytest.raises(StoreError, match="unscanned"):
            bytes_for_staff(desk)
        (waiting,) = [row for row in usual_store.read(list_failed) if row["kind"] == "fetch"]
        assert waiting["why"] == "the virus scanner gave no verdict"
        # Telegram is not asked again: the file is here.
        sim.trouble.telegram_down = True
        usual_store.write(retry_failed, waiting["id"])
        await desk.worker.idle()
        sim.trouble.telegram_down = False
        assert states(desk) == ["fetched"]
        assert bytes_for_staff(desk) == b"%PDF-1.4 ok"


async def test_the_manager_is_informed_and_no_button_offers_the_infected_file(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock) as office:
        ref = office.receive("", PHOTO)
        usual_store.write(store_file, ref, 1, b"\x89PNG\r\n\x1a\n" + EICAR, "image/png", "infected")
        office.propose(ref)
        card = await office.card(ref)
        await office.staff(ALICE).presses(card, "Open")
        view = str((await office.staff(ALICE).opened()).view.content)
        assert "the virus scanner found something in it" in view
        assert "Send to me" not in view
        assert any("virus scanner found something in file 1" in text for text in office.texts(MONA))


# What the content is, what it is called, and that it is never opened.


@pytest.mark.parametrize(
    ("name", "data", "mime", "stored", "ending"),
    [
        ("../../etc/cron.d/job", zip_bomb(), "application/zip", "application/zip", "etc_cron.d_job"),
        ("C:\\con.docx", office_file(), "image/png", "application/zip", "C_con.docx"),
        (
            "\u202egnp.exe",
            b"MZ" + bytes(80),
            "image/png",
            "application/vnd.microsoft.portable-executable",
            ".bin",
        ),
        ("a\x00b\r\n.html", b"<script>alert(1)</script>", "text/html", "text/x-script", ".bin"),
        ("polyglot.gif", b"GIF89a" + office_file(), "application/pdf", "image/gif", "polyglot.gif"),
        ("." * 300, b"%PDF-1.4", "application/pdf", "application/pdf", "document"),
        ("x" * 300 + ".pdf", b"%PDF-1.4", "application/pdf", "application/pdf", ".pdf"),
    ],
)
async def test_a_file_is_typed_by_content_named_safely_and_kept_as_it_came(
    desk: TelegramDesk, name: str, data: bytes, mime: str, stored: str, ending: str
) -> None:
    await desk.sim.customer("Anna").sends_document(name, data, mime=mime)
    await desk.settled()
    exported, names = export(desk)
    (file,) = exported["complaints"][0]["files"]
    assert file["mime"] == stored
    (path,) = [name for name in names if name.startswith("files/")]
    assert path.startswith(f"files/{desk.ref}/1-")
    assert path.endswith(ending)
    assert ".." not in path
    assert len(path) < 120
    assert bytes_for_staff(desk) == data


def test_the_product_unpacks_no_archive_that_a_complainant_sent() -> None:
    """Only our own model files and tables of the operator are unpacked, each up to a limit."""
    unpacking = set()
    named = re.compile(r"\b(?:gzip|zlib|zipfile|tarfile|shutil|lzma|bz2|Image)\b")
    # Parsing every module takes seconds.
    for module in (candidate for candidate in modules() if named.search(candidate.text)):
        calls = {
            ast.unparse(node.func)
            for node in module.nodes
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        }
        named_calls = {
            "gzip.decompress",
            "gzip.open",
            "gzip.GzipFile",
            "zlib.decompress",
            "zipfile.ZipFile",
            "lzma.open",
        }
        if calls & named_calls:
            unpacking.add(module.path)
        assert not calls & {"tarfile.open", "shutil.unpack_archive", "bz2.open", "Image.open"}, module
    assert unpacking == {
        "amends/demo/past_file.py",  # made by us
        "amends/demo/snapshot.py",
        "amends/privacy/data_export.py",  # writes
        "store/models/training_examples.py",  # sealed by us
        "triage/csv/encoding.py",
        "triage/learning/own_history.py",
        "triage/model/artefact.py",
    }


@pytest.mark.parametrize("announced", [True, False])
async def test_a_file_above_the_limit_is_recorded_and_not_stored(
    desk: TelegramDesk, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    monkeypatch.setattr(jobs, "MAX_FILE_BYTES", 1000)
    if not announced:
        # A server that gives no size, or a wrong one.
        monkeypatch.setattr(telegram.File, "file_size", NO_SIZE, raising=False)
    await desk.sim.customer("Anna").sends_document("big.pdf", b"%PDF-1.4" + bytes(1000))
    await desk.settled()
    assert states(desk) == ["too_large"]


def picture(width: int, height: int) -> bytes:
    """A PNG that unpacks to this many pixels."""
    header = pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + pack(">I", 13) + b"IHDR" + header + pack(">I", zlib.crc32(b"IHDR" + header))


def test_a_picture_that_unpacks_to_more_pixels_than_a_page_needs_is_not_drawn() -> None:
    assert _as_svg(picture(6_000, 6_000)) is not None
    assert _as_svg(picture(60_000, 60_000)) is None
    assert _as_svg(picture(2**31, 2**31)) is None


def test_a_history_file_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_history, "MOST_BYTES", 1 << 20)
    with pytest.raises(UnreadableTable, match="unpacks to more than 1 MB"):
        own_history.read_history_file(gzip.compress(bytes(2 << 20)))
