"""The obligations of one event: a line in the thread, a letter, a person to ask or to inform."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from complaints.case import Case, Event
from complaints.deadlines.periods import summary_owed
from complaints.deadlines.rule_change import promised_later
from complaints.event_facts import ATTACHMENTS
from complaints.forms import OFFLINE_VERBS
from complaints.obligations.kinds import NewObligation, SendPriority, give_offline
from complaints.obligations.resend import resent_letters
from complaints.obligations.standing import card_waits_until
from complaints.vocabulary import Flag, Role, Target, Verb

#: Staff can record these for a complainant who spoke to them; a chat gets a written confirmation.
_OFFLINE: frozenset[Verb] = frozenset(OFFLINE_VERBS.values()) - {Verb.NOTE}
_NO_THREAD_LINE = frozenset({Verb.SURVEY, Verb.END_FORM, Verb.DELIVER, Verb.DRAW_REVIEW, Verb.REVIEW_CASE})
#: In one decision on many complaints (`batch`) these are written together: the incident's card shows them, the
#: second person has agreed already, and the letter with the decision makes one with dates needless.
_DECIDED_TOGETHER = frozenset({Verb.ASSESS, Verb.INVESTIGATE, Verb.RESPOND, Verb.APPROVE})
#: The line in the thread is due this long after the card: the thread needs the card's message.
AFTER_THE_CARD = timedelta(seconds=1)


def event_obligations(case: Case, event: Event) -> Iterator[NewObligation]:
    if case.is_history:
        return
    yield from give_offline(case, _obligations(case, event), once=True)


def _obligations(case: Case, event: Event) -> Iterator[NewObligation]:
    facts = {"seq": event.seq, "verb": event.verb.value}
    if event.facts.get("batch") and event.verb in _DECIDED_TOGETHER:
        return
    if event.verb not in _NO_THREAD_LINE and event.facts.get("phase") != "line":
        card = card_waits_until(case)
        at = event.at if card is None else max(event.at, card + AFTER_THE_CARD)
        yield NewObligation(f"thread:{event.seq}", "thread", at, SendPriority.BULK, facts)
    if event.verb in (Verb.REPLY, Verb.ASK, Verb.WARN_CONDUCT) or (
        event.verb is Verb.INFORM and event.role is not Role.SYSTEM
    ):
        yield NewObligation(f"letter:{event.seq}", "letter", event.at, facts=facts)
    yield from _attachments(case, event)
    yield from _conversation(case, event, facts)
    yield from _new_dates(case, event, facts)
    if event.verb in (Verb.REMEDY_DONE, Verb.REMEDY_LATE) and Flag.WITHDRAWN not in case.flags:
        about = {**facts, "remedy": int(event.facts["remedy"])}
        yield NewObligation(f"remedy_notice:{event.seq}", "remedy_notice", event.at, facts=about)
    yield from _in_writing(case, event, facts)
    yield from resent_letters(case, event)
    if event.verb is Verb.RECEIPT and event.facts.get("danger") and case.in_danger and not case.is_discreet:
        about = {**facts, "role": event.role.value}
        yield NewObligation(f"danger_seen:{event.seq}", "danger_seen", event.at, SendPriority.DANGER, about)
    yield from _outside_body(case, event, facts)
    agrees = event.facts.get("of") == "limit_contact" and event.facts.get("agreed") == "yes"
    if event.verb is Verb.REVIEW_LIMIT or (event.verb is Verb.APPROVE and agrees):
        yield NewObligation(f"conduct:{event.seq}", "conduct", event.at, facts=facts)
    if event.facts.get("eligible") == 0 and case.is_open and Flag.WITHDRAWN not in case.flags:
        yield NewObligation("no_independent", "no_independent", event.at, SendPriority.DIALOGUE, facts)
    # If many complaints move together (`batch`), the new owner gets one message about all of them.
    single = not event.facts.get("batch")
    if event.verb is Verb.ASSIGN and event.by != event.facts.get("owner") and single:
        yield NewObligation(f"told_owner:{event.seq}", "told_owner", event.at, SendPriority.DIALOGUE, facts)
    if (
        event.verb in (Verb.RECLASSIFY, Verb.LIMIT_CONTACT, Verb.APPEAL_LIMIT)
        or (event.verb is Verb.RESPOND and event.facts.get("needs_approval"))
        or (event.verb in (Verb.RESPOND, Verb.RESOLVE) and event.facts.get("check") == "drawn")
        or (event.verb is Verb.EXTEND and event.facts.get("asks"))
        # An approval that was taken back: the messages that asked for it say that it was given.
        or (
            event.verb is Verb.TAKE_BACK
            and case.awaits_approval
            and event.facts.get("letter") in (Verb.APPROVE, Verb.CHECK_DECISION)
        )
    ):
        yield NewObligation(
            f"ask_approval:{event.seq}", "ask_approval", event.at, SendPriority.DIALOGUE, facts
        )
    is_answer = event.verb in (Verb.APPROVE, Verb.CHECK_DECISION)
    is_withdrawal = event.verb is Verb.TAKE_BACK and event.facts.get("draft")
    if is_withdrawal or (is_answer and event.facts.get("of", "respond") == "respond"):
        yield NewObligation(
            f"draft_settled:{event.seq}", "draft_settled", event.at, SendPriority.DIALOGUE, facts
        )
    if is_answer and event.facts["agreed"] == "no":
        yield NewObligation(
            f"told_checked:{event.seq}", "told_checked", event.at, SendPriority.DIALOGUE, facts
        )


def _conversation(case: Case, event: Event, facts: Mapping[str, Any]) -> Iterator[NewObligation]:
    """A line leaves at once and is marked in Slack; what the complainant writes is shown where staff talk."""
    lane, seq = SendPriority.DANGER, event.seq
    if event.verb is Verb.TALK:
        about = {
            **facts,
            "phase": event.facts["phase"],
            "thread": event.facts["thread"],
            "role": event.role.value,
        }
        # The closing letter says it; and nothing unprompted appears where another person may read along.
        silent = ("closed", "idle") if case.is_discreet else ("closed",)
        if case.reachable and event.facts.get("because") not in silent:
            yield NewObligation(f"talk:{seq}", "talk", event.at, lane, about)
        kind = "talk_mark" if event.facts["phase"] == "line" else "talk_show"
        yield NewObligation(f"{kind}:{seq}", kind, event.at, lane, about)
        if event.facts.get("former_thread"):
            former = {**about, "phase": "end", "thread": event.facts["former_thread"]}
            yield NewObligation(f"talk_show:{seq}:former", "talk_show", event.at, lane, former)
    elif case.talk is not None and event.verb in (Verb.ADD, Verb.ANSWER):
        yield NewObligation(f"talk_heard:{seq}", "talk_heard", event.at, lane, facts)


def _attachments(case: Case, event: Event) -> Iterator[NewObligation]:
    """The files with a letter leave with it, or with the decision once that is agreed; they wait for its delivery."""
    seq, numbers = event.seq, event.facts.get(ATTACHMENTS, ())
    if event.verb in (Verb.RESOLVE, Verb.RESPOND, Verb.APPROVE, Verb.CHECK_DECISION):
        decision = case.decision
        if decision is None or decision.communicated_at is not None:
            return
        seq, numbers = decision.seq, decision.attachments
    for number in numbers:
        about = {"seq": seq, "file": number}
        yield NewObligation(f"attachment:{seq}:{number}", "attachment", event.at, facts=about)


def _new_dates(case: Case, event: Event, facts: Mapping[str, Any]) -> Iterator[NewObligation]:
    """The letter with the first dates, and one for each promised date that moves."""
    if event.verb in (Verb.ASSESS, Verb.REASSESS) and _promises_decision(event):
        yield NewObligation(f"dates:{event.seq}", "dates", event.at, facts=facts)
    moved = event.facts.get("extends") if event.verb is Verb.APPROVE else None
    if event.verb is Verb.EXTEND and not event.facts.get("asks"):
        moved = event.facts
    if moved is not None:
        # `seq` is the event that asked for the later date: its words hold the reason that the letter gives.
        about = {**facts, "seq": moved.get("seq", event.seq), "target": moved["target"], "of": moved["of"]}
        yield NewObligation(f"dates:{event.seq}", "dates", event.at, facts=about)
    if event.verb is Verb.REDATE:
        for target in promised_later(case, event):
            about = {**facts, "target": target.value, "of": 0}
            yield NewObligation(f"dates:{event.seq}:{target.value}", "dates", event.at, facts=about)


def _promises_decision(event: Event) -> bool:
    return any(row["target"] == Target.DECIDE for row in event.facts.get("targets", ()))


def _in_writing(case: Case, event: Event, facts: Mapping[str, Any]) -> Iterator[NewObligation]:
    """The confirmation of something said offline, and the summary of an early settlement (fast track)."""
    if event.verb in _OFFLINE and event.role not in (Role.COMPLAINANT, Role.SYSTEM):
        yield NewObligation(
            f"confirmation:{event.seq}", "confirmation", event.at, SendPriority.DIALOGUE, facts
        )
    if event.verb is Verb.ACCEPT and summary_owed(case):
        yield NewObligation(f"summary:{event.seq}", "summary", event.at, facts=facts)


def _outside_body(case: Case, event: Event, facts: Mapping[str, Any]) -> Iterator[NewObligation]:
    """The complainant gets the outside decision; the people who decided get it where it overturns ours."""
    if event.verb not in (Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL):
        return
    about = {**facts, "event": event.facts.get("event", "notified")}
    silent = Flag.WITHDRAWN in case.flags
    if event.verb is Verb.CONCLUDE_EXTERNAL and not silent:
        yield NewObligation(f"outside:{event.seq}", "outside", event.at, facts=about)
    refused = event.facts.get("complainant_accepts") == "no"
    if refused and not silent and case.outside_refused < len(case.rules.recourse):
        step = {**about, "step": case.outside_refused}
        yield NewObligation(
            f"next_recourse:{event.seq}", "next_recourse", event.at, SendPriority.NOTICE, step
        )
    if event.facts.get("overturned") == "yes":
        yield NewObligation(
            f"told_overturned:{event.seq}", "told_overturned", event.at, SendPriority.DIALOGUE, about
        )
