"""How a command ends: exit codes 0 done, 1 not well, 2 bad usage or settings, 3 an outside service failed."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from amends.errors import OutsideFailed
from amends.logs import told
from amends.settings import SettingsError
from bots.texts.catalogue import TextsError
from complaints.errors import ComplaintError
from store.database.errors import AlreadyRunning, DatabaseUnavailable, StoreError, WrongSchemaVersion
from triage.errors import TriageError

NOT_WELL = 1
BAD_USAGE = 2
OUTSIDE_FAILED = 3


def run_and_exit(app: typer.Typer) -> NoReturn:
    """Run the command line; errors of ours become one line on standard error, never a traceback.

    Help and bad usage (exit code 2) are Typer's own to answer: it always ends in SystemExit.
    """
    try:
        app()
    except (SettingsError, AlreadyRunning, WrongSchemaVersion, TextsError) as wrong:
        _end(str(wrong), BAD_USAGE)
    except (OutsideFailed, DatabaseUnavailable) as wrong:
        _end(str(wrong), OUTSIDE_FAILED)
    except (ComplaintError, TriageError, StoreError) as wrong:
        _end(str(wrong), NOT_WELL)
    except Exception as wrong:  # noqa: BLE001  # nobody may be met by a traceback: it may hold people's words
        _end(f"This should not have happened: {told(wrong)}. Please report it with these places.", NOT_WELL)
    sys.exit(0)


def _end(message: str, code: int) -> NoReturn:
    sys.stderr.write(message.rstrip() + "\n")
    sys.exit(code)
