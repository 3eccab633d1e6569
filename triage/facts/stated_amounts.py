"""Money in the words of staff: each sum is an amount of the act, or its author states that it is no payment."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from complaints.actions.decision import totals
from complaints.errors import BadFacts
from complaints.forms import NO_PAYMENT
from triage.facts.amounts import amounts
from triage.facts.fact import Story, StoryFact
from triage.matching import fold


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
    for amount in amounts(Story(text, fold(text), date.min, country), None):
        left[amount.value] -= 1
        if left[amount.value] < 0:
            yield amount
