"""Every setting with its description, default and example, for `amends init` and docs/settings.md."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from amends.settings import sections
from amends.settings.field_types import description, example
from amends.settings.rulebook import DEFAULT_LEVELS, default_authority, preset_targets
from amends.settings.settings_file import SECTIONS, Settings, model_in
from amends.settings.toml_text import toml_value
from amends.settings.variables import VARIABLES, Secrets, variable
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


#: An example of each table whose header has a name of its own.
NAMED = {"jurisdiction": "jurisdiction.TR", "investigation": "investigation.2"}


def tables(preset: str) -> Iterator[SettingsTable]:
    """Every table of amends.toml in the order of `amends init`, with the times of this preset as defaults."""
    targets = preset_targets(preset)
    for name in SECTIONS:
        section = Settings.model_fields[name]
        model = model_in(section.annotation)
        header = f"[{NAMED.get(name, name)}]"
        if get_origin(section.annotation) is tuple:
            header = f"[{header}]"
        about = description(Settings, name) or ((model and model.__doc__) or "").strip().splitlines()[0]
        if name == "levels":
            keys = tuple(
                SettingKey(number, "The roles that may decide.", toml_value(roles), "", False)
                for number, roles in DEFAULT_LEVELS.items()
            )
        elif name == "authority":
            keys = tuple(
                SettingKey(role, "The most it may grant alone.", "", f'{{ amount = "{amount}" }}', False)
                for role, amount in default_authority("GB").items()
            )
        else:
            keys = _keys(model, targets if name == "targets" else None) if model else ()
        yield SettingsTable(header, about, keys)
        if name == "proof":
            witness = sections.WitnessSettings
            yield SettingsTable("[[proof.witnesses]]", (witness.__doc__ or "").strip(), _keys(witness))
        if name == "targets":
            yield from (_priority_table(priority, targets) for priority in Priority)


def variables() -> Iterator[EnvironmentVariable]:
    """Every environment variable of the product, except AMENDS_CONFIG."""
    for name, field in Secrets.model_fields.items():
        default = "" if field.default in (None, ()) else str(field.default)
        yield EnvironmentVariable(variable(name), VARIABLES[name]["description"], default)


def _keys(model: type[BaseModel], targets: Targets | None = None) -> tuple[SettingKey, ...]:
    """The keys of a table; `targets` has the defaults of the table of that name."""
    # A field that is a table has a header of its own.
    return tuple(
        _key(model, name, field, targets)
        for name, field in model.model_fields.items()
        if model_in(field.annotation) is None
    )


def _key(model: type[BaseModel], name: str, field: FieldInfo, targets: Targets | None) -> SettingKey:
    if targets is not None and name in _SAME_FOR_ALL:
        default = getattr(targets, name)
    else:
        default = field.get_default(call_default_factory=True)
    plain = "" if field.is_required() or default is None else toml_value(default)
    value = example(model, name)
    written = "" if value is None else toml_value(value)
    return SettingKey(name, description(model, name), plain, written, field.is_required())


#: Times that are the same for every priority. If the file does not set one, the rulebook has its default.
_SAME_FOR_ALL = frozenset(Targets.__dataclass_fields__) & frozenset(sections.TargetsSettings.model_fields)


def _priority_table(priority: Priority, targets: Targets) -> SettingsTable:
    table, of_priority = sections.PriorityTargetsSettings, targets.by_priority[priority]
    keys = tuple(
        SettingKey(name, description(table, name), toml_value(getattr(of_priority, name)), "", False)
        for name in table.model_fields
    )
    return SettingsTable(f"[targets.{priority}]", description(sections.TargetsSettings, priority.value), keys)
