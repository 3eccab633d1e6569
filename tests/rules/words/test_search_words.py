"""The words of a search: folded the same in every inflection, in the language of the complaint."""

from __future__ import annotations

import pytest

from triage.search_words import MOST_WORDS, search_words, story_words

LANGUAGES = ("en", "tr", "de", "es")


def finds(query: str, story: str, language: str) -> bool:
    words = search_words(query, LANGUAGES)
    stored = set(story_words(story, language))
    return bool(words) and all(stored.intersection(word.hashes) for word in words)


@pytest.mark.parametrize(
    ("language", "story", "queries"),
    [
        (
            "en",
            "The deliveries were refused, and I was charged for both invoices",
            "delivery CHARGE refusing invoice",
        ),
        (
            "tr",
            "Suyunuz çok kirli, faturalarımı ödedim ve elektriğim kesik",
            "su fatura KİRLİ elektrik ödedim",
        ),
        (
            "de",
            "Die Rechnungen für das Grundstück kamen in zwei großen Umschlägen",
            "Rechnung GROSS Umschlag",
        ),
        ("es", "Los técnicos cobraron dos averías en la instalación", "técnico COBRO averia instalación"),
    ],
)
def test_a_word_is_found_in_any_case_accent_and_inflection(language: str, story: str, queries: str) -> None:
    assert [query for query in queries.split() if not finds(query, story, language)] == []


def test_every_word_must_be_in_the_complaint() -> None:
    assert finds("water brown", "The water is brown", "en")
    assert not finds("water green", "The water is brown", "en")


def test_common_words_are_left_out_unless_nothing_else_is_searched() -> None:
    assert [word.text for word in search_words("the water of my house", LANGUAGES)] == ["water", "house"]
    # A common word in Spanish is money in Turkish.
    assert finds("para", "Param iade edilmedi", "tr")


def test_codes_of_masked_copies_are_no_words_and_a_long_story_gives_a_bounded_number() -> None:
    assert story_words("[phone] [name]", "en") == ()
    assert len(story_words(" ".join(f"w{n}" for n in range(1000)), "en")) == MOST_WORDS
    assert story_words("\udcff broken", "fr") == story_words("broken", "fr")
