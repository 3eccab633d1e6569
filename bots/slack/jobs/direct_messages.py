"""Direct messages to staff: new owners, approvals, letters to read out, overturned decisions, failures."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta

from slack_sdk.errors import SlackApiError

from bots.slack import recipients
from bots.slack.act_letters import composed_letter
from bots.slack.client.block_kit import Block, SlackMessage, escaped, mention, section
from bots.slack.client.client import GONE, NETWORK, PERMANENT, error_of, log_unexpected
from bots.slack.client.slack_limits import RateLimitWait
from bots.slack.jobs.post import Poster, failure_outcome, load_event, notice_message
from bots.slack.views.actions import waiting_form
from bots.slack.views.card import next_due_text
from complaints.actions.authorisation import Access, is_allowed
from complaints.actions.registry import ACTIONS, DECISION_VERBS, form_of
from complaints.case import Case
from complaints.deadlines.quiet_hours import checked_by
from complaints.errors import UnknownReference
from complaints.history import refused_request
from complaints.obligations.approvals import awaits_reader, proposal
from complaints.obligations.reminders import leaves_at
from complaints.obligations.standing import survey_concern_due
from complaints.times import last_day
from complaints.vocabulary import Role, Target, Verb
from store.cases.read import load_case, load_history
from store.outbox.complete import Completed, Failed, Outcome, Rescheduled, Retry
from store.outbox.deliveries import save_words_to_read_out
from store.outbox.rows import SENT_TO_COMPLAINANT
from store.people.staff import list_members
from store.slack_posts import (
    find_known_slack_keys,
    forget_slack_key,
    list_slack_keys,
    record_direct_message,
    record_slack_key,
)
from store.values import Member, Obligation

#: Slack names the staff within this time once it answers.
NO_STAFF_RETRY_SECONDS = 3.0
#: A bad survey answer stays in the worklist for this time, unless staff act on it earlier.
SURVEY_CONCERN_KEPT = timedelta(days=30)


#: The text that asks for an approval, by what waits (`asks` in the row of its verb).
_ASKS = {
    "reclassify": "dm.ask_reclassify",
    "respond": "dm.ask_approval",
    "extend": "dm.ask_extension",
    "limit_contact": "dm.ask_limit",
}


class DirectMessageJobs:
    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        self.slack = poster.slack

    async def replace_posts(self, prefix: str, keys: Iterable[str], text: str) -> Outcome:
        """Replace the messages of these keys (`<prefix><channel>:<ts>`) by a text without buttons.

        A key whose message Slack does not change now is kept for the next try.
        """
        outcome: Outcome = Completed()
        for key in keys:
            channel, _, ts = key.removeprefix(prefix).partition(":")
            try:
                await self.poster.client.chat_update(
                    channel=channel, ts=ts, text=text, blocks=[section(text)]
                )
            except SlackApiError as failure:
                if error_of(failure) not in GONE | PERMANENT:
                    outcome = failure_outcome(failure)
                    continue
            except (RateLimitWait, *NETWORK) as failure:
                outcome = failure_outcome(failure)
                continue
            await self.slack.store.awrite_with_retry(forget_slack_key, key)
        return outcome

    async def notify_owner(self, obligation: Obligation) -> Outcome:
        """`told_owner`: the complaint was assigned to the member by another person."""
        file, event = await load_event(self.slack, obligation)
        case = file.case
        if case.owner is None or case.owner != event.facts["owner"]:
            return Completed()
        texts = self.slack.texts
        text = texts.text(
            "dm.told_owner",
            ref=case.ref,
            who=texts.actor_name(event.by, case),
            due=next_due_text(case, texts, self.slack.store.now(), bold=False),
        )
        forms = ("assess", "open") if case.assessment is None else ("open",)
        return await self.send((case.owner,), notice_message(case, text, texts, forms), obligation)

    async def notify_overturned(self, obligation: Obligation) -> Outcome:
        """`told_overturned`: an outside body decided otherwise, for those who decided and approved."""
        case, texts = await self.case(obligation), self.slack.texts
        number = obligation.facts["seq"]
        improvement = next((action for action in case.improvements if action.seq == number), None)
        if improvement is None:
            return Completed()
        staff = {member.id for member in await self.members()}
        involved = {decision.by for decision in case.decisions}
        involved |= {decision.approved_by for decision in case.decisions if decision.approved_by is not None}
        day = texts.day(last_day(improvement.due, case.rules.calendar.zone))
        text = texts.text("dm.overturned", ref=case.ref, day=day)
        message = notice_message(case, text, texts, ("open",))
        return await self.send(sorted((involved & staff) - case.denied), message, obligation)

    async def notify_survey_concern(self, obligation: Obligation) -> Outcome:
        """`survey_concern`: a bad survey answer, for managers who did not work on the complaint.

        It stays open, as an entry of their worklist, until staff act on the complaint or it expires. When its time
        has come without an act, they are reminded once.
        """
        case, now, texts = await self.case(obligation), self.slack.store.now(), self.slack.texts
        since = case.survey_concern_at
        if since is None or now >= since + SURVEY_CONCERN_KEPT:
            return Completed()
        people = recipients.survey_readers(case, await self.members(), now)
        due, zone = survey_concern_due(case, since), case.rules.calendar.zone
        by = texts.text("dm.was_due" if due <= now else "dm.due", day=texts.day(last_day(due, zone)))
        text = f"{texts.text('dm.survey_concern', ref=case.ref)} {by}"
        outcome = await self.send(people, notice_message(case, text, texts, ("open",)), obligation)
        if not isinstance(outcome, Completed):
            return outcome
        return Rescheduled(due if now < due else since + SURVEY_CONCERN_KEPT, "waits until staff act on it")

    async def ask_approval(self, obligation: Obligation) -> Outcome:
        """`ask_approval`: ask everybody who may approve what waits for approval, or decide an appeal."""
        case, members, texts = await self.case(obligation), await self.members(), self.slack.texts
        if obligation.facts.get("verb") == Verb.APPEAL_LIMIT:
            return await self._ask_appeal(case, members, obligation)
        is_check = awaits_reader(case)
        waiting = proposal(case)
        if waiting is None:
            return Completed()
        about, author = waiting
        text_id = "dm.ask_check" if is_check else _ASKS[about]
        now = self.slack.store.now()
        people = recipients.possible_approvers(case, members, now)
        if not people:
            return Failed("nobody may approve this: name another manager or top management in [roles]")
        due = next_due_text(case, texts, now, bold=False)
        until, target = checked_by(case), case.target(Target.APPROVE)
        if is_check and until is not None and target is not None:
            # The day on the card and the home page; only the system counts to the later one.
            by, last = texts.target_due(target, case, now), texts.moment(until, case.rules.calendar.zone)
            due = f"{texts.text('card.next', due=by)}. {texts.text('dm.check_until', when=last)}"
        text = texts.text(text_id, ref=case.ref, who=mention(author), due=due)
        if len(people) > 1 and not is_check:
            text = f"{text.rstrip('.')}. {texts.text('dm.may_approve', who=', '.join(map(mention, people)))}"
        message = notice_message(case, text, texts, (waiting_form(case), "open"))
        posts = dict[str, tuple[str, str]]()
        outcome = await self.send(people, message, obligation, posts=posts)
        if case.drafted is not None:
            for channel, ts in posts.values():
                key = f"{_asked(case, case.drafted.seq)}{channel}:{ts}"
                await self.slack.store.awrite_with_retry(record_slack_key, key)
        return outcome

    async def mark_settled(self, obligation: Obligation) -> Outcome:
        """`draft_settled`: the messages that asked for an approval say that nothing waits any more."""
        file, event = await load_event(self.slack, obligation)
        case, events, store = file.case, file.events, self.slack.store
        if event.facts.get("draft"):
            draft, text_id = int(event.facts["seq"]), "dm.draft_withdrawn"
        else:
            draft = max(row.seq for row in events if row.seq < event.seq and row.verb in DECISION_VERBS)
            text_id = "dm.draft_passed" if event.facts["agreed"] == "yes" else "dm.draft_returned"
        who = self.slack.texts.actor_name(event.by, case)
        text = self.slack.texts.text(text_id, ref=case.ref, who=who)
        prefix = _asked(case, draft)
        return await self.replace_posts(prefix, await store.aread(list_slack_keys, prefix), text)

    async def _ask_appeal(self, case: Case, members: Sequence[Member], obligation: Obligation) -> Outcome:
        texts, now, target = self.slack.texts, self.slack.store.now(), case.target(*recipients.APPEAL)
        if case.conduct.appeal_at is None or target is None:
            return Completed()
        people = recipients.appeal_deciders(case, members, now)
        if not people:
            return Failed("nobody may decide this appeal: name another manager or top management in [roles]")
        text = texts.text("dm.ask_appeal", ref=case.ref, due=texts.target_due(target, case, now))
        return await self.send(
            people, notice_message(case, text, texts, (Verb.REVIEW_LIMIT.value, "open")), obligation
        )

    async def notify_checked(self, obligation: Obligation) -> Outcome:
        """`told_checked`: a second person said no; the reason is in the form and in the opened complaint."""
        file, event = await load_event(self.slack, obligation)
        case, texts, of = file.case, self.slack.texts, event.facts.get("of", "respond")
        refused = refused_request(file.events, of)
        if refused is None or not (case.is_open or of == "limit_contact"):
            return Completed()
        request, answer = refused
        form = form_of(request.verb)
        text_id = "dm.told_checked" if ACTIONS[answer.verb].is_second_reader else "dm.told_refused"
        act = texts.text(f"verb.{form}")
        text = texts.text(text_id, ref=case.ref, who=mention(answer.by), act=act)
        return await self.send(
            {request.by} - case.denied, notice_message(case, text, texts, (form, "open")), obligation
        )

    async def ask_review(self, obligation: Obligation) -> Outcome:
        """`ask_review`: a closed complaint, to a person who took no part in it; once more when it is overdue."""
        case, texts = await self.case(obligation), self.slack.texts
        review = case.open_review
        if review is None or review.seq != obligation.facts["seq"]:
            return Completed()
        if (later := self._in_working_hours(case)) is not None:
            return later
        text_id = "dm.review_late" if obligation.facts.get("late") else "dm.ask_review"
        day = texts.day(last_day(review.due, case.rules.calendar.zone))
        message = notice_message(
            case, texts.text(text_id, ref=case.ref, day=day), texts, ("review_case", "open")
        )
        return await self.send((review.reviewer,), message, obligation)

    async def ask_to_read_out(self, obligation: Obligation) -> Outcome:
        """`tell_by_voice`: record the exact words; ask the owner, or the managers, to read them out or post them.

        The words are shown in the opened complaint and never in the message, so that reading them is recorded.
        """
        slack, store, ref = self.slack, self.slack.store, str(obligation.ref)
        case = await store.aread(load_case, ref)
        if not case.is_offline:
            # The complainant connected a chat since; what is open is sent there.
            return Completed()
        events = await store.aread(load_history, ref)
        about = str(obligation.facts["about"])
        spoken = await composed_letter(slack, case, about, obligation.facts, events)
        if spoken is None:
            return Completed()
        await store.awrite(
            save_words_to_read_out,
            obligation,
            spoken.text,
            template=spoken.template,
            language=case.language,
        )
        # The opened complaint shows the words from now on; people are asked only in working hours.
        if (later := self._in_working_hours(case)) is not None:
            return later
        people = recipients.offline_notifiers(case, await self.members(), store.now())
        if not people:
            return Failed(f"nobody may tell the complainant of {ref}: name a manager in [roles]")
        texts = slack.texts
        how = texts.text(f"channel.{obligation.facts['by']}")
        text_id = "dm.tell_representative" if case.answer_to else "dm.tell_by_voice"
        text = texts.text(text_id, ref=ref, how=how, what=texts.text(f"to_tell.{about}"))
        message = notice_message(case, text, texts, ("open", "given"))
        return await self.send(people, message, obligation)

    async def notify_failed(self, obligation: Obligation) -> Outcome:
        """`told_failed`: an obligation failed, an update was set aside, or a witness refused; for the managers."""
        texts, members = self.slack.texts, await self.members()
        ref = obligation.ref or obligation.facts.get("ref")
        managers = recipients.members_with_role(members, Role.MANAGER)
        people = managers or recipients.members_with_role(members, Role.TOP_MANAGEMENT)
        if ref is None:
            return await self.send(people, SlackMessage(self._failed_text(obligation, ""), []), obligation)
        try:
            case = await self.slack.store.aread(load_case, str(ref))
        except UnknownReference:
            message = SlackMessage(self._failed_text(obligation, str(ref)), [])
            return await self.send(people, message, obligation)
        # The card shows it at once; outside working hours only what is urgent is sent to people.
        if (later := self._in_working_hours(case)) is not None:
            return later
        addressed = {*people, case.owner}
        readers = [
            member.id
            for member in members
            if member.id in addressed and is_allowed(case, Access.READ, recipients.member_actor(member))
        ]
        text = self._failed_text(obligation, case.ref)
        return await self.send(readers, notice_message(case, text, texts, ("open",)), obligation)

    def _failed_text(self, obligation: Obligation, ref: str) -> str:
        texts, facts = self.slack.texts, obligation.facts
        kind = str(facts.get("kind", ""))
        if kind == "in":
            return texts.text("dm.set_aside")
        if kind == "witness":
            return texts.text("dm.witness_refused", witness=escaped(str(facts["witness"]), 100))
        if "id" not in facts:
            # A whole kind that no process handles (`store.outbox.failed`).
            return texts.text("dm.nobody_performs", kind=escaped(kind, 60))
        if kind == "infected":
            return texts.text("dm.infected", ref=ref, number=facts["id"])
        where = texts.text("dm.of_case", ref=ref) if ref else ""
        what = texts.text(f"delivery.{kind}") if kind in SENT_TO_COMPLAINANT else escaped(kind, 60)
        return texts.text("dm.told_failed", what=what, ref=where, number=facts["id"])

    async def send(
        self,
        people: Iterable[str],
        message: SlackMessage,
        obligation: Obligation,
        *,
        round_key: str | None = None,
        posts: dict[str, tuple[str, str]] | None = None,
        more: Callable[[str], Awaitable[list[Block]]] | None = None,
    ) -> Outcome:
        """Post to each person; a failure with one does not keep the message from the others.

        A second attempt skips those who have it from this round. Without `round_key` a round lasts until the
        obligation is due again. `posts` is filled with channel and ts of each new message, by member; `more` gives
        further blocks for one member.
        """
        store, people = self.slack.store, list(people)
        outcome: Outcome = Completed()
        if not people and not await self.members():
            # At the very first start the roles are still being read, and the message must not be lost.
            return Retry("no staff are known yet", NO_STAFF_RETRY_SECONDS)
        round_key = round_key or obligation.due.isoformat()
        keys = {member_id: f"told:{obligation.id}:{round_key}:{member_id}" for member_id in people}
        sent = await store.aread(find_known_slack_keys, keys.values())
        for member_id in (member_id for member_id in people if keys[member_id] not in sent):
            try:
                channel = await self.poster.conversation(member_id)
                for_member = await more(member_id) if more is not None else []
                own = SlackMessage(message.text, [*message.blocks[:1], *for_member, *message.blocks[1:]])
                ts = await self.poster.post(channel, own, f"{obligation.key}:{member_id}")
                if posts is not None:
                    posts[member_id] = (channel, ts)
                if obligation.ref is not None:
                    await store.awrite_with_retry(record_direct_message, obligation.ref, channel, ts)
                await store.awrite_with_retry(record_slack_key, keys[member_id])
            except SlackApiError as failure:
                if error_of(failure) in PERMANENT:
                    log_unexpected(f"direct message of {obligation.kind}", failure)
                else:
                    outcome = failure_outcome(failure)
            except (RateLimitWait, *NETWORK) as failure:
                outcome = failure_outcome(failure)
        return outcome

    def _in_working_hours(self, case: Case) -> Rescheduled | None:
        """When a message about this complaint leaves, if that is not now."""
        now = self.slack.store.now()
        leave_at = leaves_at(case, now)
        return Rescheduled(leave_at, "outside working hours") if leave_at > now else None

    async def case(self, obligation: Obligation) -> Case:
        return await self.slack.store.aread(load_case, str(obligation.ref))

    async def members(self) -> Sequence[Member]:
        return await self.slack.store.aread(list_members)


def _asked(case: Case, draft: int) -> str:
    """The start of the keys of the messages that ask for a second person's answer to this draft."""
    return f"asked:{case.ref}:{draft}:"
