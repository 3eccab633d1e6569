"""A code that staff gave binds the complaint they logged to this chat (docs/surfaces.md, "Telegram"; 4.3)."""

from __future__ import annotations

from bots.dialogue import status
from bots.dialogue.turn import IDLE, Turn
from complaints.vocabulary import Verb
from store.values import CodeState, PlannedAct


def use(talk: Turn, code: str, *, may_be_words: bool = False) -> bool:
    """Try the code, once a message; True when it was answered.

    `may_be_words`: eight digits may as well be the meter number that somebody was asked for, so that only a
    code that opens something is taken for one. The miss counts all the same.
    """
    found = talk.conversation.code(code)
    case = found.case
    if found.state is CodeState.FOUND and case is not None:
        talk.act(PlannedAct(Verb.BIND, case.ref))
        if talk.conversation.language is None and case.language in talk.texts.languages:
            # Whoever wrote it down heard them speak; the telephone's language is only a hint.
            talk.chosen = case.language
            talk.state["hinted"] = False
        talk.go(IDLE)
        talk.say("bind.found", ref=case.ref, line=status.line(talk, case))
        return True
    if found.state is CodeState.YOURS and case is not None:
        talk.say("bind.yours", ref=case.ref, line=status.line(talk, case))
        return True
    if not may_be_words:
        talk.say(f"bind.{found.state}")
    return not may_be_words
