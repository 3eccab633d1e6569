"""The search for complaints by a person's number or by words, with filters, within the searcher's rights (4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, literal, select, union

from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import NotAllowed
from store.database.transaction import Tx
from store.people.identifiers import find_by_identifier
from store.record.access_log import SEARCH, record_after_rollback, record_refused_attempt, write_read
from store.record.load import load_many
from store.record.projections import may_be_used
from store.record.worklists import visible_to
from store.rulebooks import load_current_rulebooks
from store.similarity.sketches import WORD_TREE, every_index
from store.tables import COMPLAINTS, WORD_HASHES

#: Of the rarest word that is searched for, the newest this many complaints are looked through; without words, this
#: many of the newest complaints. So a search takes the same time in every archive.
LOOKED_THROUGH = 5_000
_COLUMNS, _WORDS = COMPLAINTS.c, WORD_HASHES.c


@dataclass(frozen=True)
class CaseSearch:
    """What to search for. `words` are all required; each has the hashes under which a complaint may have it.

    `number` is a text that may be a person's number; a complaint with it is found without the words. Times are those
    of receipt, `before` excluded.
    """

    words: Sequence[Sequence[bytes]] = ()
    number: str = ""
    category: str | None = None
    owner: str | None = None
    since: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True)
class SearchResult:
    """The complaints found, the newest first. `more`: there are more. `cut`: older ones were not looked through."""

    cases: tuple[Case, ...]
    more: bool = False
    cut: bool = False


def search_cases(tx: Tx, search: CaseSearch, by: Actor, *, limit: int) -> SearchResult:
    """Find complaints that this person may know of, by words only those that they may read (4.7).

    A search for words or a number is recorded: each hit as a read, a search without a hit as an attempt. A complaint
    whose processing is restricted is found by its reference only. Raises NotAllowed (recorded) where words are
    searched by a person who reads no complaints.
    """
    refs, cut, by_words = _with_number(tx, search, by, limit), False, False
    if not refs and search.words:
        try:
            authorise(None, Access.READ, by)
        except NotAllowed as refused:
            record_after_rollback(tx, None, "search", by, refused)
            raise
        by_words = True
        refs, cut = _with_words(tx, search, by, limit)
    elif not refs and not search.number:
        refs, cut = _newest(tx, search, by, limit)
    cases = tuple(file.case for file in load_many(tx, refs[:limit]))
    if by_words:
        cases = tuple(case for case in cases if is_allowed(case, Access.READ, by))
    if search.words or search.number:
        for case in cases:
            write_read(tx, case, by, SEARCH, whole=False)
        if not cases:
            record_refused_attempt(tx, None, "search", by, "nothing_found")
    return SearchResult(cases, len(refs) > limit, cut)


def _with_number(tx: Tx, search: CaseSearch, by: Actor, limit: int) -> list[str]:
    if not search.number:
        return []
    refs = find_by_identifier(tx, search.number, *load_current_rulebooks(tx).codes)
    query = select(_COLUMNS.ref).where(_COLUMNS.ref.in_(refs), *_filters(search, by))
    query = query.order_by(_COLUMNS.received_at.desc(), _COLUMNS.ref.desc()).limit(limit + 1)
    return list(tx.connection.execute(query).scalars()) if refs else []


def _with_words(tx: Tx, search: CaseSearch, by: Actor, limit: int) -> tuple[list[str], bool]:
    """References with all words, and whether older complaints with the rarest word were not looked through."""
    forms = [list(every_index(tx, hashes, WORD_TREE)) for hashes in search.words]
    counts = [_count(tx, indexes, search) for indexes in forms]
    rarest = counts.index(min(counts))
    if not counts[rarest]:
        return [], False
    # A word may be stored under two of its forms in two languages, so both ranges are read.
    ranges = [
        select(part.c.at, part.c.ref)
        for part in (_range(index, search, LOOKED_THROUGH).subquery() for index in forms[rarest])
    ]
    candidate = union(*ranges).subquery()
    query = select(candidate.c.ref).join(COMPLAINTS, _COLUMNS.ref == candidate.c.ref)
    for number, indexes in enumerate(forms):
        if number != rarest:
            other = WORD_HASHES.alias()
            has_it = (other.c.at == candidate.c.at) & (other.c.ref == candidate.c.ref)
            query = query.where(select(literal(1)).where(other.c.band_index.in_(indexes), has_it).exists())
    query = query.where(*_filters(search, by)).order_by(candidate.c.at.desc(), candidate.c.ref.desc())
    refs = list(tx.connection.execute(query.limit(limit + 1)).scalars())
    return refs, len(refs) <= limit and counts[rarest] >= LOOKED_THROUGH


def _count(tx: Tx, indexes: Sequence[bytes], search: CaseSearch) -> int:
    """How many complaints have one of these hashes, at most `LOOKED_THROUGH` for each."""
    ranges = (_range(index, search, LOOKED_THROUGH).subquery() for index in indexes)
    counts = (select(func.count()).select_from(part) for part in ranges)
    return sum(int(tx.connection.execute(query).scalar_one()) for query in counts)


def _range(index: bytes, search: CaseSearch, limit: int) -> Select[tuple[datetime, str]]:
    """A bounded range of the tree, the newest first."""
    query = select(_WORDS.at, _WORDS.ref).where(_WORDS.band_index == index, *_times(_WORDS.at, search))
    return query.order_by(_WORDS.at.desc(), _WORDS.ref.desc()).limit(limit)


def _newest(tx: Tx, search: CaseSearch, by: Actor, limit: int) -> tuple[list[str], bool]:
    """The newest complaints that the filters let through; of an owner all are looked through."""
    order = _COLUMNS.received_at.desc(), _COLUMNS.ref.desc()
    query = select(_COLUMNS.ref).where(*_filters(search, by)).order_by(*order).limit(limit + 1)
    if search.owner is not None:
        return list(tx.connection.execute(query).scalars()), False
    newest = select(_COLUMNS.ref, _COLUMNS.received_at).where(*_times(_COLUMNS.received_at, search))
    newest = newest.order_by(_COLUMNS.received_at.desc()).limit(LOOKED_THROUGH)
    part = newest.subquery()
    refs = list(tx.connection.execute(query.where(_COLUMNS.ref.in_(select(part.c.ref)))).scalars())
    counted = tx.connection.execute(select(func.count()).select_from(part)).scalar_one()
    return refs, len(refs) <= limit and int(counted) >= LOOKED_THROUGH


def _filters(search: CaseSearch, by: Actor) -> list[ColumnElement[bool]]:
    conditions = [*_times(_COLUMNS.received_at, search), may_be_used(), *visible_to(by)]
    if search.category is not None:
        conditions.append(_COLUMNS.category == search.category)
    if search.owner is not None:
        conditions.append(_COLUMNS.owner == search.owner)
    return conditions


def _times(column: ColumnElement[datetime], search: CaseSearch) -> list[ColumnElement[bool]]:
    conditions = []
    if search.since is not None:
        conditions.append(column >= search.since)
    if search.before is not None:
        conditions.append(column < search.before)
    return conditions
