"""A message in the form: what it does is decided first, then it is recorded where it belongs (7.2, 7.4).

Only an answer is recorded as one. A question is answered with what the record says, thanks change nothing, impatience
ends the questions, a correction replaces the answer that it corrects, and a new matter can become a complaint.
"""

from collections.abc import Callable
from typing import Any

from bots.dialogue import form, new_message, read_back
from bots.dialogue.buttons import CHECK, DONE, Rows
from bots.dialogue.question_table import (
    BY_STEP,
    MONEY,
    ORDER,
    SIGNED,
    StoryAnswer,
    correct_place_and_day,
    is_only_question,
    remedies_in_words,
    requested_remedies,
)
from bots.dialogue.record import ReceivedMessage, add_message, reply_added
from bots.dialogue.turn import Turn
from triage.facts.fact import StoryFact
from triage.intent import read_answer, says_only
from triage.message_kind import (
    MessageKind,
    classify_message,
    outdated_parts,
    question_subjects,
    says_place,
    says_wish,
)

#: An answer to "where?" or "what would help?" of more words says so itself; other words belong to the story.
_LONGEST_PLAIN_ANSWER = 8
#: Impatience in the story of more words is part of it: "I have already written to your shop, and …"
_LONGEST_IMPATIENCE = 8


def handle_form_message(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Record a message while the form is open, and answer it."""
    step = turn.step
    if message.is_place:
        _handle_place(turn, ref, message)
    elif message.is_forwarded and not message.files and step != "story":
        add_message(turn, ref, new_message.ADDITION, message)
        form.ask_again(turn)
    elif message.files or turn.mentions_danger(message.text):
        _add_evidence(turn, ref, message)
    elif step == "story":
        _handle_in_story(turn, ref, message)
    else:
        default = MessageKind.ANSWER if step in ORDER else MessageKind.ADDITION
        _HANDLERS[_kind(turn, ref, message.text, default)](turn, ref, message)


def _kind(turn: Turn, ref: str, text: str, default: MessageKind) -> MessageKind:
    """What a message does at the current question: what has the answer in it is no mere question or impatience."""
    step, kind, find = turn.step, classify_message(text, default=default), _find_details(turn, ref)
    if step in ("check", "change") and (says_only("affirms", text) or says_only("greetings", text)):
        return MessageKind.THANKS
    if step not in ORDER:
        return MessageKind.CORRECTION if step == "change" and kind is MessageKind.ADDITION else kind
    answers = _has_answer(step, text, find)
    if kind is MessageKind.QUESTION:
        # "Last Tuesday, I think?" only doubts; "Is it order 4711?" asks and answers.
        only_asks = read_answer(text).only_asks or not answers
        return kind if is_only_question(step, text, find, only_asks=only_asks) else MessageKind.ANSWER
    if kind in (MessageKind.IMPATIENCE, MessageKind.ADDITION) and answers:
        return MessageKind.ANSWER
    if kind is MessageKind.CORRECTION and not find(text) and len(text.split()) <= _LONGEST_PLAIN_ANSWER:
        return MessageKind.ANSWER
    if kind is MessageKind.ANSWER and step in SIGNED and not answers:
        if any(_has_answer(other, text, find) for other in SIGNED - {step}):
            # "I want my money back", at the question where it was: it belongs to the story, and answers the other.
            return MessageKind.ADDITION
        says_so = says_place(text) if step == "where" else says_wish(text)
        if len(text.split()) > _LONGEST_PLAIN_ANSWER and not says_so:
            return MessageKind.ADDITION
    return kind


def _has_answer(step: str, text: str, find: Callable[[str], tuple[StoryFact, ...]]) -> bool:
    if step == "help":
        return remedies_in_words(text, find) is not None
    return step == "where" and any(fact.kind not in ("amount", "remedy", "card") for fact in find(text))


def _handle_place(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    if turn.step == "story":
        form.record_place(turn, ref, message)
        form.wait_for_burst(turn, ref)
    elif turn.step == "where":
        form.record_words(turn, ref, "where", message, {})
    else:
        form.record_place(turn, ref, message)
        form.ask_again(turn)


def _add_evidence(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """A file or a call for help is an addition, and the question stays open."""
    if turn.step == "story":
        add_message(turn, ref, read_back.current_field(turn, "story"), message)
        form.wait_for_burst(turn, ref)
        return
    is_check = turn.step == "check"
    add_message(
        turn, ref, read_back.current_field(turn, "story") if is_check else new_message.ADDITION, message
    )
    if is_check and message.files and message.files[0].group:
        # The other files of the album follow at once: read back when all are counted.
        form.wait_for_album(turn, ref)
    elif is_check:
        read_back.read_back(turn, ref)
    elif not message.files:
        form.ask_again(turn)


def _handle_in_story(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Further messages of the burst are the story, unless they clearly have another purpose."""
    has_story = not read_back.is_without_story(turn, ref) and not message.is_forwarded
    kind = classify_message(message.text) if has_story else MessageKind.ANSWER
    if kind is MessageKind.THANKS:
        turn.reply("thanks.form", ref=ref, buttons=DONE)
    elif kind is MessageKind.QUESTION and question_subjects(message.text):
        _answer_question(turn, ref, message, buttons=DONE)
    elif kind is MessageKind.IMPATIENCE and len(message.text.split()) <= _LONGEST_IMPATIENCE:
        _end_questions(turn, ref, message)
    elif kind is MessageKind.NEW_MATTER:
        _offer_new_complaint(turn, ref, message)
    else:
        add_message(turn, ref, read_back.current_field(turn, "story"), message)
    if turn.step == "story":
        form.wait_for_burst(turn, ref)


def _record_answer(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    step, find = turn.step, _find_details(turn, ref)
    question = BY_STEP[step]
    remedies = remedies_in_words(message.text, find) if step == "help" else None
    facts = (
        question.facts_of_story(remedies) if remedies is not None else question.facts_of_words(message.text)
    )
    asks = read_answer(message.text).asks
    form.record_words(turn, ref, step, message, facts, kind="question" if asks else None)


def _answer_question(turn: Turn, ref: str, message: ReceivedMessage, buttons: Rows = ()) -> None:
    """Answer with what the record says, and promise when a person answers: the question goes to the staff too."""
    add_message(turn, ref, "question", message, kind="question")
    case = turn.case(ref)
    if case is None:
        turn.reply("question.in_form", ref=ref, buttons=buttons)
        return
    read_back.answer_question(turn, case, message.text, buttons=buttons)


def _reply_to_question(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    is_check = turn.step == "check"
    _answer_question(turn, ref, message, buttons=CHECK if is_check else ())
    if not is_check:
        form.ask(turn, turn.step, ref)


def _reply_to_thanks(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Thanks are no answer. Under the read-back they may mean "yes": the bot names the button."""
    if turn.step == "check":
        turn.reply("check.press", ref=ref, buttons=CHECK)
    else:
        turn.reply("thanks.form", ref=ref)
        form.ask(turn, turn.step, ref)


def _end_questions(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Ask nothing more: what is on record is read back and can be sent with one tap."""
    add_message(turn, ref, new_message.ADDITION, message)
    if turn.step == "check":
        turn.reply("check.press", ref=ref, buttons=CHECK)
        return
    turn.state["short"] = ref
    turn.reply("questions.ended", ref=ref)
    form.ask_next(turn, ref)


def _add_to_story(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """What an addition says is not asked any more; under the read-back only what it changes is shown."""
    find = _find_details(turn, ref)
    before = _current_help(turn, ref)
    add_message(turn, ref, read_back.current_field(turn, "story"), message)
    if "help" in turn.state.get("done", []) and (
        more := requested_remedies(message.text, find(message.text))
    ):
        choices = tuple(dict.fromkeys((*before.choices, *more.choices)))
        if choices:
            answer = StoryAnswer(choices, amounts={**before.amounts, **more.amounts})
            form.replace_answer(turn, ref, "help", answer)
    form.ask_next(turn, ref)


def _correct(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Replace the answers that the message corrects; its words are added to the story."""
    find, text = _find_details(turn, ref), message.text
    kept = outdated_parts(text, find(text))
    facts = [fact for fact in find(text) if fact not in kept]
    where = correct_place_and_day(find(_current_where(turn, ref)), facts, kept, text)
    wish = requested_remedies(text, facts)
    help_before = _current_help(turn, ref)
    add_message(turn, ref, read_back.current_field(turn, "story"), message)
    if where is not None:
        form.replace_answer(turn, ref, "where", where)
    money = [choice for choice in help_before.choices if choice in MONEY]
    if wish is None and len(money) == 1:
        amounts = [fact for fact in facts if fact.kind == "amount"]
        if len(amounts) == 1:
            number, currency = amounts[0].value.split()
            amount = (amounts[0].text, round(float(number) * 100), currency)
            wish = StoryAnswer(help_before.choices, amounts={money[0]: amount})
    if wish is not None:
        form.replace_answer(turn, ref, "help", wish)
    if turn.step == "change":
        turn.go_to("check", ref)
    form.ask_next(turn, ref)


def _current_where(turn: Turn, ref: str) -> str:
    implied = read_back.answers_from_story(turn, ref).get("where")
    words = turn.words(ref).get(read_back.current_field(turn, "where"))
    return words or (implied.words if implied else "") or ""


def _current_help(turn: Turn, ref: str) -> StoryAnswer:
    implied = read_back.answers_from_story(turn, ref).get("help")
    case = turn.case(ref)
    if implied is not None or case is None:
        return implied or StoryAnswer()
    amounts = {}
    money = [choice for choice in case.remedies_requested if choice in MONEY]
    if case.amount_requested is not None and case.currency_requested and len(money) == 1:
        written = f"{case.amount_requested / 100:.2f} {case.currency_requested}"
        amounts[money[0]] = (written, case.amount_requested, case.currency_requested)
    return StoryAnswer(case.remedies_requested, amounts=amounts)


def _offer_new_complaint(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Keep the words with this complaint, and offer to make a complaint of its own of them."""
    burst = new_message.open_burst(turn, ref, in_question=True)
    add_message(turn, ref, burst["field"], message)
    reply_added(turn, ref, buttons=(("new",), (f"add:{ref}",)))


def _find_details(turn: Turn, ref: str) -> Any:
    received = turn.received_on(ref)
    return lambda text: turn.details_in(text, received)


_HANDLERS: dict[MessageKind, Callable[[Turn, str, ReceivedMessage], None]] = {
    MessageKind.ANSWER: _record_answer,
    MessageKind.QUESTION: _reply_to_question,
    MessageKind.ADDITION: _add_to_story,
    MessageKind.THANKS: _reply_to_thanks,
    MessageKind.IMPATIENCE: _end_questions,
    MessageKind.CORRECTION: _correct,
    MessageKind.NEW_MATTER: _offer_new_complaint,
}
