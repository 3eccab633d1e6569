"""After the decision: remedies, the reminder, the way outside, the end and the survey (7.7, 7.9, 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bots.dialogue.buttons import SURVEY
from bots.letters.letter import Letter, below, parts
from bots.letters.progress import outside_now
from complaints.case_values import RemedyOwed
from complaints.deadlines.targets import next_news
from complaints.deadlines.working_time import due
from complaints.vocabulary import Target


def remedy_done(letter: Letter, one: RemedyOwed, words: Mapping[str, str]) -> str:
    """A remedy was carried out: please check."""
    done = one.done_at or letter.case.received_at
    return letter.say("remedy_done", remedy=letter.owed(one, words), date=letter.day_when(done))


def remedy_late(letter: Letter, one: RemedyOwed, words: Mapping[str, str], now: datetime) -> str:
    """A promised date will not be kept, or was not, and when they hear again."""
    promised = _promised(letter, one)
    return letter.say(
        "remedy_late.missing" if promised > now else "remedy_late",
        remedy=letter.owed(one, words),
        date=letter.day(promised),
        again=letter.day(next_news(letter.case, now)),
    )


def remedy_still_late(letter: Letter, one: RemedyOwed, words: Mapping[str, str], now: datetime) -> str:
    """It was told before and is still not done: when they hear again, and that the outside is open."""
    case = letter.case
    said = letter.say(
        "remedy_late.still",
        remedy=letter.owed(one, words),
        date=letter.day(_promised(letter, one)),
        again=letter.day(next_news(case, now)),
    )
    return parts(said, outside_now(letter) if case.rules.recourse else "")


def _promised(letter: Letter, one: RemedyOwed) -> datetime:
    """The date that stands now: it may have been moved, and told, since the decision."""
    target = letter.case.target(Target.REMEDY, one.n)
    return target.promised_due if target is not None else one.due


def reply_reminder(letter: Letter) -> str:
    """The one reminder of the reply, with until when the outside right runs."""
    case = letter.case
    lapse = case.target(Target.LAPSE)
    told = case.decision.communicated_at if case.decision is not None else None
    outside = letter.say("reply_reminder.outside", bodies=letter.bodies()) if case.rules.recourse else ""
    return letter.say(
        "reply_reminder",
        told=letter.day_when(told or case.received_at),
        date=letter.day(lapse.promised_due if lapse is not None else case.received_at),
        outside=below(outside),
    )


def recourse(letter: Letter) -> str:
    """Nothing further within: the outside steps in their order."""
    return letter.say("recourse", bodies=letter.bodies())


def summary(letter: Letter) -> str:
    """Settled early and accepted, and where to go who thinks otherwise later (summary resolution communication)."""
    case = letter.case
    return letter.say(
        "summary",
        received=letter.day_when(case.received_at),
        accepted=letter.day_when(case.reply_at or case.received_at),
        bodies=letter.bodies(),
    )


def closing(letter: Letter, code: str, words: Mapping[str, str], *, other: str = "") -> str:
    """How it ended, by its code, and the way back; `words` are those of the ending act."""
    case = letter.case
    ended = case.closed_at or case.received_at
    until = due(ended, case.rules.targets.reopen_window, case.rules.calendar).at
    return letter.say(
        f"closing.{code}",
        again=letter.say(letter.way("closing.again", "closing.spoken_again"), date=letter.day(until)),
        reason=words.get("reason", "").strip() or letter.say("closing.no_reason"),
        bodies=letter.bodies(),
        other=other,
    )


def survey(letter: Letter, *, reminder: bool = False) -> str:
    """The first question with what it is for; the others follow each answer."""
    question = letter.say(f"survey.{SURVEY[0]}")
    return letter.say("survey_reminder" if reminder else "survey", question=question)
