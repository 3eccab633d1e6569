"""Which commit counts as the previous release (`python -m benchmarks faults releases`; that takes minutes)."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import releases

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def test_the_previous_release_is_the_last_commit_without_the_newest_migration(tmp_path: Path) -> None:
    versions = tmp_path / releases.VERSIONS
    versions.mkdir(parents=True)
    for name in ("0001_tables.py", "code.py", "0002_more.py", "more_code.py"):
        (versions / name).write_text("", encoding="utf-8")
        _git(tmp_path, "add", ".")
        _git(tmp_path, "commit", "-qm", name)

    newest, *_ = releases.revisions(tmp_path)
    commit = releases.before(newest, tmp_path)

    assert (newest, commit) == ("0002", _git(tmp_path, "rev-parse", "HEAD~2"))
    with releases.code_of(commit or "", tmp_path) as code:
        assert {path.name for path in (code / releases.VERSIONS).iterdir()} == {"0001_tables.py", "code.py"}
    assert releases.before("0001", tmp_path) is None


def test_without_a_git_history_the_table_is_a_sentence_that_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / releases.VERSIONS).mkdir(parents=True)
    for name in ("0001_tables.py", "0002_more.py"):
        (tmp_path / releases.VERSIONS / name).write_text("", encoding="utf-8")
    monkeypatch.setattr(releases, "ROOT", tmp_path)

    assert releases.table(None) == releases.NO_HISTORY
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
