"""What waits for a second person: whose it is, and which act comes next (4.5, Annex E)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from complaints.case import Case, Event
from complaints.priorities import priority_of
from complaints.vocabulary import Finding, Priority, Verb

#: The acts that ask for a second person, by what the answer is about (`of` in the facts of `approve`).
ASKS: Mapping[str, tuple[Verb, ...]] = {
    "respond": (Verb.RESPOND, Verb.RESOLVE),
    "reclassify": (Verb.RECLASSIFY,),
    "extend": (Verb.EXTEND,),
    "limit_contact": (Verb.LIMIT_CONTACT,),
}


def refused_request(events: Sequence[Event], verbs: tuple[Verb, ...]) -> tuple[Event, Event] | None:
    """The last of these requests and the "no" of a second person to it; None if it was not refused."""
    request = next((event for event in reversed(events) if event.verb in verbs), None)
    answers = (event for event in reversed(events) if event.verb in (Verb.APPROVE, Verb.CHECK_DECISION))
    answer = next((event for event in answers if ASKS[event.facts.get("of", "respond")] == verbs), None)
    if request is None or answer is None or answer.seq < request.seq or answer.facts["agreed"] != "no":
        return None
    return request, answer


def was_for_reader(drafted_at: datetime, events: Sequence[Event]) -> bool:
    """True if the draft of this time was drawn for a second reader, and no approval answered it."""
    drafts = (event for event in events if event.at == drafted_at and event.verb in ASKS["respond"])
    draft = next(drafts, None)
    if draft is None or draft.facts.get("check") != "drawn" or draft.facts.get("needs_approval"):
        return False
    later = (event for event in events if event.seq > draft.seq)
    answer = next((event for event in later if event.verb in (Verb.APPROVE, Verb.CHECK_DECISION)), None)
    return answer is None or answer.verb is Verb.CHECK_DECISION


def is_for_two(case: Case, findings: Iterable[Finding]) -> bool:
    """True where a decision with these findings needs an approval, at any amount."""
    none_upheld = not any(finding in (Finding.UPHELD, Finding.PARTLY) for finding in findings)
    is_urgent = priority_of(case) in (Priority.P1, Priority.P2)
    return case.severity >= 4 or case.safety >= 1 or (none_upheld and is_urgent)


def awaited_act(case: Case) -> Verb | None:
    """The act of a second person that comes next, or None.

    A draft needs an approval also if the complaint became graver while it waited for a reader.
    """
    draft = case.drafted
    if draft is None or case.reclassification is not None:
        return Verb.APPROVE if case.awaits_approval else None
    is_approval = draft.needs_approval or is_for_two(case, draft.findings)
    return Verb.APPROVE if is_approval else Verb.CHECK_DECISION


def proposer(case: Case) -> str | None:
    """Who proposed what waits for approval, in the order in which it is answered; None if nothing waits."""
    if case.reclassification is not None:
        return case.reclassification[1]
    if case.drafted is not None:
        return case.drafted.by
    if case.extension is not None:
        return case.extension.by
    return case.conduct.pending.asked_by if case.conduct.pending is not None else None
