"""What a duty is, and which kinds there are (docs/design.md, rule 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any

from complaints.vocabulary import Verb


class SendPriority(IntEnum):
    """What goes first where pace is limited."""

    DANGER = 0
    DIALOGUE = 1
    NOTICE = 2
    BULK = 3


@dataclass(frozen=True)
class NewObligation:
    """One duty. `kind` chooses the performer; `facts` are JSON values without a word of anybody's."""

    key: str
    kind: str
    due: datetime
    lane: SendPriority = SendPriority.NOTICE
    facts: Mapping[str, Any] = field(default_factory=dict)


#: Every kind of duty that a complaint can leave, with what its performer does.
KINDS: Mapping[str, str] = {
    "card": "draws the card as the record stands",
    "thread": "writes one line into the card's thread",
    "page": "pages the people on call until somebody has seen the danger",
    "danger_seen": "tells the complainant who has seen the danger",
    "propose": "asks the model for a proposal",
    "end_form": "ends the questions",
    "acknowledge": "sends the acknowledgement",
    "progress": "sends the progress notice",
    "delay": "tells before the promised date that the answer is not ready, to the complaint or about data",
    "dates": "tells the first real dates, or a new one with its reason",
    "letter": "sends what a person of staff wrote",
    "confirmation": "confirms in writing what was heard or told by voice",
    "tell_by_voice": "asks staff to tell by phone, at the counter or by letter what no chat takes",
    "decision": "sends the decision",
    "recourse": "sends the outside steps",
    "legal_passed": "tells that the legal maximum, or a later level's own, passed, and that the outside is open now",
    "remedy_late": "records that a remedy is late, or will be",
    "remedy_notice": "tells that a remedy was carried out, or will be late, or is",
    "reply_reminder": "reminds of the decision that waits for a reply",
    "lapse": "ends a complaint without a reply",
    "closing": "sends the closing message",
    "summary": "confirms in writing that it was settled early and accepted, with the outside bodies",
    "survey": "asks about the handling",
    "survey_reminder": "asks once more",
    "remind": "tells staff of a due time",
    "told_owner": "tells the new owner",
    "outside": "tells what came from the outside body, and what we will do",
    "next_recourse": "tells the next outside step after one that was refused",
    "no_independent": "tells that nobody here is independent of the matter, and offers the outside at once",
    "told_overturned": "tells those who decided that an outside body decided otherwise",
    "ask_approval": "asks those who may agree",
}

#: Acts by which the scheduler itself writes the record, by kind of duty.
ACTS: Mapping[str, Verb] = {"end_form": Verb.END_FORM, "lapse": Verb.LAPSE, "remedy_late": Verb.REMEDY_LATE}
