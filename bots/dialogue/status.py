"""The reply to /status: what was done, what comes next and by when (7.3); and linking codes.

A decision appears only once it was communicated: approvals and drafts are no news. A date that a handler only asks to
move is none either.

A code from staff connects a complaint that they logged to a chat (docs/surfaces.md, "Telegram"; 4.3).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from bots.dialogue import incident
from bots.dialogue.buttons import FORM_COPY, REPLY
from bots.dialogue.read_back import promised_date
from bots.dialogue.turn import IDLE, Turn
from complaints.actions.registry import ACTIONS, LETTER_VERBS, verbs_that
from complaints.case import Case, Event, events_of, without_act
from complaints.deadlines.working_time import due
from complaints.event_facts import HELD
from complaints.history import taken_back_seqs
from complaints.identifiers import parse_reference
from complaints.vocabulary import UNDECIDED, Flag, Role, State, Target, Verb
from store.values import CodeState

MOST_OPEN, MOST_CLOSED = 8, 3
#: Longer histories show their first day and the newest ones. Telegram takes 4,096 characters.
MOST_DAYS = 12
#: Shown once: later ones are steps inside the team.
_ONCE = frozenset({"assess", "assign", "investigate", "notify_external"})
_NOT_STAFF = frozenset({Role.COMPLAINANT, Role.SYSTEM, Role.MODEL})
#: Acts of people who have read the complaint.
_READ = verbs_that(lambda row: row.shows_reading)
#: Their dates are promises to the complainant.
_PROMISED = frozenset({Target.DECIDE, Target.REMEDY})
#: What people can wait for in addition to the decision, with the texts that give its date before and after it passes.
_OTHER_WAITS = (
    (Target.REPLY, "status.question", "status.question_late"),
    (Target.DATA_REQUEST, "status.data", "status.data_late"),
    (Target.PRIVACY, "status.privacy", "status.privacy_late"),
)


def reply_status(turn: Turn, argument: str) -> None:
    """The timeline of one complaint, or a line for each. Other people's complaints are "unknown"."""
    cases = [case for case in turn.conversation.cases if case.merged_into is None]
    if argument.strip():
        case = turn.case(parse_reference(argument))
        if case is None:
            turn.reply("status.unknown")
            return
        cases = [case]
    listed = [case for case in cases if case.is_open][:MOST_OPEN]
    listed += [case for case in cases if not case.is_open][:MOST_CLOSED]
    if not listed:
        turn.reply("status.none")
    elif len(listed) == 1:
        reply_timeline(turn, listed[0])
    else:
        lines = "\n\n".join(
            status_line(turn, case, turn.conversation.load_events(case.ref)) for case in listed
        )
        rows = tuple((f"timeline:{case.ref}",) for case in listed)
        turn.reply("status", lines=lines, buttons=rows, step="status")


def reply_timeline(turn: Turn, case: Case) -> None:
    """What was done, what comes next and by when."""
    case, events = _without_held(turn, case), turn.conversation.load_events(case.ref)
    turn.reply(
        "timeline",
        ref=case.ref,
        summary=_summary(turn, case),
        done=done_so_far(turn, case, events),
        next="\n".join(_next_steps(turn, case, events)),
        buttons=FORM_COPY,
        step="status",
    )
    # People who want no contact get the decision only here, when they ask.
    letter = turn.conversation.load_decision_letter(case.ref) if Flag.NO_CONTACT in case.flags else ""
    if letter:
        turn.reply("status.result", ref=case.ref, text=letter, buttons=REPLY, step="decision")


def status_line(turn: Turn, case: Case, events: Sequence[Event] = ()) -> str:
    """One complaint: reference, state, what comes next and by when; with its `events` also who is on it."""
    case = _without_held(turn, case).as_delivered
    return "\n".join((_summary(turn, case), *_next_steps(turn, case, events)))


def _without_held(turn: Turn, case: Case) -> Case:
    """The case without an act whose letter can still be taken back."""
    act = case.unsent_act
    return without_act(case, act) if act is not None and _is_held(turn, act.event) else case


def _is_held(turn: Turn, event: Event) -> bool:
    return turn.now < event.at + timedelta(seconds=int(event.facts.get(HELD, 0)))


def _summary(turn: Turn, case: Case) -> str:
    name: str = State.CLOSED if case.withdrawn_at is not None else case.state
    if name == State.ESCALATED and not case.reviews_decision:
        name = "raised"
    is_seen = case.contacted or any(alarm.seen_at for alarm in case.alarms)
    if name == State.RECEIVED and (case.owner is not None or is_seen):
        name = "seen"
    received = turn.event_day(case.received_at, case)
    return turn.text("status.line", ref=case.ref, received=received, state=turn.text(f"state.{name}"))


def _next_steps(turn: Turn, case: Case, events: Sequence[Event]) -> list[str]:
    """Who is on it, and what the person waits for, each with its date; a missed date is named as missed."""
    lines = [*_attention(turn, case, events), _next_step(turn, case)]
    if case.asked_until is not None and case.is_open:
        lines.insert(0, turn.text("status.waiting", date=turn.due_day(case.asked_until, case)))
    for target_name, id_, late_id in _OTHER_WAITS:
        target = case.target(target_name)
        if target is not None and target.met_at is None:
            by = turn.due_time(target.promised_due, case)
            lines.append(turn.text(late_id if target.promised_due <= turn.now else id_, date=by))
    news = case.next_news_by
    if case.is_open and case.withdrawn_at is None and news is not None and news > turn.now:
        lines.append(turn.text("status.news", date=turn.due_day(news, case)))
    if case.external_open:
        lines.append(turn.text("status.outside"))
    lines.append(incident.incident_line(turn, case))
    return [line for line in lines if line]


def _attention(turn: Turn, case: Case, events: Sequence[Event]) -> Iterator[str]:
    """Until the decision: since when a person is on it or has read it, otherwise by when a person looks."""
    if not events or case.withdrawn_at is not None or case.state not in UNDECIDED:
        return

    def since(event: Event) -> str:
        return turn.texts.time_by(turn.language, event.at, turn.now, case.rules.calendar.zone)

    start, look = case.level_started_at or case.received_at, case.target(Target.LOOK)
    by_staff = [event for event in events if event.at >= start and event.role not in _NOT_STAFF]
    alarmed = [event for event in events_of(by_staff, Verb.RECEIPT) if event.facts.get("danger")]
    taken = [event for event in events_of(by_staff, Verb.ASSIGN) if event.facts.get("owner")]
    read = [event for event in by_staff if event.verb in _READ]
    if alarmed:
        role = turn.text(f"role.{alarmed[-1].role}")
        yield turn.text("status.danger_seen", role=role, time=since(alarmed[-1]))
    if case.owner is not None and taken:
        yield turn.text("status.taken", time=since(taken[0]))
    elif read:
        yield turn.text("status.read", time=since(read[0]))
    elif look is not None and look.met_at is None and not alarmed:
        late = "_late" if look.promised_due <= turn.now else ""
        yield turn.text(f"status.look{late}", time=turn.due_time(look.promised_due, case))


def _next_step(turn: Turn, case: Case) -> str:
    ended = case.withdrawn_at or (case.closed_at if case.state is State.CLOSED else None)
    if ended is not None:
        return _ended(turn, case, ended)
    if case.form_open:
        return turn.text("status.form")
    if case.state in UNDECIDED:
        promised = promised_date(case)
        text_id = "status.decide" if promised > turn.now else "status.decide_late"
        return turn.text(text_id, date=turn.due_day(promised, case))
    if case.decision is not None and case.decision.communicated_at is None:
        return turn.text("status.coming")
    due_dates = [remedy.due for remedy in case.owed_remedies if remedy.done_at is None]
    if due_dates:
        missed = [promised for promised in due_dates if promised <= turn.now]
        text_id = "status.remedy_late" if missed else "status.remedy"
        return turn.text(text_id, date=turn.due_day(max(missed or due_dates), case))
    lapse = case.target(Target.LAPSE)
    if case.reply is None and lapse is not None and lapse.met_at is None and lapse.promised_due > turn.now:
        return turn.text("status.reply", date=turn.due_day(lapse.promised_due, case))
    if case.reply == "accept":
        return turn.text("reply.next_closed" if case.everything_verified else "reply.next_checked")
    return turn.text("status.left", left=turn.text(f"progress.left.{case.state}"))


def _ended(turn: Turn, case: Case, ended: datetime) -> str:
    """When it ended, and how to reopen it while that is possible."""
    until = due(ended, case.rules.targets.reopen_window, case.rules.calendar).at
    can_reopen = case.erased_at is None and turn.now <= until and not case.is_open
    date = turn.event_day(ended, case)
    return turn.text("status.closed" if can_reopen else "status.ended", date=date, ref=case.ref)


def use_code(turn: Turn, code: str, *, may_be_words: bool = False) -> bool:
    """Plan the use of the code; True when the turn has a reply to it.

    `may_be_words`: eight digits can also be an answer, such as a meter number. Then only a code that opens a
    complaint counts as one. A miss still counts as a failed attempt.
    """
    turn.code, lookup = code, turn.conversation.check_code(code)
    case = lookup.case
    if lookup.state is CodeState.FOUND and case is not None:
        if turn.conversation.language is None and case.language in turn.texts.languages:
            # Staff spoke with the complainant; the phone's language is only a hint.
            turn.chosen_language = case.language
            turn.state["hinted"] = False
        turn.go_to(IDLE)
        turn.reply("bind.found", ref=case.ref, line=status_line(turn, case))
        return True
    if lookup.state is CodeState.YOURS and case is not None:
        turn.reply("bind.yours", ref=case.ref, line=status_line(turn, case))
        return True
    if not may_be_words:
        turn.reply(f"bind.{lookup.state}")
    return not may_be_words


def done_so_far(turn: Turn, case: Case, events: Sequence[Event]) -> str:
    """One line for each day on which something was done, the oldest first."""
    days: dict[str, list[str]] = {}
    listed: set[str] = set()
    unsent = taken_back_seqs(events)
    for event in events:
        if event.seq in unsent or _is_held(turn, event):
            continue
        at = case.received_at if event.seq == 1 else event.at
        for name in _names(event):
            if turn.texts.has(f"done.{name}") and not (name in _ONCE and name in listed):
                listed.add(name)
                entries = days.setdefault(turn.event_day(at, case), [])
                entries += [text for text in [turn.text(f"done.{name}")] if text not in entries]
    lines = [turn.text("done.day", day=day, done="; ".join(entries)) for day, entries in days.items()]
    return "\n".join(lines if len(lines) <= MOST_DAYS else [lines[0], "…", *lines[1 - MOST_DAYS :]])


def _is_seen(event: Event) -> bool:
    """False for an act of which the complainant sees nothing, or not yet: a letter is shown with its delivery."""
    facts, done = event.facts, ACTIONS[event.verb].done
    is_held = HELD in facts and event.verb in LETTER_VERBS
    is_question = done != "question" or facts.get("kind") == "question"
    is_message = facts.get("phase", "line") == "line"
    return (
        not is_held
        and is_question
        and is_message
        and all(facts.get(name, True) for name in ("danger", "owner"))
    )


def _names(event: Event) -> Iterator[str]:
    facts, row = event.facts, ACTIONS[event.verb]
    if facts.get("kept"):
        # They want no contact: nothing was sent, and the decision is shown below.
        yield "kept" if row.records == "decision" else ""
    elif facts.get("event") == "complied":
        yield "complied"
    elif _is_seen(event):
        # A delivery is shown as its letter.
        yield ACTIONS[Verb(facts["letter"])].done if row.done and "letter" in facts else row.done
    if any(
        row["target"] in _PROMISED and row["basis"].startswith("extend") for row in facts.get("targets", ())
    ):
        yield "moved"
    if facts.get("close_code") and event.role is not Role.COMPLAINANT:
        yield "closed"
