"""The files that `amends init` writes: they are valid, and only their owner can read the key."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from amends.init import (
    SCOPES,
    InitAnswers,
    app_manifest,
    env_text,
    new_key,
    settings_text,
    write_installation,
)
from amends.settings import SettingsError, load, rulebook
from amends.settings.sections import PRESETS
from amends.settings.settings_file import parse_settings
from amends.wiring import Application
from bots.slack.app import COMMAND, SHORTCUTS
from store.store import Store

ANSWERS = InitAnswers(
    name='Northwind "Water"',
    country="GB",
    region="ENG",
    timezone="Europe/London",
    languages=("en", "tr"),
    roles={"handler": ("U0000001",)},
)


def test_a_new_installation_has_valid_settings(tmp_path: Path) -> None:
    written = write_installation(tmp_path / "desk", ANSWERS)
    assert sorted(file.relative_to(tmp_path / "desk").as_posix() for file in written) == [
        ".env",
        ".env.example",
        "amends.toml",
        "slack-manifest.json",
        "texts/README.md",
    ]
    settings = load(tmp_path / "desk" / "amends.toml", {})
    assert settings.organisation.name == 'Northwind "Water"'
    assert settings.roles.handler == ("U0000001",)
    assert list(map(len, settings.secrets.keys())) == [32]
    assert settings.secrets.signing_key is not None
    assert settings.secrets.signing_key != settings.secrets.keys()[0]


def test_the_secret_key_is_new_each_time_and_readable_only_by_its_owner(tmp_path: Path) -> None:
    write_installation(tmp_path, ANSWERS)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert new_key() != new_key()
    assert "AMENDS_SECRET_KEY=\n" in (tmp_path / ".env.example").read_text()


def test_no_file_is_overwritten_and_no_partial_installation_is_left(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AMENDS_SECRET_KEY=old\n")
    with pytest.raises(
        SettingsError, match=r"\.env: exists already; move it away or choose another directory"
    ):
        write_installation(tmp_path, ANSWERS)
    assert [file.name for file in tmp_path.iterdir()] == [".env"]
    with pytest.raises(SettingsError, match=r"organisation\.country: 'UK' is not a country"):
        write_installation(tmp_path / "new", replace(ANSWERS, country="UK"))
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("preset", sorted(file.stem for file in PRESETS.glob("*.toml")))
def test_the_times_in_comments_are_the_defaults_in_force(tmp_path: Path, preset: str) -> None:
    text = settings_text(replace(ANSWERS, preset=preset))
    activated = re.sub(
        r"^#(?=[a-z_]+ = \"\d+ (?:s|min|h|days?|months|wh|bd)\")", "", text, flags=re.MULTILINE
    )
    # In [targets] the first four lines apply to every priority and are examples, so they stay commented out.
    activated = re.sub(r"(?<=\[targets\]\n)(?:[a-z_]+ = .*\n){4}", "", activated)
    activated = re.sub(r"^retention = .*\n", "", activated, flags=re.MULTILINE)
    defaults, explicit = (
        rulebook(parse_settings(toml, tmp_path / "amends.toml", {}), year=2026) for toml in (text, activated)
    )
    assert activated.count("#") < text.count("#") - 20
    assert explicit == defaults


@pytest.mark.parametrize("other_way", [r"command = \[\"argos.*", r"url = \"https://translate.*"])
def test_every_commented_line_is_valid_when_it_is_activated(tmp_path: Path, other_way: str) -> None:
    activated = re.sub(r"^#(?=[\[a-z0-9])", "", settings_text(ANSWERS), flags=re.MULTILINE)
    # The translator is a command or a service.
    activated, removed = re.subn(rf"^{other_way}$", "", activated, flags=re.MULTILINE)
    assert removed == 1
    # A signature has no example: half of one is refused.
    activated = re.sub(r"^(signed_by|signed_on|hash) = ", r"#\1 = ", activated, flags=re.MULTILINE)
    # The only example that names a file: create it.
    (tmp_path / "closures.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n", encoding="utf-8")
    settings = parse_settings(activated, tmp_path / "amends.toml", {})
    assert settings.jurisdiction["TR"].timezone == "Europe/Istanbul"
    assert settings.authority["handler"].amount == ("50 GBP",)


def test_limits_are_shown_in_the_currency_of_the_country() -> None:
    assert '{ amount = "50 TRY" }' in settings_text(replace(ANSWERS, country="TR", region=None))


def test_every_variable_of_the_example_is_commented_out() -> None:
    lines = [line for line in env_text().splitlines() if "=" in line and "AMENDS_" in line]
    assert all(line.startswith("#AMENDS_") for line in lines)


def test_the_manifest_requests_only_what_is_used() -> None:
    app = app_manifest()
    assert app["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert set(SCOPES) == {
        "chat:write", "commands", "channels:read", "groups:read", "channels:history", "groups:history",
        "im:write", "im:history", "reactions:write", "files:write", "files:read", "users:read", "usergroups:read",
        "metadata.message:read",
    }  # fmt: skip
    assert [command["command"] for command in app["features"]["slash_commands"]] == [COMMAND]
    assert [(shortcut["type"], shortcut["callback_id"]) for shortcut in app["features"]["shortcuts"]] == [
        ("global", SHORTCUTS[0]),
        ("message", SHORTCUTS[1]),
    ]
    assert app["settings"]["event_subscriptions"] == {"bot_events": ["app_home_opened", "message.im"]}
    assert app["settings"]["socket_mode_enabled"] is True
    assert json.loads(json.dumps(app)) == app


def test_the_manifest_keeps_slacks_length_limits() -> None:
    features = app_manifest()["features"]
    assert all(
        len(shortcut["name"]) <= 24 and len(shortcut["description"]) <= 150
        for shortcut in features["shortcuts"]
    )
    assert all(len(command["usage_hint"]) <= 1000 for command in features["slash_commands"])
    assert len(app_manifest()["display_information"]["description"]) <= 140


def test_a_language_without_texts_is_refused_with_those_that_have_texts(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r'no texts in "fr".*Amends has texts in de, en, .*tr;'):
        write_installation(tmp_path / "desk", replace(ANSWERS, languages=("fr", "en")))


def test_a_german_desk_needs_no_texts_of_its_own(tmp_path: Path) -> None:
    write_installation(tmp_path / "desk", replace(ANSWERS, languages=("de",)))
    settings = load(tmp_path / "desk" / "amends.toml", {})
    assert (settings.languages, settings.organisation.address) == (("de",), "formal")
    assert settings.organisation.staff_language == "de"


def test_a_wrong_language_is_one_problem_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as wrong:
        write_installation(tmp_path / "desk", replace(ANSWERS, languages=("112",)))
    (problem,) = wrong.value.problems
    assert "'112' is not a language code" in problem.what
    assert "tuple" not in str(wrong.value)


def test_the_informal_address_reaches_conversations_and_another_word_is_refused(
    tmp_path: Path, sqlite_store: Store
) -> None:
    write_installation(tmp_path / "desk", replace(ANSWERS, languages=("de", "en")))
    file = tmp_path / "desk" / "amends.toml"
    text = file.read_text(encoding="utf-8").replace("[calendar]", 'address = "informal"\n\n[calendar]', 1)
    texts = Application(parse_settings(text, file, {}), sqlite_store, parts=("web",)).texts
    assert texts.text("de", "ask.effect") == "Was hat das für dich bedeutet?"
    with pytest.raises(SettingsError, match=r"organisation\.address: .*'formal' or 'informal'"):
        parse_settings(text.replace('"informal"', '"du"'), file, {})
