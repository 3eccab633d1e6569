"""The model's proposal for the initial assessment (7.5): owed, made in a thread of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from complaints.people import MODEL
from complaints.rulebook import Danger
from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Later, Outcome
from store.values import Obligation
from triage.artefact import load
from triage.pipeline import Model
from triage.proposal import Proposal, propose
from triage.safety import DangerSign, own_sign
from triage.sketch import sketch

#: While the first model is still being trained a proposal waits a little; after that the rules alone propose.
PATIENCE = timedelta(seconds=40)


class Proposing:
    """Holds the model in use, loaded again only when the store says that another one is active."""

    def __init__(self, store: Store, *, languages: tuple[str, ...], danger: tuple[Danger, ...]) -> None:
        self._store = store
        self._languages = languages
        self._danger = tuple(danger_sign(one) for one in danger)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="triage")
        self._loaded: tuple[str, Model] | None = None

    def performers(self) -> Mapping[str, Perform]:
        """The performer of kind `propose`."""
        return {"propose": self._perform}

    async def _perform(self, one: Obligation) -> Outcome:
        store, ref = self._store, str(one.ref)
        model = await self._model()
        if model is None and store.now() < one.due + PATIENCE:
            return Later(store.now() + timedelta(seconds=3), "the first model is being trained")
        case = await store.in_thread(store.case, ref)
        texts = await store.in_thread(store.texts, ref)
        story = "\n".join(text.text for text in texts)
        loop = asyncio.get_running_loop()
        proposal = await loop.run_in_executor(self._thread, self._propose, model, story)
        await store.in_thread(
            store.propose,
            ref,
            MODEL,
            proposal_facts(proposal, words=case.words),
            reasons(proposal),
            sketch=sketch(story),
            key=one.key,
            settles=one.id,
        )
        return Done(settled=True)

    def _propose(self, model: Model | None, story: str) -> Proposal:
        return propose(model, story, languages=self._languages, danger=self._danger)

    async def _model(self) -> Model | None:
        active = await self._store.in_thread(self._store.active_model)
        if active is None:
            return None
        sha256, _, number = active
        if self._loaded is None or self._loaded[0] != sha256:
            blob = await self._store.in_thread(self._store.model_blob, number)
            loop = asyncio.get_running_loop()
            model = await loop.run_in_executor(self._thread, lambda: load(blob, sha256=sha256))
            self._loaded = (sha256, model)
        return self._loaded[1]

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def danger_sign(one: Danger) -> DangerSign:
    """An organisation's own sign as the rules take it."""
    return own_sign(one.signs, one.number, one.text)


def proposal_facts(proposal: Proposal, *, words: int) -> dict[str, Any]:
    """The codes and figures of a proposal: what may stand in an event and on a card, no words."""
    said = proposal.as_json()
    return {
        "words": words,
        "category": said["category"],
        "probability": round(said["probability"], 4),
        "alternatives": [
            {"category": one["category"], "probability": round(one["probability"], 4)}
            for one in said["alternatives"]
        ],
        "severity": said["severity"],
        "safety": said["safety"],
        "abstained": said["abstained"],
        "restricted": said["restricted"],
        "rules": list(said["rules"]),
        "model": said["model_version"],
    }


def reasons(proposal: Proposal) -> dict[str, str]:
    """The words for and against with their weights, as sealed words; all else stands in the facts."""
    return {"because": json.dumps(proposal.as_json()["because"], ensure_ascii=False)}
