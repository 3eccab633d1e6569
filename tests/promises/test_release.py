"""A release is the same bytes from the same commit, and says what is in it; nothing is installed without its hash."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.promises.test_packaging import PINS, PROJECT, pinned
from tests.shared_models import ensure_demo_past
from tests.source import ROOMS, ROOT
from triage.reader.heads import QUESTIONS

#: Bytes of the wheel; who lowers the number lowers its bound.
LARGEST_WHEEL = 16_000_000
NAME = f"amends-{PROJECT['project']['version']}"


def release(folder: Path) -> Path:
    command = [sys.executable, str(ROOT / ".ci" / "release.py"), "--output", str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # The release takes the past of this checkout, and makes it only where it is missing.
    ensure_demo_past()
    return release(tmp_path_factory.mktemp("release") / "first")


def test_the_same_commit_gives_the_same_bytes(released: Path, tmp_path: Path) -> None:
    again = release(tmp_path / "second")
    assert (again / "SHA256SUMS").read_text() == (released / "SHA256SUMS").read_text()
    checked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=released, check=False)
    assert checked.returncode == 0


def test_the_bill_of_materials_lists_every_pinned_package_with_its_hashes(released: Path) -> None:
    bom = json.loads((released / f"{NAME}.cdx.json").read_text(encoding="utf-8"))
    assert (bom["bomFormat"], bom["specVersion"], bom["version"]) == ("CycloneDX", "1.6", 1)
    assert re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", bom["serialNumber"])
    listed = {
        f"{part['name']}=={part['version']}": sorted(
            row["value"] for row in part["properties"] if row["name"] == "amends:pinned-sha256"
        )
        for part in bom["components"]
    }
    expected = {
        pin: sorted(value.removeprefix("--hash=sha256:") for value in hashes)
        for pin, hashes in pinned(PINS["run"]).items()
    }
    assert listed == expected
    references = {part["bom-ref"] for part in bom["components"]} | {bom["metadata"]["component"]["bom-ref"]}
    assert {row["ref"] for row in bom["dependencies"]} == references
    assert {ref for row in bom["dependencies"] for ref in row["dependsOn"]} <= references


def test_every_package_that_is_installed_here_declares_a_licence(released: Path) -> None:
    table = (released / f"{NAME}-licences.md").read_text(encoding="utf-8")
    rows = [line.split(" | ") for line in table.splitlines()[4:]]
    assert len(rows) == len(pinned(PINS["run"]))
    assert [row for row in rows if "not declared" in row[2]] == []


def test_the_wheel_holds_the_product_and_neither_tests_nor_secrets(released: Path) -> None:
    with zipfile.ZipFile(released / f"{NAME}-py3-none-any.whl") as wheel:
        names = wheel.namelist()
    assert {name.partition("/")[0] for name in names} == {*ROOMS, f"{NAME}.dist-info"}
    # Without them the desk does not start.
    models = [f"{question}_{model}" for question in QUESTIONS for model in ("words", "vectors")]
    assert {f"triage/reader/{name}.npz" for name in models} <= set(names)
    # Without them the first training takes longer.
    assert "triage/starter/vectors.npz" in names
    # Without it no letter is checked.
    assert "triage/letters/weights.npz" in names
    # Without it the first demo takes a minute.
    assert "amends/demo/past.jsonl.xz" in names
    assert (released / f"{NAME}-py3-none-any.whl").stat().st_size <= LARGEST_WHEEL
    with tarfile.open(released / f"{NAME}.tar.gz") as archive:
        every = [*names, *archive.getnames()]
    assert [name for name in every if re.search(r"(^|/)(\.env|amends\.toml|.*\.db|\.git)$", name)] == []


def test_every_way_to_install_asks_for_the_hashes() -> None:
    """Only the product itself is installed without: from its own folder, with no dependency."""
    files = [ROOT / "Makefile", ROOT / ".ci" / "run", *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    commands = [
        line
        for file in files
        for line in file.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        if re.search(r"pip install|uv (pip install|sync|tool install)", line)
    ]
    assert len(commands) >= 3
    assert [line for line in commands if "--require-hashes" not in line and "--no-deps" not in line] == []
