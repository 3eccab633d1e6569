"""The commands, each answered whole from what is at hand (surfaces.md, Telegram)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bots.dialogue import binding, endings, mydata, outside, questions, replies, status
from bots.dialogue.buttons import CANCEL, languages
from bots.dialogue.heard import Command
from bots.dialogue.policy import policy_fields
from bots.dialogue.recording import Message
from bots.dialogue.talk import FORM, IDLE, Talk
from complaints.duties import Lane
from complaints.record import Case
from complaints.references import find_reference, parse_reference
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb
from store.values import Act

#: In the order in which the platform lists them.
COMMANDS = (
    "complain",
    "status",
    "add",
    "how",
    "human",
    "language",
    "withdraw",
    "reopen",
    "policy",
    "mydata",
    "cancel",
    "help",
    "start",
)


def command(talk: Talk, heard: Command) -> None:
    """Do what was commanded; what is no command of ours is answered by the list of those that are."""
    _DO.get(heard.name, _help)(talk, heard)


def _start(talk: Talk, heard: Command) -> None:
    if outside.is_code(heard.argument):
        binding.use(talk, heard.argument)
        return
    country = talk.rulebooks.code(heard.argument)
    if country is not None:
        talk.name_country(country)
    outside.greet(talk)


def _complain(talk: Talk, heard: Command) -> None:
    if heard.argument.strip():
        outside.first_words(talk, Message(heard.argument, heard.source))
        return
    talk.go("fresh")
    talk.say("ask.fresh", buttons=CANCEL)


def _status(talk: Talk, heard: Command) -> None:
    status.say_status(talk, heard.argument)


def _add(talk: Talk, heard: Command) -> None:
    named = find_reference(heard.argument)
    cases = talk.open_cases or list(talk.conversation.cases[:1])
    text = "" if named and parse_reference(heard.argument) == named else heard.argument
    message = Message(text, heard.source)
    if not named and len(cases) > 1:
        if message.has_words:
            outside.heard(talk, message)
        else:
            _which(talk, "add", cases)
        return
    case = talk.case(named) if named else (cases[0] if cases else None)
    if case is None:
        talk.say("status.unknown" if named else "status.none")
    elif message.has_words:
        outside.addition(talk, case.ref, message)
    else:
        talk.go("add", case.ref)
        talk.say("ask.add", ref=case.ref, buttons=CANCEL)


def _withdraw(talk: Talk, heard: Command) -> None:
    _one(talk, heard, talk.open_cases, "withdraw", endings.withdraw)


def _reopen(talk: Talk, heard: Command) -> None:
    closed = [one for one in talk.conversation.cases if not one.is_open]
    _one(talk, heard, closed, "reopen", endings.reopen)


def _one(talk: Talk, heard: Command, cases: list[Case], name: str, do: Callable[[Talk, Case], None]) -> None:
    """The complaint that was named, else the only one there is, else ask for its reference."""
    if heard.argument.strip():
        case = talk.case(parse_reference(heard.argument) or find_reference(heard.argument))
        if case is None:
            talk.say("status.unknown")
        else:
            do(talk, case)
    elif not cases:
        talk.say("status.none")
    elif len(cases) == 1:
        do(talk, cases[0])
    else:
        _which(talk, name, cases)


def _which(talk: Talk, name: str, cases: list[Case]) -> None:
    """Several: each as the command that means it."""
    talk.say("which", refs="\n".join(f"/{name} {one.ref}" for one in cases[:5]))


def _how(talk: Talk, heard: Command) -> None:
    rules = talk.rules_of(talk.open_cases[0].ref if talk.open_cases else None)
    steps = "\n".join(outside_step(talk, rules, step) for step in range(len(rules.recourse)))
    talk.say(
        "how",
        org=rules.organisation,
        levels=talk.texts.count(talk.language, "how.levels", rules.top_level),
        bodies=steps or talk.line("how.no_body"),
        notice=f"\n\n{talk.line('readback.notice', notice=rules.notice)}" if rules.notice else "",
    )


def outside_step(talk: Talk, rules: Rulebook, at: int) -> str:
    """One outside body with all that is needed to go there (7.1, 7.9)."""
    one = rules.recourse[at]
    cost = talk.line("recourse.free" if one.free else "recourse.paid")
    limit = talk.texts.limit(talk.language, one.limit) if one.limit else ""
    until = f" {talk.line('recourse.limit', limit=limit)}" if limit else ""
    contact = f" {one.contact}." if one.contact and not one.contact.endswith(".") else f" {one.contact}"
    return f"{at + 1}. {one.body}.{contact.rstrip()} {cost}{until}"


def _policy(talk: Talk, heard: Command) -> None:
    """The whole policy, with its version: the rules in force, and since when."""
    told = policy_fields(talk.language, talk.here, talk.texts)
    talk.say("policy", buttons=(), lane=Lane.DIALOGUE, **told)


def _language(talk: Talk, heard: Command) -> None:
    wanted = heard.argument.strip().lower()
    if wanted in talk.texts.languages:
        speak(talk, wanted)
        return
    talk.say("ask.language", buttons=languages(talk.texts.languages))


def speak(talk: Talk, language: str) -> None:
    """Go on in another language."""
    if language in talk.texts.languages:
        talk.chosen = language
        talk.state["hinted"] = False
        talk.say("language.set")
        if talk.ref is not None and talk.step in FORM - {"story"} and talk.form_open(talk.ref):
            # What stands was asked in the language before.
            questions.ask(talk, talk.step, talk.ref)


def _human(talk: Talk, heard: Command) -> None:
    replies.human(talk, Message(heard.argument, heard.source))


def _mydata(talk: Talk, heard: Command) -> None:
    mydata.offer(talk)


def cancel(talk: Talk) -> None:
    """End what is being asked: a draft is dropped; a complaint is filed as it stands, and /withdraw named."""
    case = talk.case(talk.ref) if talk.step in FORM else None
    if case is None or not case.form_open:
        case = next((one for one in talk.conversation.cases if one.form_open and one.is_open), None)
    if talk.step not in FORM and talk.step != IDLE:
        talk.go(IDLE)
        talk.say("cancel.dropped")
    elif case is not None:
        talk.act(Act(Verb.END_FORM, case.ref, {"because": "cancel"}))
        talk.go(IDLE)
        talk.say("cancel.filed", ref=case.ref)
    else:
        talk.go(IDLE)
        talk.say("cancel.nothing")


def _cancel(talk: Talk, heard: Command) -> None:
    cancel(talk)


def _help(talk: Talk, heard: Command) -> None:
    lines = [
        f"/{name} {talk.line(f'command.{name}')}" for name in COMMANDS if talk.texts.has(f"command.{name}")
    ]
    talk.say("help", commands="\n".join(lines), number=talk.here.emergency_number)


_DO: Mapping[str, Callable[[Talk, Command], None]] = {
    "start": _start,
    "complain": _complain,
    "status": _status,
    "add": _add,
    "withdraw": _withdraw,
    "reopen": _reopen,
    "human": _human,
    "how": _how,
    "policy": _policy,
    "language": _language,
    "mydata": _mydata,
    "cancel": _cancel,
    "help": _help,
}
