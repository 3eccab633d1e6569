"""Messages between staff and complainant: reply, ask, inform, warn, note, bind, survey (4.3, 7.3, 8.3)."""

from collections.abc import Mapping
from datetime import date, datetime

from complaints.actions.access import check_fairness_facts, record_fairness
from complaints.actions.action import (
    BY_COMPLAINANT,
    BY_INTAKE,
    BY_SYSTEM,
    NOBODY,
    Action,
    ActionRequest,
    WordKind,
    goes,
    require_offline_source,
    require_words,
    stays,
)
from complaints.actions.danger import reopen_alarm, see_alarm
from complaints.actors import HANDLERS, Actor
from complaints.case import Case, Event, Facts, UnsentLetter, changed, without_act
from complaints.case_values import Talk
from complaints.deadlines.opening_hours import closing_time
from complaints.deadlines.working_time import due
from complaints.errors import AlreadyDone, BadFacts, NotAllowed, OutOfOrder
from complaints.event_facts import (
    ANY_FACTS,
    COUNTS_DELIVERED,
    HELD,
    OFFLINE,
    TALK_FACTS,
    FactShapes,
    code,
    form_facts,
    whole,
)
from complaints.obligations import per_event
from complaints.obligations.resend import add_failed_delivery
from complaints.vocabulary import EVERY, OPEN, Flag, Role, State, Target, Verb

#: Telegram's limit for one message, in UTF-16 code units.
MAX_LINE = 4096
TALK_BEGINS = ("begin", "take_over")


def check_reply(case: Case, request: ActionRequest) -> Facts:
    """Write to the complainant; the words hold the letter exactly as it was previewed."""
    require_words(request, "text", BadFacts.worded("required:reply", ref=case.ref))
    return request.facts


def apply_reply(case: Case, event: Event) -> Case:
    """A contact that also answers an open question or data request."""
    if HELD in event.facts:
        return add_unsent(case, event)
    answered = answer_question(record_contact(case, event), event)
    return changed(answered, data_request_at=None, flags=answered.flags - {Flag.DATA_REQUEST})


def answer_question(case: Case, event: Event) -> Case:
    return changed(
        case,
        question_at=None,
        question_answered_at=event.at if case.question_at else case.question_answered_at,
        flags=case.flags - {Flag.QUESTION_OPEN},
    )


def check_ask(case: Case, request: ActionRequest) -> Facts:
    """Ask the complainant for something by a day; no clock stops for that (docs/design.md, rule 5).

    The day lies within the setting `waiting_limit`. With `incomplete` the complaint lacks something that we need: the
    scheme gives the least time for it, and the legal time counts from the completion.
    """
    require_words(request, "text", BadFacts.worded("required:ask", ref=case.ref))
    until = _require_future_day(case, request, "needed_by")
    if until > due(request.at, case.rules.targets.waiting_limit, case.rules.calendar).at:
        raise BadFacts.worded(
            "too_far:ask", field="needed_by", ref=case.ref, limit=case.rules.targets.waiting_limit
        )
    if request.facts.get("incomplete"):
        _require_completion_time(case, request, until)
    return request.facts


def _require_completion_time(case: Case, request: ActionRequest, until: datetime) -> None:
    """Raise BadFacts where the scheme has no such rule, it is too late or too often, or the day is too early."""
    rule, calendar = case.rules.targets.completion, case.rules.calendar.by_law
    if rule is None or case.incomplete_at is not None or case.decisions:
        raise BadFacts.worded("not_an_option:completion_time", field="incomplete", ref=case.ref)
    if rule.ask_within is not None and due(case.received_at, rule.ask_within, calendar).at < request.at:
        raise BadFacts.worded("completion_over", field="incomplete", ask_within=rule.ask_within, ref=case.ref)
    if until < due(request.at, rule.within, calendar).at:
        raise BadFacts.worded("completion_early", field="needed_by", within=rule.within, ref=case.ref)


def apply_ask(case: Case, event: Event) -> Case:
    """We wait for an answer until the end of the day named; the clocks run on."""
    if HELD in event.facts:
        return add_unsent(case, event)
    until = closing_time(date.fromisoformat(event.facts["needed_by"]), case.rules.calendar)
    flags = case.flags | {Flag.WAITING_COMPLAINANT}
    incomplete_at = event.at if event.facts.get("incomplete") else case.incomplete_at
    waiting = changed(case, asked_at=event.at, asked_until=until, flags=flags, incomplete_at=incomplete_at)
    return record_contact(waiting, event)


def check_inform(case: Case, request: ActionRequest) -> Facts:
    """Say what was done, what is left, and when the next news comes (7.3).

    From the system it is the progress notice that a channel accepted. With `batch` it is one update on an
    incident to all its complainants: one text, no date of this complaint's own.
    """
    if request.actor.is_staff and request.facts.get("batch"):
        require_words(request, "text", BadFacts.worded("required:inform", ref=case.ref))
    elif request.actor.is_staff:
        require_words(request, "done", BadFacts.worded("required:inform_done", ref=case.ref))
        require_words(request, "left", BadFacts.worded("required:inform_left", ref=case.ref))
        until, legal = _require_future_day(case, request, "next_date"), case.target(Target.LEGAL)
        if legal is not None and legal.met_at is None and request.at <= legal.internal_due < until:
            raise BadFacts.worded("after_legal", field="next_date", ref=case.ref)
    return request.facts


def apply_inform(case: Case, event: Event) -> Case:
    """A contact that names the day of the next news. No other message withdraws such a day."""
    if HELD in event.facts:
        return add_unsent(case, event)
    informed = record_contact(case, event)
    if event.facts.get("batch"):
        return informed
    day = event.facts.get("next_date")
    next_news_by = closing_time(date.fromisoformat(str(day)), case.rules.calendar) if day else None
    noticed = case.work_version if event.role is Role.SYSTEM else case.noticed_at_version
    return changed(informed, next_news_by=next_news_by, noticed_at_version=noticed)


def check_warning(case: Case, request: ActionRequest) -> Facts:
    """Ask the complainant in a letter to change how they write to us; nothing is limited by that."""
    require_words(request, "text", BadFacts.worded("required:warning", ref=case.ref))
    return {**request.facts, COUNTS_DELIVERED: True}


def apply_warning(case: Case, event: Event) -> Case:
    """A warning waits for its delivery, also where there is no chat. It is no answer and no news on the matter."""
    if waits_for_delivery(event):
        return add_unsent(case, event)
    return changed(case, conduct=changed(case.conduct, warned_at=event.at))


def counts_delivered(case: Case) -> Facts:
    """The fact of a decision that no chat takes now: it counts once a person has communicated it."""
    return {} if case.reachable else {COUNTS_DELIVERED: True}


def waits_for_delivery(event: Event) -> bool:
    return HELD in event.facts or COUNTS_DELIVERED in event.facts


def add_unsent(case: Case, event: Event, before: Case | None = None) -> Case:
    after = None if before is None else case
    return changed(case, unsent=(*case.unsent, UnsentLetter(event, before, after)))


def check_talk(case: Case, request: ActionRequest) -> Facts:
    """Begin a conversation in a danger or take it over, write a line of it, or end it, which the system does too.

    Raises OutOfOrder: `talk_taken` while another person talks, `talk_ended` for every thread but that of the
    conversation, and `talk_unreachable` where no chat takes the lines.
    """
    facts, talk, phase = request.facts, case.talk, request.facts["phase"]
    if phase != "end" and request.role is Role.SYSTEM:
        raise NotAllowed.worded("not_allowed.excluded:not_open", ref=case.ref)
    if phase != "end" and not case.reachable:
        raise OutOfOrder.worded("talk_unreachable", ref=case.ref)
    is_member = talk is not None and request.actor.id == talk.member
    if phase in TALK_BEGINS:
        if is_member:
            raise AlreadyDone.worded("already_so:talk", ref=case.ref)
        if talk is not None and phase == "begin":
            raise OutOfOrder.worded("talk_taken", ref=case.ref)
        return {**facts, "former_thread": talk and talk.thread}
    if talk is None or talk.thread != facts["thread"] or not (is_member or request.role is Role.SYSTEM):
        raise OutOfOrder.worded("talk_ended", ref=case.ref)
    if phase == "line":
        require_words(request, "text", BadFacts.worded("required:talk", ref=case.ref))
        if len(request.words["text"].encode("utf-16-le", "surrogatepass")) // 2 > MAX_LINE:
            raise BadFacts.worded("talk_too_long", field="text", most=MAX_LINE)
    return facts


def apply_talk(case: Case, event: Event) -> Case:
    """Who writes has seen the danger. A line is a contact and answers an open question.

    The first message of staff ends the questions. After a conversation without an answer the danger is open again.
    """
    if event.facts["phase"] == "end" or (case.talk is None and event.facts["phase"] == "line"):
        reopened = reopen_alarm(case, event) if event.facts.get("because") == "unanswered" else case
        return changed(reopened, talk=None)
    confirmed = see_alarm(case, event)
    if event.facts["phase"] == "line" and case.talk is not None:
        talk = changed(case.talk, last_line_at=event.at, waits_since=None)
        return changed(answer_question(record_contact(confirmed, event), event), talk=talk)
    return changed(
        confirmed,
        talk=Talk(event.by, event.role, str(event.facts["thread"]), event.at, event.at),
        form_open=False,
        form_ended_at=event.at if case.form_open else case.form_ended_at,
    )


def check_deliver(case: Case, request: ActionRequest) -> Facts:
    """A channel accepted a letter of staff: from now on it counts as a contact (7.3)."""
    return {**request.facts, "letter": _unsent_letter(case, request).event.verb.value}


def apply_deliver(case: Case, event: Event) -> Case:
    return deliver_letters(case, event, int(event.facts["seq"]))


def deliver_letters(case: Case, event: Event, seq: int | None = None) -> Case:
    """The letter of this event, or every one that is no decision, counts from the time of `event`."""
    for letter in case.unsent:
        if letter.before is None and seq in (None, letter.event.seq):
            waits = (HELD, COUNTS_DELIVERED)
            facts = {name: value for name, value in letter.event.facts.items() if name not in waits}
            written = changed(letter.event, at=event.at, facts=facts)
            case = ROWS[written.verb].apply(changed(case, unsent=without_letter(case, letter)), written)
    return case


def without_letter(case: Case, letter: UnsentLetter) -> tuple[UnsentLetter, ...]:
    return tuple(other for other in case.unsent if other is not letter)


def _unsent_letter(case: Case, request: ActionRequest) -> UnsentLetter:
    seq = int(request.facts["seq"])
    letter = next((letter for letter in case.unsent if letter.event.seq == seq), None)
    if letter is None:
        raise OutOfOrder.worded("already_sent", seq=seq, ref=case.ref)
    return letter


def check_take_back(case: Case, request: ActionRequest) -> Facts:
    """The sender takes back a letter that has not left; the store refuses it once a worker sends it (7.3).

    The author of a draft that waits for a second person, or the owner, withdraws it: no second person said no.
    """
    draft, seq = case.drafted, int(request.facts["seq"])
    if draft is not None and draft.seq == seq:
        require_drafter(case, request.actor)
        verb = Verb.RESOLVE if draft.short else Verb.RESPOND
        return {"seq": seq, "letter": verb.value, "draft": True}
    act = _unsent_act(case, seq)
    letter = act or _unsent_letter(case, request)
    if letter.event.by != request.actor.id:
        raise NotAllowed.worded("not_allowed.sender", ref=case.ref)
    if letter.before is not None and letter.after is not None:
        # The state after an act that counts at once has its version; the one of a decision is from before its end.
        expected = letter.after.work_version if act else letter.before.work_version + 1
        if case.work_version != expected:
            raise OutOfOrder.worded("worked_on", ref=case.ref)
    return {"seq": seq, "letter": letter.event.verb.value}


def _unsent_act(case: Case, seq: int) -> UnsentLetter | None:
    act = case.unsent_act
    return act if act is not None and act.event.seq == seq else None


def require_drafter(case: Case, actor: Actor) -> None:
    """Raise NotAllowed for a person who neither wrote the draft nor owns the complaint, also as a deputy."""
    if case.drafted is None or not {case.drafted.by, case.owner} & {actor.id, *actor.stands_in_for}:
        raise NotAllowed.worded("not_allowed.author", ref=case.ref)


def require_withdrawer(case: Case, actor: Actor) -> None:
    """Raise NotAllowed for a person who may not withdraw the draft that waits."""
    if case.drafted is not None:
        require_drafter(case, actor)


def apply_take_back(case: Case, event: Event) -> Case:
    """A letter that was never sent changes nothing. An act that changed more gives way to the state before it."""
    if event.facts.get("draft"):
        return changed(case, drafted=None, drafted_remedies=())
    if (act := _unsent_act(case, int(event.facts["seq"]))) is not None:
        return changed(without_act(case, act), unsent_act=None)
    letter = next(letter for letter in case.unsent if letter.event.seq == event.facts["seq"])
    if letter.before is not None:
        return case.as_delivered
    return changed(case, unsent=without_letter(case, letter))


def record_contact(case: Case, event: Event) -> Case:
    waits = case.person_waits
    # One text to all complainants of an incident is no answer to this request.
    if event.role is not Role.SYSTEM and not event.facts.get("batch"):
        waits = tuple((asked_at, met_at or event.at) for asked_at, met_at in waits)
    return changed(
        case,
        person_waits=waits,
        last_contact_at=event.at,
        contacted=case.contacted or event.role is not Role.SYSTEM,
        privacy_answered_at=event.at if event.facts.get("answers_privacy") else case.privacy_answered_at,
    )


def _require_future_day(case: Case, request: ActionRequest, field: str) -> datetime:
    day = request.facts.get(field)
    if not day:
        raise BadFacts.worded("required:future_day", field=field, name=field, ref=case.ref)
    until = closing_time(date.fromisoformat(str(day)), case.rules.calendar)
    if until <= request.at:
        raise BadFacts.worded("not_ahead:review_day", field=field, ref=case.ref)
    return until


def check_note(case: Case, request: ActionRequest) -> Facts:
    """Keep a note that the complainant does not get.

    Two kinds (`what`) record something given offline. `letter`: a letter without a chat was given, when and
    to which person. `authority`: the affected person agrees, or the representative may act for them; when this was
    shown, and by which person.
    """
    what = request.facts.get("what")
    if what == "authority":
        if request.role is Role.INTAKE:
            raise NotAllowed.worded("not_allowed.role:note", ref=case.ref)
        if Flag.FOR_ANOTHER not in case.flags:
            raise AlreadyDone.worded("already_so:note", ref=case.ref)
        require_offline_source(case, request)
    elif what == "letter":
        require_offline_source(case, request)
    else:
        require_words(request, "text", BadFacts.worded("required:note", ref=case.ref))
    check_fairness_facts(case, request)
    return request.facts


def apply_note(case: Case, event: Event) -> Case:
    """Authority that was shown counts; after a failed delivery a note names the other route that was used."""
    case = record_fairness(case, event)
    if event.facts.get("what") == "letter":
        case = deliver_letters(case, event)
    if event.facts.get("what") == "authority":
        return changed(case, authority_shown=True, flags=case.flags - {Flag.FOR_ANOTHER})
    return changed(case, other_route=True) if case.delivery_failed_at is not None else case


def apply_fail_delivery(case: Case, event: Event) -> Case:
    """Nothing reaches the complainant until they write again or another route is found (7.3)."""
    return changed(
        case,
        delivery_failed_at=event.at,
        silences=add_failed_delivery(case, event),
        flags=case.flags | {Flag.UNREACHABLE},
    )


def require_no_chat(case: Case) -> None:
    """Raise AlreadyDone if a chat already takes our letters."""
    if case.has_chat:
        raise AlreadyDone.worded("already_so:bind", ref=case.ref)


def check_bind(case: Case, request: ActionRequest) -> Facts:
    """Show a code for a complaint without a chat; the complainant redeems it in the chat they choose (4.3).

    `facts["person"]` is the person of that chat.
    """
    return request.facts


def apply_bind(case: Case, event: Event) -> Case:
    """After redeeming, the complaint belongs to the person of that chat. Showing the code changes nothing."""
    if event.role is not Role.COMPLAINANT:
        return case
    return changed(case, bound=True, complainant=str(event.facts.get("person", case.complainant)))


def apply_survey(case: Case, event: Event) -> Case:
    step = str(event.facts["step"])
    sent_at = event.at if step == "sent" else case.surveyed_at
    is_concern = event.facts.get("score") == 1 or bool(event.facts.get("concern"))
    concern_at = event.at if is_concern and case.survey_concern_at is None else case.survey_concern_at
    return changed(case, surveys=(*case.surveys, step), surveyed_at=sent_at, survey_concern_at=concern_at)


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.FAIL_DELIVERY: Action(
        "7.3", BY_SYSTEM, stays(EVERY),
        apply=apply_fail_delivery,
        words=WordKind.INTERNAL, raises_work_version=NOBODY,
    ),
    Verb.NOTE: Action(
        "7.3", HANDLERS | BY_INTAKE, stays(EVERY),
        check=check_note, apply=apply_note,
        words=WordKind.NOTE, form="note", spoken=("letter", "authority"),
        facts=FactShapes(shapes={**OFFLINE.shapes, **form_facts("note").shapes}), raises_work_version=NOBODY,
        names_people=True,
    ),
    Verb.REPLY: Action(
        "7.3", HANDLERS, stays(EVERY),
        check=check_reply, apply=apply_reply,
        words=WordKind.LETTER, form="reply", leaves=(per_event.letter,), is_staff_message=True, shows_reading=True,
        done="reply",
    ),
    Verb.ASK: Action(
        "7.6", HANDLERS, stays(OPEN),
        check=check_ask, apply=apply_ask,
        words=WordKind.LETTER, form="ask", leaves=(per_event.letter,), is_staff_message=True, shows_reading=True,
        done="ask",
    ),
    # Not `is_staff_message`: a limit on contact never keeps a person from help in a danger. BY_SYSTEM: only ends it.
    Verb.TALK: Action(
        "7.3", HANDLERS | {Role.ON_CALL} | BY_SYSTEM, stays(EVERY),
        check=check_talk, apply=apply_talk,
        words=WordKind.LETTER, facts=TALK_FACTS, raises_work_version=NOBODY, leaves=(per_event.talk,),
        shows_reading=True, done="reply",
    ),
    Verb.INFORM: Action(
        "7.3", HANDLERS | BY_SYSTEM, stays(OPEN),
        check=check_inform, apply=apply_inform,
        words=WordKind.LETTER, form="inform", facts=ANY_FACTS, leaves=(per_event.letter,), is_staff_message=True,
        done="reply",
    ),
    Verb.DELIVER: Action(
        "7.3", BY_SYSTEM, stays(EVERY),
        check=check_deliver, apply=apply_deliver,
        words=WordKind.INTERNAL, facts=FactShapes(frozenset({"seq"}), {"seq": whole(1)}),
        raises_work_version=NOBODY, in_thread=False, is_automatic=True, done="reply",
    ),
    Verb.TAKE_BACK: Action(
        "7.3", HANDLERS,
        # Back to the state before the act.
        goes(EVERY, *State),
        requires_actor=require_withdrawer,
        check=check_take_back, apply=apply_take_back,
        words=WordKind.INTERNAL, form="withdraw_draft", facts=FactShapes(frozenset({"seq"}), {"seq": whole(1)}),
        leaves=(per_event.taken_back,),
    ),
    Verb.WARN_CONDUCT: Action(
        "4.3", HANDLERS, stays(EVERY),
        check=check_warning, apply=apply_warning,
        words=WordKind.LETTER, form="warn_conduct", leaves=(per_event.letter,), is_staff_message=True,
    ),
    Verb.BIND: Action(
        "4.3", BY_COMPLAINANT | HANDLERS, stays(EVERY),
        requires=require_no_chat, check=check_bind, apply=apply_bind,
        words=WordKind.INTERNAL, form="bind", facts=FactShapes(shapes={"person": code}),
    ),
    Verb.SURVEY: Action(
        "8.3", BY_COMPLAINANT | BY_SYSTEM, stays(EVERY),
        apply=apply_survey,
        words=WordKind.STATEMENT, facts=FactShapes(frozenset({"step"}), {"step": code}), raises_work_version=NOBODY,
        in_thread=False, is_automatic=True, records="survey",
    ),
}
# fmt: on
