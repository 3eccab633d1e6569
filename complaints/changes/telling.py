"""What complainants tell about themselves and about what we did: for whom, a child, the name, a remedy (7.2).

Codes only: the words of these answers are sealed like any other.
"""

from __future__ import annotations

from complaints.copying import changed
from complaints.particulars import RemedyOwed
from complaints.record import Case, Event
from complaints.vocabulary import Flag
from complaints.worktime import due

#: The rule by which a child shows while writing (iso10002.md section 3, Minor).
CHILD_WRITING = "minor.child_writing"
#: Requests about one's data, as kinds of an addition.
DATA_REQUESTS: frozenset[str] = frozenset({"data_correction", "data_erasure"})
#: An addition of this kind says that a remedy is not right; a person must answer it.
REMEDY_REFUSED = "remedy_refused"
#: No words: the person unblocked the bot, so that what is owed can reach them again.
RETURNED = "returned"


def told_about(case: Case, event: Event) -> Case:
    """Flags and dates that follow from an answer about the person, the name, the data or a remedy."""
    facts = event.facts
    flags = case.flags
    child = any(one.rule == CHILD_WRITING and one.seq == event.seq for one in case.signs)
    # A grown-up has said so once; a later turn of phrase does not make a child of them.
    if facts.get("minor") is True or (child and not case.adult):
        flags |= {Flag.MINOR}
    elif facts.get("minor") is False:
        flags -= {Flag.MINOR}
    if facts.get("field") == "support_needs" and facts.get("has_words"):
        flags |= {Flag.SUPPORT_NEED}
    flags = _name(_for_whom(case, flags, facts.get("for_whom")), facts.get("anonymity"))
    asks = facts.get("kind") in DATA_REQUESTS
    if asks:
        flags |= {Flag.DATA_REQUEST}
    return _remedy_answered(
        changed(
            case,
            flags=flags,
            adult=case.adult or facts.get("minor") is False,
            data_request_at=event.at if asks and case.data_request_at is None else case.data_request_at,
        ),
        event,
    )


def _for_whom(case: Case, flags: frozenset[Flag], choice: object) -> frozenset[Flag]:
    """Somebody else's complaint: until authority is shown nothing of theirs goes to who writes (4.7)."""
    if choice == "for_me":
        return flags - {Flag.FOR_ANOTHER}
    if choice is not None and not case.authority_shown:
        return flags | {Flag.FOR_ANOTHER}
    return flags


def _name(flags: frozenset[Flag], choice: object) -> frozenset[Flag]:
    """How the name may be used: `named`, `pseudonym`, or not even a contact."""
    match choice:
        case "named":
            return flags - {Flag.ANONYMOUS, Flag.NO_CONTACT}
        case "pseudonym":
            return (flags | {Flag.ANONYMOUS}) - {Flag.NO_CONTACT}
        case "no_contact":
            return flags | {Flag.ANONYMOUS, Flag.NO_CONTACT}
    return flags


def _remedy_answered(case: Case, event: Event) -> Case:
    """Yes is proof for whoever checks, and on the short road the check itself; No opens the remedy again."""
    facts = event.facts
    if facts.get("remedy_ok") is None or facts.get("remedy") is None or not case.is_open:
        return case
    n, right = int(facts["remedy"]), bool(facts["remedy_ok"])
    flags = case.flags if right else case.flags | {Flag.REMEDY_REFUSED}
    remedies = tuple(
        (_right(case, one, event) if right else _not_right(case, one, event)) if one.n == n else one
        for one in case.remedies
    )
    return changed(case, remedies=remedies, flags=flags)


def _right(case: Case, one: RemedyOwed, event: Event) -> RemedyOwed:
    short = any(made.short and made.level == one.level for made in case.decisions)
    checked = short and one.done_at is not None and one.verified_at is None
    told = changed(one, answer="yes")
    return changed(told, verified_at=event.at, verified_by=event.by) if checked else told


def _not_right(case: Case, one: RemedyOwed, event: Event) -> RemedyOwed:
    """Not done after all: owed anew, by its own day where that lies ahead."""
    anew = due(event.at, case.rules.targets.remedy, case.rules.calendar).at
    return changed(
        one,
        answer="no",
        done_at=None,
        done_by=None,
        verified_at=None,
        verified_by=None,
        due=one.due if one.due > event.at else anew,
    )


def authority_shown(case: Case, event: Event) -> Case:
    """Somebody of staff has seen that the affected person agrees, or that the representative may act."""
    return changed(case, authority_shown=True, flags=case.flags - {Flag.FOR_ANOTHER})
