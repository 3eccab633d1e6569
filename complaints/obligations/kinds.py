"""What an obligation is, its kinds, and which letters staff give where there is no chat (4.3, 7.3).

docs/design.md, rule 2. Without a chat, staff give letters by phone, at the counter or by post.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from complaints.case import Case
from complaints.vocabulary import Verb


class SendPriority(IntEnum):
    """Which message leaves first where the rate is limited; the lowest value first."""

    DANGER = 0
    DIALOGUE = 1
    NOTICE = 2
    BULK = 3


@dataclass(frozen=True)
class NewObligation:
    """One thing to do at `due`. `kind` chooses the handler; `facts` are JSON values without a person's words."""

    key: str
    kind: str
    due: datetime
    priority: SendPriority = SendPriority.NOTICE
    facts: Mapping[str, Any] = field(default_factory=dict)


#: Every kind of obligation that a complaint can have, with what its handler does.
KINDS: Mapping[str, str] = {
    "card": "draws the card as the record is now",
    "thread": "writes one line into the card's thread",
    "page": "pages the people on call until one of them has seen the danger",
    "look": "asks people to look within the hour at a likely danger; nobody is paged",
    "danger_seen": "informs the complainant who has seen the danger",
    "propose": "asks the model for a proposal",
    "index_words": "stores later words for the search",
    "end_form": "ends the questions",
    "acknowledge": "sends the acknowledgement",
    "progress": "sends the progress notice",
    "delay": "says before the promised date that the answer is not ready, to the complaint or about data",
    "dates": "sends the first real dates, or a new date with its reason",
    "letter": "sends what a member of staff wrote",
    "attachment": "sends a file that staff attached to a letter",
    "confirmation": "confirms in writing what was said offline",
    "tell_by_voice": "asks staff to give a letter by phone, at the counter or by post where there is no chat",
    "decision": "sends the decision",
    "recourse": "sends the outside steps",
    "legal_passed": "says that the legal maximum, or a later level's own time, passed and the outside is open now",
    "remedy_late": "records that a remedy is late, or will be",
    "remedy_notice": "says that a remedy was carried out, or will be late, or is late",
    "reply_reminder": "reminds of the decision that waits for a reply",
    "lapse": "ends a complaint without a reply",
    "closing": "sends the closing message",
    "summary": "confirms in writing that it was settled early and accepted, with the outside bodies",
    "survey": "asks about the handling",
    "survey_reminder": "asks once more",
    "survey_concern": "shows a bad survey answer to people who did not work on the complaint",
    "remind": "reminds staff of a due time",
    "told_owner": "informs the new owner",
    "outside": "sends what came from the outside body, and what we will do",
    "next_recourse": "sends the next outside step after one that was refused",
    "no_independent": "says that no independent person is left here, and offers the outside at once",
    "told_overturned": "informs the deciders that an outside body decided otherwise",
    "conduct": "says that contact is limited, or what became of the limit",
    "limit_ends": "ends a limit on contact on its last day",
    "ask_approval": "asks the people who may agree",
    "told_checked": "informs the decider that a second reader wants a change",
    "check_late": "sends a decision that no second reader has read in time",
    "ask_review": "asks a reviewer to look at a closed complaint, and reminds",
    "redraw_review": "gives an overdue review to another person",
}

#: The verb that the scheduler performs itself, by kind of obligation.
ACTS: Mapping[str, Verb] = {
    "end_form": Verb.END_FORM,
    "lapse": Verb.LAPSE,
    "remedy_late": Verb.REMEDY_LATE,
    "check_late": Verb.CHECK_DECISION,
    "limit_ends": Verb.REVIEW_LIMIT,
}


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
        "conduct",
    }
)
#: Facts that an offline obligation has in addition to those of its letter: which letter, how, whether of one event.
OFFLINE_FACTS: frozenset[str] = frozenset({"about", "by", "once"})
#: Of no use without a chat: these confirm in writing what was said offline, or send a file that staff hand over.
_CHAT_ONLY = frozenset({"confirmation", "danger_seen", "attachment"})
#: The person who logs a complaint reads the acknowledgement out at once. If not, staff are asked after this time.
READ_OUT_WITHIN = timedelta(minutes=15)


def give_offline(case: Case, obligations: Iterator[NewObligation], *, once: bool) -> Iterator[NewObligation]:
    """The same obligations; without a chat, staff must give the letters. `once`: they belong to one event."""
    for obligation in obligations:
        if not case.is_offline:
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
                f"voice:{obligation.key}", "tell_by_voice", obligation.due + late, facts=about
            )
        elif obligation.kind not in _CHAT_ONLY:
            yield obligation
