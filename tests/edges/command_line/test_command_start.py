"""A command imports only what it needs: help and completion load no database, no model and no chat."""

from __future__ import annotations

import gc
import inspect
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from amends import logs, process
from amends.cli import desk as desk_commands
from amends.cli.main import USUAL_COLLECTION, app
from amends.cli.options import with_config
from tests.edges.desk import Desk

ROOT = Path(__file__).parents[3]
#: Modules that only a running desk needs.
DESK_MODULES = {
    "aiohttp", "apscheduler", "joblib", "numpy", "py3langid", "scipy", "skops", "sklearn", "slack_bolt", "slack_sdk",
    "starlette", "telegram", "typst", "uvicorn", "websockets",
}  # fmt: skip
#: Modules that open the record. Help does not need them either.
RECORD_MODULES = {
    "alembic", "amends.settings", "babel", "cryptography", "holidays", "httpx", "phonenumbers", "psycopg",
    "pydantic_settings", "sqlalchemy", "sqlmodel", "store.store", "structlog",
}  # fmt: skip
#: Modules that `case list` and `case show` load; who lowers the number lowers its bound.
MOST_MODULES = 850
#: Runs `amends` once for each list of arguments and then writes the names of all loaded modules.
SCRIPT = """
import json, sys
from amends.cli.main import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["amends", *arguments]
    try:
        main()
    except SystemExit as ended:
        assert not ended.code, (arguments, ended.code)
sys.stderr.write("\\n" + json.dumps(sorted(sys.modules)))
"""


def commands(group: TyperGroup, *path: str) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, *path, name)
        else:
            assert isinstance(command, TyperCommand)
            yield (*path, name), command


def every_command() -> dict[tuple[str, ...], TyperCommand]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return dict(commands(group))


def run(*commands: tuple[str, ...], **environment: str) -> tuple[str, set[str]]:
    """Run these commands in a process. Returns its output and the modules that it has loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(commands)],
        env={**os.environ, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout, set(json.loads(ended.stderr.splitlines()[-1]))


def test_lists_of_commands_show_the_first_paragraph_of_their_help() -> None:
    short_helps = {path: command.short_help for path, command in every_command().items()}
    helps = {path: inspect.cleandoc(command.help or "") for path, command in every_command().items()}
    assert short_helps == {path: text.partition("\n\n")[0] for path, text in helps.items()}


def test_every_command_has_the_options_of_its_function() -> None:
    options = {" ".join(path): len(command.params) for path, command in every_command().items()}
    assert len(options) == 64
    assert (options["triage train"], options["case redate"], options["slack-manifest"]) == (17, 9, 0)


@pytest.mark.parametrize("arguments", [("--help",), ("db", "--help")])
def test_lists_of_commands_import_no_command(arguments: tuple[str, ...]) -> None:
    _, modules = run(arguments)
    assert {name for name in modules if name.startswith(("amends.", "complaints.", "store."))} == {
        "amends.cli",
        "amends.cli.main",
        # The table of reports, each of which is a command.
        "amends.reports",
        "amends.reports.report_kinds",
    }
    assert modules & (DESK_MODULES | RECORD_MODULES) == set()


def test_the_help_of_every_command_loads_no_database_no_model_and_no_chat() -> None:
    _, modules = run(*((*path, "--help") for path in every_command()))
    assert {"amends.cli.cases", "amends.cli.triage.train"} <= modules
    assert modules & (DESK_MODULES | RECORD_MODULES) == set()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("ca", {"case"}),
        ("case sh", {"show"}),
        ("case list --ov", {"--overdue"}),
        ("case list --priority ", {"P1", "P2", "P3", "P4"}),
    ],
)
def test_the_shell_completes_commands_options_and_values(typed: str, completed: set[str]) -> None:
    words = ["amends", *typed.split(" ")]
    printed, modules = run(
        (), _AMENDS_COMPLETE="complete_bash", COMP_WORDS=" ".join(words), COMP_CWORD=str(len(words) - 1)
    )
    assert set(printed.split()) == completed
    assert modules & (DESK_MODULES | RECORD_MODULES) == set()


def test_reading_complaints_loads_no_model_and_no_chat(place: Path, desk: Desk, usual_url: str) -> None:
    ref = desk.receive()
    options = ("--config", str(place))
    _, modules = run(
        ("case", "list", *options), ("case", "show", ref, *options), AMENDS_DATABASE_URL=usual_url
    )
    assert "sqlalchemy" in modules
    assert modules & (DESK_MODULES | {"pandas"}) == set()
    assert len(modules) <= MOST_MODULES
    if usual_url.startswith("sqlite"):
        assert (
            modules & {"alembic", "phonenumbers", "psycopg", "structlog", "holidays.countries.tuvalu"}
            == set()
        )


def test_a_running_desk_uses_pythons_usual_garbage_collection(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    thresholds = []

    async def run_desk(*_: object) -> None:
        thresholds.append(gc.get_threshold())

    monkeypatch.setattr(process, "run_application", run_desk)
    monkeypatch.setattr(logs, "set_up_logging", lambda *_: None)
    usual = gc.get_threshold()
    try:
        gc.set_threshold(200_000)
        with_config(desk_commands.run)(config=place)
    finally:
        gc.set_threshold(*usual)
    assert thresholds == [usual] == [USUAL_COLLECTION]
