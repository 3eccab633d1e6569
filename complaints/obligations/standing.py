"""The obligations of a case in its present state: keys and due times of everything to do unasked.

docs/design.md, rule 2. They include the notices before a promised date is missed: the complainant never learns of
it by silence (7.3).

The store calls `current_obligations` twice: after each verb, to insert the missing keys, and before it does one,
to skip a key that is no longer there. So an obligation is never cancelled. Those of a single event are in
per_event.py.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import starmap

from complaints.actors import Actor, may_read
from complaints.case import Case
from complaints.case_values import RemedyOwed, TargetSet
from complaints.deadlines.periods import form_ends, limit_ends
from complaints.deadlines.quiet_hours import checked_by, last_spoken_by, quiet_until
from complaints.deadlines.targets import lapses_at, next_news, outside_when_missed
from complaints.deadlines.working_time import before, due
from complaints.obligations.approvals import awaits_approver, awaits_reader
from complaints.obligations.kinds import HELD_IN_DANGER, NewObligation, SendPriority, give_offline
from complaints.obligations.reminders import REMINDED, ReminderLevel, reminder_stages
from complaints.obligations.resend import with_resend_keys
from complaints.rulebook import Limit
from complaints.times import format_time
from complaints.vocabulary import (
    ANSWERED,
    UNDECIDED,
    CloseCode,
    ContactKind,
    Flag,
    Priority,
    State,
    Target,
)

#: The notice leaves this long before the date, if that is still after the date was set.
BEFORE_MISSED = timedelta(hours=1)
#: Who confirmed a danger is asked to close it with a reason after this time, and then as often again.
CLOSE_ALARM_EVERY = timedelta(hours=1)
#: A conversation ends this long after the last line of staff, or after a message of the complainant without answer.
TALK_IDLE, TALK_UNANSWERED = timedelta(minutes=30), timedelta(minutes=15)
#: The task from a bad survey answer is due as a first action of this priority.
SURVEY_CONCERN_PRIORITY = Priority.P3
#: A review that is overdue by this goes to another person.
REVIEW_AGAIN_AFTER = "5 bd"
#: One survey a person in so many days, however often a complaint is reopened and closed.
SURVEY_EVERY = timedelta(days=30)


def current_obligations(case: Case) -> Iterator[NewObligation]:
    if case.is_history:
        if case.question_at is not None:
            yield from _reminders(case)
        return
    if case.erased_at is not None:
        # The card is drawn once more, to show that the words are gone.
        yield _card(case)
        return
    required = _after_danger(case, _without_contradictions(case, _all_obligations(case)))
    yield from give_offline(case, with_resend_keys(case, required), once=False)


def card_waits_until(case: Case) -> datetime | None:
    """Until when the first post waits for the proposal, or None.

    The proposal helps to decide in which channel a case is first posted (docs/design.md, rule 8).
    """
    is_placed = (
        case.proposed is not None or case.assessment is not None or bool(case.alarms) or case.restricted
    )
    return None if is_placed or case.owner is not None else case.logged_at + timedelta(seconds=90)


def missed_notice_at(case: Case, target: TargetSet) -> datetime | None:
    """When to send the notice that this date will not be kept; None if it had passed when it was set.

    If an hour before the date is too early, it leaves half-way between the setting and the date.
    """
    set_at, promised = target.set_at, target.promised_due
    if promised <= set_at:
        return None
    notice_at = sent_by(case, promised - BEFORE_MISSED, since=set_at)
    return notice_at if notice_at > set_at else sent_by(case, set_at + (promised - set_at) / 2, since=set_at)


def remedy_notice_at(case: Case, target: TargetSet) -> datetime:
    """From when to record a remedy as late: shortly before its date, or at a date that had passed when promised."""
    return missed_notice_at(case, target) or target.internal_due


def missed_times_payment(case: Case, now: datetime) -> Limit | None:
    """The payment that the scheme prescribes for each of its times that was missed (uk_water), or None.

    These times are the legal maximum, and at a later level the time that opens the outside.
    """
    payment, legal, decide = case.rules.missed_payment, case.target(Target.LEGAL), case.target(Target.DECIDE)
    if payment is None:
        return None
    own_times = [legal, decide if decide is not None and outside_when_missed(case, decide) else None]
    missed = sum(target is not None and target.internal_due < (target.met_at or now) for target in own_times)
    return replace(payment, amount=payment.amount * missed) if missed else None


def sent_by(case: Case, latest: datetime, *, since: datetime) -> datetime:
    """This time, or if it is in quiet hours the last minute before them (not before `since`)."""
    leaves_at = last_spoken_by(latest, case.rules.dialogue.quiet_hours, case.rules.calendar.zone)
    return leaves_at if leaves_at > since else latest


def has_survey(case: Case) -> bool:
    """True where a survey follows the ending: not for a minor, a merged case or something that was no complaint."""
    minor = Flag.MINOR in case.flags or any(sign.kind == "minor" for sign in case.signs)
    if Flag.NO_CONTACT in case.flags:
        return False
    unasked = case.close_code in (CloseCode.NOT_COMPLAINT, CloseCode.MERGED)
    return not (minor or unasked or case.kind is not ContactKind.COMPLAINT) and case.reachable


def survey_concern_due(case: Case, since: datetime) -> datetime:
    """By when people who did not work on the complaint look at a bad survey answer that came at `since` (8.3)."""
    span = case.rules.targets.by_priority[SURVEY_CONCERN_PRIORITY].first_action
    return due(since, span, case.rules.calendar).at


#: What a letter answers for the complainant, and what a decision answers too.
_ANSWERED_BY_LETTER = frozenset({Target.FIRST_ACTION, Target.UPDATE, Target.REPLY, Target.DATA_REQUEST})
_ANSWERED_BY_DECISION = _ANSWERED_BY_LETTER | {
    Target.LOOK,
    Target.ACT_BY,
    Target.DECIDE,
    Target.LEGAL,
    Target.PRIVACY,
}
_SAYS_NOT_ANSWERED = frozenset({"progress", "delay", "legal_passed", "remind"})
#: A letter counts as on its way for so long: quiet hours may hold it, and one that failed stays undelivered.
_ON_ITS_WAY = timedelta(days=1)


def _without_contradictions(case: Case, obligations: Iterator[NewObligation]) -> Iterator[NewObligation]:
    """While a letter is on its way, no notice or reminder says that what it answers is open."""
    answered = _ANSWERED_BY_DECISION if case.unsent_decision is not None else _ANSWERED_BY_LETTER
    answers = (letter.event for letter in case.unsent if not letter.is_warning)
    written_at = max((event.at for event in answers), default=None)
    for obligation in obligations:
        is_answered = (
            written_at is not None
            and case.reachable
            and obligation.kind in _SAYS_NOT_ANSWERED
            and obligation.due < written_at + _ON_ITS_WAY
            and obligation.facts.get("target", Target.UPDATE) in answered
        )
        if not is_answered:
            yield obligation


def _all_obligations(case: Case) -> Iterator[NewObligation]:
    yield _card(case)
    yield from _intake(case)
    yield from _danger(case)
    yield from _talk(case)
    yield from _proposal(case)
    yield from _letters(case)
    yield from _other_delays(case)
    yield from _reminders(case)
    yield from _after_decision(case)
    yield from _ended(case)
    yield from _second_looks(case)
    limit = case.conduct.limit
    if limit is not None:
        key, outcome = f"limit_ends:{limit.seq}", {"outcome": "lapsed"}
        yield NewObligation(key, "limit_ends", limit_ends(case, limit), SendPriority.BULK, outcome)


def _card(case: Case) -> NewObligation:
    """The card shows this version of the record; a later version makes this obligation unnecessary."""
    due_at = max(
        moment
        for moment in (case.logged_at, case.last_words_at, card_waits_until(case))
        if moment is not None
    )
    # After the answers to people: a pressed card is drawn by its press.
    lane = SendPriority.DANGER if case.unseen_alarm is not None else SendPriority.NOTICE
    return NewObligation(f"card:{case.version}", "card", due_at, lane, {"version": case.version})


def _intake(case: Case) -> Iterator[NewObligation]:
    if not case.form_open or case.last_words_at is None:
        return
    silence, latest = form_ends(case)
    yield NewObligation(
        f"end_form:silence:{case.words}", "end_form", silence, SendPriority.DIALOGUE, {"because": "silence"}
    )
    yield NewObligation("end_form:latest", "end_form", latest, SendPriority.DIALOGUE, {"because": "latest"})


def _danger(case: Case) -> Iterator[NewObligation]:
    """Pages until a person has seen the danger, or asks for a look; then asks that person to close it (5.3)."""
    alarm = case.alarm
    if alarm is None:
        return
    if alarm.seen_at is None:
        since = alarm.certain_at or alarm.at
        yield NewObligation(f"page:{since.isoformat()}", "page", since, SendPriority.DANGER)
        if alarm.pages_from is not None:
            yield NewObligation(f"alert:{since.isoformat()}", "alert", alarm.pages_from, SendPriority.DANGER)
    else:
        key = f"page:{alarm.seen_at.isoformat()}"
        yield NewObligation(f"{key}:close", "page", alarm.seen_at + CLOSE_ALARM_EVERY)
        talks = case.talk is not None or not case.in_danger
        if not talks and case.last_words_at is not None and case.last_words_at > alarm.seen_at:
            more = f"{key}:words:{case.words}"
            yield NewObligation(more, "page", case.last_words_at, SendPriority.DANGER, {"words": True})


def _after_danger(case: Case, obligations: Iterator[NewObligation]) -> Iterator[NewObligation]:
    """Hold back what the bot starts while it stays with a danger; afterwards it is due again, under a key of its own.

    A key that came due in this time was skipped, and no key is done twice.
    """
    for obligation in obligations:
        if obligation.kind not in HELD_IN_DANGER:
            yield obligation
        elif not case.in_danger:
            talks = ((alarm.at, alarm.talks_until) for alarm in case.alarms)
            number = next(
                (n for n, (start, end) in enumerate(talks, 1) if end and start <= obligation.due < end), None
            )
            yield replace(obligation, key=f"{obligation.key}:calm{number}") if number else obligation


def _talk(case: Case) -> Iterator[NewObligation]:
    """A conversation ends without its button: the complaint closes, the right is lost, no line comes."""
    talk = case.talk
    if talk is None:
        return
    because, ends_at = "idle", talk.last_line_at + TALK_IDLE
    if talk.waits_since is not None:
        because, ends_at = "unanswered", talk.waits_since + TALK_UNANSWERED
    if case.closed_at is not None and not case.is_open and case.closed_at >= talk.since:
        because, ends_at = "closed", case.closed_at
    if not may_read(case, Actor(talk.member, frozenset({talk.role}))):
        because, ends_at = "right", talk.since
    facts = {"phase": "end", "thread": talk.thread, "because": because}
    key = f"talk_end:{format_time(talk.since)}:{because}:{format_time(ends_at)}"
    yield NewObligation(key, "talk_end", ends_at, SendPriority.DIALOGUE, facts)


def _proposal(case: Case) -> Iterator[NewObligation]:
    """A proposal when the first burst ends, at most 60 s after the first message, and again after later words.

    After the assessment there is no proposal: later words are only stored for the search.
    """
    if case.last_words_at is None or Flag.PROCESSING_RESTRICTED in case.flags:
        return
    burst = due(case.last_words_at, case.rules.dialogue.burst, case.rules.calendar).at
    lane = SendPriority.BULK
    if case.assessment is not None or case.state not in UNDECIDED:
        if case.proposed is not None and case.proposed.words < case.words:
            yield NewObligation(f"words:{case.words}", "index_words", burst, lane)
        return
    if case.proposed is None or case.proposed.words < case.words:
        yield NewObligation(f"propose:{case.words}", "propose", burst, lane, {"words": case.words})
        if case.form_ended_at is not None and case.last_words_at <= case.form_ended_at:
            # Confirmed or ended: no more words are expected.
            yield NewObligation("propose:formed", "propose", case.form_ended_at, lane)
    if case.proposed is None:
        yield NewObligation("propose:latest", "propose", case.logged_at + timedelta(seconds=60), lane)


def _resend_suffix(case: Case) -> str:
    """A letter that failed gets another key once the complainant can be reached again (7.3)."""
    return f":r{case.returns}" if case.returns else ""


def _can_be_informed(case: Case) -> bool:
    """There is a working chat, or no chat at all, so that staff give the news offline."""
    return case.reachable or case.is_offline


def _letters(case: Case) -> Iterator[NewObligation]:
    if not case.is_open or not _can_be_informed(case) or Flag.WITHDRAWN in case.flags:
        return
    start = case.form_ended_at if case.level_started_at == case.received_at else case.level_started_at
    level = case.level
    if start is not None and level not in case.acks:
        yield NewObligation(
            f"ack:{level}{_resend_suffix(case)}",
            "acknowledge",
            start,
            SendPriority.DIALOGUE,
            {"level": level},
        )
    decision = case.decision
    if decision is not None and decision.communicated_at is None and case.state in ANSWERED:
        facts = {"level": decision.level, "seq": decision.seq}
        key = f"decision:{decision.seq}{_resend_suffix(case)}"
        yield NewObligation(key, "decision", decision.at, facts=facts)
    if case.state is State.DISAGREED and case.reply_at is not None:
        key = f"recourse:{level}:{case.reopened}{_resend_suffix(case)}"
        yield NewObligation(key, "recourse", case.reply_at, facts={"level": level})
    update, legal = case.target(Target.UPDATE), case.target(Target.LEGAL)
    missed = tuple(_decision_delays(case))
    if update is not None and update.met_at is None and update.internal_due > case.logged_at:
        update_at = sent_by(case, update.internal_due, since=max(case.logged_at, update.start))
        # A progress notice in the same minute as the notice of a missed date would contradict it.
        if all(notice.due != update_at for notice in missed):
            yield NewObligation(f"progress:{update.version}", "progress", update_at)
    yield from missed
    if legal is not None and legal.met_at is None:
        about = {"target": legal.target.value, "version": legal.version}
        yield NewObligation(f"legal_passed:{legal.version}", "legal_passed", legal.internal_due, facts=about)
    else:
        yield from _level_passed(case)


def _level_passed(case: Case) -> Iterator[NewObligation]:
    """The legal maximum ends with the first decision; a later level may open the outside after its own time."""
    target = case.target(Target.DECIDE)
    if target is not None and target.met_at is None and outside_when_missed(case, target):
        facts = {"target": target.target.value, "version": target.version}
        key = f"legal_passed:{target.target}:{target.version}"
        yield NewObligation(key, "legal_passed", target.promised_due, facts=facts)


def _decision_delays(case: Case) -> Iterator[NewObligation]:
    """Two notices before the promised date: there is no answer yet, and then the date will be missed (7.3).

    The first leaves as long before the date as the rules say. It is left out if the date was set later than that,
    or if it would not leave before the second.
    """
    target = case.target(Target.DECIDE)
    missed = missed_notice_at(case, target) if target is not None and target.met_at is None else None
    if target is None or missed is None:
        return
    facts = {"target": target.target.value, "version": target.version}
    delay_notice = case.rules.targets.delay_notice
    if delay_notice is not None:
        notice_at = before(target.promised_due, delay_notice, case.rules.calendar).at
        leaves = quiet_until(notice_at, case.rules.dialogue.quiet_hours, case.rules.calendar.zone)
        if notice_at > target.set_at and leaves + BEFORE_MISSED <= missed:
            # `until`: if it is held up until the second notice is due, only the second leaves.
            yield NewObligation(
                f"delay:{target.version}", "delay", notice_at, facts={**facts, "until": format_time(missed)}
            )
    contact_at = case.last_contact_at
    # Staff may have written after the date, for example while no process ran: then no notice is needed.
    if contact_at is None or contact_at <= target.promised_due:
        yield NewObligation(f"progress:decide:{target.version}", "progress", missed, facts=facts)


#: What the complainant waits for, other than the decision; of a limit on contact, the appeal.
_OTHER_WAITS = (
    (Target.DATA_REQUEST, 0), (Target.REPLY, 0), (Target.PRIVACY, 0), (Target.FIRST_ACTION, 0), (Target.CONDUCT, 1),
)  # fmt: skip


def _other_delays(case: Case) -> Iterator[NewObligation]:
    """Notices before other dates are missed, also after the closing (7.3).

    These are a request about their data, a question, the part about personal data, an appeal against a limit on
    contact, and the first contact if a later date for it was promised.
    """
    if not _can_be_informed(case):
        return
    for target in filter(None, starmap(case.target, _OTHER_WAITS)):
        is_known = target.target is not Target.FIRST_ACTION or target.basis.startswith("extend")
        notice_at = missed_notice_at(case, target) if is_known and target.met_at is None else None
        if notice_at is not None:
            facts = {"target": target.target.value, "of": target.of, "version": target.version}
            yield NewObligation(f"delay:{target.target}:{target.version}", "delay", notice_at, facts=facts)


def _reminders(case: Case) -> Iterator[NewObligation]:
    """Reminders for staff before a due time and after a missed one.

    The acknowledgement is included where no chat takes it.
    """
    for target in case.current_targets():
        is_reminded = target.target in REMINDED or (target.target is Target.ACK and not case.reachable)
        if is_reminded and target.met_at is None:
            facts = {"target": target.target.value, "of": target.of, "version": target.version}
            for stage in reminder_stages(case, target):
                when = "before" if stage.level is ReminderLevel.OWNER else "missed"
                key = f"remind:{target.target.value}:{target.of}:{target.version}:{stage.name}"
                facts_of_stage = {**facts, "when": when, "stage": stage.name}
                yield NewObligation(key, "remind", stage.at, facts=facts_of_stage)


def _after_decision(case: Case) -> Iterator[NewObligation]:
    """One reminder of the reply. Silence ends a complaint only when nothing is owed, and is never a yes."""
    if not case.is_open:
        return
    for remedy in case.owed_remedies:
        target = case.target(Target.REMEDY, remedy.n)
        if remedy.done_at is None and target is not None:
            yield _remedy_late(case, remedy, target)
    reminder, ends = case.target(Target.REPLY_REMINDER), lapses_at(case)
    if ends is None or reminder is None or reminder.met_at is not None:
        return
    if case.question_at is not None:
        # The complainant waits for us: no reminder, and nothing lapses.
        return
    yield NewObligation(f"reply_reminder:{reminder.version}", "reply_reminder", reminder.internal_due)
    if case.everything_verified:
        lapse = case.target(Target.LAPSE)
        version = lapse.version if lapse is not None else 0
        checked = sum(remedy.verified_at is not None for remedy in case.owed_remedies)
        answered_at = case.question_answered_at
        answer_suffix = f":{answered_at.isoformat()}" if answered_at is not None else ""
        yield NewObligation(f"lapse:{version}:{checked}{answer_suffix}", "lapse", ends)


def _second_looks(case: Case) -> Iterator[NewObligation]:
    """A decision that waits for a second reader leaves in time without one; a review is asked for and reminded of."""
    draft, until = case.drafted, checked_by(case)
    waits = awaits_reader(case)
    if waits and draft is not None and until is not None and draft.by not in case.denied:
        yield NewObligation(f"check_late:{draft.seq}", "check_late", until)
    if draft is not None and awaits_approver(case) and not draft.needs_approval:
        # It waited for a reader, and became so grave that it needs an approval.
        yield NewObligation(
            f"ask_approval:{draft.seq}:grave", "ask_approval", draft.at, SendPriority.DIALOGUE
        )
    review = case.open_review
    if review is None:
        return
    facts = {"seq": review.seq}
    again = due(review.due, REVIEW_AGAIN_AFTER, case.rules.calendar).at
    lane = SendPriority.BULK
    yield NewObligation(f"ask_review:{review.seq}", "ask_review", review.drawn_at, lane, facts)
    yield NewObligation(
        f"ask_review:{review.seq}:late", "ask_review", review.due, lane, facts | {"late": True}
    )
    yield NewObligation(f"redraw_review:{review.seq}", "redraw_review", again, lane, facts)


def _remedy_late(case: Case, remedy: RemedyOwed, target: TargetSet) -> NewObligation:
    key, due_at = f"remedy_late:{remedy.n}:{target.version}", remedy_notice_at(case, target)
    if remedy.late_at is not None and remedy.late_at >= due_at:
        key, due_at = f"{key}:{remedy.late}", next_news(case, remedy.late_at)
    return NewObligation(key, "remedy_late", due_at, facts={"remedy": remedy.n})


def _ended(case: Case) -> Iterator[NewObligation]:
    """The closing message and the survey. A withdrawal is confirmed at once, even if we continue with the matter."""
    ended = case.withdrawn_at or case.closed_at
    if ended is None:
        return
    round_number = case.reopened
    code = CloseCode.WITHDRAWN if case.withdrawn_at is not None else case.close_code
    if _can_be_informed(case):
        yield NewObligation(f"closing:{round_number}", "closing", ended, facts={"code": code})
    if case.survey_concern_at is not None:
        yield NewObligation(
            f"survey_concern:{round_number}", "survey_concern", case.survey_concern_at, SendPriority.DIALOGUE
        )
    if not has_survey(case):
        return
    calendar = case.rules.calendar
    survey_at = due(ended, case.rules.survey.delay, calendar).at
    last = case.surveyed_at
    if "sent" not in case.surveys and (last is None or survey_at - last >= SURVEY_EVERY):
        yield NewObligation(f"survey:{round_number}", "survey", survey_at, SendPriority.BULK)
    if "sent" in case.surveys and not {"answered", "skipped", "reminded"} & set(case.surveys):
        reminded = due(last or survey_at, case.rules.survey.reminder, calendar).at
        yield NewObligation(f"survey_reminder:{round_number}", "survey_reminder", reminded, SendPriority.BULK)
