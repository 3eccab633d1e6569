"""`amends case file`: Annexes B and D with everything said and done, in both languages; its making is a read.

The subject is documents; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from amends.documents.case_file import RECORD, StoredPicture, case_file, exact_record
from amends.documents.labels import load_labels
from amends.documents.typst import as_pdf
from amends.settings import load, rulebook
from complaints.actors import SYSTEM
from complaints.case_values import RecordedSign
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import OPERATOR, export_case, export_record, read_stored_file
from store.cases.read import open_case
from store.custody.retention import erase
from store.database.keyring import Keyring
from store.files import keep_file
from store.incidents.incidents import open_incident
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import ReceivedFile
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges import pdf
from tests.edges.desk import HANDLER, MANAGER, SECOND, Desk
from tests.edges.product import KEY, SETTINGS, Product
from tests.edges.test_documents import png

STORY = 'The water is brown.\n#import "x" $a$ ] 😡'
PHOTO = ReceivedFile("p1", "u1", "photo", "7", mime="image/png", size=1000, name="tap.png")


def filed(store: Store, ref: str, language: str = "en", **more: Any) -> bytes:
    """The file of a complaint, without the command line."""
    whole = store.read(export_case, ref)
    labels = load_labels((language,), "Europe/London", staff=True)
    made = case_file(whole, labels, made_at=store.now(), **more)
    return as_pdf(made, at=store.now(), attached={RECORD: exact_record(whole)})


@pytest.fixture
def desk(store: Store) -> Desk:
    """A desk with rules and staff, on each database in turn."""
    return Desk(store)


def whole_life(desk: Desk) -> str:
    """A complaint decided in full with a promise, refused, and everything noted on the way."""
    ref = desk.receive(STORY, files=(PHOTO,))
    desk.complain(
        ref, Verb.ADD, {"field": "where_and_when", "has_words": True}, {"where_and_when": "At home."}
    )
    desk.complain(ref, Verb.CONFIRM)
    desk.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    desk.store.write(keep_file, ref, 1, png(), "image/png")
    desk.store.write(open_case, ref, desk.actor(HANDLER), "open")
    facts = {
        "category": "supply", "severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 1,
        "immediate_needed": "no", "issues": [], "media_heard": True,
    }  # fmt: skip
    desk.act(ref, Verb.ASSESS, facts=facts)
    desk.act(ref, Verb.NOTE, SECOND, words={"text": "The plumber says: old pipe."})
    evidence = {"evidence": ["complainant_heard", "records_checked"]}
    desk.act(ref, Verb.INVESTIGATE, facts=evidence, words={"facts": "The pipe is of 1961."})
    desk.store.write(open_case, ref, desk.actor(HANDLER), "decide")
    decided = {
        "issues": [{"finding": "upheld"}],
        "remedies": [{"type": "refund", "amount": "50.00", "currency": "GBP"}],
        "others_affected": "unknown",
        "cause_class": "single",
    }
    words = {
        "issues.0.reasons": "The pipe was ours.",
        "remedies.0.text": "Fifty pounds back.",
        "changes": "The pipe is replaced.",
        "root_cause": "Old iron.",
    }
    desk.act(ref, Verb.RESPOND, facts=decided, words=words)
    desk.store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM)
    return ref


@clause("D")
def test_it_holds_everything_said_and_done(desk: Desk) -> None:
    ref = whole_life(desk)
    desk.act(ref, Verb.REMEDY_DONE, facts={"remedy": "0", "done_at": "2026-11-03T10:00:00Z"})
    before = pdf.words(filed(desk.store, ref))
    desk.act(ref, Verb.VERIFY, facts={"remedy": "0"}, words={"how": "Saw the bank's list."})
    data = filed(desk.store, ref)
    said, record = pdf.words(data), desk.store.read(export_record, ref)

    told = [one["text"] for one in record["texts"]]
    assert [one for one in told if one != STORY and " ".join(one.split()) not in said] == []
    assert said.count('The water is brown. #import "x" $a$ ] [U+1F621]') >= 2
    assert [one["hash"] for one in record["events"] if one["hash"] not in said.replace(" ", "")] == []
    assert desk.store.read(export_case, ref).head in said.replace(" ", "")
    expected = ("Mary Sealedname", "At home.", "tap.png", record["files"][0]["sha256"], "£50.00", "Upheld")
    assert [one for one in expected if one.replace(" ", "") not in said.replace(" ", "")] == []
    assert "Correction verified 1 not yet" in before
    assert "Correction verified 1 3 November 2026, 10:00 handler (U1)" in said


@clause("B")
def test_the_form_says_what_stands_for_the_signature(desk: Desk) -> None:
    ref = desk.receive()
    still_open = pdf.words(filed(desk.store, ref))
    desk.store.write(act, ref, Verb.END_FORM, SYSTEM, {"how": "silence"})
    unsigned = pdf.words(filed(desk.store, ref))
    desk.complain(ref, Verb.CONFIRM)
    signed = pdf.words(filed(desk.store, ref))

    assert "the form is still open" in still_open
    assert "filed as it stood on 3 November 2026, 10:00" in unsigned
    assert "sent by the complainant on 3 November 2026, 10:00: this stands for a signature" in signed


def test_the_exact_words_are_attached_as_the_record_has_them(desk: Desk) -> None:
    ref = whole_life(desk)
    data = filed(desk.store, ref)
    kept = json.loads(pdf.attachment(data, RECORD))
    assert kept["description"] == STORY
    assert {name: kept[name] for name in ("texts", "events", "messages")} == {
        name: value
        for name, value in desk.store.read(export_record, ref).items()
        if name in ("texts", "events", "messages")
    }
    assert pdf.conformance(data) == ("3", "A", "1")


def test_turkish_labels_stand_in_the_turkish_file(desk: Desk) -> None:
    said = pdf.words(filed(desk.store, whole_life(desk), "tr"))
    expected = (
        "Şikâyet dosyası",
        "Takip (Ek D)",
        "İlk değerlendirme",
        "Giderimler",
        "Sayfa 1 /",
        "3 Kasım 2026",
    )
    assert [one for one in expected if one not in said] == []
    english = ("Complaint file", "Follow-up", "not yet", "Step log", "Registers")
    assert [one for one in english if one in said] == []


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "smell of gas our own sign"), ("tr", "gaz kokusu our own sign")]
)
def test_signs_of_harm_stand_in_it_by_their_names(desk: Desk, language: str, expected: str) -> None:
    found = tuple(
        RecordedSign(rule, 4, 1, danger=False, at=desk.store.now(), seq=1)
        for rule in ("danger.gas_smell", "own.our_own_sign")
    )
    said = pdf.words(filed(desk.store, desk.receive("Smell of gas", signs=found), language))
    assert expected in said
    assert "gas_smell" not in said


def test_every_version_of_a_text_is_in_it(desk: Desk) -> None:
    ref = desk.receive("First words.")
    facts = {"field": "edit", "has_words": True, "replaces": 1, "source": "1"}
    desk.complain(ref, Verb.ADD, facts, {"description": "Second words."})
    said = pdf.words(filed(desk.store, ref))
    assert ("First words." in said, "Second words." in said) == (True, True)
    assert ("replaced by #2" in said, "replaces #1" in said) == (True, True)


def test_pictures_are_its_appendix(desk: Desk) -> None:
    ref = whole_life(desk)
    shown = [StoredPicture(1, desk.store.read(read_stored_file, ref, 1))]
    data = filed(desk.store, ref, shown=shown)
    assert [len(page.images) for page in pdf.reader(data).pages][-1] == 1


def test_what_a_newer_record_holds_is_never_left_out(desk: Desk) -> None:
    whole = desk.store.read(export_case, desk.receive())
    newer = {**whole.record, "weather": "rain", "nothing": None, "many": [1, 2]}
    labels = load_labels(("en",), "Europe/London", staff=True)
    made = case_file(type(whole)(**{**vars(whole), "record": newer}), labels, made_at=desk.store.now())
    said = pdf.words(as_pdf(made, at=desk.store.now()))
    assert ("weather rain" in said, "many [1, 2]" in said, "nothing" in said.split("Further fields")[1]) == (
        True, True, False,
    )  # fmt: skip


def test_an_erased_complaint_says_so_and_keeps_its_chain(desk: Desk) -> None:
    ref = desk.closed()
    desk.store.write(erase, ref, "request")
    data = filed(desk.store, ref)
    said = pdf.words(data)
    assert "every word, name and address of this complaint was destroyed" in said
    assert ("The water is brown" in said, "Sealedname" in said) == (False, False)
    assert json.loads(pdf.attachment(data, RECORD))["texts"] == []
    assert desk.store.read(export_case, ref).head in said.replace(" ", "")


def test_five_hundred_events_are_all_in_it(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.receive("x" * 3000)
    for n in range(500):
        desk.add(ref, f"addition {n}", source=str(n + 2))
    data = filed(desk.store, ref)
    said = pdf.words(data)
    assert [n for n in range(500) if f"addition {n} " not in said] == []
    assert "501 events, each bound to the one before" in said


@clause("C")
@pytest.mark.parametrize("language", ["en", "tr"])
def test_who_is_complained_about_learns_what_and_not_from_whom(desk: Desk, language: str) -> None:
    ref = whole_life(desk)
    whole = desk.store.read(export_case, ref)
    labels = load_labels((language,), "Europe/London", staff=True)
    made = case_file(whole, labels, made_at=desk.store.now(), subject=True)
    data = as_pdf(made, at=desk.store.now())
    said = pdf.words(data)

    given = ("The water is brown.", "At home.", "The pipe was ours.", "The pipe is replaced.", ref)
    assert [one for one in given if one not in said] == []
    secret = (
        "Sealedname", "70001", whole.record["complainant"], "plumber", "of 1961", "Fifty pounds", "£50", "tap.png",
        "Old iron", "(U1)", "(U2)",
    )  # fmt: skip
    # Hashes hold any five digits sooner or later.
    without_hashes = re.sub(r"\b[0-9a-f]{32,}\b", "", said)
    assert [one for one in secret if one in without_hashes] == []
    assert dict(pdf.reader(data).attachments) == {}


def test_its_incident_is_told_with_the_public_line(desk: Desk) -> None:
    ref = desk.assessed()
    words = {"what": "Burst main", "area": "Old town", "line.en": "We know of the burst main."}
    made = desk.store.write(open_incident, desk.actor(MANAGER), {}, words)
    desk.act(ref, Verb.LINK, facts={"incident": made.id})
    said = pdf.words(filed(desk.store, ref))
    assert [one for one in ("Burst main", "Old town", "We know of the burst main.") if one not in said] == []


@pytest.fixture
def product(tmp_path: Path, usual_url: str) -> Product:
    """An installation with a migrated database, where handlers may grant something."""
    made = Product(tmp_path, {"AMENDS_DATABASE_URL": usual_url})
    limits = '[authority]\nhandler = { amount = "100 GBP" }\n'
    (tmp_path / "amends.toml").write_text(SETTINGS + limits, encoding="utf-8")
    return made


@pytest.fixture
def installed(product: Product) -> Iterator[Callable[[], Desk]]:
    """A desk on the product's own database and rules."""
    contexts = []

    def made() -> Desk:
        clock = FakeClock(datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
        context = opened(product.env["AMENDS_DATABASE_URL"], clock, Keyring([base64.b64decode(KEY)]))
        contexts.append(context)
        desk = Desk(context.__enter__())
        desk.store.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
        return desk

    yield made
    for one in contexts:
        one.__exit__(None, None, None)


async def test_the_command_writes_it_for_its_owner_alone_and_is_on_the_record(
    product: Product, installed: Callable[[], Desk]
) -> None:
    desk = installed()
    ref = whole_life(desk)
    theirs = await product.amends("case", "file", ref, "-o", "S.pdf", "--for", "subject")
    done = await product.amends("case", "file", ref.lower(), "-o", "F.pdf", "--language", "tr")
    out = product.folder / "F.pdf"
    before, last = desk.store.read(export_record, ref)["reads"][-2:]

    assert (theirs.code, before["what"]) == (0, "file:subject")
    assert "Sealedname" not in pdf.words((product.folder / "S.pdf").read_bytes())
    assert (done.code, done.out, done.err.strip()) == (0, "", "wrote F.pdf")
    assert out.stat().st_mode & 0o777 == 0o600
    assert "Şikâyet dosyası" in pdf.words(out.read_bytes())
    assert [len(page.images) for page in pdf.reader(out.read_bytes()).pages][-1] == 1
    assert (last["by"], last["role"], last["what"]) == (OPERATOR, OPERATOR, "file")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("A7K-M3Q-9T", "-o", "F.pdf"), 1, "No complaint has the reference"),
        (("nonsense", "-o", "F.pdf"), 1, "is no reference"),
        (("A7K-M3Q-9T", "-o", "nowhere/F.pdf"), 2, "is no folder"),
        (("A7K-M3Q-9T", "-o", "F.pdf", "--language", "de"), 2, 'no texts in "de"'),
        (("A7K-M3Q-9T",), 2, "--output"),
    ],
)
async def test_what_cannot_be_filed_is_refused_with_the_remedy(
    product: Product, installed: Callable[[], Desk], args: tuple[str, ...], code: int, says: str
) -> None:
    installed()
    done = await product.amends("case", "file", *args)
    assert (done.code, says in " ".join(done.err.split()), (product.folder / "F.pdf").exists()) == (
        code,
        True,
        False,
    )


async def test_showing_a_record_is_on_the_record(product: Product, installed: Callable[[], Desk]) -> None:
    desk = installed()
    ref = desk.receive()
    await product.amends("case", "show", ref)
    assert [(one["by"], one["what"]) for one in desk.store.read(export_record, ref)["reads"]] == [
        (OPERATOR, "show")
    ]


@pytest.mark.on_both
async def test_the_list_is_filtered_and_paged(product: Product, installed: Callable[[], Desk]) -> None:
    desk = installed()
    refs = {desk.assessed(source=str(n)) for n in range(3)}
    fresh = desk.receive(source="9")

    async def listed(*args: str) -> Any:
        return (await product.amends("case", "list", "--json", *args)).json

    first = await listed("--category", "supply", "--limit", "2")
    rest = await listed("--category", "supply", "--limit", "2", "--after", first["next"])
    assert {one["ref"] for one in (*first["cases"], *rest["cases"])} == refs
    assert (len(first["cases"]), rest["next"]) == (2, None)
    assert [one["ref"] for one in (await listed("--state", "received"))["cases"]] == [fresh]
    assert (await listed("--owner", "U404"))["cases"] == (await listed("--incident", "7"))["cases"] == []
