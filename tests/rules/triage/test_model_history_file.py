"""The history file next to a model: rows are read back exactly, and held-back rows can be answered again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.triage.test_model_gate import FixedModel
from triage.errors import UnreadableTable
from triage.example import Example
from triage.learning.gate import LabelledRows, ModelAnswers
from triage.learning.own_history import (
    HistoryRow,
    HoldoutAnswer,
    held_out_rows,
    history_rows,
    newest_examples,
    read_history_file,
    write_history_file,
)
from triage.model.artefact import digest
from triage.model.pipeline import Model

T = datetime(2025, 3, 4, 10, tzinfo=UTC)
ANSWER = HoldoutAnswer("money", 0.75, 0.125, 2.0, True)
ROWS = [
    HistoryRow(Example('The water is brown,\n"again".', "supply", 5, "en", T), ANSWER),
    HistoryRow(Example("Su yok", "supply", None, "tr")),
    HistoryRow(Example("A bill.", "money", 1)),
]
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
answers = st.builds(HoldoutAnswer, texts, st.floats(0, 1), st.floats(0, 1), st.floats(0, 5), st.booleans())
examples = st.builds(
    Example,
    texts,
    texts,
    st.none() | st.integers(1, 5),
    st.sampled_from([None, "en", "tr"]),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(st.builds(HistoryRow, examples, st.none() | answers), max_size=5))
def test_a_written_file_is_read_back_exactly(rows: list[HistoryRow]) -> None:
    assert read_history_file(write_history_file(rows)) == rows


def test_equal_rows_give_equal_files_and_other_rows_other_files() -> None:
    assert write_history_file(ROWS) == write_history_file(ROWS)
    assert digest(write_history_file(ROWS)) != digest(write_history_file(ROWS[:2]))


@pytest.mark.parametrize(
    "raw", [b"", b"text,category", write_history_file(ROWS)[:-9], write_history_file(ROWS)[:40] + b"x" * 60]
)
def test_an_incomplete_history_file_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableTable):
        read_history_file(raw)


def test_held_back_rows_keep_their_answers_and_rows_of_the_record_are_left_out() -> None:
    candidate = ModelAnswers(
        np.array([[0.75, 0.25], [0.4, 0.6]]), np.array([2.0, 1.0]), np.array([True, False])
    )
    judged = LabelledRows(
        "held back", ("money", "supply"), np.array([1, 1]), np.array([5.0, 2.0]), candidate, None
    )
    past = [Example("first", "money"), Example("second", "supply", 5)]
    # The second held-back row, at place 2, belongs to the record and follows those of the file.
    assert history_rows(past, (1, 2), judged) == [
        HistoryRow(past[0]),
        HistoryRow(past[1], HoldoutAnswer("money", 0.75, 0.25, 2.0, True)),
    ]
    assert history_rows(past, (), None) == [HistoryRow(row) for row in past]


def test_the_newest_rows_come_first_and_undated_rows_last() -> None:
    dated = [HistoryRow(Example(f"t{n}", "a", at=T + timedelta(days=n))) for n in range(3)]
    undated = [HistoryRow(Example(f"u{n}", "b")) for n in range(3)]
    result = newest_examples([undated[0], *dated, *undated[1:]], 4)
    assert [row.text for row in result[:3]] == ["t2", "t1", "t0"]
    assert result[3].text in {"u0", "u1", "u2"}


def test_every_category_is_kept_of_a_file_sorted_by_category() -> None:
    rows = [HistoryRow(Example(f"text {n}", "first" if n < 500 else "second")) for n in range(1000)]
    assert 150 < sum(row.category == "first" for row in newest_examples(rows, 500)) < 350


def test_the_active_model_answers_the_held_back_rows() -> None:
    active = cast("Model", FixedModel("supply", "other"))
    part = held_out_rows(
        [*ROWS, HistoryRow(Example("fire", "safety", 4), HoldoutAnswer("safety", 0.5, 0.5, 4.0, True))],
        active,
    )
    assert part is not None
    assert part.categories == ("money", "other", "safety", "supply")
    assert (part.labels.tolist(), part.severities.tolist()) == ([3, 2], [5.0, 4.0])
    assert part.candidate.probabilities.tolist() == [[0.75, 0.0, 0.0, 0.125], [0.0, 0.0, 0.5, 0.0]]
    assert part.candidate.alerts.tolist() == [True, True]
    answers: Any = part.active
    assert answers.probabilities.argmax(axis=1).tolist() == [3, 3]
    assert held_out_rows(ROWS[1:], active) is None
