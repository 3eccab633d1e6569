"""Recordings written down by a command of the operator, and files that cannot be fetched."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from amends.documents.case_file.case_file import complaint_form
from amends.documents.labels import load_labels
from amends.runtime.programs import speech_from, transcribe
from amends.settings.sections import SpeechSettings
from bots.telegram import jobs
from complaints.letter_texts import ComplaintText
from complaints.vocabulary import Flag
from simulator import Simulator
from store.cases.export import export_case
from store.cases.read import open_case
from store.models.training_examples import load_unassessed_page
from store.outbox.failed import list_failed
from store.people.masked_texts import load_masked_story
from store.people.staff import load_actor
from store.record.load import load_complaint_text
from store.store import Store
from store.values import FileToFetch
from tests.edges.telegram_desk import telegram_desk


def script(folder: Path, body: str) -> tuple[str, ...]:
    path = folder / "write-down"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return (str(path),)


async def test_the_words_of_a_recording_are_marked_read_for_danger_and_do_not_replace_it(
    usual_store: Store, tmp_path: Path
) -> None:
    command = script(
        tmp_path, 'test "$(head -c 4 "$1")" = OggS && echo "there is a smell of gas in my kitchen"'
    )
    speech = speech_from(SpeechSettings(command=command))
    async with Simulator() as sim, telegram_desk(sim, usual_store, speech=speech) as desk:
        anna = sim.customer("Anna")
        await anna.sends_voice(42)
        await anna.hears("voice note of 0:42", timeout=20)
        await anna.hears("0800 111 999", timeout=20)
        opened = usual_store.write(open_case, desk.ref, usual_store.read(load_actor, "U1"), "case")
    assert [(text.field, text.text) for text in opened.texts] == [
        ("transcript.1", "there is a smell of gas in my kitchen")
    ]
    assert [file.state for file in opened.files] == ["fetched"]
    assert {Flag.DANGER, Flag.MEDIA_UNHEARD} <= opened.case.flags
    assert opened.case.only_in_media
    words = "there is a smell of gas in my kitchen"
    # It serves search, but no model learns what a machine wrote.
    assert usual_store.read(load_masked_story, desk.ref) == words
    assert usual_store.read(load_unassessed_page) == ([], None)
    content = ComplaintText(files=(("voice", 42),), transcripts=(words,))
    assert usual_store.read(load_complaint_text, desk.ref) == content
    whole, labels = usual_store.read(export_case, desk.ref), load_labels(("en",), "Europe/London")
    shown = complaint_form(whole, labels, made_at=usual_store.now()).record["problem"]
    assert f"(a voice note of 0:42)\nA machine wrote this from the recording, not checked: {words}" in shown


async def test_a_photo_that_replaces_another_in_an_edit_is_fetched_and_the_earlier_one_is_kept(
    usual_store: Store,
) -> None:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as desk:
        anna = sim.customer("Anna")
        photo = await anna.sends_photo()
        await desk.settled()
        await anna.replaces_photo(photo)
        await desk.settled()
        opened = usual_store.write(open_case, desk.ref, usual_store.read(load_actor, "U1"), "case")
        files = [(file.kind, file.state, file.source) for file in opened.files]
        assert files == [("photo", "fetched", str(photo.id))] * 2
        hashes = {file["sha256"] for file in usual_store.read(export_case, desk.ref).record["files"]}
        assert len(hashes) == 2


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("echo half; exit 3", "exit code 3"),
        ("sleep 600 & echo $! >$CHILD; wait", "timeout"),
        (None, "FileNotFoundError"),
    ],
)
async def test_a_command_that_fails_leaves_a_line_in_the_log_and_no_child(
    tmp_path: Path, body: str | None, why: str
) -> None:
    command = (
        ("/nowhere/write-down",) if body is None else script(tmp_path, f"CHILD={tmp_path}/child\n{body}")
    )
    with capture_logs() as lines:
        assert await transcribe(command, 1, b"OggS") is None
    assert [(line["event"], line["why"]) for line in lines] == [("speech_failed", why)]
    if why == "timeout":
        # Killed, but the system may take a moment to end it.
        async with asyncio.timeout(20):
            while not has_ended(int((tmp_path / "child").read_text())):
                await asyncio.sleep(0.02)


def has_ended(process: int) -> bool:
    """True also while nobody has asked for its exit code."""
    status = Path(f"/proc/{process}/status")
    return not status.exists() or "State:\tZ" in status.read_text()


async def test_the_command_gets_none_of_our_secrets_and_its_folder_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMENDS_SECRET_KEY", "secret")
    command = script(tmp_path, "env | grep AMENDS; pwd")
    folder = await transcribe(command, 10, b"OggS")
    assert folder is not None
    assert "secret" not in folder
    assert not Path(folder).exists()


async def test_a_recording_without_a_transcript_is_tried_again_and_kept(
    usual_store: Store, tmp_path: Path
) -> None:
    speech = speech_from(SpeechSettings(command=script(tmp_path, "exit 1")))
    async with Simulator() as sim, telegram_desk(sim, usual_store, speech=speech) as desk:
        await sim.customer("Anna").sends_voice(42)
        await sim.until(lambda: [row["kind"] for row in usual_store.read(list_failed)] == ["transcribe"])
        opened = usual_store.write(open_case, desk.ref, usual_store.read(load_actor, "U1"), "case")
    assert opened.texts == ()
    assert [file.state for file in opened.files] == ["fetched"]


def test_a_recording_that_is_too_long_is_not_written_down() -> None:
    speech = speech_from(SpeechSettings(command=("write-down",), max_minutes=1))
    assert speech is not None
    takes = [
        speech.takes(wanted(kind, seconds))
        for kind, seconds in (("voice", 60), ("voice", 61), ("photo", None))
    ]
    assert takes == [True, False, False]


def wanted(kind: str, seconds: int | None) -> FileToFetch:
    return FileToFetch("REF", 1, "f", kind, None, 1, None, "announced", seconds)


async def test_a_file_that_cannot_be_fetched_is_said_to_the_person_and_to_staff(
    usual_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "DOWNLOAD_ATTEMPTS", 1)
    async with Simulator() as sim, telegram_desk(sim, usual_store) as desk:
        sim.fail_next("getFile", times=10)
        anna = sim.customer("Anna")
        await anna.sends_photo()
        await anna.hears("I could not fetch a file that you sent", timeout=20)
        await sim.until(
            lambda: [row["state"] for row in usual_store.read(list_failed)] == ["failed"], timeout=20
        )
        opened = usual_store.write(open_case, desk.ref, usual_store.read(load_actor, "U1"), "case")
    assert [file.state for file in opened.files] == ["failed"]
