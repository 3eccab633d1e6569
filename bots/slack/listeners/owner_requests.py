"""What a person may do where only the owner acts: ask the owner, take the complaint over, or ask for it."""

from collections.abc import Iterable

from bots.slack import recipients
from bots.slack.client.block_kit import mention
from bots.slack.context import SlackContext
from bots.slack.jobs.post import notice_message
from bots.slack.payloads import ButtonPress
from bots.slack.responses import PrivateNotice, Response
from bots.slack.router import Router
from bots.slack.views.actions import fits
from bots.slack.views.refusals import may_take_over
from complaints.actions.authorisation import authorise
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import NotAllowed
from complaints.forms import CARD_ACTS
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case
from store.people.staff import list_members

router = Router()


@router.action("case.ask_owner")
async def ask_owner(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Ask the owner, or the deputy, to do what only the owner does; once for each version."""
    case, form = await _case(press, actor, slack), press.detail
    people = recipients.offline_notifiers(case, await slack.store.aread(list_members), slack.store.now())
    forms = (form, "open") if form in CARD_ACTS and fits(form, case) else ("open",)
    text_id = "owner.please_act" if form in CARD_ACTS else "owner.please_look"
    act_name = slack.texts.text(f"verb.{form if form in CARD_ACTS else 'open'}")
    text = slack.texts.text(text_id, ref=case.ref, who=mention(actor.id), act=act_name)
    return await _ask(press, actor, slack, case, people, text, forms)


@router.action("case.take_over")
async def take_over(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    """Become the owner where the rules allow it; otherwise ask those who may hand the complaint over."""
    case, texts = await _case(press, actor, slack), slack.texts
    if not may_take_over(case, actor, slack.store.now()):
        members = await slack.store.aread(list_members)
        people = recipients.leading_members(case, members, slack.store.now())
        text = texts.text("owner.please_assign", ref=case.ref, who=mention(actor.id), owner=_owner(case))
        return await _ask(press, actor, slack, case, people, text, ("assign", "open"))
    facts = {"owner": actor.id}
    await slack.store.awrite(
        act, case.ref, Verb.ASSIGN, actor, facts, {}, version=press.work_version, key=press.key
    )
    if not case.is_unowned:
        text = texts.text("owner.taken_over", ref=case.ref, who=mention(actor.id))
        message = notice_message(case, text, texts, ("open",))
        payload = {"member": case.owner, "text": text, "blocks": message.blocks}
        await slack.schedule(f"taken_over:{press.key}", "message", payload=payload)
    return PrivateNotice(texts.text("owner.yours", ref=case.ref))


async def _case(press: ButtonPress, actor: Actor, slack: SlackContext) -> Case:
    """The complaint, for a person who may at least add a note to it. Raises NotAllowed, recorded."""
    case = await slack.store.aread(load_case, press.ref)
    async with slack.refusals_recorded(case.ref, press.name, actor):
        authorise(case, Verb.NOTE, actor)
    return case


async def _ask(
    press: ButtonPress,
    actor: Actor,
    slack: SlackContext,
    case: Case,
    people: Iterable[str],
    text: str,
    forms: tuple[str, ...],
) -> Response:
    addressed = [member_id for member_id in people if member_id != actor.id]
    if not addressed:
        raise NotAllowed.worded("not_allowed", ref=case.ref)
    message = notice_message(case, text, slack.texts, forms)
    for member_id in addressed:
        payload = {"member": member_id, "text": text, "blocks": message.blocks}
        # The same request for the same work is sent once, however often it is pressed.
        key = f"asked:{press.name}:{case.ref}:{case.work_version}:{press.detail}:{actor.id}:{member_id}"
        await slack.schedule(key, "message", payload=payload)
    names = ", ".join(map(mention, addressed))
    return PrivateNotice(slack.texts.text("owner.asked", who=names))


def _owner(case: Case) -> str:
    return mention(case.owner) if case.owner is not None else "–"
