"""The issues in a complaint: found when there are two, not invented when there is one."""

from __future__ import annotations

import csv
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared_models import starter_model
from triage.csv.columns import ColumnNames
from triage.csv.labelled_rows import read_examples
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
    """The model, cached: Hypothesis allows no narrower fixture."""
    return starter_model(("en", "tr"))


@lru_cache
def wide() -> Model:
    """The model of a desk with all four languages."""
    return starter_model(LANGUAGES)


def stories_of_two_issues() -> list[dict[str, str]]:
    """Stories of two issues, written separately from the starters and mostly in lower case, as on a phone."""
    with Path(__file__).with_name("heldout_matters.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def short_stories() -> list[dict[str, str]]:
    """Short stories of one issue (`second` is empty) and of two, written to check that a story is not split."""
    with Path(__file__).with_name("written_matters.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def pairs() -> list[tuple[Example, Example]]:
    """Pairs of texts seven rows apart, of different categories and the same language."""
    neighbours = zip(HELD_OUT, HELD_OUT[7:], strict=False)
    return [(a, b) for a, b in neighbours if a.category != b.category and a.language == b.language]


def test_two_issues_in_one_letter_are_often_both_found() -> None:
    both = [
        {a.category, b.category} <= {issue.category for issue in find_issues(model(), f"{a.text}\n{b.text}")}
        for a, b in pairs()
    ]
    assert len(both) > 50
    assert sum(both) / len(both) >= 0.40


def test_one_issue_is_rarely_split_in_two() -> None:
    several = [len(find_issues(model(), row.text)) > 1 for row in HELD_OUT]
    assert sum(several) / len(several) <= 0.15


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_issues_in_one_line_are_mostly_both_found(language: str) -> None:
    stories = [row for row in stories_of_two_issues() if row["language"] == language]
    both = [
        {row["first"], row["second"]} <= {issue.category for issue in find_issues(wide(), row["text"])}
        for row in stories
    ]
    assert len(both) >= 6
    assert sum(both) / len(both) >= 0.75


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_story_in_short_sentences_is_rarely_split(language: str) -> None:
    stories = [row["text"] for row in short_stories() if row["language"] == language and not row["second"]]
    assert len(stories) == 8
    # Before issues were weighted by their share of the story, 4 to 7 of these 8 were split.
    assert sum(len(find_issues(wide(), text)) > 1 for text in stories) <= 4


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_issues_of_one_sentence_each_are_mostly_both_found(language: str) -> None:
    stories = [row for row in short_stories() if row["language"] == language and row["second"]]
    both = [
        {row["first"], row["second"]} <= {issue.category for issue in find_issues(wide(), row["text"])}
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
def test_a_second_issue_is_found_in_lower_case_text(text: str) -> None:
    issues = {issue.category: issue for issue in find_issues(wide(), text)}
    assert set(issues) == {"money", "staff_conduct"}
    first, second = issues["money"].spans[0], issues["staff_conduct"].spans[0]
    assert text[slice(*first)] + " " + text[slice(*second)] == text


def test_the_main_issue_comes_first_with_the_proposed_category() -> None:
    for row in HELD_OUT[:20]:
        whole = model().word_probabilities(model().matrix([row.text]))[0]
        first = find_issues(model(), row.text)[0]
        assert first.category == model().categories[int(whole.argmax())]
        assert first.probability == pytest.approx(float(whole.max()), abs=1e-4)


def test_each_issue_has_the_sentences_about_it() -> None:
    issues = find_issues(
        model(),
        "You charged me twice for the same bill and the invoice is wrong. "
        "Also the clerk at the counter insulted me and shouted at my mother.",
    )
    assert [issue.category for issue in issues] in (["money", "staff_conduct"], ["staff_conduct", "money"])
    by_category = {issue.category: issue.text for issue in issues}
    assert "invoice" in by_category["money"]
    assert "insulted" in by_category["staff_conduct"]
    assert "insulted" not in by_category["money"]


@pytest.mark.parametrize(
    "text",
    [
        "I was charged twice for May. My customer number is 4471902. Please put it right. R. Okafor",
        "The driver threw my parcel over the gate. My customer number is 4471902. Please put it right.",
        "Mart faturası iki kez çekilmiş. Müşteri numaram 4471902. Lütfen bunu düzeltin. Ayşe Yılmaz",
    ],
    ids=["en", "en-not-the-main-category", "tr"],
)
def test_numbers_names_and_closing_requests_are_no_issue(text: str) -> None:
    for used in (model(), wide()):
        (issue,) = find_issues(used, text)
        assert issue.text == text


@pytest.mark.parametrize("text", ["", "   ", "🔥🔥", "?!", "1 2 3"], ids=range(5))
def test_a_text_without_words_has_no_issue(text: str) -> None:
    assert find_issues(model(), text) == ()


@pytest.mark.parametrize("text", ["short", "you billed me twice", "<b>wrong bill</b>"], ids=range(3))
def test_a_text_with_words_has_an_issue(text: str) -> None:
    assert len(find_issues(model(), text)) == 1


def test_a_very_long_text_has_a_limited_number_of_issues() -> None:
    text = "\n".join(row.text for row in HELD_OUT) * 5
    issues = find_issues(model(), text)
    assert 1 < len(issues) <= MOST


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_passages_are_in_the_text_in_order_without_overlap(text: str) -> None:
    issues = find_issues(model(), text)
    for issue in issues:
        assert all(0 <= low < high <= len(text) for low, high in issue.spans)
        assert all(first[1] <= second[0] for first, second in pairwise(issue.spans))
    if len(issues) > 1:
        spans = sorted(span for issue in issues for span in issue.spans)
        assert all(first[1] <= second[0] for first, second in pairwise(spans))
