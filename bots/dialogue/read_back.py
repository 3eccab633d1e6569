"""What the story and the answers of a form say, and the read-back of it that the complainant signs (7.1, 7.2, B)."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from bots.dialogue.buttons import CHECK, WISHES, Rows
from bots.dialogue.question_table import BY_STEP, ORDER, QUESTIONS, SIGNED, StoryAnswer, StoryKnowledge
from bots.dialogue.record import record_choice
from bots.dialogue.turn import DESCRIPTION, FORM, Turn
from bots.texts.phrases import recording_names, without_words
from complaints.actions.intake import FORWARDED
from complaints.case import Case, Facts
from complaints.deadlines.periods import form_ends
from complaints.deadlines.targets import question_due
from complaints.deadlines.working_time import due
from complaints.letter_texts import without_own_words
from complaints.vocabulary import Target
from triage.facts.fact import StoryFact
from triage.intent import cue_words
from triage.matching import mask_quotes
from triage.message_kind import as_own_wish, outdated_parts, question_subjects

#: The field that holds the words of each step.
FIELDS = {"story": DESCRIPTION, **{question.step: question.field for question in QUESTIONS}}
#: The read-back shows at most this many characters of the story; the record has all of them.
MAX_READ_BACK_CHARACTERS = 1800
#: The wake-up that reminds of a form that was not sent.
REMINDER = "remind:"


# --- what the story says


def story_text(turn: Turn, ref: str) -> str:
    """The current version of the story, all messages and edits included."""
    words = turn.words(ref)
    field = current_field(turn, "story") if turn.ref == ref else DESCRIPTION
    # "Change", "The story", then Done without a new text: the earlier version counts.
    return words.get(field) or words.get(turn.latest_field(DESCRIPTION, ref), "")


def is_without_story(turn: Turn, ref: str) -> bool:
    """True while there are only coordinates: neither words nor a file say what went wrong."""
    return not story_text(turn, ref) and not turn.file_count(ref)


def current_field(turn: Turn, step: str, ref: str | None = None) -> str:
    """The field that holds the current answer to this step, of the current complaint or of another one."""
    if ref is not None and ref != turn.ref:
        return turn.latest_field(FIELDS[step], ref)
    name: str = turn.state.get("fields", {}).get(step, FIELDS[step])
    return name


def new_field(turn: Turn, ref: str, step: str) -> str:
    name = turn.next_field(FIELDS[step], ref)
    if turn.ref == ref:
        turn.state["fields"] = {**turn.state.get("fields", {}), step: name}
    return name


def knowledge_of(turn: Turn, ref: str) -> StoryKnowledge:
    story = story_text(turn, ref)
    case, signs = turn.case(ref), turn.signs_in(story, ref).signs
    rules = frozenset(sign.rule for sign in signs)
    received = turn.received_on(ref)
    chosen = turn.state.get("chosen", {}) if turn.ref == ref else {}
    cues = cue_words(mask_quotes(story))
    wishes = as_own_wish(story) if "for_another" in cues else story
    recorded = case.signs if case is not None else ()
    despairs = any(sign.kind == "self_harm" for sign in (*recorded, *signs))

    def details() -> tuple[StoryFact, ...]:
        facts = turn.details_in(story, received)
        outdated = outdated_parts(story, [fact for fact in facts if fact.kind != "remedy"])
        # "I want to sleep" of a person in despair is no wish to be read back.
        left_out = [*outdated, *(fact for fact in facts if despairs and fact.kind == "remedy")]
        return tuple(fact for fact in facts if fact not in left_out)

    def wished() -> tuple[StoryFact, ...]:
        return details() if wishes == story or despairs else turn.details_in(wishes, received)

    return StoryKnowledge(story, cues, rules, received, details, chosen, (wishes, wished), turn.language)


def answers_from_story(turn: Turn, ref: str) -> dict[str, StoryAnswer]:
    """By step, the answers that the story gave already: read back without a question."""
    knowledge = knowledge_of(turn, ref)
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


def answer_text(turn: Turn, answer: StoryAnswer) -> str:
    """The labels of the choices, with the amount; an answer in the story's own words stays as it is.

    A label that says too little without its question ("They agreed") has a text of its own, `answer.<choice>`.
    """
    labels = {
        choice: turn.text(f"answer.{choice}")
        if turn.texts.has(f"answer.{choice}")
        else turn.texts.label(turn.language, choice)
        for choice in answer.choices
    }
    for choice, (written, _, _) in answer.amounts.items():
        labels[choice] = f"{labels[choice]} ({written})"
    return ", ".join([*labels.values(), *([answer.words] if answer.words else [])])


# --- the read-back


def read_back(turn: Turn, ref: str) -> None:
    """Show what was recorded, for signing, with all that people must know before they sign (7.1, B).

    After that, only what changed is shown again.
    """
    implied = answers_from_story(turn, ref)
    details = _details(turn, ref, implied)
    # The state holds no words: the field and the length of each answer show whether it is a new one.
    words = turn.words(ref)
    marks = {
        step: [_version(turn, step) if _version(turn, step) in words else "", len(text)]
        for step, text in details.items()
    }
    earlier = turn.state.get("shown", {})
    turn.state["shown"] = {"ref": ref, **marks}
    changes = (
        [step for step in marks if earlier.get(step) != marks[step]] if earlier.get("ref") == ref else []
    )
    if changes:
        _read_back_changes(turn, ref, {step: details[step] for step in changes}, earlier)
        return
    case, notice = turn.case(ref), turn.rules_of(ref).notice
    lines = [line for step, line in _lines(turn, details).items() if step != "story"]
    missing = [answer.missing for answer in implied.values() if answer.missing]
    lines += [turn.text(f"readback.without_{part}") for part in missing]
    turn.reply(
        "readback.plain" if turn.is_child else "readback",
        ref=ref,
        buttons=(*WISHES, *CHECK) if "wish" in missing else CHECK,
        step="check",
        text=_shorten(details["story"]) or _without_words(turn, ref),
        details="".join(f"\n{line}" for line in lines),
        date=turn.due_day(promised_date(case), case) if case is not None else turn.text("readback.soon"),
        notice=f"\n{turn.text('readback.notice', notice=notice)}" if notice else "",
    )


def _without_words(turn: Turn, ref: str) -> str:
    # Forwarded words are among the details.
    complaint = replace(without_own_words(turn.words(ref), turn.files(ref)), forwarded=())
    return without_words(complaint, turn.text, partial(turn.texts.count, turn.language))


def _read_back_changes(turn: Turn, ref: str, changes: dict[str, str], earlier: dict[str, Any]) -> None:
    lines = _lines(turn, changes)
    version, length = earlier.get("story", ("", 0))
    if "story" in changes and version == _version(turn, "story"):
        added = changes["story"][length:].strip()
        lines["story"] = turn.text("readback.added", text=_shorten(added or changes["story"]))
    text = "\n".join(lines.values())
    turn.reply("readback.changed", ref=ref, buttons=CHECK, step="check", text=text)


def _version(turn: Turn, step: str) -> str:
    return current_field(turn, step) if step in FIELDS else ""


def _details(turn: Turn, ref: str, implied: dict[str, StoryAnswer]) -> dict[str, str]:
    """By step, all that is read back, with what the story implies; "files" is their number."""
    words = turn.words(ref)
    details = {"story": story_text(turn, ref)}
    for step in ORDER:
        text = words.get(current_field(turn, step)) if turn.ref == ref else None
        if text is None and step in implied:
            text = answer_text(turn, implied[step])
        if text:
            details[step] = text
    forwarded = [text for name, text in words.items() if name.split(".")[0] == FORWARDED]
    if forwarded:
        details["forwarded"] = "\n\n".join(forwarded)
    if files := turn.file_count(ref):
        names = ", ".join(recording_names(turn.files(ref), turn.text)) if details["story"] else ""
        line = turn.texts.count(turn.language, "readback.files", files)
        details["files"] = f"{line}: {names}" if names else line
    return details


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
    """Once, halfway to the time at which it is filed unsent."""
    ref = what.removeprefix(REMINDER)
    case = turn.case(ref)
    if case is None or not case.form_open or not case.is_open or case.confirmed_at is not None:
        return
    at = reminder_time(turn, ref, case.last_words_at or case.logged_at)
    if at > turn.now:
        turn.schedule_wake_up(what, at)
    elif turn.step in FORM and turn.ref == ref:
        time = turn.due_time(min(form_ends(case)), case)
        turn.reply("not_sent", ref=ref, time=time, buttons=CHECK if turn.step == "check" else (("send",),))


def reminder_time(turn: Turn, ref: str, last_words: datetime) -> datetime:
    rules = turn.rules_of(ref)
    filed = due(last_words, rules.dialogue.file_abandoned_after, rules.calendar).at
    return last_words + (filed - last_words) / 2


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
        if step in SIGNED and (answer.choices or answer.words):
            facts = {**BY_STEP[step].facts_of_story(answer), "from_story": True}
            record_choice(turn, ref, new_field(turn, ref, step), answer_text(turn, answer), facts)


def answer_question(turn: Turn, case: Case, text: str, *, buttons: Rows) -> None:
    """Say what the record answers to a question, and by when a person answers it."""
    answer = "".join(f"{_known(turn, case, subject)}\n\n" for subject in question_subjects(text))
    by = turn.due_time(question_due(case, turn.now), case)
    turn.reply("question.passed", ref=case.ref, answer=answer, time=by, buttons=buttons)


def _known(turn: Turn, case: Case, subject: str) -> str:
    if subject != "when":
        return turn.text(f"known.{subject}")
    look, date = case.target(Target.LOOK), turn.due_day(promised_date(case), case)
    if look is None or look.met_at is not None or look.promised_due <= turn.now:
        return turn.text("known.answer", date=date)
    return turn.text("known.look", time=turn.due_time(look.promised_due, case), date=date)
