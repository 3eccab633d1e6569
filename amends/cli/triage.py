"""`amends triage`: proposals from the command line."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli import judging, training
from amends.cli.beside import load_file
from amends.cli.labelled import settings_there
from amends.cli.opened import Config, opened
from amends.cli.printing import err
from amends.settings import Settings, SettingsError, rulebook
from complaints.rulebook import categories_of
from store.database.errors import StoreError
from store.models.models import load_active_model, read_model_blob

if TYPE_CHECKING:
    from triage.model.pipeline import Model

app = typer.Typer(help="The model behind the initial assessment.", no_args_is_help=True)
app.command("train")(training.train)
app.command("evaluate")(judging.evaluate)


@app.command()
def propose(
    text: Annotated[
        str | None, typer.Argument(help="A complaint; else one JSON object a line on standard input.")
    ] = None,
    *,
    model: Annotated[
        Path | None, typer.Option(help="A model file; else the one in use, else a starter model.")
    ] = None,
    config: Config = None,
) -> None:
    """A proposal a line, as JSON: category, probability, alternatives, severity, safety, because."""
    from scheduler.proposals import danger_sign  # scikit-learn takes a second to load
    from triage.language_tables import LANGUAGES
    from triage.proposal import About
    from triage.proposal import propose as propose_one

    settings = settings_there(config)
    loaded = _model(model, config, settings)
    rules = rulebook(settings) if settings is not None else None
    known = About(languages=LANGUAGES, received=datetime.now(UTC).date())
    if rules is not None:
        danger = tuple(danger_sign(one) for one in rules.danger)
        known = replace(known, languages=rules.languages, danger=danger, country=rules.country)
        if model is None:
            known = replace(known, categories=categories_of(rules))
    for one in [text] if text is not None else _lines():
        proposal = propose_one(loaded, one, known)
        sys.stdout.write(json_module.dumps(proposal.as_json(), ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _lines() -> Iterator[str]:
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            said: Any = json_module.loads(line)
        except ValueError as wrong:
            raise typer.BadParameter(
                f'line {number} is not JSON: give one object with "text" a line'
            ) from wrong
        if isinstance(said, str):
            yield said
        elif isinstance(said, dict) and isinstance(said.get("text"), str):
            yield said["text"]
        else:
            raise typer.BadParameter(f'line {number} has no "text": give one object with "text" a line')


def _model(file: Path | None, config: Path | None, settings: Settings | None) -> Model:
    from triage.learning.examples import train_starter
    from triage.model.artefact import load as load_artefact

    if file is not None:
        if not file.is_file():
            raise typer.BadParameter(f"{file} does not exist", param_hint="--model")
        return load_file(file)
    why = "No model in use"
    try:
        with opened(config) as (_, store):
            active = store.read(load_active_model)
            if active is not None:
                return load_artefact(store.read(read_model_blob, active[2]), sha256=active[0])
    except (SettingsError, StoreError) as wrong:
        if config is not None:
            raise
        # Nobody asked for an installation's own model: one that is not whole yet is no reason to refuse.
        why = str(wrong)
    err.print(f"{why}: training one from the starter examples.")
    return train_starter(settings.organisation.languages if settings is not None else None)
