"""An organisation's own categories stand beside ours; what its rules do not know is neither proposed nor assessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bots.slack.fillings import filling
from bots.slack.inputs import values_of
from bots.slack.modals import modal, with_row
from bots.slack.searching import code_of
from bots.slack.voice import Voice
from bots.texts import load
from complaints.actions.import_past import check_past
from complaints.errors import BadFacts
from complaints.forms import read
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
def test_a_complaint_is_assessed_under_a_category_of_the_organisations_own() -> None:
    told = b.an_assessed_case(rules=RULES, category="leak", issues=[{"category": "low_pressure"}])
    assert told.case.category == "leak"
    assert [one.category for one in told.case.issues] == ["low_pressure"]


@clause("7.5")
@pytest.mark.parametrize(
    "facts", [{"category": "nonsense"}, {"issues": [{"category": "nonsense"}]}, {"category": "A b"}]
)
def test_a_category_that_the_rules_do_not_know_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(BadFacts):
        b.an_assessed_case(rules=RULES, **facts)


@clause("7.5")
def test_an_unknown_category_can_never_be_proposed() -> None:
    told = b.a_received_case(rules=RULES)
    known = told.do(Verb.PROPOSE, b.MODEL, PROPOSED)
    assert known.case.category == "leak"
    with pytest.raises(BadFacts, match="'category' is no category under the rules"):
        told.do(Verb.PROPOSE, b.MODEL, PROPOSED | {"category": "mortgage"})
    with pytest.raises(BadFacts, match=r"'alternatives\.0\.category'"):
        told.do(
            Verb.PROPOSE,
            b.MODEL,
            PROPOSED | {"alternatives": [{"category": "mortgage", "probability": 0.1}]},
        )
    with pytest.raises(BadFacts):
        b.a_received_case().do(Verb.PROPOSE, b.MODEL, PROPOSED)


def test_all_categories_of_the_rules_share_what_the_model_knows_of_them() -> None:
    row = np.array([0.4, 0.3, 0.2, 0.06, 0.04])
    kept = keep_allowed(row, np.array([False, False, False, True, True]))
    assert kept is not None
    assert kept.tolist() == pytest.approx([0, 0, 0, 0.6, 0.4])


def test_a_model_that_knows_none_of_them_has_no_say() -> None:
    row = np.array([0.992, 0.006, 0.002])
    assert keep_allowed(row, np.array([False, True, True])) is None
    assert keep_allowed(row, np.zeros(3, dtype=bool)) is None


def test_ours_stay_beside_the_organisations_own() -> None:
    known = categories_of(RULES)
    assert {"staff_conduct", "privacy", "leak", "low_pressure"} <= set(known)
    assert known[-1] == "other"
    assert categories_of(b.RULES)[-2] != "leak"


def test_rules_of_before_keep_their_id_and_new_ones_are_read_back() -> None:
    assert "categories" not in as_json(b.RULES)
    assert from_json(as_json(RULES)) == RULES
    assert RULES.id != b.RULES.id


@pytest.mark.parametrize("value", ["Leak", "a b", "", "1st", "x" * 41, None, 3, "leak!"])
def test_what_is_no_code_is_no_category(value: object) -> None:
    assert not is_code(value)


def test_the_form_offers_the_categories_of_the_complaint_and_takes_them_back() -> None:
    story = Story()
    case = replace(story.case, rules=RULES)
    voice = Voice(load(("en", "tr"), domain="staff", own={f"category.{one}": OWN[one] for one in OWN}), "tr")
    opened = replace(story.opened(), case=case)
    view = modal(
        "assess", case, voice, filling("assess", case, story.events, voice, now=NOW, opened=opened, letter="")
    )
    assert view_problems(view, "modal") == []
    grown = with_row({**view, "state": {"values": {}}}, "issues", voice)
    offered = {
        block["block_id"]: {one["value"]: one["text"]["text"] for one in block["element"]["options"]}
        for block in grown["blocks"]
        if str(block.get("block_id", "")).endswith("category")
    }
    assert set(offered) == {"category", "issues.0.category", "issues.1.category"}
    assert all(one["leak"] == "Sokakta su kaçağı" for one in offered.values())
    assert all(one["low_pressure"] == "Low pressure" for one in offered.values())
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


def test_a_category_that_the_settings_no_longer_have_is_shown_by_its_code() -> None:
    assert load(("en",), domain="staff").say("en", "category.low_pressure") == "low pressure"


def test_staff_search_by_the_name_of_an_own_category() -> None:
    voice = Voice(load(("en",), domain="staff", own={"category.leak": OWN["leak"]}), "en")
    desk: Any = SimpleNamespace(voice=voice)
    known = categories_of(RULES)
    assert code_of("Leak in the street", desk, known) == ("category", "leak")
    assert code_of("low pressure", desk, known) == ("category", "low_pressure")
    assert code_of("Low tide", desk, known) is None


def test_a_past_complaint_may_have_an_own_category() -> None:
    told = {"closed_at": "2025-03-20T00:00:00Z", "close_code": "resolved", "category": "leak"}
    received = datetime(2025, 3, 1, tzinfo=UTC)
    check_past(told, received_at=received, at=NOW, by=b.IDA, categories=categories_of(RULES))
    with pytest.raises(BadFacts, match="'category' is one of"):
        check_past(told, received_at=received, at=NOW, by=b.IDA)
