"""All facts of a story together: where two readings overlap, the surer one stands."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from itertools import chain

from triage.details.amounts import amounts
from triage.details.dates import dates
from triage.details.detail import Detail, Story
from triage.details.places import places
from triage.details.references import accounts, cards, numbers
from triage.details.wishes import wishes
from triage.folding import fold
from triage.language_tables import languages_of

Span = tuple[int, int]


def details(
    text: str, *, language: str | None = None, received: date, country: str | None = None
) -> tuple[Detail, ...]:
    """The facts in a story, in their order; never raises, in time linear in the length (7.2).

    `received` is the day of receipt at the organisation, from which "yesterday" is counted; without a year a
    day lies before it. `language` None asks every language; `country` says how 11/03/2026 is meant. A card
    number is no detail: of it there are the last four digits, and nothing else of it stands in any detail.
    """
    story = Story(text, fold(text), received, country)
    languages = languages_of(language)
    shown = list(cards(story))
    hidden = [place for _, place in shown]
    # What proves itself first, then days and money, then numbers by the word beside them.
    ranks: tuple[Iterable[Detail], ...] = (
        accounts(story),
        chain(*(dates(story, one) for one in languages), amounts(story, language)),
        chain(*(numbers(story, one) for one in languages)),
    )
    found = [detail for detail, _ in shown]
    found += _apart((one for rank in ranks for one in sorted(rank, key=_length)), hidden)
    found += _apart(sorted(chain(*(wishes(story, one) for one in languages)), key=_length), hidden)
    found += _apart(sorted(chain(*(places(story, one) for one in languages)), key=_length), hidden)
    return tuple(sorted(found, key=lambda one: (one.span, one.kind)))


def _length(detail: Detail) -> int:
    """Longest first: "since 3 November" before "3 November"."""
    return detail.span[0] - detail.span[1]


def _apart(candidates: Iterable[Detail], taken: Iterable[Span]) -> list[Detail]:
    """Those that overlap neither what is taken nor one that came before."""
    spans = sorted(taken)
    kept = []
    for detail in candidates:
        start, end = detail.span
        place = bisect_left(spans, detail.span)
        free = place == 0 or spans[place - 1][1] <= start
        if free and (place == len(spans) or spans[place][0] >= end):
            spans.insert(place, detail.span)
            kept.append(detail)
    return kept
