"""docs/lifecycle.md shows the transition table as it is."""

from __future__ import annotations

from pathlib import Path

from complaints.actions.registry import ACTIONS
from complaints.lifecycle_diagram import BEGIN, diagram, page, verbs
from complaints.vocabulary import State, Verb

DOCS = Path(__file__).parents[2] / "docs" / "lifecycle.md"


def test_the_page_is_drawn_from_the_table() -> None:
    written = DOCS.read_text(encoding="utf-8")
    assert written[written.index(BEGIN) :] == page(), "run: python -m complaints.lifecycle_diagram"


def test_every_move_is_an_arrow_and_every_verb_a_row() -> None:
    drawn = diagram()
    for verb, action in ACTIONS.items():
        for source, ways in action.moves.ways.items():
            for to in ways:
                if to is not source:
                    (arrow,) = (line for line in drawn.splitlines() if f" {source} --> {to}:" in line)
                    assert verb.value.replace("_", " ") in arrow
    assert len(verbs().splitlines()) == len(Verb) + 2


def test_every_state_is_reached() -> None:
    reached = {to for action in ACTIONS.values() for to in action.moves.to}
    assert reached == set(State)
