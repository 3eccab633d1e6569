"""The job `remind`: staff are reminded before and after a due time, one level higher at each step (8.4)."""

from collections.abc import Sequence
from datetime import datetime

from bots.slack import recipients
from bots.slack.client.block_kit import SlackMessage
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.jobs.post import notice_message
from bots.slack.views.actions import waiting_form
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.opening_hours import next_morning
from complaints.obligations.kinds import SendPriority
from complaints.obligations.reminders import (
    REMINDED,
    WITH_MESSAGES,
    ReminderLevel,
    ReminderStage,
    leaves_at,
    reminder_stages,
)
from complaints.obligations.standing import current_obligations
from complaints.priorities import priority_of
from complaints.vocabulary import Priority, Target, Verb
from store.cases.read import load_case
from store.outbox.complete import Completed, Outcome, Rescheduled
from store.outbox.rows import insert_redraw
from store.people.staff import list_members
from store.record.worklists import choose_member_to_ask, complete_reminders, list_reminders_waiting
from store.values import Member, Obligation

#: The text of a reminder by its level.
_TEXT_IDS = {
    ReminderLevel.OWNER: "dm.remind_before",
    ReminderLevel.LEAD: "dm.remind_missed",
    ReminderLevel.TOP: "dm.remind_top",
}


class ReminderJobs:
    """Sends reminders: single messages for P1 and P2; all others are in the morning digest."""

    def __init__(self, direct: DirectMessageJobs) -> None:
        self.direct = direct
        self.slack = direct.slack

    async def remind(self, obligation: Obligation) -> Outcome:
        """One step of one date. If several steps of a complaint are waiting, only the highest is sent."""
        store, now = self.slack.store, self.slack.store.now()
        case = await store.aread(load_case, str(obligation.ref))
        step = _step(case, obligation.key)
        if step is None:
            return Completed()
        target, stage = step
        # A closed complaint with an open question is on no list of the digest, so it is reminded of here. So is an
        # appeal: the digest shows the first date of a complaint, which may be another.
        in_digest = case.is_open and (target.target, target.of) != recipients.APPEAL
        if priority_of(case) not in WITH_MESSAGES and in_digest:
            return await self._redraw_card(case, stage, Completed())
        leave_at = leaves_at(case, now)
        if leave_at > now:
            return await self._redraw_card(case, stage, Rescheduled(leave_at, "outside working hours"))
        covered = await self._covered(case, obligation)
        if covered is None:
            return Completed()
        outcome = await self._send(case, target, stage, obligation, now, covered)
        if isinstance(outcome, Completed) and covered:
            await store.awrite_with_retry(complete_reminders, case.ref, covered)
        if isinstance(outcome, Completed) and stage.name == "top" and priority_of(case) is Priority.P1:
            # Again every working day until the date is met or moved.
            outcome = Rescheduled(next_morning(now, case.rules.calendar), "sent; not met yet")
        return await self._redraw_card(case, stage, outcome)

    async def _redraw_card(self, case: Case, stage: ReminderStage, outcome: Outcome) -> Outcome:
        """Schedule a redraw of the card with the missed date: the record did not change, so no event does it.

        It is an obligation of its own. If the rate limit stopped a redraw here, the reminder would be sent twice.
        """
        if stage.level is not ReminderLevel.OWNER and isinstance(outcome, Completed | Rescheduled):
            store, now = self.slack.store, self.slack.store.now()
            cause = f"due:{case.ref}:{now.isoformat()}"
            await store.awrite_with_retry(insert_redraw, case.ref, cause, priority=SendPriority.NOTICE)
        return outcome

    async def _covered(self, case: Case, obligation: Obligation) -> tuple[str, ...] | None:
        """The keys of lower steps of this complaint that wait too; None if a higher step waits.

        So after a long stop one message is sent and not one for each missed step.
        """
        waiting = await self.slack.store.aread(list_reminders_waiting, case.ref)
        current = {entry.key for entry in current_obligations(case)}
        ranks = {key: rank for key in waiting if key in current and (rank := _rank(case, key)) is not None}
        own = ranks.get(obligation.key) or _rank(case, obligation.key)
        if own is None:
            return None
        # What is for the same people.
        comparable = {key: rank for key, rank in ranks.items() if rank[0] == own[0]}
        if any(rank > own for rank in comparable.values()):
            return None
        return tuple(key for key, rank in comparable.items() if rank < own)

    async def _send(
        self,
        case: Case,
        target: TargetSet,
        stage: ReminderStage,
        obligation: Obligation,
        now: datetime,
        covered: Sequence[str],
    ) -> Outcome:
        store = self.slack.store
        members: Sequence[Member] = await store.aread(list_members)
        candidate = None
        decides = recipients.second_decision(target.target, target.of)
        if case.is_unowned and not decides and stage.level < ReminderLevel.TOP:
            candidates = recipients.possible_owners(case, members, now)
            candidate = await store.awrite(choose_member_to_ask, obligation.id, candidates)
        people = recipients.reminded_members(
            case, target.target, members, now, stage.level, number=target.of, candidate=candidate
        )
        covered_targets = [step[0] for key in covered if (step := _step(case, key)) is not None]

        def message(*, asks_to_take: bool) -> SlackMessage:
            return self._message(case, target, stage, now, covered_targets, asks_to_take=asks_to_take)

        if candidate is not None:
            outcome = await self.direct.send((candidate,), message(asks_to_take=True), obligation)
            if not isinstance(outcome, Completed):
                return outcome
            people = tuple(member_id for member_id in people if member_id != candidate)
        return await self.direct.send(people, message(asks_to_take=False), obligation)

    def _message(
        self,
        case: Case,
        target: TargetSet,
        stage: ReminderStage,
        now: datetime,
        covered: Sequence[TargetSet],
        *,
        asks_to_take: bool,
    ) -> SlackMessage:
        """This date, the dates covered by it, and all other overdue dates of the complaint."""
        texts = self.slack.texts
        decides = recipients.second_decision(target.target, target.of)
        form = Verb.REVIEW_LIMIT.value if decides == "appeal" else waiting_form(case)
        text_id, forms = _TEXT_IDS[stage.level], (form, "open") if decides else ("open",)
        if asks_to_take:
            text_id, forms = "dm.remind_take", ("take", "open")
        elif case.is_unowned and not decides and stage.level < ReminderLevel.TOP:
            text_id = "dm.remind_nobody"
        text = texts.text(text_id, ref=case.ref, due=texts.target_due(target, case, now))
        others = [
            other
            for other in case.current_targets()
            if other != target and (other in covered or _is_overdue(other, now))
        ]
        if others:
            dues = " · ".join(texts.target_due(other, case, now) for other in others)
            text = f"{text}\n{texts.text('dm.remind_also', dues=dues)}"
        return notice_message(case, text, texts, forms)


def _is_overdue(target: TargetSet, now: datetime) -> bool:
    return target.target in REMINDED and target.met_at is None and target.internal_due < now


def _step(case: Case, key: str) -> tuple[TargetSet, ReminderStage] | None:
    """The date and the step of a key; None if the date was met or moved, or has no such step any more."""
    _, target_name, number, version, stage_name = key.split(":")
    target = case.target(Target(target_name), int(number))
    if target is None or target.met_at is not None or target.version != int(version):
        return None
    stages = reminder_stages(case, target)
    stage = next((stage for stage in stages if stage.name == stage_name), None)
    return None if stage is None else (target, stage)


def _rank(case: Case, key: str) -> tuple[str, int, datetime, str] | None:
    """Orders steps for the same people: by level, then the newest, then by key."""
    step = _step(case, key)
    if step is None:
        return None
    target, stage = step
    return recipients.second_decision(target.target, target.of), int(stage.level), stage.at, key
