"""Where a complaint about staff may stand: in no channel that somebody denied is a member of (4.7, C)."""

from __future__ import annotations

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.card import EXECUTIVE
from bots.slack.desk import Desk
from bots.slack.notices import notice
from bots.slack.posting import Poster
from bots.slack.whom import as_actor
from complaints.case import Case
from complaints.permissions import manages
from complaints.vocabulary import Role
from store.people.staff import list_members
from store.slack.posts import is_slack_key_known, record_slack_key


async def places_for(poster: Poster, case: Case, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the wanted posts whose channel nobody sees who is kept from the complaint.

    A complaint that a manager released is shown where all others are: then nobody of staff is the matter.
    """
    if not case.denied or not case.restricted:
        return wanted
    places = poster.desk.places
    return tuple(
        [one for one in wanted if not case.denied & await channel_members(poster.client, places.of(one))]
    )


async def channel_members(client: AsyncWebClient, channel: str) -> frozenset[str]:
    """Everybody in a channel."""
    found: set[str] = set()
    cursor = ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = await client.conversations_members(channel=channel, limit=200, **more)
        found |= {str(one) for one in answer["members"]}
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
        if not cursor:
            return frozenset(found)


async def tell_privately(poster: Poster, case: Case) -> None:
    """No channel is free of those denied: whoever may give it to somebody hears of it in private, once."""
    desk: Desk = poster.desk
    for one in await desk.store.aread(list_members):
        by = as_actor(one)
        if one.id in case.denied or not by.has(Role.MANAGER, Role.TOP_MANAGEMENT) or not manages(case, by):
            continue
        key = f"withheld:{case.ref}:{one.id}"
        if await desk.store.aread(is_slack_key_known, [key]):
            continue
        channel = await poster.direct(one.id)
        text = desk.voice.say("dm.withheld", ref=case.ref)
        await poster.post(channel, notice(case, text, desk.voice, ("open", "assess", "assign")), key)
        # After the post: rather told twice than not at all.
        await desk.store.awrite(record_slack_key, key)


def home_among(wanted: tuple[str, ...]) -> str | None:
    """The post whose thread is the working place: the first; the executive one only where it stands alone."""
    return next((one for one in wanted if one != EXECUTIVE), EXECUTIVE if wanted else None)
