"""docs/lifecycle.md shows the current transition table."""

from __future__ import annotations

from complaints.actions.registry import ACTIONS
from complaints.vocabulary import State, Verb
from tests.lifecycle_page import BEGIN, PAGE, diagram, page, verbs


def test_the_page_matches_the_transition_table() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) :] == page(), "run: python -m tests.lifecycle_page"


def test_every_transition_has_an_arrow_and_every_verb_a_row() -> None:
    drawn = diagram()
    for verb, action in ACTIONS.items():
        if verb is Verb.TAKE_BACK:
            continue  # to the state before the act, whichever it was
        for source, targets in action.moves.ways.items():
            for target in targets:
                if target is not source:
                    (arrow,) = (line for line in drawn.splitlines() if f" {source} --> {target}:" in line)
                    assert verb.value.replace("_", " ") in arrow
    assert len(verbs().splitlines()) == len(Verb) + 2


def test_every_state_is_reachable() -> None:
    reached = {
        state for verb, action in ACTIONS.items() if verb is not Verb.TAKE_BACK for state in action.moves.to
    }
    assert reached == set(State)
