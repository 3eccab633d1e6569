"""The job `move`: one act for each complaint, and one message to each of the two people."""

from collections.abc import Mapping, Sequence
from typing import Any

from bots.slack.client.block_kit import mention
from bots.slack.jobs.post import Poster
from bots.slack.views import refusals
from bots.slack.views.home import case_row
from complaints.actors import Actor
from complaints.errors import ComplaintError
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case
from store.outbox.complete import Completed, Outcome
from store.values import Obligation

#: Rows of a message; the others are only counted.
MAX_ROWS = 25


class MoveJobs:
    def __init__(self, poster: Poster) -> None:
        self.slack = poster.slack

    async def move(self, obligation: Obligation) -> Outcome:
        """`move:<batch>`: assign each complaint with the manager's rights at this moment.

        Repeated after a crash it skips the complaints that the new owner has already.
        """
        facts, slack, texts = obligation.facts, self.slack, self.slack.texts
        actor, target = await slack.actor(str(facts["by"])), str(facts["to"])
        moved: list[str] = []
        refused: list[str] = []
        for ref in facts["refs"]:
            reason = await self._move(str(ref), actor, facts)
            if reason is None:
                moved.append(str(ref))
            else:
                refused.append(f"{ref}: {reason}")
        lines = [texts.text("move.done", number=len(moved), to=mention(target))]
        if refused:
            lines += [texts.text("move.refused", number=len(refused)), *refused]
        await self._notify(obligation, actor.id, lines)
        if moved and target != actor.id:
            source = mention(facts["source"])
            text = texts.count("move.told", len(moved), who=mention(actor.id), source=source)
            await self._notify(obligation, target, [text, *await self._rows(moved)])
        return Completed()

    async def _move(self, ref: str, actor: Actor, facts: Mapping[str, Any]) -> str | None:
        """None if the new owner has it, otherwise the reason why not."""
        slack, target = self.slack, str(facts["to"])
        try:
            case = await slack.store.aread(load_case, ref)
            if case.owner == target:
                return None
            if case.owner != facts["source"]:
                return slack.texts.text("move.changed")
            key, assignment = f"move:{facts['batch']}", {"owner": target, "batch": str(facts["batch"])}
            await slack.store.awrite(act, ref, Verb.ASSIGN, actor, assignment, {}, key=key)
        except ComplaintError as refusal:
            return refusals.refusal_text(refusal, slack.texts)
        return None

    async def _rows(self, refs: Sequence[str]) -> list[str]:
        store, texts = self.slack.store, self.slack.texts
        cases = [await store.aread(load_case, ref) for ref in refs[:MAX_ROWS]]
        rows = [case_row(case, texts, store.now()) for case in cases]
        rest = len(refs) - len(cases)
        return [*rows, texts.text("move.rest", number=rest)] if rest else rows

    async def _notify(self, obligation: Obligation, member_id: str, lines: Sequence[str]) -> None:
        key = f"message:{obligation.key}:{member_id}"
        payload = {"member": member_id, "text": "\n".join(lines)}
        await self.slack.schedule(key, "message", payload=payload)
