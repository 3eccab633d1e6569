"""What several commands share: arguments, options, exit codes, and opening the record."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from amends.documents.labels import Labels
    from amends.settings import Settings, SettingsError
    from store.store import Store

#: Exit codes (docs/surfaces.md): something is not well, bad usage or settings, an outside service failed.
NOT_WELL, BAD_USAGE, OUTSIDE_FAILED = 1, 2, 3

_Config = Annotated[
    Path | None, typer.Option("--config", help="amends.toml; else AMENDS_CONFIG, else ./amends.toml.")
]
_CONFIG_FILE: ContextVar[Path | None] = ContextVar("config_file", default=None)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Output = Annotated[Path, typer.Option("-o", "--output", dir_okay=False, help="Write to this file.")]
Reference = Annotated[str, typer.Argument(help="A reference such as A7K-M3Q-9T, in any case and spacing.")]

#: The largest integer that both databases can store; SQLite fails on a query with a larger one.
LARGEST_ID = 2**63 - 1
#: The login uid of a process without a login, such as a service.
_NOT_SIGNED_IN = 2**32 - 1


def row_id(number: int | None) -> int | None:
    """The number of a row; raises BadParameter for one that no database can store."""
    if number is not None and abs(number) > LARGEST_ID:
        raise typer.BadParameter("no row has so large a number: take one from the list")
    return number


_ROW = typer.Argument(metavar="ID", help="The number in the list.", callback=row_id)
RowId = Annotated[int, _ROW]
OptionalRowId = Annotated[int | None, _ROW]


class Purpose(StrEnum):
    """Why an operator reads a complaint (4.7)."""

    OPERATION = "operation"
    AUDIT = "audit"
    REQUEST = "request"
    LAW = "law"


Reason = Annotated[
    Purpose, typer.Option("--reason", help="What for; it stays on the record with the account that read it.")
]


def operator() -> str:
    """Who reads at the command line, for the record: `operator:` and the name of the operating-system account.

    On Linux the account that signed in, also after `sudo` or `su`. No variable is trusted: anybody can set one.
    """
    try:
        user = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        user = _NOT_SIGNED_IN
    user = os.getuid() if user == _NOT_SIGNED_IN else user
    try:
        return f"operator:{pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"operator:{user}"


def with_config(command: Callable[..., None]) -> Callable[..., None]:
    """The command with the option `--config`, which every command that reads the settings has."""

    @wraps(command)
    def configured(*arguments: Any, config: Path | None = None, **named: Any) -> None:
        token = _CONFIG_FILE.set(config)
        try:
            command(*arguments, **named)
        finally:
            _CONFIG_FILE.reset(token)

    hints = get_type_hints(command, include_extras=True)
    hints["config"] = _Config
    own = [
        parameter.replace(annotation=hints[name]) for name, parameter in signature(command).parameters.items()
    ]
    option = Parameter("config", Parameter.KEYWORD_ONLY, default=None, annotation=_Config)
    configured.__signature__ = Signature([*own, option])  # type: ignore[attr-defined]
    configured.__annotations__ = hints
    return configured


def config_file() -> Path | None:
    """The file that `--config` names."""
    return _CONFIG_FILE.get()


def load_settings() -> Settings:
    """The settings of `--config`, AMENDS_CONFIG or the current directory. Raises SettingsError."""
    # Command modules import rooms inside functions: help and completion must not load the database.
    from amends.settings import load

    return load(config_file())


@contextmanager
def open_record() -> Iterator[tuple[Settings, Store]]:
    """The settings and their open store, which is closed at the end."""
    from store.custody.secret_keys import require_keys
    from store.database.keyring import Keyring
    from store.store import open_store

    settings = load_settings()
    store = open_store(settings.secrets.database_url, Keyring(settings.secrets.keys()))
    try:
        store.read(require_keys)
        yield settings, store
    finally:
        store.close()


def confirm(question: str, done: str, *, yes: bool) -> None:
    """Ask on standard error, unless `yes`. Without a yes nothing is `done`, and the command ends."""
    from amends.cli.console import err

    if yes:
        return
    try:
        typer.confirm(question, abort=True, err=True)
    except typer.Abort:
        err.print(f"Nothing was {done}. Without a terminal, repeat it with --yes.")
        raise typer.Exit(NOT_WELL) from None


def staff_labels(settings: Settings, zone: str, language: str | None = None) -> Labels:
    """The labels of codes in the language of staff, or in this one, with times in this zone."""
    from amends.documents.labels import load_labels

    languages = (language or settings.organisation.staff_language,)
    return load_labels(languages, zone, settings.texts_folder, staff=True, own=settings.own_names)


def bad_usage(key: str, what: str) -> SettingsError:
    from amends.settings import SettingsError
    from amends.settings.problems import Problem

    return SettingsError([Problem(key, "command line", what)])


def parse_ref(text: str) -> str:
    """The reference in its usual spelling; raises UnknownReference with an example of one."""
    from complaints.errors import UnknownReference
    from complaints.identifiers import parse_reference

    ref = parse_reference(text)
    if ref is None:
        raise UnknownReference.worded("unknown_reference:option", text=text)
    return ref
