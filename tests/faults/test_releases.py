"""Which commit stands for the release before (`python -m benchmarks faults releases`); that itself takes minutes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks import releases

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def test_the_release_before_is_the_last_commit_without_the_newest_migration(tmp_path: Path) -> None:
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
        assert {one.name for one in (code / releases.VERSIONS).iterdir()} == {"0001_tables.py", "code.py"}
    assert releases.before("0001", tmp_path) is None


def test_without_a_git_history_it_is_left_out_in_a_plain_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / releases.VERSIONS).mkdir(parents=True)
    for name in ("0001_tables.py", "0002_more.py"):
        (tmp_path / releases.VERSIONS / name).write_text("", encoding="utf-8")
    monkeypatch.setattr(releases, "ROOT", tmp_path)

    assert releases.table(None) == releases.NO_HISTORY
    assert "git knows no abc" in str(releases.table("abc"))


def _git(folder: Path, *command: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    # Only this folder's settings: those of whoever runs the tests may sign, or run hooks.
    own = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "-q", folder], check=True)
    done = subprocess.run(
        ["git", "-C", folder, *who, *command],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **own},
    )
    return done.stdout.strip()
