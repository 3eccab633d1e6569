"""What `amends init` writes: files that start, with a key that only their owner reads."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from amends.init import (
    COMMAND,
    EVENTS,
    SCOPES,
    SHORTCUTS,
    InitAnswers,
    app_manifest,
    env_text,
    new_key,
    settings_text,
    write_installation,
)
from amends.settings import SettingsError, load, rulebook
from amends.settings.loading import parse_settings
from amends.settings.sections import PRESETS

ANSWERS = InitAnswers(
    name='Northwind "Water"',
    country="GB",
    region="ENG",
    timezone="Europe/London",
    languages=("en", "tr"),
    roles={"handler": ("U0000001",)},
)


def test_a_new_installation_starts(tmp_path: Path) -> None:
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


def test_the_secret_key_is_new_each_time_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    write_installation(tmp_path, ANSWERS)
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert new_key() != new_key()
    assert "AMENDS_SECRET_KEY=\n" in (tmp_path / ".env.example").read_text()


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
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
def test_the_times_that_the_file_shows_commented_are_the_ones_in_force(tmp_path: Path, preset: str) -> None:
    text = settings_text(replace(ANSWERS, preset=preset))
    shown = re.sub(r"^#(?=[a-z_]+ = \"\d+ (?:s|min|h|days?|months|wh|bd)\")", "", text, flags=re.MULTILINE)
    # In [targets] the first four speak for every priority and are examples: there they stay comments.
    shown = re.sub(r"(?<=\[targets\]\n)(?:[a-z_]+ = .*\n){4}", "", shown)
    shown = re.sub(r"^retention = .*\n", "", shown, flags=re.MULTILINE)
    plain, spoken = (
        rulebook(parse_settings(one, tmp_path / "amends.toml", {}), year=2026) for one in (text, shown)
    )
    assert shown.count("#") < text.count("#") - 20
    assert spoken == plain


def test_every_line_that_is_commented_out_is_accepted_when_it_is_not(tmp_path: Path) -> None:
    shown = re.sub(r"^#(?=[\[a-z0-9])", "", settings_text(ANSWERS), flags=re.MULTILINE)
    # The one setting whose example names a file of the organisation's own.
    (tmp_path / "closures.ics").write_text("BEGIN:VCALENDAR\nEND:VCALENDAR\n", encoding="utf-8")
    settings = parse_settings(shown, tmp_path / "amends.toml", {})
    assert settings.jurisdiction["TR"].timezone == "Europe/Istanbul"
    assert settings.authority["handler"].amount == "100 GBP"


def test_limits_are_shown_in_the_countrys_own_currency() -> None:
    assert '{ amount = "100 TRY" }' in settings_text(replace(ANSWERS, country="TR", region=None))


def test_every_variable_stands_in_the_example_commented_out() -> None:
    lines = [line for line in env_text().splitlines() if "=" in line and "AMENDS_" in line]
    assert all(line.startswith("#AMENDS_") for line in lines)


def test_the_manifest_asks_for_what_is_used_and_nothing_else() -> None:
    app = app_manifest()
    assert app["oauth_config"]["scopes"]["bot"] == list(SCOPES)
    assert [one["command"] for one in app["features"]["slash_commands"]] == [COMMAND]
    assert [(one["type"], one["callback_id"]) for one in app["features"]["shortcuts"]] == [
        ("global", SHORTCUTS[0]),
        ("message", SHORTCUTS[1]),
    ]
    assert app["settings"]["event_subscriptions"] == {"bot_events": list(EVENTS)}
    assert app["settings"]["socket_mode_enabled"] is True
    assert json.loads(json.dumps(app)) == app


def test_the_manifest_keeps_the_lengths_that_slack_accepts() -> None:
    features = app_manifest()["features"]
    assert all(len(one["name"]) <= 24 and len(one["description"]) <= 150 for one in features["shortcuts"])
    assert all(len(one["usage_hint"]) <= 1000 for one in features["slash_commands"])
    assert len(app_manifest()["display_information"]["description"]) <= 140


def test_over_http_every_request_has_one_address() -> None:
    app = app_manifest("https://desk.example/")
    address = "https://desk.example/slack/events"
    assert app["settings"]["socket_mode_enabled"] is False
    assert app["settings"]["interactivity"]["request_url"] == address
    assert app["settings"]["event_subscriptions"]["request_url"] == address
    assert app["features"]["slash_commands"][0]["url"] == address
