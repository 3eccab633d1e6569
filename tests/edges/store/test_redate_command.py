"""`amends case redate`: previewed, done on confirmation, and announced to complainants whose date moves later."""

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
from store.proof.hash_chain import list_instance_events
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
    installation = Product(tmp_path)
    upgrade(installation.env["AMENDS_DATABASE_URL"])
    return installation


@pytest.fixture
def desk(product: Product) -> Iterator[Desk]:
    """A desk on the product's own database and rules; its clock shows the present, as the command's does."""
    keys = Keyring([base64.b64decode(KEY)])
    with opened(product.env["AMENDS_DATABASE_URL"], FakeClock(datetime.now(UTC)), keys) as store:
        desk_now = Desk(store)
        store.write(use_rulebooks, rulebooks(load(product.folder / "amends.toml", product.env)))
        yield desk_now


def write_settings(product: Product, more: str) -> None:
    """Add these lines to the settings."""
    (product.folder / "amends.toml").write_text(f"{SETTINGS}\n{more}", encoding="utf-8")


def promised_date(desk: Desk, ref: str) -> datetime:
    target_set = desk.case(ref).target(Target.DECIDE)
    assert target_set is not None
    return target_set.promised_due


@clause("7.3")
async def test_changed_settings_move_no_date_and_the_command_previews_first(
    product: Product, desk: Desk
) -> None:
    ref = desk.assessed()
    before = promised_date(desk, ref)
    write_settings(product, '[targets]\ndecide = "3 bd"\n')
    preview = await product.amends("case", "redate", ref, "--reason", WHY, "--dry-run", "--json")
    without_yes = await product.amends("case", "redate", ref, "--reason", WHY)
    assert (preview.code, without_yes.code) == (0, 0)
    assert preview.json["done"] is False
    (case,) = preview.json["cases"]
    (change,) = (row for row in case["changes"] if row["target"] == "decide")
    assert (change["after"]["basis"], change["promise_moves_later"]) == ("P4.decide;redated", False)
    assert change["because"][0] == "Rule P4.decide: 3 bd."
    assert "repeat it with --yes" in without_yes.err
    assert "1 would change" in without_yes.out
    assert promised_date(desk, ref) == before
    assert (
        len(desk.store.read(list_instance_events, "load_settings", 10)) == 2
    )  # the desk's own, and the product's

    done = await product.amends("case", "redate", ref, "--reason", WHY, "--yes", "--json")
    assert done.json["done"] is True
    assert promised_date(desk, ref) < before
    again = await product.amends("case", "redate", "--all", "--reason", WHY, "--yes", "--json")
    assert (again.json["cases"], again.json["unchanged"]) == ([], [ref])
    explanation = await product.amends("case", "due", ref)
    assert "Counted anew when the complaint went on under other rules" in explanation.out


@clause("7.3")
async def test_a_promised_date_never_moves_later_unless_the_operator_allows_it(
    product: Product, desk: Desk
) -> None:
    ref = desk.assessed()
    before = promised_date(desk, ref)
    write_settings(product, LATER)
    kept = await product.amends("case", "redate", "--all", "--reason", WHY, "--yes")
    assert "promise kept" in kept.out
    assert promised_date(desk, ref) == before
    moved = await product.amends("case", "redate", ref, "--reason", WHY, "--yes", "--allow-later")
    assert "promise moves later: complainant informed" in moved.out
    assert "(1 with a promise that moves later)" in moved.out
    assert promised_date(desk, ref) > before


async def test_a_wrong_country_is_corrected_by_naming_the_right_one(product: Product, desk: Desk) -> None:
    ref, other = desk.assessed(), desk.assessed(chat=desk.chat("70002"))
    write_settings(product, TURKEY)
    done = await product.amends(
        "case", "redate", ref.lower(), "--jurisdiction", "tr", "--reason", WHY, "--yes", "--json"
    )
    assert done.json["cases"][0]["jurisdiction"] == {"before": "GB", "after": "TR"}
    listed = await product.amends("case", "list", "--jurisdiction", "tr", "--json")
    assert [row["ref"] for row in listed.json["cases"]] == [ref]
    redated = await product.amends(
        "case", "redate", "--all", "--jurisdiction", "GB", "--reason", WHY, "--json"
    )
    assert [row["ref"] for row in redated.json["cases"]] + redated.json["unchanged"] == [other]


async def test_a_refused_complaint_is_reported_and_the_others_are_redated(
    product: Product, desk: Desk
) -> None:
    closed, ref = desk.closed(), desk.assessed(chat=desk.chat("70002"))
    write_settings(product, LATER)
    done = await product.amends("case", "redate", closed, ref, "--reason", WHY, "--yes", "--json")
    assert done.code == 1
    assert [row["ref"] for row in done.json["refused"]] == [closed]
    assert "reopen it first" in done.json["refused"][0]["why"]
    assert [row["ref"] for row in done.json["cases"]] == [ref]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--reason", WHY), "name references, or write --all"),
        (("A7K-M3Q-9T", "--all", "--reason", WHY), "name references, or write --all"),
        (("--all", "--reason", " "), "say why"),
        (("--all", "--jurisdiction", "FR", "--reason", WHY), "FR is not set; known are GB"),
    ],
)
async def test_ambiguous_arguments_are_refused_with_the_remedy(
    product: Product, args: tuple[str, ...], says: str
) -> None:
    ended = await product.amends("case", "redate", *args)
    assert (ended.code, ended.out) == (2, "")
    assert says in ended.err
