"""How a command ends: exit codes 0 done, 1 not well, 2 bad usage or settings, 3 an outside service failed."""

from __future__ import annotations

import sys
from typing import NoReturn

import click
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
    """Run the command line; errors of ours become one line on standard error, never a traceback."""
    try:
        code = app(standalone_mode=False)
    except click.exceptions.Abort:
        code = _say("Stopped.", BAD_USAGE)
    except click.ClickException as wrong:
        wrong.show()
        code = BAD_USAGE
    except click.exceptions.Exit as ended:
        code = ended.exit_code
    except SettingsError as wrong:
        code = _say(str(wrong), BAD_USAGE)
    except (ComplaintError, TriageError, StoreError) as wrong:
        code = _say(str(wrong), NOT_WELL)
    except OutsideFailed as wrong:
        code = _say(str(wrong), OUTSIDE_FAILED)
    except BrokenPipeError:
        code = 0
    sys.exit(int(code or 0))


def _say(message: str, code: int) -> int:
    sys.stderr.write(message.rstrip() + "\n")
    return code
