"""The survey on the handling of a complaint (8.3): six questions, fairness and outcome first; each can be skipped.

Words in the survey never open a complaint by themselves: they are recorded, and end it politely. After a low score or
a complaint in words the person is offered to have the complaint taken up again or to make a new one, and people who
did not work on it get a task with a due time.
"""

import re
from datetime import timedelta

from bots.dialogue import after_decision, new_message
from bots.dialogue.buttons import AFTER_SURVEY, SCALE, SKIP, SURVEY
from bots.dialogue.new_message import ADDITION
from bots.dialogue.record import ReceivedMessage, add_message
from bots.dialogue.turn import IDLE, Turn
from complaints.case import Case
from complaints.times import format_time
from complaints.vocabulary import State, Verb
from store.values import PlannedAct
from triage.intent import COMPLAINT, classify_intent, read_answer, says_only

#: The question that is answered in words.
TEXT_QUESTION = "q6"
#: Scores from here down are a task for a person.
LOW = 2
#: So long after a question of the survey, words are taken as an answer to it.
OPEN_FOR = timedelta(days=7)
#: In the state: until when words belong to the survey, and the complaint for which the offer was made.
_UNTIL, OFFERED = "survey_until", "survey_offered"
_TYPED_SCORE = re.compile(r"[^\w]{0,3}([1-5])(?:\s?(?:/|of|von|de|out of)\s?5)?[^\w]{0,3}", re.ASCII)


def case_awaiting_survey(turn: Turn) -> Case | None:
    """The newest complaint whose survey was sent and has no answer yet."""
    return next(
        (
            case
            for case in turn.conversation.cases
            if "sent" in case.surveys and not {"answered", "skipped"} & set(case.surveys)
        ),
        None,
    )


def is_running(turn: Turn) -> bool:
    """True while a question of the survey waits for an answer, for some days."""
    return turn.step in SURVEY and turn.ref is not None and not turn.is_past(turn.state.get(_UNTIL, _FAR))


_FAR = "9999-12-31T00:00:00+00:00"


def record_score(turn: Turn, ref: str, question: str, choice: str) -> None:
    """Record a score or Skip and ask the next question. A second press on the same question changes the score."""
    facts = (
        {"step": "skipped", "question": question}
        if choice == "skip"
        else {"step": "answered", "question": question, "score": int(choice), "concern": int(choice) <= LOW}
    )
    is_low = bool(facts.get("concern"))
    turn.plan(PlannedAct(Verb.SURVEY, ref, facts))
    if question not in turn.state.get("asked", {}).get(ref, []):
        _ask_next(turn, ref, question)
    if is_low:
        _offer(turn, ref)


def take_message(turn: Turn, message: ReceivedMessage) -> bool:
    """Take a message that belongs to the survey; False for any other.

    Before the first answer only a refusal belongs to it, or words that quote the survey: others may be a complaint.
    """
    cues = read_answer(message.text)
    declines = cues.declines and not message.files
    if is_running(turn):
        ref, question = str(turn.ref), turn.step
    else:
        case = case_awaiting_survey(turn)
        if case is None:
            return False
        quoted = turn.conversation.find_ref_of_message(message.reply_to) if message.reply_to else None
        is_score = _TYPED_SCORE.fullmatch(message.text.strip()) is not None
        if quoted != case.ref and not is_score and not declines:
            return False
        ref, question = case.ref, SURVEY[0]
    score = _TYPED_SCORE.fullmatch(message.text.strip())
    if declines:
        is_new = len(new_message.words_in(cues.rest)) > 1 and classify_intent(cues.rest).kind == COMPLAINT
        if cues.rest and not is_new:
            _plan_words(turn, ref, message)
        end(turn, ref, question)
        if is_new and not after_decision.offer_reopening(turn, message):
            new_message.handle_message(turn, message)
    elif score is not None and question != TEXT_QUESTION and not message.files:
        record_score(turn, ref, question, score[1])
    else:
        _record_words(turn, ref, question, message)
    return True


def end(turn: Turn, ref: str, question: str) -> None:
    """The person wants no more questions: the rest counts as skipped."""
    turn.plan(PlannedAct(Verb.SURVEY, ref, {"step": "skipped", "question": question}))
    turn.go_to(IDLE)
    turn.reply("after_survey.ended", ref=ref)


def end_if_open(turn: Turn) -> bool:
    """End the survey that is running or was sent last; False when there is none."""
    case = None if is_running(turn) else case_awaiting_survey(turn)
    if turn.step in SURVEY and is_running(turn):
        end(turn, str(turn.ref), turn.step)
    elif turn.step == IDLE and case is not None:
        end(turn, case.ref, SURVEY[0])
    else:
        return False
    return True


def _record_words(turn: Turn, ref: str, question: str, message: ReceivedMessage) -> None:
    """Record an answer in words; the safety rules read it too, because it can name a danger.

    A question goes to the staff, who do not answer what is only in a survey; the survey's question stays open.
    """
    if read_answer(message.text).only_asks and not message.files:
        add_message(turn, ref, "question", message, kind="question")
        turn.reply("question.in_form", ref=ref)
        _ask(turn, ref, question)
        return
    is_thanks = says_only("greetings", message.text) and not message.files
    if message.has_words and not message.is_place and not is_thanks:
        _plan_words(turn, ref, message)
    if message.files or message.is_place or turn.mentions_danger(message.text):
        add_message(turn, ref, ADDITION, message)
    if question == TEXT_QUESTION:
        _ask_next(turn, ref, TEXT_QUESTION)
    elif message.has_words and not message.is_place:
        # Words are the answer to the last question. Repeating ours would look as if no person reads them.
        if is_thanks:
            turn.plan(PlannedAct(Verb.SURVEY, ref, {"step": "skipped", "question": question}))
        turn.go_to(IDLE)
        turn.reply("after_survey.thanks" if is_thanks else "after_survey.words", ref=ref)
    else:
        _ask(turn, ref, question)
    if _is_complaint(message.text):
        _offer(turn, ref)


def _plan_words(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    facts = {"step": "answered", "question": TEXT_QUESTION, "concern": _is_complaint(message.text)}
    turn.plan(PlannedAct(Verb.SURVEY, ref, facts, {TEXT_QUESTION: message.text}))


def _is_complaint(text: str) -> bool:
    intent = classify_intent(text)
    return intent.kind == COMPLAINT and intent.because != ("doubt",)


def _offer(turn: Turn, ref: str) -> None:
    """Once per survey: offer to take the complaint up again, while that is possible, or to make a new one."""
    case = turn.case(ref)
    if case is None or turn.state.get(OFFERED) == ref:
        return
    turn.state[OFFERED] = ref
    can_reopen = case.state is State.CLOSED and new_message.within_reopen_window(turn, case)
    turn.reply(
        "after_survey.offer" if can_reopen else "after_survey.offer_new",
        ref=ref,
        buttons=AFTER_SURVEY if can_reopen else AFTER_SURVEY[1:],
        step="after_survey",
    )


def take_up_again(turn: Turn, case: Case) -> None:
    """The offer was accepted, which is the confirmation: the words of the survey are the reason, or it is asked."""
    words = _words(turn, case)
    if words is None or case.state is not State.CLOSED or not new_message.within_reopen_window(turn, case):
        after_decision.ask_reopen_reason(turn, case, is_confirmed=True)
    else:
        after_decision.reopen(turn, case, words.text)


def start_new_complaint(turn: Turn, case: Case) -> None:
    """A new complaint with the words of the survey, otherwise words are asked for."""
    words = _words(turn, case)
    if words is None:
        turn.go_to("fresh")
        turn.reply("ask.fresh")
    else:
        new_message.start_complaint(turn, words)


def _words(turn: Turn, case: Case) -> ReceivedMessage | None:
    text = turn.words(case.ref).get(TEXT_QUESTION, "")
    return ReceivedMessage(text, f"survey:{turn.state['turn']}") if text and _is_complaint(text) else None


def _ask_next(turn: Turn, ref: str, answered: str) -> None:
    answered_before = turn.state.get("asked", {}).get(ref, [])
    # Only the latest survey is remembered, so that the state does not grow over the years.
    turn.state["asked"] = {ref: [*answered_before, answered]}
    position = SURVEY.index(answered) + 1
    if position == len(SURVEY):
        turn.go_to(IDLE)
        turn.reply("survey.thanks", ref=ref)
    else:
        _ask(turn, ref, SURVEY[position])


def _ask(turn: Turn, ref: str, question: str) -> None:
    turn.go_to(question, ref, **{_UNTIL: format_time(turn.now + OPEN_FOR)})
    turn.reply(f"survey.{question}", ref=ref, buttons=SKIP if question == TEXT_QUESTION else SCALE)
