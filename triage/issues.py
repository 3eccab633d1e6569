"""The issues of a complaint, each with its own category (7.7: every aspect is answered).

A complaint has about two issues. Its sentences are classified one by one, weighted by the category of the whole text,
and sentences of the same category are joined. A second issue is named only where a sentence is clearly about it, the
clearer the smaller its part of the text: it is easier for a person to add a row than to notice a wrong one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from triage.model.calibration import Doubles, Mask
from triage.model.pipeline import Model
from triage.sentences import Span, has_words, is_formality, split_sentences

MOST = 4
"""Issues named at most, the main one included."""
CLEAR = 1.0
"""Least value for a second issue of: the odds of its surest sentence, times its part of the text.

For a half of the text these are odds of two to one (0.67), for a quarter four to one (0.8). The more sentences a text
has, the likelier one of them sounds like something different by chance ("he did not come", "nobody rang me").
"""

_CONTEXT_EXPONENT = 0.35
"""How much the probabilities of the whole text count for each of its sentences."""
_LEAST_PROBABILITY = 0.5
"""Probability from which on a sentence counts for another category than the main one."""
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class IssueFound:
    """One issue: its sentences as written, their category with its probability, and where they are.

    `spans` are (start, end) in the text as written, in order, end excluded.
    """

    text: str
    category: str
    probability: float
    spans: tuple[Span, ...]


def find_issues(
    model: Model, text: str, *, whole: Doubles | None = None, allowed: Mask | None = None
) -> tuple[IssueFound, ...]:
    """The issues of a complaint, the main one first; none for a text without words.

    `whole` (categories,) are the probabilities of the whole text, computed by default. `allowed` (categories,) marks
    those that may be named, at least one; by default all.
    """
    bounds = split_sentences(text)
    if not bounds or not has_words(text):
        return ()
    if whole is None:
        whole = model.word_probabilities(model.matrix([text]))[0]
    allowed = np.ones(len(model.categories), dtype=bool) if allowed is None else allowed
    main = int(np.where(allowed, whole, -1.0).argmax())
    p_main = float(whole[main] / whole[allowed].sum())
    if len(bounds) == 1:
        return (_build_issue(model, text, bounds, main, p_main),)
    matrix = model.matrix([text[start:end] for start, end in bounds])
    by_sentence = _in_context(model.word_probabilities(matrix), whole)
    formal = {index for index, (start, end) in enumerate(bounds) if is_formality(text[start:end])}
    by_category: dict[int, list[int]] = {main: []}
    for index, row in enumerate(by_sentence):
        best = int(row.argmax())
        is_other_issue = best != main and model.categories[best] != _OTHER
        is_clear = allowed[best] and row[best] >= _LEAST_PROBABILITY and index not in formal
        # A sentence that is not clear, or only a formality, belongs to the main issue.
        by_category.setdefault(best if is_other_issue and is_clear else main, []).append(index)
    lengths = np.array([end - start for start, end in bounds])
    parts = lengths / lengths.sum()
    weights = {
        category: float(by_sentence[indices, category].sum())
        for category, indices in by_category.items()
        if category != main
        and _odds(float(by_sentence[indices, category].max())) * parts[indices].sum() >= CLEAR
    }
    further = sorted(weights, key=lambda category: -weights[category])[: MOST - 1]
    if by_category[main] and formal.issuperset(by_category[main]) and by_category.keys() == {main, *further}:
        # Formalities alone are no main issue: it takes the sentences of the strongest other one.
        further = further[1:]
    rest = [
        index for category, indices in by_category.items() if category not in further for index in indices
    ]
    main_bounds = [bounds[index] for index in sorted(rest)] or bounds
    issues = [_build_issue(model, text, main_bounds, main, p_main)]
    for category in further:
        indices = by_category[category]
        p_category = float(by_sentence[indices, category].max())
        issues.append(_build_issue(model, text, [bounds[index] for index in indices], category, p_category))
    return tuple(issues)


def _odds(probability: float) -> float:
    return probability / max(1 - probability, 1e-9)


def _in_context(by_sentence: Doubles, whole: Doubles) -> Doubles:
    """The probabilities of the sentences weighted by those of the whole text; rows sum to 1."""
    weighted = by_sentence * np.maximum(whole, 1e-6) ** _CONTEXT_EXPONENT
    return np.asarray(weighted / weighted.sum(axis=1, keepdims=True))


def _build_issue(
    model: Model, text: str, bounds: Sequence[Span], category: int, probability: float
) -> IssueFound:
    spans: list[Span] = []
    for start, end in bounds:
        # Consecutive sentences are one passage.
        if spans and not text[spans[-1][1] : start].strip():
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    # Line breaks are kept: they end sentences.
    lines = [" ".join(line.split()) for start, end in spans for line in text[start:end].splitlines()]
    return IssueFound(
        "\n".join(filter(None, lines)), model.categories[category], round(probability, 4), tuple(spans)
    )
