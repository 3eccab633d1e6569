"""The model in use as this process holds it: loaded once, and never lost to a damaged file (docs/design.md, rule 6).

The model's proposal for the initial assessment (7.5): owed, made in a thread of its own.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog

from complaints.actors import MODEL
from complaints.case import Case
from complaints.deadlines.local_time import wall
from complaints.rulebook import Danger, categories_of
from scheduler.worker import Handler
from store.cases.propose import propose as store_propose
from store.cases.read import load_case
from store.models.models import load_active_model, read_model_blob, was_used_before
from store.outbox.outcomes import Completed, Outcome, Rescheduled
from store.rulebooks import load_current_rulebooks
from store.similarity.similar import is_similar_confirmed
from store.store import Store
from store.texts import load_texts
from store.values import Obligation
from triage.errors import UnreadableModel
from triage.model.artefact import load
from triage.model.pipeline import Model
from triage.proposal import About, Proposal, propose
from triage.safety.signs import DangerSign, own_sign
from triage.similarity import sketch

log = structlog.get_logger(__name__)


class ActiveModel:
    """Loads another model only when the store says that another is active.

    One that cannot be read is told once in the log, and the last good one goes on: the one loaded before, else
    the newest used before it that can be read; with none of them the rules alone propose.
    """

    def __init__(self, store: Store, thread: Executor) -> None:
        self._store, self._thread = store, thread
        self._loaded: tuple[str, Model] | None = None
        self._refused: set[str] = set()

    async def model(self) -> Model | None:
        """The model to propose with; None where there is none that can be read."""
        active = await self._store.aread(load_active_model)
        if active is None:
            return None
        sha256, _, number = active
        if sha256 not in self._refused and (self._loaded is None or self._loaded[0] != sha256):
            await self._try(number, sha256)
        if self._loaded is None:
            await self._fall_back()
        return None if self._loaded is None else self._loaded[1]

    async def _fall_back(self) -> None:
        for number, sha256 in await self._store.aread(was_used_before):
            if sha256 not in self._refused and await self._try(number, sha256):
                log.warning("model_before_used", sha256=sha256)
                return

    async def _try(self, number: int, sha256: str) -> bool:
        blob = await self._store.aread(read_model_blob, number)
        try:
            model = await _in(self._thread, lambda: load(blob, sha256=sha256))
        except UnreadableModel as wrong:
            self._refused.add(sha256)
            log.error("model_refused", sha256=sha256, why=str(wrong))
            return False
        self._loaded = (sha256, model)
        return True


def _in(thread: Executor, call: Callable[[], Model]) -> Awaitable[Model]:
    return asyncio.get_running_loop().run_in_executor(thread, call)


#: While the first model is still being trained a proposal waits until so long after the last words; after that the
#: rules alone propose. Not counted from when it is due: each time that it waits it is due anew.
PATIENCE = timedelta(seconds=60)


class ProposalHandler:
    """Makes proposals with the model in use, in a thread of its own."""

    def __init__(self, store: Store, *, languages: tuple[str, ...]) -> None:
        self._store = store
        self._languages = languages
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="triage")
        self._in_use = ActiveModel(store, self._thread)

    def performers(self) -> Mapping[str, Handler]:
        """The performer of kind `propose`."""
        return {"propose": self._perform}

    async def _perform(self, one: Obligation) -> Outcome:
        store, ref = self._store, str(one.ref)
        model = await self._in_use.model()
        case = await store.aread(load_case, ref)
        if model is None and store.now() < (case.last_words_at or case.logged_at) + PATIENCE:
            return Rescheduled(store.now() + timedelta(seconds=3), "the first model is being trained")
        rules = (await store.aread(load_current_rulebooks)).today(case.rules)
        texts = await store.aread(load_texts, ref)
        story = "\n".join(text.text for text in texts)
        loop = asyncio.get_running_loop()
        drawn = sketch(story)
        known = replace(
            about(case, languages=self._languages, danger=[danger_sign(one) for one in rules.danger]),
            like_confirmed=await store.aread(is_similar_confirmed, ref, drawn),
        )
        proposal = await loop.run_in_executor(self._thread, propose, model, story, known)
        await store.awrite(
            store_propose,
            ref,
            MODEL,
            proposal_facts(proposal, words=case.words),
            words_behind(proposal),
            sketch=drawn,
            key=one.key,
            settles=one.id,
        )
        return Completed(settled=True)

    def close(self) -> None:
        """Let the thread end."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def about(case: Case, *, languages: Sequence[str], danger: Sequence[DangerSign]) -> About:
    """What triage may know of a complaint beside its words."""
    received = wall(case.received_at, case.rules.calendar.zone).date()
    return About(
        languages,
        danger,
        country=case.rules.country,
        received=received,
        ref=case.ref,
        categories=categories_of(case.rules),
    )


def danger_sign(one: Danger) -> DangerSign:
    """An organisation's own sign as the rules take it."""
    return own_sign(one.signs, one.number, one.text)


def proposal_facts(proposal: Proposal, *, words: int) -> dict[str, Any]:
    """The codes and figures of a proposal: what may stand in an event and on a card, no words."""
    said = proposal.as_json()
    same = ("category", "alternatives", "severity", "safety", "abstained", "restricted", "rules")
    return {
        "words": words,
        **{name: said[name] for name in same},
        "probability": round(said["probability"], 4),
        "intent": said["intent"],
        "intent_probability": said["intent_probability"],
        "issues": [
            {"category": one["category"], "probability": one["probability"]} for one in said["issues"]
        ],
        "criteria": said["criteria"],
        **({"happened_by": day} if (day := _last_day_told(proposal)) else {}),
        "model": said["model_version"],
    }


def _last_day_told(proposal: Proposal) -> str | None:
    """The last day that the story tells of, as an ISO date: what is older than a scheme's window must lie before."""
    told = [one.value.rpartition("/")[2] for one in proposal.details if one.kind == "date"]
    return max(told, default=None)


def words_behind(proposal: Proposal) -> dict[str, str]:
    """What holds words or leads to other people, as sealed words: reasons, matters, facts told, like cases."""
    said = proposal.as_json()
    told = {
        "because": said["because"],
        "matters": [one["text"] for one in said["issues"]],
        "details": said["details"],
        "similar": said["similar"],
    }
    return {field: json.dumps(one, ensure_ascii=False) for field, one in told.items()}
