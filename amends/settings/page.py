"""docs/settings.md, written from the settings themselves so that it cannot fall behind (`make docs`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from amends.settings import sections
from amends.settings.catalogue import Key, Table, tables, variables
from amends.settings.rulebook import preset_named

FILE = Path("docs/settings.md")

_HEAD = """\
# Settings

`amends.toml` says how an organisation answers complaints; secrets stand in the environment. `amends init`
writes both with every setting in them, `amends check` tells what is missing. The file is looked for where
`AMENDS_CONFIG` says, else in the current directory. A file with only these keys starts; all else has a
default:

```toml
[organisation]
name = "Northwind Water"
country = "GB"
region = "ENG"
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
```

An unknown key, or a value that is not understood, stops the start with the file and line, the key and the
forms that are accepted. Changed settings never move an old date: a complaint keeps the rules under which it
was received, and loading changed ones is itself recorded.

## Lengths of time

| written | means |
|---|---|
| `20 s`, `30 min`, `4 h` | elapsed time |
| `3 days`, `8 weeks`, `12 months` | elapsed, to the same local time (a shorter month: its last day) |
| `4 wh` | working hours of the calendar |
| `10 bd` | working days: until closing time of the tenth working day after the one on which the start falls |

The start falls on its own working day until closing time, later or on a day off on the next one. A local
time that the clocks skip moves forward by the gap; one that comes twice is the first. `amends case due REF`
shows how each due time was counted.

Days off are the public holidays of country and region, `[calendar.closed]`, and what the iCalendar files in
`[calendar] ics` close: events of whole days or of hours, of several days, and series by days, weeks, months or
years with their exceptions, additions and moved days, in any time zone that has a name or is explained in the
file. An event closes a day when it lasts through all of its opening hours. What is cancelled or marked as free
time closes nothing. What cannot be counted (part of a day, a series by hours or weeks of the year, a time zone
that nobody knows) is left out; the start and `amends check` say which by file and line, why, and what to write
instead, and `check` names the next days off. A file that is none, of more than 5,000 events or 20,000 occasions,
or that leaves no working day in a year stops the start. The files are read at each start: as all settings they
hold for complaints received from then on.

Where several places speak of one time, `[targets.P1]` … `[targets.P4]` go before `[targets]`, that before
the preset, and that before the defaults below. `[targets]` and a preset never make P1 or P2 later than the
defaults; only `[targets.P1]` and `[targets.P2]` do, and `amends check` then warns. The legal maximum of a
preset caps every other time, extensions included. P1's minutes and hours are elapsed time where somebody is
on call at the start, and working time elsewhere.

## amends.toml
"""

_SECRETS = """\
## Secrets and addresses

From the environment, from `.env` beside amends.toml, or from a file that the variable with `_FILE` behind
its name points to (a Docker or systemd secret); the environment goes before `.env`. They are never written
to the database or the log. Tokens are taken in any shape without blanks. An `AMENDS_…` variable that nobody
knows stops nothing; the start and `amends check` warn of it with the nearest known one.

"""

_PRESETS = """\
## Presets

A preset is a small TOML file in `amends/presets/`: times, levels and outside bodies of a scheme, each with
its source. A preset helps to keep to a scheme; it is not legal advice: check it against the scheme's own text
of today. `legal` is a target of its own that caps every other, extensions included; `extension_cap` is by how much
all extensions together may move a date; `level 2 …` counts from the disagreement and goes there before the
priority's own time. `decide_from` acknowledged: P3 and P4 count from the acknowledgement. `complex_doubles` no:
complexity 3 gives no more time, which takes an extension. `delay_outside` yes: the notice (`delay_notice`)
before a date that may be missed names the outside bodies as open now. `level 2 outside_when_missed` yes: when the
time of that level passes unanswered, the complainant is told that the outside is open now. `fast_track`: a complaint
that the complainant accepts as settled within that time of receipt counts as settled early, which the record keeps;
the acceptance is confirmed in writing with the outside bodies, always or only on request or in hardship (a support
need, a sign of need or of being cut off). `accept_within`: where everything that the story tells of ended longer
before receipt, card and assessment say so; nothing follows by itself, a manager may refuse it with a reason, and the
refusal names the outside bodies. `missed_payment` is owed unasked for each time of the scheme that was missed
(`legal`, and a later level with `outside_when_missed`): card and *Decide* say so, a person promises it as a remedy.
Rows in italics are for people: no clock follows from them; `amends check` names
what is to be reported and learnt. P1 and P2 are never later than the defaults above.

"""


def settings_page() -> str:
    """The whole page as Markdown."""
    parts = [
        _HEAD,
        *(_table(one) for one in tables("small_business")),
        _SECRETS + _variables(),
        _PRESETS + _presets(),
    ]
    return "\n".join(parts)


def write_page(root: Path = Path()) -> Path:
    """Write the page below the project's root."""
    file = root / FILE
    file.write_text(settings_page(), encoding="utf-8")
    return file


def _table(table: Table) -> str:
    head = f"### `{table.header}`\n\n{table.about}\n\n| key | default | |\n|---|---|---|\n"
    return head + "".join(f"| `{key.name}` | {_default(key)} | {_said(key)} |\n" for key in table.keys)


def _default(key: Key) -> str:
    if key.required:
        return "required"
    return f"`{key.default}`" if key.default not in {"", '""'} else "–"


def _said(key: Key) -> str:
    return (
        f"{key.description} Such as `{key.example}`."
        if key.example and key.example != key.default
        else key.description
    )


def _variables() -> str:
    head = "| variable | default | |\n|---|---|---|\n"
    rows = (
        f"| `{one.name}` | {f'`{one.default}`' if one.default else '–'} | {one.description} |\n"
        for one in variables()
    )
    return head + "".join(rows)


def _presets() -> str:
    return "\n".join(_preset(file.stem) for file in sorted(sections.PRESETS.glob("*.toml")))


def _preset(name: str) -> str:
    data = preset_named(name)
    return f"### `{name}`\n\n{data['title']}.\n\n" + "".join(_preset_lines(data))


def _preset_lines(data: Mapping[str, Any]) -> Iterator[str]:
    yield "| | | source |\n|---|---|---|\n"
    for key, value in preset_values(data):
        shown = f"*{key}*" if key in data.get("practice", {}) else key
        yield f"| {shown} | {value} | {data['sources'].get(key, '–')} |\n"


def preset_values(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every value of a preset by its name: times, those of a level as `level 2 decide`, levels, what people do,
    outside bodies."""
    for key, value in data.get("targets", {}).items():
        if key != "level":
            yield key, _plainly(value)
    for number, one in data.get("targets", {}).get("level", {}).items():
        yield from ((f"level {number} {key}", _plainly(value)) for key, value in one.items())
    yield "levels", str(len(data["levels"]))
    if "fast_track" in data:
        confirmed = {"always": "always", "on_request": "on request or in hardship"}
        track = data["fast_track"]
        yield (
            "fast_track",
            f"accepted within {track['within']}: confirmed in writing {confirmed[track['confirmed']]}",
        )
    for key in ("accept_within", "missed_payment"):
        if key in data:
            yield key, data[key]
    if "keep" in data:
        yield "keep", f"{data['keep']} from receipt"
    yield from data.get("practice", {}).items()
    bodies = [
        f"{one['body']} {one.get('contact', '')} {one.get('limit', '')}" for one in data.get("recourse", ())
    ]
    if bodies:
        yield "outside", "; then ".join(" ".join(body.split()) for body in bodies)


def _plainly(value: Any) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    write_page()
