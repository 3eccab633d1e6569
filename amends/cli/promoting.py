"""`amends triage promote`, `history` and `rollback`: which model proposes, since when, by whom and why (8.5)."""

from __future__ import annotations

import getpass
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amends.checks import DRIFTS
from amends.cli.beside import Beside, load_file, look_beside
from amends.cli.ending import NOT_WELL
from amends.cli.opened import Config, Json, opened
from amends.cli.printing import as_json, err, local, out, table
from amends.settings import rulebook
from complaints.rulebook import categories_of
from reports.render_markdown import many
from store.models.erased import list_models_with_erased_words
from store.models.examples import count_assessed
from store.models.history import TrainingHistory, is_history_kept, keep_history
from store.models.history import forget_history as store_forget_history
from store.models.models import (
    FILE,
    TrainingRun,
    is_model_intact,
    keep_run,
    list_models,
    load_active_model,
    load_good_model,
    load_learnt_until,
    read_model_blob,
    roll_back,
)

if TYPE_CHECKING:
    from amends.settings import Settings
    from store.store import Store
    from triage.learning.gate import Verdict
    from triage.learning.run import ModelInUse
    from triage.model.pipeline import Model

By = Annotated[str | None, typer.Option("--by", help="Who does it; else the name of who is logged in here.")]
Why = Annotated[str | None, typer.Option("--reason", help="Why; it stands in the history.")]

#: How a model came into use, for people.
_HOW = {
    None: "by an earlier release",
    "kept": "put in use",
    "trained": "trained, passed the gate",
    "made_anew": "made anew without what was erased",
    "promoted": "promoted, passed the gate",
    "forced": "promoted past the gate",
    "rolled_back": "gone back to",
    "turned_away": "NOT used: turned away",
}


def promote(
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False)],
    *,
    force: Annotated[bool, typer.Option("--force", help="Use it although the gate says no.")] = False,
    reason: Why = None,
    by: By = None,
    json: Json = False,
    config: Config = None,
) -> None:
    """Put the model of FILE in use if it is not worse than the present one; exit 1 with the reasons if it is."""
    from triage.model.artefact import digest  # scikit-learn takes a second to load
    from triage.model.card import card

    if force and not (reason or "").strip():
        raise typer.BadParameter("say why: --reason stands in the history", param_hint="--force")
    blob = file.read_bytes()
    candidate, sha256 = load_file(file, blob), digest(blob)
    with opened(config) as (settings, store):
        _warn_of_unknown(candidate, settings)
        beside = look_beside(file, candidate)
        history = beside.for_the_store()
        active = store.read(load_active_model)
        if active is not None and active[0] == sha256 and store.read(is_model_intact, active[2]):
            known = store.read(is_history_kept)
            if history is not None and (known is None or known[0] != history.sha256):
                store.write(keep_history, history)
            kept, words = _of_history(beside, history)
            again = {"promoted": False, "in_use": sha256, "history": kept}
            _say(again, "\n".join([f"{file} is in use already.", *words]), json=json)
            return
        verdict, rows = _judged(settings, store, candidate, sha256, beside)
        used = verdict.passes or force
        how = "promoted" if verdict.passes else "forced"
        run = TrainingRun(f"{FILE}{sha256}", store.now(), rows, used, verdict.as_json())
        store.write(
            keep_run,
            run,
            blob,
            sha256,
            card(candidate),
            activate=used,
            how=how,
            by=by or _logged_in(),
            why=reason,
            history=history,
        )
    kept, words = _of_history(beside, history)
    said = {"promoted": used, "forced": used and not verdict.passes, "sha256": sha256, **verdict.as_json()}
    said["history"] = kept if used else None
    told = "\n".join(verdict.reasons)
    if used:
        mark = "In use, past the gate" if not verdict.passes else "In use"
        _say(said, "\n".join([f"{mark}: model {candidate.version}.", told, *words]), json=json)
        return
    if json:
        as_json(said)
    err.print(f"Not used: model {candidate.version}.\n{told}\nUse it all the same: --force --reason …")
    raise typer.Exit(NOT_WELL)


def forget_history(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
    config: Config = None,
) -> None:
    """Destroy the rows of the history that a promoted model brought; what comes after does not learn from them."""
    with opened(config) as (_, store):
        kept = store.read(is_history_kept)
        if kept is not None and not yes and not json and err.is_terminal:
            typer.confirm(f"This destroys {many(kept[1], 'row')} of the history for good. Go on?", abort=True)
        count = store.write(store_forget_history)
    told = (
        f"Destroyed: {many(count, 'row')} of the history."
        if count
        else "No history is kept: nothing to destroy."
    )
    _say({"forgotten": count}, told, json=json)


def history(*, json: Json = False, config: Config = None) -> None:
    """The models in use over time and those turned away, the newest first, and what drifts."""
    from triage.learning.drift import LOOKED_AT, drift_in

    with opened(config) as (settings, store):
        rows = store.read(list_models)
        active = store.read(load_active_model)
        whole = active is None or store.read(is_model_intact, active[2])
        drifts = drift_in(store.read(count_assessed, LOOKED_AT), None if active is None else active[1])
    newest = next((one for one in rows if one["used"]), None)
    if json:
        shown = [{**one, "in_use": one is newest} for one in rows]
        as_json({"models": shown, "whole": whole, "drift": [one.as_json() for one in drifts]})
        return
    if not rows:
        out.print("No model yet: the first start trains one in the background.")
        return
    # Of the settings: a model may be promoted before the first start leaves any rules in the record.
    zone = settings.organisation.timezone
    table("Models", _COLUMNS, (_row(one, zone, in_use=one is newest) for one in rows))
    if not whole:
        out.print("The model in use was ALTERED in the database: amends triage rollback.")
    for one in drifts:
        out.print(f"Drift: {DRIFTS[one.code].format(**one.as_json())}.")


def rollback(*, reason: Why = None, by: By = None, json: Json = False, config: Config = None) -> None:
    """Use the model that was in use before the present one; a second time goes one further back."""
    with opened(config) as (_, store):
        before = store.read(load_active_model)
        now = store.write(roll_back, by=by or _logged_in(), why=reason)
        erased = now is None and bool(store.read(list_models_with_erased_words, gone=True))
    if now is None:
        why = f" Of models before this is true: {_GONE}." if erased else ""
        err.print(f"There is no earlier model to go back to: see `amends triage history`.{why}")
        raise typer.Exit(NOT_WELL)
    passed = [
        f"Passed over, {_GONE if one in now.erased else 'altered or no longer kept'}: model number {one}."
        for one in now.passed_over
    ]
    was = "" if before is None else f", instead of {_version(before[1], before[0])}"
    said = {
        "from": None if before is None else before[0],
        "to": now.sha256,
        "version": now.card.get("version"),
        "passed_over": list(now.passed_over),
        "erased": list(now.erased),
    }
    _say(said, "\n".join([f"In use again: model {_version(now.card, now.sha256)}{was}.", *passed]), json=json)


_GONE = "gone because words in it were erased"

_COLUMNS = ("since", "model", "sha256", "examples", "accuracy", "macro-F1", "how", "by", "why")


def _row(one: Mapping[str, Any], zone: str, *, in_use: bool) -> Sequence[Any]:
    from zoneinfo import ZoneInfo

    card, verdict = one["card"], one["verdict"] or {}
    why = one["why"] or "; ".join(verdict.get("reasons", ())) or None
    return (
        local(one["at"], ZoneInfo(zone)),
        f"{_version(card, one['sha256'])}{' (in use)' if in_use else ''}",
        one["sha256"][:12],
        card.get("rows"),
        card.get("accuracy"),
        card.get("macro_f1"),
        _HOW.get(one["how"], one["how"]),
        one["by"],
        why,
    )


def _warn_of_unknown(candidate: Model, settings: Settings) -> None:
    unknown = sorted(set(candidate.categories) - set(categories_of(rulebook(settings))))
    if unknown:
        err.print(
            f"Warning: this model knows categories that this desk has not: {', '.join(unknown)}. They are never "
            "proposed; complaints that belong there come out as not sure. To have them: [[category]] in amends.toml.",
        )


def _judged(
    settings: Settings, store: Store, candidate: Model, sha256: str, beside: Beside
) -> tuple[Verdict, int]:
    """The verdict on the record's held-out rows, and how many rows there are."""
    from triage.__main__ import rows_of
    from triage.learning.history import held_back
    from triage.learning.run import ModelInUse, judge_file

    rows = rows_of(store.examples())
    good = store.read(load_good_model)
    present = None if good is None else _present(store, good.number, good.sha256)
    number = next((one["id"] for one in store.read(list_models) if one["sha256"] == sha256), None)
    seen = None
    if number is not None:
        until, ours = store.read(load_learnt_until, number)
        seen = ModelInUse(candidate, until, ours) if ours else None
    held = None if present is None else held_back(beside.rows, present.model)
    budget = settings.triage.alert_budget
    verdict = judge_file(candidate, rows, in_use=present, seen=seen, history=held, alert_budget=budget)
    return verdict, len(rows)


def _of_history(beside: Beside, history: TrainingHistory | None) -> tuple[dict[str, Any] | None, list[str]]:
    """What became of the history beside the model, for `--json` and in words."""
    if history is not None:
        count = len(history.rows)
        learnt = f"Later training runs learn from {many(count, 'row')} of its history too"
        words = f"{learnt} (amends triage forget-history)."
        return {"rows": count, "sha256": history.sha256, "unknown": None}, [words]
    if beside.unknown is not None:
        return {"rows": 0, "sha256": None, "unknown": beside.unknown}, [beside.unknown]
    return None, []


def _present(store: Store, number: int, sha256: str) -> ModelInUse | None:
    from triage.errors import UnreadableModel
    from triage.learning.run import ModelInUse
    from triage.model.artefact import load

    try:
        model = load(store.read(read_model_blob, number), sha256=sha256)
    except UnreadableModel as wrong:
        err.print(f"The model in use cannot be read and is not compared with: {wrong}")
        return None
    return ModelInUse(model, *store.read(load_learnt_until, number))


def _logged_in() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container without a name for its number.
        return "unknown"


def _version(card: Mapping[str, Any], sha256: str) -> str:
    return str(card.get("version") or sha256[:12])


def _say(said: Mapping[str, Any], told: str, *, json: bool) -> None:
    if json:
        as_json(said)
    else:
        out.print(told)
