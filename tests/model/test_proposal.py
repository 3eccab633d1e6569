"""The proposal: its fields, its limits, and how rules and model combine."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.shared_models import starter_model
from triage.criteria import Criterion
from triage.csv.columns import ColumnNames
from triage.csv.labelled_rows import read_examples
from triage.learning.examples import CATEGORIES
from triage.model.pipeline import Model
from triage.proposal import RESTRICTED_AT, WEIGHTY_FROM, Proposal, propose
from triage.proposal_context import ProposalContext
from triage.safety.organisation import DangerSign
from triage.safety.signs import find_signs

KEYS = {
    "category", "probability", "alternatives", "abstained", "severity", "safety", "because", "rules",
    "language", "model_version", "restricted", "p_critical", "intent", "intent_probability", "issues",
    "criteria", "details", "similar",
}  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    return starter_model(("en", "tr"))


def test_a_proposal_has_exactly_the_keys_of_the_record(model: Model) -> None:
    proposal = propose(model, "You charged me twice for the same bill.").as_json()
    assert set(proposal) == KEYS
    assert json.loads(json.dumps(proposal)) == proposal
    assert proposal["category"] == "money"
    assert [set(other) for other in proposal["alternatives"]] == [{"category", "probability"}] * 3
    assert all(set(reason) == {"word", "weight"} for reason in proposal["because"])
    assert proposal["model_version"] == model.version


def test_without_a_model_the_rules_propose_and_abstain() -> None:
    proposal = propose(None, "There is a smell of gas in the hall")
    assert (proposal.category, proposal.abstained, proposal.severity, proposal.safety) == (
        "other",
        True,
        5,
        3,
    )
    assert proposal.rules == ("gas_smell",)
    assert proposal.danger
    assert proposal.because == ()
    assert set(proposal.as_json()) == KEYS


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Two weeks and my parcel still has not come", "supply"),
        ("the technician never showed up", "service"),
        ("you billed me twice", "money"),
        ("my complaint from March has had no answer", "handling"),
        ("the clerk was rude and shouted at me", "staff_conduct"),
        ("you sent my letter to a stranger, that is my personal data", "privacy"),
        ("garanti kapsamında tamiri reddettiler", "guarantee"),
        ("faturam çok yüksek, iki kere para çektiniz", "money"),
        ("memur bana bağırdı, çok kabaydı", "staff_conduct"),
        ("şikâyetime iki aydır cevap yok", "handling"),
        ("sikayetime iki aydir cevap yok", "handling"),
        ("kargom gelmedi hala bekliyorum", "supply"),
    ],
    ids=range(12),
)
def test_everyday_complaints_get_their_category(model: Model, text: str, category: str) -> None:
    assert propose(model, text).category == category


def test_reasons_are_words_of_the_text(model: Model) -> None:
    text = "You OVERCHARGED me, and the Invoice — see attached — is wrong! Mail me: someone@example.org"
    proposal = propose(model, text)
    assert proposal.because
    assert all(reason.word in text for reason in proposal.because)
    assert "OVERCHARGED" in {reason.word for reason in proposal.because if reason.weight > 0}
    assert "someone@example.org" not in {reason.word for reason in proposal.because}


def test_reasons_are_found_in_texts_with_joiners_and_combining_accents(model: Model) -> None:
    text = unicodedata.normalize("NFD", "Şoför bana bağırdı, fatura") + " over\u200bcharged"
    proposal = propose(model, text)
    assert proposal.because
    assert all(reason.word in text for reason in proposal.because)
    assert unicodedata.normalize("NFC", "bağırdı") in {
        unicodedata.normalize("NFC", reason.word) for reason in proposal.because
    }


def test_reasons_include_words_for_and_against(model: Model) -> None:
    proposal = propose(
        model, "The invoice is wrong and the employee who answered my complaint was rude to my son"
    )
    weights = [reason.weight for reason in proposal.because]
    assert max(weights) > 0 > min(weights)


@pytest.mark.parametrize(
    "text", ["", "   ", "🔥🔥🔥", "?!", "\x00", "漢字", "<p></p>", "1 2 3"], ids=range(8)
)
def test_a_text_without_content_gets_an_uncertain_proposal(model: Model, text: str) -> None:
    proposal = propose(model, text)
    assert proposal.abstained
    assert proposal.category in CATEGORIES
    assert proposal.severity <= 2


@pytest.mark.parametrize("text", ["", "😡😡😡", "水が茶色です"])
def test_without_a_known_word_no_category_is_guessed(model: Model, text: str) -> None:
    proposal = propose(model, text)
    assert (proposal.category, proposal.probability, proposal.alternatives, proposal.abstained) == (
        "other",
        0.0,
        (),
        True,
    )
    assert proposal.model_version == model.version


def test_a_very_long_text_is_read(model: Model) -> None:
    proposal = propose(model, "the invoice is wrong " * 5_000 + ". there is a gas leak here")
    assert proposal.rules == ("gas_smell",)
    assert proposal.category == "money"


def test_rules_raise_the_models_severity_and_never_lower_it(model: Model) -> None:
    calm = propose(model, "You charged me twice")
    grave = propose(model, "You charged me twice. My kitchen is on fire")
    assert (calm.severity, calm.safety) == (2, 0)
    assert (grave.severity, grave.safety) == (5, 3)


def test_an_uncertain_proposal_takes_the_severity_of_the_graver_category_and_says_so(model: Model) -> None:
    usual = {"safety": 4, "discrimination": 4, "privacy": 3, "staff_conduct": 3}
    doubtful = 0
    for row in read_examples(Path(__file__).with_name("heldout.csv")).examples:
        proposal = propose(model, row.text)
        if not proposal.abstained or not proposal.because:
            continue
        offered = [
            (proposal.category, proposal.probability),
            *((o.category, o.probability) for o in proposal.alternatives),
        ]
        by_words = model.word_probabilities(model.matrix([row.text]))[0].round(4).tolist()
        likeliest = sorted(zip(model.categories, by_words, strict=True), key=lambda entry: -entry[1])
        shown = [*offered[:2], *likeliest[:2]]
        graver = max((usual.get(category, 2) for category, sure in shown if sure >= WEIGHTY_FROM), default=2)
        assert proposal.severity >= graver
        why = severity_reason(proposal)
        if why.reason == "doubted_category":
            assert proposal.severity == graver > 2
            assert (why.category, why.probability) in shown
            doubtful += 1
    assert doubtful > 10


def severity_reason(proposal: Proposal) -> Criterion:
    (why,) = [criterion for criterion in proposal.criteria if criterion.field == "severity"]
    assert why.value == proposal.severity
    return why


def test_every_severity_from_three_on_has_words_or_a_figure_behind_it(model: Model) -> None:
    graver = 0
    for file in ("heldout.csv", "heldout_severity.csv"):
        for row in read_examples(
            Path(__file__).with_name(file), columns=ColumnNames(category="language")
        ).examples:
            proposal = propose(model, row.text)
            why = severity_reason(proposal)
            graver += proposal.severity >= 3
            assert (why.reason == "nothing_graver") is (proposal.severity == 2)
            assert proposal.severity == 2 or why.words or why.probability
            assert all(word in row.text for word in why.words)
            if why.reason == "critical":
                assert why.probability is not None
                assert why.limit is not None
                assert why.probability >= why.limit
                assert why.words
    assert graver > 50


def test_a_grave_case_without_a_rule_names_the_probability_and_the_words_that_led_to_it(model: Model) -> None:
    text = (
        "You left my grandfather on the floor for two days without food and nobody from your care team came"
    )
    proposal = propose(model, text)
    why = severity_reason(proposal)
    assert (proposal.rules, proposal.severity, why.reason) == ((), 4, "critical")
    assert why.probability == proposal.p_critical
    assert set(why.words) & {"grandfather", "floor", "food", "days"}


def test_a_proposed_safety_has_words_or_a_figure_behind_it(model: Model) -> None:
    for text in (
        "My kitchen is on fire",
        "the railing is loose and somebody is going to fall",
        "You charged me twice",
    ):
        proposal = propose(model, text)
        (why,) = [criterion for criterion in proposal.criteria if criterion.field == "safety"]
        assert why.value == proposal.safety
        assert (why.reason == "no_danger") is (proposal.safety == 0)
        assert proposal.safety == 0 or why.words or why.category == "safety"


def test_the_probability_of_categories_the_desk_lacks_goes_to_the_others(model: Model) -> None:
    text = "I am not happy with how this went."
    whole = dict(zip(model.categories, model.predict_proba([text])[0].tolist(), strict=True))
    # Leave out the four most probable categories; the proposal is then one of the others.
    unknown = sorted(whole, key=lambda category: -whole[category])[:4]
    remaining = [category for category in model.categories if category not in unknown]
    proposal = propose(model, text, ProposalContext(categories=remaining))
    assert proposal.category == max(remaining, key=lambda category: whole[category])
    assert proposal.probability == pytest.approx(
        whole[proposal.category] / sum(whole[category] for category in remaining), abs=1e-4
    )
    assert proposal.abstained
    assert not {other.category for other in proposal.alternatives} & set(unknown)


def test_the_text_of_an_issue_without_a_category_stays_with_the_main_issue(model: Model) -> None:
    text = "You charged me twice for the same bill. Also your clerk at the counter shouted at my mother."
    assert {issue.category for issue in propose(model, text).issues} == {"money", "staff_conduct"}
    remaining = [category for category in model.categories if category != "staff_conduct"]
    (matter,) = propose(model, text, ProposalContext(categories=remaining)).issues
    assert (matter.category, matter.text) == ("money", text)


def test_issues_are_read_from_the_story_without_the_answers_of_the_form(model: Model) -> None:
    story = "Musluktan akan su kahverengi, çocuklara içiremiyorum."
    text = f"{story}\nÖzür\n20 Kasım, iki gündür"
    (issue,) = propose(model, text, ProposalContext(story=story)).issues
    assert issue.text == story
    assert propose(model, text, ProposalContext(story="🔥")).issues == propose(model, text).issues


def test_probabilities_are_shared_among_the_desks_own_categories(
    model: Model,
) -> None:
    text = "The invoice is wrong and the employee who answered my complaint was rude"
    free = propose(model, text)
    remaining = [category for category in model.categories if category != free.alternatives[0].category]
    proposal = propose(model, text, ProposalContext(categories=[*remaining, "leak"]))
    assert proposal.category == free.category
    assert proposal.probability == pytest.approx(
        free.probability / (1 - free.alternatives[0].probability), abs=1e-3
    )
    assert proposal.alternatives[:2] != free.alternatives[:2]


def test_a_model_that_knows_none_of_the_desks_categories_says_so(model: Model) -> None:
    proposal = propose(
        model, "You charged me twice. My kitchen is on fire", ProposalContext(categories=["leak", "odour"])
    )
    assert (proposal.category, proposal.probability, proposal.abstained) == ("other", 0.0, True)
    assert (proposal.alternatives, proposal.issues, proposal.because) == ((), (), ())
    assert (proposal.severity, proposal.safety) == (5, 3)
    assert proposal.model_version == model.version


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_no_proposal_is_below_a_matched_rule(text: str) -> None:
    model = _cached()
    proposal, signs = propose(model, text), find_signs(text)
    assert proposal.severity >= max((sign.severity for sign in signs), default=1)
    assert proposal.safety >= max((sign.safety for sign in signs), default=0)
    assert proposal.category in CATEGORIES
    assert 0 <= proposal.probability <= 1
    assert 1 <= proposal.severity <= 5


def test_complaints_about_people_are_restricted(model: Model) -> None:
    assert propose(model, "Your employee insulted me and was rude").restricted
    assert propose(model, "They refused me because of my religion").restricted
    assert propose(None, "They refused me because of my religion").restricted
    assert not propose(model, "My parcel has not been delivered").restricted
    assert pytest.approx(0.30) == RESTRICTED_AT


def test_an_organisations_own_danger_signs_match(model: Model) -> None:
    own = (DangerSign(("klor bulutu",), None, {"tr": "İçeride kalın."}, "chlorine"),)
    assert propose(model, "havuzda klor bulutu var", ProposalContext(danger=own)).rules == ("chlorine",)


def test_the_language_is_one_of_the_organisations(model: Model) -> None:
    assert propose(model, "Faturam çok yüksek geldi, itiraz ediyorum").language == "tr"
    assert propose(model, "My bill is far too high and I object").language == "en"
    assert propose(model, "My bill is far too high", ProposalContext(languages=("tr",))).language == "tr"
    assert propose(model, "", ProposalContext(languages=("tr", "en"))).language == "tr"


def _cached() -> Model:
    """The model, cached: Hypothesis allows no narrower fixture."""
    return starter_model(("en", "tr"))


def test_an_organisations_own_danger_sign_makes_praise_a_complaint() -> None:
    own = (DangerSign(("chlorine cloud",), None, {"en": "Stay inside."}, "chlorine"),)
    text = "Thank you so much, wonderful, excellent, great team! I saw the chlorine cloud."
    assert propose(None, text).intent.kind == "praise"
    assert propose(None, text, ProposalContext(danger=own)).intent.kind == "complaint"
