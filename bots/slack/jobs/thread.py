"""The job `thread`: one line in the thread of the card for each event, once the card is posted."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from bots.slack.client.block_kit import SlackMessage
from bots.slack.client.errors import NETWORK
from bots.slack.client.rate_limit import RateLimitWait
from bots.slack.jobs.card import post_purposes, visible_purposes, working_post
from bots.slack.jobs.post import Poster, failure_outcome
from bots.slack.views.timeline import thread_line
from complaints.obligations.per_event import AFTER_THE_CARD
from complaints.obligations.standing import card_waits_until
from store.cases.read import load_case, load_history
from store.outbox.outcomes import Completed, Outcome, Rescheduled
from store.slack.posts import list_posts, record_slack_key
from store.values import Obligation


class ThreadJobs:
    """Writes lines in the threads of cards."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster

    async def thread(self, obligation: Obligation) -> Outcome:
        """`thread:<seq>`: verb, who, when; a burst of messages is one line with their number."""
        slack, ref = self.poster.slack, str(obligation.ref)
        case = await slack.store.aread(load_case, ref)
        events = await slack.store.aread(load_history, ref)
        line = thread_line(events, int(obligation.facts["seq"]), case, slack.texts)
        if line is None or case.erased_at is not None:
            return Completed()
        text, not_before = line
        now = slack.store.now()
        if not_before > now:
            return Rescheduled(not_before, "the burst may go on")
        post = working_post(case, tuple(await slack.store.aread(list_posts, ref)))
        if post is None and not await visible_purposes(self.poster, case, post_purposes(case)):
            # No channel may show it, so there is no thread; the record has everything.
            return Completed()
        if post is None or post.ts is None:
            waits_until = card_waits_until(case) or now
            return Rescheduled(max(waits_until, now) + AFTER_THE_CARD, "the card is not posted yet")
        key = f"{obligation.key}:{ref}"
        try:
            # Recorded before the post, so that a second attempt first checks whether the first was delivered.
            is_repeated = await slack.store.awrite(record_slack_key, f"line:{key}")
            if is_repeated and await self.poster.find(post.channel, key, thread=post.ts) is not None:
                return Completed()
            await self.poster.post(post.channel, SlackMessage(text, []), key, thread=post.ts)
        except (SlackApiError, RateLimitWait, *NETWORK) as failure:
            return failure_outcome(failure)
        return Completed()
