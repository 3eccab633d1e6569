"""The manifest from which the Slack app is created (`amends slack-manifest`).

A new installation's files: settings, secrets, texts and the Slack app manifest (`amends init`).
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babel.core import get_global

from amends.settings.catalogue import Table, tables, variables
from amends.settings.loading import read, toml_value
from amends.settings.problems import Problem, SettingsError
from amends.settings.sections import known_preset
from triage.folding import fold

#: What the bot may do; each is used, and docs/slack-unproved.md says which only the real Slack can prove.
SCOPES: tuple[str, ...] = (
    "chat:write",
    "commands",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "im:write",
    "files:write",
    "users:read",
    "usergroups:read",
    "metadata.message:read",
)

COMMAND = "/complaints"
SHORTCUTS: tuple[str, ...] = ("log_complaint", "log_from_message")
EVENTS: tuple[str, ...] = ("app_home_opened",)


def manifest(public_url: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or for HTTP where Slack can reach `public_url` (its `/slack/events`)."""
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Amends",
            "description": "Complaints handled by the rules of ISO 10002",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                # Pages to on-call people and files asked for arrive here; nothing is read from it.
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Amends", "always_online": True},
            "shortcuts": [
                {
                    "name": "Log a complaint",
                    "type": "global",
                    "callback_id": SHORTCUTS[0],
                    "description": "Record a complaint that reached you by phone, in person or by post",
                },
                {
                    "name": "Log as complaint",
                    "type": "message",
                    "callback_id": SHORTCUTS[1],
                    "description": "Record this message as a complaint",
                },
            ],
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Find, list and log complaints",
                    "usage_hint": "help, list, mine, show REF, log, search Q, stats, report, clauses, policy",
                    "should_escape": False,
                    **_reached_at(public_url, "url"),
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **_reached_at(public_url, "request_url")},
            "interactivity": {"is_enabled": True, **_reached_at(public_url, "request_url")},
            "org_deploy_enabled": False,
            "socket_mode_enabled": public_url is None,
            "token_rotation_enabled": False,
        },
    }


def _reached_at(public_url: str | None, key: str) -> dict[str, str]:
    return {} if public_url is None else {key: f"{public_url.rstrip('/')}/slack/events"}


_LONGEST_CODE = 40
TEXTS_README = """\
# Your own texts

What stands here goes before the texts of Amends. A file is a gettext catalogue named after its language,
`en.po` or `tr.po`; it holds only the message ids that you word differently:

    msgid "receipt"
    msgstr "We have noted this under {ref}. Go on, or press Done."

The ids and the fields in braces are those of the catalogues that come with Amends. Keep every field:
`amends check` refuses a text that lost one or has one too many.
"""


@dataclass(frozen=True)
class InitAnswers:
    """What `init` asks. Channels and roles may be filled in later; `amends check` says which are missing."""

    name: str
    country: str
    timezone: str
    languages: tuple[str, ...] = ("en",)
    region: str | None = None
    staff_language: str = "en"
    emergency_number: str = "112"
    preset: str = "small_business"
    hours: str = "Mon-Fri 09:00-17:30"
    triage_channel: str = "C0000001"
    restricted_channel: str = "C0000002"
    executive_channel: str = "C0000003"
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Names of categories of its own, in the first language.
    categories: tuple[str, ...] = ()

    @property
    def own(self) -> dict[str, str]:
        """Its own categories: the code that each name becomes, and the name.

        Names that come to the same code ("Müll" and "Mull") are numbered in their order from the second on.
        """
        codes: dict[str, str] = {}
        for name in self.categories:
            codes[_free_code(category_code(name), codes)] = name
        return codes

    def said(self) -> dict[str, dict[str, object]]:
        """The answers by table and key; None is left out."""
        return {
            "[organisation]": {
                "name": self.name,
                "country": self.country,
                "region": self.region,
                "timezone": self.timezone,
                "languages": self.languages,
                "staff_language": self.staff_language,
                "emergency_number": self.emergency_number,
                "preset": self.preset,
            },
            "[calendar]": {"hours": self.hours},
            "[slack]": {
                "triage_channel": self.triage_channel,
                "restricted_channel": self.restricted_channel,
                "executive_channel": self.executive_channel,
            },
            "[roles]": dict(self.roles),
        }


def write_installation(folder: Path, answers: InitAnswers) -> list[Path]:
    """Write amends.toml, .env (mode 600), .env.example, texts/, slack-manifest.json; returns the files.

    With categories of its own also examples/, a file for each language to be filled in.

    Raises SettingsError when one of them exists already or an answer is refused; then nothing was written.
    """
    wanted = [folder / name for name in ("amends.toml", ".env", ".env.example", "slack-manifest.json")]
    there = [file for file in wanted if file.exists()]
    if there:
        # A second secret key would make every record of the first unreadable: never overwrite.
        remedy = "exists already; move it away or choose another directory"
        raise SettingsError([Problem("", str(file), remedy) for file in there])
    texts = folder / "texts" / "README.md"
    try:
        known_preset(answers.preset)
    except ValueError as wrong:
        raise SettingsError([Problem("--preset", "command line", str(wrong))]) from wrong
    _refuse_twice(answers.categories)
    settings, env, example, app = wanted
    text = settings_text(answers)
    read(text, settings, {})
    texts.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(text, encoding="utf-8")
    _write_private(env, env_text(new_key()))
    example.write_text(env_text(), encoding="utf-8")
    app.write_text(json.dumps(manifest(), indent=2) + "\n", encoding="utf-8")
    texts.write_text(TEXTS_README, encoding="utf-8")
    return [*wanted, texts, *_write_examples(folder / "examples", answers)]


def _write_examples(folder: Path, answers: InitAnswers) -> Iterator[Path]:
    from triage.learning.examples import (
        example_file,  # loads what guesses languages, which other commands need not
    )

    for language in answers.languages if answers.categories else ():
        file = folder / f"{language}.csv"
        folder.mkdir(exist_ok=True)
        # What somebody wrote already is worth more than an empty form.
        if not file.exists():
            file.write_text(example_file(answers.own), encoding="utf-8")
        yield file


def category_code(name: str) -> str:
    """The code that a category of this name gets: "Leak in the street" becomes `leak_in_the_street`."""
    code = re.sub(r"[^a-z0-9]+", "_", fold(name).text).strip("_")
    return (code if code[:1].isalpha() else f"own_{code}")[:_LONGEST_CODE].rstrip("_")


def _free_code(code: str, taken: Collection[str]) -> str:
    """The code, or the first of `code_2`, `code_3` … that is not taken."""
    free, number = code, 1
    while free in taken:
        number += 1
        end = f"_{number}"
        free = code[: _LONGEST_CODE - len(end)].rstrip("_") + end
    return free


def _refuse_twice(names: Sequence[str]) -> None:
    counts = Counter(" ".join(name.casefold().split()) for name in names)
    twice = [name for name, times in counts.items() if times > 1]
    if twice:
        told = f"{', '.join(map(repr, twice))} stands there twice: name each category once"
        raise SettingsError([Problem("--categories", "command line", told)])


def new_key() -> str:
    """A fresh instance key: 32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def settings_text(answers: InitAnswers) -> str:
    """The commented amends.toml: what was answered, and every other setting with its default."""
    said = answers.said()
    currency = _currency(answers.country)
    lines = ["# Settings of Amends. Every key is explained in docs/settings.md; secrets stand in .env.", ""]
    for table in tables(answers.preset):
        if table.header == "[[category]]" and answers.categories:
            lines += _category_lines(table, answers)
        else:
            lines += _table_lines(table, said.get(table.header, {}), currency)
    return "\n".join(lines)


def env_text(key: str = "") -> str:
    """The `.env`, or without a key its example: every variable with its default, commented out."""
    lines = ["# Secrets of Amends; keep this file private. A variable of the environment goes before it.", ""]
    for one in variables():
        given = one.name == "AMENDS_SECRET_KEY" and key
        lines += [f"# {one.description}", f"{one.name}={key}" if given else f"#{one.name}={one.default}", ""]
    return "\n".join(lines)


def _category_lines(table: Table, answers: InitAnswers) -> Iterator[str]:
    yield f"# {table.about} Examples of them stand in examples/."
    for key, name in answers.own.items():
        yield "[[category]]"
        yield f"key = {toml_value(key)}"
        yield f"name.{answers.languages[0]} = {toml_value(name)}"
        yield from (f"#name.{language} = {toml_value(name)}" for language in answers.languages[1:])
        yield ""


def _table_lines(table: Table, said: Mapping[str, object], currency: str) -> Iterator[str]:
    # Tables that need a key to be whole, or stand for one of several, start out as comments altogether.
    optional = table.header.startswith("[[") or table.header == "[jurisdiction.TR]"
    yield f"# {table.about}"
    yield f"#{table.header}" if optional else table.header
    for key in table.keys:
        given = said.get(key.name)
        if given is None and optional and not (key.default or key.example):
            continue
        # An empty default shows nothing of how it is written; its example does.
        shown = key.example if key.default in {"", "[]", "{}"} and key.example else key.default
        value = toml_value(given) if given is not None else shown
        if table.header == "[authority]":
            value = value.replace("GBP", currency)
        mark = "" if given is not None else "#"
        yield f"{mark}{key.name} = {value or toml_value('')}".ljust(42) + f"  # {key.description}"
    yield ""


def _currency(country: str) -> str:
    """The country's currency in use, by CLDR."""
    for code, _start, end, tender in get_global("territory_currencies").get(country, ()):
        if end is None and tender:
            return str(code)
    return "EUR"


def _write_private(file: Path, text: str) -> None:
    # The mode is given at creation: between a write and a chmod another account could read the key.
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
