"""What messages do whose writers had seen neither the rules nor the examples: which act is read, with what certainty.

Never read these files to add an example or a rule: the examples are in `triage/acts`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import pytest

from tests.source import ROOT
from triage.matching import LANGUAGES
from triage.reader.acts import ACTS, STATES, Act, read_act, read_act_by_words

Row = dict[str, str]
Reading = Callable[[str, str, str], Act]
ROWS: list[Row] = [
    {**row, "language": language}
    for language in LANGUAGES
    for row in csv.DictReader(Path(__file__).with_name(f"{language}.csv").open(encoding="utf-8"))
]
READINGS = (read_act, read_act_by_words)
#: The share of messages whose act is read, with the encoder, and by words alone.
RIGHT = {
    read_act: {
        "first": 0.85,
        "question": 0.7,
        "read_back": 0.7,
        "after": 0.67,
        "decision": 0.77,
        "survey": 0.9,
    },
    read_act_by_words: {
        "first": 0.75,
        "question": 0.62,
        "read_back": 0.7,
        "after": 0.62,
        "decision": 0.7,
        "survey": 0.8,
    },
}
#: How much of all is sure.
LEAST_SURE = {read_act: 0.55, read_act_by_words: 0.3}
#: Another matter is read as such after filing.
OTHER_MATTERS = {read_act: 0.75, read_act_by_words: 0.35}


@cache
def read(reading: Reading, text: str, state: str, before: str) -> Act:
    return reading(text, state, before)


def act_of(reading: Reading, row: Row) -> Act:
    # The desk does not know the words of the letter that it wrote last.
    is_in_form = row["state"] in ("question", "read_back")
    return read(reading, row["text"], row["state"], row["before"] if is_in_form else "")


def is_right(reading: Reading, row: Row) -> bool:
    return act_of(reading, row).kind in row["acts"].split()


def share(values: Sequence[bool]) -> float:
    return sum(values) / len(values)


def filed(*, other: bool) -> list[Row]:
    """The messages after filing that are about another matter, or all others."""
    rows = [row for row in ROWS if row["state"] in ("after", "decision")]
    return [row for row in rows if other == bool({"new_matter", "complaint"} & set(row["acts"].split()))]


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("reading", READINGS)
def test_what_a_message_does_is_read_in_every_moment(reading: Reading, state: str) -> None:
    rows = [row for row in ROWS if row["state"] == state]
    assert share([is_right(reading, row) for row in rows]) >= RIGHT[reading][state]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_message_does_is_read_in_every_language(language: str) -> None:
    rows = [row for row in ROWS if row["language"] == language]
    assert share([is_right(read_act, row) for row in rows]) >= 0.7


@pytest.mark.parametrize("reading", READINGS)
def test_a_sure_act_is_right(reading: Reading) -> None:
    sure = [row for row in ROWS if act_of(reading, row).is_sure]
    assert share([is_right(reading, row) for row in sure]) >= 0.87
    assert len(sure) >= LEAST_SURE[reading] * len(ROWS)


@pytest.mark.parametrize("reading", READINGS)
def test_another_matter_is_seen_and_hardly_ever_anything_else_is_taken_for_it(reading: Reading) -> None:
    assert share([act_of(reading, row).is_other for row in filed(other=False)]) <= 0.03
    assert share([act_of(reading, row).is_other for row in filed(other=True)]) >= OTHER_MATTERS[reading]


@pytest.mark.parametrize("reading", READINGS)
def test_a_question_after_filing_is_read_as_one(reading: Reading) -> None:
    rows = [row for row in filed(other=False) if row["state"] == "after"]
    asks, others = (
        [row for row in rows if ("ask_" in row["acts"]) == is_asked] for is_asked in (True, False)
    )
    assert share([act_of(reading, row).asks for row in asks]) >= 0.65
    assert share([act_of(reading, row).asks for row in others]) <= 0.08


def test_a_message_without_words_does_nothing() -> None:
    assert read_act("👍", "after").kind == "nothing"


def test_every_example_has_acts_and_a_moment_and_is_in_no_measuring_file() -> None:
    measured = {row["text"].casefold() for row in ROWS}
    for language in LANGUAGES:
        rows = list(csv.DictReader((ROOT / "triage" / "acts" / f"{language}.csv").open(encoding="utf-8")))
        assert len(rows) >= 1_000
        for row in rows:
            assert row["state"] in STATES
            assert set(row["acts"].split()) <= set(ACTS)
            assert row["text"].casefold() not in measured
