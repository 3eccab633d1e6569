"""Who has which role, read from Slack: people, members of private channels, user groups. It fails closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client import error_of, status_of
from bots.slack.desk import Desk
from complaints.vocabulary import Role
from store.people.staff import list_members
from store.people.staff import sync_staff as store_sync_staff
from store.values import Member

#: Slack's own clients never have these in them; guests and other workspaces' people see no complaints.
_KEPT_OUT = ("deleted", "is_bot", "is_restricted", "is_ultra_restricted", "is_stranger", "is_app_user")


@dataclass(frozen=True)
class Colleague:
    """What the settings say of one person of staff."""

    aliases: tuple[str, ...] = ()
    line: str | None = None
    deputy: str | None = None


@dataclass(frozen=True)
class Synced:
    """Who holds roles now, and what could not be read (each line for `amends check`)."""

    members: tuple[Member, ...]
    problems: tuple[str, ...]


async def sync_staff(
    client: AsyncWebClient,
    desk: Desk,
    roles: Mapping[Role, Sequence[str]],
    *,
    on_call: Sequence[str] = (),
    colleagues: Mapping[str, Colleague] | None = None,
) -> Synced:
    """Read the roles of the settings anew and keep them in the store, by period.

    A person named in the settings has the role by being named; only what Slack says of them (a guest, gone,
    a bot, of another workspace) takes it away. A channel or group that cannot be read gives nobody a role.
    A failing network, or an answer that only speaks of the moment, raises and leaves everything as it was.
    """
    own_team = (await client.auth_test()).get("team_id")
    named: dict[str, set[Role]] = {}
    held: dict[str, set[Role]] = {}
    problems: list[str] = []
    for role, sources in {**roles, Role.ON_CALL: on_call}.items():
        for source in sources:
            for member in await _people(client, source, problems):
                held.setdefault(member, set()).add(role)
                if member == source:
                    named.setdefault(member, set()).add(role)
    known_as = colleagues or {}
    for member in known_as:
        # Whoever handles nothing is still somebody whom a complaint may name.
        held.setdefault(member, set())
    known = {one.id: one for one in await desk.store.aread(list_members)}
    members = []
    for member, its in sorted(held.items()):
        try:
            user = await _user(client, member)
        except SlackApiError as refused:
            if known and _is_of_the_moment(refused):
                raise
            own = frozenset(named.get(member, ()))
            kept = "the role by the settings stands" if own else "no role"
            problems.append(f"{member}: {_told(refused)}; {kept}")
            if own or member in known_as:
                members.append(_as_set(_unseen(member, own, known.get(member)), known_as.get(member)))
            continue
        found = _member(member, user, frozenset(its), own_team, problems)
        if found is not None:
            members.append(_as_set(found, known_as.get(member)))
    await desk.store.awrite(store_sync_staff, members)
    return Synced(tuple(members), tuple(problems))


async def _people(client: AsyncWebClient, source: str, problems: list[str]) -> list[str]:
    """The people behind an id of the settings."""
    try:
        match source[:1]:
            case "C" | "G":
                return await _channel_members(client, source)
            case "S":
                return [str(one) for one in (await client.usergroups_users_list(usergroup=source))["users"]]
            case _:
                return [source]
    except SlackApiError as refused:
        if _is_of_the_moment(refused):
            raise
        problems.append(f"{source}: {_told(refused)}; nobody has a role by it")
        return []


async def _channel_members(client: AsyncWebClient, channel: str) -> list[str]:
    found: list[str] = []
    cursor = ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = await client.conversations_members(channel=channel, limit=200, **more)
        found += [str(one) for one in answer["members"]]
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return found


async def _user(client: AsyncWebClient, member: str) -> Mapping[str, Any]:
    """What Slack knows of a person; nothing where it answers without one."""
    found: Mapping[str, Any] | None = (await client.users_info(user=member)).get("user")
    return found or {}


def _unseen(member: str, roles: frozenset[Role], known: Member | None) -> Member:
    """Somebody whom Slack does not show: by the name known before, else by the id."""
    return Member(
        id=member, name=known.name if known else member, aliases=known.aliases if known else (), roles=roles
    )


def _as_set(member: Member, said: Colleague | None) -> Member:
    """With what the settings say of them: other names, their manager, who stands in."""
    if said is None:
        return member
    aliases = tuple(dict.fromkeys((*member.aliases, *said.aliases)))
    return replace(member, aliases=aliases, line=said.line, deputy=said.deputy)


def _member(
    member: str, user: Mapping[str, Any], roles: frozenset[Role], own_team: str | None, problems: list[str]
) -> Member | None:
    foreign = own_team is not None and user.get("team_id") not in (None, own_team)
    if foreign or any(user.get(one) for one in _KEPT_OUT):
        # The app itself is a member of its channels: that is no problem worth a line.
        if not user.get("is_bot"):
            problems.append(f"{member}: a guest, deactivated, or of another workspace; no role")
        return None
    profile: Mapping[str, Any] = user.get("profile") or {}
    name = str(user.get("real_name") or profile.get("real_name") or user.get("name") or member)
    shown = str(profile.get("display_name") or "").strip()
    aliases = (shown,) if shown and shown != name else ()
    return Member(id=member, name=name, aliases=aliases, roles=roles)


#: These say something of the moment, not of the person: roles stay as they are, and the caller tries again.
_OF_THE_MOMENT = frozenset(
    {"ratelimited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)


def _is_of_the_moment(refused: SlackApiError) -> bool:
    status = status_of(refused) or 200
    return error_of(refused) in _OF_THE_MOMENT or status == 429 or status >= 500


def _told(refused: SlackApiError) -> str:
    return error_of(refused) or f"status {status_of(refused)}"
