"""Which code runs as the older and as the newer release in `python -m benchmarks faults releases` (some minutes)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import releases
from store.database import migrate


def test_the_invented_next_release_is_this_code_with_one_more_migration(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'amends.db'}"
    with releases.next_code() as code:
        statement = f"from store.database import migrate; migrate.upgrade({url!r})"
        environment = {**os.environ, "PYTHONPATH": str(code)}
        subprocess.run([sys.executable, "-c", statement], env=environment, cwd=tmp_path, check=True)

    status = migrate.schema_status(url)

    assert (status.revision, status.is_newer, status.serves) == ("0002", True, True)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_commit_has_the_code_that_it_had(tmp_path: Path) -> None:
    for name in ("first.py", "second.py"):
        (tmp_path / name).write_text("", encoding="utf-8")
        _git(tmp_path, "add", ".")
        _git(tmp_path, "commit", "-qm", name)
    with releases.code_of(_git(tmp_path, "rev-parse", "HEAD~1"), tmp_path) as code:
        assert [path.name for path in code.iterdir()] == ["first.py"]


def test_a_commit_that_git_does_not_know_is_named() -> None:
    assert "git knows no abc" in str(releases.table("abc"))


def _git(folder: Path, *command: str) -> str:
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    # Ignore the developer's own settings, which may sign commits or run hooks.
    settings = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "-q", folder], check=True)
    result = subprocess.run(
        ["git", "-C", folder, *identity, *command],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **settings},
    )
    return result.stdout.strip()
