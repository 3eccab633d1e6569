"""The duty `thread`: one line under the card for what happened, once the card is there."""

from __future__ import annotations

from slack_sdk.errors import SlackApiError

from bots.slack.card import Drawn
from bots.slack.drawing import home_of, purposes
from bots.slack.pace import Wait
from bots.slack.posting import NETWORK, Poster, outcome_of
from bots.slack.thread import line_for
from bots.slack.withheld import places_for
from complaints.obligations.per_event import AFTER_THE_CARD
from complaints.obligations.standing import card_waits_until
from store.cases.read import load_case, load_history
from store.outbox.outcomes import Completed, Outcome, Rescheduled
from store.slack.posts import list_posts, record_slack_key
from store.values import Obligation


class Threading:
    """Lines in threads of one desk."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster

    async def thread(self, owed: Obligation) -> Outcome:
        """`thread:<seq>`: verb, who, when, how many messages; a burst of messages is one line."""
        desk, ref = self.poster.desk, str(owed.ref)
        case = await desk.store.aread(load_case, ref)
        events = await desk.store.aread(load_history, ref)
        line = line_for(events, int(owed.facts["seq"]), case, desk.voice)
        if line is None or case.erased_at is not None:
            return Completed()
        text, not_before = line
        now = desk.store.now()
        if not_before > now:
            return Rescheduled(not_before, "the burst may go on")
        home = home_of(case, tuple(await desk.store.aread(list_posts, ref)))
        if home is None and not await places_for(self.poster, case, purposes(case)):
            # No channel may show it: there is no thread, and the record tells everything.
            return Completed()
        if home is None or home.ts is None:
            waits = card_waits_until(case) or now
            return Rescheduled(max(waits, now) + AFTER_THE_CARD, "the card is not posted yet")
        key = f"{owed.key}:{ref}"
        try:
            # Written down before the post: a second try first looks whether the first arrived.
            if await desk.store.awrite(record_slack_key, f"line:{key}"):
                found = await self.poster.find(home.channel, key, thread=home.ts)
                if found is not None:
                    return Completed()
            await self.poster.post(home.channel, Drawn(text, []), key, thread=home.ts)
        except (SlackApiError, Wait, *NETWORK) as failure:
            return outcome_of(failure)
        return Completed()
