"""Several jurisdictions as people and programs see them: settings, public page, Slack form, files.

The subject is settings and texts; test_store_* tests the store on both databases. Tests marked `on_both` also run on
PostgreSQL.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from amends.documents.case_file.case_file import case_file
from amends.documents.labels import load_labels
from amends.past_complaints import ColumnMapping, past_complaints
from amends.privacy.data_export import archive
from amends.public_page import public_page
from amends.runtime.web import web_app
from amends.settings import cautions, load, rulebooks
from bots.texts.catalogues import load_catalogues as load_texts
from complaints.deadlines.opening_hours import on_call_covers
from complaints.rulebook import Calendar, RecourseStep, Rulebooks, as_json, from_json
from simulator.slack.block_kit import view_problems
from store.cases.export import export_case
from store.cases.read import load_case
from store.cases.redate import list_open_refs, redate
from store.cases.staff_intake import PastComplaint
from store.rulebooks import use_rulebooks
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import RULES, Desk
from tests.edges.product import SETTINGS
from tests.edges.slack_office import ALICE, Office, open_office
from tests.edges.slack_office import RULES as OFFICE_RULES
from triage.csv.reader import RefusedRow, read_csv

TEXTS = load_texts(["en", "tr"])
TURKISH = replace(
    RULES,
    country="TR",
    languages=("tr",),
    calendar=Calendar("Europe/Istanbul", RULES.calendar.hours),
    recourse=(RecourseStep("Tüketici Hakem Heyeti"),),
)
BOTH = Rulebooks(replace(RULES, languages=("en",), jurisdictions=("TR",)), {"TR": TURKISH})
TURKEY = '\n[jurisdiction.TR]\ntimezone = "Europe/Istanbul"\nlanguages = ["tr"]\n'


def settings_of(folder: Path, more: str) -> Rulebooks:
    file = folder / "amends.toml"
    file.write_text(SETTINGS.replace('["en", "tr"]', '["en"]') + more, encoding="utf-8")
    return rulebooks(load(file, {}), year=2026)


def test_every_jurisdiction_in_the_settings_has_its_rulebook_and_languages(tmp_path: Path) -> None:
    books = settings_of(tmp_path, TURKEY)
    assert (books.codes, books.languages) == (("GB", "TR"), ("en", "tr"))
    assert books.own.jurisdictions == ("TR",)
    assert books.of("TR").calendar.zone == "Europe/Istanbul"
    assert load(tmp_path / "amends.toml", {}).languages == ("en", "tr")


def test_another_country_does_not_change_the_organisations_own_rules(tmp_path: Path) -> None:
    alone, both = settings_of(tmp_path, "").own, settings_of(tmp_path, TURKEY).own
    assert alone.id != both.id
    assert alone.says_as(both)


SPECIAL = """
[on_call]
hours = "Mon-Fri 18:00-09:00"
people = ["U0000002"]
[[danger]]
signs = ["gas"]
number = "0800 111 999"
text.en = "Call {number} from outside."
"""


def test_the_on_call_hours_use_the_organisations_time_zone(tmp_path: Path) -> None:
    books = settings_of(tmp_path, SPECIAL + TURKEY)
    assert (books.own.on_call.zone, books.of("TR").on_call.zone) == ("", "Europe/London")
    evening = datetime(
        2026, 11, 3, 17, 30, tzinfo=UTC
    )  # half past eight in Istanbul, half past five in London
    assert not on_call_covers(evening, books.of("TR").on_call, "Europe/Istanbul")
    assert on_call_covers(evening, books.own.on_call, "Europe/Istanbul")
    assert from_json(as_json(books.of("TR"))) == books.of("TR")


def test_the_danger_number_of_one_country_is_not_used_in_another(tmp_path: Path) -> None:
    books = settings_of(tmp_path, SPECIAL + TURKEY)
    (sign,) = books.of("TR").danger
    assert (sign.signs, sign.number) == (("gas",), None)
    warned = cautions(load(tmp_path / "amends.toml", {}))
    assert "jurisdiction.TR.emergency_number is not set: in danger people are given 112" in warned


def test_a_new_year_changes_the_rulebooks_id_and_nothing_else(tmp_path: Path) -> None:
    settings_of(tmp_path, "")
    settings = load(tmp_path / "amends.toml", {})
    this, next_ = (rulebooks(settings, year=year).own for year in (2026, 2027))
    assert this.id != next_.id
    assert (this.edition, this.says_as(next_)) == (next_.edition, True)


def test_the_public_page_shows_the_requested_country_and_links_the_others() -> None:
    async def nothing() -> dict[str, bool]:
        return {}

    async def figures() -> str:
        return ""

    application = web_app(
        page=lambda country, languages: public_page(
            BOTH, TEXTS, country=country, languages=languages, bot="desk_bot"
        ),
        readiness=nothing,
        metrics=figures,
        hooks={},
    )
    caller = TestClient(application)
    own, other, odd = (caller.get(f"/{query}").text for query in ("", "?country=tr", "?country=<b>"))
    assert 'lang="en"' in own
    assert 'href="/?country=TR&amp;lang=tr"' in own
    assert "Tüketici Hakem Heyeti" not in own
    assert "Tüketici Hakem Heyeti" in other
    assert 'href="/?country=GB&amp;lang=en"' in other
    assert odd == own


def test_with_one_country_the_public_page_links_no_other() -> None:
    page = public_page(Rulebooks(RULES), TEXTS, country=None, languages=(), bot=None)
    assert TEXTS.text("en", "page.countries") not in page


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


CALLED = {"channel": "phone", "description": "The meter was read wrong.", "language": "en"}


async def test_the_log_form_asks_for_the_country_if_there_are_several(office: Office) -> None:
    own = replace(OFFICE_RULES, jurisdictions=("TR",))
    turkish = replace(TURKISH, languages=OFFICE_RULES.languages, levels=OFFICE_RULES.levels)
    office.store.write(use_rulebooks, Rulebooks(own, {"TR": turkish}))
    await office.staff(ALICE).shortcut("log_complaint")
    modal = await office.staff(ALICE).opened("log_complaint")
    view = modal.view.content
    (field,) = (block for block in view["blocks"] if block.get("block_id") == "jurisdiction")
    assert view_problems(view, "modal") == []
    assert field["element"]["type"] == "static_select"
    assert [option["value"] for option in field["element"]["options"]] == ["GB", "TR"]
    assert field["element"]["initial_option"]["value"] == "GB"
    await office.staff(ALICE).fills({**CALLED, "jurisdiction": "TR"})
    await office.staff(ALICE).submits()
    (ref,) = office.store.read(list_open_refs, "TR")
    assert office.store.read(load_case, ref).rules == turkish


async def test_the_log_form_does_not_ask_for_the_country_if_there_is_one(office: Office) -> None:
    await office.staff(ALICE).shortcut("log_complaint")
    modal = await office.staff(ALICE).opened("log_complaint")
    assert "jurisdiction" not in [block.get("block_id") for block in modal.view.content["blocks"]]


def test_an_imported_row_can_name_its_country(tmp_path: Path) -> None:
    file = tmp_path / "past.csv"
    rows = (
        "2025-03-01 09:30,Fatura.,2025-03-20,resolved,phone,tr,tr",
        "2025-03-01,Bill.,2025-03-20,resolved,phone,,FR",
    )
    header = "received_at,description,closed_at,close_code,channel,language,jurisdiction"
    file.write_text("\n".join((header, *rows)), encoding="utf-8")
    table = read_csv(file, languages=("en", "tr"))
    past, refused = past_complaints(table, ColumnMapping(), BOTH, now=datetime(2026, 11, 3, tzinfo=UTC))
    assert isinstance(past, PastComplaint)
    assert past.jurisdiction == "TR"
    assert past.received_at == datetime(2025, 3, 1, 6, 30, tzinfo=UTC)  # its own zone
    assert refused == RefusedRow(3, "jurisdiction: write one of GB, TR")


@pytest.mark.on_both
def test_the_case_file_and_the_data_export_show_times_in_the_complaints_time_zone(
    usual_store: Store,
) -> None:
    desk = Desk(usual_store)
    usual_store.write(use_rulebooks, BOTH)
    ref = desk.assessed()
    usual_store.write(redate, ref, BOTH, "In Ankara.", jurisdiction="TR")
    labels = load_labels(("en",), "Europe/London", staff=True)
    document = case_file(usual_store.read(export_case, ref), labels, made_at=usual_store.now())
    assert "13:00" in repr(document)  # ten o'clock in London
    person = desk.case(ref).complainant
    exported = archive(usual_store, person, load_labels(("en",), "Europe/London"))
    assert index_of(exported).count("13:00") > 0


def index_of(packed: bytes) -> str:
    return zipfile.ZipFile(io.BytesIO(packed)).read("index.html").decode()
