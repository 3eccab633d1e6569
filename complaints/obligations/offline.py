"""What no chat takes is told by people: by phone, at the counter, by letter (7.3, 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from complaints.case import Case
from complaints.obligations.kinds import NewObligation, SendPriority

#: What is written to the complainant; without a chat people tell it.
LETTERS: frozenset[str] = frozenset(
    {
        "acknowledge",
        "progress",
        "delay",
        "dates",
        "letter",
        "decision",
        "recourse",
        "legal_passed",
        "remedy_notice",
        "reply_reminder",
        "closing",
        "outside",
        "next_recourse",
        "no_independent",
        "summary",
    }
)
#: What a duty told by people knows beside the facts of the letter: which, how, and whether of one event.
VOICE_FACTS: frozenset[str] = frozenset({"about", "by", "once"})
#: What is of no use without a chat: nobody tells by voice what was heard or seen by voice.
_CHAT_ONLY = frozenset({"confirmation", "danger_seen"})
#: Whoever logs a complaint tells it at once; asked for when that did not happen.
READ_OUT_WITHIN = timedelta(minutes=15)


def told_by_people(case: Case, owed: Iterator[NewObligation], *, once: bool) -> Iterator[NewObligation]:
    """The same duties; what no chat takes is told by people (7.3). `once`: each belongs to one event."""
    for one in owed:
        if not case.told_by_people:
            yield one
        elif one.kind in LETTERS:
            late = READ_OUT_WITHIN if one.kind == "acknowledge" and case.level == 1 else timedelta(0)
            about = {**one.facts, "about": one.kind, "by": case.answer_by or case.channel, "once": once}
            yield NewObligation(
                f"voice:{one.key}", "tell_by_voice", one.due + late, SendPriority.NOTICE, about
            )
        elif one.kind not in _CHAT_ONLY:
            yield one
