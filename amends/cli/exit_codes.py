"""Exit codes: 0 done, 1 not well, 2 bad usage or settings, 3 an outside service failed (docs/surfaces.md)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    import typer

NOT_WELL = 1
BAD_USAGE = 2
OUTSIDE_FAILED = 3


def run_and_exit(app: typer.Typer) -> NoReturn:
    """Run the command line; an error becomes one line on standard error, never a traceback.

    Typer answers help and bad usage (exit code 2) itself and raises SystemExit.
    """
    try:
        app()
    except Exception as error:  # noqa: BLE001  # no traceback for any error: it may contain people's words
        message, code = _message_and_code(error)
        sys.stderr.write(message.rstrip() + "\n")
        sys.exit(code)
    sys.exit(0)


def _message_and_code(error: Exception) -> tuple[str, int]:
    # Imported only after a failure: these modules take longer to load than `amends --help` takes.
    from amends.errors import OutsideFailed
    from amends.settings import SettingsError
    from bots.texts.loading import TextsError
    from complaints.errors import ComplaintError
    from store.database.errors import AlreadyRunning, DatabaseUnavailable, StoreError, WrongSchemaVersion
    from triage.errors import TriageError

    if isinstance(error, (SettingsError, AlreadyRunning, WrongSchemaVersion, TextsError)):
        return str(error), BAD_USAGE
    if isinstance(error, (OutsideFailed, DatabaseUnavailable)):
        return str(error), OUTSIDE_FAILED
    if isinstance(error, (ComplaintError, TriageError, StoreError)):
        return str(error), NOT_WELL
    from amends.logs import describe_failure

    return (
        f"This is a fault in Amends: {describe_failure(error)}. Please report it with these places.",
        NOT_WELL,
    )
