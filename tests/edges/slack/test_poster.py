"""The poster on how to complain: a page for each language, whatever the names and the outside bodies."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pypdf import PdfReader

from amends.documents.complainant_documents import poster
from amends.public_page import qr_code
from bots.texts.catalogues import load_catalogues
from complaints.rulebook import RecourseStep, Rulebooks
from tests.clauses import clause
from tests.edges.product import Product
from tests.rules.builders import RULES

LANGUAGES = ("en", "tr", "de", "es")
TEXTS = load_catalogues(LANGUAGES)
NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
BODY = RecourseStep(
    "Water Ombudsman", "ombudsman.example, 1 Long Street, Anytown AB1 2CD, 0800 000 000", "12 months"
)


def pages(data: bytes) -> list[str]:
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(data)).pages]


@clause("4.2")
@pytest.mark.parametrize(("name", "bodies"), [("Northwind Water", 1), ("Very Long Name " * 13, 8)])
def test_each_language_has_one_page_with_the_facts_of_the_rules(name: str, bodies: int) -> None:
    targets = replace(RULES.targets, ack="3 bd", legal="8 weeks")
    rules = replace(RULES, organisation=name, languages=LANGUAGES, recourse=(BODY,) * bodies, targets=targets)
    made = pages(poster(Rulebooks(rules), TEXTS, languages=LANGUAGES, bot="desk_bot", created_at=NOW))
    assert len(made) == len(LANGUAGES)
    for language, page in zip(LANGUAGES, made, strict=True):
        assert "https://t.me/desk_bot" in page
        assert page.count("Water Ombudsman") == bodies
        assert TEXTS.span(language, "8 weeks") in page
        assert TEXTS.text(language, "page.cost") in page


def test_the_code_is_black_on_white_with_its_quiet_zone() -> None:
    code = qr_code("https://t.me/desk_bot")
    assert 'fill="#fff"' in code
    assert 'stroke="#000"' in code


async def test_the_command_writes_the_languages_asked_for(tmp_path: Path) -> None:
    product = Product(tmp_path, {})
    settings = tmp_path / "amends.toml"
    settings.write_text(settings.read_text().replace("[organisation]", '[organisation]\nbot = "desk_bot"'))
    assert (await product.amends("poster", "-o", "P.pdf")).code == 0
    assert (await product.amends("poster", "-o", "Q.pdf", "--language", "tr")).code == 0
    both, turkish = (pages((tmp_path / name).read_bytes()) for name in ("P.pdf", "Q.pdf"))
    assert both[1:] == turkish
    refused = await product.amends("poster", "-o", "R.pdf", "--language", "fr")
    assert refused.code == 2
    assert "not a language of the desk" in refused.err
