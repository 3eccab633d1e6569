"""One decision on all complaints of an incident: proposed, approved, and recorded in each by scheduled work.

Each complaint is decided in a transaction of its own. After a crash the remaining ones go on, and none is decided
twice. Who is left to a person is checked again at that moment.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from complaints import incident_decisions as rules
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, NotAllowed, OutOfOrder, Stale
from complaints.incident_decisions import IncidentDecision
from complaints.incidents import TAKEN_BACK, Incident, IncidentAct, required_role
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.times import parse_time
from complaints.vocabulary import Verb
from store.cases.act import act_on
from store.cases.incident_updates import KIND as UPDATE_KIND
from store.cases.incident_updates import (
    Audience,
    IncidentDraft,
    audience_of,
    batch_facts,
    insert_receivers,
    load_update_audience,
    record_left_out,
    record_reached,
    schedule_for_each,
)
from store.database.transaction import Tx, database_seconds
from store.incidents import act_on_incident, load_incident, load_incident_decision, load_incident_history
from store.outbox.complete import IS_OPEN, complete
from store.outbox.rows import insert_obligation
from store.people.staff import count_reviewers
from store.record.load import load_case_file, load_many
from store.tables import INCIDENT_RECEIVERS, OBLIGATIONS

#: The obligation that decides one complaint, and that which informs managers about the decision.
KIND = "incident_decision"
NOTICE = "incident_notice"
#: The form whose values are kept as a draft.
FORM = "incident_decide"
_RECEIVERS = INCIDENT_RECEIVERS.c


def load_decision_audience(tx: Tx, number: int, by: Actor, decision: IncidentDecision) -> Audience:
    """Who would be decided now, and who would be left to a person."""
    return load_update_audience(tx, number, by, lambda case: rules.refusal_of(case, decision, by, tx.now))


def load_decidable(tx: Tx, number: int, by: Actor) -> Audience:
    """Who could be decided now by some form: what the empty form shows."""
    return load_update_audience(
        tx, number, by, lambda case: rules.decision_left_out(case, number, tx.now, tx.now)
    )


def load_proposed_audience(tx: Tx, decision: IncidentDecision, decider: Actor, approver: Actor) -> Audience:
    """Who would be decided if this person approved it now, of the complaints that it was proposed for."""
    cases = [file.case for file in load_many(tx, _refs(tx, decision.batch))]
    return audience_of(cases, approver, lambda case: rules.refusal_of(case, decision, decider, tx.now))


def propose_incident_decision(tx: Tx, draft: IncidentDraft, by: Actor) -> Incident:
    """Ask a second person to approve the previewed decision; it goes to complaints of the preview alone.

    Raises BadFacts if none of them can be decided by now, and what `act_on_incident` raises.
    """
    number = draft.incident
    before = load_incident(tx, number)
    required_role(before, IncidentAct.DECIDE, by)
    wanted = draft_decision(number, draft.facts, draft.words, by, parse_time(draft.at))
    now = load_decision_audience(tx, number, by, wanted)
    refs = frozenset(draft.refs)
    audience = Audience(tuple(case for case in now.to if case.ref in refs), now.left_out)
    if not audience.to:
        raise BadFacts("No complaint of this incident can be decided with all.", code="nobody_to_tell")
    batch = f"{number}.{before.version + 1}"
    facts = {**draft.facts, "previewed_at": draft.at, **batch_facts(batch, audience, draft.overruled)}
    key = f"draft:{draft.id}"
    after = act_on_incident(
        tx, number, IncidentAct.DECIDE, by, facts, draft.words, version=draft.version, key=key
    )
    insert_receivers(tx, batch, number, audience)
    schedule_notice(tx, number, batch, "approve")
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
        raise BadFacts("Say why not.", field="reason", code="required")
    facts = {"batch": decision.batch if decision else "", "agreed": "yes" if agreed else "no"}
    after = act_on_incident(tx, number, IncidentAct.APPROVE, by, facts, {"reason": reason}, version=version)
    if decision is not None and agreed:
        about = {"batch": decision.batch, "incident": number, "by": by.id}
        obligation = NewObligation(f"{KIND}:{decision.batch}", KIND, tx.now + delay, SendPriority.BULK, about)
        schedule_for_each(tx, obligation, _refs(tx, decision.batch))
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
        raise Stale(f"{ref} changed while its letter was written.")
    while (step := rules.next_step(file.case, decision)) is not None:
        verb, facts, words = step
        if verb is Verb.RESPOND:
            words = {**words, "letter": letter}
        done, file = act_on(tx, file, verb, decider, facts, words, previewed=True)
        if verb is Verb.RESPOND:
            record_reached(tx, ref, decision.batch, done.event.seq)
    agreed = {"agreed": "yes", "batch": decision.batch}
    act_on(tx, file, Verb.APPROVE, approver, agreed, {}, previewed=True)
    if completes is not None:
        complete(tx, completes)


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
    columns, kind = OBLIGATIONS.c, UPDATE_KIND if last.act is IncidentAct.UPDATE else KIND
    # Deleted, so that a later approval of the same decision schedules them again.
    refs = tx.connection.execute(
        delete(OBLIGATIONS)
        .where(columns.key == f"{kind}:{batch}", IS_OPEN, columns.lease_until <= database_seconds())
        .returning(columns.ref)
    )
    taken = list(refs.scalars())
    if not taken:
        raise OutOfOrder("This was sent to all before: write again.", code="already_sent")
    act_on_incident(tx, number, IncidentAct.TAKE_BACK, by, {"batch": batch, "number": len(taken)})
    if last.act is IncidentAct.UPDATE:
        tx.connection.execute(
            update(INCIDENT_RECEIVERS)
            .where(_RECEIVERS.batch == batch, _RECEIVERS.ref.in_(taken))
            .values(left_out=TAKEN_BACK)
        )
    return len(taken), receivers - len(taken)


def draft_decision(
    incident: int, facts: Mapping[str, Any], words: Mapping[str, str], by: Actor, previewed_at: datetime
) -> IncidentDecision:
    """The decision of a form that is not recorded yet."""
    return IncidentDecision(incident, "draft", by.id, previewed_at, previewed_at, 0, facts, words)


def schedule_notice(tx: Tx, number: int, batch: str, about: str) -> None:
    """Inform managers once: to `approve`, that it was `returned`, or that all are `decided`."""
    facts = {"incident": number, "batch": batch, "about": about}
    insert_obligation(
        tx, NewObligation(f"{NOTICE}:{batch}:{about}", NOTICE, tx.now, SendPriority.DIALOGUE, facts)
    )


def _refs(tx: Tx, batch: str) -> list[str]:
    query = select(_RECEIVERS.ref).where(_RECEIVERS.batch == batch, _RECEIVERS.left_out.is_(None))
    return list(tx.connection.execute(query.order_by(_RECEIVERS.ref)).scalars())
