"""What a form marks as optional may be left out; where a choice makes it necessary, the reason is given."""

from __future__ import annotations

import re
from typing import Any

import pytest

from bots.slack.client.block_kit import Block
from bots.slack.views.actions import fits
from bots.slack.views.form_modals import form_view
from bots.slack.views.incident_inputs import incident_case_view
from bots.slack.views.refusals import errors_by_field, refusal_text
from bots.texts.texts import currency_of
from complaints import incidents
from complaints.actions.perform import perform
from complaints.actions.registry import form_verb
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, ComplaintError
from complaints.forms import CARD_ACTS, FORMS, Field, WrongFields, path_in_form, read
from complaints.incidents import Incident
from complaints.rulebook import categories_of
from complaints.vocabulary import Role
from tests.rules.slack_cases import NOW, Story, assessed, filled_in, investigated, stages, voice

STAGES = stages()
FITTING = [
    (name, form)
    for name, story in STAGES.items()
    for form in FORMS
    if form in CARD_ACTS and fits(form, story.case) and FORMS[form].fields
]
#: Somebody who may do anything, so that only the fields can be refused.
ANYBODY = Actor("U0000077", frozenset({Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT, Role.ON_CALL}))


def inputs_of(form: str, story: Story) -> dict[str, Block]:
    start = filled_in(form, story.opened(), voice(), events=story.events)
    view = form_view(form, story.case, voice(), start)
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


def field_at(form: str, path: str) -> Field:
    unnumbered = re.sub(r"\.\d+\.", ".N.", path)
    return next(field for field in FORMS[form].fields if field.path == unnumbered)


def choices_of(block: Block) -> list[Any]:
    """Values that this input accepts: every choice, or one good value."""
    element = block["element"]
    options = [option["value"] for option in element.get("options", ())]
    match element["type"]:
        case "radio_buttons" | "static_select":
            return options
        case "checkboxes":
            return [options[:1]]
        case "datepicker":
            return ["2026-11-06"]
        case "datetimepicker":
            return [int(NOW.timestamp())]
        case "users_select":
            return ["U0000009"]
    return [
        "12.50"
        if element.get("max_length") == 16
        else "A7K-M3Q-9T"
        if element.get("max_length") == 20
        else "words"
    ]


def refusal(form: str, case: Case, values: dict[str, Any], now: Any) -> ComplaintError | None:
    """Why this is refused, as the listener reads and does it; None if it is not."""
    options = {
        "remedy": tuple(str(remedy.n) for remedy in case.remedies),
        "category": categories_of(case.rules),
    }
    try:
        facts, words = read(form, values, options=options, defaults={"currency": "GBP"})
        verb = form_verb(form, facts, assessed=case.assessment is not None)
        perform(case, verb, at=now, actor=ANYBODY, facts=facts, words=words)
    except ComplaintError as error:
        return error
    return None


@pytest.mark.parametrize("name", STAGES)
def test_no_optional_field_is_answered_with_this_is_needed(name: str) -> None:
    for form in (form for stage, form in FITTING if stage == name):
        _assert_no_optional_field_is_needed(form, STAGES[name])


def _assert_no_optional_field_is_needed(form: str, story: Story) -> None:
    inputs = inputs_of(form, story)
    required = {path: choices_of(block) for path, block in inputs.items() if not block["optional"]}
    base = {path: choices[0] for path, choices in required.items()}
    plain_text = voice().text("refused.required")
    blocks = list(inputs.values())
    for path, choices in {path: choices_of(block) for path, block in inputs.items()}.items():
        for choice in choices:
            values = base | {path: choice}
            error = refusal(form, story.case, values, story.at)
            if not isinstance(error, BadFacts):
                continue
            if error.field is not None:
                error.field = path_in_form(form, error.field, values)
            shown = errors_by_field(error, refusal_text(error, voice(), story.case), blocks, voice())
            assert plain_text not in shown.values(), (form, path, choice, shown)


@pytest.mark.parametrize("name", STAGES)
def test_every_field_that_is_not_optional_is_needed(name: str) -> None:
    for form in (form for stage, form in FITTING if stage == name):
        _assert_every_other_field_is_needed(form, STAGES[name])


def _assert_every_other_field_is_needed(form: str, story: Story) -> None:
    inputs = inputs_of(form, story)
    base = {path: choices_of(block)[0] for path, block in inputs.items() if not block["optional"]}
    for path in base:
        values = {other: value for other, value in base.items() if other != path}
        error = refusal(form, story.case, values, story.at)
        if path in ("language_confirmed", "media_heard") and not isinstance(error, BadFacts):
            # The listener asks for the one, and for the other only the first assessment.
            continue
        wrong = set(error.fields) if isinstance(error, WrongFields) else {getattr(error, "field", None)}
        assert path in wrong, (form, path)


def test_the_currency_is_that_of_the_country_and_may_be_left_out() -> None:
    case = investigated(assessed(Story())).case
    inputs = inputs_of("decide", investigated(assessed(Story())))
    base = {
        "issues.0.finding": "upheld", "issues.0.reasons": "We erred.", "others_affected": "none",
        "root_cause": "A slip", "cause_class": "single", "nothing_why": "You asked for an explanation.",
    }  # fmt: skip
    row = {"remedies.0.type": "refund", "remedies.0.amount": "12.50"}
    facts, _ = read("decide", base | row, defaults={"currency": "GBP"})
    untouched, _ = read("decide", base | {"remedies.0.currency": "GBP"}, defaults={"currency": "GBP"})
    apology, _ = read("decide", base | {"remedies.0.type": "apology", "remedies.0.currency": "GBP"})

    assert inputs["remedies.0.currency"]["element"]["initial_value"] == "GBP"
    assert facts["remedies"][0]["currency"] == "GBP"
    assert untouched["remedies"] == []
    assert "currency" not in apology["remedies"][0]
    assert refusal("decide", case, base | {"remedies.0.currency": "GBP"}, NOW) is None


@pytest.mark.parametrize(
    ("country", "currency"),
    [("GB", "GBP"), ("TR", "TRY"), ("DE", "EUR"), ("ES", "EUR"), ("CH", "CHF"), ("XX", None)],
)
def test_the_currency_of_a_country(country: str, currency: str | None) -> None:
    assert currency_of(country) == currency


def test_a_wrong_field_is_named_where_it_is_in_the_form_and_not_in_the_facts() -> None:
    case = investigated(assessed(Story())).case
    values = {
        "issues.0.finding": "upheld", "issues.0.reasons": "We erred.", "others_affected": "none",
        "root_cause": "A slip", "cause_class": "single", "remedies.1.text": "Sorry", "remedies.3.type": "repair",
    }  # fmt: skip
    error = refusal("decide", case, values, NOW)

    assert error is not None
    assert error.field == "remedies.0.type"
    assert path_in_form("decide", "remedies.0.type", values) == "remedies.1.type"
    assert path_in_form("decide", "issues.1.finding", values) == "issues.1.finding"
    assert path_in_form("decide", "root_cause", values) == "root_cause"


def test_a_new_incident_is_the_only_choice_where_none_is_open_and_then_its_fields_are_required() -> None:
    case = STAGES["received"].case
    alone = incident_case_view(case, (), ("en",), voice())
    incident = Incident(1, NOW, NOW, what="Burst main")
    several = incident_case_view(case, (incident,), ("en",), voice())

    def optional(view: dict[str, Any]) -> dict[str, bool]:
        return {block["block_id"]: block["optional"] for block in view["blocks"] if block["type"] == "input"}

    assert (optional(alone)["what"], optional(several)["what"]) == (False, True)
    with pytest.raises(WrongFields) as refused:
        incidents.read("incident", {"which": "new"}, ("en",), options={"which": ("new", "1")})
    shown = errors_by_field(refused.value, "", several["blocks"], voice())
    assert shown["what"] == "A new incident needs a name: say what happened."
    assert {"refused.required.what", "refused.required.started_at"} <= voice().catalogue.ids("en")
