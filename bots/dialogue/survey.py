"""The survey on the handling of a complaint (8.3): six questions, fairness and outcome first; each can be skipped.

While it is open, every message answers it: a score in figures or words, or a comment on the question. Only a
sign of danger, or naming another complaint, leaves it. Words never open a complaint by themselves: after a low score
or a complaint in words the person is offered to have it taken up again or to make a new one, and people who did not
work on it get a task with a due time.
"""

from datetime import timedelta

from bots.dialogue import after_decision, new_message
from bots.dialogue.buttons import AFTER_SURVEY, SCALE, SCORES, SKIP, SURVEY
from bots.dialogue.new_message import ADDITION
from bots.dialogue.record import ReceivedMessage, add_message
from bots.dialogue.turn import IDLE, Turn
from complaints.case import Case
from complaints.times import format_time, parse_time
from complaints.vocabulary import State, Verb
from store.values import PlannedAct
from triage.intent import COMPLAINT, classify_intent, dissatisfaction, read_answer, says_only
from triage.message_kind import read_score

#: The question that is answered in words.
TEXT_QUESTION = "q6"
#: Scores from here down are a task for a person.
LOW = 2
#: So long after a question of the survey, words are taken as an answer to it.
OPEN_FOR = timedelta(days=7)
#: With such a score, words of complaint are a concern, but no more is offered.
_GOOD = 4
#: An answer of more words is no bare score.
_FEW_WORDS = 3
#: In the state: until when words belong to the survey, and the complaints for which the offer was made and a number
#: was asked for after words.
_UNTIL, OFFERED, _NUMBERED = "survey_until", "survey_offered", "survey_numbered"


def case_awaiting_survey(turn: Turn) -> Case | None:
    """The newest complaint whose survey was sent and has no answer yet."""
    sent = (case for case in turn.conversation.cases if "sent" in case.surveys)
    return next((case for case in sent if not {"answered", "skipped"} & set(case.surveys)), None)


def is_running(turn: Turn) -> bool:
    """True while a question of the survey waits for an answer, for some days, and staff have asked nothing since."""
    if turn.step not in SURVEY or turn.ref is None:
        return False
    until = parse_time(turn.state.get(_UNTIL, _FAR))
    questions = [case.asked_at for case in turn.open_cases if case.asked_at is not None]
    return turn.now < until and all(at <= until - OPEN_FOR for at in questions)


_FAR = "9999-12-31T00:00:00+00:00"


def record_score(turn: Turn, ref: str, question: str, choice: str, text: str = "") -> None:
    """Record a score or Skip and ask the next question. A second press on the same question changes the score."""
    comment = text if len(new_message.words_in(text)) > 1 else ""
    is_bad = _plan_answer(turn, ref, question, comment, int(choice) if choice in SCORES else None)
    if question not in turn.state.get("asked", {}).get(ref, []):
        _ask_next(turn, ref, question)
        if comment:
            turn.add_below(turn.text("survey.understood", score=choice))
    if is_bad:
        _offer(turn, ref)


def take_message(turn: Turn, message: ReceivedMessage) -> bool:
    """Take a message that belongs to the survey; False for any other.

    Before the first answer, a sign of danger does not belong to it. Nor do words that can be about another complaint,
    or come too late, unless they quote the survey, refuse it, or are no more than a score.
    """
    (case, question), mentioned = _open_question(turn), new_message.mentioned_case(turn, message)
    if case is None or (mentioned is not None and mentioned.ref != case.ref):
        return False
    cues, score = read_answer(message.text), read_score(message.text)
    is_danger = turn.mentions_danger(message.text)
    declines = cues.declines and not message.files
    if not is_running(turn):
        is_score = score is not None and len(new_message.words_in(message.text)) <= _FEW_WORDS
        sent_at, times = case.surveyed_at or case.received_at, 2 if "reminded" in case.surveys else 1
        is_elsewhere = not mentioned and (turn.open_cases or turn.now > sent_at + times * OPEN_FOR)
        if is_danger or (is_elsewhere and not declines and not is_score):
            return False
    if declines:
        if cues.rest:
            _plan_answer(turn, case.ref, question, message.text)
        end(turn, case.ref, question)
        says_more = len(new_message.words_in(cues.rest)) > 1 and not read_answer(cues.rest).declines
        if says_more and classify_intent(cues.rest).kind == COMPLAINT:
            _offer(turn, case.ref)
    elif score is not None and question != TEXT_QUESTION and not message.files and not is_danger:
        record_score(turn, case.ref, question, str(score), message.text)
    else:
        _record_words(turn, case.ref, question, message)
    return True


def _open_question(turn: Turn) -> tuple[Case | None, str]:
    """The complaint whose survey is open, and the question that waits for an answer."""
    return (turn.case(turn.ref), turn.step) if is_running(turn) else (case_awaiting_survey(turn), SURVEY[0])


def end(turn: Turn, ref: str, question: str) -> None:
    """The person wants no more questions: the rest counts as skipped."""
    _plan_answer(turn, ref, question)
    turn.go_to(IDLE)
    turn.reply("after_survey.ended", ref=ref)


def end_if_open(turn: Turn) -> bool:
    """End the survey that is running or was sent last; False when there is none."""
    case, question = _open_question(turn)
    if case is None or turn.step not in (IDLE, *SURVEY):
        return False
    end(turn, case.ref, question)
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
    has_words = message.has_words and not message.is_place and not is_thanks
    is_bad = has_words and _plan_answer(turn, ref, question, message.text)
    if message.files or message.is_place or turn.mentions_danger(message.text):
        add_message(turn, ref, ADDITION, message)
    if is_thanks:
        _plan_answer(turn, ref, question)
        turn.go_to(IDLE)
        turn.reply("after_survey.thanks", ref=ref)
    elif is_bad and turn.state.get(OFFERED) != ref:
        # Their question comes before ours, which waits without being repeated.
        _wait(turn, ref, question)
        _offer(turn, ref)
    elif question == TEXT_QUESTION or (has_words and turn.state.get(_NUMBERED) == ref):
        _ask_next(turn, ref, question)
    elif has_words:
        _wait(turn, ref, question)
        turn.state[_NUMBERED] = ref
        turn.reply("survey.number", ref=ref, buttons=SCALE)
    else:
        _ask(turn, ref, question)


def _plan_answer(turn: Turn, ref: str, question: str, text: str = "", score: int | None = None) -> bool:
    """Record an answer, or without one that the question was skipped; True if it is so bad that more is offered."""
    if not text and score is None:
        turn.plan(PlannedAct(Verb.SURVEY, ref, {"step": "skipped", "question": question}))
        return False
    is_low = score is not None and score <= LOW
    is_other = new_message.is_other_matter(turn, ref, text)
    concern = is_low or is_other or bool(dissatisfaction(text))
    facts = {"step": "answered", "question": question, "concern": concern}
    scored = {} if score is None else {"score": score}
    turn.plan(PlannedAct(Verb.SURVEY, ref, facts | scored, {question: text} if text else {}))
    return concern and (is_other or (score or 0) < _GOOD)


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
    words = turn.words(case.ref)
    text = "\n\n".join(words[question] for question in SURVEY if question in words)
    is_complaint = bool(text) and classify_intent(text).kind == COMPLAINT
    return ReceivedMessage(text, f"survey:{turn.state['turn']}") if is_complaint else None


def _ask_next(turn: Turn, ref: str, answered: str) -> None:
    answered_before = turn.state.get("asked", {}).get(ref, [])
    # Only the latest survey is remembered, so that the state does not grow over the years.
    turn.state["asked"] = {ref: list(dict.fromkeys((*answered_before, answered)))}
    position = SURVEY.index(answered) + 1
    if position == len(SURVEY):
        # The rest of a burst still belongs to the last answer.
        turn.go_to(answered, ref, **{_UNTIL: format_time(turn.burst_end())})
        if answered not in answered_before:
            turn.reply("survey.thanks", ref=ref)
    else:
        _ask(turn, ref, SURVEY[position])


def _ask(turn: Turn, ref: str, question: str) -> None:
    _wait(turn, ref, question)
    turn.reply(f"survey.{question}", ref=ref, buttons=SKIP if question == TEXT_QUESTION else SCALE)


def _wait(turn: Turn, ref: str, question: str) -> None:
    turn.go_to(question, ref, **{_UNTIL: format_time(turn.now + OPEN_FOR)})
