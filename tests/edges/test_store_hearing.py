"""`hear` against both databases: one transaction a message, a repeat changes nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.errors import UnknownReference
from complaints.intake import said
from complaints.vocabulary import State, Verb
from store.open import Store
from store.values import Act, Chat, Conversation, Heard, HeardFile, Turn, Wake
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, RULES, Desk

PHOTO = HeardFile("file-id", "unique-id", "photo", "1", mime="image/jpeg", size=100, name="sealed name.jpg")


def test_a_first_message_makes_person_complaint_event_texts_and_duties(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The water is brown.", files=(PHOTO,))
    record = store.record(ref)
    assert record["state"] == "received"
    assert [(one["field"], one["seq"], one["text"], one["source"]) for one in record["texts"]] == [
        ("description", 1, "The water is brown.", "1")
    ]
    assert [(one["direction"], one["text"]) for one in record["messages"]] == [("in", "The water is brown.")]
    assert record["name"] == "Mary Sealedname"
    kinds = {row["kind"] for row in store.outbox(everything=True)}
    assert {"fetch", "card", "end_form", "propose"} <= kinds


def test_a_repeated_key_changes_nothing(store: Store) -> None:
    desk = Desk(store)
    calls = []

    def step(talk: Conversation) -> Turn:
        calls.append(talk.next_ref)
        told = said(field="description", has_words=True)
        return Turn(
            state={"step": "story"}, acts=(Act(Verb.RECEIVE, talk.next_ref, told, {"description": "a b"}),)
        )

    first = store.hear("tg:7", desk.chat(), step)
    before = store.record(first.refs[0]), store.outbox(everything=True)
    assert store.hear("tg:7", desk.chat(), step) == Heard(repeat=True)
    assert (store.record(first.refs[0]), store.outbox(everything=True)) == before
    assert calls == [first.refs[0]]
    assert store.known(["tg:7", "tg:8"]) == {"tg:7"}


def test_the_state_of_a_talk_and_the_persons_complaints_come_back_with_the_next_message(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.add(ref, "It smells too.")
    seen: list[Conversation] = []
    told: list[object] = []

    def step(talk: Conversation) -> Turn:
        seen.append(talk)
        told.extend([talk.texts(ref), talk.sources("2"), talk.sources("99"), talk.staff["U1"]])
        return Turn(state={"step": "done"}, language="tr")

    store.hear(desk.key(), desk.chat(), step)
    assert seen[0].state == {"step": "story"}
    assert [case.ref for case in seen[0].cases] == [ref]
    assert seen[0].language is None
    assert told == [
        {"description": "The water is brown.\n\nIt smells too."},
        (ref, "description", 2),
        None,
        ("Ann Sealedname", "Annie"),
    ]
    store.hear(desk.key(), desk.chat(), step)
    assert (seen[1].state, seen[1].language) == ({"step": "done"}, "tr")


def test_an_edit_takes_the_place_of_a_text_and_every_version_stays(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The watr is brown.")
    desk.add(ref, "It smells.", source="2")
    desk.add(ref, "The watr is black.", source="1", replaces=1)
    desk.add(ref, "The water is black.", source="1", replaces=3)
    assert [one.text for one in store.texts(ref)] == ["The water is black.", "It smells."]
    assert [one["text"] for one in store.record(ref)["texts"]] == [
        "The watr is brown.",
        "It smells.",
        "The watr is black.",
        "The water is black.",
    ]


def test_two_chats_are_two_people_and_see_only_their_own(store: Store) -> None:
    desk = Desk(store)
    other = Chat("telegram", "70002", "tr", "Another")
    mine, theirs = desk.receive(), desk.receive(chat=other)
    seen: list[tuple[str, ...]] = []

    def step(talk: Conversation) -> Turn:
        seen.append(tuple(case.ref for case in talk.cases))
        return Turn(state=talk.state)

    store.hear(desk.key(), desk.chat(), step)
    store.hear(desk.key(), other, step)
    assert seen == [(mine,), (theirs,)]
    assert store.case(mine).complainant != store.case(theirs).complainant
    assert store.case(theirs).language == "tr"


def test_a_complaint_older_than_those_loaded_is_found_by_its_reference_and_nobody_elses(store: Store) -> None:
    desk = Desk(store)
    oldest = desk.receive()
    for _ in range(20):
        desk.receive()
    desk.add(oldest, "Still brown.")
    assert store.case(oldest).words == 2
    with pytest.raises(UnknownReference):
        desk.add(oldest, "Mine too.", chat=desk.chat("70002"))


def test_what_fails_inside_leaves_nothing_and_may_come_again(store: Store) -> None:
    desk = Desk(store)

    def broken(talk: Conversation) -> Turn:
        told = said(field="description", has_words=True)
        good = Act(Verb.RECEIVE, talk.next_ref, told, {"description": "a story"})
        return Turn(state={"step": "x"}, acts=(good, Act(Verb.ADD, "no such reference", told)))

    with pytest.raises(UnknownReference):
        store.hear("tg:9", desk.chat(), broken)
    assert store.known(["tg:9"]) == set()
    assert store.cases() == ([], None)
    assert store.outbox(everything=True) == []
    assert store.hear("tg:9", desk.chat(), lambda talk: Turn(state={"n": len(talk.cases)})) == Heard(
        repeat=False
    )


def test_a_wake_is_due_later_and_is_heard_under_its_own_key(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(seconds=20)
    for chat in (desk.chat(), desk.chat("70002")):
        desk.receive(chat=chat, wakes=(Wake("burst:1", "burst", due),))
    assert store.claim(["wake"], 10, 60) == []
    clock.go_on(seconds=20)
    first, second = store.claim(["wake"], 10, 60)
    assert (first.facts, first.chat.address, second.chat.address) == ({"what": "burst"}, "70001", "70002")  # type: ignore[union-attr]
    for one in (first, second):
        assert one.chat is not None
        heard = store.hear(one.key, one.chat, lambda talk: Turn(state={"step": "asked"}), settles=one.id)
        assert heard == Heard(repeat=False)
    assert store.claimable(["wake"]) == 0


def test_the_same_wake_twice_is_one(store: Store) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(seconds=20)
    ref = desk.receive(wakes=(Wake("burst:1", "burst", due),))
    store.hear(desk.key(), desk.chat(), lambda talk: Turn(state={}, wakes=(Wake("burst:1", "burst", due),)))
    assert [row["kind"] for row in store.outbox(everything=True)].count("wake") == 1
    assert store.case(ref).version == 1


def test_messages_of_one_chat_at_once_make_one_person_and_are_taken_in_turn(store: Store) -> None:
    desk = Desk(store)
    people: list[str] = []

    def step(talk: Conversation) -> Turn:
        people.append(talk.person)
        return Turn(state={"n": talk.state.get("n", 0) + 1})

    threads = [
        threading.Thread(target=store.hear, args=(f"tg:at-once:{n}", desk.chat(), step)) for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen: list[int] = []
    store.hear(desk.key(), desk.chat(), lambda talk: seen.append(talk.state["n"]) or Turn(state={}))  # type: ignore[func-returns-value]
    assert (len(set(people)), len(people), seen) == (1, 8, [8])


def test_a_blocked_chat_is_no_contact_until_it_speaks_again(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    found = store.contact(ref)
    assert found is not None
    assert (found.address, found.language, found.name) == ("70001", "en", "Mary Sealedname")
    store.blocked(desk.chat(), True, store.now())
    assert store.contact(ref) is None
    store.hear(desk.key(), desk.chat(), lambda talk: Turn(state={}, blocked=False))
    assert store.contact(ref) is not None


def test_what_cannot_be_handled_is_set_aside_sealed_and_known(store: Store) -> None:
    store.set_aside("tg:5", b'{"secret": "words"}', "not an update")
    assert store.known(["tg:5", "tg:6"]) == {"tg:5"}
    (row,) = store.set_aside_list()
    assert (row["key"], row["why"]) == ("tg:5", "not an update")
    raw = store.set_aside_take(row["id"])
    assert (raw.key, raw.raw) == ("tg:5", b'{"secret": "words"}')
    store.owe_set_aside(row["id"])
    assert {one["kind"] for one in store.outbox(everything=True)} == {"told_failed", "inbox"}
    store.hear("tg:5", Chat("telegram", "1"), lambda talk: Turn(state={}))
    assert store.set_aside_list() == []


def test_a_file_is_announced_fetched_and_opened_only_by_who_may_read(store: Store) -> None:
    desk = Desk(store)
    large = HeardFile("big", "b", "video", "1", size=21_000_000)
    ref = desk.receive(files=(PHOTO, large))
    (owed,) = store.claim(["fetch"], 10, 60)
    found = store.file_to_fetch(owed)
    assert (found.ref, found.n, found.platform_id, found.name) == (ref, 1, "file-id", "sealed name.jpg")
    data = bytes(range(256)) * 10_000
    store.keep_file(ref, 1, data, "image/png")
    assert store.file_bytes(ref, 1, desk.actor("U1")) == data
    states = [(one["seq"], one["state"], one["mime"], one["size"]) for one in store.record(ref)["files"]]
    assert states == [(1, "fetched", "image/png", len(data)), (2, "too_large", None, 21_000_000)]
    assert [(one["by"], one["what"]) for one in store.record(ref)["reads"]] == [("U1", "file:1")]


@clause("8.3")
def test_a_simulated_contact_takes_the_real_road_and_is_marked(store: Store) -> None:
    desk = Desk(store)
    desk.store.use_rulebook(replace(RULES, simulated=("70099",)))
    tested, real = desk.receive(chat=desk.chat("70099")), desk.receive(chat=desk.chat("70001"))
    assert (desk.case(tested).is_simulation, desk.case(real).is_simulation) == (True, False)
    desk.act(tested, Verb.ASSESS, facts=ASSESSED)
    assert desk.case(tested).state is State.ASSESSED
    assert desk.case(tested).rules.simulated == ("70099",)
