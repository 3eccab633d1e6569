"""The complaints policy in the complainant's language (5.2, 4.2): one text for the bot and for the public page.

The commands, each answered whole from what is at hand (docs/surfaces.md, "Telegram").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bots.dialogue import after_decision, codes, form, my_data, new_message, status
from bots.dialogue.buttons import CANCEL, languages
from bots.dialogue.inputs import CommandInput
from bots.dialogue.record import ReceivedMessage
from bots.dialogue.turn import FORM, IDLE, Turn
from bots.texts import Texts
from complaints.case import Case
from complaints.obligations.kinds import SendPriority
from complaints.references import find_reference, parse_reference
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb
from store.values import PlannedAct


def policy_fields(language: str, rules: Rulebook, texts: Texts) -> Mapping[str, str]:
    """What the settings put into the text `policy`, its version among them: the rules in force."""
    bodies = texts.together(language, [one.body for one in rules.recourse])
    notice = texts.say(language, "readback.notice", notice=rules.notice) if rules.notice else ""
    return {
        "org": rules.organisation,
        "levels": texts.count(language, "how.levels", rules.top_level),
        "bodies": bodies or texts.say(language, "how.no_body"),
        "ack": texts.span(language, rules.targets.ack),
        "answer": texts.span(language, rules.targets.legal or rules.targets.by_priority["P4"].decide),
        "version": rules.edition[:8],
        "notice": f"\n\n{notice}" if notice else "",
    }


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


def command(talk: Turn, heard: CommandInput) -> None:
    """Do what was commanded; what is no command of ours is answered by the list of those that are."""
    _DO.get(heard.name, _help)(talk, heard)


def _start(talk: Turn, heard: CommandInput) -> None:
    if new_message.is_code(heard.argument):
        codes.use(talk, heard.argument)
        return
    country = talk.rulebooks.code(heard.argument)
    if country is not None:
        talk.name_country(country)
    new_message.greet(talk)


def _complain(talk: Turn, heard: CommandInput) -> None:
    if heard.argument.strip():
        new_message.first_words(talk, ReceivedMessage(heard.argument, heard.source))
        return
    talk.go("fresh")
    talk.say("ask.fresh", buttons=CANCEL)


def _status(talk: Turn, heard: CommandInput) -> None:
    status.say_status(talk, heard.argument)


def _add(talk: Turn, heard: CommandInput) -> None:
    named = find_reference(heard.argument)
    cases = talk.open_cases or list(talk.conversation.cases[:1])
    text = "" if named and parse_reference(heard.argument) == named else heard.argument
    message = ReceivedMessage(text, heard.source)
    if not named and len(cases) > 1:
        if message.has_words:
            new_message.heard(talk, message)
        else:
            _which(talk, "add", cases)
        return
    case = talk.case(named) if named else (cases[0] if cases else None)
    if case is None:
        talk.say("status.unknown" if named else "status.none")
    elif message.has_words:
        new_message.addition(talk, case.ref, message)
    else:
        talk.go("add", case.ref)
        talk.say("ask.add", ref=case.ref, buttons=CANCEL)


def _withdraw(talk: Turn, heard: CommandInput) -> None:
    _one(talk, heard, talk.open_cases, "withdraw", after_decision.withdraw)


def _reopen(talk: Turn, heard: CommandInput) -> None:
    closed = [one for one in talk.conversation.cases if not one.is_open]
    _one(talk, heard, closed, "reopen", after_decision.reopen)


def _one(
    talk: Turn, heard: CommandInput, cases: list[Case], name: str, do: Callable[[Turn, Case], None]
) -> None:
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


def _which(talk: Turn, name: str, cases: list[Case]) -> None:
    """Several: each as the command that means it."""
    talk.say("which", refs="\n".join(f"/{name} {one.ref}" for one in cases[:5]))


def _how(talk: Turn, heard: CommandInput) -> None:
    rules = talk.rules_of(talk.open_cases[0].ref if talk.open_cases else None)
    steps = "\n".join(outside_step(talk, rules, step) for step in range(len(rules.recourse)))
    talk.say(
        "how",
        org=rules.organisation,
        levels=talk.texts.count(talk.language, "how.levels", rules.top_level),
        bodies=steps or talk.line("how.no_body"),
        notice=f"\n\n{talk.line('readback.notice', notice=rules.notice)}" if rules.notice else "",
    )


def outside_step(talk: Turn, rules: Rulebook, at: int) -> str:
    """One outside body with all that is needed to go there (7.1, 7.9)."""
    one = rules.recourse[at]
    cost = talk.line("recourse.free" if one.free else "recourse.paid")
    limit = talk.texts.limit(talk.language, one.limit) if one.limit else ""
    until = f" {talk.line('recourse.limit', limit=limit)}" if limit else ""
    contact = f" {one.contact}." if one.contact and not one.contact.endswith(".") else f" {one.contact}"
    return f"{at + 1}. {one.body}.{contact.rstrip()} {cost}{until}"


def _policy(talk: Turn, heard: CommandInput) -> None:
    """The whole policy, with its version: the rules in force, and since when."""
    told = policy_fields(talk.language, talk.here, talk.texts)
    talk.say("policy", buttons=(), lane=SendPriority.DIALOGUE, **told)


def _language(talk: Turn, heard: CommandInput) -> None:
    wanted = heard.argument.strip().lower()
    if wanted in talk.texts.languages:
        speak(talk, wanted)
        return
    talk.say("ask.language", buttons=languages(talk.texts.languages))


def speak(talk: Turn, language: str) -> None:
    """Go on in another language."""
    if language in talk.texts.languages:
        talk.chosen = language
        talk.state["hinted"] = False
        talk.say("language.set")
        if talk.ref is not None and talk.step in FORM - {"story"} and talk.form_open(talk.ref):
            # What stands was asked in the language before.
            form.ask(talk, talk.step, talk.ref)


def _human(talk: Turn, heard: CommandInput) -> None:
    after_decision.human(talk, ReceivedMessage(heard.argument, heard.source))


def _mydata(talk: Turn, heard: CommandInput) -> None:
    my_data.offer(talk)


def cancel(talk: Turn) -> None:
    """End what is being asked: a draft is dropped; a complaint is filed as it stands, and /withdraw named."""
    case = talk.case(talk.ref) if talk.step in FORM else None
    if case is None or not case.form_open:
        case = next((one for one in talk.conversation.cases if one.form_open and one.is_open), None)
    if talk.step not in FORM and talk.step != IDLE:
        talk.go(IDLE)
        talk.say("cancel.dropped")
    elif case is not None:
        talk.act(PlannedAct(Verb.END_FORM, case.ref, {"because": "cancel"}))
        talk.go(IDLE)
        talk.say("cancel.filed", ref=case.ref)
    else:
        talk.go(IDLE)
        talk.say("cancel.nothing")


def _cancel(talk: Turn, heard: CommandInput) -> None:
    cancel(talk)


def _help(talk: Turn, heard: CommandInput) -> None:
    lines = [
        f"/{name} {talk.line(f'command.{name}')}" for name in COMMANDS if talk.texts.has(f"command.{name}")
    ]
    talk.say("help", commands="\n".join(lines), number=talk.here.emergency_number)


_DO: Mapping[str, Callable[[Turn, CommandInput], None]] = {
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
