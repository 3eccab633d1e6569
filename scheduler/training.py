"""When a new model is owed: at the first start, after so many assessments, each night when something changed.

Training as an obligation: a process of its own at low priority, its candidate judged, kept in the store.

One at a time over all replicas: whoever trains holds a lease of that name, and renews both it and the duty's
while the process runs. A replica that dies leaves both to run out, and the next one begins anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Any

import structlog

from complaints.deadlines.local_time import wall
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.timestamps import format_time
from scheduler.worker import LEASE_SECONDS, Handler
from store.database.leases import acquire_leadership, release_leadership
from store.models.erased import drop_erased_words, list_models_with_erased_words
from store.models.examples import (
    LOOKED_AT,
    MOST,
    PAGE,
    After,
    Before,
    in_order,
    load_examples_page,
    load_unassessed_page,
)
from store.models.examples import MOST_UNASSESSED as UNASSESSED
from store.models.history import read_history_rows
from store.models.models import (
    TrainingRun,
    count_assessed_since,
    keep_run,
    load_active_use,
    load_good_model,
    load_last_run,
    load_learnt_until,
    read_model_blob,
)
from store.outbox.complete import renew_leases
from store.outbox.outcomes import Completed, Outcome, Rescheduled, Retry
from store.outbox.rows import insert_obligation
from store.rulebooks import load_current_rulebook
from store.store import Store
from store.values import Obligation
from triage.learning.training import ALERT_RATE, PIPELINE, WANTED_PRECISION
from triage.model.linear import BELOW

#: When what was erased leaves the models, where no other time of the night is set.
NIGHT = time(3)


@dataclass(frozen=True)
class LearningSettings:
    """How the model learns: `retrain_after` assessments (0: not by number), nightly at `retrain_at` by the wall
    clock (None: only to forget); the precision wanted of what it is sure of; the share of complaints that may alert;
    the encoder of texts, "auto" for the one that is installed, if any, "none" for none.
    """

    retrain_after: int = 50
    retrain_at: time | None = NIGHT
    wanted_precision: float = WANTED_PRECISION
    alert_budget: float = ALERT_RATE
    encoder: str = "auto"


def besides(learning: LearningSettings, languages: Sequence[str], own: Sequence[Mapping[str, Any]]) -> str:
    """A digest of what a run learns from besides the record and how: the settings and the own examples.

    The history is not in it: it changes by a promotion, and the model promoted has learnt from it.
    """
    said = [list(languages), learning.wanted_precision, learning.alert_budget, learning.encoder, list(own)]
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_key(besides_record: str, everything: str) -> str:
    """The key of a run: the pipeline, the digest of what lies besides the record, and that of everything."""
    return f"{PIPELINE}:{besides_record}:{everything}"


def schedule_first_training(store: Store, besides_record: str | None = None) -> None:
    """At the first start no model exists: owe one, made from the starter examples.

    After an upgrade that trains otherwise one is owed too, for the model of before may not be readable; and
    where settings or own examples are others than in the last run (None: nobody looked).
    """
    use = store.read(load_active_use)
    run = store.read(load_last_run)
    if use is None:
        store.write(insert_obligation, NewObligation("train:first", "train", store.now(), SendPriority.BULK))
    elif use[1] is None or _trained_otherwise(run):
        store.write(
            insert_obligation,
            NewObligation(f"train:pipeline:{PIPELINE}", "train", store.now(), SendPriority.BULK),
        )
    elif run is not None and _differs(run, besides_record):
        # The run before is part of it, so that what was changed and changed back is owed once more.
        key = f"train:besides:{besides_record}:{run.until.isoformat()}"
        store.write(insert_obligation, NewObligation(key, "train", store.now(), SendPriority.BULK))


def schedule_retraining(store: Store, learning: LearningSettings, besides_record: str | None = None) -> None:
    """Owe a run where it is time for one; whoever asks, several processes and ticks make one.

    By number the key names the run before, by night the day. Words that were erased but that a model may hold
    owe one whatever the settings say, until no model holds them.
    """
    since = _since(store)
    if since is None:
        return
    marker, at = since
    now = store.now()
    assessed = store.read(count_assessed_since, at)
    if learning.retrain_after and assessed >= learning.retrain_after:
        store.write(
            insert_obligation, NewObligation(f"train:after:{marker}", "train", now, SendPriority.BULK)
        )
        return
    local = wall(now, store.read(load_current_rulebook).calendar.zone)
    if local.time() < (learning.retrain_at or NIGHT):
        return
    changed = assessed > 0 or _differs(store.read(load_last_run), besides_record)
    # Switched off or not: what was erased must leave the models too.
    if (learning.retrain_at is not None and changed) or store.read(list_models_with_erased_words):
        store.write(
            insert_obligation, NewObligation(f"train:{local:%Y-%m-%d}", "train", now, SendPriority.BULK)
        )


def _since(store: Store) -> tuple[str, datetime] | None:
    """What the present model was made of, by name, and when that was read; None while there is no model."""
    run = store.read(load_last_run)
    if run is not None:
        return run.until.isoformat(), run.until
    use = store.read(load_active_use)
    return None if use is None else (use[0].isoformat(), use[0])


def _differs(run: TrainingRun | None, besides_record: str | None) -> bool:
    return run is not None and besides_record is not None and run.key.split(":")[1] != besides_record


def _trained_otherwise(run: TrainingRun | None) -> bool:
    return run is not None and not run.key.startswith(f"{PIPELINE}:")


log = structlog.get_logger(__name__)

#: Who trains, of all replicas. Short, so that a dead one is not waited for long.
TRAINER, HELD_SECONDS = "trainer", 30.0
BEAT_SECONDS = 10.0
#: 20,000 rows take minutes; what takes this long hangs.
LONGEST_SECONDS = 7200.0
PATIENCE = timedelta(seconds=30)

#: The organisation's own labelled examples, read anew for each run: text, category, severity, language.
Own = Callable[[], Sequence[Mapping[str, Any]]]
#: How far everything else goes first: training has all night. The first model takes seconds of one core, and every
#: first card waits for it, for where a complaint may be seen is decided before its first post.
NICE, NICE_FIRST = 15, 0
#: The order and how nice to be in; the artefact, card and verdict, and what went wrong out.
Process = Callable[[bytes, int], Awaitable[tuple[bytes, dict[str, Any], str | None]]]


def none_of_its_own() -> Sequence[Mapping[str, Any]]:
    """An organisation without example files."""
    return ()


def training(
    store: Store,
    *,
    languages: tuple[str, ...],
    learning: LearningSettings | None = None,
    own: Own = none_of_its_own,
    process: Process | None = None,
    beat_seconds: float = BEAT_SECONDS,
) -> Mapping[str, Handler]:
    """The performer of kind `train`; `process` is what takes the order, else one of its own."""
    trainer = _Trainer(store, languages, learning or LearningSettings(), own, process or _in_process)

    async def train(one: Obligation) -> Outcome:
        holder = secrets.token_hex(8)
        if await store.awrite(acquire_leadership, TRAINER, holder, HELD_SECONDS) is None:
            return Rescheduled(store.now() + PATIENCE, "another process is training")
        work = asyncio.create_task(trainer.run(one))
        try:
            while not (await asyncio.wait({work}, timeout=beat_seconds))[0]:
                if not await store.in_thread(_still_ours, store, one, holder):
                    log.warning("training_left_to_another", id=one.id)
                    return Completed(settled=True)
            return work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await store.awrite(release_leadership, TRAINER, holder)

    return {"train": train}


def _still_ours(store: Store, one: Obligation, holder: str) -> bool:
    """Hold on to both leases; False where another process has taken over after we were stopped for long."""
    held = store.write(acquire_leadership, TRAINER, holder, HELD_SECONDS) is not None
    return held and store.write(renew_leases, [one.id], LEASE_SECONDS) > 0


class _Trainer:
    """What a run needs; holds nothing between runs."""

    def __init__(
        self, store: Store, languages: tuple[str, ...], learning: LearningSettings, own: Own, process: Process
    ) -> None:
        self._store, self._languages, self._learning = store, languages, learning
        self._own, self._process = own, process

    async def run(self, one: Obligation) -> Outcome:
        """Read, train, judge, keep. What was learnt from before to the letter is settled at once."""
        store = self._store
        # First, for what is erased after it must count as learnt from.
        until = store.now()
        erased = await store.awrite(drop_erased_words)
        rows = await self._rows()
        own = [dict(example) for example in await asyncio.to_thread(self._own)]
        order: dict[str, Any] = {
            "languages": list(self._languages),
            "own": own,
            "rows": rows,
            "history": await store.aread(read_history_rows, MOST - len(rows)),
            "wanted_precision": self._learning.wanted_precision,
            "alert_budget": self._learning.alert_budget,
            "encoder": self._learning.encoder,
        }
        active = await store.aread(load_good_model)
        known = besides(self._learning, self._languages, own)
        key = run_key(known, await asyncio.to_thread(_digest, order))
        last = await store.aread(load_last_run)
        # Only the last one counts: what was changed and changed back is to be used again.
        if active is not None and not erased and last is not None and last.key == key:
            log.info("training_was_done", id=one.id)
            return Completed()
        blob = b"" if active is None else await store.aread(read_model_blob, active.number)
        # After the key: what else came in is no reason to learn anew.
        order["unlabelled"] = await self._unassessed() if len(rows) < BELOW else []
        order["erased"] = erased
        order["in_use"] = None if active is None else await self._seen(active.number)
        head = await asyncio.to_thread(lambda: json.dumps(order).encode())
        made, said, wrong = await self._process(head + b"\n" + blob, NICE_FIRST if active is None else NICE)
        if wrong:
            log.error("training_failed", id=one.id, why=wrong)
            return Retry(wrong)
        verdict = said["verdict"]
        run = TrainingRun(key, until, len(rows), verdict["passes"], verdict)
        sha256 = hashlib.sha256(made).hexdigest()
        how = "made_anew" if run.made_anew else "trained"
        await store.awrite(
            keep_run, run, made, sha256, said["card"], activate=run.passes, how=how, by="system"
        )
        if run.passes and not run.made_anew:
            log.info("model_trained", sha256=sha256, examples=len(rows), until=format_time(until))
        else:
            told = "model_made_anew" if run.passes else "model_turned_away"
            log.warning(told, sha256=sha256, examples=len(rows), reasons=verdict["reasons"])
        return Completed()

    async def _rows(self) -> list[dict[str, Any]]:
        """Page by page, so that a stop is not kept waiting and no reader's thread is held."""
        store = self._store
        found: list[dict[str, Any]] = []
        after: After | None = None
        while True:
            some, after = await store.aread(load_examples_page, after)
            found += [{name: one[name] for name in _TOLD} for one in some]
            if after is None or len(found) >= MOST:
                return in_order(found)

    async def _unassessed(self) -> list[str]:
        """What was told in the newest complaints that nobody has assessed."""
        store = self._store
        found: list[str] = []
        before: Before | None = None
        for _ in range(LOOKED_AT // PAGE):
            some, before = await store.aread(load_unassessed_page, before)
            found += some
            if before is None or len(found) >= UNASSESSED:
                break
        return found[:UNASSESSED]

    async def _seen(self, number: int) -> Mapping[str, Any]:
        until, ours = await self._store.aread(load_learnt_until, number)
        return {"until": None if until is None else until.isoformat(), "ours": ours}


#: What of an example training needs to know; who confirmed it, and why, stays in the record.
_TOLD = ("ref", "at", "whole", "text", "category", "severity", "language")


def _digest(order: Mapping[str, Any]) -> str:
    """Of everything that is learnt from."""
    said = json.dumps(order, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


async def _in_process(order: bytes, nice: int) -> tuple[bytes, dict[str, Any], str | None]:
    """Run `python -m triage` with the order on standard input; (artefact, card and verdict, error)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "triage",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=partial(os.nice, nice),
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            out, said = await process.communicate(order)
    except TimeoutError:
        return b"", {}, f"it took longer than {LONGEST_SECONDS:.0f} s"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines()
        return b"", {}, lines[-1] if lines else f"exit code {process.returncode}"
    header, _, blob = out.partition(b"\n")
    return blob, json.loads(header), None
