"""Forms that show the story are reads like opening: with the same reason, and no message counts as read unseen."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from bots.slack.jobs.case_posts import draw_card, masked_subject
from complaints.vocabulary import Flag
from store.cases.read import load_case
from store.record.access_log import find_last_read
from store.store import Store
from store.tables import READS
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, ASSESSMENT, BURAK, Office, open_office


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


def reads(office: Office, ref: str, member: str) -> list[tuple[str, str | None, bool]]:
    query = select(READS.c.what, READS.c.reason, READS.c.version > 0).where(
        READS.c.ref == ref, READS.c.by == member
    )
    rows = office.store.read(lambda tx: tx.connection.execute(query).all())
    return [(what, reason, bool(whole)) for what, reason, whole in rows]


async def test_asking_about_the_complaint_of_another_person_asks_for_the_reason_and_then_opens_the_form(
    office: Office,
) -> None:
    ref = office.owned(ALICE, "The lift is stuck")
    burak = office.staff(BURAK)
    await burak.chooses(await office.card(ref), "More", "Ask")
    reason_form = await burak.opened("Reason for reading")
    assert "The lift is stuck" not in reason_form.text
    assert reads(office, ref, BURAK) == []

    await burak.presses(reason_form, "I help the owner")
    form = await burak.opened("Ask")

    assert "The lift is stuck" in form.text
    assert reads(office, ref, BURAK) == [("ask", "help", True)]


async def test_a_form_counts_as_read_only_if_it_shows_all_that_is_unread(office: Office) -> None:
    ref = office.owned(ALICE)
    await office.acts(ALICE, "Assess", ref, ASSESSMENT)
    read_at = office.store.read(find_last_read, ref, ALICE)
    office.clock.go_on(minutes=5)
    for number in range(4):
        office.add(ref, f"Message {number}")
    alice = office.staff(ALICE)
    await alice.presses(await office.card(ref), "Resolve")
    form = await alice.opened("Resolve")

    assert "Message 3" in form.text
    assert "Message 0" not in form.text
    assert office.store.read(find_last_read, ref, ALICE) == read_at


@pytest.mark.parametrize(
    ("setting", "more", "subject"),
    [
        (True, {}, "Money · I am [name], my card [card] was charged twice"),
        (False, {}, ""),
        (True, {"category": "staff_conduct", "restricted": True}, ""),
    ],
)
async def test_a_card_has_masked_words_only_if_the_settings_say_so_and_never_of_a_restricted_complaint(
    office: Office, setting: bool, more: dict[str, object], subject: str
) -> None:
    ref = office.proposed("I am Anna Zzyzx, my card 4111 1111 1111 1111 was charged twice", **more)
    desk = replace(office.desk, masked_subject=setting)
    case = office.store.read(load_case, ref)

    assert await masked_subject(desk, case) == subject
    assert await masked_subject(desk, replace(case, flags=case.flags | {Flag.ANONYMOUS})) == ""
    drawing = await draw_card(desk, case, "card", None, is_working_place=True)
    assert ("charged" in str(drawing.message.blocks)) == bool(subject)
    assert "charged" not in drawing.message.text
