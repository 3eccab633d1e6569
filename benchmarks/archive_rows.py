"""Many closed complaints on file, quickly: real ones of the product, copied row by row under fresh keys.

Every row that a closed complaint leaves in any table is copied by the database itself (INSERT ... SELECT), the
complaints of the copies numbered upwards, their people, chats and numbers their own, their times spread over
three years. What was owed is done. A copy's words cannot be opened (its keys are bound to the first's
reference): a live path never opens the archive's words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    LargeBinary,
    String,
    Table,
    case,
    cast,
    column,
    func,
    literal,
    null,
    or_,
    select,
    text,
    values,
)

from store.record.projections import NEVER
from store.tables import METADATA
from store.tables.columns import UtcDateTime

#: Nothing of a living complaint: copied complaints, people and chats are numbered from here.
BASE = 1_000_000_000
YEARS = timedelta(days=3 * 365)
A_CHUNK = 10_000
#: What several complaints share, and what does not outlive a day.
NOT_COPIED = frozenset(
    {"incidents", "incident_words", "incident_receivers", "improvements", "checkpoint_heads", "drafts"}
)
#: Columns that name a complaint, a person, a chat.
_REFS, _PEOPLE, _CHATS = {"ref", "cluster"}, {"person_id", "complainant_id"}, {"contact_id"}
#: Found by whoever has the key: of every copy another one.
_BLIND = {"address_index", "value_index", "code_index", "band_index"}
#: Numbers that a platform gives: no two messages have the same.
_PLATFORMS = {"source", "platform_id", "ts"}


def copy(
    connection: Connection, refs: Sequence[str], number: int, *, progress: Callable[[int], None]
) -> None:
    """Put copies of these complaints on file, so many altogether; the caller commits, chunk by chunk."""
    # Neither references nor triggers are asked row by row: what is copied stood the questions already.
    connection.execute(text("SET session_replication_role = replica"))
    connection.execute(text("SET synchronous_commit = off"))
    for begin in range(0, number, A_CHUNK):
        end = min(begin + A_CHUNK, number)
        for table in _tables():
            connection.execute(_copying(table, refs, begin, end, number))
        connection.commit()
        progress(end)
    connection.execute(text("SET session_replication_role = DEFAULT"))
    connection.execute(text("SET synchronous_commit = on"))
    connection.commit()


def _tables() -> list[Table]:
    """Those with rows of a complaint, its person or its chat."""
    named = _REFS | _PEOPLE | _CHATS
    return [
        table
        for table in METADATA.sorted_tables
        if table.name not in NOT_COPIED and (table.name == "people" or named & set(table.columns.keys()))
    ]


def _copying(table: Table, refs: Sequence[str], begin: int, end: int, number: int) -> Any:
    n = func.generate_series(begin, end - 1).table_valued(column("n", BigInteger)).render_derived("g").c.n
    which = values(column("ref", String), column("place", BigInteger), name="which").data(
        [(ref, place) for place, ref in enumerate(refs)]
    )
    # Read once, not once for every copy.
    first = (
        select(which.c.place, table)
        .select_from(which)
        .join(table, _of(table, which.c.ref))
        .cte("first")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    copied = [one for one in table.columns if not (one.name == "id" and _numbered(table))]
    chosen = [_fresh(table, first.c, one, n, number).label(one.name) for one in copied]
    query = (
        select(*chosen).select_from(n.table).join(first, first.c.place == n % literal(len(refs))).order_by(n)
    )
    return table.insert().from_select([one.name for one in copied], query)


def _of(table: Table, ref: ColumnElement[str]) -> ColumnElement[bool]:
    """The rows of one complaint, or of its person and chat."""
    complaints = METADATA.tables["complaints"].alias("theirs")

    def theirs(name: str) -> Any:
        return select(complaints.c[name]).where(complaints.c.ref == ref).scalar_subquery()

    if table.name == "people":
        return table.c.id == theirs("complainant_id")
    if "scope" in table.c:
        chat = func.concat("chat:", theirs("contact_id"))
        return or_(table.c.scope == ref, table.c.scope == chat)
    if "ref" in table.c:
        return table.c.ref == ref
    if table.name == "contact_points":
        return table.c.id == theirs("contact_id")
    return table.c.contact_id == theirs("contact_id")


def _numbered(table: Table) -> bool:
    return table.name not in ("people", "contact_points")


def _fresh(table: Table, first: Any, wanted: Any, n: ColumnElement[int], number: int) -> ColumnElement[Any]:
    """The copy's value of one column."""
    name, one = wanted.name, first[wanted.name]
    ref = func.concat("Z", func.lpad(cast(n, String), 9, "0"))
    person = func.concat("z", func.lpad(cast(n, String), 15, "0"))
    chat = literal(BASE) + n
    if name in _REFS:
        fresh: Any = ref
    elif name in _PEOPLE or (table.name, name) == ("people", "id"):
        fresh = person
    elif name in _CHATS or (table.name, name) == ("contact_points", "id"):
        fresh = chat
    elif name == "scope":
        return case((one.like("chat:%"), func.concat("chat:", chat)), else_=ref)
    elif (table.name, name) == ("obligations", "state"):
        return literal("done")
    elif (table.name, name) == ("obligations", "ended_at"):
        return _earlier(first.created_at, n, number)
    elif (table.name, name) in (("obligations", "payload"), ("messages", "obligation_id")):
        return cast(null(), wanted.type)
    elif name in _BLIND:
        # Not random but ascending: found as fast, and filed much faster.
        fresh = func.int8send(n, type_=LargeBinary).concat(func.substring(one, 9))
    elif name in _PLATFORMS:
        fresh = func.concat(n, ".", one)
    elif isinstance(wanted.type, UtcDateTime):
        fresh = case((one == NEVER, one), else_=_earlier(one, n, number))
    else:
        return one
    return case((one.is_(None), None), else_=fresh)


def _earlier(one: Any, n: ColumnElement[int], number: int) -> ColumnElement[Any]:
    """So much before the first one's as the copy stands before the last."""
    seconds = cast(literal(YEARS.total_seconds() / number) * (literal(number) - n), Double)
    return one.op("-", return_type=one.type)(func.make_interval(0, 0, 0, 0, 0, 0, seconds))
