"""`amends law`: the rules of the presets with dates, sources and certainty, and what changes when (docs/law.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.console import out, print_json, print_table
from amends.cli.options import Json, bad_usage
from reports.words import pluralise

if TYPE_CHECKING:
    from amends.settings.presets import Preset

_Names = Annotated[list[str] | None, typer.Argument(metavar="[PRESET]...", help="Presets; without one, all.")]
_DAY = ["%Y-%m-%d"]


def list_(
    presets: _Names = None,
    *,
    on: Annotated[datetime | None, typer.Option(formats=_DAY)] = None,
    json: Json = False,
) -> None:
    from amends.settings.presets import CERTAINTY, shown_value

    rows = [
        (preset, rule)
        for preset in _presets(presets)
        for rule in preset.rules
        if on is None or rule.is_on(on.date())
    ]
    if json:
        print_json([{"preset": preset.name, **rule.as_json()} for preset, rule in rows])
        return
    print_table(
        "The law that the presets hold",
        ("preset", "rule", "value", "from", "until", "source", "certain"),
        (
            (
                preset.name, rule.name, shown_value(rule.value), rule.first, rule.last,
                rule.source, CERTAINTY[rule.certain],
            )
            for preset, rule in rows
        ),
    )  # fmt: skip
    for name, missing in dict.fromkeys((preset.name, gap) for preset, _ in rows for gap in preset.not_found):
        out.print(f"{name}: not found, so left out: {missing}", soft_wrap=True)


def diff(
    presets: _Names = None,
    *,
    from_: Annotated[datetime | None, typer.Option("--from", formats=_DAY)] = None,
    to: Annotated[datetime, typer.Option(formats=_DAY)],
    json: Json = False,
) -> None:
    from amends.settings.presets import law_changes

    first, last = (from_ or datetime.now(UTC)).date(), to.date()
    if last < first:
        raise bad_usage("--to", f"{last} is before {first}")
    changes = [change for preset in _presets(presets) for change in law_changes(preset, first, last)]
    changes.sort(key=lambda change: (change.day, change.preset))
    if json:
        print_json(
            [
                {
                    "preset": change.preset,
                    "rule": change.name,
                    "from": change.day.isoformat(),
                    "before": change.before and change.before.as_json(),
                    "after": change.after and change.after.as_json(),
                }
                for change in changes
            ]
        )
        return
    print_table(
        f"Changes of the law from {first} to {last}",
        ("from", "preset", "rule", "before", "after", "source"),
        ((str(change.day), change.preset, change.name, *change.values, change.source) for change in changes),
    )
    out.print(f"{pluralise(len(changes), 'change')}.")


def _presets(names: list[str] | None) -> list[Preset]:
    from amends.settings.presets import preset_named, preset_names
    from amends.settings.sections import known_preset

    try:
        return [preset_named(known_preset(name)) for name in names or preset_names()]
    except ValueError as unknown:
        raise bad_usage("PRESET", str(unknown)) from unknown
