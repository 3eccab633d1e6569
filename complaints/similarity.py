"""Similar cases: complaints in nearly the same words, and the links that staff are offered for them (7.5, 8.2).

Only a person links two complaints, after reading both.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from complaints.case import Case
from complaints.incidents import SAME_INCIDENT
from complaints.vocabulary import Flag

#: Hashes kept of one text (`triage.shingles`); a text with fewer has all of its own.
SIZE = 24
#: At least this share of the shorter text is also in the longer text: similar.
SIMILAR_FROM = 0.35
#: Minimum of shared pieces. With fewer, two short texts with one phrase in common would count as similar.
LEAST_SHARED = 3
#: How far back similar cases count (docs/domain.md, section 4, recurrence).
WITHIN = timedelta(days=90)
#: This many similar cases, including the case itself, are a cluster that staff review. Recurrence is one step higher
#: where people confirmed the others.
CLUSTER_FROM = 3
#: For this long after its end, the same person may mean the closed complaint.
CLOSED_WITHIN = timedelta(days=30)


def similarity(
    first: Sequence[bytes], second: Sequence[bytes], *, worthless: Collection[bytes] = ()
) -> float:
    """Which share of the shorter text is in the longer one, 0 to 1, estimated from two sketches.

    Both sketches are in rising order. A full sketch contains nothing above its highest hash, so hashes above that
    are ignored on both sides. `worthless` pieces occur in very many complaints (a template) and do not count.
    """
    reach = min((sketch[-1] for sketch in (first, second) if len(sketch) >= SIZE), default=None)
    left, right = (
        {piece for piece in sketch if reach is None or piece <= reach} for sketch in (first, second)
    )
    left, right = left.difference(worthless), right.difference(worthless)
    shared = len(left & right)
    if not shared or (shared < LEAST_SHARED and left != right):
        return 0.0
    return shared / min(len(left), len(right))


@dataclass(frozen=True)
class SimilarCase:
    """A complaint in nearly the same words; only codes, times and ids.

    `confirmed` is the category that a person assessed, or None; `took_in`: another was merged into it;
    `nameless`: the complainant wants to stay anonymous.
    """

    ref: str
    share: float
    complainant: str
    received_at: datetime
    is_open: bool
    closed_at: datetime | None = None
    merged: bool = False
    took_in: bool = False
    nameless: bool = False
    incident: int | None = None
    confirmed: str | None = None
    cluster: str = ""


@dataclass(frozen=True)
class SimilarCluster:
    """Similar cases received within `WITHIN`, newest first; `count` may be more than the references given."""

    count: int
    refs: tuple[str, ...]


class LinkSuggestion(StrEnum):
    """What staff are offered for a similar case; the values are relations of the form `link`, except LOOK."""

    MERGE = "duplicate"
    JOIN = SAME_INCIDENT
    #: A closed complaint of the same person: the reader decides whether to link or to reopen it.
    LOOK = "look"


@dataclass(frozen=True)
class SuggestedLink:
    """Act on `ref` and link it to `other`; `count` is the number of similar cases."""

    step: LinkSuggestion
    ref: str
    other: str
    count: int = 1
    incident: int | None = None
    closed_at: datetime | None = None


def suggested_links(case: Case, likes: Iterable[SimilarCase], *, now: datetime) -> tuple[SuggestedLink, ...]:
    """The links offered for an open complaint: at most one to the same person's and one to other people's.

    The later of two complaints by one person is merged into the earlier. Complaints of different people keep
    their own clock and answer: they join an incident, an existing one if a similar case has it, or a new one.
    """
    if not case.is_open or case.erased_at is not None:
        return ()
    near = [other for other in likes if not other.merged and other.ref not in case.about]
    # A link to a complaint under a name would reveal the name of an anonymous one.
    nameless = Flag.ANONYMOUS in case.flags
    mine = [other for other in near if other.complainant == case.complainant and other.nameless is nameless]
    own = _of_same_person(case, mine, now)
    others = _of_others(case, [other for other in near if other.complainant != case.complainant], now)
    return tuple(other for other in (own, others) if other is not None)


def _of_same_person(case: Case, similar: Sequence[SimilarCase], now: datetime) -> SuggestedLink | None:
    open_cases = [other for other in similar if other.is_open]
    if open_cases:
        first = min(open_cases, key=_order)
        if _order(first) < (case.received_at, case.ref):
            return SuggestedLink(LinkSuggestion.MERGE, case.ref, first.ref)
        return SuggestedLink(LinkSuggestion.MERGE, first.ref, case.ref)
    closed_lately = [
        (other.closed_at, other)
        for other in similar
        if other.closed_at is not None and other.closed_at > now - CLOSED_WITHIN
    ]
    if not closed_lately:
        return None
    closed_at, last = max(closed_lately, key=lambda pair: (pair[0], pair[1].ref))
    return SuggestedLink(LinkSuggestion.LOOK, case.ref, last.ref, closed_at=closed_at)


def _of_others(case: Case, similar: Sequence[SimilarCase], now: datetime) -> SuggestedLink | None:
    recent = [other for other in similar if other.received_at > now - WITHIN]
    if case.incident is not None or not recent:
        return None
    # Prefer a case with an incident, then the most similar, then the newest.
    best = max(
        recent, key=lambda other: (other.incident is not None, other.share, other.received_at, other.ref)
    )
    return SuggestedLink(LinkSuggestion.JOIN, case.ref, best.ref, count=len(recent), incident=best.incident)


def _order(similar_case: SimilarCase) -> tuple[datetime, str]:
    return similar_case.received_at, similar_case.ref


def confirmed_count(likes: Iterable[SimilarCase], *, received_at: datetime, now: datetime) -> int:
    """How many similar cases of the last 90 days people have confirmed as one kind (docs/domain.md, section 4).

    These are cases with an incident or with another merged into them, and the largest group with the same
    assessed category; a case that was merged away does not count. The complaint itself, received at
    `received_at`, counts too, as in a `SimilarCluster`. 0 until another case is linked or assessed.
    """
    recent = [other for other in likes if other.received_at >= now - WITHIN and not other.merged]
    tied = {other.ref for other in recent if other.incident is not None or other.took_in}
    categories = Counter(other.confirmed for other in recent if other.confirmed is not None)
    most = categories.most_common(1)
    same = {other.ref for other in recent if most and other.confirmed == most[0][0]}
    others = len(tied | same)
    return others + (1 if others and received_at >= now - WITHIN else 0)
