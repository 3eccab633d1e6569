"""In Slack an erasure deletes what we wrote about the complaint; the card that is left says that it was erased."""

from __future__ import annotations

from complaints.actors import complainant
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from store.cases.act import act
from store.custody.erasure import erase, find_person
from store.files import store_file
from store.outbox.rows import insert_obligation
from store.people.staff import load_actor
from store.slack_posts import list_posts
from store.store import Store
from store.values import ReceivedFile
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges.slack_office import ALICE, MONA, TRIAGE, Office, open_office

PHOTO = ReceivedFile("p1", "u1", "photo", "7", mime="image/jpeg", size=9, name="leak.jpg")


async def a_withdrawn_complaint(office: Office) -> str:
    """A complaint with a direct message to Alice, a line in the thread, and its photo in her messages."""
    ref = office.receive("The water is brown", PHOTO)
    office.propose(ref)
    store = office.store
    store.write(store_file, ref, 1, b"\xff\xd8\xffpicture", "image/jpeg")
    store.write(act, ref, Verb.ASSIGN, store.read(load_actor, MONA), {"owner": ALICE})
    wanted = {"ref": ref, "file": 1, "to": ALICE}
    store.write(
        insert_obligation, NewObligation("send", "slack_file", office.clock.at, SendPriority.BULK, wanted)
    )
    await office.idle()
    person = complainant(store.read(find_person, ref))
    store.write(act, ref, Verb.WITHDRAW, person)
    await office.idle()
    return ref


def about(office: Office, ref: str) -> list[str]:
    """What Slack still shows of this complaint apart from its card."""
    channel = office.sim.world.slack.channels[TRIAGE]
    thread = [post.text for card in channel.posts for post in channel.replies(card.ts)]
    return [text for text in (*thread, *office.texts(ALICE)) if text]


@clause("8.1")
async def test_an_erasure_deletes_direct_messages_thread_lines_and_files(
    usual_store: Store, clock: FakeClock
) -> None:
    async with open_office(usual_store, clock) as office:
        ref = await a_withdrawn_complaint(office)
        assert len(about(office, ref)) > 2
        assert [file.deleted for file in office.sim.world.slack.files.values()] == [False]
        usual_store.write(erase, ref, "request")
        await office.idle()
        assert about(office, ref) == []
        assert [file.deleted for file in office.sim.world.slack.files.values()] == [True]
        assert "erased" in (await office.card(ref)).text
        assert usual_store.read(list_posts, ref, direct=True) == []
