"""Notices for complainants without a chat: staff are asked to read them out or to post them."""

from __future__ import annotations

from bots.slack import recipients
from bots.slack.jobs.direct_messages import DirectMessageJobs
from bots.slack.jobs.post import notice_message
from complaints.obligations.reminders import leaves_at
from store.cases.read import load_case, load_history
from store.outbox.offline import save_words_to_read_out
from store.outbox.outcomes import Completed, Failed, Outcome, Rescheduled
from store.people.staff import list_members
from store.record.texts import load_event_words
from store.values import Obligation


class OfflineNoticeJobs:
    """Handles `tell_by_voice`."""

    def __init__(self, direct: DirectMessageJobs) -> None:
        self.direct = direct
        self.slack = direct.slack

    async def ask(self, obligation: Obligation) -> Outcome:
        """Record the exact words, then ask the owner, otherwise the managers, to read them out or post them.

        The words are shown in the opened complaint and never in the message, so that reading them is recorded.
        """
        slack, store, ref = self.slack, self.slack.store, str(obligation.ref)
        case = await store.aread(load_case, ref)
        if not case.told_by_people:
            # The complainant connected a chat since; what is open is sent there.
            return Completed()
        events = await store.aread(load_history, ref)
        about = str(obligation.facts["about"])
        spoken = await store.in_thread(
            lambda: slack.read_out(
                case,
                about,
                obligation.facts,
                events=events,
                words_of=lambda seq: store.read(load_event_words, ref, seq),
                now=store.now(),
            )
        )
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
        leave_at = leaves_at(case, store.now())
        if leave_at > store.now():
            return Rescheduled(leave_at, "outside working hours")
        people = recipients.offline_notifiers(case, await store.aread(list_members), store.now())
        if not people:
            return Failed(f"nobody may tell the complainant of {ref}: name a manager in [roles]")
        texts = slack.texts
        how = texts.text(f"channel.{obligation.facts['by']}")
        text = texts.text("dm.tell_by_voice", ref=ref, how=how, what=texts.text(f"to_tell.{about}"))
        message = notice_message(case, text, texts, ("open", "given"))
        return await self.direct.send(people, message, obligation)
