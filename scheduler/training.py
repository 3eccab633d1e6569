"""Training as an obligation: a process of its own at low priority, its candidate judged, kept in the store.

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
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from complaints.doing import stamp
from scheduler.performing import LEASE_SECONDS, Perform
from scheduler.retraining import Learning, besides, run_key
from store.examples import MOST, PAGE, After, in_order
from store.models import Run
from store.open import Store
from store.outcomes import Done, Later, Outcome, Retry
from store.unassessed import LOOKED_AT, Before
from store.unassessed import MOST as UNASSESSED
from store.values import Obligation
from triage.latent import BELOW

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
    learning: Learning | None = None,
    own: Own = none_of_its_own,
    process: Process | None = None,
    beat_seconds: float = BEAT_SECONDS,
) -> Mapping[str, Perform]:
    """The performer of kind `train`; `process` is what takes the order, else one of its own."""
    trainer = _Trainer(store, languages, learning or Learning(), own, process or _in_process)

    async def train(one: Obligation) -> Outcome:
        holder = secrets.token_hex(8)
        if await store.in_thread(store.lead, TRAINER, holder, HELD_SECONDS) is None:
            return Later(store.now() + PATIENCE, "another process is training")
        work = asyncio.create_task(trainer.run(one))
        try:
            while not (await asyncio.wait({work}, timeout=beat_seconds))[0]:
                if not await store.in_thread(_still_ours, store, one, holder):
                    log.warning("training_left_to_another", id=one.id)
                    return Done(settled=True)
            return work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await store.in_thread(store.let_go, TRAINER, holder)

    return {"train": train}


def _still_ours(store: Store, one: Obligation, holder: str) -> bool:
    """Hold on to both leases; False where another process has taken over after we were stopped for long."""
    held = store.lead(TRAINER, holder, HELD_SECONDS) is not None
    return held and store.renew([one.id], LEASE_SECONDS) > 0


class _Trainer:
    """What a run needs; holds nothing between runs."""

    def __init__(
        self, store: Store, languages: tuple[str, ...], learning: Learning, own: Own, process: Process
    ) -> None:
        self._store, self._languages, self._learning = store, languages, learning
        self._own, self._process = own, process

    async def run(self, one: Obligation) -> Outcome:
        """Read, train, judge, keep. What was learnt from before to the letter is settled at once."""
        store = self._store
        # First, for what is erased after it must count as learnt from.
        until = store.now()
        erased = await store.in_thread(store.drop_erased_words)
        rows = await self._rows()
        own = [dict(example) for example in await asyncio.to_thread(self._own)]
        order: dict[str, Any] = {
            "languages": list(self._languages),
            "own": own,
            "rows": rows,
            "history": await store.in_thread(store.history_rows, MOST - len(rows)),
            "wanted_precision": self._learning.wanted_precision,
            "alert_budget": self._learning.alert_budget,
            "encoder": self._learning.encoder,
        }
        active = await store.in_thread(store.good_model)
        known = besides(self._learning, self._languages, own)
        key = run_key(known, await asyncio.to_thread(_digest, order))
        last = await store.in_thread(store.last_run)
        # Only the last one counts: what was changed and changed back is to be used again.
        if active is not None and not erased and last is not None and last.key == key:
            log.info("training_was_done", id=one.id)
            return Done()
        blob = b"" if active is None else await store.in_thread(store.model_blob, active.number)
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
        run = Run(key, until, len(rows), verdict["passes"], verdict)
        sha256 = hashlib.sha256(made).hexdigest()
        how = "made_anew" if run.made_anew else "trained"
        await store.in_thread(
            store.keep_run, run, made, sha256, said["card"], activate=run.passes, how=how, by="system"
        )
        if run.passes and not run.made_anew:
            log.info("model_trained", sha256=sha256, examples=len(rows), until=stamp(until))
        else:
            told = "model_made_anew" if run.passes else "model_turned_away"
            log.warning(told, sha256=sha256, examples=len(rows), reasons=verdict["reasons"])
        return Done()

    async def _rows(self) -> list[dict[str, Any]]:
        """Page by page, so that a stop is not kept waiting and no reader's thread is held."""
        store = self._store
        found: list[dict[str, Any]] = []
        after: After | None = None
        while True:
            some, after = await store.in_thread(store.examples_page, after)
            found += [{name: one[name] for name in _TOLD} for one in some]
            if after is None or len(found) >= MOST:
                return in_order(found)

    async def _unassessed(self) -> list[str]:
        """What was told in the newest complaints that nobody has assessed."""
        store = self._store
        found: list[str] = []
        before: Before | None = None
        for _ in range(LOOKED_AT // PAGE):
            some, before = await store.in_thread(store.unassessed_page, before)
            found += some
            if before is None or len(found) >= UNASSESSED:
                break
        return found[:UNASSESSED]

    async def _seen(self, number: int) -> Mapping[str, Any]:
        until, ours = await self._store.in_thread(self._store.learnt_until, number)
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
