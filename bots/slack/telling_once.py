"""A direct message to one person of staff, said once though the duty may be done twice."""

from __future__ import annotations

from bots.slack.card import Drawn
from bots.slack.posting import Poster
from store.outbox.outcomes import Completed, Outcome
from store.slack.posts import record_slack_key
from store.values import Obligation


async def say_once(poster: Poster, owed: Obligation, member: str, drawn: Drawn) -> Outcome:
    """Post it, unless an earlier try arrived.

    It is written down before the post: a second try first looks whether the first is there. Where direct messages
    are not open to us and no failure is known, it is not said again: a message of this kind is no promise.
    """
    desk = poster.desk
    channel = await poster.direct(member)
    if await desk.store.awrite(record_slack_key, f"once:{owed.key}:{member}"):
        arrived = await poster.arrived(channel, owed.key)
        if arrived or (arrived is None and owed.attempts == 0):
            return Completed()
    await poster.post(channel, drawn, owed.key)
    return Completed()
