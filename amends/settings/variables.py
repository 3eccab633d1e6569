"""Secrets and addresses: from the environment, from `.env` beside amends.toml, or from `*_FILE`."""

from __future__ import annotations

import base64
import binascii
import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, DotEnvSettingsSource

from amends.settings.errors import Problem, SettingsError

PREFIX = "AMENDS_"
#: Names the file of the settings themselves; the only variable that is not a field of Secrets.
CONFIG = "AMENDS_CONFIG"
#: What a platform issues is the platform's affair: another server than the public one may issue other shapes.
_TOKEN = r"^\S+$"


def _keys(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    keys = []
    for one in filter(None, (part.strip() for part in text.split(","))):
        try:
            key = base64.b64decode(one.replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != 32:
            # The value itself is never repeated: the message may end in a log.
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
    """What amends.toml never holds. The representation shows no secret."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: str = Field(
        default="sqlite:///amends.db",
        repr=False,
        pattern=r"^(sqlite:///|postgresql(\+psycopg)?://).+",
        description="Where the record is kept: `sqlite:///FILE` or `postgresql://…`.",
    )
    secret_key: Keys = Field(
        default=(),
        repr=False,
        description="32 bytes in base64; several separated by commas, newest first. Made by `amends init`.",
    )
    telegram_token: str | None = Field(
        default=None, repr=False, pattern=_TOKEN, description="The bot's token, from @BotFather."
    )
    telegram_api_url: Address = Field(
        default="https://api.telegram.org",
        description="One address gives both `/bot` and `/file/bot`; a self-hosted Bot API server too.",
    )
    telegram_webhook_url: Address | None = Field(
        default=None, description="Set: webhook instead of long polling; the public address of `/telegram`."
    )
    telegram_webhook_secret: str | None = Field(
        default=None,
        repr=False,
        pattern=r"^[A-Za-z0-9_-]{1,256}$",
        description="Sent by Telegram with each update; needed with a webhook.",
    )
    slack_bot_token: str | None = Field(
        default=None, repr=False, pattern=_TOKEN, description="The Slack app's bot token (`xoxb-…`)."
    )
    slack_app_token: str | None = Field(
        default=None, repr=False, pattern=_TOKEN, description="Set: Socket Mode (`xapp-…`)."
    )
    slack_signing_secret: str | None = Field(
        default=None, repr=False, pattern=_TOKEN, description="Without an app token: HTTP, signed by Slack."
    )
    slack_api_url: Address = Field(default="https://slack.com/api/", description="Slack's Web API.")
    listen: str = Field(
        default="127.0.0.1:8400",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^\s:]+):\d{1,5}$",
        description="Address and port of webhooks, health, metrics and the public page.",
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
                "else anybody could send updates; 1 to 256 letters, digits, _ and -"
            )
        return self

    @property
    def listen_host(self) -> str:
        """The host of `listen`, without the brackets of IPv6."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def listen_port(self) -> int:
        """The port of `listen`."""
        return int(self.listen.rpartition(":")[2])

    @property
    def slack_over_http(self) -> bool:
        """A signing secret without an app token means HTTP instead of Socket Mode."""
        return self.slack_signing_secret is not None and self.slack_app_token is None

    def hidden(self) -> tuple[str, ...]:
        """What no log line may show, as it was given."""
        said = (
            self.telegram_token,
            self.telegram_webhook_secret,
            self.slack_bot_token,
            self.slack_app_token,
            self.slack_signing_secret,
        )
        return tuple(one for one in said if one)

    def keys(self) -> tuple[bytes, ...]:
        """The secret keys, newest first; raises SettingsError where there is none."""
        if not self.secret_key:
            raise SettingsError(
                [Problem(f"{PREFIX}SECRET_KEY", "environment", "is missing; `amends init` makes one in .env")]
            )
        return self.secret_key


ACCEPTED: Mapping[str, str] = {
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
    """The environment variable of a field of Secrets."""
    return PREFIX + field.upper()


@dataclass
class Read:
    """What the environment said: the secrets or what is wrong with them, and what nobody understands.

    An unknown variable stops nothing: another program's may begin with the same letters.
    """

    secrets: Secrets | None = None
    problems: list[Problem] = dataclass_field(default_factory=list)
    unknown: list[Problem] = dataclass_field(default_factory=list)


def read_secrets(env: Mapping[str, str], folder: Path) -> Read:
    """Secrets from the environment before `.env` in this folder."""
    read = Read()
    said: dict[str, str] = {}
    places: dict[str, str] = {}
    for place, layer in ((".env", _dotenv(folder / ".env")), ("environment", env)):
        found = _read_layer(layer, place, folder, read)
        said |= {field: value for field, (value, _) in found.items()}
        places |= {field: where for field, (_, where) in found.items()}
    try:
        read.secrets = Secrets.model_validate(said)
    except ValidationError as refused:
        read.problems += [
            _problem(one, places) for one in refused.errors(include_input=False, include_url=False)
        ]
    return read


def _dotenv(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    said = DotEnvSettingsSource(BaseSettings, env_file=file, case_sensitive=True).env_vars
    return {key: value or "" for key, value in said.items()}


def _read_layer(layer: Mapping[str, str], place: str, folder: Path, read: Read) -> dict[str, tuple[str, str]]:
    """The values of one place with where each stands; what is wrong is added to `read`."""
    fields = {variable(field): field for field in Secrets.model_fields}
    found: dict[str, tuple[str, str]] = {}
    for name, value in sorted(layer.items()):
        if not name.startswith(PREFIX) or (name == CONFIG and place == "environment"):
            continue
        by_file = name.endswith("_FILE") and name not in fields
        field = fields.get(name.removesuffix("_FILE") if by_file else name)
        if field is None:
            read.unknown.append(Problem(name, place, f"unknown variable; {_nearest(name, list(fields))}"))
        elif value and field in found:
            read.problems.append(Problem(name, place, f"{variable(field)} is set too; keep one of the two"))
        elif value and by_file:
            try:
                content = (folder / value).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as wrong:
                read.problems.append(Problem(name, place, f"{value} cannot be read ({type(wrong).__name__})"))
            else:
                found[field] = (content, f"{place}, {value}")
        elif value:
            found[field] = (value, place)
    return found


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name.removesuffix("_FILE"), known, n=1)
    return f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}, each also with _FILE"


def _problem(error: Any, places: Mapping[str, str]) -> Problem:
    if not error["loc"]:
        return Problem("", "environment", error["msg"].removeprefix("Value error, "))
    field = str(error["loc"][0])
    if error["type"] == "value_error":
        what = error["msg"].removeprefix("Value error, ")
    else:
        what = f"is not understood; write {ACCEPTED.get(field, 'text')}"
    return Problem(variable(field), places.get(field, "environment"), what)
