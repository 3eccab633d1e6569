"""What is owed (docs/design.md, rule 2): from a case, the keys and due times of everything we must do unasked.

`standing` is asked twice: after each verb, when the missing keys are inserted, and before each is done, when
a key that is no longer there needs nothing. So nothing is ever cancelled. The one-off duties of a single event are
in once.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from complaints.case import Case
from complaints.case_values import RemedyOwed, TargetSet
from complaints.deadlines.quiet_hours import quiet_until
from complaints.deadlines.targets import lapses_at, next_news, outside_when_missed
from complaints.deadlines.working_time import before, due
from complaints.lifecycle import ANSWERED, UNDECIDED
from complaints.obligations.delay_notices import BEFORE_MISSED, missed_notice_at, remedy_notice_at, said_by
from complaints.obligations.kinds import NewObligation, SendPriority
from complaints.obligations.offline import told_by_people
from complaints.obligations.reminders import REMINDED, ReminderLevel, reminder_stages
from complaints.obligations.resend import notices_again
from complaints.timestamps import format_time
from complaints.vocabulary import CloseCode, ContactKind, Flag, State, Target

#: One survey a person in so many days, however often a complaint is reopened and closed.
SURVEY_EVERY = timedelta(days=30)


def current_obligations(case: Case) -> Iterator[NewObligation]:
    """Everything owed as the case stands."""
    if case.is_history:
        return
    if case.erased_at is not None:
        # The card is drawn once more: it says that the words are gone.
        yield _card(case)
        return
    yield from told_by_people(case, notices_again(case, _standing(case)), once=False)


def _standing(case: Case) -> Iterator[NewObligation]:
    yield _card(case)
    yield from _intake(case)
    yield from _danger(case)
    yield from _proposal(case)
    yield from _told(case)
    yield from _asked_beside(case)
    yield from _reminders(case)
    yield from _after_decision(case)
    yield from _ended(case)


def _card(case: Case) -> NewObligation:
    """The card shows this version of the record; a later version makes the key moot."""
    danger = case.danger_at is not None and case.danger_receipt_at is None
    at = max(one for one in (case.logged_at, case.last_words_at, card_waits_until(case)) if one is not None)
    lane = SendPriority.DANGER if danger else SendPriority.DIALOGUE
    return NewObligation(f"card:{case.version}", "card", at, lane, {"version": case.version})


def card_waits_until(case: Case) -> datetime | None:
    """Until when the first post waits for the proposal; None: not at all.

    Where a case may be seen is decided before its first post (docs/design.md, rule 8), and the model has a say.
    """
    seen = (
        case.proposed is not None
        or case.assessment is not None
        or case.danger_at is not None
        or case.restricted
    )
    return None if seen or case.owner is not None else case.logged_at + timedelta(seconds=90)


def _intake(case: Case) -> Iterator[NewObligation]:
    if not case.form_open or case.last_words_at is None:
        return
    dialogue = case.rules.dialogue
    calendar = case.rules.calendar
    silence = due(case.last_words_at, dialogue.file_abandoned_after, calendar).at
    latest = due(case.logged_at, dialogue.file_abandoned_at_latest, calendar).at
    yield NewObligation(
        f"end_form:silence:{case.words}", "end_form", silence, SendPriority.DIALOGUE, {"because": "silence"}
    )
    yield NewObligation("end_form:latest", "end_form", latest, SendPriority.DIALOGUE, {"because": "latest"})


def _danger(case: Case) -> Iterator[NewObligation]:
    if case.danger_at is not None and case.danger_receipt_at is None:
        yield NewObligation(f"page:{case.danger_at.isoformat()}", "page", case.danger_at, SendPriority.DANGER)


def _proposal(case: Case) -> Iterator[NewObligation]:
    """A proposal when the first burst ends, at latest 60 s after the first message; later words ask anew."""
    if case.assessment is not None or case.last_words_at is None or case.state not in UNDECIDED:
        return
    burst = due(case.last_words_at, case.rules.dialogue.burst, case.rules.calendar).at
    if case.proposed is None or case.proposed.words < case.words:
        yield NewObligation(
            f"propose:{case.words}", "propose", burst, SendPriority.DIALOGUE, {"words": case.words}
        )
        if case.form_ended_at is not None and case.last_words_at <= case.form_ended_at:
            # Signed or ended: the story is whole, and nobody need wait for more of it.
            yield NewObligation("propose:formed", "propose", case.form_ended_at, SendPriority.DIALOGUE)
    if case.proposed is None:
        yield NewObligation(
            "propose:latest", "propose", case.logged_at + timedelta(seconds=60), SendPriority.DIALOGUE
        )


def _again(case: Case) -> str:
    """What did not reach them is owed anew, under another key, when they are back (7.3)."""
    return f":r{case.returns}" if case.returns else ""


def _can_be_told(case: Case) -> bool:
    """By a chat that takes it, or where there is none, by people."""
    return case.reachable or case.told_by_people


def _told(case: Case) -> Iterator[NewObligation]:
    """What the complainant must hear: acknowledgement, progress, decision, recourse, the legal maximum."""
    if not case.is_open or not _can_be_told(case) or Flag.WITHDRAWN in case.flags:
        return
    begun = case.form_ended_at if case.level_started_at == case.received_at else case.level_started_at
    level = case.level
    if begun is not None and level not in case.acks:
        yield NewObligation(
            f"ack:{level}{_again(case)}", "acknowledge", begun, SendPriority.DIALOGUE, {"level": level}
        )
    decision = case.decision
    if decision is not None and decision.communicated_at is None and case.state in ANSWERED:
        facts = {"level": decision.level, "seq": decision.seq}
        yield NewObligation(
            f"decision:{decision.seq}{_again(case)}", "decision", decision.at, SendPriority.NOTICE, facts
        )
    if case.state is State.DISAGREED and case.reply_at is not None:
        key = f"recourse:{level}:{case.reopened}{_again(case)}"
        yield NewObligation(key, "recourse", case.reply_at, SendPriority.NOTICE, {"level": level})
    update, legal = case.target(Target.UPDATE), case.target(Target.LEGAL)
    missed = tuple(_unanswered(case))
    if update is not None and update.met_at is None and update.internal_due > case.logged_at:
        at = said_by(case, update.internal_due, since=max(case.logged_at, update.start))
        # Not "you will have it by then" and, in the same minute, that they will not: the second tells it all.
        if all(one.due != at for one in missed):
            yield NewObligation(f"progress:{update.version}", "progress", at, SendPriority.NOTICE)
    yield from missed
    if legal is not None and legal.met_at is None:
        about = {"target": legal.target.value, "version": legal.version}
        yield NewObligation(
            f"legal_passed:{legal.version}", "legal_passed", legal.internal_due, SendPriority.NOTICE, about
        )
    else:
        yield from _level_passed(case)


def _level_passed(case: Case) -> Iterator[NewObligation]:
    """The legal maximum ends with the first decision; a later level may open the outside by a time of its own."""
    one = case.target(Target.DECIDE)
    if one is not None and one.met_at is None and outside_when_missed(case, one):
        about = {"target": one.target.value, "version": one.version}
        key = f"legal_passed:{one.target}:{one.version}"
        yield NewObligation(key, "legal_passed", one.promised_due, SendPriority.NOTICE, about)


def _unanswered(case: Case) -> Iterator[NewObligation]:
    """Before the promised date of the answer comes, the complainant hears that there is none yet, so long before it
    as the rules say; and shortly before it that it will not be kept (7.3).

    Only the second where the date was told after the moment of the first, or where that leaves no earlier.
    """
    one = case.target(Target.DECIDE)
    missed = missed_notice_at(case, one) if one is not None and one.met_at is None else None
    if one is None or missed is None:
        return
    facts = {"target": one.target.value, "version": one.version}
    notice = case.rules.targets.delay_notice
    if notice is not None:
        at = before(one.promised_due, notice, case.rules.calendar).at
        leaves = quiet_until(at, case.rules.dialogue.quiet_hours, case.rules.calendar.zone)
        if at > one.set_at and leaves + BEFORE_MISSED <= missed:
            # Held up until the second is due, it would say "not yet" in the same breath: then only that leaves.
            yield NewObligation(
                f"delay:{one.version}",
                "delay",
                at,
                SendPriority.NOTICE,
                {**facts, "until": format_time(missed)},
            )
    heard = case.last_contact_at
    # Whoever heard from us after the date need not be told of it once more (a case of an earlier release).
    if heard is None or heard <= one.promised_due:
        yield NewObligation(f"progress:decide:{one.version}", "progress", missed, SendPriority.NOTICE, facts)


#: What they wait for beside the answer itself.
_BESIDE = (Target.DATA_REQUEST, Target.REPLY, Target.PRIVACY, Target.FIRST_ACTION)


def _asked_beside(case: Case) -> Iterator[NewObligation]:
    """Before the date of what they wait for beside the answer is missed they hear so, also after the closing (7.3).

    A request about their data, a question, the part about personal data; the first contact once they were told that
    it will be later.
    """
    if not _can_be_told(case):
        return
    for one in filter(None, map(case.target, _BESIDE)):
        told = one.target is not Target.FIRST_ACTION or one.basis.startswith("extend")
        at = missed_notice_at(case, one) if told and one.met_at is None else None
        if at is not None:
            facts = {"target": one.target.value, "version": one.version}
            yield NewObligation(f"delay:{one.target}:{one.version}", "delay", at, SendPriority.NOTICE, facts)


def _reminders(case: Case) -> Iterator[NewObligation]:
    """Staff hear before a due time and at a missed one, step by step up the ladder.

    The acknowledgement is theirs too where no chat takes it.
    """
    for one in case.current_targets():
        ours = one.target in REMINDED or (one.target is Target.ACK and not case.reachable)
        if ours and one.met_at is None:
            facts = {"target": one.target.value, "of": one.of, "version": one.version}
            for stage in reminder_stages(case, one):
                when = "before" if stage.rung is ReminderLevel.OWNER else "missed"
                key = f"remind:{one.target.value}:{one.of}:{one.version}:{stage.name}"
                told = {**facts, "when": when, "stage": stage.name}
                yield NewObligation(key, "remind", stage.at, SendPriority.NOTICE, told)


def _after_decision(case: Case) -> Iterator[NewObligation]:
    """The reply is reminded once; silence ends a complaint only when nothing is owed, never as a yes."""
    if not case.is_open:
        return
    for one in case.owed_remedies:
        target = case.target(Target.REMEDY, one.n)
        if one.done_at is None and target is not None:
            yield _remedy_late(case, one, target)
    reminder, ends = case.target(Target.REPLY_REMINDER), lapses_at(case)
    if ends is None or reminder is None or reminder.met_at is not None:
        return
    yield NewObligation(f"reply_reminder:{reminder.version}", "reply_reminder", reminder.internal_due)
    if case.everything_verified and case.question_at is None:
        lapse = case.target(Target.LAPSE)
        version = lapse.version if lapse is not None else 0
        checked = sum(one.verified_at is not None for one in case.owed_remedies)
        answered = case.question_answered_at
        asked = f":{answered.isoformat()}" if answered is not None else ""
        yield NewObligation(f"lapse:{version}:{checked}{asked}", "lapse", ends, SendPriority.NOTICE)


def _remedy_late(case: Case, one: RemedyOwed, target: TargetSet) -> NewObligation:
    """Shortly before its date, and then as often as any other news, until it is done: never silence."""
    key, at = f"remedy_late:{one.n}:{target.version}", remedy_notice_at(case, target)
    if one.late_at is not None and one.late_at >= at:
        key, at = f"{key}:{one.late}", next_news(case, one.late_at)
    return NewObligation(key, "remedy_late", at, SendPriority.NOTICE, {"remedy": one.n})


def _ended(case: Case) -> Iterator[NewObligation]:
    """Told once that it is over, which for a withdrawn one is at once, though the matter goes on inside."""
    ended = case.withdrawn_at or case.closed_at
    if ended is None:
        return
    round_ = case.reopened
    code = CloseCode.WITHDRAWN if case.withdrawn_at is not None else case.close_code
    if _can_be_told(case):
        yield NewObligation(f"closing:{round_}", "closing", ended, SendPriority.NOTICE, {"code": code})
    if not surveyed(case):
        return
    calendar = case.rules.calendar
    asked = due(ended, case.rules.survey.delay, calendar).at
    last = case.surveyed_at
    if "sent" not in case.surveys and (last is None or asked - last >= SURVEY_EVERY):
        yield NewObligation(f"survey:{round_}", "survey", asked, SendPriority.BULK)
    if "sent" in case.surveys and not {"answered", "skipped", "reminded"} & set(case.surveys):
        reminded = due(last or asked, case.rules.survey.reminder, calendar).at
        yield NewObligation(f"survey_reminder:{round_}", "survey_reminder", reminded, SendPriority.BULK)


def surveyed(case: Case) -> bool:
    """A survey follows every ending of a complaint that can be asked about: not of a minor, not merged."""
    minor = Flag.MINOR in case.flags or any(sign.kind == "minor" for sign in case.signs)
    if Flag.NO_CONTACT in case.flags:
        return False
    unasked = case.close_code in (CloseCode.NOT_COMPLAINT, CloseCode.MERGED)
    return not (minor or unasked or case.kind is not ContactKind.COMPLAINT) and case.reachable
