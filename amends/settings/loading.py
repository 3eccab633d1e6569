"""All settings as one frozen object, read once; what is wrong is refused with key, place and remedy."""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import holidays
from pydantic import BaseModel, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from amends.settings.closures import Desk, closures_of
from amends.settings.errors import Problem, SettingsError
from amends.settings.ical import BadIcal
from amends.settings.places import Place, line_of, lines_of
from amends.settings.sections import (
    Authority,
    Calendar,
    Colleague,
    Danger,
    Dialogue,
    Jurisdiction,
    LevelRole,
    OnCall,
    Organisation,
    OwnCategory,
    Privacy,
    Recourse,
    Roles,
    Simulation,
    Slack,
    Survey,
    Targets,
    Triage,
    whole_levels,
)
from amends.settings.variables import CONFIG, Secrets, read_secrets

DEFAULT_FILE = "amends.toml"
_ANY_DAY = date(2026, 1, 1)


class Settings(BaseSettings):
    """Everything that an installation sets. Optional sections are None or empty where the preset speaks."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")

    organisation: Organisation
    calendar: Calendar = Calendar()
    slack: Slack
    roles: Roles = Roles()
    targets: Targets = Targets()
    dialogue: Dialogue = Dialogue()
    survey: Survey = Survey()
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
    staff: tuple[Colleague, ...] = Field(
        default=(), description="People of staff: other names, their manager, who stands in."
    )
    recourse: tuple[Recourse, ...] = Field(default=(), description="Outside bodies, in order.")
    danger: tuple[Danger, ...] = Field(default=(), description="Signs of danger of your own.")
    category: tuple[OwnCategory, ...] = Field(
        default=(), description="Categories of your own, beside those that come with Amends."
    )
    on_call: OnCall = OnCall()
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
    supported = holidays.list_supported_countries(include_aliases=False)
    countries: dict[Place, tuple[str, str | None]] = {
        ("organisation", "region"): (settings.organisation.country, settings.organisation.region)
    }
    for code, other in settings.jurisdiction.items():
        countries["jurisdiction", code, "region"] = (code, other.region)
        if code not in supported:
            found.append(
                (("jurisdiction", code), f"{code!r} is not a country; write one such as [jurisdiction.TR]")
            )
        if code == settings.organisation.country:
            found.append((("jurisdiction", code), "is the organisation's own country; write that above"))
    for place, (country, region) in countries.items():
        parts = supported.get(country, [])
        if region is not None and country in supported and region not in parts:
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
    every: list[tuple[Place, Calendar]] = [(("calendar", "ics"), settings.calendar)]
    for code, other in settings.jurisdiction.items():
        if other.calendar is not None:
            every.append((("jurisdiction", code, "calendar", "ics"), other.calendar))
    for place, said in every:
        for number, name in enumerate(said.ics):
            try:
                closures_of(settings.file.parent, (name,), Desk("UTC"), _ANY_DAY, _ANY_DAY)
            except BadIcal as wrong:
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
