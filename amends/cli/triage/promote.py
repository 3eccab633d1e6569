"""`amends triage promote`, `history`, `rollback` and `forget-history`: which model proposes, and why (8.5)."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from amends.cli.console import err, local_time, out, print_json, print_table
from amends.cli.options import NOT_WELL, Json, open_record
from amends.cli.triage.labelled_files import LabelMaps, Maps, desk_names, read_maps, refuse_labels
from amends.cli.triage.model_files import ModelHistory, load_file, read_history
from reports.words import pluralise

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.models.training_examples import TrainingHistory
    from store.store import Store
    from triage.learning.gate import Verdict
    from triage.learning.run import ModelInUse
    from triage.model.pipeline import Model

By = Annotated[str | None, typer.Option("--by", help="Who does it; else the name of who is logged in here.")]
Why = Annotated[str | None, typer.Option("--reason", help="Why; it stays in the history.")]

#: How a model came into use, by its code in the record.
_HOW = {
    "kept": "put in use",
    "trained": "trained, passed the gate",
    "made_anew": "trained again without what was erased",
    "promoted": "promoted, passed the gate",
    "forced": "promoted past the gate",
    "rolled_back": "gone back to",
    "turned_away": "NOT used: turned away",
}
_ERASED = "gone because words in it were erased"


def promote(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    *,
    map_: Maps = None,
    force: Annotated[bool, typer.Option("--force")] = False,
    reason: Why = None,
    by: By = None,
    json: Json = False,
) -> None:
    from store.models.models import TrainingRun, is_model_intact, keep_run, load_active_model
    from store.models.training_examples import find_history, keep_history
    from store.values import FILE
    from triage.model.artefact import digest, dump
    from triage.model.model_card import model_card
    from triage.model.pipeline import rename_categories

    if force and not (reason or "").strip():
        raise typer.BadParameter("say why: --reason stays in the history", param_hint="--force")
    blob = file.read_bytes()
    maps = read_maps(map_)
    candidate, sha256 = load_file(file, blob), digest(blob)
    with open_record() as (settings, store):
        own_history = read_history(file, candidate)
        renamed = _names_at_the_desk(candidate, settings, maps)
        if renamed:
            candidate, own_history = rename_categories(candidate, renamed), own_history.renamed(renamed)
            blob = dump(candidate)
            sha256 = digest(blob)
        rows = own_history.for_store()
        active = store.read(load_active_model)
        if active is not None and active[0] == sha256 and store.read(is_model_intact, active[2]):
            stored = store.read(find_history)
            if rows is not None and (stored is None or stored[0] != rows.sha256):
                store.write(keep_history, rows)
            facts, lines = _history_result(own_history, rows)
            document = {"promoted": False, "in_use": sha256, "history": facts}
            _print_result(document, [f"{file} is in use already.", *lines], json=json)
            return
        verdict, examples = _judge(settings, store, candidate, sha256, own_history)
        used = verdict.passes or force
        store.write(
            keep_run,
            TrainingRun(f"{FILE}{sha256}", store.now(), examples, used, verdict.as_json()),
            blob,
            sha256,
            model_card(candidate),
            activate=used,
            how="promoted" if verdict.passes else "forced",
            by=by or _login_name(),
            why=reason,
            history=rows,
        )
    facts, lines = _history_result(own_history, rows)
    forced = used and not verdict.passes
    document = {"promoted": used, "forced": forced, "sha256": sha256, **verdict.as_json()}
    document["history"] = facts if used else None
    reasons = "\n".join(verdict.reasons)
    if used:
        mark = "In use, past the gate" if forced else "In use"
        _print_result(document, [f"{mark}: model {candidate.version}.", reasons, *lines], json=json)
        return
    if json:
        print_json(document)
    err.print(f"Not used: model {candidate.version}.\n{reasons}\nUse it all the same: --force --reason …")
    raise typer.Exit(NOT_WELL)


def _names_at_the_desk(candidate: Model, settings: Settings, maps: LabelMaps) -> dict[str, str]:
    """The categories of the model that have another name at this desk; ends the command for one that it lacks.

    Not even --force overrules this: a model that knows no category of the desk would end all proposals.
    """
    from amends.settings import rulebook
    from complaints.rulebook import categories_of

    categories = categories_of(rulebook(settings))
    names = desk_names(candidate.categories, maps, settings, categories)
    foreign = set(candidate.categories) - names.keys()
    if foreign:
        refuse_labels(foreign, settings, categories)
    shared = sorted({new for new in names.values() if list(names.values()).count(new) > 1})
    if shared:
        err.print(
            f"Refused, nothing was changed: several labels of this model would become {', '.join(shared)}, and a "
            "trained model cannot join them. Train it again with the same --map: amends triage train CSV --out FILE "
            "--map old=new …",
            soft_wrap=True,
        )
        raise typer.Exit(NOT_WELL)
    return {old: new for old, new in names.items() if old != new}


def _judge(
    settings: Settings, store: Store, candidate: Model, sha256: str, own_history: ModelHistory
) -> tuple[Verdict, int]:
    """The verdict on the held-out rows of the record, and the number of rows in it."""
    from store.models.models import list_models, load_intact_model, load_learnt_until
    from triage.__main__ import parse_rows
    from triage.learning.own_history import held_out_rows
    from triage.learning.run import ModelInUse, judge_file

    rows = parse_rows(store.examples())
    good = store.read(load_intact_model)
    present = None if good is None else _load_present(store, good.number, good.sha256)
    number = next((row["id"] for row in store.read(list_models) if row["sha256"] == sha256), None)
    trained_here = None
    if number is not None:
        until, own_run = store.read(load_learnt_until, number)
        trained_here = ModelInUse(candidate, until, own_run) if own_run else None
    held_out = None if present is None else held_out_rows(own_history.rows, present.model)
    verdict = judge_file(
        candidate,
        rows,
        in_use=present,
        learned_from=trained_here,
        history=held_out,
        alert_budget=settings.triage.alert_budget,
    )
    return verdict, len(rows)


def _load_present(store: Store, number: int, sha256: str) -> ModelInUse | None:
    from store.models.models import load_learnt_until, read_model_blob
    from triage.errors import UnreadableModel
    from triage.learning.run import ModelInUse
    from triage.model.artefact import load

    try:
        model = load(store.read(read_model_blob, number), sha256=sha256)
    except UnreadableModel as error:
        err.print(f"The model in use cannot be read and is not compared with: {error}")
        return None
    return ModelInUse(model, *store.read(load_learnt_until, number))


def _history_result(
    own_history: ModelHistory, rows: TrainingHistory | None
) -> tuple[dict[str, Any] | None, list[str]]:
    """What later training runs get from the history next to the model, for `--json` and in words."""
    if rows is not None:
        count = len(rows.rows)
        learnt = f"Later training runs learn from {pluralise(count, 'row')} of its history too"
        return {"rows": count, "sha256": rows.sha256, "unknown": None}, [
            f"{learnt} (amends triage forget-history)."
        ]
    if own_history.unusable is not None:
        return {"rows": 0, "sha256": None, "unknown": own_history.unusable}, [own_history.unusable]
    return None, []


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user id without a name
        return "unknown"


def history(*, json: Json = False) -> None:
    from amends.checks import DRIFT_TEXTS
    from store.models.models import is_model_intact, list_models, load_active_model
    from store.models.training_examples import list_assessed_proposals
    from triage.learning.drift import ASSESSMENTS_READ, find_drift_in_record

    with open_record() as (settings, store):
        models = store.read(list_models)
        active = store.read(load_active_model)
        intact = active is None or store.read(is_model_intact, active[2])
        drifts = find_drift_in_record(
            store.read(list_assessed_proposals, ASSESSMENTS_READ), None if active is None else active[1]
        )
    newest = next((model for model in models if model["used"]), None)
    if json:
        rows = [{**model, "in_use": model is newest} for model in models]
        print_json({"models": rows, "whole": intact, "drift": [drift.as_json() for drift in drifts]})
        return
    if not models:
        out.print("No model yet: the first start trains one in the background.")
        return
    # The zone of the settings: before the first start the record has no rules yet.
    zone = ZoneInfo(settings.organisation.timezone)
    print_table(
        "Models",
        ("since", "model", "sha256", "examples", "accuracy", "macro-F1", "how", "by", "why"),
        (_row(model, zone, in_use=model is newest) for model in models),
    )
    if not intact:
        out.print("The model in use was ALTERED in the database: amends triage rollback.")
    for drift in drifts:
        out.print(f"Drift: {DRIFT_TEXTS[drift.code].format(**drift.as_json())}.")


def _row(model: Mapping[str, Any], zone: ZoneInfo, *, in_use: bool) -> Sequence[Any]:
    card, verdict = model["card"], model["verdict"] or {}
    return (
        local_time(model["at"], zone),
        f"{_version(card, model['sha256'])}{' (in use)' if in_use else ''}",
        model["sha256"][:12],
        card.get("rows"),
        card.get("accuracy"),
        card.get("macro_f1"),
        _HOW.get(model["how"], model["how"]),
        model["by"],
        model["why"] or "; ".join(verdict.get("reasons", ())) or None,
    )


def rollback(*, reason: Why = None, by: By = None, json: Json = False) -> None:
    from store.models.erased import list_models_with_erased_words
    from store.models.models import load_active_model, roll_back

    with open_record() as (_, store):
        before = store.read(load_active_model)
        model = store.write(roll_back, by=by or _login_name(), why=reason)
        erased = model is None and bool(store.read(list_models_with_erased_words, gone=True))
    if model is None:
        why = f" Of models before this is true: {_ERASED}." if erased else ""
        err.print(f"There is no earlier model to go back to: see `amends triage history`.{why}")
        raise typer.Exit(NOT_WELL)
    skipped = [
        f"Passed over, {_ERASED if number in model.erased else 'altered or no longer kept'}: model number {number}."
        for number in model.passed_over
    ]
    instead = "" if before is None else f", instead of {_version(before[1], before[0])}"
    document = {
        "from": None if before is None else before[0],
        "to": model.sha256,
        "version": model.card.get("version"),
        "passed_over": list(model.passed_over),
        "erased": list(model.erased),
    }
    line = f"In use again: model {_version(model.card, model.sha256)}{instead}."
    _print_result(document, [line, *skipped], json=json)


def _version(card: Mapping[str, Any], sha256: str) -> str:
    return str(card.get("version") or sha256[:12])


def forget_history(*, yes: Annotated[bool, typer.Option("--yes")] = False, json: Json = False) -> None:
    from store.models.training_examples import find_history
    from store.models.training_examples import forget_history as destroy_history

    with open_record() as (_, store):
        stored = store.read(find_history)
        if stored is not None and not yes and not json and err.is_terminal:
            rows = pluralise(stored[1], "row")
            typer.confirm(f"This destroys {rows} of the history for good. Continue?", abort=True)
        count = store.write(destroy_history)
    line = (
        f"Destroyed: {pluralise(count, 'row')} of the history."
        if count
        else "No history is kept: nothing to destroy."
    )
    _print_result({"forgotten": count}, [line], json=json)


def _print_result(document: Mapping[str, Any], lines: Sequence[str], *, json: bool) -> None:
    if json:
        print_json(document)
    else:
        out.print("\n".join(lines))
