"""Files that staff attach to a letter: checked by content, sealed with the complaint, and sent after the letter."""

from __future__ import annotations

import pytest

from complaints.event_facts import HELD
from complaints.forms import Attachment
from complaints.vocabulary import Verb
from simulator import Simulator
from simulator.screen import FormRefused
from store.cases.read import load_case, load_history
from store.cases.staff_letters import act_with_attachments, attachments_state, load_attachment, take_back
from store.files import record_file_failed, store_file
from store.outbox.failed import list_failed
from store.people.staff import load_actor
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import HANDLER, Desk
from tests.edges.slack_office import ALICE, Office, open_office
from tests.edges.telegram_desk import TelegramDesk, telegram_desk

PDF = b"%PDF-1.7 the bill"


async def replied(office: Office, ref: str, name: str, data: bytes) -> str:
    """Alice sends a reply with this file; returns the text of the preview."""
    alice, card = office.staff(ALICE), await office.card(ref)
    await (alice.presses(card, "Reply") if "Reply" in card.buttons else alice.chooses(card, "More", "Reply"))
    await alice.opened("Reply")
    alice.attaches("attachments", (name, data))
    preview = await office.submits(ALICE, "Reply", {"text": "Here is your bill."})
    await alice.submits()
    await office.idle()
    return str(preview.text)


async def test_a_file_of_the_form_is_shown_in_the_preview_and_kept_with_the_complaint(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock) as office:
        ref = office.owned(ALICE)
        assert "Sent with it: bill.pdf" in await replied(office, ref, "bill.pdf", PDF)
        assert usual_store.read(load_attachment, ref, 1) == ("bill.pdf", PDF)

        # A program under another name is found by its content; the letter does not leave without its file.
        await replied(office, ref, "photo.jpg", b"MZ" + bytes(100))
        assert usual_store.read(attachments_state, ref, [2]) == "failed"

        with pytest.raises(FormRefused, match="A program or a web page is not sent"):
            await replied(office, ref, "setup.exe", PDF)


@pytest.fixture
def words() -> dict[str, str]:
    return {"text": "Here is your bill.", "letter": "Here is your bill."}


async def written(desk: TelegramDesk, words: dict[str, str]) -> tuple[str, int]:
    """A complaint, and the number of a reply with one file that is not fetched yet."""
    anna = await desk.send_story()
    ref = await desk.complete_form(anna)
    alice = desk.store.read(load_actor, HANDLER)
    recorded = desk.store.write(
        act_with_attachments, ref, Verb.REPLY, alice, {HELD: 1}, words, [Attachment("F1", "bill.pdf", 17)],
        version=desk.store.read(load_case, ref).work_version, key="draft",
    )  # fmt: skip
    return ref, recorded.event.seq


async def test_the_file_follows_its_letter_which_waits_until_it_is_fetched(
    usual_store: Store, clock: FakeClock, words: dict[str, str]
) -> None:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as desk:
        ref, _ = await written(desk, words)
        clock.go_on(seconds=1)
        await desk.settled()
        anna = desk.sim.customer("Anna")
        assert "Here is your bill." not in anna.heard

        usual_store.write(store_file, ref, 1, PDF, "application/pdf")
        await desk.sim.until(lambda: bool(anna.documents()), timeout=10)
        assert anna.documents() == [("bill.pdf", PDF)]
        assert anna.heard[-2] == "Here is your bill."
        assert usual_store.read(load_history, ref)[-1].verb is Verb.DELIVER


async def test_a_letter_whose_file_cannot_be_sent_fails_and_can_be_taken_back(
    usual_store: Store, clock: FakeClock, words: dict[str, str]
) -> None:
    async with Simulator() as sim, telegram_desk(sim, usual_store) as desk:
        ref, seq = await written(desk, words)
        usual_store.write(record_file_failed, ref, 1, "failed")
        clock.go_on(seconds=1)
        await desk.settled()
        assert [failed["kind"] for failed in usual_store.read(list_failed)] == ["letter"]

        usual_store.write(take_back, ref, seq, Desk(usual_store).actor(HANDLER))
        clock.go_on(seconds=600)
        await desk.settled()
        assert desk.sim.customer("Anna").documents() == []
        assert usual_store.read(load_case, ref).unsent == ()
