"""What the complainant does after a decision (7.9): accept or reject it, ask, check a remedy, withdraw, reopen."""

from bots.dialogue import my_data, new_message
from bots.dialogue.buttons import AFTER_CLOSING, CANCEL, REMEDY_STEP, REPLY, SURE
from bots.dialogue.record import ReceivedMessage, add_message, record_choice
from bots.dialogue.turn import DESCRIPTION, IDLE, Turn
from complaints.actions.intake import REMEDY_REFUSED, asks_a_person, comes_after_decision
from complaints.actions.registry import MESSAGE_VERBS
from complaints.actions.reply_and_recourse import accepted_remedy
from complaints.case import Case
from complaints.case_values import RemedyOwed
from complaints.deadlines.periods import ON_REQUEST, settled_early
from complaints.deadlines.targets import APPEAL_SPAN, question_due
from complaints.deadlines.working_time import due
from complaints.vocabulary import ANSWERED, UNDECIDED, CloseCode, State, Target, Verb
from store.values import PlannedAct
from triage.intent import read_answer, says_only

_QUESTION, _REOPEN_REASON = "question", "reopen_reason"
#: The step, the field and the kind of a request for a person.
PERSON = "human"
#: The replies that say that a person answers: the date follows below them.
_PERSON_ANSWERS = (
    "human.open", "question.noted", "question.in_form", "added.answer",
    "reply.accept_words", "reply.disagree_words", "reopen.offer", "remedy_check.noted", "receipt",
)  # fmt: skip
_DISAGREEMENT = "look_again"
#: In the state under `sure`: a button has already confirmed what is asked for.
_CONFIRMED = "confirmed"
#: An answer of more words has reasons, or is about another matter; the state remembers for which complaint.
_SHORT_ANSWER, _REASONED = 9, "reasoned"
#: "It started again" has up to five words; longer texts must share two with the complaint.
_SHORT_RETURN, _SHARED_WORDS = 5, 2
REMEDY_CHECK, REMEDY_FAULT = "remedy_check", "not_right"


# --- the reply to a decision


def case_awaiting_reply(turn: Turn) -> Case | None:
    """The newest complaint whose decision was communicated and has no reply yet."""
    return next((case for case in turn.conversation.cases if _awaits_reply(case)), None)


def _awaits_reply(case: Case) -> bool:
    communicated = case.decision is not None and case.decision.communicated_at is not None
    return case.state in ANSWERED and communicated and case.reply is None


def take_words(turn: Turn, message: ReceivedMessage) -> bool:
    """Offer the buttons to words that seem to answer a decision; False for all others.

    Words are never an answer by themselves: "that sounds fair" gives up nothing until a button is pressed.
    """
    case = new_message.named_case(turn, message) or case_awaiting_reply(turn)
    verdict = None if message.files else _verdict(turn, message.text)
    if verdict is None or case is None or not _awaits_reply(case) or turn.mentions_danger(message.text):
        return False
    if verdict == "thanks":
        turn.reply("reply.thanks", ref=case.ref, buttons=REPLY)
        return True
    is_long = len(new_message.words_in(message.text)) > _SHORT_ANSWER
    if verdict == "disagree" and is_long:
        turn.state[_REASONED] = case.ref
    # A long text may be about another matter.
    buttons = (*REPLY, ("new",)) if is_long else REPLY
    new_message.add_and_offer(turn, case.ref, message, f"reply.{verdict}_words", buttons)
    return True


def _verdict(turn: Turn, text: str) -> str | None:
    """What a text seems to say to a decision: accept, disagree, only thanks, or None."""
    verdict = read_answer(text).verdict
    if verdict is None and says_only("affirms", text):
        return "accept"
    if verdict is None and turn.texts.choice_of(text) == "no":
        return "disagree"
    return verdict or ("thanks" if says_only("greetings", text) else None)


def accept_decision(turn: Turn, case: Case) -> None:
    """Record the acceptance, and say what comes next and which outside body is available."""
    if case.reply == "accept":
        turn.reply("reply.before", ref=case.ref)
    elif _awaits_reply(case):
        turn.plan(PlannedAct(Verb.ACCEPT, case.ref))
        turn.reply(
            "reply.accepted", ref=case.ref, next=_what_comes_next(turn, case), outside=_recourse(turn, case)
        )
        turn.add_below(turn.text("reply.recorded", time=turn.moment(turn.now, case)))
    else:
        _reply_out_of_time(turn, case)


def _what_comes_next(turn: Turn, case: Case) -> str:
    if case.decision is not None and case.decision.short:
        return turn.text("reply.next_closed")
    # All remedies, not only the owed ones: with the acceptance an offer becomes due as well.
    remedies = [accepted_remedy(case, remedy, turn.now) for remedy in case.remedies]
    open_remedies = [remedy for remedy in remedies if remedy.done_at is None and remedy.owed]
    if not open_remedies:
        return turn.text("reply.next_checked")
    lines = [
        turn.text(
            "reply.remedy",
            remedy=turn.texts.remedy(turn.language, remedy.type, remedy.amount, remedy.currency),
            date=turn.due_day(remedy.due, case),
        )
        for remedy in open_remedies
    ]
    return "\n".join(lines)


def _recourse(turn: Turn, case: Case) -> str:
    body = turn.texts.body(turn.language, case.rules.recourse[0].body) if case.rules.recourse else ""
    lines = [turn.text("reply.outside", body=body)] if body else []
    if settled_early(case, {}, turn.now) == ON_REQUEST:
        lines.append(turn.text("reply.in_writing"))
    return "".join(f"\n{line}" for line in lines)


def reject_decision(turn: Turn, case: Case) -> None:
    """Record the disagreement and ask what should be looked at again; a letter explains the next level."""
    if case.state is State.CLOSED:
        _reply_out_of_time(turn, case)
    elif _awaits_reply(case) or (case.reply == "accept" and turn.allows(case, Verb.DISAGREE)):
        turn.plan(PlannedAct(Verb.DISAGREE, case.ref))
        if case.level >= case.rules.top_level or not turn.conversation.count_reviewers(case):
            # There is no further level, or no reviewer is left; the letter about the outside bodies is the reply.
            turn.go_to(IDLE)
            return
        open_remedies = [remedy for remedy in case.owed_remedies if remedy.done_at is None]
        remedies_continue = f"\n{turn.text('reply.meanwhile')}" if open_remedies else ""
        has_reasons = turn.state.pop(_REASONED, None) == case.ref
        turn.go_to(_DISAGREEMENT, case.ref)
        template = "reply.disagreed_reasons" if has_reasons else "reply.disagreed"
        turn.reply(template, ref=case.ref, meanwhile=remedies_continue)
    else:
        _reply_out_of_time(turn, case)


def record_disagreement(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    add_message(turn, ref, _DISAGREEMENT, message)
    turn.go_to(IDLE)
    turn.reply("again.noted", ref=ref)
    case = turn.case(ref)
    decide = case.target(Target.DECIDE) if case is not None and case.state in UNDECIDED else None
    if decide is not None and decide.met_at is None and decide.promised_due > turn.now:
        turn.add_below(turn.text("again.by", date=turn.due_day(decide.promised_due, case)))


def ask_question(turn: Turn, case: Case) -> None:
    """Invite a question about the decision. Until staff answer it, the complaint cannot lapse."""
    turn.go_to(_QUESTION, case.ref)
    turn.reply("ask.question", ref=case.ref)


def record_question(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    add_message(turn, ref, _QUESTION, message, kind="question")
    turn.go_to(IDLE)
    turn.reply("question.noted", ref=ref)


def appeal_limit(turn: Turn, case: Case) -> None:
    """The complainant disagrees with a limit on contact; the next words are the reasons (4.5)."""
    if case.conduct.limit is None or case.conduct.appealed:
        turn.reply("appeal.over", ref=case.ref)
        return
    turn.plan(PlannedAct(Verb.APPEAL_LIMIT, case.ref))
    turn.go_to("add", case.ref)
    decided_by = due(turn.now, APPEAL_SPAN, case.rules.calendar).at
    turn.reply("appeal.noted", ref=case.ref, date=turn.due_day(decided_by, case), buttons=CANCEL)


def _reply_out_of_time(turn: Turn, case: Case) -> None:
    """A press before the decision was communicated, after a reply, or after the closing."""
    if case.state is State.CLOSED:
        turn.reply("reply.closed", ref=case.ref)
    elif case.decision is not None and case.decision.communicated_at is None:
        turn.reply("reply.early", ref=case.ref)
    else:
        turn.reply("reply.moved", ref=case.ref)


def request_person(turn: Turn, message: ReceivedMessage) -> None:
    """The complainant asks for a person: an open complaint shows it on its card, and staff must reply."""
    cases = turn.open_cases
    if cases:
        case = cases[0]
        is_new = message.has_words or not case.waits_for_person
        if is_new:
            # One event for each request, so that the record shows when it came and when it was met.
            add_message(turn, case.ref, PERSON, message, kind="question")
        turn.reply("human.open", ref=case.ref)
        if not is_new:
            turn.add_below(_answer_by(turn, case))
    elif message.has_words:
        new_message.handle_first_words(turn, message, kind=PERSON)
    else:
        turn.go_to(PERSON)
        turn.reply("human.none", org=turn.person_rules.organisation)


def promise_answer(turn: Turn) -> None:
    """Say by when a person answers, where this turn recorded words that a person must answer (7.3)."""
    position = next(
        (n for n, reply in enumerate(turn.replies) if reply.template.startswith(_PERSON_ANSWERS)), None
    )
    if position is None:
        return
    for act in turn.acts:
        if act.verb not in MESSAGE_VERBS:
            continue
        case = turn.case(act.ref)
        if case is None and asks_a_person(act.facts):
            signs = turn.signs_in(act.words.get(DESCRIPTION, ""), act.ref).signs
            case = Case(act.ref, turn.rules, turn.now, turn.now, "telegram", "", turn.language, signs=signs)
        if case is not None and (asks_a_person(act.facts) or comes_after_decision(case, act.facts)):
            turn.add_below(_answer_by(turn, case), position)
            return


def _answer_by(turn: Turn, case: Case) -> str:
    at = question_due(case, turn.now)
    return turn.text("answer.by" if at > turn.now else "answer.late", date=turn.due_time(at, case))


# --- the check of a remedy that staff report as done (7.7, Annex D)


def remedy_number_of(step: str) -> int | None:
    """The number of the remedy that a step asks about; None for other steps."""
    number = step.removeprefix(REMEDY_STEP)
    return int(number) if step.startswith(REMEDY_STEP) and number.isascii() and number.isdigit() else None


def remedy_awaiting_answer(turn: Turn) -> tuple[Case, RemedyOwed] | None:
    """The remedy last reported as done that the complainant has not confirmed.

    One done at the moment of its promise is left out: on the fast track, accepting the decision confirms it.
    """
    unconfirmed = [
        (case, remedy)
        for case in turn.open_cases
        for remedy in case.owed_remedies
        if remedy.done_at is not None and remedy.done_at != remedy.promised_at and remedy.answer != "yes"
    ]
    return max(unconfirmed, key=lambda pair: pair[1].done_at or pair[0].received_at, default=None)


def record_remedy_check(turn: Turn, case: Case, number: int, *, yes: bool) -> None:
    """Yes is recorded as evidence for auditors. No opens the remedy again, and we ask what is wrong."""
    remedy = next((remedy for remedy in case.remedies if remedy.n == number), None)
    label = turn.texts.label(turn.language, "yes" if yes else "no")
    if remedy is None or not case.is_open:
        turn.reply("reply.closed" if not case.is_open else "reply.moved", ref=case.ref)
    elif remedy.done_at is None or (yes and remedy.answer == "yes"):
        # Pressed twice, on a second device, or after a No.
        turn.reply("remedy_check.before", ref=case.ref)
    else:
        kind = "remedy_right" if yes else REMEDY_REFUSED
        facts = {"remedy": number, "remedy_ok": yes, "aside": True}
        record_choice(turn, case.ref, turn.next_field(REMEDY_CHECK, case.ref), label, facts, kind=kind)
        if yes:
            turn.reply("remedy_check.right", ref=case.ref)
        else:
            turn.go_to(REMEDY_FAULT, case.ref)
            turn.reply("ask.not_right", ref=case.ref, buttons=CANCEL)


def record_remedy_fault(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    add_message(turn, ref, turn.next_field(REMEDY_FAULT, ref), message)
    turn.go_to(IDLE)
    turn.reply("remedy_check.noted", ref=ref)


# --- withdrawing and reopening, each after a confirmation


def ask_withdrawal(turn: Turn, case: Case) -> None:
    """Ask for confirmation; nothing happens before a Yes."""
    if case.withdrawn_at is not None:
        turn.reply("withdraw.before", ref=case.ref)
        return
    if not turn.allows(case, Verb.WITHDRAW):
        turn.reply("closed_already", ref=case.ref)
        return
    turn.go_to("sure", case.ref, sure="withdraw")
    turn.reply("withdraw.sure", ref=case.ref, buttons=SURE)


def offer_reopening(turn: Turn, message: ReceivedMessage) -> bool:
    """Keep words such as "it started again" with the complaint that was closed, and ask; False for all others.

    A person reads them there in any case; a press opens the complaint again, or starts a new one with them.
    """
    if turn.open_cases or message.files or message.is_place or turn.mentions_danger(message.text):
        return False
    burst = new_message.current_burst(turn)
    case = turn.case(burst["ref"]) if burst and burst["asked"] else _closed_case_meant(turn, message.text)
    if case is not None:
        new_message.add_and_offer(turn, case.ref, message, "reopen.offer", AFTER_CLOSING)
    return case is not None


def _closed_case_meant(turn: Turn, text: str) -> Case | None:
    """The closed complaint that came back: the newest for a short text, otherwise one with some of the same words."""
    if not read_answer(text).returns:
        return None
    words, is_short = new_message.word_stems(text), len(new_message.words_in(text)) <= _SHORT_RETURN
    for case in turn.conversation.cases:
        shared = words & new_message.word_stems(" ".join(turn.words(case.ref).values()))
        if _can_come_back(turn, case) and (is_short or len(shared) >= _SHARED_WORDS):
            return case
    return None


def _can_come_back(turn: Turn, case: Case) -> bool:
    is_excluded = case.close_code in (CloseCode.MERGED, CloseCode.NOT_COMPLAINT)
    return turn.allows(case, Verb.REOPEN) and not is_excluded and new_message.within_reopen_window(turn, case)


def reopen_with_words(turn: Turn, case: Case, turn_number: int) -> None:
    """The offer was accepted: the words that led to it are the reason."""
    burst = new_message.close_burst(turn, turn_number)
    if burst is None or not _can_come_back(turn, case):
        ask_reopen_reason(turn, case)
        return
    reopen(turn, case, turn.words(case.ref)[burst["field"]])


def reopen(turn: Turn, case: Case, reason: str) -> None:
    """Reopen, unless that became impossible since it was offered; the reason is recorded in any case."""
    turn.go_to(IDLE)
    refusal = _reopen_refusal(turn, case)
    if refusal is None:
        turn.plan(PlannedAct(Verb.REOPEN, case.ref, {}, {"reason": reason}))
    turn.reply(refusal or "reopen.done", ref=case.ref)


def _reopen_refusal(turn: Turn, case: Case) -> str | None:
    """The text that says why the complainant cannot reopen this complaint now."""
    if case.state is not State.CLOSED or case.closed_at is None:
        return "reopen.open"
    if case.close_code is CloseCode.MERGED:
        return "reopen.merged"
    return None if new_message.within_reopen_window(turn, case) else "reopen.late"


def ask_reopen_reason(turn: Turn, case: Case, *, is_confirmed: bool = False) -> None:
    """Ask for the reason; it is recorded before the question for confirmation, if that is still to come."""
    refusal = _reopen_refusal(turn, case)
    if refusal is not None:
        turn.reply(refusal, ref=case.ref)
        return
    turn.go_to("reason", case.ref, sure=_CONFIRMED if is_confirmed else None)
    turn.reply("reopen.reason", ref=case.ref, buttons=CANCEL)


def record_reopen_reason(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Record what is new or was not put right, and ask for confirmation, unless a button was one."""
    field, case = turn.next_field(_REOPEN_REASON, ref), turn.case(ref)
    add_message(turn, ref, field, message)
    if turn.state.get("sure") == _CONFIRMED and case is not None and turn.allows(case, Verb.REOPEN):
        reopen(turn, case, message.text or turn.text("reopen.no_words"))
        return
    turn.go_to("sure", ref, sure="reopen", reason=field)
    turn.reply("reopen.sure", ref=ref, buttons=SURE)


def confirm(turn: Turn, case: Case, *, yes: bool) -> None:
    """Yes or No to the last question for confirmation; an old button does nothing."""
    pending = turn.state.get("sure")
    if turn.step != "sure" or turn.ref != case.ref:
        return
    turn.go_to(IDLE)
    if not yes:
        turn.reply("sure.no", ref=case.ref)
    elif pending == my_data.ERASE_CONFIRMATION:
        my_data.record_erasure_request(turn, case)
    elif pending == "withdraw" and case.withdrawn_at is None and turn.allows(case, Verb.WITHDRAW):
        turn.plan(PlannedAct(Verb.WITHDRAW, case.ref))
        turn.reply("withdraw.done", ref=case.ref)
    elif pending == "reopen" and turn.allows(case, Verb.REOPEN):
        reason = turn.words(case.ref).get(str(turn.state.get("reason")), "")
        reopen(turn, case, reason or turn.text("reopen.no_words"))
    else:
        turn.reply("reply.moved", ref=case.ref)
