"""Secrets and addresses, from the environment, from `.env` next to amends.toml, or from files named by `*_FILE`."""

from __future__ import annotations

import base64
import binascii
import difflib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource

from amends.settings.problems import Problem, SettingsError

PREFIX = "AMENDS_"
#: The path of amends.toml; the only variable that is not a field of Secrets.
CONFIG = "AMENDS_CONFIG"
#: Tokens are only checked for blanks: a server other than the platform's public one may issue tokens of other forms.
_TOKEN = r"^\S+$"


def _keys(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    keys = []
    for encoded in filter(None, (part.strip() for part in text.split(","))):
        try:
            key = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            # The message may end in a log, so it never repeats the value.
            raise ValueError(
                "each key is 32 bytes in base64, several separated by commas, newest first; "
                "`amends init` makes one"
            )
        keys.append(key)
    return tuple(keys)


def _address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", text):
        raise ValueError("write an address such as https://api.telegram.org")
    return text


def _level(text: Any) -> Any:
    return text.lower() if isinstance(text, str) else text


Address = Annotated[str, BeforeValidator(_address)]
Keys = Annotated[tuple[bytes, ...], BeforeValidator(_keys)]
LogLevel = Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_level)]


class Secrets(BaseModel):
    """Secrets and addresses, which are never in amends.toml. Their `repr` shows no secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(
        default="sqlite:///amends.db",
        repr=False,
        pattern=r"^(sqlite:///|postgresql(\+psycopg)?://).+",
        description="The database: `sqlite:///FILE` or `postgresql://…`.",
    )
    secret_key: Keys = Field(
        default=(),
        repr=False,
        description="The key that protects the record: 32 bytes in base64, made by `amends init`. Several are "
        "separated by commas, newest first.",
    )
    telegram_token: str | None = Field(
        default=None, repr=False, pattern=_TOKEN, description="The bot's token, from @BotFather."
    )
    telegram_api_url: Address = Field(
        default="https://api.telegram.org",
        description="The Bot API server; change it only for a self-hosted one.",
    )
    telegram_webhook_url: Address | None = Field(
        default=None,
        description="The public address of `/telegram`. If it is set, Telegram sends updates there (webhook). "
        "If not, Amends asks for them (long polling).",
    )
    telegram_webhook_secret: str | None = Field(
        default=None,
        repr=False,
        pattern=r"^[A-Za-z0-9_-]{1,256}$",
        description="Telegram sends it with each update as proof; required with a webhook.",
    )
    slack_bot_token: str | None = Field(
        default=None, repr=False, pattern=_TOKEN, description="The Slack app's bot token (`xoxb-…`)."
    )
    slack_app_token: str | None = Field(
        default=None,
        repr=False,
        pattern=_TOKEN,
        description="The app-level token (`xapp-…`). If it is set, Amends uses Socket Mode.",
    )
    slack_signing_secret: str | None = Field(
        default=None,
        repr=False,
        pattern=_TOKEN,
        description="Used without an app token: Slack then calls Amends over HTTP, with signed requests.",
    )
    slack_api_url: Address = Field(
        default="https://slack.com/api/", description="The address of Slack's Web API."
    )
    listen: str = Field(
        default="127.0.0.1:8400",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$",
        description="Address and port for webhooks, health, metrics and the public page.",
    )
    log: LogLevel = Field(
        default="info",
        description="`debug`, `info`, `warning` or `error`; JSON lines when not on a terminal.",
    )

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


_ACCEPTED_FORMS: Mapping[str, str] = {
    "database_url": '"sqlite:///amends.db" or "postgresql://user:password@host/name"',
    "telegram_token": "the token without blanks, as @BotFather gives it",
    "telegram_webhook_secret": "1 to 256 letters, digits, _ and -",
    "slack_bot_token": "the bot token without blanks (it starts with xoxb-)",
    "slack_app_token": "the app-level token without blanks (it starts with xapp-)",
    "slack_signing_secret": "the signing secret of the app's Basic Information page",
    "listen": '"127.0.0.1:8400" or "[::1]:8400"',
    "log": "debug, info, warning or error",
}


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
    """Read the secrets from the environment and from `.env` in this folder; the environment wins."""
    read = ReadSecrets()
    values: dict[str, str] = {}
    places: dict[str, str] = {}
    for place, variables in ((".env", _dotenv(folder / ".env")), ("environment", env)):
        fields = _read_variables(variables, place, folder, read)
        values |= {name: value for name, (value, _) in fields.items()}
        places |= {name: value_place for name, (_, value_place) in fields.items()}
    try:
        read.secrets = Secrets.model_validate(values)
    except ValidationError as refused:
        errors = refused.errors(include_input=False, include_url=False)
        read.problems += [_problem(error, places) for error in errors]
    return read


def _dotenv(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    values = DotEnvSettingsSource(BaseSettings, env_file=file, case_sensitive=True).env_vars
    return {key: value or "" for key, value in values.items()}


def _read_variables(
    variables: Mapping[str, str], place: str, folder: Path, read: ReadSecrets
) -> dict[str, tuple[str, str]]:
    """For each field its value and where that came from; problems are added to `read`."""
    fields = {variable(name): name for name in Secrets.model_fields}
    values: dict[str, tuple[str, str]] = {}
    for name, value in sorted(variables.items()):
        if not name.startswith(PREFIX) or (name == CONFIG and place == "environment"):
            continue
        is_file = name.endswith("_FILE") and name not in fields
        key = fields.get(name.removesuffix("_FILE") if is_file else name)
        if key is None:
            read.unknown.append(Problem(name, place, f"unknown variable; {_nearest(name, list(fields))}"))
        elif value and key in values:
            read.problems.append(Problem(name, place, f"{variable(key)} is set too; keep one of the two"))
        elif value and is_file:
            try:
                content = (folder / value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as wrong:
                read.problems.append(Problem(name, place, f"{value} cannot be read ({type(wrong).__name__})"))
            else:
                values[key] = (content, f"{place}, {value}")
        elif value:
            values[key] = (value, place)
    return values


def _nearest(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name.removesuffix("_FILE"), names, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}, each also with _FILE"


def _problem(error: Any, places: Mapping[str, str]) -> Problem:
    if not error["loc"]:
        return Problem("", "environment", error["msg"].removeprefix("Value error, "))
    name = str(error["loc"][0])
    if error["type"] == "value_error":
        what = error["msg"].removeprefix("Value error, ")
    else:
        what = f"is not understood; write {_ACCEPTED_FORMS.get(name, 'text')}"
    return Problem(variable(name), places.get(name, "environment"), what)
