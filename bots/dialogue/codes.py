"""Linking codes: a code from staff connects a complaint that they logged to a chat (docs/surfaces.md, "Telegram";
4.3)."""

from __future__ import annotations

from bots.dialogue import status
from bots.dialogue.turn import IDLE, Turn
from complaints.vocabulary import Verb
from store.values import CodeState, PlannedAct


def use_code(turn: Turn, code: str, *, may_be_words: bool = False) -> bool:
    """Try the code, at most once per message; True when the turn has a reply to it.

    `may_be_words`: eight digits can also be an answer, such as a meter number. Then only a code that opens a
    complaint counts as one. A miss still counts as a failed attempt.
    """
    lookup = turn.conversation.code(code)
    case = lookup.case
    if lookup.state is CodeState.FOUND and case is not None:
        turn.plan(PlannedAct(Verb.BIND, case.ref))
        if turn.conversation.language is None and case.language in turn.texts.languages:
            # Staff spoke with the complainant; the phone's language is only a hint.
            turn.chosen_language = case.language
            turn.state["hinted"] = False
        turn.go_to(IDLE)
        turn.reply("bind.found", ref=case.ref, line=status.status_line(turn, case))
        return True
    if lookup.state is CodeState.YOURS and case is not None:
        turn.reply("bind.yours", ref=case.ref, line=status.status_line(turn, case))
        return True
    if not may_be_words:
        turn.reply(f"bind.{lookup.state}")
    return not may_be_words
