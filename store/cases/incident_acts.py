"""Acts on all complaints of an incident: an update, and a decision that a second person approves.

The act records who gets it and who is left out. Each complaint is informed or decided in a transaction of its own;
who is left to a person is checked again at that moment.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from complaints import batch as rules
from complaints.actions.registry import DECISION_VERBS
from complaints.actors import Actor
from complaints.batch import Audience, Batch, IncidentDecision, audience_of, left_out, update_left_out
from complaints.case import Case
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder, Stale
from complaints.event_facts import OVERRULED
from complaints.incidents import SAME_INCIDENT, Incident, IncidentAct, required_role
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import format_time
from complaints.vocabulary import Verb
from store.cases.act import act, act_on
from store.cases.batches import (
    DECISION,
    UPDATE,
    end_waiting,
    insert_receivers,
    list_receivers,
    record_left_out,
    record_reached,
    record_taken_back,
    schedule_for_each,
)
from store.database.transaction import Tx
from store.incidents import (
    act_on_incident,
    list_all_incident_cases,
    load_incident,
    load_incident_decision,
    load_incident_history,
    open_incident,
)
from store.outbox.complete import complete
from store.outbox.rows import insert_obligation
from store.people.staff import count_reviewers
from store.record.load import load_case_file, load_many

#: The obligation that informs managers about a decision.
NOTICE = "incident_notice"


def open_incident_with(
    tx: Tx,
    ref: str,
    by: Actor,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    version: int | None = None,
    key: str | None = None,
) -> Incident:
    """Open an incident and let this complaint join it, in one transaction.

    `version` is the complaint's work_version that the person saw. Raises what either act raises.
    """
    incident = open_incident(tx, by, facts, words, key=key)
    link = {"relation": SAME_INCIDENT, "incident": incident.id}
    act(tx, ref, Verb.LINK, by, link, version=version)
    return incident


def load_incident_audience(
    tx: Tx, number: int, by: Actor, reason: Callable[[Case], str | None] = left_out
) -> Audience:
    """Who would get an act on all now, and who would be left out; `reason` says why a complaint is."""
    return audience_of(list_all_incident_cases(tx, number), by, reason)


def _act_on_all(
    tx: Tx,
    before: Incident,
    act_on_all: IncidentAct,
    previewed: Batch,
    by: Actor,
    facts: Mapping[str, Any],
    audience: Audience,
) -> tuple[Incident, str]:
    """Record the act with its audience; also returns its batch. Raises BadFacts if it reaches no one."""
    audience.require_some()
    batch = f"{before.id}.{before.version + 1}"
    rows = [{"ref": case.ref, "why": why} for case, why in audience.left_out]
    facts = {**facts, "batch": batch, "receivers": len(audience.to), "left_out": rows}
    facts |= {OVERRULED: list(previewed.overruled)} if previewed.overruled else {}
    after = act_on_incident(
        tx, before.id, act_on_all, by, facts, previewed.words,
        version=previewed.version or None, key=f"draft:{previewed.id}" if previewed.id else None,
    )  # fmt: skip
    insert_receivers(tx, batch, before.id, audience)
    return after, batch


# the update


def schedule_incident_update(
    tx: Tx, previewed: Batch, by: Actor, *, language_confirmed: bool = False, delay: timedelta = timedelta()
) -> Incident:
    """Inform all complainants (words `text.<language>`); returns the incident with its new `batch`.

    Complainants without a text in their language get one in another only with `language_confirmed`; otherwise they
    are left to a person. For the time `delay` nothing is recorded in a complaint, and the sender can take it back.
    Raises BadFacts if there is no recipient, and what `act_on_incident` raises.
    """
    before, words = load_incident(tx, int(previewed.about)), previewed.words
    required_role(before, IncidentAct.UPDATE, by)
    reason = left_out if language_confirmed else partial(update_left_out, words=words)
    audience = load_incident_audience(tx, before.id, by, reason)
    facts = {"language_confirmed": True} if language_confirmed else {}
    after, batch = _act_on_all(tx, before, IncidentAct.UPDATE, previewed, by, facts, audience)
    about = {"batch": batch, "incident": before.id, "by": by.id}
    obligation = NewObligation(f"{UPDATE}:{batch}", UPDATE, tx.now + delay, SendPriority.BULK, about)
    schedule_for_each(tx, obligation, [case.ref for case in audience.to])
    return after


def load_update_text(tx: Tx, number: int, batch: str, language: str) -> str:
    """The text of a batch in this language; without a text in it, the staff's language."""
    event = next(event for event in load_incident_history(tx, number) if event.facts.get("batch") == batch)
    first = next(iter(event.words.values()), "")
    return event.words.get(f"text.{language}") or first


def record_incident_update(
    tx: Tx, ref: str, batch: str, by: Actor, words: Mapping[str, str], *, completes: int | None = None
) -> None:
    """Record the update in one complaint, once for each batch; its letter follows from the event.

    If the complaint must be left out by now, the batch gets the reason instead. Raises ComplaintError.
    """
    file = load_case_file(tx, ref, lock=True)
    why = left_out(file.case, incident=int(batch.partition(".")[0]))
    if why is not None:
        record_left_out(tx, ref, batch, why)
    else:
        try:
            key = f"{UPDATE}:{batch}"
            done, _ = act_on(tx, file, Verb.INFORM, by, {"batch": batch}, words, key=key)
            record_reached(tx, ref, batch, done.event.seq)
        except AlreadyDone:
            # The process died after the commit and before the obligation was completed.
            pass
    if completes is not None:
        complete(tx, completes)


# the decision


def load_decision_audience(tx: Tx, number: int, by: Actor, decision: IncidentDecision) -> Audience:
    """Who would be decided now, and who would be left to a person."""
    return load_incident_audience(tx, number, by, lambda case: rules.refusal_of(case, decision, by, tx.now))


def load_decidable(tx: Tx, number: int, by: Actor) -> Audience:
    """Who could be decided now by some form: what the empty form shows."""
    return load_incident_audience(
        tx, number, by, lambda case: rules.decision_left_out(case, number, tx.now, tx.now)
    )


def load_proposed_audience(tx: Tx, decision: IncidentDecision, decider: Actor, approver: Actor) -> Audience:
    """Who would be decided if this person approved it now, of the complaints that it was proposed for."""
    cases = [file.case for file in load_many(tx, list_receivers(tx, decision.batch))]
    return audience_of(cases, approver, lambda case: rules.refusal_of(case, decision, decider, tx.now))


def propose_incident_decision(tx: Tx, previewed: Batch, by: Actor) -> Incident:
    """Ask a second person to approve the previewed decision; it goes to complaints of the preview alone.

    Raises BadFacts if none of them can be decided by now, and what `act_on_incident` raises.
    """
    before = load_incident(tx, int(previewed.about))
    required_role(before, IncidentAct.DECIDE, by)
    now = load_decision_audience(tx, before.id, by, IncidentDecision.previewed(previewed))
    audience = Audience(tuple(case for case in now.to if case.ref in previewed.refs), now.left_out)
    facts = {**previewed.facts, "previewed_at": format_time(previewed.previewed_at)}
    after, batch = _act_on_all(tx, before, IncidentAct.DECIDE, previewed, by, facts, audience)
    schedule_notice(tx, before.id, batch, "approve")
    return after


def answer_incident_decision(
    tx: Tx,
    number: int,
    by: Actor,
    *,
    agreed: bool,
    reason: str = "",
    version: int | None = None,
    delay: timedelta = timedelta(),
) -> Incident:
    """A second person approves the decision, which then goes to each complaint, or sends it back.

    For the time `delay` nothing is recorded in a complaint, and the second person can take the approval back.
    Raises BadFacts without a reason for sending it back, and what `act_on_incident` raises.
    """
    decision = load_incident_decision(tx, number)
    if not agreed and not reason.strip():
        raise BadFacts.worded("required", field="reason")
    facts = {"batch": decision.batch if decision else "", "agreed": "yes" if agreed else "no"}
    after = act_on_incident(tx, number, IncidentAct.APPROVE, by, facts, {"reason": reason}, version=version)
    if decision is not None and agreed:
        about = {"batch": decision.batch, "incident": number, "by": by.id}
        obligation = NewObligation(
            f"{DECISION}:{decision.batch}", DECISION, tx.now + delay, SendPriority.BULK, about
        )
        schedule_for_each(tx, obligation, list_receivers(tx, decision.batch))
    elif decision is not None:
        schedule_notice(tx, number, decision.batch, "returned")
    return after


def prepare_incident_decision(
    tx: Tx, case: Case, decision: IncidentDecision, decider: Actor, approver: str | None = None
) -> tuple[Case, int]:
    """The complaint as the decision would leave it, and how many people could review that (7.9).

    Raises ComplaintError where the rules refuse it.
    """
    after = rules.apply_decision(case, decision, decider, tx.now)
    return after, count_reviewers(tx, after, approver)


def record_incident_decision(
    tx: Tx,
    ref: str,
    decision: IncidentDecision,
    decider: Actor,
    approver: Actor,
    letter: str,
    *,
    seen_version: int,
    completes: int | None = None,
) -> None:
    """Decide one complaint: assessment where it has none, decision and approval, once for each batch.

    If it must be left to a person by now, the batch gets the reason instead. Raises Stale if the complaint changed
    after its letter was written (`seen_version`), and ComplaintError where the rules refuse the second person.
    """
    file = load_case_file(tx, ref, lock=True)
    why = rules.refusal_of(file.case, decision, decider, tx.now)
    if why is not None:
        record_left_out(tx, ref, decision.batch, why, completes=completes)
        return
    if file.case.version != seen_version:
        raise Stale.worded("stale:letter", ref=ref)
    while (step := rules.next_step(file.case, decision)) is not None:
        verb, facts, words = step
        is_decision = verb in DECISION_VERBS
        if is_decision:
            words = {**words, "letter": letter}
        done, file = act_on(tx, file, verb, decider, facts, words, previewed=True)
        if is_decision:
            record_reached(tx, ref, decision.batch, done.event.seq)
    agreed = {"agreed": "yes", "batch": decision.batch}
    act_on(tx, file, Verb.APPROVE, approver, agreed, {}, previewed=True)
    if completes is not None:
        complete(tx, completes)


def schedule_notice(tx: Tx, number: int, batch: str, about: str) -> None:
    """Inform managers once: to `approve`, that it was `returned`, or that all are `decided`."""
    facts = {"incident": number, "batch": batch, "about": about}
    insert_obligation(
        tx, NewObligation(f"{NOTICE}:{batch}:{about}", NOTICE, tx.now, SendPriority.DIALOGUE, facts)
    )


# taking back


def take_back_from_all(tx: Tx, number: int, batch: str, by: Actor) -> tuple[int, int]:
    """Take back an update, or the approval of a decision, from the complaints that do not have it yet.

    Returns from how many it was taken back and for how many it was too late. A taken back decision waits for approval
    again. Raises NotAllowed for everybody but the sender, and OutOfOrder (`already_sent`) if all have it.
    """
    events = [event for event in load_incident_history(tx, number) if event.facts.get("batch") == batch]
    last, receivers = events[-1], int(events[0].facts["receivers"])
    if last.by != by.id:
        raise NotAllowed.worded("not_allowed.sender:incident")
    if last.act is IncidentAct.TAKE_BACK:
        taken_back = int(last.facts["number"])
        return taken_back, receivers - taken_back
    is_update = last.act is IncidentAct.UPDATE
    refs = end_waiting(tx, UPDATE if is_update else DECISION, batch)
    if not refs:
        raise OutOfOrder.worded("already_sent:all")
    act_on_incident(tx, number, IncidentAct.TAKE_BACK, by, {"batch": batch, "number": len(refs)})
    if is_update:
        record_taken_back(tx, batch, refs)
    return len(refs), receivers - len(refs)
