"""Writes docs/settings.md from the settings themselves, so that it is always complete (`make docs`)."""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill

from amends.settings.catalogue import SettingKey, SettingsTable, tables, variables
from amends.settings.presets import (
    CERTAINTY,
    RULE_KINDS,
    Preset,
    PresetRule,
    preset_named,
    preset_names,
    readable_name,
    shown_value,
)
from amends.settings.sections import PRESETS

FILE = Path("docs/settings.md")

#: Tables of amends.toml that follow each other share a table of the page up to this many keys.
_KEYS_TOGETHER = 15

_TEMPLATE = Path(__file__).with_suffix(".md")


def settings_page() -> str:
    """The page: the template with the tables of the settings in place of its comments."""
    page = _TEMPLATE.read_text(encoding="utf-8").replace("](../docs/", "](")
    for place, text in {
        "<!-- tables -->\n": "\n".join(_tables()) + "\n",
        "<!-- variables -->\n": _variables(),
        "<!-- rule kinds -->\n": _rule_kinds(),
        "<!-- certainty -->": "; ".join(f"`{code}`, {words}" for code, words in CERTAINTY.items()),
        "<!-- presets -->\n": _presets(),
    }.items():
        page = page.replace(place, text)
    return page


def write_page(root: Path = Path()) -> Path:
    file = root / FILE
    file.write_text(settings_page(), encoding="utf-8")
    return file


def _tables() -> Iterator[str]:
    """The tables of amends.toml in their order: small ones share a table, those of the priorities are one."""
    of_priority, small = [], []
    for table in tables("small_business"):
        is_priority = table.header.startswith("[targets.P")
        rows = len(table.keys) + sum(len(other.keys) for other in small)
        if small and (is_priority or rows > _KEYS_TOGETHER):
            yield _section(small)
            small = []
        if of_priority and not is_priority:
            yield _priorities(of_priority)
            of_priority = []
        (of_priority if is_priority else small).append(table)
    yield _section(small)


def _priorities(of_priority: list[SettingsTable]) -> str:
    names = [table.header.strip("[]") for table in of_priority]
    heads = " | ".join(name.removeprefix("targets.") for name in names)
    head = (
        f"### `[{names[0]}]` to `[{names[-1]}]`\n\n"
        "The deadlines of a priority, with their defaults. Those of P1 and P2 can be later than these only here.\n\n"
        f"| key | {heads} | |\n|---|{'---|' * len(names)}---|\n"
    )
    keys = zip(*(table.keys for table in of_priority), strict=True)
    return head + "".join(
        f"| `{row[0].name}` | {' | '.join(map(_default, row))} | {row[0].description} |\n" for row in keys
    )


def _section(group: list[SettingsTable]) -> str:
    """One or more tables of amends.toml under one heading, each with a row of its own before its keys."""
    names = ", ".join(f"`{table.header}`" for table in group)
    rows = (f"| **`{table.header}`** | | {table.about} |\n{_keys(table)}" for table in group)
    return f"### {names}\n\n| key | default | |\n|---|---|---|\n{''.join(rows)}"


def _keys(table: SettingsTable) -> str:
    return "".join(f"| `{key.name}` | {_default(key)} | {_description(key)} |\n" for key in table.keys)


def _default(key: SettingKey) -> str:
    if key.required:
        return "required"
    return f"`{key.default}`" if key.default not in {"", '""'} else "–"


def _description(key: SettingKey) -> str:
    return (
        f"{key.description} Example: `{key.example}`."
        if key.example and key.example != key.default
        else key.description
    )


def _variables() -> str:
    head = "| variable | default | |\n|---|---|---|\n"
    rows = (
        f"| `{variable.name}` | {f'`{variable.default}`' if variable.default else '–'} | {variable.description} |\n"
        for variable in variables()
    )
    return head + "".join(rows)


def _rule_kinds() -> str:
    """What each rule of a preset means, by its name."""
    rows = (f"| `{readable_name(kind.pattern)}` | {kind.meaning} |\n" for kind in RULE_KINDS)
    return "| rule | means |\n|---|---|\n" + "".join(rows).replace("(`level 2 …`", "(")


def _presets() -> str:
    common = common_rules()
    head = "Every preset has these rules, unless its table has others of the same name:\n\n"
    return "\n".join(
        [head + _rules(common), *(_preset(preset_named(name), common) for name in preset_names())]
    )


def common_rules() -> tuple[PresetRule, ...]:
    """Rules that most presets have, with a name that all of them have."""
    presets = [preset_named(name) for name in preset_names()]
    names = set.intersection(*({rule.name for rule in preset.rules} for preset in presets))
    common: list[PresetRule] = []
    for rule in (rule for preset in presets for rule in preset.rules if rule.name in names):
        if rule not in common and 2 * sum(rule in preset.rules for preset in presets) > len(presets):
            common.append(rule)
    return tuple(common)


def _rules(rules: Iterable[PresetRule]) -> str:
    head = "| rule | value | dates | source | certain |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {rule.name} | {shown_value(rule.value)} | {rule.dates} | {rule.source} | {rule.certain} |\n"
        for rule in rules
    )


def _preset(preset: Preset, common: tuple[PresetRule, ...]) -> str:
    """The rules of a preset without those of most presets; of one based on another, only those that differ."""
    file = tomllib.loads((PRESETS / f"{preset.name}.toml").read_text(encoding="utf-8"))
    base = preset_named(file["based_on"]) if "based_on" in file else None
    same_elsewhere = base.rules if base else common
    rows = _rules(rule for rule in preset.rules if rule not in same_elsewhere)
    missing = [what for what in preset.not_found if base is None or what not in base.not_found]
    not_found = f"\nNot found: {'; '.join(missing)}.\n" if missing else ""
    same = f"{_same_as(base, preset)}\n\n" if base else ""
    return f"### `{preset.name}`: {preset.title}\n\n{same}{rows}{not_found}"


def _same_as(base: Preset, preset: Preset) -> str:
    names = {rule.name for rule in preset.rules}
    without = ", ".join(dict.fromkeys(f"`{rule.name}`" for rule in base.rules if rule.name not in names))
    left_out = f" without {without}, and" if without else ""
    same = f"As `{base.name}`,{left_out} with these rules in addition or in place of those of the same name:"
    return fill(same, 120, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    write_page()
