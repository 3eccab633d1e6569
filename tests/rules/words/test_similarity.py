"""Near-copies: the similarity of sketches, and the suggestions for staff, which are never more than
suggestions."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.similarity import (
    CLUSTER_FROM,
    SIMILAR_FROM,
    SIZE,
    WITHIN,
    LinkSuggestion,
    SimilarCase,
    confirmed_count,
    similarity,
    suggested_links,
)
from complaints.vocabulary import Flag, State
from tests.clauses import clause
from tests.rules.slack_cases import NOW, REF, Story
from triage.shingles import sketch

WORDS = st.lists(st.text("abcdefghijklmnop", min_size=1, max_size=8), min_size=3, max_size=120)
STORY = (
    "On Tuesday the 14th my card was kept by the machine in Harbour Street and 120 pounds were taken although "
    "I got no money. The branch said it would be back within 5 days. It is 3 weeks now, I rang 4 times, and each "
    "time somebody else promised to look into it and never called. I want the money back and an answer in writing."
)


@given(st.text(max_size=400))
def test_any_text_has_a_sorted_sketch_of_limited_size(text: str) -> None:
    hashes = sketch(text)
    assert len(hashes) <= SIZE
    assert list(hashes) == sorted(set(hashes))
    assert all(len(hash_) == 8 for hash_ in hashes)
    assert sketch(text) == hashes


@given(WORDS)
def test_case_accents_numbers_and_punctuation_do_not_change_the_sketch(words: list[str]) -> None:
    plain = " ".join([*words, "cafe", "on", "17", "May"])
    dressed = ", ".join([*(word.upper() for word in words), "CAFÉ", "on", "23", "may!"])
    assert sketch(plain) == sketch(dressed)


@pytest.mark.parametrize("text", ["", "No water", "😀 😀 😀 😀", "...", "\n\t"])
def test_texts_of_fewer_than_three_words_are_similar_to_none(text: str) -> None:
    assert sketch(text) == ()
    assert similarity(sketch(text), sketch(text)) == 0.0
    assert similarity(sketch(text), sketch(STORY)) == 0.0


@given(WORDS, WORDS)
def test_similarity_is_symmetric_between_0_and_1_and_1_for_equal_texts(
    words: list[str], other: list[str]
) -> None:
    first, second = sketch(" ".join(words)), sketch(" ".join(other))
    assert similarity(first, second) == similarity(second, first)
    assert 0 <= similarity(first, second) <= 1
    assert similarity(first, first) == 1.0


@pytest.mark.parametrize("more", ["", " €5", " half \ud83d", " Счёт за воду"])
def test_the_hashes_are_stable_since_the_first_release(more: str) -> None:
    pieces = (
        "the meter reading", "meter reading of", "reading of 0", "of 0 may", "0 may says", "may says 0", "says 0 0",
        "0 0 nobody", "0 nobody came",
    )  # fmt: skip
    kept = {blake2b(piece.encode(), digest_size=8).digest() for piece in pieces}
    hashes = sketch(f"The meter_reading of 14 May says 120.50: NOBODY came!{more}")
    assert kept <= set(hashes)
    assert len(hashes) - len(kept) == len(re.findall(r"\w+", more))


@given(st.integers(0, 10_000))
def test_a_copy_with_dropped_words_typos_and_other_numbers_is_recognised(seed: int) -> None:
    chance = random.Random(seed)
    words = STORY.split()
    kept = [word for word in words if chance.random() > 0.08]
    at = chance.randrange(len(kept))
    kept[at] = kept[at][::-1]
    copy = " ".join(kept).replace("14", "15").replace("120", "130")
    assert similarity(sketch(STORY), sketch(copy)) > SIMILAR_FROM


def test_a_short_text_inside_a_long_one_is_recognised() -> None:
    more = " ".join(f"{a}{b} went to {b}{a}" for a in "abcdef" for b in "mnopqr")
    assert similarity(sketch(STORY), sketch(f"{more} {STORY}")) > SIMILAR_FROM
    assert similarity(sketch(STORY), sketch(more)) == 0.0


def test_a_common_phrase_does_not_make_two_short_texts_similar() -> None:
    assert similarity(sketch("There is no water"), sketch("There is no water pressure in my shower")) == 0.0
    assert similarity(sketch("There is no water"), sketch("there is NO water!")) == 1.0


def test_phrases_of_a_template_are_ignored_on_both_sides() -> None:
    template = "in line with the terms of my contract I ask you to answer within the time that they give"
    first, other = sketch(f"The meter is wrong. {template}"), sketch(f"Nobody came on Monday. {template}")
    assert similarity(first, other) > SIMILAR_FROM
    assert similarity(first, other, worthless=sketch(template)) == 0.0


def test_languages_without_spaces_are_compared_by_character() -> None:
    assert (
        similarity(sketch("水道水が昨日から茶色いです"), sketch("水道水が今日から茶色いです")) > SIMILAR_FROM
    )
    assert similarity(sketch("水道水が昨日から茶色いです"), sketch("請求書の金額が間違っています")) == 0.0
    assert similarity(sketch("Musluktan akan su kahverengi"), sketch("MUSLUKTAN AKAN SU KAHVERENGİ")) == 1.0


# what staff are offered

CASE = Story().case
MINE = CASE.complainant
EARLIER, LATER = CASE.received_at - timedelta(days=2), CASE.received_at + timedelta(minutes=5)


def a_similar_case(ref: str = "B2B-B2B-22", *, by: str = "p2", **more: object) -> SimilarCase:
    """Another open complaint with a similar text, two days older."""
    base = SimilarCase(ref, 0.9, by, EARLIER, is_open=True, cluster=ref)
    return replace(base, **more)  # type: ignore[arg-type]


@clause("7.5")
def test_of_two_by_one_person_the_later_is_offered_for_merging_into_the_earlier() -> None:
    (suggestion,) = suggested_links(CASE, [a_similar_case(by=MINE)], now=NOW)
    assert (suggestion.step, suggestion.ref, suggestion.other) == (LinkSuggestion.MERGE, REF, "B2B-B2B-22")
    (suggestion,) = suggested_links(CASE, [a_similar_case(by=MINE, received_at=LATER)], now=NOW)
    assert (suggestion.step, suggestion.ref, suggestion.other) == (LinkSuggestion.MERGE, "B2B-B2B-22", REF)


def test_a_recently_closed_case_of_the_same_person_is_only_shown() -> None:
    closed = a_similar_case(by=MINE, is_open=False, closed_at=NOW - timedelta(days=3))
    (suggestion,) = suggested_links(CASE, [closed], now=NOW)
    assert (suggestion.step, suggestion.closed_at) == (LinkSuggestion.LOOK, closed.closed_at)
    assert suggested_links(CASE, [replace(closed, closed_at=NOW - timedelta(days=31))], now=NOW) == ()
    assert suggested_links(CASE, [replace(closed, merged=True)], now=NOW) == ()


def test_an_anonymous_complainant_is_not_identified_by_another_complaint() -> None:
    nameless = replace(CASE, flags=CASE.flags | {Flag.ANONYMOUS})
    assert suggested_links(nameless, [a_similar_case(by=MINE)], now=NOW) == ()
    assert suggested_links(CASE, [a_similar_case(by=MINE, nameless=True)], now=NOW) == ()
    assert len(suggested_links(nameless, [a_similar_case(by=MINE, nameless=True)], now=NOW)) == 1


def test_cases_of_other_people_are_joined_by_incident_or_to_the_most_similar() -> None:
    near, far, in_incident = (
        a_similar_case(share=0.95),
        a_similar_case("C3C-C3C-33"),
        a_similar_case("D4D-D4D-44", share=0.5, incident=7),
    )
    (suggestion,) = suggested_links(CASE, [near, far], now=NOW)
    assert (suggestion.step, suggestion.ref, suggestion.other, suggestion.count, suggestion.incident) == (
        LinkSuggestion.JOIN,
        REF,
        near.ref,
        2,
        None,
    )
    (suggestion,) = suggested_links(CASE, [near, far, in_incident], now=NOW)
    assert (suggestion.other, suggestion.count, suggestion.incident) == ("D4D-D4D-44", 3, 7)


def test_no_suggestion_for_linked_old_or_closed_cases() -> None:
    assert suggested_links(replace(CASE, incident=7), [a_similar_case()], now=NOW) == ()
    assert suggested_links(CASE, [a_similar_case(received_at=NOW - WITHIN)], now=NOW) == ()
    assert suggested_links(replace(CASE, about=("B2B-B2B-22",)), [a_similar_case()], now=NOW) == ()
    assert (
        suggested_links(
            replace(CASE, state=State.CLOSED), [a_similar_case(), a_similar_case(by=MINE)], now=NOW
        )
        == ()
    )


def test_the_same_person_and_other_people_give_two_suggestions() -> None:
    steps = [
        similar.step
        for similar in suggested_links(CASE, [a_similar_case(by=MINE), a_similar_case("C3C-C3C-33")], now=NOW)
    ]
    assert steps == [LinkSuggestion.MERGE, LinkSuggestion.JOIN]


SIMILAR_CASES = st.lists(
    st.builds(
        SimilarCase,
        ref=st.uuids().map(str),
        share=st.floats(0.36, 1),
        complainant=st.sampled_from(["p1", "p2", "p3"]),
        received_at=st.integers(0, 200).map(lambda days: NOW - timedelta(days=days)),
        is_open=st.booleans(),
        closed_at=st.none(),
        merged=st.booleans(),
        took_in=st.booleans(),
        incident=st.sampled_from([None, 1, 2]),
        confirmed=st.sampled_from([None, "supply", "money"]),
    ),
    max_size=12,
    unique_by=lambda similar: similar.ref,
)


@given(SIMILAR_CASES)
def test_only_confirmed_cases_of_the_last_ninety_days_count_as_recurring(
    likes: list[SimilarCase],
) -> None:
    count = confirmed_count(likes, received_at=NOW, now=NOW)
    within = [similar for similar in likes if similar.received_at >= NOW - WITHIN and not similar.merged]
    touched = [
        similar for similar in within if similar.incident is not None or similar.took_in or similar.confirmed
    ]
    assert count <= len(touched) + 1
    assert (count == 0) is (touched == [])
    untouched = [replace(similar, incident=None, took_in=False, confirmed=None) for similar in likes]
    assert confirmed_count(untouched, received_at=NOW, now=NOW) == 0


def test_a_recent_complaint_counts_itself_as_one_of_the_three() -> None:
    two = [a_similar_case(confirmed="supply"), a_similar_case("C2C-C2C-22", confirmed="supply")]
    assert confirmed_count(two, received_at=NOW, now=NOW) == CLUSTER_FROM
    assert confirmed_count(two, received_at=NOW - WITHIN - timedelta(seconds=1), now=NOW) == 2
