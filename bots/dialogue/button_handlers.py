"""What each button does; a typed label is the same press (docs/surfaces.md: text is always accepted)."""

from __future__ import annotations

from bots.dialogue import (
    after_decision,
    commands,
    danger,
    form,
    incident,
    my_data,
    new_message,
    question_table,
)
from bots.dialogue.buttons import SCORES, SURVEY
from bots.dialogue.inputs import ButtonInput
from bots.dialogue.turn import FORM, IDLE, Turn
from complaints.case import Case
from complaints.vocabulary import Verb
from store.values import PlannedAct

_DATA = {"export": my_data.export, "correct_data": my_data.correct, "erase_data": my_data.erase}
_CHANGED = {"story": "story", "where_and_when": "where", "what_would_help": "help"}
#: Where Send stands under all that was told.
_READ_BACK = frozenset({"check", "change"})


def press(talk: Turn, heard: ButtonInput) -> None:
    """Do what the button says. One that no longer fits is answered, never guessed at."""
    choice = heard.choice
    case = talk.case(heard.ref)
    if choice.startswith("lang_"):
        commands.speak(talk, choice.removeprefix("lang_"))
    elif choice == "cancel":
        _cancel(talk)
    elif choice in ("new", "add"):
        new_message.belongs(talk, choice, heard.ref, heard.turn)
    elif choice in _DATA:
        _DATA[choice](talk)
    elif case is None:
        talk.say("status.unknown")
    elif heard.step == incident.STEP:
        incident.answered(talk, case, choice, form.ask_next)
    elif heard.step in SURVEY and choice in (*SCORES, "skip"):
        after_decision.scored(talk, case.ref, heard.step, choice)
    elif choice in ("accept", "disagree", "question"):
        {
            "accept": after_decision.accept,
            "disagree": after_decision.disagree,
            "question": after_decision.question,
        }[choice](talk, case)
    elif choice in ("yes", "no") and heard.step not in question_table.BY_STEP:
        number = after_decision.number_of(heard.step)
        if number is not None:
            after_decision.checked(talk, case, number, yes=choice == "yes")
        else:
            after_decision.sure(talk, case, yes=choice == "yes")
    elif choice == "insist":
        new_message.insist(talk, case)
    elif choice == "safe":
        _safe(talk, case)
    else:
        _form(talk, case, heard)


def _form(talk: Turn, case: Case, heard: ButtonInput) -> None:
    choice, ref = heard.choice, case.ref
    answers = question_table.step_of(choice, heard.step)
    if heard.step in question_table.CONFIRMED and choice in ("yes", "no", "change"):
        _is_that_right(talk, case, heard.step, yes=choice == "yes")
    elif choice == "done":
        if talk.step == "story" and talk.ref == ref and talk.form_open(ref):
            form.ask_next(talk, ref)
        elif heard.step == talk.step and talk.ref == ref and talk.form_open(ref):
            # Typed when the question had just overtaken it: no answer, and it tells nobody where it happened.
            form.ask(talk, talk.step, ref)
    elif answers is not None:
        form.chosen(talk, ref, answers, choice)
    elif choice == "skip":
        form.skipped(talk, ref, heard.step)
    elif choice == "send":
        _send(talk, case)
    elif choice == "not_yet":
        _not_yet(talk, case)
    elif choice == "change":
        _take_up(talk, case)
        talk.go("change", ref)
        form.ask(talk, "change", ref)
    elif choice in _CHANGED:
        _take_up(talk, case)
        _change(talk, case, _CHANGED[choice])


def _is_that_right(talk: Turn, case: Case, step: str, *, yes: bool) -> None:
    """The answer to what the story told already."""
    if yes:
        form.confirmed(talk, case.ref, step)
    else:
        _take_up(talk, case)
        _change(talk, case, step)


def _take_up(talk: Turn, case: Case) -> None:
    """Make this the complaint that is talked about: an old button may belong to an earlier one."""
    if talk.ref != case.ref:
        fields = {step: talk.newest_version(name, case.ref) for step, name in form.FIELDS.items()}
        talk.state.update(fields=fields, chosen={}, done=list(question_table.ORDER))


def _change(talk: Turn, case: Case, step: str) -> None:
    if case.form_open:
        form.change(talk, case.ref, step)
    else:
        # The form has ended: what is changed now is an addition (docs/design.md, "When the form ends").
        talk.go("add", case.ref)
        talk.say("ask.add", ref=case.ref)


def _send(talk: Turn, case: Case) -> None:
    """The signature (B). The acknowledgement that follows is the answer, unless it went out before."""
    if case.confirmed_at is not None:
        talk.say("sent.before", ref=case.ref)
    elif not talk.possible(case, Verb.CONFIRM):
        talk.say("closed_already", ref=case.ref)
    elif talk.ref == case.ref and case.form_open and talk.step in FORM - _READ_BACK:
        # The button stands under an earlier reading; nobody signs words that were not read back.
        talk.go("check", case.ref)
        form.read_back(talk, case.ref)
    else:
        talk.act(PlannedAct(Verb.CONFIRM, case.ref, form.signed(talk, case.ref)))
        if not case.form_open:
            talk.say("sent.late", ref=case.ref)
    if talk.ref == case.ref and talk.step in FORM:
        talk.go(IDLE)


def _not_yet(talk: Turn, case: Case) -> None:
    if case.form_open:
        talk.say("not_yet", ref=case.ref, time=talk.moment(form.filed_at(case), case))
    else:
        talk.say("not_yet.filed", ref=case.ref)


def _cancel(talk: Turn) -> None:
    """The button drops the question it stands under, never a complaint."""
    if talk.step == "change" and talk.ref is not None and talk.form_open(talk.ref):
        talk.go("check", talk.ref)
        form.read_back(talk, talk.ref)
    elif talk.step not in FORM and talk.step not in (IDLE, danger.STEP):
        talk.go(IDLE)
        talk.say("cancel.dropped")


def _safe(talk: Turn, case: Case) -> None:
    """I am safe, continue: back to where the danger broke in."""
    if talk.step != danger.STEP:
        return
    step = danger.leave(talk)
    if talk.ref is not None and step in FORM and talk.form_open(talk.ref):
        if step == "story":
            form.ask_next(talk, talk.ref)
        else:
            form.ask(talk, step, talk.ref)
        return
    talk.go(IDLE)
    talk.say("safe.noted", ref=case.ref)
