"""Writes docs/settings.md from the settings themselves, so that it is always complete (`make docs`)."""

from __future__ import annotations

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

_HEAD = """\
# Settings

`amends.toml` holds the settings of an organisation; secrets are in the environment. `amends init` writes both,
with every setting in them. `amends check` shows what is missing. The file is read from the path in
`AMENDS_CONFIG`, or from the current directory. The following keys are enough for a start; all others have a
default:

```toml
[organisation]
name = "Northwind Water"
country = "GB"
region = "ENG"
timezone = "Europe/London"
languages = ["en", "tr"]          # the first is the fallback
staff_language = "en"
address = "formal"                # or "informal": "du" in German, "tú" in Spanish, "sen" in Turkish
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
```

An unknown key or an invalid value stops the start. The message names the file and line, the key and the accepted
forms. New settings never move an old date: a complaint keeps the rules under which it was received. Loading
changed settings is itself recorded.

## Lengths of time

| written | means |
|---|---|
| `20 s`, `30 min`, `4 h` | elapsed time |
| `3 days`, `8 weeks`, `12 months` | elapsed, to the same local time (a shorter month: its last day) |
| `4 wh` | working hours of the calendar |
| `10 bd` | working days: until closing time of the tenth working day after the day of the start |

A start after closing time or on a day off counts as a start on the next working day. If clocks skip a local time,
it moves forward by the gap; if a local time comes twice, the first one counts. `amends case due REF` shows how
each due time was counted.

## Days off

Days off are the public holidays of country and region, the days in `[calendar.closed]`, and the closures in the
iCalendar files of `[calendar] ics`. An event of these files closes a day if it covers all of its opening hours.

- Events may last whole days, several days or some hours. They may repeat by days, weeks, months or years, with
  exceptions, additional days and moved days.
- Time zones need a known name or a definition in the file.
- Cancelled events and events that are marked as free time close nothing.
- What cannot be counted is left out: a part of a day, a series by hours or by weeks of the year, an unknown time
  zone. The start and `amends check` report each with its file and line, the reason, and what to write instead.
- The start stops if a file is not an iCalendar file, has more than 5,000 events or 20,000 occurrences, or leaves
  no working day in a year.

**Legal dates** (`legal`, `privacy`, and the times that a preset has from a source) count public holidays only. The
days of `[calendar.closed]` and of calendar files move your own dates alone. A weekday without opening hours that is
no weekend in the country counts for the law too. `amends check` warns if a closure would have moved a legal date,
and `amends case due REF` names the calendar of each date.

The files are read at each start and apply, like all settings, to complaints received after it. `amends check`
also lists the next days off.

## Which deadline applies

A deadline comes from the first of these places that sets it: `[targets.P1]` … `[targets.P4]`, `[targets]`, the
preset, and the defaults below. There are three exceptions:

- `[targets]` and a preset never make P1 or P2 later than the defaults. Only `[targets.P1]` and `[targets.P2]`
  can, and `amends check` then warns.
- The legal maximum of a preset limits every other deadline, also with extensions.
- Minutes and hours of P1 are elapsed time if someone is on call at the start, and working time if not.

## amends.toml
"""

_SECRETS = """\
## Secrets and addresses

These are environment variables. They can also be set in `.env` next to amends.toml. Each can be given in one of
these ways:

| way | example |
|---|---|
| the value | `AMENDS_TELEGRAM_TOKEN=…` |
| a file with the value, as Docker gives secrets | `AMENDS_TELEGRAM_TOKEN_FILE=/run/secrets/telegram` |
| a command that prints the value, as of a key service | `AMENDS_SECRET_KEY_COMMAND=pass amends/key` |
| a systemd credential, named in small letters | `LoadCredential=amends_secret_key:/etc/amends/key` |

If a variable is set in several places, the environment wins, then the credential, then `.env`. A command runs
without a shell in the folder of amends.toml, at each start and for each `amends` command, and must end within 30 s.
Nothing that it prints is logged or shown, not even on an error.

`AMENDS_SIGNING_KEY` signs checkpoints and opens nothing. `amends init` writes it to `.env` beside the secret key.
Move it to another place if you can, for example to a key service: who has the database and the secret key then
cannot sign for you.

Secrets are never written to the database or to the log. Tokens are accepted in any form without blanks. An
unknown `AMENDS_…` variable does not stop the start; the start and `amends check` warn of it and name the nearest
known one.

"""

_PRESETS_START = """\
## Presets

A preset is a TOML file in `amends/presets/`: the rules of a scheme, each with its dates, its source and how certain
it is. [Law](law.md) says how to write one. A preset helps to follow a scheme, but it is not legal advice: compare it
with the current text of the scheme. No preset makes P1 or P2 later than the defaults above.

A rule with dates applies to complaints received on these days, both included. The rules of a new day apply without a
restart. A time with a source other than our own counts public holidays only: your own closures do not move it.

"""
_CERTAIN = "; ".join(f"`{code}`, {words}" for code, words in CERTAINTY.items())
_PRESETS_END = f"""
Rules named `practice` and `publish` are for people and set no deadline; `amends check` lists what a scheme wants
reported, published and learned. How certain a rule is: {_CERTAIN}.

"""


def settings_page() -> str:
    parts = [
        _HEAD,
        *(_table(table) for table in tables("small_business")),
        _SECRETS + _variables(),
        _PRESETS_START + _rule_kinds() + _PRESETS_END + _presets(),
    ]
    return "\n".join(parts)


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
