"""All settings as one frozen object, read once from amends.toml and the environment."""

import difflib
import hashlib
import os
import tomllib
import typing
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal

import holidays
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amends.settings import sections
from amends.settings.closures import DeskHours, closures_of
from amends.settings.field_types import example, is_country
from amends.settings.problems import BadCalendarFile, Problem, SettingsError
from amends.settings.toml_text import KeyPath, dotted, line_number, line_numbers, toml_value
from amends.settings.variables import CONFIG, Secrets, read_secrets

DEFAULT_FILE = "amends.toml"
_ANY_DAY = date(2026, 1, 1)


class Settings(BaseModel):
    """All settings of an installation. An optional section that is None or empty leaves its values to the preset."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    organisation: sections.Organisation
    calendar: sections.CalendarSettings = sections.CalendarSettings()
    slack: sections.Slack
    roles: sections.Roles = sections.Roles()
    targets: sections.TargetsSettings = sections.TargetsSettings()
    dialogue: sections.DialogueSettings = sections.DialogueSettings()
    survey: sections.SurveySettings = sections.SurveySettings()
    quality_check: sections.QualityCheckSettings = sections.QualityCheckSettings()
    case_review: sections.CaseReviewSettings = sections.CaseReviewSettings()
    training: sections.TrainingSettings = sections.TrainingSettings()
    threshold: tuple[sections.ThresholdSettings, ...] = ()
    simulation: sections.Simulation = sections.Simulation()
    levels: sections.Levels | None = None
    authority: dict[sections.LevelRole, sections.Authority] = Field(default_factory=dict)
    staff: tuple[sections.ColleagueSettings, ...] = ()
    recourse: tuple[sections.Recourse, ...] = ()
    danger: tuple[sections.DangerSettings, ...] = ()
    investigation: dict[Literal["1", "2", "3"], sections.InvestigationSettings] = Field(default_factory=dict)
    category: sections.OwnCategories = ()
    product: sections.Products = ()
    branch: sections.Branches = ()
    hazards: sections.HazardSettings = sections.HazardSettings()
    on_call: sections.OnCallSettings = sections.OnCallSettings()
    privacy: sections.Privacy = sections.Privacy()
    files: sections.Files = sections.Files()
    speech: sections.SpeechSettings = sections.SpeechSettings()
    translator: sections.TranslatorSettings = sections.TranslatorSettings()
    triage: sections.Triage = sections.Triage()
    proof: sections.ProofSettings = sections.ProofSettings()
    report: tuple[sections.ReportSettings, ...] = ()
    jurisdiction: dict[str, sections.Jurisdiction] = Field(default_factory=dict)
    secrets: Secrets = Field(default=Secrets(), exclude=True)
    file: Path = Field(default=Path(DEFAULT_FILE), exclude=True)
    #: Unknown environment variables, each with its place and the nearest known name.
    unknown: tuple[str, ...] = Field(default=(), exclude=True)

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language of the conversations with complainants; those of further jurisdictions are last."""
        further = (language for other in self.jurisdiction.values() for language in other.languages or ())
        return tuple(dict.fromkeys((*self.organisation.languages, *further)))

    @property
    def texts_folder(self) -> Path:
        return self.file.parent / "texts"

    @property
    def examples_folder(self) -> Path:
        """The folder of the organisation's own labelled examples, next to amends.toml."""
        return self.file.parent / "examples"

    @property
    def own_names(self) -> dict[str, dict[str, str]]:
        """The names of the organisation's own codes, by message id and language."""
        return {
            f"{table}.{code.key}": dict(code.name)
            for table, codes in self.own_codes.items()
            for code in codes
        }

    @property
    def own_codes(self) -> dict[str, tuple[sections.OwnCode, ...]]:
        return {"category": self.category, "product": self.product, "branch": self.branch}

    @property
    def wording(self) -> dict[str, Any]:
        """The arguments of `load_catalogues` for what complainants read: own names, and the form of address."""
        return {"own": self.own_names, "address": self.organisation.address}

    @property
    def fingerprint(self) -> str:
        """A hash of all settings except secrets, 32 hex digits. A change of it is recorded as an event."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]


SECTIONS = tuple(name for name, field in Settings.model_fields.items() if not field.exclude)
_NOT_IN_FILE = frozenset(Settings.model_fields) - frozenset(SECTIONS)


def load(path: str | Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Read the secrets and amends.toml, from `path`, AMENDS_CONFIG or the current directory.

    Raises SettingsError with every problem found.
    """
    env = os.environ if env is None else env
    file = Path(path or env.get(CONFIG) or DEFAULT_FILE)
    return parse_settings(_text(file), file, env)


def parse_settings(text: str, file: Path, env: Mapping[str, str]) -> Settings:
    """The settings from the text of `file`, and the secrets from the environment. Raises SettingsError."""
    tables, problems = _parse(text, file)
    read_from_env = read_secrets(env, file.parent)
    problems += read_from_env.problems
    try:
        settings = Settings(
            **tables,
            secrets=read_from_env.secrets or Secrets(),
            file=file,
            unknown=tuple(map(str, read_from_env.unknown)),
        )
    except ValidationError as refused:
        lines = line_numbers(text)
        errors = refused.errors(include_url=False)
        # A list whose every entry is refused is not too short: the entries are named.
        parents = {error["loc"][:-1] for error in errors}
        problems += [
            _problem(error, file, lines)
            for error in errors
            if error["type"] != "too_short" or error["loc"] not in parents
        ]
    else:
        problems += _contradictions(settings, file, line_numbers(text))
    if problems:
        raise SettingsError(problems)
    return settings


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        # `amends init desk` writes into a folder, and the next command is easily given outside of it.
        inside = sorted(place.parent.name for place in file.absolute().parent.glob(f"*/{file.name}"))
        elsewhere = f"; there is one in {inside[0]}: `cd {inside[0]}` first" if inside else ""
        remedy = f"is missing; `amends init` writes one, and {CONFIG} names another place{elsewhere}"
        raise SettingsError([Problem("", str(file), remedy)]) from missing
    except (OSError, UnicodeDecodeError) as unreadable:
        raise SettingsError([Problem("", str(file), f"cannot be read: {unreadable}")]) from unreadable


def _parse(text: str, file: Path) -> tuple[dict[str, Any], list[Problem]]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise SettingsError([Problem("", str(file), f"is not TOML: {wrong}")]) from wrong
    problems = []
    for name in _NOT_IN_FILE & set(tables):
        del tables[name]
        what = f"unknown key; accepted here: {', '.join(SECTIONS)}. Secrets are in .env or the environment"
        problems.append(Problem(name, _place(file, (name,), line_numbers(text)), what))
    return tables, problems


def _contradictions(settings: Settings, file: Path, lines: Mapping[KeyPath, int]) -> list[Problem]:
    """Problems that the check of a single field cannot see."""
    problems: list[tuple[KeyPath, str]] = []
    countries: dict[KeyPath, tuple[str, str | None]] = {
        ("organisation", "region"): (settings.organisation.country, settings.organisation.region)
    }
    for code, other in settings.jurisdiction.items():
        countries["jurisdiction", code, "region"] = (code, other.region)
        if not is_country(code):
            problems.append(
                (("jurisdiction", code), f"{code!r} is not a country; write one such as [jurisdiction.TR]")
            )
        if code == settings.organisation.country:
            problems.append((("jurisdiction", code), "is the organisation's own country; write that above"))
    for path, (country, region) in countries.items():
        if region is None or not is_country(country):
            continue
        parts = holidays.list_supported_countries(include_aliases=False)[country]
        if region not in parts:
            remedy = f"write one of {', '.join(parts)}" if parts else "leave it out"
            problems.append((path, f"{region!r} is no part of {country} with holidays of its own; {remedy}"))
    problems += _unreadable_calendars(settings)
    for table, codes in settings.own_codes.items():
        keys = [code.key for code in codes]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                problems.append(((table, number, "key"), f"{key!r} is there already; give each its own code"))
    if "hours" in settings.on_call.model_fields_set and not settings.on_call.people:
        problems.append(
            (("on_call", "people"), 'hours without people alert no one; write people = ["U0000002"]')
        )
    return [Problem(dotted(path), _place(file, path, lines), what) for path, what in problems]


def _unreadable_calendars(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """iCalendar files that cannot be read; the rulebook computes the days off later."""
    calendars: list[tuple[KeyPath, sections.CalendarSettings]] = [(("calendar", "ics"), settings.calendar)]
    for code, other in settings.jurisdiction.items():
        if other.calendar is not None:
            calendars.append((("jurisdiction", code, "calendar", "ics"), other.calendar))
    for path, calendar in calendars:
        for number, name in enumerate(calendar.ics):
            try:
                closures_of(settings.file.parent, (name,), DeskHours("UTC"), _ANY_DAY, _ANY_DAY)
            except BadCalendarFile as wrong:
                yield (*path, number), f"{wrong}; export it again, or write the days under [calendar.closed]"


def _problem(error: Any, file: Path, lines: Mapping[KeyPath, int]) -> Problem:
    path: KeyPath = tuple(part for part in error["loc"] if part != "[key]")
    kind, message = error["type"], error["msg"].removeprefix("Value error, ")
    section = _model_at(path[:-1])
    if kind == "extra_forbidden":
        keys = list(_keys_of(section))
        close = difflib.get_close_matches(str(path[-1]), keys, n=1)
        what = f"unknown key; {f'did you mean {close[0]}? ' if close else ''}accepted here: {', '.join(keys)}"
    elif kind == "missing":
        what = f"is missing; write {_example(section, path)}"
    elif kind == "value_error":
        what = message
    else:
        written = _example(section, path)
        what = f"{message[0].lower()}{message[1:]}{f'; write {written}' if written else ''}"
    return Problem(dotted(path), _place(file, path, lines), what)


def _place(file: Path, path: KeyPath, lines: Mapping[KeyPath, int]) -> str:
    line = line_number(path, lines)
    return f"{file} line {line}" if line else str(file)


def _keys_of(model: type[BaseModel] | None) -> tuple[str, ...]:
    if model is None or model is Settings:
        return SECTIONS
    return tuple(model.model_fields)


def _example(model: type[BaseModel] | None, path: KeyPath) -> str:
    """How to write the key, from its example in sections.toml."""
    field = model.model_fields.get(str(path[-1])) if model else None
    if model is None or field is None:
        return ""
    inner, value = model_in(field.annotation), example(model, str(path[-1]))
    if inner is not None and value is None:
        required = ", ".join(
            name for name, inner_field in inner.model_fields.items() if inner_field.is_required()
        )
        return f"[{dotted(path)}] with {required}"
    value = field.default if value is None else value
    return f"{path[-1]} = {toml_value(value)}" if value is not None else ""


def _model_at(path: KeyPath) -> type[BaseModel] | None:
    """The section at a path, also inside optional sections, arrays and tables with free names."""
    model: type[BaseModel] | None = Settings
    for part in path:
        field = model.model_fields.get(part) if model is not None and isinstance(part, str) else None
        model = model_in(field.annotation) if field is not None else model
    return model


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The section in the annotation of a field, also inside an optional one, an array or a table with free names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    models = (model_in(argument) for argument in typing.get_args(annotation))
    return next(filter(None, models), None)
