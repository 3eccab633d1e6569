"""The duty `remind`: staff hear that a due time comes near or was missed, step by step up the ladder (8.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bots.slack import whom
from bots.slack.card import Drawn
from bots.slack.direct import Direct
from bots.slack.notices import notice
from bots.slack.suggesting import could_take
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.opening_hours import next_morning
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.reminders import (
    PINGED,
    REMINDED,
    ReminderLevel,
    ReminderStage,
    leaves_at,
    reminder_stages,
)
from complaints.obligations.standing import current_obligations
from complaints.priorities import priority_of
from complaints.vocabulary import Priority, Target
from store.cases.read import load_case
from store.outbox.outcomes import Completed, Outcome, Rescheduled
from store.outbox.rows import insert_obligation
from store.people.staff import list_members
from store.record.worklists import complete_reminders, list_reminders_waiting, take_digest_turn
from store.values import Member, Obligation


class Reminding:
    """Performs `remind`. Single messages are for P1 and P2; of the others the morning digest tells."""

    def __init__(self, direct: Direct) -> None:
        self.direct = direct
        self.desk = direct.desk

    async def remind(self, owed: Obligation) -> Outcome:
        """One step of one date. Of several steps of a complaint that wait at once the highest alone speaks."""
        desk, now = self.desk, self.desk.store.now()
        case = await desk.store.aread(load_case, str(owed.ref))
        found = _step(case, owed.key)
        if found is None:
            return Completed()
        target, stage = found
        # A closed one with a question stands in no list of the digest.
        if priority_of(case) not in PINGED and case.is_open:
            return await self._shown(case, stage, Completed())
        opens = leaves_at(case, now)
        if opens > now:
            return await self._shown(case, stage, Rescheduled(opens, "outside working hours"))
        covered = await self._covered(case, owed)
        if covered is None:
            return Completed()
        outcome = await self._tell(case, target, stage, owed, now, covered)
        if isinstance(outcome, Completed) and covered:
            await desk.store.awrite_with_retry(complete_reminders, case.ref, covered)
        if isinstance(outcome, Completed) and stage.name == "top" and priority_of(case) is Priority.P1:
            # Until it is met or moved: every working day, so that nobody gets used to it within the hour.
            outcome = Rescheduled(next_morning(now, case.rules.calendar), "told; not met yet")
        return await self._shown(case, stage, outcome)

    async def _shown(self, case: Case, stage: ReminderStage, outcome: Outcome) -> Outcome:
        """The card shows a missed date; nothing of the record moved, so nothing else would draw it.

        It is owed, not drawn here: where its channel has no place now, the reminder would be said once more.
        """
        if stage.rung is not ReminderLevel.OWNER and isinstance(outcome, Completed | Rescheduled):
            store, now = self.desk.store, self.desk.store.now()
            key = f"redraw:due:{case.ref}:{now.isoformat()}"
            drawn = NewObligation(key, "redraw", now, SendPriority.NOTICE, {"ref": case.ref})
            await store.awrite_with_retry(insert_obligation, drawn, None, None, {})
        return outcome

    async def _covered(self, case: Case, owed: Obligation) -> tuple[str, ...] | None:
        """The steps of this complaint that wait beside this one and say less; None where one says more.

        So one message comes after a long stop, not one for each step that was missed.
        """
        waiting = await self.desk.store.aread(list_reminders_waiting, case.ref)
        asked = {one.key for one in current_obligations(case)}
        ranks = {key: rank for key in waiting if key in asked and (rank := _rank(case, key)) is not None}
        own = ranks.get(owed.key) or _rank(case, owed.key)
        beside = {key: rank for key, rank in ranks.items() if own is not None and rank[0] == own[0]}
        if own is None or any(rank > own for rank in beside.values()):
            return None
        return tuple(key for key, rank in beside.items() if rank < own)

    async def _tell(
        self,
        case: Case,
        target: TargetSet,
        stage: ReminderStage,
        owed: Obligation,
        now: datetime,
        covered: Sequence[str],
    ) -> Outcome:
        desk = self.desk
        members: Sequence[Member] = await desk.store.aread(list_members)
        asked = None
        if case.owner is None and target.target is not Target.APPROVE and stage.rung < ReminderLevel.TOP:
            asked = await desk.store.awrite(take_digest_turn, owed.id, could_take(case, members, now))
        people = whom.to_remind(case, target.target, members, now, stage.rung, asked=asked)
        beside = [found[0] for key in covered if (found := _step(case, key)) is not None]
        text = partial(self._drawn, case, target, stage, now, beside)
        if asked is not None:
            outcome = await self.direct.each((asked,), text(asked), owed)
            if not isinstance(outcome, Completed):
                return outcome
            people = tuple(one for one in people if one != asked)
        return await self.direct.each(people, text(None), owed)

    def _drawn(
        self,
        case: Case,
        target: TargetSet,
        stage: ReminderStage,
        now: datetime,
        beside: Sequence[TargetSet],
        asked: str | None,
    ) -> Drawn:
        """What is said: this date, those covered by it, and whatever else of the complaint is overdue."""
        voice = self.desk.voice
        approve = target.target is Target.APPROVE
        id_, forms = _SAID[stage.rung], ("approve", "open") if approve else ("open",)
        if asked is not None:
            id_, forms = "dm.remind_take", ("take", "open")
        elif case.owner is None and not approve and stage.rung < ReminderLevel.TOP:
            id_ = "dm.remind_nobody"
        text = voice.say(id_, ref=case.ref, due=voice.due(target, case, now))
        others = [
            one
            for one in case.current_targets()
            if one != target
            and (one in beside or (one.target in REMINDED and one.met_at is None and one.internal_due < now))
        ]
        if others:
            dues = " · ".join(voice.due(one, case, now) for one in others)
            text = f"{text}\n{voice.say('dm.remind_also', dues=dues)}"
        return notice(case, text, voice, forms)


#: How a step is said, by how far up it goes.
_SAID = {
    ReminderLevel.OWNER: "dm.remind_before",
    ReminderLevel.LEAD: "dm.remind_missed",
    ReminderLevel.TOP: "dm.remind_top",
}


def _step(case: Case, key: str) -> tuple[TargetSet, ReminderStage] | None:
    """The date and the step that a key names; None where the date moved, was met, or has no such step any more."""
    _, name, of, version, step = key.split(":")
    target = case.target(Target(name), int(of))
    if target is None or target.met_at is not None or target.version != int(version):
        return None
    stage = next((one for one in reminder_stages(case, target) if one.name == step), None)
    return None if stage is None else (target, stage)


def _rank(case: Case, key: str) -> tuple[bool, int, datetime, str] | None:
    """What is for other people stands apart; then who hears it, then the newest, then the key."""
    found = _step(case, key)
    if found is None:
        return None
    target, stage = found
    return target.target is Target.APPROVE, int(stage.rung), stage.at, key
