"""The other criteria of the initial assessment: a default with the code of its reason each (7.5)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.forms import FORMS
from complaints.vocabulary import Category
from triage.criteria import (
    COMPENSATION,
    COMPLEXITY,
    REACH,
    REASONS,
    RECURRENCE,
    Criterion,
    harm_criteria,
    propose_criteria,
)
from triage.intent import cue_words, find_cues
from triage.safety.signs import KINDS, find_signs

ProposedCriteria = dict[str, tuple[int | str | bool, str]]


def criteria_of(text: str = "", **overrides: Any) -> tuple[Criterion, ...]:
    """The criteria of a text; `overrides` replace the facts found in it."""
    fired_signs = find_signs(text)
    facts: dict[str, Any] = {
        "category": "supply",
        "kinds": {sign.kind for sign in fired_signs},
        "cues": find_cues(text),
        "issues": 1,
        "severity": max((sign.severity for sign in fired_signs), default=2),
        "safety": max((sign.safety for sign in fired_signs), default=0),
        "words": {
            **cue_words(text),
            **{sign.kind: text[slice(*sign.span)] for sign in fired_signs},
        },
        **overrides,
    }
    return propose_criteria(text=text, **facts)


def proposed(text: str = "", **overrides: Any) -> ProposedCriteria:
    """Value and reason by field."""
    return {row.field: (row.value, row.reason) for row in criteria_of(text, **overrides)}


def test_a_plain_story_gets_the_defaults() -> None:
    assert proposed("The parcel came late.") == {
        "complexity": (1, "plain_facts"),
        "reach": (1, "one_person"),
        "recurrence": (2, "nothing_before"),
        "immediate_needed": ("no", "nothing_presses"),
        "compensation_likely": (False, "no_loss_told"),
    }


@pytest.mark.parametrize(
    ("text", "overrides", "value", "reason"),
    [
        ("", {"issues": 2}, 2, "several_issues"),
        ("You say that I signed, but I never signed.", {}, 2, "disputed"),
        ("My solicitor will write to you.", {}, 3, "law"),
        ("I will take you to court.", {}, 3, "law"),
        ("The landlord says it is yours to mend.", {}, 3, "third_party"),
        ("My insurer wants a report.", {}, 3, "insurer"),
        ("Der Vermieter sagt, es ist Ihre Sache.", {}, 3, "third_party"),
        ("Ich gehe zum Anwalt.", {}, 3, "law"),
        ("Mi aseguradora pide un informe.", {}, 3, "insurer"),
        ("Avukatıma danışacağım.", {}, 3, "law"),
        ("", {"category": "privacy", "issues": 2}, 3, "category_law"),
        ("", {"category": "contract"}, 1, "plain_facts"),
        ("Power of attorney was shown; 3 Mill Court.", {}, 1, "plain_facts"),
    ],
    ids=range(13),
)
def test_complexity_rises_with_issues_doubt_and_law(
    text: str, overrides: dict[str, Any], value: int, reason: str
) -> None:
    assert proposed(text, **overrides)["complexity"] == (value, reason)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("My neighbours have no water either.", 2, "a_few"),
        ("The whole street is dark.", 2, "a_few"),
        ("All your customers were billed twice.", 3, "a_group"),
        ("Everyone who bought this batch is ill.", 3, "a_group"),
        ("I shall tell the press.", 4, "public"),
        ("The ombudsman will hear of it.", 4, "public"),
        ("Unsere ganze Straße ist dunkel, die ganze Straße.", 2, "a_few"),
        ("Alle Kunden zahlen zu viel.", 3, "a_group"),
        ("Iré a la prensa.", 4, "public"),
        ("Mis vecinos tampoco tienen agua", 2, "a_few"),
        ("Komşularımız da susuz.", 2, "a_few"),
        ("Bütün müşterilerden alındı.", 3, "a_group"),
        ("CİMER'e yazacağım", 4, "public"),
    ],
    ids=range(13),
)
def test_reach_follows_the_number_of_people_named(text: str, value: int, reason: str) -> None:
    assert proposed(text)["reach"] == (value, reason)


@pytest.mark.parametrize(
    ("text", "value", "reason"),
    [
        ("It is broken again.", 3, "again"),
        ("This is the third time.", 4, "several_times"),
        ("I called you five times.", 4, "several_times"),
        ("The line drops every single day.", 5, "always"),
        ("Das ist schon das dritte Mal.", 4, "several_times"),
        ("Ya es la tercera vez.", 4, "several_times"),
        ("Üçüncü kez bozuldu.", 4, "several_times"),
        ("I always pay on time.", 2, "nothing_before"),
    ],
    ids=range(8),
)
def test_recurrence_follows_the_earlier_incidents_named(text: str, value: int, reason: str) -> None:
    assert proposed(text)["recurrence"] == (value, reason)


@pytest.mark.parametrize(
    "text",
    [
        "Everybody is without water since this morning.",
        "Everyone in my block has been cold for two days.",
        "All the neighbours are in the dark.",
        "The whole building has no lift.",
        "Nobody on our street got a delivery.",
        "It is not just me, every flat is affected.",
        "Forty of us are stuck here, 84 families in all.",
        "Alle sind seit gestern ohne Strom.",
        "Bei allen Nachbarn ist es kalt.",
        "Im ganzen Haus geht keine Heizung.",
        "Keiner im Haus hat warmes Wasser.",
        "Ich bin nicht der Einzige.",
        "Todo el edificio lleva dos días sin agua.",
        "Estamos todos sin luz, todos los vecinos igual.",
        "Todo el mundo sigue sin gas.",
        "No soy el único al que le pasa.",
        "Herkes susuz kaldı.",
        "Bütün bina karanlıkta.",
        "Apartmanda herkesin suyu kesik.",
        "Tüm komşular mağdur.",
        "Sadece bizde değil, her katta öyle.",
    ],
)
def test_words_for_everybody_are_others_affected_and_are_shown(text: str) -> None:
    (reach,) = [row for row in criteria_of(text) if row.field == "reach"]
    assert isinstance(reach.value, int)
    assert reach.value >= 2
    assert reach.words
    assert all(word in text for word in reach.words)


@pytest.mark.parametrize(
    "text",
    [
        "He shouted at me in front of everybody.",
        "Everybody knows that this is wrong.",
        "Er hat mich vor allen beleidigt.",
        "Me gritó delante de todo el mundo.",
        "Herkesin önünde bana bağırdı.",
    ],
)
def test_people_who_only_watched_are_not_counted_as_affected(text: str) -> None:
    assert proposed(text)["reach"] == (1, "one_person")


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("My SOLICITOR will write to you.", "complexity", ("SOLICITOR",)),
        ("It is the third time!", "recurrence", ("third time",)),
        ("The leak ruined my carpet.", "compensation_likely", ("ruined my",)),
        ("Üçüncü kez bozuldu.", "recurrence", ("Üçüncü kez",)),
    ],
    ids=range(4),
)
def test_a_reason_names_the_words_as_the_complainant_wrote_them(
    text: str, field: str, words: tuple[str, ...]
) -> None:
    assert [row.words for row in criteria_of(text) if row.field == field] == [words]


def test_a_reason_from_the_category_names_it_with_its_probability() -> None:
    (reach,) = [row for row in criteria_of("", category="privacy", probability=0.41) if row.field == "reach"]
    assert (reach.category, reach.probability, reach.words) == ("privacy", 0.41, ())


def test_counted_reasons_name_their_number() -> None:
    numbers = {row.reason: row.number for row in criteria_of("", issues=3, like_confirmed=7)}
    assert (numbers["several_issues"], numbers["like_confirmed"]) == (3, 7)


def test_a_severity_and_a_safety_from_a_rule_name_its_words() -> None:
    text = "There is a Smell of Gas in the hall"
    signs = find_signs(text)
    severity, safety = harm_criteria(signs, text, severity=5, safety=3)
    assert (severity.reason, safety.reason) == ("rule", "rule")
    assert severity.words == safety.words
    assert "Smell of Gas" in severity.words[0]


def test_confirmed_similar_cases_raise_recurrence_by_one_step_only() -> None:
    assert proposed("", like_confirmed=2)["recurrence"] == (2, "nothing_before")
    assert proposed("", like_confirmed=3)["recurrence"] == (3, "like_confirmed")
    assert proposed("", like_confirmed=300)["recurrence"] == (3, "like_confirmed")
    assert proposed("every single day", like_confirmed=9)["recurrence"] == (5, "always")


@pytest.mark.parametrize(
    ("text", "overrides", "reason"),
    [
        ("I smell gas in the kitchen.", {}, "safety"),
        ("", {"safety": 2}, "safety"),
        ("", {"kinds": {"medical"}}, "medical"),
        ("They cut me off.", {"kinds": {"vulnerable"}}, "cut_off_vulnerable"),
        ("I am deaf and without heating.", {"safety": 0, "kinds": set()}, "cut_off_vulnerable"),
        ("", {"kinds": {"minor", "cutoff_eviction"}}, "cut_off_vulnerable"),
    ],
    ids=range(6),
)
def test_danger_or_urgency_needs_immediate_action_which_is_possible_by_default(
    text: str, overrides: dict[str, Any], reason: str
) -> None:
    complaint = proposed(text, **overrides)
    assert complaint["immediate_needed"] == ("yes", reason)
    assert complaint["immediate_possible"] == ("yes", "possible_unless_shown")


def test_without_urgency_immediate_possible_is_not_proposed() -> None:
    assert "immediate_possible" not in proposed("They cut me off.")


@pytest.mark.parametrize(
    ("text", "overrides", "reason"),
    [
        ("", {"kinds": {"injury"}, "severity": 5}, "injury"),
        ("The leak ruined my carpet.", {}, "damage"),
        ("It cost me a day's pay.", {}, "amount_lost"),
        ("You owe me a guaranteed standards payment.", {}, "statutory"),
        ("Das hat uns 200 gekostet", {}, "amount_lost"),
        ("Tuve que pagar un fontanero.", {}, "amount_lost"),
        ("Cebimden ödedim.", {}, "amount_lost"),
        ("", {"category": "compensation"}, "category_compensation"),
    ],
    ids=range(8),
)
def test_a_loss_makes_compensation_likely(text: str, overrides: dict[str, Any], reason: str) -> None:
    assert proposed(text, **overrides)["compensation_likely"] == (True, reason)


def test_the_tables_use_only_categories_of_the_record() -> None:
    for table in (COMPLEXITY, REACH, RECURRENCE, COMPENSATION):
        assert set(table) <= set(Category)


@given(
    st.sampled_from([*Category, "unknown"]),
    st.sets(st.sampled_from(KINDS)),
    st.sets(st.sampled_from(["again", "again_told", "support"])),
    st.integers(0, 9),
    st.integers(1, 5),
    st.integers(0, 3),
    st.one_of(st.text(max_size=80), st.sampled_from(["every single day", "my lawyer", "the press"])),
    st.integers(0, 99),
)
def test_every_value_fits_the_form_and_every_reason_has_a_text(
    category: str,
    kinds: Collection[str],
    found_cues: Collection[str],
    issues: int,
    severity: int,
    safety: int,
    text: str,
    like: int,
) -> None:
    proposed_criteria = propose_criteria(
        category=category,
        kinds=kinds,
        cues=found_cues,
        issues=issues,
        severity=severity,
        safety=safety,
        text=text,
        like_confirmed=like,
    )
    fields = [criterion.field for criterion in proposed_criteria]
    assert len(set(fields)) == len(fields)
    assert set(fields) <= {field.name for field in FORMS["assess"].fields}
    bounds = {"complexity": (1, 3), "reach": (1, 4), "recurrence": (1, 5)}
    for criterion in proposed_criteria:
        assert isinstance(criterion, Criterion)
        assert criterion.reason in REASONS
        if criterion.field in bounds:
            low, high = bounds[criterion.field]
            assert isinstance(criterion.value, int)
            assert low <= criterion.value <= high


def test_a_text_of_100_000_characters_is_processed() -> None:
    for piece in ("had to ", "you ", "the my our ", "x", "🔥"):
        assert propose_criteria(
            category="other",
            kinds=(),
            cues=(),
            issues=1,
            severity=1,
            safety=0,
            text=piece * (100_000 // len(piece)),
        )
