"""Acts on all complaints of an incident: who gets them, and one letter to each complaint of the `batch`.

Here is the update to all; the decision on all (incident_decisions.py) uses the same audience, draft and deliveries.

The act records who gets the update and who is left out. Each complaint gets an obligation of its own: after a crash
the remaining ones go on, and no one gets the update twice.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    and_,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from complaints import incidents as rules
from complaints.actions.authorisation import Access, is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import AlreadyDone, BadFacts
from complaints.incidents import SAME_INCIDENT, Incident, IncidentAct
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from store.cases.act import act, act_on
from store.database.keyring import place
from store.database.transaction import Tx
from store.incidents import (
    act_on_incident,
    list_all_incident_cases,
    load_incident,
    load_incident_history,
    open_incident,
)
from store.outbox.complete import complete
from store.outbox.rows import insert_redraw, obligation_row
from store.record.load import load_case_file
from store.slack import keep_draft
from store.tables import COMPLAINTS, DRAFTS, INCIDENT_RECEIVERS, MESSAGES, OBLIGATIONS

#: The obligation that informs one complaint.
KIND = "incident_update"
#: The form whose texts are kept as a draft.
FORM = "incident_update"
_RECEIVERS = INCIDENT_RECEIVERS.c


@dataclass(frozen=True)
class Audience:
    """The recipients of an update: `to` in the order of references, and `left_out` as (case, reason)."""

    to: tuple[Case, ...]
    left_out: tuple[tuple[Case, str], ...]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(sorted({case.language for case in self.to}))


@dataclass(frozen=True)
class UpdateDelivery:
    """The state of one complaint's letter of a batch (sent, waiting, failed, left_out, taken_back) and the reason."""

    ref: str
    state: str
    reason: str | None = None
    #: The act is in the complaint's record.
    is_recorded: bool = False


@dataclass(frozen=True)
class IncidentDraft:
    """What was typed into the form of an act on all while it is previewed; `version` is the incident's.

    `refs` are the complaints that the preview counted and `at` is when it began, for a decision. `overruled` are the
    codes of warnings about the texts.
    """

    id: str
    incident: int
    by: str
    version: int
    words: Mapping[str, str]
    facts: Mapping[str, Any]
    refs: tuple[str, ...] = ()
    at: str = ""
    overruled: tuple[str, ...] = ()


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


def load_update_audience(
    tx: Tx, number: int, by: Actor, reason: Callable[[Case], str | None] = rules.left_out
) -> Audience:
    """Who would get an update now, and who would be left out; `reason` says why a complaint is."""
    return audience_of(list_all_incident_cases(tx, number), by, reason)


def audience_of(cases: Iterable[Case], reader: Actor, reason: Callable[[Case], str | None]) -> Audience:
    """Those of these complaints that `reason` does not leave out, as far as this person may read them."""
    to, left_out = [], []
    for case in cases:
        why = reason(case)
        if why != "restricted" and not is_allowed(case, Access.READ, reader):
            why = "not_open"
        if why is None:
            to.append(case)
        else:
            left_out.append((case, why))
    return Audience(tuple(to), tuple(left_out))


def save_incident_draft(
    tx: Tx,
    incident: int,
    by: str,
    version: int,
    words: Mapping[str, str],
    *,
    form: str = FORM,
    more: Mapping[str, Any] | None = None,
) -> str:
    """Keep what was typed for 24 hours, sealed with the instance's key; returns an unguessable id.

    `more` are further fields of `IncidentDraft`.
    """
    content = {"incident": incident, "words": dict(words), **(more or {})}
    return keep_draft(tx, None, by, form, version, content)


def read_incident_draft(tx: Tx, number: str, form: str = FORM) -> IncidentDraft | None:
    """The draft; None after 24 hours."""
    row = tx.connection.execute(
        select(DRAFTS).where(DRAFTS.c.id == number, DRAFTS.c.form == form, DRAFTS.c.expires_at > tx.now)
    ).first()
    if row is None:
        return None
    typed = json.loads(tx.keys.unseal(row.sealed, place("drafts", number, "typed")))
    refs, facts, overruled = (typed.get(name, ()) for name in ("refs", "facts", "overruled"))
    return IncidentDraft(
        number, typed["incident"], row.by, row.work_version, typed["words"], dict(facts), tuple(refs),
        typed.get("at", ""), tuple(overruled),
    )  # fmt: skip


def schedule_incident_update(
    tx: Tx,
    number: int,
    by: Actor,
    words: Mapping[str, str],
    *,
    version: int | None = None,
    key: str | None = None,
    overruled: Sequence[str] = (),
    language_confirmed: bool = False,
    delay: timedelta = timedelta(),
) -> Incident:
    """Inform all complainants (words `text.<language>`); returns the incident with its new `batch`.

    `overruled` are the codes of warnings about the texts that the sender saw. Complainants without a text in their
    language get one in another only with `language_confirmed`; otherwise they are left to a person. For the time
    `delay` nothing is recorded in a complaint, and the sender can take it back.
    Raises BadFacts if there is no recipient, and what `act_on_incident` raises.
    """
    before = load_incident(tx, number)
    rules.required_role(before, IncidentAct.UPDATE, by)
    reason = rules.left_out if language_confirmed else lambda case: rules.update_left_out(case, words)
    audience = load_update_audience(tx, number, by, reason)
    if not audience.to:
        raise BadFacts(
            "No complainant of this incident can get a common update: write to each.", code="nobody_to_tell"
        )
    batch = f"{number}.{before.version + 1}"
    facts = batch_facts(batch, audience, overruled)
    if language_confirmed:
        facts["language_confirmed"] = True
    after = act_on_incident(tx, number, IncidentAct.UPDATE, by, facts, words, version=version, key=key)
    insert_receivers(tx, batch, number, audience)
    schedule_for_each(tx, _obligation(tx.now + delay, batch, number, by), [case.ref for case in audience.to])
    return after


def _obligation(due: datetime, batch: str, number: int, by: Actor) -> NewObligation:
    facts = {"batch": batch, "incident": number, "by": by.id}
    return NewObligation(f"{KIND}:{batch}", KIND, due, SendPriority.BULK, facts)


def batch_facts(batch: str, audience: Audience, overruled: Sequence[str]) -> dict[str, Any]:
    """What the event of an act on all says about its recipients, and the warnings that were overruled."""
    left_out = [{"ref": case.ref, "why": why} for case, why in audience.left_out]
    facts = {"batch": batch, "receivers": len(audience.to), "left_out": left_out}
    return {**facts, "overruled": list(overruled)} if overruled else facts


def insert_receivers(tx: Tx, batch: str, number: int, audience: Audience) -> None:
    """Record to which complaints a batch goes, and which are left out."""
    rows = [_receiver_row(batch, number, case, None) for case in audience.to]
    rows += [_receiver_row(batch, number, case, why) for case, why in audience.left_out]
    tx.connection.execute(insert(INCIDENT_RECEIVERS), rows)
    for case, _ in audience.left_out:
        insert_redraw(tx, case.ref, f"left_out:{batch}")


def schedule_for_each(tx: Tx, obligation: NewObligation, refs: Sequence[str]) -> None:
    """One obligation for each complaint of a batch: after a crash the remaining ones go on."""
    rows = [obligation_row(obligation, scope=ref, ref=ref, contact_id=None, at=tx.now) for ref in refs]
    tx.insert_missing(OBLIGATIONS, rows)
    tx.obligations_changed = True


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
    why = rules.member_left_out(file.case, int(batch.partition(".")[0]))
    if why is not None:
        record_left_out(tx, ref, batch, why)
    else:
        try:
            key = f"{KIND}:{batch}"
            done, _ = act_on(tx, file, Verb.INFORM, by, {"batch": batch}, words, key=key)
            record_reached(tx, ref, batch, done.event.seq)
        except AlreadyDone:
            # The process died after the commit and before the obligation was completed.
            pass
    if completes is not None:
        complete(tx, completes)


def record_left_out(tx: Tx, ref: str, batch: str, why: str, *, completes: int | None = None) -> None:
    """A complaint of the batch is left to a person after all; nothing changes where the act was done before."""
    tx.connection.execute(
        update(INCIDENT_RECEIVERS)
        .where(_RECEIVERS.batch == batch, _RECEIVERS.ref == ref, _RECEIVERS.seq.is_(None))
        .values(left_out=why)
    )
    insert_redraw(tx, ref, f"left_out:{batch}")
    if completes is not None:
        complete(tx, completes)


def record_reached(tx: Tx, ref: str, batch: str, seq: int) -> None:
    """The act of a batch is in the record of this complaint, as the event with this number."""
    tx.connection.execute(
        update(INCIDENT_RECEIVERS).where(_RECEIVERS.batch == batch, _RECEIVERS.ref == ref).values(seq=seq)
    )


def list_update_deliveries(tx: Tx, batch: str, kind: str = KIND) -> list[UpdateDelivery]:
    """The delivery state of every complaint of a batch, by reference; `kind` is the obligation of its act."""
    act_obligation, letter, any_letter = (OBLIGATIONS.alias(name) for name in ("act", "letter", "any_letter"))
    # A letter can be sent again after a failed delivery: the newest one counts.
    last = select(func.max(any_letter.c.id)).where(_is_letter(any_letter, kind)).correlate(INCIDENT_RECEIVERS)
    newest = (
        select(MESSAGES.c.obligation_id, func.max(MESSAGES.c.id).label("id"))
        .join(letter, letter.c.id == MESSAGES.c.obligation_id)
        .join(INCIDENT_RECEIVERS, _is_letter(letter, kind))
        .where(_RECEIVERS.batch == batch)
        .group_by(MESSAGES.c.obligation_id)
        .subquery()
    )
    query = (
        select(
            _RECEIVERS.ref,
            _RECEIVERS.left_out,
            _RECEIVERS.seq,
            COMPLAINTS.c.restriction,
            act_obligation.c.state.label("act"),
            act_obligation.c.why.label("act_why"),
            letter.c.state.label("letter"),
            letter.c.why.label("letter_why"),
            MESSAGES.c.state.label("message"),
            MESSAGES.c.reason,
        )
        .select_from(INCIDENT_RECEIVERS)
        .join(COMPLAINTS, COMPLAINTS.c.ref == _RECEIVERS.ref)
        .outerjoin(
            act_obligation,
            and_(act_obligation.c.scope == _RECEIVERS.ref, act_obligation.c.key == f"{kind}:{batch}"),
        )
        .outerjoin(letter, letter.c.id == last.scalar_subquery())
        .outerjoin(newest, newest.c.obligation_id == letter.c.id)
        .outerjoin(MESSAGES, MESSAGES.c.id == newest.c.id)
        .where(_RECEIVERS.batch == batch)
        .order_by(_RECEIVERS.ref)
    )
    return [_delivery(row) for row in tx.connection.execute(query)]


def _receiver_row(batch: str, number: int, case: Case, why: str | None) -> dict[str, Any]:
    return {"batch": batch, "ref": case.ref, "incident_id": number, "left_out": why, "seq": None}


def _is_letter(obligation: FromClause, kind: str) -> ColumnElement[bool]:
    """Whether this obligation is the letter of the complaint's event, also if it was scheduled to be resent."""
    key = literal("letter:" if kind == KIND else "decision:", String) + cast(_RECEIVERS.seq, String)
    has_key = or_(obligation.c.key == key, obligation.c.key.like(key + ":r%"))
    return and_(obligation.c.scope == _RECEIVERS.ref, has_key)


def _delivery(row: Any) -> UpdateDelivery:
    is_recorded = row.seq is not None
    if row.left_out == rules.TAKEN_BACK:
        return UpdateDelivery(row.ref, rules.TAKEN_BACK)
    if row.left_out is not None:
        # The reason must not show for a complaint that is restricted by now.
        return UpdateDelivery(row.ref, "left_out", row.left_out if row.restriction is None else "restricted")
    if row.act == "failed" or row.letter == "failed":
        return UpdateDelivery(row.ref, "failed", _code(row.letter_why or row.act_why), is_recorded)
    if row.letter == "done" and row.message == "sent":
        return UpdateDelivery(row.ref, "sent", None, is_recorded)
    if row.letter == "done":
        return UpdateDelivery(row.ref, "failed", _code(row.reason), is_recorded)
    if row.letter is None and row.act == "done":
        # Completed without an act: the complaint was erased while it waited.
        return UpdateDelivery(row.ref, "left_out", "closed")
    return UpdateDelivery(row.ref, "waiting", None, is_recorded)


def _code(why: str | None) -> str:
    """The channel's reason code; a whole sentence is shown in the outbox, so here it is `refused`."""
    return why if why is not None and " " not in why else "refused"
