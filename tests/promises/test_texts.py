"""The catalogues and the code agree: the same ids and fields everywhere, none missing, none unused (4.3)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bots.dialogue.buttons import REMEDIES, SURVEY
from bots.dialogue.commands import COMMANDS
from bots.slack.staff_texts import StaffTexts
from bots.texts.catalogues import (
    COMPLAINANT,
    DANGER_IDS,
    DOCUMENTS,
    DOMAINS,
    INFORMAL,
    STAFF,
    TextsError,
    load_catalogues,
    overlay,
    shipped,
    shipped_languages,
)
from bots.texts.texts import Texts
from complaints.forms import FORMS
from complaints.hazards import HAZARD_OF_KIND
from complaints.vocabulary import Category, CloseCode, Finding, Remedy, State
from triage.matching import LANGUAGES as DETECTED
from triage.safety.signs import BUILT_IN

BOTS = Path(__file__).parents[2] / "bots"
CATALOGUES = sorted(folder.name for folder in (BOTS / "texts").iterdir() if (folder / "amends.po").is_file())
#: The languages that a desk can speak; the other catalogues have only what people in danger read.
LANGUAGES = ["en", *(language for language in shipped_languages() if language != "en")]
TEXTS: Texts = load_catalogues(LANGUAGES)

#: The folders and files that use each domain's ids.
PAGES = ("../amends/public_page.py", "../amends/documents/complainant_documents.py")
ROOMS = {COMPLAINANT: ("dialogue", "letters", "telegram", "texts", *PAGES), STAFF: ("slack",)}
#: Families whose ids are built from codes of the record.
FAMILIES = {
    "state.": set(State),
    "finding.": set(Finding),
    "remedy.": set(Remedy),
    "category.": set(Category),
    "closing.": {*CloseCode, "again", "again.spoken", "no_reason"},
    "command.": set(COMMANDS),
    "survey.": {*SURVEY, "thanks", "number", "understood"},
}

#: The button labels of the public interface.
LABELS = (
    "Done",
    "Skip",
    "Send",
    "Change",
    "Not yet",
    "Cancel",
    "Yes",
    "Yes, and more",
    "No",
    "I accept",
    "I disagree",
    "I have a question",
    "It is over",
    "1",
    "2",
    "3",
    "4",
    "5",
    "Repair",
    "Replacement",
    "Money back",
    "Explanation",
    "Apology",
    "A change",
    "Something else",
    "Just to let you know",
    "For me",
    "They agreed",
    "They cannot decide",
    "They don't know",
    "New complaint",
    "The story",
    "Where and when",
    "What would help",
)


def strings(rooms: tuple[str, ...]) -> Iterator[str]:
    """Every string in the code, and the beginning of every f-string up to its first value."""
    for room in rooms:
        for file in sorted((BOTS / room).rglob("*.py")) or [BOTS / room]:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.JoinedStr)
                    and node.values
                    and isinstance(node.values[0], ast.Constant)
                ):
                    yield f"{node.values[0].value}*"
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def letters_of_forms() -> Iterator[str]:
    """The text of each letter that staff write, and of each field that may be empty."""
    for form in FORMS.values():
        yield form.letter
        yield from (f"{form.letter}.{entry.name}" for entry in form.fields if not entry.required)


def test_english_turkish_german_and_spanish_are_complete() -> None:
    assert {"en", "tr", "de", "es"} <= set(LANGUAGES)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_ids_and_fields(language: str, domain: str) -> None:
    english = {id_: message.fields for id_, message in shipped("en", domain).items()}
    assert {id_: message.fields for id_, message in shipped(language, domain).items()} == english


@pytest.mark.parametrize("domain", DOMAINS)
def test_counted_texts_have_a_singular_form(domain: str) -> None:
    counts = re.compile(r"\{number\}\*? (?:[a-z]+ )?[a-z]+s\b|every \{")
    plural_only = {
        id_
        for id_, message in shipped("en", domain).items()
        if len(message.forms) == 1 and counts.search(message.forms[0])
    }
    # Used only for two and more.
    assert plural_only - {"card.matters"} == set()


def test_no_text_for_complainants_is_unused() -> None:
    used = {*strings(ROOMS[COMPLAINANT]), *letters_of_forms()}
    beginnings = tuple(text[:-1] for text in used if text.endswith("*") and len(text) > 2)
    # A text may have another wording where staff read it out.
    ids = {id_.removesuffix(".spoken") for id_ in TEXTS.ids("en")}
    unused = [id_ for id_ in sorted(ids) if id_ not in used and not id_.startswith(beginnings)]
    assert unused == []


#: Texts of a code in a case where its usual text would not be true.
VARIANTS = {"raised", "seen", "resolved.nothing_owed", "withdrawn.goes_on"}


@pytest.mark.parametrize(("family", "codes"), FAMILIES.items())
def test_every_code_of_the_record_has_a_text(family: str, codes: set[str]) -> None:
    have = {id_.removeprefix(family) for id_ in TEXTS.ids("en") if id_.startswith(family)} - VARIANTS
    assert have == codes


def test_every_built_in_danger_belongs_to_a_hazard() -> None:
    dangers = {rule.kind for rule in BUILT_IN if rule.danger}
    assert dangers - set(HAZARD_OF_KIND) == set()


def test_every_language_whose_danger_is_detected_has_the_texts_of_danger() -> None:
    required = {id_ for id_ in TEXTS.ids("en") if id_.startswith(DANGER_IDS)}
    assert set(DETECTED) <= set(CATALOGUES)
    assert len(required) >= 20
    for language in set(CATALOGUES) - set(LANGUAGES):
        catalogue = shipped(language, COMPLAINANT)
        # A language that the safety rules do not read has the texts of the question and of the number.
        assert language not in DETECTED or required <= set(catalogue)
        assert {"danger", "danger.ask", "danger.call", "button.yes", "button.no", "button.safe"} <= set(
            catalogue
        )
        assert set(catalogue) <= required
        assert {
            id_ for id_ in catalogue if catalogue[id_].fields != shipped("en", COMPLAINANT)[id_].fields
        } == set()


def test_a_desk_has_the_texts_of_danger_in_languages_that_it_does_not_speak() -> None:
    texts = load_catalogues(["en", "tr"])
    assert texts.language("de") == "en"
    assert texts.danger_language("de", "tr") == "de"
    assert texts.danger_language("fr", "tr") == "fr"
    assert texts.danger_language("sw", "tr") == "en"
    assert texts.text("de", "danger.call", number="112") == "Rufen Sie jetzt 112 an."
    assert texts.choice_of("Es ist vorbei") == "safe"
    # Romanian "nu" is "no", Dutch "nu" is "now": nobody ends a danger by it.
    assert texts.choice_of("Nu") is None
    informal = load_catalogues(["en"], address="informal")
    assert informal.text("de", "danger.call", number="112") == "Ruf jetzt 112 an."


def test_every_button_of_the_public_interface_has_a_label() -> None:
    assert [label for label in LABELS if TEXTS.choice_of(label) is None] == []
    assert TEXTS.label("en", "add", "A7K-M3Q-9T") == "Add to A7K-M3Q-9T"
    assert {choice for choice in REMEDIES if not TEXTS.has(f"button.{choice}")} == set()


def test_labels_are_distinct_in_every_language() -> None:
    for language in LANGUAGES:
        labels = [TEXTS.raw(language, id_) for id_ in TEXTS.ids(language) if id_.startswith("button.")]
        assert len(set(labels)) == len(labels)


def test_command_descriptions_are_within_telegrams_limit() -> None:
    for language in LANGUAGES:
        for name in COMMANDS:
            assert 1 <= len(TEXTS.text(language, f"command.{name}")) <= 256


def test_an_organisation_can_replace_a_text(tmp_path: Path) -> None:
    (tmp_path / "en.po").write_text('msgid "receipt"\nmsgstr "Noted as {ref}."\n', encoding="utf-8")
    texts = load_catalogues(["en", "tr"], tmp_path)
    assert texts.text("en", "receipt", ref="A7K-M3Q-9T") == "Noted as A7K-M3Q-9T."
    assert texts.text("tr", "receipt", ref="A7K-M3Q-9T").startswith("Bunu duyduğumuza üzüldük.")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ('msgid "receipt"\nmsgstr "Noted."\n', "must have exactly these fields: {ref}"),
        ('msgid "receipt"\nmsgstr "Noted {ref} {name}."\n', "must have exactly these fields: {ref}"),
        ('msgid "reciept"\nmsgstr "Noted {ref}."\n', 'no text has the id "reciept"'),
        ('msgid "receipt"\nmsgstr "Noted {ref.__class__}."\n', "has a brace that is no field"),
        ('msgid "receipt"\nmsgstr ""\n', "has no text yet"),
    ],
)
def test_an_invalid_replacement_text_is_refused_with_the_remedy(tmp_path: Path, entry: str, why: str) -> None:
    (tmp_path / "en.po").write_text(entry, encoding="utf-8")
    with pytest.raises(TextsError) as refused:
        load_catalogues(["en"], tmp_path)
    assert why in str(refused.value)


def test_a_language_without_texts_is_refused() -> None:
    with pytest.raises(TextsError, match=r'no texts in "fr"'):
        load_catalogues(["en", "fr"])


def test_a_new_language_needs_one_catalogue(tmp_path: Path) -> None:
    english = (BOTS / "texts" / "en" / "amends.po").read_text(encoding="utf-8")
    (tmp_path / "fr.po").write_text(english.replace("Language: en", "Language: fr"), encoding="utf-8")
    assert load_catalogues(["en", "fr"], tmp_path).text("fr", "button.done") == "Done"


#: A formal pronoun that no full stop explains: not "Sie" at the start of a sentence, which may mean "they".
FORMAL_PRONOUNS = {
    "de": re.compile(r"(?<![.!?:\n]) (?:Sie|Ihnen|Ihre?[mnrs]?)\b"),
    "es": re.compile(r"(?i)\busted(?:es)?\b"),
    "tr": re.compile(r"(?i)\bsiz(?:e|i|in|den|de|ler\w*)?\b"),
}


@pytest.mark.parametrize("language", [name for name in LANGUAGES if shipped(name, INFORMAL)])
def test_informal_texts_replace_formal_ones_with_the_same_fields(language: str) -> None:
    informal = shipped(language, INFORMAL)
    formal = {**shipped(language, DOCUMENTS), **shipped(language, COMPLAINANT)}
    assert set(informal) <= set(formal)
    overlay(formal, informal, "informal.po")
    assert {id_ for id_, message in informal.items() if message.forms == formal[id_].forms} == set()
    left = {id_ for id_ in informal if FORMAL_PRONOUNS[language].search(" ".join(informal[id_].forms))}
    assert left == set()


def test_the_address_is_formal_unless_the_desk_chooses_the_informal_one(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text('msgid "ask.change"\nmsgstr "Was denn?"\n', encoding="utf-8")
    assert load_catalogues(["de"]).text("de", "ask.effect") == "Was hat das für Sie bedeutet?"
    texts = load_catalogues(["de", "en"], tmp_path, address="informal")
    assert texts.text("de", "ask.effect") == "Was hat das für dich bedeutet?"
    assert texts.text("de", "ask.again") == "Ist das schon einmal passiert?"
    assert texts.text("de", "ask.change") == "Was denn?"
    assert texts.text("en", "ask.effect") == "What has this meant for you?"


def test_german_texts_that_address_somebody_all_have_an_informal_form() -> None:
    """A polite pronoun in a text without an informal form would reach a person who is addressed as "du"."""
    polite = re.compile(r"(?<![.!?:\n]) Sie\b|\bIhnen\b|\bIhre?[mnrs]?\b")
    # A member of staff who is complained about reads this one.
    others = {"case.for_subject"}
    for domain in (COMPLAINANT, DOCUMENTS):
        texts = shipped("de", domain)
        addressing = {id_ for id_ in texts if polite.search(" ".join(texts[id_].forms))}
        assert addressing - set(shipped("de", INFORMAL)) - others == set()


def test_german_dates_amounts_and_counts_are_written_as_in_german() -> None:
    day = date(2026, 11, 4)
    assert TEXTS.date("de", day, "Europe/Berlin") == "Mittwoch, 4. November 2026"
    assert TEXTS.amount("de", "1234.5", "EUR") == "1.234,50\xa0€"
    assert (TEXTS.span("de", "1 bd"), TEXTS.span("de", "8 weeks")) == ("1 Arbeitstag", "8 Wochen")
    staff = StaffTexts(load_catalogues(["de"], domain=STAFF), "de")
    noon = datetime(2026, 11, 4, 12, tzinfo=UTC)
    assert (staff.day(day), staff.moment(noon, "Europe/Berlin")) == (
        "Mi., 4. Nov. 2026",
        "Mi., 4. Nov., 13:00",
    )


def test_labels_are_distinct_in_every_language_also_without_accents() -> None:
    for language in LANGUAGES:
        labels = {
            TEXTS.raw(language, id_): id_.removeprefix("button.")
            for id_ in TEXTS.ids(language)
            if id_.startswith("button.") and not TEXTS.fields(language, id_)
        }
        texts = load_catalogues([language])
        assert {label: texts.choice_of(label.upper()) for label in labels} == labels


def test_no_text_has_two_wordings_in_one_catalogue() -> None:
    """A merge can leave both: the first would be used, and nobody would see the other."""
    twice = []
    for file in sorted((BOTS / "texts").glob("*/*.po")):
        text = file.read_text(encoding="utf-8")
        ids = re.findall(r'^msgid "(.+)"$', text, re.MULTILINE)
        two = re.search(r'^msgstr "[^\n]*\n(?:"[^\n]*\n)*msgstr "', text, re.MULTILINE)
        if two or len(ids) > len(set(ids)):
            twice.append(file.relative_to(BOTS).as_posix())
    assert twice == []
