"""`amends triage evaluate`: how good a model is on labelled complaints that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from amends.cli.beside import load_file
from amends.cli.labelled import (
    Asked,
    AtColumn,
    CategoryColumn,
    LanguageColumn,
    Map,
    RefusedFile,
    SeverityColumn,
    TextColumn,
    read_labelled,
    settings_there,
    told,
    write_refused,
)
from amends.cli.opened import Config, Json
from amends.cli.printing import as_json, out, table
from amends.cli.progress import stage
from reports.render_markdown import many
from triage.model.card import share

_FIGURES = (
    ("accuracy", "accuracy"),
    ("macro_f1", "macro-F1"),
    ("log_loss", "log-loss"),
    ("ece", "calibration error"),
    ("accuracy_at_80", "accuracy, surest 80 %"),
)


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="A model file.")],
    file: Annotated[
        Path, typer.Argument(metavar="CSV", exists=True, dir_okay=False, help="Labelled complaints.")
    ],
    *,
    text: TextColumn = None,
    category: CategoryColumn = None,
    severity: SeverityColumn = None,
    language: LanguageColumn = None,
    at: AtColumn = None,
    map_: Map = None,
    refused: RefusedFile = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Judge a model: accuracy, macro_f1, log_loss, ece, accuracy_at_80, each category, and severity."""
    from triage.learning.evaluation import evaluate as judge  # scikit-learn takes a second to load

    loaded = load_file(model)
    asked = Asked(text, category, severity, language, at, map_)
    labelled = read_labelled(file, asked, settings_there(config), known=loaded.categories)
    write_refused(refused, labelled)
    with stage(f"Judging on {many(len(labelled.examples), 'row')}"):
        figures = judge(loaded, labelled.examples)
    if json:
        as_json({**figures, **told(labelled)})
    else:
        show_figures(figures, None)


def show_figures(figures: Mapping[str, Any] | None, card: Mapping[str, Any] | None) -> None:
    """The figures as tables for a person; without any, those of the card from within the training."""
    if figures is None:
        out.print("Too few rows to hold any back: these figures come from within the training rows.")
        shown: Mapping[str, Any] = card or {}
    else:
        shown = figures
    rows = ((name, _figure(shown.get(key)), _between(shown.get(f"{key}_interval"))) for key, name in _FIGURES)
    if figures is None:
        title = "Within the training"
    elif card is None:
        # Of a file that somebody names nobody can say whether the model learnt from it.
        title = f"On the {figures['rows']} rows of this file; they tell nothing if it learnt from them"
    else:
        title = f"On {figures['rows']} rows it had not seen"
    table(title, ("figure", "value", "95 % between"), rows)
    if figures is None:
        return
    out.print()
    table(
        "By category",
        ("category", "rows", "precision", "recall", "F1"),
        (
            (name, one["rows"], _figure(one["precision"]), _figure(one["recall"]), _figure(one["f1"]))
            for name, one in figures["categories"].items()
        ),
    )
    out.print()
    if figures["unknown_categories"]:
        named = ", ".join(figures["unknown_categories"])
        out.print(f"Categories that the model does not know (counted as wrong): {named}.")
    if figures["severity"] is not None:
        found = figures["severity"]
        out.print(
            f"Severity: {share(found, 'recall_at_10')} of {found['critical']} critical cases are found when "
            f"one case in ten raises an alert; by the safety rules alone {found['rules_recall'] * 100:.0f} %."
        )
    sure = (
        f"right in {share(figures, 'precision')} of those" if figures["precision"] is not None else "of none"
    )
    out.print(f"Sure of {share(figures, 'coverage')} of the rows, {sure}.")


def _figure(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _between(bounds: list[float] | None) -> str | None:
    return None if bounds is None else f"{bounds[0]:.3f} and {bounds[1]:.3f}"
