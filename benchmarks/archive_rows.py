"""Fills a database quickly with many closed complaints: copies of a few real ones, row by row under new keys.

The database copies every row that a closed complaint has in any table (INSERT ... SELECT). Each copy has its own
reference, person, chat and numbers; times are spread over three years; obligations are done. The words of a copy
cannot be decrypted, because the key is bound to the original's reference; no measured action reads them.
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
from store.tables.column_types import UtcDateTime

#: Copied complaints, people and chats are numbered from here, above all real ones.
FIRST_ID = 1_000_000_000
PERIOD = timedelta(days=3 * 365)
CHUNK = 10_000
#: Tables that complaints share, and tables that keep rows for less than a day.
NOT_COPIED = frozenset(
    {"incidents", "incident_words", "incident_receivers", "improvements", "checkpoint_heads", "drafts"}
)
#: Columns with a complaint's reference, a person or a chat.
_REFS, _PEOPLE, _CHATS = {"ref", "cluster"}, {"person_id", "complainant_id"}, {"contact_id"}
#: Keyed hashes for searching: each copy needs a different one.
_BLIND_INDEXES = {"address_index", "value_index", "code_index", "band_index"}
#: Ids from a platform: unique per message.
_PLATFORM_IDS = {"source", "platform_id", "ts"}


def copy(
    connection: Connection, refs: Sequence[str], number: int, *, progress: Callable[[int], None]
) -> None:
    """Insert this many copies of these complaints, in chunks; each chunk is committed."""
    # Skip foreign keys and triggers: the originals passed them already.
    connection.execute(text("SET session_replication_role = replica"))
    connection.execute(text("SET synchronous_commit = off"))
    for begin in range(0, number, CHUNK):
        end = min(begin + CHUNK, number)
        for table in _tables():
            connection.execute(_copy_statement(table, refs, begin, end, number))
        connection.commit()
        progress(end)
    connection.execute(text("SET session_replication_role = DEFAULT"))
    connection.execute(text("SET synchronous_commit = on"))
    connection.commit()


def _tables() -> list[Table]:
    """The tables with rows of a complaint, its person or its chat."""
    named = _REFS | _PEOPLE | _CHATS
    return [
        table
        for table in METADATA.sorted_tables
        if table.name not in NOT_COPIED and (table.name == "people" or named & set(table.columns.keys()))
    ]


def _copy_statement(table: Table, refs: Sequence[str], begin: int, end: int, number: int) -> Any:
    n = func.generate_series(begin, end - 1).table_valued(column("n", BigInteger)).render_derived("g").c.n
    refs_with_place = values(column("ref", String), column("place", BigInteger), name="which").data(
        [(ref, place) for place, ref in enumerate(refs)]
    )
    # Materialized: read once, not once per copy.
    patterns = (
        select(refs_with_place.c.place, table)
        .select_from(refs_with_place)
        .join(table, _rows_of(table, refs_with_place.c.ref))
        .cte("first")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    columns = [column_ for column_ in table.columns if not (column_.name == "id" and _has_serial_id(table))]
    copies = [_copied_value(table, patterns.c, column_, n, number).label(column_.name) for column_ in columns]
    query = (
        select(*copies)
        .select_from(n.table)
        .join(patterns, patterns.c.place == n % literal(len(refs)))
        .order_by(n)
    )
    return table.insert().from_select([column_.name for column_ in columns], query)


def _rows_of(table: Table, ref: ColumnElement[str]) -> Any:
    """The rows of one complaint, its person or its chat."""
    complaints = METADATA.tables["complaints"].alias("originals")

    def value_of(name: str) -> Any:
        return select(complaints.c[name]).where(complaints.c.ref == ref).scalar_subquery()

    if table.name == "people":
        return table.c.id == value_of("complainant_id")
    if "scope" in table.c:
        chat = func.concat("chat:", value_of("contact_id"))
        return or_(table.c.scope == ref, table.c.scope == chat)
    if "ref" in table.c:
        return table.c.ref == ref
    if table.name == "contact_points":
        return table.c.id == value_of("contact_id")
    return table.c.contact_id == value_of("contact_id")


def _has_serial_id(table: Table) -> bool:
    return table.name not in ("people", "contact_points")


def _copied_value(table: Table, patterns: Any, column_: Any, n: ColumnElement[int], number: int) -> Any:
    """The value of one column in the copy."""
    name, pattern = column_.name, patterns[column_.name]
    ref = func.concat("Z", func.lpad(cast(n, String), 9, "0"))
    person = func.concat("z", func.lpad(cast(n, String), 15, "0"))
    chat = literal(FIRST_ID) + n
    if name in _REFS:
        value: Any = ref
    elif name in _PEOPLE or (table.name, name) == ("people", "id"):
        value = person
    elif name in _CHATS or (table.name, name) == ("contact_points", "id"):
        value = chat
    elif name == "scope":
        return case((pattern.like("chat:%"), func.concat("chat:", chat)), else_=ref)
    elif (table.name, name) == ("obligations", "state"):
        return literal("done")
    elif (table.name, name) == ("obligations", "ended_at"):
        return _earlier(patterns.created_at, n, number)
    elif (table.name, name) in (("obligations", "payload"), ("messages", "obligation_id")):
        return cast(null(), column_.type)
    elif name in _BLIND_INDEXES:
        # Ascending, not random: searching is as fast, and inserting much faster.
        value = func.int8send(n, type_=LargeBinary).concat(func.substring(pattern, 9))
    elif name in _PLATFORM_IDS:
        value = func.concat(n, ".", pattern)
    elif isinstance(column_.type, UtcDateTime):
        value = case((pattern == NEVER, pattern), else_=_earlier(pattern, n, number))
    else:
        return pattern
    return case((pattern.is_(None), None), else_=value)


def _earlier(pattern: Any, n: ColumnElement[int], number: int) -> Any:
    """A time that is earlier the lower the copy's number is, so that all copies fill PERIOD evenly."""
    seconds = cast(literal(PERIOD.total_seconds() / number) * (literal(number) - n), Double)
    return pattern.op("-", return_type=pattern.type)(func.make_interval(0, 0, 0, 0, 0, 0, seconds))
