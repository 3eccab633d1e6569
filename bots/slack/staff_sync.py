"""Reads from Slack who has which role: people, members of private channels, user groups. It fails closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client.block_kit import mention
from bots.slack.client.client import channel_members, is_flood, is_outage, reason_of
from bots.slack.context import SlackContext
from bots.slack.recipients import handles_complaints, member_actor, members_with_role
from complaints.vocabulary import Role
from store.cases.staff_letters import end_conversations_without_right
from store.people.staff import list_members
from store.people.staff import sync_staff as store_sync_staff
from store.record.worklists import WorklistSection, load_worklist
from store.slack_posts import redraw_cards_of_owners
from store.values import Member

#: Fields of a Slack user that exclude them: guests and people of other workspaces see no complaints.
_EXCLUDED_BY = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_app_user")


@dataclass(frozen=True)
class StaffEntry:
    """The entry of one person in the settings (`[[staff]]`)."""

    aliases: tuple[str, ...] = ()
    line: str | None = None
    deputy: str | None = None
    categories: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class StaffSync:
    """Who holds roles now, and what could not be read (each a line for `amends check`)."""

    members: tuple[Member, ...]
    problems: tuple[str, ...]


async def sync_staff(
    client: AsyncWebClient,
    slack: SlackContext,
    roles: Mapping[Role, Sequence[str]],
    *,
    on_call: Sequence[str] = (),
    entries: Mapping[str, StaffEntry] | None = None,
) -> StaffSync:
    """Read the roles that the settings give and store them, by period.

    A person named in the settings has the role; only what Slack says of them (a guest, deactivated, a bot, of another
    workspace) takes it away. A channel or group that cannot be read gives no one a role. A network error, or an
    answer about this moment only, raises and leaves everything as it was.
    """
    own_team = (await client.auth_test()).get("team_id")
    named: dict[str, set[Role]] = {}
    roles_by_member: dict[str, set[Role]] = {}
    problems: list[str] = []
    for role, sources in {**roles, Role.ON_CALL: on_call}.items():
        for source in sources:
            for member_id in await _member_ids(client, source, problems):
                roles_by_member.setdefault(member_id, set()).add(role)
                if member_id == source:
                    named.setdefault(member_id, set()).add(role)
    entries = entries or {}
    for member_id in entries:
        # A complaint may be about a person who has no role.
        roles_by_member.setdefault(member_id, set())
    previous = {member.id: member for member in await slack.store.aread(list_members)}
    members = []
    for member_id, member_roles in sorted(roles_by_member.items()):
        try:
            user = (await client.users_info(user=member_id)).get("user") or {}
        except SlackApiError as failure:
            if previous and _is_temporary(failure):
                raise
            own_roles = frozenset(named.get(member_id, ()))
            consequence = "the role by the settings remains" if own_roles else "no role"
            problems.append(f"{member_id}: {reason_of(failure)}; {consequence}")
            if own_roles or member_id in entries:
                hidden = _hidden_member(member_id, own_roles, previous.get(member_id))
                members.append(_with_entry(hidden, entries.get(member_id)))
            continue
        member = _member(member_id, user, frozenset(member_roles), own_team, problems)
        if member is not None:
            members.append(_with_entry(member, entries.get(member_id)))
    able = {member.id for member in members if handles_complaints(member)}
    for number, member in enumerate(members):
        if member.deputy is not None and member.deputy not in able:
            problems.append(f"{member.deputy}: handles no complaints, so is no deputy of {member.id}")
            members[number] = replace(member, deputy=None)
    before = {member.id for member in previous.values() if handles_complaints(member)}
    left = [previous[member_id] for member_id in sorted(before - able)]
    # Before the roles change: if this is interrupted, the next sync finds the same people and the same keys.
    await _notify_managers(slack, left, members, previous)
    await slack.store.awrite(store_sync_staff, members)
    await slack.store.awrite(redraw_cards_of_owners, before ^ able)
    await slack.store.awrite(end_conversations_without_right)
    return StaffSync(tuple(members), tuple(problems))


async def _notify_managers(
    slack: SlackContext, left: Sequence[Member], members: Sequence[Member], previous: Mapping[str, Member]
) -> None:
    """One message to each manager about the people who no longer handle complaints and own open ones.

    Each reads only of complaints that they may know of.
    """
    now, texts = slack.store.now(), slack.texts
    managers = members_with_role(members, Role.MANAGER) or members_with_role(members, Role.TOP_MANAGEMENT)
    present = [
        manager for manager in managers if manager not in previous or not previous[manager].is_away(now)
    ]
    for manager in present or managers:
        actor = next(member_actor(member) for member in members if member.id == manager)
        lines = []
        for member in left:
            page = await slack.store.aread(
                load_worklist, WorklistSection.MINE, actor, owner=member.id, limit=1
            )
            if page.count:
                lines.append(texts.count("dm.owner_left", page.count, who=mention(member.id)))
        if lines:
            people = ",".join(member.id for member in left)
            payload = {"member": manager, "text": "\n".join(lines)}
            await slack.schedule(f"left:{now.date()}:{manager}:{people}", "message", payload=payload)


async def _member_ids(client: AsyncWebClient, source: str, problems: list[str]) -> list[str]:
    """The people of an id in the settings: of a channel, of a user group, or a person."""
    try:
        match source[:1]:
            case "C" | "G":
                return await channel_members(client, source)
            case "S":
                users = (await client.usergroups_users_list(usergroup=source))["users"]
                return [str(user_id) for user_id in users]
            case _:
                return [source]
    except SlackApiError as failure:
        if _is_temporary(failure):
            raise
        problems.append(f"{source}: {reason_of(failure)}; it gives no one a role")
        return []


def _member(
    member_id: str, user: Mapping[str, Any], roles: frozenset[Role], own_team: str | None, problems: list[str]
) -> Member | None:
    is_foreign = own_team is not None and user.get("team_id") not in (None, own_team)
    if is_foreign or any(user.get(field) for field in _EXCLUDED_BY):
        # The app itself is a member of its channels, which is no problem to report.
        if not user.get("is_bot"):
            problems.append(f"{member_id}: a guest, deactivated, or of another workspace; no role")
        return None
    profile: Mapping[str, Any] = user.get("profile") or {}
    name = str(user.get("real_name") or profile.get("real_name") or user.get("name") or member_id)
    display_name = str(profile.get("display_name") or "").strip()
    aliases = (display_name,) if display_name and display_name != name else ()
    return Member(id=member_id, name=name, aliases=aliases, roles=roles)


def _hidden_member(member_id: str, roles: frozenset[Role], previous: Member | None) -> Member:
    """A member that Slack does not show, under the name stored before, otherwise under the id."""
    name, aliases = (member_id, ()) if previous is None else (previous.name, previous.aliases)
    return Member(id=member_id, name=name, aliases=aliases, roles=roles)


def _with_entry(member: Member, entry: StaffEntry | None) -> Member:
    if entry is None:
        return member
    aliases = tuple(dict.fromkeys((*member.aliases, *entry.aliases)))
    return replace(
        member,
        aliases=aliases,
        line=entry.line,
        deputy=entry.deputy,
        categories=entry.categories,
        languages=entry.languages,
    )


def _is_temporary(failure: SlackApiError) -> bool:
    """True if the answer is about this moment and not about the person: roles stay, and the caller tries again."""
    return is_flood(failure) or is_outage(failure)
