"""Secrets and addresses: from the environment, `.env`, systemd credentials, files and commands."""

from __future__ import annotations

import base64
import difflib
import hmac
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource

from amends.settings.problems import Problem, SettingsError

#: By field of `Secrets`: its `description`, and the form that it `accepts` where that is not just text.
VARIABLES: Mapping[str, Mapping[str, str]] = tomllib.loads(
    Path(__file__).with_name("variables.toml").read_text(encoding="utf-8")
)
PREFIX = "AMENDS_"
#: The path of amends.toml; the only variable that is not a field of Secrets.
CONFIG = "AMENDS_CONFIG"
#: Tokens are only checked for blanks: a server other than the platform's public one may issue tokens of other forms.
_TOKEN = r"^\S+$"
#: In seconds. A key service answers in less; a command that waits for a person at a terminal never would.
COMMAND_TIMEOUT_SECONDS = 30.0


def _key(encoded: Any) -> Any:
    if not isinstance(encoded, str):
        return encoded
    try:
        # Without `validate`, characters outside of the alphabet would be skipped.
        key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        # The message may end in a log, so it never repeats the value.
        raise ValueError("write 32 bytes in base64; `amends init` and `openssl rand -base64 32` make them")
    return key


def _keys(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    try:
        return tuple(_key(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as wrong:
        raise ValueError(
            "each key is 32 bytes in base64, several separated by commas, newest first; `amends init` makes one"
        ) from wrong


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError("write an address such as https://api.telegram.org")
    return text


def _level(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


Address = Annotated[str, BeforeValidator(_address)]
Key = Annotated[bytes, BeforeValidator(_key)]
Keys = Annotated[tuple[bytes, ...], BeforeValidator(_keys)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_level)]


class Secrets(BaseModel):
    """Secrets and addresses, which are never in amends.toml. Their `repr` shows no secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(
        default="sqlite:///amends.db", repr=False, pattern=r"^(sqlite:///|postgresql(\+psycopg)?://).+"
    )
    secret_key: Keys = Field(default=(), repr=False)
    signing_key: Key | None = Field(default=None, repr=False)
    telegram_token: str | None = Field(default=None, repr=False, pattern=_TOKEN)
    telegram_api_url: Address = "https://api.telegram.org"
    telegram_webhook_url: Address | None = None
    telegram_webhook_secret: str | None = Field(default=None, repr=False, pattern=r"^[A-Za-z0-9_-]{1,256}$")
    slack_bot_token: str | None = Field(default=None, repr=False, pattern=_TOKEN)
    slack_app_token: str | None = Field(default=None, repr=False, pattern=_TOKEN)
    slack_signing_secret: str | None = Field(default=None, repr=False, pattern=_TOKEN)
    slack_api_url: Address = "https://slack.com/api/"
    translator_api_key: str | None = Field(default=None, repr=False, pattern=_TOKEN)
    on_call_token: str | None = Field(default=None, repr=False, pattern=_TOKEN)
    listen: str = Field(default="127.0.0.1:8400", pattern=r"^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$")
    log: LogLevel = "info"

    @model_validator(mode="after")
    def _webhook_has_its_secret(self) -> Secrets:
        if self.telegram_webhook_url and not self.telegram_webhook_secret:
            raise ValueError(
                f"{PREFIX}TELEGRAM_WEBHOOK_URL needs {PREFIX}TELEGRAM_WEBHOOK_SECRET, "
                "or anyone could send updates; 1 to 256 letters, digits, _ and -"
            )
        return self

    @property
    def listen_host(self) -> str:
        """The host of `listen`, without the brackets of IPv6."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def slack_over_http(self) -> bool:
        """True if Slack calls over HTTP: there is a signing secret, and no app token for Socket Mode."""
        return self.slack_signing_secret is not None and self.slack_app_token is None

    def hidden(self) -> tuple[str, ...]:
        """The secrets that no log line may contain."""
        values = (
            self.telegram_token,
            self.telegram_webhook_secret,
            self.slack_bot_token,
            self.slack_app_token,
            self.slack_signing_secret,
            self.on_call_token,
        )
        return tuple(value for value in values if value)

    def keys(self) -> tuple[bytes, ...]:
        """The secret keys, newest first. Raises SettingsError if there is none."""
        if not self.secret_key:
            raise SettingsError(
                [Problem(f"{PREFIX}SECRET_KEY", "environment", "is missing; `amends init` makes one in .env")]
            )
        return self.secret_key

    def button_secrets(self) -> tuple[bytes, ...]:
        """The secrets that sign the buttons of chat messages, newest first.

        They are derived from the keys: buttons sent earlier still work after a restart and after a key rotation.
        """
        return tuple(hmac.digest(key, b"amends buttons", "sha256") for key in self.keys())


def variable(field: str) -> str:
    return PREFIX + field.upper()


@dataclass
class ReadSecrets:
    """The secrets or the problems with them, and unknown variables.

    An unknown variable is only a warning: variables of another program may start with the same letters.
    """

    secrets: Secrets | None = None
    problems: list[Problem] = field(default_factory=list)
    unknown: list[Problem] = field(default_factory=list)


def read_secrets(env: Mapping[str, str], folder: Path) -> ReadSecrets:
    """Read the secrets from the environment, from systemd's credentials, and from `.env` in this folder.

    The first of these places that names a variable wins.
    """
    read = ReadSecrets()
    sources: dict[str, _Source] = {}
    for place, variables in (
        (".env", _dotenv(folder / ".env")),
        ("credentials", _credentials(env)),
        ("environment", env),
    ):
        sources |= _find_sources(variables, place, read)
    values: dict[str, str] = {}
    for name, source in sources.items():
        try:
            values[name] = _READERS[source.ending](source.value, folder)
        except ValueError as wrong:
            read.problems.append(Problem(variable(name) + source.ending, source.place, str(wrong)))
    try:
        read.secrets = Secrets.model_validate(values)
    except ValidationError as refused:
        errors = refused.errors(include_input=False, include_url=False)
        read.problems += [_problem(error, sources) for error in errors]
    return read


@dataclass(frozen=True)
class _Source:
    """Where the value of a variable is: `ending` is "" for the value itself, `_FILE` or `_COMMAND`."""

    place: str
    ending: str
    value: str

    def __str__(self) -> str:
        # A command may contain a password; the path of a file helps to find it.
        details = {"_FILE": f", {self.value}", "_COMMAND": ", command"}
        return self.place + details.get(self.ending, "")


def _dotenv(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    values = DotEnvSettingsSource(BaseSettings, env_file=file, case_sensitive=True).env_vars
    return {key: value or "" for key, value in values.items()}


def _credentials(env: Mapping[str, str]) -> dict[str, str]:
    """The credentials that systemd gives to this service (`LoadCredential=amends_secret_key:…`), as `*_FILE`."""
    directory = env.get("CREDENTIALS_DIRECTORY")
    files = (
        {name: Path(directory, variable(name).lower()) for name in Secrets.model_fields} if directory else {}
    )
    return {f"{variable(name)}_FILE": str(file) for name, file in files.items() if file.is_file()}


def _find_sources(variables: Mapping[str, str], place: str, read: ReadSecrets) -> dict[str, _Source]:
    """For each field where its value is; problems are added to `read`."""
    fields = {variable(name): name for name in Secrets.model_fields}
    sources: dict[str, _Source] = {}
    for name, value in sorted(variables.items()):
        if not name.startswith(PREFIX) or (name == CONFIG and place == "environment"):
            continue
        # "" is the last of the readers, and ends every name.
        ending = "" if name in fields else next(end for end in _READERS if name.endswith(end))
        key = fields.get(name.removesuffix(ending))
        if key is None:
            read.unknown.append(Problem(name, place, f"unknown variable; {_nearest(name, list(fields))}"))
        elif value and key in sources:
            other = variable(key) + sources[key].ending
            read.problems.append(Problem(name, place, f"{other} is set too; keep one of the two"))
        elif value:
            sources[key] = _Source(place, ending, value)
    return sources


def _read_file(path: str, folder: Path) -> str:
    try:
        return (folder / path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise ValueError(f"{path} cannot be read ({type(wrong).__name__})") from wrong


def _run_command(command: str, folder: Path) -> str:
    """What the command prints; no message contains any of it, nor the command."""
    by_hand = "run it by hand to see why"
    try:
        done = subprocess.run(  # noqa: S603  # the operator's own command, without a shell
            shlex.split(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=True,
        )
        output = done.stdout.decode().strip()
    except subprocess.TimeoutExpired:
        problem = f"the command did not end within {COMMAND_TIMEOUT_SECONDS:g} s; {by_hand}"
    except subprocess.CalledProcessError as failed:
        problem = f"the command failed (exit code {failed.returncode}); {by_hand}"
    except (OSError, ValueError, IndexError) as wrong:
        problem = f"the command cannot be used ({type(wrong).__name__}); {by_hand}"
    else:
        problem = "" if output else f"the command printed nothing; {by_hand}"
    if problem:
        # Not `from`: a chained error contains the output.
        raise ValueError(problem)
    return output


#: How to get a value, by the end of the variable's name.
_READERS: Mapping[str, Callable[[str, Path], str]] = {
    "_FILE": _read_file,
    "_COMMAND": _run_command,
    "": lambda value, _: value,
}


def _nearest(name: str, names: list[str]) -> str:
    stem = name.removesuffix("_FILE").removesuffix("_COMMAND")
    close = difflib.get_close_matches(stem, names, n=1)
    names_known = f"known are {', '.join(names)}, each also with _FILE or _COMMAND"
    return f"did you mean {close[0]}?" if close else names_known


def _problem(error: Any, sources: Mapping[str, _Source]) -> Problem:
    if not error["loc"]:
        return Problem("", "environment", error["msg"].removeprefix("Value error, "))
    name = str(error["loc"][0])
    if error["type"] == "value_error":
        what = error["msg"].removeprefix("Value error, ")
    else:
        what = f"is not understood; write {VARIABLES[name].get('accepts', 'text')}"
    return Problem(variable(name), str(sources.get(name, "environment")), what)
