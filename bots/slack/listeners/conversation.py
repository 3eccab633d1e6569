"""Talking with a complainant: begin, take over and end a conversation, and each line typed in its thread."""

from bots.slack.client.block_kit import actions, button, mention, plain_words, section
from bots.slack.context import SlackContext
from bots.slack.payloads import ButtonPress, DirectMessage
from bots.slack.responses import Acknowledged, PrivateNotice, Response
from bots.slack.router import Router
from bots.slack.views.refusals import refusal_text
from complaints.actors import Actor
from complaints.errors import AlreadyDone, ComplaintError, OutOfOrder
from complaints.obligations.kinds import SendPriority
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case
from store.people.staff import list_names
from store.slack_posts import find_conversation, record_slack_key

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
