"""Is the model in use whole, was the last candidate let in, and do people still confirm what it proposes?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from amends.findings import Finding
from store.open import Store

_REMEDY = "Run `amends triage rollback`, or promote a file that is whole; until then an earlier one proposes."


def model_findings(store: Store, *, own: Sequence[str] = (), folder: Path | None = None) -> Iterator[Finding]:
    """What there is to say of the model; nothing is changed. `own` are categories whose examples lie in `folder`."""
    from triage.artefact import load  # scikit-learn takes a second to load, and only this needs it
    from triage.errors import UnreadableModel

    active = store.active_model()
    if active is None:
        yield Finding("warn", "model", "none yet", "The first start trains one in the background.")
        return
    sha256, card, number = active
    if strange := [one for one in own if one not in card.get("classes", ())]:
        examples = f"Write examples in {folder}; the next training reads them."
        yield Finding("warn", "model", f"has not learnt {', '.join(strange)}", examples)
    try:
        model = load(store.model_blob(number), sha256=sha256)
    except UnreadableModel as wrong:
        yield Finding("fail", "model", f"{sha256[:12]} cannot be used: {wrong}", _REMEDY)
        return
    yield Finding("ok", "model", f"in use, {sha256[:12]}")
    if number in store.models_with_erased_words():
        yield Finding("warn", "model", "may hold words that were erased since", _FORGETS)
    if (without := model.facts.get("without_encoder")) is not None:
        yield Finding("warn", "encoder", f"{without} The model answers by its words.", _WITHOUT)
    run = store.last_run()
    if run is not None and (run.made_anew or not run.passes):
        why = "; ".join(run.verdict.get("reasons", ()))
        stays = "is made anew without what was erased" if run.made_anew else "stays in use"
        yield Finding(
            "warn",
            "last training",
            f"its model was not let in: {why}",
            f"The one before {stays}; see `amends triage history`. Look at the newest assessments.",
        )
    yield from _drift(store, card.get("accuracy"))


def _drift(store: Store, accuracy: float | None) -> Iterator[Finding]:
    from triage.drift import LOOKED_AT, drift_in

    for one in drift_in(store.judged(LOOKED_AT), {"accuracy": accuracy}):
        yield Finding("warn", "model drift", DRIFTS[one.code].format(**one.as_json()), _READ)


_FORGETS = "The next night puts one without them in use; if this stays, see `amends outbox list`."
_WITHOUT = "Install it with `make install EXTRA=embeddings`, or train anew without it."

#: What a warning means, for people at the command line.
DRIFTS = {
    "agreement": "people confirm {value:.0%} of the last {rows} proposals, the card says {bound:.0%}",
    "mix": "the last {rows} complaints are of other categories than before (index {value:.2f} > {bound:.2f})",
    "calibration": "over the last {rows} its probabilities are off by {value:.2f}, at most {bound:.2f} is usual",
}
_READ = "See docs/learning.md, Drift: look at what is confirmed, train anew, or go back."
