"""`amends init`, `check` and `slack-manifest`: before the first start."""

from __future__ import annotations

import asyncio
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amends.cli.options import NOT_WELL, Config, Json
from amends.cli.output import err, out, print_json

if TYPE_CHECKING:
    from amends.checks import CheckFinding


def _presets() -> str:
    names = (file.name for file in resources.files("amends").joinpath("presets").iterdir())
    return ", ".join(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]", help="Where the files go.")] = Path(),
    *,
    name: Annotated[str | None, typer.Option(help="The organisation's name.")] = None,
    country: Annotated[str | None, typer.Option(help="Two letters, as GB or TR.")] = None,
    timezone: Annotated[str | None, typer.Option(help="As Europe/London.")] = None,
    languages: Annotated[str | None, typer.Option(help="As en,tr; the first is the fallback.")] = None,
    emergency_number: Annotated[str | None, typer.Option()] = None,
    preset: Annotated[str, typer.Option(help=f"{_presets()}.")] = "small_business",
    categories: Annotated[
        str | None,
        typer.Option(
            help='Categories of your own, as "Leak in the street, Low pressure"; none: leave it out.'
        ),
    ] = None,
) -> None:
    """Write a commented amends.toml, .env with a new key, texts/ and the Slack app manifest."""
    from amends.init import InitAnswers, write_installation

    answers = InitAnswers(
        name=_answer(name, "The organisation's name", "Northwind Water"),
        country=_answer(country, "Country, two letters", "GB"),
        timezone=_answer(timezone, "Time zone", "Europe/London"),
        languages=tuple(
            language.strip()
            for language in _answer(languages, "Languages, the fallback first", "en,tr").split(",")
        ),
        emergency_number=_answer(emergency_number, "Emergency number", "112"),
        preset=preset,
        categories=_split(
            _answer(categories, "Categories of your own, by commas (none: just press Enter)", "")
        ),
    )
    for file in write_installation(folder, answers):
        out.print(f"wrote {file}")
    if answers.categories:
        err.print(f"Fill in {folder / 'examples'}: a handful of sentences for each of your categories.")
    err.print(
        "Next: put the tokens into .env and the channels and people into amends.toml, then `amends check`."
    )


def _answer(option: str | None, question: str, default: str) -> str:
    """The option, or the answer to a question; without a terminal the default."""
    if option is not None:
        return option
    has_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    return str(typer.prompt(question, default=default)) if has_terminal else default


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def check(*, json: Json = False, config: Config = None) -> None:
    """Everything a start needs, a line each: ok, warn or fail with the remedy; exit 1 on any fail."""
    from amends.checks import check_installation
    from amends.settings import load

    findings = asyncio.run(check_installation(load(config)))
    well = all(finding.mark != "fail" for finding in findings)
    if json:
        print_json({"well": well, "findings": [_as_json(finding) for finding in findings]})
    else:
        for finding in findings:
            remedy = f" {finding.remedy}" if finding.remedy else ""
            out.print(f"{finding.mark:4}  {finding.subject}: {finding.result}.{remedy}")
    if not well:
        raise typer.Exit(NOT_WELL)


def _as_json(finding: CheckFinding) -> dict[str, str]:
    return {"mark": finding.mark, "what": finding.subject, "found": finding.result, "remedy": finding.remedy}


def slack_manifest() -> None:
    """The JSON from which Slack creates the app (api.slack.com/apps, "From a manifest")."""
    from amends.init import app_manifest

    print_json(app_manifest())
