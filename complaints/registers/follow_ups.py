"""What the desk itself does after an act on an entry: acts on other entries, and obligations (clauses 5, 6, 8)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from complaints.deadlines.opening_hours import next_working, opening_time, working_day_from
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.registers.entries import Entry, EntryAct
from complaints.rulebook import Calendar

#: The obligations that remind the owner of an entry, check the effect of an improvement, inform people of an act, and
#: send the letter about a change.
REMINDER, CHECK, NOTICE, LETTERS = (
    "register_reminder", "register_check", "register_notice", "change_letter",
)  # fmt: skip
#: Acts of which people are informed: who is to approve, to answer, or to read it.
_NOTICED = {("improvement", "propose_letter"), ("alert", "raise"), ("praise", "passed_on")}
#: The kind of planned activity that an act carries out.
_CARRIED_OUT: Mapping[tuple[str, str], str] = {("audit", "finish"): "audit", ("review", "add"): "review"}


@dataclass(frozen=True)
class FollowUp:
    """An act of the desk: it begins an entry, or with `state` it is done on the entries in this state.

    Of those only with these facts, and with `is_single` only on the one that is due first.
    """

    register: str
    act: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    state: str | None = None
    matching: Mapping[str, Any] = field(default_factory=dict)
    is_single: bool = False


def follow_ups(entry: Entry, done: EntryAct, today: date) -> Iterator[FollowUp]:
    name = (entry.register.name, done.act)
    if name == ("policy", "sign"):
        yield FollowUp("policy", "replace", state="in_force")
    if name == ("audit", "answer") and "finding" in done.words:
        facts = {"source": "audit", "refs": [done.facts["ref"]], "record": entry.code}
        yield FollowUp("improvement", "raise", facts, {"what": done.words["finding"]})
    if name == ("review", "action"):
        facts = {**done.facts, "source": "review", "record": entry.code}
        yield FollowUp("improvement", "add", facts, done.words)
    if name in _CARRIED_OUT:
        yield carried_out(_CARRIED_OUT[name], today, entry.code)


def carried_out(kind: str, today: date, record: str) -> FollowUp:
    """The planned activity of this kind that is due first is done (6.3)."""
    facts = {"done_on": today.isoformat(), "record": record}
    return FollowUp("plan", "done", facts, state="planned", matching={"kind": kind}, is_single=True)


def obligations_of(entry: Entry, done: EntryAct, calendar: Calendar) -> Iterator[NewObligation]:
    """What is to be done because of this act, apart from reminders."""
    about = {"code": entry.code, "version": done.version}
    key = f"{entry.code}.{done.version}"
    days = entry.facts.get("effect_days")
    if days and entry.state == "done" and done.facts.get("done_on") and entry.facts.get("category"):
        # The whole of the last day counts.
        last = date.fromisoformat(done.facts["done_on"]) + timedelta(days=int(days))
        due = max(opening_time(working_day_from(last, calendar), calendar), done.at)
        yield NewObligation(f"register_check:{key}", CHECK, due, SendPriority.BULK, about)
    if (entry.register.name, done.act) in _NOTICED:
        # An alert may be raised at night.
        due = next_working(done.at, calendar)
        yield NewObligation(f"register_notice:{key}", NOTICE, due, SendPriority.DIALOGUE, about)
    if done.act == "approve_letter":
        yield NewObligation(f"change_letter:{key}", LETTERS, done.at, SendPriority.BULK, about)


def reminders(entry: Entry, calendar: Calendar) -> Iterator[NewObligation]:
    """The reminders of the day on which an open entry is due, in working time."""
    due = entry.due
    if due is None or not entry.is_open:
        return
    for days in entry.register.remind:
        day = working_day_from(due + timedelta(days=days), calendar, 1 if days > 0 else -1)
        about = {"code": entry.code, "due": due.isoformat()}
        key = f"register:{entry.code}:{due}:{days:+d}"
        yield NewObligation(key, REMINDER, opening_time(day, calendar), SendPriority.BULK, about)
