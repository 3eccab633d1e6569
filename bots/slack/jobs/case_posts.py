"""A complaint's posts and the lines in their thread: the present record, only where it may be seen."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from weakref import WeakValueDictionary

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client.block_kit import SlackMessage, cut
from bots.slack.client.client import GONE, channel_members, error_of, is_history_closed, log_unexpected
from bots.slack.client.response_url import replace_original
from bots.slack.client.slack_limits import POSTS, slot_for
from bots.slack.context import SlackContext
from bots.slack.jobs.post import Attempt, Poster, is_own_message, notice_message
from bots.slack.payloads import PressedMessage
from bots.slack.recipients import member_actor
from bots.slack.views.card import CARD, EXECUTIVE, RESTRICTED, card, folded_card, thread_line
from complaints.actions.authorisation import is_allowed
from complaints.actions.registry import ACTIONS
from complaints.batch import folds_into_incident
from complaints.case import Case
from complaints.incidents import informs_top_apart
from complaints.obligations.per_event import AFTER_THE_CARD
from complaints.obligations.standing import card_waits_until
from complaints.vocabulary import Flag, Verb
from store.cases.read import load_card_lists, load_case
from store.database.errors import SealBroken
from store.incidents import folds_card, was_executive_notified
from store.outbox.complete import Completed, Outcome, Rescheduled
from store.outbox.rows import insert_redraw
from store.people.masked_texts import load_masked_story
from store.people.staff import list_members
from store.record.load import load_case_file
from store.similarity.similar import redraw_similar_cases
from store.slack_posts import (
    claim_post,
    complete_drawings,
    find_known_slack_keys,
    list_posts,
    list_waiting_drawings,
    load_case_and_posts,
    record_direct_message,
    record_post_deleted,
    record_posted,
    record_slack_key,
    take_over_post,
)
from store.values import Obligation, SlackPost

#: The lease of an obligation: a worker that claimed a post and has not made it by then is dead.
POST_CLAIM_TIMEOUT = timedelta(seconds=20)
RETRY_AFTER = timedelta(seconds=1)
#: People whose words are never in a channel, even masked: too few details are needed to know who they are.
_NO_SUBJECT = frozenset({Flag.MINOR, Flag.ANONYMOUS, Flag.SUPPORT_NEED, Flag.PROCESSING_RESTRICTED})
#: Code points of a card's subject.
_SUBJECT_LENGTH = 80
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
        #: Keys of the posts that this process was the last to try, without an answer.
        self._own_attempts: set[str] = set()
        #: Keys of the posts that history does not have, with the time of the attempt that was searched for.
        self._not_delivered: dict[str, datetime] = {}

    async def card(self, obligation: Obligation) -> Outcome:
        """`card:<version>`: post what is missing, redraw what is outdated, delete what must not be seen."""
        ref = obligation.ref or str(obligation.facts["ref"])
        case, posts = await self.slack.store.aread(load_case_and_posts, ref)
        waits_until = card_waits_until(case)
        if not posts and waits_until is not None and waits_until > self.slack.store.now():
            return Rescheduled(waits_until, "the proposal may decide in which channel the card is posted")
        return await self._draw(case.ref, obligation)

    async def redraw(self, obligation: Obligation) -> Outcome:
        """`redraw`: draw the card again after a choice in its menu, a due time, or news of a delivery.

        With the fact `likes` the cards that name this complaint are scheduled, each with its own obligation.
        """
        ref = str(obligation.facts["ref"])
        if obligation.facts.get("likes"):
            await self.slack.store.awrite(redraw_similar_cases, ref)
            return Completed()
        return await self._draw(ref, obligation, always=True)

    async def thread(self, obligation: Obligation) -> Outcome:
        """`thread:<seq>`: verb, who, when; a burst of messages is one line with their number."""
        slack, store, ref = self.slack, self.slack.store, str(obligation.ref)
        file = await store.aread(load_case_file, ref)
        case = file.case
        line = thread_line(file.events, int(obligation.facts["seq"]), case, slack.texts)
        if line is None or case.erased_at is not None:
            return Completed()
        if ACTIONS[Verb(obligation.facts["verb"])].records == "decision" and await is_folded(slack, case):
            # The incident's card counts the letters: hundreds of lines would take the channel's posts for minutes.
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
        tried_key = f"line:{key}"
        is_repeated = await self.poster.was_tried(tried_key)
        if is_repeated and await self.poster.find(post.channel, key, thread=post.ts) is not None:
            return Completed()
        attempt = self.poster.attempt(tried_key)
        await self.poster.post(post.channel, SlackMessage(text, []), key, thread=post.ts, attempt=attempt)
        return Completed()

    async def _draw(self, ref: str, obligation: Obligation, *, always: bool = False) -> Outcome:
        """Draw all posts until they show the newest version; `always` redraws posts that show it already.

        The drawing also completes, without a call, every other obligation of this card that is due.
        """
        lock = self._locks.setdefault(ref, asyncio.Lock())
        async with lock:
            # Listed before the record is read: a later one may be about something that this drawing does not show.
            waiting = await self.slack.store.aread(list_waiting_drawings, ref)
            if obligation.ref is not None and obligation.id not in waiting:
                # Another drawing completed it while this one waited for its turn.
                return Completed()
            always = always or "redraw" in waiting.values()
            await self.slack.presses.ended(ref)
            try:
                while True:
                    case, posts = await self.slack.store.aread(load_case_and_posts, ref)
                    await self._draw_posts(case, {post.purpose: post for post in posts}, always=always)
                    if (await self.slack.store.aread(load_case, ref)).version == case.version:
                        break
                    always = False
            except _PostInProgress as other:
                return Rescheduled(other.until, POSTED_ELSEWHERE)
            if others := waiting.keys() - {obligation.id}:
                await self.slack.store.awrite_with_retry(complete_drawings, others)
            return Completed()

    async def _draw_posts(self, case: Case, posts: Mapping[str, SlackPost], *, always: bool) -> None:
        wanted = list(post_purposes(case))
        if EXECUTIVE in wanted and not await self._is_for_top_management(case, posts):
            wanted.remove(EXECUTIVE)
        visible = await visible_purposes(self.poster, case, tuple(wanted))
        if not visible:
            await notify_managers_privately(self.poster, case)
        for purpose in visible:
            await self._draw_post(
                case, purpose, posts.get(purpose), always=always, working_purpose=first_purpose(visible)
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
        self, case: Case, purpose: str, post: SlackPost | None, *, always: bool, working_purpose: str | None
    ) -> None:
        """Draw one post. The record is read again when the slot of the call has come, up to 5 s later."""
        slack, key = self.slack, _key(case.ref, purpose)
        channel, ts = slack.channels.channel(purpose), post.ts if post is not None else None
        if post is not None and ts is None:
            ts = await self._find_earlier(post, key)
        if post is not None and post.ts is not None and post.shown_version >= case.version and not always:
            return
        async with slot_for(POSTS if ts is None else "chat.update", channel), slack.presses.drawing(case.ref):
            case, posts = await self.slack.store.aread(load_case_and_posts, case.ref)
            newest = next((post for post in posts if post.purpose == purpose), None)
            is_drawn = newest is not None and newest.ts is not None and newest.shown_version >= case.version
            if purpose not in post_purposes(case) or (is_drawn and not always):
                return
            drawing = await draw_card(
                slack, case, purpose, newest, is_working_place=purpose == working_purpose
            )
            attempt = Attempt(
                partial(self._record_attempt, case.ref, channel, purpose, post),
                partial(self._withdraw_attempt, case.ref, purpose),
            )
            # Posted again if it was deleted: every complaint has a card.
            ts = await self.poster.show(channel, ts, drawing.message, key, attempt=attempt)
            await record_drawn(slack, drawing, ts)
        self._own_attempts.discard(key)
        self._not_delivered.pop(key, None)

    async def _find_earlier(self, post: SlackPost, key: str) -> str | None:
        """The ts of a post that was tried without an answer; None if it was not delivered.

        Raises _PostInProgress while another process may still be posting it: history does not show a post at once, so
        two processes would post two cards.
        """
        if self._not_delivered.get(key) == post.claimed_at:
            return None
        ts = await self.poster.find(post.channel, key)
        if ts is None:
            until = post.claimed_at + POST_CLAIM_TIMEOUT
            if (
                self.slack.store.is_shared
                and key not in self._own_attempts
                and self.slack.store.now() < until
            ):
                raise _PostInProgress(until)
            # While the next attempt waits for its slot, it is not searched for again.
            self._not_delivered[key] = post.claimed_at
        return ts

    async def _record_attempt(self, ref: str, channel: str, purpose: str, post: SlackPost | None) -> None:
        """Claim the post just before the call. Raises _PostInProgress if another process was first."""
        key = _key(ref, purpose)
        self._not_delivered.pop(key, None)
        if post is None:
            is_own = (await self.slack.store.awrite(claim_post, ref, channel, purpose)).is_new
        else:
            is_own = await self.slack.store.awrite(take_over_post, post)
        if not is_own:
            raise _PostInProgress(self.slack.store.now() + RETRY_AFTER)
        self._own_attempts.add(key)

    async def _withdraw_attempt(self, ref: str, purpose: str) -> None:
        self._own_attempts.discard(_key(ref, purpose))
        await self.slack.store.awrite(record_post_deleted, ref, purpose)

    async def _delete(self, post: SlackPost) -> None:
        """Delete a post and our lines in its thread, because it may no longer be seen in its channel."""
        ts = post.ts or await self.poster.find(post.channel, _key(post.ref, post.purpose))
        if ts is not None:
            await self._delete_messages(post.channel, [*await self._own_lines(post.channel, ts), ts])
        await self.slack.store.awrite(record_post_deleted, post.ref, post.purpose)

    async def erase(self, obligation: Obligation) -> Outcome:
        """`slack_erase`: delete the direct messages about an erased complaint, and our lines under its card.

        The card itself is redrawn and says that the complaint was erased.
        """
        store, ref = self.slack.store, str(obligation.facts["ref"])
        for post in await store.aread(list_posts, ref, direct=True):
            await self._delete(post)
        for post in await store.aread(list_posts, ref):
            if post.ts is not None:
                await self._delete_messages(post.channel, await self._own_lines(post.channel, post.ts))
        return Completed()

    async def _delete_messages(self, channel: str, messages: Sequence[str]) -> None:
        for ts in messages:
            try:
                await self.poster.client.chat_delete(channel=channel, ts=ts)
            except SlackApiError as failure:
                if error_of(failure) not in GONE:
                    raise

    async def _own_lines(self, channel: str, ts: str) -> list[str]:
        try:
            answer = await self.poster.client.conversations_replies(
                channel=channel, ts=ts, limit=200, include_all_metadata=True
            )
        except SlackApiError as failure:
            # A direct message whose thread was deleted before is gone too.
            if not is_history_closed(failure) and error_of(failure) not in GONE:
                raise
            return []
        return [
            str(message["ts"])
            for message in answer["messages"]
            if is_own_message(message) and message["ts"] != ts
        ]


@dataclass(frozen=True)
class CardDrawing:
    """A drawn card and what it shows: this version of the complaint, in the drawing with this number."""

    ref: str
    purpose: str
    version: int
    number: int
    message: SlackMessage


async def draw_card(
    slack: SlackContext, case: Case, purpose: str, post: SlackPost | None, *, is_working_place: bool
) -> CardDrawing:
    """Draw the card of this purpose as the record is now; the caller sends it."""
    store, number = slack.store, 1 if post is None else post.draws + 1
    if purpose == CARD and await is_folded(slack, case):
        folded = folded_card(case, slack.texts, draw=number)
        return CardDrawing(case.ref, purpose, case.version, number, folded)
    lists = partial(load_card_lists, has_similar=case.is_open)
    similar, deliveries, events = await store.aread(lists, case.ref) if is_working_place else ((), (), ())
    message = card(
        case,
        slack.texts,
        now=store.now(),
        draw=number,
        purpose=purpose,
        is_working_place=is_working_place,
        similar=similar,
        deliveries=deliveries,
        subject=await masked_subject(slack, case),
        events=events,
    )
    return CardDrawing(case.ref, purpose, case.version, number, message)


async def masked_subject(slack: SlackContext, case: Case) -> str:
    """The category and the first masked words, if the settings want them; empty for people who need protection."""
    if not slack.masked_subject or case.restricted or case.erased_at or case.flags & _NO_SUBJECT:
        return ""
    try:
        words = await slack.store.aread(load_masked_story, case.ref)
    except SealBroken:
        return ""
    category = slack.texts.text(f"category.{case.category}") if case.category else ""
    return cut(" · ".join(filter(None, (category, " ".join(words.split())))), _SUBJECT_LENGTH)


async def is_folded(slack: SlackContext, case: Case) -> bool:
    """Whether the card of an open incident takes the place of this complaint's."""
    if case.incident is None or not folds_into_incident(case):
        return False
    return await slack.store.aread(folds_card, case.ref, case.incident)


async def record_drawn(slack: SlackContext, drawing: CardDrawing, ts: str) -> None:
    """Record the drawing; if it may have replaced a newer one of another process, the card is drawn again."""
    ref, version = drawing.ref, drawing.version
    if not await slack.store.awrite(record_posted, ref, drawing.purpose, ts, version, drawing.number):
        await slack.store.awrite(insert_redraw, ref, f"overtaken:{version}:{drawing.number}")


async def draw_pressed_card(
    slack: SlackContext, client: AsyncWebClient, ref: str, pressed: PressedMessage, *, always: bool = False
) -> bool:
    """Replace the pressed card through the address of the press, before every other drawing.

    Only if it does not show the newest version, or `always`. False if it could not be done: then the card's own
    obligation draws it, a little later.
    """
    try:
        return await _draw_pressed(slack, client, ref, pressed, always=always)
    except Exception as failure:  # noqa: BLE001 - the act is recorded and the obligation draws the card
        log_unexpected("drawing of a pressed card", failure)
        return False


async def _draw_pressed(
    slack: SlackContext, client: AsyncWebClient, ref: str, pressed: PressedMessage, *, always: bool
) -> bool:
    async with slack.presses.drawing(ref):
        case, posts = await slack.store.aread(load_case_and_posts, ref)
        post = next(
            (post for post in posts if (post.channel, post.ts) == (pressed.channel, pressed.ts)), None
        )
        purposes = post_purposes(case)
        if (
            post is None
            or post.ts is None
            or post.purpose not in purposes
            or (case.denied and case.restricted)
        ):
            # Not a card, or who may see it has to be decided first: the obligation does that.
            return False
        if post.shown_version >= case.version and not always:
            return True
        is_working_place = post.purpose == first_purpose(purposes)
        drawing = await draw_card(slack, case, post.purpose, post, is_working_place=is_working_place)
        message = drawing.message
        if not await replace_original(client, pressed.url, message.text, message.blocks):
            return False
        await record_drawn(slack, drawing, post.ts)
        return True


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
        if not is_allowed(case, Verb.UNRESTRICT, actor):
            continue
        key = f"withheld:{case.ref}:{member.id}"
        if await slack.store.aread(find_known_slack_keys, [key]):
            continue
        channel = await poster.conversation(member.id)
        text = slack.texts.text("dm.withheld", ref=case.ref)
        message = notice_message(case, text, slack.texts, ("open", "assess", "assign"))
        ts = await poster.post(channel, message, key)
        await slack.store.awrite(record_direct_message, case.ref, channel, ts)
        # Recorded only after the post: a duplicate is better than a lost notice.
        await slack.store.awrite(record_slack_key, key)
