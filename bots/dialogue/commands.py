"""The bot's commands (docs/telegram.md, "Commands"), among them /policy: the complaints policy (5.2, 4.2)."""

from collections.abc import Callable, Mapping

from bots.dialogue import after_decision, form, my_data, new_message, status, survey
from bots.dialogue.buttons import CANCEL
from bots.dialogue.inputs import CommandInput, TextInput
from bots.dialogue.question_table import ORDER
from bots.dialogue.record import ReceivedMessage
from bots.dialogue.turn import COUNTRY, FORM, IDLE, Turn
from bots.texts.phrases import body_list
from bots.texts.texts import Texts
from complaints.case import Case
from complaints.identifiers import find_reference, parse_reference
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Rulebook
from complaints.vocabulary import Verb
from store.values import PlannedAct
from triage.matching import LANGUAGES, fold, lines_of, read_phrases

#: What people type in place of an answer, by its words folded; "I don't know" skips a question.
_TYPED = {
    words: name
    for name in ("cancel", "back", "skip")
    for language in LANGUAGES
    for words in lines_of(read_phrases("intent", language)[name])
}


def run_command(turn: Turn, incoming: CommandInput) -> None:
    """Run a command; an unknown one is answered with the list of commands."""
    _HANDLERS.get(_TYPED.get(incoming.name, incoming.name), _help)(turn, incoming)


def run_typed(turn: Turn, incoming: TextInput) -> bool:
    """Run "Back", "Cancel" or "I don't know", typed in place of an answer in any language; False for other texts."""
    name = _TYPED.get(fold(incoming.text).text.strip(" .!/\n"))
    if name == "back" and turn.ref is not None and turn.step in FORM and turn.is_form_open(turn.ref):
        if turn.step == "change":
            turn.go_to("check", turn.ref)
            form.ask(turn, "check", turn.ref)
        else:
            form.go_back(turn, turn.ref)
    elif name == "skip":
        if turn.step not in ORDER or turn.ref is None:
            return False
        form.skip(turn, turn.ref, turn.step)
    elif name is not None:
        _cancel(turn, CommandInput("cancel", "", incoming.source, incoming.at))
    return name is not None


def policy_fields(language: str, rules: Rulebook, texts: Texts) -> Mapping[str, str]:
    """The fields of the text `policy`, from the rules in force; the bot and the public page both use them."""
    bodies = texts.together(language, [texts.body(language, step.body) for step in rules.recourse])
    notice = texts.text(language, "readback.notice", notice=rules.notice) if rules.notice else ""
    return {
        "org": rules.organisation,
        "levels": texts.count(language, "how.levels", rules.top_level),
        "bodies": bodies or texts.text(language, "how.no_body"),
        "ack": texts.span(language, rules.targets.ack),
        "answer": texts.span(language, rules.targets.legal or rules.targets.by_priority["P4"].decide),
        "version": rules.edition[:8],
        "notice": f"\n\n{notice}" if notice else "",
    }


def time_promise(language: str, rules: Rulebook, texts: Texts) -> str:
    """In a sentence, the times to the acknowledgement and to the answer under these rules."""
    targets, fields = rules.targets, policy_fields(language, rules, texts)
    is_after = targets.legal is None and targets.decide_from == "acknowledged"
    id_ = "page.time.after" if is_after else "page.time"
    return texts.text(language, id_, ack=fields["ack"], answer=fields["answer"])


def set_language(turn: Turn, language: str) -> None:
    if language in turn.texts.languages:
        turn.chosen_language = language
        turn.state["hinted"] = False
        turn.reply("language.set")
        if turn.step != "story":
            # The current question was asked in the previous language.
            form.ask_again(turn)


def _start(turn: Turn, incoming: CommandInput) -> None:
    if new_message.is_code(incoming.argument):
        status.use_code(turn, incoming.argument)
        return
    country = turn.rulebooks.code(incoming.argument)
    if country is not None:
        turn.state[COUNTRY] = country
    new_message.greet(turn)


def _complain(turn: Turn, incoming: CommandInput) -> None:
    if incoming.argument.strip():
        new_message.handle_first_words(turn, _message(incoming))
        return
    turn.go_to("fresh")
    turn.reply("ask.fresh", buttons=CANCEL)


def _message(incoming: CommandInput) -> ReceivedMessage:
    return ReceivedMessage(incoming.argument, incoming.source)


def _add(turn: Turn, incoming: CommandInput) -> None:
    ref = find_reference(incoming.argument)
    cases = turn.open_cases or list(turn.conversation.cases[:1])
    text = "" if ref and parse_reference(incoming.argument) == ref else incoming.argument
    message = ReceivedMessage(text, incoming.source)
    if not ref and len(cases) > 1:
        if message.has_words:
            new_message.handle_message(turn, message)
        else:
            _ask_which(turn, "add", cases)
        return
    case = turn.case(ref) if ref else (cases[0] if cases else None)
    if case is None:
        turn.reply("status.unknown" if ref else "status.none")
    elif message.has_words:
        new_message.record_addition(turn, case.ref, message)
    else:
        turn.go_to("add", case.ref)
        turn.reply("ask.add", ref=case.ref, buttons=CANCEL)


def _withdraw(turn: Turn, incoming: CommandInput) -> None:
    cases = turn.open_cases or list(turn.conversation.cases)
    _run_for_case(turn, incoming, cases, "withdraw", after_decision.ask_withdrawal)


def _reopen(turn: Turn, incoming: CommandInput) -> None:
    closed = [case for case in turn.conversation.cases if not case.is_open]
    _run_for_case(turn, incoming, closed or turn.open_cases, "reopen", after_decision.ask_reopen_reason)


def _run_for_case(
    turn: Turn,
    incoming: CommandInput,
    cases: list[Case],
    name: str,
    action: Callable[[Turn, Case], None],
) -> None:
    """Run the action for the complaint named, or for the only one there is; otherwise ask which."""
    if incoming.argument.strip():
        case = turn.case(parse_reference(incoming.argument) or find_reference(incoming.argument))
        if case is None:
            turn.reply("status.unknown")
        else:
            action(turn, case)
    elif not cases:
        turn.reply("status.none")
    elif len(cases) == 1:
        action(turn, cases[0])
    else:
        _ask_which(turn, name, cases)


def _ask_which(turn: Turn, name: str, cases: list[Case]) -> None:
    turn.reply("which", refs="\n".join(f"/{name} {case.ref}" for case in cases[:5]))


def _how(turn: Turn, incoming: CommandInput) -> None:
    rules = turn.rules_of(turn.open_cases[0].ref if turn.open_cases else None)
    fields = policy_fields(turn.language, rules, turn.texts)
    bodies = body_list(turn.texts, turn.language, rules) or turn.text("how.no_body")
    turn.reply("how", org=fields["org"], levels=fields["levels"], bodies=bodies, notice=fields["notice"])


def _policy(turn: Turn, incoming: CommandInput) -> None:
    fields = policy_fields(turn.language, turn.person_rules, turn.texts)
    turn.reply("policy", buttons=(), lane=SendPriority.DIALOGUE, **fields)


def _language(turn: Turn, incoming: CommandInput) -> None:
    language = incoming.argument.strip().lower()
    if language in turn.texts.languages:
        set_language(turn, language)
        return
    turn.reply("ask.language", buttons=tuple((f"lang_{code}",) for code in turn.texts.languages))


def _cancel(turn: Turn, incoming: CommandInput) -> None:
    """Cancel the current question. A complaint is not dropped but filed as it is; the reply names /withdraw."""
    if survey.end_if_open(turn):
        return
    case = turn.case(turn.ref) if turn.step in FORM else None
    if case is None or not case.form_open:
        cases = turn.conversation.cases
        case = next((case for case in cases if case.form_open and case.is_open), None)
    if turn.step not in FORM and turn.step != IDLE:
        turn.go_to(IDLE)
        turn.reply("cancel.dropped")
    elif case is not None:
        turn.plan(PlannedAct(Verb.END_FORM, case.ref, {"because": "cancel"}))
        turn.go_to(IDLE)
        turn.reply("cancel.filed", ref=case.ref)
    else:
        turn.go_to(IDLE)
        turn.reply("cancel.nothing")


def _help(turn: Turn, incoming: CommandInput) -> None:
    lines = [
        f"/{name} {turn.text(f'command.{name}')}" for name in COMMANDS if turn.texts.has(f"command.{name}")
    ]
    turn.reply("help", commands="\n".join(lines), number=turn.person_rules.emergency_number)


#: In the order in which the platform lists the commands.
_HANDLERS: Mapping[str, Callable[[Turn, CommandInput], None]] = {
    "complain": _complain,
    "status": lambda turn, incoming: status.reply_status(turn, incoming.argument),
    "add": _add,
    "how": _how,
    "human": lambda turn, incoming: after_decision.request_person(turn, _message(incoming)),
    "language": _language,
    "withdraw": _withdraw,
    "reopen": _reopen,
    "policy": _policy,
    "mydata": lambda turn, incoming: my_data.reply_options(turn),
    "cancel": _cancel,
    "help": _help,
    "start": _start,
}
COMMANDS = tuple(_HANDLERS)
