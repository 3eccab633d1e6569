"""The duty `card`: a complaint's posts show the record as it stands, and only where it may be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError

from bots.slack.card import CARD, EXECUTIVE, RESTRICTED, card
from bots.slack.client import error_of
from bots.slack.pace import Wait
from bots.slack.posting import GONE, NETWORK, Poster, cannot_look, is_ours, outcome_of
from bots.slack.withheld import home_among, places_for, tell_privately
from complaints.case import Case
from complaints.incidents import noticed_apart
from complaints.obligations.standing import card_waits_until
from complaints.vocabulary import Flag
from store.cases.read import load_case
from store.incidents.card import was_executive_notified
from store.outbox.deliveries import list_deliveries
from store.outbox.outcomes import Completed, Outcome, Rescheduled
from store.similarity.similar import list_similar_cases, redraw_similar_cases
from store.slack.posts import claim_post, list_posts, record_post_deleted, record_posted, take_over_post
from store.values import Obligation, SlackPost

#: As long as a duty is leased: who claimed a post and has not made it by then is dead.
POSTS_WITHIN = timedelta(seconds=20)
SOON = timedelta(seconds=1)
#: Why a first post waits.
ELSEWHERE = "another process may be posting it"


class _UnderWay(Exception):
    """Look again then."""

    def __init__(self, until: datetime) -> None:
        super().__init__(ELSEWHERE)
        self.until = until


def purposes(case: Case) -> tuple[str, ...]:
    """Which posts a complaint has; where it may be seen is decided before its first (docs/design.md, rule 8)."""
    home = RESTRICTED if case.restricted else CARD
    return (home, EXECUTIVE) if Flag.SIGNIFICANT in case.flags else (home,)


def home_of(case: Case, posts: tuple[SlackPost, ...]) -> SlackPost | None:
    """The post whose thread is the working place of this complaint."""
    posted = {one.purpose: one for one in posts if one.ts is not None}
    return next((posted[one] for one in purposes(case) if one in posted), None)


class Drawing:
    """Draws the posts of complaints."""

    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        # One drawing at a time for each complaint: of two side by side the older might land last.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: Posts that this process itself is to make, and has not.
        self._begun: set[str] = set()

    async def card(self, owed: Obligation) -> Outcome:
        """`card:<version>`: post what is missing, redraw what is behind, delete what must not be there."""
        case = await self._case(owed.ref or str(owed.facts["ref"]))
        posts = await self._posts(case.ref)
        waits = card_waits_until(case)
        if not posts and waits is not None and waits > self.poster.desk.store.now():
            return Rescheduled(waits, "the proposal has a say in where the card goes")
        return await self._drawn(case.ref)

    async def redraw(self, owed: Obligation) -> Outcome:
        """`redraw`: the same card with the next draw, after a choice in its menu, a due time, or word of a notice.

        With `likes` it is the cards that name this complaint: each becomes a duty of its own.
        """
        ref = str(owed.facts["ref"])
        if owed.facts.get("likes"):
            await self.poster.desk.store.awrite(redraw_similar_cases, ref)
            return Completed()
        return await self._drawn(ref, anew=True)

    async def _drawn(self, ref: str, *, anew: bool = False) -> Outcome:
        lock = self._locks.setdefault(ref, asyncio.Lock())
        async with lock:
            try:
                while True:
                    case = await self._case(ref)
                    await self._all(case, anew=anew)
                    if (await self._case(ref)).version == case.version:
                        return Completed()
                    anew = False
            except _UnderWay as other:
                return Rescheduled(other.until, ELSEWHERE)
            except (SlackApiError, Wait, *NETWORK) as failure:
                return outcome_of(failure)

    async def _all(self, case: Case, *, anew: bool) -> None:
        known = {one.purpose: one for one in await self._posts(case.ref)}
        told = [one for one in purposes(case) if one != EXECUTIVE or await self._told(case, known)]
        wanted = await places_for(self.poster, case, tuple(told))
        if not wanted:
            await tell_privately(self.poster, case)
        for purpose in wanted:
            home = purpose == home_among(wanted)
            await self._one(case, purpose, known.get(purpose), anew=anew, home=home)
        for purpose, post in known.items():
            # The executive post stays: significance once told is not untold.
            gone = purpose not in wanted and purpose != EXECUTIVE
            if gone or purpose not in await places_for(self.poster, case, (purpose,)):
                await self._remove(post)

    async def _told(self, case: Case, known: Mapping[str, SlackPost]) -> bool:
        """Is top management told of this one? Of an incident once, but for what is grave by itself (5.3)."""
        desk = self.poster.desk
        if case.incident is None or noticed_apart(case) or EXECUTIVE in known:
            return True
        return not await desk.store.aread(was_executive_notified, case.ref)

    async def _one(self, case: Case, purpose: str, post: SlackPost | None, *, anew: bool, home: bool) -> None:
        desk = self.poster.desk
        channel, key = desk.places.of(purpose), self._key(case.ref, purpose)
        stands: SlackPost
        if post is None:
            stands = await desk.store.awrite(claim_post, case.ref, channel, purpose)
        else:
            stands = post
        ts, draw = stands.ts, stands.draws + 1
        if stands.mine:
            self._begun.add(key)
        elif ts is None:
            # An earlier try may have arrived although we never heard so.
            ts = await self.poster.find(channel, key)
            if ts is None:
                await self._must_not_be_under_way(stands, key)
        if post is not None and post.ts is not None and post.shown >= case.version and not anew:
            return
        likes = await desk.store.aread(list_similar_cases, case.ref) if home and case.is_open else ()
        told = await desk.store.aread(list_deliveries, case.ref) if home else ()
        drawn = card(
            case,
            desk.voice,
            now=desk.store.now(),
            draw=draw,
            purpose=purpose,
            home=home,
            likes=likes,
            told=told,
        )
        # A complaint has its card, though somebody deleted it.
        ts = await self.poster.show(channel, ts, drawn, key)
        await desk.store.awrite(record_posted, case.ref, purpose, ts, case.version, draw)
        self._begun.discard(key)

    async def _must_not_be_under_way(self, post: SlackPost, key: str) -> None:
        """Another process may be posting it at this moment, not yet to be found: two cards would stand there."""
        desk = self.poster.desk
        if not desk.store.is_shared or key in self._begun:
            return
        until = post.claimed_at + POSTS_WITHIN
        if desk.store.now() < until or not await desk.store.awrite(take_over_post, post):
            raise _UnderWay(max(until, desk.store.now() + SOON))
        self._begun.add(key)

    async def _remove(self, post: SlackPost) -> None:
        """Delete a post and what we wrote in its thread: it stands where it may not be seen any more."""
        desk, client = self.poster.desk, self.poster.client
        ts = post.ts or await self.poster.find(post.channel, self._key(post.ref, post.purpose))
        if ts is not None:
            try:
                for each in [*await self._lines(post.channel, ts), ts]:
                    await client.chat_delete(channel=post.channel, ts=each)
            except SlackApiError as failure:
                if error_of(failure) not in GONE:
                    raise
        await desk.store.awrite(record_post_deleted, post.ref, post.purpose)

    async def _lines(self, channel: str, ts: str) -> list[str]:
        """What we wrote in the thread of this post."""
        try:
            answer = await self.poster.client.conversations_replies(
                channel=channel, ts=ts, limit=200, include_all_metadata=True
            )
        except SlackApiError as failure:
            if not cannot_look(failure):
                raise
            return []
        return [str(one["ts"]) for one in answer["messages"] if is_ours(one) and one["ts"] != ts]

    def _key(self, ref: str, purpose: str) -> str:
        return f"{purpose}:{ref}"

    async def _case(self, ref: str) -> Case:
        return await self.poster.desk.store.aread(load_case, ref)

    async def _posts(self, ref: str) -> tuple[SlackPost, ...]:
        return tuple(await self.poster.desk.store.aread(list_posts, ref))
