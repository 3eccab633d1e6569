"""`amends triage train` and `evaluate`: they turn files into a model with its card and refuse bad input clearly."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from amends.cli.main import main
from complaints.vocabulary import Category
from tests.edges.product import KEY, SETTINGS
from triage.learning import examples
from triage.learning.examples import starter_examples
from triage.learning.own_history import read_history_file
from triage.model.artefact import digest, load


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Amends = Callable[..., Ended]


@pytest.fixture
def amends(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Amends:
    """Runs a command in an empty folder, without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMENDS_CONFIG", raising=False)

    def run(*args: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["amends", *args])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture(autouse=True)
def _fewer_starters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands learn a quarter of the starter examples: all those of a language take two seconds."""
    monkeypatch.setattr(examples, "starter_examples", lambda languages=None: starter_examples(languages)[::4])


def history(
    folder: Path,
    *,
    name: str = "history.csv",
    part: slice = slice(None, None, 6),
    category: Callable[[str], str] = str,
    header: tuple[str, ...] = ("text", "label_category", "label_severity", "source"),
) -> Path:
    """A labelled file of the usual shape."""
    file = folder / name
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(header)
        for row in starter_examples(("en",))[part]:
            severity = "critical" if (row.severity or 0) >= 4 else "normal"
            writer.writerow((row.text, category(row.category), severity, "set:x/y"))
    return file


#: What a training command printed and wrote, by its table and options.
_TRAININGS: dict[tuple[bytes, tuple[str, ...]], tuple[Ended, dict[str, tuple[int, bytes]]]] = {}


def trained(amends: Amends, file: Path, *options: str) -> Ended:
    """Train m.skops in this folder: a training takes seconds, so the same one is done once for all tests."""
    key = (file.read_bytes(), options)
    if key not in _TRAININGS:
        done = amends("triage", "train", str(file), *options, "--out", "m.skops", "--json")
        written = {
            path.name: (path.stat().st_mode, path.read_bytes()) for path in file.parent.glob("m.skops*")
        }
        _TRAININGS[key] = done, written
    done, written = _TRAININGS[key]
    for name, (mode, content) in written.items():
        path = file.parent / name
        path.write_bytes(content)
        path.chmod(mode)
    return done


def test_a_history_is_trained_into_a_model_with_its_card(amends: Amends, tmp_path: Path) -> None:
    file = history(tmp_path)
    done = trained(amends, file, "--category", "label_category")
    assert done.code == 0
    report = done.json
    card = json.loads((tmp_path / "m.skops.card.json").read_text())
    assert report["sha256"] == card["sha256"] == digest((tmp_path / "m.skops").read_bytes())
    assert {"accuracy", "macro_f1", "log_loss", "ece", "accuracy_at_80", "categories", "severity"} <= set(
        report["evaluation"]
    )
    assert report["held_back"]["how"] == "random"
    assert (report["file"]["columns"]["severity"], report["refused"]) == ("label_severity", [])
    assert "severity from 'label_severity'" in done.err
    assert f"# Model {report['version']}" in (tmp_path / "m.skops.card.md").read_text()


def test_the_learnt_rows_are_stored_next_to_the_model_and_readable_only_by_their_owner(
    amends: Amends, tmp_path: Path
) -> None:
    file = history(tmp_path)
    report = trained(amends, file, "--category", "label_category").json
    history_file = tmp_path / "m.skops.history.csv.gz"
    rows = read_history_file(history_file.read_bytes())
    assert history_file.stat().st_mode & 0o777 == 0o600
    assert report["card"]["history"] == {
        "rows": len(rows),
        "sha256": hashlib.sha256(history_file.read_bytes()).hexdigest(),
    }
    assert [learnt.example.text for learnt in rows] == [row.text for row in starter_examples(("en",))[::6]]
    assert sum(learnt.answer is not None for learnt in rows) == report["held_back"]["rows"] > 0
    assert load((tmp_path / "m.skops").read_bytes()).facts["history"] == report["card"]["history"]


def test_the_settings_determine_the_wanted_precision_and_the_alert_budget(
    amends: Amends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(history(tmp_path))
    monkeypatch.setenv("AMENDS_SECRET_KEY", KEY)
    plain = amends("triage", "train", file, "--no-starters", "--out", "plain.skops", "--json").json["card"]
    (tmp_path / "amends.toml").write_text(
        f'{SETTINGS}\n[triage]\nwanted_precision = 0.6\nalert_budget = 0.02\nencoder = "none"\n'
    )
    from_settings = amends("triage", "train", file, "--no-starters", "--out", "set.skops", "--json").json[
        "card"
    ]
    precise = ("--no-starters", "--precision", "0.95", "--out", "asked.skops", "--json")
    from_option = amends("triage", "train", file, *precise).json
    assert (plain["wanted_precision"], from_settings["wanted_precision"]) == (0.9, 0.6)
    assert from_settings["critical"]["alert_threshold"] > plain["critical"]["alert_threshold"]
    assert from_option["card"]["wanted_precision"] == 0.95


def test_the_same_file_and_seed_give_the_same_model(amends: Amends, tmp_path: Path) -> None:
    file = history(tmp_path)
    first = trained(amends, file, "--no-starters").json
    second = amends("triage", "train", str(file), "--no-starters", "--out", "two.skops", "--json").json
    assert (first["version"], first["evaluation"]) == (second["version"], second["evaluation"])


def test_a_model_is_evaluated_on_other_rows_with_the_documented_keys(amends: Amends, tmp_path: Path) -> None:
    learnt, other = (
        history(tmp_path, name="a.csv", part=slice(0, None, 6)),
        history(tmp_path, name="b.csv", part=slice(1, None, 6)),
    )
    assert trained(amends, learnt, "--no-starters").code == 0
    evaluated = amends("triage", "evaluate", "m.skops", str(other), "--category", "label_category", "--json")
    plain = amends("triage", "evaluate", "m.skops", str(other))
    assert (evaluated.code, plain.code) == (0, 0)
    figures = evaluated.json
    assert 0 < figures["macro_f1"] <= 1
    assert 0 < figures["severity"]["recall_at_10"] <= 1
    assert set(figures["categories"]["money"]) == {"rows", "precision", "recall", "f1"}
    assert figures["unknown_categories"] == []
    assert "accuracy, surest 80 %" in plain.out
    # The command cannot know whether the model has learnt from this file.
    assert "rows of this file" in plain.out
    assert "had not seen" not in plain.out


def test_own_categories_are_learnt_without_starters_and_built_in_ones_with_them(
    amends: Amends, tmp_path: Path
) -> None:
    own = history(tmp_path, name="own.csv", category=lambda category: f"Own {category}")
    built_in = history(
        tmp_path, name="ours.csv", category=lambda category: category.upper().replace("_", " ")
    )
    without_starters = amends("triage", "train", str(own), "--out", "own.skops", "--json").json
    with_starters = amends("triage", "train", str(built_in), "--out", "ours.skops", "--json").json
    starters_left_out = amends(
        "triage", "train", str(built_in), "--no-starters", "--out", "without.skops", "--json"
    ).json
    assert without_starters["starters"] == 0
    assert all(category.startswith("Own ") for category in without_starters["categories"])
    assert with_starters["starters"] > 100
    assert "staff_conduct" in with_starters["categories"]
    assert starters_left_out["starters"] == 0


def test_own_labels_are_renamed_by_a_mapping_file(amends: Amends, tmp_path: Path) -> None:
    file = history(
        tmp_path,
        category=lambda category: "Billing" if category == "money" else category,
        header=("a", "b", "c", "d"),
    )
    (tmp_path / "map.toml").write_text(
        '[columns]\na = "description"\nb = "category"\nc = "severity"\n'
        '[values.category]\nbilling = "money"\n[values.severity]\nnormal = "1"\n'
    )
    (tmp_path / "map.json").write_text(
        '{"columns": {"a": "description", "b": "category"}, "values": {"category": {"Billing": "money"}}}'
    )
    for form in ("toml", "json"):
        done = amends(
            "triage",
            "train",
            str(file),
            "--map",
            f"map.{form}",
            "--no-starters",
            "--out",
            f"{form}.skops",
            "--json",
        )
        assert done.code == 0
        assert "money" in done.json["categories"]
        assert "Billing" not in done.json["categories"]
    assert (
        amends("triage", "train", str(file), "--map", "map.json", "--out", "x.skops", "--text", "none").code
        == 2
    )


def test_at_a_desk_labels_that_are_not_its_categories_are_refused_until_they_are_mapped(
    amends: Amends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AMENDS_SECRET_KEY", KEY)
    (tmp_path / "amends.toml").write_text(SETTINGS)
    own = {"money": "Billing", "supply": "Leak", "goods": "Leak"}
    file = str(history(tmp_path, category=lambda category: own.get(category, category)))
    options = ("--no-starters", "--encoder", "none", "--out", "m.skops")
    refused = amends("triage", "train", file, *options)
    assert (refused.code, (tmp_path / "m.skops").exists()) == (1, False)
    assert "no categories of this desk: Billing, Leak." in refused.err
    assert '[[category]]\nkey = "billing"\nname.en = "Billing"' in refused.err
    maps = ("--map", "billing=money", "--map", "Leak=supply")
    mapped = amends("triage", "train", file, *options, *maps, "--json")
    assert mapped.code == 0
    assert {"money", "supply"} <= set(mapped.json["categories"]) <= set(Category)


def test_without_a_desk_own_labels_are_only_named(amends: Amends, tmp_path: Path) -> None:
    file = history(tmp_path, category=lambda category: "Billing" if category == "money" else category)
    done = amends("triage", "train", str(file), "--encoder", "none", "--no-starters", "--out", "m.skops")
    assert (done.code, "do not come with Amends: Billing." in done.err) == (0, True)


def test_a_model_is_not_scored_on_labels_that_it_cannot_know(amends: Amends, tmp_path: Path) -> None:
    learnt = history(tmp_path, name="a.csv")
    mixed = history(tmp_path, name="b.csv", category=lambda name: "Billing" if name == "money" else name)
    foreign = history(tmp_path, name="c.csv", category=lambda name: f"Own {name}")
    assert trained(amends, learnt, "--no-starters").code == 0
    figures = amends("triage", "evaluate", "m.skops", str(mixed), "--json").json
    plain = amends("triage", "evaluate", "m.skops", str(mixed))
    refused = amends("triage", "evaluate", "m.skops", str(foreign))
    mapped = amends("triage", "evaluate", "m.skops", str(mixed), "--map", "Billing=money", "--json").json
    assert figures["unknown_categories"] == ["Billing"]
    assert figures["not_compared"] > 0
    assert figures["rows"] + figures["not_compared"] == mapped["rows"]
    assert "categories that the model does not know (Billing)" in plain.out
    assert (refused.code, refused.out) == (1, "")
    assert "the model knows none of the labels of this file" in refused.err


def test_refused_rows_are_listed_by_line_and_reason_without_their_words(
    amends: Amends, tmp_path: Path
) -> None:
    file = history(tmp_path)
    with file.open("a") as opened:
        opened.writelines(["😡,money,normal,x\n" for _ in range(30)] + ["SECRETWORDS,,normal,x\n"])
    done = amends(
        "triage", "train", str(file), "--no-starters", "--out", "m.skops", "--refused", "no.csv", "--json"
    )
    assert done.code == 0
    assert len(done.json["refused"]) == 30
    assert done.json["file"]["unlabelled"] == 1
    assert done.err.count("no words") == 20
    assert "and 10 more" in done.err
    listed = list(csv.DictReader((tmp_path / "no.csv").open()))
    assert len(listed) == 30
    assert listed[0]["why"].startswith("no words")
    assert "SECRETWORDS" not in done.out + done.err + (tmp_path / "no.csv").read_text()


def test_no_file_is_overwritten_without_force(amends: Amends, tmp_path: Path) -> None:
    file = str(history(tmp_path, part=slice(None, None, 8)))
    (tmp_path / "m.skops.card.json").write_text("mine")
    refused = amends("triage", "train", file, "--out", "m.skops")
    assert (refused.code, (tmp_path / "m.skops").exists()) == (2, False)
    assert "--force" in refused.err
    assert amends("triage", "train", file, "--no-starters", "--out", "m.skops", "--force").code == 0
    assert amends("triage", "train", file, "--out", "nowhere/m.skops").code == 2


@pytest.mark.parametrize(
    ("name", "raw", "code", "reason"),
    [
        ("empty.csv", b"", 1, "empty"),
        ("header.csv", b"text,category\n", 1, "no rows below"),
        ("columns.csv", b"id,when\n1,2\n", 2, "--text"),
        ("labels.csv", b"text,category\na,\n", 2, "'category' is empty"),
        (
            "one.csv",
            b"text,category\n" + b"".join(b"words %d,only\n" % n for n in range(20)),
            1,
            "1 categories",
        ),
        ("book.xlsx", b"PK\x03\x04" + bytes(50), 1, "Save it as CSV"),
        ("few.csv", b"text,category\na b,x\nc d,y\n", 1, "at least 6"),
        ("nul.csv", bytes(4000), 1, "no text"),
    ],
)
def test_bad_input_is_refused_with_an_exit_code_and_a_reason(
    amends: Amends, tmp_path: Path, name: str, raw: bytes, code: int, reason: str
) -> None:
    (tmp_path / name).write_bytes(raw)
    done = amends("triage", "train", name, "--out", "m.skops")
    assert (done.code, (tmp_path / "m.skops").exists()) == (code, False)
    assert reason in " ".join(done.err.replace("│", " ").split())


def test_a_directory_and_a_file_without_permission_are_bad_usage(amends: Amends, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert amends("triage", "train", "folder", "--out", "m.skops").code == 2
    assert amends("triage", "train", "gone.csv", "--out", "m.skops").code == 2
    assert amends("triage", "train", "--out", "m.skops").code == 2
    if os.geteuid() != 0:  # nothing is forbidden to root
        locked = history(tmp_path, name="locked.csv")
        locked.chmod(0)
        assert amends("triage", "train", "locked.csv", "--out", "m.skops").code == 2


def test_a_file_that_is_no_model_is_refused(amends: Amends, tmp_path: Path) -> None:
    file = str(history(tmp_path))
    (tmp_path / "pickle").write_bytes(b"\x80\x04.")
    done = amends("triage", "evaluate", "pickle", file)
    assert (done.code, "no model file" in done.err) == (1, True)
    assert amends("triage", "evaluate", "gone", file).code == 2


def test_a_model_that_does_not_match_its_card_is_refused(amends: Amends, tmp_path: Path) -> None:
    """The altered file is still a valid zip: only the recorded digest reveals the change."""
    file = str(history(tmp_path, part=slice(None, None, 8)))
    amends("triage", "train", file, "--no-starters", "--out", "m.skops")
    with zipfile.ZipFile("m.skops") as whole:
        parts = {member.filename: whole.read(member) for member in whole.infolist()}
    largest = max((name for name in parts if name.endswith(".npy")), key=lambda name: len(parts[name]))
    parts[largest] = parts[largest][:-1] + bytes([parts[largest][-1] ^ 1])
    with zipfile.ZipFile("m.skops", "w") as altered:
        for name, content in parts.items():
            altered.writestr(name, content)
    for command in (["evaluate", "m.skops", file], ["propose", "--model", "m.skops", "billed twice"]):
        done = amends("triage", *command)
        assert (done.code, done.out, "m.skops.card.json" in done.err) == (1, "", True)
    Path("m.skops.card.json").unlink()
    assert amends("triage", "propose", "--model", "m.skops", "billed twice").code == 0


def test_a_model_of_dated_rows_is_evaluated_on_the_most_recent(amends: Amends, tmp_path: Path) -> None:
    rows = starter_examples(("en",))[::4]
    with (tmp_path / "dated.csv").open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(("received", "text", "category"))
        for number, row in enumerate(sorted(rows, key=lambda row: len(row.text))):
            writer.writerow((f"{number % 28 + 1:02}.{number // 28 % 12 + 1:02}.2025", row.text, row.category))
    done = amends("triage", "train", "dated.csv", "--no-starters", "--out", "m.skops", "--json")
    assert done.json["held_back"]["how"] == "time"
    assert done.json["held_back"]["since"].startswith("2025-")


def test_the_card_of_an_english_model_names_only_english(amends: Amends, tmp_path: Path) -> None:
    done = trained(amends, history(tmp_path), "--no-starters")
    assert list(done.json["card"]["languages"]) == ["en"]


def test_an_encoder_can_be_left_out_and_an_unknown_one_is_refused(amends: Amends, tmp_path: Path) -> None:
    file = str(history(tmp_path, part=slice(None, None, 8)))
    without = amends("triage", "train", file, "--encoder", "none", "--no-starters", "--out", "m.skops")
    absent = amends("triage", "train", file, "--encoder", "klingon", "--out", "x.skops")
    assert without.code == 0
    assert (absent.code, (tmp_path / "x.skops").exists()) == (1, False)
    assert "klingon" in absent.err
