"""When a new model is owed: at the first start, after so many assessments, each night when something changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from complaints.duties import Lane, Owed
from complaints.localtime import wall
from store.models import Run
from store.open import Store
from triage.training import ALERT_RATE, PIPELINE, WANTED_PRECISION


@dataclass(frozen=True)
class Learning:
    """How the model learns: `retrain_after` assessments (0: not by number), nightly at `retrain_at` by the wall
    clock (None: never); the precision wanted of what it is sure of; the share of complaints that may alert;
    the encoder of texts, "auto" for the one that is installed, if any, "none" for none.
    """

    retrain_after: int = 50
    retrain_at: time | None = time(3)
    wanted_precision: float = WANTED_PRECISION
    alert_budget: float = ALERT_RATE
    encoder: str = "auto"


def owe_first_training(store: Store) -> None:
    """At the first start no model exists: owe one, made from the starter examples.

    After an upgrade that trains otherwise one is owed too, for the model of before may not be readable.
    """
    use = store.use_of_active()
    if use is None:
        store.insert(Owed("train:first", "train", store.now(), Lane.BULK))
    elif use[1] is None or _trained_otherwise(store.last_run()):
        store.insert(Owed(f"train:pipeline:{PIPELINE}", "train", store.now(), Lane.BULK))


def owe_retraining(store: Store, learning: Learning) -> None:
    """Owe a run where it is time for one; whoever asks, several processes and ticks make one.

    By number the key names the run before, by night the day.
    """
    since = _since(store)
    if since is None:
        return
    marker, at = since
    now = store.now()
    assessed = store.assessed_since(at)
    if learning.retrain_after and assessed >= learning.retrain_after:
        store.insert(Owed(f"train:after:{marker}", "train", now, Lane.BULK))
        return
    if learning.retrain_at is None:
        return
    local = wall(now, store.current_rulebook().calendar.zone)
    changed = assessed > 0 or store.erased_since(at)
    if changed and local.time() >= learning.retrain_at:
        store.insert(Owed(f"train:{local:%Y-%m-%d}", "train", now, Lane.BULK))


def _since(store: Store) -> tuple[str, datetime] | None:
    """What the present model was made of, by name, and when that was read; None while there is no model."""
    run = store.last_run()
    if run is not None:
        return run.until.isoformat(), run.until
    use = store.use_of_active()
    return None if use is None else (use[0].isoformat(), use[0])


def _trained_otherwise(run: Run | None) -> bool:
    return run is not None and not run.key.startswith(f"{PIPELINE}:")
