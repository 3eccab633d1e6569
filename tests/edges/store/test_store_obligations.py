"""Obligations and messages on both databases: leases, order within a chat, uncertain sends, the desk's clock."""

from __future__ import annotations

import asyncio
import base64
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from amends.demo.settings import SETTINGS
from amends.settings.settings_file import parse_settings
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
    end_all_leases,
    end_retry_pauses,
    fail,
    find_next_due,
    is_still_required,
    release,
    renew_leases,
    reschedule,
    retry,
)
from store.outbox.failed import list_failed, retry_failed
from store.outbox.rows import insert_obligation
from store.store import Store
from store.values import MessageState, Obligation, PlatformCapacity
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, Desk, still_due


def _send(store: Store, obligation: Obligation, text: str = "Thank you.") -> int:
    return store.write(begin_sending, obligation, text, template="receipt", language="en", ref=obligation.ref)


def _claim_says(store: Store, limit: int = 10) -> list[Obligation]:
    return store.write(claim, ["say"], limit, 60)


def test_a_renewal_leaves_no_lease_on_what_was_released_a_moment_ago(store: Store) -> None:
    Desk(store).send_reply("a", "b")
    (first,) = _claim_says(store)
    assert store.write(renew_leases, [first.id], 60) == 1
    store.write(release, first.id, 0.0)
    # The worker still has its number until its task has ended.
    assert store.write(renew_leases, [first.id], 60) == 0
    assert [obligation.id for obligation in _claim_says(store)] == [first.id]


def test_only_the_oldest_open_message_of_a_chat_is_claimed(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a", "b")
    desk.send_reply("c", chat=desk.chat("70002"))
    first = _claim_says(store)
    assert [obligation.key for obligation in first] == ["a", "c"]
    assert first[0].payload == {
        "template": "receipt",
        "fields": {"text": "sealedsaying"},
        "buttons": [],
        "step": "",
    }
    assert _claim_says(store) == []
    store.write(complete, first[0].id)
    assert [obligation.key for obligation in _claim_says(store)] == ["b"]


def test_thread_lines_of_one_complaint_are_claimed_one_at_a_time_in_order(store: Store) -> None:
    desk = Desk(store)
    ref, other = desk.receive(), desk.receive(chat=desk.chat("70002"))
    for noted in (ref, other):
        desk.act(noted, Verb.NOTE, words={"text": "x"})
    desk.pass_card_delay()
    desk.act(ref, Verb.ASSIGN, HANDLER, {"owner": HANDLER})
    claimed = store.write(claim, ["thread"], 10, 60)
    assert [(obligation.ref, obligation.key) for obligation in claimed] == [
        (ref, "thread:2"),
        (other, "thread:2"),
    ]
    assert store.write(claim, ["thread"], 10, 60) == []
    store.write(complete, claimed[0].id)
    assert [(obligation.ref, obligation.key) for obligation in store.write(claim, ["thread"], 10, 60)] == [
        (ref, "thread:3")
    ]


def test_a_danger_message_is_claimed_before_all_others_of_its_chat(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    (first,) = _claim_says(store)
    desk.send_reply("b")
    desk.send_reply("danger", lane=SendPriority.DANGER)
    assert [obligation.key for obligation in _claim_says(store)] == ["danger"]
    store.write(complete, first.id)
    assert _claim_says(store) == []


def test_an_expired_lease_is_claimable_again(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    (first,) = store.write(claim, ["say"], 10, 0)
    (second,) = store.write(claim, ["say"], 10, 60)
    assert (first.id, second.uncertain) == (second.id, False)
    assert _claim_says(store) == []
    assert store.write(end_all_leases) == 1
    assert [obligation.id for obligation in _claim_says(store)] == [first.id]


def test_a_claim_after_an_interrupted_send_is_uncertain(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.send_reply("a", ref=ref)
    (first,) = store.write(claim, ["say"], 10, 0)
    _send(store, first)
    (again,) = store.write(claim, ["say"], 10, 60)
    assert again.uncertain
    message = _send(store, again)
    store.write(record_sent, message, "501", completes=again.id)
    out = [row for row in store.read(export_record, ref)["messages"] if row["direction"] == "out"]
    assert [(row["state"], row["reason"], row["text"]) for row in out] == [
        ("uncertain", "interrupted", "Thank you."),
        ("sent", None, "Thank you."),
    ]


def test_an_accepted_message_records_its_acts_and_completes_its_obligation_at_once(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"})
    (obligation,) = store.write(claim, ["acknowledge"], 1, 60)
    assert obligation.chat is not None
    assert (obligation.chat.address, obligation.ref) == ("70001", ref)
    message = _send(store, obligation)
    acts = [(ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1}, {})]
    assert store.write(record_sent, message, "502", completes=obligation.id, acts=acts) == ()
    assert store.read(load_case, ref).acks == {1: store.now()}
    assert obligation.id not in {row["id"] for row in store.read(list_failed, everything=True)}
    (refused,) = store.write(record_sent, _send(store, obligation), "503", completes=obligation.id, acts=acts)
    assert refused.code == "already_acknowledged"


def test_an_unsent_message_is_retried_or_fails(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.send_reply("a", ref=ref)
    (obligation,) = _claim_says(store)
    store.write(record_unsent, _send(store, obligation), MessageState.UNCERTAIN, "timed out")
    store.write(retry, obligation.id, 0.0, "timed out")
    (again,) = _claim_says(store)
    assert (again.attempts, again.uncertain) == (1, True)
    acts = [(ref, Verb.FAIL_DELIVERY, SYSTEM, {}, {})]
    store.write(
        record_unsent, _send(store, again), MessageState.FAILED, "blocked", completes=again.id, acts=acts
    )
    assert _claim_says(store) == []
    assert store.read(load_case, ref).delivery_failed_at == store.now()


def test_a_retry_waits_in_real_time_and_keeps_its_place_in_the_chat(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a", "b")
    (obligation,) = _claim_says(store)
    store.write(retry, obligation.id, 3600, "flood")
    assert (_claim_says(store), store.read(count_claimable, ["say"])) == ([], 0)
    assert [(row["key"], row["attempts"], row["why"]) for row in store.read(list_failed)] == [
        ("a", 1, "flood")
    ]
    store.write(fail, obligation.id, "gone")
    assert [obligation.key for obligation in _claim_says(store)] == ["b"]


def test_retry_pauses_end_when_the_platform_is_available_again(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    (obligation,) = _claim_says(store)
    store.write(retry, obligation.id, 3600, "no answer")
    store.write(end_retry_pauses, ("card",))
    assert _claim_says(store) == []
    store.write(end_retry_pauses, ("say",))
    assert [obligation.key for obligation in _claim_says(store)] == ["a"]


@pytest.mark.parametrize(("why", "least", "free"), [("no answer", 0.0, True), ("flood", 30.0, False)])
def test_a_failure_recorded_after_the_platforms_return_waits_only_for_its_required_pause(
    store: Store, why: str, least: float, free: bool
) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    (obligation,) = _claim_says(store)
    # The platform is available again before the failure is recorded.
    store.write(end_retry_pauses, ("say",))
    store.write(retry, obligation.id, 3600, why, least=least)
    assert ([obligation.key for obligation in _claim_says(store)] == ["a"]) is free


def test_a_later_failure_waits_for_its_own_pause(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    (obligation,) = _claim_says(store)
    store.write(end_retry_pauses, ("say",))
    store.write(retry, obligation.id, 3600, "no answer", least=0.0)
    (obligation,) = _claim_says(store)
    store.write(retry, obligation.id, 3600, "no answer", least=0.0)
    assert _claim_says(store) == []


def test_a_rescheduled_message_is_due_later_by_the_desks_clock_and_lets_others_pass(
    store: Store, clock: FakeClock
) -> None:
    desk = Desk(store)
    desk.send_reply("a", "b")
    (obligation,) = _claim_says(store)
    store.write(reschedule, obligation.id, store.now() + timedelta(hours=8), "quiet hours")
    assert [obligation.key for obligation in _claim_says(store)] == ["b"]
    clock.go_on(hours=8)
    assert [(obligation.key, obligation.attempts) for obligation in _claim_says(store)] == []
    assert store.read(find_next_due) is not None
    store.write(end_all_leases)
    assert [obligation.key for obligation in _claim_says(store)] == ["b"]


def test_a_failed_obligation_is_listed_announced_and_can_be_retried(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.pass_card_delay()
    (card,) = store.write(claim, ["card"], 1, 60)
    store.write(fail, card.id, "no such channel")
    assert [(row["kind"], row["state"], row["why"]) for row in store.read(list_failed)] == [
        ("card", "failed", "no such channel")
    ]
    (notice,) = store.write(claim, ["told_failed"], 1, 60)
    assert (notice.ref, notice.facts) == (ref, {"id": card.id, "kind": "card", "ref": ref})
    store.write(retry_failed, card.id)
    assert [obligation.id for obligation in store.write(claim, ["card"], 1, 60)] == [card.id]
    store.write(fail, card.id, "still no such channel")
    assert store.read(count_claimable, ["told_failed"]) == 1
    with pytest.raises(UnknownRow):
        store.write(retry_failed, 999)


def test_an_obligation_that_the_complaint_no_longer_needs_is_not_required(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()
    desk.pass_card_delay()
    (card,) = store.write(claim, ["card"], 1, 60)
    assert store.read(is_still_required, card)
    desk.act(ref, Verb.NOTE, words={"text": "x"})
    desk.act(ref, Verb.NOTE, words={"text": "y"})
    assert not store.read(is_still_required, card)
    lines = []
    while threads := store.write(claim, ["thread"], 10, 60):
        for obligation in threads:
            lines.append(store.read(is_still_required, obligation))
            store.write(complete, obligation.id)
    assert lines == [True, True]


def test_obligations_are_claimed_by_priority_then_due_date(store: Store, clock: FakeClock) -> None:
    Desk(store)
    for n, lane in enumerate(
        (SendPriority.BULK, SendPriority.NOTICE, SendPriority.DANGER, SendPriority.DIALOGUE)
    ):
        assert store.write(insert_obligation, NewObligation(f"tidy:{n}", "tidy", store.now(), lane))
        clock.go_on(seconds=1)
    assert not store.write(insert_obligation, NewObligation("tidy:0", "tidy", store.now()))
    assert [obligation.key for obligation in store.write(claim, ["tidy"], 3, 60)] == [
        "tidy:2",
        "tidy:3",
        "tidy:1",
    ]


def test_a_payload_is_returned_with_its_obligation_and_deleted_on_completion(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a")
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
    (message,) = _claim_says(store)
    store.write(complete, message.id)
    (message,) = _claim_says(store)
    assert message.chat is not None
    assert (message.payload, message.chat.address) == ({"text": "for Mary"}, "70001")


def test_concurrent_workers_claim_every_obligation_once(store: Store) -> None:
    Desk(store)
    for n in range(60):
        store.write(insert_obligation, NewObligation(f"tidy:{n}", "tidy", store.now()))
    claimed: list[str] = []

    def work() -> None:
        while batch := store.write(claim, ["tidy"], 7, 60):
            claimed.extend(obligation.key for obligation in batch)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(f"tidy:{n}" for n in range(60))


def test_moving_the_clock_affects_due_times_and_not_leases(store: Store) -> None:
    desk = Desk(store)
    due = store.now() + timedelta(days=3)
    store.write(insert_obligation, NewObligation("later", "tidy", due))
    assert store.read(find_next_due) == ("tidy", None, due)
    assert store.read(count_claimable, ["tidy"]) == 0
    desk.send_reply("a")
    _claim_says(store)
    assert store.move_clock(3 * 86_400) == due
    assert still_due(store) == 2
    assert [obligation.key for obligation in store.write(claim, ["tidy"], 1, 60)] == ["later"]
    assert _claim_says(store) == []


def test_a_commit_with_an_obligation_nudges_the_worker_and_a_read_does_not(store: Store) -> None:
    desk = Desk(store)
    nudges: list[str] = []
    store.on_commit(lambda: nudges.append("now"))
    ref = desk.receive()
    assert nudges == ["now"]
    store.read(export_record, ref)
    store.write(open_case, ref, desk.actor("U1"), "open")
    assert nudges == ["now"]


def test_one_process_at_a_time_is_the_leader_and_its_fencing_token_grows(store: Store) -> None:
    first = store.write(acquire_leadership, "poller", "one", 60.0)
    assert (
        first,
        store.write(acquire_leadership, "poller", "two", 60.0),
        store.write(acquire_leadership, "poller", "one", 60.0),
    ) == (1, None, 1)
    store.write(release_leadership, "poller", "one")
    assert store.write(acquire_leadership, "poller", "two", 60.0) == 2


async def test_asynchronous_code_calls_the_store_in_a_thread(store: Store) -> None:
    desk = Desk(store)
    ref = await store.in_thread(desk.receive)
    cases = await asyncio.gather(*(store.aread(load_case, ref) for _ in range(20)))
    assert {case.ref for case in cases} == {ref}
    await store.in_thread(desk.pass_card_delay)
    obligation = await store.awrite(claim, ["card"], 5, 60.0)
    assert [obligation.ref for obligation in obligation] == [ref]


def test_models_are_stored_once_and_the_latest_activation_wins(store: Store) -> None:
    assert store.read(load_active_model) is None
    first = store.write(keep_model, b"first", "a" * 64, {"macro_f1": 0.7})
    second = store.write(keep_model, b"second", "b" * 64, {"macro_f1": 0.8}, activate=False)
    assert store.read(load_active_model) == ("a" * 64, {"macro_f1": 0.7}, first)
    store.write(use_model, second)
    assert store.read(load_active_model) == ("b" * 64, {"macro_f1": 0.8}, second)
    assert store.write(keep_model, b"first", "a" * 64, {}) == first
    assert store.read(load_active_model) == ("a" * 64, {"macro_f1": 0.7}, first)
    assert store.read(read_model_blob, first) == b"first"
    assert len(store.read(list_models)) == 3


async def test_a_second_process_on_one_database_leaves_the_first_ones_claims_alone(
    postgres_store: Store, tmp_path: Path
) -> None:
    desk = Desk(postgres_store)
    desk.send_reply("a")
    (first,) = postgres_store.write(claim, ["say"], 10, 60)
    key = base64.b64encode(b"a key for tests, 32 bytes long..").decode()
    settings = parse_settings(SETTINGS, tmp_path / "amends.toml", {"AMENDS_SECRET_KEY": key})
    second = WiredDesk(settings, postgres_store, parts=())
    await second.start()
    await second.stop()

    assert postgres_store.write(claim, ["say"], 10, 60) == []
    assert first.key == "a"


def _capacity(danger: int, talk: int, notice: int, bulk: int) -> dict[SendPriority, int]:
    return {
        SendPriority.DANGER: danger,
        SendPriority.DIALOGUE: talk,
        SendPriority.NOTICE: notice,
        SendPriority.BULK: bulk,
    }


def test_each_platform_claims_within_its_own_capacity_urgent_messages_first(store: Store) -> None:
    desk = Desk(store)
    for number in range(6):
        desk.send_reply(f"bulk{number}", chat=desk.chat(f"8000{number}"), lane=SendPriority.BULK)
    desk.send_reply("talk", chat=desk.chat("90001"))
    for number in range(3):
        store.write(
            insert_obligation, NewObligation(f"notice{number}", "tell", store.now(), SendPriority.NOTICE)
        )
        store.write(
            insert_obligation, NewObligation(f"file{number}", "slack_file", store.now(), SendPriority.BULK)
        )
    sides = [
        PlatformCapacity(("say",), _capacity(4, 4, 3, 3)),
        PlatformCapacity(("slack_file", "tell"), _capacity(4, 4, 2, 1)),
    ]
    claimed = store.write(claim_by_platform, sides, 60)
    # Three slots for bulk, one of which the reply took; two notices leave no slot for files.
    assert [obligation.key for obligation in claimed] == ["talk", "notice0", "notice1", "bulk0", "bulk1"]
    assert [
        obligation.key
        for obligation in store.write(
            claim_by_platform, [PlatformCapacity(("say",), _capacity(1, 1, 1, 0))], 60
        )
    ] == []
    capacity = PlatformCapacity(("say",), _capacity(9, 9, 9, 9))
    assert [obligation.key for obligation in store.write(claim_by_platform, [capacity], 60)] == [
        "bulk2", "bulk3", "bulk4", "bulk5",
    ]  # fmt: skip


def test_a_long_queue_of_one_platform_does_not_delay_another(store: Store) -> None:
    desk = Desk(store)
    for number in range(60):
        store.write(
            insert_obligation, NewObligation(f"card{number}", "redraw", store.now(), SendPriority.DIALOGUE)
        )
    # Scheduled after all of them, with the same priority.
    desk.send_reply("answer")
    sides = [
        PlatformCapacity(("redraw",), _capacity(3, 2, 0, 0)),
        PlatformCapacity(("say",), _capacity(4, 4, 3, 3)),
    ]
    assert [obligation.key for obligation in store.write(claim_by_platform, sides, 60)] == [
        "card0",
        "card1",
        "answer",
    ]


def test_an_obligation_released_for_lack_of_a_slot_counts_no_attempt(store: Store) -> None:
    desk = Desk(store)
    desk.send_reply("a")
    (obligation,) = _claim_says(store)
    store.write(release, obligation.id, 3600.0)
    assert _claim_says(store) == []
    assert store.read(list_failed) == []
    store.write(end_retry_pauses, ["say"])
    assert [obligation.attempts for obligation in _claim_says(store)] == [0]
