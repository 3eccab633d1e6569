"""A history imported by `amends triage train` and `promote` is kept until it is destroyed."""

from __future__ import annotations

import csv
import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from amends.settings import load as load_settings
from amends.settings import rulebook
from complaints.obligations.kinds import NewObligation, SendPriority
from scheduler.training import training_handlers
from store.custody.secret_keys import list_stale_keys, rotate_keys
from store.custody.verify import verify
from store.database.errors import collecting_damage
from store.database.keyring import Keyring
from store.models.models import list_models, read_model_blob
from store.models.training_examples import (
    TrainingHistory,
    find_history,
    history_place,
    keep_history,
    read_history_rows,
)
from store.outbox.complete import Completed
from store.outbox.rows import insert_obligation
from store.proof.hash_chain import list_instance_events
from store.rulebooks import use_rulebook
from store.store import Store
from store.tables import HISTORY_PARTS, TEXTS
from tests.databases import FakeClock, opened
from tests.edges.desk import RULES, Desk
from tests.edges.learning.test_learning_commands import bad, confirmed, desk, good, use
from tests.edges.learning.test_learning_runs import Process, claim_run, perform, scheduled_runs
from tests.edges.product import Product
from tests.shared_models import train_here
from triage.model.artefact import load
from triage.model.pipeline import Model

__all__ = ["bad", "desk", "good"]

ROW = {"text": "The canary sang in the pipe.", "category": "canary", "severity": 2, "language": "en"}
THINGS = {
    "supply": ("the water is brown", "there is no pressure", "the pipe burst again"),
    "money": ("the invoice is wrong", "you charged me twice", "my payment was booked late"),
    "canary": ("the canary sang in the pipe", "a yellow bird sits in my meter", "feathers in the drain"),
}
PLACES = (
    "near the school",
    "by the river",
    "behind the shop",
    "at the corner",
    "in our house",
    "on the hill",
)


def write_history(file: Path, *, spoiled: bool = False) -> None:
    """Write a labelled file with a category that no other file has. If spoiled, the labels are random."""
    dice = random.Random(2)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("text", "category", "severity"))
        for kind, texts in THINGS.items():
            for text in texts:
                for where in PLACES:
                    label = dice.choice(sorted(THINGS)) if spoiled else kind
                    writer.writerow((f"{text} {where}", label, 2))


#: The files that the command wrote, by name, from a good file and from a spoiled one: trained once per process.
_WRITTEN: dict[bool, dict[str, bytes]] = {}


CANARY = '\n[[category]]\nkey = "canary"\nname.en = "Canary"\n'


def add_canary(product: Product) -> None:
    """Make the category of the file one of the desk."""
    file = product.folder / "amends.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text if CANARY in text else f"{text}{CANARY}", encoding="utf-8")


async def train_on_history(product: Product, *, spoiled: bool = False) -> Path:
    """Train a model on such a file, at a desk with its categories; returns its path."""
    add_canary(product)
    model = product.folder / "desk.model"
    if spoiled not in _WRITTEN:
        write_history(product.folder / "history.csv", spoiled=spoiled)
        done = await product.amends(
            "triage", "train", "history.csv", "--no-starters", "--encoder", "none", "--out", "desk.model"
        )
        assert done.code == 0
        assert load(model.read_bytes()).facts["record_read"] is None
        _WRITTEN[spoiled] = {file.name: file.read_bytes() for file in product.folder.glob("desk.model*")}
    for name, data in _WRITTEN[spoiled].items():
        (product.folder / name).write_bytes(data)
    return model


def instance_event_facts(store: Store, verb: str) -> list[dict[str, Any]]:
    """The facts of the instance's events of this kind."""
    return [event["facts"] for event in store.read(lambda tx: list_instance_events(tx, verb))]


def history_file_of(model: Path) -> Path:
    """The model's history file."""
    return model.with_name("desk.model.history.csv.gz")


@pytest.mark.parametrize("count", [0, 3])
async def test_on_the_first_day_a_model_is_promoted_on_held_back_rows_of_its_history(
    product: Product, desk: Desk, bad: Model, count: int
) -> None:
    use(desk.store, bad)
    confirmed(desk, count)
    model = await train_on_history(product)
    done = await product.amends("triage", "promote", "desk.model", "--json")
    assert (done.code, done.json["promoted"], done.json["forced"]) == (0, True, False)
    assert any("rows of the history that were held back" in reason for reason in done.json["reasons"])
    sha256 = hashlib.sha256(history_file_of(model).read_bytes()).hexdigest()
    assert done.json["history"] == {"rows": 54, "sha256": sha256, "unknown": None}
    assert desk.store.read(find_history) == (sha256, 54)
    assert instance_event_facts(desk.store, "keep_history") == [{"sha256": sha256, "rows": 54}]
    assert desk.store.read(verify).first_bad is None


async def test_a_model_promoted_before_the_first_start_is_active_and_listed(product: Product) -> None:
    await train_on_history(product)
    done = await product.amends("triage", "promote", "desk.model")
    listed = await product.amends("triage", "history")
    assert (done.code, listed.code, listed.err) == (0, 0, "")
    assert "promoted" in listed.out


async def test_a_worse_model_of_the_own_history_is_rejected_with_its_rows(
    product: Product, desk: Desk, good: Model
) -> None:
    use(desk.store, good)
    await train_on_history(product, spoiled=True)
    done = await product.amends("triage", "promote", "desk.model", "--json")
    assert (done.code, done.json["promoted"], done.json["history"]) == (1, False, None)
    assert desk.store.read(find_history) is None


@pytest.mark.parametrize("harm", ["missing", "altered"])
async def test_without_its_history_file_a_model_can_be_forced_with_a_warning_about_the_loss(
    product: Product, desk: Desk, bad: Model, harm: str
) -> None:
    use(desk.store, bad)
    model = await train_on_history(product)
    whole = history_file_of(model).read_bytes()
    if harm == "missing":
        history_file_of(model).unlink()
    else:
        history_file_of(model).write_bytes(whole + b"\0")
    refused = await product.amends("triage", "promote", "desk.model")
    done = await product.amends("triage", "promote", "desk.model", "--force", "--reason", "it is ours")
    assert (refused.code, done.code) == (1, 0)
    assert "Later training runs will not know the history" in done.out
    assert desk.store.read(find_history) is None
    history_file_of(model).write_bytes(whole)
    restored = await product.amends("triage", "promote", "desk.model")
    assert (restored.code, "54 rows of its history" in restored.out) == (0, True)
    kept = desk.store.read(find_history)
    assert kept is not None
    assert kept[1] == 54


async def test_a_background_run_keeps_the_categories_of_the_history(
    product: Product, desk: Desk, bad: Model
) -> None:
    use(desk.store, bad)
    await train_on_history(product)
    assert (await product.amends("triage", "promote", "desk.model")).code == 0
    desk.store.write(use_rulebook, rulebook(load_settings(product.folder / "amends.toml", product.env)))
    confirmed(desk, 4)
    desk.store.write(
        insert_obligation, NewObligation("train:1", "train", desk.store.now(), SendPriority.BULK)
    )

    async def train(order: bytes, niceness: int) -> tuple[bytes, dict[str, Any], None]:
        answer, artefact = train_here(order, starters=[])
        return artefact, answer, None

    handlers = training_handlers(desk.store, languages=("en",), process=train)
    outcome = await handlers["train"](claim_run(desk.store))
    candidate = desk.store.read(list_models)[0]
    assert outcome == Completed()
    assert "canary" in candidate["card"]["classes"]
    model = load(desk.store.read(read_model_blob, candidate["id"]))
    # Only complaints assessed here are shown as similar cases, and there are too few of them.
    assert model.neighbours is None


async def test_a_manually_trained_model_of_the_record_names_its_cases(product: Product, desk: Desk) -> None:
    confirmed(desk, 12)
    for name, files in (("record", []), ("both", ["history.csv"])):
        add_canary(product)
        write_history(product.folder / "history.csv")
        done = await product.amends(
            "triage",
            "train",
            *files,
            "--from-record",
            "--no-starters",
            "--encoder",
            "none",
            "--out",
            f"{name}.model",
            "--json",
        )
        model = load((product.folder / f"{name}.model").read_bytes())
        assert done.code == 0
        assert model.neighbours is not None
        assert set(model.neighbours.refs) == {example["ref"] for example in desk.store.examples()}
        # Only rows from a file are saved in the model's history file.
        assert model.facts.get("history", {}).get("rows", 0) == 54 * len(files)
        assert model.facts["record_read"] is not None


async def test_a_background_run_leaves_out_history_rows_whose_label_is_no_category_of_the_desk(
    desk: Desk,
) -> None:
    process, store = Process(), desk.store
    store.write(insert_obligation, NewObligation("train:1", "train", store.now(), SendPriority.BULK))
    store.write(keep_history, TrainingHistory("a" * 64, [ROW, {**ROW, "category": "money"}, ROW]))
    assert await perform(store, process) == Completed()
    assert [row["category"] for row in process.orders[0]["history"]] == ["money"]


async def test_the_order_includes_the_history_and_another_history_is_another_run(
    store: Store, clock: FakeClock
) -> None:
    process = Process()
    store.write(use_rulebook, RULES)
    row = {**ROW, "category": "money"}
    for number in range(3):
        store.write(
            insert_obligation, NewObligation(f"train:{number}", "train", store.now(), SendPriority.BULK)
        )
    assert await perform(store, process) == Completed()
    store.write(keep_history, TrainingHistory("a" * 64, [row] * 700))
    assert await perform(store, process) == Completed()
    store.write(keep_history, TrainingHistory("b" * 64, [row, {**row, "text": "Other words."}]))
    assert await perform(store, process) == Completed()
    assert [len(order["history"]) for order in process.orders] == [0, 700, 2]
    assert process.orders[1]["history"][0] == row
    assert scheduled_runs(store) == []


def test_the_rows_of_a_history_are_limited_from_the_start(store: Store) -> None:
    rows = [{**ROW, "text": str(number)} for number in range(1200)]
    store.write(keep_history, TrainingHistory("a" * 64, rows))
    assert store.read(read_history_rows, 600) == rows[:600]
    assert store.read(read_history_rows, 5) == rows[:5]
    assert store.read(read_history_rows, 0) == []


async def test_a_history_is_destroyed_for_good_by_a_command(product: Product, desk: Desk) -> None:
    store = desk.store
    store.write(keep_history, TrainingHistory("a" * 64, [ROW]))
    done = await product.amends("triage", "forget-history", "--yes", "--json")
    again = await product.amends("triage", "forget-history")
    assert (done.code, done.json) == (0, {"forgotten": 1})
    assert (again.code, "nothing to destroy" in again.out) == (0, True)
    assert (store.read(find_history), store.read(read_history_rows, 10)) == (None, [])
    assert instance_event_facts(store, "forget_history") == [{"sha256": "a" * 64, "rows": 1}]
    assert store.read(verify).first_bad is None


def test_a_stored_history_is_encrypted_and_bound_to_its_file(store: Store) -> None:
    store.write(keep_history, TrainingHistory("a" * 64, [ROW]))
    [sealed] = store.read(lambda tx: tx.connection.execute(select(HISTORY_PARTS.c.sealed)).scalars().all())
    assert b"canary" not in sealed
    store.write(lambda tx: tx.connection.execute(HISTORY_PARTS.update().values(sha256="b" * 64)))
    with collecting_damage() as damaged:
        assert store.read(read_history_rows, 1) == []
    assert damaged == [history_place("b" * 64)]
    assert store.read(lambda tx: tx.connection.execute(select(TEXTS.c.ref)).all()) == []


def test_a_history_is_encrypted_with_the_newest_key_after_a_rotation(
    database_url: str, clock: FakeClock
) -> None:
    old, new = b"old" + b"." * 29, b"new" + b"." * 29
    with opened(database_url, clock, Keyring([old])) as store:
        store.write(keep_history, TrainingHistory("a" * 64, [ROW] * 501))
    with opened(database_url, clock, Keyring([new, old])) as store:
        # Two parts of the history, and the key of the journal.
        assert store.read(list_stale_keys) == 3
        while store.write(rotate_keys):
            pass
    with opened(database_url, clock, Keyring([new])) as store:
        assert store.read(read_history_rows, 1000) == [ROW] * 501
