"""A code that binds a complaint to the complainant's chat: made by a press and shown this once (4.3)."""

from __future__ import annotations

from bots.slack.blocks import header
from bots.slack.desk import Desk
from bots.slack.entering import remember
from bots.slack.modals import View, notice_view
from bots.slack.opening import may_open
from bots.slack.press import Press
from complaints.actors import Actor
from complaints.errors import NotAllowed
from store.cases.bind import bind_code
from store.cases.read import load_case


async def code_view(desk: Desk, press: Press, by: Actor) -> View:
    """Make the code and show it; it is kept nowhere, so a second press makes another."""
    case = await desk.store.aread(load_case, press.ref)
    try:
        may_open("bind", case, by)
    except NotAllowed as refused:
        await remember(desk, press.ref, "bind", by, refused)
        raise
    code, until = await desk.store.awrite(bind_code, press.ref, by, version=press.drawn, key=press.key)
    voice = desk.voice
    when = voice.moment(until, case.rules.calendar.zone)
    view = notice_view(voice.say("verb.bind"), voice.say("bind.told", until=when), voice, ref=case.ref)
    return {**view, "blocks": [header(code), *view["blocks"]]}
