"""The conversation of staff with a complainant, and its thread (docs/slack.md, "Talk to them now").

The complainant's words are shown only there, in direct messages. An erasure deletes them.
"""

from collections.abc import Sequence

from slack_sdk.errors import SlackApiError

from bots.slack.client.block_kit import (
    Block,
    SlackMessage,
    actions,
    button,
    context,
    cut,
    mention,
    plain_words,
    quoted,
    section,
)
from bots.slack.client.client import error_of
from bots.slack.context import SlackContext
from bots.slack.jobs.post import Poster, load_event
from bots.slack.payloads import ButtonPress, DirectMessage
from bots.slack.responses import Acknowledged, PrivateNotice, Response
from bots.slack.router import Router
from bots.slack.views.refusals import refusal_text
from complaints.actions.authorisation import Access, is_allowed
from complaints.actions.intake import TRANSLATION
from complaints.actors import Actor
from complaints.errors import AlreadyDone, ComplaintError, OutOfOrder
from complaints.obligations.kinds import SendPriority
from complaints.vocabulary import Flag, Verb
from store.cases.act import act
from store.cases.read import load_case, read_last_words
from store.outbox.complete import Completed, Outcome, RateLimited
from store.outbox.deliveries import find_delivery
from store.people.staff import list_names
from store.record.load import load_readable_words
from store.slack_posts import find_conversation, record_direct_message, record_slack_key
from store.values import DeliveryStatus, Obligation

SENT = "white_check_mark"
#: Characters of a message of the complainant that the thread shows; the whole is in the opened complaint.
MAX_SHOWN = 2500


class ConversationJobs:
    def __init__(self, poster: Poster) -> None:
        self.poster = poster
        self.slack = poster.slack

    async def show(self, obligation: Obligation) -> Outcome:
        """`talk_show`: the rules of a conversation and the complainant's last words, or that it has ended."""
        file, event = await load_event(self.slack, obligation)
        case = file.case
        texts, thread = self.slack.texts, str(obligation.facts["thread"])
        if obligation.facts["phase"] == "end":
            text = texts.text("talk.ended", ref=case.ref, who=texts.actor_name(event.by, case))
            return await self._post(obligation, thread, text, [section(text)])
        if case.talk is None or case.talk.thread != thread:
            return Completed()
        last = await self.slack.store.awrite(read_last_words, case.ref, await self.slack.actor(event.by))
        spoken = texts.language_name(case.written_language)
        text = texts.text("talk.begun", who=mention(event.by), ref=case.ref, spoken=spoken)
        if Flag.NO_CONTACT in case.flags:
            text += f"\n{texts.text('talk.no_contact')}"
        words = [
            quoted(texts.clock(part.at, case.rules.calendar.zone), cut(part.text, MAX_SHOWN)) for part in last
        ]
        row = [button(texts.text("talk.end"), "case.talk_end", f"{case.ref}:{thread}", style="danger")]
        rule = context(texts.text("talk.rule"))
        return await self._post(obligation, thread, text, [section(text), *words, rule, actions("talk", row)])

    async def mark(self, obligation: Obligation) -> Outcome:
        """`talk_mark`: mark a line as sent, or say why it was not; the words are kept in the record."""
        file, event = await load_event(self.slack, obligation)
        case = file.case
        delivery = await self.slack.store.aread(find_delivery, case.ref, f"talk:{event.seq}")
        if delivery is None or delivery.status in (DeliveryStatus.TRYING, DeliveryStatus.WAITING):
            return RateLimited(0.5 if delivery is None else 5.0)
        thread = str(event.facts["thread"])
        if delivery.status not in (DeliveryStatus.DELIVERED, DeliveryStatus.SENT_AGAIN):
            why = self.slack.texts.text(f"delivery.why.{delivery.reason or 'other'}")
            text = self.slack.texts.text("talk.failed", why=why)
            return await self._post(obligation, thread, text, [section(text)])
        channel, post = thread.partition(":")[0], str(event.facts["post"])
        try:
            await self.poster.client.reactions_add(channel=channel, timestamp=post, name=SENT)
        except SlackApiError as failure:
            # The member may have deleted the line; it was sent all the same.
            if error_of(failure) not in ("already_reacted", "message_not_found"):
                raise
        return Completed()

    async def heard(self, obligation: Obligation) -> Outcome:
        """`talk_heard`: show in the thread what the complainant wrote; never to a person who may not read it."""
        file, event = await load_event(self.slack, obligation)
        case = file.case
        texts, talk = self.slack.texts, case.talk
        if talk is None or not is_allowed(case, Access.READ, await self.slack.actor(talk.member)):
            return Completed()
        words = "\n".join((await self.slack.store.aread(load_readable_words, case.ref, event.seq)).values())
        if words or event.facts.get("media"):
            what = "talk.translated" if event.facts.get("kind") == TRANSLATION else "talk.wrote"
            title = texts.text(what, when=texts.clock(event.at, case.rules.calendar.zone))
            block = quoted(title, cut(words or texts.text("talk.file"), MAX_SHOWN))
            await self._post(obligation, talk.thread, texts.text("talk.new", ref=case.ref), [block])
        return Completed()

    async def _post(self, obligation: Obligation, thread: str, text: str, blocks: Sequence[Block]) -> Outcome:
        channel, _, ts = thread.partition(":")
        ref, message = str(obligation.ref), SlackMessage(text, list(blocks))
        posted = await self.poster.post(channel, message, f"{obligation.key}:{ref}", thread=ts)
        await self.slack.store.awrite_with_retry(record_direct_message, ref, channel, posted)
        return Completed()


router = Router()


@router.action("case.talk", "case.talk_over")
async def begin_conversation(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Open a conversation in the thread of the pressed message, which must be a direct message.

    While another person talks, say so and offer to take over: that button has the thread in its value.
    """
    message, texts = press.pressed_message, slack.texts
    thread = press.detail or (f"{message.channel}:{message.ts}" if message is not None else "")
    if not thread.startswith("D"):
        return PrivateNotice(texts.text("talk.not_here"))
    # Before the act: no line may be typed into a thread that is not known.
    await slack.store.awrite(record_slack_key, f"talk:{thread}:{press.ref}")
    facts = {"phase": "take_over" if press.name == "talk_over" else "begin", "thread": thread}
    try:
        await slack.store.awrite(act, press.ref, Verb.TALK, actor, facts, key=press.key)
    except OutOfOrder as refused:
        talk = (await slack.store.aread(load_case, press.ref)).talk
        if refused.code != "talk_taken" or talk is None:
            raise
        text = texts.text("talk.taken", ref=press.ref, who=mention(talk.member))
        row = [button(texts.text("talk.take_over"), "case.talk_over", f"{press.ref}:{thread}")]
        return PrivateNotice(text, [section(text), actions("talk", row)])
    return Acknowledged()


@router.action("case.talk_end")
async def end_conversation(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    facts = {"phase": "end", "thread": press.detail, "because": "button"}
    await slack.store.awrite(act, press.ref, Verb.TALK, actor, facts, key=press.key)
    return Acknowledged()


@router.message
async def take_line(message: DirectMessage, slack: SlackContext) -> Response:
    """Send a new line of a conversation to its complainant; say of all other words that they were not sent."""
    texts, thread, reply = slack.texts, f"{message.channel}:{message.thread}", ""
    ref = await slack.store.aread(find_conversation, thread)
    if ref is None:
        reply = "" if message.is_change else texts.text("talk.not_here")
    elif message.is_change or message.has_files:
        reply = texts.text("talk.changed" if message.is_change else "talk.only_words")
    else:
        names = {member: names[0] for member, names in (await slack.store.aread(list_names)).items()}
        words = {"text": plain_words(message.text, names)}
        facts = {"phase": "line", "thread": thread, "post": message.ts}
        try:
            # Slack repeats an event: this message is sent once.
            key = f"talk:{message.channel}:{message.ts}"
            actor = await slack.actor(message.member_id)
            await slack.store.awrite(act, ref, Verb.TALK, actor, facts, words, key=key)
        except AlreadyDone:
            pass
        except ComplaintError as refused:
            reply = texts.text("talk.not_sent", why=refusal_text(refused, texts))
    if reply and message.member_id:
        payload = {"member": message.member_id, "text": reply, "thread": message.thread}
        key = f"talk:{message.channel}:{message.ts}:{message.is_change}"
        await slack.schedule(key, "message", payload=payload, priority=SendPriority.DANGER)
    return Acknowledged()
