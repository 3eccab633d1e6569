"""`amends init` adds an organisation's own categories, and a few examples of each give a first useful model."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from amends.checks import _categories
from amends.cli.main import main
from amends.cli.options import open_record
from amends.init import InitAnswers, category_code, settings_text, write_installation
from amends.settings import SettingsError, load, rulebook
from amends.settings.settings_file import parse_settings
from complaints.rulebook import categories_of
from store.models.models import keep_model
from triage.learning.examples import example_file, organisation_examples

ANSWERS = InitAnswers(
    name="Northwind Water",
    country="GB",
    timezone="Europe/London",
    languages=("en", "tr"),
    categories=("Leak in the street", "Low pressure"),
)
LEAKS = (
    "Water is running down our road from a crack in the pavement.",
    "There has been a burst main outside number nine since dawn.",
    "A fountain is coming out of the street by the bus stop.",
    "The road is flooded, the pipe under it must have gone.",
    "Water bubbles up between the cobbles in front of the bakery.",
    "The pavement leaks, the gutter is full day and night.",
)
PRESSURE = (
    "Only a trickle reaches the shower on the top floor.",
    "The pressure is so weak that the boiler will not start.",
    "In the mornings the taps upstairs hardly run.",
    "The flow dropped last week and has stayed low.",
    "Filling a kettle takes five minutes, the pressure is that low.",
    "The washing machine stops because too little water comes in.",
)
Amends = Callable[..., tuple[int, str, str]]


@pytest.fixture
def amends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Amends:
    """Runs a command in an empty folder without any input: exit code, output, messages."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    monkeypatch.delenv("AMENDS_CONFIG", raising=False)

    def run(*args: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["amends", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return run


def fill_in(folder: Path) -> None:
    """Write a few sentences for each category, as the file asks for."""
    rows = [f'"{text}",leak_in_the_street,2' for text in LEAKS] + [
        f'"{text}",low_pressure,' for text in PRESSURE
    ]
    with (folder / "en.csv").open("a", encoding="utf-8") as opened:
        opened.write("\n".join(rows) + "\n")


def test_init_writes_the_categories_and_example_files_to_fill_in(amends: Amends, tmp_path: Path) -> None:
    named = "Leak in the street, Low pressure"
    code, out, err = amends("init", "desk", "--languages", "en,tr", "--categories", named)
    assert code == 0
    assert "examples/en.csv" in out
    assert "Fill in desk/examples" in err
    settings = load(tmp_path / "desk" / "amends.toml", {})
    assert [category.key for category in settings.category] == ["leak_in_the_street", "low_pressure"]
    assert settings.category[0].name == {"en": "Leak in the street"}
    assert "low_pressure" in categories_of(rulebook(settings))
    empty = organisation_examples(settings.examples_folder, categories_of(rulebook(settings)))
    assert (empty.examples, empty.refused, empty.unreadable) == ((), {}, {})
    assert empty.few(["low_pressure"]) == {"low_pressure": 0}


def test_without_categories_no_examples_folder_is_written(tmp_path: Path) -> None:
    write_installation(tmp_path, replace(ANSWERS, categories=()))
    assert not (tmp_path / "examples").exists()
    assert load(tmp_path / "amends.toml", {}).category == ()


def test_the_second_language_is_a_comment_that_can_be_activated(tmp_path: Path) -> None:
    text = settings_text(ANSWERS).replace('#name.tr = "Low', 'name.tr = "Low')
    settings = parse_settings(text, tmp_path / "amends.toml", {})
    assert settings.category[1].name == {"en": "Low pressure", "tr": "Low pressure"}


def test_existing_examples_are_kept(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "en.csv").write_text("text,category,severity\nmine,money,\n")
    write_installation(tmp_path, ANSWERS)
    assert "mine" in (tmp_path / "examples" / "en.csv").read_text()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Leak in the street", "leak_in_the_street"),
        ("Şebeke arızası!", "sebeke_arizasi"),
        ("3G outage", "own_3g_outage"),
    ],
)
def test_a_name_becomes_a_code(name: str, code: str) -> None:
    assert category_code(name) == code


def test_names_with_the_same_code_get_different_codes(amends: Amends, tmp_path: Path) -> None:
    names = ["Müll", "Mull", "Утечка", "漏水", "الضغط", "Own 2", "x" * 60, "x" * 61]
    code, _, _ = amends("init", "desk", "--languages", "en", "--categories", ",".join(names))
    assert code == 0
    settings = load(tmp_path / "desk" / "amends.toml", {})
    assert [(category.key, category.name["en"]) for category in settings.category] == [
        ("mull", "Müll"),
        ("mull_2", "Mull"),
        ("own", "Утечка"),
        ("own_2", "漏水"),
        ("own_3", "الضغط"),
        ("own_2_2", "Own 2"),
        ("x" * 40, "x" * 60),
        ("x" * 38 + "_2", "x" * 61),
    ]
    assert "# mull_2: Mull" in (tmp_path / "desk" / "examples" / "en.csv").read_text(encoding="utf-8")


def test_a_duplicate_name_is_refused_before_anything_is_written(amends: Amends, tmp_path: Path) -> None:
    code, _, err = amends("init", "desk", "--categories", "Leak, Low pressure, leak")
    assert code == 2
    assert "'leak' is there twice: name each category once" in " ".join(err.split())
    assert not (tmp_path / "desk").exists()


@pytest.mark.parametrize(
    ("key", "message"),
    [("money", "comes with Amends"), ("Leak", "small letters"), ("leak", "is there already")],
)
def test_an_invalid_category_code_is_refused_with_the_remedy(tmp_path: Path, key: str, message: str) -> None:
    text = settings_text(replace(ANSWERS, categories=("Leak",)))
    text += f'\n[[category]]\nkey = "{key}"\nname.en = "Another"\n'
    with pytest.raises(SettingsError, match=message):
        parse_settings(text, tmp_path / "amends.toml", {})


def test_a_few_examples_of_each_category_give_a_first_useful_model(amends: Amends, tmp_path: Path) -> None:
    write_installation(tmp_path, replace(ANSWERS, languages=("en",)))
    fill_in(tmp_path / "examples")
    code, out, _ = amends("triage", "train", "--out", "m.skops", "--json")
    assert code == 0
    trained: Any = json.loads(out)
    assert {"leak_in_the_street", "low_pressure", "money", "staff_conduct"} <= set(trained["categories"])
    wanted = {
        "A burst pipe is flooding the road outside my house": "leak_in_the_street",
        "The pressure in the upstairs shower is very low, only a trickle": "low_pressure",
        "My bill is wrong, you charged me twice": "money",
    }
    for text, category in wanted.items():
        _, proposal, _ = amends("triage", "propose", "--model", "m.skops", text, "--json")
        assert json.loads(proposal)["category"] == category


def test_own_examples_are_learnt_in_addition_to_a_history(amends: Amends, tmp_path: Path) -> None:
    write_installation(tmp_path, ANSWERS)
    fill_in(tmp_path / "examples")
    settings = (tmp_path / "amends.toml").read_text()
    (tmp_path / "amends.toml").write_text(
        settings.replace('#name.tr = "Low pressure"', 'name.tr = "Less of a flow"')
    )
    rows = "".join(f'"{text} Again.",Less of a flow\n' for text in PRESSURE) + "No bill came,money\n" * 3
    (tmp_path / "history.csv").write_text("text,category\n" + rows)
    code, out, _ = amends("triage", "train", "history.csv", "--no-starters", "--out", "m.skops", "--json")
    assert code == 0
    trained = json.loads(out)
    assert (trained["rows"], trained["starters"]) == (9, 12)
    assert trained["categories"] == ["leak_in_the_street", "low_pressure", "money"]


def test_a_model_can_be_trained_from_the_record_alone(amends: Amends, tmp_path: Path) -> None:
    write_installation(tmp_path, replace(ANSWERS, languages=("en",), categories=()))
    assert amends("db", "upgrade")[0] == 0
    code, out, err = amends("triage", "train", "--from-record", "--out", "m.skops", "--json")
    assert "The record holds 0 assessed complaints" in err
    assert code == 0
    assert json.loads(out)["rows"] == 0


def test_training_without_any_examples_prints_the_usage(amends: Amends, tmp_path: Path) -> None:
    write_installation(tmp_path, ANSWERS)
    code, _, err = amends("triage", "train", "--out", "m.skops")
    assert code == 2
    assert "--from-record" in err


def test_check_names_own_categories_that_the_active_model_has_not_learnt(
    amends: Amends, tmp_path: Path
) -> None:
    write_installation(tmp_path, ANSWERS)
    assert amends("db", "upgrade")[0] == 0
    with open_record() as (settings, store):
        store.write(keep_model, b"m", "ab" * 32, {"classes": ["money", "low_pressure"]}, activate=True)
    _, out, _ = amends("check")
    assert settings.category[0].key == "leak_in_the_street"
    assert "has not learnt leak_in_the_street." in out


def test_check_names_unused_rows_and_categories_with_too_few_examples(tmp_path: Path) -> None:
    write_installation(tmp_path, ANSWERS)
    fill_in(tmp_path / "examples")
    with (tmp_path / "examples" / "en.csv").open("a") as opened:
        opened.write("words,nonsense,2\nwords,money,9\n")
    (tmp_path / "examples" / "tr.csv").write_bytes(b"")
    settings = load(tmp_path / "amends.toml", {})
    unread, refused, counted = _categories(settings)
    assert (unread.mark, "tr.csv is not read" in unread.result, "empty" in unread.remedy) == (
        "warn",
        True,
        True,
    )
    assert (refused.mark, refused.result.endswith("en.csv: 2 rows")) == ("warn", True)
    assert "unknown category 'nonsense'" in refused.remedy
    assert (counted.mark, counted.result) == ("ok", "2 of your own, 12 examples")
    (tmp_path / "examples" / "en.csv").write_text(example_file(ANSWERS.own))
    few = {(finding.mark, finding.subject): finding.result for finding in _categories(settings)}
    assert few["warn", "categories"] == "too few examples of leak_in_the_street 0, low_pressure 0"
