"""Warnings about the words of a letter before it is sent (4.7, 5.1, 7.8).

The two sets have 100 letters each, written by a person who has not seen the rules. Both were learned from afterwards;
docs/triage.md, "Warnings before a letter is sent", has the figures from before.
"""

import json
from pathlib import Path

import pytest

from store.redaction.masking import find_spans
from triage.letter_warnings import WARNINGS, find_warnings

HERE = Path(__file__).parent
#: The author's name for one kind.
NAMES = {"undated_promise": "promise_without_date"}


def warned(
    text: str, language: str = "en", *, role: str = "handler", complainant: str = ""
) -> dict[str, str]:
    """The words of each warning, by its code."""
    personal = [(span.start, span.end, span.kind) for span in find_spans(text, language=language)]
    warnings = find_warnings(
        text, language=complainant or language, may_admit=role == "manager", personal=personal
    )
    return {warning.code: text[slice(*warning.span)] for warning in warnings}


@pytest.mark.parametrize("name", ["letters_a", "letters_b"])
def test_letters_of_an_independent_author_are_warned_of_and_good_ones_pass(name: str) -> None:
    lines = (HERE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    expected = hits = good = false_alarms = 0
    for line in lines:
        row = json.loads(line)
        codes = {NAMES.get(code, code) for code in row["warnings"]}
        found = warned(
            row["text"], row["language"], role=row["role"], complainant=row["complainant_language"]
        )
        expected += len(codes)
        hits += len(codes & set(found))
        good += not codes
        false_alarms += not codes and bool(found)

    assert len(lines) == 100
    assert hits >= 0.90 * expected
    assert false_alarms <= 0.05 * good


@pytest.mark.parametrize(
    ("language", "text", "code", "cause"),
    [
        (
            "en",
            "Thank you. We'll get back to you soon.",
            "promise_without_date",
            "We'll get back to you soon.",
        ),
        (
            "de",
            "Danke. Wir melden uns in Kürze bei Ihnen.",
            "promise_without_date",
            "Wir melden uns in Kürze",
        ),
        ("es", "Gracias. Le llamaremos en breve.", "promise_without_date", "Le llamaremos en breve."),
        ("tr", "Teşekkürler. Size yakında dönüş yapacağız.", "promise_without_date", "Size yakında"),
        ("en", "We are liable for the damage to your car.", "admission", "We are liable"),
        ("de", "Wir haften für den Schaden an Ihrem Auto.", "admission", "haften"),
        ("en", "Internal: offer her 20 pounds.", "internal", "Internal"),
        ("de", "Sehr geehrte Frau Roth, danke. Schau mal, ob du das siehst.", "internal", "du"),
        ("en", "You should have read the terms first.", "blaming", "You should have read"),
        ("es", "Si hubiera leído el contrato, no habría pasado.", "blaming", "Si hubiera leído"),
        (
            "en",
            "Your neighbour Paul Cooper told us about it.",
            "others_data",
            "Paul Cooper",
        ),
        ("tr", "Şoförümüz Cem böbrek nakli bekliyor.", "others_data", "böbrek"),
    ],
)
def test_a_warning_names_the_words_that_cause_it(language: str, text: str, code: str, cause: str) -> None:
    found = warned(text, language)

    assert list(found) == [code]
    assert cause in found[code] or found[code] in cause


def test_a_promise_with_its_date_is_no_warning_in_the_same_or_the_next_sentence() -> None:
    assert warned("We will refund you by 3 December.") == {}
    assert warned("We will refund you. The money is with you by Friday.") == {}
    assert "promise_without_date" in warned("You rang on Friday. We will refund you as soon as we can.")


def test_a_manager_may_admit_liability_and_a_handler_may_deny_it() -> None:
    text = "We are liable for the damage to your car."

    assert warned(text, role="manager") == {}
    assert warned("We are not liable for the damage, for the reasons in the report.") == {}


def test_the_name_in_the_salutation_is_the_complainants_and_quoted_words_are_not_the_writers() -> None:
    assert warned("Dear Mrs Hill, thank you. Mrs Hill of 4 Elm Road is in our list, as you asked.") == {}
    assert warned("You wrote that he said “you should have read the terms”. We are sorry.") == {}


def test_a_letter_in_another_language_is_warned_of_and_a_short_one_is_not() -> None:
    text = "Thank you for your letter about the washing machine. There is nothing for you to pay."

    assert list(warned(text, "en", complainant="de")) == ["wrong_language"]
    assert warned("OK!", "en", complainant="de") == {}
    # Whose letters are in German because the desk did not speak theirs may still write English.
    assert not find_warnings(text, language="de", may_admit=False, writes_in="en")


@pytest.mark.parametrize(
    "text", ["", "  \n", "\ud83d", "(" * 3000, "we will " * 2000, "a b " * 5000, "Şen, " * 500]
)
def test_any_text_gets_an_answer(text: str) -> None:
    assert {warning.code for warning in find_warnings(text, language="tr", may_admit=False)} <= set(WARNINGS)
