"""The matters in one complaint: found in two, not invented in one, and always words that stand there."""

from __future__ import annotations

import csv
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.made_once import starter_model
from triage.csv.columns import ColumnNames
from triage.csv.examples import read_examples
from triage.example import Example
from triage.issues import MOST, find_issues
from triage.model.pipeline import Model

HELD_OUT = [
    row
    for row in read_examples(
        Path(__file__).with_name("heldout.csv"), columns=ColumnNames(language="language")
    ).examples
    if row.category != "other" and row.language in ("en", "tr")
]
LANGUAGES = ("de", "en", "es", "tr")


@lru_cache
def model() -> Model:
    """Hypothesis wants no fixture of a narrower scope: one model for the whole module."""
    return starter_model(("en", "tr"))


@lru_cache
def wide() -> Model:
    """The model of a desk that speaks all four."""
    return starter_model(LANGUAGES)


def two_matters() -> list[dict[str, str]]:
    """Stories of two matters, written apart from the starters and mostly in lower case, as on a phone."""
    with Path(__file__).with_name("heldout_matters.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def written() -> list[dict[str, str]]:
    """Short stories of one matter (`second` is empty) and of two, written to see that a story is not taken apart."""
    with Path(__file__).with_name("written_matters.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pairs() -> list[tuple[Example, Example]]:
    """Neighbours seven rows apart: another category, the same language."""
    found = zip(HELD_OUT, HELD_OUT[7:], strict=False)
    return [(a, b) for a, b in found if a.category != b.category and a.language == b.language]


def test_two_matters_in_one_letter_are_often_both_named() -> None:
    both = [
        {a.category, b.category} <= {one.category for one in find_issues(model(), f"{a.text}\n{b.text}")}
        for a, b in pairs()
    ]
    assert len(both) > 50
    assert sum(both) / len(both) >= 0.40


def test_one_matter_is_seldom_taken_for_two() -> None:
    several = [len(find_issues(model(), row.text)) > 1 for row in HELD_OUT]
    assert sum(several) / len(several) <= 0.15


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_matters_in_one_line_are_mostly_both_named(language: str) -> None:
    stories = [row for row in two_matters() if row["language"] == language]
    both = [
        {row["first"], row["second"]} <= {one.category for one in find_issues(wide(), row["text"])}
        for row in stories
    ]
    assert len(both) >= 6
    assert sum(both) / len(both) >= 0.75


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_story_told_in_short_sentences_is_not_taken_apart(language: str) -> None:
    stories = [row["text"] for row in written() if row["language"] == language and not row["second"]]
    assert len(stories) == 8
    # Between 4 and 7 of 8 were, before what is heard was weighed by its part of the story.
    assert sum(len(find_issues(wide(), text)) > 1 for text in stories) <= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_matters_of_a_sentence_each_are_mostly_both_named(language: str) -> None:
    stories = [row for row in written() if row["language"] == language and row["second"]]
    both = [
        {row["first"], row["second"]} <= {one.category for one in find_issues(wide(), row["text"])}
        for row in stories
    ]
    assert len(both) == 9
    assert sum(both) / len(both) >= 0.75


@pytest.mark.parametrize(
    "text",
    [
        "i was charged twice for march and the bill is wrong. the clerk shouted at my mother and insulted her.",
        "mart faturası iki kez çekilmiş, fatura yanlış. gişedeki memur anneme bağırdı ve hakaret etti.",
        "die rechnung für märz wurde doppelt abgebucht. der mann am schalter hat meine mutter angeschrien.",
        "me cobraron dos veces la factura de marzo. el empleado le gritó a mi madre y la insultó.",
    ],
    ids=["en", "tr", "de", "es"],
)
def test_a_second_matter_is_named_where_all_is_in_lower_case(text: str) -> None:
    found = {one.category: one for one in find_issues(wide(), text)}
    assert set(found) == {"money", "staff_conduct"}
    first, second = found["money"].spans[0], found["staff_conduct"].spans[0]
    assert text[slice(*first)] + " " + text[slice(*second)] == text


def test_the_main_matter_comes_first_and_is_the_proposed_category() -> None:
    for row in HELD_OUT[:20]:
        whole = model().word_probabilities(model().matrix([row.text]))[0]
        first = find_issues(model(), row.text)[0]
        assert first.category == model().categories[int(whole.argmax())]
        assert first.probability == pytest.approx(float(whole.max()), abs=1e-4)


def test_a_second_matter_holds_the_sentences_that_speak_for_it() -> None:
    found = find_issues(
        model(),
        "You charged me twice for the same bill and the invoice is wrong. "
        "Also the clerk at the counter insulted me and shouted at my mother.",
    )
    assert [one.category for one in found] in (["money", "staff_conduct"], ["staff_conduct", "money"])
    by_category = {one.category: one.text for one in found}
    assert "invoice" in by_category["money"]
    assert "insulted" in by_category["staff_conduct"]
    assert "insulted" not in by_category["money"]


@pytest.mark.parametrize("text", ["", "   ", "🔥🔥", "?!", "1 2 3"], ids=range(5))
def test_a_text_without_words_has_no_matter(text: str) -> None:
    assert find_issues(model(), text) == ()


@pytest.mark.parametrize("text", ["short", "you billed me twice", "<b>wrong bill</b>"], ids=range(3))
def test_a_text_with_words_has_one_at_least(text: str) -> None:
    assert len(find_issues(model(), text)) == 1


def test_a_very_long_text_has_a_bounded_number_of_matters() -> None:
    text = "\n".join(row.text for row in HELD_OUT) * 5
    found = find_issues(model(), text)
    assert 1 < len(found) <= MOST


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_passages_lie_in_the_text_in_order_and_never_overlap(text: str) -> None:
    found = find_issues(model(), text)
    for one in found:
        assert all(0 <= low < high <= len(text) for low, high in one.spans)
        assert all(first[1] <= second[0] for first, second in pairwise(one.spans))
    if len(found) > 1:
        spans = sorted(span for one in found for span in one.spans)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
