"""Special cases in forms and previews: a complaint for another person, no contact, the answer about a remedy."""

from __future__ import annotations

import json

import pytest

from bots.slack.views.card import flag_lines
from bots.slack.views.open_form import preview_view
from bots.slack.views.opened_case import case_view
from complaints.actions.intake import message_facts
from complaints.actors import SYSTEM
from complaints.forms import FORMS, PREVIEWED
from complaints.vocabulary import Verb
from tests.clauses import clause
from tests.rules.slack.test_modals import inputs, view_of
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


def complaint_for_another_person() -> Story:
    """An assessed complaint made on behalf of another person."""
    facts = {**message_facts(field="for_whom", has_words=True), "for_whom": "agreed"}
    return assessed(Story().act(Verb.ADD, ANNA, facts, {"for_whom": "They agreed"}))


def view_text(view: object) -> str:
    return json.dumps(view, ensure_ascii=False)


#: Their letters hold no words of staff.
WORDLESS = {"remedy", "close", "link", "given"}


@clause("4.7")
@pytest.mark.parametrize("form", sorted(PREVIEWED - WORDLESS))
def test_a_letter_about_another_persons_complaint_has_a_disclosure_check_and_a_warning(form: str) -> None:
    assert "disclosure_checked" in {form_field.name for form_field in FORMS[form].fields}
    story = complaint_for_another_person()
    assert inputs(view_of(form, story))["disclosure_checked"]["optional"] is True
    assert "disclose nothing of theirs" in view_text(
        preview_view(form, story.case, "A letter", "d1", voice())
    )


@clause("4.7")
def test_with_proven_authority_there_is_no_disclosure_check_and_no_warning() -> None:
    facts = {"what": "authority", "given_at": NOW.isoformat()}
    story = complaint_for_another_person().act(Verb.NOTE, ALICE, facts, {"by_whom": "The mother herself"})
    assert "disclosure_checked" not in inputs(view_of("reply", story))
    assert "disclose nothing" not in view_text(preview_view("reply", story.case, "A letter", "d1", voice()))


def test_a_letter_to_a_complainant_who_wants_no_contact_has_a_warning() -> None:
    facts = {**message_facts(field="anonymity", has_words=True), "anonymity": "no_contact"}
    story = Story().act(Verb.ADD, ANNA, facts, {"anonymity": "Do not contact me"})
    assert "wants no contact" in view_text(preview_view("reply", story.case, "A letter", "d1", voice()))
    assert any("Wants no contact" in line for line in flag_lines(story.case, voice()))


def test_a_support_need_is_flagged_on_the_card_and_its_words_are_shown_only_after_opening() -> None:
    facts = message_facts(field="support_needs", has_words=True)
    story = Story().act(Verb.ADD, ANNA, facts, {"support_needs": "Large letters, please"})
    lines = flag_lines(story.case, voice())
    assert any("Support need" in line for line in lines)
    assert not any("Large letters" in line for line in lines)
    assert "Large letters" in view_text(case_view(story.opened(), voice(), now=NOW))


@clause("D")
def test_the_verification_form_shows_the_complainants_confirmation_of_the_remedy() -> None:
    story = communicated(responded(investigated(assessed(Story()))))
    done = {"remedy": "0", "done_at": NOW.isoformat()}
    story.act(Verb.REMEDY_DONE, ALICE, done, {"proof": "Slip"})
    assert "says that this is right" not in view_text(view_of("verify", story))
    facts = {
        **message_facts(field="remedy_check", has_words=True, kind="remedy_right"),
        "remedy": 0,
        "remedy_ok": True,
    }
    story.act(Verb.ADD, ANNA, facts, {"remedy_check": "Yes"})
    assert "says that this is right" in view_text(view_of("verify", story))
    assert SYSTEM.id not in {remedy.verified_by for remedy in story.case.remedies}
