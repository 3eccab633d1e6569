"""Two releases together on one PostgreSQL (`python -m benchmarks faults releases`).

The older one is this code, and the newer one is this code with one more migration, which is invented. With
`--before REV` (`AMENDS_BEFORE`) the older one is a commit of the git history, and the newer one is this code.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.table import Table

from benchmarks.measuring import result_table
from tests.edges.next_release import ADDS
from tests.faults.database_faults import cluster
from tests.faults.releases import SideBySide, side_by_side

ROOT = Path(__file__).parents[1]
VERSIONS = "store/migrations/versions"


@contextmanager
def next_code() -> Iterator[Path]:
    """The code of the invented next release in a temporary folder: links to this one, and its migrations."""
    with tempfile.TemporaryDirectory(prefix="amends-next-") as name:
        folder = Path(name)
        for entry in ROOT.iterdir():
            if entry.name != "store" and not entry.name.startswith("."):
                (folder / entry.name).symlink_to(entry)
        shutil.copytree(ROOT / "store", folder / "store")
        (folder / VERSIONS / "0002_next.py").write_text(ADDS, encoding="utf-8")
        yield folder


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


def table(revision: str | None, *, chats: int = 6, report: Callable[[str], None] = print) -> Table | str:
    """What happened while both releases ran, or a sentence if git does not know the revision."""
    if revision is None:
        with next_code() as newer:
            return _draw("this one and an invented next", _run_both(ROOT, newer, chats, report))
    commit = _git(ROOT, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        return f"releases: git knows no {revision} here; left out."
    with code_of(commit) as older:
        return _draw(f"{revision} ({commit[:7]}) and this one", _run_both(older, ROOT, chats, report))


def _run_both(older: Path, newer: Path, chats: int, report: Callable[[str], None]) -> SideBySide:
    with cluster() as cluster_, tempfile.TemporaryDirectory(prefix="amends-releases-") as folder:
        return asyncio.run(side_by_side(older, newer, cluster_.url, Path(folder), chats=chats, report=report))


def _draw(name: str, result: SideBySide) -> Table:
    report = result_table("Two releases together", "")
    report.add_column(name, justify="right")
    report.add_row("the older one on the new tables", "refuses" if result.refused else "works")
    report.add_row("upgrade of the tables", f"{result.upgrade:.1f} s")
    for stage in result.stages:
        received = "received later" if stage.received is None else f"received in {stage.received:.1f} s"
        report.add_row(stage.name, f"{received}; {stage.older} / {stage.newer} sent")
    report.add_row("acts of staff in Slack", str(result.acts))
    wrong = "\n".join(
        f"{count_name.replace('_', ' ')}: {count}" for count_name, count in result.wrong().items()
    )
    report.add_row("counts that must be 0 and are not", wrong or "-")
    return report
