"""`amends triage promote`, `history` and `rollback`, and what `amends check` reports about the model."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from amends.checks import model_findings
from complaints.actors import MODEL
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import open_case
from store.models.models import TrainingRun, keep_model, keep_run, load_active_model
from store.store import Store
from store.tables import MODELS
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, Desk
from tests.edges.product import Product
from tests.edges.product_desk import desk_of
from tests.rules.builders import a_proposal
from triage.example import Example
from triage.learning.training import train
from triage.model.artefact import digest, dump
from triage.model.model_card import model_card
from triage.model.pipeline import Model

THINGS = {
    "supply": ("the water is brown", "there is no pressure", "the pipe burst again"),
    "money": ("the invoice is wrong", "you charged me twice", "my payment was booked late"),
}
WHERE = ("near the school", "by the river", "behind the shop", "at the corner", "in our house", "on the hill")
PAIRS = [(f"{text} {where}", kind) for kind, texts in THINGS.items() for text in texts for where in WHERE]


@pytest.fixture(scope="module")
def good() -> Model:
    """A model that can distinguish water from money."""
    return train([Example(text, kind) for text, kind in PAIRS])


@pytest.fixture(scope="module")
def bad() -> Model:
    """A model trained on random labels."""
    dice = random.Random(1)
    return train([Example(text, dice.choice(sorted(THINGS))) for text, _ in PAIRS])


@pytest.fixture
def desk(product: Product) -> Iterator[Desk]:
    """A desk that works on it."""
    with desk_of(product, datetime(2026, 3, 4, 10, tzinfo=UTC)) as opened_desk:
        yield opened_desk


def use(store: Store, model: Model) -> int:
    """Keep this model and activate it; returns its number."""
    blob = dump(model)
    return store.write(keep_model, blob, digest(blob), model_card(model))


def confirmed(desk: Desk, count: int) -> None:
    """Receive and assess this many complaints about water and money."""
    for number in range(count):
        text, kind = PAIRS[number * 5 % len(PAIRS)]
        ref = desk.receive(f"{text}, house {number}", chat=desk.chat(str(number)))
        desk.store.write(open_case, ref, desk.actor(HANDLER), "open")
        desk.act(ref, Verb.ASSESS, facts={**ASSESSED, "category": kind})


async def test_a_worse_model_is_refused_with_reasons_and_forced_only_with_a_reason(
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
    without_reason = await product.amends("triage", "promote", "bad.skops", "--force")
    assert (without_reason.code, "--reason" in without_reason.err) == (2, True)
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
    history = (await product.amends("triage", "history", "--json")).json
    newest = history["models"][0]
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
    listing = await product.amends("triage", "history")
    assert listing.code == 0
    for phrase in ("gone back to", "promoted past the gate", "turned away", "it was no better", "(in use)"):
        assert phrase in listing.out


@pytest.mark.on_both
async def test_a_better_model_is_promoted_and_is_not_evaluated_twice(
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


def foreign(**names: str) -> Model:
    """A model with an organisation's own labels."""
    return train([Example(text, names.get(kind, kind)) for text, kind in PAIRS])


@pytest.mark.parametrize("force", [(), ("--force", "--reason", "it is ours")])
async def test_a_model_with_labels_that_the_desk_lacks_is_refused_with_both_remedies(
    product: Product, desk: Desk, good: Model, force: tuple[str, ...]
) -> None:
    number = use(desk.store, good)
    confirmed(desk, 12)
    (product.folder / "own.skops").write_bytes(dump(foreign(money="Late bus", supply="Dirty seats")))
    refused = await product.amends("triage", "promote", "own.skops", *force)
    active = desk.store.read(load_active_model)
    assert (refused.code, refused.out) == (1, "")
    assert active is not None
    assert active[2] == number
    assert "no categories of this desk: Dirty seats, Late bus." in refused.err
    assert "--map 'Dirty seats=…' --map 'Late bus=…'" in refused.err
    assert '[[category]]\nkey = "late_bus"\nname.en = "Late bus"\n' in refused.err
    assert "macro-F1" not in refused.err


async def test_the_printed_entries_make_the_model_usable_and_what_it_replaces_is_not_scored_on_its_labels(
    product: Product, desk: Desk, good: Model
) -> None:
    use(desk.store, good)
    (product.folder / "own.skops").write_bytes(dump(foreign(money="Late bus")))
    refused = await product.amends("triage", "promote", "own.skops")
    settings = product.folder / "amends.toml"
    entries = refused.err[refused.err.index("[[category]]") :]
    settings.write_text(f"{settings.read_text(encoding='utf-8')}\n{entries}", encoding="utf-8")
    confirmed(desk, 12)
    done = await product.amends("triage", "promote", "own.skops", "--force", "--reason", "a try", "--json")
    assert (done.code, done.json["promoted"]) == (0, True)
    # The record was assessed before the category was there, so every row is comparable and the loss is seen.
    assert done.json["figures"]["fixed"]["compared"] == 12
    history = (await product.amends("triage", "history", "--json")).json
    assert history["models"][0]["card"]["classes"] == ["late_bus", "supply"]


@pytest.mark.parametrize("form", ["option", "csv", "toml"])
async def test_own_labels_are_mapped_to_categories_of_the_desk(
    product: Product, desk: Desk, bad: Model, form: str
) -> None:
    use(desk.store, bad)
    confirmed(desk, 12)
    (product.folder / "own.skops").write_bytes(dump(foreign(money="Billing", supply="Leak")))
    (product.folder / "map.csv").write_text("old;new\nbilling;money\nLeak;supply\n")
    (product.folder / "map.toml").write_text('[values.category]\nBilling = "money"\nLeak = "supply"\n')
    maps = (
        ("--map", "Billing=money", "--map", "Leak=supply") if form == "option" else ("--map", f"map.{form}")
    )
    done = await product.amends("triage", "promote", "own.skops", *maps, "--json")
    assert (done.code, done.json["promoted"], done.json["passes"]) == (0, True, True)
    history = (await product.amends("triage", "history", "--json")).json
    assert sorted(history["models"][0]["card"]["classes"]) == ["money", "supply"]
    assert history["models"][0]["card"]["renamed"] == {"Billing": "money", "Leak": "supply"}


@pytest.mark.parametrize(
    ("maps", "code", "message"),
    [
        (("Billing=money",), 1, "no categories of this desk: Leak."),
        (("Billing=money", "Leak=money"), 1, "several labels of this model would become money"),
        (("Billing=mony",), 2, "this desk has no category mony"),
        (("Billing",), 2, "is no file and not of the form old=new"),
    ],
)
async def test_a_map_that_does_not_reach_the_desk_is_refused(
    product: Product, desk: Desk, maps: tuple[str, ...], code: int, message: str
) -> None:
    (product.folder / "own.skops").write_bytes(dump(foreign(money="Billing", supply="Leak")))
    options = [option for value in maps for option in ("--map", value)]
    refused = await product.amends("triage", "promote", "own.skops", *options)
    assert refused.code == code
    assert message in " ".join(refused.err.replace("│", " ").split())
    assert desk.store.read(load_active_model) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x80\x04cos\nsystem\n(S'true'\ntR.", "no model file of Amends (a pickle"),
        (b"PK\x03\x04 cut off", "damaged"),
        (b"", "no model file of Amends"),
    ],
)
async def test_a_file_that_is_no_model_is_refused_and_the_active_model_stays(
    product: Product, desk: Desk, good: Model, content: bytes, message: str
) -> None:
    number = use(desk.store, good)
    (product.folder / "evil.skops").write_bytes(content)
    refused = await product.amends("triage", "promote", "evil.skops", "--force", "--reason", "trust me")
    active = desk.store.read(load_active_model)
    assert (refused.code, message in refused.err, "Traceback" in refused.err) == (1, True, False)
    assert active is not None
    assert active[2] == number


async def test_a_rollback_without_an_earlier_model_is_refused(
    product: Product, desk: Desk, good: Model
) -> None:
    empty = await product.amends("triage", "history")
    use(desk.store, good)
    refused = await product.amends("triage", "rollback")
    assert (empty.code, "No model yet" in empty.out) == (0, True)
    assert (refused.code, refused.out, "no earlier model" in refused.err) == (1, "", True)


def marks(store: Store) -> list[tuple[str, str]]:
    """The marks and subjects of the findings about the model."""
    return [(finding.mark, finding.subject) for finding in model_findings(store)]


def test_the_check_fails_on_an_altered_model_with_the_remedy(store: Store, good: Model) -> None:
    none_yet = marks(store)
    number = use(store, good)
    fine = marks(store)
    store.write(
        lambda tx: tx.connection.execute(
            MODELS.update().where(MODELS.c.id == number).values(blob=dump(good)[:-1])
        )
    )
    (finding,) = model_findings(store)
    assert (none_yet, fine) == ([("warn", "model")], [("ok", "model")])
    assert (finding.mark, "SHA-256 differs" in finding.result) == ("fail", True)
    assert "amends triage rollback" in finding.remedy


def test_the_check_reports_a_rejected_candidate(store: Store, good: Model, bad: Model) -> None:
    use(store, good)
    blob = dump(bad)
    run = TrainingRun("3:x", store.now(), 9, False, {"reasons": ["fixed: macro-F1 falls"], "figures": {}})
    store.write(keep_run, run, blob, digest(blob), model_card(bad), activate=False)
    _, finding = model_findings(store)
    assert (finding.mark, finding.subject, "fixed: macro-F1 falls" in finding.result) == (
        "warn",
        "last training",
        True,
    )


def test_the_check_warns_when_staff_no_longer_confirm_the_proposals(
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
    shares = {
        finding.result.split(",")[0]
        for finding in model_findings(usual_store)
        if finding.subject == "model drift"
    }
    assert "people confirm 20% of the last 50 proposals" in shares
