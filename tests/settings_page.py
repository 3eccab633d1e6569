"""Writes docs/settings.md from the settings themselves, so that it is always complete (`make docs`)."""

from pathlib import Path

from amends.settings.catalogue import SettingKey, SettingsTable, tables, variables
from amends.settings.presets import (
    CERTAINTY,
    RULE_KINDS,
    Preset,
    preset_named,
    preset_names,
    readable_name,
    shown_value,
)

FILE = Path("docs/settings.md")

_TEMPLATE = Path(__file__).with_suffix(".md")


def settings_page() -> str:
    """The page: the template with the tables of the settings in place of its comments."""
    page = _TEMPLATE.read_text(encoding="utf-8").replace("](../docs/", "](")
    for place, text in {
        "<!-- tables -->\n": "\n".join(_table(table) for table in tables("small_business")) + "\n",
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


def _table(table: SettingsTable) -> str:
    head = f"### `{table.header}`\n\n{table.about}\n\n| key | default | |\n|---|---|---|\n"
    return head + "".join(f"| `{key.name}` | {_default(key)} | {_description(key)} |\n" for key in table.keys)


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
    return "\n".join(_preset(preset_named(name)) for name in preset_names())


def _preset(preset: Preset) -> str:
    rows = "".join(
        f"| {rule.name} | {shown_value(rule.value)} | {rule.dates} | {rule.source} | {rule.certain} |\n"
        for rule in preset.rules
    )
    missing = f"\nNot found: {'; '.join(preset.not_found)}.\n" if preset.not_found else ""
    head = "| rule | value | dates | source | certain |\n|---|---|---|---|---|\n"
    return f"### `{preset.name}`\n\n{preset.title}.\n\n{head}{rows}{missing}"


if __name__ == "__main__":
    write_page()
