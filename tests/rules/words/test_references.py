"""References are unguessable, readable, and never valid with one wrong letter."""

from __future__ import annotations

import secrets
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.identifiers import ALPHABET, LENGTH, find_reference, new_reference, parse_reference

references = st.integers(0, 2**64).map(lambda seed: new_reference(Random(seed).randrange))


@given(references)
def test_a_reference_reads_back_as_it_is_written(reference: str) -> None:
    assert parse_reference(reference) == reference
    assert len(reference.replace("-", "")) == LENGTH


@given(references)
def test_case_and_spacing_do_not_matter(reference: str) -> None:
    letters = reference.replace("-", "")
    for written in (
        letters,
        letters.lower(),
        f"  {letters[:3]} {letters[3:]} ",
        f"{letters[:4]}–{letters[4:]}.",
    ):
        assert parse_reference(written) == reference


@given(references, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_one_wrong_letter_is_detected(reference: str, at: int, letter: str) -> None:
    letters = reference.replace("-", "")
    wrong = letters[:at] + letter + letters[at + 1 :]
    assert (parse_reference(wrong) is not None) == (wrong == letters)


@given(references)
def test_two_swapped_neighbours_are_detected(reference: str) -> None:
    letters = reference.replace("-", "")
    for at, (first, other) in enumerate(pairwise(letters)):
        swapped = letters[:at] + other + first + letters[at + 2 :]
        assert (parse_reference(swapped) is not None) == (first == other)


@given(st.text(max_size=14))
def test_any_text_is_a_reference_or_none(text: str) -> None:
    reference = parse_reference(text)
    assert reference is None or parse_reference(reference) == reference


def test_look_alike_letters_are_in_no_reference() -> None:
    assert not set(ALPHABET) & set("0O1IL5S8BGUWZ")
    assert len(set(ALPHABET)) == 23


def test_the_example_in_the_texts_is_a_valid_reference() -> None:
    assert parse_reference("A7K-M3Q-9T") == "A7K-M3Q-9T"


@given(references)
def test_a_reference_is_found_in_a_sentence(reference: str) -> None:
    assert find_reference(f"This is about {reference.lower()}, please.") == reference
    assert find_reference(f"ref {reference.replace('-', '')}") == reference


@pytest.mark.parametrize("text", ["", "for you and me", "A7K-M3Q-9X", "call 555 555 55 now"])
def test_a_text_without_a_reference_has_none(text: str) -> None:
    assert find_reference(text) is None


def test_references_come_from_the_random_source_passed_in() -> None:
    drawn = {new_reference(secrets.randbelow) for _ in range(200)}
    assert len(drawn) == 200
