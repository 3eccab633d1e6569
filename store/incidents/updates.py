"""One update to everybody of an incident: one act, a letter and a delivery for each (`batch` names it).

The act writes down who is told and who is left out for a person; each telling is a duty of its own, so that
a process that dies in the middle goes on where it was, and nobody is told twice.

The texts of an update to all while they are previewed: under the instance's key, for 24 hours.

Opening an incident from a complaint that belongs to it: both in one transaction.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    String,
    and_,
    cast,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from complaints import incidents as rules
from complaints import permissions
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import AlreadyDone, BadFacts
from complaints.incidents import SAME_INCIDENT, Incident, IncidentAct
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.vocabulary import Verb
from store.cases.act import act, act_on, settle
from store.cases.load import load_case_file
from store.database.transaction import Tx
from store.incidents.incidents import (
    act_on_incident,
    every_case,
    load_incident,
    load_incident_history,
    open_incident,
)
from store.outbox.rows import row_of
from store.proof.seal import place
from store.slack.posts import DRAFT_KEPT
from store.tables import COMPLAINTS, DRAFTS, INCIDENT_RECEIVERS, MESSAGES, OBLIGATIONS

#: The duty that tells one complaint.
KIND = "incident_update"

_TOLD = INCIDENT_RECEIVERS.c


@dataclass(frozen=True)
class Audience:
    """Who an update would reach now: `to` in the order of references, `left_out` as (case, reason)."""

    to: tuple[Case, ...]
    left_out: tuple[tuple[Case, str], ...]

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language in which somebody is told."""
        return tuple(sorted({one.language for one in self.to}))


@dataclass(frozen=True)
class UpdateDelivery:
    """How far one complaint's letter of a batch got: sent, waiting, failed or left_out, with the reason."""

    ref: str
    state: str
    reason: str | None = None


def count_recipients(tx: Tx, number: int, by: Actor) -> Audience:
    """Who is told and who is left out, as the complaints stand now."""
    to, left = [], []
    for case in every_case(tx, number):
        why = rules.left_out(case)
        if why != "restricted" and not permissions.may_read(case, by):
            why = "not_open"
        if why is None:
            to.append(case)
        else:
            left.append((case, why))
    return Audience(tuple(to), tuple(left))


def schedule_incident_update(
    tx: Tx,
    number: int,
    by: Actor,
    words: Mapping[str, str],
    *,
    version: int | None = None,
    key: str | None = None,
) -> Incident:
    """Tell everybody (words `text.<language>`); returns the incident with its new `batch`.

    Raises BadFacts where nobody would be told, else as `act_on_incident`.
    """
    before = load_incident(tx, number)
    rules.may(before, IncidentAct.UPDATE, by)
    told = count_recipients(tx, number, by)
    if not told.to:
        raise BadFacts("Nobody of this incident can be told with all: write to each.", code="nobody_to_tell")
    batch = f"{number}.{before.version + 1}"
    facts = {
        "batch": batch,
        "receivers": len(told.to),
        "left_out": [{"ref": case.ref, "why": why} for case, why in told.left_out],
    }
    after = act_on_incident(tx, number, IncidentAct.UPDATE, by, facts, words, version=version, key=key)
    rows = [_receiver(batch, number, case, None) for case in told.to]
    rows += [_receiver(batch, number, case, why) for case, why in told.left_out]
    tx.connection.execute(insert(INCIDENT_RECEIVERS), rows)
    tx.insert_new(OBLIGATIONS, [_duty(tx, batch, number, case.ref, by) for case in told.to])
    tx.owing = True
    return after


def _receiver(batch: str, number: int, case: Case, why: str | None) -> dict[str, Any]:
    return {"batch": batch, "ref": case.ref, "incident_id": number, "left_out": why, "seq": None}


def _duty(tx: Tx, batch: str, number: int, ref: str, by: Actor) -> dict[str, Any]:
    facts = {"batch": batch, "incident": number, "by": by.id}
    owed = NewObligation(f"{KIND}:{batch}", KIND, tx.now, SendPriority.BULK, facts)
    return row_of(owed, scope=ref, ref=ref, contact_id=None, at=tx.now)


def load_update_text(tx: Tx, number: int, batch: str, language: str) -> str:
    """What the people of this language are told in a batch; the staff's language stands in."""
    event = next(one for one in load_incident_history(tx, number) if one.facts.get("batch") == batch)
    first = next(iter(event.words.values()), "")
    return event.words.get(f"text.{language}") or first


def record_incident_update(
    tx: Tx, ref: str, batch: str, by: Actor, words: Mapping[str, str], *, settles: int | None = None
) -> None:
    """Write the update into one complaint's record, from which its letter follows; once a batch.

    A complaint that must be left out by now is, and the batch says why. Raises ComplaintError.
    """
    here = (_TOLD.batch == batch, _TOLD.ref == ref)
    file = load_case_file(tx, ref, lock=True)
    why = rules.left_out(file.case)
    if why is not None:
        tx.connection.execute(
            update(INCIDENT_RECEIVERS).where(*here, _TOLD.seq.is_(None)).values(left_out=why)
        )
    else:
        try:
            key = f"{KIND}:{batch}"
            done, _ = act_on(tx, file, Verb.INFORM, by, {"batch": batch}, words, key=key)
            tx.connection.execute(update(INCIDENT_RECEIVERS).where(*here).values(seq=done.event.seq))
        except AlreadyDone:
            # The process died between the commit and the settling: it was told.
            pass
    if settles is not None:
        settle(tx, settles)


def count_update_deliveries(tx: Tx, batch: str) -> list[UpdateDelivery]:
    """Every complaint of a batch by reference, with how far its letter got."""
    duty, letter, any_letter = (OBLIGATIONS.alias(name) for name in ("duty", "letter", "any_letter"))
    # Sent once more to somebody who is back, it is the last that counts.
    last = select(func.max(any_letter.c.id)).where(_is_letter(any_letter)).correlate(INCIDENT_RECEIVERS)
    newest = (
        select(MESSAGES.c.obligation_id, func.max(MESSAGES.c.id).label("id"))
        .join(letter, letter.c.id == MESSAGES.c.obligation_id)
        .join(INCIDENT_RECEIVERS, _is_letter(letter))
        .where(_TOLD.batch == batch)
        .group_by(MESSAGES.c.obligation_id)
        .subquery()
    )
    query = (
        select(
            _TOLD.ref,
            _TOLD.left_out,
            COMPLAINTS.c.restriction,
            duty.c.state.label("duty"),
            duty.c.why.label("duty_why"),
            letter.c.state.label("letter"),
            letter.c.why.label("letter_why"),
            MESSAGES.c.state.label("message"),
            MESSAGES.c.reason,
        )
        .select_from(INCIDENT_RECEIVERS)
        .join(COMPLAINTS, COMPLAINTS.c.ref == _TOLD.ref)
        .outerjoin(duty, and_(duty.c.scope == _TOLD.ref, duty.c.key == f"{KIND}:{batch}"))
        .outerjoin(letter, letter.c.id == last.scalar_subquery())
        .outerjoin(newest, newest.c.obligation_id == letter.c.id)
        .outerjoin(MESSAGES, MESSAGES.c.id == newest.c.id)
        .where(_TOLD.batch == batch)
        .order_by(_TOLD.ref)
    )
    return [_delivery(row) for row in tx.connection.execute(query)]


def _is_letter(one: FromClause) -> ColumnElement[bool]:
    """By its key the letter that follows from the event by which a complaint was told, also where owed anew."""
    key = literal("letter:", String) + cast(_TOLD.seq, String)
    return and_(one.c.scope == _TOLD.ref, or_(one.c.key == key, one.c.key.like(key + ":r%")))


def _delivery(row: Any) -> UpdateDelivery:
    if row.left_out is not None:
        # What became restricted since is no longer named beside its reason.
        return UpdateDelivery(row.ref, "left_out", row.left_out if row.restriction is None else "restricted")
    if row.duty == "failed" or row.letter == "failed":
        return UpdateDelivery(row.ref, "failed", _code(row.letter_why or row.duty_why))
    if row.letter == "done" and row.message == "sent":
        return UpdateDelivery(row.ref, "sent")
    if row.letter == "done":
        return UpdateDelivery(row.ref, "failed", _code(row.reason))
    if row.letter is None and row.duty == "done":
        # Settled without an act: it was erased while it waited.
        return UpdateDelivery(row.ref, "left_out", "closed")
    return UpdateDelivery(row.ref, "waiting")


def _code(why: str | None) -> str:
    """Reasons of a channel are codes; a sentence of ours is told in the outbox."""
    return why if why is not None and " " not in why else "refused"


FORM = "incident_update"


@dataclass(frozen=True)
class IncidentDraft:
    """What was typed, by whom, for which incident in which version."""

    id: str
    incident: int
    by: str
    version: int
    words: Mapping[str, str]


def save_incident_draft(tx: Tx, incident: int, by: str, version: int, words: Mapping[str, str]) -> str:
    """Keep the texts; returns an unguessable id."""
    number = secrets.token_urlsafe(16)
    tx.connection.execute(delete(DRAFTS).where(DRAFTS.c.expires_at <= tx.now))
    typed = json.dumps({"incident": incident, "words": dict(words)}, ensure_ascii=False)
    tx.add(
        DRAFTS,
        id=number,
        ref=None,
        by=by,
        form=FORM,
        work_version=version,
        sealed=tx.keys.seal(typed.encode(), place("drafts", number, "typed")),
        at=tx.now,
        expires_at=tx.now + DRAFT_KEPT,
    )
    return number


def read_incident_draft(tx: Tx, number: str) -> IncidentDraft | None:
    """The draft, or None after 24 hours."""
    row = tx.connection.execute(
        select(DRAFTS).where(DRAFTS.c.id == number, DRAFTS.c.form == FORM, DRAFTS.c.expires_at > tx.now)
    ).first()
    if row is None:
        return None
    typed = json.loads(tx.keys.unseal(row.sealed, place("drafts", number, "typed")))
    return IncidentDraft(number, typed["incident"], row.by, row.work_version, typed["words"])


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
    """Open an incident that this complaint joins first; `version` is the complaint's work_version as drawn.

    Raises what either act raises; then neither happened.
    """
    incident = open_incident(tx, by, facts, words, key=key)
    joins = {"relation": SAME_INCIDENT, "incident": incident.id}
    act(tx, ref, Verb.LINK, by, joins, version=version)
    return incident
