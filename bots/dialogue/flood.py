"""Hundreds of messages a minute: all are recorded, one answer tells so, and prompts are not multiplied."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bots.dialogue import form
from bots.dialogue.turn import FORM, Turn
from complaints.obligations.kinds import SendPriority
from complaints.timestamps import parse_time

#: A bucket that holds so many messages and drains by one every two seconds: nobody types faster for long.
MOST, FULL, DRAINS = 30.0, 40.0, 0.5
#: Below this the flood is over, and a later one is told again.
OVER = 10.0
WAKE = "calm:"
PAUSE = timedelta(seconds=(FULL - MOST) / DRAINS)
#: What is said however many came: a reference is told once, and danger always.
_ALWAYS = ("receipt", "flood")


def count(talk: Turn) -> None:
    """One more thing was heard in this chat."""
    level = min(FULL, _level(talk) + 1)
    told = bool(talk.state.get("flood", {}).get("told")) and level >= OVER
    talk.state["flood"] = {"level": round(level, 3), "at": talk.remember_until(talk.now), "told": told}


def _level(talk: Turn) -> float:
    """How full the bucket is now."""
    known: dict[str, Any] = talk.state.get("flood", {})
    if not known:
        return 0.0
    passed = (talk.now - parse_time(known["at"])).total_seconds()
    return max(0.0, float(known["level"]) - max(0.0, passed) * DRAINS)


def hold_back(talk: Turn) -> None:
    """Beyond the budget nothing is answered but danger and a new reference; once, that we have them all."""
    if "flood" not in talk.state or _level(talk) <= MOST:
        return
    talk.says[:] = [
        one
        for one in talk.says
        if one.lane is SendPriority.DANGER or one.kind != "say" or one.template.startswith(_ALWAYS)
    ]
    talk.wakes.clear()
    if not talk.state["flood"]["told"]:
        talk.state["flood"] = {**talk.state["flood"], "told": True}
        talk.say("flood")
        talk.wake(f"{WAKE}{talk.state['turn']}", talk.now + PAUSE)


def calm(talk: Turn) -> None:
    """Has it ended? Then the question that stands is put once more, now that somebody can read it."""
    if _level(talk) > MOST:
        talk.wake(f"{WAKE}{talk.state['turn']}", talk.now + PAUSE)
        return
    ref = talk.ref
    if ref is None or talk.step not in FORM or not talk.form_open(ref):
        return
    if talk.step == "story":
        form.ask_next(talk, ref)
    else:
        form.ask(talk, talk.step, ref)
