"""The slash command: search, figures, reports, clauses and policy, each answered privately.

Tests marked `on_both` depend on SQL and run on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from bots.slack.listeners import slash_commands
from bots.slack.payloads import SlashCommand
from bots.slack.responses import CommandReply
from complaints.vocabulary import Verb
from simulator.screen import Modal
from store.cases.act import act
from store.cases.read import load_case
from store.people.staff import load_actor
from store.record.access_log import find_last_read
from store.similarity.sketches import write_words
from store.store import Store
from store.tables import ATTEMPTS, READS
from tests.clauses import clause
from tests.databases import FakeClock
from tests.edges import pdf
from tests.edges.slack_office import ALICE, AUDREY, BURAK, MONA, TRIAGE, Office, open_office
from triage.search_words import story_words


@pytest.fixture
async def office(usual_store: Store, clock: FakeClock) -> AsyncIterator[Office]:
    async with open_office(usual_store, clock) as opened:
        yield opened


async def asks(office: Office, member: str, words: str) -> str:
    before = len(office.staff(member).ephemerals)
    await office.staff(member).runs(f"/complaints {words}", channel=TRIAGE)
    await office.idle()
    return "\n".join(message.text for message in office.staff(member).ephemerals[before:])


@pytest.mark.on_both
async def test_a_complaint_is_found_by_the_numbers_and_addresses_in_its_words(office: Office) -> None:
    ref = office.receive("My bill is wrong, account 8841207; call 020 7946 0018 or write to anna@example.org")

    for number in ("8841207", "88 41 207", "+44 20 7946 0018", "Anna@Example.org"):
        assert ref in await asks(office, ALICE, f"search {number}")
    assert ref not in await asks(office, ALICE, "search 8841208")


@clause("4.7")
async def test_a_search_for_a_number_is_recorded_with_and_without_a_result(office: Office) -> None:
    ref = office.receive("Account 8841207 was charged twice")
    await asks(office, ALICE, "search 8841207")
    await asks(office, ALICE, "search 1234567")
    with office.store._engines.reading.connect() as connection:
        reads = connection.execute(select(READS.c.ref, READS.c.by, READS.c.what, READS.c.version)).all()
        attempts = connection.execute(select(ATTEMPTS.c.ref, ATTEMPTS.c.verb, ATTEMPTS.c.code)).all()

    assert reads == [(ref, ALICE, "search", 0)]
    assert attempts == [(None, "search", "nothing_found")]
    assert office.store.read(find_last_read, ref, ALICE) is None


async def test_words_are_searched_from_the_home_and_a_result_opens_the_complaint(office: Office) -> None:
    ref = office.receive("Brown water in the kitchen, call 020 7946 0018")
    office.propose(ref)
    office.store.write(write_words, ref, story_words("Brown water in the kitchen", "en"))
    answer = await asks(office, ALICE, "search kitchens BROWN")
    assert ref in answer
    assert "kitchens brown" in answer
    assert "Nothing found" in await asks(office, ALICE, "search brown cellar")

    alice = office.staff(ALICE)

    async def searches(**values: str) -> Modal:
        assert alice.home is not None
        await alice.presses(alice.home, "Search…")
        await alice.opened("Search complaints")
        await alice.fills(values)
        results = await alice.submits()
        assert results is not None
        return results

    await alice.opens_home()
    await office.sim.until(lambda: alice.home is not None, timeout=10)
    results = await searches(text="water", category="money", since="2026-11-03")
    assert ref in results.text
    assert "kitchen" not in results.text
    await alice.presses(results, "Open")
    assert ref in (await alice.opened("Open")).text
    await alice.closes(all=True)
    nothing = await searches(text="water", until="2026-11-01")
    assert "Nothing found" in nothing.text
    assert "to Sun 1 Nov 2026" in nothing.text


@clause("4.7")
@pytest.mark.on_both
async def test_a_search_leaves_out_complaints_the_member_may_not_know_of(office: Office) -> None:
    ref = office.receive("Your clerk shouted at me about account 8841207")
    office.propose(ref, category="staff_conduct", restricted=True)
    for wanted in ("8841207", ref, "staff_conduct", "received"):
        # Without a row: what was searched is repeated.
        assert f"{ref} ·" not in await asks(office, BURAK, f"search {wanted}")
        assert f"{ref} ·" in await asks(office, MONA, f"search {wanted}")


@pytest.mark.on_both
async def test_complaints_are_found_by_category_state_and_priority(office: Office) -> None:
    ref = office.proposed()

    for code in ("money", "Received", office.store.read(load_case, ref).state.value, "P3"):
        assert ref in await asks(office, ALICE, f"search {code}")
    assert "Nothing here" in await asks(office, ALICE, "search closed")


@pytest.mark.on_both
async def test_the_figures_of_the_quarter_are_sent_privately(office: Office) -> None:
    for n in range(12):
        office.receive(f"Matter number {n} with the bill")
    office.clock.go_on(days=40)
    await office.idle()
    answer = await asks(office, ALICE, "stats")

    assert "*12* received" in answer
    assert "Assessed in time" in answer
    assert "0 % (0 of 12)" in answer


async def test_the_monitoring_report_is_sent_in_short_and_as_a_file_only_to_managers_and_auditors(
    office: Office,
) -> None:
    office.proposed()
    await asks(office, AUDREY, "report monitoring")
    refused = await asks(office, ALICE, "report monitoring")
    other = await asks(office, MONA, "report horoscope")
    ((name, file),) = office.staff(AUDREY).files
    short = office.texts(AUDREY)

    assert name == "monitoring-2026-11-03.pdf"
    assert "5 August 2026 to 3 November 2026" in pdf.words(file)
    assert any("1 complaint was received." in text for text in short)
    assert "role" in refused
    assert office.staff(ALICE).files == []
    assert "`monitoring`" in other


@clause("C")
async def test_a_report_leaves_out_complaints_its_reader_may_not_know_of(office: Office) -> None:
    ref = office.proposed()
    office.store.write(
        act,
        ref,
        Verb.DECLARE_CONFLICT,
        office.store.read(load_actor, MONA),
        {"who": AUDREY},
        {"reason": "A relative"},
    )
    office.clock.go_on(days=40)
    await office.idle()
    await asks(office, AUDREY, "report monitoring")
    await asks(office, MONA, "report monitoring")
    pages = [pdf.words(office.staff(member).files[0][1]) for member in (AUDREY, MONA)]

    assert [ref in page for page in pages] == [False, True]


async def test_the_policy_states_levels_times_limits_and_that_it_is_free(office: Office) -> None:
    answer = await asks(office, ALICE, "policy")

    assert "free of charge" in answer
    assert "Level 2: manager, top management" in answer
    assert "4 working hours" in answer
    assert "100.00 GBP" in answer


async def test_the_policy_command_refuses_an_unknown_country_and_lists_the_known_ones(office: Office) -> None:
    assert await asks(office, ALICE, "policy ZZ") == (
        "There is no policy for `ZZ`. There is one for: `GB` United Kingdom."
    )
    assert "free of charge" in await asks(office, ALICE, "policy gb")


async def test_the_clauses_command_shows_the_check_of_this_desk(office: Office) -> None:
    assert "amends clauses" in await asks(office, ALICE, "clauses")
    desk = replace(office.desk, clauses=lambda: ["7.4 met", "8.5 not yet"])

    command = SlashCommand("clauses", "", ALICE, "t", TRIAGE)
    answer = await slash_commands.clauses(command, office.store.read(load_actor, ALICE), desk)
    assert isinstance(answer, CommandReply)
    assert answer.text != ""
