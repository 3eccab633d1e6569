"""The search for complaints by a person's number or by words, with filters, within the searcher's rights (4.7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, func, literal, select, union

from complaints.actions.authorisation import Access, authorise, is_allowed
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import NotAllowed
from store.database.transaction import Tx
from store.people.identification import find_by_identifier
from store.record.access_log import SEARCH, record_after_rollback, record_refused_attempt, write_read
from store.record.load import load_many
from store.record.projections import may_be_used
from store.record.worklists import visible_to
from store.rulebooks import load_current_rulebooks
from store.similarity.sketches import WORD_TREE, every_index
from store.tables import COMPLAINTS, WORD_HASHES

#: The newest this many complaints with the rarest word are looked through, or without words of all or of an owner:
#: so a search takes the same time in every archive.
LOOKED_THROUGH = 3_000
#: So many are looked through first, because of a common word these are enough.
FIRST_LOOK = 100
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
    refs, cut = _with_number(tx, search, by, limit), False
    by_words = not refs and bool(search.words)
    if by_words:
        try:
            authorise(None, Access.READ, by)
        except NotAllowed as refused:
            record_after_rollback(tx, None, "search", by, refused)
            raise
    if by_words or not (refs or search.number):
        refs, cut = _looked_through(tx, search, by, limit)
    cases = tuple(
        file.case
        for file in load_many(tx, refs[:limit])
        if not by_words or is_allowed(file.case, Access.READ, by)
    )
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


def _looked_through(tx: Tx, search: CaseSearch, by: Actor, limit: int) -> tuple[list[str], bool]:
    """References with all words that the filters let through, and whether older complaints were left out."""
    forms = [list(every_index(tx, hashes, WORD_TREE)) for hashes in search.words]
    if len(forms) > 1:
        # The rarest word decides what is read.
        forms.sort(key=lambda indexes: sum(_sizes(tx, _ranges(indexes, search, LOOKED_THROUGH))))
    refs: list[str] = []
    for depth in (FIRST_LOOK, LOOKED_THROUGH):
        ranges = _ranges(forms[0], search, depth) if forms else [_newest(search, depth)]
        # A word may be stored under two of its forms in two languages, so all of its ranges are read.
        candidate = union(*(select(part) for part in ranges)).subquery()
        query = select(candidate.c.ref).join(COMPLAINTS, _COLUMNS.ref == candidate.c.ref)
        for indexes in forms[1:]:
            other = WORD_HASHES.alias()
            same = (other.c.at == candidate.c.at) & (other.c.ref == candidate.c.ref)
            query = query.where(select(literal(1)).where(other.c.band_index.in_(indexes), same).exists())
        query = query.where(*_filters(search, by)).order_by(candidate.c.at.desc(), candidate.c.ref.desc())
        refs = list(tx.connection.execute(query.limit(limit + 1)).scalars())
        if len(refs) > limit or max(_sizes(tx, ranges)) < depth:
            return refs, False
    return refs, True


def _ranges(indexes: Sequence[bytes], search: CaseSearch, most: int) -> list[Subquery]:
    """For each hash a bounded range of the tree, the newest first."""
    order = _WORDS.at.desc(), _WORDS.ref.desc()
    query = select(_WORDS.at, _WORDS.ref).where(*_times(_WORDS.at, search)).order_by(*order).limit(most)
    return [query.where(_WORDS.band_index == index).subquery() for index in indexes]


def _newest(search: CaseSearch, most: int) -> Subquery:
    at, owner = _COLUMNS.received_at, _COLUMNS.owner
    query = select(at.label("at"), _COLUMNS.ref).where(*_times(at, search))
    if search.owner is not None:
        query = query.where(owner == search.owner)
    return query.order_by(at.desc()).limit(most).subquery()


def _sizes(tx: Tx, ranges: Sequence[Subquery]) -> Sequence[int]:
    counts = (select(func.count()).select_from(part).scalar_subquery() for part in ranges)
    return tuple(tx.connection.execute(select(*counts)).one())


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
