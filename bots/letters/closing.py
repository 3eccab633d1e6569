"""Letters after the decision: remedies, the reminder, outside bodies, the closing and the survey (7.7, 7.9, 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bots.dialogue.buttons import SURVEY
from bots.letters.letter import Letter, join_paragraphs, paragraph_below
from bots.letters.progress import outside_now
from complaints.case_values import RemedyOwed
from complaints.deadlines.targets import next_news
from complaints.deadlines.working_time import due
from complaints.vocabulary import Target


def remedy_done(letter: Letter, remedy: RemedyOwed, words: Mapping[str, str]) -> str:
    """A remedy was carried out; the complainant is asked to check it."""
    done = remedy.done_at or letter.case.received_at
    return letter.text(
        "remedy_done", remedy=letter.recorded_remedy(remedy, words), date=letter.event_day(done)
    )


def remedy_late(letter: Letter, remedy: RemedyOwed, words: Mapping[str, str], now: datetime) -> str:
    """A promised date will be missed, or was missed, with the date of the next news."""
    promised = _promised_date(letter, remedy)
    return letter.text(
        "remedy_late.missing" if promised > now else "remedy_late",
        remedy=letter.recorded_remedy(remedy, words),
        date=letter.due_day(promised),
        again=letter.due_day(next_news(letter.case, now)),
    )


def remedy_still_late(letter: Letter, remedy: RemedyOwed, words: Mapping[str, str], now: datetime) -> str:
    """A remedy reported as late is still not done: the next news, and that outside bodies can act now."""
    case = letter.case
    text = letter.text(
        "remedy_late.still",
        remedy=letter.recorded_remedy(remedy, words),
        date=letter.due_day(_promised_date(letter, remedy)),
        again=letter.due_day(next_news(case, now)),
    )
    return join_paragraphs(text, outside_now(letter) if case.rules.recourse else "")


def _promised_date(letter: Letter, remedy: RemedyOwed) -> datetime:
    """The current promised date: it may have been moved since the decision."""
    target = letter.case.target(Target.REMEDY, remedy.n)
    return target.promised_due if target is not None else remedy.due


def reply_reminder(letter: Letter) -> str:
    """The only reminder to reply to the decision, with the time limit of the outside bodies."""
    case = letter.case
    lapse = case.target(Target.LAPSE)
    communicated = case.decision.communicated_at if case.decision is not None else None
    outside = letter.text("reply_reminder.outside", bodies=letter.body_list()) if case.rules.recourse else ""
    return letter.text(
        "reply_reminder",
        told=letter.event_day(communicated or case.received_at),
        date=letter.due_day(lapse.promised_due if lapse is not None else case.received_at),
        outside=paragraph_below(outside),
    )


def recourse(letter: Letter) -> str:
    """No further internal level: the outside bodies in their order."""
    return letter.text("recourse", bodies=letter.body_list())


def summary(letter: Letter) -> str:
    """The summary resolution communication: settled early and accepted, and the outside bodies for later."""
    case = letter.case
    return letter.text(
        "summary",
        received=letter.event_day(case.received_at),
        accepted=letter.event_day(case.reply_at or case.received_at),
        bodies=letter.body_list(),
    )


def closing(letter: Letter, code: str, words: Mapping[str, str], *, other: str = "") -> str:
    """How the complaint ended, by its close code, and how to reopen it; `words` are those of the closing act.

    `other` is the reference of the complaint that continues after a merge.
    """
    case = letter.case
    ended = case.closed_at or case.received_at
    until = due(ended, case.rules.targets.reopen_window, case.rules.calendar).at
    how_to_reopen = letter.by_channel("closing.again", "closing.spoken_again")
    return letter.text(
        f"closing.{code}",
        again=letter.text(how_to_reopen, date=letter.due_day(until)),
        reason=words.get("reason", "").strip() or letter.text("closing.no_reason"),
        bodies=letter.body_list(),
        other=other,
    )


def survey(letter: Letter, *, reminder: bool = False) -> str:
    """The purpose of the survey and its first question; the others follow after each answer."""
    question = letter.text(f"survey.{SURVEY[0]}")
    return letter.text("survey_reminder" if reminder else "survey", question=question)
