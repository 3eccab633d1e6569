"""Reading amends.toml and the secrets: what is accepted, what is refused, and with which message."""

from __future__ import annotations

import base64
import shlex
import sys
from pathlib import Path
from string import ascii_uppercase

import holidays
import pytest

from amends.settings import Settings, SettingsError, cautions, load
from amends.settings.field_types import is_country

MINIMAL = """\
[organisation]
name = "Northwind Water"
country = "GB"                    # holidays; optional region
timezone = "Europe/London"
languages = ["en", "tr"]          # the first is the fallback
staff_language = "en"
emergency_number = "112"
preset = "small_business"

[calendar]
hours = "Mon-Fri 09:00-17:30"     # "Mon-Fri 09:00-12:30 13:30-17:30", or "always"

[slack]
triage_channel = "C0000001"
restricted_channel = "C0000002"
executive_channel = "C0000003"

[roles]
handler = ["U0000001"]
manager = ["U0000002"]
top_management = ["U0000003"]
auditor = ["U0000004"]
"""

EVERY_OVERRIDE = """
[targets.P3]
look = "1 bd"
first_action = "3 bd"
update_every = "5 bd"
decide = "10 bd"
[targets]
ack = "1 bd"
approve = "1 bd"
remedy = "10 bd"
verify = "5 bd"
reply_reminder = "10 bd"
lapse = "20 bd"
[dialogue]
burst = "20 s"
file_abandoned_after = "30 min"
quiet_hours = "20:00-08:00"
[survey]
delay = "3 days"
reminder = "5 days"
[levels]
1 = ["handler", "manager"]
2 = ["manager", "top_management"]
[authority]
handler = { amount = "100 GBP" }
manager = { amount = "2000 GBP" }
[[recourse]]
body = "Consumer ombudsman"
contact = "…"
limit = "12 months"
free = true
[[danger]]
signs = ["gas", "smell of gas"]
number = "0800 111 999"
text.en = "Leave now, touch no switches, call {number} from outside."
[on_call]
hours = "always"
people = ["U0000002"]
[jurisdiction.TR]
timezone = "Europe/Istanbul"
languages = ["tr"]
emergency_number = "112"
[jurisdiction.TR.calendar]
hours = "Mon-Fri 08:30-17:00"
[[jurisdiction.TR.danger]]
signs = ["gaz"]
number = "187"
"""

KEY = base64.b64encode(bytes(range(32))).decode()
OLDER = base64.urlsafe_b64encode(bytes([255] * 32)).decode()


def loaded(folder: Path, text: str = MINIMAL, env: dict[str, str] | None = None) -> Settings:
    file = folder / "amends.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, env or {})


def refused(folder: Path, text: str = MINIMAL, env: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as raised:
        loaded(folder, text, env)
    return str(raised.value).replace(str(folder), "")


def test_the_smallest_settings_file_is_accepted(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    assert settings.organisation.name == "Northwind Water"
    assert settings.roles.as_mapping()["handler"] == ("U0000001",)
    assert settings.secrets.database_url == "sqlite:///amends.db"


def test_every_documented_override_is_read(tmp_path: Path) -> None:
    settings = loaded(tmp_path, MINIMAL + EVERY_OVERRIDE)
    assert settings.danger[0].text == {"en": "Leave now, touch no switches, call {number} from outside."}
    assert settings.jurisdiction["TR"].danger is not None
    assert settings.jurisdiction["TR"].danger[0].number == "187"


def test_the_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings = loaded(tmp_path)
    with pytest.raises(ValueError, match="frozen"):
        settings.organisation.name = "Other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            'name = "Northwind Water"\n',
            "",
            '/amends.toml line 1: organisation.name: is missing; write name = "Northwind',
        ),
        (
            '"GB" ',
            '"UK" ',
            "/amends.toml line 3: organisation.country: 'UK' is not a country; write two capital letters",
        ),
        (
            "Europe/London",
            "London",
            "line 4: organisation.timezone: 'London' is not a time zone; write one such as",
        ),
        ('["en", "tr"]', '["English"]', "line 5: organisation.languages.1: 'English' is not a language code"),
        ('["en", "tr"]', "[]", "line 5: organisation.languages: "),
        ('"112"', '"police"', "line 7: organisation.emergency_number: "),
        (
            '"small_business"',
            '"small"',
            "line 8: organisation.preset: 'small' is not a preset; write one of au_rg271, ",
        ),
        (
            "Fri 09:00-17:30",
            "Fri 9-5",
            "line 11: calendar.hours: 'Mon-Fri 9-5' does not say opening hours; write",
        ),
        (
            '"C0000001"',
            '"#complaints"',
            "line 14: slack.triage_channel: '#complaints' is not a Slack channel id",
        ),
        (
            'handler = ["U0000001"]',
            'handlers = ["U0000001"]',
            "line 19: roles.handlers: unknown key; did you mean handler?",
        ),
        ('["U0000001"]', '["@ada"]', "line 19: roles.handler.1: '@ada' is not a Slack id; write a person"),
        (
            "[roles]",
            "[rolls]",
            "line 18: rolls: unknown key; did you mean roles? accepted here: organisation, calendar,",
        ),
    ],
)
def test_an_invalid_setting_is_refused_with_its_line_key_and_accepted_forms(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert expected in refused(tmp_path, MINIMAL.replace(old, new))


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        (
            '[targets]\ndecide = "soon"\n',
            "line 24: targets.decide: 'soon' is not a length of time; write one of",
        ),
        ('[targets.P3]\ndecide = "-1 bd"\n', "line 24: targets.P3.decide: '-1 bd' is negative; write"),
        (
            '[targets.P5]\ndecide = "1 bd"\n',
            "line 23: targets.P5: unknown key; accepted here: look, first_action,",
        ),
        (
            '[dialogue]\nquiet_hours = "night"\n',
            "dialogue.quiet_hours: 'night' does not say quiet hours; write",
        ),
        (
            '[levels]\n1 = ["handler"]\n3 = ["manager"]\n',
            "line 23: levels: levels are numbered from 1 without a gap",
        ),
        (
            "".join(f'[[category]]\nkey = "own_{n}"\nname.en = "Own {n}"\n' for n in range(81)),
            "category: 81 are too many: a menu of Slack shows at most 80 of yours",
        ),
        ("[levels]\n1 = []\n", "levels: at a level without roles no one can decide"),
        ('[levels]\n1 = ["boss"]\n', "levels.1.1: input should be 'handler', 'manager' or 'top_management'"),
        (
            '[authority]\nhandler = { amount = "a hundred" }\n',
            "authority.handler.amount: 'a hundred' is not an amount; write a number",
        ),
        (
            '[authority]\nhandler = { amount = ["50 GBP", "60"] }\n',
            "authority.handler.amount: '60' is not an amount; write a number and a currency",
        ),
        (
            '[authority]\nhandler = { amount = ["50 GBP", "60 GBP"] }\n',
            "authority.handler.amount: '50 GBP, 60 GBP' is not a limit; write one amount for each currency",
        ),
        ('[authority]\nboss = { amount = "1 GBP" }\n', "line 24: authority.boss: input should be 'handler'"),
        (
            '[[recourse]]\nbody = "A"\n[[recourse]]\nfree = true\n',
            'line 25: recourse.2.body: is missing; write body = "Con',
        ),
        (
            '[[recourse]]\nbody = "A"\nfree = "no"\n',
            "line 25: recourse.1.free: input should be a valid boolean; write free",
        ),
        ("[[danger]]\nsigns = []\n", "line 24: danger.1.signs: "),
        ('[[danger]]\nsigns = [" "]\n', "danger.1.signs: a sign is empty"),
        ('[on_call]\nhours = "always"\n', "on_call.people: hours without people alert no one"),
        ('[on_call]\npeople = ["C0000001"]\n', "on_call.people.1: 'C0000001' is not a person in Slack"),
        ('[calendar.closed]\n"24 Dec" = "x"\n', "calendar.closed: '24 Dec' is not a date; write one such as"),
        ('[jurisdiction.XX]\ntimezone = "UTC"\n', "line 23: jurisdiction.XX: 'XX' is not a country"),
        ('[jurisdiction.GB]\ntimezone = "UTC"\n', "jurisdiction.GB: is the organisation's own country"),
        (
            '[jurisdiction.TR.targets]\nlook = "x"\n',
            "line 24: jurisdiction.TR.targets.look: 'x' is not a length of time",
        ),
        ('[jurisdiction.TR]\npreset = "x"\n', "jurisdiction.TR.preset: 'x' is not a preset"),
        (
            '[jurisdiction.TR]\nregion = "06"\n',
            "jurisdiction.TR.region: '06' is no part of TR with holidays of its own",
        ),
        ('[secrets]\nx = "1"\n', "line 23: secrets: unknown key; accepted here: organisation"),
        ('file = "x"\n', "roles.file: unknown key"),
        ("[broken\n", "is not TOML: "),
    ],
)
def test_an_invalid_override_is_refused_with_its_line_key_and_accepted_forms(
    tmp_path: Path, extra: str, expected: str
) -> None:
    assert expected in refused(tmp_path, MINIMAL + extra)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    text = MINIMAL.replace('"GB" ', '"UK" ').replace("Fri 09:00-17:30", "x")
    message = refused(tmp_path, text, {"AMENDS_SECRET_KEY": "short"})
    assert [line.split(": ")[1] for line in message.splitlines()] == [
        "AMENDS_SECRET_KEY",
        "organisation.country",
        "calendar.hours",
    ]


def test_a_missing_file_is_refused_with_a_hint_to_init(tmp_path: Path) -> None:
    with pytest.raises(
        SettingsError, match="is missing; `amends init` writes one, and AMENDS_CONFIG names another"
    ):
        load(env={"AMENDS_CONFIG": str(tmp_path / "none.toml")})


def test_a_directory_instead_of_the_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, {})


def test_the_environment_may_name_the_settings_file(tmp_path: Path) -> None:
    loaded(tmp_path)
    settings = load(env={"AMENDS_CONFIG": str(tmp_path / "amends.toml")})
    assert settings.texts_folder == tmp_path / "texts"


def test_the_environment_overrides_the_env_file_which_overrides_the_default(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AMENDS_LOG=debug\nAMENDS_LISTEN=127.0.0.1:9000\n")
    secrets = loaded(tmp_path, env={"AMENDS_LOG": "WARNING", "OTHER": "x"}).secrets
    assert (secrets.log, secrets.listen_host, secrets.listen_port) == ("warning", "127.0.0.1", 9000)
    assert secrets.slack_api_url == "https://slack.com/api/"


def test_a_secret_may_be_in_a_separate_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-1\n")
    by_path = {"AMENDS_SLACK_BOT_TOKEN_FILE": str(tmp_path / "token")}
    assert loaded(tmp_path, env=by_path).secrets.slack_bot_token == "xoxb-1"
    (tmp_path / ".env").write_text("AMENDS_SLACK_BOT_TOKEN_FILE=token\n")
    assert loaded(tmp_path).secrets.slack_bot_token == "xoxb-1"


def test_every_secret_may_be_a_systemd_credential(tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "amends_secret_key").write_text(f"{KEY}\n")
    (folder / "amends_telegram_token").write_text("1:credential")
    (tmp_path / ".env").write_text(f"AMENDS_SECRET_KEY={OLDER}\n")
    env = {"CREDENTIALS_DIRECTORY": str(folder)}
    secrets = loaded(tmp_path, env=env).secrets
    assert (secrets.keys(), secrets.telegram_token) == ((bytes(range(32)),), "1:credential")
    assert loaded(tmp_path, env={**env, "AMENDS_TELEGRAM_TOKEN": "1:env"}).secrets.telegram_token == "1:env"


def printing(text: str, *, code: int = 0) -> str:
    """A command that prints this on both streams."""
    program = f"import sys; print({text!r}); print({text!r}, file=sys.stderr); sys.exit({code})"
    return shlex.join([sys.executable, "-c", program])


def test_every_secret_may_be_printed_by_a_command_that_no_shell_reads(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    env = {"AMENDS_SECRET_KEY_COMMAND": printing(KEY), "AMENDS_SIGNING_KEY_COMMAND": printing(OLDER)}
    secrets = loaded(tmp_path, env=env).secrets
    assert (secrets.keys(), secrets.signing_key) == ((bytes(range(32)),), bytes([255] * 32))
    token = loaded(
        tmp_path, env={"AMENDS_SLACK_BOT_TOKEN_COMMAND": "echo $HOME;ls>x"}
    ).secrets.slack_bot_token
    assert str(token).startswith("$HOME")
    assert capfd.readouterr() == ("", "")


def test_a_command_is_not_run_where_the_environment_has_the_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"AMENDS_SECRET_KEY_COMMAND='touch {tmp_path}/run'\n")
    assert loaded(tmp_path, env={"AMENDS_SECRET_KEY": KEY}).secrets.keys() == (bytes(range(32)),)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/none/hunter2", "the command cannot be used (FileNotFoundError)"),
        ("'hunter2", "the command cannot be used (ValueError)"),
        (printing("hunter2", code=3), "the command failed (exit code 3); run it by hand to see why"),
        (printing(""), "the command printed nothing"),
        (printing("hunter2"), "environment, command: AMENDS_SECRET_KEY: each key is 32 bytes in base64"),
        ("sleep 60", "the command did not end within 0.2 s"),
    ],
)
def test_a_command_that_gives_no_key_is_refused_without_repeating_what_it_printed(
    tmp_path: Path,
    command: str,
    expected: str,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if command.startswith("sleep"):
        monkeypatch.setattr("amends.settings.variables.COMMAND_TIMEOUT_SECONDS", 0.2)
    message = refused(tmp_path, env={"AMENDS_SECRET_KEY_COMMAND": command})
    assert expected in message
    assert "hunter2" not in message + "".join(capfd.readouterr())


def test_a_signing_key_is_one_seed_and_optional(tmp_path: Path) -> None:
    assert loaded(tmp_path).secrets.signing_key is None
    assert loaded(tmp_path, env={"AMENDS_SIGNING_KEY": KEY}).secrets.signing_key == bytes(range(32))
    message = refused(tmp_path, env={"AMENDS_SIGNING_KEY": f"{KEY},hunter2"})
    assert "AMENDS_SIGNING_KEY: write 32 bytes in base64" in message
    assert "hunter2" not in message


def test_keys_are_read_newest_first_in_both_base64_alphabets(tmp_path: Path) -> None:
    secrets = loaded(tmp_path, env={"AMENDS_SECRET_KEY": f"{OLDER}, {KEY}"}).secrets
    assert secrets.keys() == (bytes([255] * 32), bytes(range(32)))


def test_a_missing_key_is_refused_with_a_hint_to_init_when_it_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="AMENDS_SECRET_KEY: is missing; `amends init` makes one"):
        loaded(tmp_path).secrets.keys()


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"AMENDS_SECRET_KEY": "hunter2"}, "environment: AMENDS_SECRET_KEY: each key is 32 bytes in base64"),
        (
            {"AMENDS_TELEGRAM_TOKEN": "hunter2 hunter2"},
            "AMENDS_TELEGRAM_TOKEN: is not understood; write the token without blanks",
        ),
        (
            {"AMENDS_SLACK_BOT_TOKEN": "hunter2 hunter2"},
            "AMENDS_SLACK_BOT_TOKEN: is not understood; write the bot token",
        ),
        (
            {"AMENDS_DATABASE_URL": "mysql://a:hunter2@b/c"},
            'AMENDS_DATABASE_URL: is not understood; write "sqlite:///',
        ),
        ({"AMENDS_TELEGRAM_API_URL": "hunter2"}, "AMENDS_TELEGRAM_API_URL: write an address such as"),
        ({"AMENDS_LISTEN": "hunter2"}, 'AMENDS_LISTEN: is not understood; write "127.0.0.1:8400"'),
        ({"AMENDS_LOG": "hunter2"}, "AMENDS_LOG: is not understood; write debug, info, warning or error"),
        (
            {"AMENDS_LOG_FILE": "/none/hunter"},
            "AMENDS_LOG_FILE: /none/hunter cannot be read (FileNotFoundError)",
        ),
        (
            {"AMENDS_LOG": "info", "AMENDS_LOG_FILE": "x"},
            "AMENDS_LOG_FILE: AMENDS_LOG is set too; keep one of the two",
        ),
        (
            {"AMENDS_TELEGRAM_WEBHOOK_URL": "https://a.example"},
            "AMENDS_TELEGRAM_WEBHOOK_URL needs AMENDS_TELEGRAM_WEBHOOK",
        ),
    ],
)
def test_an_invalid_variable_is_refused_without_repeating_a_secret(
    tmp_path: Path, env: dict[str, str], expected: str
) -> None:
    message = refused(tmp_path, env=env)
    assert expected in message
    assert "hunter2" not in message


def test_an_unknown_variable_gives_a_warning_with_its_place(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AMENDS_SLACK_APP_TOKN=hunter2\n")
    settings = loaded(tmp_path, env={"AMENDS_LOG_LEVEL": "hunter2"})
    warnings = cautions(settings)
    assert ".env: AMENDS_SLACK_APP_TOKN: unknown variable; did you mean AMENDS_SLACK_APP_TOKEN?" in warnings
    assert "environment: AMENDS_LOG_LEVEL: unknown variable; did you mean AMENDS_LOG?" in warnings
    assert "hunter2" not in "".join(warnings)


@pytest.mark.parametrize("token", ["123:abc", "x", "bot-token/of+another=server", "xoxb-1"])
def test_a_token_of_any_shape_is_accepted(tmp_path: Path, token: str) -> None:
    names = ("TELEGRAM_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET")
    secrets = loaded(tmp_path, env={f"AMENDS_{name}": token for name in names}).secrets
    assert {secrets.telegram_token, secrets.slack_bot_token, secrets.slack_app_token} == {token}


def test_no_representation_of_the_settings_contains_secrets(tmp_path: Path) -> None:
    env = {
        "AMENDS_SECRET_KEY": KEY,
        "AMENDS_SIGNING_KEY": KEY,
        "AMENDS_TELEGRAM_TOKEN": "1:hunter2",
        "AMENDS_SLACK_BOT_TOKEN": "xoxb-hunter2",
        "AMENDS_SLACK_APP_TOKEN": "xapp-hunter2",
        "AMENDS_SLACK_SIGNING_SECRET": "hunter2hunter2",
        "AMENDS_DATABASE_URL": "postgresql://a:hunter2@b/c",
        "AMENDS_TELEGRAM_WEBHOOK_SECRET": "hunter2",
    }
    settings = loaded(tmp_path, env=env)
    assert "hunter2" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert repr(bytes(range(32))) not in repr(settings)


def test_the_fingerprint_changes_with_the_settings_and_not_with_the_secrets(tmp_path: Path) -> None:
    settings, with_key = loaded(tmp_path), loaded(tmp_path, env={"AMENDS_SECRET_KEY": KEY})
    assert settings.fingerprint == with_key.fingerprint
    assert loaded(tmp_path, MINIMAL.replace("17:30", "17:00")).fingerprint != settings.fingerprint


def test_unrelated_variables_of_the_environment_are_no_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK", "{}")
    monkeypatch.setenv("SURVEY", '{"delay": "9 days"}')
    assert loaded(tmp_path).survey.delay == "3 days"


def test_countries_are_those_with_public_holidays() -> None:
    every = {f"{first}{second}" for first in ascii_uppercase for second in ascii_uppercase}
    assert {code for code in every if is_country(code)} == set(
        holidays.list_supported_countries(include_aliases=False)
    )
    assert [is_country(text) for text in ("GBR", "UK", "gb", "utils", "")] == [False] * 5
