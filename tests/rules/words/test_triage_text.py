"""Normalising: personal data masked before a model sees it, any text accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage import text as text_module
from triage.matching import fold
from triage.text import LONGEST, detect_language, guess_language, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jane.doe@example.org please", "write to emailaddress please"),
        ("call +44 7700 900123 now", "call longnumber now"),
        ("call (0212) 555 12 34 now", "call longnumber now"),
        ("IBAN GB29 NWBK 6016 1331 9268 19.", "IBAN bankaccount ."),
        ("order AB12345678 is late", "order somecode is late"),
        ("see https://example.org/a?b=1 there", "see weblink there"),
        ("ask @someone there", "ask username there"),
        ("the 12345 of 2024", "the 0000 of 0000"),
        ("at 10:30 for £20", "at 10:30 for £20"),
        ("<p>Hello&nbsp;<b>there</b></p>", "Hello there"),
        ("Ｗｉｄｅ  \t ｔｅｘｔ\n\n", "Wide text"),
        ("a < b and c > d", "a < b and c > d"),
        ("", ""),
        (" \n\t ", ""),
        ("🔥🔥", "🔥🔥"),
        ("nul\x00byte", "nul byte"),
        ("b\u200bi\u200blled tw\u00adice", "billed twice"),
        ("call +44\u200b 77\u200b00 9\u200b00123 now", "call longnumber now"),
    ],
    ids=range(18),
)
def test_personal_data_and_markup_are_removed_from_the_text(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text(max_size=400))
def test_a_normalised_text_contains_no_long_number(text: str) -> None:
    tidy = normalise(text)
    assert tidy == " ".join(tidy.split())
    longest = 0
    for character in tidy:
        longest = longest + 1 if character.isascii() and character.isdigit() else 0
        assert longest <= 6


@pytest.mark.parametrize(
    "piece", ["a@", "1 ", "<", "A1", "GB12", "&lt;", "x", "🔥", "+", "- "], ids=range(10)
)
def test_a_text_of_a_hundred_thousand_characters_is_read(piece: str) -> None:
    assert len(normalise(piece * (100_000 // len(piece)))) <= LONGEST * 4


def test_the_language_is_guessed_among_the_given_ones() -> None:
    assert guess_language("Faturam neden bu kadar yüksek geldi?") == "tr"
    assert guess_language("sular akmiyor kimse ilgilenmiyor") == "tr"
    assert guess_language("Why is my bill so high?") == "en"
    assert guess_language("Mein Wasser ist seit gestern weg", ("en", "de")) == "de"


def test_the_language_model_is_loaded_once_whichever_languages_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert guess_language("Das Wasser ist seit gestern weg", ("en", "de")) == "de"
    monkeypatch.setattr(text_module.LanguageIdentifier, "from_model_file", None)
    assert guess_language("Hier soir il y avait de l'eau brune", ("en", "fr", "nl")) == "fr"
    assert guess_language("Das Wasser ist seit gestern weg", ("en", "de")) == "de"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Seit gestern kommt aus keinem Hahn im Haus Wasser.", "de"),
        ("Depuis hier il n'y a plus d'eau dans tout l'immeuble.", "fr"),
        ("Dünden beri binanın hiçbir katında su akmıyor.", "tr"),
        ("There has been no water on any floor since yesterday.", "en"),
        ("No water", None),
        ("🔥 123 456", None),
    ],
)
def test_the_language_of_a_text_is_detected_or_left_open(text: str, language: str | None) -> None:
    assert detect_language(text) == language


def test_without_letters_or_alternatives_the_first_language_is_used() -> None:
    assert guess_language("", ("tr", "en")) == "tr"
    assert guess_language("🔥 123", ("tr", "en")) == "tr"
    assert guess_language("Why is my bill so high?", ("tr",)) == "tr"
    assert guess_language("Why is my bill so high?", ("xx", "en")) == "xx"


@given(st.text(max_size=200))
def test_positions_in_a_folded_text_map_to_the_original(text: str) -> None:
    folded = fold(text)
    assert folded.length == len(text)
    if folded.offsets is not None:
        assert len(folded.offsets) == len(folded.text)
        assert list(folded.offsets) == sorted(folded.offsets)
    else:
        assert len(folded.text) == len(text)


def test_folding_removes_case_and_diacritics() -> None:
    assert fold("Ayşe'NİN IŞIĞI ÇÖKTÜ").text == "ayse'nin isigi coktu"
    assert fold("don’t").text == "don't"
    assert fold("Straße").text == "strasse"
