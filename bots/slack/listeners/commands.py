"""`/complaints WORD …`: answered privately; what opens a view or takes longer comes after that."""

from __future__ import annotations

from collections.abc import Sequence

from bots.slack.client.block_kit import escaped, mention
from bots.slack.command_arguments import read_away, require_member
from bots.slack.context import SlackContext
from bots.slack.jobs.reports import schedule_clauses, schedule_report, schedule_stats
from bots.slack.listeners.caller_check import question_view, sees_only_the_stage
from bots.slack.payloads import SlashCommand
from bots.slack.recipients import MANAGING
from bots.slack.responses import CommandReply, OpenView, Response
from bots.slack.router import Router
from bots.slack.texts import StaffTexts
from bots.slack.views import lists
from bots.slack.views.open_form import view_for
from bots.slack.views.policy import policy_blocks
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, NotAllowed, UnknownReference
from complaints.identifiers import parse_reference
from complaints.rulebook import categories_of
from complaints.times import at_minute, local_time
from complaints.vocabulary import Priority, State
from store.cases.read import load_case
from store.people.identifiers import search_number
from store.people.staff import end_absence, list_members, record_absence
from store.record.worklists import WorklistSection, list_by_code, load_worklist
from store.rulebooks import load_current_rulebook, load_current_rulebooks

router = Router()


@router.command("help")
async def help_text(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Every word of the command."""
    return CommandReply(slack.texts.text("command.help"))


@router.command("list")
async def list_open(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The open complaints that this person may know of."""
    return await _list("list.title", WorklistSection.OPEN, actor, slack)


@router.command("mine")
async def list_own(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The open complaints of this person."""
    return await _list("list.mine", WorklistSection.MINE, actor, slack)


async def _list(title_id: str, section: WorklistSection, actor: Actor, slack: SlackContext) -> Response:
    texts = slack.texts
    cases, more = await lists.open_cases(slack, actor, section)
    listing = lists.listing(texts.text(title_id), cases, more=more, texts=texts, now=slack.store.now())
    return CommandReply(listing)


@router.command("show")
async def show(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Open a complaint; people who take calls are asked first what the caller gave."""
    if not command.rest:
        return CommandReply(slack.texts.text("command.show_what"))
    ref = parse_reference(command.rest) or command.rest
    if sees_only_the_stage(actor):
        return OpenView(question_view(ref, slack.texts))
    return OpenView(await view_for(slack, "open", ref, actor))


@router.command("policy")
async def show_policy(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The complaints policy in force in a country; without one, our own."""
    texts, country = slack.texts, command.rest
    rulebooks = await slack.store.aread(load_current_rulebooks)
    code = rulebooks.code(country)
    if country and code is None:
        # Without this check the times of our own country would be taken for those of the other.
        countries = ", ".join(f"`{own}` {texts.country(own)}" for own in rulebooks.codes)
        return CommandReply(texts.text("policy.no_country", word=escaped(country, 30), countries=countries))
    return CommandReply(texts.text("policy.title"), policy_blocks(rulebooks.of(code), texts))


@router.command("stats")
async def stats(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The figures of the last quarter follow."""
    return CommandReply(await schedule_stats(slack, command.trigger, actor, command.channel))


@router.command("report")
async def report(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The report follows as a file."""
    return CommandReply(await schedule_report(slack, command.trigger, command.rest, actor))


@router.command("clauses")
async def clauses(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The table of the clauses follows."""
    return CommandReply(await schedule_clauses(slack, command.trigger, actor, command.channel))


@router.command("away")
async def away(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Record an absence, as a manager also of others. The deputy, or without one the managers, get the notices."""
    store, texts = slack.store, slack.texts
    rules = await slack.store.aread(load_current_rulebook)
    zone = rules.calendar.zone
    members = await slack.store.aread(list_members)
    absence = read_away(command.rest, members, local_time(store.now(), zone).date())
    absent = _require_own_or_manager(absence.member_id, actor)
    if absence.deputy == absent:
        raise BadFacts("A person cannot be their own deputy.", code="nobody_of_staff")
    await slack.store.awrite(record_absence, absent, at_minute(absence.until, 0, zone), absence.deputy)
    page = await slack.store.aread(load_worklist, WorklistSection.MINE, actor, owner=absent, limit=1)
    usual_deputy = next((member.deputy for member in members if member.id == absent), None)
    deputy = absence.deputy or usual_deputy
    text = texts.text(
        "away.set",
        who=mention(absent),
        day=texts.day(absence.until),
        deputy=mention(deputy) if deputy else texts.text("away.managers"),
    )
    return CommandReply(f"{text} {texts.count('away.has', page.count)}" if page.count else text)


@router.command("back")
async def back(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Back before the day that was given."""
    members = await slack.store.aread(list_members)
    words = command.rest.split()
    named = require_member(words[0], members).id if words else None
    absent = _require_own_or_manager(named, actor)
    was_away = await slack.store.awrite(end_absence, absent)
    return CommandReply(slack.texts.text("away.back" if was_away else "away.was_here", who=mention(absent)))


def _require_own_or_manager(named: str | None, actor: Actor) -> str:
    if named is None or named == actor.id:
        return actor.id
    if not actor.has(*MANAGING):
        raise NotAllowed(
            "Only a manager records that somebody else is away: ask one.", code="not_allowed.role"
        )
    return named


@router.command("search")
async def search(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Find complaints by reference, code, or a person's exact number; the search for a number is recorded.

    What a person may not know of is not found, as if it did not exist.
    """
    texts, query = slack.texts, command.rest
    if not query:
        return CommandReply(texts.text("search.what"))
    rules = await slack.store.aread(load_current_rulebook)
    code = code_of(query, texts, categories_of(rules))
    if code is not None:
        page = await slack.store.aread(list_by_code, *code, actor, limit=lists.MAX_ROWS_OF_A_LIST)
        return CommandReply(_results(slack, page.cases, more=bool(page.more)))
    ref = parse_reference(query)
    if ref is not None:
        return CommandReply(_results(slack, await _by_reference(slack, ref, actor)))
    cases = await slack.store.awrite(search_number, query, actor)
    results = _results(slack, cases[: lists.MAX_ROWS_OF_A_LIST], more=len(cases) > lists.MAX_ROWS_OF_A_LIST)
    return CommandReply(f"{results}\n_{texts.text('search.recorded')}_")


#: The columns that are searched by a code: the prefix of the codes' names in the texts, and the codes.
_CODES = (
    ("priority", "", tuple(priority.value for priority in Priority)),
    ("state", "state.", tuple(state.value for state in State)),
)


def code_of(query: str, texts: StaffTexts, categories: Sequence[str]) -> tuple[str, str] | None:
    """The column and the code that a code or its name means, in the staff's language or as it is stored."""
    name = query.strip().casefold()
    for column, prefix, values in (*_CODES, ("category", "category.", categories)):
        for value in values:
            names = {value.casefold(), value.replace("_", " ")}
            if prefix:
                names.add(texts.text(f"{prefix}{value}").casefold())
            if name in names:
                return column, value
    return None


async def _by_reference(slack: SlackContext, ref: str, actor: Actor) -> Sequence[Case]:
    try:
        case = await slack.store.aread(load_case, ref)
    except UnknownReference:
        return ()
    return (case,) if lists.may_know_of(case, actor) else ()


def _results(slack: SlackContext, cases: Sequence[Case], *, more: bool = False) -> str:
    title = slack.texts.text("search.title")
    return lists.listing(title, cases, more=more, texts=slack.texts, now=slack.store.now())


@router.other_command
async def unknown_word(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """A word that the command does not know."""
    return CommandReply(slack.texts.text("command.unknown", word=escaped(command.word, 30)))
