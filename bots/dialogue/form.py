"""The form: the questions in their order, and the read-back at its end (docs/domain.md, section 6, B)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bots.dialogue import incident
from bots.dialogue.buttons import CHANGES, CHECK, CONFIRM, DONE
from bots.dialogue.question_table import (
    BY_STEP,
    CONFIRMED,
    ORDER,
    QUESTIONS,
    Question,
    StoryAnswer,
    StoryKnowledge,
    is_only_question,
    named_places,
    remedies_in_words,
)
from bots.dialogue.record import (
    DESCRIPTION,
    FORWARDED,
    PLACE,
    ReceivedMessage,
    add_message,
    added_text,
    record_choice,
    recording_names,
)
from bots.dialogue.turn import FORM, IDLE, Turn
from complaints.actions.intake import CHILD_WRITING
from complaints.case import Case, Facts
from complaints.deadlines.working_time import due
from complaints.vocabulary import Flag, Target
from triage.intent import cue_words, read_answer

#: The field that holds the words of each step.
FIELDS = {"story": DESCRIPTION, **{question.step: question.field for question in QUESTIONS}}
#: Helplines for children (docs/domain.md, section 3, Minor), by country; sources in docs/telegram.md.
CHILD_LINES = {"GB": "0800 1111", "TR": "183"}
#: The read-back shows at most this many characters of the story; the record has all of them.
MAX_READ_BACK_CHARACTERS = 1800
#: A correction of place and day without any that we recognise ("at the market in Leeds") has at most so many words.
_LONGEST_CORRECTION = 6
#: The state remembers for so many complaints when each question was answered.
_REMEMBERED = 5


# --- the story


def start(turn: Turn, ref: str) -> None:
    """Send the short receipt at once; further messages of the burst belong to the same story (7.2)."""
    turn.go_to("story", ref, fields={"story": DESCRIPTION}, done=[], burst=0, chosen={})
    template = "receipt.plain" if is_child(turn, ref) else "receipt"
    if is_without_story(turn, ref) and PLACE not in turn.words(ref):
        template = "receipt.forwarded"
    elif is_without_story(turn, ref):
        template = "receipt.place"
        _mark_done(turn, "where")
    turn.reply(template, key=f"receipt:{ref}", ref=ref, buttons=DONE)
    _wait_for_burst(turn, ref)


def continue_story(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Record one more message of the burst, without a reply."""
    if message.is_place:
        record_place(turn, ref, message)
    else:
        add_message(turn, ref, current_field(turn, "story"), message)
    _wait_for_burst(turn, ref)


def wait_for_album(turn: Turn, ref: str) -> None:
    """Read back again when the files that came after the read-back are complete."""
    turn.go_to("story", ref)
    _wait_for_burst(turn, ref)


def record_place(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Record coordinates as the place, never as the description; where it was is then not asked."""
    add_message(turn, ref, current_field(turn, "where"), message)
    if "where" not in turn.state.get("done", []):
        _mark_done(turn, "where")


def is_without_story(turn: Turn, ref: str) -> bool:
    """True while there are only coordinates: neither words nor a file say what went wrong."""
    return not story_text(turn, ref) and not turn.file_count(ref)


def go_back(turn: Turn, ref: str) -> None:
    """Ask the question before the current one again; before the first question, the story."""
    answered = [step for step in turn.state.get("done", []) if step in ORDER]
    change_answer(turn, ref, answered[-1] if answered else "story")


def _wait_for_burst(turn: Turn, ref: str) -> None:
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


def story_text(turn: Turn, ref: str) -> str:
    """The current version of the story, all messages and edits included."""
    words = turn.words(ref)
    field = current_field(turn, "story") if turn.ref == ref else DESCRIPTION
    # "Change", "The story", then Done without a new text: the earlier version counts.
    return words.get(field) or words.get(turn.latest_field(DESCRIPTION, ref), "")


# --- the questions


def ask_next(turn: Turn, ref: str) -> None:
    """Ask the next open question, or read back. Whether it is a known incident is asked first."""
    if is_without_story(turn, ref):
        turn.go_to("story", ref)
        turn.reply("ask.fresh", ref=ref, buttons=DONE, step="story")
        return
    if incident.ask_once(turn, ref, story_text(turn, ref)):
        return
    knowledge, step = _knowledge(turn, ref), "check"
    for question in QUESTIONS:
        if question.step in turn.state.get("done", []) or not question.asks(knowledge):
            continue
        answer = question.implied_answer(knowledge)
        if answer is None:
            step = question.step
            break
        if question.sets_flag:
            _record_implied_answer(turn, ref, question, answer)
            knowledge = replace(knowledge, chosen=turn.state["chosen"])
    turn.go_to(step, ref)
    ask(turn, step, ref)


def ask(turn: Turn, step: str, ref: str, *, use_story: bool = True) -> None:
    """Put the question of this step, in plainer words to a child.

    If the story has the answer already, show it for confirmation, unless `use_story` is False.
    """
    story_answer = (
        BY_STEP[step].story_answer(_knowledge(turn, ref)) if use_story and step in CONFIRMED else None
    )
    turn.state["confirms"] = None if story_answer is None else step
    if step == "check":
        read_back(turn, ref)
    elif step == incident.STEP:
        incident.ask(turn, ref)
    elif step == "change":
        turn.reply("ask.change", ref=ref, buttons=CHANGES)
    elif story_answer is not None:
        text = _answer_text(turn, story_answer)
        turn.reply(f"ask.{step}.told", ref=ref, buttons=CONFIRM, text=text)
    elif step == "where" and use_story and (places := named_places(_knowledge(turn, ref).details())):
        turn.reply("ask.where.when", ref=ref, buttons=BY_STEP[step].buttons, text=places)
    else:
        plain = f"ask.{step}.plain"
        template = plain if turn.texts.has(plain) and is_child(turn, ref) else f"ask.{step}"
        turn.reply(template, ref=ref, buttons=BY_STEP[step].buttons)


def ask_again(turn: Turn) -> bool:
    """Put the current question of an open form again; after the story, the next one. False outside of a form."""
    ref = turn.ref
    if ref is None or turn.step not in FORM or not turn.is_form_open(ref):
        return False
    if turn.step == "story":
        ask_next(turn, ref)
    else:
        ask(turn, turn.step, ref)
    return True


def _knowledge(turn: Turn, ref: str) -> StoryKnowledge:
    story = story_text(turn, ref)
    rules = frozenset(sign.rule for sign in turn.signs_in(story, ref).signs)
    received = turn.received_on(ref)
    chosen = turn.state.get("chosen", {}) if turn.ref == ref else {}
    return StoryKnowledge(
        story, cue_words(story), rules, received, lambda: turn.details_in(story, received), chosen
    )


def _record_implied_answer(turn: Turn, ref: str, question: Question, answer: StoryAnswer) -> None:
    step = question.step
    facts = _with_relation(turn, ref, step, {**question.facts_of_story(answer), "from_story": True})
    record_choice(turn, ref, _new_field(turn, ref, step), _answer_text(turn, answer), facts)
    for choice in answer.choices:
        _remember_choice(turn, step, choice)
    _mark_answered(turn, ref, step, int(turn.state["turn"]))
    _mark_done(turn, step)
    _reply_to_facts(turn, ref, facts)


def is_child(turn: Turn, ref: str) -> bool:
    """True when the writer is, or seems to be, a child; the words are plainer then."""
    case = turn.case(ref)
    answers = [act.facts["minor"] for act in turn.acts if act.ref == ref and "minor" in act.facts]
    if answers:
        return bool(answers[-1])
    if case is not None and Flag.MINOR in case.flags:
        return True
    return CHILD_WRITING in _knowledge(turn, ref).rules and not (case is not None and case.adult)


def facts_from_story(turn: Turn, ref: str) -> Facts:
    """The facts that the story gave and the read-back showed: Send signs them too."""
    if turn.ref != ref:
        return {}
    return {
        name: value
        for step, answer in _answers_from_story(turn, ref).items()
        for name, value in BY_STEP[step].facts_of_story(answer).items()
    }


def _answers_from_story(turn: Turn, ref: str) -> dict[str, StoryAnswer]:
    """By step, the answers that the story gave already: read back without a question."""
    knowledge = _knowledge(turn, ref)
    done = turn.state.get("done", []) if turn.ref == ref else list(ORDER)
    answers = {
        question.step: question.implied_answer(knowledge)
        for question in QUESTIONS
        # What happened before is read back in any case; other answers only where their question fits.
        if question.step not in done and (question.step == "again" or question.asks(knowledge))
    }
    return {step: answer for step, answer in answers.items() if answer is not None}


# --- the answers


def record_answer(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Record words that answer the current question, and ask the next one.

    A question of the person goes to the staff; if the message is nothing more, ours is asked again.
    """
    step = turn.step
    cues = read_answer(message.text)
    find = _find_details(turn, ref)
    if cues.asks and is_only_question(step, message.text, find, only_asks=cues.only_asks):
        add_message(turn, ref, "question", message, kind="question")
        turn.reply("question.in_form", ref=ref)
        ask(turn, step, ref, use_story=awaits_confirmation(turn))
        return
    is_correction = len(message.text.split()) <= _LONGEST_CORRECTION or bool(find(message.text))
    if step == "where" and awaits_confirmation(turn) and not is_correction:
        # Words such as "it is nine degrees inside" correct no place: they belong to the story.
        add_message(turn, ref, current_field(turn, "story"), message)
        ask(turn, step, ref)
        return
    answer_facts = BY_STEP[step].facts_of_words(message.text)
    remedies = remedies_in_words(message.text, find) if step == "help" else None
    if remedies is not None:
        answer_facts = BY_STEP[step].facts_of_story(remedies)
    facts = _with_relation(turn, ref, step, answer_facts)
    field = _new_field(turn, ref, step)
    add_message(turn, ref, field, message, kind="question" if cues.asks else None, extra=facts)
    _mark_answered(turn, ref, step, int(turn.state["turn"]))
    _remember_choice(turn, step, str(facts.get(FIELDS[step], "")))
    _mark_done(turn, step)
    _reply_to_facts(turn, ref, facts)
    ask_next(turn, ref)


def _find_details(turn: Turn, ref: str) -> Any:
    received = turn.received_on(ref)
    return lambda text: turn.details_in(text, received)


def choose(turn: Turn, ref: str, step: str, choice: str, pressed: int) -> None:
    """Record an answer given by a button; after the end of the form it is an addition.

    `pressed` is the number of the turn that sent the button.
    """
    _record_choice(turn, ref, step, StoryAnswer((choice,)), BY_STEP[step].facts(choice), pressed)


def awaits_confirmation(turn: Turn) -> bool:
    """True while an answer taken from the story is shown for a Yes."""
    return turn.step in CONFIRMED and turn.state.get("confirms") == turn.step


def confirm_story_answer(turn: Turn, ref: str, step: str, pressed: int) -> None:
    """Record the answer taken from the story; after the end of the form it is an addition."""
    question = BY_STEP[step]
    answer = question.story_answer(_knowledge(turn, ref))
    if answer is not None:
        facts = {**question.facts_of_story(answer), "from_story": True}
        _record_choice(turn, ref, step, answer, facts, pressed)
    elif turn.step == step and turn.ref == ref:
        # The story changed in the meantime and no longer has the answer.
        ask(turn, step, ref, use_story=False)


def skip(turn: Turn, ref: str, step: str) -> None:
    """Every question can be skipped."""
    if turn.step == step and turn.ref == ref and turn.is_form_open(ref):
        _mark_done(turn, step)
        ask_next(turn, ref)


def change_answer(turn: Turn, ref: str, step: str) -> None:
    """Ask one question again; the earlier answer stays in the record."""
    if step == "story":
        _new_field(turn, ref, "story")
        turn.go_to("story", ref)
        turn.reply("ask.story_again", ref=ref, buttons=DONE)
        return
    turn.go_to(step, ref, done=[name for name in turn.state.get("done", []) if name != step])
    ask(turn, step, ref, use_story=False)


def _record_choice(
    turn: Turn, ref: str, step: str, answer: StoryAnswer, choice_facts: Facts, pressed: int
) -> None:
    label = _answer_text(turn, answer)
    if turn.step != step and turn.words(ref).get(current_field(turn, step)) == label:
        # The same press again: an app that lost our reply repeats it under a new id.
        return
    if pressed < turn.state.get("answered", {}).get(ref, {}).get(step, 0):
        # An old button: the person has answered since it was sent, and the newer answer counts.
        turn.reply("answered.before", ref=ref, text=turn.words(ref)[current_field(turn, step, ref)])
        return
    _mark_answered(turn, ref, step, pressed)
    facts = _with_relation(turn, ref, step, choice_facts)
    record_choice(turn, ref, _new_field(turn, ref, step), label, facts)
    if turn.is_form_open(ref) and turn.ref == ref:
        for choice in answer.choices:
            _remember_choice(turn, step, choice)
        _mark_done(turn, step)
        _reply_to_facts(turn, ref, facts)
        ask_next(turn, ref)
    else:
        turn.reply(added_text(turn, ref), ref=ref)
        _reply_to_facts(turn, ref, facts)


def _answer_text(turn: Turn, answer: StoryAnswer) -> str:
    """The labels of the choices, with the amount; an answer in the story's own words stays as it is."""
    labels = {choice: turn.texts.label(turn.language, choice) for choice in answer.choices}
    if answer.amount is not None:
        labels["money_back"] = f"{labels['money_back']} ({answer.amount[0]})"
    return ", ".join(labels.values()) or answer.words


def _with_relation(turn: Turn, ref: str, step: str, facts: Facts) -> Facts:
    """On a complaint for another person, add the relation to that person if the story names it."""
    if step != "whom" or facts.get("for_whom") == "for_me":
        return facts
    relation = BY_STEP["relation"].implied_answer(_knowledge(turn, ref))
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


def current_field(turn: Turn, step: str, ref: str | None = None) -> str:
    """The field that holds the current answer to this step, of the current complaint or of another one."""
    if ref is not None and ref != turn.ref:
        return turn.latest_field(FIELDS[step], ref)
    name: str = turn.state.get("fields", {}).get(step, FIELDS[step])
    return name


def _new_field(turn: Turn, ref: str, step: str) -> str:
    name = turn.next_field(FIELDS[step], ref)
    if turn.ref == ref:
        turn.state["fields"] = {**turn.state.get("fields", {}), step: name}
    return name


# --- the read-back


def read_back(turn: Turn, ref: str) -> None:
    """Show what was recorded, for signing, with all that people must know before they sign (7.1, B)."""
    case, notice = turn.case(ref), turn.rules_of(ref).notice
    turn.reply(
        "readback.plain" if is_child(turn, ref) else "readback",
        ref=ref,
        buttons=CHECK,
        step="check",
        text=_shorten(story_text(turn, ref)) or _without_words(turn, ref),
        details="".join(f"\n{line}" for line in _detail_lines(turn, ref)),
        date=turn.due_day(promised_date(case), case) if case is not None else turn.text("readback.soon"),
        notice=f"\n{turn.text('readback.notice', notice=notice)}" if notice else "",
    )


def _without_words(turn: Turn, ref: str) -> str:
    names = recording_names(turn, ref)
    return f"({names})" if names else turn.text("readback.no_words")


def _detail_lines(turn: Turn, ref: str) -> list[str]:
    words, answers_from_story = turn.words(ref), _answers_from_story(turn, ref)
    lines = []
    for step in ORDER:
        text = words.get(current_field(turn, step)) if turn.ref == ref else None
        if text is None and step in answers_from_story:
            text = _answer_text(turn, answers_from_story[step])
        if text:
            lines.append(turn.text(f"readback.{step}", text=_shorten(text, 400)))
    forwarded = [text for name, text in words.items() if name.split(".")[0] == FORWARDED]
    lines += [turn.text("readback.forwarded", text=_shorten(text, 400)) for text in forwarded]
    files = turn.file_count(ref)
    if files:
        names = recording_names(turn, ref) if story_text(turn, ref) else ""
        line = turn.texts.count(turn.language, "readback.files", files)
        lines.append(f"{line}: {names}" if names else line)
    return lines


def _shorten(text: str, limit: int = MAX_READ_BACK_CHARACTERS) -> str:
    return text if len(text) <= limit else f"{text[:limit].rstrip()} […]"


def promised_date(case: Case) -> datetime:
    """The date of the decision as promised to the complainant: the legal one, or without one that of priority P4."""
    target = case.target(Target.DECIDE)
    return target.promised_due if target is not None else case.received_at


def filing_time(case: Case) -> datetime:
    """When an abandoned form is filed as it is: after a silence, at the latest some time after it was opened."""
    dialogue, calendar = case.rules.dialogue, case.rules.calendar
    after_silence = due(case.last_words_at or case.logged_at, dialogue.file_abandoned_after, calendar).at
    return min(after_silence, due(case.logged_at, dialogue.file_abandoned_at_latest, calendar).at)
