"""Registers in both databases: lists, counts, versions, the adoption of older actions, and the command line."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder, Stale, UnknownReference
from complaints.vocabulary import Verb
from reports.audit import QUESTIONS, AuditRecord, audit_report
from reports.document import Mark, Tone, text
from reports.tally import Period
from store.registers import (
    act_on_entry,
    add_entry,
    count_entries,
    list_due_entries,
    list_entries,
    load_entry,
)
from store.store import Store
from store.tables import ATTEMPTS
from tests.edges.desk import AUDITOR, HANDLER, MANAGER, Desk
from tests.edges.product import Product
from tests.edges.product_desk import desk_of

ACTION = {"source": "idea", "category": "money", "owner": HANDLER, "due": "2026-11-05"}


def test_entries_are_listed_counted_and_found_by_their_day(store: Store) -> None:
    desk = Desk(store)
    manager = desk.actor(MANAGER)
    for due in ("2026-11-05", "2026-12-20"):
        store.write(add_entry, "improvement", "add", manager, ACTION | {"due": due}, {"what": f"By {due}"})
    store.write(add_entry, "improvement", "suggest", desk.actor(HANDLER), {}, {"what": "An idea"}, key="k1")
    with pytest.raises(AlreadyDone):
        store.write(
            add_entry, "improvement", "suggest", desk.actor(HANDLER), {}, {"what": "An idea"}, key="k1"
        )

    counts = store.read(count_entries, date(2026, 11, 10))
    assert counts["improvement"] == {"open": 2, "proposed": 1, "overdue": 1}
    assert [entry.code for entry in store.read(list_due_entries, date(2026, 11, 10))] == ["improvement-1"]
    assert store.read(list_due_entries, date(2026, 11, 10), MANAGER) == []
    assert [entry.number for entry in store.read(list_entries, "improvement", owner=HANDLER)] == [2, 1]
    assert store.read(list_entries, "improvement", until=datetime(2020, 1, 1, tzinfo=UTC)) == []

    done = {"done_on": "2026-11-01", "effect_days": "30"}
    changed = store.write(act_on_entry, "improvement-1", "done", manager, done, {"changed": "x"}, version=1)
    with pytest.raises(Stale):
        store.write(act_on_entry, "improvement-1", "cancel", manager, {}, {"reason": "x"}, version=1)
    assert store.read(load_entry, "improvement-1") == changed
    assert "overdue" not in store.read(count_entries, date(2026, 11, 10))["improvement"]
    with pytest.raises(UnknownReference):
        store.read(load_entry, "improvement-9")


def test_an_audit_ends_without_the_complaints_that_its_auditor_may_not_open_any_more(store: Store) -> None:
    desk = Desk(store)
    seen, hidden = desk.receive(), desk.receive()
    today = store.now().date().isoformat()
    about = {"since": today, "until": today, "size": "5", "due": "2027-01-05", "owner": AUDITOR}
    audit = store.write(add_entry, "audit", "add", desk.actor(MANAGER), about, {"what": "x"}).code
    desk.act(hidden, Verb.RESTRICT, MANAGER, {"subject": AUDITOR}, {"reason": "She is named."})
    auditor = desk.actor(AUDITOR)
    with pytest.raises(OutOfOrder):
        store.write(act_on_entry, audit, "finish", auditor, {}, {"reason": "Sound."})
    answers = dict.fromkeys(QUESTIONS, "yes")
    store.write(act_on_entry, audit, "answer", auditor, {"ref": seen, **answers}, {})

    finished = store.write(act_on_entry, audit, "finish", auditor, {}, {"reason": "Sound."})

    assert (finished.state, finished.acts[-1].facts["left_out"]) == ("done", [hidden])
    day = date.fromisoformat(today)
    report = audit_report(AuditRecord((finished,), ()), Period.of_days(day, day, "UTC"), store.now(), day)
    assert Mark(Tone.WATCH, text("audit.left_out", 1)) in report.summary


def test_a_refused_act_and_a_hidden_reference_leave_nothing_but_the_attempt(store: Store) -> None:
    desk = Desk(store)
    hidden = desk.receive(subjects=(HANDLER,))
    with pytest.raises(BadFacts):
        store.write(
            add_entry, "improvement", "suggest", desk.actor(HANDLER), {"refs": [hidden]}, {"what": "x"}
        )
    with pytest.raises(NotAllowed):
        store.write(add_entry, "improvement", "add", desk.actor(HANDLER), ACTION, {"what": "x"})
    assert store.read(list_entries, "improvement") == []
    what = store.read(lambda tx: tx.connection.execute(select(ATTEMPTS.c.verb)).scalars().all())
    assert "register improvement add" in what


async def test_the_command_line_adds_shows_and_acts_as_the_operator(product: Product) -> None:
    with desk_of(product, datetime(2026, 11, 3, 10, tzinfo=UTC)) as desk:
        desk.assessed()
    values = [part for name, value in ACTION.items() for part in ("--set", f"{name}={value}")]
    added = await product.amends(
        "register", "add", "improvement", *values, "--set", "what=Read twice", "--json"
    )
    assert (added.code, added.json["code"], added.json["state"]) == (0, "improvement-1", "open"), added.err
    listed = await product.amends("register", "list", "improvement", "--json")
    assert [entry["words"] for entry in listed.json["entries"]] == [{"what": "Read twice"}]
    ended = await product.amends("register", "act", "improvement-1", "cancel", "--set", "reason=Not needed")
    assert "improvement-1 is cancelled" in ended.err
    shown = await product.amends("register", "show", "improvement-1", "--json")
    assert [(done["act"], done["by"]) for done in shown.json["acts"]] == [
        ("add", "operator"),
        ("cancel", "operator"),
    ]

    draft = (
        "--set",
        "what=Policy",
        "--set",
        "link=https://example.org",
        "--set",
        "owner=U1",
        "--set",
        "due=2027-01-01",
    )
    assert (await product.amends("register", "add", "policy", *draft)).code == 0
    refused = await product.amends("register", "act", "policy-1", "sign")
    assert refused.code != 0
    assert "needs another role" in refused.err
    wrong = await product.amends("register", "add", "improvement", "--set", "source=nowhere")
    assert "not an option" in wrong.err
