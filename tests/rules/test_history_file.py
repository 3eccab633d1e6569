"""The history file beside a model: its rows come back whole, and what was held back can be answered again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.test_gate import Fixed
from triage.errors import UnreadableTable
from triage.example import Example
from triage.learning.gate import LabelledRows, ModelAnswers
from triage.learning.history import KeptRow, Said, held_back, kept, newest, read, write
from triage.model.artefact import digest
from triage.model.pipeline import Model

T = datetime(2025, 3, 4, 10, tzinfo=UTC)
SAID = Said("money", 0.75, 0.125, 2.0, True)
ROWS = [
    KeptRow(Example('The water is brown,\n"again".', "supply", 5, "en", T), SAID),
    KeptRow(Example("Su yok", "supply", None, "tr")),
    KeptRow(Example("A bill.", "money", 1)),
]
texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
said = st.builds(Said, texts, st.floats(0, 1), st.floats(0, 1), st.floats(0, 5), st.booleans())
examples = st.builds(
    Example,
    texts,
    texts,
    st.none() | st.integers(1, 5),
    st.sampled_from([None, "en", "tr"]),
    st.none() | st.datetimes(timezones=st.just(UTC)),
)


@given(st.lists(st.builds(KeptRow, examples, st.none() | said), max_size=5))
def test_what_is_written_is_read_again_to_the_letter(rows: list[KeptRow]) -> None:
    assert read(write(rows)) == rows


def test_the_same_rows_give_the_same_file_and_others_another() -> None:
    assert write(ROWS) == write(ROWS)
    assert digest(write(ROWS)) != digest(write(ROWS[:2]))


@pytest.mark.parametrize("raw", [b"", b"text,category", write(ROWS)[:-9], write(ROWS)[:40] + b"x" * 60])
def test_what_is_no_whole_history_file_is_refused(raw: bytes) -> None:
    with pytest.raises(UnreadableTable):
        read(raw)


def test_rows_held_back_are_kept_with_what_was_said_of_them_and_those_of_the_record_are_not() -> None:
    candidate = ModelAnswers(
        np.array([[0.75, 0.25], [0.4, 0.6]]), np.array([2.0, 1.0]), np.array([True, False])
    )
    judged = LabelledRows(
        "held back", ("money", "supply"), np.array([1, 1]), np.array([5.0, 2.0]), candidate, None
    )
    past = [Example("first", "money"), Example("second", "supply", 5)]
    # The second that was held back stands at place 2: it is of the record, behind those of the file.
    assert kept(past, (1, 2), judged) == [
        KeptRow(past[0]),
        KeptRow(past[1], Said("money", 0.75, 0.25, 2.0, True)),
    ]
    assert kept(past, (), None) == [KeptRow(one) for one in past]


def test_the_newest_rows_are_taken_before_others_and_those_without_a_date_last() -> None:
    dated = [KeptRow(Example(f"t{n}", "a", at=T + timedelta(days=n))) for n in range(3)]
    undated = [KeptRow(Example(f"u{n}", "b")) for n in range(3)]
    found = newest([undated[0], *dated, *undated[1:]], 4)
    assert [row.text for row in found[:3]] == ["t2", "t1", "t0"]
    assert found[3].text in {"u0", "u1", "u2"}


def test_of_a_file_sorted_by_category_no_category_is_cut_off() -> None:
    rows = [KeptRow(Example(f"text {n}", "first" if n < 500 else "second")) for n in range(1000)]
    assert 150 < sum(row.category == "first" for row in newest(rows, 500)) < 350


def test_the_model_in_use_answers_the_rows_that_were_held_back() -> None:
    active = cast("Model", Fixed("supply", "other"))
    part = held_back(
        [*ROWS, KeptRow(Example("fire", "safety", 4), Said("safety", 0.5, 0.5, 4.0, True))], active
    )
    assert part is not None
    assert part.categories == ("money", "other", "safety", "supply")
    assert (part.labels.tolist(), part.severities.tolist()) == ([3, 2], [5.0, 4.0])
    assert part.candidate.probabilities.tolist() == [[0.75, 0.0, 0.0, 0.125], [0.0, 0.0, 0.5, 0.0]]
    assert part.candidate.alerts.tolist() == [True, True]
    answers: Any = part.active
    assert answers.probabilities.argmax(axis=1).tolist() == [3, 3]
    assert held_back(ROWS[1:], active) is None
