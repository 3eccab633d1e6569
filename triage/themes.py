"""New wording in complaints: terms that many more people use than before, grouped by complaints they share (8.2).

Every text is a masked copy. A term counts once for each person, and only with at least five people: fewer could be
one person's own words. The same texts always give the same themes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from complaints.measures.report_counts import MaskedStory, Theme

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: People who must use a term, and how many times as often as before.
FEWEST_PEOPLE, TIMES_AS_OFTEN = 5, 2.0
#: Of all terms together: the share of reports without new wording that show some.
_FALSE_ALARMS = 0.05
#: Terms that are grouped, the most unlikely first; themes; words of one; example references.
_MOST_TERMS, MOST_THEMES, _MOST_WORDS, _MOST_REFS = 120, 8, 5, 3
#: Terms whose complaints differ more (1 - Jaccard) are different themes.
_APART = 0.75
_MASKED = re.compile(r"\[[a-z]+\]")
_WORD = r"(?u)\b[^\W\d_]{3,}\b"
_Counts = NDArray[np.float64]


def find_themes(recent: Sequence[MaskedStory], before: Sequence[MaskedStory]) -> tuple[Theme, ...]:
    """The themes of the recent complaints, the most unlikely first; none if nothing can be compared."""
    if len(recent) < FEWEST_PEOPLE or not before:
        return ()
    # Imported where it computes, here and below: the process that takes messages only reads the result.
    from scipy.stats import hypergeom
    from sklearn.feature_extraction.text import CountVectorizer

    stories = [*recent, *before]
    vectorizer = CountVectorizer(
        binary=True, ngram_range=(1, 2), token_pattern=_WORD, min_df=FEWEST_PEOPLE, dtype=np.float64
    )
    try:
        used = vectorizer.fit_transform(_MASKED.sub(" ", story.words) for story in stories).tocsr()
    except ValueError:  # no term is in five texts
        return ()
    terms = vectorizer.get_feature_names_out()
    now, earlier = used[: len(recent)], used[len(recent) :]
    people_now, users_now = _people(now, recent)
    people_before, users_before = _people(earlier, before)
    chance = hypergeom.sf(
        users_now - 1, people_now + people_before, users_now + users_before, np.full(len(terms), people_now)
    )
    often = users_now * people_before >= TIMES_AS_OFTEN * users_before * people_now
    is_new = (users_now >= FEWEST_PEOPLE) & often & (chance < _FALSE_ALARMS / len(terms))
    rising = sorted(map(int, np.flatnonzero(is_new)), key=lambda term: (chance[term], terms[term]))[
        :_MOST_TERMS
    ]
    themes = [
        _theme([rising[place] for place in group], terms, now, earlier, recent)
        for group in _groups(now[:, rising])
    ]
    return tuple(themes[:MOST_THEMES])


def _people(used: csr_matrix, stories: Sequence[MaskedStory]) -> tuple[int, _Counts]:
    """How many people wrote these stories, and how many of them used each term."""
    from scipy.sparse import csr_matrix

    numbers = {
        person: number for number, person in enumerate(dict.fromkeys(story.person for story in stories))
    }
    rows = [numbers[story.person] for story in stories]
    wrote = csr_matrix((np.ones(len(rows)), (rows, range(len(rows)))), shape=(len(numbers), len(rows)))
    return len(numbers), np.asarray((wrote @ used > 0).sum(axis=0)).ravel()


def _groups(used: csr_matrix) -> list[list[int]]:
    """The places of the terms that the same complaints use, the group of the first term first."""
    terms = used.shape[1]
    if terms < 2:
        return [[place] for place in range(terms)]
    from sklearn.cluster import AgglomerativeClustering

    both = np.asarray((used.T @ used).todense())
    single = both.diagonal()
    apart = 1 - both / (single[:, None] + single[None, :] - both)
    model = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=_APART
    )
    groups: dict[int, list[int]] = {}
    for place, label in enumerate(model.fit_predict(apart)):
        groups.setdefault(int(label), []).append(place)
    return list(groups.values())


def _theme(
    group: Sequence[int],
    terms: NDArray[np.str_],
    now: csr_matrix,
    earlier: csr_matrix,
    recent: Sequence[MaskedStory],
) -> Theme:
    # With several terms one of them alone may be in a text by chance.
    needed = min(2, len(group))
    hits = np.asarray(now[:, group].sum(axis=1)).ravel()
    old = np.asarray(earlier[:, group].sum(axis=1)).ravel()
    words: list[str] = []
    for term in map(str, terms[list(group)]):
        if not any(term in word or word in term for word in words):
            words.append(term)
    best = sorted(map(int, np.flatnonzero(hits >= needed)), key=lambda row: (-hits[row], recent[row].ref))
    return Theme(
        words=tuple(words[:_MOST_WORDS]),
        recent=len(best),
        before=int((old >= needed).sum()),
        refs=tuple(recent[row].ref for row in best[:_MOST_REFS]),
    )
