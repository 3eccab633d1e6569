"""Was it done, and is it right? The complainant's word on a remedy that we say is done (7.7, Annex D)."""

from __future__ import annotations

from bots.dialogue.buttons import CANCEL
from bots.dialogue.recording import Message, add, choose
from bots.dialogue.talk import IDLE, Talk
from complaints.changes.telling import REMEDY_REFUSED
from complaints.particulars import RemedyOwed
from complaints.record import Case

#: The step of the question is this with the remedy's number: `done3`.
STEP = "done"
CHECK, WHY = "remedy_check", "not_right"


def number_of(step: str) -> int | None:
    """The remedy that a question is about, or None for a step of another kind."""
    number = step.removeprefix(STEP)
    return int(number) if step.startswith(STEP) and number.isascii() and number.isdigit() else None


def waiting(talk: Talk) -> tuple[Case, RemedyOwed] | None:
    """The remedy that was told as done last and has no answer yet; on the short road I accept is one."""
    found = [
        (case, one)
        for case in talk.open_cases
        for one in case.owed_remedies
        if one.done_at is not None and one.done_at != one.promised_at and one.answer != "yes"
    ]
    return max(found, key=lambda pair: pair[1].done_at or pair[0].received_at, default=None)


def checked(talk: Talk, case: Case, n: int, *, yes: bool) -> None:
    """Yes is kept as proof for whoever checks; No opens the remedy again, and we ask what is not right."""
    one = next((found for found in case.remedies if found.n == n), None)
    label = talk.texts.label(talk.language, "yes" if yes else "no")
    if one is None or not case.is_open:
        talk.say("reply.closed" if not case.is_open else "reply.moved", ref=case.ref)
    elif one.done_at is None or (yes and one.answer == "yes"):
        # Pressed twice, on another device, or after a No.
        talk.say("remedy_check.before", ref=case.ref)
    else:
        kind = "remedy_right" if yes else REMEDY_REFUSED
        facts = {"remedy": n, "remedy_ok": yes, "aside": True}
        choose(talk, case.ref, talk.new_version(CHECK, case.ref), label, facts, kind=kind)
        if yes:
            talk.say("remedy_check.right", ref=case.ref)
        else:
            talk.go(WHY, case.ref)
            talk.say("ask.not_right", ref=case.ref, buttons=CANCEL)


def why(talk: Talk, ref: str, message: Message) -> None:
    """What is not right with it."""
    add(talk, ref, talk.new_version(WHY, ref), message)
    talk.go(IDLE)
    talk.say("remedy_check.noted", ref=ref)
