"""The confirmed cases most similar to a new one: by reference, without their texts, none if none is similar."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.shared_models import starter_model
from triage.errors import UnreadableModel
from triage.example import Example
from triage.learning.examples import starter_examples
from triage.learning.training import train
from triage.model.artefact import dump, load
from triage.model.pipeline import Model

CASES = [
    Example("The boiler in our flat leaks and the kitchen floor is wet", "goods", 2, "en", ref="BOILER-1"),
    Example("Our boiler is leaking water on the kitchen floor again", "goods", 3, "en", ref="BOILER-2"),
    Example(
        "Water leaks from the boiler, the floor of the kitchen is ruined", "goods", 3, "en", ref="BOILER-3"
    ),
    Example(
        "Your driver shouted at me on the bus and called me names", "staff_conduct", 3, "en", ref="BUS-1"
    ),
    Example("The parking permit was refused without any reason", "refusal", 2, "en", ref="PERMIT-1"),
    Example("My name was spelled wrong on the permit letter", "information", 1, "en", ref="PERMIT-2"),
    Example("The bus was forty minutes late every day this week", "service", 2, "en", ref="BUS-2"),
    Example("I was charged twice for the same invoice in May", "money", 2, "en", ref="BILL-1"),
    Example("The invoice names somebody else and the amount is wrong", "money", 2, "en", ref="BILL-2"),
    Example("Nobody answers my complaint about the street lamp", "handling", 2, "en", ref="LAMP-1"),
]


@pytest.fixture(scope="module")
def model() -> Model:
    return train([*starter_examples(("en",))[::3], *CASES])


def nearest(model: Model, text: str, **more: str) -> list[str]:
    assert model.neighbours is not None
    return [case.ref for case in model.neighbours.nearest(model.matrix([text]), **more)]


def test_the_most_similar_confirmed_cases_come_first_with_category_and_severity(model: Model) -> None:
    assert model.neighbours is not None
    cases = model.neighbours.nearest(model.matrix(["boiler leaks, wet kitchen floor"]))
    assert {case.ref for case in cases} <= {"BOILER-1", "BOILER-2", "BOILER-3"}
    assert cases
    assert cases[0].category == "goods"
    assert cases[0].severity in (2, 3)
    assert [case.similarity for case in cases] == sorted((case.similarity for case in cases), reverse=True)


def test_more_neighbours_are_returned_than_shown_because_some_readers_may_not_see_all() -> None:
    twins = [replace(CASES[0], text=f"{CASES[0].text} {n}", ref=f"TWIN-{n}") for n in range(12)]
    assert len(nearest(train([*CASES, *twins]), CASES[0].text)) == 8


def test_a_complaint_that_is_also_in_a_file_is_still_a_similar_case() -> None:
    file_rows = [replace(case, ref=None) for case in CASES]
    neighbours = train([*file_rows, *CASES]).neighbours
    assert neighbours is not None
    assert set(neighbours.refs) == {case.ref for case in CASES}


def test_a_case_is_not_its_own_neighbour(model: Model) -> None:
    assert "BOILER-1" in nearest(model, CASES[0].text)
    assert "BOILER-1" not in nearest(model, CASES[0].text, exclude="BOILER-1")


def test_a_text_of_unknown_words_has_no_neighbours(model: Model) -> None:
    assert nearest(model, "zzzz qqqq") == []
    assert nearest(model, "") == []


def test_written_examples_are_not_neighbours() -> None:
    assert starter_model(("en",)).neighbours is None


def test_neighbours_are_saved_and_loaded_without_their_texts(model: Model) -> None:
    blob = dump(model)
    again = load(blob)
    assert nearest(again, "boiler leaks, wet kitchen floor") == nearest(
        model, "boiler leaks, wet kitchen floor"
    )
    assert again.neighbours is not None
    assert again.neighbours.refs == tuple(example.ref for example in CASES)


def test_neighbours_of_the_wrong_size_are_refused(model: Model) -> None:
    assert model.neighbours is not None
    cut = replace(model, neighbours=replace(model.neighbours, vectors=model.neighbours.vectors[:-1]))
    with pytest.raises(UnreadableModel, match="incomplete"):
        load(dump(cut))
