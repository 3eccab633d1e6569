"""`amends triage propose`: text for people, JSON for programs, and a starter model that is trained once."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from amends.cli.main import main
from amends.cli.triage import model_files
from triage.learning import examples as starters
from triage.learning.examples import starter_examples
from triage.learning.training import train
from triage.model.artefact import dump
from triage.model.pipeline import Model

BILLED = (
    "My bill is wrong and you charged me twice. "
    "The engineer shouted at my wife and was very rude. I was injured."
)


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str


Propose = Callable[..., Ended]


@pytest.fixture
def propose(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Propose:
    """Runs the command in an empty folder, without settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMENDS_CONFIG", raising=False)

    def run(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr("sys.argv", ["amends", "triage", "propose", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Ended(int(ended.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture(scope="module")
def model() -> Model:
    return train(starter_examples(("en",))[::3])


@dataclass
class Trainings:
    """A starter training that takes no time and records the languages of each call."""

    model: Model
    languages: list[Sequence[str] | None] = field(default_factory=list)

    def train(self, languages: Sequence[str] | None = None) -> Model:
        self.languages.append(languages)
        return self.model


@pytest.fixture
def trainings(model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Trainings]:
    """Counted trainings and a separate cache for the test."""
    counted = Trainings(model)
    monkeypatch.setattr(starters, "train_starter", counted.train)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return counted


@pytest.fixture
def cached(trainings: Trainings, tmp_path: Path) -> Path:
    """The one file of a cache that was just written."""
    model_files.starter_model(None)
    (file,) = (tmp_path / "cache" / "amends").iterdir()
    trainings.languages.clear()
    return file


@pytest.mark.usefixtures("trainings")
def test_one_text_gets_a_proposal_in_words(propose: Propose) -> None:
    done = propose(BILLED)
    lines = done.out.splitlines()
    headings = [line.split()[0] for line in lines if line and not line.startswith(" ")]
    assert (done.code, headings[:4]) == (0, ["Category", "Severity", "Matters", "Reasons"])
    assert lines[0].startswith("Category  money (")
    assert "less likely: staff conduct (" in lines[1]
    assert "5 of 5" in done.out
    assert any("1. money (" in line and "you charged me twice." in line for line in lines)
    assert any("2. staff conduct (" in line and "shouted at my wife" in line for line in lines)
    assert re.search(r"words for money: .*\bcharged\b", done.out)
    assert "safety rules: injury" in done.out
    assert "Complexity 2: More than one matter was found (2)" in done.out
    assert re.search(r"Severity 5: Words that a safety rule looks for \(\".+\"\)", done.out)
    assert "Compensation likely yes: " in done.out
    assert "{" not in done.out


@pytest.mark.usefixtures("trainings")
def test_rules_criteria_and_facts_of_a_proposal_are_named_in_words(propose: Propose) -> None:
    done = propose(
        "Your firm cut off my water last week although my baby is ill. I want a refund of 35 pounds."
    )

    assert "a child affected" in done.out
    assert "supply cut off" in done.out
    assert "Immediate action needed yes: " in done.out
    assert "Asked for: Money back (" in done.out
    assert not re.search(r"[a-z]+_[a-z]+|\d{4}-\d\d-\d\d|^ +amount ", done.out, re.MULTILINE)


@pytest.mark.usefixtures("trainings")
def test_a_doubtful_proposal_names_both_categories(propose: Propose) -> None:
    done = propose("Hello, it is about something.")
    assert done.code == 0
    assert done.out.splitlines()[0].startswith("Category")
    assert re.search("not sure|no clear category", done.out.splitlines()[0])


@pytest.mark.usefixtures("trainings")
def test_control_sequences_in_a_complaint_are_not_printed(propose: Propose) -> None:
    done = propose("You billed me twice\x1b]0;owned\x07 for [bold]March[/bold].")
    assert "\x1b" not in done.out
    assert "[bold]March[/bold]" in done.out


@pytest.mark.usefixtures("trainings")
def test_json_output_is_one_object_per_line(propose: Propose) -> None:
    texts = [BILLED, "The water is brown."]
    lines = "".join(json.dumps({"text": text}) + "\n\n" for text in texts)
    single, many, plain = propose(BILLED, "--json"), propose("--json", stdin=lines), propose(stdin=lines)
    assert (single.code, many.code) == (0, 0)
    assert plain == many
    assert many.out.splitlines()[0] == single.out.rstrip("\n")
    proposals = [json.loads(line) for line in many.out.splitlines()]
    assert [proposal["language"] for proposal in proposals] == ["en", "en"]
    assert set(proposals[0]) == {
        "category", "probability", "alternatives", "abstained", "severity", "safety", "because", "rules", "language",
        "model_version", "restricted", "p_critical", "intent", "intent_probability", "issues", "criteria", "details",
        "similar",
    }  # fmt: skip


@pytest.mark.usefixtures("trainings")
@pytest.mark.parametrize("line", ["not json", "{}", '{"text": 3}', "7"])
def test_a_line_without_a_text_is_bad_usage(propose: Propose, line: str) -> None:
    done = propose(stdin=f"{line}\n")
    assert (done.code, "line 1" in done.err) == (2, True)


def test_a_starter_model_is_trained_once(propose: Propose, trainings: Trainings) -> None:
    first, second = propose(BILLED, "--json"), propose(BILLED, "--json")
    assert first.out == second.out
    assert trainings.languages == [None]
    assert "raining" in first.err
    assert "raining" not in second.err
    assert "the starter model proposes" in second.err


def test_other_languages_or_another_pipeline_need_a_separate_model(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_files.starter_model(None)
    model_files.starter_model(("en",))
    model_files.starter_model(("en",))
    assert trainings.languages == [None, ("en",)]
    monkeypatch.setattr(starters, "PIPELINE", "another")
    model_files.starter_model(("en",))
    assert trainings.languages == [None, ("en",), ("en",)]


def test_the_version_of_a_starter_model_depends_on_languages_and_pipeline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    versions = [starters.starter_version(languages) for languages in (None, ("en",), ("tr",), ("en", "tr"))]
    assert len(set(versions)) == 4
    assert starters.starter_version(("en", "xx")) == starters.starter_version(("en",))
    assert starters.starter_version(("xx",)) == starters.starter_version(("en",))
    monkeypatch.setattr(starters, "PIPELINE", "another")
    assert starters.starter_version(("en",)) not in versions


@pytest.mark.parametrize("content", ["nothing", "text", "half", "another model"])
def test_a_file_that_is_not_the_starter_model_is_reported_and_replaced(
    cached: Path, trainings: Trainings, model: Model, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    whole = cached.read_bytes()
    cached.write_bytes(
        {"nothing": b"", "text": b"no model", "half": whole[: len(whole) // 2], "another model": dump(model)}[
            content
        ]
    )
    assert model_files.starter_model(None).version == model.version
    warning = capsys.readouterr().err
    assert (str(cached) in warning, "ignored" in warning, len(trainings.languages)) == (True, True, 1)
    assert model_files.starter_model(None).version == model.version
    assert (len(trainings.languages), capsys.readouterr().err) == (1, "")


def test_without_a_writable_cache_the_proposal_is_still_made(
    propose: Propose, trainings: Trainings, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder would be")
    first, second = propose(BILLED), propose(BILLED)
    assert (first.code, second.code, len(trainings.languages)) == (0, 0, 2)
    assert f"{tmp_path / 'cache'}" in first.err
    assert "not kept" in first.err


def test_without_a_home_directory_the_proposal_is_still_made(
    trainings: Trainings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Path, "home", no_home)
    model_files.starter_model(None)
    assert trainings.languages == [None]
    assert "not kept" in capsys.readouterr().err


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_several_processes_may_write_the_same_model(
    trainings: Trainings, model: Model, tmp_path: Path
) -> None:
    versions: list[str] = []

    def work() -> None:
        versions.extend(model_files.starter_model(None).version for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert versions == [model.version] * 18
    assert len(list((tmp_path / "cache" / "amends").iterdir())) == 1
    before = len(trainings.languages)
    model_files.starter_model(None)
    assert len(trainings.languages) == before


def test_only_the_latest_model_of_the_same_languages_is_kept(
    cached: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_files.starter_model(("en",))
    monkeypatch.setattr(starters, "PIPELINE", "another")
    model_files.starter_model(None)
    assert not cached.exists()
    assert len(list(cached.parent.iterdir())) == 2


@pytest.mark.parametrize(
    ("platform", "environment", "folder"),
    [
        ("linux", {}, ".cache/amends"),
        ("linux", {"XDG_CACHE_HOME": "{home}/elsewhere"}, "elsewhere/amends"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, ".cache/amends"),
        ("darwin", {}, "Library/Caches/amends"),
        ("win32", {"LOCALAPPDATA": "{home}/Local"}, "Local/amends/Cache"),
    ],
)
def test_the_cache_is_in_the_platforms_cache_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, platform: str, environment: dict[str, str], folder: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    assert model_files.cache_folder() == tmp_path / folder
