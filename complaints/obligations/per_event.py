"""The obligations of one event: a line in the thread, a letter, a person to ask or to inform.

The row of a verb (`leaves`) names those that its event may leave; each function here decides by the case.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from complaints.case import Case, Event, Facts
from complaints.deadlines.periods import summary_owed
from complaints.deadlines.rule_change import promised_later
from complaints.event_facts import ATTACHMENTS
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.resend import resent_letters
from complaints.obligations.standing import card_waits_until
from complaints.vocabulary import Flag, Role, Target, Verb

#: The line in the thread is due this long after the card: the thread needs the card's message.
AFTER_THE_CARD = timedelta(seconds=1)


def _of_event(
    event: Event, kind: str, priority: SendPriority = SendPriority.NOTICE, /, **about: Any
) -> NewObligation:
    """The one obligation of this kind that an event has."""
    facts = {"seq": event.seq, "verb": event.verb.value, **about}
    return NewObligation(f"{kind}:{event.seq}", kind, event.at, priority, facts)


# What every event may leave.


def thread_line(case: Case, event: Event) -> Iterator[NewObligation]:
    if event.facts.get("phase") == "line":
        return
    card = card_waits_until(case)
    at = event.at if card is None else max(event.at, card + AFTER_THE_CARD)
    facts = {"seq": event.seq, "verb": event.verb.value}
    yield NewObligation(f"thread:{event.seq}", "thread", at, SendPriority.BULK, facts)


def after_any_event(case: Case, event: Event) -> Iterator[NewObligation]:
    """The letters that can be sent again, and the notice that no independent person is left."""
    yield from resent_letters(case, event)
    if event.facts.get("eligible") == 0 and case.is_open and Flag.WITHDRAWN not in case.flags:
        facts = {"seq": event.seq, "verb": event.verb.value}
        yield NewObligation("no_independent", "no_independent", event.at, SendPriority.DIALOGUE, facts)


# Letters and conversation.


def letter(case: Case, event: Event) -> Iterator[NewObligation]:
    """What a member of staff wrote, with its files; the bot's own update is a notice."""
    if event.role is not Role.SYSTEM:
        yield _of_event(event, "letter")
    yield from _attachments(event, event.seq, event.facts.get(ATTACHMENTS, ()))


def _decision_attachments(case: Case, event: Event) -> Iterator[NewObligation]:
    """The files with a decision leave with it, once it is agreed; they wait for its delivery."""
    decision = case.decision
    if decision is not None and decision.communicated_at is None:
        yield from _attachments(event, decision.seq, decision.attachments)


def _attachments(event: Event, seq: int, numbers: Any) -> Iterator[NewObligation]:
    for number in numbers:
        about = {"seq": seq, "file": number}
        yield NewObligation(f"attachment:{seq}:{number}", "attachment", event.at, facts=about)


def talk(case: Case, event: Event) -> Iterator[NewObligation]:
    """A line leaves at once and is marked in Slack; that a person came or left is shown there."""
    lane, phase = SendPriority.DANGER, event.facts["phase"]
    about = {"phase": phase, "thread": event.facts["thread"], "role": event.role.value}
    # The closing letter says it; and nothing unprompted appears where another person may read along.
    silent = ("closed", "idle") if case.is_discreet else ("closed",)
    if case.reachable and event.facts.get("because") not in silent:
        yield _of_event(event, "talk", lane, **about)
    yield _of_event(event, "talk_mark" if phase == "line" else "talk_show", lane, **about)
    if event.facts.get("former_thread"):
        former = {"seq": event.seq, "verb": event.verb.value, **about}
        former |= {"phase": "end", "thread": event.facts["former_thread"]}
        yield NewObligation(f"talk_show:{event.seq}:former", "talk_show", event.at, lane, former)


def talk_answer(case: Case, event: Event) -> Iterator[NewObligation]:
    """What the complainant writes during a conversation is shown where staff talk."""
    if case.talk is not None:
        yield _of_event(event, "talk_heard", SendPriority.DANGER)


def danger_seen(case: Case, event: Event) -> Iterator[NewObligation]:
    if event.facts.get("danger") and case.in_danger and not case.is_discreet:
        yield _of_event(event, "danger_seen", SendPriority.DANGER, role=event.role.value)


# Dates.


def first_dates(case: Case, event: Event) -> Iterator[NewObligation]:
    """The letter with the first dates."""
    if any(row["target"] == Target.DECIDE for row in event.facts.get("targets", ())):
        yield _of_event(event, "dates")


def extended_date(case: Case, event: Event) -> Iterator[NewObligation]:
    """The letter with a later date, or the question to a second person."""
    if event.facts.get("asks"):
        yield from second_person(case, event)
    else:
        yield from _later_date(event, event.facts)


def _later_date(event: Event, extension: Facts) -> Iterator[NewObligation]:
    # `seq` is the event that asked for the later date: its words hold the reason that the letter gives.
    seq = extension.get("seq", event.seq)
    yield _of_event(event, "dates", seq=seq, target=extension["target"], of=extension["of"])


def redated(case: Case, event: Event) -> Iterator[NewObligation]:
    """A letter for each promised date that other rules move later."""
    for target in promised_later(case, event):
        about = {"seq": event.seq, "verb": event.verb.value, "target": target.value, "of": 0}
        yield NewObligation(f"dates:{event.seq}:{target.value}", "dates", event.at, facts=about)


# After the decision.


def remedy_notice(case: Case, event: Event) -> Iterator[NewObligation]:
    if Flag.WITHDRAWN not in case.flags:
        yield _of_event(event, "remedy_notice", remedy=int(event.facts["remedy"]))


def confirmation(case: Case, event: Event) -> Iterator[NewObligation]:
    """Staff recorded it for a complainant who spoke to them; a chat gets a written confirmation."""
    if event.role not in (Role.COMPLAINANT, Role.SYSTEM):
        yield _of_event(event, "confirmation", SendPriority.DIALOGUE)


def summary(case: Case, event: Event) -> Iterator[NewObligation]:
    """The summary of an early settlement (fast track)."""
    if summary_owed(case):
        yield _of_event(event, "summary")


def outside_body(case: Case, event: Event) -> Iterator[NewObligation]:
    """After an outside decision was refused the next step; the people who decided know if it overturns theirs."""
    about = {"event": event.facts.get("event", "notified")}
    refused = event.facts.get("complainant_accepts") == "no"
    is_silent = Flag.WITHDRAWN in case.flags
    if refused and not is_silent and case.outside_refused < len(case.rules.recourse):
        yield _of_event(event, "next_recourse", **about, step=case.outside_refused)
    if event.facts.get("overturned") == "yes":
        yield _of_event(event, "told_overturned", SendPriority.DIALOGUE, **about)


def outside_decision(case: Case, event: Event) -> Iterator[NewObligation]:
    if Flag.WITHDRAWN not in case.flags:
        yield _of_event(event, "outside", event=event.facts.get("event", "notified"))


# People of the desk.


def new_owner(case: Case, event: Event) -> Iterator[NewObligation]:
    # If many complaints move together (`batch`), the new owner gets one message about all of them.
    if event.by != event.facts.get("owner") and not event.facts.get("batch"):
        yield _of_event(event, "told_owner", SendPriority.DIALOGUE)


def second_person(case: Case, event: Event) -> Iterator[NewObligation]:
    """Ask the people who may agree, or decide an appeal."""
    yield _of_event(event, "ask_approval", SendPriority.DIALOGUE)


def decision(case: Case, event: Event) -> Iterator[NewObligation]:
    """The files with a decision, or the question to a second person."""
    yield from _decision_attachments(case, event)
    if event.facts.get("needs_approval") or event.facts.get("check") == "drawn":
        yield from second_person(case, event)


def taken_back(case: Case, event: Event) -> Iterator[NewObligation]:
    """The messages that asked for an approval say that the draft was withdrawn, or that they ask again."""
    if case.awaits_approval and event.facts.get("letter") in (Verb.APPROVE, Verb.CHECK_DECISION):
        yield from second_person(case, event)
    if event.facts.get("draft"):
        yield _of_event(event, "draft_settled", SendPriority.DIALOGUE)


def answer(case: Case, event: Event) -> Iterator[NewObligation]:
    """What the answer of a second person leaves: the letter of what they agreed to, and who is informed of it."""
    facts = event.facts
    subject, is_agreed = facts.get("of", "respond"), facts["agreed"] == "yes"
    yield from _decision_attachments(case, event)
    if facts.get("extends"):
        yield from _later_date(event, facts["extends"])
    if subject == "limit_contact" and is_agreed:
        yield from contact_limit(case, event)
    if subject == "respond":
        yield _of_event(event, "draft_settled", SendPriority.DIALOGUE)
    if not is_agreed:
        yield _of_event(event, "told_checked", SendPriority.DIALOGUE)


def contact_limit(case: Case, event: Event) -> Iterator[NewObligation]:
    """The letter that contact is limited, or what became of the limit."""
    yield _of_event(event, "conduct")
