"""The jobs `move` and `bulk_inform`: one act for each complaint, and a message to the people concerned."""

from collections.abc import Mapping, Sequence
from typing import Any

from bots.slack.client.block_kit import mention
from bots.slack.jobs.post import Poster
from bots.slack.views import refusals
from bots.slack.views.home import case_row
from complaints.actors import Actor
from complaints.batches.batch import SAME_LETTER, bulk_left_out
from complaints.errors import AlreadyDone, ComplaintError
from complaints.event_facts import HELD, OVERRULED
from complaints.times import parse_time
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, load_history
from store.cases.staff_letters import list_informed
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
            source = str(facts["source"]) if "owners" in facts else mention(facts["source"])
            # Empty for a list that is not one person's; an earlier release stored a name of such a list.
            text_id = "move.told" if source.startswith("<@") else "move.told_list"
            text = texts.count(text_id, len(moved), who=mention(actor.id), source=source)
            await self._notify(obligation, target, [text, *await self._rows(moved)])
        return Completed()

    async def inform(self, obligation: Obligation) -> Outcome:
        """`bulk_inform:<batch>`: record the text in each complaint; its letter follows from the event.

        Who is left to a person is checked again. Repeated after a crash it skips the complaints that have it.
        """
        facts, slack, texts = obligation.facts, self.slack, self.slack.texts
        actor, informed, refused = await slack.actor(str(facts["by"])), 0, []
        # An earlier release scheduled it without HELD, and offered no *Take back*.
        recorded = {"batch": str(facts["batch"])} | {
            name: facts[name] for name in (OVERRULED, HELD) if facts.get(name)
        }
        text, now = str(obligation.payload["text"]), slack.store.now()
        previewed_at = parse_time(str(facts["at"]))
        for ref in map(str, facts["refs"]):
            case = await slack.store.aread(load_case, ref)
            # Another preview of the same text may have been sent since.
            earlier = await slack.store.aread(
                list_informed, [ref], text, now - SAME_LETTER, other_than=recorded["batch"]
            )
            why = bulk_left_out(case, str(facts["language"]), previewed_at, informed=earlier)
            reason = None if why is None else texts.text(f"left_out.{why}")
            if reason is None:
                words = {"text": text}
                words["letter"] = slack.preview("reply", case, {"batch": "0"}, words, now=now)
                try:
                    # At the version that was checked: a message in between leaves it to a person.
                    await slack.store.awrite(
                        act, ref, Verb.INFORM, actor, recorded, words,
                        version=case.work_version, key=obligation.key,
                    )  # fmt: skip
                except AlreadyDone:
                    # After a crash; or its sender took back all before this one was recorded.
                    history = await slack.store.aread(load_history, ref)
                    if all(event.facts.get("batch") != recorded["batch"] for event in history):
                        continue
                except ComplaintError as refusal:
                    reason = refusals.refusal_text(refusal, texts)
            informed += reason is None
            refused += [] if reason is None else [f"{ref}: {reason}"]
        lines = [texts.count("bulk.informed", informed)]
        if refused:
            lines += [texts.text("bulk.refused", number=len(refused)), *refused]
        await self._notify(obligation, actor.id, lines)
        return Completed()

    async def _move(self, ref: str, actor: Actor, facts: Mapping[str, Any]) -> str | None:
        """None if the new owner has it, otherwise the reason why not."""
        slack, target = self.slack, str(facts["to"])
        try:
            case = await slack.store.aread(load_case, ref)
            if case.owner == target:
                return None
            # Moves that an earlier release scheduled name one owner of all.
            if case.owner != facts.get("owners", {}).get(ref, facts["source"]):
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
