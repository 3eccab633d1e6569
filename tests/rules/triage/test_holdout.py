"""Rows held out from training: equal in every process, and never learnt in another way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from triage.example import Example
from triage.learning.holdout import (
    RECENT_SHARE,
    RecordRow,
    comparable_text,
    exclude_complaints,
    fold_number,
    is_fixed,
    split_record,
)

T = datetime(2026, 11, 3, tzinfo=UTC)


def row(number: int, text: str | None = None, *, whole: bool = True, ref: str | None = None) -> RecordRow:
    """A confirmed complaint of that hour."""
    example = Example(f"text number {number}" if text is None else text, "supply", 2)
    return RecordRow(example, ref or f"R{number}", T + timedelta(hours=number), whole)


MANY = [row(number) for number in range(1000)]

refs = st.integers(0, 60).map(str)
some = st.lists(
    st.builds(
        lambda ref, hour, text, whole: RecordRow(
            Example(f"text {text}", "supply", 2), ref, T + timedelta(hours=hour), whole
        ),
        refs,
        st.integers(0, 100),
        st.integers(0, 30),
        st.booleans(),
    ),
    max_size=80,
)


def test_about_a_tenth_of_the_examples_is_held_out_permanently() -> None:
    assert 70 < len(split_record(MANY, seen_until=None).fixed) < 130
    assert len({fold_number(row.ref, 3) for row in MANY}) == 3


def test_the_later_half_of_unseen_rows_is_recent() -> None:
    parts = split_record(MANY, seen_until=T + timedelta(hours=899))
    assert all(row.at > T + timedelta(hours=899) for row in parts.unseen)
    assert parts.recent == parts.unseen[len(parts.unseen) // 2 :]


def test_with_all_rows_unseen_a_fifth_is_recent() -> None:
    parts = split_record(MANY, seen_until=None)
    assert len(parts.recent) == round(RECENT_SHARE * len(parts.train))
    assert parts.recent[-1] == parts.train[-1]


@given(some, st.none() | st.integers(0, 100))
def test_no_held_out_text_is_learnt_under_another_reference(rows: list[RecordRow], hour: int | None) -> None:
    parts = split_record(rows, seen_until=None if hour is None else T + timedelta(hours=hour))
    fixed_texts = {comparable_text(row.example) for row in parts.fixed}
    assert all(is_fixed(row.ref) and row.whole for row in parts.fixed)
    assert not any(is_fixed(row.ref) or comparable_text(row.example) in fixed_texts for row in parts.train)
    rest = exclude_complaints(parts.train, parts.recent)
    recent_refs, recent_texts = (
        {row.ref for row in parts.recent},
        {comparable_text(row.example) for row in parts.recent},
    )
    assert not any(row.ref in recent_refs or comparable_text(row.example) in recent_texts for row in rest)
    assert all(row.whole for row in (*parts.unseen, *parts.recent))


@given(some)
def test_the_order_of_the_rows_does_not_matter(rows: list[RecordRow]) -> None:
    key = lambda record_row: (record_row.at, record_row.ref, record_row.whole, record_row.example.text)  # noqa: E731
    ahead, back = split_record(rows, seen_until=None), split_record(rows[::-1], seen_until=None)
    assert sorted(ahead.train, key=key) == sorted(back.train, key=key)
    assert sorted(ahead.fixed, key=key) == sorted(back.fixed, key=key)
