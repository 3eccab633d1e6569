"""Files of a new installation (`amends init`): settings, secrets, texts, examples and the Slack app's manifest."""

import base64
import json
import os
import re
import secrets
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from amends.settings.catalogue import NAMED, SettingsTable, tables, variables
from amends.settings.problems import Problem, SettingsError
from amends.settings.rulebook import currency_of
from amends.settings.sections import known_preset
from amends.settings.settings_file import parse_settings
from amends.settings.toml_text import toml_value
from bots.texts.catalogues import STAFF, TextsError, load_catalogues, shipped, shipped_languages
from triage.matching import fold


def app_manifest() -> dict[str, Any]:
    """The manifest for Socket Mode from which Slack creates the app (`amends slack-manifest`)."""
    return tomllib.loads(Path(__file__).with_name("slack_manifest.toml").read_text(encoding="utf-8"))


#: What the app may do in Slack.
SCOPES: tuple[str, ...] = tuple(app_manifest()["oauth_config"]["scopes"]["bot"])


#: Characters of a category's code.
_MAX_CODE_LENGTH = 40


@dataclass(frozen=True)
class InitAnswers:
    name: str
    country: str
    timezone: str
    languages: tuple[str, ...] = ("en",)
    region: str | None = None
    #: Empty: the first of the languages that has texts for staff.
    staff_language: str = ""
    emergency_number: str = "112"
    preset: str = "small_business"
    hours: str = "Mon-Fri 09:00-17:30"
    triage_channel: str = "C0000001"
    restricted_channel: str = "C0000002"
    executive_channel: str = "C0000003"
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Gets the checkpoints of the log; best a place of another machine.
    checkpoint_file: str = "checkpoints/newest.txt"
    #: Names of the organisation's own categories, in the first language.
    categories: tuple[str, ...] = ()

    @property
    def own(self) -> dict[str, str]:
        """The organisation's own categories: name by code.

        Names that give the same code ("Müll" and "Mull") are numbered in their order, from the second on.
        """
        codes: dict[str, str] = {}
        for name in self.categories:
            codes[_free_code(category_code(name), codes)] = name
        return codes

    def by_table(self) -> dict[str, dict[str, object]]:
        """The answers by table and key; None means that the setting stays commented out."""
        own = (
            "name", "country", "region", "timezone", "languages", "staff_language", "emergency_number", "preset",
        )  # fmt: skip
        staff = next((language for language in self.languages if shipped(language, STAFF)), "en")
        channels = ("triage_channel", "restricted_channel", "executive_channel")
        return {
            "[organisation]": {name: getattr(self, name) for name in own}
            | {"staff_language": self.staff_language or staff},
            "[calendar]": {"hours": self.hours},
            "[slack]": {name: getattr(self, name) for name in channels},
            "[roles]": dict(self.roles),
            "[proof]": {"file": self.checkpoint_file or None},
        }


def write_installation(folder: Path, answers: InitAnswers) -> list[Path]:
    """Write amends.toml, .env (mode 600), .env.example, texts/ and slack-manifest.json; returns the files.

    With own categories it also writes examples/, with a file for each language to fill in. Raises SettingsError if a
    file exists already or an answer is refused; then nothing was written.
    """
    refuse_existing(folder)
    settings, env, example, app = _files(folder)
    texts = folder / "texts" / "README.md"
    text = checked_settings_text(folder, answers)
    texts.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(text, encoding="utf-8")
    _write_private(env, env_text({"AMENDS_SECRET_KEY": new_key(), "AMENDS_SIGNING_KEY": new_key()}))
    example.write_text(env_text(), encoding="utf-8")
    app.write_text(json.dumps(app_manifest(), indent=2) + "\n", encoding="utf-8")
    texts.write_bytes(Path(__file__).with_name("texts_readme.md").read_bytes())
    return [*_files(folder), texts, *_write_examples(folder / "examples", answers)]


def _files(folder: Path) -> list[Path]:
    return [folder / name for name in ("amends.toml", ".env", ".env.example", "slack-manifest.json")]


def refuse_existing(folder: Path) -> None:
    """Raise SettingsError if the folder has an installation already, or cannot be written."""
    existing = [file for file in _files(folder) if file.exists()]
    if existing:
        # Never overwrite: with a second secret key every record of the first one would be unreadable.
        remedy = "exists already; move it away or choose another directory"
        raise SettingsError([Problem("", str(file), remedy) for file in existing])


def checked_settings_text(folder: Path, answers: InitAnswers) -> str:
    """The text of amends.toml. Raises SettingsError for each answer that a start would refuse."""
    try:
        known_preset(answers.preset)
    except ValueError as wrong:
        raise SettingsError([Problem("--preset", "command line", str(wrong))]) from wrong
    _refuse_duplicates(answers.categories)
    text = settings_text(answers)
    settings = parse_settings(text, folder / "amends.toml", {})
    try:
        load_catalogues(settings.languages, settings.texts_folder)
    except TextsError as wrong:
        remedy = (
            f"{wrong} Amends has texts in {', '.join(shipped_languages())}; others go into {folder / 'texts'}"
        )
        raise SettingsError([Problem("--languages", "command line", remedy)]) from wrong
    return text


def _write_examples(folder: Path, answers: InitAnswers) -> Iterator[Path]:
    # Imported here because it loads the language detector, which other commands do not need.
    from triage.learning.examples import example_file

    for language in answers.languages if answers.categories else ():
        file = folder / f"{language}.csv"
        folder.mkdir(exist_ok=True)
        # Never replace a file that someone has filled in by an empty form.
        if not file.exists():
            file.write_text(example_file(answers.own), encoding="utf-8")
        yield file


def category_code(name: str) -> str:
    """The code of a category with this name: "Leak in the street" becomes `leak_in_the_street`."""
    code = re.sub(r"[^a-z0-9]+", "_", fold(name).text).strip("_")
    return (code if code[:1].isalpha() else f"own_{code}")[:_MAX_CODE_LENGTH].rstrip("_")


def category_entries(names: Iterable[str], *, taken: Collection[str], language: str) -> str:
    """The `[[category]]` entries of categories with these names in this language, to paste into amends.toml."""
    codes = set(taken)
    entries = []
    for name in names:
        codes.add(code := _free_code(category_code(name), codes))
        label = toml_value(" ".join(name.split()))
        entries.append(f"[[category]]\nkey = {toml_value(code)}\nname.{language} = {label}\n")
    return "\n".join(entries)


def _free_code(code: str, taken: Collection[str]) -> str:
    """The code, or the first of `code_2`, `code_3` … that is not taken."""
    free, number = code, 1
    while free in taken:
        number += 1
        suffix = f"_{number}"
        free = code[: _MAX_CODE_LENGTH - len(suffix)].rstrip("_") + suffix
    return free


def _refuse_duplicates(names: Sequence[str]) -> None:
    counts = Counter(" ".join(name.casefold().split()) for name in names)
    duplicates = [name for name, count in counts.items() if count > 1]
    if duplicates:
        remedy = f"{', '.join(map(repr, duplicates))} is there twice: name each category once"
        raise SettingsError([Problem("--categories", "command line", remedy)])


def new_key() -> str:
    """A new secret or signing key: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def settings_text(answers: InitAnswers) -> str:
    """The text of amends.toml: the answers, and every other setting as a comment with its default."""
    answers_by_table = answers.by_table()
    currency = currency_of(answers.country)
    lines = ["# Settings of Amends. docs/settings.md explains every key; secrets are in .env.", ""]
    for table in tables(answers.preset):
        if table.header == "[[category]]" and answers.categories:
            lines += _category_lines(table, answers)
        else:
            lines += _table_lines(table, answers_by_table.get(table.header, {}), currency)
    return "\n".join(lines)


def env_text(keys: Mapping[str, str] = MappingProxyType({})) -> str:
    """The text of `.env` with these keys, or of `.env.example`; every other variable is a comment."""
    lines = ["# Secrets of Amends; keep this file private. Variables of the environment override it.", ""]
    for variable in variables():
        key = keys.get(variable.name)
        assignment = f"{variable.name}={key}" if key else f"#{variable.name}={variable.default}"
        lines += [f"# {variable.description}", assignment, ""]
    return "\n".join(lines)


def _category_lines(table: SettingsTable, answers: InitAnswers) -> Iterator[str]:
    yield f"# {table.about} Their examples are in examples/."
    for key, name in answers.own.items():
        yield "[[category]]"
        yield f"key = {toml_value(key)}"
        yield f"name.{answers.languages[0]} = {toml_value(name)}"
        yield from (f"#name.{language} = {toml_value(name)}" for language in answers.languages[1:])
        yield ""


def _table_lines(table: SettingsTable, answers: Mapping[str, object], currency: str) -> Iterator[str]:
    # A table that needs a key, or that can be there several times, is written as a comment.
    optional = table.header.startswith("[[") or any(table.header == f"[{name}]" for name in NAMED.values())
    yield f"# {table.about}"
    yield f"#{table.header}" if optional else table.header
    for key in table.keys:
        answer = answers.get(key.name)
        if answer is None and optional and not (key.default or key.example):
            continue
        # An empty default does not show how a value is written; the example does.
        default = key.example if key.default in {"", "[]", "{}"} and key.example else key.default
        value = toml_value(answer) if answer is not None else default
        if table.header == "[authority]":
            value = value.replace("GBP", currency)
        mark = "" if answer is not None else "#"
        yield f"{mark}{key.name} = {value or toml_value('')}".ljust(42) + f"  # {key.description}"
    yield ""


def _write_private(file: Path, text: str) -> None:
    # The mode is set at creation: between a write and a chmod another account could read the key.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
