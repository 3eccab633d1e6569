"""The form: the questions in their order, and the read-back at its end (docs/domain.md, section 6, B)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from bots.dialogue import incident
from bots.dialogue.buttons import CHANGES, CHECK, DONE
from bots.dialogue.question_table import (
    BY_STEP,
    ORDER,
    QUESTIONS,
    SIGNED,
    Question,
    StoryAnswer,
    StoryKnowledge,
    named_days,
    named_places,
)
from bots.dialogue.record import DESCRIPTION, ReceivedMessage, add_message, added_text, record_choice
from bots.dialogue.turn import FORM, IDLE, Turn
from complaints.actions.intake import CHILD_WRITING
from complaints.case import Case, Facts
from complaints.deadlines.working_time import due
from complaints.vocabulary import Flag, Target
from triage.facts.fact import StoryFact
from triage.intent import classify_intent, cue_words
from triage.message_kind import as_own_wish, outdated_parts

#: The field that holds the words of each step.
FIELDS = {"story": DESCRIPTION, **{question.step: question.field for question in QUESTIONS}}
#: Helplines for children (docs/domain.md, section 3, Minor), by country; sources in docs/telegram.md.
CHILD_LINES = {"GB": "0800 1111", "TR": "183"}
#: The read-back shows at most this many characters of the story; the record has all of them.
MAX_READ_BACK_CHARACTERS = 1800
#: The wake-up that reminds of a form that was not sent.
REMINDER = "remind:"
#: The state remembers for so many complaints when each question was answered.
_REMEMBERED = 5


# --- the story


def start(turn: Turn, ref: str) -> None:
    """Send the short receipt at once; further messages of the burst belong to the same story (7.2)."""
    turn.go_to("story", ref, fields={"story": DESCRIPTION}, done=[], burst=0, chosen={})
    # We are sorry once in a complaint: not about praise, and not next to a number to call.
    is_praise = classify_intent(story_text(turn, ref), found_signs=()).kind == "praise"
    is_sorry = turn.danger is None and not is_praise
    template = "receipt.plain" if is_child(turn, ref) else "receipt" if is_sorry else "receipt.noted"
    if is_without_story(turn, ref):
        template = "receipt.place"
        _mark_done(turn, "where")
    turn.reply(template, key=f"receipt:{ref}", ref=ref, buttons=DONE)
    wait_for_burst(turn, ref)
    turn.schedule_wake_up(f"{REMINDER}{ref}", _reminder_time(turn, ref, turn.now))


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


def ask(turn: Turn, step: str, ref: str, *, use_story: bool = True) -> None:
    """Put the question of this step, in plainer words to a child; what the story says of it is not asked again."""
    details = _knowledge(turn, ref).details() if step == "where" and use_story else ()
    if step == "check":
        read_back(turn, ref)
    elif step == incident.STEP:
        incident.ask(turn, ref)
    elif step == "change":
        turn.reply("ask.change", ref=ref, buttons=CHANGES)
    elif places := named_places(details, turn.received_on(ref)):
        turn.reply("ask.where.when", ref=ref, buttons=BY_STEP[step].buttons, text=places)
    elif days := named_days(details, turn.received_on(ref)):
        turn.reply("ask.where.place", ref=ref, buttons=BY_STEP[step].buttons, text=days)
    else:
        plain = f"ask.{step}.plain"
        template = plain if turn.texts.has(plain) and is_child(turn, ref) else f"ask.{step}"
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


def _knowledge(turn: Turn, ref: str) -> StoryKnowledge:
    story = story_text(turn, ref)
    rules = frozenset(sign.rule for sign in turn.signs_in(story, ref).signs)
    received = turn.received_on(ref)
    chosen = turn.state.get("chosen", {}) if turn.ref == ref else {}
    cues = cue_words(story)
    wishes = as_own_wish(story) if "for_another" in cues else story

    def details() -> tuple[StoryFact, ...]:
        facts = turn.details_in(story, received)
        outdated = outdated_parts(story, [fact for fact in facts if fact.kind != "remedy"])
        return tuple(fact for fact in facts if fact not in outdated)

    def wished() -> tuple[StoryFact, ...]:
        return details() if wishes == story else turn.details_in(wishes, received)

    return StoryKnowledge(story, cues, rules, received, details, chosen, (wishes, wished))


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
        for step, answer in answers_from_story(turn, ref).items()
        if step not in SIGNED
        for name, value in BY_STEP[step].facts_of_story(answer).items()
    }


def record_signed_answers(turn: Turn, ref: str) -> None:
    """With Send, record what the story says of where, when and what is wanted, as it was read back."""
    for step, answer in answers_from_story(turn, ref).items():
        if step in SIGNED:
            facts = {**BY_STEP[step].facts_of_story(answer), "from_story": True}
            record_choice(turn, ref, _new_field(turn, ref, step), _answer_text(turn, answer), facts)


def answers_from_story(turn: Turn, ref: str) -> dict[str, StoryAnswer]:
    """By step, the answers that the story gave already: read back without a question."""
    knowledge = _knowledge(turn, ref)
    words = turn.words(ref)
    done = turn.state.get("done", []) if turn.ref == ref else [step for step in ORDER if step not in SIGNED]
    answers = {
        question.step: question.implied_answer(knowledge)
        for question in QUESTIONS
        # What happened before is read back in any case; other answers only where their question fits.
        if question.step not in done
        and not (question.signed and turn.ref != ref and question.field in words)
        and (question.step == "again" or question.asks(knowledge))
    }
    return {step: answer for step, answer in answers.items() if answer is not None}


# --- the answers


def record_words(
    turn: Turn, ref: str, step: str, message: ReceivedMessage, answer_facts: Facts, *, kind: str | None = None
) -> None:
    """Record words as the answer to this question, and ask the next one."""
    facts = _with_relation(turn, ref, step, answer_facts)
    add_message(turn, ref, _new_field(turn, ref, step), message, kind=kind, extra=facts)
    _mark_answered(turn, ref, step, int(turn.state["turn"]))
    _remember_choice(turn, step, str(facts.get(FIELDS[step], "")))
    _mark_done(turn, step)
    _reply_to_facts(turn, ref, facts)
    ask_next(turn, ref)


def replace_answer(turn: Turn, ref: str, step: str, answer: StoryAnswer) -> None:
    """Record a corrected answer; the earlier one stays in the record."""
    facts = {**BY_STEP[step].facts_of_story(answer), "from_story": True}
    record_choice(turn, ref, _new_field(turn, ref, step), _answer_text(turn, answer), facts)
    _mark_answered(turn, ref, step, int(turn.state["turn"]))
    _mark_done(turn, step)


def choose(turn: Turn, ref: str, step: str, choice: str, pressed: int) -> None:
    """Record an answer given by a button; after the end of the form it is an addition.

    `pressed` is the number of the turn that sent the button.
    """
    _record_choice(turn, ref, step, StoryAnswer((choice,)), BY_STEP[step].facts(choice), pressed)


def confirm_story_answer(turn: Turn, ref: str, step: str, pressed: int) -> None:
    """The button Yes under an answer from the story, as earlier versions asked; later it is an addition."""
    question = BY_STEP[step]
    answer = question.implied_answer(_knowledge(turn, ref))
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
    """Show what was recorded, for signing, with all that people must know before they sign (7.1, B).

    After that, only what changed is shown again.
    """
    details = _details(turn, ref)
    # The state holds no words: the field and the length of each answer show whether it is a new one.
    words = turn.words(ref)
    marks = {
        step: [_version(turn, step) if _version(turn, step) in words else "", len(text)]
        for step, text in details.items()
    }
    shown = turn.state.get("shown", {})
    turn.state["shown"] = {"ref": ref, **marks}
    changes = [step for step in marks if shown.get(step) != marks[step]] if shown.get("ref") == ref else []
    if changes:
        _read_back_changes(turn, ref, {step: details[step] for step in changes}, shown)
        return
    case, notice = turn.case(ref), turn.rules_of(ref).notice
    lines = [line for step, line in _lines(turn, details).items() if step != "story"]
    turn.reply(
        "readback.plain" if is_child(turn, ref) else "readback",
        ref=ref,
        buttons=CHECK,
        step="check",
        text=_shorten(details["story"]) or turn.text("readback.no_words"),
        details="".join(f"\n{line}" for line in lines),
        date=turn.due_day(promised_date(case), case) if case is not None else turn.text("readback.soon"),
        notice=f"\n{turn.text('readback.notice', notice=notice)}" if notice else "",
    )


def _read_back_changes(turn: Turn, ref: str, changes: dict[str, str], shown: dict[str, Any]) -> None:
    lines = _lines(turn, changes)
    version, length = shown.get("story", ("", 0))
    if "story" in changes and version == _version(turn, "story"):
        added = changes["story"][length:].strip()
        lines["story"] = turn.text("readback.added", text=_shorten(added or changes["story"]))
    text = "\n".join(lines.values())
    turn.reply("readback.changed", ref=ref, buttons=CHECK, step="check", text=text)


def _version(turn: Turn, step: str) -> str:
    return current_field(turn, step) if step in FIELDS else ""


def _details(turn: Turn, ref: str) -> dict[str, str]:
    """By step, all that is read back; "files" is their number."""
    words, implied = turn.words(ref), answers_from_story(turn, ref)
    details = {"story": story_text(turn, ref)}
    for step in ORDER:
        text = words.get(current_field(turn, step)) if turn.ref == ref else None
        if text is None and step in implied:
            text = _answer_text(turn, implied[step])
        if text:
            details[step] = text
    files = turn.file_count(ref)
    return details | ({"files": turn.texts.count(turn.language, "readback.files", files)} if files else {})


def _lines(turn: Turn, details: dict[str, str]) -> dict[str, str]:
    return {
        step: text if step == "files" else turn.text(f"readback.{step}", text=_shorten(text, 400))
        for step, text in details.items()
    }


def _shorten(text: str, limit: int = MAX_READ_BACK_CHARACTERS) -> str:
    return text if len(text) <= limit else f"{text[:limit].rstrip()} […]"


def promised_date(case: Case) -> datetime:
    """The date of the decision as promised to the complainant: the legal one, or without one that of priority P4."""
    target = case.target(Target.DECIDE)
    return target.promised_due if target is not None else case.received_at


def remind(turn: Turn, what: str) -> None:
    """Once, halfway to filing it as it stands: what was not sent yet can be sent."""
    ref = what.removeprefix(REMINDER)
    case = turn.case(ref)
    if case is None or not case.form_open or not case.is_open or case.confirmed_at is not None:
        return
    at = _reminder_time(turn, ref, case.last_words_at or case.logged_at)
    if at > turn.now:
        turn.schedule_wake_up(what, at)
    elif turn.step in FORM and turn.ref == ref:
        time = turn.moment(filing_time(case), case)
        turn.reply("not_sent", ref=ref, time=time, buttons=CHECK if turn.step == "check" else ())


def _reminder_time(turn: Turn, ref: str, last_words: datetime) -> datetime:
    rules = turn.rules_of(ref)
    filed = due(last_words, rules.dialogue.file_abandoned_after, rules.calendar).at
    return last_words + (filed - last_words) / 2


def filing_time(case: Case) -> datetime:
    """When an abandoned form is filed as it is: after a silence, at the latest some time after it was opened."""
    dialogue, calendar = case.rules.dialogue, case.rules.calendar
    after_silence = due(case.last_words_at or case.logged_at, dialogue.file_abandoned_after, calendar).at
    return min(after_silence, due(case.logged_at, dialogue.file_abandoned_at_latest, calendar).at)
