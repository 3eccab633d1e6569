"""What the special cases add to forms and previews: another's complaint, no contact, the word on a remedy."""

from __future__ import annotations

import json

import pytest

from bots.slack.views.card import flag_lines
from bots.slack.views.case import case_view
from bots.slack.views.forms import PREVIEWED
from bots.slack.views.open_form import preview_view
from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM
from complaints.forms import FORMS
from complaints.vocabulary import Verb
from tests.clauses import clause
from tests.rules.slack_cases import (
    ALICE,
    ANNA,
    NOW,
    Story,
    assessed,
    communicated,
    investigated,
    responded,
    voice,
)
from tests.rules.test_modals import inputs, view_of


def for_another() -> Story:
    """An assessed complaint that somebody tells for another person."""
    heard = {**message_facts(field="for_whom", has_words=True), "for_whom": "agreed"}
    return assessed(Story().act(Verb.ADD, ANNA, heard, {"for_whom": "They agreed"}))


def shown(view: object) -> str:
    """Every word of a view."""
    return json.dumps(view, ensure_ascii=False)


@clause("4.7")
@pytest.mark.parametrize("form", sorted(PREVIEWED))
def test_a_letter_on_anothers_complaint_needs_a_tick_and_warns(form: str) -> None:
    assert "disclosure_checked" in {one.name for one in FORMS[form]}
    story = for_another()
    assert inputs(view_of(form, story))["disclosure_checked"]["optional"] is True
    assert "disclose nothing of theirs" in shown(preview_view(form, story.case, "A letter", "d1", voice()))


@clause("4.7")
def test_once_authority_is_shown_neither_tick_nor_warning_stands() -> None:
    given = {"what": "authority", "given_at": NOW.isoformat()}
    story = for_another().act(Verb.NOTE, ALICE, given, {"by_whom": "The mother herself"})
    assert "disclosure_checked" not in inputs(view_of("reply", story))
    assert "disclose nothing" not in shown(preview_view("reply", story.case, "A letter", "d1", voice()))


def test_a_letter_to_whom_wants_no_contact_says_that_it_is_kept_here() -> None:
    heard = {**message_facts(field="anonymity", has_words=True), "anonymity": "no_contact"}
    story = Story().act(Verb.ADD, ANNA, heard, {"anonymity": "Do not contact me"})
    assert "wants no contact" in shown(preview_view("reply", story.case, "A letter", "d1", voice()))
    assert any("Wants no contact" in one for one in flag_lines(story.case, voice()))


def test_a_support_need_is_a_flag_on_the_card_and_words_only_in_open() -> None:
    heard = message_facts(field="support_needs", has_words=True)
    story = Story().act(Verb.ADD, ANNA, heard, {"support_needs": "Large letters, please"})
    lines = flag_lines(story.case, voice())
    assert any("Support need" in one for one in lines)
    assert not any("Large letters" in one for one in lines)
    assert "Large letters" in shown(case_view(story.opened(), voice(), now=NOW))


@clause("D")
def test_whoever_checks_a_remedy_sees_the_complainants_yes() -> None:
    story = communicated(responded(investigated(assessed(Story()))))
    done = {"remedy": "0", "done_at": NOW.isoformat()}
    story.act(Verb.REMEDY_DONE, ALICE, done, {"proof": "Slip"})
    assert "says that this is right" not in shown(view_of("verify", story))
    heard = {
        **message_facts(field="remedy_check", has_words=True, kind="remedy_right"),
        "remedy": 0,
        "remedy_ok": True,
    }
    story.act(Verb.ADD, ANNA, heard, {"remedy_check": "Yes"})
    assert "says that this is right" in shown(view_of("verify", story))
    assert SYSTEM.id not in {one.verified_by for one in story.case.remedies}
