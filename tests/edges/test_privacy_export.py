"""A person's own data: all of theirs, nothing of others, no staff by name; each export is on the record."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from amends.documents.labels import load_labels
from amends.privacy.data_export import archive
from amends.privacy.person_data import without_names
from amends.settings import load, rulebook
from complaints.actors import SYSTEM
from complaints.errors import UnknownReference
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import OPERATOR, export_record
from store.cases.read import open_case
from store.custody.retention import erase, find_person
from store.database.errors import Erased, UnknownRow
from store.database.keyring import Keyring
from store.files import keep_file
from store.people.identifiers import keep_identifier
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import Chat, ReceivedFile
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import (
    ASSESSED,
    HANDLER,
    MANAGER,
    RESOLVED,
    RESOLVED_WORDS,
    SECOND,
    STAFF,
    Desk,
    refused,
)
from tests.edges.product import KEY, Product

#: What is asked here is answered by SQL: on SQLite and on PostgreSQL alike.
pytestmark = pytest.mark.on_both

LABELS = load_labels(("en", "tr"), "Europe/London")
OTHER = Chat("telegram", "70002", "en", "Nobody Elsename")
NOTE = "Bob Sealedname says that annie promised it; she <b>shouted</b>."
NASTY = '<script>alert(1)</script> & "quotes" #import $x$'


@pytest.fixture
def desk(store: Store) -> Desk:
    """A desk with rules and staff, on each database in turn."""
    return Desk(store)


class Page(HTMLParser):
    """The words of a page, and the tags that are in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.said: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag."""
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        """Words."""
        self.said.append(data)

    @property
    def text(self) -> str:
        """All words."""
        return " ".join(" ".join(self.said).split())


def person(desk: Desk, ref: str) -> str:
    """Who complained."""
    return desk.case(ref).complainant


def given(desk: Desk, who: str, **more: Any) -> tuple[dict[str, Any], Page, Mapping[str, bytes]]:
    """The archive opened: data, page, everything in it by name."""
    packed = zipfile.ZipFile(io.BytesIO(archive(desk.store, who, LABELS, **more)))
    held = {name: packed.read(name) for name in packed.namelist()}
    return json.loads(held["data.json"]), Page(held["index.html"].decode()), held


def handled(desk: Desk) -> str:
    """A complaint with a file, staff's notes, a decision told, and a reading by staff."""
    photo = ReceivedFile("p1", "u1", "photo", "7", mime="image/jpeg", size=9, name="../../tap of mine.jpg")
    ref = desk.receive(f"The water is brown. {NASTY}", files=(photo,))
    desk.store.write(keep_file, ref, 1, b"\xff\xd8\xffpicture", "image/jpeg")
    desk.store.write(keep_identifier, ref, "customer", "AB 123")
    desk.store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts={**ASSESSED, "media_heard": True})
    desk.act(ref, Verb.NOTE, SECOND, words={"text": NOTE})
    desk.act(ref, Verb.REPLY, words={"text": "We are on it. Yours, Ann"}, facts={"language_confirmed": True})
    desk.store.write(open_case, ref, desk.actor(HANDLER), "resolve")
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    desk.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    desk.store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
    return ref


@clause("8.1")
def test_a_person_is_given_all_of_theirs(desk: Desk) -> None:
    first, second = handled(desk), desk.receive("Another matter.", source="8")
    desk.receive("Not theirs.", chat=OTHER, source="9")
    data, page, held = given(desk, person(desk, first), notes=True)

    by_ref = {one["ref"]: one for one in data["complaints"]}
    assert set(by_ref) == {first, second}
    one = by_ref[first]
    assert (data["you"]["name"], data["you"]["contact_points"][0]["address"]) == ("Mary Sealedname", "70001")
    assert one["description"] == f"The water is brown. {NASTY}"
    assert one["numbers"] == [{"kind": "customer", "value": "AB 123"}]
    assert [made["words"]["done"] for made in one["decisions"]] == ["The pipe was flushed."]
    assert {kept["why"] for kept in data["kept"]} == {"handling"}
    assert held[one["files"][0]["path"]] == b"\xff\xd8\xffpicture"
    words = (
        "Mary Sealedname",
        "We are on it. Yours, Ann",
        "The pipe was flushed.",
        "Another matter.",
        "ico.org.uk",
    )
    assert [said for said in words if said not in page.text] == []


@clause("4.7")
def test_nothing_of_others_and_nobody_of_staff_by_name_is_in_it(desk: Desk) -> None:
    ref = handled(desk)
    desk.receive("Not theirs.", chat=OTHER, source="9")
    desk.act(ref, Verb.DECLARE_CONFLICT, MANAGER, {"who": SECOND}, {"reason": "A cousin of Bob."})
    _, _, held = given(desk, person(desk, ref), notes=True)
    everything = "\n".join(one.decode(errors="replace") for one in held.values())

    ids = [one.id for one in STAFF if f'"{one.id}"' in everything]
    names = [name for one in STAFF for name in (one.name, *one.aliases) if name.lower() in everything.lower()]
    assert (ids, names) == ([], [])
    for other in ("Not theirs", "70002", "Elsename", "cousin"):
        assert other not in everything
    assert "█ says that █ promised it; she <b>shouted</b>." in everything


def test_what_staff_wrote_for_themselves_waits_for_a_persons_look(desk: Desk) -> None:
    ref = handled(desk)
    data, page, held = given(desk, person(desk, ref))
    everything = "\n".join(one.decode(errors="replace") for one in held.values())
    assert ("promised it" in everything, "An old pipe." in everything) == (False, False)
    assert {"what": "notes", "why": "checked_first"} in data["complaints"][0]["not_included"]
    assert "ask us for it" in page.text


def test_under_legal_hold_notes_stay_here_and_the_person_is_told(desk: Desk) -> None:
    ref = handled(desk)
    desk.act(ref, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    data, page, _ = given(desk, person(desk, ref), notes=True)
    assert {"what": "notes", "why": "legal_claim"} in data["complaints"][0]["not_included"]
    assert data["kept"] == [{"ref": ref, "why": "legal_claim", "span": None, "until": None}]
    assert "until that is over" in page.text


def test_a_decision_not_told_yet_is_not_told_by_an_export(desk: Desk) -> None:
    ref = desk.assessed()
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    _, _, held = given(desk, person(desk, ref), notes=True)
    data = json.loads(held["data.json"])
    assert data["complaints"][0]["decisions"] == []
    assert {"what": "decision", "why": "not_told_yet"} in data["complaints"][0]["not_included"]
    assert b"flushed" not in held["data.json"] + held["index.html"]


def test_the_page_holds_no_tag_of_anybodys(desk: Desk) -> None:
    _, page, held = given(desk, person(desk, handled(desk)), notes=True)
    assert "script" not in page.tags
    assert NASTY in page.text
    assert b"http://" not in held["index.html"]
    assert b"https://" not in held["index.html"]


def test_the_page_speaks_the_persons_language(desk: Desk) -> None:
    ref = desk.receive()
    assert "Verileriniz" not in given(desk, person(desk, ref))[1].text
    assert "verileriniz" in given(desk, person(desk, ref), language="tr")[1].text


def test_a_file_name_leads_nowhere_else(desk: Desk) -> None:
    _, _, held = given(desk, person(desk, handled(desk)))
    (path,) = [name for name in held if name.startswith("files/")]
    assert path.endswith("/1-tap_of_mine.jpg")
    assert ".." not in path


def test_what_is_too_large_to_send_is_named_and_left_out(desk: Desk) -> None:
    ref = handled(desk)
    data, page, held = given(desk, person(desk, ref), largest=5)
    assert [name for name in held if name.startswith("files/")] == []
    assert {"what": "file", "why": "too_large"} in data["complaints"][0]["not_included"]
    assert "not in this archive" in page.text


@pytest.mark.parametrize("by", [OPERATOR, "complainant"])
def test_each_export_is_on_the_record(desk: Desk, by: str) -> None:
    ref = desk.receive()
    data, _, _ = given(desk, person(desk, ref), by=by)
    last = desk.store.read(export_record, ref)["reads"][-1]
    assert (last["by"], last["role"], last["what"]) == (by, by, "export")
    assert [one["by"] for one in data["complaints"][0]["who_looked"]] == [by]


def test_until_when_it_is_kept_follows_the_span_in_force(desk: Desk) -> None:
    ref = desk.closed()
    who = person(desk, ref)
    without, _, _ = given(desk, who)
    with_span, page, _ = given(desk, who, retention={"GB": "24 months"})
    assert without["kept"] == [{"ref": ref, "why": "no_end", "span": None, "until": None}]
    assert with_span["kept"] == [
        {"ref": ref, "why": "accountability", "span": "24 months", "until": "2028-11-03T10:00:00Z"}
    ]
    assert "until 3 November 2028" in page.text


def test_somebody_unknown_or_erased_is_answered_plainly(desk: Desk) -> None:
    ref = desk.closed()
    who = person(desk, ref)
    desk.store.write(erase, ref, "request")
    refused(lambda: archive(desk.store, who, LABELS), Erased)
    refused(lambda: archive(desk.store, "nobody", LABELS), UnknownRow)
    refused(lambda: desk.store.read(find_person, "nobody"), UnknownReference)


def test_names_are_blacked_out_only_as_whole_words() -> None:
    said = without_names("Ann planned; ANN'S annex; Bob-Lee, Bo.", ("Ann Lee", "Bob"))
    assert said == "█ planned; █'S annex; █-█, Bo."


async def test_the_command_writes_the_archive(tmp_path: Path, usual_url: str) -> None:
    product = Product(tmp_path, {"AMENDS_DATABASE_URL": usual_url})
    clock = FakeClock(datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
    with opened(usual_url, clock, Keyring([base64.b64decode(KEY)])) as store:
        desk = Desk(store)
        store.write(use_rulebook, rulebook(load(tmp_path / "amends.toml", product.env)))
        ref = handled(desk)
        by_ref = await product.amends("privacy", "export", "--complainant", ref, "-o", "F.zip")
        by_id = await product.amends(
            "privacy",
            "export",
            "--complainant",
            person(desk, ref),
            "-o",
            "G.zip",
            "--language",
            "tr",
            "--no-notes",
        )
        strange = await product.amends("privacy", "export", "--complainant", "nobody", "-o", "H.zip")
        reads = [one["what"] for one in store.read(export_record, ref)["reads"]][-2:]

    with zipfile.ZipFile(tmp_path / "F.zip") as packed:
        assert "promised it" in packed.read("data.json").decode()
    with zipfile.ZipFile(tmp_path / "G.zip") as packed:
        assert "promised it" not in packed.read("data.json").decode()
        assert "verileriniz" in packed.read("index.html").decode()
    assert (by_ref.code, by_id.code, strange.code, reads) == (0, 0, 1, ["export", "export"])
    assert (tmp_path / "F.zip").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "H.zip").exists()
    assert "Traceback" not in strange.err
