"""What is held back from training: the same for every process, and never learnt from by another road."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from triage.example import Example
from triage.learning.holdout import RECENT_SHARE, RecordRow, fold_of, is_fixed, parted, spelled, without

T = datetime(2026, 11, 3, tzinfo=UTC)


def row(number: int, text: str | None = None, *, whole: bool = True, ref: str | None = None) -> RecordRow:
    """One confirmed complaint of that hour."""
    said = Example(f"text number {number}" if text is None else text, "supply", 2)
    return RecordRow(said, ref or f"R{number}", T + timedelta(hours=number), whole)


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


def test_about_a_tenth_is_kept_out_for_ever() -> None:
    assert 70 < len(parted(MANY, seen_until=None).fixed) < 130
    assert len({fold_of(one.ref, 3) for one in MANY}) == 3


def test_of_what_the_model_in_use_has_not_seen_the_later_half_is_recent() -> None:
    parts = parted(MANY, seen_until=T + timedelta(hours=899))
    assert all(one.at > T + timedelta(hours=899) for one in parts.unseen)
    assert parts.recent == parts.unseen[len(parts.unseen) // 2 :]


def test_with_everything_unseen_a_fifth_is_recent() -> None:
    parts = parted(MANY, seen_until=None)
    assert len(parts.recent) == round(RECENT_SHARE * len(parts.learnt))
    assert parts.recent[-1] == parts.learnt[-1]


@given(some, st.none() | st.integers(0, 100))
def test_nothing_held_back_is_learnt_from_under_another_reference(
    rows: list[RecordRow], hour: int | None
) -> None:
    parts = parted(rows, seen_until=None if hour is None else T + timedelta(hours=hour))
    fixed_texts = {spelled(one) for one in parts.fixed}
    assert all(is_fixed(one.ref) and one.whole for one in parts.fixed)
    assert not any(is_fixed(one.ref) or spelled(one) in fixed_texts for one in parts.learnt)
    rest = without(parts.learnt, parts.recent)
    recent_refs, recent_texts = {one.ref for one in parts.recent}, {spelled(one) for one in parts.recent}
    assert not any(one.ref in recent_refs or spelled(one) in recent_texts for one in rest)
    assert all(one.whole for one in (*parts.unseen, *parts.recent))


@given(some)
def test_the_order_in_which_rows_come_changes_nothing(rows: list[RecordRow]) -> None:
    key = lambda one: (one.at, one.ref, one.whole, one.example.text)  # noqa: E731
    ahead, back = parted(rows, seen_until=None), parted(rows[::-1], seen_until=None)
    assert sorted(ahead.learnt, key=key) == sorted(back.learnt, key=key)
    assert sorted(ahead.fixed, key=key) == sorted(back.fixed, key=key)
