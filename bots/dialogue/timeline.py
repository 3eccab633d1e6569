"""What was done on a complaint, by day, in the complainant's words; no names and no codes (7.3).

A decision appears only once it was communicated: approvals and drafts are no news. A date that a handler only asks to
move is none either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bots.dialogue.turn import Turn
from complaints.case import Case, Event
from complaints.vocabulary import Role, Target, Verb

#: Longer histories show their first day and the newest ones. Telegram takes 4,096 characters.
MOST_DAYS = 12
#: Shown once: later ones are steps inside the team.
_ONCE = frozenset({"assess", "assign", "investigate", "notify_external"})
#: Their dates are promises to the complainant.
_PROMISED = frozenset({Target.DECIDE, Target.REMEDY})


def done_so_far(turn: Turn, case: Case, events: Sequence[Event]) -> str:
    """One line for each day on which something was done, the oldest first."""
    days: dict[str, list[str]] = {}
    listed: set[str] = set()
    for event in events:
        at = case.received_at if event.verb is Verb.RECEIVE else event.at
        for name in _names(event):
            # A verb without a text is work inside the team.
            if turn.texts.has(f"done.{name}") and not (name in _ONCE and name in listed):
                listed.add(name)
                entries = days.setdefault(turn.event_day(at, case), [])
                entries += [text for text in [turn.text(f"done.{name}")] if text not in entries]
    lines = [turn.text("done.day", day=day, done="; ".join(entries)) for day, entries in days.items()]
    return "\n".join(lines if len(lines) <= MOST_DAYS else [lines[0], "…", *lines[1 - MOST_DAYS :]])


def _names(event: Event) -> Iterator[str]:
    facts, verb = event.facts, event.verb
    if facts.get("kept"):
        # They want no contact: nothing was sent, and the decision is shown below.
        yield "kept" if verb is Verb.COMMUNICATE_DECISION else ""
    elif verb is Verb.ADD:
        yield "question" if facts.get("kind") == "question" else ""
    elif verb is Verb.RECEIPT:
        yield "danger_seen" if facts.get("danger") else ""
    elif facts.get("event") == "complied":
        yield "complied"
    elif verb is not Verb.ASSIGN or facts.get("owner"):
        yield Verb.REPLY if verb is Verb.INFORM else verb
    if any(
        row["target"] in _PROMISED and row["basis"].startswith("extend") for row in facts.get("targets", ())
    ):
        yield "moved"
    if facts.get("close_code") and event.role is not Role.COMPLAINANT:
        yield "closed"
