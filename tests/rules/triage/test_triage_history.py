"""Training on a history: copies stay in one part, held-back rows are unseen, and the card reports all of it."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.errors import UnusableExamples
from triage.example import Example
from triage.learning.evaluation import evaluate
from triage.learning.examples import starter_examples
from triage.learning.holdout import duplicate_groups, split_history
from triage.learning.own_history import TrainedHistory, train_on_history
from triage.model.artefact import dump, load
from triage.model.model_card import render_card
from triage.model.prediction_metrics import proportion_interval

STORY = (
    "On Monday the engineer came two hours late, left without mending the boiler and nobody has called back since, "
    "although I rang the office three times and was promised a call within the day each time."
)
ROWS = tuple(starter_examples(("en",)))


@lru_cache
def learnt_from_third() -> TrainedHistory:
    """What is learnt from each third row: trained once, which takes seconds."""
    return train_on_history(ROWS[::3])


def test_exact_edited_and_enclosed_copies_are_found() -> None:
    edited = STORY.replace("two hours", "2 hours").replace("three times", "thrice")
    texts = [
        STORY,
        "Another matter altogether: my bill is wrong.",
        STORY.upper(),
        edited,
        f"Hello. {STORY} Thanks!",
    ]
    assert duplicate_groups(texts) == [0, 1, 0, 0, 0]


def test_short_texts_on_one_subject_are_no_copies() -> None:
    texts = [
        "Where is my new card?",
        "Where is my new parcel?",
        "When is my new card here?",
        "where is my new card",
    ]
    assert duplicate_groups(texts) == [0, 1, 2, 0]


def dated(place: int, category: str, *, text: str = "") -> Example:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=place)
    return Example(text or f"text {place}", category, None, "en", at)


def test_with_dates_the_most_recent_fifth_is_held_back() -> None:
    rows = [dated(place, "a" if place % 2 else "b") for place in range(20)]
    split = split_history(rows, list(range(20)))
    assert (split.how, split.holdout) == ("time", (16, 17, 18, 19))
    assert split.since == rows[16].at


def test_dates_without_a_recent_part_are_not_used_for_the_split() -> None:
    rows = [dated(0 if place < 4 else 9, "a" if place % 2 else "b") for place in range(20)]
    assert split_history(rows, list(range(20))).how == "random"


def test_a_recent_copy_of_an_older_row_is_in_the_training_part() -> None:
    rows = [dated(place, "a" if place % 2 else "b") for place in range(20)]
    groups = [*range(18), 3, 19]
    assert split_history(rows, groups).holdout == (16, 17, 19)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30), st.booleans()), min_size=1, max_size=60),
    st.integers(0, 5),
)
def test_no_copy_is_in_both_parts_and_no_row_is_lost(history: list[tuple[str, int, bool]], seed: int) -> None:
    rows = [
        dated(place if has_date else 0, category) for place, (category, _, has_date) in enumerate(history)
    ]
    groups = [group for _, group, _ in history]
    split = split_history(rows, groups, seed=seed)
    assert {groups[place] for place in split.train} & {groups[place] for place in split.holdout} == set()
    assert sorted([*split.train, *split.holdout]) == list(range(len(rows)))
    assert split.train


def test_without_dates_each_category_gives_its_share_and_keeps_its_last_row() -> None:
    rows = [Example(f"t{n}", "much") for n in range(50)] + [Example(f"u{n}", "some") for n in range(10)]
    rows.append(Example("alone", "rare"))
    split = split_history(rows, list(range(len(rows))))
    assert split.how == "random"
    assert Counter(rows[place].category for place in split.holdout) == {"much": 10, "some": 2}


def test_figures_come_from_rows_that_the_evaluated_model_has_not_learnt() -> None:
    learnt = learnt_from_third()
    assert learnt.evaluation is not None
    assert learnt.evaluation["rows"] == len(learnt.split.holdout) > 0
    # The final model has learnt all rows, so on these rows it is better than its card states.
    flattering = evaluate(learnt.model, [ROWS[::3][place] for place in learnt.split.holdout])
    assert flattering["accuracy"] > learnt.evaluation["accuracy"]
    assert learnt.card["evaluation"] == learnt.evaluation
    assert learnt.card["held_back"]["how"] == "random"


def test_the_card_is_stored_in_the_model_file() -> None:
    learnt = learnt_from_third()
    again = load(dump(learnt.model))
    assert again.facts["evaluation"] == learnt.evaluation
    assert again.facts["data"]["rows"] == len(ROWS[::3])


def test_with_few_rows_all_are_learnt_and_the_card_states_it() -> None:
    rows = [Example(f"the bill number {n} is wrong", "money") for n in range(3)]
    rows += [Example(f"no water on floor {n} today", "supply") for n in range(3)]
    learnt = train_on_history(rows)
    assert (learnt.evaluation, learnt.split.how) == (None, "none")
    assert "Too few rows to hold any back" in render_card(learnt.card)


def test_one_category_alone_is_refused_with_the_remedy() -> None:
    with pytest.raises(UnusableExamples, match=r"1 categories.*starter examples"):
        train_on_history([Example(f"text number {n}", "only") for n in range(40)])


def test_contradicting_labels_and_copies_are_reported() -> None:
    twice = [Example(STORY, "service"), Example(STORY, "handling"), Example(STORY + " ", "service")]
    card = train_on_history([*ROWS[::3], *twice]).card
    assert (card["data"]["copies"], card["data"]["contradictions"]) == (2, 1)
    assert "1 texts are in the file under more than one category" in render_card(card)


def test_the_page_shows_the_chosen_candidate_and_the_reason_from_the_card() -> None:
    card = learnt_from_third().card
    card |= {
        "choice": "svc: the lowest log-loss",
        "candidates": {"svc": {"log_loss": 0.5}, "blend": {"log_loss": 0.6}},
    }
    page = render_card(card)
    assert "svc: the lowest log-loss" in page
    assert "- blend: log_loss 0.6" in page
    assert all(f"| {category} |" in page for category in card["classes"])
    assert page.index("## How good it is") < page.index("## Known weaknesses")


def test_a_label_in_another_spelling_is_recognised_and_an_unknown_one_is_listed() -> None:
    model = learnt_from_third().model
    figures = evaluate(model, [Example("The bill is wrong", "Money"), Example("Words", "nonsense")])
    assert figures["unknown_categories"] == ["nonsense"]
    assert figures["categories"]["money"]["rows"] == 1


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"), [(0, 0, 0, 1), (10, 10, 0.7225, 1), (50, 100, 0.4038, 0.5962)]
)
def test_wilsons_interval_equals_the_textbook_values(hits: int, rows: int, low: float, high: float) -> None:
    assert proportion_interval(hits, rows) == pytest.approx((low, high), abs=1e-4)


def test_every_figure_is_within_its_interval() -> None:
    figures = learnt_from_third().evaluation
    assert figures is not None
    for name in ("accuracy", "macro_f1", "log_loss", "ece"):
        low, high = figures[f"{name}_interval"]
        assert low <= figures[name] <= high
