"""What an obligation is, its kinds, and which letters staff give where there is no chat (4.3, 7.3).

docs/design.md, rule 2. Without a chat, staff give letters by phone, at the counter or by post.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from pathlib import Path
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


FILE = Path(__file__).with_suffix(".toml")
_TABLE: Mapping[str, Mapping[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
#: Every kind of obligation that a complaint can have, with what its handler does.
KINDS: Mapping[str, str] = {kind: row["does"] for kind, row in _TABLE.items()}
#: The verb that the scheduler performs itself, by kind of obligation.
ACTS: Mapping[str, Verb] = {kind: Verb(row["act"]) for kind, row in _TABLE.items() if "act" in row}


def kinds_that_are(trait: str) -> frozenset[str]:
    """The kinds with this entry in `is` of kinds.toml, which explains each."""
    return frozenset(kind for kind, row in _TABLE.items() if trait in row.get("is", ()))


#: Messages to the complainant.
SENT = kinds_that_are("sent")
#: Letters to the complainant; without a chat, staff give them offline.
LETTERS = kinds_that_are("letter")
#: What the bot does not start while it stays with a danger.
HELD_IN_DANGER = kinds_that_are("held")
#: Their rows are written when they are due.
LATER = kinds_that_are("later")
#: What is due within this time of an act has its row at once.
SOON = timedelta(minutes=5)
_CHAT_ONLY = kinds_that_are("chat_only")
#: Facts that an offline obligation has in addition to those of its letter: which letter, how, whether of one event.
OFFLINE_FACTS: frozenset[str] = frozenset({"about", "by", "once"})
#: The person who logs a complaint reads the acknowledgement out at once. If not, staff are asked after this time.
READ_OUT_WITHIN = timedelta(minutes=15)


def is_for_later(obligation: NewObligation, now: datetime) -> bool:
    """True if its row is not written yet: it follows from the dates of the case, and `add_due` adds it in time."""
    return obligation.kind in LATER and obligation.due > now + SOON


def addition(later: Sequence[NewObligation]) -> NewObligation:
    """The one obligation of a case that adds these when the first of them is due."""
    first = min(later, key=lambda obligation: (obligation.due, obligation.priority))
    # `once`: it follows from no event, so the record cannot say whether it is still required.
    facts = {"once": True, "first": first.kind}
    return NewObligation("add_due", "add_due", first.due, first.priority, facts)


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
