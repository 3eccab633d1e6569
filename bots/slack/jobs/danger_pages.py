"""The job `page`: a danger is shown to more and more people until one of them confirms it (5.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bots.sign_names import rule_name
from bots.slack import recipients
from bots.slack.client.block_kit import Block, escaped, mention, quoted
from bots.slack.jobs.case_posts import post_purposes
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.jobs.post import notice_message
from bots.slack.views.card import RESTRICTED
from complaints.actions.authorisation import Access, is_allowed
from complaints.case import Case
from complaints.case_values import Alarm, clearest_signs
from complaints.obligations.standing import CLOSE_ALARM_EVERY
from store.cases.read import read_alarm_words
from store.outbox.complete import Completed, Outcome, RateLimited, Rescheduled, Retry
from store.slack_posts import alert_prefix, list_alerted, list_slack_keys, list_unreached, record_slack_key
from store.values import Member, Obligation

#: So many characters of the newest words are shown with a page.
WORDS_SHOWN = 1_500


class PageJobs:
    def __init__(self, direct: DirectMessageJobs) -> None:
        self.direct = direct
        self.slack = direct.slack

    async def page(self, obligation: Obligation) -> Outcome:
        """`page`: a danger, to the people on call and then to wider circles, until one of them confirms it (5.3).

        A possible one asks them to look, and pages as a certain one does when its question stays unanswered. Once
        seen, the person who confirmed it is asked to close it.
        """
        case, members, now = (
            await self.direct.case(obligation),
            await self.direct.members(),
            self.slack.store.now(),
        )
        alarm = case.alarm
        if alarm is None:
            return Completed()
        if alarm.seen_at is not None:
            return await self._ask_to_close(case, alarm, members, obligation)
        pages_from = alarm.pages_from
        is_page = pages_from is not None and now >= pages_from
        start = pages_from if pages_from is not None and is_page else alarm.at
        every = recipients.PAGE_EVERY if is_page else recipients.LOOK_EVERY
        number = (now - start) // every
        next_round = start + (number + 1) * every
        if not is_page and pages_from is not None:
            next_round = pages_from
        text = self._page_text(case, now - start) if is_page else self._look_text(case, now - start)
        text += await self._notes(case)
        # Who was alerted in place of another gets the page too, before the time of their circle.
        alerted = await self.slack.store.aread(list_alerted, alert_prefix(case)) - case.denied
        on_duty = recipients.paged_members(case, members, now, start)
        people = tuple(dict.fromkeys([*on_duty, *sorted(alerted)]))
        forms = ("receipt", "talk", "open") if case.reachable else ("receipt", "open")
        message = notice_message(case, text, self.slack.texts, forms)
        posts = dict[str, tuple[str, str]]()
        outcome = await self.direct.send(
            people,
            message,
            obligation,
            round_key=f"{'page' if is_page else 'look'}{number}",
            posts=posts,
            more=partial(self._alarm_words, case, members),
        )
        await self._supersede_pages(case, obligation, posts)
        if isinstance(outcome, Retry | RateLimited) and outcome.after_seconds is not None:
            # One member's pause must not delay the others: they are paged again when this round is over.
            seconds = min(outcome.after_seconds, (next_round - now).total_seconds())
            return replace(outcome, after_seconds=max(seconds, 0.0))
        if not isinstance(outcome, Completed):
            return outcome
        newly_alerted = await self.slack.store.aread(list_alerted, alert_prefix(case)) - {
            *people,
            *case.denied,
        }
        return Rescheduled(now if newly_alerted else next_round, "paged; not confirmed yet")

    async def _ask_to_close(
        self, case: Case, alarm: Alarm, members: Sequence[Member], obligation: Obligation
    ) -> Outcome:
        """The person who confirmed a danger closes it with a reason; without them, the people who are paged now."""
        now = self.slack.store.now()
        on_duty = recipients.paged_members(case, members, now, now)
        people = [alarm.seen_by] if alarm.seen_by in {member.id for member in members} else on_duty
        texts, has_words = self.slack.texts, bool(obligation.facts.get("words"))
        text = texts.text("dm.danger_open", ref=case.ref)
        if has_words:
            text = texts.text("dm.danger_more", ref=case.ref, place=self._channel_mention(case))
        message = notice_message(case, text, texts, ("end_danger", "open"))
        more = partial(self._alarm_words, case, members) if has_words else None
        outcome = await self.direct.send(people, message, obligation, more=more)
        if has_words or not isinstance(outcome, Completed):
            return outcome
        return Rescheduled(now + CLOSE_ALARM_EVERY, "seen; not closed yet")

    async def _alarm_words(self, case: Case, members: Sequence[Member], member_id: str) -> list[Block]:
        """What the complainant wrote since the danger began, for a member who may read it: the read is recorded."""
        actor = next((recipients.member_actor(member) for member in members if member.id == member_id), None)
        if actor is None or not is_allowed(case, Access.READ, actor):
            return []
        words = await self.slack.store.awrite(read_alarm_words, case.ref, actor)
        texts = self.slack.texts
        code = next((sign.language for sign in reversed(case.signs) if sign.language), case.language)
        title = texts.text("dm.danger_words", spoken=texts.language_name(code))
        return [quoted(title, words[-WORDS_SHOWN:])] if words else []

    def _kinds(self, case: Case) -> str:
        """The kinds of danger by the names of the rules."""
        texts = self.slack.texts
        signs = clearest_signs(case.signs)
        names = dict.fromkeys(escaped(rule_name(sign.rule, texts.text), 100) for sign in signs)
        return ", ".join(names) or texts.text("dm.danger_kind")

    def _look_text(self, case: Case, since: timedelta) -> str:
        texts, alarm = self.slack.texts, case.alarm
        fields = {"ref": case.ref, "what": self._kinds(case), "place": self._channel_mention(case)}
        if alarm is not None and alarm.calm_at is not None:
            return f"{texts.text('dm.look_denied', **fields)} {self._circle(since)}".strip()
        return texts.text("dm.look", **fields)

    def _page_text(self, case: Case, since: timedelta) -> str:
        """The kinds of danger, never in the complainant's words, and how long it waits."""
        texts, minutes = self.slack.texts, since // timedelta(minutes=1)
        fields = {"ref": case.ref, "place": self._channel_mention(case), "kind": self._kinds(case)}
        if since < recipients.PAGE_EVERY:
            return texts.text("dm.danger", **fields)
        also = self._circle(since) or texts.text("dm.danger_on_call")
        return texts.text("dm.danger_wider", minutes=minutes, also=also, **fields)

    def _circle(self, since: timedelta) -> str:
        if since < recipients.MANAGERS_AFTER:
            return ""
        id_ = "dm.danger_top" if since >= recipients.TOP_AFTER else "dm.danger_managers"
        return self.slack.texts.text(id_)

    async def _supersede_pages(
        self, case: Case, obligation: Obligation, posts: Mapping[str, tuple[str, str]]
    ) -> None:
        """Mark each person's former page. The newest is a message of its own: an edit sends no notification.

        A mark that fails is tried again with the next page.
        """
        store, text = self.slack.store, self.slack.texts.text("dm.danger_superseded", ref=case.ref)
        for member_id, (channel, ts) in posts.items():
            prefix = f"paged:{obligation.id}:{member_id}:"
            former = await store.aread(list_slack_keys, prefix)
            await store.awrite_with_retry(record_slack_key, f"{prefix}{channel}:{ts}")
            await self.direct.replace_posts(prefix, former, text)

    async def _notes(self, case: Case) -> str:
        """Below a page: that the message was read late, and who was not reached outside of Slack."""
        texts, notes, alarm = self.slack.texts, "", case.alarm
        if alarm is not None and alarm.written_at is not None:
            minutes = alarm.read_after // timedelta(minutes=1)
            at = texts.moment(alarm.written_at, case.rules.calendar.zone)
            notes += f" {texts.text('dm.read_late', at=at, minutes=minutes)}"
        if unreached := await self.slack.store.aread(list_unreached, case.ref):
            notes += f" {texts.text('dm.not_reached', who=', '.join(map(mention, unreached)))}"
        return notes

    def _channel_mention(self, case: Case) -> str:
        channels = self.slack.channels
        is_restricted = post_purposes(case)[0] == RESTRICTED
        return f"<#{channels.restricted if is_restricted else channels.triage}>"
