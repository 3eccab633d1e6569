"""Which obligations of a complaint have rows, and which come in time."""

from sqlalchemy import select

from complaints.case import Case
from complaints.obligations.kinds import LATER
from complaints.obligations.standing import current_obligations
from store.outbox.claim import claim
from store.outbox.complete import add_due
from store.store import Store
from store.tables import OBLIGATIONS


def assert_each_obligation_has_a_row_or_comes_in_time(store: Store, case: Case) -> None:
    columns = OBLIGATIONS.c
    query = select(columns.key, columns.state, columns.due).where(columns.ref == case.ref)
    rows = store.read(lambda tx: tx.connection.execute(query).all())
    keys = [row.key for row in rows]
    assert len(keys) == len(set(keys))
    missing = [obligation for obligation in current_obligations(case) if obligation.key not in keys]
    assert {obligation.kind for obligation in missing} <= LATER
    if missing:
        [added_at] = [row.due for row in rows if (row.key, row.state) == ("add_due", "open")]
        assert added_at <= min(obligation.due for obligation in missing)


def add_what_is_due(store: Store) -> None:
    """Insert the rows of what is due by the dates of the complaints, as the worker does."""
    for addition in store.write(claim, ("add_due",), 100, 60):
        store.write(add_due, addition)
