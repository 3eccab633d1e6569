"""`/complaints WORD …`: answered privately; what opens a view or takes longer comes after that."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bots.slack.batches.bulk_acts import choose_view, move_preview_view
from bots.slack.client.block_kit import escaped, mention
from bots.slack.context import SlackContext
from bots.slack.listeners.caller_check import question_view, sees_only_the_stage
from bots.slack.payloads import SlashCommand
from bots.slack.recipients import handles_complaints
from bots.slack.responses import CommandReply, OpenView, Response
from bots.slack.router import Router
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.command_replies import policy_blocks
from bots.slack.views.home import case_row
from bots.slack.views.open_form import view_for
from complaints.actions.authorisation import Access, authorise
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import BadFacts, UnknownReference
from complaints.identifiers import parse_reference
from complaints.obligations.kinds import SendPriority
from complaints.times import at_minute, last_day, local_time
from store.people.staff import end_absence, list_members, record_absence
from store.record.worklists import WorklistSection, load_worklist, require_visible
from store.rulebooks import load_current_rulebook, load_current_rulebooks
from store.values import Absence, Member

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^>]*)?>|@?([UW][A-Z0-9]{6,})")
MAX_ROWS_OF_A_LIST = 15
#: A longer absence is a typing error, or the person has left.
MAX_ABSENCE = timedelta(days=366)
router = Router()


@router.command("help")
async def help_text(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    return CommandReply(slack.texts.text("command.help"))


@router.command("list")
async def list_open(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The open complaints that this person may know of."""
    return await _list("list.title", WorklistSection.OPEN, actor, slack)


@router.command("mine")
async def list_own(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    return await _list("list.mine", WorklistSection.MINE, actor, slack)


async def _list(title_id: str, section: WorklistSection, actor: Actor, slack: SlackContext) -> Response:
    page = await slack.store.aread(load_worklist, section, actor, limit=MAX_ROWS_OF_A_LIST)
    return CommandReply(_listing(slack, title_id, page.cases, more=bool(page.more)))


def _listing(slack: SlackContext, title_id: str, cases: Sequence[Case], *, more: bool) -> str:
    texts, now = slack.texts, slack.store.now()
    lines = [case_row(case, texts, now) for case in cases] or [texts.text("command.none")]
    return "\n".join([f"*{texts.text(title_id)}*", *lines, *([texts.text("command.more")] if more else [])])


@router.command("show")
async def show(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Open a complaint; people who take calls are asked first what the caller gave."""
    if not command.rest:
        return CommandReply(slack.texts.text("command.show_what"))
    ref = parse_reference(command.rest)
    if ref is None:
        raise UnknownReference.worded("unknown_reference:typed")
    if sees_only_the_stage(actor):
        return OpenView(question_view(ref, slack.texts))
    await slack.store.awrite(require_visible, ref, actor, "open")
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
    """The figures of the last quarter follow in a message that only this person sees."""
    facts = {"to": actor.id, "channel": command.channel}
    await slack.schedule(f"stats:{command.trigger}", "stats", facts)
    return CommandReply(slack.texts.text("stats.counting"))


@router.command("report")
async def report(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The report follows in this person's direct messages, in short and as a file.

    Reports show who handled complaints and how, so they are not for every handler.
    """
    texts, kind = slack.texts, command.rest
    available = () if slack.reports is None else slack.reports.kinds
    if kind.casefold() not in available:
        kinds = ", ".join(f"`{name}`" for name in available)
        return CommandReply(texts.text("report.which", kinds=kinds, asked=escaped(kind, 30) or "–"))
    async with slack.refusals_recorded(None, "report", actor):
        authorise(None, Access.REPORT, actor)
    facts = {"kind": kind.casefold(), "to": actor.id}
    await slack.schedule(f"report:{command.trigger}", "report", facts, priority=SendPriority.BULK)
    return CommandReply(texts.text("report.on_its_way"))


@router.command("clauses")
async def clauses(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """The table of the clauses follows in a message that only this person sees."""
    if slack.clauses is None:
        return CommandReply(slack.texts.text("clauses.none"))
    facts = {"to": actor.id, "channel": command.channel}
    await slack.schedule(f"clauses:{command.trigger}", "clauses", facts, priority=SendPriority.BULK)
    return CommandReply(slack.texts.text("stats.counting"))


@dataclass(frozen=True)
class Away:
    """`away @burak until 2026-12-04 deputy @alice`: `until` is the day of return, `member_id` is None for oneself."""

    until: date
    member_id: str | None = None
    deputy: str | None = None


@router.command("away")
async def away(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Record an absence, as a manager also of others. The deputy, or without one the managers, get the notices."""
    rules = await slack.store.aread(load_current_rulebook)
    zone = rules.calendar.zone
    members = await slack.store.aread(list_members)
    absence = read_away(command.rest, members, local_time(slack.store.now(), zone).date())
    absent = require_own_or_manager(absence.member_id, actor)
    return CommandReply(await set_absence(slack, actor, replace(absence, member_id=absent), members))


async def set_absence(
    slack: SlackContext, actor: Actor, absence: Away, members: Sequence[Member], since: date | None = None
) -> str:
    """Record the absence of `absence.member_id`; returns a sentence for the person who entered it.

    It begins now, or at the beginning of the day `since`. Raises BadFacts for a deputy who may not act.
    """
    texts, rules = slack.texts, await slack.store.aread(load_current_rulebook)
    zone, absent = rules.calendar.zone, str(absence.member_id)
    if absence.deputy is not None:
        named = next((member for member in members if member.id == absence.deputy), None)
        if named is None or named.id == absent:
            raise BadFacts.worded("nobody_of_staff:deputy", field="deputy")
        if not handles_complaints(named):
            raise BadFacts.worded("owner_no_handler:deputy", field="deputy")
    until = at_minute(absence.until, 0, zone)
    begins = None if since is None else at_minute(since, 0, zone)
    recorded = await slack.store.awrite(
        record_absence, absent, until, absence.deputy, by=actor.id, since=begins
    )
    page = await slack.store.aread(load_worklist, WorklistSection.MINE, actor, owner=absent, limit=1)
    usual_deputy = next((member.deputy for member in members if member.id == absent), None)
    deputy = absence.deputy or usual_deputy
    text = texts.text(
        "away.set",
        who=mention(absent),
        **absence_days(recorded, texts, zone),
        deputy=mention(deputy) if deputy else texts.text("away.managers"),
    )
    return f"{text} {texts.count('away.has', page.count)}" if page.count else text


def absence_days(absence: Absence, texts: StaffTexts, zone: str) -> dict[str, str]:
    """The first and the last day of an absence, and the day of return."""
    return {
        "first": texts.day(local_time(absence.since, zone).date()),
        "last": texts.day(last_day(absence.until, zone)),
        "day": texts.day(local_time(absence.until, zone).date()),
    }


@router.command("back")
async def back(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Back before the day that was given."""
    members = await slack.store.aread(list_members)
    words = command.rest.split()
    named = require_member(words[0], members).id if words else None
    absent = require_own_or_manager(named, actor)
    was_away = await slack.store.awrite(end_absence, absent, by=actor.id)
    return CommandReply(slack.texts.text("away.back" if was_away else "away.was_here", who=mention(absent)))


@router.command("move")
async def move(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """Open the form with the person that the command names; the preview at once if it named both."""
    authorise(None, Access.HAND_OVER, actor)
    members = await slack.store.aread(list_members, with_owners=True)
    words = [word for word in command.rest.split() if word.casefold() not in ("from", "to")]
    named = [require_member(word, members).id for word in words]
    if len(named) >= 2:
        return OpenView(await move_preview_view(slack, WorklistSection.MINE, named[0], named[1], actor))
    return OpenView(await choose_view(slack, named[0] if named else None))


def require_own_or_manager(named: str | None, actor: Actor) -> str:
    if named is None or named == actor.id:
        return actor.id
    authorise(None, Access.MANAGE, actor)
    return named


@router.other_command
async def unknown_word(command: SlashCommand, actor: Actor, slack: SlackContext) -> Response:
    """A word that the command does not know."""
    return CommandReply(slack.texts.text("command.unknown", word=escaped(command.word, 30)))


def require_member(word: str, members: Iterable[Member]) -> Member:
    """The member of staff with this name or id. Raises BadFacts for no member, or for several."""
    member = member_of(word, members)
    if member is None:
        raise BadFacts.worded("nobody_of_staff")
    return member


def member_of(word: str, members: Iterable[Member]) -> Member | None:
    """The member that `<@U0000001|alice>`, `U0000001` or `@alice` names; None for no member, or for several."""
    staff = list(members)
    match = _MENTION.fullmatch(word)
    if match is not None:
        member_id = match[1] or match[2]
        return next((member for member in staff if member.id == member_id), None)
    name = word.lstrip("@").casefold()
    by_name = [
        member
        for member in staff
        if name in {member.name.casefold(), *(alias.casefold() for alias in member.aliases)}
    ]
    by_first_name = [member for member in staff if member.name.casefold().split()[:1] == [name]]
    for group in (by_name, by_first_name):
        if len(group) == 1:
            return group[0]
    return None


def read_away(arguments: str, members: Iterable[Member], today: date) -> Away:
    """Read what follows `away`: optionally another person, `until DATE`, optionally `deputy @NAME`.

    Raises BadFacts with a code of its own for each thing that cannot be read.
    """
    staff = list(members)
    member_id: str | None = None
    deputy: str | None = None
    until: date | None = None
    expected = "member"
    for word in arguments.split():
        match word.casefold():
            case "until" | "to":
                expected = "day"
                continue
            case "deputy":
                expected = "deputy"
                continue
        if expected == "day":
            until = _day(word)
        elif expected == "deputy":
            deputy = require_member(word, staff).id
        else:
            member_id = require_member(word, staff).id
        expected = "member"
    if until is None:
        raise BadFacts.worded("not_a_date")
    if not today < until <= today + MAX_ABSENCE:
        raise BadFacts.worded("away_when")
    return Away(until, member_id, deputy)


def _day(word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError as wrong:
        raise BadFacts.worded("not_a_date:command") from wrong
