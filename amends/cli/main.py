"""All commands, with the summaries that lists of commands show; a command's module is imported when it is needed."""

import errno
import gc
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # without it no shell is supported
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from amends.reports.report_kinds import KINDS

#: How often Python looks for garbage; a process that runs for months needs it.
USUAL_COLLECTION = gc.get_threshold()
#: Exit code after Ctrl-C: 128 and the number of SIGINT, as shells expect.
INTERRUPTED = 130
_LOADED = ("params", "callback", "help")


class LazyCommand(TyperCommand):
    """A command whose module is imported when its options, its help or its function are needed.

    Importing all of them takes seconds, for the database, scikit-learn and Slack.
    """

    def __init__(self, row: Mapping[str, Any], function: str, summary: str) -> None:
        super().__init__(row.get("name", function.rstrip("_").replace("_", "-")), short_help=summary)
        self._row, self._function = row, function
        for attribute in _LOADED:  # `__getattr__` is called for absent attributes only
            delattr(self, attribute)

    def __getattr__(self, attribute: str) -> Any:
        """Load the function and take parameters, callback and help from the command that Typer makes of it."""
        if attribute not in _LOADED:
            raise AttributeError(attribute)
        module, help_texts = import_module(f"amends.cli.{self._row['module']}"), self._row.get("help", {})
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        function = getattr(module, self._function)
        if self._row.get("config", True):
            function = import_module("amends.cli.options").with_config(function)
        app.command(self.name, help=function.__doc__ or self.short_help)(function)
        command = typer.main.get_command(app)
        for parameter in command.params:
            if isinstance(parameter, TyperOption | TyperArgument) and parameter.name in help_texts:
                parameter.help = help_texts[parameter.name]
        for loaded in _LOADED:
            setattr(self, loaded, getattr(command, loaded))
        return getattr(self, attribute)


def _commands() -> Iterator[LazyCommand | TyperGroup]:
    """The commands and groups of commands.toml, in its order."""
    table = tomllib.loads(Path(__file__).with_name("commands.toml").read_text(encoding="utf-8"))
    for group, rows in groupby(table["command"], lambda row: row.get("group")):
        commands = [LazyCommand(row, row["function"], row["summary"]) for row in rows]
        if group == "report":
            kinds = (LazyCommand(table["report_kind"], name, kind.summary) for name, kind in KINDS.items())
            commands = [*kinds, *commands]
        if group is None:
            yield from commands
        else:
            yield TyperGroup(name=group, help=table["groups"][group], commands=commands, no_args_is_help=True)


COMMANDS: tuple[LazyCommand | TyperGroup, ...] = tuple(_commands())


class _Root(TyperGroup):
    def __init__(self, **settings: Any) -> None:
        settings["commands"] = COMMANDS
        super().__init__(**settings)


app = typer.Typer(
    name="amends",
    cls=_Root,
    help="A complaints desk that follows ISO 10002: Telegram for complainants, Slack for staff.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None: ...


def main() -> NoReturn:
    """Run the command of `sys.argv` and exit.

    Completion in Bash: `eval "$(_AMENDS_COMPLETE=source_bash amends)"`; zsh and fish have their own.
    """
    # Triage multiplies small matrices: threads double their time and take the desk's processors.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    # The database, backups and exports hold people's data: only their owner may read new files.
    os.umask(0o077)
    if not sys.stdout.isatty() and hasattr(sys.stdout, "reconfigure"):
        # Who reads a pipe sees each line when it is printed.
        sys.stdout.reconfigure(line_buffering=True)
    if "_AMENDS_COMPLETE" in os.environ:
        completion_init()
    _run_and_exit()


def _run_and_exit() -> NoReturn:
    """Run the command line; an error becomes one line on standard error, never a traceback.

    Typer answers help and bad usage (exit code 2) itself and raises SystemExit.
    """
    try:
        app()
    except (KeyboardInterrupt, SystemExit) as stop:
        # Typer ends with 130 after Ctrl-C.
        if isinstance(stop, KeyboardInterrupt) or stop.code == INTERRUPTED:
            sys.stderr.write("Stopped.\n")
            sys.exit(INTERRUPTED)
        raise
    except Exception as error:  # noqa: BLE001  # no traceback for any error: it may contain people's words
        message, code = _message_and_code(error)
        sys.stderr.write(message.rstrip() + "\n")
        sys.exit(code)
    sys.exit(0)


def _message_and_code(error: Exception) -> tuple[str, int]:
    # Imported only after a failure: these modules take longer to load than `amends --help` takes.
    from amends.cli.options import BAD_USAGE, NOT_WELL, OUTSIDE_FAILED
    from amends.runtime import OutsideFailed
    from amends.settings import SettingsError
    from bots.texts.catalogues import TextsError
    from complaints.errors import ComplaintError
    from store.database.errors import AlreadyRunning, DatabaseUnavailable, StoreError, WrongSchemaVersion
    from triage.errors import TriageError

    if isinstance(error, (SettingsError, AlreadyRunning, WrongSchemaVersion, TextsError)):
        return str(error), BAD_USAGE
    if isinstance(error, (OutsideFailed, DatabaseUnavailable)):
        return str(error), OUTSIDE_FAILED
    if isinstance(error, (ComplaintError, TriageError, StoreError)):
        return str(error), NOT_WELL
    if isinstance(error, OSError) and (problem := _os_problem(error)) is not None:
        return problem, NOT_WELL if error.errno in _FULL else BAD_USAGE
    from amends.logs import describe_failure

    return (
        f"This is a fault in Amends: {describe_failure(error)}. Please report it with these places.",
        NOT_WELL,
    )


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}


def _os_problem(error: OSError) -> str | None:
    """What the system refuses, with the remedy; None for an error that the person at the keyboard cannot mend."""
    remedies = tomllib.loads(Path(__file__).with_name("os_errors.toml").read_text(encoding="utf-8"))
    name = errno.errorcode.get(error.errno or 0)
    if error.errno is None or name not in remedies:
        return None
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{os.strerror(error.errno)}: {remedies[name]}."


def script() -> NoReturn:
    """The console script: `main` in a process that ends with it.

    Imports make 200,000 objects that stay. Looking for garbage among them takes a tenth of a short
    command, and once more at the end a fifth.
    """
    gc.set_threshold(200_000, *USUAL_COLLECTION[1:])
    try:
        main()
    finally:
        gc.freeze()
