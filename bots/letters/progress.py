"""What staff write, and what is said when a date comes and nobody wrote (7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from bots.letters.letter import Letter, below, parts
from complaints.case import Case
from complaints.deadlines.targets import next_news, outside_when_missed
from complaints.lifecycle import UNDECIDED
from complaints.vocabulary import Target

#: What is said when a date beside the answer's will not be kept, and when it was not.
_BESIDE: Mapping[Target, tuple[str, str]] = {
    Target.DATA_REQUEST: ("data_request.missing", "data_request.late"),
    Target.REPLY: ("reply.missing", "reply.late"),
    Target.PRIVACY: ("privacy.missing", "privacy.late"),
    Target.FIRST_ACTION: ("first_action.missing", "first_action.late"),
}


def reply(letter: Letter, words: Mapping[str, str]) -> str:
    """A person's words, under the reference."""
    return letter.say("reply", text=words["text"].strip(), team=letter.team, org=letter.organisation)


def ask(letter: Letter, words: Mapping[str, str], needed_by: str) -> str:
    """What is needed, by which day; the work goes on meanwhile."""
    return letter.say(
        letter.way("ask", "ask.spoken"),
        text=words["text"].strip(),
        date=letter.day(date.fromisoformat(needed_by)),
        team=letter.team,
        org=letter.organisation,
    )


def inform(letter: Letter, words: Mapping[str, str], next_date: str) -> str:
    """Done, left, the next date, and why where it takes longer."""
    reason = words.get("reason", "").strip()
    return letter.say(
        "inform",
        done=words["done"].strip(),
        left=words["left"].strip(),
        reason=below(letter.say("inform.reason", reason=reason)) if reason else "",
        date=letter.day(date.fromisoformat(next_date)),
        team=letter.team,
        org=letter.organisation,
    )


def progress(letter: Letter, now: datetime, *, missing: bool = False) -> str:
    """A date of ours has come: how far it is, what is left, and whether the outside is open now.

    `missing`: the date of the answer itself will not be kept, which is told before it passes (7.3).
    """
    case = letter.case
    answer = letter.answer_by()
    date, again = letter.day(answer), letter.day(next_news(case, now))
    if case.state not in UNDECIDED:
        when = ""  # somebody of staff named this day for the next news; the answer itself was given
    elif answer <= now:
        when = letter.say("progress.late", date=date, again=again)
    elif missing:
        when = letter.say("progress.missing", date=date, again=again)
    else:
        when = letter.say("progress.on_time", date=date)
    said = letter.say(
        "progress",
        done=letter.say(f"progress.done.{case.state}"),
        left=letter.say(f"progress.left.{case.state}"),
        when=when,
    )
    open_now = outside_is_open(case, now) or (missing and case.rules.targets.delay_outside)
    return parts(said.strip(), outside_now(letter) if open_now else "")


def delay(letter: Letter, now: datetime) -> str:
    """The promised date comes near and the answer is not ready: how far it is, and what they can count on."""
    case, answer = letter.case, letter.answer_by()
    said = letter.say(
        "delay" if answer > now else "delay.late",
        date=letter.day(answer),
        done=letter.say(f"progress.done.{case.state}"),
        left=letter.say(f"progress.left.{case.state}"),
    )
    return parts(said, outside_now(letter) if case.rules.targets.delay_outside else "")


def beside(letter: Letter, target: Target, now: datetime) -> str:
    """The date of what they wait for beside the answer (their data, a question) will not be kept, or was not."""
    one = letter.case.target(target)
    date = one.promised_due if one is not None else letter.answer_by()
    missing, late = _BESIDE[target]
    return letter.say(missing if date > now else late, date=letter.day(date))


def outside_now(letter: Letter) -> str:
    """That the complainant need not wait for us any longer."""
    return f"{letter.say('progress.outside_now')}\n{letter.bodies()}"


def outside_is_open(case: Case, now: datetime) -> bool:
    """Was the legal maximum missed, or a time by which the scheme opens the outside at a later level?"""
    legal, decide = case.target(Target.LEGAL), case.target(Target.DECIDE)
    if (
        legal is not None
        and legal.internal_due <= now
        and (legal.met_at is None or legal.met_at > legal.internal_due)
    ):
        return True
    if decide is None or decide.met_at is not None or decide.promised_due > now:
        return False
    return outside_when_missed(case, decide)


def legal_passed(letter: Letter, target: Target = Target.LEGAL) -> str:
    """The legal maximum, or a later level's own, has passed undecided: that we go on, and the outside right now."""
    legal = letter.case.target(target)
    passed = legal.internal_due if target is Target.LEGAL and legal is not None else letter.answer_by()
    said = letter.say(
        "legal_passed", date=letter.day(passed), left=letter.say(f"progress.left.{letter.case.state}")
    )
    return parts(said, outside_now(letter))


def confirmation(letter: Letter, verb: str, facts: Mapping[str, Any]) -> str:
    """What staff heard by voice, told back in writing."""
    given = facts.get("given_at")
    when = letter.moment(datetime.fromisoformat(given)) if given else letter.say("confirmation.earlier")
    return letter.say(f"confirmation.{verb}", when=when)
