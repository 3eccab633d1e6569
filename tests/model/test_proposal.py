"""The proposal: what it says, what it never says, and how rules and model meet."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.made_once import starter_model
from triage.criteria import Criterion
from triage.csv.examples import read_examples
from triage.learning.examples import CATEGORIES
from triage.model.pipeline import Model
from triage.proposal import RESTRICTED_AT, WEIGHTY_FROM, ProposalContext, propose
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
    said = propose(model, "You charged me twice for the same bill.").as_json()
    assert set(said) == KEYS
    assert json.loads(json.dumps(said)) == said
    assert said["category"] == "money"
    assert [set(other) for other in said["alternatives"]] == [{"category", "probability"}] * 3
    assert all(set(reason) == {"word", "weight"} for reason in said["because"])
    assert said["model_version"] == model.version


def test_without_a_model_the_rules_propose_and_say_not_sure() -> None:
    said = propose(None, "There is a smell of gas in the hall")
    assert (said.category, said.abstained, said.severity, said.safety) == ("other", True, 5, 3)
    assert said.rules == ("gas_smell",)
    assert said.danger
    assert said.because == ()
    assert set(said.as_json()) == KEYS


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


def test_reasons_are_words_that_stand_in_the_text(model: Model) -> None:
    text = "You OVERCHARGED me, and the Invoice — see attached — is wrong! Mail me: someone@example.org"
    said = propose(model, text)
    assert said.because
    assert all(reason.word in text for reason in said.because)
    assert "OVERCHARGED" in {reason.word for reason in said.because if reason.weight > 0}
    assert "someone@example.org" not in {reason.word for reason in said.because}


def test_reasons_stand_in_a_text_of_joiners_and_accents_typed_apart(model: Model) -> None:
    text = unicodedata.normalize("NFD", "Şoför bana bağırdı, fatura") + " over\u200bcharged"
    said = propose(model, text)
    assert said.because
    assert all(reason.word in text for reason in said.because)
    assert unicodedata.normalize("NFC", "bağırdı") in {
        unicodedata.normalize("NFC", reason.word) for reason in said.because
    }


def test_reasons_speak_for_and_against(model: Model) -> None:
    said = propose(
        model, "The invoice is wrong and the employee who answered my complaint was rude to my son"
    )
    weights = [reason.weight for reason in said.because]
    assert max(weights) > 0 > min(weights)


@pytest.mark.parametrize(
    "text", ["", "   ", "🔥🔥🔥", "?!", "\x00", "漢字", "<p></p>", "1 2 3"], ids=range(8)
)
def test_a_text_that_says_nothing_gets_a_doubtful_proposal(model: Model, text: str) -> None:
    said = propose(model, text)
    assert said.abstained
    assert said.category in CATEGORIES
    assert said.severity <= 2


@pytest.mark.parametrize("text", ["", "😡😡😡", "水が茶色です"])
def test_where_no_word_is_known_no_category_is_guessed(model: Model, text: str) -> None:
    said = propose(model, text)
    assert (said.category, said.probability, said.alternatives, said.abstained) == ("other", 0.0, (), True)
    assert said.model_version == model.version


def test_a_very_long_text_is_read(model: Model) -> None:
    said = propose(model, "the invoice is wrong " * 5_000 + ". there is a gas leak here")
    assert said.rules == ("gas_smell",)
    assert said.category == "money"


def test_rules_raise_what_the_model_says_and_never_lower_it(model: Model) -> None:
    calm = propose(model, "You charged me twice")
    grave = propose(model, "You charged me twice. My kitchen is on fire")
    assert (calm.severity, calm.safety) == (2, 0)
    assert (grave.severity, grave.safety) == (5, 3)


def test_in_doubt_the_graver_of_the_two_categories_gives_the_severity_and_says_so(model: Model) -> None:
    usual = {"safety": 4, "discrimination": 4, "privacy": 3, "staff_conduct": 3}
    doubtful = 0
    for row in read_examples(Path(__file__).with_name("heldout.csv")).examples:
        said = propose(model, row.text)
        if not said.abstained or not said.because:
            continue
        offered = [
            (said.category, said.probability),
            *((o.category, o.probability) for o in said.alternatives),
        ]
        graver = max((usual.get(one, 2) for one, sure in offered[:2] if sure >= WEIGHTY_FROM), default=2)
        assert said.severity >= graver
        if Criterion("severity", said.severity, "doubted_category") in said.criteria:
            assert said.severity == graver > 2
            doubtful += 1
    assert doubtful > 10


def test_a_severity_that_does_not_come_of_a_doubt_needs_no_reason_of_its_own(model: Model) -> None:
    for text in ("You charged me twice", "My kitchen is on fire", "漢字"):
        assert "severity" not in {one.field for one in propose(model, text).criteria}


def test_categories_that_the_desk_has_not_leave_their_share_to_the_others(model: Model) -> None:
    text = "I do not know what to do with this. Somebody said it would be different, and now nobody knows."
    whole = dict(zip(model.categories, model.predict_proba([text])[0].tolist(), strict=True))
    # The four that the model would name, and still one of the desk's own is found.
    unknown = sorted(whole, key=lambda one: -whole[one])[:4]
    left = [one for one in model.categories if one not in unknown]
    said = propose(model, text, ProposalContext(categories=left))
    assert said.category == max(left, key=lambda one: whole[one])
    assert said.probability == pytest.approx(whole[said.category] / sum(whole[one] for one in left), abs=1e-4)
    assert said.abstained
    assert not {one.category for one in said.alternatives} & set(unknown)


def test_the_words_of_a_matter_that_the_desk_has_no_category_for_stay_with_the_main_one(model: Model) -> None:
    text = "You charged me twice for the same bill. Also your clerk at the counter shouted at my mother."
    assert {one.category for one in propose(model, text).issues} == {"money", "staff_conduct"}
    left = [one for one in model.categories if one != "staff_conduct"]
    (matter,) = propose(model, text, ProposalContext(categories=left)).issues
    assert (matter.category, matter.text) == ("money", text)


def test_where_the_model_knows_a_category_of_the_desks_its_probability_is_the_one_among_them(
    model: Model,
) -> None:
    text = "The invoice is wrong and the employee who answered my complaint was rude"
    free = propose(model, text)
    left = [one for one in model.categories if one != free.alternatives[0].category]
    said = propose(model, text, ProposalContext(categories=[*left, "leak"]))
    assert said.category == free.category
    assert said.probability == pytest.approx(
        free.probability / (1 - free.alternatives[0].probability), abs=1e-3
    )
    assert said.alternatives[:2] != free.alternatives[:2]


def test_a_model_that_knows_none_of_the_desks_categories_says_so(model: Model) -> None:
    said = propose(
        model, "You charged me twice. My kitchen is on fire", ProposalContext(categories=["leak", "odour"])
    )
    assert (said.category, said.probability, said.abstained) == ("other", 0.0, True)
    assert (said.alternatives, said.issues, said.because) == ((), (), ())
    assert (said.severity, said.safety) == (5, 3)
    assert said.model_version == model.version


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_no_proposal_lies_below_a_fired_rule(text: str) -> None:
    model = _cached()
    said, found = propose(model, text), find_signs(text)
    assert said.severity >= max((sign.severity for sign in found), default=1)
    assert said.safety >= max((sign.safety for sign in found), default=0)
    assert said.category in CATEGORIES
    assert 0 <= said.probability <= 1
    assert 1 <= said.severity <= 5


def test_complaints_about_people_are_restricted(model: Model) -> None:
    assert propose(model, "Your employee insulted me and was rude").restricted
    assert propose(model, "They refused me because of my religion").restricted
    assert propose(None, "They refused me because of my religion").restricted
    assert not propose(model, "My parcel has not been delivered").restricted
    assert pytest.approx(0.30) == RESTRICTED_AT


def test_an_organisations_danger_signs_are_heard(model: Model) -> None:
    own = (DangerSign(("klor bulutu",), None, {"tr": "İçeride kalın."}, "chlorine"),)
    assert propose(model, "havuzda klor bulutu var", ProposalContext(danger=own)).rules == ("chlorine",)


def test_the_language_is_one_of_the_organisations(model: Model) -> None:
    assert propose(model, "Faturam çok yüksek geldi, itiraz ediyorum").language == "tr"
    assert propose(model, "My bill is far too high and I object").language == "en"
    assert propose(model, "My bill is far too high", ProposalContext(languages=("tr",))).language == "tr"
    assert propose(model, "", ProposalContext(languages=("tr", "en"))).language == "tr"


def _cached() -> Model:
    """Hypothesis wants no fixture of a narrower scope."""
    return starter_model(("en", "tr"))


def test_a_sign_of_the_organisations_own_makes_praise_a_complaint() -> None:
    own = (DangerSign(("chlorine cloud",), None, {"en": "Stay inside."}, "chlorine"),)
    text = "Thank you so much, wonderful, excellent, great team! I saw the chlorine cloud."
    assert propose(None, text).intent.kind == "praise"
    assert propose(None, text, ProposalContext(danger=own)).intent.kind == "complaint"
