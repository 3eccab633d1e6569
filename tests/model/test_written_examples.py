"""The written examples in the American product categories have the numbers and lengths that their page says."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from triage.matching import fold

WRITTEN = Path(__file__).parents[2] / "benchmarks" / "written"


@pytest.fixture(scope="module")
def rows() -> list[dict[str, str]]:
    with (WRITTEN / "cfpb.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def length(text: str) -> str:
    words = len(text.split())
    for name, shortest, longest in (("short", 10, 25), ("medium", 40, 80), ("long", 100, 180)):
        if shortest <= words <= longest:
            return name
    return f"of {words} words"


def test_every_product_has_short_medium_and_long_letters(rows: list[dict[str, str]]) -> None:
    products = {row["category"] for row in rows}
    assert len(products) == 9
    assert Counter((row["category"], length(row["text"])) for row in rows) == {
        (product, name): number
        for product in products
        for name, number in (("short", 6), ("medium", 8), ("long", 4))
    }


def test_every_product_is_on_the_page(rows: list[dict[str, str]]) -> None:
    page = (WRITTEN / "README.md").read_text(encoding="utf-8")
    assert [row["category"] for row in rows if f"| `{row['category']}` |" not in page] == []
    assert f"holds {len(rows)} complaints" in page


def test_no_letter_is_repeated(rows: list[dict[str, str]]) -> None:
    assert len({fold(row["text"]).text for row in rows}) == len(rows)
