"""A history brought by `amends triage train` and `promote` stays with the desk until it is forgotten."""

from __future__ import annotations

import csv
import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from complaints.obligations.kinds import NewObligation, SendPriority
from scheduler.training import training
from store.custody.rotate_keys import list_stale_keys, rotate_keys
from store.custody.verify import verify
from store.database.errors import SealBroken
from store.database.keyring import Keyring
from store.models.history import TrainingHistory, is_history_kept, keep_history, read_history_rows
from store.models.models import list_models, read_model_blob
from store.outbox.outcomes import Completed
from store.outbox.rows import insert_obligation
from store.proof.instance_log import list_instance_events
from store.store import Store
from store.tables import HISTORY_PARTS, TEXTS
from tests.databases import FakeClock, opened
from tests.edges.desk import Desk
from tests.edges.product import Product
from tests.edges.test_learning_commands import bad, confirmed, desk, good, product, use
from tests.edges.test_learning_runs import Process, claimed, owed, perform
from triage.model.artefact import load
from triage.model.pipeline import Model

__all__ = ["bad", "desk", "good", "product"]

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


def a_history(file: Path, *, spoiled: bool = False) -> None:
    """A labelled file with a category that nobody else knows; spoiled: with labels drawn by lot."""
    drawn = random.Random(2)
    with file.open("w", encoding="utf-8", newline="") as told:
        writer = csv.writer(told)
        writer.writerow(("text", "category", "severity"))
        for kind, texts in THINGS.items():
            for text in texts:
                for where in PLACES:
                    label = drawn.choice(sorted(THINGS)) if spoiled else kind
                    writer.writerow((f"{text} {where}", label, 2))


#: What the command wrote beside which name, from a file as it should be and from a spoiled one: once in a process.
_WRITTEN: dict[bool, dict[str, bytes]] = {}


async def trained(product: Product, *, spoiled: bool = False) -> Path:
    """The model of such a file, with all that the command wrote."""
    model = product.folder / "desk.model"
    if spoiled not in _WRITTEN:
        a_history(product.folder / "history.csv", spoiled=spoiled)
        done = await product.amends(
            "triage", "train", "history.csv", "--no-starters", "--encoder", "none", "--out", "desk.model"
        )
        assert done.code == 0
        assert load(model.read_bytes()).facts["record_read"] is None
        _WRITTEN[spoiled] = {one.name: one.read_bytes() for one in product.folder.glob("desk.model*")}
    for name, data in _WRITTEN[spoiled].items():
        (product.folder / name).write_bytes(data)
    return model


def of_house(store: Store, verb: str) -> list[dict[str, Any]]:
    """The events of this kind."""
    return [one["facts"] for one in store.read(lambda tx: list_instance_events(tx, verb))]


def beside(model: Path) -> Path:
    """Its history file."""
    return model.with_name("desk.model.history.csv.gz")


@pytest.mark.parametrize("count", [0, 3])
async def test_on_the_first_day_a_model_of_the_own_history_is_promoted_on_its_rows_held_back(
    product: Product, desk: Desk, bad: Model, count: int
) -> None:
    use(desk.store, bad)
    confirmed(desk, count)
    model = await trained(product)
    done = await product.amends("triage", "promote", "desk.model", "--json")
    assert (done.code, done.json["promoted"], done.json["forced"]) == (0, True, False)
    assert any("rows of the history that were held back" in one for one in done.json["reasons"])
    sha256 = hashlib.sha256(beside(model).read_bytes()).hexdigest()
    assert done.json["history"] == {"rows": 54, "sha256": sha256, "unknown": None}
    assert desk.store.read(is_history_kept) == (sha256, 54)
    assert of_house(desk.store, "keep_history") == [{"sha256": sha256, "rows": 54}]
    assert desk.store.read(verify).first_bad is None


async def test_a_model_promoted_before_the_first_start_is_in_use_and_listed(product: Product) -> None:
    await trained(product)
    done = await product.amends("triage", "promote", "desk.model")
    listed = await product.amends("triage", "history")
    assert (done.code, listed.code, listed.err) == (0, 0, "")
    assert "promoted" in listed.out


async def test_a_worse_model_of_the_own_history_is_turned_away_and_its_rows_with_it(
    product: Product, desk: Desk, good: Model
) -> None:
    use(desk.store, good)
    await trained(product, spoiled=True)
    done = await product.amends("triage", "promote", "desk.model", "--json")
    assert (done.code, done.json["promoted"], done.json["history"]) == (1, False, None)
    assert desk.store.read(is_history_kept) is None


@pytest.mark.parametrize("harm", ["missing", "altered"])
async def test_without_its_history_file_a_model_is_promoted_past_the_gate_and_what_is_lost_is_said(
    product: Product, desk: Desk, bad: Model, harm: str
) -> None:
    use(desk.store, bad)
    model = await trained(product)
    whole = beside(model).read_bytes()
    if harm == "missing":
        beside(model).unlink()
    else:
        beside(model).write_bytes(whole + b"\0")
    refused = await product.amends("triage", "promote", "desk.model")
    done = await product.amends("triage", "promote", "desk.model", "--force", "--reason", "it is ours")
    assert (refused.code, done.code) == (1, 0)
    assert "Later training runs will not know the history" in done.out
    assert desk.store.read(is_history_kept) is None
    beside(model).write_bytes(whole)
    mended = await product.amends("triage", "promote", "desk.model")
    assert (mended.code, "54 rows of its history" in mended.out) == (0, True)
    kept = desk.store.read(is_history_kept)
    assert kept is not None
    assert kept[1] == 54


async def test_what_is_trained_in_the_background_keeps_the_categories_of_the_history(
    product: Product, desk: Desk, bad: Model
) -> None:
    use(desk.store, bad)
    await trained(product)
    assert (await product.amends("triage", "promote", "desk.model")).code == 0
    confirmed(desk, 4)
    desk.store.write(
        insert_obligation, NewObligation("train:1", "train", desk.store.now(), SendPriority.BULK)
    )
    outcome = await training(desk.store, languages=("en",))["train"](claimed(desk.store))
    candidate = desk.store.read(list_models)[0]
    assert outcome == Completed()
    assert "canary" in candidate["card"]["classes"]
    model = load(desk.store.read(read_model_blob, candidate["id"]))
    # Only what people confirmed here is shown as a like case, and of that there is too little yet.
    assert model.neighbours is None


async def test_a_model_of_the_record_trained_by_hand_names_its_cases(product: Product, desk: Desk) -> None:
    confirmed(desk, 12)
    for name, files in (("record", []), ("both", ["history.csv"])):
        a_history(product.folder / "history.csv")
        done = await product.amends(
            "triage", "train", *files, "--from-record", "--out", f"{name}.model", "--json"
        )
        model = load((product.folder / f"{name}.model").read_bytes())
        assert done.code == 0
        assert model.neighbours is not None
        assert set(model.neighbours.refs) == {one["ref"] for one in desk.store.examples()}
        # Only what a file told goes beside the model.
        assert model.facts.get("history", {}).get("rows", 0) == 54 * len(files)
        assert model.facts["record_read"] is not None


async def test_the_order_holds_the_history_and_another_history_is_another_run(
    store: Store, clock: FakeClock
) -> None:
    process = Process()
    for number in range(3):
        store.write(
            insert_obligation, NewObligation(f"train:{number}", "train", store.now(), SendPriority.BULK)
        )
    assert await perform(store, process) == Completed()
    store.write(keep_history, TrainingHistory("a" * 64, [ROW] * 700))
    assert await perform(store, process) == Completed()
    store.write(keep_history, TrainingHistory("b" * 64, [ROW, {**ROW, "text": "Other words."}]))
    assert await perform(store, process) == Completed()
    assert [len(order["history"]) for order in process.orders] == [0, 700, 2]
    assert process.orders[1]["history"][0] == ROW
    assert owed(store) == []


def test_the_newest_of_the_record_go_before_the_history(store: Store) -> None:
    rows = [{**ROW, "text": str(number)} for number in range(1200)]
    store.write(keep_history, TrainingHistory("a" * 64, rows))
    assert store.read(read_history_rows, 600) == rows[:600]
    assert store.read(read_history_rows, 5) == rows[:5]
    assert store.read(read_history_rows, 0) == []


async def test_a_history_is_forgotten_by_a_command_for_good(product: Product, desk: Desk) -> None:
    store = desk.store
    store.write(keep_history, TrainingHistory("a" * 64, [ROW]))
    done = await product.amends("triage", "forget-history", "--yes", "--json")
    again = await product.amends("triage", "forget-history")
    assert (done.code, done.json) == (0, {"forgotten": 1})
    assert (again.code, "nothing to destroy" in again.out) == (0, True)
    assert (store.read(is_history_kept), store.read(read_history_rows, 10)) == (None, [])
    assert of_house(store, "forget_history") == [{"sha256": "a" * 64, "rows": 1}]
    assert store.read(verify).first_bad is None


def test_at_rest_no_word_of_a_history_can_be_read_and_each_part_is_bound_to_its_file(store: Store) -> None:
    store.write(keep_history, TrainingHistory("a" * 64, [ROW]))
    [sealed] = store.read(lambda tx: tx.connection.execute(select(HISTORY_PARTS.c.sealed)).scalars().all())
    assert b"canary" not in sealed
    store.write(lambda tx: tx.connection.execute(HISTORY_PARTS.update().values(sha256="b" * 64)))
    with pytest.raises(SealBroken):
        store.read(read_history_rows, 1)
    assert store.read(lambda tx: tx.connection.execute(select(TEXTS.c.ref)).all()) == []


def test_a_history_moves_to_the_newest_key(database_url: str, clock: FakeClock) -> None:
    old, new = b"old" + b"." * 29, b"new" + b"." * 29
    with opened(database_url, clock, Keyring([old])) as store:
        store.write(keep_history, TrainingHistory("a" * 64, [ROW] * 501))
    with opened(database_url, clock, Keyring([new, old])) as store:
        assert store.read(list_stale_keys) == 2
        while store.write(rotate_keys):
            pass
    with opened(database_url, clock, Keyring([new])) as store:
        assert store.read(read_history_rows, 1000) == [ROW] * 501
