"""The acknowledgement and the dates: that we have it, who answers, by when (7.4, 7.3)."""

from __future__ import annotations

from datetime import datetime

from bots.letters.letter import Letter, below
from complaints.vocabulary import Target


def acknowledgement(letter: Letter, level: int = 1, *, now: datetime | None = None) -> str:
    """One date, and the rights; at a higher level who looks at it now. `now` is when it is told."""
    case = letter.case
    names = letter.names_of_bodies()
    outside = below(letter.say("ack.outside", bodies=names)) if names else ""
    if level == 1 and case.told_by_people:
        return read_out(letter, now=now)
    if level > 1:
        return letter.say(
            "ack.level",
            level=level,
            levels=case.rules.top_level,
            date=letter.day(letter.answer_by(now)),
            outside=outside,
        )
    return letter.say(
        "ack",
        time=letter.moment(case.received_at),
        team=letter.team,
        date=letter.day(letter.answer_by(now)),
        outside=outside,
        unsigned=below(letter.say("ack.unsigned")) if unsigned(letter) else "",
    )


def read_out(letter: Letter, *, now: datetime | None = None) -> str:
    """The acknowledgement as somebody reads it out or posts it: reference, date and rights, no command."""
    names = letter.names_of_bodies()
    return letter.say(
        "ack.spoken",
        time=letter.moment(letter.case.received_at),
        team=letter.team,
        date=letter.day(letter.answer_by(now)),
        outside=below(letter.say("ack.outside", bodies=names)) if names else "",
    )


def unsigned(letter: Letter) -> bool:
    """True when it was filed as it stood: Send still signs."""
    return letter.case.confirmed_at is None and letter.case.channel == "telegram"


def dates(letter: Letter) -> str:
    """The first dates that come from a person's assessment."""
    update = letter.case.target(Target.UPDATE)
    said = letter.say("dates", date=letter.day(letter.answer_by()))
    if update is None or update.met_at is not None or update.internal_due >= letter.answer_by():
        return said
    return f"{said} {letter.say('dates.update', date=letter.day(update.internal_due))}"


def extended(letter: Letter, target: str, of: int, reason: str) -> str:
    """A date that was moved: the old one cannot be kept, why, and the new one."""
    one = letter.case.target(Target(target), of)
    new = one.promised_due if one is not None else letter.answer_by()
    earlier = [t for t in letter.case.targets if one is not None and (t.target, t.of) == (one.target, of)]
    before = sorted(earlier, key=lambda t: t.version)[-2:][0].promised_due if earlier else new
    return letter.say(
        "dates.moved",
        old=letter.day(before),
        new=letter.day(new),
        reason=reason.strip() or letter.say("closing.no_reason"),
        outside=below(letter.say("ack.outside", bodies=letter.names_of_bodies()))
        if letter.case.rules.recourse
        else "",
    )


def seen(letter: Letter, role: str) -> str:
    """Somebody has seen the danger; said only after they did."""
    return letter.say("danger.seen", role=letter.say(f"role.{role}"))
