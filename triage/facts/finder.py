"""All facts of a story; where two overlap, the more certain one is kept."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain

from triage.facts.amounts import amounts
from triage.facts.dates import dates
from triage.facts.fact import Story, StoryFact
from triage.facts.references import accounts, cards, codes, numbers, places, wishes
from triage.facts.wishes import wishes_in_clauses
from triage.matching import fold, languages_of, mask_quotes

Span = tuple[int, int]
#: Fewer words, next to a remedy that the story names, say nothing more ("por favor").
_FEWEST_OWN_WORDS = 3


def find_facts(
    text: str,
    *,
    language: str | None = None,
    received: date,
    country: str | None = None,
    written_in: str | None = None,
) -> tuple[StoryFact, ...]:
    """The facts of a story in the order of the text (7.2); never raises, in time linear in its length.

    `received` is the day of receipt at the organisation, from which "yesterday" is counted; a day without a year
    is before it. With `language` None the words of every language are tried, those for a spot only in `written_in`
    where that is given. `country` decides how 11/03/2026 is read. Of a card number only the last four digits appear
    in any fact.
    """
    story = Story(text, fold(text), received, country)
    languages = languages_of(language)
    card_facts = list(cards(story))
    card_spans = [span for _, span in card_facts]
    # Numbers with right check digits first, then days and money, then numbers named by the word next to them.
    by_certainty: tuple[Iterable[StoryFact], ...] = (
        accounts(story),
        chain(*(dates(story, code) for code in languages), amounts(story, language)),
        chain(*(numbers(story, code) for code in languages)),
        codes(story),
    )
    facts = [fact for fact, _ in card_facts]
    facts += _without_overlap(
        (fact for candidates in by_certainty for fact in sorted(candidates, key=_longest_first)), card_spans
    )
    # A remedy or a place may overlap a number, so each is compared with its own kind only. Of a remedy even with the
    # same one only: "I want it repaired and my money back" are two, with one verb.
    wanted = _all_wishes(story, languages, written_in)
    # What a clear wish in own words covers is that wish: "please correct the bill" asks for no repair.
    own = [wish for wish in wanted if wish.value == "own"]
    wanted = [
        wish for wish in wanted if wish.value == "own" or not any(_covers(wish, other) for other in own)
    ]
    named = {wish.value for wish in wanted}
    named -= {"something_else"} if len(named) > 1 else set()
    by_remedy = [[wish for wish in wanted if wish.value == remedy] for remedy in named]
    located = [
        fact
        for code in languages
        for fact in places(story, code)
        if fact.kind not in ("spot", "habit") or written_in in (None, code)
    ]
    for candidates in (*by_remedy, located):
        # A spot ("in your shop") gives way to a name or a number in the same words.
        ordered = sorted(candidates, key=lambda fact: (fact.kind == "spot", _longest_first(fact)))
        facts += _without_overlap(ordered, card_spans)
    return tuple(sorted(facts, key=lambda fact: (fact.span, fact.kind)))


def _all_wishes(story: Story, languages: Sequence[str], written_in: str | None) -> list[StoryFact]:
    """The wishes in phrases that are known, and in clauses that ask for something."""
    # What others said, as the story quotes it, is no wish of the writer.
    spoken = mask_quotes(story.text)
    if spoken != story.text:
        story = Story(spoken, fold(spoken), story.received, story.country)
    wanted = list(chain(*(wishes(story, code) for code in languages)))
    codes_in = [code for code in languages if written_in in (None, code)] or languages
    more = list(chain(*(wishes_in_clauses(story, code, wanted) for code in codes_in)))
    clear = [wish for wish in wanted if wish.value != "something_else"]
    named = [wish for wish in more if wish.value != "something_else"]
    unnamed = [wish for wish in more if wish.value == "something_else"]
    if any(wish.value != "own" for wish in clear):
        named = [wish for wish in named if not any(_overlap(wish.span, other.span) for other in clear)]
    elif not named:
        # A wish in own words counts only where there is no other one.
        return wanted or unnamed
    # Next to a remedy that is named, a clause that names none is a second wish.
    own = [
        replace(wish, value="own")
        for wish in unnamed
        if len(wish.text.split()) >= _FEWEST_OWN_WORDS
        and not any(_overlap(wish.span, other.span) for other in clear)
    ]
    return [*wanted, *named, *(own if all(wish.value != "tell_you" for wish in wanted) else ())]


def find_numbers(text: str, *, received: date) -> tuple[StoryFact, ...]:
    """Only the numbers of a story, in all languages: several times cheaper than all its facts."""
    story = Story(text, fold(text), received)
    candidates = [*accounts(story), *chain(*(numbers(story, code) for code in languages_of(None)))]
    return tuple(_without_overlap(candidates, (span for _, span in cards(story))))


def _overlap(first: Span, second: Span) -> bool:
    return first[0] < second[1] and second[0] < first[1]


def _covers(wish: StoryFact, own: StoryFact) -> bool:
    return wish.value != "something_else" and own.span[0] <= wish.span[0] and wish.span[1] <= own.span[1]


def _longest_first(fact: StoryFact) -> int:
    """Sorts "since 3 November" before "3 November"."""
    return fact.span[0] - fact.span[1]


def _without_overlap(candidates: Iterable[StoryFact], taken: Iterable[Span]) -> list[StoryFact]:
    """The facts that overlap neither a taken span nor an earlier fact."""
    spans = sorted(taken)
    kept = []
    for fact in candidates:
        start, end = fact.span
        position = bisect_left(spans, fact.span)
        is_free = position == 0 or spans[position - 1][1] <= start
        if is_free and (position == len(spans) or spans[position][0] >= end):
            spans.insert(position, fact.span)
            kept.append(fact)
    return kept
