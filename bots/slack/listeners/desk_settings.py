"""What staff change in App Home: an absence, and the days on which the office is closed."""

from datetime import date

from bots.slack.client.block_kit import Block, context, section
from bots.slack.context import SlackContext
from bots.slack.listeners.commands import MAX_ABSENCE, Away, require_own_or_manager, set_absence
from bots.slack.payloads import ButtonPress, FormSubmission
from bots.slack.responses import OpenView, Response, update_view
from bots.slack.router import Router
from bots.slack.views.form_inputs import input_block, values_of
from bots.slack.views.forms import metadata, modal, notice_view
from complaints.actions.authorisation import Access, authorise
from complaints.actors import Actor
from complaints.errors import BadFacts
from complaints.forms import Field, Input, WrongFields, flag, read_fields, text
from complaints.times import local_time
from store.people.staff import list_members
from store.rulebooks import close_day, list_closed_days, load_current_rulebook

ABSENCE, CLOSURE = "absence", "closure"
FIELDS = {
    ABSENCE: (
        Field("member", Input.STAFF, required=True),
        Field("since", Input.DATE),
        Field("until", Input.DATE, required=True),
        Field("deputy", Input.STAFF),
    ),
    CLOSURE: (
        Field("day", Input.DATE, required=True),
        text("name", most=60),
        flag("open_again"),
    ),
}  # fmt: skip
router = Router()


@router.action("home.absence", "home.closure")
async def open_settings(press: ButtonPress, actor: Actor, slack: SlackContext) -> Response:
    form, texts = press.action.rpartition(".")[2], slack.texts
    authorise(None, Access.MANAGE if form == CLOSURE else Access.KNOW, actor)
    blocks: list[Block] = [section(texts.text(f"{form}.hint"))]
    if form == CLOSURE:
        days = await slack.store.aread(list_closed_days, await _today(slack))
        blocks += [context(f"{texts.day(day)}: {name}") for day, name in list(days.items())[:20]]
    blocks += [
        input_block(
            form, field, field.name, texts,
            initial=actor.id if field.name == "member" else None, label=texts.text(f"{form}.{field.name}"),
        )
        for field in FIELDS[form]
    ]  # fmt: skip
    return OpenView(modal(texts, form, metadata("", 0), blocks, title=f"{form}.title", submit="modal.save"))


@router.view(ABSENCE, CLOSURE)
async def save_settings(submission: FormSubmission, actor: Actor, slack: SlackContext) -> Response:
    """Record the change, with its author, and say what it means."""
    facts, words, wrong = read_fields(
        FIELDS[submission.form], values_of(submission.view["state"]["values"]), None
    )
    if wrong:
        raise WrongFields(wrong)
    texts, today = slack.texts, await _today(slack)
    if submission.form == ABSENCE:
        since = date.fromisoformat(facts["since"]) if facts.get("since") else None
        until, absent = date.fromisoformat(facts["until"]), require_own_or_manager(facts["member"], actor)
        if not max(today, since or today) < until <= today + MAX_ABSENCE or (since or today) < today:
            raise BadFacts("That day is over, or too far ahead.", field="until", code="away_when")
        members = await slack.store.aread(list_members)
        away = Away(until, absent, facts.get("deputy"))
        ids = {member.id for member in members}
        if absent not in ids or not {away.deputy} <= {*ids, None} or away.deputy == absent:
            raise BadFacts("That is nobody of the staff.", field="deputy", code="nobody_of_staff")
        text = await set_absence(slack, actor, away, members, None if since == today else since)
        return update_view(notice_view(text, texts))
    authorise(None, Access.MANAGE, actor)
    day, name = date.fromisoformat(facts["day"]), words.get("name", "").strip()
    if day <= today:
        raise BadFacts("Dates of today and before stay.", field="day", code="not_ahead")
    if bool(name) == facts["open_again"]:
        raise BadFacts("Name a closure, or open the day again.", field="name", code="closure_name")
    await slack.store.awrite(close_day, day, actor.id, name or None)
    return update_view(notice_view(texts.text("closure.saved", day=texts.day(day)), texts))


async def _today(slack: SlackContext) -> date:
    rules = await slack.store.aread(load_current_rulebook)
    return local_time(slack.store.now(), rules.calendar.zone).date()
