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

from complaints.priorities import priority_of
from complaints.record import Case, Event, TargetSet
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
)
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
    if case.assessment is not None or case.last_words_at is None or case.decisions or not case.is_open:
        return
    burst = due(case.last_words_at, case.rules.dialogue.burst, case.rules.calendar).at
    if case.proposed is None or case.proposed.words < case.words:
        yield Owed(f"propose:{case.words}", "propose", burst, Lane.DIALOGUE, {"words": case.words})
    if case.proposed is None:
        yield Owed("propose:latest", "propose", case.logged_at + timedelta(seconds=60), Lane.DIALOGUE)


def _told(case: Case) -> Iterator[Owed]:
    """What the complainant must hear: acknowledgement, dates, progress, decision, recourse, closing."""
    ended = case.form_ended_at
    if case.level == 1 and ended is not None and 1 not in case.acks and case.channel == "telegram":
        yield Owed("ack:1", "acknowledge", ended, Lane.DIALOGUE, {"level": 1})
    if case.level > 1 and case.level not in case.acks and case.level_started_at is not None:
        yield Owed(
            f"ack:{case.level}", "acknowledge", case.level_started_at, Lane.DIALOGUE, {"level": case.level}
        )
    decision = case.decision
    if decision is not None and decision.communicated_at is None and case.state is State.DECIDED:
        facts = {"level": decision.level, "seq": decision.seq}
        yield Owed(f"decision:{decision.seq}", "decision", decision.at, Lane.NOTICE, facts)
    if case.state is State.DISAGREED and case.reply_at is not None:
        yield Owed(f"recourse:{case.level}", "recourse", case.reply_at, Lane.NOTICE, {"level": case.level})
    update = case.target(Target.UPDATE)
    if update is not None and update.met_at is None and case.is_open:
        yield Owed(f"progress:{update.version}", "progress", update.internal_due, Lane.NOTICE)


def _reminders(case: Case) -> Iterator[Owed]:
    """Staff hear before a due time and at a missed one; P1 has no time for a working day's notice."""
    if not case.is_open:
        return
    for one in case.current_targets():
        if one.target not in _REMINDED or one.met_at is not None:
            continue
        yield from _reminder(case, one)


def _reminder(case: Case, one: TargetSet) -> Iterator[Owed]:
    name = f"{one.target.value}:{one.of}:{one.version}"
    facts = {"target": one.target.value, "of": one.of, "version": one.version}
    early = before(one.internal_due, "-1 bd", case.rules.calendar).at
    if early > one.start and priority_of(case) is not Priority.P1:
        yield Owed(f"remind:{name}:-1bd", "remind", early, Lane.NOTICE, {**facts, "when": "before"})
    yield Owed(f"remind:{name}:due", "remind", one.internal_due, Lane.NOTICE, {**facts, "when": "missed"})


def _after_decision(case: Case) -> Iterator[Owed]:
    """The reply is reminded once; silence ends a complaint only when nothing is owed, never as a yes."""
    if case.state not in (State.DECIDED, State.REMEDYING):
        return
    for one in case.owed_remedies:
        target = case.target(Target.REMEDY, one.n)
        if one.done_at is None and target is not None:
            key, facts = f"remedy_late:{one.n}:{target.version}", {"remedy": one.n}
            yield Owed(key, "remedy_late", target.internal_due, Lane.NOTICE, facts)
    reminder, lapse = case.target(Target.REPLY_REMINDER), case.target(Target.LAPSE)
    if case.reply is not None or reminder is None or lapse is None or lapse.met_at is not None:
        return
    yield Owed(f"reply_reminder:{reminder.version}", "reply_reminder", reminder.internal_due)
    checked = [one.verified_at for one in case.owed_remedies if one.verified_at is not None]
    if case.everything_verified and case.question_at is None:
        ends = max([lapse.internal_due, *checked])
        yield Owed(f"lapse:{lapse.version}:{len(checked)}", "lapse", ends, Lane.NOTICE)


def _ended(case: Case) -> Iterator[Owed]:
    if case.state is not State.CLOSED or case.closed_at is None:
        return
    round_ = case.reopened
    yield Owed(f"closing:{round_}", "closing", case.closed_at, Lane.NOTICE, {"code": case.close_code})
    if not surveyed(case):
        return
    calendar = case.rules.calendar
    asked = due(case.closed_at, case.rules.survey.delay, calendar).at
    if "sent" not in case.surveys:
        yield Owed(f"survey:{round_}", "survey", asked, Lane.BULK)
    if "sent" in case.surveys and not {"answered", "reminded"} & set(case.surveys):
        reminded = due(asked, case.rules.survey.reminder, calendar).at
        yield Owed(f"survey_reminder:{round_}", "survey_reminder", reminded, Lane.BULK)


def surveyed(case: Case) -> bool:
    """A survey follows every ending of a complaint that can be asked about: not of a minor, not merged."""
    minor = any(sign.rule.split(".")[0] == "minor" for sign in case.signs)
    unasked = case.close_code in (CloseCode.NOT_COMPLAINT, CloseCode.MERGED)
    return not (minor or unasked or case.kind is not Kind.COMPLAINT or Flag.UNREACHABLE in case.flags)


def following(case: Case, event: Event) -> Iterator[Owed]:
    """The one-off duties of this event; `case` is as the event left it."""
    facts = {"seq": event.seq, "verb": event.verb.value}
    if event.verb not in _QUIET_THREAD:
        yield Owed(f"thread:{event.seq}", "thread", event.at, Lane.BULK, facts)
    if event.verb in (Verb.REPLY, Verb.ASK) or (event.verb is Verb.INFORM and event.role is not Role.SYSTEM):
        yield Owed(f"letter:{event.seq}", "letter", event.at, Lane.NOTICE, facts)
    if event.verb in (Verb.ASSESS, Verb.REASSESS) and _sooner_promise(event):
        yield Owed(f"dates:{event.seq}", "dates", event.at, Lane.NOTICE, facts)
    if event.verb is Verb.REMEDY_DONE:
        told = {**facts, "remedy": event.facts["remedy"]}
        yield Owed(f"remedy_notice:{event.seq}", "remedy_notice", event.at, Lane.NOTICE, told)
    if event.verb is Verb.ASSIGN and event.by != event.facts.get("owner"):
        yield Owed(f"told_owner:{event.seq}", "told_owner", event.at, Lane.DIALOGUE, facts)
    waits = event.verb is Verb.RECLASSIFY or (
        event.verb is Verb.RESPOND and event.facts.get("needs_approval")
    )
    if waits:
        yield Owed(f"ask_approval:{event.seq}", "ask_approval", event.at, Lane.DIALOGUE, facts)


def _sooner_promise(event: Event) -> bool:
    return any(one["target"] == Target.DECIDE for one in event.facts.get("targets", ()))
