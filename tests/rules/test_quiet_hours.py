"""Who may be spoken to when: every kind of duty takes a side, for the complainant's quiet hours and for staff's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bots.letters import Letter
from bots.slack.performers import performers
from bots.telegram.callback_data import Buttons
from bots.telegram.letters import ComposedLetter, LetterHandler
from bots.telegram.sending import Sender
from bots.texts import load
from complaints.case import Case
from complaints.deadlines.quiet_hours import in_quiet_hours, last_spoken_by
from complaints.obligations.kinds import SendPriority
from complaints.vocabulary import CloseCode, Target
from store.cases.read import load_case
from store.outbox.outcomes import Completed, Outcome, Rescheduled
from store.outbox.rows import SPEAKING
from store.store import Store
from store.values import Chat, Obligation
from tests.clauses import clause
from tests.rules.builders import REF, RULES, TUESDAY, a_told_case, an_assessed_case, at, rules_with

ZONE, QUIET = RULES.calendar.zone, RULES.dialogue.quiet_hours
BY_PRIORITY = RULES.targets.by_priority

#: We begin it: it waits for the end of the quiet hours.
STARTS = frozenset(
    {
        "decision",
        "letter",
        "dates",
        "progress",
        "delay",
        "remedy_notice",
        "reply_reminder",
        "closing",
        "survey",
        "survey_reminder",
        "legal_passed",
        "confirmation",
        "outside",
        "next_recourse",
    }
)
#: It answers a message or a press of theirs: it leaves at once.
ANSWERS = frozenset({"say", "acknowledge", "recourse", "mydata", "summary"})
#: Danger leaves at once, whoever began.
DANGER = frozenset({"danger_seen"})
#: An answer where the person\'s own words brought it about, else begun by us.
EITHER = frozenset({"no_independent"})


@dataclass
class Desk:
    """A store and a sender of one complaint, at one moment."""

    one: Case
    at: datetime
    left: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)

    async def aread(self, query: Callable[..., Any], *args: Any) -> Any:
        return self.one if query is load_case else None

    async def awrite(self, command: Callable[..., Any], *args: Any) -> None:
        """Nothing is written here."""

    async def send(self, owed: Obligation, chat: Chat, message: object) -> Outcome:
        self.left.append(owed.kind)
        return Completed(settled=True)


class NoButtons:
    def keyboard(self, *args: object, **more: object) -> None:
        """None."""


def performed(kind: str, case: Case, now: datetime, **facts: Any) -> Outcome:
    """How the duty of this kind ends at this moment, its letter written already."""
    desk = Desk(case, now)
    speaking = LetterHandler(
        cast(Store, desk), cast(Sender, desk), cast(Buttons, NoButtons()), load(("en", "tr"))
    )
    chat = Chat("telegram", "70001", "en", None)
    owed = Obligation(
        1, kind, kind, now, REF, chat, facts, {}, SendPriority.NOTICE, attempts=0, uncertain=False
    )

    def write(letter: Letter, owed: Obligation) -> ComposedLetter:
        return ComposedLetter("Words.")

    outcome = asyncio.run(speaking._handler(kind, write)(owed))  # type: ignore[arg-type]
    assert bool(desk.left) is (outcome == Completed(settled=True))
    return outcome


def test_every_kind_that_speaks_has_taken_a_side() -> None:
    sides = (STARTS, ANSWERS, DANGER, EITHER)
    assert frozenset().union(*sides) == SPEAKING
    assert sum(map(len, sides)) == len(SPEAKING)


@clause("7.3")
@pytest.mark.parametrize("kind", sorted(SPEAKING - {"say"}))
@pytest.mark.parametrize(
    ("night", "ends"),
    [
        (at("2026-11-17 20:00"), at("2026-11-18 08:00")),
        (at("2026-11-18 07:59"), at("2026-11-18 08:00")),
        # The night in which the clocks go forward is an hour shorter, that in which they go back an hour longer.
        (at("2026-03-28 23:00"), at("2026-03-29 07:00")),
        (at("2026-10-24 20:00"), at("2026-10-25 08:00")),
        (at("2026-10-25 01:30"), at("2026-10-25 08:00")),
    ],
)
def test_in_quiet_hours_only_answers_and_danger_leave(kind: str, night: datetime, ends: datetime) -> None:
    case = replace(a_told_case().case, last_words_at=TUESDAY - timedelta(days=300))
    outcome = performed(kind, case, night, verb="assess", seq=1)
    if kind in STARTS | EITHER:
        assert outcome == Rescheduled(ends, "quiet hours")
    else:
        assert outcome == Completed(settled=True)


@pytest.mark.parametrize("kind", sorted(SPEAKING - {"say"}))
def test_by_day_everything_leaves(kind: str) -> None:
    assert performed(kind, a_told_case().case, at("2026-11-18 08:00"), seq=1) == Completed(settled=True)


def test_what_answers_the_person_leaves_at_night() -> None:
    case = replace(a_told_case().case, last_words_at=at("2026-11-17 22:00"))
    assert performed("letter", case, at("2026-11-17 22:29"), seq=1) == Completed(settled=True)
    assert performed("letter", case, at("2026-11-17 22:31"), seq=1) == Rescheduled(
        at("2026-11-18 08:00"), "quiet hours"
    )
    assert performed("no_independent", case, at("2026-11-17 22:00"), verb="add") == Completed(settled=True)
    withdrawn = replace(case, close_code=CloseCode.WITHDRAWN)
    assert performed("closing", withdrawn, at("2026-11-17 23:00")) == Completed(settled=True)


@given(minutes=some.integers(0, 2 * 365 * 24 * 60))
def test_what_must_be_said_by_a_moment_is_said_in_the_last_hour_that_is_not_quiet(minutes: int) -> None:
    moment = at("2026-01-01 00:00") + timedelta(minutes=minutes)
    said = last_spoken_by(moment, QUIET, ZONE)
    assert said <= moment
    assert not in_quiet_hours(said, QUIET, ZONE)
    assert said == moment or in_quiet_hours(said + timedelta(minutes=1), QUIET, ZONE)


@clause("7.3")
def test_an_answer_that_will_be_late_is_told_before_the_day_is_over() -> None:
    told = an_assessed_case()
    (notice,) = (one for one in told.owed if one.key.startswith("progress:decide"))
    assert (notice.key, notice.due) == ("progress:decide:2", at("2026-11-17 16:30"))
    # The legal maximum has a notice of its own beside it, which comes with the date and not before.
    legal = an_assessed_case(rules=rules_with(legal="10 bd"))
    assert legal.duty("legal_passed").due == at("2026-11-17 17:30")
    assert "progress:decide:2" in legal.keys


@clause("7.3")
def test_before_a_missed_date_one_notice_leaves_and_not_two_that_contradict_each_other() -> None:
    # Both dates fall into the same night: both notices would leave in the minute before the quiet hours.
    spans = {one: replace(times, update_every="10 h", decide="12 h") for one, times in BY_PRIORITY.items()}
    rules = rules_with(by_priority=spans)
    told = an_assessed_case(rules=replace(rules, calendar=replace(rules.calendar, always=True)))
    notices = [one for one in told.owed if one.kind == "progress"]
    assert [one.key.rpartition(":")[0] for one in notices] == ["progress:decide"]


def test_round_the_clock_the_notice_comes_before_the_quiet_hours() -> None:
    told = an_assessed_case(rules=replace(RULES, calendar=replace(RULES.calendar, always=True)))
    target = told.case.target(Target.UPDATE)
    assert target is not None
    (notice,) = (one for one in told.owed if one.key == f"progress:{target.version}")
    assert in_quiet_hours(target.internal_due - timedelta(minutes=1), QUIET, ZONE)
    assert notice.due == target.internal_due - timedelta(hours=4, minutes=1)


#: What a duty says to a person of staff by itself, and when.
AT_ANY_HOUR = frozenset({"page", "told_owner", "ask_approval", "told_overturned", "tell", "message", "home"})
IN_WORKING_HOURS = frozenset({"remind", "digest", "told_failed", "tell_by_voice"})
#: In channels and files that somebody asked for: nobody is called.
CALLS_NOBODY = frozenset(
    {
        "card",
        "redraw",
        "thread",
        "incident_card",
        "incident_update",
        "move",
        "stats",
        "clauses",
        "report",
        "slack_file",
        "slack_file_delete",
    }
)


def test_every_kind_that_slack_performs_has_taken_a_side() -> None:
    kinds = set(performers(cast(Any, None), cast(Any, None), pace=0.0))
    assert kinds == AT_ANY_HOUR | IN_WORKING_HOURS | CALLS_NOBODY
