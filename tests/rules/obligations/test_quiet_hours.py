"""Every obligation kind has a rule for the complainant's quiet hours and for the working hours of staff."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as some

from bots.letters.composer import LetterText
from bots.letters.letter import Letter
from bots.slack.job_handlers import job_handlers
from bots.telegram.callback_data import Buttons
from bots.telegram.letters import LetterHandler
from bots.telegram.sending import Sender
from bots.texts.catalogues import load_catalogues
from complaints.case import Case
from complaints.deadlines.quiet_hours import last_spoken_by
from complaints.obligations.kinds import SendPriority
from complaints.vocabulary import CloseCode, Target
from store.cases.read import load_case
from store.outbox.complete import Completed, Outcome, Rescheduled
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.store import Store
from store.values import Chat, Obligation
from tests.clauses import clause
from tests.rules.builders import REF, RULES, TUESDAY, a_communicated_case, an_assessed_case, at, rules_with
from tests.rules.target_dates import in_quiet_hours

ZONE, QUIET = RULES.calendar.zone, RULES.dialogue.quiet_hours
BY_PRIORITY = RULES.targets.by_priority

#: We start the contact: it waits for the end of the quiet hours.
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
        "conduct",
    }
)
#: It answers a message or a button: it is sent at once.
ANSWERS = frozenset({"say", "acknowledge", "recourse", "mydata", "summary", "form_copy"})
#: Danger is sent at once.
DANGER = frozenset({"danger_seen", "talk"})
#: An answer if the person's own words caused it, otherwise started by us.
ANSWER_OR_START = frozenset({"no_independent"})
#: It waits until its letter has left, and leaves right after it.
AFTER_ITS_LETTER = frozenset({"attachment"})


@dataclass
class Desk:
    """Store and sender for one complaint at one moment."""

    case: Case
    at: datetime
    left: list[str] = field(default_factory=list)

    def now(self) -> datetime:
        return self.at

    async def in_thread(self, call: Callable[..., Any], *args: Any) -> Any:
        return call(*args)

    async def aread(self, query: Callable[..., Any], *args: Any) -> Any:
        return self.case if query is load_case else None

    async def awrite(self, command: Callable[..., Any], *args: Any) -> None:
        """Nothing is written here."""

    async def send(self, obligation: Obligation, chat: Chat, message: object) -> Outcome:
        self.left.append(obligation.kind)
        return Completed(settled=True)


class ComposedBefore(LetterHandler):
    def compose(self, letter: Letter, obligation: Obligation) -> LetterText:
        return LetterText("Words.", "words")


class NoButtons:
    def keyboard(self, *args: object, **more: object) -> None:
        """None."""


def perform_obligation(kind: str, case: Case, now: datetime, **facts: Any) -> Outcome:
    """The outcome for this kind at this moment, with its letter already written."""
    desk = Desk(case, now)
    speaking = ComposedBefore(
        cast(Store, desk), cast(Sender, desk), cast(Buttons, NoButtons()), load_catalogues(("en", "tr"))
    )
    chat = Chat("telegram", "70001", "en", None)
    obligation = Obligation(
        1, kind, kind, now, REF, chat, facts, {}, SendPriority.NOTICE, attempts=0, uncertain=False
    )

    outcome = asyncio.run(speaking.send(obligation))
    assert bool(desk.left) is (outcome == Completed(settled=True))
    return outcome


def test_every_kind_that_writes_to_the_complainant_has_a_quiet_hours_rule() -> None:
    sides = (STARTS, ANSWERS, DANGER, ANSWER_OR_START, AFTER_ITS_LETTER)
    assert frozenset().union(*sides) == SENT_TO_COMPLAINANT
    assert sum(map(len, sides)) == len(SENT_TO_COMPLAINANT)


@clause("7.3")
@pytest.mark.parametrize("kind", sorted(SENT_TO_COMPLAINANT - {"say"} - AFTER_ITS_LETTER))
@pytest.mark.parametrize(
    ("night", "ends"),
    [
        (at("2026-11-17 20:00"), at("2026-11-18 08:00")),
        (at("2026-11-18 07:59"), at("2026-11-18 08:00")),
        # The night is an hour shorter when the clocks go forward, and an hour longer when they go back.
        (at("2026-03-28 23:00"), at("2026-03-29 07:00")),
        (at("2026-10-24 20:00"), at("2026-10-25 08:00")),
        (at("2026-10-25 01:30"), at("2026-10-25 08:00")),
    ],
)
def test_in_quiet_hours_only_answers_and_danger_are_sent(kind: str, night: datetime, ends: datetime) -> None:
    case = replace(a_communicated_case().case, last_words_at=TUESDAY - timedelta(days=300))
    outcome = perform_obligation(kind, case, night, verb="assess", seq=1)
    if kind in STARTS | ANSWER_OR_START:
        assert outcome == Rescheduled(ends, "quiet hours")
    else:
        assert outcome == Completed(settled=True)


@pytest.mark.parametrize("kind", sorted(SENT_TO_COMPLAINANT - {"say"} - AFTER_ITS_LETTER))
def test_outside_quiet_hours_everything_is_sent(kind: str) -> None:
    assert perform_obligation(kind, a_communicated_case().case, at("2026-11-18 08:00"), seq=1) == Completed(
        settled=True
    )


def test_an_answer_to_the_complainant_is_sent_in_quiet_hours() -> None:
    case = replace(a_communicated_case().case, last_words_at=at("2026-11-17 22:00"))
    assert perform_obligation("letter", case, at("2026-11-17 22:29"), seq=1) == Completed(settled=True)
    assert perform_obligation("letter", case, at("2026-11-17 22:31"), seq=1) == Rescheduled(
        at("2026-11-18 08:00"), "quiet hours"
    )
    assert perform_obligation("no_independent", case, at("2026-11-17 22:00"), verb="add") == Completed(
        settled=True
    )
    withdrawn = replace(case, close_code=CloseCode.WITHDRAWN)
    assert perform_obligation("closing", withdrawn, at("2026-11-17 23:00")) == Completed(settled=True)


@given(minutes=some.integers(0, 2 * 365 * 24 * 60))
def test_the_last_time_before_a_moment_lies_outside_quiet_hours(minutes: int) -> None:
    moment = at("2026-01-01 00:00") + timedelta(minutes=minutes)
    latest = last_spoken_by(moment, QUIET, ZONE)
    assert latest <= moment
    assert not in_quiet_hours(latest, QUIET, ZONE)
    assert latest == moment or in_quiet_hours(latest + timedelta(minutes=1), QUIET, ZONE)


@clause("7.3")
def test_a_late_decision_is_announced_before_the_day_ends() -> None:
    complaint = an_assessed_case()
    (notice,) = (
        obligation for obligation in complaint.obligations if obligation.key.startswith("progress:decide")
    )
    assert (notice.key, notice.due) == ("progress:decide:2", at("2026-11-17 16:30"))
    # The legal maximum has a notice of its own, at its date and not before.
    legal = an_assessed_case(rules=rules_with(legal="10 bd"))
    assert legal.obligation("legal_passed").due == at("2026-11-17 17:30")
    assert "progress:decide:2" in legal.keys


@clause("7.3")
def test_only_one_notice_is_sent_before_a_missed_date() -> None:
    # Both dates fall into the same night: both notices would be sent in the minute before the quiet hours.
    spans = {
        priority: replace(times, update_every="10 h", decide="12 h")
        for priority, times in BY_PRIORITY.items()
    }
    rules = rules_with(by_priority=spans)
    complaint = an_assessed_case(rules=replace(rules, calendar=replace(rules.calendar, always=True)))
    notices = [obligation for obligation in complaint.obligations if obligation.kind == "progress"]
    assert [obligation.key.rpartition(":")[0] for obligation in notices] == ["progress:decide"]


def test_with_a_calendar_always_open_the_notice_precedes_quiet_hours() -> None:
    complaint = an_assessed_case(rules=replace(RULES, calendar=replace(RULES.calendar, always=True)))
    target = complaint.case.target(Target.UPDATE)
    assert target is not None
    (notice,) = (
        obligation for obligation in complaint.obligations if obligation.key == f"progress:{target.version}"
    )
    assert in_quiet_hours(target.internal_due - timedelta(minutes=1), QUIET, ZONE)
    assert notice.due == target.internal_due - timedelta(hours=4, minutes=1)


#: What is sent to a member of staff, and when.
AT_ANY_HOUR = frozenset(
    {
        "page",
        "talk_show",
        "talk_mark",
        "talk_heard",
        "told_owner",
        "ask_approval",
        "told_checked",
        "incident_notice",
        "told_overturned",
        "survey_concern",
        "tell",
        "message",
        "home",
    }
)
IN_WORKING_HOURS = frozenset(
    {
        "remind", "digest", "told_failed", "tell_by_voice", "ask_review", "register_reminder", "register_check",
        "register_notice",
    }
)  # fmt: skip
#: Posts to channels and files that a member requested: no member is notified.
NOTIFIES_NO_MEMBER = frozenset(
    {
        "card",
        "redraw",
        "thread",
        "incident_card",
        "incident_update",
        "incident_decision",
        "bulk_inform",
        "draft_settled",
        "move",
        "stats",
        "clauses",
        "report",
        "channel_report",
        "slack_file",
        "slack_fetch",
        "slack_file_delete",
        "slack_erase",
        "checkpoint_post",
        "change_letter",
    }
)


def test_every_kind_that_slack_handles_has_a_working_hours_rule() -> None:
    kinds = set(job_handlers(cast(Any, None), cast(Any, None), interval=0.0))
    assert kinds == AT_ANY_HOUR | IN_WORKING_HOURS | NOTIFIES_NO_MEMBER
