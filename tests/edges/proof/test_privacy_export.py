"""The export of a person's data: all of it, nothing of others, no staff by name; every export is recorded."""

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
from complaints.actors import MODEL, SYSTEM
from complaints.case_values import RecordedSign
from complaints.errors import UnknownReference
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import export_record
from store.cases.read import open_case
from store.custody.erasure import erase, find_person
from store.database.errors import Erased, UnknownRow
from store.database.keyring import Keyring
from store.files import store_file
from store.people.identification import add_identifier
from store.proof.notes import Signer, is_signed
from store.record.load import load_case_file
from store.rulebooks import use_rulebook
from store.similarity.similar import store_sketch
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
from tests.rules.builders import a_proposal
from triage.shingles import sketch

LABELS = load_labels(("en", "tr"), "Europe/London")
OTHER = Chat("telegram", "70002", "en", "Nobody Elsename")
NOTE = "Bob Sealedname says that annie promised it; she <b>shouted</b>."
NASTY = '<script>alert(1)</script> & "quotes" #import $x$'


@pytest.fixture
def desk(usual_store: Store) -> Desk:
    """A desk with rules and staff."""
    return Desk(usual_store)


class Page(HTMLParser):
    """The text of a page and the tags in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def person(desk: Desk, ref: str) -> str:
    return desk.case(ref).complainant


def exported(desk: Desk, who: str, **more: Any) -> tuple[dict[str, Any], Page, Mapping[str, bytes]]:
    """The opened archive: data, page, and every file by name."""
    packed = zipfile.ZipFile(io.BytesIO(archive(desk.store, who, LABELS, **more)))
    files = {name: packed.read(name) for name in packed.namelist()}
    return json.loads(files["data.json"]), Page(files["index.html"].decode()), files


def handled(desk: Desk) -> str:
    """A complaint with a file, notes of staff, a communicated decision, and a read by staff."""
    photo = ReceivedFile("p1", "u1", "photo", "7", mime="image/jpeg", size=9, name="../../tap of mine.jpg")
    ref = desk.receive(f"The water is brown. {NASTY}", files=(photo,))
    desk.store.write(store_file, ref, 1, b"\xff\xd8\xffpicture", "image/jpeg")
    desk.store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "customer", "AB 123"))
    desk.store.write(open_case, ref, desk.actor(HANDLER), "open")
    desk.act(ref, Verb.ASSESS, facts={**ASSESSED, "media_heard": True})
    desk.act(ref, Verb.NOTE, SECOND, words={"text": NOTE})
    desk.act(ref, Verb.REPLY, words={"text": "We are on it. Yours, Ann"}, facts={"language_confirmed": True})
    desk.store.write(open_case, ref, desk.actor(HANDLER), "resolve")
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    desk.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    desk.store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
    return ref


def test_the_export_holds_a_signed_receipt_of_each_complaint_with_its_code(desk: Desk) -> None:
    ref = handled(desk)
    data, page, files = exported(desk, person(desk, ref), signing_key=bytes(32))
    receipt = json.loads(files[data["complaints"][0]["receipt"]])
    leaf = json.loads(receipt["leaf"])
    assert (leaf["owner"], leaf["seq"]) == (ref, desk.case(ref).version)
    verifier = Signer(receipt["origin"], bytes(32)).verifier
    assert is_signed(receipt["promise"], [verifier])
    assert files["receipts/key.txt"].decode() == f"{verifier}\n"
    assert b"</html>" in files["verify.html"]
    assert files[f"receipts/{ref}.svg"].startswith(b"<svg")
    assert "The receipt of this complaint" in page.text


@clause("8.1")
def test_the_lines_of_a_conversation_are_in_the_export_as_letters_are(desk: Desk) -> None:
    ref, thread = desk.receive("Gas everywhere."), "D0000001:1.000100"
    desk.act(ref, Verb.TALK, facts={"phase": "begin", "thread": thread})
    line = {"phase": "line", "thread": thread, "post": "1.000200"}
    desk.act(ref, Verb.TALK, facts=line, words={"text": "Stay outside, all of you."})
    data, _, _ = exported(desk, person(desk, ref))
    (complaint,) = data["complaints"]
    by_staff = [(text["by"], text["text"]) for text in complaint["texts"] if text["by"] != "you"]
    assert by_staff == [("handler", "Stay outside, all of you.")]
    assert complaint["not_included"] == []


@pytest.mark.on_both
@clause("8.1")
def test_the_export_holds_all_data_of_the_person(desk: Desk) -> None:
    first, second = handled(desk), desk.receive("Another matter.", source="8")
    desk.receive("Not theirs.", chat=OTHER, source="9")
    data, page, files = exported(desk, person(desk, first), include_notes=True)

    by_ref = {complaint["ref"]: complaint for complaint in data["complaints"]}
    assert set(by_ref) == {first, second}
    complaint = by_ref[first]
    assert (data["you"]["name"], data["you"]["contact_points"][0]["address"]) == ("Mary Sealedname", "70001")
    assert complaint["description"] == f"The water is brown. {NASTY}"
    assert complaint["numbers"] == [{"kind": "customer", "value": "AB 123"}]
    assert [decision["words"]["done"] for decision in complaint["decisions"]] == ["The pipe was flushed."]
    assert {kept["why"] for kept in data["kept"]} == {"handling"}
    assert files[complaint["files"][0]["path"]] == b"\xff\xd8\xffpicture"
    words = (
        "Mary Sealedname",
        "We are on it. Yours, Ann",
        "The pipe was flushed.",
        "Another matter.",
        "ico.org.uk",
    )
    assert [phrase for phrase in words if phrase not in page.text] == []


@clause("4.7")
def test_the_export_holds_nothing_of_others_and_no_name_of_staff(desk: Desk) -> None:
    ref = handled(desk)
    desk.receive("Not theirs.", chat=OTHER, source="9")
    desk.act(ref, Verb.DECLARE_CONFLICT, MANAGER, {"who": SECOND}, {"reason": "A cousin of Bob."})
    _, _, files = exported(desk, person(desk, ref), include_notes=True)
    everything = "\n".join(file.decode(errors="replace") for file in files.values())

    ids = [member.id for member in STAFF if f'"{member.id}"' in everything]
    names = [
        name
        for member in STAFF
        for name in (member.name, *member.aliases)
        if name.lower() in everything.lower()
    ]
    assert (ids, names) == ([], [])
    for other in ("Not theirs", "70002", "Elsename", "cousin"):
        assert other not in everything
    assert "█ says that █ promised it; she <b>shouted</b>." in everything


def test_notes_of_staff_are_left_out_until_a_person_has_checked_them(desk: Desk) -> None:
    ref = handled(desk)
    data, page, files = exported(desk, person(desk, ref))
    everything = "\n".join(file.decode(errors="replace") for file in files.values())
    assert ("promised it" in everything, "An old pipe." in everything) == (False, False)
    assert {"what": "notes", "why": "checked_first"} in data["complaints"][0]["not_included"]
    assert "ask us for it" in page.text


def test_the_letter_with_a_decision_is_in_the_export_once_and_is_no_note(desk: Desk) -> None:
    ref = desk.receive()
    desk.act(ref, Verb.ASSESS, facts=ASSESSED)
    desk.store.write(open_case, ref, desk.actor(HANDLER), "resolve")
    desk.act(
        ref,
        Verb.RESOLVE,
        facts=RESOLVED,
        words={**RESOLVED_WORDS, "letter": "Dear Mary, the pipe was flushed."},
    )
    desk.store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)

    complaint = exported(desk, person(desk, ref))[0]["complaints"][0]
    texts = {text["field"]: text["text"] for text in complaint["texts"]}
    assert texts["letter"] == "Dear Mary, the pipe was flushed."
    assert [set(decision["words"]) for decision in complaint["decisions"]] == [{"done"}]


def test_under_legal_hold_notes_are_left_out_and_the_person_learns_why(desk: Desk) -> None:
    ref = handled(desk)
    desk.act(ref, Verb.HOLD, MANAGER, words={"reason": "A claim."})
    data, page, _ = exported(desk, person(desk, ref), include_notes=True)
    assert {"what": "notes", "why": "legal_claim"} in data["complaints"][0]["not_included"]
    assert data["kept"] == [{"ref": ref, "why": "legal_claim", "span": None, "until": None}]
    assert "until that is over" in page.text


def test_a_decision_not_yet_communicated_is_not_exported(desk: Desk) -> None:
    ref = desk.assessed()
    desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS)
    _, _, files = exported(desk, person(desk, ref), include_notes=True)
    data = json.loads(files["data.json"])
    assert data["complaints"][0]["decisions"] == []
    assert {"what": "decision", "why": "not_told_yet"} in data["complaints"][0]["not_included"]
    assert b"flushed" not in files["data.json"] + files["index.html"]


def test_the_page_escapes_every_tag_in_the_texts(desk: Desk) -> None:
    _, page, files = exported(desk, person(desk, handled(desk)), include_notes=True)
    assert "script" not in page.tags
    assert NASTY in page.text
    assert b"http://" not in files["index.html"]
    assert b"https://" not in files["index.html"]


def test_the_page_is_in_the_persons_language(desk: Desk) -> None:
    ref = desk.receive()
    assert "Verileriniz" not in exported(desk, person(desk, ref))[1].text
    assert "verileriniz" in exported(desk, person(desk, ref), language="tr")[1].text


def test_a_file_name_cannot_leave_its_folder(desk: Desk) -> None:
    _, _, files = exported(desk, person(desk, handled(desk)))
    (path,) = [name for name in files if name.startswith("files/")]
    assert path.endswith("/1-tap_of_mine.jpg")
    assert ".." not in path


def test_a_file_too_large_to_send_is_named_and_left_out(desk: Desk) -> None:
    ref = handled(desk)
    data, page, files = exported(desk, person(desk, ref), max_file_bytes=5)
    assert [name for name in files if name.startswith("files/")] == []
    assert {"what": "file", "why": "too_large"} in data["complaints"][0]["not_included"]
    assert "not in this archive" in page.text


@pytest.mark.parametrize("by", ["operator:alice", "complainant"])
def test_every_export_is_recorded(desk: Desk, by: str) -> None:
    ref = desk.receive()
    data, _, _ = exported(desk, person(desk, ref), requested_by=by)
    last = desk.store.read(export_record, ref)["reads"][-1]
    assert (last["by"], last["role"], last["what"]) == (by, by.partition(":")[0], "export")
    assert [read["by"] for read in data["complaints"][0]["who_looked"]] == [by.partition(":")[0]]


def test_the_retention_date_follows_the_retention_in_force(desk: Desk) -> None:
    ref = desk.closed()
    person_id = person(desk, ref)
    without, _, _ = exported(desk, person_id)
    with_span, page, _ = exported(desk, person_id, retention={"GB": "24 months"})
    assert without["kept"] == [{"ref": ref, "why": "no_end", "span": None, "until": None}]
    assert with_span["kept"] == [
        {"ref": ref, "why": "accountability", "span": "24 months", "until": "2028-11-03T10:00:00Z"}
    ]
    assert "until 3 November 2028" in page.text


@pytest.mark.on_both
def test_an_export_of_an_unknown_or_erased_person_is_refused(desk: Desk) -> None:
    ref = desk.closed()
    person_id = person(desk, ref)
    desk.store.write(erase, ref, "request")
    refused(lambda: archive(desk.store, person_id, LABELS), Erased)
    refused(lambda: archive(desk.store, "nobody", LABELS), UnknownRow)
    refused(lambda: desk.store.read(find_person, "nobody"), UnknownReference)


def test_names_are_redacted_only_as_whole_words() -> None:
    redacted = without_names("Ann planned; ANN'S annex; Bob-Lee, Bo.", ("Ann Lee", "Bob"))
    assert redacted == "█ planned; █'S annex; █-█, Bo."


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
        unknown = await product.amends("privacy", "export", "--complainant", "nobody", "-o", "H.zip")
        reads = [read["what"] for read in store.read(export_record, ref)["reads"]][-2:]

    with zipfile.ZipFile(tmp_path / "F.zip") as packed:
        assert "promised it" in packed.read("data.json").decode()
    with zipfile.ZipFile(tmp_path / "G.zip") as packed:
        assert "promised it" not in packed.read("data.json").decode()
        assert "verileriniz" in packed.read("index.html").decode()
    assert (by_ref.code, by_id.code, unknown.code, reads) == (0, 0, 1, ["export", "export"])
    assert (tmp_path / "F.zip").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "H.zip").exists()
    assert "Traceback" not in unknown.err


@pytest.mark.on_both
@clause("8.1")
def test_the_export_holds_all_that_was_derived_from_the_persons_words(desk: Desk) -> None:
    sign = RecordedSign("danger.gas_smell", 4, 3, danger=True, at=desk.store.now(), seq=1)
    story = "It smells of gas at the meter in the cellar, and it has done so since Monday."
    ref = desk.receive(story, signs=(sign,))
    others = [desk.receive(story, chat=OTHER, source=str(n)) for n in (8, 9)]
    for similar in (ref, *others):
        desk.store.write(store_sketch, similar, sketch(story))
    evidence = {
        "because": json.dumps([{"word": "meter", "weight": 0.7}, {"word": "smells", "weight": 0.4}]),
        "evidence": json.dumps([["gas"]]),
        "similar": json.dumps([{"ref": other, "category": "supply", "severity": 2} for other in others]),
    }
    reason = {"field": "severity", "value": 4, "reason": "rule"}
    for severity in (2, 4):
        facts = a_proposal(severity=severity, criteria=[reason])
        desk.store.write(act, ref, Verb.PROPOSE, MODEL, facts, evidence)
    desk.store.write(open_case, ref, desk.actor(HANDLER), "open")
    data, page, files = exported(desk, person(desk, ref))

    (complaint,) = data["complaints"]
    assert [proposal["severity"] for proposal in complaint["proposals"]] == [2, 4]
    newest = complaint["proposals"][-1]
    assert [row["word"] for row in newest["because"]] == ["meter", "smells"]
    assert newest["criteria"] == [{**reason, "words": ["gas"]}]
    assert (newest["similar"], newest["decides"]) == (2, False)
    assert (complaint["similar_cases"], complaint["danger_signs"]) == (2, [sign.facts])
    assert {"by": "handler", "what": "open"}.items() <= complaint["who_looked"][-2].items()
    assert [row["channel"] for row in data["conversations"]] == ["telegram"]
    assert ("meter, smells" in page.text, "gas smell" in page.text) == (True, True)
    assert [other for other in others if other.encode() in files["data.json"] + files["index.html"]] == []
