"""The row of a verb: what it must say, and which contradictions it cannot hold."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from complaints.actions.action import Action, WordKind
from complaints.actions.registry import ACTIONS, OFFLINE_VERBS, is_in_letter, verbs_that
from complaints.forms import FORMS, OPTIONS
from complaints.vocabulary import Verb


def test_every_verb_has_a_row() -> None:
    assert set(ACTIONS) == set(Verb)


def test_a_row_that_does_not_say_what_its_words_are_does_not_load() -> None:
    row = ACTIONS[Verb.NOTE]
    with pytest.raises(TypeError, match="words"):
        Action(row.clause, row.roles, row.moves, row.apply)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("verb", "change", "why"),
    [
        (Verb.NOTE, {"ends": True}, "ends: it needs a move to closed"),
        (Verb.NOTE, {"is_automatic": True}, "is_automatic: no role of staff may do it"),
        (Verb.REPLY, {"words": WordKind.NOTE}, "is_staff_message: its words must be a letter or a decision"),
        (Verb.NOTE, {"words": WordKind.MESSAGE}, "words: those of the complainant need that role"),
        (Verb.NOTE, {"form": "remark"}, "form: forms.toml has no 'remark'"),
        (Verb.REPLY, {"form": "note"}, "form: a letter of staff needs one with the key `letter`"),
        (Verb.REPLY, {"leaves": ()}, "leaves: a letter of staff needs per_event.letter"),
    ],
)
def test_a_row_that_contradicts_itself_or_lacks_a_trait_does_not_load(
    verb: Verb, change: dict[str, object], why: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        replace(ACTIONS[verb], **change)  # type: ignore[arg-type]


def test_each_choice_of_the_form_for_what_was_spoken_has_one_verb() -> None:
    assert tuple(sorted(OFFLINE_VERBS)) == tuple(sorted(OPTIONS["spoken"]))
    assert sum(len(row.spoken) for row in ACTIONS.values()) == len(OPTIONS["spoken"])


def test_every_form_of_a_row_exists_except_those_of_a_button_alone() -> None:
    named = {form for row in ACTIONS.values() for form in (row.form, *row.other_forms) if form}
    assert named - set(FORMS) == {"withdraw_draft", "incident"}


def test_a_question_to_the_rows_gives_the_verbs_with_the_trait() -> None:
    assert verbs_that(lambda row: row.is_second_person) == {Verb.APPROVE, Verb.CHECK_DECISION}


@pytest.mark.parametrize(
    ("verb", "path", "is_read"),
    [
        (Verb.REPLY, "text", True),
        (Verb.TALK, "text", True),
        (Verb.RESOLVE, "done", True),
        (Verb.RESOLVE, "cause", False),
        (Verb.RESPOND, "letter", True),
        (Verb.RESPOND, "issues.0.reasons", True),
        (Verb.RESPOND, "nothing_why", True),
        (Verb.RESPOND, "root_cause", False),
        (Verb.NOTE, "text", False),
        (Verb.EXTEND, "reason", False),
    ],
)
def test_the_table_of_a_form_says_which_words_of_an_act_are_in_its_letter(
    verb: Verb, path: str, is_read: bool
) -> None:
    assert is_in_letter(verb, path) is is_read
