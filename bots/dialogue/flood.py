"""A limit on replies for a flood of messages: all are recorded, one reply confirms it, and prompts wait.

The limit is a leaky bucket per chat, kept in the dialogue state.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bots.dialogue import form
from bots.dialogue.turn import FORM, Turn
from complaints.obligations.kinds import SendPriority
from complaints.timestamps import parse_time

#: Replies stop above LIMIT messages. The bucket holds CAPACITY and drains 0.5 a second: slower than anybody types.
LIMIT, CAPACITY, DRAIN_PER_SECOND = 30.0, 40.0, 0.5
#: Below this level the flood is over, and a later one gets its own notice.
OVER_BELOW = 10.0
WAKE_UP = "calm:"
PAUSE = timedelta(seconds=(CAPACITY - LIMIT) / DRAIN_PER_SECOND)
#: Replies that leave even during a flood: each receipt (it has the reference) and the notice itself.
_ALWAYS_SENT = ("receipt", "flood")


def count_message(turn: Turn) -> None:
    """Add one incoming message to the bucket."""
    level = min(CAPACITY, _level(turn) + 1)
    is_notified = bool(turn.state.get("flood", {}).get("told")) and level >= OVER_BELOW
    turn.state["flood"] = {"level": round(level, 3), "at": turn.stored_time(turn.now), "told": is_notified}


def _level(turn: Turn) -> float:
    bucket: dict[str, Any] = turn.state.get("flood", {})
    if not bucket:
        return 0.0
    passed = (turn.now - parse_time(bucket["at"])).total_seconds()
    return max(0.0, float(bucket["level"]) - max(0.0, passed) * DRAIN_PER_SECOND)


def drop_excess_replies(turn: Turn) -> None:
    """Above the limit, drop all replies but danger and receipts; once, confirm that everything arrived."""
    if "flood" not in turn.state or _level(turn) <= LIMIT:
        return
    turn.replies[:] = [
        reply
        for reply in turn.replies
        if reply.lane is SendPriority.DANGER or reply.kind != "say" or reply.template.startswith(_ALWAYS_SENT)
    ]
    turn.wake_ups.clear()
    if not turn.state["flood"]["told"]:
        turn.state["flood"] = {**turn.state["flood"], "told": True}
        turn.reply("flood")
        turn.schedule_wake_up(f"{WAKE_UP}{turn.state['turn']}", turn.now + PAUSE)


def check_end(turn: Turn) -> None:
    """When the flood is over, ask the current question of the form again: its prompt was dropped."""
    if _level(turn) > LIMIT:
        turn.schedule_wake_up(f"{WAKE_UP}{turn.state['turn']}", turn.now + PAUSE)
        return
    ref = turn.ref
    if ref is None or turn.step not in FORM or not turn.is_form_open(ref):
        return
    if turn.step == "story":
        form.ask_next(turn, ref)
    else:
        form.ask(turn, turn.step, ref)
