"""Cards, threads and direct messages on the simulated Slack: where they are posted, what they show, and only once.

What the store does is tested on both databases in test_store_*. Tests marked `on_both` also run on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bots.slack.client.block_kit import SlackMessage
from bots.slack.client.slack_limits import RateLimitWait
from bots.slack.jobs.danger_pages import PageJobs
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.jobs.post import Poster
from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM
from complaints.case_values import RecordedSign
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import format_time
from complaints.vocabulary import Verb
from simulator.screen import NotVisible
from store.cases.act import act
from store.cases.read import load_case
from store.outbox.claim import claim
from store.outbox.complete import RateLimited, end_retry_pauses, fail
from store.outbox.failed import fail_orphaned, keep_dead_letter, list_failed
from store.outbox.rows import insert_obligation
from store.people.staff import list_members, load_actor, sync_staff
from store.slack_posts import claim_post, list_posts
from store.store import Store
from tests.databases import FakeClock, opened
from tests.edges.slack_office import (
    ALICE,
    ASSESSMENT,
    BURAK,
    EXECUTIVE,
    MONA,
    RESTRICTED,
    TRIAGE,
    TUGBA,
    Office,
    open_office,
)


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def test_the_first_post_waits_at_most_ninety_seconds_for_the_proposal(office: Office) -> None:
    ref = office.receive()
    await office.idle()
    before = office.staff(ALICE).channel(TRIAGE).cards
    office.clock.go_on(seconds=91)
    await office.idle()

    assert before == []
    assert ref in office.staff(ALICE).channel(TRIAGE).card(ref).text


async def test_the_card_is_updated_in_place_and_never_contains_the_complainants_name_or_words(
    office: Office,
) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    ts = card.ts
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    card = await office.card(ref)

    assert card.ts == ts
    assert "Assessed" in card.text
    assert len(office.staff(ALICE).channel(TRIAGE).cards) == 1
    bodies = [
        str(call.arguments) for call in office.sim.calls("chat.postMessage") + office.sim.calls("chat.update")
    ]
    assert [body for body in bodies if "Zzyzx" in body] == []


async def test_a_restricted_complaint_is_posted_only_in_the_restricted_channel(office: Office) -> None:
    ref = office.proposed(category="staff_conduct", restricted=True)
    card = await office.card(ref, MONA, RESTRICTED)

    assert "Restricted" in card.text
    assert office.staff(ALICE).channel(TRIAGE).posts == []


@pytest.mark.on_both
async def test_a_complaint_that_becomes_restricted_moves_with_its_thread(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    await office.staff(ALICE).presses(card, "Take")
    await office.idle()
    await office.acts(MONA, "Restrict", ref, {"reason": "It names a colleague"})

    assert office.staff(ALICE).channel(TRIAGE).cards == []
    assert [post.text for post in office.staff(ALICE).channel(TRIAGE).posts if not post.gone] == []
    assert ref in office.staff(MONA).channel(RESTRICTED).card(ref).text
    with pytest.raises(NotVisible):
        office.staff(ALICE).channel(RESTRICTED)


async def test_a_complaint_whose_restriction_is_lifted_returns_to_the_triage_channel(office: Office) -> None:
    ref = office.proposed(category="handling", restricted=True)
    await office.acts(MONA, "Lift restriction", ref, {"reason": "Nobody is named"}, channel=RESTRICTED)

    assert ref in (await office.card(ref)).text
    assert office.staff(MONA).channel(RESTRICTED).cards == []


async def test_a_significant_complaint_is_posted_to_top_management_with_a_receipt_button(
    office: Office,
) -> None:
    ref = office.proposed(severity=4)
    card = await office.card(ref, TUGBA, EXECUTIVE)
    buttons = card.buttons
    await office.staff(TUGBA).presses(card, "Receipt")
    await office.idle()

    assert buttons == ["Receipt", "Open"]
    assert office.store.read(load_case, ref).executive_receipt_at is not None
    assert (await office.card(ref, TUGBA, EXECUTIVE)).buttons == ["Open"]


async def test_the_thread_lists_who_did_what_after_the_card_was_posted(office: Office) -> None:
    ref = office.proposed()
    await office.staff(ALICE).presses(await office.card(ref), "Take")
    office.add(ref)
    office.clock.go_on(seconds=2)
    office.add(ref)
    office.clock.go_on(seconds=30)
    card = await office.card(ref)

    assert [line.plain_text for line in card.thread][-2:] == [
        "Assigned · <@U0000001> · Tue 3 Nov, 10:00",
        "The complainant wrote · messages: 2 · 10:00",
    ]


async def test_a_post_whose_answer_was_lost_is_found_and_not_posted_twice(office: Office) -> None:
    office.sim.fail_next("chat.postMessage", how="cut_after_accept")
    ref = office.proposed()
    await office.sim.until(
        lambda: office.store.read(list_posts, ref) and office.store.read(list_posts, ref)[0].ts, timeout=20
    )
    await office.idle()

    assert len(office.staff(ALICE).channel(TRIAGE).cards) == 1
    assert office.store.read(list_posts, ref)[0].shown_version == office.store.read(load_case, ref).version


@pytest.mark.on_both
async def test_a_card_job_restarted_after_a_crash_updates_the_post_it_made(office: Office) -> None:
    ref = office.receive()
    office.store.write(claim_post, ref, TRIAGE, "card")
    await office.client.chat_postMessage(
        channel=TRIAGE,
        text="half done",
        metadata={"event_type": "amends_post", "event_payload": {"key": f"card:{ref}"}},
    )
    office.propose(ref)
    card = await office.card(ref)

    assert len(office.staff(ALICE).channel(TRIAGE).posts) == 1
    assert "Received" in card.text


async def test_a_first_card_that_another_process_may_be_posting_is_not_posted_by_this_one(
    postgres_url: str, clock: FakeClock
) -> None:
    with opened(postgres_url, clock) as store:
        async with open_office(store, clock) as office:
            ref = office.receive()
            store.write(claim_post, ref, TRIAGE, "card")
            office.propose(ref)
            await office.idle()
            posts_before = len(office.staff(ALICE).channel(TRIAGE).posts)
            clock.go_on(seconds=30)
            card = await office.card(ref)

            assert posts_before == 0
            assert len(office.staff(ALICE).channel(TRIAGE).posts) == 1
            assert "Received" in card.text


async def test_a_deleted_card_is_posted_again(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    await office.client.chat_delete(channel=TRIAGE, ts=card.ts)
    office.store.write(act, ref, Verb.NOTE, office.store.read(load_actor, ALICE), {}, {"text": "Called"})

    assert (await office.card(ref)).ts != card.ts


async def test_a_rate_limited_card_is_posted_after_the_pause(office: Office) -> None:
    office.sim.fail_next("chat.postMessage", error="ratelimited", retry_after=1)
    ref = office.proposed()
    await office.sim.until(lambda: bool(office.staff(ALICE).channel(TRIAGE).cards), timeout=20)

    assert ref in (await office.card(ref)).text


async def test_danger_pages_staff_until_a_member_confirms_receipt(office: Office) -> None:
    sign = {"rule": "gas", "severity": 4, "safety": 3, "danger": True}
    ref = office.receive("I smell gas")
    facts = {
        "field": "addition",
        "has_words": True,
        "media": 0,
        "audible": 0,
        "signs": [sign],
        "subjects": [],
    }
    office.complainant_acts(Verb.ADD, ref, facts, {"addition": "gas"})
    await office.idle()
    first = (pages(office, MONA), pages(office, TUGBA))
    office.clock.go_on(minutes=5)
    await office.idle()
    second = pages(office, MONA)
    office.clock.go_on(minutes=26)
    await office.idle()
    third = (pages(office, MONA), pages(office, TUGBA))
    newest = [message for message in office.staff(MONA).direct_messages if "Danger" in message.text][-1]
    await office.staff(MONA).presses(newest, "Receipt")
    office.clock.go_on(minutes=10)
    await office.idle()

    assert first == (1, 0)
    assert second == 2
    assert third == (3, 1)
    assert pages(office, MONA) == 3
    assert "<#C0000001>" in newest.text
    assert office.store.read(load_case, ref).unseen_alarm is None


async def test_each_page_names_the_danger_and_the_waiting_time_and_supersedes_the_former_one(
    office: Office,
) -> None:
    sign = RecordedSign("gas.gas_smell", 4, 3, danger=True, at=office.clock(), seq=1)
    ref = office.receive("Zzyzx: there is a smell of gas", signs=(sign,))
    for minutes in (0, 5, 11, 15):
        office.clock.go_on(minutes=minutes)
        await office.idle()
    mine, top = (
        [message for message in office.staff(member).direct_messages if "anger" in message.text]
        for member in (MONA, TUGBA)
    )
    texts = [message.text for message in mine]

    assert "Danger: smell of gas" in texts[-1]
    assert [message.buttons for message in mine[:-1]] == [[]] * (len(mine) - 1)
    assert all("newer message replaces this one" in text and ref in text for text in texts[:-1])
    assert "31 min" in texts[-1]
    assert "top management" in texts[-1]
    assert ["smell of gas" in message.text for message in top] == [True]
    # Who is paged reads what happened, in the newest message only.
    assert ["Zzyzx" in text for text in texts] == [False] * (len(texts) - 1) + [True]
    # The repeat is a message of its own: an edit notifies nobody.
    assert len(mine) == 4


async def test_a_danger_that_was_read_late_is_paged_with_its_age(office: Office) -> None:
    sign = RecordedSign("gas.gas_smell", 4, 3, danger=True, at=office.clock(), seq=1)
    facts = message_facts(field="description", has_words=True, signs=(sign,))
    written_at = format_time(office.clock.at - timedelta(minutes=95))
    office.complainant_acts(
        Verb.RECEIVE, None, {**facts, "written_at": written_at}, {"description": "smell of gas"}
    )
    await office.idle()
    (text,) = (text for text in office.texts(MONA) if "Danger" in text)
    assert "It was written on Tue 3 Nov, 08:25: we could read it only 95 min later.\n" in text


async def test_a_page_that_fails_for_one_member_still_reaches_the_others_every_five_minutes(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = DirectMessageJobs(Poster(office.desk, office.client))
    jobs = PageJobs(direct)
    post = direct.poster.post

    async def post_except_to_tugba(channel: str, message: SlackMessage, key: str) -> str:
        if key.endswith(TUGBA):
            raise RateLimitWait(1800)
        return await post(channel, message, key)

    monkeypatch.setattr(direct.poster, "post", post_except_to_tugba)
    await office.stop_worker()
    sign = RecordedSign("gas", 4, 3, danger=True, at=office.clock(), seq=1)
    office.receive("I smell gas", signs=(sign,))
    office.clock.go_on(minutes=31)
    (obligation,) = office.store.write(claim, ("page",), 1, 600)
    received, waits = [], []
    for minutes in (0, 1, 4):
        office.clock.go_on(minutes=minutes)
        waits.append(await jobs.page(obligation))
        received.append((pages(office, MONA), pages(office, TUGBA)))

    assert received == [(1, 0), (1, 0), (2, 0)]
    assert waits == [RateLimited(240.0), RateLimited(180.0), RateLimited(240.0)]


def pages(office: Office, member: str) -> int:
    return len([text for text in office.texts(member) if "Danger" in text])


async def test_a_missed_date_is_reported_to_the_owner_and_to_managers(office: Office) -> None:
    ref = office.proposed(severity=4)
    await office.staff(ALICE).presses(await office.card(ref), "Take")
    await office.idle()
    before = (office.texts(ALICE), office.texts(MONA))
    office.clock.go_on(days=2)
    await office.idle()

    assert before == ([], [])
    assert [text for text in office.texts(ALICE) if "assessment by a person missed" in text] != []
    assert [text for text in office.texts(MONA) if "assessment by a person missed" in text] != []
    assert office.texts(BURAK) == []
    assert "missed" in (await office.card(ref)).text


async def test_a_new_owner_gets_a_direct_message(office: Office) -> None:
    ref = office.proposed()
    await office.acts(MONA, "Assign", ref, {"owner": BURAK})

    assert [text for text in office.texts(BURAK) if f"{ref} is yours now" in text] != []


async def test_managers_get_a_message_about_an_obligation_that_failed(office: Office) -> None:
    ref = office.proposed()
    await office.card(ref)
    office.store.write(insert_obligation, NewObligation("fetch:9", "fetch", office.store.now()), ref)
    row = office.store.write(claim, ("fetch",), 1, 60)[0]
    office.store.write(fail, row.id, "blocked")
    await office.idle()

    assert [text for text in office.texts(MONA) if "could not be done (fetch) on" in text] != []


async def test_managers_get_a_message_about_a_dead_letter(office: Office) -> None:
    office.store.write(keep_dead_letter, "tg:999", b"{}", "cannot be read")
    await office.idle()

    assert [text for text in office.texts(MONA) if "was set aside" in text] != []


async def test_managers_get_the_kind_of_an_obligation_that_this_release_does_not_know(office: Office) -> None:
    office.store.write(
        insert_obligation, NewObligation("a", "of_tomorrow", office.store.now(), SendPriority.BULK)
    )
    office.clock.go_on(minutes=1)
    office.store.write(fail_orphaned, ("say",), office.store.now())
    await office.idle()

    (notice,) = [text for text in office.texts(MONA) if "of_tomorrow" in text]
    assert "`amends outbox list --kind of_tomorrow`" in notice
    assert "number" not in notice


async def test_a_notice_to_managers_waits_until_staff_are_known(office: Office) -> None:
    members = office.store.read(list_members)
    office.store.write(sync_staff, ())
    office.store.write(keep_dead_letter, "tg:999", b"{}", "cannot be read")
    await office.idle()
    assert [row["why"] for row in office.store.read(list_failed)] == ["no staff are known yet"]

    office.store.write(sync_staff, members)
    office.store.write(end_retry_pauses, ("told_failed",))
    await office.idle()

    assert len([text for text in office.texts(MONA) if "was set aside" in text]) == 1


async def test_an_act_of_the_system_does_not_invalidate_a_button(office: Office) -> None:
    ref = office.proposed()
    card = await office.card(ref)
    office.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM, {"level": 1})
    await office.staff(ALICE).presses(card, "Take")

    assert office.store.read(load_case, ref).owner == ALICE
