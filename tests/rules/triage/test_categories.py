"""An organisation's own categories: assessed, proposed, shown and searched like the built-in ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pytest

from bots.slack.listeners.search_view import code_of
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import values_of
from bots.slack.views.form_modals import form_view, with_row
from bots.slack.views.prefill import FormStart, prefill
from bots.texts.catalogues import load_catalogues
from complaints.actions.import_past import check_past
from complaints.errors import BadFacts
from complaints.forms import read
from complaints.measures.row import measure
from complaints.rulebook import as_json, categories_of, from_json, is_code
from complaints.vocabulary import Verb
from simulator.slack.block_kit import view_problems
from tests.clauses import clause
from tests.rules import builders as b
from tests.rules.slack_cases import NOW, Story
from triage.proposal import keep_allowed

OWN = {
    "leak": {"en": "Leak in the street", "tr": "Sokakta su kaçağı"},
    "low_pressure": {"en": "Low pressure"},
}
RULES = replace(b.RULES, categories=OWN)
PROPOSED = {
    "words": 3,
    "category": "leak",
    "probability": 0.8,
    "severity": 2,
    "safety": 0,
    "abstained": False,
    "restricted": False,
}


@clause("7.5")
def test_a_complaint_may_be_assessed_with_an_own_category() -> None:
    complaint = b.an_assessed_case(rules=RULES, category="leak", issues=[{"category": "low_pressure"}])
    assert complaint.case.category == "leak"
    assert [issue.category for issue in complaint.case.issues] == ["low_pressure"]


@clause("7.5")
@pytest.mark.parametrize(
    "facts", [{"category": "nonsense"}, {"issues": [{"category": "nonsense"}]}, {"category": "A b"}]
)
def test_a_category_that_the_rules_lack_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(BadFacts):
        b.an_assessed_case(rules=RULES, **facts)


@clause("7.5")
def test_an_unknown_category_cannot_be_proposed() -> None:
    complaint = b.a_received_case(rules=RULES)
    proposed = complaint.do(Verb.PROPOSE, b.MODEL, PROPOSED)
    assert proposed.case.category == "leak"
    with pytest.raises(BadFacts, match="'category' is no category under the rules"):
        complaint.do(Verb.PROPOSE, b.MODEL, PROPOSED | {"category": "mortgage"})
    with pytest.raises(BadFacts, match=r"'alternatives\.0\.category'"):
        complaint.do(
            Verb.PROPOSE,
            b.MODEL,
            PROPOSED | {"alternatives": [{"category": "mortgage", "probability": 0.1}]},
        )
    with pytest.raises(BadFacts):
        b.a_received_case().do(Verb.PROPOSE, b.MODEL, PROPOSED)


def test_the_probabilities_are_rescaled_over_the_allowed_categories() -> None:
    row = np.array([0.4, 0.3, 0.2, 0.06, 0.04])
    kept = keep_allowed(row, np.array([False, False, False, True, True]))
    assert kept is not None
    assert kept.tolist() == pytest.approx([0, 0, 0, 0.6, 0.4])


def test_a_model_without_a_likely_allowed_category_abstains() -> None:
    row = np.array([0.992, 0.006, 0.002])
    assert keep_allowed(row, np.array([False, True, True])) is None
    assert keep_allowed(row, np.zeros(3, dtype=bool)) is None


def test_the_built_in_categories_remain_next_to_own_ones() -> None:
    categories = categories_of(RULES)
    assert {"staff_conduct", "privacy", "leak", "low_pressure"} <= set(categories)
    assert categories[-1] == "other"
    assert categories_of(b.RULES)[-2] != "leak"


def test_rulebooks_with_own_categories_are_read_back_and_have_another_id() -> None:
    assert from_json(as_json(RULES)) == RULES
    assert RULES.id != b.RULES.id


@pytest.mark.parametrize("value", ["Leak", "a b", "", "1st", "x" * 41, None, 3, "leak!"])
def test_an_invalid_code_is_no_category(value: object) -> None:
    assert not is_code(value)


def test_the_form_offers_and_accepts_the_categories_of_the_complaint() -> None:
    story = Story()
    case = replace(story.case, rules=RULES)
    voice = StaffTexts(
        load_catalogues(("en", "tr"), domain="staff", own={f"category.{code}": OWN[code] for code in OWN}),
        "tr",
    )
    opened = replace(story.opened(), case=case)
    view = form_view(
        "assess",
        case,
        voice,
        prefill("assess", FormStart(case, story.events, voice, now=NOW, opened=opened, waiting_letter="")),
    )
    assert view_problems(view, "modal") == []
    grown = with_row({**view, "state": {"values": {}}}, "issues")
    offered = {
        block["block_id"]: {option["value"]: option["text"]["text"] for option in block["element"]["options"]}
        for block in grown["blocks"]
        if str(block.get("block_id", "")).endswith("category")
    }
    assert set(offered) == {"category", "issues.0.category", "issues.1.category"}
    assert all(options["leak"] == "Sokakta su kaçağı" for options in offered.values())
    assert all(options["low_pressure"] == "Low pressure" for options in offered.values())
    chosen = {"category": {"value": {"type": "static_select", "selected_option": {"value": "leak"}}}}
    rest = {
        "severity": "2",
        "safety": "0",
        "complexity": "1",
        "reach": "1",
        "recurrence": "1",
        "immediate_needed": "no",
    }
    facts, _ = read("assess", {**values_of(chosen), **rest}, options={"category": categories_of(RULES)})
    assert facts["category"] == "leak"


def test_a_category_removed_from_the_settings_is_shown_by_its_code() -> None:
    assert load_catalogues(("en",), domain="staff").text("en", "category.low_pressure") == "low pressure"


def test_staff_search_by_the_name_of_an_own_category() -> None:
    voice = StaffTexts(load_catalogues(("en",), domain="staff", own={"category.leak": OWN["leak"]}), "en")
    categories = categories_of(RULES)
    assert code_of("Leak in the street", voice, categories) == ("category", "leak")
    assert code_of("low pressure", voice, categories) == ("category", "low_pressure")
    assert code_of("Low tide", voice, categories) is None


def test_an_imported_past_complaint_may_have_an_own_category() -> None:
    complaint = {"closed_at": "2025-03-20T00:00:00Z", "close_code": "resolved", "category": "leak"}
    received = datetime(2025, 3, 1, tzinfo=UTC)
    check_past(complaint, received_at=received, at=NOW, actor=b.IDA, rules=RULES)
    with pytest.raises(BadFacts, match="'category' is one of"):
        check_past(complaint, received_at=received, at=NOW, actor=b.IDA, rules=b.RULES)


def test_an_imported_past_complaint_names_only_products_and_branches_of_the_settings() -> None:
    complaint = {"closed_at": "2025-03-20T00:00:00Z", "close_code": "resolved", "category": "money"}
    check = partial(
        check_past, received_at=datetime(2025, 3, 1, tzinfo=UTC), at=NOW, actor=b.IDA, rules=COUNTED
    )
    check({**complaint, "product": "tv", "branch": "harbour"})
    with pytest.raises(BadFacts, match="'product' is one of broadband, tv"):
        check({**complaint, "product": "radio"})
    with pytest.raises(BadFacts, match="The settings name no 'branch'"):
        check_past(
            {**complaint, "branch": "harbour"},
            received_at=datetime(2025, 3, 1, tzinfo=UTC), at=NOW, actor=b.IDA, rules=b.RULES,
        )  # fmt: skip
    with pytest.raises(BadFacts, match="the category is needed"):
        check({"closed_at": "2025-03-20T00:00:00Z", "close_code": "resolved", "product": "tv"})


COUNTED = replace(b.RULES, products=("broadband", "tv"), branches=("harbour",))


@clause("7.5")
def test_an_assessment_names_a_product_and_a_branch_of_the_organisation() -> None:
    complaint = b.an_assessed_case(rules=COUNTED, product="tv", branch="harbour")
    again = b.assessed(complaint, product="broadband")
    row = measure(again.case, again.events)
    # A menu of Slack cannot be emptied, so a form that does not name the branch keeps it.
    assert (row.product, row.branch) == ("broadband", "harbour")
    with pytest.raises(BadFacts, match="'product' is no product"):
        b.an_assessed_case(rules=COUNTED, product="harbour")
    with pytest.raises(BadFacts, match=r"the settings have no \[\[branch\]\]"):
        b.an_assessed_case(branch="harbour")


def test_the_form_asks_for_a_product_only_where_the_organisation_has_some() -> None:
    story = Story()
    names = {"product.tv": {"en": "Television", "de": "Fernsehen"}}
    voice = StaffTexts(load_catalogues(("en", "de"), domain="staff", own=names), "de")
    shown = {}
    for rules in (COUNTED, b.RULES):
        case = replace(story.case, rules=rules)
        opened = replace(story.opened(), case=case)
        filled = prefill(
            "assess", FormStart(case, story.events, voice, now=NOW, opened=opened, waiting_letter="")
        )
        view = form_view("assess", case, voice, filled)
        assert view_problems(view, "modal") == []
        shown[rules.id] = {str(block.get("block_id")): block for block in view["blocks"]}
    options = shown[COUNTED.id]["product"]["element"]["options"]
    # The name of a product that the settings no longer have is its code.
    assert [option["text"]["text"] for option in options] == ["broadband", "Fernsehen"]
    assert {"product", "branch"}.isdisjoint(shown[b.RULES.id])
    assert from_json(as_json(COUNTED)) == COUNTED
