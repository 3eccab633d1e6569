"""The labels of documents: the same ids and fields in every language, none missing, none unused."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from amends.documents.labels import load_labels
from bots.texts.loading import DOCUMENTS, shipped
from complaints.vocabulary import Role

HERE = Path(__file__).parents[2]
LANGUAGES = ("en", "tr")
TEXTS = {language: shipped(language, DOCUMENTS) for language in LANGUAGES}
#: Families whose ids are made from codes of the record.
COMPUTED = {
    # Fields of the record that no part of the file asks for by name.
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
    "stored": {"announced", "fetched", "too_large", "failed"},
    "answer": {"accept", "disagree"},
    "messages": {"in", "out"},
    "promise": {"ack", "first_action", "update", "decide", "remedy", "reply", "legal"},
    "left": {"complaint", "decision", "notes", "file"},
    "why": {"others_data", "not_told_yet", "legal_claim", "checked_first", "too_large"},
    "mine.kept": {"handling", "accountability", "no_end", "legal_claim", "erased"},
}
STEPS = re.compile(r'"([a-z_]+)": frozenset')


def sources() -> list[Path]:
    """The modules that speak these texts."""
    return [*(HERE / "amends" / "documents").rglob("*.py"), *(HERE / "amends" / "privacy").rglob("*.py")]


def written() -> set[str]:
    """Every id that stands in the code as it is."""
    found = set()
    for file in sources():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def computed() -> set[str]:
    """Every id that the code makes from a code."""
    ids = {f"{family}.{code}" for family, codes in COMPUTED.items() for code in codes}
    steps = (HERE / "amends" / "documents" / "case_file" / "follow_up.py").read_text(encoding="utf-8")
    return ids | {f"step.{name}" for name in (*STEPS.findall(steps), "corrected", "verified")}


def test_every_language_has_the_same_ids_with_the_same_fields() -> None:
    en, tr = TEXTS["en"], TEXTS["tr"]
    assert set(en) == set(tr)
    assert {id_ for id_, message in en.items() if message.fields != tr[id_].fields} == set()


def test_no_label_is_missing() -> None:
    families = {id_.split(".")[0] for id_ in TEXTS["en"]} - {"said"}
    asked = {one for one in written() if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", one)}
    assert {one for one in asked | computed() if one.split(".")[0] in families} - set(TEXTS["en"]) - {
        "document.typ"
    } == set()


def test_no_label_is_left_over() -> None:
    assert set(TEXTS["en"]) - written() - computed() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_turkish_label_is_not_the_english_one(language: str) -> None:
    same = {id_ for id_, message in TEXTS["en"].items() if message.forms == TEXTS["tr"][id_].forms}
    assert same == {"case.model", "part.model", "table.digest", "table.number"}
    assert load_labels((language,), "Europe/London", staff=True).language == language


def test_a_language_of_ones_own_without_labels_of_documents_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text('msgid "receipt"\nmsgstr "Notiert als {ref}."\n', encoding="utf-8")
    assert load_labels(("de", "tr"), "Europe/Berlin", tmp_path).language == "tr"
    assert load_labels(("de",), "Europe/Berlin", tmp_path).language == "en"
    assert load_labels(("tr", "de"), "Europe/Berlin").in_language("de").language == "tr"


def test_documents_take_a_code_without_words_as_it_is() -> None:
    labels = load_labels(("en",), "Europe/London")
    assert labels.code("state", "something_new") == "something new"
    assert labels.code("state", None) is None
