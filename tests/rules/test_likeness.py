"""Near-copies: what a sketch says of two texts, and what staff are offered; never more than offered."""

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
    LIKE_FROM,
    SIZE,
    WITHIN,
    LinkSuggestion,
    SimilarCase,
    confirmed,
    similarity,
    suggested,
)
from complaints.vocabulary import Flag, State
from tests.clauses import clause
from tests.rules.slack_cases import NOW, REF, Story
from triage.similarity import sketch

WORDS = st.lists(st.text("abcdefghijklmnop", min_size=1, max_size=8), min_size=3, max_size=120)
STORY = (
    "On Tuesday the 14th my card was kept by the machine in Harbour Street and 120 pounds were taken although "
    "I got no money. The branch said it would be back within 5 days. It is 3 weeks now, I rang 4 times, and each "
    "time somebody else promised to look into it and never called. I want the money back and an answer in writing."
)


@given(st.text(max_size=400))
def test_any_text_has_a_sketch_of_rising_hashes_within_its_size(text: str) -> None:
    made = sketch(text)
    assert len(made) <= SIZE
    assert list(made) == sorted(set(made))
    assert all(len(one) == 8 for one in made)
    assert sketch(text) == made


@given(WORDS)
def test_case_accents_numbers_and_punctuation_move_nothing(words: list[str]) -> None:
    plain = " ".join([*words, "cafe", "on", "17", "May"])
    dressed = ", ".join([*(one.upper() for one in words), "CAFÉ", "on", "23", "may!"])
    assert sketch(plain) == sketch(dressed)


@pytest.mark.parametrize("text", ["", "No water", "😀 😀 😀 😀", "...", "\n\t"])
def test_fewer_than_three_words_are_like_nothing(text: str) -> None:
    assert sketch(text) == ()
    assert similarity(sketch(text), sketch(text)) == 0.0
    assert similarity(sketch(text), sketch(STORY)) == 0.0


@given(WORDS, WORDS)
def test_likeness_is_a_share_alike_from_both_sides_and_whole_for_the_same(
    one: list[str], other: list[str]
) -> None:
    ours, theirs = sketch(" ".join(one)), sketch(" ".join(other))
    assert similarity(ours, theirs) == similarity(theirs, ours)
    assert 0 <= similarity(ours, theirs) <= 1
    assert similarity(ours, ours) == 1.0


@pytest.mark.parametrize("more", ["", " €5", " half \ud83d", " Счёт за воду"])
def test_every_text_has_the_hashes_that_stand_sealed_since_the_first_release(more: str) -> None:
    pieces = (
        "the meter reading", "meter reading of", "reading of 0", "of 0 may", "0 may says", "may says 0", "says 0 0",
        "0 0 nobody", "0 nobody came",
    )  # fmt: skip
    kept = {blake2b(one.encode(), digest_size=8).digest() for one in pieces}
    made = sketch(f"The meter_reading of 14 May says 120.50: NOBODY came!{more}")
    assert kept <= set(made)
    assert len(made) - len(kept) == len(re.findall(r"\w+", more))


@given(st.integers(0, 10_000))
def test_a_copy_with_a_tenth_dropped_typos_and_other_numbers_is_found(seed: int) -> None:
    chance = random.Random(seed)
    words = STORY.split()
    kept = [one for one in words if chance.random() > 0.08]
    at = chance.randrange(len(kept))
    kept[at] = kept[at][::-1]
    copy = " ".join(kept).replace("14", "15").replace("120", "130")
    assert similarity(sketch(STORY), sketch(copy)) > LIKE_FROM


def test_a_short_text_that_stands_in_a_long_one_is_found() -> None:
    more = " ".join(f"{a}{b} went to {b}{a}" for a in "abcdef" for b in "mnopqr")
    assert similarity(sketch(STORY), sketch(f"{more} {STORY}")) > LIKE_FROM
    assert similarity(sketch(STORY), sketch(more)) == 0.0


def test_one_phrase_in_common_makes_two_short_texts_no_copies() -> None:
    assert similarity(sketch("There is no water"), sketch("There is no water pressure in my shower")) == 0.0
    assert similarity(sketch("There is no water"), sketch("there is NO water!")) == 1.0


def test_pieces_of_a_template_count_on_neither_side() -> None:
    template = "in line with the terms of my contract I ask you to answer within the time that they give"
    one, other = sketch(f"The meter is wrong. {template}"), sketch(f"Nobody came on Monday. {template}")
    assert similarity(one, other) > LIKE_FROM
    assert similarity(one, other, worthless=sketch(template)) == 0.0


def test_languages_without_spaces_are_told_apart_by_character() -> None:
    assert similarity(sketch("水道水が昨日から茶色いです"), sketch("水道水が今日から茶色いです")) > LIKE_FROM
    assert similarity(sketch("水道水が昨日から茶色いです"), sketch("請求書の金額が間違っています")) == 0.0
    assert similarity(sketch("Musluktan akan su kahverengi"), sketch("MUSLUKTAN AKAN SU KAHVERENGİ")) == 1.0


# what staff are offered

CASE = Story().case
MINE = CASE.complainant
EARLIER, LATER = CASE.received_at - timedelta(days=2), CASE.received_at + timedelta(minutes=5)


def like(ref: str = "B2B-B2B-22", *, by: str = "p2", **more: object) -> SimilarCase:
    """A like complaint, open, of two days before."""
    base = SimilarCase(ref, 0.9, by, EARLIER, is_open=True, cluster=ref)
    return replace(base, **more)  # type: ignore[arg-type]


@clause("7.5")
def test_the_later_of_two_by_one_person_is_offered_to_be_merged_into_the_earlier() -> None:
    (one,) = suggested(CASE, [like(by=MINE)], now=NOW)
    assert (one.step, one.ref, one.other) == (LinkSuggestion.MERGE, REF, "B2B-B2B-22")
    (one,) = suggested(CASE, [like(by=MINE, received_at=LATER)], now=NOW)
    assert (one.step, one.ref, one.other) == (LinkSuggestion.MERGE, "B2B-B2B-22", REF)


def test_one_that_the_same_person_saw_closed_lately_is_only_pointed_at() -> None:
    closed = like(by=MINE, is_open=False, closed_at=NOW - timedelta(days=3))
    (one,) = suggested(CASE, [closed], now=NOW)
    assert (one.step, one.closed_at) == (LinkSuggestion.LOOK, closed.closed_at)
    assert suggested(CASE, [replace(closed, closed_at=NOW - timedelta(days=31))], now=NOW) == ()
    assert suggested(CASE, [replace(closed, merged=True)], now=NOW) == ()


def test_nobody_who_wants_the_name_kept_back_is_known_by_another_complaint() -> None:
    nameless = replace(CASE, flags=CASE.flags | {Flag.ANONYMOUS})
    assert suggested(nameless, [like(by=MINE)], now=NOW) == ()
    assert suggested(CASE, [like(by=MINE, nameless=True)], now=NOW) == ()
    assert len(suggested(nameless, [like(by=MINE, nameless=True)], now=NOW)) == 1


def test_other_people_are_tied_by_the_incident_that_a_like_one_has_else_to_the_most_like() -> None:
    near, far, known = like(share=0.95), like("C3C-C3C-33"), like("D4D-D4D-44", share=0.5, incident=7)
    (one,) = suggested(CASE, [near, far], now=NOW)
    assert (one.step, one.ref, one.other, one.count, one.incident) == (
        LinkSuggestion.JOIN,
        REF,
        near.ref,
        2,
        None,
    )
    (one,) = suggested(CASE, [near, far, known], now=NOW)
    assert (one.other, one.count, one.incident) == ("D4D-D4D-44", 3, 7)


def test_nothing_is_offered_where_it_is_done_too_old_or_over() -> None:
    assert suggested(replace(CASE, incident=7), [like()], now=NOW) == ()
    assert suggested(CASE, [like(received_at=NOW - WITHIN)], now=NOW) == ()
    assert suggested(replace(CASE, about=("B2B-B2B-22",)), [like()], now=NOW) == ()
    assert suggested(replace(CASE, state=State.CLOSED), [like(), like(by=MINE)], now=NOW) == ()


def test_the_same_person_and_others_are_two_offers() -> None:
    steps = [one.step for one in suggested(CASE, [like(by=MINE), like("C3C-C3C-33")], now=NOW)]
    assert steps == [LinkSuggestion.MERGE, LinkSuggestion.JOIN]


LIKES = st.lists(
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
    unique_by=lambda one: one.ref,
)


@given(LIKES)
def test_only_what_a_person_confirmed_within_ninety_days_counts_as_recurring(
    likes: list[SimilarCase],
) -> None:
    count = confirmed(likes, received_at=NOW, now=NOW)
    within = [one for one in likes if one.received_at >= NOW - WITHIN and not one.merged]
    touched = [one for one in within if one.incident is not None or one.took_in or one.confirmed]
    assert count <= len(touched) + 1
    assert (count == 0) is (touched == [])
    untouched = [replace(one, incident=None, took_in=False, confirmed=None) for one in likes]
    assert confirmed(untouched, received_at=NOW, now=NOW) == 0


def test_a_complaint_is_one_of_the_three_itself_unless_it_came_long_ago() -> None:
    two = [like(confirmed="supply"), like("C2C-C2C-22", confirmed="supply")]
    assert confirmed(two, received_at=NOW, now=NOW) == CLUSTER_FROM
    assert confirmed(two, received_at=NOW - WITHIN - timedelta(seconds=1), now=NOW) == 2
