"""When a training run is scheduled, and the handler that trains in a process of its own.

A run is scheduled at the first start, after a number of assessments, and each night if something changed. Only one
process trains at a time: it holds a lease, and renews that and the lease of the obligation until the run ends.
"""

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

from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.rulebook import categories_of
from complaints.times import format_time, local_time
from scheduler.worker import LEASE_SECONDS, Handler
from store.database.leases import acquire_leadership, release_leadership
from store.models.erased import drop_erased_words, list_models_with_erased_words
from store.models.models import (
    TrainingRun,
    count_assessed_since,
    digest_data,
    keep_run,
    load_active_use,
    load_intact_model,
    load_last_run,
    load_learnt_until,
    read_model_blob,
)
from store.models.training_examples import (
    LOOKED_AT,
    MOST,
    PAGE,
    After,
    Before,
    in_order,
    load_examples_page,
    load_unassessed_page,
    read_history_rows,
)
from store.models.training_examples import MOST_UNASSESSED as UNASSESSED
from store.outbox.complete import Completed, Outcome, Rescheduled, Retry, renew_leases
from store.outbox.rows import insert_obligation
from store.rulebooks import load_current_rulebook
from store.store import Store
from store.values import Obligation
from triage.defaults import ALERT_RATE, LATENT_BELOW, PIPELINE, WANTED_PRECISION

#: When erased words leave the models, if the settings have no other time of the night.
NIGHT = time(3)

#: The lease of the process that trains, in seconds, and how often it is renewed. Short, so that the work of a dead
#: process is taken over soon.
TRAINER, LEADER_SECONDS = "trainer", 30.0
RENEW_SECONDS = 10.0
#: Training with 20,000 rows takes minutes; after two hours it hangs.
TIMEOUT_SECONDS = 7200.0
#: How long to wait while another process trains.
RETRY_WHILE_BUSY = timedelta(seconds=30)
#: Niceness of the training process. The first model takes some seconds of one core, and every first card waits for
#: it, because the proposal decides who may see a complaint.
NICE, NICE_FIRST = 15, 0
#: The fields of an example that training needs. Who confirmed it, and why, stays in the record.
_EXAMPLE_FIELDS = ("ref", "at", "whole", "text", "category", "severity", "language", "person")

#: Reads the organisation's own labelled examples (text, category, severity, language); called for each run.
OwnExamples = Callable[[], Sequence[Mapping[str, Any]]]
#: Runs a training process. Takes the order and the niceness; returns the artefact, the card with the verdict, and the
#: error or None.
Process = Callable[[bytes, int], Awaitable[tuple[bytes, dict[str, Any], str | None]]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LearningSettings:
    """How the model learns.

    A run starts after `retrain_after` assessments (0: never), and nightly at `retrain_at` by local time (None: only
    to remove erased words). `wanted_precision` is the precision of confident proposals, `alert_budget` the share of
    complaints that may alert. `encoder` is "auto" for the installed text encoder, if any, or "none".
    """

    retrain_after: int = 50
    retrain_at: time | None = NIGHT
    wanted_precision: float = WANTED_PRECISION
    alert_budget: float = ALERT_RATE
    encoder: str = "auto"


def digest_settings(
    learning: LearningSettings, languages: Sequence[str], own: Sequence[Mapping[str, Any]]
) -> str:
    """A digest of what a run learns from apart from the record: the settings and the organisation's own examples.

    The training history is left out: it changes when a model is promoted, and that model has learned from it.
    """
    inputs = [list(languages), learning.wanted_precision, learning.alert_budget, learning.encoder, list(own)]
    return _digest(inputs)[:16]


def schedule_first_training(store: Store, settings_digest: str | None = None) -> None:
    """Schedule a training run at the start, if one is needed.

    It is needed when there is no model; it then learns from the starter examples. It is also needed when an upgrade
    changed the pipeline, because the old model may be unreadable. The third reason is a digest that differs from the
    last run's (None: not checked).
    """
    use = store.read(load_active_use)
    run = store.read(load_last_run)
    if use is None:
        store.write(insert_obligation, NewObligation("train:first", "train", store.now(), SendPriority.BULK))
    elif _has_other_pipeline(run):
        key = f"train:pipeline:{PIPELINE}"
        store.write(insert_obligation, NewObligation(key, "train", store.now(), SendPriority.BULK))
    elif run is not None and _differs(run, settings_digest):
        # The last run is part of the key, so that a change and its reversal schedule a run each.
        key = f"train:besides:{settings_digest}:{run.until.isoformat()}"
        store.write(insert_obligation, NewObligation(key, "train", store.now(), SendPriority.BULK))


def schedule_retraining(store: Store, learning: LearningSettings, settings_digest: str | None = None) -> None:
    """Schedule a training run if it is time for one.

    The key names the last run or the day, so that several processes and ticks make one run. While a model may still
    hold erased words, a run is scheduled, even if the settings switch training off.
    """
    last_run = _last_run(store)
    if last_run is None:
        return
    marker, read_at = last_run
    assessed = store.read(count_assessed_since, read_at)
    if learning.retrain_after and assessed >= learning.retrain_after:
        key = f"train:after:{marker}"
        store.write(insert_obligation, NewObligation(key, "train", store.now(), SendPriority.BULK))
        return
    local = local_time(store.now(), store.read(load_current_rulebook).calendar.zone)
    if local.time() < (learning.retrain_at or NIGHT):
        return
    changed = assessed > 0 or _differs(store.read(load_last_run), settings_digest)
    # Even if nightly training is off, erased words must leave the models.
    if (learning.retrain_at is not None and changed) or store.read(list_models_with_erased_words):
        key = f"train:{local:%Y-%m-%d}"
        store.write(insert_obligation, NewObligation(key, "train", store.now(), SendPriority.BULK))


def _last_run(store: Store) -> tuple[str, datetime] | None:
    """A name for what the active model has learned from, and when that was read; None while there is no model."""
    run = store.read(load_last_run)
    if run is not None:
        return run.until.isoformat(), run.until
    use = store.read(load_active_use)
    return None if use is None else (use[0].isoformat(), use[0])


def _differs(run: TrainingRun | None, settings_digest: str | None) -> bool:
    return run is not None and settings_digest is not None and run.key.split(":")[1] != settings_digest


def _has_other_pipeline(run: TrainingRun | None) -> bool:
    return run is not None and not run.key.startswith(f"{PIPELINE}:")


def training_handlers(
    store: Store,
    *,
    languages: tuple[str, ...],
    learning: LearningSettings | None = None,
    own: OwnExamples = tuple,
    process: Process | None = None,
    beat_seconds: float = RENEW_SECONDS,
) -> Mapping[str, Handler]:
    """The handler of kind `train`; `process` replaces the training process in tests."""
    trainer = _Trainer(store, languages, learning or LearningSettings(), own, process or _run_process)

    async def train(obligation: Obligation) -> Outcome:
        holder = secrets.token_hex(8)
        if await store.awrite(acquire_leadership, TRAINER, holder, LEADER_SECONDS) is None:
            return Rescheduled(store.now() + RETRY_WHILE_BUSY, "another process is training")
        work = asyncio.create_task(trainer.run(obligation))
        try:
            while not (await asyncio.wait({work}, timeout=beat_seconds))[0]:
                if not await store.in_thread(_renew, store, obligation, holder):
                    log.warning("training_left_to_another", id=obligation.id)
                    return Completed(settled=True)
            return work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await store.awrite(release_leadership, TRAINER, holder)

    return {"train": train}


def _renew(store: Store, obligation: Obligation, holder: str) -> bool:
    """Renew both leases; False if this process stood still for so long that another took over."""
    is_leader = store.write(acquire_leadership, TRAINER, holder, LEADER_SECONDS) is not None
    return is_leader and store.write(renew_leases, [obligation.id], LEASE_SECONDS) > 0


class _Trainer:
    """One training run after another; keeps nothing between runs."""

    def __init__(
        self,
        store: Store,
        languages: tuple[str, ...],
        learning: LearningSettings,
        own: OwnExamples,
        process: Process,
    ) -> None:
        self._store, self._languages, self._learning = store, languages, learning
        self._own, self._process = own, process

    async def run(self, obligation: Obligation) -> Outcome:
        """Read the examples, train and evaluate a candidate, and keep it; skipped if nothing has changed."""
        store = self._store
        # Read first: words erased after this moment must count as learned.
        until = store.now()
        erased = await store.awrite(drop_erased_words)
        rows = await self._rows()
        own = [dict(example) for example in await asyncio.to_thread(self._own)]
        order: dict[str, Any] = {
            "languages": list(self._languages),
            "own": own,
            "rows": rows,
            "history": await self._history(MOST - len(rows)),
            "wanted_precision": self._learning.wanted_precision,
            "alert_budget": self._learning.alert_budget,
            "encoder": self._learning.encoder,
        }
        active = await store.aread(load_intact_model)
        settings_digest = digest_settings(self._learning, self._languages, own)
        data = await store.aread(digest_data, await asyncio.to_thread(_digest, order))
        key = f"{PIPELINE}:{settings_digest}:{data}"
        last_run = await store.aread(load_last_run)
        # Compared with the last run only: after a change and its reversal the old model must be used again.
        if active is not None and not erased and last_run is not None and last_run.key == key:
            log.info("training_was_done", id=obligation.id)
            return Completed()
        blob = b"" if active is None else await store.aread(read_model_blob, active.number)
        # Added after the key: new complaints without an assessment are no reason for a run.
        order["unlabelled"] = await self._unassessed() if len(rows) < LATENT_BELOW else []
        order["erased"] = erased
        order["in_use"] = None if active is None else await self._learned_until(active.number)
        header = await asyncio.to_thread(lambda: json.dumps(order).encode())
        nice = NICE_FIRST if active is None else NICE
        artefact, result, error = await self._process(header + b"\n" + blob, nice)
        if error:
            log.error("training_failed", id=obligation.id, why=error)
            return Retry(error)
        verdict = result["verdict"]
        run = TrainingRun(key, until, len(rows), verdict["passes"], verdict)
        sha256 = hashlib.sha256(artefact).hexdigest()
        how = "made_anew" if run.made_anew else "trained"
        await store.awrite(
            keep_run, run, artefact, sha256, result["card"], activate=run.passes, how=how, by="system"
        )
        if run.passes and not run.made_anew:
            log.info("model_trained", sha256=sha256, examples=len(rows), until=format_time(until))
        else:
            event = "model_made_anew" if run.passes else "model_turned_away"
            log.warning(event, sha256=sha256, examples=len(rows), reasons=verdict["reasons"])
        return Completed()

    async def _rows(self) -> list[dict[str, Any]]:
        """The confirmed examples, read in pages, so that no reader thread is busy for long and a stop is quick."""
        store = self._store
        rows: list[dict[str, Any]] = []
        after: After | None = None
        while True:
            page, after = await store.aread(load_examples_page, after)
            rows += [{name: example[name] for name in _EXAMPLE_FIELDS} for example in page]
            if after is None or len(rows) >= MOST:
                return in_order(rows)

    async def _history(self, limit: int) -> list[dict[str, Any]]:
        """The promoted rows whose label is still a category of the desk."""
        rows = await self._store.aread(read_history_rows, limit)
        if not rows:
            return []
        categories = categories_of(await self._store.aread(load_current_rulebook))
        kept = [row for row in rows if row["category"] in categories]
        if len(kept) < len(rows):
            log.warning("history_rows_left_out", rows=len(rows) - len(kept), why="no category of this desk")
        return kept

    async def _unassessed(self) -> list[tuple[str, str]]:
        """Masked words of unassessed complaints, each with its complainant's id."""
        store = self._store
        texts: list[tuple[str, str]] = []
        before: Before | None = None
        for _ in range(LOOKED_AT // PAGE):
            page, before = await store.aread(load_unassessed_page, before)
            texts += page
            if before is None or len(texts) >= UNASSESSED:
                break
        return texts[:UNASSESSED]

    async def _learned_until(self, number: int) -> Mapping[str, Any]:
        until, is_own = await self._store.aread(load_learnt_until, number)
        return {"until": None if until is None else until.isoformat(), "ours": is_own}


def _digest(content: Any) -> str:
    text = json.dumps(content, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


async def _run_process(order: bytes, nice: int) -> tuple[bytes, dict[str, Any], str | None]:
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
        async with asyncio.timeout(TIMEOUT_SECONDS):
            output, errors = await process.communicate(order)
    except TimeoutError:
        return b"", {}, f"it took longer than {TIMEOUT_SECONDS:.0f} s"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        lines = errors.decode(errors="replace").strip().splitlines()
        return b"", {}, lines[-1] if lines else f"exit code {process.returncode}"
    header, _, artefact = output.partition(b"\n")
    return artefact, json.loads(header), None
