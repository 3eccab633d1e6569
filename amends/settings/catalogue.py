"""Every setting with its description, default and example, for `amends init` and docs/settings.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from amends.settings import sections
from amends.settings.loading import SECTIONS, Settings
from amends.settings.rulebook import DEFAULT_LEVELS, preset_targets
from amends.settings.toml_text import toml_value
from amends.settings.variables import Secrets, variable
from complaints.rulebook import Targets
from complaints.vocabulary import Priority


@dataclass(frozen=True)
class SettingKey:
    """One key of a table. `default` and `example` are as TOML writes them, or empty."""

    name: str
    description: str
    default: str
    example: str
    required: bool


@dataclass(frozen=True)
class SettingsTable:
    """One table of amends.toml: its header as TOML writes it, its subject, and its keys in order."""

    header: str
    about: str
    keys: tuple[SettingKey, ...]


@dataclass(frozen=True)
class EnvironmentVariable:
    name: str
    description: str
    default: str


def tables(preset: str) -> Iterator[SettingsTable]:
    """Every table of amends.toml in the order of `amends init`, with the times of this preset as defaults."""
    targets = preset_targets(preset)
    models: Mapping[str, tuple[str, type[sections.SettingsSection]]] = {
        "organisation": ("[organisation]", sections.Organisation),
        "calendar": ("[calendar]", sections.CalendarSettings),
        "slack": ("[slack]", sections.Slack),
        "roles": ("[roles]", sections.Roles),
        "targets": ("[targets]", sections.TargetsSettings),
        "dialogue": ("[dialogue]", sections.DialogueSettings),
        "survey": ("[survey]", sections.SurveySettings),
        "simulation": ("[simulation]", sections.Simulation),
        "levels": ("[levels]", sections.SettingsSection),
        "authority": ("[authority]", sections.Authority),
        "staff": ("[[staff]]", sections.ColleagueSettings),
        "recourse": ("[[recourse]]", sections.Recourse),
        "danger": ("[[danger]]", sections.DangerSettings),
        "category": ("[[category]]", sections.OwnCategory),
        "on_call": ("[on_call]", sections.OnCallSettings),
        "privacy": ("[privacy]", sections.Privacy),
        "triage": ("[triage]", sections.Triage),
        "jurisdiction": ("[jurisdiction.TR]", sections.Jurisdiction),
    }
    for name in SECTIONS:
        header, model = models[name]
        about = Settings.model_fields[name].description or (model.__doc__ or "").strip().splitlines()[0]
        if name == "levels":
            keys = tuple(
                SettingKey(number, "The roles that may decide.", toml_value(roles), "", False)
                for number, roles in DEFAULT_LEVELS.items()
            )
        elif name == "authority":
            keys = tuple(
                SettingKey(role, "The most it may grant alone.", "", f'{{ amount = "{amount}" }}', False)
                for role, amount in (("handler", "100 GBP"), ("manager", "2000 GBP"))
            )
        else:
            keys = tuple(
                _key(key, field, targets) for key, field in model.model_fields.items() if not _is_table(field)
            )
        yield SettingsTable(header, about, keys)
        if name == "targets":
            yield from (_priority_table(priority, targets) for priority in Priority)


def variables() -> Iterator[EnvironmentVariable]:
    """Every environment variable of the product, except AMENDS_CONFIG."""
    for name, field in Secrets.model_fields.items():
        default = "" if field.default in (None, ()) else str(field.default)
        yield EnvironmentVariable(variable(name), field.description or "", default)


def _key(name: str, field: FieldInfo, targets: Targets) -> SettingKey:
    default = (
        getattr(targets, name) if name in _SAME_FOR_ALL else field.get_default(call_default_factory=True)
    )
    plain = "" if field.is_required() or default is None else toml_value(default)
    example = toml_value(field.examples[0]) if field.examples else ""
    return SettingKey(name, field.description or "", plain, example, field.is_required())


#: Times that are the same for every priority. If the file does not set one, the rulebook has its default.
_SAME_FOR_ALL = frozenset(Targets.__dataclass_fields__) & frozenset(sections.TargetsSettings.model_fields)


def _priority_table(priority: Priority, targets: Targets) -> SettingsTable:
    about = sections.TargetsSettings.model_fields[priority.value].description or ""
    keys = tuple(
        SettingKey(
            name, field.description or "", toml_value(getattr(targets.by_priority[priority], name)), "", False
        )
        for name, field in sections.PriorityTargetsSettings.model_fields.items()
    )
    return SettingsTable(f"[targets.{priority}]", about, keys)


def _is_table(field: FieldInfo) -> bool:
    return any(_is_model(annotation) for annotation in (field.annotation, *_arguments(field.annotation)))


def _arguments(annotation: Any) -> Iterator[Any]:
    for argument in get_args(annotation):
        yield argument
        yield from _arguments(argument)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
