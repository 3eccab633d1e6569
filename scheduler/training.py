"""Training as an obligation: a process of its own at low priority, its model kept in the store."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import structlog

from complaints.duties import Lane, Owed
from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Outcome, Retry
from store.values import Obligation

log = structlog.get_logger(__name__)


def owe_first_training(store: Store) -> None:
    """At the first start no model exists: owe one, made from the starter examples."""
    if store.active_model() is None:
        store.insert(Owed("train:first", "train", store.now(), Lane.BULK))


def training(store: Store, *, languages: tuple[str, ...]) -> Mapping[str, Perform]:
    """The performer of kind `train`."""

    async def train(one: Obligation) -> Outcome:
        examples = await store.in_thread(store.examples)
        order = {"languages": list(languages), "examples": [dict(example) for example in examples]}
        blob, card, wrong = await _in_process(json.dumps(order).encode())
        if wrong:
            log.error("training_failed", id=one.id, why=wrong)
            return Retry(wrong)
        sha256 = hashlib.sha256(blob).hexdigest()
        await store.in_thread(store.keep_model, blob, sha256, card, activate=True)
        log.info("model_trained", sha256=sha256, examples=len(examples), at=datetime.now(UTC).isoformat())
        return Done()

    return {"train": train}


async def _in_process(order: bytes) -> tuple[bytes, dict[str, object], str | None]:
    """Run `python -m triage` with the order on standard input; (artefact, card, error)."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "triage",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_politely,
        env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    try:
        out, said = await process.communicate(order)
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        lines = said.decode(errors="replace").strip().splitlines()
        return b"", {}, lines[-1] if lines else f"exit code {process.returncode}"
    header, _, blob = out.partition(b"\n")
    return blob, json.loads(header), None


def _politely() -> None:
    """Everything else goes first: training has all night."""
    os.nice(15)
