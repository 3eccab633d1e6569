"""`/complaints search Q`: references, codes, and a person's exact number; only what this person may know of."""

from __future__ import annotations

from collections.abc import Sequence

from bots.slack import lists
from bots.slack.desk import Desk
from complaints.actors import Actor
from complaints.case import Case
from complaints.errors import UnknownReference
from complaints.references import parse_reference
from complaints.rulebook import categories_of
from complaints.vocabulary import Priority, State
from store.cases.read import load_case
from store.people.identifiers import search_number
from store.record.worklists import list_codes
from store.rulebooks import load_current_rulebook

#: What a code is a code of: the column, and the prefix of its name in the texts.
_CODES = (
    ("priority", "", tuple(one.value for one in Priority)),
    ("state", "state.", tuple(one.value for one in State)),
)


async def search(desk: Desk, wanted: str, by: Actor) -> str:
    """A titled list as mrkdwn; what may not be known is not found, like what does not exist."""
    voice = desk.voice
    if not wanted:
        return voice.say("search.what")
    title = voice.say("search.title")
    rules = await desk.store.aread(load_current_rulebook)
    code = code_of(wanted, desk, categories_of(rules))
    if code is not None:
        page = await desk.store.aread(list_codes, *code, by, limit=lists.MOST)
        return _listed(desk, title, page.cases, more=bool(page.more))
    ref = parse_reference(wanted)
    if ref is not None:
        return _listed(desk, title, await _by_reference(desk, ref, by))
    found = await desk.store.awrite(search_number, wanted, by)
    text = _listed(desk, title, found[: lists.MOST], more=len(found) > lists.MOST)
    return f"{text}\n_{voice.say('search.recorded')}_"


def code_of(wanted: str, desk: Desk, categories: Sequence[str]) -> tuple[str, str] | None:
    """The column and value that a code or its name means, in the staff's language or as it is written."""
    said = wanted.strip().casefold()
    for column, prefix, values in (*_CODES, ("category", "category.", categories)):
        for value in values:
            names = {value.casefold(), value.replace("_", " ")}
            if prefix:
                names.add(desk.voice.say(f"{prefix}{value}").casefold())
            if said in names:
                return column, value
    return None


async def _by_reference(desk: Desk, ref: str, by: Actor) -> Sequence[Case]:
    try:
        case = await desk.store.aread(load_case, ref)
    except UnknownReference:
        return ()
    return (case,) if lists.knows_of(case, by) else ()


def _listed(desk: Desk, title: str, found: Sequence[Case], *, more: bool = False) -> str:
    return lists.listing(title, found, more=more, voice=desk.voice, now=desk.store.now())
