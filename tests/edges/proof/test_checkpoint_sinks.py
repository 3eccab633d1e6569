"""Checkpoints leave the database: two witnesses, a file, a command and Slack, each independent of the others."""

from __future__ import annotations

import asyncio
import signal
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import amends.checkpoints
from amends.checkpoints import CheckpointSender, save_note
from amends.init import InitAnswers, settings_text
from amends.settings import Settings, SettingsError
from amends.settings.settings_file import parse_settings
from amends.witness import Witness, load_signer
from scheduler.ticks import housekeeping_handlers, schedule_checkpoint
from store.database.transaction import Tx
from store.outbox.claim import claim
from store.proof.log import add_checkpoint, last_cosigned, latest_checkpoint, log_signer, origin
from store.proof.notes import Verifier, cosigned_at, is_signed, parse_checkpoint, parse_verifier, split_note
from store.store import Store
from store.tables import LOG_CHECKPOINTS, LOG_LEAVES, LOG_NODES, LOG_SIGNATURES, OBLIGATIONS
from tests.databases import FakeClock
from tests.edges.desk import Desk
from tests.edges.product import ROOT, free_port, until
from tests.edges.serving import serving_app
from tests.edges.witness_logs import serving_witness

SEED = bytes(range(32))
ANSWERS = InitAnswers("Northwind Water", "GB", "Europe/London", checkpoint_file="")


class Sending:
    """A desk with `[proof]` settings, whose checkpoints are made as the worker makes them."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder, self.desk = store, folder, Desk(store)
        self.sent: Counter[tuple[str, str]] = Counter()
        self.witnesses: dict[str, tuple[str, Verifier]] = {}
        self.proof: dict[str, Any] = {}

    @property
    def log_key(self) -> str:
        signer = self.store.write(log_signer, SEED)
        assert signer is not None
        return str(signer.verifier)

    def witness(self, name: str) -> Witness:
        """A witness with this name, new or started again."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        signer, is_new = load_signer(folder / "key", name)
        return Witness(signer, folder / "state", [parse_verifier(self.log_key)], is_new=is_new)

    def trust(self, url: str, verifier: Verifier) -> None:
        self.witnesses[verifier.name] = (url, verifier)

    def settings(self, key: bytes | None = SEED) -> Settings:
        settings = parse_settings(settings_text(ANSWERS), self.folder / "amends.toml", {})
        witnesses = [
            {"name": name, "url": url, "key": str(verifier)}
            for name, (url, verifier) in self.witnesses.items()
        ]
        proof = type(settings.proof).model_validate({**self.proof, "witnesses": witnesses})
        secrets = settings.secrets.model_copy(update={"signing_key": key})
        return settings.model_copy(update={"proof": proof, "secrets": secrets})

    async def checkpoint(self, key: bytes | None = SEED) -> str:
        """Make and send a checkpoint; its note."""
        schedule_checkpoint(self.store, 10)
        sender = CheckpointSender(self.settings(key), self.store, self._count)
        handlers = housekeeping_handlers(self.store, signing_key=key, send_checkpoint=sender.send)
        (obligation,) = self.store.write(claim, ["checkpoint"], 1, 60)
        await handlers["checkpoint"](obligation)
        newest = self.store.read(latest_checkpoint)
        assert newest is not None
        return newest.note

    def _count(self, place: str, outcome: str) -> None:
        # The desk's own file is the subject of test_log_head.py.
        if place != "log_head":
            self.sent[place, outcome] += 1

    def cosigners(self, note: str) -> set[str]:
        return {name for name, (_, key) in self.witnesses.items() if cosigned_at(note, key) is not None}

    def alarms(self) -> list[dict[str, Any]]:
        return [dict(obligation.facts) for obligation in self.store.write(claim, ["told_failed"], 10, 60)]


@pytest.fixture
def sending(usual_store: Store, tmp_path: Path) -> Sending:
    return Sending(usual_store, tmp_path)


async def test_two_witnesses_cosign_a_log_that_grows(sending: Sending, clock: FakeClock) -> None:
    async with AsyncExitStack() as running:
        for name in ("audit.example", "partner.example"):
            witness = sending.witness(name)
            sending.trust(
                await running.enter_async_context(serving_witness(witness)), witness.signer.verifier
            )
        sizes = []
        for count in (1, 3, 2, 5):
            for _ in range(count):
                sending.desk.receive()
            note = await sending.checkpoint()
            assert sending.cosigners(note) == {"audit.example", "partner.example"}
            sizes.append(parse_checkpoint(split_note(note)[0]).size)
            clock.go_on(minutes=10)
    assert sizes == sorted(set(sizes))
    assert sending.sent == {("witness:audit.example", "ok"): 4, ("witness:partner.example", "ok"): 4}
    assert sending.alarms() == []


async def test_a_killed_witness_catches_up(sending: Sending, clock: FakeClock) -> None:
    port, folder = free_port(), sending.folder / "witness"
    folder.mkdir()
    command = [
        *(sys.executable, "-m", "amends", "witness", "--name", "audit.example", "--log", sending.log_key),
        *("--listen", f"127.0.0.1:{port}"),
    ]

    def start() -> subprocess.Popen[bytes]:
        with (folder / "out").open("wb") as out, (folder / "err").open("ab") as err:
            return subprocess.Popen(
                command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, stdout=out, stderr=err
            )

    async def key() -> Verifier:
        await until(lambda: b"Listening" in (folder / "err").read_bytes())
        return parse_verifier((folder / "out").read_text(), is_witness=True)

    process = start()
    try:
        verifier = await key()
        sending.trust(f"http://127.0.0.1:{port}", verifier)
        await until(partial(_listens, port))
        sending.desk.receive()
        assert sending.cosigners(await sending.checkpoint()) == {"audit.example"}
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
        clock.go_on(minutes=10)
        sending.desk.receive()
        assert sending.cosigners(await sending.checkpoint()) == set()
        (folder / "err").unlink()
        process = start()
        assert await key() == verifier
        await until(partial(_listens, port))
        clock.go_on(minutes=10)
        sending.desk.receive()
        assert sending.cosigners(await sending.checkpoint()) == {"audit.example"}
        assert stat.S_IMODE((folder / "witness.key").stat().st_mode) == 0o600
        assert sending.sent == {("witness:audit.example", "ok"): 2, ("witness:audit.example", "failed"): 1}
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 10)
        assert "Traceback" not in (folder / "err").read_text()
    finally:
        process.kill()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


async def test_a_cosignature_that_was_lost_is_asked_for_again(sending: Sending, clock: FakeClock) -> None:
    witness = sending.witness("audit.example")
    async with serving_witness(witness) as url:
        sending.trust(url, witness.signer.verifier)
        for _ in range(2):
            sending.desk.receive()
            await sending.checkpoint()
            clock.go_on(minutes=10)
        # The witness answered, and we ended before its line was stored.
        _without_triggers(sending.store, delete(LOG_SIGNATURES))
        assert sending.store.read(last_cosigned, "audit.example") == 0
        sending.desk.receive()
        assert sending.cosigners(await sending.checkpoint()) == {"audit.example"}
    assert set(sending.sent) == {("witness:audit.example", "ok")}


async def test_a_log_rewritten_with_all_our_keys_is_refused_and_the_managers_are_told(
    sending: Sending, clock: FakeClock
) -> None:
    witness = sending.witness("audit.example")
    async with serving_witness(witness) as url:
        sending.trust(url, witness.signer.verifier)
        for _ in range(3):
            sending.desk.receive()
        before = await sending.checkpoint()
        _rewrite_log(sending.store)
        for _ in range(2):
            clock.go_on(minutes=10)
            for _ in range(3):
                sending.desk.receive()
            after = await sending.checkpoint()
            assert is_signed(after, [parse_verifier(sending.log_key)])
            assert sending.cosigners(after) == set()
    assert witness.newest(sending.store.write(origin)) is not None
    assert before.splitlines()[1] in str(witness.newest(sending.store.write(origin))).splitlines()
    assert sending.sent[("witness:audit.example", "inconsistent")] == 2
    assert sending.alarms() == [
        {"kind": "witness", "witness": name} for name in ("log_head", "audit.example")
    ]


async def test_a_log_that_was_rolled_back_is_refused(sending: Sending, clock: FakeClock) -> None:
    witness = sending.witness("audit.example")
    async with serving_witness(witness) as url:
        sending.trust(url, witness.signer.verifier)
        sending.desk.receive()
        first = await sending.checkpoint()
        size = parse_checkpoint(split_note(first)[0]).size
        clock.go_on(minutes=10)
        for _ in range(8):
            sending.desk.receive()
        await sending.checkpoint()
        _without_triggers(
            sending.store,
            delete(LOG_SIGNATURES).where(LOG_SIGNATURES.c.size > size),
            delete(LOG_CHECKPOINTS).where(LOG_CHECKPOINTS.c.size > size),
            delete(LOG_LEAVES).where(LOG_LEAVES.c.n >= size),
            text(f"DELETE FROM log_nodes WHERE ((n + 1) << level) > {size}"),
            text("UPDATE journal_heads SET logged_n = n"),
        )
        clock.go_on(minutes=10)
        await sending.checkpoint()
    assert sending.sent[("witness:audit.example", "inconsistent")] == 1
    assert sending.alarms() == [
        {"kind": "witness", "witness": name} for name in ("log_head", "audit.example")
    ]


async def test_a_witness_that_is_shown_another_view_refuses_ours(sending: Sending, clock: FakeClock) -> None:
    """Somebody with our signing key shows the witness a log of the same size with other entries."""
    witness, store = sending.witness("audit.example"), sending.store
    async with serving_witness(witness) as url:
        for _ in range(4):
            sending.desk.receive()
        newest, _ = store.write(add_checkpoint, SEED)
        assert newest is not None
        signer = store.write(log_signer, SEED)
        assert signer is not None
        forged = parse_checkpoint(split_note(newest.note)[0])
        body = type(forged)(forged.origin, forged.size, b"x" * 32).body()
        assert witness.add_checkpoint(f"old 0\n\n{body}\n{signer.sign(body)}\n".encode()).status_code == 200
        sending.trust(url, witness.signer.verifier)
        clock.go_on(minutes=10)
        assert sending.cosigners(await sending.checkpoint()) == set()
    assert sending.sent == {("witness:audit.example", "inconsistent"): 1}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (lambda: PlainTextResponse("no", 404), "refused"),
        (lambda: PlainTextResponse("no", 403), "refused"),
        (lambda: PlainTextResponse("no", 500), "refused"),
        (lambda: PlainTextResponse("no", 302, headers={"Location": "http://127.0.0.1:1/"}), "refused"),
        (lambda: PlainTextResponse("\u2014 audit.example AAAA\n"), "refused"),
        (lambda: PlainTextResponse("\u2014 audit.example \u00e9\n"), "failed"),
        (lambda: PlainTextResponse("x" * 1_000_000), "refused"),
        (lambda: Response(b"\xff"), "failed"),
        (lambda: PlainTextResponse("many", 409), "refused"),
        (lambda: PlainTextResponse("9" * 5000, 409), "failed"),
        (lambda: PlainTextResponse("bad proof", 422), "inconsistent"),
        (lambda: PlainTextResponse("999999\n", 409), "inconsistent"),
    ],
)
async def test_no_answer_of_a_witness_keeps_the_checkpoint_from_the_file(
    sending: Sending, answer: Callable[[], Response], outcome: str
) -> None:
    async def respond(_: Request) -> Response:
        return answer()

    app = Starlette(routes=[Route("/add-checkpoint", respond, methods=["POST"])])
    sending.proof["file"] = "kept/newest.txt"
    async with serving_app(app) as url:
        sending.trust(url, sending.witness("audit.example").signer.verifier)
        sending.desk.receive()
        note = await sending.checkpoint()
    assert sending.sent == {("witness:audit.example", outcome): 1, ("file", "ok"): 1}
    assert (sending.folder / "kept" / "newest.txt").read_text() == note


async def test_the_file_has_the_newest_note_and_its_history_has_each(
    sending: Sending, clock: FakeClock
) -> None:
    sending.proof["file"] = "newest.txt"
    witness, notes = sending.witness("audit.example"), []
    async with serving_witness(witness) as url:
        sending.trust(url, witness.signer.verifier)
        for _ in range(3):
            sending.desk.receive()
            notes.append(await sending.checkpoint())
            clock.go_on(minutes=10)
    assert (sending.folder / "newest.txt").read_text() == notes[-1]
    assert sending.cosigners(notes[-1]) == {"audit.example"}
    assert (sending.folder / "newest.txt.history").read_text() == "".join(f"{note}\n" for note in notes)


def test_the_same_note_is_kept_once(tmp_path: Path) -> None:
    for note in ("a\n", "a\n", "b\n"):
        save_note(tmp_path / "newest", note)
    assert (tmp_path / "newest.history").read_text() == "a\n\nb\n\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["newest", "newest.history"]


async def test_the_command_gets_the_note_and_none_of_our_secrets(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMENDS_SECRET_KEY", "secret")
    sending.proof["command"] = ["/bin/sh", "-c", "cat > got; env > environment"]
    sending.desk.receive()
    note = await sending.checkpoint()
    assert (sending.folder / "got").read_text() == note
    assert "AMENDS_" not in (sending.folder / "environment").read_text()
    assert sending.sent == {("command", "ok"): 1}


@pytest.mark.parametrize(
    ("command", "outcome"),
    [
        (["/bin/false"], "refused"),
        (["/no/such/program"], "failed"),
        (["/bin/sleep", "600"], "failed"),
    ],
)
async def test_a_failing_command_stops_no_other_place(
    sending: Sending, command: list[str], outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amends.checkpoints, "COMMAND_TIMEOUT_SECONDS", 0.5)
    sending.proof |= {"command": command, "file": "newest.txt", "slack_channel": "C0000004"}
    sending.desk.receive()
    await sending.checkpoint()
    assert sending.sent == {("command", outcome): 1, ("file", "ok"): 1}
    assert len(sending.store.write(claim, ["checkpoint_post"], 5, 60)) == 1


async def test_a_file_that_cannot_be_written_stops_no_other_place(sending: Sending) -> None:
    (sending.folder / "blocked").write_text("a file, no folder")
    sending.proof |= {"file": "blocked/newest.txt", "command": ["/bin/true"]}
    sending.desk.receive()
    await sending.checkpoint()
    assert sending.sent == {("file", "failed"): 1, ("command", "ok"): 1}


async def test_without_a_signing_key_a_file_still_gets_the_root(sending: Sending) -> None:
    sending.proof["file"] = "newest.txt"
    sending.trust("http://127.0.0.1:1", sending.witness("audit.example").signer.verifier)
    sending.desk.receive()
    note = await sending.checkpoint(None)
    assert (sending.folder / "newest.txt").read_text() == note
    assert sending.sent == {("witness:audit.example", "refused"): 1, ("file", "ok"): 1}


async def test_slack_gets_a_checkpoint_at_most_hourly(sending: Sending, clock: FakeClock) -> None:
    sending.proof["slack_channel"] = "C0000004"
    for _ in range(12):
        sending.desk.receive()
        await sending.checkpoint()
        clock.go_on(minutes=10)
    assert len(sending.store.write(claim, ["checkpoint_post"], 50, 60)) == 2


def test_several_processes_schedule_one_checkpoint_in_each_interval(
    usual_store: Store, clock: FakeClock
) -> None:
    for _ in range(60):
        schedule_checkpoint(usual_store, 7)
        schedule_checkpoint(usual_store, 7)
        clock.go_on(minutes=1)
    keys = usual_store.read(lambda tx: tx.connection.execute(select(OBLIGATIONS.c.key)).scalars().all())
    assert 60 // 7 <= len(keys) <= 60 // 7 + 2


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("every_minutes = 0", r"proof\.every_minutes.*greater than or equal to 1"),
        ('slack_channel = "#proof"', r"proof\.slack_channel.*not its name"),
        ('comand = ["x"]', r"proof\.comand.*did you mean command"),
        ('file = ""', r"proof\.file"),
        ('[[proof.witnesses]]\nname = "a"\nurl = "ftp://a"\nkey = "k"', r"proof\.witnesses\.1\.url.*address"),
        (
            '[[proof.witnesses]]\nname = "a"\nurl = "https://a"\nkey = "k"',
            r"proof\.witnesses\.1: .*no verifier key",
        ),
        (
            f'[[proof.witnesses]]\nname = "a"\nurl = "https://a"\nkey = "{Verifier("a", b"k" * 32)}"',
            "no verifier key of a witness",
        ),
        (
            f'[[proof.witnesses]]\nname = "a"\nurl = "https://a"\nkey = "{Verifier("b", b"k" * 32, True)}"',
            "the key is that of 'b'",
        ),
        (
            f'[[proof.witnesses]]\nname = "a"\nurl = "https://a"\nkey = "{Verifier("a", b"k" * 32, True)}"\n'
            * 2,
            "two witnesses have the same name",
        ),
    ],
)
def test_a_wrong_setting_stops_the_start_with_its_remedy(tmp_path: Path, toml: str, message: str) -> None:
    text = settings_text(ANSWERS).replace("[proof]\n", f"[proof]\n{toml}\n")
    with pytest.raises(SettingsError, match=message):
        parse_settings(text, tmp_path / "amends.toml", {})


def _without_triggers(store: Store, *statements: Any) -> None:
    """Change what is append-only, as somebody with the database's password could."""

    def change(tx: Tx) -> None:
        query = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        triggers = tx.connection.execute(query).all()
        for name, _ in triggers:
            tx.connection.execute(text(f"DROP TRIGGER {name}"))
        for statement in statements:
            tx.connection.execute(statement)
        for _, definition in triggers:
            tx.connection.execute(text(definition))

    store.write(change)


def _rewrite_log(store: Store) -> None:
    """Forget the log and begin it again with the same key: every row is new, and each fits the others."""
    _without_triggers(
        store,
        delete(LOG_SIGNATURES),
        delete(LOG_CHECKPOINTS),
        delete(LOG_LEAVES),
        delete(LOG_NODES),
        text(
            "UPDATE journal_heads SET logged_n = 0 WHERE owner NOT IN (SELECT min(owner) FROM journal_heads)"
        ),
    )
