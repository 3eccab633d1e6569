"""When a new model is owed: at the first start, after so many assessments, each night when something changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from complaints.duties import Lane, Owed
from complaints.localtime import wall
from store.models import Run
from store.open import Store
from triage.training import ALERT_RATE, PIPELINE, WANTED_PRECISION

#: When what was erased leaves the models, where no other time of the night is set.
NIGHT = time(3)


@dataclass(frozen=True)
class Learning:
    """How the model learns: `retrain_after` assessments (0: not by number), nightly at `retrain_at` by the wall
    clock (None: only to forget); the precision wanted of what it is sure of; the share of complaints that may alert;
    the encoder of texts, "auto" for the one that is installed, if any, "none" for none.
    """

    retrain_after: int = 50
    retrain_at: time | None = NIGHT
    wanted_precision: float = WANTED_PRECISION
    alert_budget: float = ALERT_RATE
    encoder: str = "auto"


def besides(learning: Learning, languages: Sequence[str], own: Sequence[Mapping[str, Any]]) -> str:
    """A digest of what a run learns from besides the record and how: the settings and the own examples.

    The history is not in it: it changes by a promotion, and the model promoted has learnt from it.
    """
    said = [list(languages), learning.wanted_precision, learning.alert_budget, learning.encoder, list(own)]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_key(besides_record: str, everything: str) -> str:
    """The key of a run: the pipeline, the digest of what lies besides the record, and that of everything."""
    return f"{PIPELINE}:{besides_record}:{everything}"


def owe_first_training(store: Store, besides_record: str | None = None) -> None:
    """At the first start no model exists: owe one, made from the starter examples.

    After an upgrade that trains otherwise one is owed too, for the model of before may not be readable; and
    where settings or own examples are others than in the last run (None: nobody looked).
    """
    use = store.use_of_active()
    run = store.last_run()
    if use is None:
        store.insert(Owed("train:first", "train", store.now(), Lane.BULK))
    elif use[1] is None or _trained_otherwise(run):
        store.insert(Owed(f"train:pipeline:{PIPELINE}", "train", store.now(), Lane.BULK))
    elif run is not None and _differs(run, besides_record):
        # The run before is part of it, so that what was changed and changed back is owed once more.
        key = f"train:besides:{besides_record}:{run.until.isoformat()}"
        store.insert(Owed(key, "train", store.now(), Lane.BULK))


def owe_retraining(store: Store, learning: Learning, besides_record: str | None = None) -> None:
    """Owe a run where it is time for one; whoever asks, several processes and ticks make one.

    By number the key names the run before, by night the day. Words that were erased but that a model may hold
    owe one whatever the settings say, until no model holds them.
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
    local = wall(now, store.current_rulebook().calendar.zone)
    if local.time() < (learning.retrain_at or NIGHT):
        return
    changed = assessed > 0 or _differs(store.last_run(), besides_record)
    # Switched off or not: what was erased must leave the models too.
    if (learning.retrain_at is not None and changed) or store.models_with_erased_words():
        store.insert(Owed(f"train:{local:%Y-%m-%d}", "train", now, Lane.BULK))


def _since(store: Store) -> tuple[str, datetime] | None:
    """What the present model was made of, by name, and when that was read; None while there is no model."""
    run = store.last_run()
    if run is not None:
        return run.until.isoformat(), run.until
    use = store.use_of_active()
    return None if use is None else (use[0].isoformat(), use[0])


def _differs(run: Run | None, besides_record: str | None) -> bool:
    return run is not None and besides_record is not None and run.key.split(":")[1] != besides_record


def _trained_otherwise(run: Run | None) -> bool:
    return run is not None and not run.key.startswith(f"{PIPELINE}:")
