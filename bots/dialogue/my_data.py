"""The complainant's personal data: a copy into the chat, a correction, an erasure (docs/domain.md, section 6)."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

from bots.dialogue.buttons import CANCEL, DATA, SURE
from bots.dialogue.record import ReceivedMessage, add_message, record_choice
from bots.dialogue.turn import IDLE, Turn
from complaints.actions.access import is_on_hold
from complaints.actions.registry import ACTIONS, MESSAGE_VERBS
from complaints.case import Case
from complaints.deadlines.periods import RetentionPeriod
from complaints.deadlines.targets import data_request_due
from complaints.obligations.kinds import SendPriority
from complaints.times import format_time

#: The kind of the obligation that makes and sends the copy.
COPY_OBLIGATION = "mydata"
#: The kind of the obligation that makes and sends the form.
FORM_OBLIGATION = "form_copy"
#: /mydata offers the forms of so many complaints, the newest first.
MOST_FORMS = 3
#: In the state: the version of the privacy notice that this chat got last.
_NOTICE = "notice"
CORRECTION_STEP, ERASE_CONFIRMATION = "correct", "erase"
COPY_INTERVAL = timedelta(days=1)
CORRECTION, ERASURE = "data_correction", "data_erasure"


def reply_options(turn: Turn) -> None:
    """What can be requested, what is stored, why and until when, and where to complain about it."""
    forms = tuple((f"form_copy:{case.ref}",) for case in turn.conversation.cases[:MOST_FORMS])
    turn.reply(
        "mydata",
        org=turn.person_rules.organisation,
        kept=_retention(turn),
        buttons=(*DATA, *forms),
        step="mydata",
    )


def _retention(turn: Turn) -> str:
    """Why and how long data is stored, and the date for each complaint that is closed."""
    cases = [case for case in turn.conversation.cases if case.erased_at is None]
    rules = cases[0].rules if cases else turn.rules
    lines = [turn.text("mydata.kept_open")]
    if rules.retention:
        period = RetentionPeriod.parse(rules.retention)
        id_ = "mydata.kept_from_receipt" if period.from_receipt else "mydata.kept"
        lines = [turn.text(id_, span=turn.texts.span(turn.language, period.span))]
    for case in cases[:MOST_FORMS]:
        if is_on_hold(case, turn.now):
            lines.append(turn.text("mydata.kept_hold", ref=case.ref))
        elif case.closed_at is not None and case.rules.retention:
            until = RetentionPeriod.parse(case.rules.retention).until(
                received=case.received_at, closed=case.closed_at, calendar=case.rules.calendar
            )
            lines.append(turn.text("mydata.kept_until", ref=case.ref, date=turn.event_day(until, case)))
    return " ".join(lines)


def request_form(turn: Turn, case: Case) -> None:
    """Send the complaint as it was written down, as a PDF form (docs/domain.md, section 6, B)."""
    if case.erased_at is not None:
        turn.reply("mydata.nothing")
        return
    turn.reply("form_copy.coming", ref=case.ref)
    turn.schedule_job(FORM_OBLIGATION, "form_copy.file", ref=case.ref)


def give_notice(turn: Turn) -> None:
    """The privacy notice below the first answer, before anything is filed; never below a danger reply.

    Its version goes into the event that this turn records, so that it can be shown who was informed of what.
    """
    position = next((n for n, act in enumerate(turn.acts) if act.verb in MESSAGE_VERBS), None)
    if position is None or not turn.replies or turn.replies[0].lane is SendPriority.DANGER:
        return
    act = turn.acts[position]
    notice = turn.rules_of(act.ref).notice
    # The same fingerprint as in the exported record.
    version = sha256(notice.encode()).hexdigest()[:12]
    is_new = turn.state.get(_NOTICE) != version
    if not notice or not (is_new or ACTIONS[act.verb].begins):
        return
    turn.acts[position] = replace(act, facts={**act.facts, "privacy_notice_version": version})
    if is_new:
        turn.state[_NOTICE] = version
        turn.add_below(turn.text("privacy.notice", notice=notice), 0)


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
    return turn.due_day(data_request_due(turn.rules_of(ref), turn.now), turn.case(ref))


def _case_for_request(turn: Turn) -> Case | None:
    """The complaint under which the request is recorded: an open one before a closed one."""
    return next(iter((*turn.open_cases, *turn.conversation.cases)), None)
