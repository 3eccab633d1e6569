"""Duties and messages on both databases: leases, order in a chat, uncertainty, the desk's clock."""

from __future__ import annotations

import asyncio
import base64
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from amends.demo.settings import SETTINGS
from amends.settings.loading import parse_settings
from amends.wiring import Application as WiredDesk
from complaints.actors import SYSTEM
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.export import export_record
from store.cases.outgoing_messages import begin_sending, record_sent, record_unsent
from store.cases.read import load_case, open_case
from store.database.errors import UnknownRow
from store.database.leases import acquire_leadership, release_leadership
from store.models.models import keep_model, list_models, load_active_model, read_model_blob, use_model
from store.outbox.claim import claim, claim_by_platform, count_claimable
from store.outbox.complete import (
    complete,
    end_retry_pauses,
    fail,
    free_leases,
    is_still_required,
    next_due,
    release,
    reschedule,
    retry,
)
from store.outbox.failed import list_failed, retry_failed
from store.outbox.rows import insert_obligation
from store.store import Store
from store.values import MessageState, Obligation, PlatformCapacity
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, Desk, still_due


def _send(store: Store, owed: Obligation, text: str = "Thank you.") -> int:
    return store.write(begin_sending, owed, text, template="receipt", language="en", ref=owed.ref)


def _says(store: Store, limit: int = 10) -> list[Obligation]:
    return store.write(claim, ["say"], limit, 60)


def test_of_a_chat_only_the_oldest_open_message_is_claimed(store: Store) -> None:
    desk = Desk(store)
    desk.say("a", "b")
    desk.say("c", chat=desk.chat("70002"))
    first = _says(store)
    assert [one.key for one in first] == ["a", "c"]
    assert first[0].payload == {
        "template": "receipt",
        "fields": {"text": "sealedsaying"},
        "buttons": [],
        "step": "",
    }
    assert _says(store) == []
    store.write(complete, first[0].id)
    assert [one.key for one in _says(store)] == ["b"]


def test_lines_of_one_complaint_are_claimed_one_after_the_other_in_their_order(store: Store) -> None:
    desk = Desk(store)
    ref, other = desk.receive(), desk.receive(chat=desk.chat("70002"))
    desk.card_is_due()
    desk.act(ref, Verb.ASSIGN, HANDLER, {"owner": HANDLER})
    in_hand = store.write(claim, ["thread"], 10, 60)
    assert [(one.ref, one.key) for one in in_hand] == [(ref, "thread:1"), (other, "thread:1")]
    assert store.write(claim, ["thread"], 10, 60) == []
    store.write(complete, in_hand[0].id)
    assert [(one.ref, one.key) for one in store.write(claim, ["thread"], 10, 60)] == [(ref, "thread:2")]


def test_danger_goes_before_everything_else_of_its_chat(store: Store) -> None:
    desk = Desk(store)
    desk.say("a")
    (first,) = _says(store)
    desk.say("b")
    desk.say("danger", lane=SendPriority.DANGER)
    assert [one.key for one in _says(store)] == ["danger"]
    store.write(complete, first.id)
    assert _says(store) == []


def test_an_expired_lease_is_claimable_again(store: Store) -> None:
    desk = Desk(store)
    desk.say("a")
    (first,) = store.write(claim, ["say"], 10, 0)
    (second,) = store.write(claim, ["say"], 10, 60)
    assert (first.id, second.uncertain) == (second.id, False)
    assert _says(store) == []
    assert store.write(free_leases) == 1
    assert [one.id for one in _says(store)] == [first.id]


def test_a_claim_after_an_interrupted_send_is_uncertain(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.say("a", ref=ref)
    (first,) = store.write(claim, ["say"], 10, 0)
    _send(store, first)
    (again,) = store.write(claim, ["say"], 10, 60)
    assert again.uncertain
    message = _send(store, again)
    store.write(record_sent, message, "501", settles=again.id)
    out = [one for one in store.read(export_record, ref)["messages"] if one["direction"] == "out"]
    assert [(one["state"], one["reason"], one["text"]) for one in out] == [
        ("uncertain", "interrupted", "Thank you."),
        ("sent", None, "Thank you."),
    ]


def test_an_accepted_message_brings_about_its_acts_and_settles_at_once(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    (owed,) = store.write(claim, ["acknowledge"], 1, 60)
    assert owed.chat is not None
    assert (owed.chat.address, owed.ref) == ("70001", ref)
    message = _send(store, owed)
    acts = [(ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1}, {})]
    assert store.write(record_sent, message, "502", settles=owed.id, acts=acts) == ()
    assert store.read(load_case, ref).acks == {1: store.now()}
    assert owed.id not in {row["id"] for row in store.read(list_failed, everything=True)}
    (refused,) = store.write(record_sent, _send(store, owed), "503", settles=owed.id, acts=acts)
    assert refused.code == "already_acknowledged"


def test_an_unsent_message_is_tried_again_or_ends(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.say("a", ref=ref)
    (owed,) = _says(store)
    store.write(
        record_unsent,
        _send(store, owed),
        MessageState.UNCERTAIN,
        "timed out",
        retry_after=0.0,
        settles=owed.id,
    )
    (again,) = _says(store)
    assert (again.attempts, again.uncertain) == (1, True)
    acts = [(ref, Verb.FAIL_DELIVERY, SYSTEM, {}, {})]
    store.write(
        record_unsent, _send(store, again), MessageState.FAILED, "blocked", settles=again.id, acts=acts
    )
    assert _says(store) == []
    assert store.read(load_case, ref).delivery_failed_at == store.now()


def test_a_retry_waits_in_real_time_and_keeps_its_place_in_the_chat(store: Store) -> None:
    desk = Desk(store)
    desk.say("a", "b")
    (owed,) = _says(store)
    store.write(retry, owed.id, 3600, "flood")
    assert (_says(store), store.read(count_claimable, ["say"])) == ([], 0)
    assert [(row["key"], row["attempts"], row["why"]) for row in store.read(list_failed)] == [
        ("a", 1, "flood")
    ]
    store.write(fail, owed.id, "gone")
    assert [one.key for one in _says(store)] == ["b"]


def test_once_the_other_side_is_back_nothing_waits_out_its_pause(store: Store) -> None:
    desk = Desk(store)
    desk.say("a")
    (owed,) = _says(store)
    store.write(retry, owed.id, 3600, "no answer")
    store.write(end_retry_pauses, ("card",))
    assert _says(store) == []
    store.write(end_retry_pauses, ("say",))
    assert [one.key for one in _says(store)] == ["a"]


@pytest.mark.parametrize(("why", "least", "free"), [("no answer", 0.0, True), ("flood", 30.0, False)])
def test_what_had_failed_when_the_other_side_came_back_waits_out_no_pause_either(
    store: Store, why: str, least: float, free: bool
) -> None:
    desk = Desk(store)
    desk.say("a")
    (owed,) = _says(store)
    # The other side is back before the failure is written down.
    store.write(end_retry_pauses, ("say",))
    store.write(retry, owed.id, 3600, why, least=least)
    assert ([one.key for one in _says(store)] == ["a"]) is free


def test_a_failure_after_that_waits_out_its_own_pause(store: Store) -> None:
    desk = Desk(store)
    desk.say("a")
    (owed,) = _says(store)
    store.write(end_retry_pauses, ("say",))
    store.write(retry, owed.id, 3600, "no answer", least=0.0)
    (owed,) = _says(store)
    store.write(retry, owed.id, 3600, "no answer", least=0.0)
    assert _says(store) == []


def test_what_is_postponed_is_due_later_by_the_desks_clock_and_lets_others_pass(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    desk.say("a", "b")
    (owed,) = _says(store)
    store.write(reschedule, owed.id, store.now() + timedelta(hours=8), "quiet hours")
    assert [one.key for one in _says(store)] == ["b"]
    clock.go_on(hours=8)
    assert [(one.key, one.attempts) for one in _says(store)] == []
    assert store.read(next_due) is not None
    store.write(free_leases)
    assert [one.key for one in _says(store)] == ["b"]


def test_a_given_up_duty_is_visible_told_and_can_be_tried_again(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.card_is_due()
    (card,) = store.write(claim, ["card"], 1, 60)
    store.write(fail, card.id, "no such channel")
    assert [(row["kind"], row["state"], row["why"]) for row in store.read(list_failed)] == [
        ("card", "failed", "no such channel")
    ]
    (told,) = store.write(claim, ["told_failed"], 1, 60)
    assert (told.ref, told.facts) == (ref, {"id": card.id, "kind": "card", "ref": ref})
    store.write(retry_failed, card.id)
    assert [one.id for one in store.write(claim, ["card"], 1, 60)] == [card.id]
    store.write(fail, card.id, "still no such channel")
    assert store.read(count_claimable, ["told_failed"]) == 1
    with pytest.raises(UnknownRow):
        store.write(retry_failed, 999)


def test_a_duty_that_the_complaint_no_longer_asks_for_is_not_owed(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.card_is_due()
    (card,) = store.write(claim, ["card"], 1, 60)
    assert store.read(is_still_required, card)
    desk.act(ref, Verb.NOTE, words={"text": "x"})
    assert not store.read(is_still_required, card)
    lines = []
    while threads := store.write(claim, ["thread"], 10, 60):
        for one in threads:
            lines.append(store.read(is_still_required, one))
            store.write(complete, one.id)
    assert lines == [True, True]


def test_duties_are_claimed_by_lane_then_due(store: Store, clock: FakeClock) -> None:
    Desk(store)
    for n, lane in enumerate(
        (SendPriority.BULK, SendPriority.NOTICE, SendPriority.DANGER, SendPriority.DIALOGUE)
    ):
        assert store.write(insert_obligation, NewObligation(f"tidy:{n}", "tidy", store.now(), lane))
        clock.go_on(seconds=1)
    assert not store.write(insert_obligation, NewObligation("tidy:0", "tidy", store.now()))
    assert [one.key for one in store.write(claim, ["tidy"], 3, 60)] == ["tidy:2", "tidy:3", "tidy:1"]


def test_a_payload_comes_back_and_is_gone_once_settled(store: Store) -> None:
    desk = Desk(store)
    desk.say("a")
    store.write(
        insert_obligation, NewObligation("digest:1", "digest", store.now()), payload={"text": "for staff"}
    )
    store.write(
        insert_obligation,
        NewObligation("say:2", "say", store.now()),
        chat=desk.chat(),
        payload={"text": "for Mary"},
    )
    (digest,) = store.write(claim, ["digest"], 1, 60)
    assert (digest.payload, digest.chat) == ({"text": "for staff"}, None)
    (said,) = _says(store)
    store.write(complete, said.id)
    (said,) = _says(store)
    assert said.chat is not None
    assert (said.payload, said.chat.address) == ({"text": "for Mary"}, "70001")


def test_many_workers_claim_each_duty_once(store: Store) -> None:
    Desk(store)
    for n in range(60):
        store.write(insert_obligation, NewObligation(f"tidy:{n}", "tidy", store.now()))
    claimed: list[str] = []

    def work() -> None:
        while got := store.write(claim, ["tidy"], 7, 60):
            claimed.extend(one.key for one in got)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(f"tidy:{n}" for n in range(60))


def test_the_clock_moves_for_due_times_and_not_for_leases(store: Store) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(days=3)
    store.write(insert_obligation, NewObligation("later", "tidy", due))
    assert store.read(next_due) == ("tidy", None, due)
    assert store.read(count_claimable, ["tidy"]) == 0
    desk.say("a")
    _says(store)
    assert store.move_clock(3 * 86_400) == due
    assert still_due(store) == 2
    assert [one.key for one in store.write(claim, ["tidy"], 1, 60)] == ["later"]
    assert _says(store) == []


def test_a_commit_that_owes_nudges_and_a_mere_read_does_not(store: Store) -> None:
    desk = Desk(store)
    nudges: list[str] = []
    store.on_commit(lambda: nudges.append("now"))
    ref = desk.receive()
    assert nudges == ["now"]
    store.read(export_record, ref)
    store.write(open_case, ref, desk.actor("U1"), "open")
    assert nudges == ["now"]


def test_only_one_holds_the_lead_and_fencing_grows(store: Store) -> None:
    first = store.write(acquire_leadership, "poller", "one", 60.0)
    assert (
        first,
        store.write(acquire_leadership, "poller", "two", 60.0),
        store.write(acquire_leadership, "poller", "one", 60.0),
    ) == (1, None, 1)
    store.write(release_leadership, "poller", "one")
    assert store.write(acquire_leadership, "poller", "two", 60.0) == 2


async def test_asynchronous_code_crosses_by_in_thread(store: Store) -> None:
    desk = Desk(store)
    ref = await store.in_thread(desk.receive)
    cases = await asyncio.gather(*(store.aread(load_case, ref) for _ in range(20)))
    assert {case.ref for case in cases} == {ref}
    await store.in_thread(desk.card_is_due)
    owed = await store.awrite(claim, ["card"], 5, 60.0)
    assert [one.ref for one in owed] == [ref]


def test_models_are_kept_once_and_the_newest_use_holds(store: Store) -> None:
    assert store.read(load_active_model) is None
    one = store.write(keep_model, b"first", "a" * 64, {"macro_f1": 0.7})
    two = store.write(keep_model, b"second", "b" * 64, {"macro_f1": 0.8}, activate=False)
    assert store.read(load_active_model) == ("a" * 64, {"macro_f1": 0.7}, one)
    store.write(use_model, two)
    assert store.read(load_active_model) == ("b" * 64, {"macro_f1": 0.8}, two)
    assert store.write(keep_model, b"first", "a" * 64, {}) == one
    assert store.read(load_active_model) == ("a" * 64, {"macro_f1": 0.7}, one)
    assert store.read(read_model_blob, one) == b"first"
    assert len(store.read(list_models)) == 3


async def test_a_second_process_at_one_database_leaves_alone_what_the_first_is_sending(
    postgres_store: Store, tmp_path: Path
) -> None:
    desk = Desk(postgres_store)
    desk.say("a")
    (first,) = postgres_store.write(claim, ["say"], 10, 60)
    key = base64.b64encode(b"a key for tests, 32 bytes long..").decode()
    settings = parse_settings(SETTINGS, tmp_path / "amends.toml", {"AMENDS_SECRET_KEY": key})
    second = WiredDesk(settings, postgres_store, parts=())
    await second.start()
    await second.stop()

    assert postgres_store.write(claim, ["say"], 10, 60) == []
    assert first.key == "a"


def _room(danger: int, talk: int, notice: int, bulk: int) -> dict[SendPriority, int]:
    return {
        SendPriority.DANGER: danger,
        SendPriority.DIALOGUE: talk,
        SendPriority.NOTICE: notice,
        SendPriority.BULK: bulk,
    }


def test_apart_each_platform_claims_by_its_own_room_and_the_urgent_first(store: Store) -> None:
    desk = Desk(store)
    for number in range(6):
        desk.say(f"bulk{number}", chat=desk.chat(f"8000{number}"), lane=SendPriority.BULK)
    desk.say("talk", chat=desk.chat("90001"))
    for number in range(3):
        store.write(
            insert_obligation, NewObligation(f"notice{number}", "tell", store.now(), SendPriority.NOTICE)
        )
        store.write(
            insert_obligation, NewObligation(f"file{number}", "slack_file", store.now(), SendPriority.BULK)
        )
    sides = [
        PlatformCapacity(("say",), _room(4, 4, 3, 3)),
        PlatformCapacity(("slack_file", "tell"), _room(4, 4, 2, 1)),
    ]
    claimed = store.write(claim_by_platform, sides, 60)
    # Three places for bulk, one of which the talk took; two notices leave no room for files.
    assert [one.key for one in claimed] == ["talk", "notice0", "notice1", "bulk0", "bulk1"]
    assert [
        one.key for one in store.write(claim_by_platform, [PlatformCapacity(("say",), _room(1, 1, 1, 0))], 60)
    ] == []
    capacity = PlatformCapacity(("say",), _room(9, 9, 9, 9))
    assert [one.key for one in store.write(claim_by_platform, [capacity], 60)] == [
        "bulk2", "bulk3", "bulk4", "bulk5",
    ]  # fmt: skip


def test_a_long_queue_of_one_platform_keeps_nothing_from_another(store: Store) -> None:
    desk = Desk(store)
    for number in range(60):
        store.write(
            insert_obligation, NewObligation(f"card{number}", "redraw", store.now(), SendPriority.DIALOGUE)
        )
    # Asked for after all of them, and of the same lane.
    desk.say("answer")
    sides = [PlatformCapacity(("redraw",), _room(3, 2, 0, 0)), PlatformCapacity(("say",), _room(4, 4, 3, 3))]
    assert [one.key for one in store.write(claim_by_platform, sides, 60)] == ["card0", "card1", "answer"]


def test_a_duty_without_a_place_comes_back_as_if_it_had_not_been_tried(store: Store) -> None:
    desk = Desk(store)
    desk.say("a")
    (owed,) = _says(store)
    store.write(release, owed.id, 3600.0)
    assert _says(store) == []
    assert store.read(list_failed) == []
    store.write(end_retry_pauses, ["say"])
    assert [one.attempts for one in _says(store)] == [0]
