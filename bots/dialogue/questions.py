"""The questions of the form in their order, and the read-back at its end (iso10002.md section 6, B)."""

from __future__ import annotations

from datetime import datetime

from bots.dialogue import already_told
from bots.dialogue.buttons import CHANGES, CHECK, DONE, HELP, SKIP, WHOM
from bots.dialogue.recording import DESCRIPTION, Message, add, choose
from bots.dialogue.talk import IDLE, Talk
from complaints.record import Case
from complaints.vocabulary import Target
from complaints.worktime import due

#: Steps that are questions, in order; `whom` is asked only on a sign in the story.
ORDER = ("whom", "where", "help")
FIELDS = {"story": DESCRIPTION, "whom": "for_whom", "where": "where_and_when", "help": "remedy_requested"}
#: A read-back longer than this is shortened; the whole is in the record.
MOST_SHOWN = 1800


def start(talk: Talk, ref: str) -> None:
    """The first answer: the short receipt, at once; the rest of the burst is the same story (7.2)."""
    talk.go("story", ref, fields={"story": DESCRIPTION}, done=[], burst=0, told={})
    talk.say("receipt", key=f"receipt:{ref}", ref=ref, buttons=DONE)
    wait_for_more(talk, ref)


def wait_for_more(talk: Talk, ref: str) -> None:
    """The next question leaves 20 s after the last message of the story, asked once."""
    talk.state["burst"] = int(talk.state.get("burst", 0)) + 1
    talk.wake(f"burst:{ref}:{talk.state['burst']}", talk.burst_ends())


def story_goes_on(talk: Talk, ref: str, message: Message) -> None:
    """One more message of the burst; it is answered by silence."""
    add(talk, ref, _field(talk, "story"), message)
    wait_for_more(talk, ref)


def burst_over(talk: Talk, what: str) -> None:
    """Twenty seconds passed: go on, if nothing was said since and the form still stands."""
    _, ref, burst = what.split(":")
    if talk.step == "story" and talk.ref == ref and talk.state.get("burst") == int(burst):
        if talk.form_open(ref):
            ask_next(talk, ref)
        else:
            talk.go(IDLE)


def ask_next(talk: Talk, ref: str) -> None:
    """Ask what is not told yet, or read back."""
    story = story_of(talk, ref)
    told = dict(talk.state.get("told", {}))
    done = list(talk.state.get("done", []))
    if "where" not in done and already_told.where_and_when(story):
        done.append("where")
    if "help" not in done:
        wish = already_told.remedy(story)
        if wish is not None:
            told["help"] = wish
            done.append("help")
    if "whom" not in done and not already_told.for_another(story):
        done.append("whom")
    talk.state.update(told=told, done=done)
    following = next((step for step in ORDER if step not in done), "check")
    talk.go(following, ref)
    ask(talk, following, ref)


def ask(talk: Talk, step: str, ref: str) -> None:
    """Put the question of this step."""
    match step:
        case "whom":
            talk.say("ask.whom", ref=ref, buttons=WHOM)
        case "where":
            talk.say("ask.where", ref=ref, buttons=SKIP)
        case "help":
            talk.say("ask.help", ref=ref, buttons=HELP)
        case "check":
            read_back(talk, ref)
        case "change":
            talk.say("ask.change", ref=ref, buttons=CHANGES)


def answered(talk: Talk, ref: str, message: Message) -> None:
    """Words that answer the question that stands; the next one leaves at once."""
    step = talk.step
    add(talk, ref, _new_field(talk, ref, step), message)
    _done(talk, step)
    ask_next(talk, ref)


def chosen(talk: Talk, ref: str, step: str, choice: str) -> None:
    """A button that answers a question; late, it is an addition."""
    label = talk.texts.label(talk.language, choice)
    if talk.step != step and talk.told(ref).get(_field(talk, step)) == label:
        # The same press once more: an app that lost our answer repeats it under a new id.
        return
    choose(talk, ref, _new_field(talk, ref, step), choice)
    if talk.form_open(ref) and talk.ref == ref:
        _done(talk, step)
        ask_next(talk, ref)
    else:
        talk.say("added", ref=ref)


def skipped(talk: Talk, ref: str, step: str) -> None:
    """Nothing need be answered."""
    if talk.step == step and talk.ref == ref and talk.form_open(ref):
        _done(talk, step)
        ask_next(talk, ref)


def _done(talk: Talk, step: str) -> None:
    talk.state["done"] = [*talk.state.get("done", []), step]
    told = dict(talk.state.get("told", {}))
    told.pop(step, None)
    talk.state["told"] = told


def change(talk: Talk, ref: str, step: str) -> None:
    """Answer one thing anew; what was said stands in the record."""
    done = [one for one in talk.state.get("done", []) if one != step]
    if step == "story":
        _new_field(talk, ref, "story")
        talk.go("story", ref)
        talk.say("ask.story_again", ref=ref, buttons=DONE)
        return
    talk.go(step, ref, done=done)
    ask(talk, step, ref)


def story_of(talk: Talk, ref: str) -> str:
    """The story as it stands, message by message, edits included."""
    told = talk.told(ref)
    field = _field(talk, "story") if talk.ref == ref else DESCRIPTION
    # "Change", "The story" and then Done without a word: the story stands as it was.
    return told.get(field) or told.get(talk.newest_version(DESCRIPTION, ref), "")


def field_now(talk: Talk) -> str:
    """The field of the story as it stands."""
    return _field(talk, "story")


def _field(talk: Talk, step: str) -> str:
    """The field that holds what was told at this step last."""
    name: str = talk.state.get("fields", {}).get(step, FIELDS[step])
    return name


def _new_field(talk: Talk, ref: str, step: str) -> str:
    """A field of its own for what is told anew at this step."""
    name = talk.new_version(FIELDS[step], ref)
    if talk.ref == ref:
        talk.state["fields"] = {**talk.state.get("fields", {}), step: name}
    return name


def read_back(talk: Talk, ref: str) -> None:
    """What was written down, to be signed; it carries everything that must be known before (7.1, B)."""
    case = talk.case(ref)
    talk.say(
        "readback",
        ref=ref,
        buttons=CHECK,
        step="check",
        text=shortened(story_of(talk, ref)) or talk.line("readback.no_words"),
        details="".join(f"\n{one}" for one in _details(talk, ref)),
        date=talk.day(promised(case)) if case is not None else talk.line("readback.soon"),
        notice=f"\n{talk.line('readback.notice', notice=talk.rules.notice)}" if talk.rules.notice else "",
    )


def _details(talk: Talk, ref: str) -> list[str]:
    told = talk.told(ref)
    lines = []
    for step in ORDER:
        text = told.get(_field(talk, step)) if talk.ref == ref else None
        wish = talk.state.get("told", {}).get(step)
        if text is None and wish:
            text = talk.texts.label(talk.language, wish)
        if text:
            lines.append(talk.line(f"readback.{step}", text=shortened(text, 400)))
    files = talk.files(ref)
    if files:
        lines.append(talk.texts.count(talk.language, "readback.files", files))
    return lines


def promised(case: Case) -> datetime:
    """The one date that is promised outside: the legal one where there is one, else P4's."""
    target = case.target(Target.DECIDE)
    return target.promised_due if target is not None else case.received_at


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """The text, cut where it is too long to be read back whole."""
    return text if len(text) <= most else f"{text[:most].rstrip()} […]"


def filed_at(case: Case) -> datetime:
    """When the form is filed as it stands."""
    dialogue, calendar = case.rules.dialogue, case.rules.calendar
    silent = due(case.last_words_at or case.logged_at, dialogue.file_abandoned_after, calendar).at
    return min(silent, due(case.logged_at, dialogue.file_abandoned_at_latest, calendar).at)
