"""`amends triage evaluate`: how good a model is on labelled complaints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from amends.cli.options import Config, Json
from amends.cli.output import out, print_json, print_table, stage
from amends.cli.triage.labelled_files import (
    AtColumn,
    CategoryColumn,
    ColumnOptions,
    LanguageColumn,
    Map,
    RefusedFile,
    SeverityColumn,
    TextColumn,
    optional_settings,
    read_labelled,
    reading_as_json,
    write_refused,
)
from amends.cli.triage.model_files import load_file
from reports.render_markdown import pluralise

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
    from triage.learning.evaluation import evaluate as evaluate_model

    loaded = load_file(model)
    options = ColumnOptions(text, category, severity, language, at, map_)
    table = read_labelled(file, options, optional_settings(config), categories=loaded.categories)
    write_refused(refused, table)
    with stage(f"Judging on {pluralise(len(table.examples), 'row')}"):
        figures = evaluate_model(loaded, table.examples)
    if json:
        print_json({**figures, **reading_as_json(table)})
        return
    # The model may have been trained on the very file that is named here.
    _print_evaluation(
        figures, f"On the {figures['rows']} rows of this file; meaningless if the model learnt from them"
    )


def print_training_figures(evaluation: Mapping[str, Any] | None, card: Mapping[str, Any]) -> None:
    """Print the figures of rows held back; without any, those that the card has from within the training."""
    if evaluation is not None:
        _print_evaluation(evaluation, f"On {evaluation['rows']} rows it had not seen")
        return
    out.print("Too few rows to hold any back: these figures come from within the training rows.")
    _print_figures(card, "Within the training")


def _print_figures(figures: Mapping[str, Any], title: str) -> None:
    print_table(
        title,
        ("figure", "value", "95 % between"),
        (
            (name, _rounded(figures.get(key)), _interval(figures.get(f"{key}_interval")))
            for key, name in _FIGURES
        ),
    )


def _print_evaluation(figures: Mapping[str, Any], title: str) -> None:
    from triage.model.card import format_share

    _print_figures(figures, title)
    out.print()
    print_table(
        "By category",
        ("category", "rows", "precision", "recall", "F1"),
        (
            (name, row["rows"], _rounded(row["precision"]), _rounded(row["recall"]), _rounded(row["f1"]))
            for name, row in figures["categories"].items()
        ),
    )
    out.print()
    if figures["unknown_categories"]:
        unknown = ", ".join(figures["unknown_categories"])
        out.print(f"Categories that the model does not know (counted as wrong): {unknown}.")
    if figures["severity"] is not None:
        severity = figures["severity"]
        out.print(
            f"Severity: {format_share(severity, 'recall_at_10')} of {severity['critical']} critical cases are found "
            "when "
            f"one case in ten raises an alert; by the safety rules alone {severity['rules_recall'] * 100:.0f} %."
        )
    right = (
        f"right in {format_share(figures, 'precision')} of those"
        if figures["precision"] is not None
        else "of none"
    )
    out.print(f"Sure of {format_share(figures, 'coverage')} of the rows, {right}.")


def _rounded(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"


def _interval(bounds: list[float] | None) -> str | None:
    return None if bounds is None else f"{bounds[0]:.3f} and {bounds[1]:.3f}"
