"""`amends triage train`: an organisation's own history becomes a model, with a card that says how good it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.cli.beside import card_beside, history_beside
from amends.cli.judging import show_figures
from amends.cli.labelled import (
    Asked,
    AtColumn,
    CategoryColumn,
    LanguageColumn,
    Map,
    RefusedFile,
    SeverityColumn,
    TextColumn,
    languages_of,
    read_labelled,
    settings_there,
    told,
    write_refused,
)
from amends.cli.leaving import write_private
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, out
from amends.cli.progress import stages
from amends.settings import Settings, rulebook
from amends.settings.sections import Triage
from complaints.rulebook import categories_of
from complaints.vocabulary import Category
from reports.render_markdown import many

if TYPE_CHECKING:
    from triage.csv.examples import ExampleTable
    from triage.example import Example
    from triage.learning.history import Learnt


def train(
    file: Annotated[
        Path | None, typer.Argument(metavar="[CSV]", exists=True, dir_okay=False, help="Labelled complaints.")
    ] = None,
    *,
    to: Annotated[
        Path, typer.Option("--out", dir_okay=False, help="Where the model goes; its card beside it.")
    ],
    text: TextColumn = None,
    category: CategoryColumn = None,
    severity: SeverityColumn = None,
    language: LanguageColumn = None,
    at: AtColumn = None,
    map_: Map = None,
    from_record: Annotated[
        bool,
        typer.Option("--from-record", help="Learn from what people assessed here, besides or without a CSV."),
    ] = False,
    starters: Annotated[
        bool | None,
        typer.Option(help="Learn from the starter examples too; unset: where the categories are ours."),
    ] = None,
    precision: Annotated[
        float | None,
        typer.Option(
            min=0.5,
            max=0.999,
            help="How often a proposal that is sure should be right; unset: \\[triage] wanted_precision.",
        ),
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            help='The encoder of texts: its name, or "none"; unset: \\[triage] encoder, else the one installed.'
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Another draw of what is held back.")] = 0,
    refused: RefusedFile = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the model and its card.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Train on labelled complaints, judge on a part held back, write the model and its card."""
    files = _Files.beside(to)
    files.need_room(force)
    settings = settings_there(config)
    from triage.learning.history import learn  # scikit-learn takes a second to load
    from triage.model.embeddings import chosen_encoder

    said = settings.triage if settings is not None else Triage()
    known = _known(settings)
    table = None
    if file is not None:
        table = read_labelled(
            file, Asked(text, category, severity, language, at, map_), settings, known=known
        )
    write_refused(refused, table)
    own = _own(settings, known)
    read_at: datetime | None = None
    if file is None and not from_record:
        rows, beside = list(own), _starters(own, settings, known, starters)
        if not rows:
            raise typer.BadParameter(
                "name a CSV file, learn from the record with --from-record, or write examples of your own "
                "(docs/triage.md)",
                param_hint="CSV",
            )
    else:
        confirmed, read_at = _confirmed(config) if from_record else ([], None)
        rows = [*(table.examples if table is not None else ()), *confirmed]
        beside = [*_starters(rows, settings, known, starters), *(own if _fit(rows, known) else ())]
    unlabelled = table.unlabelled if table is not None else ()
    with stages() as (tell, progress):
        learnt = learn(
            rows,
            beside=beside,
            unlabelled=unlabelled,
            encoder=chosen_encoder(encoder or said.encoder),
            seed=seed,
            wanted_precision=said.wanted_precision if precision is None else precision,
            alert_budget=said.alert_budget,
            tell=tell,
            progress=progress,
        )
    # By this the desk knows whether words that are erased later may be in it.
    learnt = learnt.saying(record_read=None if read_at is None else read_at.isoformat())
    card = files.write(learnt, table.examples if table is not None else ())
    if json:
        as_json(_document(to, table, learnt, card))
    else:
        show_figures(learnt.evaluation, card)
        for one in files.all if table is not None else files.without_history:
            out.print(f"wrote {one}")


@dataclass(frozen=True)
class _Files:
    model: Path
    card: Path
    page: Path
    history: Path

    @classmethod
    def beside(cls, model: Path) -> _Files:
        return cls(
            model,
            card_beside(model),
            model.with_name(f"{model.name}.card.md"),
            history_beside(model),
        )

    @property
    def all(self) -> tuple[Path, ...]:
        return (*self.without_history, self.history)

    @property
    def without_history(self) -> tuple[Path, ...]:
        return self.model, self.card, self.page

    def need_room(self, force: bool) -> None:
        """Refuse before an hour's training what could not be written after it."""
        there = [str(one) for one in self.all if one.exists()]
        if there and not force:
            raise typer.BadParameter(
                f"{', '.join(there)} exists already: name another file, or overwrite with --force",
                param_hint="--out",
            )
        if not self.model.parent.is_dir():
            raise typer.BadParameter(
                f"{self.model.parent} is no directory: make it first", param_hint="--out"
            )

    def write(self, learnt: Learnt, past: Sequence[Example]) -> dict[str, Any]:
        """Write model, cards and, where rows of a file were learnt from, these; gives the card."""
        import json as json_module

        from triage.learning import history as history_file
        from triage.model.artefact import digest, dump
        from triage.model.card import page

        rows = b""
        if past:
            rows = history_file.write(history_file.kept(past, learnt.split.held, learnt.judged))
            told = {"rows": len(past), "sha256": digest(rows)}
            # Within the model too: by this `promote` knows the file again.
            learnt = learnt.saying(history=told)
        blob = dump(learnt.model)
        card = {**learnt.card, "sha256": digest(blob)}
        try:
            if past:
                # Complainants' words: for the eyes of whoever trains alone.
                write_private(self.history, rows)
            self.card.write_text(
                json_module.dumps(card, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
            )
            self.page.write_text(page(card), encoding="utf-8")
            self.model.write_bytes(blob)
        except OSError as wrong:
            raise typer.BadParameter(
                f"{wrong.filename} cannot be written: {wrong.strerror}", param_hint="--out"
            ) from wrong
        return card


def _known(settings: Settings | None) -> tuple[str, ...]:
    """The categories of the desk: ours, and the organisation's own where there is one."""
    return categories_of(rulebook(settings)) if settings is not None else tuple(Category)


def _confirmed(config: Path | None) -> tuple[list[Example], datetime]:
    """What people assessed, from the record, and when that was read."""
    from triage.__main__ import rows_of

    with opened(config) as (_, store):
        read_at = store.now()
        rows = store.examples()
    err.print(f"The record holds {many(len(rows), 'assessed complaint')}.")
    return [one.example for one in rows_of(rows)], read_at


def _fit(rows: Sequence[Example], known: Sequence[str]) -> bool:
    return {row.category for row in rows} <= set(known)


def _starters(
    rows: Sequence[Example], settings: Settings | None, known: Sequence[str], wanted: bool | None
) -> list[Example]:
    """The starter examples that are learnt from too."""
    from triage.learning.examples import starter_examples, starter_languages

    if wanted is False or (wanted is None and not _fit(rows, known)):
        return []
    heard = {row.language for row in rows}
    spoken = languages_of(settings) if settings is not None else tuple(one for one in heard if one)
    return starter_examples([one for one in starter_languages() if one in spoken] or ["en"])


def _own(settings: Settings | None, known: Sequence[str]) -> tuple[Example, ...]:
    """What stands in the organisation's example files; what is refused there, `amends check` says."""
    from triage.learning.examples import organisation_examples

    if settings is None:
        return ()
    found = organisation_examples(settings.examples_folder, known)
    left = sum(map(len, found.refused.values())) + len(found.unreadable)
    if left:
        err.print(f"Not all of {settings.examples_folder} is used: `amends check` says why.")
    return found.examples


def _document(to: Path, table: ExampleTable | None, learnt: Learnt, card: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": str(to),
        "sha256": card["sha256"],
        "version": learnt.model.version,
        "categories": list(learnt.model.categories),
        "rows": card["data"]["rows"],
        "starters": card["data"]["starters"],
        "held_back": card["held_back"],
        "evaluation": learnt.evaluation,
        "file": told(table) if table is not None else None,
        "refused": told(table)["refused"] if table is not None else [],
        "card": card,
    }
