"""`amends triage promote`, `history` and `rollback`, and what `amends check` says of the model."""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.checks import model_findings
from amends.settings import load, rulebook
from complaints.actors import MODEL
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import open_case
from store.database.keyring import Keyring
from store.models.models import TrainingRun, keep_model, keep_run, load_active_model
from store.rulebooks import use_rulebook
from store.store import Store
from store.tables import MODELS
from tests.databases import FakeClock, opened
from tests.edges.desk import ASSESSED, HANDLER, Desk
from tests.edges.product import KEY, Product
from tests.rules.builders import a_proposal
from triage.example import Example
from triage.learning.training import train
from triage.model.artefact import digest, dump
from triage.model.card import card
from triage.model.pipeline import Model

THINGS = {
    "supply": ("the water is brown", "there is no pressure", "the pipe burst again"),
    "money": ("the invoice is wrong", "you charged me twice", "my payment was booked late"),
}
WHERE = ("near the school", "by the river", "behind the shop", "at the corner", "in our house", "on the hill")
PAIRS = [(f"{text} {where}", kind) for kind, texts in THINGS.items() for text in texts for where in WHERE]


@pytest.fixture(scope="module")
def good() -> Model:
    """A model that knows water from money."""
    return train([Example(text, kind) for text, kind in PAIRS])


@pytest.fixture(scope="module")
def bad() -> Model:
    """A model made of labels drawn by lot."""
    drawn = random.Random(1)
    return train([Example(text, drawn.choice(sorted(THINGS))) for text, _ in PAIRS])


@pytest.fixture
def product(tmp_path: Path, usual_url: str) -> Product:
    """An installation with a migrated database."""
    return Product(tmp_path, {"AMENDS_DATABASE_URL": usual_url})


@pytest.fixture
def desk(product: Product) -> Iterator[Desk]:
    """A desk at work on it."""
    at = FakeClock(datetime(2026, 3, 4, 10, tzinfo=UTC))
    with opened(product.env["AMENDS_DATABASE_URL"], at, Keyring([base64.b64decode(KEY)])) as store:
        made = Desk(store)
        store.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
        yield made


def use(store: Store, model: Model) -> int:
    """Keep and use it."""
    blob = dump(model)
    return store.write(keep_model, blob, digest(blob), card(model))


def confirmed(desk: Desk, count: int) -> None:
    """So many complaints about water and money, assessed."""
    for number in range(count):
        text, kind = PAIRS[number * 5 % len(PAIRS)]
        ref = desk.receive(f"{text}, house {number}", chat=desk.chat(str(number)))
        desk.store.write(open_case, ref, desk.actor(HANDLER), "open")
        desk.act(ref, Verb.ASSESS, facts={**ASSESSED, "category": kind})


async def test_a_worse_model_is_refused_with_reasons_and_forced_only_with_one(
    product: Product, desk: Desk, good: Model, bad: Model
) -> None:
    use(desk.store, good)
    confirmed(desk, 12)
    file = product.folder / "bad.skops"
    file.write_bytes(dump(bad))
    refused = await product.amends("triage", "promote", "bad.skops")
    assert (refused.code, refused.out) == (1, "")
    assert "Not used" in refused.err
    assert "macro-F1 1.000 ->" in refused.err
    assert "--force --reason" in refused.err
    unsaid = await product.amends("triage", "promote", "bad.skops", "--force")
    assert (unsaid.code, "--reason" in unsaid.err) == (2, True)
    forced = await product.amends(
        "triage",
        "promote",
        "bad.skops",
        "--force",
        "--reason",
        "an audit asks for it",
        "--by",
        "ann",
        "--json",
    )
    assert (forced.code, forced.json["promoted"], forced.json["forced"]) == (0, True, True)
    shown = (await product.amends("triage", "history", "--json")).json
    newest = shown["models"][0]
    assert (newest["how"], newest["by"], newest["why"], newest["in_use"]) == (
        "forced",
        "ann",
        "an audit asks for it",
        True,
    )
    assert newest["verdict"]["figures"]["fixed"]["rows"] == 12
    back = await product.amends("triage", "rollback", "--reason", "it was no better")
    assert (back.code, f"In use again: model {good.version}, instead of {bad.version}" in back.out) == (
        0,
        True,
    )
    people = await product.amends("triage", "history")
    assert people.code == 0
    for told in ("gone back to", "promoted past the gate", "turned away", "it was no better", "(in use)"):
        assert told in people.out


@pytest.mark.on_both
async def test_a_better_model_is_let_in_and_is_not_judged_twice(
    product: Product, desk: Desk, good: Model, bad: Model
) -> None:
    use(desk.store, bad)
    confirmed(desk, 12)
    (product.folder / "good.skops").write_bytes(dump(good))
    done = await product.amends("triage", "promote", "good.skops", "--json")
    again = await product.amends("triage", "promote", "good.skops")
    assert (done.code, done.json["passes"], done.json["promoted"]) == (0, True, True)
    assert "it may know these rows" in " ".join(done.json["reasons"])
    assert (again.code, "in use already" in again.out) == (0, True)


async def test_promoting_a_model_warns_of_categories_that_the_desk_has_not(
    product: Product, desk: Desk, good: Model
) -> None:
    rows = [Example(text, {"money": "mortgage"}.get(kind, kind)) for text, kind in PAIRS]
    (product.folder / "elsewhere.skops").write_bytes(dump(train(rows)))
    (product.folder / "good.skops").write_bytes(dump(good))
    warned = await product.amends("triage", "promote", "elsewhere.skops", "--force", "--reason", "a try")
    at_home = await product.amends("triage", "promote", "good.skops", "--force", "--reason", "a try")
    assert (warned.code, at_home.code) == (0, 0)
    assert "knows categories that this desk does not have: mortgage." in warned.err
    assert "this desk has not" not in at_home.err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x80\x04cos\nsystem\n(S'true'\ntR.", "no model file of Amends (a pickle"),
        (b"PK\x03\x04 cut off", "damaged"),
        (b"", "no model file of Amends"),
    ],
)
async def test_a_file_that_is_no_model_is_refused_and_the_last_good_one_stays(
    product: Product, desk: Desk, good: Model, content: bytes, said: str
) -> None:
    number = use(desk.store, good)
    (product.folder / "evil.skops").write_bytes(content)
    refused = await product.amends("triage", "promote", "evil.skops", "--force", "--reason", "trust me")
    active = desk.store.read(load_active_model)
    assert (refused.code, said in refused.err, "Traceback" in refused.err) == (1, True, False)
    assert active is not None
    assert active[2] == number


async def test_with_nothing_before_there_is_nothing_to_go_back_to(
    product: Product, desk: Desk, good: Model
) -> None:
    empty = await product.amends("triage", "history")
    use(desk.store, good)
    refused = await product.amends("triage", "rollback")
    assert (empty.code, "No model yet" in empty.out) == (0, True)
    assert (refused.code, refused.out, "no earlier model" in refused.err) == (1, "", True)


def marks(store: Store) -> list[tuple[str, str]]:
    """What the check finds."""
    return [(one.mark, one.what) for one in model_findings(store)]


def test_the_check_fails_on_an_altered_model_with_the_remedy(store: Store, good: Model) -> None:
    none_yet = marks(store)
    number = use(store, good)
    fine = marks(store)
    store.write(
        lambda tx: tx.connection.execute(
            MODELS.update().where(MODELS.c.id == number).values(blob=dump(good)[:-1])
        )
    )
    (found,) = model_findings(store)
    assert (none_yet, fine) == ([("warn", "model")], [("ok", "model")])
    assert (found.mark, "SHA-256 differs" in found.found) == ("fail", True)
    assert "amends triage rollback" in found.remedy


def test_the_check_tells_of_a_candidate_that_was_turned_away(store: Store, good: Model, bad: Model) -> None:
    use(store, good)
    blob = dump(bad)
    run = TrainingRun("3:x", store.now(), 9, False, {"reasons": ["fixed: macro-F1 falls"], "figures": {}})
    store.write(keep_run, run, blob, digest(blob), card(bad), activate=False)
    _, found = model_findings(store)
    assert (found.mark, found.what, "fixed: macro-F1 falls" in found.found) == ("warn", "last training", True)


def test_the_check_warns_where_people_no_longer_confirm_what_is_proposed(
    usual_store: Store, clock: FakeClock, good: Model
) -> None:
    desk = Desk(usual_store)
    use(usual_store, good)
    for number in range(50):
        ref = desk.receive(f"The water is brown, day {number}.", chat=desk.chat(str(number)))
        usual_store.write(
            act, ref, Verb.PROPOSE, MODEL, a_proposal(category="money", probability=0.5, model="v1")
        )
        usual_store.write(open_case, ref, desk.actor(HANDLER), "open")
        desk.act(ref, Verb.ASSESS, facts={**ASSESSED, "category": "supply" if number % 5 else "money"})
        clock.go_on(minutes=1)
    found = {one.found.split(",")[0] for one in model_findings(usual_store) if one.what == "model drift"}
    assert "people confirm 20% of the last 50 proposals" in found
