"""Secrets and addresses: from the environment, from `.env` beside amends.toml, or from `*_FILE`.

All settings as one frozen object, read once; what is wrong is refused with key, place and remedy.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import os
import re
import tomllib
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import holidays
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from amends.settings.closures import DeskHours, closures_of
from amends.settings.field_types import is_country
from amends.settings.problems import BadCalendarFile, Place, Problem, SettingsError, line_of, lines_of
from amends.settings.sections import (
    Authority,
    CalendarSettings,
    ColleagueSettings,
    DangerSettings,
    DialogueSettings,
    Jurisdiction,
    LevelRole,
    OnCallSettings,
    Organisation,
    OwnCategory,
    Privacy,
    Recourse,
    Roles,
    Simulation,
    Slack,
    SurveySettings,
    TargetsSettings,
    Triage,
    whole_levels,
)

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
            _variable_problem(one, places) for one in refused.errors(include_input=False, include_url=False)
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


def _variable_problem(error: Any, places: Mapping[str, str]) -> Problem:
    if not error["loc"]:
        return Problem("", "environment", error["msg"].removeprefix("Value error, "))
    field = str(error["loc"][0])
    if error["type"] == "value_error":
        what = error["msg"].removeprefix("Value error, ")
    else:
        what = f"is not understood; write {ACCEPTED.get(field, 'text')}"
    return Problem(variable(field), places.get(field, "environment"), what)


DEFAULT_FILE = "amends.toml"
_ANY_DAY = date(2026, 1, 1)


class Settings(BaseSettings):
    """Everything that an installation sets. Optional sections are None or empty where the preset speaks."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    organisation: Organisation
    calendar: CalendarSettings = CalendarSettings()
    slack: Slack
    roles: Roles = Roles()
    targets: TargetsSettings = TargetsSettings()
    dialogue: DialogueSettings = DialogueSettings()
    survey: SurveySettings = SurveySettings()
    simulation: Simulation = Simulation()
    levels: dict[str, tuple[LevelRole, ...]] | None = Field(
        default=None,
        description="Who may decide at each level; earlier deciders and subjects are always excluded.",
        examples=[{"1": ["handler", "manager"], "2": ["manager", "top_management"]}],
    )
    authority: dict[LevelRole, Authority] = Field(
        default_factory=dict,
        description="Who may grant how much alone; a role without a line nothing, top management anything.",
    )
    staff: tuple[ColleagueSettings, ...] = Field(
        default=(), description="People of staff: other names, their manager, who stands in."
    )
    recourse: tuple[Recourse, ...] = Field(default=(), description="Outside bodies, in order.")
    danger: tuple[DangerSettings, ...] = Field(default=(), description="Signs of danger of your own.")
    category: tuple[OwnCategory, ...] = Field(
        default=(), description="Categories of your own, beside those that come with Amends."
    )
    on_call: OnCallSettings = OnCallSettings()
    privacy: Privacy = Privacy()
    triage: Triage = Triage()
    jurisdiction: dict[str, Jurisdiction] = Field(
        default_factory=dict,
        description=(
            "A second country, by its two letters; all else is as in the rest of the file. Which a complaint comes "
            'under: [telegram.md](telegram.md), "Whose rules".'
        ),
    )
    secrets: Secrets = Field(default=Secrets(), exclude=True)
    file: Path = Field(default=Path(DEFAULT_FILE), exclude=True)
    #: Variables that nobody understands, each with its place and the nearest known one.
    unknown: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language that complainants are spoken to in, those of further jurisdictions last."""
        further = (language for other in self.jurisdiction.values() for language in other.languages or ())
        return tuple(dict.fromkeys((*self.organisation.languages, *further)))

    _whole_levels = field_validator("levels")(whole_levels)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` read: an unrelated variable called SLACK must not become a setting."""
        return (init_settings,)

    @property
    def texts_folder(self) -> Path:
        """Where the organisation's own texts lie: `texts/` beside the file."""
        return self.file.parent / "texts"

    @property
    def examples_folder(self) -> Path:
        """Where labelled examples of the organisation's own lie: `examples/` beside the file."""
        return self.file.parent / "examples"

    @property
    def own_names(self) -> dict[str, dict[str, str]]:
        """The names of its own categories, by the id of their text and by language."""
        return {f"category.{one.key}": dict(one.name) for one in self.category}

    @property
    def fingerprint(self) -> str:
        """Hash of everything but secrets, 32 hex digits; a changed one is a recorded event."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


SECTIONS = tuple(name for name, field in Settings.model_fields.items() if not field.exclude)
_NOT_OF_THE_FILE = frozenset(Settings.model_fields) - frozenset(SECTIONS)


def load(path: str | Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Read amends.toml (`path`, else AMENDS_CONFIG, else ./amends.toml) and the secrets.

    Raises SettingsError with every problem found.
    """
    env = os.environ if env is None else env
    file = Path(path or env.get(CONFIG) or DEFAULT_FILE)
    return read(_text(file), file, env)


def read(text: str, file: Path, env: Mapping[str, str]) -> Settings:
    """The settings that the text of `file` says, with the secrets; raises SettingsError."""
    said, problems = _parsed(text, file)
    outside = read_secrets(env, file.parent)
    problems += outside.problems
    try:
        settings = Settings(
            **said, secrets=outside.secrets or Secrets(), file=file, unknown=tuple(map(str, outside.unknown))
        )
    except ValidationError as refused:
        places = lines_of(text)
        problems += [_problem(one, file, places) for one in refused.errors(include_url=False)]
    else:
        problems += _contradictions(settings, file, lines_of(text))
    if problems:
        raise SettingsError(problems)
    return settings


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        remedy = f"is missing; `amends init` writes one, and {CONFIG} names another place"
        raise SettingsError([Problem("", str(file), remedy)]) from missing
    except (OSError, UnicodeDecodeError) as unreadable:
        raise SettingsError([Problem("", str(file), f"cannot be read: {unreadable}")]) from unreadable


def _parsed(text: str, file: Path) -> tuple[dict[str, Any], list[Problem]]:
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError([Problem("", str(file), f"is not TOML: {wrong}")]) from wrong
    problems = []
    for name in _NOT_OF_THE_FILE & set(said):
        del said[name]
        what = f"unknown key; accepted here: {', '.join(SECTIONS)}. Secrets stand in .env or the environment"
        problems.append(Problem(name, _place(file, (name,), lines_of(text)), what))
    return said, problems


def _contradictions(settings: Settings, file: Path, places: dict[Place, int]) -> list[Problem]:
    """What single fields cannot see."""
    found: list[tuple[Place, str]] = []
    countries: dict[Place, tuple[str, str | None]] = {
        ("organisation", "region"): (settings.organisation.country, settings.organisation.region)
    }
    for code, other in settings.jurisdiction.items():
        countries["jurisdiction", code, "region"] = (code, other.region)
        if not is_country(code):
            found.append(
                (("jurisdiction", code), f"{code!r} is not a country; write one such as [jurisdiction.TR]")
            )
        if code == settings.organisation.country:
            found.append((("jurisdiction", code), "is the organisation's own country; write that above"))
    for place, (country, region) in countries.items():
        if region is None or not is_country(country):
            continue
        parts = holidays.list_supported_countries(include_aliases=False)[country]
        if region not in parts:
            known = f"write one of {', '.join(parts)}" if parts else "leave it out"
            found.append((place, f"{region!r} is no part of {country} with holidays of its own; {known}"))
    found += _unread_calendars(settings)
    keys = [one.key for one in settings.category]
    for number, key in enumerate(keys):
        if key in keys[:number]:
            found.append((("category", number, "key"), f"{key!r} is there already; give each its own code"))
    if "hours" in settings.on_call.model_fields_set and not settings.on_call.people:
        found.append((("on_call", "people"), 'hours without people page nobody; write people = ["U0000002"]'))
    return [Problem(_key(path), _place(file, path, places), what) for path, what in found]


def _unread_calendars(settings: Settings) -> Iterator[tuple[Place, str]]:
    """iCalendar files that cannot be read, each by its place; when the days fall is the rulebook's affair."""
    every: list[tuple[Place, CalendarSettings]] = [(("calendar", "ics"), settings.calendar)]
    for code, other in settings.jurisdiction.items():
        if other.calendar is not None:
            every.append((("jurisdiction", code, "calendar", "ics"), other.calendar))
    for place, said in every:
        for number, name in enumerate(said.ics):
            try:
                closures_of(settings.file.parent, (name,), DeskHours("UTC"), _ANY_DAY, _ANY_DAY)
            except BadCalendarFile as wrong:
                yield (*place, number), f"{wrong}; export it again, or write the days under [calendar.closed]"


def _problem(error: Any, file: Path, places: dict[Place, int]) -> Problem:
    path: Place = tuple(part for part in error["loc"] if part != "[key]")
    kind, said = error["type"], error["msg"].removeprefix("Value error, ")
    section = _model_at(path[:-1])
    if kind == "extra_forbidden":
        known = list(_keys_of(section))
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        what = (
            f"unknown key; {f'did you mean {close[0]}? ' if close else ''}accepted here: {', '.join(known)}"
        )
    elif kind == "missing":
        what = f"is missing; write {_example(section, path)}"
    elif kind == "value_error":
        what = said
    else:
        example = _example(section, path)
        what = f"{said[0].lower()}{said[1:]}{f'; write {example}' if example else ''}"
    return Problem(_key(path), _place(file, path, places), what)


def _key(path: Place) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in path)


def _place(file: Path, path: Place, places: dict[Place, int]) -> str:
    line = line_of(path, places)
    return f"{file} line {line}" if line else str(file)


def _keys_of(model: type[BaseModel] | None) -> tuple[str, ...]:
    if model is None or model is Settings:
        return SECTIONS
    return tuple(model.model_fields)


def _example(model: type[BaseModel] | None, path: Place) -> str:
    """How the key is written, from the field's first example."""
    field = model.model_fields.get(str(path[-1])) if model else None
    if field is None:
        return ""
    inner = _model_in(field.annotation)
    if inner is not None and not field.examples:
        needed = ", ".join(name for name, one in inner.model_fields.items() if one.is_required())
        return f"[{_key(path)}] with {needed}"
    shown = field.examples[0] if field.examples else field.default
    return f"{path[-1]} = {toml_value(shown)}" if shown is not None else ""


def _model_at(path: Place) -> type[BaseModel] | None:
    """The section at a path, through optional ones, arrays and tables by name."""
    model: type[BaseModel] | None = Settings
    for part in path:
        field = model.model_fields.get(part) if model is not None and isinstance(part, str) else None
        model = _model_in(field.annotation) if field is not None else model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in typing.get_args(annotation) if (found := _model_in(one))), None)


def toml_value(value: Any) -> str:
    """A plain value as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(one) for one in value)}]"
    if isinstance(value, Mapping) and not value:
        return "{}"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_bare(key)} = {toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'
    return str(value)


def _bare(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else toml_value(key)
