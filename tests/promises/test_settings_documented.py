"""docs/settings.md documents every setting, and its descriptions match the code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from amends.settings import Settings, load, sections
from amends.settings.catalogue import tables, variables
from amends.settings.presets import preset_named, preset_names
from amends.settings.sections import PRESETS
from amends.settings.settings_file import SECTIONS
from tests.settings_page import FILE, settings_page

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / FILE).read_text(encoding="utf-8")


def test_the_page_is_generated_from_the_settings() -> None:
    assert settings_page() == PAGE, "run `make docs`"


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_has_a_heading(section: str) -> None:
    assert re.search(rf"^### .*`\[+{section}[.\]]", PAGE, re.MULTILINE)


def test_every_key_has_a_row_with_a_description() -> None:
    keys = [key for table in tables("small_business") for key in table.keys]
    assert len(keys) > 60
    assert [key.name for key in keys if f"| `{key.name}` |" not in PAGE or not key.description] == []


def test_every_description_is_of_a_key() -> None:
    described = tomllib.loads((PRESETS.parent / "settings" / "sections.toml").read_text(encoding="utf-8"))
    models = {**vars(sections), "Settings": Settings}
    assert [
        f"{table}.{key}"
        for table, keys in described.items()
        for key in keys
        if key not in models[table].model_fields
    ] == []


def test_every_variable_has_a_row() -> None:
    assert [
        variable.name
        for variable in variables()
        if f"| `{variable.name}` |" not in PAGE or not variable.description
    ] == []


def test_every_preset_is_described_with_its_sources() -> None:
    assert [file.stem for file in PRESETS.glob("*.toml") if f"### `{file.stem}`: " not in PAGE] == []


@pytest.mark.parametrize("preset", preset_names())
def test_every_rule_of_a_preset_is_on_the_page_with_its_source(preset: str) -> None:
    shown = "".join(_sections(preset))
    for rule in preset_named(preset).rules:
        assert f"| {rule.name} | " in shown
        assert f"| {rule.dates} | {rule.source} | {rule.certain} |" in shown


def _sections(preset: str) -> Iterator[str]:
    """The section of a preset, the rules of most presets, and the sections of those that it is based on."""
    yield PAGE.split("Every preset has these rules, unless its table has others of the same name:")[1].split(
        "\n### "
    )[0]
    own = PAGE.split(f"### `{preset}`: ")[1].split("\n### ")[0]
    yield own
    base = tomllib.loads((PRESETS / f"{preset}.toml").read_text(encoding="utf-8")).get("based_on")
    if base:
        assert f"As `{base}`," in own.replace("\n", " ")
        yield from _sections(base)


def test_the_example_on_the_page_can_be_loaded(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "amends.toml"
    file.write_text(example, encoding="utf-8")
    assert load(file, {}).organisation.name == "Northwind Water"
