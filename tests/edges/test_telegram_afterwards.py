"""Letters owed without anybody pressing: dates, progress, reminders, recourse, endings, danger seen.

The subject is what people see and press; what the store does beneath is tested on both databases in test_store_*.
Tests marked `on_both` lead its queries, locks and rows through the same road on PostgreSQL too.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bots.telegram.profile import introduce
from complaints.actors import staff
from complaints.vocabulary import CloseCode, Role, State, Verb
from simulator import Simulator
from simulator.customer import Customer
from store.cases.act import act
from store.cases.read import load_case, load_history, open_case
from store.people.staff import load_actor
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER
from tests.edges.telegram_line import TEXTS, Line, line


@pytest.fixture
async def desk(usual_store: Store) -> AsyncIterator[Line]:
    async with Simulator() as sim, line(sim, usual_store) as running:
        yield running


async def later(desk: Line, clock: FakeClock, **time: float) -> None:
    """Let time pass and everything due be done."""
    clock.go_on(**time)
    desk.performing.nudge()
    await desk.settled()


async def decided(desk: Line) -> tuple[Customer, str]:
    """A complaint whose decision was told."""
    anna = await desk.tells()
    ref = await desk.signs(anna)
    desk.decides(ref)
    await desk.settled()
    return anna, ref


async def test_after_the_assessment_the_first_real_dates_are_told(desk: Line) -> None:
    anna = await desk.tells()
    ref = await desk.signs(anna)
    desk.store.write(act, ref, Verb.ASSESS, desk.store.read(load_actor, HANDLER), ASSESSED)
    await desk.settled()
    assert anna.heard[-1].startswith(f"{ref}: a person has read and assessed your complaint. We answer by ")


async def test_a_preset_date_without_news_is_answered_by_progress(desk: Line, clock: FakeClock) -> None:
    anna = await desk.tells()
    ref = await desk.signs(anna)
    await later(desk, clock, days=8, hours=4)
    told = [text for text in anna.heard if text.startswith(f"{ref}: so far we have recorded it.")]
    assert len(told) == 1
    informed = [one for one in desk.store.read(load_history, ref) if one.verb is Verb.INFORM]
    assert [one.role for one in informed] == [Role.SYSTEM]


async def test_silence_is_reminded_once_and_ends_without_counting_as_a_yes(
    desk: Line, clock: FakeClock
) -> None:
    anna, ref = await decided(desk)
    await later(desk, clock, days=16)
    assert len([text for text in anna.heard if "have no answer yet" in text]) == 1
    desk.store.write(act, ref, Verb.VERIFY, staff(MANAGER, Role.MANAGER), {"remedy": 0}, {"how": "Seen."})
    await later(desk, clock, days=30)
    case = desk.store.read(load_case, ref)
    assert (case.state, case.close_code, case.reply) == (State.CLOSED, CloseCode.ANSWERED_NO_REPLY, None)
    assert any("that does not count as your agreement" in text for text in anna.heard)


async def test_disagreement_goes_up_with_other_people_and_then_outside(desk: Line, clock: FakeClock) -> None:
    anna, ref = await decided(desk)
    await anna.presses("I disagree")
    await desk.settled()
    assert "is with level 2 of 2 now" in anna.heard[-2]
    assert f"so {ref} stays open. What should we look at again?" in anna.heard[-1]
    await anna.says("You never read my letter.")
    await desk.settled()
    store, manager = desk.store, desk.store.read(load_actor, MANAGER)
    store.write(open_case, ref, manager, "case")
    evidence = {"evidence": ["complainant_heard", "records_checked"]}
    facts = {"issues": [{"finding": "not_upheld"}], "cause_class": "single", "others_affected": "none"}
    words = {"issues.0.reasons": "The terms say so.", "root_cause": "Terms.", "letter": "We looked again."}
    store.write(act, ref, Verb.ASSIGN, manager, {"owner": MANAGER})
    store.write(act, ref, Verb.INVESTIGATE, manager, evidence)
    store.write(act, ref, Verb.RESPOND, manager, facts, words)
    await desk.settled()
    assert anna.heard[-1] == "We looked again."
    await anna.presses("I disagree")
    await desk.settled()
    assert "nothing further that we can review" in anna.heard[-1]
    assert store.read(load_case, ref).state is State.RECOURSE_OFFERED


@pytest.mark.on_both
async def test_accepting_and_closing_is_followed_by_one_survey_and_one_reminder(
    desk: Line, clock: FakeClock
) -> None:
    anna, ref = await decided(desk)
    await anna.presses("I accept")
    await desk.settled()
    store, by = desk.store, desk.store.read(load_actor, HANDLER)
    store.write(open_case, ref, by, "case")
    store.write(act, ref, Verb.CLOSE, by, {"cause_class": "single"}, {"root_cause": "An old pipe."})
    await desk.settled()
    assert f"{ref} is now closed" in anna.heard[-1]
    await later(desk, clock, days=4)
    assert "Were you treated fairly and with respect?" in anna.heard[-1]
    await later(desk, clock, days=6)
    assert "This is the only reminder." in anna.heard[-1]
    await anna.presses("5")
    await desk.settled()
    assert anna.heard[-1].startswith("What do you say to the outcome?")
    await later(desk, clock, days=60)
    assert len([text for text in anna.heard if "treated fairly" in text]) == 2


async def test_who_saw_the_danger_is_told_after_the_receipt_and_not_before(desk: Line) -> None:
    anna = desk.sim.customer("Anna")
    await anna.says("There is a strong smell of gas in the kitchen now!")
    await desk.settled()
    assert anna.heard[0].startswith("Please call 0800 111 999 now")
    assert "has seen it" not in "".join(anna.heard)
    desk.store.write(act, desk.ref, Verb.RECEIPT, desk.store.read(load_actor, MANAGER))
    await desk.settled()
    assert anna.heard[-1] == f"{desk.ref}: a manager has seen it."


async def test_taking_it_back_is_answered_once(desk: Line) -> None:
    anna = await desk.tells()
    ref = await desk.signs(anna)
    await anna.says("/withdraw")
    await desk.settled()
    await anna.presses("Yes")
    await desk.settled()
    assert anna.heard[-1].startswith(f"You have taken {ref} back.")
    assert len([text for text in anna.heard if "back" in text]) == 2
    assert desk.store.read(load_case, ref).close_code is CloseCode.WITHDRAWN


async def test_the_app_lists_the_commands_in_each_language(desk: Line) -> None:
    await introduce(desk.app, TEXTS)
    turkish = await desk.app.bot.get_my_commands(language_code="tr")
    assert ("status", "Şikâyetlerinizin durumu") in [(one.command, one.description) for one in turkish]
