"""A new verb with a form, a letter and a note needs three files of the product, and its texts.

The folder `new_verb` has what is added to each file, as the recipe in CONTRIBUTING.md says. Here it is added to a
copy of the project. The copy then runs its own checks, the story of the verb and `new_verb/checks.py`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGE = Path(__file__).with_name("new_verb")
PRODUCT = ("amends", "bots", "complaints", "reports", "scheduler", "store", "triage")
#: What people read: the catalogues, and the refusals in English.
TEXTS = re.compile(r"bots/texts/.+\.po|complaints/refusals\.toml")
#: The tests that a new verb concerns. That of external names only asks to confirm the new ones.
CHECKS = (
    "tests/promises/new_verb/checks.py",
    "tests/promises/test_every_form_is_offered.py",
    "tests/promises/test_slack_documented.py",
    "tests/promises/test_lifecycle_diagram.py",
    "tests/promises/test_texts.py",
    "tests/promises/test_staff_texts.py",
    "tests/promises/test_refusal_texts.py",
    "tests/promises/test_clauses.py::test_the_index_of_tests_matches_the_marks",
    "tests/rules/lifecycle/test_verb_rows.py",
    "tests/rules/slack/test_forms.py::test_every_field_says_who_reads_it",
    "tests/stories/test_stories.py::test_a_story_plays_as_written[offer_a_call]",
)
STAGE, FORMS = "complaints/actions/correspondence.py", "complaints/forms.toml"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the new verb."""
    copy = tmp_path_factory.mktemp("new_verb") / "project"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    add_verb(copy)
    return copy


def add_verb(project: Path) -> None:
    insert(project / "complaints/vocabulary.py", "\n\nclass Priority(", added("vocabulary.py.txt"))
    functions, row = re.split(r"\n\n\n(?=    Verb\.)", added("correspondence.py.txt"))
    insert(project / STAGE, "# fmt: off\nROWS", f"{functions}\n\n\n")
    insert(project / STAGE, "}\n# fmt: on\n", row)
    add_to_tables(project / FORMS, added("forms.toml"))
    append(project / "complaints/refusals.toml", added("refusals.toml"))
    for catalogue in (CHANGE / "texts").rglob("*.po"):
        name = catalogue.relative_to(CHANGE).as_posix()
        append(project / "bots" / name, f"\n{added(name)}")
    insert(project / "docs/slack.md", "| Limit contact |", added("slack.md"))
    insert(project / "docs/permissions.md", "| manager | all of", added("permissions.md"))
    shutil.copy(CHANGE / "offer_a_call.story", project / "tests/stories")


def added(name: str) -> str:
    return (CHANGE / name).read_text(encoding="utf-8")


def insert(file: Path, anchor: str, text: str) -> None:
    """Put the text before the anchor."""
    before, found, after = file.read_text(encoding="utf-8").partition(anchor)
    assert found, f"{file.name} has no {anchor!r} any more: choose another place"
    file.write_text(f"{before}{text}{found}{after}", encoding="utf-8")


def append(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


def add_to_tables(file: Path, tables: str) -> None:
    """Add lines to the tables that the file has, and a new table before the readers."""
    for table in re.split(r"\n(?=\[)", tables):
        header, _, lines = table.partition("\n")
        text = file.read_text(encoding="utf-8")
        if found := re.search(rf"^{re.escape(header)}\n.*?(?=\n\[)", text, re.MULTILINE | re.DOTALL):
            file.write_text(text.replace(found[0], found[0] + lines), encoding="utf-8")
        else:
            insert(file, "[readers]\n", f"{table}\n")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in this folder, which comes before the project that is under test."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=inherited, capture_output=True, text=True, check=False
    )


def files_of_product(project: Path) -> dict[str, bytes]:
    return {
        file.relative_to(project).as_posix(): file.read_bytes()
        for folder in PRODUCT
        for file in (project / folder).rglob("*")
        if file.suffix in (".py", ".toml", ".typ", ".po", ".json", ".csv")
    }


def test_it_needs_three_files_of_the_product_and_texts(project: Path) -> None:
    before, after = files_of_product(ROOT), files_of_product(project)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name for name in changed if not TEXTS.fullmatch(name)} == {
        "complaints/vocabulary.py", STAGE, FORMS,
    }  # fmt: skip


def test_the_copy_passes_the_checks_of_verbs_and_forms(project: Path) -> None:
    written = run(project, "-m", "tests.lifecycle_page")
    assert written.returncode == 0, written.stderr
    # Within the folder of this run, so that the story finds the starter model that other tests have trained.
    options = ("-q", "-p", "no:cacheprovider", "-n", "0", f"--basetemp={project.parent / 'run'}")
    checked = run(project, "-m", "pytest", *options, *CHECKS)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(
    ("file", "trait", "instead", "error"),
    [
        (STAGE, "words=WordKind.LETTER, ", "", "missing 1 required positional argument: 'words'"),
        (STAGE, "leaves=(per_event.letter,), ", "", "leaves: a letter of staff needs per_event.letter"),
        (STAGE, 'form="offer_call"', 'form="offer"', "form: forms.toml has no 'offer'"),
        (FORMS, 'letter = "offer_call"\n', "", "form: a letter of staff needs one with the key `letter`"),
        (FORMS, ', reader = "staff"', "", "[readers] does not say who reads offer_call.to_ask"),
    ],
)
def test_a_forgotten_trait_is_named_when_the_verbs_are_loaded(
    project: Path, tmp_path: Path, file: str, trait: str, instead: str, error: str
) -> None:
    shutil.copytree(project / "complaints", tmp_path / "complaints")
    before, found, after = (tmp_path / file).read_text(encoding="utf-8").rpartition(trait)
    (tmp_path / file).write_text(f"{before}{instead}{after}", encoding="utf-8")
    loaded = run(tmp_path, "-c", "import complaints.actions.registry")
    assert found
    assert error in loaded.stderr.splitlines()[-1]
