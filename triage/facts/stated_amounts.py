"""Money in the words of staff: each sum is an amount of the act, or its author states that it is no payment."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from babel.numbers import get_territory_currencies

from complaints.actions.decision import totals
from complaints.errors import BadFacts
from complaints.forms import NO_PAYMENT
from triage.facts.amounts import amounts
from triage.facts.fact import Story, StoryFact
from triage.matching import LANGUAGES, any_of, fold, read_phrases
from triage.search_words import stop_words


def require_amounts(
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    country: str,
    granted: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The facts of a form, with the sums in its words that its author states to be no payment.

    `granted` (the facts, if not given) has the amounts, one or one for each of the `remedies`. Raises BadFacts for
    any other sum.
    """
    granted = facts if granted is None else granted
    sums = [(path, rest) for path in words for rest in _unstated(path, words[path], country, granted)]
    if NO_PAYMENT in facts:
        return {**facts, NO_PAYMENT: sorted({amount.value.replace(" ", "") for _, amount in sums})}
    if sums:
        written = ", ".join(dict.fromkeys(amount.text for _, amount in sums))
        raise BadFacts.worded("unstated_sums", field=sums[0][0], sums=written)
    return dict(facts)


def _unstated(path: str, text: str, country: str, granted: Mapping[str, Any]) -> Iterator[StoryFact]:
    """The sums in a text that are not amounts or their total, each once; those of a remedy have its amount only."""
    group, _, rest = path.partition(".")
    rows = granted.get("remedies", [granted])
    rows = [rows[int(rest.partition(".")[0])]] if group == "remedies" else rows
    grants = [(row["amount"], row.get("currency", "")) for row in rows if row.get("amount")]
    left = Counter(f"{amount} {currency}" for amount, currency in grants)
    left |= Counter(f"{cents / 100:.2f} {currency}" for currency, cents in totals(grants).items())
    story = Story(text, fold(text), date.min, country)
    named = list(amounts(story, None))
    taken = [range(*amount.span) for amount in named]
    bare = [
        amount for amount in _without_currency(story) if not any(amount.span[1] - 1 in span for span in taken)
    ]
    for amount in (*named, *bare):
        left[amount.value] -= 1
        if left[amount.value] < 0:
            yield amount


def _without_currency(story: Story) -> Iterator[StoryFact]:
    """Numbers next to a word of paying, which mean the currency of the country: "a refund of 450"."""
    currencies = get_territory_currencies(story.country or "") or [""]
    for match in _bare_number().finditer(story.folded.text):
        number = match["after"] or match["before"]
        yield story.fact("amount", f"{number}.00 {currencies[-1]}", *match.span())


@lru_cache(maxsize=1)
def _bare_number() -> re.Pattern[str]:
    tables = [read_phrases("facts", code)["amounts"] for code in LANGUAGES]
    before, after = (
        any_of("\n".join(table.get(key, "") for table in tables))
        for key in ("paid_then_number", "number_then_paid")
    )
    common = "|".join(frozenset().union(*map(stop_words, LANGUAGES)))
    number = r"(?<![\w.,:/-])(?P<{0}>\d{{2,9}})"
    # Neither a date nor a count of something: a common word or the end of a clause follows.
    ends = rf"(?![\d%:/]|[.,-]\d)(?=\s?(?:[.,;!?)\n]|\Z)|\s(?:{common})(?!\w))"
    return re.compile(
        rf"(?<!\w){before}(?:\s\w{{1,5}}){{0,3}}\s{number.format('after')}{ends}"
        rf"|{number.format('before')}(?=\s(?:\w+\s)?{after}(?!\w))"
    )
