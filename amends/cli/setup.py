"""`amends init`, `check`, `slack-manifest` and `poster`: before the first start."""

from __future__ import annotations

import asyncio
import io
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.console import check_output, err, out, print_json, program, write_file
from amends.cli.options import NOT_WELL, Json, Output, load_settings

if TYPE_CHECKING:
    from amends.checks import CheckFinding
    from amends.init import InitAnswers
    from amends.settings import Settings


_LISTS = ("languages", "categories")
_QUESTIONS = {
    "name": "The organisation's name",
    "country": "Country, two letters",
    "timezone": "Time zone",
    "languages": "Languages, the fallback first",
    "emergency_number": "Emergency number",
    "categories": "Categories of your own, by commas (none: just press Enter)",
    "checkpoint_file": "File for the checkpoints that prove the record, best on another machine",
}


def _presets() -> str:
    names = (file.name for file in resources.files("amends").joinpath("presets").iterdir())
    return ", ".join(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def init(
    folder: Annotated[Path, typer.Argument(metavar="[DIR]")] = Path(),
    *,
    name: str | None = None,
    country: str | None = None,
    timezone: str | None = None,
    languages: str | None = None,
    emergency_number: Annotated[str | None, typer.Option()] = None,
    preset: Annotated[str, typer.Option(help=f"{_presets()}.")] = "small_business",
    categories: str | None = None,
    checkpoint_file: str | None = None,
) -> None:
    from amends.init import InitAnswers, checked_settings_text, refuse_existing, write_installation

    refuse_existing(folder)
    # Python has no standard input where the caller closed it: the same as an empty pipe.
    sys.stdin = sys.stdin or io.StringIO()
    answers = InitAnswers("Northwind Water", "GB", "Europe/London", ("en", "tr"), preset=preset)
    options = {
        "name": name,
        "country": country,
        "timezone": timezone,
        "languages": languages,
        "emergency_number": emergency_number,
        "categories": categories,
        "checkpoint_file": checkpoint_file,
    }
    for key, option in options.items():
        if option is not None:
            answer: Any = _split(option) if key in _LISTS else option
            answers = replace(answers, **{key: answer})
    checked_settings_text(folder, answers)
    open_questions = [key for key, option in options.items() if option is None]
    try:
        while open_questions:
            answers = _ask(folder, answers, open_questions[0])
            del open_questions[0]
    except typer.Abort as aborted:
        # Only the end of a pipe or file: Ctrl-C, and Ctrl-D in a terminal, write nothing.
        if sys.stdin.isatty() or not isinstance(aborted.__context__, EOFError):
            raise
        missing = ", ".join(open_questions)
        err.print(f"\nNo answer for {missing}: amends.toml gets examples. Change them, or use options.")
    for file in write_installation(folder, answers):
        out.print(f"wrote {file}")
    if answers.categories:
        err.print(f"Fill in {folder / 'examples'}: a handful of sentences for each of your categories.")
    change_folder = f"cd {shlex.quote(str(folder))} && " if folder != Path() else ""
    err.print(
        f"Next: put the tokens into {folder / '.env'} and the channels and people into "
        f"{folder / 'amends.toml'}, then: {change_folder}{program('check')}",
        soft_wrap=True,
    )


def _ask(folder: Path, answers: InitAnswers, key: str) -> InitAnswers:
    """The answers with this one from the terminal; an answer that is refused is asked for again, the others stay."""
    from amends.init import checked_settings_text
    from amends.settings import SettingsError

    before = getattr(answers, key)
    default = ",".join(before) if key in _LISTS else before

    def with_answer(text: str) -> InitAnswers:
        answer: Any = _split(text) if key in _LISTS else text.strip()
        changed = replace(answers, **{key: answer})
        try:
            checked_settings_text(folder, changed)
        except SettingsError as refused:
            if not sys.stdin.isatty():
                # The next line of a pipe answers the next question: it must not be taken for this one.
                raise
            raise typer.BadParameter("; ".join(problem.what for problem in refused.problems)) from refused
        return changed

    answered: InitAnswers = typer.prompt(
        _QUESTIONS[key], default=default, value_proc=with_answer, err=not sys.stdout.isatty()
    )
    return answered


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def check(*, page: bool = False, json: Json = False) -> None:
    from amends.checks import check_installation

    findings = asyncio.run(check_installation(load_settings(), page=page))
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
    from amends.init import app_manifest

    print_json(app_manifest())


def poster(*, output: Output, language: list[str] | None = None) -> None:
    from amends.documents.complainant_documents import poster as poster_pdf
    from amends.settings import rulebooks
    from bots.texts.catalogues import load_catalogues

    settings = load_settings()
    texts = load_catalogues(settings.languages, settings.texts_folder, **settings.wording)
    languages = tuple(language or texts.languages)
    if missing := [code for code in languages if code not in texts.languages]:
        raise typer.BadParameter(
            f"{missing[0]} is not a language of the desk: choose from {', '.join(texts.languages)}"
        )
    check_output(output)
    bot = settings.organisation.bot or asyncio.run(_username(settings))
    now = datetime.now(UTC)
    data = poster_pdf(rulebooks(settings).at(now), texts, languages=languages, bot=bot, created_at=now)
    write_file(output, data)
    out.print(f"wrote {output}: print it again when the times or the outside bodies change")


async def _username(settings: Settings) -> str:
    """The bot's username from Telegram. Raises OutsideFailed with the remedy."""
    from telegram.error import TelegramError

    from amends.runtime import OutsideFailed
    from amends.runtime.telegram import ask_username

    remedy = 'set AMENDS_TELEGRAM_TOKEN, or bot = "…" under [organisation] in amends.toml'
    if settings.secrets.telegram_token is None:
        raise OutsideFailed(f"The bot's username is not known: {remedy}.")
    try:
        return await ask_username(settings)
    except TelegramError as error:
        raise OutsideFailed(
            f"Telegram did not give the bot's username ({error.message}): {remedy}."
        ) from None
