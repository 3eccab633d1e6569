"""All commands, with the summaries that lists of commands show; a command's module is imported when it is needed."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.completion import completion_init  # type: ignore[attr-defined]  # without it no shell is supported
from typer.core import TyperCommand, TyperGroup

#: How often Python looks for garbage; a process that runs for months needs it.
USUAL_COLLECTION = gc.get_threshold()
#: Exit code after Ctrl-C: 128 and the number of SIGINT, as shells expect.
INTERRUPTED = 130
_LOADED = ("params", "callback", "help")


class LazyCommand(TyperCommand):
    """A command whose module is imported when its options, its help or its function are needed.

    Importing all of them takes seconds, for the database, scikit-learn and Slack.
    """

    def __init__(self, module: str, function: str, summary: str) -> None:
        super().__init__(function.rstrip("_").replace("_", "-"), short_help=summary)
        self._module, self._function = module, function
        for attribute in _LOADED:  # `__getattr__` is called for absent attributes only
            delattr(self, attribute)

    def __getattr__(self, attribute: str) -> Any:
        """Load the function and take parameters, callback and help from the command that Typer makes of it."""
        if attribute not in _LOADED:
            raise AttributeError(attribute)
        module = import_module(f"amends.cli.{self._module}")
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.command(self.name)(getattr(module, self._function))
        command = typer.main.get_command(app)
        for loaded in _LOADED:
            setattr(self, loaded, getattr(command, loaded))
        return getattr(self, attribute)


def _commands(module: str, **summaries: str) -> Iterator[LazyCommand]:
    """The commands of a module of this folder: each function with its summary, in the order of the list."""
    return (LazyCommand(module, function, summary) for function, summary in summaries.items())


def _group(name: str, summary: str, *commands: LazyCommand) -> TyperGroup:
    return TyperGroup(name=name, help=summary, commands=commands, no_args_is_help=True)


COMMANDS: tuple[LazyCommand | TyperGroup, ...] = (
    *_commands(
        "clauses",
        clauses=(
            "Each clause: what meets it, where in the code, which test, what the record shows. Exit 1 if one "
            "is broken."
        ),
    ),
    *_commands(
        "desk",
        demo="The whole desk against a simulator of both platforms, on a throw-away database; prints one address.",
        run="Work until SIGTERM; then finish the work in progress and stop within 10 seconds.",
    ),
    *_commands(
        "importing",
        import_=(
            "Bring in closed complaints of before: no one is written to, no clock runs. A repeat changes "
            "nothing."
        ),
    ),
    *_commands(
        "setup",
        init="Write a commented amends.toml, .env with a new key, texts/ and the Slack app manifest.",
        check="Everything a start needs, a line each: ok, warn or fail with the remedy; exit 1 on any fail.",
        poster="An A4 poster on how to complain, with the bot's QR code; a page for each language, as PDF/A.",
        slack_manifest='The JSON from which Slack creates the app (api.slack.com/apps, "From a manifest").',
    ),
    *_commands("db", prove="Write the receipt of a complaint with the proof that the log contains it."),
    *_commands(
        "witness",
        witness="Cosign checkpoints of the logs of other desks that only grew; needs no database and no amends.toml.",
    ),
    _group(
        "law",
        "The rules of the presets by date.",
        *_commands(
            "law",
            list_="Each rule of the presets: its value, its days, its source, and how certain it is.",
            diff="What changes for complaints received after the first day, up to the last.",
        ),
    ),
    _group(
        "db",
        "The database.",
        *_commands(
            "db",
            upgrade="Bring the tables to this release; repeating it changes nothing.",
            verify=(
                "Check every row against the journal, every chain, the log, and what is kept outside; name each "
                "damage."
            ),
            backup="Copy the whole record into one file while the desk runs; it restores into SQLite and PostgreSQL.",
            restore=(
                "Bring a backup into an empty database, check it from end to end, erase again what was "
                "erased since."
            ),
            checkpoint=(
                "Add what is new to the log and write its signed checkpoint; kept outside, it shows any later "
                "rewriting."
            ),
            anchor=(
                "After an upgrade: check the chains of the older release and take its rows into the journal; can "
                "be repeated."
            ),
            prove="Write the receipt of a complaint with the proof that the log contains it.",
            vacuum=(
                "Write every table again, so that no erased byte is left; each is locked while it is written."
            ),
            rotate_key=(
                "Move every key to the newest secret of AMENDS_SECRET_KEY; then the older ones may be taken "
                "out of it."
            ),
        ),
    ),
    _group(
        "triage",
        "The model behind the initial assessment.",
        *_commands(
            "triage.train",
            train="Train on labelled complaints, judge on a part held back, write the model and its card.",
            evaluate="Judge a model: accuracy, macro_f1, log_loss, ece, accuracy_at_80, each category, and severity.",
        ),
        *_commands(
            "triage.propose",
            propose="What triage proposes: category, matters, severity, reasons. JSON lines in give JSON lines out.",
        ),
        *_commands(
            "triage.promote",
            promote=(
                "Put the model of FILE in use if it is not worse than the present one; exit 1 with the "
                "reasons if it is."
            ),
            history="The models in use over time and those turned away, the newest first, and what drifts.",
            rollback="Use the model that was in use before the present one; a second time goes one further back.",
            forget_history=(
                "Destroy the history rows that a promoted model brought; later training runs do not learn "
                "from them."
            ),
        ),
    ),
    _group(
        "case",
        "The record.",
        *_commands(
            "case",
            list_="Complaints, those with the next due time first.",
            show="The whole record of one complaint, words included; that it was shown stays on the record.",
            history="What happened and when, who did it, in which role, under which clause; the read is recorded.",
            due=(
                "How each due time was computed: every day counted, every holiday, every rule; who extended "
                "it, and why."
            ),
            file_=(
                "Annex B's and D's forms with all words and events, as PDF/A; that it was made stays on the "
                "record."
            ),
        ),
        *_commands(
            "redate",
            redate=(
                "Compute the dates of open complaints again by today's amends.toml: settings alone move none "
                "of them."
            ),
        ),
    ),
    _group(
        "report",
        "Figures from the record (clause 8).",
        *_commands(
            "report",
            monitoring=(
                "How the handling went (8.4): in time, how long, with which result, what is open. Days are "
                "local."
            ),
            access="Unusual reading, for auditors: without assignment, many on a day, at night, by former owners.",
        ),
    ),
    _group(
        "outbox",
        "Obligations that are stuck.",
        *_commands(
            "outbox",
            list_="What was given up or is being tried again.",
            retry="Try a given-up obligation again, now; with --all every one (of a kind, of a complaint).",
            give_up="Stop trying an obligation for good; that and why stays on the record.",
        ),
    ),
    _group(
        "inbox",
        "Updates set aside.",
        *_commands(
            "inbox",
            list_="What was set aside, when and why; the words stay sealed.",
            retry="Schedule a set-aside update to be handled again; the running desk takes it.",
            give_up="Destroy a set-aside update unread; that and why stays on the record.",
        ),
    ),
    _group(
        "privacy",
        "A person's own data: to see, to erase, to purge.",
        *_commands(
            "privacy",
            export="Everything on file about a person, as a ZIP to hand over; that it was made stays on the record.",
            erase="Erase a person and all their complaints: words, files, names. Figures and the chain stay.",
            receipts="What was erased, when, by what right: the last 1,000 receipts as JSON, in counts and codes.",
            hold=(
                "Put a complaint under legal hold, so that it is neither erased nor purged, or release it."
            ),
            restrict="Restrict the processing of a complaint or of all of a person (GDPR, Article 18), or end it.",
            purge=r"Erase what was kept longer than `\[privacy] retention` says, counted from closing.",
        ),
    ),
)


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
    if isinstance(error, OSError) and (problem := _os_problem(error)) is not None:
        return problem, NOT_WELL if error.errno in _FULL else BAD_USAGE
    from amends.logs import describe_failure

    return (
        f"This is a fault in Amends: {describe_failure(error)}. Please report it with these places.",
        NOT_WELL,
    )


_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO}
_REMEDIES = {
    errno.EACCES: "choose another place, or let this account read and write there",
    errno.EPERM: "choose another place, or let this account read and write there",
    errno.EROFS: "choose another place",
    errno.ENOENT: "check the name",
    errno.ENOTDIR: "check the name",
    errno.EISDIR: "name a file",
    errno.EEXIST: "choose another name",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOSPC: "free some space and repeat the command",
    errno.EDQUOT: "free some space and repeat the command",
    errno.EIO: "check the disk and repeat the command",
    errno.EMFILE: "raise the limit (ulimit -n) and repeat the command",
    errno.ENFILE: "close other programs and repeat the command",
    errno.EADDRINUSE: "stop the other program, or choose another port",
    errno.EADDRNOTAVAIL: "choose an address of this machine",
}


def _os_problem(error: OSError) -> str | None:
    """What the system refuses, with the remedy; None for an error that the person at the keyboard cannot mend."""
    if error.errno not in _REMEDIES:
        return None
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{os.strerror(error.errno)}: {_REMEDIES[error.errno]}."


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
