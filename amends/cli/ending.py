"""How a command ends: exit codes 0 done, 1 not well, 2 bad usage or settings, 3 an outside service failed."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from amends.settings import SettingsError
from complaints.errors import ComplaintError
from store.errors import StoreError
from triage.errors import TriageError

NOT_WELL = 1
BAD_USAGE = 2
OUTSIDE_FAILED = 3


class OutsideFailed(Exception):
    """A service that we depend on did not answer; the message says which and what to do."""


def run_and_exit(app: typer.Typer) -> NoReturn:
    """Run the command line; errors of ours become one line on standard error, never a traceback.

    Help and bad usage (exit code 2) are Typer's own to answer: it always ends in SystemExit.
    """
    try:
        app()
    except SettingsError as wrong:
        _end(str(wrong), BAD_USAGE)
    except (ComplaintError, TriageError, StoreError) as wrong:
        _end(str(wrong), NOT_WELL)
    except OutsideFailed as wrong:
        _end(str(wrong), OUTSIDE_FAILED)
    sys.exit(0)


def _end(message: str, code: int) -> NoReturn:
    sys.stderr.write(message.rstrip() + "\n")
    sys.exit(code)
