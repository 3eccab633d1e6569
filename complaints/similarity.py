"""Same words, same matter? What a near-copy of a complaint means, and what staff are offered (7.5, 8.2).

Nothing here ties two complaints together by itself: a person does, having read both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from complaints.case import Case
from complaints.incidents import SAME_INCIDENT
from complaints.vocabulary import Flag

#: Hashes kept of one text (`triage.similarity`); a text with fewer has all of its own.
SIZE = 24
#: More than this share of the shorter text in the longer: a near-copy.
LIKE_FROM = 0.35
#: So many pieces at least, else two short texts with one phrase in common would be one matter.
LEAST_SHARED = 3
#: How far back like complaints count (docs/domain.md, section 4, recurrence).
WITHIN = timedelta(days=90)
#: From so many on, whichever is asked about included, they are a cluster that somebody looks at, and recurrence is
#: one step higher where persons confirmed the others.
CLUSTER_FROM = 3
#: So long after its end the same person may mean the complaint that was closed.
CLOSED_WITHIN = timedelta(days=30)


def similarity(one: Sequence[bytes], other: Sequence[bytes], *, worthless: Collection[bytes] = ()) -> float:
    """How much of the shorter text stands in the longer one, 0 to 1, estimated from two sketches.

    Both are in rising order; a full one knows nothing above its highest hash, so neither is asked further.
    `worthless` pieces stand in very many complaints (the letters of a template) and count on neither side.
    """
    reach = min((each[-1] for each in (one, other) if len(each) >= SIZE), default=None)
    ours, theirs = ({x for x in each if reach is None or x <= reach} for each in (one, other))
    ours, theirs = ours.difference(worthless), theirs.difference(worthless)
    shared = len(ours & theirs)
    if not shared or (shared < LEAST_SHARED and ours != theirs):
        return 0.0
    return shared / min(len(ours), len(theirs))


@dataclass(frozen=True)
class SimilarCase:
    """A complaint told in nearly the same words; codes, times and ids alone.

    `confirmed` is the category that a person assessed, None before; `took_in`: another was merged into it;
    `nameless`: the complainant wants the name kept back.
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
    """Like complaints that came within `WITHIN`, newest first; `count` may be more than are named."""

    count: int
    refs: tuple[str, ...]


class LinkSuggestion(StrEnum):
    """What a person may make of a near-copy; the values are relations of the form `link`, but for LOOK."""

    MERGE = "duplicate"
    JOIN = SAME_INCIDENT
    #: Of a closed one by the same person: linked or reopened, as whoever reads it finds.
    LOOK = "look"


@dataclass(frozen=True)
class SuggestedLink:
    """`ref` is the complaint to act upon, `other` the one it would be tied to; `count` like ones in all."""

    step: LinkSuggestion
    ref: str
    other: str
    count: int = 1
    incident: int | None = None
    closed_at: datetime | None = None


def suggested(case: Case, likes: Iterable[SimilarCase], *, now: datetime) -> tuple[SuggestedLink, ...]:
    """What staff are offered for an open complaint, at most one about the same person and one about others.

    The later of two by one person is merged into the earlier. Of other people each keeps clock and answer:
    they are tied by an incident, the one that a like complaint has, else a new one.
    """
    if not case.is_open or case.erased_at is not None:
        return ()
    near = [one for one in likes if not one.merged and one.ref not in case.about]
    # Beside a complaint under a name one without would have a name too.
    nameless = Flag.ANONYMOUS in case.flags
    mine = [one for one in near if one.complainant == case.complainant and one.nameless is nameless]
    own = _of_same_person(case, mine, now)
    others = _of_others(case, [one for one in near if one.complainant != case.complainant], now)
    return tuple(one for one in (own, others) if one is not None)


def _of_same_person(case: Case, near: Sequence[SimilarCase], now: datetime) -> SuggestedLink | None:
    still = [one for one in near if one.is_open]
    if still:
        first = min(still, key=_order)
        if _order(first) < (case.received_at, case.ref):
            return SuggestedLink(LinkSuggestion.MERGE, case.ref, first.ref)
        return SuggestedLink(LinkSuggestion.MERGE, first.ref, case.ref)
    ended = [
        (one.closed_at, one)
        for one in near
        if one.closed_at is not None and one.closed_at > now - CLOSED_WITHIN
    ]
    if not ended:
        return None
    closed_at, last = max(ended, key=lambda pair: (pair[0], pair[1].ref))
    return SuggestedLink(LinkSuggestion.LOOK, case.ref, last.ref, closed_at=closed_at)


def _of_others(case: Case, near: Sequence[SimilarCase], now: datetime) -> SuggestedLink | None:
    recent = [one for one in near if one.received_at > now - WITHIN]
    if case.incident is not None or not recent:
        return None
    # One that has an incident leads there; of several the newest.
    best = max(recent, key=lambda one: (one.incident is not None, one.share, one.received_at, one.ref))
    return SuggestedLink(LinkSuggestion.JOIN, case.ref, best.ref, count=len(recent), incident=best.incident)


def _order(one: SimilarCase) -> tuple[datetime, str]:
    return one.received_at, one.ref


def confirmed(likes: Iterable[SimilarCase], *, received_at: datetime, now: datetime) -> int:
    """How many like complaints of the last 90 days persons have found to be of one kind (docs/domain.md, section 4).

    Counted are those with an incident or with another merged into them, and the largest group that was
    assessed as the same category. One told twice counts once. The complaint itself, of `received_at`, counts with
    them, as it does in a `Cluster`: it is the third of three. 0 until somebody linked or assessed any other.
    """
    recent = [one for one in likes if one.received_at >= now - WITHIN and not one.merged]
    tied = {one.ref for one in recent if one.incident is not None or one.took_in}
    categories = Counter(one.confirmed for one in recent if one.confirmed is not None)
    most = categories.most_common(1)
    same = {one.ref for one in recent if most and one.confirmed == most[0][0]}
    others = len(tied | same)
    return others + (1 if others and received_at >= now - WITHIN else 0)
