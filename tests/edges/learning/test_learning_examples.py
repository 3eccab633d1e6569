"""Assessments become training examples, with who, when and why."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from complaints.actors import MODEL
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.custody.erasure import erase, erase_complainant, find_person
from store.models.training_examples import (
    collect_examples,
    list_assessed_proposals,
    load_examples_page,
    load_unassessed_page,
)
from store.rulebooks import use_rulebook
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RULES, SECOND, Desk
from tests.rules.builders import a_proposal


def propose(desk: Desk, ref: str, **more: Any) -> None:
    """Record a proposal of the model."""
    desk.store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(**{"model": "v1"} | more))


def assess(desk: Desk, ref: str, member: str = HANDLER, words: Any = None, **facts: Any) -> None:
    """A member opens and assesses the complaint."""
    desk.store.write(open_case, ref, desk.actor(member), "open")
    desk.act(ref, Verb.ASSESS, member, {**ASSESSED, **facts}, words or {})


def test_an_assessment_becomes_an_example_with_its_author_time_and_proposal(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    propose(desk, ref, category="money", severity=3, probability=0.5)
    clock.go_on(hours=2)
    assess(desk, ref)
    assert store.examples() == [
        {
            "ref": ref,
            "text": "The water is brown.",
            "category": "supply",
            "severity": 2,
            "whole": True,
            "language": "en",
            "at": "2026-11-03T12:00:00Z",
            "received_at": "2026-11-03T10:00:00Z",
            "person": store.read(load_case, ref).complainant,
            "by": HANDLER,
            "role": "handler",
            "why": None,
            "restricted": False,
            "confirmed": False,
            "proposed": {
                "category": "money",
                "severity": 3,
                "probability": 0.5,
                "abstained": False,
                "model": "v1",
            },
        }
    ]


def test_an_unchanged_proposal_counts_as_confirmed_and_none_counts_as_neither(store: Store) -> None:
    desk = Desk(store)
    kept, alone = desk.receive(), desk.receive("The bin was never emptied.", chat=desk.chat("2"))
    propose(desk, kept, category="supply")
    assess(desk, kept)
    assess(desk, alone)
    confirmed = {example["ref"]: example["confirmed"] for example in store.examples()}
    assert confirmed == {kept: True, alone: None}


def test_a_reassessment_replaces_the_example_with_its_reason(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.receive()
    assess(desk, ref, severity=3)
    clock.go_on(hours=1)
    reassessed = {**ASSESSED, "category": "service", "severity": 1}
    desk.act(ref, Verb.REASSESS, MANAGER, reassessed, {"override_reason": "Only the colour was off."})
    (example,) = store.examples()
    assert (example["category"], example["severity"], example["by"], example["role"]) == (
        "service",
        1,
        MANAGER,
        "manager",
    )
    assert example["why"] == "Only the colour was off."


def test_every_issue_with_words_is_an_example(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("Brown water, and the man was rude.")
    rows = [{"category": "supply"}, {"category": "staff_conduct"}]
    words = {"issues.0.text": "Brown water", "issues.1.text": "the man was rude"}
    assess(desk, ref, words=words, issues=rows)
    examples = [
        (example["text"], example["category"], example["severity"], example["whole"])
        for example in store.examples()
    ]
    assert examples == [
        ("Brown water, and the man was rude.", "supply", 2, True),
        ("Brown water", "supply", None, False),
        ("the man was rude", "staff_conduct", None, False),
    ]


def test_enquiries_and_merged_complaints_are_no_examples(store: Store) -> None:
    desk = Desk(store)
    stays, merged = desk.assessed(), desk.assessed(text="The water is brown again.")
    desk.act(merged, Verb.MERGE, facts={"other_ref": stays})
    enquiry = desk.assessed(text="When do you open on Monday?", chat=desk.chat("3"))
    desk.act(enquiry, Verb.RECLASSIFY, facts={"kind": "enquiry"}, words={"reason": "A question."})
    desk.store.write(open_case, enquiry, desk.actor(MANAGER), "open")
    desk.act(enquiry, Verb.APPROVE, MANAGER, {"of": "reclassify", "agreed": "yes"})
    assert [example["ref"] for example in store.examples()] == [stays]


def test_a_simulation_is_no_example(store: Store) -> None:
    desk = Desk(store)
    store.write(use_rulebook, replace(RULES, simulated=("70009",)))
    real = desk.assessed()
    assert desk.case(desk.assessed(chat=desk.chat("70009"))).is_simulation
    assert [example["ref"] for example in store.examples()] == [real]
    assert store.read(list_assessed_proposals, 10) == []


def test_a_restricted_complaint_is_an_example_and_marked(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("Your own handling of my complaint was a disgrace.")
    assess(desk, ref, MANAGER, category="handling")
    (example,) = store.examples()
    assert (example["category"], example["restricted"]) == ("handling", True)


def test_an_erased_complainants_words_are_no_longer_examples(store: Store) -> None:
    desk = Desk(store)
    stays, goes = desk.assessed(chat=desk.chat("4")), desk.closed(text="Secretword in the water.")
    before = {example["ref"] for example in store.examples()}
    store.write(erase_complainant, store.read(find_person, goes), "request")
    assert before == {stays, goes}
    assert [(example["ref"], example["text"]) for example in store.examples()] == [
        (stays, "The water is brown.")
    ]


def test_only_the_latest_version_of_an_edited_text_is_an_example(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The water is braun.")
    desk.add(ref, "The water is brown.", source="1", replaces=1)
    assess(desk, ref)
    assert [example["text"] for example in store.examples()] == ["The water is brown."]


def test_paging_returns_every_example_once(store: Store, clock: FakeClock, monkeypatch: Any) -> None:
    desk = Desk(store)
    refs = []
    for number in range(5):
        refs.append(desk.assessed(text=f"The water is brown, day {number}.", chat=desk.chat(str(number))))
        clock.go_on(minutes=number % 2)
    monkeypatch.setattr("store.models.training_examples.PAGE", 2)
    examples = collect_examples(lambda after: store.read(lambda tx: load_examples_page(tx, after)))
    assert sorted(example["ref"] for example in examples) == sorted(refs)
    assert [example["at"] for example in examples] == sorted(example["at"] for example in examples)


def test_an_assessed_example_names_the_model_version_of_its_proposal(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    propose(desk, ref, category="money", probability=0.7)
    assess(desk, ref)
    (row,) = store.read(list_assessed_proposals, 100)
    assert (row["proposed"], row["confirmed"], row["probability"], row["model"]) == (
        "money",
        "supply",
        0.7,
        "v1",
    )
    assert store.read(load_case, ref).proposed.model == "v1"  # type: ignore[union-attr]


def test_unassessed_texts_are_listed_newest_first_without_restricted_erased_or_simulated_ones(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    store.write(use_rulebook, replace(RULES, simulated=("70005",)))
    refs = {}
    for number, name in enumerate(("old", "new", "assessed", "restricted", "withdrawn", "simulated")):
        clock.go_on(minutes=1)
        refs[name] = desk.receive(f"The water is {name}.", chat=desk.chat(f"7{number:04}"))
    assess(desk, refs["assessed"])
    desk.act(refs["restricted"], Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    rows = [
        (f"The water is {name}.", store.read(load_case, refs[name]).complainant)
        for name in ("withdrawn", "new", "old")
    ]
    assert store.read(load_unassessed_page) == (rows, None)
    desk.complain(refs["withdrawn"], Verb.WITHDRAW, chat=desk.chat("70004"))
    store.write(erase, refs["withdrawn"], "request")
    assert store.read(load_unassessed_page) == (rows[1:], None)
    assert store.read(
        load_unassessed_page, (store.read(load_case, refs["new"]).received_at, refs["new"])
    ) == (rows[2:], None)
