"""The record's own keeping, its publications and the times of the law, read from both databases."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from amends.figures import newest_publication
from complaints.actors import SYSTEM, complainant
from complaints.measures.report_counts import month_bounds
from complaints.vocabulary import Verb
from store.cases.act import act
from store.custody.erasure import erase_complainant, load_collection
from store.database.keyring import Keyring
from store.proof.hash_chain import list_instance_events, record_instance_event
from store.record.counts import count_legal_times, sum_month_scores
from store.rulebooks import list_rulebook_presets
from store.store import Store
from tests.clauses import clause
from tests.databases import FakeClock, opened
from tests.edges.desk import MANAGER, Desk
from tests.edges.product import KEY, Product

START = datetime(2026, 11, 1, tzinfo=UTC)
END = datetime(2026, 12, 1, tzinfo=UTC)


@pytest.fixture
def desk(store: Store) -> Desk:
    """A desk with rules and staff, on each database."""
    return Desk(store)


def answer_survey(desk: Desk, ref: str, score: int) -> None:
    """The person answers the first and the last question."""
    by = complainant(desk.case(ref).complainant)
    desk.store.write(act, ref, Verb.SURVEY, SYSTEM, {"step": "sent"})
    for question in ("q1", "q5"):
        facts = {"step": "answered", "question": question, "score": score}
        desk.store.write(act, ref, Verb.SURVEY, by, facts)


@clause("8.1")
@pytest.mark.on_both
def test_a_request_an_erasure_a_hold_and_a_check_are_in_the_record_of_the_collection(desk: Desk) -> None:
    under_hold, closed, corrected = (
        desk.closed(source="1"),
        desk.closed(source="2"),
        desk.assessed(source="3"),
    )
    desk.store.write(act, under_hold, Verb.HOLD, desk.actor(MANAGER), {}, {"reason": "A claim."})
    desk.complain(corrected, Verb.ADD, {"kind": "data_correction", "field": "data_correction", "has_words": True},
                  {"data_correction": "My name is spelt Bell."})  # fmt: skip
    desk.store.write(erase_complainant, closed, "DSR-1")
    asked_at = {"about": "copy", "asked_at": "2026-10-20T00:00:00Z"}
    desk.store.write(record_instance_event, "data_request", asked_at)
    record = desk.store.read(load_collection, START, END)
    later = desk.store.read(load_collection, END, END + timedelta(days=1))

    assert (record.placed, record.released, record.under_hold, record.complaints) == (1, 0, 1, 3)
    assert sorted(request.about for request in record.requests) == ["change", "copy"]
    assert [request.answered_at is None for request in record.requests if request.about == "change"] == [True]
    copy = next(request for request in record.requests if request.about == "copy")
    assert copy.answered_at is not None
    assert (copy.answered_at - copy.asked_at).days == 14
    assert (set(record.events), dict(later.events)) == ({"data_request", "erasure"}, {})


@clause("8.3")
@pytest.mark.on_both
def test_the_scores_of_a_month_have_every_round_of_a_reopened_complaint(desk: Desk) -> None:
    ref = desk.closed()
    answer_survey(desk, ref, 2)
    desk.act(ref, Verb.REOPEN, MANAGER, words={"reason": "New facts."})
    desk.store.write(act, ref, Verb.SURVEY, SYSTEM, {"step": "sent"})
    by = complainant(desk.case(ref).complainant)
    for question, score in (("q1", 5), ("q5", 4)):
        desk.store.write(
            act, ref, Verb.SURVEY, by, {"step": "answered", "question": question, "score": score}
        )
    bounds = month_bounds(END, "Europe/London", 2)
    empty, month = desk.store.read(sum_month_scores, bounds)

    assert len(list(pairwise(bounds))) == 2
    assert (empty.process, month.process, month.outcome) == ((0, 0, 0), (7, 1, 2), (6, 1, 2))


@pytest.mark.on_both
def test_the_times_of_the_law_count_what_was_met_and_what_is_overdue(desk: Desk) -> None:
    rules = desk.store.read(list_rulebook_presets)
    desk.closed(source="1")
    desk.assessed(source="2")
    before = desk.store.read(count_legal_times, START, END, rules)
    desk.store.move_clock(timedelta(days=400).total_seconds())
    after = desk.store.read(count_legal_times, START, END, rules)

    assert before["ack"][0] >= 1
    assert sum(total for _, total in after.values()) > sum(total for _, total in before.values())
    assert sum(hits for hits, _ in after.values()) == sum(hits for hits, _ in before.values())
    assert desk.store.read(count_legal_times, END, END + timedelta(days=9), rules) == {}
    assert desk.store.read(count_legal_times, START, END, ["another"]) == {}


@clause("8.1")
async def test_published_figures_and_the_check_of_a_backup_are_on_record(product: Product) -> None:
    backup = product.folder / "backup.db"
    await product.amends("db", "backup", str(backup))
    checked = await product.amends("db", "verify", "--backup", str(backup))
    published = await product.amends("publish", "--from", "2026-10-01", "--to", "2026-10-31", "--yes")
    clock = FakeClock(datetime(2026, 11, 3, tzinfo=UTC))
    with opened(product.env["AMENDS_DATABASE_URL"], clock, Keyring([base64.b64decode(KEY)])) as store:
        (check,) = store.read(list_instance_events, "backup_check")
        newest = newest_publication(store)
    assert (checked.code, check["facts"]["sound"]) == (0, True)
    assert (published.code, newest is not None and newest["first"]) == (0, "2026-10-01")


@pytest.fixture
def product(tmp_path: Path, usual_url: str) -> Product:
    """An installation with a migrated database."""
    return Product(tmp_path, {"AMENDS_DATABASE_URL": usual_url})
