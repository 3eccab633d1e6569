"""What a fresh clone installs: pinned and hashed packages, from the machine's own index, the same on every Python."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = PROJECT["tool"]["importlinter"]["root_packages"]
PINS = {name: (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8") for name in ("run", "test")}


def pinned(text: str) -> dict[str, list[str]]:
    """Return the hashes of each `name==version`, so that two versions of one name stay separate."""
    pins: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if start := re.match(r"([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", line):
            current = pins.setdefault(f"{start.group(1)}=={start.group(2)}", [])
        elif "--hash=" in line:
            current.append(line.strip(" \\"))
        else:
            assert line.strip() == "" or line.lstrip().startswith("#"), f"not a pin: {line}"
    return pins


def make(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    # Ignore the flags of a make that runs these tests.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ;]", line, maxsplit=1)[0].lower().replace("_", "-") for line in requirements}


@pytest.mark.parametrize("name", PINS)
def test_every_pin_has_its_hashes(name: str) -> None:
    pins = pinned(PINS[name])
    assert len(pins) > 40
    assert [pin for pin, hashes in pins.items() if not hashes] == []
    assert all(
        re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", value) for hashes in pins.values() for value in hashes
    )


@pytest.mark.parametrize(
    "file", [*(f"requirements/{name}.txt" for name in PINS), "Makefile", "pyproject.toml", ".ci/run"]
)
def test_no_file_names_a_package_index(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.findall(r"://|--(?:extra-)?index|--find-links|--trusted-host|pypi\.", text) == []


def test_the_tests_run_on_the_versions_that_the_product_runs_on() -> None:
    assert set(pinned(PINS["run"])) <= set(pinned(PINS["test"]))


def test_every_dependency_is_pinned() -> None:
    groups = PROJECT["project"]["optional-dependencies"]
    run = {pin.partition("==")[0] for pin in pinned(PINS["run"])}
    test = {pin.partition("==")[0] for pin in pinned(PINS["test"])}
    assert names(PROJECT["project"]["dependencies"] + groups["build"] + groups["encoder"]) <= run
    assert names(groups["test"]) <= test


def test_every_optional_part_is_pinned() -> None:
    assert set(PROJECT["project"]["optional-dependencies"]) == {"build", "encoder", "test"}


@pytest.mark.parametrize("package", ["numpy", "scipy", "scikit-learn"])
def test_numeric_packages_have_one_version_for_every_python(package: str) -> None:
    assert [pin for pin in pinned(PINS["run"]) if pin.startswith(f"{package}==")] == [
        pin for pin in pinned(PINS["test"]) if pin.startswith(f"{package}==")
    ]
    assert len([pin for pin in pinned(PINS["run"]) if pin.startswith(f"{package}==")]) == 1


@pytest.mark.parametrize("target", ["install", "demo", "test", "check", "measures", "bench", "docs", "pins"])
def test_the_documented_make_targets_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_make_can_parse_every_recipe() -> None:
    targets = ["install", "demo", "test", "check", "measures", "bench", "docs", "pins", "clean"]
    result = subprocess.run(
        ["make", "-n", "-B", *targets], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


def test_a_python_that_is_too_old_is_refused_with_the_remedy(tmp_path: Path) -> None:
    result = make("-f", str(ROOT / "Makefile"), "install", "PYTHONS=/bin/false", folder=tmp_path)
    assert "Amends needs Python 3.11 or newer" in result.stderr
    assert result.returncode != 0


def test_the_ci_script_is_valid_and_executable() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_the_licence_is_apache_2_0() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert PROJECT["project"]["license"] == "Apache-2.0"


def test_a_wheel_contains_every_data_file_of_the_packages() -> None:
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    files = [
        file
        for room in ROOMS
        for file in (ROOT / room).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts and file.suffix not in {".py", ".pyc"}
    ]
    left_behind = [file for file in files if not any(fnmatch(file.name, pattern) for pattern in patterns)]
    assert [str(file.relative_to(ROOT)) for file in left_behind] == []


def test_the_supported_pythons_are_the_ones_that_the_tools_check_for() -> None:
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert PROJECT["tool"]["mypy"]["python_version"] == "3.11"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"
