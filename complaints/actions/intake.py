"""Receiving a complaint, the complainant's words, the acknowledgement and the proposal (7.2, 7.4, 7.5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from complaints.actions.access import name_subjects, recorded_signs
from complaints.actions.action import (
    BY_COMPLAINANT,
    BY_INTAKE,
    BY_SYSTEM,
    NOBODY,
    Action,
    ActionRequest,
    Fetched,
    Move,
    WordKind,
    require_offline_source,
    stays,
)
from complaints.actions.correspondence import record_contact
from complaints.actions.danger import is_certain, raised_alarms
from complaints.actions.import_past import apply_import, check_past
from complaints.actors import HANDLERS
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import Proposed, ProposedCriterion, RecordedSign, RemedyOwed
from complaints.deadlines.periods import reply_held_until
from complaints.deadlines.working_time import due
from complaints.errors import AlreadyDone, BadFacts
from complaints.event_facts import MESSAGE, OFFLINE, PROPOSAL, whole
from complaints.obligations import per_event
from complaints.obligations.resend import end_last_silence
from complaints.rulebook import Rulebook
from complaints.times import format_time
from complaints.vocabulary import (
    EVERY,
    OPEN,
    RESTRICTING,
    UNDECIDED,
    Category,
    ContactKind,
    Flag,
    Role,
    State,
    Verb,
)

#: The safety rule for a child who writes (docs/domain.md, section 3, Minor).
CHILD_WRITING = "minor.child_writing"
#: Requests about one's data, as kinds of an addition.
DATA_REQUESTS: frozenset[str] = frozenset({"data_correction", "data_erasure"})
#: An addition of this kind says that a remedy is not right; a person must answer it.
REMEDY_REFUSED = "remedy_refused"
#: An addition without words: the complainant unblocked the bot, so letters can reach them again.
RETURNED = "returned"
#: An addition of this kind is what a machine made of a recording. The recording came before, with a message of its
#: own: this is no answer, no new message and no proof that a person listened.
TRANSCRIPT = "transcript"
TRANSLATION = "translation"
#: An addition of this kind says thanks, and nothing that must be answered.
THANKS = "thanks"
#: Words that the complainant forwarded and did not write: shown as such, and never an answer.
FORWARDED = "forwarded"
#: Kinds of words that a machine made from what the complainant sent: no message and no answer.
MACHINE_MADE = frozenset({TRANSCRIPT, TRANSLATION})
#: Fields that say what went wrong; words of other fields answer a question of the form or come after the decision.
STORY_FIELDS = frozenset(
    {"description", "addition", "look_again", "reopen_reason", "not_right", TRANSCRIPT, FORWARDED}
)


@dataclass(frozen=True)
class Arrival:
    """What must be known to open a record: who complains, over which channel, in which language."""

    ref: str
    complainant: str
    channel: str
    language: str
    received_at: datetime
    rules: Rulebook


def message_facts(
    *,
    field: str,
    has_words: bool,
    media: int = 0,
    audible: int = 0,
    signs: tuple[RecordedSign, ...] = (),
    subjects: tuple[str, ...] = (),
    source: str | None = None,
    replaces: int | None = None,
    kind: str | None = None,
) -> dict[str, Any]:
    """The facts of a message: which question it answers, which safety rules fired, which staff it names.

    `source` is the channel's own message id, `replaces` the seq of the text that an edit supersedes, `media`
    the number of files, `audible` how many of them must be listened to, `subjects` the members of staff named
    (ids, from the names table).
    """
    return {
        "field": field,
        "has_words": has_words,
        "media": media,
        "audible": audible,
        "signs": [sign.facts for sign in signs],
        "subjects": sorted(subjects),
    } | {
        name: value
        for name, value in (("source", source), ("replaces", replaces), ("kind", kind))
        if value is not None
    }


# receive


def check_receive(arrival: Arrival, request: ActionRequest) -> Facts:
    """Open the record at the first message that is a complaint (7.2); `request.facts` come from `said`.

    Raises BadFacts when there is neither a word nor a file.
    """
    facts = request.facts
    if not facts.get("has_words") and not facts.get("media"):
        raise BadFacts.worded("required:receive", field="description")
    if arrival.received_at > request.at:
        raise BadFacts.worded("ahead:receive", field="received_at")
    if "imported" in facts:
        check_past(
            facts["imported"],
            received_at=arrival.received_at,
            at=request.at,
            actor=request.actor,
            rules=arrival.rules,
        )
    return {
        **facts,
        "ref": arrival.ref,
        "complainant": arrival.complainant,
        "channel": arrival.channel,
        "language": arrival.language,
        "received_at": format_time(arrival.received_at),
        "rulebook": arrival.rules.id,
    }


def apply_receive(case: Case, event: Event) -> Case:
    """The first words, and for an imported complaint how it ended."""
    received = apply_words(case, event)
    return apply_import(received, event) if "imported" in event.facts else received


# the complainant's words: receive, add, answer


def check_words(case: Case, request: ActionRequest) -> Facts:
    """Words after the decision or the end are on no date of the complaint: a person answers them (`needs_reply`).

    Before a decision, its own date covers them, and no decision is made with a message unread. Requests about data
    have a date of their own, and a confirmed remedy needs no answer.
    """
    facts = request.facts
    return {**facts, "needs_reply": True} if comes_after_decision(case, facts) else facts


def comes_after_decision(case: Case, facts: Facts) -> bool:
    has_content = facts.get("has_words") or facts.get("media")
    is_answered = (
        facts.get("kind") in DATA_REQUESTS | MACHINE_MADE | {THANKS} or facts.get("remedy_ok") is True
    )
    return case.state not in UNDECIDED and bool(has_content) and not is_answered


def asks_a_person(facts: Facts) -> bool:
    """True for words that a person must answer by a date of their own (Target.REPLY)."""
    return facts.get("kind") in ("question", REMEDY_REFUSED) or bool(facts.get("needs_reply"))


def apply_words(case: Case, event: Event) -> Case:
    """Record words or files of the complainant.

    They are counted, their safety signs can raise severity and safety, and they can restrict the case (4.7).
    """
    facts = event.facts
    is_machine_made = facts.get("kind") in MACHINE_MADE
    if not is_machine_made:
        case = end_silence(case, event)
    if facts.get("kind") == RETURNED:
        return case
    signs = recorded_signs(event)
    danger = any(map(is_certain, signs))
    question = asks_a_person(facts)
    # An edit answers nothing, nor do words that may belong to another complaint.
    if facts.get("field") != "edit" and not facts.get("aside") and not is_machine_made:
        case = _end_waiting(case, event)
    flags = case.flags
    if danger:
        flags |= {Flag.DANGER}
    if facts.get("subjects") or any(sign.kind in RESTRICTING for sign in signs):
        flags |= {Flag.RESTRICTED}
    if event.seq > 1 and any(sign.kind == Category.HANDLING for sign in signs):
        flags |= {Flag.ABOUT_HANDLING}
    if facts.get("audible"):
        flags |= {Flag.MEDIA_UNHEARD}
    if question:
        flags |= {Flag.QUESTION_OPEN}
    only_media = (case.words == 0 or case.only_in_media) and (is_machine_made or not facts.get("has_words"))
    talk = case.talk
    if talk is not None and talk.waits_since is None and not is_machine_made:
        talk = changed(talk, waits_since=event.at)
    asks_person = facts.get("kind") == "human" or facts.get("field") == "human"
    counted = changed(
        case,
        words=case.words + (0 if is_machine_made else 1),
        talk=talk,
        person_waits=(*case.person_waits, (event.at, None))
        if asks_person and not case.waits_for_person
        else case.person_waits,
        written_in=facts.get("written_in", case.written_in),
        media=case.media + int(facts.get("media", 0)),
        only_in_media=only_media,
        last_words_at=case.last_words_at if is_machine_made else event.at,
        signs=case.signs + signs,
        alarms=raised_alarms(case, event, signs),
        question_at=event.at if question and case.question_at is None else case.question_at,
        reply_held_until=_held_until(case, event, bool(signs)) if question else case.reply_held_until,
        flags=flags,
    )
    return name_subjects(record_answers(counted, event), event)


def _held_until(case: Case, event: Event, is_danger: bool) -> datetime | None:
    """Until when a limit on contact lets the answer wait: a sign of danger in any of the messages ends the wait."""
    if is_danger:
        return None
    return case.reply_held_until if case.question_at is not None else reply_held_until(case, event.at)


def end_silence(case: Case, event: Event) -> Case:
    """The complainant can be reached again: letters that failed are scheduled again (7.3)."""
    if Flag.UNREACHABLE not in case.flags:
        return case
    return changed(
        case,
        returns=case.returns + 1,
        silences=end_last_silence(case, event),
        flags=case.flags - {Flag.UNREACHABLE},
    )


def _end_waiting(case: Case, event: Event) -> Case:
    """Any word of the complainant ends our waiting for an answer, and completes an incomplete complaint."""
    completes = case.incomplete_at is not None and case.completed_at is None
    return changed(
        case,
        asked_at=None,
        asked_until=None,
        completed_at=event.at if completes else case.completed_at,
        flags=case.flags - {Flag.WAITING_COMPLAINANT},
    )


def record_answers(case: Case, event: Event) -> Case:
    """Flags and dates from answers about the person, the name, their data or a remedy (7.2)."""
    facts = event.facts
    flags = case.flags
    child = any(sign.rule == CHILD_WRITING and sign.seq == event.seq for sign in case.signs)
    # An adult has answered so; a later turn of phrase does not change that.
    if facts.get("minor") is True or (child and not case.adult):
        flags |= {Flag.MINOR}
    elif facts.get("minor") is False:
        flags -= {Flag.MINOR}
    if facts.get("field") == "support_needs" and facts.get("has_words"):
        flags |= {Flag.SUPPORT_NEED}
    flags = _anonymity_flags(
        _representative_flags(case, flags, facts.get("for_whom")), facts.get("anonymity")
    )
    requests_data = facts.get("kind") in DATA_REQUESTS
    if requests_data:
        flags |= {Flag.DATA_REQUEST}
    starts_clock = requests_data and case.data_request_at is None
    return _record_remedy_answer(
        changed(
            case,
            flags=flags,
            adult=case.adult or facts.get("minor") is False,
            data_request_at=event.at if starts_clock else case.data_request_at,
            **_requested_remedies(facts),
        ),
        event,
    )


def _requested_remedies(facts: Facts) -> dict[str, Any]:
    """What the complainant asks for (7.2): the newest answer counts, and one in words only names no code."""
    if facts.get("field") != "remedy_requested" and "amount_requested" not in facts:
        return {}
    codes = facts.get("remedies_requested") or [facts.get("remedy_requested")]
    return {
        "remedies_requested": tuple(str(code) for code in codes if code),
        "amount_requested": facts.get("amount_requested"),
        "currency_requested": facts.get("currency_requested"),
    }


def _representative_flags(case: Case, flags: frozenset[Flag], choice: object) -> frozenset[Flag]:
    """Until a representative shows authority, the writer gets nothing of the affected person (4.7)."""
    if choice == "for_me":
        return flags - {Flag.FOR_ANOTHER}
    if choice is not None and not case.authority_shown:
        return flags | {Flag.FOR_ANOTHER}
    return flags


def _anonymity_flags(flags: frozenset[Flag], choice: object) -> frozenset[Flag]:
    match choice:
        case "named":
            return flags - {Flag.ANONYMOUS, Flag.NO_CONTACT}
        case "pseudonym":
            return (flags | {Flag.ANONYMOUS}) - {Flag.NO_CONTACT}
        case "no_contact":
            return flags | {Flag.ANONYMOUS, Flag.NO_CONTACT}
    return flags


def _record_remedy_answer(case: Case, event: Event) -> Case:
    """Yes is evidence for the verifier, and after `resolve` the verification; No reopens the remedy."""
    facts = event.facts
    if facts.get("remedy_ok") is None or facts.get("remedy") is None or not case.is_open:
        return case
    number, is_right = int(facts["remedy"]), bool(facts["remedy_ok"])
    flags = case.flags if is_right else case.flags | {Flag.REMEDY_REFUSED}
    answered = _confirmed_remedy if is_right else _refused_remedy
    remedies = tuple(
        answered(case, remedy, event) if remedy.n == number else remedy for remedy in case.remedies
    )
    return changed(case, remedies=remedies, flags=flags)


def _confirmed_remedy(case: Case, remedy: RemedyOwed, event: Event) -> RemedyOwed:
    short = any(decision.short and decision.level == remedy.level for decision in case.decisions)
    verifies = short and remedy.done_at is not None and remedy.verified_at is None
    confirmed = changed(remedy, answer="yes")
    return changed(confirmed, verified_at=event.at, verified_by=event.by) if verifies else confirmed


def _refused_remedy(case: Case, remedy: RemedyOwed, event: Event) -> RemedyOwed:
    """Not done after all: due again, on the day promised if that day is still to come."""
    new_due = due(event.at, case.rules.targets.remedy, case.rules.calendar).at
    return changed(
        remedy,
        answer="no",
        done_at=None,
        done_by=None,
        verified_at=None,
        verified_by=None,
        due=remedy.due if remedy.due > event.at else new_due,
    )


# the end of the questions: confirm, end_form


def apply_confirm(case: Case, event: Event) -> Case:
    """Send confirms the complaint and ends the questions; only the first time counts."""
    return changed(
        apply_end_form(case, event) if case.form_open else case, confirmed_at=case.confirmed_at or event.at
    )


def check_end_form(case: Case, request: ActionRequest) -> Facts:
    """End the questions once: after Send, /cancel, a message of staff, a silence, or the latest time.

    Raises AlreadyDone if they ended before.
    """
    if not case.form_open:
        raise AlreadyDone.worded("already_ended", ref=case.ref)
    return request.facts


def apply_end_form(case: Case, event: Event) -> Case:
    return changed(case, form_open=False, form_ended_at=event.at)


# acknowledge


def check_acknowledge(case: Case, request: ActionRequest) -> Facts:
    """Record that the acknowledgement was delivered, or given by voice (7.4)."""
    require_offline_source(case, request)
    level = int(request.facts.get("level") or case.level)
    if level > case.level:
        raise BadFacts.worded(
            "not_an_option:acknowledge", field="level", ref=case.ref, level=level, present=case.level
        )
    if level in case.acks:
        raise AlreadyDone.worded("already_acknowledged", ref=case.ref, level=level)
    return {**request.facts, "level": level}


def apply_acknowledge(case: Case, event: Event) -> Case:
    """Acknowledged at this level; an acknowledgement by a member of staff is a contact too."""
    acknowledged = changed(case, acks={**case.acks, int(event.facts["level"]): event.at})
    return acknowledged if event.role is Role.SYSTEM else record_contact(acknowledged, event)


# propose


def check_propose(case: Case, request: ActionRequest) -> Facts:
    """Record the model's proposal; it never lowers a severity or safety that was proposed before (7.5).

    Calm words can follow dangerous ones. Until a person assesses, the highest proposal counts; this proposal's
    own values are kept under `read`.
    """
    facts, before = request.facts, case.proposed
    if before is None or case.assessment is not None:
        return facts
    read = {name: int(facts[name]) for name in ("severity", "safety")}
    highest = {
        "severity": max(read["severity"], before.severity),
        "safety": max(read["safety"], before.safety),
    }
    # Raised in the event and not when it is applied: the record says what counted.
    return {**facts, **highest, "read": read} if highest != read else facts


def apply_propose(case: Case, event: Event) -> Case:
    """Keep the proposal. It can restrict the case, unless a manager has ended a restriction."""
    facts = event.facts
    proposal = Proposed(
        at=event.at,
        words=facts["words"],
        category=facts["category"],
        probability=facts["probability"],
        severity=facts["severity"],
        safety=facts["safety"],
        abstained=facts["abstained"],
        restricted=facts["restricted"],
        model=facts.get("model"),
        **_model_fields(facts),
    )
    restricts = proposal.restricted and not case.released
    flags = case.flags | ({Flag.RESTRICTED} if restricts else frozenset())
    return changed(case, proposed=proposal, flags=flags)


def _model_fields(facts: Facts) -> dict[str, Any]:
    """Fields that a proposal of the safety rules alone does not have: alternatives, intent, issues and criteria."""
    alternatives = facts.get("alternatives") or ()
    return {
        "other": alternatives[0]["category"] if alternatives else None,
        "other_probability": alternatives[0]["probability"] if alternatives else 0.0,
        "intent": ContactKind(facts.get("intent", ContactKind.COMPLAINT)),
        "intent_probability": facts.get("intent_probability", 0.0),
        "issues": tuple(issue["category"] for issue in facts.get("issues", ())),
        "happened_by": date.fromisoformat(facts["happened_by"]) if facts.get("happened_by") else None,
        "criteria": tuple(
            ProposedCriterion(
                row["field"],
                row["value"],
                row["reason"],
                row.get("category"),
                row.get("probability"),
                row.get("limit"),
            )
            for row in facts.get("criteria", ())
        ),
    }


# fmt: off
ROWS: Mapping[Verb, Action] = {
    # `receive` calls check_receive, which needs an arrival instead of a case.
    Verb.RECEIVE: Action(
        "7.2", BY_COMPLAINANT | HANDLERS | BY_INTAKE, Move(begins=State.RECEIVED),
        apply=apply_receive,
        words=WordKind.MESSAGE, form="log_complaint", facts=MESSAGE, raises_work_version=NOBODY, in_thread=False,
        names_people=True, done="receive",
    ),
    Verb.ADD: Action(
        "7.2", BY_COMPLAINANT, stays(EVERY),
        check=check_words, apply=apply_words,
        words=WordKind.MESSAGE, facts=MESSAGE, raises_work_version=NOBODY, leaves=(per_event.talk_answer,),
        fetches=Fetched.CONFLICTS, names_people=True, done="question",
    ),
    Verb.CONFIRM: Action(
        "7.2", BY_COMPLAINANT, stays(OPEN),
        apply=apply_confirm,
        words=WordKind.STATEMENT, raises_work_version=NOBODY, in_thread=False, names_people=True,
    ),
    Verb.END_FORM: Action(
        "7.2", BY_SYSTEM | BY_COMPLAINANT, stays(OPEN),
        check=check_end_form, apply=apply_end_form,
        words=WordKind.INTERNAL, raises_work_version=NOBODY, in_thread=False, is_automatic=True,
    ),
    # HANDLERS, BY_INTAKE: the person who logs a complaint reads the acknowledgement out.
    Verb.ACKNOWLEDGE: Action(
        "7.4", BY_SYSTEM | HANDLERS | BY_INTAKE, stays(EVERY),
        check=check_acknowledge, apply=apply_acknowledge,
        words=WordKind.INTERNAL, spoken=("acknowledge",), facts=OFFLINE.plus(level=whole(1)),
        raises_work_version=NOBODY, leaves=(per_event.confirmation,), records="acknowledge", done="acknowledge",
    ),
    Verb.PROPOSE: Action(
        "7.5", frozenset({Role.MODEL}), stays(UNDECIDED),
        check=check_propose, apply=apply_propose,
        words=WordKind.INTERNAL, facts=PROPOSAL, raises_work_version=NOBODY, in_thread=False, is_automatic=True,
    ),
    Verb.ANSWER: Action(
        "7.6", BY_COMPLAINANT, stays(OPEN),
        check=check_words, apply=apply_words,
        words=WordKind.MESSAGE, facts=MESSAGE, raises_work_version=NOBODY, leaves=(per_event.talk_answer,),
        fetches=Fetched.CONFLICTS, names_people=True, done="answer",
    ),
}
# fmt: on
