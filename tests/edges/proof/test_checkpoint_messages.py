"""What people see of checkpoints: the Slack post, the alarm, `amends check`, `amends init`, the metrics."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from amends.checks import _secret_keys
from amends.init import InitAnswers, write_installation
from amends.runtime.metrics import Metrics, render_metrics
from amends.settings import Settings, load
from amends.settings.sections import ProofSettings
from complaints.obligations.kinds import NewObligation, SendPriority
from store.outbox.rows import insert_obligation
from store.proof.log import add_checkpoint, latest_checkpoint
from store.store import Store
from tests.databases import FakeClock
from tests.edges.product import Product
from tests.edges.slack_office import ALICE, EXECUTIVE, MONA, TUGBA, Office, open_office

SEED = bytes(range(32))
ANSWERS = InitAnswers("Northwind Water", "GB", "Europe/London")


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def _posts(office: Office, hour: str) -> list[str]:
    post = NewObligation(f"checkpoint_post:{hour}", "checkpoint_post", office.store.now(), SendPriority.BULK)
    office.store.write(insert_obligation, post)
    await office.idle()
    messages = office.staff(TUGBA).channel(EXECUTIVE).posts
    return [message.text for message in messages if "Checkpoint" in message.text]


async def test_the_channel_gets_size_root_and_note_once(office: Office) -> None:
    assert await _posts(office, "1") == []
    office.receive()
    office.store.write(add_checkpoint, SEED)
    newest = office.store.read(latest_checkpoint)
    assert newest is not None
    (post,) = await _posts(office, "2")
    assert f"size {newest.size}" in post
    assert newest.root.hex() in post
    assert f"```\n{newest.note}```" in post
    assert len(await _posts(office, "3")) == 1
    office.receive()
    office.store.write(add_checkpoint, SEED)
    assert len(await _posts(office, "4")) == 2


async def test_managers_are_told_which_witness_refused(office: Office) -> None:
    facts = {"kind": "witness", "witness": "audit.example"}
    alarm = NewObligation("told_failed:witness:x", "told_failed", office.store.now(), facts=facts)
    office.store.write(insert_obligation, alarm)
    await office.idle()
    assert len([text for text in office.texts(MONA) if "The witness audit.example" in text]) == 1
    assert office.texts(ALICE) == []


def _settings(folder: Path, **proof: object) -> Settings:
    write_installation(folder, ANSWERS)
    return load(folder / "amends.toml", {}).model_copy(update={"proof": ProofSettings.model_validate(proof)})


def _finding(settings: Settings) -> tuple[str, str]:
    (finding,) = [finding for finding in _secret_keys(settings) if finding.subject == "checkpoints"]
    return finding.mark, finding.result


def test_check_warns_if_checkpoints_stay_on_this_machine(tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    assert _finding(_settings(desk)) == ("warn", "sent to no place outside of the database")
    on_disk = _settings(tmp_path / "second", file="deep/newest.txt")
    assert _finding(on_disk) == ("warn", "only into a file on the disk of amends.toml")
    elsewhere = _settings(tmp_path / "third", file="/proc/newest.txt")
    assert _finding(elsewhere) == ("ok", "every 10 minutes: file")
    both = _settings(tmp_path / "fourth", file="newest.txt", slack_channel="C0000004", every_minutes=1)
    assert _finding(both) == ("ok", "every 1 minute: slack_channel, file")


async def test_init_asks_where_checkpoints_go(tmp_path: Path) -> None:
    write_installation(tmp_path / "usual", ANSWERS)
    assert load(tmp_path / "usual" / "amends.toml", {}).proof.file == "checkpoints/newest.txt"
    write_installation(tmp_path / "none", replace(ANSWERS, checkpoint_file=""))
    assert load(tmp_path / "none" / "amends.toml", {}).proof.file is None
    product = Product(tmp_path)
    made = await product.amends("init", "made", "--checkpoint-file", "/mnt/audit/newest.txt")
    assert made.code == 0, made.err
    assert load(tmp_path / "made" / "amends.toml", {}).proof.file == "/mnt/audit/newest.txt"


def test_the_age_of_the_newest_checkpoint_is_a_metric(office_store: Store, clock: FakeClock) -> None:
    store, metrics = office_store, Metrics()
    name = "amends_checkpoint_age_seconds"
    assert name not in render_metrics(store, {"store": True}, metrics, {})
    store.write(add_checkpoint, SEED)
    clock.go_on(minutes=7)
    metrics.increment("checkpoint_sent_total", "witness:audit.example", "ok")
    page = render_metrics(store, {"store": True}, metrics, {})
    assert f"\n{name} 420.0\n" in page
    assert 'amends_checkpoint_sent_total{outcome="ok",sink="witness:audit.example"} 1.0' in page


@pytest.fixture
def office_store(usual_store: Store) -> Store:
    usual_store.write(insert_obligation, NewObligation("x", "tidy", usual_store.now()))
    return usual_store
