"""The one-off duties of a single event: a line in the thread, a letter, somebody to be asked or told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from complaints.actions.redate import promised_later
from complaints.case import Case, Event
from complaints.deadlines.fast_track import summary_owed
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.offline import told_by_people
from complaints.obligations.resend import letters_again
from complaints.obligations.standing import card_waits_until
from complaints.vocabulary import Flag, Role, Target, Verb

#: Heard or told by voice, a person of staff records it, and a chat gets it in writing too.
_BY_VOICE = frozenset(
    {
        Verb.ACCEPT,
        Verb.DISAGREE,
        Verb.WITHDRAW,
        Verb.ACKNOWLEDGE,
        Verb.COMMUNICATE_DECISION,
        Verb.OFFER_RECOURSE,
    }
)
_QUIET_THREAD = frozenset({Verb.SURVEY, Verb.END_FORM})
AFTER_THE_CARD = timedelta(seconds=1)


def event_obligations(case: Case, event: Event) -> Iterator[NewObligation]:
    """The one-off duties of this event; `case` is as the event left it."""
    if case.is_history:
        return
    yield from told_by_people(case, _following(case, event), once=True)


def _following(case: Case, event: Event) -> Iterator[NewObligation]:
    facts = {"seq": event.seq, "verb": event.verb.value}
    if event.verb not in _QUIET_THREAD:
        # The card comes first: asked before, the line would only be put off.
        card = card_waits_until(case)
        at = event.at if card is None else max(event.at, card + AFTER_THE_CARD)
        yield NewObligation(f"thread:{event.seq}", "thread", at, SendPriority.BULK, facts)
    if event.verb in (Verb.REPLY, Verb.ASK) or (event.verb is Verb.INFORM and event.role is not Role.SYSTEM):
        yield NewObligation(f"letter:{event.seq}", "letter", event.at, SendPriority.NOTICE, facts)
    if event.verb in (Verb.ASSESS, Verb.REASSESS) and _new_promise(event):
        yield NewObligation(f"dates:{event.seq}", "dates", event.at, SendPriority.NOTICE, facts)
    moved = event.facts.get("extends") if event.verb is Verb.APPROVE else None
    if event.verb is Verb.EXTEND and not event.facts.get("asks"):
        moved = event.facts
    if moved is not None:
        # The reason that is told stands with the act that asked.
        told = {**facts, "seq": moved.get("seq", event.seq), "target": moved["target"], "of": moved["of"]}
        yield NewObligation(f"dates:{event.seq}", "dates", event.at, SendPriority.NOTICE, told)
    if event.verb is Verb.REDATE:
        for target in promised_later(case, event):
            told = {**facts, "target": target.value, "of": 0}
            yield NewObligation(
                f"dates:{event.seq}:{target.value}", "dates", event.at, SendPriority.NOTICE, told
            )
    if event.verb in (Verb.REMEDY_DONE, Verb.REMEDY_LATE) and Flag.WITHDRAWN not in case.flags:
        told = {**facts, "remedy": int(event.facts["remedy"])}
        yield NewObligation(
            f"remedy_notice:{event.seq}", "remedy_notice", event.at, SendPriority.NOTICE, told
        )
    yield from _in_writing(case, event, facts)
    yield from letters_again(case, event)
    if event.verb is Verb.RECEIPT and event.facts.get("danger"):
        seen = {**facts, "role": event.role.value}
        yield NewObligation(f"danger_seen:{event.seq}", "danger_seen", event.at, SendPriority.DANGER, seen)
    yield from _from_outside(case, event, facts)
    if event.facts.get("eligible") == 0 and case.is_open and Flag.WITHDRAWN not in case.flags:
        yield NewObligation("no_independent", "no_independent", event.at, SendPriority.DIALOGUE, facts)
    # Of many moved at once the new owner is told in one message.
    alone = not event.facts.get("batch")
    if event.verb is Verb.ASSIGN and event.by != event.facts.get("owner") and alone:
        yield NewObligation(f"told_owner:{event.seq}", "told_owner", event.at, SendPriority.DIALOGUE, facts)
    waits = event.verb is Verb.RECLASSIFY or (
        (event.verb is Verb.RESPOND and event.facts.get("needs_approval"))
        or (event.verb is Verb.EXTEND and event.facts.get("asks"))
    )
    if waits:
        yield NewObligation(
            f"ask_approval:{event.seq}", "ask_approval", event.at, SendPriority.DIALOGUE, facts
        )


def _in_writing(case: Case, event: Event, facts: Mapping[str, Any]) -> Iterator[NewObligation]:
    """What was heard or told by voice, and an acceptance that the scheme wants confirmed."""
    if event.verb in _BY_VOICE and event.role not in (Role.COMPLAINANT, Role.SYSTEM):
        yield NewObligation(
            f"confirmation:{event.seq}", "confirmation", event.at, SendPriority.DIALOGUE, facts
        )
    if event.verb is Verb.ACCEPT and summary_owed(case):
        yield NewObligation(f"summary:{event.seq}", "summary", event.at, SendPriority.NOTICE, facts)


def _from_outside(case: Case, event: Event, facts: Mapping[str, Any]) -> Iterator[NewObligation]:
    """What an outside body did is told: to the complainant, and where it overturns ours to whoever decided."""
    if event.verb not in (Verb.NOTIFY_EXTERNAL, Verb.CONCLUDE_EXTERNAL):
        return
    told = {**facts, "event": event.facts.get("event", "notified")}
    silent = Flag.WITHDRAWN in case.flags
    if event.verb is Verb.CONCLUDE_EXTERNAL and not silent:
        yield NewObligation(f"outside:{event.seq}", "outside", event.at, SendPriority.NOTICE, told)
    refused = event.facts.get("complainant_accepts") == "no"
    if refused and not silent and case.outside_refused < len(case.rules.recourse):
        step = {**told, "step": case.outside_refused}
        yield NewObligation(
            f"next_recourse:{event.seq}", "next_recourse", event.at, SendPriority.NOTICE, step
        )
    if event.facts.get("overturned") == "yes":
        yield NewObligation(
            f"told_overturned:{event.seq}", "told_overturned", event.at, SendPriority.DIALOGUE, told
        )


def _new_promise(event: Event) -> bool:
    return any(one["target"] == Target.DECIDE for one in event.facts.get("targets", ()))
