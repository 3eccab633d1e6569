"""The model's proposal for the initial assessment (7.5): owed, made in a thread of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

from complaints.categories import categories_of
from complaints.localtime import wall
from complaints.people import MODEL
from complaints.record import Case
from complaints.rulebook import Danger
from scheduler.in_use import InUse
from scheduler.performing import Perform
from store.open import Store
from store.outcomes import Done, Later, Outcome
from store.values import Obligation
from triage.proposal import About, Proposal, propose
from triage.safety import DangerSign, own_sign
from triage.sketch import sketch

#: While the first model is still being trained a proposal waits until so long after the last words; after that the
#: rules alone propose. Not counted from when it is due: each time that it waits it is due anew.
PATIENCE = timedelta(seconds=60)


class Proposing:
    """Makes proposals with the model in use, in a thread of its own."""

    def __init__(self, store: Store, *, languages: tuple[str, ...]) -> None:
        self._store = store
        self._languages = languages
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="triage")
        self._in_use = InUse(store, self._thread)

    def performers(self) -> Mapping[str, Perform]:
        """The performer of kind `propose`."""
        return {"propose": self._perform}

    async def _perform(self, one: Obligation) -> Outcome:
        store, ref = self._store, str(one.ref)
        model = await self._in_use.model()
        case = await store.in_thread(store.case, ref)
        if model is None and store.now() < (case.last_words_at or case.logged_at) + PATIENCE:
            return Later(store.now() + timedelta(seconds=3), "the first model is being trained")
        rules = (await store.in_thread(store.current_rulebooks)).today(case.rules)
        texts = await store.in_thread(store.texts, ref)
        story = "\n".join(text.text for text in texts)
        loop = asyncio.get_running_loop()
        drawn = sketch(story)
        known = replace(
            about(case, languages=self._languages, danger=[danger_sign(one) for one in rules.danger]),
            like_confirmed=await store.in_thread(store.like_confirmed, ref, drawn),
        )
        proposal = await loop.run_in_executor(self._thread, propose, model, story, known)
        await store.in_thread(
            store.propose,
            ref,
            MODEL,
            proposal_facts(proposal, words=case.words),
            words_behind(proposal),
            sketch=drawn,
            key=one.key,
            settles=one.id,
        )
        return Done(settled=True)

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
