"""The previous release and this one together on one PostgreSQL (`python -m benchmarks faults releases`).

The older code comes from the git history: the last commit before the newest migration, `--before REV`
(`AMENDS_BEFORE`), or with `--every` the last commit of every schema.
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

from benchmarks.measuring import result_table
from tests.faults.database_faults import cluster
from tests.faults.releases import SideBySide, side_by_side

ROOT = Path(__file__).parents[1]
VERSIONS = "store/migrations/versions"
NO_HISTORY = "releases: no git history here, so there is no older release to run; left out."


def before(revision: str, root: Path | None = None) -> str | None:
    """The hash of the last commit without this migration, or None if the history does not have it."""
    root = root or ROOT
    [file] = [path.name for path in (root / VERSIONS).glob(f"{revision}_*.py")]
    commit = _git(
        root, "log", "--first-parent", "--diff-filter=A", "--format=%H", "-1", "--", f"{VERSIONS}/{file}"
    )
    return _git(root, "rev-parse", "--verify", "--quiet", f"{commit}^") if commit else None


def revisions(root: Path | None = None) -> list[str]:
    """The numbers of all migrations, the newest first."""
    return sorted((path.name[:4] for path in ((root or ROOT) / VERSIONS).glob("[0-9]*.py")), reverse=True)


def _git(root: Path, *command: str) -> str | None:
    """The output of git, or None if the command failed."""
    try:
        result = subprocess.run(["git", "-C", root, *command], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip() or None


@contextmanager
def code_of(commit: str, root: Path | None = None) -> Iterator[Path]:
    """The files of a commit in a temporary folder.

    Extracted from an archive: a worktree would leave an entry in a repository that others use.
    """
    with tempfile.TemporaryDirectory(prefix="amends-before-") as name:
        archive_bytes = subprocess.run(
            ["git", "-C", root or ROOT, "archive", commit], check=True, capture_output=True
        ).stdout
        with tarfile.open(fileobj=io.BytesIO(archive_bytes)) as archive:
            archive.extractall(name, filter="data")
        yield Path(name)


def table(
    revision: str | None, *, every: bool = False, chats: int = 6, report: Callable[[str], None] = print
) -> Table | str:
    """One column per older release, or a sentence if there is none."""
    newest_first = revisions()
    if revision is not None:
        commits_by_name = {revision: _git(ROOT, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")}
        if commits_by_name[revision] is None:
            return f"releases: git knows no {revision} here; left out."
    else:
        pairs = list(pairwise(newest_first))
        commits_by_name = {older: before(newer) for newer, older in (pairs if every else pairs[:1])}
    commits = {name: commit for name, commit in commits_by_name.items() if commit is not None}
    if not commits:
        return NO_HISTORY
    return _draw({name: _run_release(commit, chats, report) for name, commit in commits.items()}, commits)


def _run_release(commit: str, chats: int, report: Callable[[str], None]) -> SideBySide:
    with (
        code_of(commit) as older,
        cluster() as cluster_,
        tempfile.TemporaryDirectory(prefix="amends-releases-") as folder,
    ):
        return asyncio.run(side_by_side(older, ROOT, cluster_.url, Path(folder), chats=chats, report=report))


def _draw(results: dict[str, SideBySide], commits: dict[str, str]) -> Table:
    report = result_table("An older release together with this one", "")
    for name in results:
        report.add_column(f"{name} ({commits[name][:7]})", justify="right")
    releases = list(results.values())
    report.add_row(
        "started on these tables", *("refuses" if release.refused else "works" for release in releases)
    )
    report.add_row("upgrade of its tables", *(f"{release.upgrade:.1f} s" for release in releases))
    names = max((release.stages for release in releases), key=len)
    for number, stage in enumerate(names):
        report.add_row(stage.name, *(_stage(release, number) for release in releases))
    report.add_row("acts of staff in Slack", *(str(release.acts) for release in releases))
    report.add_row("counts that must be 0 and are not", *(_wrong(release) for release in releases))
    return report


def _stage(release: SideBySide, number: int) -> str:
    if number >= len(release.stages):
        return "-"
    stage = release.stages[number]
    received = "received later" if stage.received is None else f"received in {stage.received:.1f} s"
    return f"{received}; {stage.older} / {stage.newer} sent"


def _wrong(release: SideBySide) -> str:
    return "\n".join(f"{name.replace('_', ' ')}: {count}" for name, count in release.wrong().items()) or "-"
