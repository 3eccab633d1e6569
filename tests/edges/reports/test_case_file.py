"""`amends case file`: Annexes B and D with the whole record, in both languages; creating it is a recorded read.

The subject is documents; test_store_* tests the store on both databases. Tests marked `on_both` also run on
PostgreSQL.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from amends.cli.options import operator
from amends.documents.blocks import Edition
from amends.documents.case_file.case_file import (
    RECORD,
    StoredPicture,
    case_file,
    exact_record,
)
from amends.documents.case_file.evidence_file import EvidenceView
from amends.documents.facts import field_name, value_words
from amends.documents.labels import load_labels
from amends.documents.typst import as_pdf
from amends.settings import load, rulebook
from complaints.actors import SYSTEM, complainant
from complaints.case_values import RecordedSign
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import export_case, export_record, read_stored_file
from store.cases.read import open_case
from store.custody.erasure import erase
from store.database.keyring import Keyring
from store.files import store_file
from store.incidents import open_incident
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import ReceivedFile
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges import pdf
from tests.edges.desk import HANDLER, MANAGER, SECOND, Desk
from tests.edges.product import KEY, SETTINGS, Product
from tests.edges.reports.test_documents import png

STORY = 'The water is brown.\n#import "x" $a$ ] 😡'
PHOTO = ReceivedFile("p1", "u1", "photo", "7", mime="image/png", size=1000, name="tap.png")


def move_to(desk: Desk, moment: datetime) -> None:
    desk.store.move_clock((moment - desk.store.now()).total_seconds())


def replace_record(view: EvidenceView, **changes: Any) -> EvidenceView:
    return EvidenceView({**view.record, **changes}, view.labels, view.made_at)


def filed(
    store: Store, ref: str, language: str = "en", edition: Edition = Edition.HOUSE, **more: Any
) -> bytes:
    """The case file of a complaint, without the command line."""
    whole = store.read(export_case, ref)
    labels = load_labels((language,), "Europe/London", staff=True)
    document = case_file(whole, labels, edition, made_at=store.now(), **more)
    return as_pdf(document, created_at=store.now(), attachments={RECORD: exact_record(whole)})


@pytest.fixture
def desk(usual_store: Store) -> Desk:
    """A desk with rules and staff."""
    return Desk(usual_store)


def whole_life(desk: Desk) -> str:
    """A complaint decided with a remedy, with everything that can be recorded on the way."""
    ref = desk.receive(STORY, files=(PHOTO,))
    desk.complain(
        ref, Verb.ADD, {"field": "where_and_when", "has_words": True}, {"where_and_when": "At home."}
    )
    desk.complain(ref, Verb.CONFIRM)
    desk.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    desk.store.write(store_file, ref, 1, png(), "image/png")
    desk.store.write(open_case, ref, desk.actor(HANDLER), "open")
    facts = {
        "category": "supply", "severity": 2, "safety": 0, "complexity": 1, "reach": 1, "recurrence": 1,
        "immediate_needed": "no", "issues": [], "media_heard": True,
    }  # fmt: skip
    desk.act(ref, Verb.ASSESS, facts=facts)
    desk.act(ref, Verb.NOTE, SECOND, words={"text": "The plumber says: old pipe."})
    investigated = {
        "evidence": ["complainant_heard", "records_checked"],
        "items": [{"step": "third_party", "dated": "2026-10-30"}],
        "statements": [{"inside": "no", "due_on": "2026-11-12"}],
        "findings": [{"finding": "upheld", "basis": ["new"]}],
    }
    words = {
        "facts": "The pipe is of 1961.", "items.0.shows": "Rust in the sample.", "items.0.from_whom": "The lab",
        "statements.0.of_whom": "The digger's driver", "findings.0.happened": "Our pipe rusted.",
    }  # fmt: skip
    desk.act(ref, Verb.INVESTIGATE, facts=investigated, words=words)
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
@pytest.mark.on_both
def test_the_case_file_holds_the_whole_record(desk: Desk) -> None:
    ref = whole_life(desk)
    desk.act(ref, Verb.REMEDY_DONE, facts={"remedy": "0", "done_at": "2026-11-03T10:00:00Z"})
    before = pdf.words(filed(desk.store, ref))
    desk.act(ref, Verb.VERIFY, facts={"remedy": "0"}, words={"how": "Saw the bank's list."})
    data = filed(desk.store, ref)
    content, record = pdf.words(data), desk.store.read(export_record, ref)

    texts = [text["text"] for text in record["texts"]]
    assert [text for text in texts if text != STORY and " ".join(text.split()) not in content] == []
    assert content.count('The water is brown. #import "x" $a$ ] [U+1F621]') >= 2
    assert [
        event["hash"] for event in record["events"] if event["hash"] not in content.replace(" ", "")
    ] == []
    assert desk.store.read(export_case, ref).head in content.replace(" ", "")
    evidence = "1. A third party was asked · 2026-10-30 · Rust in the sample. · The lab"
    expected = (
        evidence,
        "2026-11-12 · The digger's driver",
        "Upheld · Our pipe rusted. · [1]",
        "Mary Sealedname",
        "At home.",
        "tap.png",
        record["files"][0]["sha256"],
        "£50.00",
        "Upheld",
    )
    assert [word for word in expected if word.replace(" ", "") not in content.replace(" ", "")] == []
    assert "Correction verified 1 not yet" in before
    assert "Correction verified 1 3 November 2026, 10:00 handler (U1)" in content


@clause("B")
@pytest.mark.parametrize("edition", Edition)
def test_a_case_file_does_not_tell_who_answered_the_survey(desk: Desk, edition: Edition) -> None:
    ref = desk.closed()
    by = complainant(desk.case(ref).complainant)
    desk.store.write(act, ref, Verb.SURVEY, SYSTEM, {"step": "sent"})
    desk.store.write(act, ref, Verb.SURVEY, by, {"step": "answered", "question": "q2", "score": 1})
    desk.store.write(act, ref, Verb.SURVEY, by, {"step": "answered", "question": "q6"}, {"q6": "A farce."})
    data = filed(desk.store, ref, edition=edition)
    content, record = pdf.words(data), json.loads(pdf.attachment(data, RECORD))

    assert "A farce." not in content + json.dumps(record)
    assert record["survey"] == []
    assert len([event for event in record["events"] if event["verb"] == "survey"]) == 1
    assert ("answers to the survey are left out" in content) is (edition is not Edition.OMBUDSMAN)


def test_the_form_says_what_replaces_the_signature(desk: Desk) -> None:
    ref = desk.receive()
    still_open = pdf.words(filed(desk.store, ref))
    desk.store.write(act, ref, Verb.END_FORM, SYSTEM, {"how": "silence"})
    unsigned = pdf.words(filed(desk.store, ref))
    desk.complain(ref, Verb.CONFIRM)
    signed = pdf.words(filed(desk.store, ref))

    assert "the form is still open" in still_open
    assert "filed as it was on 3 November 2026, 10:00" in unsigned
    assert "sent by the complainant on 3 November 2026, 10:00: this counts as a signature" in signed


@pytest.mark.on_both
def test_the_exact_words_are_attached_as_recorded(desk: Desk) -> None:
    ref = whole_life(desk)
    data = filed(desk.store, ref)
    attached = json.loads(pdf.attachment(data, RECORD))
    assert attached["description"] == STORY
    assert {name: attached[name] for name in ("texts", "events", "messages")} == {
        name: value
        for name, value in desk.store.read(export_record, ref).items()
        if name in ("texts", "events", "messages")
    }
    assert pdf.conformance(data) == ("3", "A", "1")


def test_the_turkish_file_has_turkish_labels(desk: Desk) -> None:
    content = pdf.words(filed(desk.store, whole_life(desk), "tr"))
    expected = (
        "Şikâyet dosyası",
        "Takip (Ek D)",
        "İlk değerlendirme",
        "Giderimler",
        "Sayfa 1 /",
        "3 Kasım 2026",
    )
    assert [label for label in expected if label not in content] == []
    english = ("Complaint file", "Follow-up", "not yet", "Step log", "Registers")
    assert [label for label in english if label in content] == []


@pytest.mark.parametrize(
    ("language", "expected"), [("en", "smell of gas our own sign"), ("tr", "gaz kokusu our own sign")]
)
def test_signs_of_harm_are_listed_by_name(desk: Desk, language: str, expected: str) -> None:
    signs = tuple(
        RecordedSign(rule, 4, 1, danger=False, at=desk.store.now(), seq=1)
        for rule in ("danger.gas_smell", "own.our_own_sign")
    )
    content = pdf.words(filed(desk.store, desk.receive("Smell of gas", signs=signs), language))
    assert expected in content
    assert "gas_smell" not in content


def test_every_version_of_a_text_is_included(desk: Desk) -> None:
    ref = desk.receive("First words.")
    facts = {"field": "edit", "has_words": True, "replaces": 1, "source": "1"}
    desk.complain(ref, Verb.ADD, facts, {"description": "Second words."})
    content = pdf.words(filed(desk.store, ref))
    assert ("First words." in content, "Second words." in content) == (True, True)
    assert ("replaced by #2" in content, "replaces #1" in content) == (True, True)


def test_images_are_in_the_appendix(desk: Desk) -> None:
    ref = whole_life(desk)
    images = [StoredPicture(1, desk.store.read(read_stored_file, ref, 1))]
    data = filed(desk.store, ref, stored_pictures=images)
    assert [len(page.images) for page in pdf.reader(data).pages][-1] == 1


def evidence_of(desk: Desk, ref: str, language: str = "en") -> str:
    """The words of the evidence file of a complaint."""
    whole = desk.store.read(export_case, ref)
    labels = load_labels((language,), "Europe/London", staff=True)
    document = case_file(whole, labels, Edition.OMBUDSMAN, made_at=desk.store.now())
    return pdf.words(as_pdf(document, created_at=desk.store.now()))


@clause("F")
def test_the_evidence_file_says_in_its_first_lines_what_was_decided_why_and_what_was_late(desk: Desk) -> None:
    ref = whole_life(desk)
    promised = {row["target"]: row for row in desk.store.read(export_record, ref)["targets"]}["remedy"]
    move_to(desk, datetime.fromisoformat(promised["promised_due"]) + timedelta(days=3))
    desk.act(ref, Verb.REMEDY_DONE, facts={"remedy": "0", "done_at": desk.store.now().isoformat()})
    first_page = evidence_of(desk, ref).split("What happened")[0]

    assert "All times are those of Europe/ London (UTC+00:00)" in first_page
    assert "Decision, level 1 Upheld · decided 3 November 2026, 10:00 by handler (person 1)" in first_page
    assert "The pipe was ours." in first_page
    assert "Late remedy: late by 3 days" in first_page


def test_the_evidence_file_names_staff_by_role_and_number_and_has_every_text(desk: Desk) -> None:
    ref = whole_life(desk)
    content = evidence_of(desk, ref)
    texts = [text["text"] for text in desk.store.read(export_record, ref)["texts"]]

    assert [word for word in ("(U1)", "(U2)") if word in content] == []
    assert [text for text in texts if text != STORY and " ".join(text.split()) not in content] == []


def test_the_evidence_file_of_an_erased_complaint_says_so_and_keeps_what_was_done(desk: Desk) -> None:
    ref = desk.closed()
    desk.store.write(erase, ref, "request")
    content = evidence_of(desk, ref)
    assert "every word, name and address of this complaint was destroyed" in content
    assert ("Sealedname" in content, "Decision, level 1" in content) == (False, True)


@pytest.mark.parametrize(("overturned", "says"), [(True, "overturned"), (False, "confirmed"), (None, None)])
def test_the_evidence_file_says_what_an_outside_body_did_with_the_decision(
    desk: Desk, overturned: bool | None, says: str | None
) -> None:
    whole = desk.store.read(export_case, whole_life(desk))
    outside = {
        "level": 1, "seq": 99, "external": True, "body": "Ombudsman", "by": HANDLER, "words": {}, "findings": [],
        "at": whole.record["received_at"], "overturned": overturned, "complainant_accepts": None, "comply_by": None,
    }  # fmt: skip
    record = {**whole.record, "decisions": [*whole.record["decisions"], outside]}
    labels = load_labels(("en",), "Europe/London", staff=True)
    document = case_file(replace(whole, record=record), labels, Edition.OMBUDSMAN, made_at=desk.store.now())
    first_page = pdf.words(as_pdf(document, created_at=desk.store.now())).split("What happened")[0]
    words = "" if says is None else f"{labels.text(f'evidence.{says}')} · "
    assert f"Ombudsman {words}3 November 2026, 10:00" in first_page


def test_the_evidence_file_says_in_words_what_did_not_arrive_and_why(desk: Desk) -> None:
    ref = desk.receive()
    failed = {"kind": "say", "template": "ask.where", "because": "blocked"}
    desk.store.write(act, ref, Verb.FAIL_DELIVERY, SYSTEM, failed)
    assert "Delivery failed · question of the form · blocked" in evidence_of(desk, ref)


def test_the_evidence_file_gives_each_time_with_its_offset_where_the_clocks_changed(desk: Desk) -> None:
    ref = desk.receive()
    move_to(desk, datetime(2027, 3, 30, 10, 0, tzinfo=UTC))
    content = evidence_of(desk, ref)
    assert ("3 November 2026, 10:00 UTC+00:00" in content, "(UTC+00:00, UTC+01:00)" in content) == (
        True,
        True,
    )


@pytest.mark.parametrize("language", ["tr", "de", "es"])
def test_an_evidence_file_in_another_language_has_no_code_and_no_english_rule(
    desk: Desk, language: str
) -> None:
    content = evidence_of(desk, whole_life(desk), language)
    english = (
        "working day",
        "In short",
        "escalated",
        "in time",
        "progress notice",
        "not due yet",
        "Promised",
    )
    assert [word for word in english if word in content] == []


def test_a_date_is_missed_replaced_or_no_longer_due_at_the_end_of_its_complaint(desk: Desk) -> None:
    whole = desk.store.read(export_case, desk.assessed())
    labels = load_labels(("en",), "Europe/London", staff=True)
    view = EvidenceView(whole.record, labels, desk.store.now() + timedelta(days=90))
    first, due = (target for target in view.due_times if target["target"] == "decide")
    closed = replace_record(view, closed_at=due["promised_due"])
    assert view.verdict(first) == (False, "replaced by a new date")
    assert (view.verdict(due)[0], closed.verdict(due)) == (True, (False, "no longer due"))


def test_unknown_fields_of_a_newer_record_are_included(desk: Desk) -> None:
    whole = desk.store.read(export_case, desk.receive())
    newer = {**whole.record, "weather": "rain", "nothing": None, "many": [1, 2]}
    labels = load_labels(("en",), "Europe/London", staff=True)
    document = case_file(type(whole)(**{**vars(whole), "record": newer}), labels, made_at=desk.store.now())
    content = pdf.words(as_pdf(document, created_at=desk.store.now()))
    assert ("weather rain" in content, "many 1; 2" in content, "nothing" in content.split("Further fields")[1]) == (
        True, True, False,
    )  # fmt: skip


@pytest.mark.on_both
def test_the_file_of_an_erased_complaint_says_so_and_keeps_the_hash_chain(desk: Desk) -> None:
    ref = desk.closed()
    desk.store.write(erase, ref, "request")
    data = filed(desk.store, ref)
    content = pdf.words(data)
    assert "every word, name and address of this complaint was destroyed" in content
    assert ("The water is brown" in content, "Sealedname" in content) == (False, False)
    assert json.loads(pdf.attachment(data, RECORD))["texts"] == []
    assert desk.store.read(export_case, ref).head in content.replace(" ", "")


@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_an_opened_form_and_the_key_have_names_in_the_language_of_the_file(language: str) -> None:
    labels = load_labels((language,), "Europe/London", staff=True)
    assert value_words("what", "decide", labels) == labels.text("verb.decide")
    assert field_name("commitment_key", labels) == labels.text("fact.commitment_key")


def test_events_on_many_pages_are_all_included(usual_store: Store) -> None:
    desk = Desk(usual_store)
    ref = desk.receive("x" * 3000)
    for n in range(200):
        desk.add(ref, f"addition {n}", source=str(n + 2))
    data = filed(desk.store, ref)
    content = pdf.words(data)
    assert [n for n in range(200) if f"addition {n} " not in content] == []
    assert "201 events, each bound to the one before" in content


@clause("C")
@pytest.mark.parametrize("language", ["en", "tr", "de", "es"])
def test_the_file_for_the_person_complained_about_names_neither_complainant_nor_staff(
    desk: Desk, language: str
) -> None:
    ref = whole_life(desk)
    whole = desk.store.read(export_case, ref)
    labels = load_labels((language,), "Europe/London", staff=True)
    document = case_file(whole, labels, Edition.SUBJECT, made_at=desk.store.now())
    data = as_pdf(document, created_at=desk.store.now())
    content = pdf.words(data)

    included = ("The water is brown.", "At home.", "The pipe was ours.", "The pipe is replaced.", ref)
    assert [phrase for phrase in included if phrase not in content] == []
    secret = (
        "Sealedname", "70001", whole.record["complainant"], "plumber", "of 1961", "Fifty pounds", "£50", "tap.png",
        "Old iron", "(U1)", "(U2)",
    )  # fmt: skip
    # A hash can contain any five digits by chance.
    without_hashes = re.sub(r"\b[0-9a-f]{32,}\b", "", content)
    assert [word for word in secret if word in without_hashes] == []
    assert dict(pdf.reader(data).attachments) == {}


def test_the_incident_is_included_with_its_public_line(desk: Desk) -> None:
    ref = desk.assessed()
    words = {"what": "Burst main", "area": "Old town", "line.en": "We know of the burst main."}
    incident = desk.store.write(open_incident, desk.actor(MANAGER), {}, words)
    desk.act(ref, Verb.LINK, facts={"incident": incident.id})
    content = pdf.words(filed(desk.store, ref))
    assert [
        phrase for phrase in ("Burst main", "Old town", "We know of the burst main.") if phrase not in content
    ] == []


@pytest.fixture
def product(tmp_path: Path, usual_url: str) -> Product:
    """An installation with a migrated database, where handlers may grant up to 100 GBP."""
    installation = Product(tmp_path, {"AMENDS_DATABASE_URL": usual_url})
    limits = '[authority]\nhandler = { amount = "100 GBP" }\n'
    (tmp_path / "amends.toml").write_text(SETTINGS + limits, encoding="utf-8")
    return installation


@pytest.fixture
def installed(product: Product) -> Iterator[Callable[[], Desk]]:
    """A desk on the product's own database and rules."""
    contexts = []

    def open_desk() -> Desk:
        clock = FakeClock(datetime(2026, 11, 3, 10, 0, tzinfo=UTC))
        context = opened(product.env["AMENDS_DATABASE_URL"], clock, Keyring([base64.b64decode(KEY)]))
        contexts.append(context)
        desk = Desk(context.__enter__())
        desk.store.write(use_rulebook, rulebook(load(product.folder / "amends.toml", product.env)))
        return desk

    yield open_desk
    for context in contexts:
        context.__exit__(None, None, None)


async def test_the_command_writes_a_file_for_its_owner_only_and_the_read_is_recorded(
    product: Product, installed: Callable[[], Desk]
) -> None:
    desk = installed()
    ref = whole_life(desk)
    for_subject = await product.amends("case", "file", ref, "-o", "S.pdf", "--for", "subject")
    evidence = await product.amends("case", "file", ref, "-o", "E.pdf", "--for", "ombudsman")
    attached = (product.folder / "E.pdf").read_bytes()
    done = await product.amends("case", "file", ref.lower(), "-o", "F.pdf", "--language", "tr")
    out = product.folder / "F.pdf"
    before, outside, last = desk.store.read(export_record, ref)["reads"][-3:]

    assert (for_subject.code, before["what"]) == (0, "file:subject")
    assert (evidence.code, outside["what"]) == (0, "file:ombudsman")
    assert json.loads(pdf.attachment(attached, RECORD))["ref"] == ref
    assert "Sealedname" not in pdf.words((product.folder / "S.pdf").read_bytes())
    assert (done.code, done.out, done.err.strip()) == (0, "", "wrote F.pdf")
    assert out.stat().st_mode & 0o777 == 0o600
    assert "Şikâyet dosyası" in pdf.words(out.read_bytes())
    assert [len(page.images) for page in pdf.reader(out.read_bytes()).pages][-1] == 1
    assert (last["by"], last["role"], last["what"]) == (operator(), "operator", "file")


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (("A7K-M3Q-9T", "-o", "F.pdf"), 1, "No complaint has the reference"),
        (("nonsense", "-o", "F.pdf"), 1, "is no reference"),
        (("A7K-M3Q-9T", "-o", "nowhere/F.pdf"), 2, "is no folder"),
        (("A7K-M3Q-9T", "-o", "F.pdf", "--language", "fr"), 2, 'no texts in "fr"'),
        (("A7K-M3Q-9T",), 2, "--output"),
    ],
)
async def test_a_file_that_cannot_be_made_is_refused_with_the_remedy(
    product: Product, installed: Callable[[], Desk], args: tuple[str, ...], code: int, says: str
) -> None:
    installed()
    done = await product.amends("case", "file", *args)
    assert (done.code, says in " ".join(done.err.split()), (product.folder / "F.pdf").exists()) == (
        code,
        True,
        False,
    )


async def test_showing_a_record_is_a_recorded_read(product: Product, installed: Callable[[], Desk]) -> None:
    desk = installed()
    ref = desk.receive()
    await product.amends("case", "show", ref)
    assert [(read["by"], read["what"]) for read in desk.store.read(export_record, ref)["reads"]] == [
        (operator(), "show")
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
    assert {row["ref"] for row in (*first["cases"], *rest["cases"])} == refs
    assert (len(first["cases"]), rest["next"]) == (2, None)
    assert [row["ref"] for row in (await listed("--state", "received"))["cases"]] == [fresh]
    assert (await listed("--owner", "U404"))["cases"] == (await listed("--incident", "7"))["cases"] == []
