"""Letters without a chat: staff give them by phone, at the counter or by post (7.3, 4.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from complaints.case import Case
from complaints.obligations.kinds import NewObligation, SendPriority

#: Letters to the complainant; without a chat, staff give them offline.
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
#: Facts that an offline obligation has in addition to those of its letter: which letter, how, whether of one event.
OFFLINE_FACTS: frozenset[str] = frozenset({"about", "by", "once"})
#: Of no use without a chat: these confirm in writing what was said offline.
_CHAT_ONLY = frozenset({"confirmation", "danger_seen"})
#: The person who logs a complaint reads the acknowledgement out at once. If not, staff are asked after this time.
READ_OUT_WITHIN = timedelta(minutes=15)


def give_offline(case: Case, obligations: Iterator[NewObligation], *, once: bool) -> Iterator[NewObligation]:
    """The same obligations; without a chat, staff must give the letters. `once`: they belong to one event."""
    for obligation in obligations:
        if not case.told_by_people:
            yield obligation
        elif obligation.kind in LETTERS:
            late = READ_OUT_WITHIN if obligation.kind == "acknowledge" and case.level == 1 else timedelta(0)
            about = {
                **obligation.facts,
                "about": obligation.kind,
                "by": case.answer_by or case.channel,
                "once": once,
            }
            yield NewObligation(
                f"voice:{obligation.key}", "tell_by_voice", obligation.due + late, SendPriority.NOTICE, about
            )
        elif obligation.kind not in _CHAT_ONLY:
            yield obligation
