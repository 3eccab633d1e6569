# ruff: noqa: INP001  # a script, in no package
"""Builds a release from a commit: wheel, source archive, bill of materials (CycloneDX 1.6), licences, checksums.

The same commit and environment give the same bytes: every time stamp is that of the commit.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

ROOT = Path(__file__).parents[1]
_PIN = re.compile(r"(?P<name>[a-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?")
#: The models of the reader and the vectors of the starter examples.
LEARNED_FILES = (
    "triage/reader/danger_words.npz",
    "triage/reader/danger_vectors.npz",
    "triage/reader/act_words.npz",
    "triage/reader/act_vectors.npz",
    "triage/starter/vectors.npz",
    "triage/letters/weights.npz",
)
#: What they are computed from.
LEARNED_SOURCES = ("triage", "complaints/hazards.py", "complaints/hazards.toml")
LEARNED_BY = (
    "triage.learning.reader_models",
    "triage.learning.starter_vectors",
    "triage.learning.letter_models",
)
DEMO_PAST = "amends/demo/past.jsonl.xz"
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


@dataclass(frozen=True)
class Pin:
    """One pinned package. `marker` says on which platforms it is installed; empty: on all."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def pins(text: str) -> list[Pin]:
    """The packages of a requirements file with their SHA-256."""
    found: list[Pin] = []
    for block in re.split(r"\n(?=[a-z0-9])", text):
        if match := _PIN.match(block.strip()):
            hashes = tuple(sorted(re.findall(r"sha256:([0-9a-f]{64})", block)))
            found.append(Pin(match["name"], match["version"], (match["marker"] or "").strip(), hashes))
    return sorted(found, key=lambda pin: pin.purl)


def licence(name: str, version: str) -> str | None:
    """The licence that a package declares; None if it is not installed here in this version."""
    try:
        package = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    if package.version != version:
        return None
    about = package.metadata
    classifiers = [
        line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or () if "License ::" in line
    ]
    declared = about.get("License-Expression") or " AND ".join(classifiers) or about.get("License") or ""
    return declared.strip().splitlines()[0] if declared.strip() else "not declared"


def bill_of_materials(packages: list[Pin], project: dict[str, Any], at: datetime) -> dict[str, Any]:
    """The CycloneDX document: the product, every pinned package, and what depends on what."""
    root = f"pkg:pypi/{project['name']}@{project['version']}"
    by_name = {pin.name: pin.purl for pin in packages}
    direct = sorted(
        {by_name[name] for name in map(_required_name, project["dependencies"]) if name in by_name}
    )
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": {
                "type": "application", "bom-ref": root, "name": project["name"], "version": project["version"],
                "description": project["description"], "licenses": [{"expression": project["license"]}], "purl": root,
            },
        },
        "components": [_component(pin) for pin in packages],
        "dependencies": [
            {"ref": root, "dependsOn": direct},
            *({"ref": pin.purl, "dependsOn": sorted(_required_by(pin, by_name))} for pin in packages),
        ],
    }  # fmt: skip
    number = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    return {**document, "serialNumber": f"urn:uuid:{number}"}


def _component(pin: Pin) -> dict[str, Any]:
    properties = [{"name": "amends:pinned-sha256", "value": value} for value in pin.hashes]
    if pin.marker:
        properties.append({"name": "amends:only-if", "value": pin.marker})
    component: dict[str, Any] = {
        "type": "library", "bom-ref": pin.purl, "name": pin.name, "version": pin.version, "purl": pin.purl,
        "properties": properties,
    }  # fmt: skip
    if (name := licence(pin.name, pin.version)) is not None:
        component["licenses"] = [{"license": {"name": name}}]
    return component


def _required_name(requirement: str) -> str:
    return re.split(r"[\[<>=!~ ;(]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _required_by(pin: Pin, by_name: dict[str, str]) -> set[str]:
    try:
        required = metadata.requires(pin.name) or []
    except metadata.PackageNotFoundError:
        return set()
    names = {_required_name(line) for line in required if "extra ==" not in line}
    return {by_name[name] for name in names & by_name.keys()}


def licence_list(packages: list[Pin]) -> str:
    """A table of every package with its version and licence."""
    rows = [
        (
            pin.name,
            pin.version,
            licence(pin.name, pin.version) or f"not installed here ({pin.marker or 'other'})",
        )
        for pin in packages
    ]
    lines = [f"| {' | '.join(row)} |" for row in (("package", "version", "licence"), ("---",) * 3, *rows)]
    return "\n".join(["# Licences of the packages that a release installs", "", *lines, ""])


def build(source: Path, output: Path, epoch: int) -> Iterator[Path]:
    """Build wheel and source archive in a process of its own, without the network."""
    # The first of the two changes sys.argv.
    code = "import sys; from setuptools.build_meta import *; o = sys.argv[1]; build_sdist(o); build_wheel(o)"
    env = {**os.environ, "SOURCE_DATE_EPOCH": str(epoch), "PYTHONHASHSEED": "0"}
    subprocess.run(  # noqa: S603  # our own interpreter and code
        [sys.executable, "-c", code, str(output)], cwd=source, env=env, check=True, stdout=subprocess.DEVNULL
    )
    made = sorted(output.iterdir())
    if len(made) != 2:
        raise SystemExit(f"expected a wheel and a source archive, not {[file.name for file in made]}")
    for file in made:
        if file.name.endswith(".tar.gz"):
            file.write_bytes(_normal_archive(file.read_bytes(), epoch))
        yield file


def _normal_archive(data: bytes, epoch: int) -> bytes:
    """The same files in a fixed order, with one time, one owner and two modes."""
    out = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(data)) as before,
        gzip.GzipFile(fileobj=out, mode="wb", mtime=epoch, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as after,
    ):
        for member in sorted(before.getmembers(), key=lambda member: member.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            after.addfile(member, before.extractfile(member) if member.isfile() else None)
    return out.getvalue()


def _add_learned_files(source: Path, *, is_same: bool) -> None:
    """Those of this checkout, or computed again where its sources differ from the commit's: they are not in git."""
    if is_same and all((ROOT / file).exists() for file in LEARNED_FILES):
        for file in LEARNED_FILES:
            shutil.copyfile(ROOT / file, source / file)
        return
    for module in LEARNED_BY:
        command = [sys.executable, "-m", module]
        subprocess.run(command, cwd=source, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # our own code


def _add_demo_past(source: Path) -> None:
    """That of this checkout, or made again where its sources differ from the commit's."""
    if (ROOT / DEMO_PAST).exists():
        shutil.copyfile(ROOT / DEMO_PAST, source / DEMO_PAST)
    command = [sys.executable, "-m", "amends.demo.past_file"]
    subprocess.run(command, cwd=source, check=True)  # noqa: S603  # our own code


def release(commit: str, output: Path) -> list[Path]:
    """Write everything into an empty folder; returns the files."""

    def git(*arguments: str) -> bytes:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout  # noqa: S603  # no shell

    if output.exists() and any(output.iterdir()):
        raise SystemExit(f"{output} is not empty: name another folder, or empty it.")
    output.mkdir(parents=True, exist_ok=True)
    epoch = int(git("show", "-s", "--format=%ct", commit))
    os.umask(0o022)
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", commit))) as archive:
            archive.extractall(folder, filter="data")
        source = Path(folder)
        project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        _add_learned_files(source, is_same=not git("diff", "--name-only", commit, "--", *LEARNED_SOURCES))
        _add_demo_past(source)
        packages = pins((source / "requirements" / "run.txt").read_text(encoding="utf-8"))
        files = list(build(source, output, epoch))
    name = f"{project['name']}-{project['version']}"
    bom = bill_of_materials(packages, project, datetime.fromtimestamp(epoch, UTC))
    for suffix, text in (
        (".cdx.json", json.dumps(bom, indent=2, sort_keys=True) + "\n"),
        ("-licences.md", licence_list(packages)),
    ):
        files.append(output / f"{name}{suffix}")
        files[-1].write_text(text, encoding="utf-8")
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)]
    (output / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    return [*files, output / "SHA256SUMS"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    options = parser.parse_args()
    for written in release(options.commit, options.output):
        print(written)
