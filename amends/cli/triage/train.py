"""`amends triage train` and `evaluate`: a model from an organisation's own history, and how good a model is (7.5)."""

from __future__ import annotations

import json as json_module
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.console import err, out, print_json, print_table, stage, stages, write_private
from amends.cli.options import NOT_WELL, Json, open_record
from amends.cli.triage.labelled_files import (
    AtColumn,
    CategoryColumn,
    ColumnOptions,
    LabelMaps,
    LanguageColumn,
    Maps,
    RefusedFile,
    SeverityColumn,
    TextColumn,
    desk_names,
    optional_settings,
    read_labelled,
    read_maps,
    reading_as_json,
    refuse_labels,
    text_languages,
    write_refused,
)
from amends.cli.triage.model_files import card_path, history_path, load_file
from complaints.vocabulary import Category
from reports.words import pluralise

if TYPE_CHECKING:
    from amends.settings import Settings
    from triage.csv.labelled_rows import ExampleTable
    from triage.example import Example
    from triage.learning.own_history import TrainedHistory


_FIGURES = (
    ("accuracy", "accuracy"),
    ("macro_f1", "macro-F1"),
    ("log_loss", "log-loss"),
    ("ece", "calibration error"),
    ("accuracy_at_80", "accuracy, surest 80 %"),
)


def train(
    file: Annotated[Path | None, typer.Argument(metavar="[CSV]", exists=True, dir_okay=False)] = None,
    *,
    to: Annotated[Path, typer.Option("--out", dir_okay=False)],
    text: TextColumn = None,
    category: CategoryColumn = None,
    severity: SeverityColumn = None,
    language: LanguageColumn = None,
    at: AtColumn = None,
    map_: Maps = None,
    from_record: Annotated[bool, typer.Option("--from-record")] = False,
    starters: bool | None = None,
    precision: Annotated[float | None, typer.Option(min=0.5, max=0.999)] = None,
    encoder: str | None = None,
    seed: int = 0,
    refused: RefusedFile = None,
    force: Annotated[bool, typer.Option("--force")] = False,
    json: Json = False,
) -> None:
    from amends.settings.sections import Triage
    from triage.encoder import chosen_encoder
    from triage.learning.own_history import train_on_history
    from triage.model.model_card import PLAIN_FILE

    files = _Files.of_model(to)
    files.require_free(force=force)
    maps = read_maps(map_)
    settings = optional_settings()
    defaults = settings.triage if settings is not None else Triage()
    categories = _desk_categories(settings)
    table = None
    if file is not None:
        columns = ColumnOptions(text, category, severity, language, at, maps)
        table = read_labelled(file, columns, settings, categories=categories)
        _require_desk_labels(table, maps, settings, categories)
    write_refused(refused, table)
    own = _own_examples(settings, categories)
    read_at: datetime | None = None
    if file is None and not from_record:
        rows, extra = list(own), _starters(own, settings, categories, starters)
        if not rows:
            raise typer.BadParameter(
                "name a CSV file, learn from the record with --from-record, or write examples of your own "
                "(docs/triage.md)",
                param_hint="CSV",
            )
    else:
        confirmed, read_at = _confirmed() if from_record else ([], None)
        rows = [*(table.examples if table is not None else ()), *confirmed]
        extra = [
            *_starters(rows, settings, categories, starters),
            *(own if _has_only(rows, categories) else ()),
        ]
    with stages() as (start_stage, progress):
        learnt = train_on_history(
            rows,
            starters=extra,
            unlabelled=table.unlabelled if table is not None else (),
            encoder=chosen_encoder(encoder or defaults.encoder),
            seed=seed,
            wanted_precision=defaults.wanted_precision if precision is None else precision,
            alert_budget=defaults.alert_budget,
            on_stage=start_stage,
            progress=progress,
        )
    # The desk compares this with the time of an erasure: a model read earlier may contain the erased words.
    learnt = learnt.saying(record_read=None if read_at is None else read_at.isoformat())
    card = files.write(learnt, table.examples if table is not None else ())
    if json:
        print_json(_as_json(to, table, learnt, card))
        return
    _print_training_figures(learnt.evaluation, card)
    for written in files.all if table is not None else files.without_history:
        out.print(f"wrote {written}")
    out.print(PLAIN_FILE.format(people=card["fewest_people"]))


@dataclass(frozen=True)
class _Files:
    model: Path
    card: Path
    page: Path
    history: Path

    @classmethod
    def of_model(cls, model: Path) -> _Files:
        page = model.with_name(f"{model.name}.card.md")
        return cls(model, card_path(model), page, history_path(model))

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.without_history, self.history)

    @property
    def without_history(self) -> tuple[Path, ...]:
        return self.model, self.card, self.page

    def require_free(self, *, force: bool) -> None:
        """Raise BadParameter before the training, which may take an hour, if its files cannot be written."""
        existing = [str(file) for file in self.all if file.exists()]
        if existing and not force:
            raise typer.BadParameter(
                f"{', '.join(existing)} exists already: name another file, or overwrite with --force",
                param_hint="--out",
            )
        if not self.model.parent.is_dir():
            raise typer.BadParameter(
                f"{self.model.parent} is no directory: make it first", param_hint="--out"
            )

    def write(self, learnt: TrainedHistory, past: Sequence[Example]) -> dict[str, Any]:
        """Write the model, its cards and the rows of a file that it learnt from; returns the card."""
        from triage.learning import own_history as history_file
        from triage.model.artefact import digest, dump
        from triage.model.model_card import render_card

        rows = b""
        if past:
            rows = history_file.write_history_file(
                history_file.history_rows(past, learnt.split.holdout, learnt.judged)
            )
            # `promote` compares this digest, so it takes no other file for the model's history.
            learnt = learnt.saying(history={"rows": len(past), "sha256": digest(rows)})
        blob = dump(learnt.model)
        card = {**learnt.card, "sha256": digest(blob)}
        try:
            if past:
                # Complainants' words: only the person who trains may read them.
                write_private(self.history, rows)
            self.card.write_text(
                json_module.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
            )
            self.page.write_text(render_card(card), encoding="utf-8")
            self.model.write_bytes(blob)
        except OSError as error:
            raise typer.BadParameter(
                f"{error.filename} cannot be written: {error.strerror}", param_hint="--out"
            ) from error
        return card


def _desk_categories(settings: Settings | None) -> tuple[str, ...]:
    if settings is None:
        return tuple(Category)
    from amends.settings import rulebook
    from complaints.rulebook import categories_of

    return categories_of(rulebook(settings))


def _require_desk_labels(
    table: ExampleTable, maps: LabelMaps, settings: Settings | None, categories: tuple[str, ...]
) -> None:
    """Refuse labels that are no categories of the desk; without settings there is no desk, so only say it."""
    labels = {example.category for example in table.examples}
    foreign = labels - desk_names(labels, maps if settings else LabelMaps({}), settings, categories).keys()
    if not foreign:
        return
    if settings is not None:
        refuse_labels(foreign, settings, categories)
    err.print(
        f"These labels do not come with Amends: {', '.join(sorted(foreign))}. A desk can use this model only if it "
        "has them as [[category]] in amends.toml, or with --map."
    )


def _confirmed() -> tuple[list[Example], datetime]:
    from triage.__main__ import parse_rows

    with open_record() as (_, store):
        read_at = store.now()
        rows = store.examples()
    err.print(f"The record holds {pluralise(len(rows), 'assessed complaint')}.")
    return [row.example for row in parse_rows(rows)], read_at


def _has_only(rows: Sequence[Example], categories: Sequence[str]) -> bool:
    return {row.category for row in rows} <= set(categories)


def _starters(
    rows: Sequence[Example], settings: Settings | None, categories: Sequence[str], wanted: bool | None
) -> list[Example]:
    """The starter examples to learn from, in the languages of the organisation, or of the rows."""
    from triage.learning.examples import starter_examples, starter_languages

    if wanted is False or (wanted is None and not _has_only(rows, categories)):
        return []
    if settings is not None:
        languages = set(text_languages(settings))
    else:
        languages = {row.language for row in rows if row.language}
    return starter_examples([code for code in starter_languages() if code in languages] or ["en"])


def _own_examples(settings: Settings | None, categories: Sequence[str]) -> tuple[Example, ...]:
    """The examples in the organisation's files; `amends check` names those refused."""
    from triage.learning.examples import organisation_examples

    if settings is None:
        return ()
    own = organisation_examples(settings.examples_folder, categories)
    unused = sum(map(len, own.refused.values())) + len(own.unreadable)
    if unused:
        err.print(f"Not all of {settings.examples_folder} is used: `amends check` says why.")
    return own.examples


def _as_json(
    to: Path, table: ExampleTable | None, learnt: TrainedHistory, card: dict[str, Any]
) -> dict[str, Any]:
    reading = reading_as_json(table) if table is not None else None
    return {
        "model": str(to),
        "sha256": card["sha256"],
        "version": learnt.model.version,
        "categories": list(learnt.model.categories),
        "rows": card["data"]["rows"],
        "starters": card["data"]["starters"],
        "held_back": card["held_back"],
        "evaluation": learnt.evaluation,
        "file": reading,
        "refused": reading["refused"] if reading is not None else [],
        "card": card,
    }


def evaluate(
    model: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    file: Annotated[Path, typer.Argument(metavar="CSV", exists=True, dir_okay=False)],
    *,
    text: TextColumn = None,
    category: CategoryColumn = None,
    severity: SeverityColumn = None,
    language: LanguageColumn = None,
    at: AtColumn = None,
    map_: Maps = None,
    refused: RefusedFile = None,
    json: Json = False,
) -> None:
    from triage.learning.evaluation import evaluate as evaluate_model

    loaded = load_file(model)
    options = ColumnOptions(text, category, severity, language, at, read_maps(map_))
    table = read_labelled(file, options, optional_settings(), categories=loaded.categories)
    write_refused(refused, table)
    shared = [example for example in table.examples if example.category in loaded.categories]
    unknown = sorted({example.category for example in table.examples} - set(loaded.categories))
    if not shared:
        err.print(
            f"Not judged: the model knows none of the labels of this file ({', '.join(unknown)}). It knows "
            f"{', '.join(loaded.categories)}. Name one of these for each: --map old=new, or --map FILE.csv.",
            soft_wrap=True,
        )
        raise typer.Exit(NOT_WELL)
    with stage(f"Judging on {pluralise(len(shared), 'row')}"):
        figures = {**evaluate_model(loaded, shared), "unknown_categories": unknown}
    left_out = len(table.examples) - len(shared)
    if json:
        print_json({**figures, "not_compared": left_out, **reading_as_json(table)})
        return
    if unknown:
        out.print(
            f"Not judged: {pluralise(left_out, 'row')} of categories that the model does not know "
            f"({', '.join(unknown)}). To judge them too: --map old=new."
        )
    # The model may have been trained on the very file that is named here.
    _print_evaluation(
        figures, f"On the {figures['rows']} rows of this file; meaningless if the model learnt from them"
    )


def _print_training_figures(evaluation: Mapping[str, Any] | None, card: Mapping[str, Any]) -> None:
    """Print the figures of rows held back; without any, those that the card has from within the training."""
    if evaluation is not None:
        _print_evaluation(evaluation, f"On {evaluation['rows']} rows it had not seen")
        if evaluation["unknown_categories"]:
            # Too rare to be on both sides, so the model that was judged had no example of them.
            unknown = ", ".join(evaluation["unknown_categories"])
            out.print(f"Only among the rows held back, and so counted as wrong: {unknown}.")
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
    from triage.model.model_card import format_share

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
