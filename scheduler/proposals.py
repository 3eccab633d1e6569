"""The handler that makes the model's proposal for the initial assessment (7.5), and the model that it uses."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

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
from triage.errors import UnreadableModel
from triage.model.artefact import load
from triage.model.pipeline import Model
from triage.proposal import Proposal, ProposalContext, load_phrases_and_languages, propose
from triage.safety.organisation import DangerSign, own_sign
from triage.search_words import story_words
from triage.shingles import sketch

#: While the first model is trained, a proposal waits until this long after the last words. Then it is made by rules
#: only. Not counted from the due time, which is later at every attempt.
WAIT_FOR_FIRST_MODEL = timedelta(seconds=60)

log = structlog.get_logger(__name__)


class ProposalHandler:
    """Makes proposals with the active model, on a thread of its own."""

    def __init__(self, store: Store, *, languages: tuple[str, ...]) -> None:
        self._store = store
        self._languages = languages
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="triage")
        self._active = ActiveModel(store, self._thread)
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
        words = await loop.run_in_executor(self._thread, story_words, masked, language)
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
        in_thread = partial(asyncio.get_running_loop().run_in_executor, self._thread)
        masked = await store.aread(load_masked_story, ref)
        story_sketch = await in_thread(sketch, masked)
        words = await in_thread(story_words, masked, case.language)
        danger = [danger_sign(sign) for sign in rules.danger]
        context = triage_context(case, texts, languages=self._languages, danger=danger)
        # One at a time: of two new complaints in the same words, the second must find the first.
        async with self._comparing:
            similar = await store.aread(find_similar_cases, story_sketch, ref=ref)
            confirmed = await store.aread(count_confirmed_similar, ref, story_sketch, similar)
            proposal = await in_thread(propose, model, story, replace(context, like_confirmed=confirmed))
            await store.awrite(
                store_propose,
                ref,
                MODEL,
                proposal_facts(proposal, words=case.words),
                proposal_words(proposal),
                sketch=story_sketch,
                story_words=words,
                similar=similar,
                key=obligation.key,
                settles=obligation.id,
            )
        return Completed(settled=True)

    def warm_up(self) -> None:
        """Load in the background what the first proposal would load, while no complaint waits for it."""
        self._thread.submit(load_phrases_and_languages)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)


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


def proposal_facts(proposal: Proposal, *, words: int) -> dict[str, Any]:
    """The codes and figures of a proposal, which an event and a card may hold; no words of the complainant."""
    values = proposal.as_json()
    copied = ("category", "alternatives", "severity", "safety", "abstained", "restricted", "rules")
    return {
        "words": words,
        **{name: values[name] for name in copied},
        "probability": round(values["probability"], 4),
        "intent": values["intent"],
        "intent_probability": values["intent_probability"],
        "issues": [
            {"category": issue["category"], "probability": issue["probability"]} for issue in values["issues"]
        ],
        "criteria": [criterion.codes_and_figures() for criterion in proposal.criteria],
        **({"happened_by": day} if (day := _last_date_in_story(proposal)) else {}),
        **({"written_in": proposal.written_in} if proposal.written_in else {}),
        "model": values["model_version"],
    }


def _last_date_in_story(proposal: Proposal) -> str | None:
    """The last date that the story mentions (ISO): a scheme that takes only recent events looks at it."""
    dates = [detail.value.rpartition("/")[2] for detail in proposal.details if detail.kind == "date"]
    return max(dates, default=None)


def proposal_words(proposal: Proposal) -> dict[str, str]:
    """The parts of a proposal that hold words or point to other people, for sealing: one JSON text for each field."""
    values = proposal.as_json()
    fields = {
        "because": values["because"],
        "matters": [issue["text"] for issue in values["issues"]],
        "evidence": [criterion["words"] for criterion in values["criteria"]],
        "details": values["details"],
        "similar": values["similar"],
    }
    return {field: json.dumps(content, ensure_ascii=False) for field, content in fields.items()}


class ActiveModel:
    """The active model as this process has loaded it; loaded again only when another model is active
    (docs/design.md, rule 6).

    A model that cannot be read is logged once and not used. Instead the process keeps the model it has, or loads the
    newest earlier one that can be read. Without any model, proposals are made by rules only.
    """

    def __init__(self, store: Store, thread: Executor) -> None:
        self._store, self._thread = store, thread
        self._loaded: tuple[str, Model] | None = None
        self._refused: set[str] = set()

    async def model(self) -> Model | None:
        """The model to propose with; None if there is none that can be read."""
        active = await self._store.aread(load_active_model)
        if active is None:
            return None
        sha256, _, number = active
        if sha256 not in self._refused and (self._loaded is None or self._loaded[0] != sha256):
            await self._load(number, sha256)
        if self._loaded is None:
            await self._fall_back()
        return None if self._loaded is None else self._loaded[1]

    async def _fall_back(self) -> None:
        for number, sha256 in await self._store.aread(list_rollback_models):
            if sha256 not in self._refused and await self._load(number, sha256):
                log.warning("model_before_used", sha256=sha256)
                return

    async def _load(self, number: int, sha256: str) -> bool:
        blob = await self._store.aread(read_model_blob, number)
        try:
            loop = asyncio.get_running_loop()
            model = await loop.run_in_executor(self._thread, partial(load, blob, sha256=sha256))
        except UnreadableModel as error:
            self._refused.add(sha256)
            log.error("model_refused", sha256=sha256, why=str(error))
            return False
        self._loaded = (sha256, model)
        return True
