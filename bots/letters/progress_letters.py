"""Letters until the decision: the acknowledgement, dates, what staff write (4.3, 4.5), and news (7.3, 7.4)."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from bots.letters.letter import Letter, join_paragraphs, paragraph_below
from complaints.case import Case
from complaints.deadlines.legal_time import legal_runs, legal_time
from complaints.deadlines.targets import next_news, outside_when_missed
from complaints.forms import Field, Form, Input
from complaints.times import parse_time
from complaints.vocabulary import UNDECIDED, State, Target

#: Texts for dates other than the answer's: one before the date is missed, one after.
_OTHER_DELAYS: Mapping[Target, tuple[str, str]] = {
    Target.DATA_REQUEST: ("data_request.missing", "data_request.late"),
    Target.REPLY: ("reply.missing", "reply.late"),
    Target.PRIVACY: ("privacy.missing", "privacy.late"),
    Target.FIRST_ACTION: ("first_action.missing", "first_action.late"),
    Target.CONDUCT: ("appeal.missing", "appeal.late"),
}


# --- what staff write


def acknowledgement(letter: Letter, level: int = 1, *, now: datetime | None = None) -> str:
    """The acknowledgement: one date and the complainant's rights; of a review, who decides now.

    `now` is the time at which the letter is sent. After an escalation without a decision the first acknowledgement
    can still be owed: it is the same as at level 1.
    """
    case = letter.case
    is_review = level > 1 and case.reviews_decision
    if not is_review and case.is_offline:
        return read_out(letter, now=now)
    if is_review:
        return letter.text(
            "ack.level",
            level=level,
            levels=case.rules.top_level,
            date=letter.due_day(letter.answer_by(now)),
            outside=_outside_paragraph(letter),
        )
    return letter.text(
        _in_time("ack", letter, now),
        time=letter.moment(case.received_at),
        team=letter.team,
        date=letter.due_day(letter.answer_by(now)),
        outside=_outside_paragraph(letter),
        unsigned=paragraph_below(letter.text("ack.unsigned")) if is_unsigned(letter) else "",
    )


def read_out(letter: Letter, *, now: datetime | None = None) -> str:
    """The acknowledgement as staff read it out or post it: reference, date and rights, no command."""
    return letter.text(
        _in_time("ack.spoken", letter, now),
        time=letter.moment(letter.case.received_at),
        team=letter.team,
        date=letter.due_day(letter.answer_by(now)),
        outside=_outside_paragraph(letter),
    )


def _in_time(id_: str, letter: Letter, now: datetime | None) -> str:
    """The text that promises the date of the answer, or the one for a date that has passed, as when logged late."""
    return "ack.late" if now is not None and letter.answer_by(now) <= now else id_


def is_unsigned(letter: Letter) -> bool:
    """True when the form was filed without a signature; Send can still sign it.

    A person who said that it is part of an incident has read that nothing more is needed.
    """
    case = letter.case
    return case.confirmed_at is None and case.channel == "telegram" and case.incident is None


def dates(letter: Letter, now: datetime) -> str:
    """The dates that follow from the initial assessment."""
    update = letter.case.target(Target.UPDATE)
    text = letter.text("dates", date=letter.due_day(letter.answer_by()))
    if update is None or update.met_at is not None:
        return text
    if not now < update.internal_due < letter.answer_by():
        return text
    return f"{text} {letter.text('dates.update', date=letter.due_day(update.internal_due))}"


#: Who was promised the date that moves; the date of the first contact is promised only when it moves.
_MOVED: Mapping[str, str] = {Target.REMEDY: "dates.moved.remedy", Target.FIRST_ACTION: "dates.first_action"}


def moved_date(letter: Letter, target_name: str, number: int, reason: str) -> str | None:
    """A date was moved: the old one, the new one and the reason; None if the promised day is the same.

    `number` is the remedy's, or 0.
    """
    target = letter.case.target(Target(target_name), number)
    new = target.promised_due if target is not None else letter.answer_by()
    versions = [
        version
        for version in letter.case.targets
        if target is not None and (version.target, version.of) == (target.target, target.of)
    ]
    old = sorted(versions, key=lambda version: version.version)[-2:][0].promised_due if versions else new
    if letter.due_day(old) == letter.due_day(new) and target_name != Target.FIRST_ACTION:
        return None
    return letter.text(
        _MOVED.get(target_name, "dates.moved"),
        old=letter.due_day(old),
        new=letter.due_day(new),
        reason=reason.strip() or letter.text("closing.no_reason"),
        outside=_outside_paragraph(letter),
    )


def danger_seen(letter: Letter, role: str) -> str:
    """A member of staff has seen the report of danger; sent only after they did."""
    return letter.text("danger.seen", role=letter.text(f"role.{role}"))


def person_talks(letter: Letter, role: str, phase: str) -> str:
    """A person begins to write in the chat, or has ended that; discreet where another person may read along."""
    if phase == "end":
        return letter.text("danger.person_left")
    if letter.case.is_discreet:
        return letter.text("danger.person_discreet")
    return letter.text("danger.person", org=letter.organisation, role=letter.text(f"role.{role}"))


def _outside_paragraph(letter: Letter) -> str:
    names = letter.body_names()
    return paragraph_below(letter.text("ack.outside", bodies=names)) if names else ""


def from_staff(
    letter: Letter, form: Form, facts: Mapping[str, Any], words: Mapping[str, str], text_id: str = ""
) -> str:
    """What staff wrote into a form, inside its text: `{NAME}` is each field that the complainant reads.

    A field that may be empty is a paragraph of its own, the text `ID.NAME`.
    """
    id_ = text_id or form.letter
    filled = {
        field.name: _as_read(letter, id_, field, facts, words)
        for field in form.fields
        if field.reader == "complainant" and field.input is not Input.FILES
    }
    return letter.text(id_, **filled, team=letter.signature, org=letter.organisation)


def _as_read(
    letter: Letter, id_: str, field: Field, facts: Mapping[str, Any], words: Mapping[str, str]
) -> str:
    value = words.get(field.name, "").strip() if field.sealed else str(facts.get(field.name) or "")
    if value and field.input is Input.DATE:
        value = letter.due_day(date.fromisoformat(value))
    elif value and field.input is Input.MOMENT:
        value = letter.moment(parse_time(value))
    if field.required:
        return value
    return paragraph_below(letter.text(f"{id_}.{field.name}", **{field.name: value})) if value else ""


def contact_limit(
    letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str], outcome: str = "limit"
) -> str:
    """What the limit names, until when and why, and how to appeal; or how it was reviewed, or that it ended."""
    names = (
        "• " + letter.text(f"conduct.limit.{name}", days=str(facts.get("reply_days") or ""))
        for name in facts["limits"]
    )
    return letter.text(
        f"conduct.{outcome}",
        limits="\n".join(names),
        date=letter.due_day(date.fromisoformat(str(facts["until"]))),
        reason=words.get("reason", "").strip(),
        team=letter.signature,
        org=letter.organisation,
    )


def confirmation(letter: Letter, verb: str, facts: Mapping[str, Any]) -> str:
    """Confirm in writing what the complainant agreed with staff by voice."""
    agreed_at = facts.get("given_at")
    when = (
        letter.moment(datetime.fromisoformat(agreed_at)) if agreed_at else letter.text("confirmation.earlier")
    )
    return letter.text(f"confirmation.{verb}", when=when)


# --- news when a date comes


def progress(letter: Letter, now: datetime, *, missing: bool = False) -> str:
    """The news on a promised date: what is done, what is left, and whether outside bodies can act now.

    `missing`: the date of the answer will be missed, and the complainant learns it before (7.3).
    """
    case = letter.case
    legal, answer = case.target(Target.LEGAL), letter.answer_by()
    date, next_date = letter.due_day(answer), letter.due_day(next_news(case, now))
    if case.state not in UNDECIDED:
        when = ""  # The answer was given; staff named this day for further news.
    elif (
        legal is not None
        and case.asked_until is None
        and timedelta(0) <= now - legal.internal_due < timedelta(days=1)
    ):
        # `legal_passed` of the same day says the rest: what is left, that we are sorry, and where to go.
        return letter.text("progress.again", again=next_date)
    elif answer <= now:
        when = letter.text("progress.late", date=date, again=next_date)
    elif missing:
        when = letter.text("progress.missing", date=date, again=next_date)
    else:
        when = letter.text("progress.on_time", date=date)
    text = letter.text("progress", **done_and_left(letter), when=when)
    open_now = outside_is_open(case, now) or (missing and case.rules.targets.delay_outside)
    return join_paragraphs(text.strip(), outside_now(letter) if open_now else "")


def delay(letter: Letter, now: datetime) -> str:
    """The promised date is near and the answer is not ready: what is done, and what is left."""
    case, answer = letter.case, letter.answer_by()
    text = letter.text(
        "delay" if answer > now else "delay.late",
        date=letter.due_day(answer),
        **done_and_left(letter),
    )
    if answer > now and case.asked_until is None:
        text = f"{text} {letter.text('delay.nothing_needed')}"
    return join_paragraphs(text, outside_now(letter) if case.rules.targets.delay_outside else "")


def other_delay(letter: Letter, target_name: Target, number: int, now: datetime) -> str:
    """A date other than the answer's (personal data, a question) will be missed, or was missed."""
    target = letter.case.target(target_name, number)
    date = target.promised_due if target is not None else letter.answer_by()
    missing, late = _OTHER_DELAYS[target_name]
    return letter.text(missing if date > now else late, date=letter.due_day(date))


def legal_passed(letter: Letter, target_name: Target = Target.LEGAL) -> str:
    """The legal maximum, or that of a later level, passed without a decision: work continues, outside is open."""
    target = letter.case.target(target_name)
    passed = target.internal_due if target_name is Target.LEGAL and target is not None else letter.answer_by()
    # At a later level we did answer, but all levels together have taken too long.
    is_review = target_name is Target.LEGAL and bool(letter.case.decisions)
    text = letter.text(
        "legal_passed_review" if is_review else "legal_passed",
        date=letter.due_day(passed),
        left=done_and_left(letter)["left"],
    )
    return join_paragraphs(text, outside_now(letter))


def done_and_left(letter: Letter) -> Mapping[str, str]:
    """What was done and what is left to do, by the state.

    Only a review of a decision is with other people, and a reopened complaint counts as investigated before anybody
    looks at it.
    """
    case = letter.case
    state: str = case.state
    if case.state is State.ESCALATED and not case.reviews_decision:
        state = "raised"
    elif case.state is State.INVESTIGATING and case.reopened:
        state = "reopened"
    return {part: letter.text(f"progress.{part}.{state}") for part in ("done", "left")}


def outside_now(letter: Letter) -> str:
    """The complainant can turn to the outside bodies without waiting for us."""
    return f"{letter.text('progress.outside_now')}\n{letter.body_list()}"


def outside_is_open(case: Case, now: datetime) -> bool:
    """True when the legal maximum was missed, or a date whose miss opens the outside under the rules."""
    legal, decide = case.target(Target.LEGAL), case.target(Target.DECIDE)
    if (
        legal is not None
        and legal.internal_due <= now
        and (legal.met_at is None or legal.met_at > legal.internal_due)
    ):
        return True
    if case.decisions and legal_runs(case):
        shared = legal_time(case)
        if shared is not None and shared.due <= now:
            return True
    if decide is None or decide.met_at is not None or decide.promised_due > now:
        return False
    return outside_when_missed(case, decide)
