"""The handler that makes the model's proposal for the initial assessment (7.5), and the model that it uses."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog

from complaints.actions.intake import STORY_FIELDS
from complaints.actors import MODEL
from complaints.case import Case
from complaints.rulebook import Danger, categories_of
from complaints.times import local_time
from scheduler.worker import Handler
from store.cases.act import record_proposal as store_propose
from store.cases.read import load_case
from store.database.errors import Erased, SealBroken
from store.models.models import list_rollback_models, load_active_model, read_model_blob
from store.outbox.complete import Completed, Outcome, Rescheduled
from store.people.masked_texts import load_masked_story
from store.record.load import load_texts
from store.rulebooks import load_current_rulebooks
from store.similarity.similar import count_confirmed_similar, find_similar_cases
from store.similarity.sketches import list_without_words, write_words
from store.store import Store
from store.values import Obligation, Text
from triage.encoder import Vectors
from triage.errors import UnreadableModel
from triage.processes.loaded_model import has_model, load_model, propose_for_record
from triage.processes.sentence_vectors import shared_encoder
from triage.proposal_context import ProposalContext
from triage.safety.organisation import DangerSign, own_sign
from triage.search_words import story_words
from triage.shingles import sketch
from triage.text import normalise

#: While the first model is trained, a proposal waits until this long after the last words. Then it is made by rules
#: only. Not counted from the due time, which is later at every attempt.
WAIT_FOR_FIRST_MODEL = timedelta(seconds=60)

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


class ProposalHandler:
    """Makes proposals with the active model; `triage` is the executor of one process or thread that computes them."""

    def __init__(self, store: Store, triage: Executor, *, languages: tuple[str, ...]) -> None:
        self._store, self._triage = store, triage
        self._languages = languages
        self._active = ActiveModel(store, triage)
        self._comparing = asyncio.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        """The handlers of the kinds `propose` and `index_words`."""
        return {"propose": self._propose, "index_words": self._index_words}

    async def _index_words(self, obligation: Obligation) -> Outcome:
        """Store the words of one complaint for the search; without one, of all that have none."""
        if obligation.ref is not None:
            case = await self._store.aread(load_case, obligation.ref)
            await self._index(case.ref, case.language)
            return Completed()
        last = ""
        while True:
            # A process that ends here begins again: what is stored already is skipped.
            last, missing = await self._store.aread(list_without_words, last)
            for ref, language in missing:
                await self._index(ref, language)
            if not last:
                return Completed()

    async def _index(self, ref: str, language: str) -> None:
        try:
            masked = await self._store.aread(load_masked_story, ref)
        except (Erased, SealBroken):
            return  # `verify` names the damaged one
        loop = asyncio.get_running_loop()
        words = await loop.run_in_executor(self._triage, story_words, masked, language)
        await self._store.awrite(write_words, ref, words)

    async def _propose(self, obligation: Obligation) -> Outcome:
        store, ref = self._store, str(obligation.ref)
        model = await self._active.model()
        case = await store.aread(load_case, ref)
        if model is None and store.now() < (case.last_words_at or case.logged_at) + WAIT_FOR_FIRST_MODEL:
            return Rescheduled(store.now() + timedelta(seconds=3), "the first model is being trained")
        rules = (await store.aread(load_current_rulebooks)).today(case.rules)
        texts = await store.aread(load_texts, ref)
        story = "\n".join(text.text for text in texts)
        compute = partial(asyncio.get_running_loop().run_in_executor, self._triage)
        masked = await store.aread(load_masked_story, ref)
        story_sketch = await compute(sketch, masked)
        words = await compute(story_words, masked, case.language)
        vectors = await self._encode(await compute(normalise, story))
        danger = [danger_sign(sign) for sign in rules.danger]
        context = triage_context(case, texts, languages=self._languages, danger=danger)
        # One at a time: of two new complaints in the same words, the second must find the first.
        async with self._comparing:
            similar = await store.aread(find_similar_cases, story_sketch, ref=ref)
            confirmed = await store.aread(count_confirmed_similar, ref, story_sketch, similar)
            context = replace(context, like_confirmed=confirmed)
            facts, sealed = await compute(
                partial(propose_for_record, model, story, context, vectors, words=case.words)
            )
            await store.awrite(
                store_propose,
                ref,
                MODEL,
                facts,
                sealed,
                sketch=story_sketch,
                story_words=words,
                similar=similar,
                key=obligation.key,
                settles=obligation.id,
            )
        return Completed(settled=True)

    async def _encode(self, normalised: str) -> Vectors | None:
        encode = await asyncio.to_thread(shared_encoder)
        return None if encode is None else await asyncio.to_thread(encode, [normalised])


def triage_context(
    case: Case, texts: Sequence[Text], *, languages: Sequence[str], danger: Sequence[DangerSign]
) -> ProposalContext:
    """What triage may use of a complaint in addition to all its words, and the story among `texts`."""
    received = local_time(case.received_at, case.rules.calendar.zone).date()
    return ProposalContext(
        languages,
        danger,
        country=case.rules.country,
        received=received,
        ref=case.ref,
        categories=categories_of(case.rules),
        story="\n".join(text.text for text in texts if text.field.split(".")[0] in STORY_FIELDS),
    )


def danger_sign(danger: Danger) -> DangerSign:
    """Convert a danger sign of the organisation's settings for the safety rules."""
    return own_sign(danger.signs, danger.number, danger.text)


class ActiveModel:
    """The active model, as the process of `triage` has loaded it (docs/design.md, rule 6).

    A model that cannot be read is logged once and not used. Instead the model before stays in use, or the newest
    earlier one that can be read. Without any model, proposals are made by rules only.
    """

    def __init__(self, store: Store, triage: Executor) -> None:
        self._store, self._triage = store, triage
        self._used: str | None = None
        self._refused: set[str] = set()

    async def model(self) -> str | None:
        """The SHA-256 of the model to propose with, which is loaded; None if there is none that can be read."""
        active = await self._store.aread(load_active_model)
        if active is None:
            return None
        sha256, _, number = active
        if await self._is_loaded(sha256, number):
            return sha256
        # A process that was started again has lost the model before.
        if self._used is None or not await self._compute(has_model, self._used):
            await self._fall_back()
        return self._used

    async def _fall_back(self) -> None:
        for number, sha256 in await self._store.aread(list_rollback_models):
            if await self._is_loaded(sha256, number):
                log.warning("model_before_used", sha256=sha256)
                return
        self._used = None

    async def _is_loaded(self, sha256: str, number: int) -> bool:
        if sha256 in self._refused:
            return False
        if not await self._compute(has_model, sha256):
            blob = await self._store.aread(read_model_blob, number)
            try:
                await self._compute(load_model, blob, sha256)
            except UnreadableModel as error:
                self._refused.add(sha256)
                log.error("model_refused", sha256=sha256, why=str(error))
                return False
        self._used = sha256
        return True

    async def _compute(self, function: Callable[..., Result], *args: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._triage, partial(function, *args))
