"""Draws closed complaints for a review by people who took no part in them (4.5, Annex C; docs/quality.md).

The draw is a keyed hash of period and reference: it can be repeated with the instance's secret, and not be foreseen.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import nsmallest

from sqlalchemy import select

from complaints.actions.authorisation import file_reviewers
from complaints.actors import SYSTEM
from complaints.deadlines.working_time import due
from complaints.times import format_time
from complaints.vocabulary import ContactKind, State, Verb
from store.cases.act import act, keyed_number
from store.database.transaction import Tx
from store.people.staff import list_members, load_current_roles
from store.proof.hash_chain import record_instance_event
from store.proof.received_keys import take_key
from store.record.load import load_many
from store.tables import COMPLAINTS

#: A reviewer has so long.
REVIEW_WITHIN = "10 bd"
#: So many complaints are looked at for each one drawn: for some every member took part.
_SPARE = 5


def rank_closed(tx: Tx, period: str, since: datetime, until: datetime, number: int) -> tuple[list[str], int]:
    """The complaints closed in the period as they are drawn, with some to spare; and how many were closed."""
    columns = COMPLAINTS.c
    query = select(columns.ref).where(
        columns.closed_at >= since,
        columns.closed_at < until,
        columns.state == State.CLOSED.value,
        columns.kind == ContactKind.COMPLAINT.value,
        columns.erased_at.is_(None),
        columns.is_simulation.is_(False),
    )
    refs = list(tx.connection.execute(query).scalars())
    drawn = nsmallest(
        number * _SPARE, refs, key=lambda ref: (keyed_number(tx, "review", f"{period}|{ref}"), ref)
    )
    return drawn, len(refs)


def draw_reviews(tx: Tx, period: str, ranked: Sequence[str], closed: int, number: int) -> int:
    """Give the first of the ranked complaints to reviewers, once for a period; the desk's log says how many."""
    if not take_key(tx, f"draw_reviews:{period}"):
        return 0
    counts = Counter[str]()
    for ref in ranked:
        if counts.total() == number:
            break
        reviewer = give_review(tx, ref, period, counts)
        if reviewer is not None:
            counts[reviewer] += 1
    record_instance_event(tx, "reviews_drawn", {"period": period, "closed": closed, "drawn": counts.total()})
    return counts.total()


def give_review(tx: Tx, ref: str, period: str, counts: Mapping[str, int] | None = None) -> str | None:
    """Give a complaint to the present member who took no part in it and has the fewest; None if there is none.

    A member who has it already is not asked again.
    """
    # A damaged complaint is left out: one must not stop the draw of a month.
    file = next(iter(load_many(tx, [ref])), None)
    if file is None:
        return None
    case, before = file.case, file.case.review
    if case.is_open or case.is_history or case.erased_at is not None or (before and before.reviewed_at):
        return None
    away = {member.id for member in list_members(tx) if member.is_away(tx.now)}
    able = file_reviewers(case, load_current_roles(tx)) - away - ({before.reviewer} if before else set())
    if not able:
        return None
    drawn = counts or {}
    reviewer = min(able, key=lambda name: (drawn.get(name, 0), keyed_number(tx, "reviewer", f"{ref}|{name}")))
    until = due(tx.now, REVIEW_WITHIN, case.rules.calendar).at
    act(
        tx, ref, Verb.DRAW_REVIEW, SYSTEM, {"reviewer": reviewer, "due": format_time(until), "period": period}
    )
    return reviewer
