"""A complaint's posts and the lines in their thread: the present record, only where it may be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError

from bots.slack.client.block_kit import SlackMessage
from bots.slack.client.client import GONE, channel_members, error_of, is_history_closed
from bots.slack.jobs.post import Poster, is_own_message, notice_message
from bots.slack.recipients import MANAGING, member_actor
from bots.slack.views.card import CARD, EXECUTIVE, RESTRICTED, card, thread_line
from complaints.actors import may_manage
from complaints.case import Case
from complaints.incidents import informs_top_apart
from complaints.obligations.per_event import AFTER_THE_CARD
from complaints.obligations.standing import card_waits_until
from complaints.vocabulary import Flag
from store.cases.read import load_case, load_history
from store.incidents import was_executive_notified
from store.outbox.complete import Completed, Outcome, Rescheduled
from store.outbox.deliveries import list_deliveries
from store.people.staff import list_members
from store.similarity.similar import list_similar_cases, redraw_similar_cases
from store.slack import (
    claim_post,
    find_known_slack_keys,
    list_posts,
    record_post_deleted,
    record_posted,
    record_slack_key,
    take_over_post,
)
from store.values import Obligation, SlackPost

#: The lease of an obligation: a worker that claimed a post and has not made it by then is dead.
POST_CLAIM_TIMEOUT = timedelta(seconds=20)
RETRY_AFTER = timedelta(seconds=1)
#: Why a first post waits.
POSTED_ELSEWHERE = "another process may be posting it"


class _PostInProgress(Exception):
    """Another process may be posting this now; try again at `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(POSTED_ELSEWHERE)
        self.until = until


class CardJobs:
    def __init__(self, poster: Poster) -> None:
        self.poster, self.slack = poster, poster.slack
        # One drawing at a time for each complaint: of two at once the older might arrive last.
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        #: Keys of the posts that this process has claimed and not yet posted.
        self._claimed: set[str] = set()

    async def card(self, obligation: Obligation) -> Outcome:
        """`card:<version>`: post what is missing, redraw what is outdated, delete what must not be seen."""
        case = await self._load(obligation.ref or str(obligation.facts["ref"]))
        posts = await self.slack.store.aread(list_posts, case.ref)
        waits_until = card_waits_until(case)
        if not posts and waits_until is not None and waits_until > self.slack.store.now():
            return Rescheduled(waits_until, "the proposal may decide in which channel the card is posted")
        return await self._draw(case.ref)

    async def redraw(self, obligation: Obligation) -> Outcome:
        """`redraw`: draw the card again after a choice in its menu, a due time, or news of a delivery.

        With the fact `likes` the cards that name this complaint are scheduled, each with its own obligation.
        """
        ref = str(obligation.facts["ref"])
        if obligation.facts.get("likes"):
            await self.slack.store.awrite(redraw_similar_cases, ref)
            return Completed()
        return await self._draw(ref, always=True)

    async def thread(self, obligation: Obligation) -> Outcome:
        """`thread:<seq>`: verb, who, when; a burst of messages is one line with their number."""
        slack, store, ref = self.slack, self.slack.store, str(obligation.ref)
        case = await self._load(ref)
        events = await store.aread(load_history, ref)
        line = thread_line(events, int(obligation.facts["seq"]), case, slack.texts)
        if line is None or case.erased_at is not None:
            return Completed()
        text, not_before = line
        now = store.now()
        if not_before > now:
            return Rescheduled(not_before, "the burst may go on")
        post = working_post(case, tuple(await store.aread(list_posts, ref)))
        if post is None and not await visible_purposes(self.poster, case, post_purposes(case)):
            # No channel may show it, so there is no thread; the record has everything.
            return Completed()
        if post is None or post.ts is None:
            waits_until = card_waits_until(case) or now
            return Rescheduled(max(waits_until, now) + AFTER_THE_CARD, "the card is not posted yet")
        key = f"{obligation.key}:{ref}"
        # Recorded before the post, so that a second attempt first checks whether the first was delivered.
        is_repeated = await store.awrite(record_slack_key, f"line:{key}")
        if is_repeated and await self.poster.find(post.channel, key, thread=post.ts) is not None:
            return Completed()
        await self.poster.post(post.channel, SlackMessage(text, []), key, thread=post.ts)
        return Completed()

    async def _draw(self, ref: str, *, always: bool = False) -> Outcome:
        """Draw all posts until they show the newest version; `always` redraws posts that show it already."""
        lock = self._locks.setdefault(ref, asyncio.Lock())
        async with lock:
            try:
                while True:
                    case = await self._load(ref)
                    await self._draw_posts(case, always=always)
                    if (await self._load(ref)).version == case.version:
                        return Completed()
                    always = False
            except _PostInProgress as other:
                return Rescheduled(other.until, POSTED_ELSEWHERE)

    async def _draw_posts(self, case: Case, *, always: bool) -> None:
        posts = {post.purpose: post for post in await self.slack.store.aread(list_posts, case.ref)}
        wanted = list(post_purposes(case))
        if EXECUTIVE in wanted and not await self._is_for_top_management(case, posts):
            wanted.remove(EXECUTIVE)
        visible = await visible_purposes(self.poster, case, tuple(wanted))
        if not visible:
            await notify_managers_privately(self.poster, case)
        for purpose in visible:
            is_working_place = purpose == first_purpose(visible)
            await self._draw_post(
                case, purpose, posts.get(purpose), always=always, is_working_place=is_working_place
            )
        for purpose, post in posts.items():
            # The executive post stays: top management cannot be un-notified.
            is_obsolete = purpose not in visible and purpose != EXECUTIVE
            if is_obsolete or purpose not in await visible_purposes(self.poster, case, (purpose,)):
                await self._delete(post)

    async def _is_for_top_management(self, case: Case, posts: Mapping[str, SlackPost]) -> bool:
        """Top management is notified of an incident once, and of every complaint that is grave in itself (5.3)."""
        if case.incident is None or informs_top_apart(case) or EXECUTIVE in posts:
            return True
        return not await self.slack.store.aread(was_executive_notified, case.ref)

    async def _draw_post(
        self, case: Case, purpose: str, existing: SlackPost | None, *, always: bool, is_working_place: bool
    ) -> None:
        slack, store = self.slack, self.slack.store
        channel, key = slack.channels.channel(purpose), _key(case.ref, purpose)
        post = existing
        if post is None:
            post = await store.awrite(claim_post, case.ref, channel, purpose)
        ts, draw = post.ts, post.draws + 1
        if post.is_new:
            self._claimed.add(key)
        elif ts is None:
            # An earlier attempt may have been delivered although no answer came.
            ts = await self.poster.find(channel, key)
            if ts is None:
                await self._take_over(post, key)
        if existing and existing.ts and existing.shown_version >= case.version and not always:
            return
        has_similar = is_working_place and case.is_open
        similar = await store.aread(list_similar_cases, case.ref) if has_similar else ()
        deliveries = await store.aread(list_deliveries, case.ref) if is_working_place else ()
        message = card(
            case,
            slack.texts,
            now=store.now(),
            draw=draw,
            purpose=purpose,
            is_working_place=is_working_place,
            similar=similar,
            deliveries=deliveries,
        )
        # Posted again if it was deleted: every complaint has a card.
        ts = await self.poster.show(channel, ts, message, key)
        await store.awrite(record_posted, case.ref, purpose, ts, case.version, draw)
        self._claimed.discard(key)

    async def _take_over(self, post: SlackPost, key: str) -> None:
        """Claim a post that another process claimed. Raises _PostInProgress while that one may still post it.

        History does not show a post at once, so two processes would post two cards.
        """
        if not self.slack.store.is_shared or key in self._claimed:
            return
        until = post.claimed_at + POST_CLAIM_TIMEOUT
        if self.slack.store.now() < until or not await self.slack.store.awrite(take_over_post, post):
            raise _PostInProgress(max(until, self.slack.store.now() + RETRY_AFTER))
        self._claimed.add(key)

    async def _delete(self, post: SlackPost) -> None:
        """Delete a post and our lines in its thread, because it may no longer be seen in its channel."""
        ts = post.ts or await self.poster.find(post.channel, _key(post.ref, post.purpose))
        if ts is not None:
            try:
                for message_ts in [*await self._own_lines(post.channel, ts), ts]:
                    await self.poster.client.chat_delete(channel=post.channel, ts=message_ts)
            except SlackApiError as failure:
                if error_of(failure) not in GONE:
                    raise
        await self.slack.store.awrite(record_post_deleted, post.ref, post.purpose)

    async def _own_lines(self, channel: str, ts: str) -> list[str]:
        try:
            answer = await self.poster.client.conversations_replies(
                channel=channel, ts=ts, limit=200, include_all_metadata=True
            )
        except SlackApiError as failure:
            if not is_history_closed(failure):
                raise
            return []
        return [
            str(message["ts"])
            for message in answer["messages"]
            if is_own_message(message) and message["ts"] != ts
        ]

    async def _load(self, ref: str) -> Case:
        return await self.slack.store.aread(load_case, ref)


def _key(ref: str, purpose: str) -> str:
    return f"{purpose}:{ref}"


def post_purposes(case: Case) -> tuple[str, ...]:
    """The posts of a complaint. Where it may be seen is decided before the first post (docs/design.md, rule 8)."""
    channel = RESTRICTED if case.restricted else CARD
    return (channel, EXECUTIVE) if Flag.SIGNIFICANT in case.flags else (channel,)


def first_purpose(purposes: tuple[str, ...]) -> str | None:
    """The post whose thread is the working place: the executive one only if it is the only one."""
    others = (purpose for purpose in purposes if purpose != EXECUTIVE)
    return next(others, EXECUTIVE if purposes else None)


def working_post(case: Case, posts: tuple[SlackPost, ...]) -> SlackPost | None:
    """The post whose thread is the working place of this complaint."""
    posted = {post.purpose: post for post in posts if post.ts is not None}
    return next((posted[purpose] for purpose in post_purposes(case) if purpose in posted), None)


async def visible_purposes(poster: Poster, case: Case, purposes: tuple[str, ...]) -> tuple[str, ...]:
    """The posts whose channel has no member who must not see the complaint (4.7, Annex C).

    A complaint that a manager released is shown in the channel of all others, because it is not about staff.
    """
    if not case.denied or not case.restricted:
        return purposes
    visible = []
    for purpose in purposes:
        members = await channel_members(poster.client, poster.slack.channels.channel(purpose))
        if case.denied.isdisjoint(members):
            visible.append(purpose)
    return tuple(visible)


async def notify_managers_privately(poster: Poster, case: Case) -> None:
    """If no channel may show it, each person who may assign it gets one direct message."""
    slack = poster.slack
    for member in await slack.store.aread(list_members):
        actor = member_actor(member)
        if member.id in case.denied or not actor.has(*MANAGING) or not may_manage(case, actor):
            continue
        key = f"withheld:{case.ref}:{member.id}"
        if await slack.store.aread(find_known_slack_keys, [key]):
            continue
        channel = await poster.conversation(member.id)
        text = slack.texts.text("dm.withheld", ref=case.ref)
        message = notice_message(case, text, slack.texts, ("open", "assess", "assign"))
        await poster.post(channel, message, key)
        # Recorded only after the post: a duplicate is better than a lost notice.
        await slack.store.awrite(record_slack_key, key)
