"""README followed literally in an empty folder, and what the system refuses, in one plain sentence each."""

from __future__ import annotations

import asyncio
import errno
import os
import pty
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from amends.cli.main import _message_and_code
from amends.demo import past_file, recording
from scheduler.ticks import _ends_when_cancelled
from tests.edges.product import PATIENCE, Ended, run_command

AMENDS = str(Path(sys.executable).with_name("amends"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AMENDS_")}


def amends(folder: Path, *arguments: str, answers: str = "") -> Ended:
    return run_command(arguments, folder, ENVIRONMENT, answers)


def test_init_then_check_work_as_the_readme_says(tmp_path: Path) -> None:
    written = subprocess.run(
        [AMENDS, "init", "desk"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    outside = amends(tmp_path, "check")
    inside = amends(tmp_path / "desk", "check")
    assert written.returncode == 0
    assert written.stderr.rstrip().endswith(f"then: cd desk && {AMENDS} check")
    assert (outside.code, outside.err.count("\n")) == (2, 1)
    assert "there is one in desk: `cd desk` first" in outside.err
    failures = {line.split(":")[0].split()[1] for line in inside.out.splitlines() if line[:4] == "fail"}
    assert failures == {"level", "Telegram", "Slack"}
    assert "the first `amends run` makes its tables" in inside.out
    assert inside.err == ""


def test_only_the_owner_can_read_the_files_of_an_installation(tmp_path: Path) -> None:
    amends(tmp_path, "init", "desk")
    desk = tmp_path / "desk"
    assert amends(desk, "db", "upgrade").code == 0
    backup = amends(desk, "db", "backup", "copy.db")
    assert backup.code == 0, backup.err
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in desk.rglob("*")}
    assert {name: oct(mode) for name, mode in modes.items() if mode & 0o077} == {}
    (desk / "amends.db").chmod(0o644)
    assert "Run: chmod 600 amends.db" in amends(desk, "check").out


def test_init_refuses_a_language_that_run_refuses_and_names_those_with_texts(tmp_path: Path) -> None:
    refused = amends(tmp_path, "init", "desk", "--languages", "en,fi")
    assert refused.code == 2
    assert 'no texts in "fi"' in refused.err
    assert "Amends has texts in de, en, es, tr" in refused.err
    assert not (tmp_path / "desk").exists()


def test_init_asks_again_only_for_the_answer_that_it_refuses(tmp_path: Path) -> None:
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [AMENDS, "init", "desk"], cwd=tmp_path, env=ENVIRONMENT, stdin=end, stdout=end, stderr=end
    )
    os.close(end)
    os.write(terminal, b"Su Kurumu\nTurkey\nTR\nEurope/Istanbul\ntr,xx\ntr,en\n112\n\n\n")
    shown = b"".join(_until_closed(terminal)).decode()
    assert process.wait() == 0, shown
    assert shown.count("The organisation's name") == 1
    assert shown.count("Country, two letters") == 2
    assert shown.count("Languages, the fallback first") == 2
    settings = (tmp_path / "desk" / "amends.toml").read_text(encoding="utf-8")
    assert 'name = "Su Kurumu"' in settings
    assert 'languages = ["tr", "en"]' in settings


def test_init_takes_its_answers_from_a_pipe(tmp_path: Path) -> None:
    piped = amends(tmp_path, "init", "desk", answers="Lough Gas\nIE\nEurope/Dublin\nen\n999\nBill, Smell\n\n")
    settings = (tmp_path / "desk" / "amends.toml").read_text(encoding="utf-8")
    values = ('name = "Lough Gas"', 'country = "IE"', 'languages = ["en"]', 'emergency_number = "999"')
    assert piped.code == 0, piped.err
    assert [value for value in (*values, 'name.en = "Smell"') if value not in settings] == []
    assert "No answer for" not in piped.err


def test_init_names_the_answers_that_a_pipe_does_not_give(tmp_path: Path) -> None:
    piped = amends(tmp_path, "init", "desk", "--country", "TR", answers="Kuzey Su\n")
    assert piped.code == 0
    assert "No answer for timezone, languages, emergency_number, categories, checkpoint_file: " in piped.err
    assert 'name = "Kuzey Su"' in (tmp_path / "desk" / "amends.toml").read_text(encoding="utf-8")


def test_init_without_standard_input_writes_examples(tmp_path: Path) -> None:
    closed = subprocess.run(
        ["sh", "-c", f"{AMENDS} init desk <&-"],
        cwd=tmp_path,
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )
    assert closed.returncode == 0, closed.stderr
    assert (tmp_path / "desk" / "amends.toml").exists()


def test_a_refused_answer_in_a_pipe_ends_init_and_writes_nothing(tmp_path: Path) -> None:
    piped = amends(tmp_path, "init", "desk", answers="Kuzey Su\nTurkey\nEurope/Istanbul\n")
    assert piped.code == 2
    assert "'Turkey' is not a country" in piped.err
    assert not (tmp_path / "desk").exists()


def _until_closed(terminal: int) -> Iterator[bytes]:
    try:
        while chunk := os.read(terminal, 4096):
            yield chunk
    except OSError:  # Linux reports the other end's closing so
        return


def test_a_port_that_is_taken_is_one_sentence_with_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = amends(tmp_path, "demo", "--empty", "--port", str(port))
    assert refused.code == 2
    assert f"--port {port}: cannot listen there (Address already in use): choose another port" in refused.err
    assert refused.err.count("\n") == 1


def test_the_demo_prints_a_first_line_its_record_can_be_read_and_it_ends_with_one_line(
    tmp_path: Path,
) -> None:
    demo = subprocess.Popen(
        [AMENDS, "demo", "--empty", "--port", "0"],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert demo.stdout is not None
    first, page, signed, record = (demo.stdout.readline() for _ in range(4))
    command = record.partition("terminal: ")[2]
    listed = subprocess.run(
        command, shell=True, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    demo.send_signal(signal.SIGINT)
    rest, errors = demo.communicate()
    assert first == "Starting the demo.\n"
    assert page.startswith("Open http://127.0.0.1:")
    assert "signed for this demo only" in signed
    assert "case list" in command
    assert (listed.returncode, listed.stderr) == (0, "")
    assert (rest, errors.strip(), demo.returncode) == ("The demo has ended; nothing was kept.\n", "", 0)


#: The demo of a changed checkout, whose past was made from other sources. As in a terminal: what tests start in the
#: background ignores Ctrl-C.
CHANGED = """
import signal
from amends.cli.main import script
from amends.demo import past_file
signal.signal(signal.SIGINT, signal.default_int_handler)
past_file.is_current = lambda: False
script()
"""


def test_the_demo_can_be_interrupted_while_its_past_is_made(tmp_path: Path) -> None:
    demo = subprocess.Popen(
        [sys.executable, "-c", CHANGED, "demo", "--port", "0"],
        cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert demo.stderr is not None
    begun = demo.stderr.readline()
    # Also while the process that makes the past is being started.
    demo.send_signal(signal.SIGINT)
    out, errors = demo.communicate(timeout=PATIENCE)
    assert begun.startswith("Making its past")
    assert (out, errors) == ("Starting the demo.\n", "Stopped.\n")
    assert demo.returncode == 130


def test_a_past_that_cannot_be_kept_ends_the_demo_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_file, "FILE", tmp_path / "missing" / "past.jsonl.xz")
    monkeypatch.setattr(recording, "record_past", lambda: "")
    with pytest.raises(SystemExit, match="cannot be written: No such file or directory"):
        past_file.ensure_current()


async def test_a_stop_in_the_middle_of_a_tick_is_not_logged_as_a_failure_of_the_tick() -> None:
    job = asyncio.create_task(_ends_when_cancelled(lambda: asyncio.sleep(60))())  # type: ignore[arg-type]
    await asyncio.sleep(0)
    job.cancel()
    assert await job is None


@pytest.mark.parametrize(
    ("number", "file", "code", "remedy"),
    [
        (errno.EACCES, "/srv/x.zip", 2, "let this account read and write there"),
        (errno.EROFS, "/srv/x.zip", 2, "choose another place"),
        (errno.ENOSPC, "/srv/x.zip", 1, "free some space"),
        (errno.EADDRINUSE, None, 2, "choose another port"),
        (errno.EMFILE, None, 1, "ulimit -n"),
    ],
)
def test_what_the_system_refuses_is_one_sentence_with_the_remedy(
    number: int, file: str | None, code: int, remedy: str
) -> None:
    message, exit_code = _message_and_code(OSError(number, os.strerror(number), file))
    assert exit_code == code
    assert remedy in message
    assert (file or "") in message
    assert "fault in Amends" not in message
