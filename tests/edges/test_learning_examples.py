"""What people confirm or correct becomes examples, with who, when and why; nothing else does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from complaints.actors import MODEL
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, open_case
from store.custody.retention import erase, erase_complainant, find_person
from store.models.examples import collect_examples, count_assessed, load_examples_page, load_unassessed_page
from store.rulebooks import use_rulebook
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RULES, SECOND, Desk
from tests.rules.builders import a_proposal


def proposed(desk: Desk, ref: str, **more: Any) -> None:
    """The model proposes."""
    desk.store.write(act, ref, Verb.PROPOSE, MODEL, a_proposal(**{"model": "v1"} | more))


def assess(desk: Desk, ref: str, member: str = HANDLER, words: Any = None, **facts: Any) -> None:
    """Somebody reads and assesses."""
    desk.store.write(open_case, ref, desk.actor(member), "open")
    desk.act(ref, Verb.ASSESS, member, {**ASSESSED, **facts}, words or {})


def test_an_assessment_is_an_example_with_who_when_and_what_was_proposed(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    ref = desk.receive()
    proposed(desk, ref, category="money", severity=3, probability=0.5)
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


def test_a_kept_proposal_counts_as_confirmed_and_none_as_neither(store: Store) -> None:
    desk = Desk(store)
    kept, alone = desk.receive(), desk.receive("The bin was never emptied.", chat=desk.chat("2"))
    proposed(desk, kept, category="supply")
    assess(desk, kept)
    assess(desk, alone)
    found = {one["ref"]: one["confirmed"] for one in store.examples()}
    assert found == {kept: True, alone: None}


def test_a_later_assessment_corrects_the_earlier_with_its_reason(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    ref = desk.receive()
    assess(desk, ref, severity=3)
    clock.go_on(hours=1)
    told = {**ASSESSED, "category": "service", "severity": 1}
    desk.act(ref, Verb.REASSESS, MANAGER, told, {"override_reason": "Only the colour was off."})
    (one,) = store.examples()
    assert (one["category"], one["severity"], one["by"], one["role"]) == ("service", 1, MANAGER, "manager")
    assert one["why"] == "Only the colour was off."


def test_each_issue_with_words_is_an_example_of_its_own(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("Brown water, and the man was rude.")
    rows = [{"category": "supply"}, {"category": "staff_conduct"}]
    words = {"issues.0.text": "Brown water", "issues.1.text": "the man was rude"}
    assess(desk, ref, words=words, issues=rows)
    found = [(one["text"], one["category"], one["severity"], one["whole"]) for one in store.examples()]
    assert found == [
        ("Brown water, and the man was rude.", "supply", 2, True),
        ("Brown water", "supply", None, False),
        ("the man was rude", "staff_conduct", None, False),
    ]


def test_what_is_no_complaint_or_was_merged_is_left_out(store: Store) -> None:
    desk = Desk(store)
    stays, merged = desk.assessed(), desk.assessed(text="The water is brown again.")
    desk.act(merged, Verb.MERGE, facts={"other_ref": stays})
    asked = desk.assessed(text="When do you open on Monday?", chat=desk.chat("3"))
    desk.act(asked, Verb.RECLASSIFY, facts={"kind": "enquiry"}, words={"reason": "A question."})
    desk.store.write(open_case, asked, desk.actor(SECOND), "open")
    desk.act(asked, Verb.APPROVE, MANAGER, {"of": "reclassify", "agreed": "yes"})
    assert [one["ref"] for one in store.examples()] == [stays]


def test_a_rehearsal_is_left_out(store: Store) -> None:
    desk = Desk(store)
    store.write(use_rulebook, replace(RULES, simulated=("70009",)))
    real = desk.assessed()
    assert desk.case(desk.assessed(chat=desk.chat("70009"))).is_simulation
    assert [one["ref"] for one in store.examples()] == [real]
    assert store.read(count_assessed, 10) == []


def test_a_restricted_complaint_is_learnt_from_and_marked(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("Your own handling of my complaint was a disgrace.")
    assess(desk, ref, MANAGER, category="handling")
    (one,) = store.examples()
    assert (one["category"], one["restricted"]) == ("handling", True)


def test_an_erased_complainant_is_gone_from_the_next_run(store: Store) -> None:
    desk = Desk(store)
    stays, goes = desk.assessed(chat=desk.chat("4")), desk.closed(text="Secretword in the water.")
    before = {one["ref"] for one in store.examples()}
    store.write(erase_complainant, store.read(find_person, goes), "request")
    assert before == {stays, goes}
    assert [(one["ref"], one["text"]) for one in store.examples()] == [(stays, "The water is brown.")]


def test_only_what_stands_of_an_edited_story_is_learnt(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The water is braun.")
    desk.add(ref, "The water is brown.", source="1", replaces=1)
    assess(desk, ref)
    assert [one["text"] for one in store.examples()] == ["The water is brown."]


def test_pages_give_every_example_once(store: Store, clock: FakeClock, monkeypatch: Any) -> None:
    desk = Desk(store)
    refs = []
    for number in range(5):
        refs.append(desk.assessed(text=f"The water is brown, day {number}.", chat=desk.chat(str(number))))
        clock.go_on(minutes=number % 2)
    monkeypatch.setattr("store.models.examples.PAGE", 2)
    found = collect_examples(lambda after: store.read(lambda tx: load_examples_page(tx, after)))
    assert sorted(one["ref"] for one in found) == sorted(refs)
    assert [one["at"] for one in found] == sorted(one["at"] for one in found)


def test_the_version_that_proposed_stands_beside_what_was_confirmed(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    proposed(desk, ref, category="money", probability=0.7)
    assess(desk, ref)
    (one,) = store.read(count_assessed, 100)
    assert (one["proposed"], one["confirmed"], one["probability"], one["model"]) == (
        "money",
        "supply",
        0.7,
        "v1",
    )
    assert store.read(load_case, ref).proposed.model == "v1"  # type: ignore[union-attr]


def test_what_nobody_assessed_is_told_the_newest_first_without_what_is_restricted_erased_or_a_rehearsal(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    store.write(use_rulebook, replace(RULES, simulated=("70005",)))
    told = {}
    for number, name in enumerate(("old", "new", "assessed", "restricted", "withdrawn", "simulated")):
        clock.go_on(minutes=1)
        told[name] = desk.receive(f"The water is {name}.", chat=desk.chat(f"7{number:04}"))
    assess(desk, told["assessed"])
    desk.act(told["restricted"], Verb.RESTRICT, MANAGER, {"subject": SECOND}, {"reason": "He is named."})
    texts = ["The water is withdrawn.", "The water is new.", "The water is old."]
    assert store.read(load_unassessed_page) == (texts, None)
    desk.complain(told["withdrawn"], Verb.WITHDRAW, chat=desk.chat("70004"))
    store.write(erase, told["withdrawn"], "request")
    assert store.read(load_unassessed_page) == (texts[1:], None)
    assert store.read(
        load_unassessed_page, (store.read(load_case, told["new"]).received_at, told["new"])
    ) == (texts[2:], None)
