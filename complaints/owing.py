"""What is owed (design.md, rule 2): from a case, the keys and due times of everything we must do unasked.

`standing` is asked twice: after each verb, when the missing keys are inserted, and before each is done, when
a key that is no longer there needs nothing. So nothing is ever cancelled. `following` are one-off duties of
a single event (a line in the thread, a letter).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from complaints.lifecycle import ANSWERED, UNDECIDED
from complaints.priorities import priority_of
from complaints.record import Case, Event, TargetSet
from complaints.targets import lapses_at
from complaints.vocabulary import CloseCode, Flag, Kind, Priority, Role, State, Target, Verb
from complaints.worktime import before, due


class Lane(IntEnum):
    """What goes first where pace is limited."""

    DANGER = 0
    DIALOGUE = 1
    NOTICE = 2
    BULK = 3


@dataclass(frozen=True)
class Owed:
    """One duty. `kind` chooses the performer; `facts` are JSON values without a word of anybody's."""

    key: str
    kind: str
    due: datetime
    lane: Lane = Lane.NOTICE
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
    "dates": "tells the first real dates, or a new one with its reason",
    "letter": "sends what a person of staff wrote",
    "confirmation": "confirms in writing what was heard by voice",
    "decision": "sends the decision",
    "recourse": "sends the outside steps",
    "legal_passed": "tells that the legal maximum passed, why, and that the outside is open now",
    "remedy_late": "records that a remedy is late",
    "remedy_notice": "tells that a remedy was carried out, or is late",
    "reply_reminder": "reminds of the decision that waits for a reply",
    "lapse": "ends a complaint without a reply",
    "closing": "sends the closing message",
    "survey": "asks about the handling",
    "survey_reminder": "asks once more",
    "remind": "tells staff of a due time",
    "told_owner": "tells the new owner",
    "ask_approval": "asks those who may agree",
}

#: Acts by which the scheduler itself writes the record, by kind of duty.
ACTS: Mapping[str, Verb] = {"end_form": Verb.END_FORM, "lapse": Verb.LAPSE, "remedy_late": Verb.REMEDY_LATE}

_REMINDED = (
    Target.LOOK,
    Target.FIRST_ACTION,
    Target.UPDATE,
    Target.DECIDE,
    Target.APPROVE,
    Target.REMEDY,
    Target.VERIFY,
    Target.REPLY,
    Target.WAITING,
)
#: One survey a person in so many days, however often a complaint is reopened and closed.
SURVEY_EVERY = timedelta(days=30)
_QUIET_THREAD = frozenset({Verb.SURVEY, Verb.END_FORM})


def standing(case: Case) -> Iterator[Owed]:
    """Everything owed as the case stands."""
    if case.erased_at is not None:
        return
    yield _card(case)
    yield from _intake(case)
    yield from _danger(case)
    yield from _proposal(case)
    yield from _told(case)
    yield from _reminders(case)
    yield from _after_decision(case)
    yield from _ended(case)


def _card(case: Case) -> Owed:
    """The card shows this version of the record; a later version makes the key moot."""
    danger = case.danger_at is not None and case.danger_receipt_at is None
    at = max(one for one in (case.logged_at, case.last_words_at) if one is not None)
    lane = Lane.DANGER if danger else Lane.DIALOGUE
    return Owed(f"card:{case.version}", "card", at, lane, {"version": case.version})


def card_waits_until(case: Case) -> datetime | None:
    """Until when the first post waits for the proposal; None: not at all.

    Where a case may be seen is decided before its first post (design.md, rule 8), and the model has a say.
    """
    seen = (
        case.proposed is not None
        or case.assessment is not None
        or case.danger_at is not None
        or case.restricted
    )
    return None if seen or case.owner is not None else case.received_at + timedelta(seconds=90)


def _intake(case: Case) -> Iterator[Owed]:
    if not case.form_open or case.last_words_at is None:
        return
    dialogue = case.rules.dialogue
    calendar = case.rules.calendar
    silence = due(case.last_words_at, dialogue.file_abandoned_after, calendar).at
    latest = due(case.logged_at, dialogue.file_abandoned_at_latest, calendar).at
    yield Owed(f"end_form:silence:{case.words}", "end_form", silence, Lane.DIALOGUE, {"because": "silence"})
    yield Owed("end_form:latest", "end_form", latest, Lane.DIALOGUE, {"because": "latest"})


def _danger(case: Case) -> Iterator[Owed]:
    if case.danger_at is not None and case.danger_receipt_at is None:
        yield Owed(f"page:{case.danger_at.isoformat()}", "page", case.danger_at, Lane.DANGER)


def _proposal(case: Case) -> Iterator[Owed]:
    """A proposal when the first burst ends, at latest 60 s after the first message; later words ask anew."""
    if case.assessment is not None or case.last_words_at is None or case.state not in UNDECIDED:
        return
    burst = due(case.last_words_at, case.rules.dialogue.burst, case.rules.calendar).at
    if case.proposed is None or case.proposed.words < case.words:
        yield Owed(f"propose:{case.words}", "propose", burst, Lane.DIALOGUE, {"words": case.words})
        if case.form_ended_at is not None and case.last_words_at <= case.form_ended_at:
            # Signed or ended: the story is whole, and nobody need wait for more of it.
            yield Owed("propose:formed", "propose", case.form_ended_at, Lane.DIALOGUE)
    if case.proposed is None:
        yield Owed("propose:latest", "propose", case.logged_at + timedelta(seconds=60), Lane.DIALOGUE)


def _again(case: Case) -> str:
    """What did not reach them is owed anew, under another key, when they are back (7.3)."""
    return f":r{case.returns}" if case.returns else ""


def _told(case: Case) -> Iterator[Owed]:
    """What the complainant must hear: acknowledgement, progress, decision, recourse, the legal maximum."""
    if not case.is_open or not case.reachable or Flag.WITHDRAWN in case.flags:
        return
    begun = case.form_ended_at if case.level_started_at == case.received_at else case.level_started_at
    level = case.level
    if begun is not None and level not in case.acks:
        yield Owed(f"ack:{level}{_again(case)}", "acknowledge", begun, Lane.DIALOGUE, {"level": level})
    decision = case.decision
    if decision is not None and decision.communicated_at is None and case.state in ANSWERED:
        facts = {"level": decision.level, "seq": decision.seq}
        yield Owed(f"decision:{decision.seq}{_again(case)}", "decision", decision.at, Lane.NOTICE, facts)
    if case.state is State.DISAGREED and case.reply_at is not None:
        key = f"recourse:{level}:{case.reopened}{_again(case)}"
        yield Owed(key, "recourse", case.reply_at, Lane.NOTICE, {"level": level})
    update, legal = case.target(Target.UPDATE), case.target(Target.LEGAL)
    if update is not None and update.met_at is None:
        yield Owed(f"progress:{update.version}", "progress", update.internal_due, Lane.NOTICE)
    if legal is not None and legal.met_at is None:
        about = {"target": legal.target.value, "version": legal.version}
        yield Owed(f"legal_passed:{legal.version}", "legal_passed", legal.internal_due, Lane.NOTICE, about)


def _reminders(case: Case) -> Iterator[Owed]:
    """Staff hear before a due time and at a missed one; P1 has no time for a working day's notice.

    The acknowledgement is theirs too where no chat takes it.
    """
    for one in case.current_targets():
        ours = one.target in _REMINDED or (one.target is Target.ACK and not case.reachable)
        if ours and one.met_at is None:
            yield from _reminder(case, one)


def _reminder(case: Case, one: TargetSet) -> Iterator[Owed]:
    name = f"{one.target.value}:{one.of}:{one.version}"
    facts = {"target": one.target.value, "of": one.of, "version": one.version}
    early = before(one.internal_due, "-1 bd", case.rules.calendar).at
    early_enough = early > one.start and one.target is not Target.WAITING
    if early_enough and priority_of(case) is not Priority.P1:
        yield Owed(f"remind:{name}:-1bd", "remind", early, Lane.NOTICE, {**facts, "when": "before"})
    yield Owed(f"remind:{name}:due", "remind", one.internal_due, Lane.NOTICE, {**facts, "when": "missed"})


def _after_decision(case: Case) -> Iterator[Owed]:
    """The reply is reminded once; silence ends a complaint only when nothing is owed, never as a yes."""
    if not case.is_open:
        return
    for one in case.owed_remedies:
        target = case.target(Target.REMEDY, one.n)
        if one.done_at is None and target is not None:
            key, facts = f"remedy_late:{one.n}:{target.version}", {"remedy": one.n}
            yield Owed(key, "remedy_late", target.internal_due, Lane.NOTICE, facts)
    reminder, ends = case.target(Target.REPLY_REMINDER), lapses_at(case)
    if ends is None or reminder is None or reminder.met_at is not None:
        return
    yield Owed(f"reply_reminder:{reminder.version}", "reply_reminder", reminder.internal_due)
    if case.everything_verified and case.question_at is None:
        lapse = case.target(Target.LAPSE)
        version = lapse.version if lapse is not None else 0
        checked = sum(one.verified_at is not None for one in case.owed_remedies)
        answered = case.question_answered_at
        asked = f":{answered.isoformat()}" if answered is not None else ""
        yield Owed(f"lapse:{version}:{checked}{asked}", "lapse", ends, Lane.NOTICE)


def _ended(case: Case) -> Iterator[Owed]:
    """Told once that it is over, which for a withdrawn one is at once, though the matter goes on inside."""
    ended = case.withdrawn_at or case.closed_at
    if ended is None:
        return
    round_ = case.reopened
    code = CloseCode.WITHDRAWN if case.withdrawn_at is not None else case.close_code
    if case.reachable:
        yield Owed(f"closing:{round_}", "closing", ended, Lane.NOTICE, {"code": code})
    if not surveyed(case):
        return
    calendar = case.rules.calendar
    asked = due(ended, case.rules.survey.delay, calendar).at
    last = case.surveyed_at
    if "sent" not in case.surveys and (last is None or asked - last >= SURVEY_EVERY):
        yield Owed(f"survey:{round_}", "survey", asked, Lane.BULK)
    if "sent" in case.surveys and not {"answered", "reminded"} & set(case.surveys):
        reminded = due(last or asked, case.rules.survey.reminder, calendar).at
        yield Owed(f"survey_reminder:{round_}", "survey_reminder", reminded, Lane.BULK)


def surveyed(case: Case) -> bool:
    """A survey follows every ending of a complaint that can be asked about: not of a minor, not merged."""
    minor = any(sign.kind == "minor" for sign in case.signs)
    unasked = case.close_code in (CloseCode.NOT_COMPLAINT, CloseCode.MERGED)
    return not (minor or unasked or case.kind is not Kind.COMPLAINT) and case.reachable


def following(case: Case, event: Event) -> Iterator[Owed]:
    """The one-off duties of this event; `case` is as the event left it."""
    facts = {"seq": event.seq, "verb": event.verb.value}
    if event.verb not in _QUIET_THREAD:
        yield Owed(f"thread:{event.seq}", "thread", event.at, Lane.BULK, facts)
    if event.verb in (Verb.REPLY, Verb.ASK) or (event.verb is Verb.INFORM and event.role is not Role.SYSTEM):
        yield Owed(f"letter:{event.seq}", "letter", event.at, Lane.NOTICE, facts)
    if event.verb in (Verb.ASSESS, Verb.REASSESS) and _new_promise(event):
        yield Owed(f"dates:{event.seq}", "dates", event.at, Lane.NOTICE, facts)
    if event.verb is Verb.EXTEND:
        told = {**facts, "target": event.facts["target"], "of": event.facts["of"]}
        yield Owed(f"dates:{event.seq}", "dates", event.at, Lane.NOTICE, told)
    if event.verb in (Verb.REMEDY_DONE, Verb.REMEDY_LATE) and Flag.WITHDRAWN not in case.flags:
        told = {**facts, "remedy": int(event.facts["remedy"])}
        yield Owed(f"remedy_notice:{event.seq}", "remedy_notice", event.at, Lane.NOTICE, told)
    if event.verb in (Verb.ACCEPT, Verb.DISAGREE, Verb.WITHDRAW) and event.role is not Role.COMPLAINANT:
        yield Owed(f"confirmation:{event.seq}", "confirmation", event.at, Lane.DIALOGUE, facts)
    if event.verb is Verb.RECEIPT and event.facts.get("danger"):
        seen = {**facts, "role": event.role.value}
        yield Owed(f"danger_seen:{event.seq}", "danger_seen", event.at, Lane.DANGER, seen)
    if event.verb is Verb.ASSIGN and event.by != event.facts.get("owner"):
        yield Owed(f"told_owner:{event.seq}", "told_owner", event.at, Lane.DIALOGUE, facts)
    waits = event.verb is Verb.RECLASSIFY or (
        event.verb is Verb.RESPOND and event.facts.get("needs_approval")
    )
    if waits:
        yield Owed(f"ask_approval:{event.seq}", "ask_approval", event.at, Lane.DIALOGUE, facts)


def _new_promise(event: Event) -> bool:
    return any(one["target"] == Target.DECIDE for one in event.facts.get("targets", ()))
