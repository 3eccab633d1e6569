"""`amends init`, `check` and `slack-manifest`: before the first start."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from amends.checks import CheckFinding, check_installation
from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json
from amends.cli.printing import as_json, err, out
from amends.init import InitAnswers, manifest, write_installation
from amends.settings import load
from amends.settings.sections import PRESETS

_PRESETS = ", ".join(sorted(one.stem for one in PRESETS.glob("*.toml")))


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the files go.")] = Path(),
    *,
    name: Annotated[str | None, typer.Option(help="The organisation's name.")] = None,
    country: Annotated[str | None, typer.Option(help="Two letters, as GB or TR.")] = None,
    timezone: Annotated[str | None, typer.Option(help="As Europe/London.")] = None,
    languages: Annotated[str | None, typer.Option(help="As en,tr; the first is the fallback.")] = None,
    emergency_number: Annotated[str | None, typer.Option()] = None,
    preset: Annotated[str, typer.Option(help=f"{_PRESETS}.")] = "small_business",
    categories: Annotated[
        str | None,
        typer.Option(
            help='Categories of your own, as "Leak in the street, Low pressure"; none: leave it out.'
        ),
    ] = None,
) -> None:
    """Write a commented amends.toml, .env with a new key, texts/ and the Slack app manifest."""
    asks = sys.stdin.isatty() and sys.stdout.isatty()
    answers = InitAnswers(
        name=_answer(name, "The organisation's name", "Northwind Water", asks),
        country=_answer(country, "Country, two letters", "GB", asks),
        timezone=_answer(timezone, "Time zone", "Europe/London", asks),
        languages=tuple(
            one.strip()
            for one in _answer(languages, "Languages, the fallback first", "en,tr", asks).split(",")
        ),
        emergency_number=_answer(emergency_number, "Emergency number", "112", asks),
        preset=preset,
        categories=_names(
            _answer(categories, "Categories of your own, by commas (none: just press Enter)", "", asks)
        ),
    )
    for written in write_installation(folder, answers):
        out.print(f"wrote {written}")
    if answers.categories:
        err.print(
            f"Fill in {folder / 'examples'}: a handful of sentences for each of your categories.",
        )
    err.print(
        "Next: put the tokens into .env and the channels and people into amends.toml, then `amends check`."
    )


def _names(said: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in said.split(",") if one.strip())


def _answer(given: str | None, question: str, default: str, asks: bool) -> str:
    if given is not None:
        return given
    return str(typer.prompt(question, default=default)) if asks else default


def check(*, json: Json = False, config: Config = None) -> None:
    """Everything a start needs, a line each: ok, warn or fail with the remedy; exit 1 on any fail."""
    findings = asyncio.run(check_installation(load(config)))
    if json:
        as_json(
            {"well": all(one.mark != "fail" for one in findings), "findings": [_row(one) for one in findings]}
        )
    else:
        for one in findings:
            remedy = f" {one.remedy}" if one.remedy else ""
            out.print(f"{one.mark:4}  {one.what}: {one.found}.{remedy}")
    if any(one.mark == "fail" for one in findings):
        raise typer.Exit(NOT_WELL)


def _row(one: CheckFinding) -> dict[str, str]:
    return {"mark": one.mark, "what": one.what, "found": one.found, "remedy": one.remedy}


def slack_manifest() -> None:
    """The JSON from which Slack creates the app (api.slack.com/apps, "From a manifest")."""
    as_json(manifest())
