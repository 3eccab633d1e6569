"""The root cause that staff chose most often for a category, from the complaints closed last (7.6, 8.2)."""

from collections import Counter

from sqlalchemy import select

from complaints.actors import Actor
from complaints.case import Case
from store.database.errors import SealBroken
from store.database.keyring import unseal
from store.database.transaction import Tx
from store.record.load import case_key, text_place
from store.record.projections import may_be_used
from store.record.worklists import visible_to
from store.tables import COMPLAINTS, DECISIONS, TEXTS

#: So many complaints, the last closed, are looked at.
_LATEST = 500
#: Words are offered only if so many people's complaints have exactly these: fewer could be about one person.
_PEOPLE = 5
_FIELDS = ("root_cause", "cause")


def find_usual_cause(tx: Tx, case: Case, by: Actor) -> tuple[str | None, str | None]:
    """The class of the root cause, and its words, chosen most often in this category, as far as this person may know.

    None where there is none. Words that fewer than five people's complaints share are left out.
    """
    columns = COMPLAINTS.c
    latest = (
        select(columns.ref)
        .where(columns.closed_at.is_not(None))
        .order_by(columns.closed_at.desc())
        .limit(_LATEST)
    )
    query = (
        select(columns.ref, columns.complainant_id, columns.key_wrapped, DECISIONS.c.cause_class)
        .join(DECISIONS, DECISIONS.c.ref == columns.ref)
        .where(
            columns.ref.in_(latest),
            columns.category == case.category,
            DECISIONS.c.external.is_(False),
            DECISIONS.c.cause_class != "",
            columns.key_wrapped.is_not(None),
            may_be_used(),
            *visible_to(by),
        )
        .order_by(columns.ref, DECISIONS.c.seq)
    )
    # The last decision of each complaint counts, and the last words.
    rows = {row.ref: row for row in tx.connection.execute(query)}
    if not rows:
        return None, None
    classes = Counter(row.cause_class for row in rows.values())
    words = (
        select(TEXTS)
        .where(TEXTS.c.ref.in_(rows), TEXTS.c.field.in_(_FIELDS), TEXTS.c.sealed.is_not(None))
        .order_by(TEXTS.c.ref, TEXTS.c.seq)
    )
    people: dict[str, set[str]] = {}
    for text in {text.ref: text for text in tx.connection.execute(words)}.values():
        row = rows[text.ref]
        try:
            key = case_key(tx, text.ref, row.key_wrapped)
            cause = unseal(key, text.sealed, text_place(text.ref, text.seq, text.field)).strip()
        except SealBroken:
            continue  # It is only a suggestion; `verify` names the damage.
        people.setdefault(cause, set()).add(row.complainant_id)
    shared = {cause: len(ids) for cause, ids in people.items() if len(ids) >= _PEOPLE}
    return classes.most_common(1)[0][0], max(shared, key=lambda cause: shared[cause], default=None)
