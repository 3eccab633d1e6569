"""The command line (docs/surfaces.md): thin; every command reads settings, asks one room, prints the answer."""

from __future__ import annotations

import os

import typer

from amends.cli import (
    case,
    clauses,
    custody,
    database,
    desk,
    filing,
    forgetting,
    importing,
    inbox,
    outbox,
    privacy,
    promoting,
    redating,
    report,
    setup,
    triage,
)

app = typer.Typer(
    name="amends",
    help="A complaints desk that follows ISO 10002: Telegram for complainants, Slack for staff.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
case.app.command("file")(filing.file_)
case.app.command("redate")(redating.redate)
database.app.command("backup")(custody.backup)
database.app.command("restore")(custody.restore)
database.app.command("checkpoint")(custody.checkpoint)
database.app.command("rotate-key")(custody.rotate_key)
privacy.app.command("erase")(forgetting.erase)
privacy.app.command("purge")(forgetting.purge)
triage.app.command("promote")(promoting.promote)
triage.app.command("history")(promoting.history)
triage.app.command("rollback")(promoting.rollback)
triage.app.command("forget-history")(promoting.forget_history)
app.add_typer(database.app, name="db")
app.add_typer(triage.app, name="triage")
app.add_typer(case.app, name="case")
app.add_typer(report.app, name="report")
app.add_typer(outbox.app, name="outbox")
app.add_typer(inbox.app, name="inbox")
app.add_typer(privacy.app, name="privacy")
app.command("clauses")(clauses.clauses)
app.command("demo")(desk.demo)
app.command("run")(desk.run)
app.command("import")(importing.import_)
app.command("init")(setup.init)
app.command("check")(setup.check)
app.command("slack-manifest")(setup.slack_manifest)


def main() -> None:
    """The console script: one place turns our errors into a message and an exit code."""
    # The triage's arrays are small: several threads for each cost twice the time, and the desk's own share.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from amends.cli.ending import run_and_exit  # typer loads fast only when what it needs is loaded late

    run_and_exit(app)
