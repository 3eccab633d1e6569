"""The labels of documents: the same ids and fields in every language, none missing, none unused."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from amends.documents.case_file.record_words import _STEPS
from amends.documents.labels import Labels, load_labels
from bots.texts.catalogues import DOCUMENTS, shipped, shipped_languages
from complaints.actions.registry import ACTIONS
from complaints.vocabulary import Role

HERE = Path(__file__).parents[2]
SECTIONS = (HERE / "amends" / "documents" / "sections.typ").read_text(encoding="utf-8")
LANGUAGES = tuple(shipped_languages())
TEXTS = {language: shipped(language, DOCUMENTS) for language in LANGUAGES}
#: Families whose ids are built from codes of the record.
COMPUTED = {
    # Fields of the record that no part of the file names.
    "case": {
        "version",
        "work_version",
        "jurisdiction",
        "rulebook",
        "form_ended_at",
        "summary_confirmed",
        "restricted",
        "significant",
        "legal_hold",
    },
    "part": {*Role, "operator", "staff"},
    "person": {"complainant", "affected", "representative", "witness", "subject"},
    "point": {"verified", "preferred", "blocked"},
    "number": {"phone", "email", "customer", "order"},
    "stored": {"announced", "fetched", "unscanned", "infected", "too_large", "failed"},
    "answer": {"accept", "disagree"},
    "messages": {"in", "out"},
    "promise": {"ack", "first_action", "update", "decide", "remedy", "reply", "legal"},
    "left": {"complaint", "decision", "notes", "file"},
    "why": {"others_data", "not_told_yet", "legal_claim", "checked_first", "damaged", "too_large"},
    "evidence": {"in_time", "late", "overdue", "replaced", "ended", "not_due"},
    "mine.kept": {"handling", "accountability", "no_end", "legal_claim", "erased"},
}
#: Fields that the sections print under their label, and steps.
NAMED = re.compile(r"named\(([^()]*)\)")
STEPS = re.compile(r'rows\("([a-z_]+)"|for step in \(([^()]*)\)')
NAME = re.compile(r'"([a-z_]+)"')


def sources() -> list[Path]:
    """The modules that use these labels."""
    return [*(HERE / "amends" / "documents").rglob("*.py"), *(HERE / "amends" / "privacy").rglob("*.py")]


def written() -> set[str]:
    """Every string in the code and in the sections."""
    strings = set(re.findall(r'"([^"\n]*)"', SECTIONS))
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                strings.add(node.value)
    return strings


def computed() -> set[str]:
    """Every id that the code builds from a code."""
    ids = {f"{family}.{code}" for family, codes in COMPUTED.items() for code in codes}
    steps = {
        name for found in STEPS.findall(SECTIONS) for name in (found[0], *NAME.findall(found[1])) if name
    }
    assert steps == set(_STEPS.values())
    ids |= {f"step.{name}" for name in (*steps, "corrected", "verified")}
    ids |= {f"case.{name}" for fields in NAMED.findall(SECTIONS) for name in NAME.findall(fields)}
    # Facts and their codes come from every verb: a label that no fact uses costs nothing.
    return ids | {id_ for id_ in TEXTS["en"] if id_.startswith(("fact.", "value."))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_of_every_verb_has_a_label(language: str) -> None:
    labels = load_labels((language,), "Europe/London", staff=True)
    names = {name for action in ACTIONS.values() for name in (*action.shapes.required, *action.shapes.shapes)}
    families = ("fact", "case", "said", "field", "table")
    bare = {name for name in names if not any(_has(labels, f"{family}.{name}") for family in families)}

    assert bare == set()


def _has(labels: Labels, id_: str) -> bool:
    return any(texts.has(id_) for texts in labels.domains)


def test_no_label_is_missing() -> None:
    families = {id_.split(".")[0] for id_ in TEXTS["en"]} - {"said"}
    used = {text for text in written() if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", text)}
    assert {id_ for id_ in used | computed() if id_.split(".")[0] in families} - set(TEXTS["en"]) - {
        "document.typ",
        "evidence.toml",
    } == set()


def test_no_label_is_unused() -> None:
    assert set(TEXTS["en"]) - written() - computed() == set()


#: Labels that are the same word as in English.
SAME = {
    "en": set(TEXTS["en"]),
    "tr": {"case.model", "part.model", "table.digest", "table.number"},
    "de": {"case.name", "form.problem", "table.digest"},
    "es": {"case.bytes", "document.no", "table.digest", "table.hash"},
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_labels_differ_from_the_english_ones(language: str) -> None:
    same = {id_ for id_, message in TEXTS["en"].items() if message.forms == TEXTS[language][id_].forms}
    assert same == SAME[language]
    assert load_labels((language,), "Europe/London", staff=True).language == language


def test_a_language_without_document_labels_falls_back_to_another(tmp_path: Path) -> None:
    (tmp_path / "nl.po").write_text('msgid "receipt"\nmsgstr "Genoteerd als {ref}."\n', encoding="utf-8")
    assert load_labels(("nl", "tr"), "Europe/Amsterdam", tmp_path).language == "tr"
    assert load_labels(("nl",), "Europe/Amsterdam", tmp_path).language == "en"
    assert load_labels(("tr", "nl"), "Europe/Amsterdam").in_language("nl").language == "tr"


def test_a_code_without_a_label_is_shown_as_it_is() -> None:
    labels = load_labels(("en",), "Europe/London")
    assert labels.code("state", "something_new") == "something new"
    assert labels.code("state", None) is None
