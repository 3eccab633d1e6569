"""The complainant's personal data: a copy into the chat, a correction, an erasure (docs/domain.md, section 6)."""

from __future__ import annotations

from datetime import timedelta

from bots.dialogue.buttons import CANCEL, DATA, SURE
from bots.dialogue.record import ReceivedMessage, add_message, record_choice
from bots.dialogue.turn import IDLE, Turn
from complaints.case import Case
from complaints.deadlines.periods import RetentionPeriod
from complaints.deadlines.targets import DATA_REQUEST_SPAN
from complaints.deadlines.working_time import due
from complaints.times import format_time

#: The kind of the obligation that makes and sends the copy.
COPY_OBLIGATION = "mydata"
CORRECTION_STEP, ERASE_CONFIRMATION = "correct", "erase"
COPY_INTERVAL = timedelta(days=1)
CORRECTION, ERASURE = "data_correction", "data_erasure"


def reply_options(turn: Turn) -> None:
    """What can be requested, what is stored, why and until when, and where to complain about it."""
    turn.reply("mydata", org=turn.person_rules.organisation, kept=_retention(turn), buttons=DATA)


def _retention(turn: Turn) -> str:
    """Why and how long data is stored, under the rules of the newest complaint, or those in force."""
    rules = turn.conversation.cases[0].rules if turn.conversation.cases else turn.rules
    if rules.retention:
        period = RetentionPeriod.parse(rules.retention)
        id_ = "mydata.kept_from_receipt" if period.from_receipt else "mydata.kept"
        return turn.text(id_, span=turn.texts.span(turn.language, period.span))
    return turn.text("mydata.kept_open")


def request_copy(turn: Turn) -> None:
    """Send a copy of everything as a file, at most once a day. Only this person reads this chat."""
    until = turn.state.get("export_until")
    if until is not None and not turn.is_past(until):
        turn.reply("mydata.once")
        return
    turn.state["export_until"] = format_time(turn.now + COPY_INTERVAL)
    turn.reply("mydata.coming")
    turn.schedule_job(COPY_OBLIGATION, "mydata.file")


def request_receipt(turn: Turn, case: Case) -> None:
    """Send the receipt of the complaint as it is now (docs/proof.md)."""
    turn.schedule_job(COPY_OBLIGATION, "mydata.receipt", ref=case.ref)


def ask_correction(turn: Turn) -> None:
    """Ask what is wrong; a member of staff gets the answer."""
    case = _case_for_request(turn)
    if case is None:
        turn.reply("mydata.nothing")
        return
    turn.go_to(CORRECTION_STEP, case.ref)
    turn.reply("ask.correct", ref=case.ref, buttons=CANCEL)


def record_correction(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    field = turn.next_field(CORRECTION, ref)
    add_message(turn, ref, field, message, kind=CORRECTION, extra={"aside": True})
    turn.go_to(IDLE)
    turn.reply("mydata.noted", ref=ref, date=_reply_day(turn, ref))


def ask_erasure(turn: Turn) -> None:
    """Say what cannot be erased yet, and ask for confirmation. A button press erases nothing."""
    case = _case_for_request(turn)
    if case is None:
        turn.reply("mydata.nothing")
        return
    turn.go_to("sure", case.ref, sure=ERASE_CONFIRMATION)
    turn.reply("erase.sure", ref=case.ref, kept=_retention(turn), buttons=SURE)


def record_erasure_request(turn: Turn, case: Case) -> None:
    """Record the request; a member of staff answers it within a month."""
    label = turn.texts.label(turn.language, "erase_data")
    field = turn.next_field(ERASURE, case.ref)
    record_choice(turn, case.ref, field, label, {"aside": True}, kind=ERASURE)
    turn.reply("mydata.noted", ref=case.ref, date=_reply_day(turn, case.ref))


def _reply_day(turn: Turn, ref: str) -> str:
    return turn.due_day(due(turn.now, DATA_REQUEST_SPAN, turn.rules_of(ref).calendar).at, turn.case(ref))


def _case_for_request(turn: Turn) -> Case | None:
    """The complaint under which the request is recorded: an open one before a closed one."""
    return next(iter((*turn.open_cases, *turn.conversation.cases)), None)
