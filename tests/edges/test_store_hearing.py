"""`hear` against both databases: one transaction a message, a repeat changes nothing."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from complaints.actions.intake import said
from complaints.errors import UnknownReference
from complaints.vocabulary import State, Verb
from store.cases.export import export_record
from store.cases.outgoing_messages import load_contact
from store.cases.read import list_cases, load_case
from store.cases.receive_message import receive_message
from store.files import keep_file, load_file_to_fetch, read_file_bytes
from store.outbox.claim import claim, count_claimable
from store.outbox.dead_letters import (
    is_dead_letter,
    list_dead_letters,
    read_dead_letter,
    schedule_dead_letter,
    set_aside,
)
from store.outbox.failed import list_failed
from store.people.contacts import mark_blocked
from store.record.texts import load_texts
from store.rulebooks import use_rulebook
from store.store import Store
from store.values import Chat, Conversation, DialogueTurn, PlannedAct, ReceiptResult, ReceivedFile, WakeUp
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, RULES, Desk

PHOTO = ReceivedFile(
    "file-id", "unique-id", "photo", "1", mime="image/jpeg", size=100, name="sealed name.jpg"
)


def test_a_first_message_makes_person_complaint_event_texts_and_duties(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The water is brown.", files=(PHOTO,))
    record = store.read(export_record, ref)
    assert record["state"] == "received"
    assert [(one["field"], one["seq"], one["text"], one["source"]) for one in record["texts"]] == [
        ("description", 1, "The water is brown.", "1")
    ]
    assert [(one["direction"], one["text"]) for one in record["messages"]] == [("in", "The water is brown.")]
    assert record["name"] == "Mary Sealedname"
    kinds = {row["kind"] for row in store.read(list_failed, everything=True)}
    assert {"fetch", "card", "end_form", "propose"} <= kinds


def test_a_repeated_key_changes_nothing(store: Store) -> None:
    desk = Desk(store)
    calls = []

    def step(talk: Conversation) -> DialogueTurn:
        calls.append(talk.next_ref)
        told = said(field="description", has_words=True)
        return DialogueTurn(
            state={"step": "story"},
            acts=(PlannedAct(Verb.RECEIVE, talk.next_ref, told, {"description": "a b"}),),
        )

    first = store.write(receive_message, "tg:7", desk.chat(), step)
    before = store.read(export_record, first.refs[0]), store.read(list_failed, everything=True)
    assert store.write(receive_message, "tg:7", desk.chat(), step) == ReceiptResult(repeat=True)
    assert (store.read(export_record, first.refs[0]), store.read(list_failed, everything=True)) == before
    assert calls == [first.refs[0]]
    assert store.read(is_dead_letter, ["tg:7", "tg:8"]) == {"tg:7"}


def test_the_state_of_a_talk_and_the_persons_complaints_come_back_with_the_next_message(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.add(ref, "It smells too.")
    seen: list[Conversation] = []
    told: list[object] = []

    def step(talk: Conversation) -> DialogueTurn:
        seen.append(talk)
        told.extend([talk.texts(ref), talk.sources("2"), talk.sources("99"), talk.staff["U1"]])
        return DialogueTurn(state={"step": "done"}, language="tr")

    store.write(receive_message, desk.key(), desk.chat(), step)
    assert seen[0].state == {"step": "story"}
    assert [case.ref for case in seen[0].cases] == [ref]
    assert seen[0].language is None
    assert told == [
        {"description": "The water is brown.\n\nIt smells too."},
        (ref, "description", 2),
        None,
        ("Ann Sealedname", "Annie"),
    ]
    store.write(receive_message, desk.key(), desk.chat(), step)
    assert (seen[1].state, seen[1].language) == ({"step": "done"}, "tr")


def test_an_edit_takes_the_place_of_a_text_and_every_version_stays(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive("The watr is brown.")
    desk.add(ref, "It smells.", source="2")
    desk.add(ref, "The watr is black.", source="1", replaces=1)
    desk.add(ref, "The water is black.", source="1", replaces=3)
    assert [one.text for one in store.read(load_texts, ref)] == ["The water is black.", "It smells."]
    assert [one["text"] for one in store.read(export_record, ref)["texts"]] == [
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

    def step(talk: Conversation) -> DialogueTurn:
        seen.append(tuple(case.ref for case in talk.cases))
        return DialogueTurn(state=talk.state)

    store.write(receive_message, desk.key(), desk.chat(), step)
    store.write(receive_message, desk.key(), other, step)
    assert seen == [(mine,), (theirs,)]
    assert store.read(load_case, mine).complainant != store.read(load_case, theirs).complainant
    assert store.read(load_case, theirs).language == "tr"


def test_a_complaint_older_than_those_loaded_is_found_by_its_reference_and_nobody_elses(store: Store) -> None:
    desk = Desk(store)
    oldest = desk.receive()
    for _ in range(20):
        desk.receive()
    desk.add(oldest, "Still brown.")
    assert store.read(load_case, oldest).words == 2
    with pytest.raises(UnknownReference):
        desk.add(oldest, "Mine too.", chat=desk.chat("70002"))


def test_what_fails_inside_leaves_nothing_and_may_come_again(store: Store) -> None:
    desk = Desk(store)

    def broken(talk: Conversation) -> DialogueTurn:
        told = said(field="description", has_words=True)
        good = PlannedAct(Verb.RECEIVE, talk.next_ref, told, {"description": "a story"})
        return DialogueTurn(state={"step": "x"}, acts=(good, PlannedAct(Verb.ADD, "no such reference", told)))

    with pytest.raises(UnknownReference):
        store.write(receive_message, "tg:9", desk.chat(), broken)
    assert store.read(is_dead_letter, ["tg:9"]) == set()
    assert store.read(list_cases) == ([], None)
    assert store.read(list_failed, everything=True) == []
    assert store.write(
        receive_message, "tg:9", desk.chat(), lambda talk: DialogueTurn(state={"n": len(talk.cases)})
    ) == ReceiptResult(repeat=False)


def test_a_wake_is_due_later_and_is_heard_under_its_own_key(store: Store, clock: FakeClock) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(seconds=20)
    for chat in (desk.chat(), desk.chat("70002")):
        desk.receive(chat=chat, wakes=(WakeUp("burst:1", "burst", due),))
    assert store.write(claim, ["wake"], 10, 60) == []
    clock.go_on(seconds=20)
    first, second = store.write(claim, ["wake"], 10, 60)
    assert (first.facts, first.chat.address, second.chat.address) == ({"what": "burst"}, "70001", "70002")  # type: ignore[union-attr]
    for one in (first, second):
        assert one.chat is not None
        heard = store.write(
            receive_message,
            one.key,
            one.chat,
            lambda talk: DialogueTurn(state={"step": "asked"}),
            settles=one.id,
        )
        assert heard == ReceiptResult(repeat=False)
    assert store.read(count_claimable, ["wake"]) == 0


def test_the_same_wake_twice_is_one(store: Store) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(seconds=20)
    ref = desk.receive(wakes=(WakeUp("burst:1", "burst", due),))
    store.write(
        receive_message,
        desk.key(),
        desk.chat(),
        lambda talk: DialogueTurn(state={}, wakes=(WakeUp("burst:1", "burst", due),)),
    )
    assert [row["kind"] for row in store.read(list_failed, everything=True)].count("wake") == 1
    assert store.read(load_case, ref).version == 1


def test_messages_of_one_chat_at_once_make_one_person_and_are_taken_in_turn(store: Store) -> None:
    desk = Desk(store)
    people: list[str] = []

    def step(talk: Conversation) -> DialogueTurn:
        people.append(talk.person)
        return DialogueTurn(state={"n": talk.state.get("n", 0) + 1})

    threads = [
        threading.Thread(
            target=partial(store.write, receive_message), args=(f"tg:at-once:{n}", desk.chat(), step)
        )
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen: list[int] = []
    store.write(
        receive_message,
        desk.key(),
        desk.chat(),
        lambda talk: seen.append(talk.state["n"]) or DialogueTurn(state={}),
    )  # type: ignore[func-returns-value]
    assert (len(set(people)), len(people), seen) == (1, 8, [8])


def test_a_blocked_chat_is_no_contact_until_it_speaks_again(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    found = store.read(load_contact, ref)
    assert found is not None
    assert (found.address, found.language, found.name) == ("70001", "en", "Mary Sealedname")
    store.write(mark_blocked, desk.chat(), True, store.now())
    assert store.read(load_contact, ref) is None
    store.write(receive_message, desk.key(), desk.chat(), lambda talk: DialogueTurn(state={}, blocked=False))
    assert store.read(load_contact, ref) is not None


def test_what_cannot_be_handled_is_set_aside_sealed_and_known(store: Store) -> None:
    store.write(set_aside, "tg:5", b'{"secret": "words"}', "not an update")
    assert store.read(is_dead_letter, ["tg:5", "tg:6"]) == {"tg:5"}
    (row,) = store.read(list_dead_letters)
    assert (row["key"], row["why"]) == ("tg:5", "not an update")
    raw = store.read(read_dead_letter, row["id"])
    assert (raw.key, raw.raw) == ("tg:5", b'{"secret": "words"}')
    store.write(schedule_dead_letter, row["id"])
    assert {one["kind"] for one in store.read(list_failed, everything=True)} == {"told_failed", "inbox"}
    store.write(receive_message, "tg:5", Chat("telegram", "1"), lambda talk: DialogueTurn(state={}))
    assert store.read(list_dead_letters) == []


def test_a_file_is_announced_fetched_and_opened_only_by_who_may_read(store: Store) -> None:
    desk = Desk(store)
    large = ReceivedFile("big", "b", "video", "1", size=21_000_000)
    ref = desk.receive(files=(PHOTO, large))
    (owed,) = store.write(claim, ["fetch"], 10, 60)
    found = store.read(load_file_to_fetch, owed)
    assert (found.ref, found.n, found.platform_id, found.name) == (ref, 1, "file-id", "sealed name.jpg")
    data = bytes(range(256)) * 10_000
    store.write(keep_file, ref, 1, data, "image/png")
    assert store.write(read_file_bytes, ref, 1, desk.actor("U1")) == data
    states = [
        (one["seq"], one["state"], one["mime"], one["size"])
        for one in store.read(export_record, ref)["files"]
    ]
    assert states == [(1, "fetched", "image/png", len(data)), (2, "too_large", None, 21_000_000)]
    assert [(one["by"], one["what"]) for one in store.read(export_record, ref)["reads"]] == [("U1", "file:1")]


@clause("8.3")
def test_a_simulated_contact_takes_the_real_road_and_is_marked(store: Store) -> None:
    desk = Desk(store)
    desk.store.write(use_rulebook, replace(RULES, simulated=("70099",)))
    tested, real = desk.receive(chat=desk.chat("70099")), desk.receive(chat=desk.chat("70001"))
    assert (desk.case(tested).is_simulation, desk.case(real).is_simulation) == (True, False)
    desk.act(tested, Verb.ASSESS, facts=ASSESSED)
    assert desk.case(tested).state is State.ASSESSED
    assert desk.case(tested).rules.simulated == ("70099",)
