"""What was done on a complaint, by day, in the complainant's words; no names and no codes (7.3).

A decision appears only once it was communicated: approvals and drafts are no news. A date that a handler only asks to
move is none either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bots.dialogue.turn import Turn
from complaints.case import Case, Event
from complaints.vocabulary import Role, Target, Verb

#: Longer histories show their first day and the newest ones. Telegram takes 4,096 characters.
MOST_DAYS = 12
_ENTRIES: Mapping[Verb, str] = {
    Verb.RECEIVE: "received",
    Verb.ACKNOWLEDGE: "acknowledged",
    Verb.ASSESS: "read",
    Verb.ASSIGN: "taken",
    Verb.INVESTIGATE: "investigating",
    Verb.REPLY: "wrote",
    Verb.INFORM: "wrote",
    Verb.ASK: "asked",
    Verb.ANSWER: "answered",
    Verb.COMMUNICATE_DECISION: "decided",
    Verb.ACCEPT: "accepted",
    Verb.DISAGREE: "disagreed",
    Verb.ESCALATE: "raised",
    Verb.OFFER_RECOURSE: "recourse",
    Verb.NOTIFY_EXTERNAL: "outside",
    Verb.CONCLUDE_EXTERNAL: "outside_decided",
    Verb.REMEDY_DONE: "remedy",
    Verb.VERIFY: "checked",
    Verb.WITHDRAW: "withdrawn",
    Verb.REOPEN: "reopened",
}
#: Told once: later ones are steps inside the team.
_ONCE = frozenset({"read", "taken", "investigating"})
#: Their dates are promises to the complainant.
_PROMISED = frozenset({Target.DECIDE, Target.REMEDY})


def done_so_far(turn: Turn, case: Case, events: Sequence[Event]) -> str:
    """One line for each day on which something was done, the oldest first."""
    days: dict[str, list[str]] = {}
    listed: set[str] = set()
    for event in events:
        for name in _names(event):
            if name in _ONCE and name in listed:
                continue
            listed.add(name)
            at = case.received_at if event.verb is Verb.RECEIVE else event.at
            entries = days.setdefault(turn.event_day(at, case), [])
            text = turn.text(f"done.{name}")
            if text not in entries:
                entries.append(text)
    lines = [turn.text("done.day", day=day, done="; ".join(entries)) for day, entries in days.items()]
    return "\n".join(lines if len(lines) <= MOST_DAYS else [lines[0], "…", *lines[1 - MOST_DAYS :]])


def _names(event: Event) -> Iterator[str]:
    facts = event.facts
    if event.verb is Verb.ASSIGN and not facts.get("owner"):
        return
    if facts.get("kind") == "question" and event.verb is Verb.ADD:
        yield "question"
    elif event.verb is Verb.RECEIPT and facts.get("danger"):
        yield "danger_seen"
    elif facts.get("kept"):
        # They want no contact: nothing was sent, and the decision is shown below.
        yield from ["kept"] if event.verb is Verb.COMMUNICATE_DECISION else []
    elif event.verb is Verb.CONCLUDE_EXTERNAL and facts.get("event") == "complied":
        yield "complied"
    elif event.verb in _ENTRIES:
        yield _ENTRIES[event.verb]
    if any(
        row["target"] in _PROMISED and row["basis"].startswith("extend") for row in facts.get("targets", ())
    ):
        yield "moved"
    if facts.get("close_code") and event.role is not Role.COMPLAINANT:
        yield "closed"
