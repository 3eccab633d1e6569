"""The acknowledgement, and letters about dates: who answers, by when, and what was moved (7.4, 7.3)."""

from __future__ import annotations

from datetime import datetime

from bots.letters.letter import Letter, paragraph_below
from complaints.vocabulary import Target


def acknowledgement(letter: Letter, level: int = 1, *, now: datetime | None = None) -> str:
    """The acknowledgement: one date and the complainant's rights; at a higher level, who decides now.

    `now` is the time at which the letter is sent.
    """
    case = letter.case
    if level == 1 and case.told_by_people:
        return read_out(letter, now=now)
    if level > 1:
        return letter.text(
            "ack.level",
            level=level,
            levels=case.rules.top_level,
            date=letter.due_day(letter.answer_by(now)),
            outside=_outside_paragraph(letter),
        )
    return letter.text(
        "ack",
        time=letter.moment(case.received_at),
        team=letter.team,
        date=letter.due_day(letter.answer_by(now)),
        outside=_outside_paragraph(letter),
        unsigned=paragraph_below(letter.text("ack.unsigned")) if is_unsigned(letter) else "",
    )


def read_out(letter: Letter, *, now: datetime | None = None) -> str:
    """The acknowledgement as staff read it out or post it: reference, date and rights, no command."""
    return letter.text(
        "ack.spoken",
        time=letter.moment(letter.case.received_at),
        team=letter.team,
        date=letter.due_day(letter.answer_by(now)),
        outside=_outside_paragraph(letter),
    )


def is_unsigned(letter: Letter) -> bool:
    """True when the form was filed without a signature; Send can still sign it."""
    return letter.case.confirmed_at is None and letter.case.channel == "telegram"


def dates(letter: Letter) -> str:
    """The dates that follow from the initial assessment."""
    update = letter.case.target(Target.UPDATE)
    text = letter.text("dates", date=letter.due_day(letter.answer_by()))
    if update is None or update.met_at is not None or update.internal_due >= letter.answer_by():
        return text
    return f"{text} {letter.text('dates.update', date=letter.due_day(update.internal_due))}"


def moved_date(letter: Letter, target_name: str, number: int, reason: str) -> str:
    """A date was moved: the old one, the new one and the reason. `number` is the remedy's, or 0."""
    target = letter.case.target(Target(target_name), number)
    new = target.promised_due if target is not None else letter.answer_by()
    versions = [
        version
        for version in letter.case.targets
        if target is not None and (version.target, version.of) == (target.target, target.of)
    ]
    old = sorted(versions, key=lambda version: version.version)[-2:][0].promised_due if versions else new
    return letter.text(
        "dates.moved",
        old=letter.due_day(old),
        new=letter.due_day(new),
        reason=reason.strip() or letter.text("closing.no_reason"),
        outside=_outside_paragraph(letter),
    )


def danger_seen(letter: Letter, role: str) -> str:
    """A member of staff has seen the report of danger; sent only after they did."""
    return letter.text("danger.seen", role=letter.text(f"role.{role}"))


def _outside_paragraph(letter: Letter) -> str:
    """The outside bodies as a last paragraph; empty without any."""
    names = letter.body_names()
    return paragraph_below(letter.text("ack.outside", bodies=names)) if names else ""
