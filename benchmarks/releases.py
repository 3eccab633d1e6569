"""Releases: the one before and this one side by side on one PostgreSQL (`python -m benchmarks faults releases`).

The older code comes out of the git history: the last commit before the newest migration came, or `--before REV`
(`AMENDS_BEFORE`), or with `--every` the last one of every schema there was.
"""

from __future__ import annotations

import asyncio
import io
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from rich.table import Table

from tests.faults.database import cluster
from tests.faults.releases import SideBySide, side_by_side

ROOT = Path(__file__).parents[1]
VERSIONS = "store/migrations/versions"
NO_HISTORY = "releases: no git history here, so there is no older release to run; left out."


def before(revision: str, root: Path | None = None) -> str | None:
    """The last commit without this migration, by its hash; None where there is no history of it."""
    root = root or ROOT
    [file] = [one.name for one in (root / VERSIONS).glob(f"{revision}_*.py")]
    came = _git(
        root, "log", "--first-parent", "--diff-filter=A", "--format=%H", "-1", "--", f"{VERSIONS}/{file}"
    )
    return _git(root, "rev-parse", "--verify", "--quiet", f"{came}^") if came else None


def revisions(root: Path | None = None) -> list[str]:
    """Every migration of this checkout by its number, the newest first."""
    return sorted((one.name[:4] for one in ((root or ROOT) / VERSIONS).glob("[0-9]*.py")), reverse=True)


def _git(root: Path, *command: str) -> str | None:
    """What git answers; None where it cannot."""
    try:
        asked = subprocess.run(["git", "-C", root, *command], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return asked.stdout.strip() or None


@contextmanager
def code_of(commit: str, root: Path | None = None) -> Iterator[Path]:
    """The files of a commit in a folder of their own.

    Taken out as an archive: a worktree would leave its mark in a repository that others work in.
    """
    with tempfile.TemporaryDirectory(prefix="amends-before-") as name:
        packed = subprocess.run(
            ["git", "-C", root or ROOT, "archive", commit], check=True, capture_output=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(name, filter="data")
        yield Path(name)


def table(
    given: str | None, *, every: bool = False, chats: int = 6, report: Callable[[str], None] = print
) -> Table | str:
    """One column an older release; a plain sentence where there is none."""
    newest_first = revisions()
    if given is not None:
        wanted = {given: _git(ROOT, "rev-parse", "--verify", "--quiet", f"{given}^{{commit}}")}
        if wanted[given] is None:
            return f"releases: git knows no {given} here; left out."
    else:
        pairs = list(pairwise(newest_first))
        wanted = {older: before(newer) for newer, older in (pairs if every else pairs[:1])}
    commits = {name: commit for name, commit in wanted.items() if commit is not None}
    if not commits:
        return NO_HISTORY
    return _drawn({name: _tried(commit, chats, report) for name, commit in commits.items()}, commits)


def _tried(commit: str, chats: int, report: Callable[[str], None]) -> SideBySide:
    with (
        code_of(commit) as older,
        cluster() as made,
        tempfile.TemporaryDirectory(prefix="amends-releases-") as folder,
    ):
        return asyncio.run(side_by_side(older, ROOT, made.url, Path(folder), chats=chats, report=report))


def _drawn(came: dict[str, SideBySide], commits: dict[str, str]) -> Table:
    drawn = Table(title="An older release beside this one", title_justify="left", show_edge=False)
    drawn.add_column("")
    for name in came:
        drawn.add_column(f"{name} ({commits[name][:7]})", justify="right")
    every = list(came.values())
    drawn.add_row("started on these tables", *("refuses" if one.refused else "works" for one in every))
    drawn.add_row("tables made new under it", *(f"{one.upgrade:.1f} s" for one in every))
    names = max((one.stages for one in every), key=len)
    for number, stage in enumerate(names):
        drawn.add_row(stage.name, *(_stage(one, number) for one in every))
    drawn.add_row("acts of staff in Slack", *(str(one.acts) for one in every))
    drawn.add_row("what must be nothing and is not", *(_wrong(one) for one in every))
    return drawn


def _stage(one: SideBySide, number: int) -> str:
    if number >= len(one.stages):
        return "-"
    stage = one.stages[number]
    heard = "heard later" if stage.heard is None else f"heard in {stage.heard:.1f} s"
    return f"{heard}; {stage.older} / {stage.newer} sent"


def _wrong(one: SideBySide) -> str:
    return "\n".join(f"{name.replace('_', ' ')}: {found}" for name, found in one.wrong().items()) or "-"
