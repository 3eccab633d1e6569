"""The form: the questions in their order (docs/domain.md, section 6, B)."""

from dataclasses import replace

from bots.dialogue import incident
from bots.dialogue.buttons import CHANGES, DONE
from bots.dialogue.question_table import BY_STEP, ORDER, QUESTIONS, Question, StoryAnswer
from bots.dialogue.read_back import (
    FIELDS,
    REMINDER,
    answer_text,
    current_field,
    is_without_story,
    knowledge_of,
    new_field,
    read_back,
    reminder_time,
    story_text,
)
from bots.dialogue.record import PLACE, ReceivedMessage, add_message, record_choice, reply_added
from bots.dialogue.turn import DESCRIPTION, FORM, IDLE, Turn
from complaints.case import Facts
from triage.intent import classify_intent

#: Helplines for children (docs/domain.md, section 3, Minor), by country; sources in docs/telegram.md.
CHILD_LINES = {"GB": "0800 1111", "TR": "183"}
#: The state remembers for so many complaints when each question was answered.
_REMEMBERED = 5


# --- the story


def start(turn: Turn, ref: str) -> None:
    """Send the short receipt at once; further messages of the burst belong to the same story (7.2)."""
    turn.go_to("story", ref, fields={"story": DESCRIPTION}, done=[], burst=0, chosen={})
    # We are sorry once in a complaint: not about praise, and not next to a number to call.
    is_praise = classify_intent(story_text(turn, ref), found_signs=()).kind == "praise"
    is_sorry = turn.danger is None and not is_praise
    template = "receipt.noted" if not is_sorry else "receipt.plain" if turn.is_child else "receipt"
    if is_without_story(turn, ref) and PLACE not in turn.words(ref):
        template = "receipt.forwarded"
    elif is_without_story(turn, ref):
        template = "receipt.place"
        _mark_done(turn, "where")
    turn.reply(template, key=f"receipt:{ref}", ref=ref, buttons=DONE)
    wait_for_burst(turn, ref)
    turn.schedule_wake_up(f"{REMINDER}{ref}", reminder_time(turn, ref, turn.now))


def wait_for_album(turn: Turn, ref: str) -> None:
    """Read back again when the files that came after the read-back are complete."""
    turn.go_to("story", ref)
    wait_for_burst(turn, ref)


def record_place(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Record coordinates as the place, never as the description; where it was is then not asked."""
    add_message(turn, ref, current_field(turn, "where"), message)
    if "where" not in turn.state.get("done", []):
        _mark_done(turn, "where")


def go_back(turn: Turn, ref: str) -> None:
    """Ask the question before the current one again; before the first question, the story."""
    answered = [step for step in turn.state.get("done", []) if step in ORDER]
    if turn.step == "check" and not answered:
        # The story said everything: what to change is the person's choice.
        turn.go_to("change", ref)
        ask(turn, "change", ref)
    else:
        change_answer(turn, ref, answered[-1] if answered else "story")


def wait_for_burst(turn: Turn, ref: str) -> None:
    """Schedule the next question for the end of the burst; each message moves it (20 s by default)."""
    turn.state["burst"] = int(turn.state.get("burst", 0)) + 1
    turn.schedule_wake_up(f"burst:{ref}:{turn.state['burst']}", turn.burst_end())


def end_burst(turn: Turn, what: str) -> None:
    """The burst is over: ask the next question, unless another message came or the form has ended."""
    _, ref, burst = what.split(":")
    if turn.step == "story" and turn.ref == ref and turn.state.get("burst") == int(burst):
        if not turn.is_form_open(ref):
            turn.go_to(IDLE)
        elif not is_without_story(turn, ref):
            ask_next(turn, ref)


# --- the questions


def ask_next(turn: Turn, ref: str) -> None:
    """Ask the next open question, or read back. Whether it is a known incident is asked first."""
    if is_without_story(turn, ref):
        turn.go_to("story", ref)
        turn.reply("ask.fresh", ref=ref, buttons=DONE, step="story")
        return
    if incident.ask_once(turn, ref, story_text(turn, ref)):
        return
    knowledge, step = knowledge_of(turn, ref), "check"
    for question in QUESTIONS:
        if question.step in turn.state.get("done", []) or not question.asks(knowledge):
            continue
        answer = question.implied_answer(knowledge)
        if answer is None and turn.state.get("short") != ref:
            step = question.step
            break
        if answer is None:
            continue
        if question.sets_flag:
            _record_implied_answer(turn, ref, question, answer)
            knowledge = replace(knowledge, chosen=turn.state["chosen"])
    turn.go_to(step, ref)
    ask(turn, step, ref)


def ask(turn: Turn, step: str, ref: str) -> None:
    """Put the question of this step, in plainer words to a child."""
    if step == "check":
        read_back(turn, ref)
    elif step == incident.STEP:
        incident.ask(turn, ref)
    elif step == "change":
        turn.reply("ask.change", ref=ref, buttons=CHANGES)
    else:
        plain = f"ask.{step}.plain"
        template = plain if turn.texts.has(plain) and turn.is_child else f"ask.{step}"
        turn.reply(template, ref=ref, buttons=BY_STEP[step].buttons)


def ask_again(turn: Turn) -> bool:
    """Put the current question of an open form again; after the story, the next one. False outside of a form."""
    ref = turn.ref
    if ref is None or turn.step not in FORM or not turn.is_form_open(ref):
        return False
    # What was read back before may have been in another language, or is far up in the chat.
    turn.state.pop("shown", None)
    if turn.step == "story":
        ask_next(turn, ref)
    else:
        ask(turn, turn.step, ref)
    return True


def _record_implied_answer(turn: Turn, ref: str, question: Question, answer: StoryAnswer) -> None:
    step = question.step
    facts = _with_relation(turn, ref, step, {**question.facts_of_story(answer), "from_story": True})
    record_choice(turn, ref, new_field(turn, ref, step), answer_text(turn, answer), facts)
    for choice in answer.choices:
        _remember_choice(turn, step, choice)
    _mark_answered(turn, ref, step, int(turn.state["turn"]))
    _mark_done(turn, step)
    _reply_to_facts(turn, ref, facts)


# --- the answers


def record_words(
    turn: Turn, ref: str, step: str, message: ReceivedMessage, answer_facts: Facts, *, kind: str | None = None
) -> None:
    """Record words as the answer to this question, and ask the next one."""
    facts = _with_relation(turn, ref, step, answer_facts)
    add_message(turn, ref, new_field(turn, ref, step), message, kind=kind, extra=facts)
    _mark_answered(turn, ref, step, int(turn.state["turn"]))
    _remember_choice(turn, step, str(facts.get(FIELDS[step], "")))
    _mark_done(turn, step)
    _reply_to_facts(turn, ref, facts)
    ask_next(turn, ref)


def replace_answer(turn: Turn, ref: str, step: str, answer: StoryAnswer) -> None:
    """Record a corrected answer; the earlier one stays in the record."""
    facts = {**BY_STEP[step].facts_of_story(answer), "from_story": True}
    record_choice(turn, ref, new_field(turn, ref, step), answer_text(turn, answer), facts)
    _mark_answered(turn, ref, step, int(turn.state["turn"]))
    _mark_done(turn, step)


def choose(turn: Turn, ref: str, step: str, choice: str, pressed: int) -> None:
    """Record an answer given by a button; after the end of the form it is an addition.

    `pressed` is the number of the turn that sent the button.
    """
    _record_choice(turn, ref, step, StoryAnswer((choice,)), BY_STEP[step].facts(choice), pressed)


def skip(turn: Turn, ref: str, step: str) -> None:
    """Every question can be skipped."""
    if turn.step == step and turn.ref == ref and turn.is_form_open(ref):
        _mark_done(turn, step)
        ask_next(turn, ref)


def change_answer(turn: Turn, ref: str, step: str) -> None:
    """Ask one question again; the earlier answer stays in the record."""
    if step == "story":
        new_field(turn, ref, "story")
        turn.go_to("story", ref)
        turn.reply("ask.story_again", ref=ref, buttons=DONE)
        return
    turn.go_to(step, ref, done=[name for name in turn.state.get("done", []) if name != step])
    ask(turn, step, ref)


def _record_choice(
    turn: Turn, ref: str, step: str, answer: StoryAnswer, choice_facts: Facts, pressed: int
) -> None:
    label = answer_text(turn, answer)
    if turn.step != step and turn.words(ref).get(current_field(turn, step)) == label:
        # The same press again: an app that lost our reply repeats it under a new id.
        return
    if pressed < turn.state.get("answered", {}).get(ref, {}).get(step, 0):
        # An old button: the person has answered since it was sent, and the newer answer counts.
        turn.reply("answered.before", ref=ref, text=turn.words(ref)[current_field(turn, step, ref)])
        return
    _mark_answered(turn, ref, step, pressed)
    facts = _with_relation(turn, ref, step, choice_facts)
    record_choice(turn, ref, new_field(turn, ref, step), label, facts)
    if turn.is_form_open(ref) and turn.ref == ref:
        for choice in answer.choices:
            _remember_choice(turn, step, choice)
        _mark_done(turn, step)
        _reply_to_facts(turn, ref, facts)
        ask_next(turn, ref)
    else:
        reply_added(turn, ref)
        _reply_to_facts(turn, ref, facts)


def _with_relation(turn: Turn, ref: str, step: str, facts: Facts) -> Facts:
    """On a complaint for another person, add the relation to that person if the story names it."""
    if step != "whom" or facts.get("for_whom") == "for_me":
        return facts
    relation = BY_STEP["relation"].implied_answer(knowledge_of(turn, ref))
    return {**facts, "relation": relation.choices[0]} if relation else facts


def _reply_to_facts(turn: Turn, ref: str, facts: Facts) -> None:
    """Show a child where to get help; explain what "no contact" means."""
    if facts.get("minor") is True:
        number = CHILD_LINES.get(turn.rules_of(ref).country)
        line = f"\n{turn.text('adult.line', number=number)}" if number else ""
        turn.reply("adult.offer", ref=ref, number=line)
    if facts.get("anonymity") == "no_contact":
        turn.reply("identity.no_contact", ref=ref)


def _remember_choice(turn: Turn, step: str, choice: str) -> None:
    turn.state["chosen"] = {**turn.state.get("chosen", {}), step: choice}


def _mark_done(turn: Turn, step: str) -> None:
    turn.state["done"] = [*turn.state.get("done", []), step]


def _mark_answered(turn: Turn, ref: str, step: str, number: int) -> None:
    """Remember the turn that asked for this answer, or in which it was typed: older buttons do not replace it."""
    answered = dict(turn.state.get("answered", {}))
    answered[ref] = {**answered.pop(ref, {}), step: number}
    turn.state["answered"] = dict(list(answered.items())[-_REMEMBERED:])
