"""The row of a verb: what it must say, and which contradictions it cannot hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.actions.registry import ACTIONS, Action, Words, verbs_that
from complaints.vocabulary import Verb


def test_every_verb_has_a_row() -> None:
    assert set(ACTIONS) == set(Verb)


def test_a_row_that_does_not_say_what_its_words_are_does_not_load() -> None:
    row = ACTIONS[Verb.NOTE]
    with pytest.raises(TypeError, match="words"):
        Action(row.clause, row.roles, row.moves, row.apply)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("verb", "change"),
    [
        (Verb.NOTE, {"ends": True}),
        (Verb.NOTE, {"is_automatic": True}),
        (Verb.REPLY, {"words": Words.NOTE}),
        (Verb.NOTE, {"words": Words.MESSAGE}),
    ],
)
def test_a_row_that_contradicts_itself_does_not_load(verb: Verb, change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="contradicts itself"):
        replace(ACTIONS[verb], **change)  # type: ignore[arg-type]


def test_a_question_to_the_rows_gives_the_verbs_with_the_trait() -> None:
    assert verbs_that(lambda row: row.is_second_person) == {Verb.APPROVE, Verb.CHECK_DECISION}
