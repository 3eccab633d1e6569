"""Rules of several countries in one record: which apply to a new complaint, and how it is moved to other rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

import pytest
from sqlalchemy import select, update

from bots.dialogue.inputs import TextInput
from bots.dialogue.step import step
from bots.dialogue.turn import read_signs
from bots.texts.catalogues import load_catalogues
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.errors import AlreadyDone, BadFacts, OutOfOrder, Stale
from complaints.rulebook import Calendar, Rulebooks
from complaints.vocabulary import Target, Verb
from store.cases.export import export_record
from store.cases.pages import load_case_history
from store.cases.read import list_cases, load_case
from store.cases.receive_message import receive_message
from store.cases.redate import list_open_refs, preview_redate, redate
from store.cases.staff_intake import PastComplaint, import_past, log_complaint
from store.custody.verify import verify
from store.database.errors import StoreError
from store.outbox.failed import list_failed
from store.people.identification import add_identifier, find_by_identifier
from store.proof.hash_chain import list_instance_events
from store.record.load import load_case_file
from store.rulebooks import load_current_rulebooks, use_rulebooks
from store.similarity.search import CaseSearch, search_cases
from store.store import Store
from store.tables import COMPLAINTS
from store.values import Chat
from tests.clauses import clause
from tests.edges.desk import HANDLER, RULES, Desk, refused

TEXTS = load_catalogues(["en", "tr"])
BRITISH = replace(RULES, languages=("en",), jurisdictions=("TR",))
TURKISH = replace(
    RULES,
    country="TR",
    languages=("tr",),
    calendar=Calendar("Europe/Istanbul", dict.fromkeys(range(5), ((540, 1080),))),
    targets=replace(RULES.targets, legal="15 bd"),
)
BOTH = Rulebooks(BRITISH, {"TR": TURKISH})
SHUT = Rulebooks(
    replace(BRITISH, calendar=replace(BRITISH.calendar, holidays={date(2026, 11, 9): "Closed"})), BOTH.others
)
WHY = "Their address is in Ankara."


@pytest.fixture
def desk(store: Store) -> Desk:
    desk = Desk(store)
    store.write(use_rulebooks, BOTH)
    return desk


def receive_in_language(desk: Desk, text: str, language: str | None) -> Case:
    """The case that a first message becomes, over the real dialogue."""
    chat = Chat("telegram", "70002", language, "Ayşe Sealedname")

    def answer(talk: object) -> object:
        return step(talk, TextInput(text, "1", desk.store.now()), now=desk.store.now(), texts=TEXTS)  # type: ignore[arg-type]

    return desk.store.read(load_case, desk.store.write(receive_message, desk.key(), chat, answer).refs[0])  # type: ignore[arg-type]


def target_of(case: Case, target: Target) -> TargetSet:
    target_set = case.target(target)
    assert target_set is not None
    return target_set


def row(store: Store, ref: str) -> tuple[str, str]:
    query = select(COMPLAINTS.c.jurisdiction, COMPLAINTS.c.rulebook_id).where(COMPLAINTS.c.ref == ref)
    columns = store.read(lambda tx: tx.connection.execute(query).one())
    return columns.jurisdiction, columns.rulebook_id


@pytest.mark.parametrize(("language", "country"), [("tr", "TR"), ("en", "GB"), ("de", "GB")])
def test_a_chat_complaint_gets_the_rules_of_the_jurisdiction_of_its_language(
    desk: Desk, language: str, country: str
) -> None:
    texts = {
        "tr": "Pazartesiden beri musluktan kahverengi su akiyor.",
        "en": "The water from the tap has been brown since Monday.",
        "de": "Seit Montag kommt braunes Wasser aus dem Hahn.",
    }
    case = receive_in_language(desk, texts[language], language)
    rules = BOTH.of(country)
    assert case.rules == rules
    assert row(desk.store, case.ref) == (country, rules.id)
    assert case.language == ("tr" if country == "TR" else "en")


def test_rules_are_loaded_once_and_a_removed_country_gets_no_new_complaints(
    desk: Desk,
) -> None:
    assert desk.store.write(use_rulebooks, BOTH) is False
    loaded = len(desk.store.read(list_instance_events, "load_settings", 100))
    desk.store.write(use_rulebooks, Rulebooks(replace(BRITISH, jurisdictions=())))
    assert len(desk.store.read(list_instance_events, "load_settings", 100)) == loaded + 1
    assert desk.store.read(load_current_rulebooks).codes == ("GB",)
    assert (
        receive_in_language(desk, "Pazartesiden beri musluktan kahverengi su akiyor.", "tr").rules.country
        == "GB"
    )


def test_without_settings_the_error_says_what_to_do(store: Store) -> None:
    assert "start `amends run`" in str(refused(partial(store.read, load_current_rulebooks), StoreError))


@pytest.mark.parametrize(
    ("facts", "country"),
    [
        ({}, "GB"),
        ({"language": "tr"}, "TR"),
        ({"jurisdiction": "TR"}, "TR"),
        ({"language": "tr", "jurisdiction": "GB"}, "GB"),
    ],
)
def test_a_logged_complaint_gets_the_country_that_staff_name_or_that_of_its_language(
    desk: Desk, facts: dict[str, str], country: str
) -> None:
    call_facts = {"channel": "phone", "received_at": "2026-11-03T09:50:00Z", "language": "en"} | facts
    words = {
        "description": "The water is brown.",
        "phone": "0312 555 00 18" if country == "TR" else "020 7946 0018",
    }
    case = desk.store.write(log_complaint, "slack:log:1", call_facts, words, desk.actor(HANDLER), read_signs)
    assert case.rules.country == country
    cases = desk.store.write(
        search_cases, CaseSearch(number=words["phone"]), desk.actor(HANDLER), limit=50
    ).cases
    assert [case.ref for case in cases] == [case.ref]


def test_a_country_that_is_not_set_up_is_refused_at_its_field(desk: Desk) -> None:
    facts = {
        "channel": "phone",
        "received_at": "2026-11-03T09:50:00Z",
        "language": "en",
        "jurisdiction": "FR",
    }
    error = refused(
        lambda: desk.store.write(
            log_complaint, "k", facts, {"description": "Brown water."}, desk.actor(HANDLER), read_signs
        ),
        BadFacts,
    )
    assert getattr(error, "field", None) == "jurisdiction"


def test_past_complaints_are_imported_under_their_own_country(desk: Desk) -> None:
    ending = {"closed_at": "2025-03-20T00:00:00Z", "close_code": "resolved"}
    past = [
        PastComplaint(
            line,
            datetime(2025, 3, 1, tzinfo=UTC),
            "phone",
            "tr",
            ending,
            {"description": f"Fatura {line}."},
            code,
        )
        for line, code in ((2, "TR"), (3, None))
    ]
    refs = desk.store.write(import_past, past)
    assert [row(desk.store, refs[line])[0] for line in (2, 3)] == ["TR", "GB"]


def test_the_list_can_be_limited_to_one_country(desk: Desk) -> None:
    british = receive_in_language(desk, "The water has been brown since Monday.", "en").ref
    desk.store.write(redate, british, BOTH, WHY, jurisdiction="TR")
    other = desk.receive()
    listed = {
        code: [row["ref"] for row in desk.store.read(list_cases, jurisdiction=code)[0]]
        for code in ("TR", "GB")
    }
    assert listed == {"TR": [british], "GB": [other]}
    assert (desk.store.read(list_open_refs, "TR"), desk.store.read(list_open_refs, "GB")) == (
        [british],
        [other],
    )


@clause("7.3")
def test_a_wrong_jurisdiction_is_corrected_and_the_record_still_verifies(desk: Desk) -> None:
    ref = desk.assessed()
    before = desk.case(ref)
    done = desk.store.write(redate, ref, BOTH, WHY, jurisdiction="TR")
    case = desk.case(ref)
    assert (done.jurisdiction, done.rulebook) == (("GB", "TR"), (BRITISH.id, TURKISH.id))
    assert row(desk.store, ref) == ("TR", TURKISH.id)
    assert (case.rules, case.rules_before) == (TURKISH, (before.rules,))
    assert target_of(case, Target.LEGAL).internal_due == datetime(
        2026, 11, 24, 15, 0, tzinfo=UTC
    )  # 18:00 in Istanbul
    record = desk.store.read(export_record, ref)
    assert (record["jurisdiction"], record["rulebook"]) == ("TR", TURKISH.id)
    event = record["events"][-1]
    assert (event["verb"], event["by"], event["facts"]["before"]) == ("redate", "operator", BRITISH.id)
    assert WHY in [text["text"] for text in record["texts"]]
    assert desk.store.read(verify).first_bad is None


def test_a_redated_case_loaded_without_the_cache_is_the_same(desk: Desk) -> None:
    ref = desk.assessed()
    desk.store.write(redate, ref, BOTH, WHY, jurisdiction="TR")
    desk.act(ref, Verb.REPLY, words={"text": "We are on it."})
    case = desk.case(ref)
    desk.store._folded._cases.clear()
    assert desk.case(ref) == case
    assert [loaded.case for loaded in desk.store.whole_record()] == [case]
    assert desk.store.read(load_case_history, ref).stages[-1] == case


@clause("8.1")
def test_verify_reports_a_forged_rulebook_in_the_complaints_row(desk: Desk) -> None:
    ref = desk.assessed()
    desk.store.write(redate, ref, BOTH, WHY, jurisdiction="TR")
    forged = update(COMPLAINTS).where(COMPLAINTS.c.ref == ref).values(rulebook_id=BRITISH.id)
    desk.store.write(lambda tx: tx.connection.execute(forged))
    bad = desk.store.read(verify).first_bad
    assert bad is not None
    assert "other rules" in str(bad)


def test_a_preview_changes_nothing_and_equals_the_redate_that_follows(desk: Desk) -> None:
    ref = desk.assessed()
    version = desk.case(ref).version
    preview = desk.store.read(preview_redate, ref, SHUT, WHY, later=True)
    assert desk.case(ref).version == version == preview.version
    assert desk.store.read(lambda tx: tx.connection.execute(select(COMPLAINTS.c.rulebook_id)).scalar())
    done = desk.store.write(redate, ref, SHUT, WHY, later=True, seen_version=preview.version)
    assert done == preview
    (decide,) = (change for change in done.changes if change.after and change.after.target is Target.DECIDE)
    assert decide.is_told
    assert any("Closed" in line for line in decide.because)


def test_a_redate_is_refused_when_the_complaint_changed_after_the_preview(desk: Desk) -> None:
    ref = desk.assessed()
    preview = desk.store.read(preview_redate, ref, SHUT, WHY)
    desk.act(ref, Verb.REPLY, words={"text": "We are on it."})
    refused(lambda: desk.store.write(redate, ref, SHUT, WHY, seen_version=preview.version), Stale)
    assert desk.case(ref).rules_before == ()


def test_a_repeated_redate_is_already_done(desk: Desk) -> None:
    ref = desk.assessed()
    desk.store.write(redate, ref, SHUT, WHY)
    version = desk.case(ref).version
    refused(lambda: desk.store.write(redate, ref, SHUT, WHY), AlreadyDone)
    refused(lambda: desk.store.read(preview_redate, ref, SHUT, WHY), AlreadyDone)
    assert desk.case(ref).version == version


def test_redating_a_closed_complaint_or_to_an_unknown_country_is_refused_with_the_remedy(desk: Desk) -> None:
    closed = desk.closed()
    assert "reopen it first" in str(refused(lambda: desk.store.write(redate, closed, SHUT, WHY), OutOfOrder))
    ref = desk.assessed()
    assert "name one of GB, TR" in str(
        refused(lambda: desk.store.write(redate, ref, BOTH, WHY, jurisdiction="FR"), OutOfOrder)
    )


@clause("7.3")
def test_a_later_promised_date_is_announced_to_the_complainant_once(desk: Desk) -> None:
    ref = desk.assessed()
    desk.store.write(redate, ref, SHUT, WHY, later=True)
    seq = desk.case(ref).version
    keys = [row["key"] for row in desk.store.read(list_failed, everything=True) if row["kind"] == "dates"]
    assert [key for key in keys if f"dates:{seq}:" in key] == [
        f"dates:{seq}:{target}" for target in ("decide", "update")
    ]


def test_a_number_filed_before_a_correction_is_found_after_it(desk: Desk) -> None:
    ref = desk.assessed()
    desk.store.write(lambda tx: add_identifier(tx, load_case_file(tx, ref), "phone", "020 7946 0018"))
    desk.store.write(redate, ref, BOTH, WHY, jurisdiction="TR")
    assert desk.store.read(find_by_identifier, "+442079460018", "GB", "TR") == [ref]
