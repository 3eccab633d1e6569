"""Every setting with its description, default and example: what `init` writes and docs/settings.md shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from amends.settings import sections
from amends.settings.loading import SECTIONS, Secrets, Settings, toml_value, variable
from amends.settings.rulebook import DEFAULT_LEVELS, preset_targets
from complaints.rulebook import Targets
from complaints.vocabulary import Priority


@dataclass(frozen=True)
class Key:
    """One key of one table. `default` is as TOML writes it, empty where there is none."""

    name: str
    description: str
    default: str
    example: str
    required: bool


@dataclass(frozen=True)
class Table:
    """One table of the file: its header as TOML writes it, what it is about, and its keys in order."""

    header: str
    about: str
    keys: tuple[Key, ...]


@dataclass(frozen=True)
class Variable:
    """One variable of the environment."""

    name: str
    description: str
    default: str


def tables(preset: str) -> Iterator[Table]:
    """Every table of amends.toml, in the order in which `init` writes them, with the times of a preset."""
    times = preset_targets(preset)
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
                Key(number, "Roles that decide.", toml_value(roles), "", False)
                for number, roles in DEFAULT_LEVELS.items()
            )
        elif name == "authority":
            keys = tuple(
                Key(role, "May grant alone.", "", f'{{ amount = "{amount}" }}', False)
                for role, amount in (("handler", "100 GBP"), ("manager", "2000 GBP"))
            )
        else:
            keys = tuple(
                _key(key, field, times) for key, field in model.model_fields.items() if not _is_table(field)
            )
        yield Table(header, about, keys)
        if name == "targets":
            yield from (_priority_table(priority, times) for priority in Priority)


def variables() -> Iterator[Variable]:
    """Every variable of the environment."""
    for name, field in Secrets.model_fields.items():
        shown = "" if field.default in (None, ()) else str(field.default)
        yield Variable(variable(name), field.description or "", shown)


def _key(name: str, field: FieldInfo, times: Targets) -> Key:
    default = getattr(times, name) if name in _ONCE else field.get_default(call_default_factory=True)
    plain = "" if field.is_required() or default is None else toml_value(default)
    example = toml_value(field.examples[0]) if field.examples else ""
    return Key(name, field.description or "", plain, example, field.is_required())


# A span that is the same for every priority: the file may leave it out, the rulebook then has this one.
_ONCE = frozenset(Targets.__dataclass_fields__) & frozenset(sections.TargetsSettings.model_fields)


def _priority_table(priority: Priority, times: Targets) -> Table:
    about = sections.TargetsSettings.model_fields[priority.value].description or ""
    keys = tuple(
        Key(name, field.description or "", toml_value(getattr(times.by_priority[priority], name)), "", False)
        for name, field in sections.PriorityTargetsSettings.model_fields.items()
    )
    return Table(f"[targets.{priority}]", about, keys)


def _is_table(field: FieldInfo) -> bool:
    """A field that is a table of its own, written under its own header."""
    return any(_is_model(one) for one in (field.annotation, *_inner(field.annotation)))


def _inner(annotation: Any) -> Iterator[Any]:
    for one in get_args(annotation):
        yield one
        yield from _inner(one)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
