"""Warnings about the words of a letter before it is sent (4.7, 5.1, 7.8).

The weights were learned from the letters of `triage/letters/letters.csv`, so those say what is kept and not how new
letters do. Nothing was learned from the letters of sets D, F, G, J and L. Those of D were looked at to set rules and
limits, the others were not; docs/triage.md, "Warnings before a letter is sent".
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from store.redaction.masking import find_spans
from triage.errors import UnreadableModel
from triage.learning.letter_models import personal_spans
from triage.letters import letter_sentences, letter_warnings
from triage.letters.letter_warnings import WARNINGS, find_warnings, load_letter_warnings
from triage.matching import fold

HELD_OUT = Path(__file__).parent
#: The author's names for the kinds.
NAMES = {
    "no_date": "promise_without_date", "third_party": "others_data", "internal_note": "internal",
    "tone": "blaming", "language": "wrong_language",
}  # fmt: skip


def warned(
    text: str,
    language: str = "en",
    *,
    role: str = "handler",
    complainant: str = "",
    person: str = "",
) -> dict[str, str]:
    """The words of each warning, by its code."""
    personal = personal_data(text, language, person)
    warnings = find_warnings(
        text,
        language=complainant or language,
        may_admit=role == "manager",
        personal=personal,
    )
    return {warning.code: text[slice(*warning.span)] for warning in warnings}


def personal_data(text: str, language: str, person: str) -> list[tuple[int, int, str]]:
    """What masking finds, without the data of the complainant."""
    own = set(fold(person).text.split())
    return [
        (span.start, span.end, span.kind)
        for span in find_spans(text, language=language)
        if own.isdisjoint(fold(text[span.start : span.end]).text.split())
    ]


def learned_letters() -> list[dict[str, str]]:
    file = resources.files("triage").joinpath("letters", "letters.csv")
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def codes_of(row: Mapping[str, Any], complainant: str) -> set[str]:
    """The warnings for a row of written letters."""
    language, role, person = row["language"], row["role"], row["person"]
    return set(warned(row["text"], language, role=role, complainant=complainant, person=person))


def written(name: str) -> list[dict[str, Any]]:
    """The letters of a set."""
    return [json.loads(line) for line in (HELD_OUT / name).read_text(encoding="utf-8").splitlines()]


def shares(letters: Iterable[tuple[set[str], set[str]]]) -> tuple[float, float]:
    """The share of faulty letters with a warning of their fault, and of good ones with any: (labels, warnings)."""
    rows = list(letters)
    hits = [bool(labels & codes) for labels, codes in rows if labels]
    alarms = [bool(codes) for labels, codes in rows if not labels]
    return sum(hits) / len(hits), sum(alarms) / len(alarms)


def labels_of(row: Mapping[str, Any]) -> set[str]:
    """The codes of the faults: a label is a name, or a name and the faulty words."""
    names = {label if isinstance(label, str) else label[0] for label in row["labels"]}
    return {NAMES.get(name, name) for name in names}


def test_letters_that_were_learned_from_are_warned_of_and_good_ones_pass() -> None:
    rows = [row for row in learned_letters() if len(row["source"]) == 1]
    assert len(rows) == 4404

    recall, false_alarms = shares(
        (set(row["warnings"].split()), codes_of(row, row["complainant_language"])) for row in rows[::4]
    )

    assert recall >= 0.95
    assert false_alarms <= 0.03


def test_the_personal_data_that_is_learned_with_a_letter_is_what_masking_finds() -> None:
    rows = learned_letters()[::40]
    assert any(row["personal"] for row in rows)
    assert [personal_spans(row["personal"]) for row in rows] == [
        personal_data(row["text"], row["language"], row["person"]) for row in rows
    ]


def test_missing_weights_say_how_to_learn_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(letter_sentences, "WEIGHTS", tmp_path / "weights.npz")
    with pytest.raises(UnreadableModel, match=r"triage\.learning\.letter_models"):
        letter_sentences.read_weights("en")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("The names went on after our warning.", set()),
        ("The names you called our staff went on after our warning.", set()),
        ("After our warning you went on calling our staff names.", set()),
        ("The names of the other customers, Jane Doe and Ada Finch, went on the list.", {"others_data"}),
        ("You called our driver names, and his colleague Ada Finch has cancer.", {"others_data"}),
    ],
)
def test_insults_are_no_data_of_others(text: str, codes: set[str]) -> None:
    assert set(warned(text)) == codes


@pytest.mark.parametrize(
    ("name", "size", "least_recall", "most_false_alarms"),
    # Measured: D 101 of 120 and 3 of 120; F 96 of 100 and 1 of 100; G 94 and 8; J 90 and 6; L 91 and 4.
    [
        ("letters_d.jsonl", 240, 0.83, 0.034),
        ("letters_f.jsonl", 200, 0.95, 0.02),
        ("letters_g.jsonl", 200, 0.93, 0.08),
        ("letters_j.jsonl", 200, 0.89, 0.06),
        ("letters_l.jsonl", 200, 0.90, 0.04),
    ],
)
def test_letters_that_nothing_was_learned_from_keep_their_measured_figures(
    name: str, size: int, least_recall: float, most_false_alarms: float
) -> None:
    rows = written(name)

    recall, false_alarms = shares((labels_of(row), codes_of(row, row["case_language"])) for row in rows)

    assert len(rows) == size
    assert recall >= least_recall
    assert false_alarms <= most_false_alarms


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


def test_a_letter_is_checked_without_loading_anything_once_its_language_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*args: object) -> None:
        raise AssertionError(f"loaded late: {args}")

    letter_warnings._weights.cache_clear()
    load_letter_warnings(["de"])
    monkeypatch.setattr(letter_warnings, "read_weights", fail)

    assert list(warned("Wir haften für den Schaden an Ihrem Auto.", "de")) == ["admission"]
    with pytest.raises(AssertionError, match="loaded late"):
        warned("We are liable for the damage to your car.")


def test_a_promise_with_its_date_is_no_warning_in_the_same_or_the_next_sentence() -> None:
    assert warned("We will refund you by 3 December.") == {}
    assert warned("We will refund you. The money is with you by Friday.") == {}
    assert "promise_without_date" in warned("You rang on Friday. We will refund you as soon as we can.")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "We sent the money back."),
        ("de", "Wir haben das Geld zurückgeschickt."),
        ("es", "Le devolvimos el dinero."),
        ("es", "Le respondimos con una carta."),
        ("tr", "Parayı geri gönderdik."),
    ],
)
def test_a_report_of_what_was_done_is_no_promise(language: str, text: str) -> None:
    assert warned(text, language) == {}


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


def test_a_closing_that_was_copied_from_a_letter_in_another_language_is_warned_of() -> None:
    text = "Dear Mr Weber, your bicycle was found on 3 May and is at our office in Mill Road until the end of June. "

    closing = "Für die Unannehmlichkeiten bitten wir Sie herzlich um Entschuldigung."
    assert warned(text + closing) == {"wrong_language": closing}
    assert warned(text + "Ihre bisherigen Kursunterlagen können Sie behalten.") != {}
    # Without a full stop a few words may be a name or an address.
    assert warned(text + "Mit freundlichen Grüßen, Hans Weber") == {}
    assert warned(text + "Haus der Begegnung, Alte Gasse, Linz") == {}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Note (for the file): it was our driver."),
        ("de", "Hinweis (nur intern): es war unser Fahrer."),
        ("es", "Nota (para el expediente): fue nuestro conductor."),
        ("tr", "NOT (dosya için): bizim şoförümüzdü."),
    ],
)
def test_a_label_with_brackets_marks_a_note_for_the_file(language: str, text: str) -> None:
    assert "internal" in warned(text, language)


def test_what_rules_find_for_certain_is_warned_of_in_a_letter_of_any_length() -> None:
    before = "Dear Mr Hill,\n\nThank you for your letter of 3 May. We have read the meter and our fitter's report. "
    after = " It shows 4,120. You reach us from Monday to Friday between 9 and 5.\n\nYours sincerely\nAlice"
    fault = "Internal: the fitter was drunk, we are liable, her number is +44 7700 900123."

    assert {"others_data", "internal", "admission"} <= set(warned(fault))
    assert {"others_data", "internal", "admission"} <= set(warned(before + fault + after))
    assert set(warned(before + after)) == set()


@pytest.mark.parametrize(
    "text", ["", "  \n", "\ud83d", "(" * 3000, "we will " * 2000, "a b " * 5000, "Şen, " * 500]
)
def test_any_text_gets_an_answer(text: str) -> None:
    assert {warning.code for warning in find_warnings(text, language="tr", may_admit=False)} <= set(WARNINGS)
