"""`amends case redate`: shown first, done on a yes, told to whom a promise moves later."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from amends.settings import load, rulebooks
from complaints.vocabulary import Target
from store.database.keyring import Keyring
from store.database.migrate import upgrade
from store.proof.instance_log import list_instance_events
from store.rulebooks import use_rulebooks
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import Desk
from tests.edges.product import KEY, SETTINGS, Product

LATER = '[targets]\ndecide = "8 bd"\n'
TURKEY = '[jurisdiction.TR]\ntimezone = "Europe/Istanbul"\nlanguages = ["tr"]\n'
WHY = "The times were written down wrongly."


@pytest.fixture
def product(tmp_path: Path) -> Product:
    made = Product(tmp_path)
    upgrade(made.env["AMENDS_DATABASE_URL"])
    return made


@pytest.fixture
def desk(product: Product) -> Iterator[Desk]:
    """A desk at the product's own database and rules; it lives in the present, as the command does."""
    keys = Keyring([base64.b64decode(KEY)])
    with opened(product.env["AMENDS_DATABASE_URL"], FakeClock(datetime.now(UTC)), keys) as store:
        made = Desk(store)
        store.write(use_rulebooks, rulebooks(load(product.folder / "amends.toml", product.env)))
        yield made


def say(product: Product, more: str) -> None:
    """Change the settings."""
    (product.folder / "amends.toml").write_text(f"{SETTINGS}\n{more}", encoding="utf-8")


def promised(desk: Desk, ref: str) -> datetime:
    found = desk.case(ref).target(Target.DECIDE)
    assert found is not None
    return found.promised_due


@clause("7.3")
async def test_settings_alone_move_nothing_and_the_command_shows_before_it_does(
    product: Product, desk: Desk
) -> None:
    ref = desk.assessed()
    before = promised(desk, ref)
    say(product, '[targets]\ndecide = "3 bd"\n')
    looked = await product.amends("case", "redate", ref, "--reason", WHY, "--dry-run", "--json")
    unasked = await product.amends("case", "redate", ref, "--reason", WHY)
    assert (looked.code, unasked.code) == (0, 0)
    assert looked.json["done"] is False
    (case,) = looked.json["cases"]
    (change,) = (one for one in case["changes"] if one["target"] == "decide")
    assert (change["after"]["basis"], change["promise_moves_later"]) == ("P4.decide;redated", False)
    assert change["because"][0] == "Rule P4.decide: 3 bd."
    assert "repeat it with --yes" in unasked.err
    assert "1 would change" in unasked.out
    assert promised(desk, ref) == before
    assert (
        len(desk.store.read(list_instance_events, "load_settings", 10)) == 2
    )  # the desk's own, and the product's

    done = await product.amends("case", "redate", ref, "--reason", WHY, "--yes", "--json")
    assert done.json["done"] is True
    assert promised(desk, ref) < before
    again = await product.amends("case", "redate", "--all", "--reason", WHY, "--yes", "--json")
    assert (again.json["cases"], again.json["unchanged"]) == ([], [ref])
    told = await product.amends("case", "due", ref)
    assert "Counted anew when the complaint went on under other rules" in told.out


@clause("7.3")
async def test_a_promise_is_kept_unless_the_operator_says_otherwise(product: Product, desk: Desk) -> None:
    ref = desk.assessed()
    before = promised(desk, ref)
    say(product, LATER)
    kept = await product.amends("case", "redate", "--all", "--reason", WHY, "--yes")
    assert "promise kept" in kept.out
    assert promised(desk, ref) == before
    moved = await product.amends("case", "redate", ref, "--reason", WHY, "--yes", "--allow-later")
    assert "promise moves later: complainant informed" in moved.out
    assert "(1 with a promise that moves later)" in moved.out
    assert promised(desk, ref) > before


async def test_a_wrong_country_is_put_right_by_naming_the_other(product: Product, desk: Desk) -> None:
    ref, other = desk.assessed(), desk.assessed(chat=desk.chat("70002"))
    say(product, TURKEY)
    done = await product.amends(
        "case", "redate", ref.lower(), "--jurisdiction", "tr", "--reason", WHY, "--yes", "--json"
    )
    assert done.json["cases"][0]["jurisdiction"] == {"before": "GB", "after": "TR"}
    listed = await product.amends("case", "list", "--jurisdiction", "tr", "--json")
    assert [one["ref"] for one in listed.json["cases"]] == [ref]
    of_it = await product.amends("case", "redate", "--all", "--jurisdiction", "GB", "--reason", WHY, "--json")
    assert [one["ref"] for one in of_it.json["cases"]] + of_it.json["unchanged"] == [other]


async def test_what_cannot_be_done_is_said_and_the_others_are_done(product: Product, desk: Desk) -> None:
    closed, ref = desk.closed(), desk.assessed(chat=desk.chat("70002"))
    say(product, LATER)
    done = await product.amends("case", "redate", closed, ref, "--reason", WHY, "--yes", "--json")
    assert done.code == 1
    assert [one["ref"] for one in done.json["refused"]] == [closed]
    assert "reopen it first" in done.json["refused"][0]["why"]
    assert [one["ref"] for one in done.json["cases"]] == [ref]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--reason", WHY), "name references, or write --all"),
        (("A7K-M3Q-9T", "--all", "--reason", WHY), "name references, or write --all"),
        (("--all", "--reason", " "), "say why"),
        (("--all", "--jurisdiction", "FR", "--reason", WHY), "FR is not set; known are GB"),
    ],
)
async def test_what_is_not_meant_clearly_is_asked_again(
    product: Product, args: tuple[str, ...], says: str
) -> None:
    ended = await product.amends("case", "redate", *args)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
