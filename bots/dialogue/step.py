"""One step of the dialogue: from an incoming message to acts and replies (docs/design.md, rule 9).

A flood of messages is recorded completely, one reply confirms it, and prompts wait. The limit is a leaky bucket per
chat, kept in the dialogue state.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bots.dialogue import (
    after_decision,
    button_handlers,
    commands,
    danger,
    form,
    form_messages,
    my_data,
    new_message,
    read_back,
    survey,
)
from bots.dialogue.buttons import SURVEY
from bots.dialogue.inputs import (
    MAX_FILE_BYTES,
    Blocked,
    ButtonInput,
    CommandInput,
    EditInput,
    Elapsed,
    FileInput,
    GroupSeen,
    IncomingMessage,
    TextInput,
    Transcript,
    Translation,
    Unblocked,
    Unreadable,
    parse_command,
)
from bots.dialogue.new_message import qualifies
from bots.dialogue.record import (
    ReceivedMessage,
    add_message,
    add_to_album,
    confirm_recording,
    record_edit,
    record_reachable_again,
    record_transcript,
    record_translation,
    remember_album,
    to_message,
)
from bots.dialogue.turn import FORM, IDLE, Turn
from bots.texts.phrases import AUDIBLE
from bots.texts.texts import Texts
from complaints.obligations.kinds import SendPriority
from complaints.times import format_time, parse_time
from store.values import Conversation, DialogueTurn
from triage.matching import LANGUAGES
from triage.safety.language import clear_language, words_of

#: By step, what records the words that answer its question.
_RECORDERS: Mapping[str, Callable[[Turn, str, ReceivedMessage], None]] = {
    "question": after_decision.record_question,
    "look_again": after_decision.record_disagreement,
    "reason": after_decision.record_reopen_reason,
    after_decision.REMEDY_FAULT: after_decision.record_remedy_fault,
    my_data.CORRECTION_STEP: my_data.record_correction,
    "add": new_message.record_addition,
}
#: What no person wrote: it counts for no flood.
_NOT_WRITTEN = Elapsed | Transcript | Translation
#: Replies stop above this level. The bucket has this capacity and drains 0.5 a second: slower than anybody types.
FLOOD_LIMIT, FLOOD_CAPACITY, DRAIN_PER_SECOND = 30.0, 40.0, 0.5
#: Below this level the flood is over, and a later one gets its own notice.
FLOOD_OVER_BELOW = 10.0
FLOOD_WAKE_UP = "calm:"
FLOOD_PAUSE = timedelta(seconds=(FLOOD_CAPACITY - FLOOD_LIMIT) / DRAIN_PER_SECOND)
#: Replies that leave even during a flood: each receipt (it has the reference) and the notice itself.
_ALWAYS_SENT = ("receipt", "flood")


def step(
    conversation: Conversation, incoming: IncomingMessage, *, now: datetime, texts: Texts
) -> DialogueTurn:
    """Compute the turn that follows from one incoming message.

    Pure; never raises for anything that a person can send.
    """
    turn = Turn.begin(conversation, now, texts)
    turn.written_at = getattr(incoming, "at", None)
    if turn.step in SURVEY and not survey.is_running(turn):
        turn.go_to(IDLE)
    if not isinstance(incoming, _NOT_WRITTEN):
        _count_message(turn)
    danger.resume_if_ended(turn)
    _handle(turn, incoming)
    if turn.blocked is False:
        # A person who writes can be written to again (7.3).
        record_reachable_again(turn)
    danger.reply_to_danger(turn)
    after_decision.promise_answer(turn)
    my_data.give_notice(turn)
    if not isinstance(incoming, _NOT_WRITTEN):
        _drop_replies_in_flood(turn)
    return turn.result()


def _handle(turn: Turn, incoming: IncomingMessage) -> None:
    match incoming:
        case TextInput() | FileInput():
            _handle_message(turn, incoming)
        case EditInput():
            _handle_edit(turn, incoming)
        case ButtonInput():
            in_danger = danger.open_case(turn)
            if in_danger is not None and button_handlers.is_of_form(incoming):
                # An old button: nothing is asked and nothing is signed while a danger is open.
                danger.stay(turn, in_danger)
            else:
                button_handlers.handle_press(turn, incoming)
        case CommandInput():
            _handle_command(turn, incoming)
        case Elapsed(what=what):
            _handle_elapsed(turn, what)
        case Transcript():
            record_transcript(turn, incoming)
        case Translation():
            record_translation(turn, incoming)
        case Blocked():
            turn.blocked = True
        case Unblocked():
            turn.blocked = False
        case Unreadable():
            turn.reply("unreadable")
        case GroupSeen(link=link):
            _handle_group(turn, link)


def _handle_elapsed(turn: Turn, what: str) -> None:
    if what.startswith("burst:"):
        form.end_burst(turn, what)
    elif what.startswith(read_back.REMINDER):
        read_back.remind(turn, what)
    elif what.startswith(FLOOD_WAKE_UP):
        _check_flood_end(turn)
    elif what.startswith("file."):
        # The download ended without the file: `file.failed:<ref>` or `file.too_large:<ref>`.
        template, _, ref = what.partition(":")
        turn.reply(template, ref=ref)


def _handle_command(turn: Turn, incoming: CommandInput) -> None:
    """Run a command. A story whose first word only looks like a command is a story."""
    turn.blocked = False
    if incoming.name not in commands.COMMANDS and qualifies(incoming.argument):
        text = f"/{incoming.name} {incoming.argument}"
        _handle_message(turn, TextInput(text, incoming.source, incoming.at))
    else:
        if incoming.name == "complain":
            _detect_language(turn, incoming.argument)
        commands.run_command(turn, incoming)


def _handle_message(turn: Turn, incoming: TextInput | FileInput) -> None:
    turn.blocked = False
    if isinstance(incoming, TextInput) and not incoming.is_forwarded:
        press = button_handlers.press_for_label(turn, incoming.text)
        if press is not None:
            button_handlers.handle_press(turn, press)
            return
        if turn.step not in (IDLE, *danger.STEPS) and commands.run_typed(turn, incoming):
            return
    message = to_message(incoming)
    if not message.is_forwarded:
        _detect_language(turn, message.text)
    if not message.has_words and not message.files:
        turn.reply("unreadable")
        return
    if not add_to_album(turn, message):
        _record_by_step(turn, message)
        remember_album(turn, message)
    if isinstance(incoming, FileInput) and incoming.too_large:
        turn.reply("file.too_large")
    elif isinstance(incoming, FileInput) and incoming.file.kind in AUDIBLE:
        confirm_recording(turn, incoming.file)


def _detect_language(turn: Turn, text: str) -> None:
    """Answer in the language of the first words, unless the person chose another; the phone's counts for short ones.

    A language that the desk does not speak is named once; the replies are then in the desk's first language.
    """
    if not turn.state.get("hinted") or turn.conversation.cases:
        return
    language, is_sure = clear_language(words_of(text), LANGUAGES), True
    if language is None:
        # Imported here: commands start without the language model, and most messages do without it.
        from triage.text import desk_language

        language, is_sure = desk_language(text, turn.texts.languages)
    if language is None:
        return
    turn.state["hinted"] = not is_sure
    if language in turn.texts.languages:
        turn.chosen_language = language
        return
    first = turn.texts.languages[0]
    turn.chosen_language, turn.state["written_in"] = first, language
    for spoken in dict.fromkeys(("en", first)):
        detected = turn.texts.language_name(language, spoken)
        answered_in = turn.texts.language_name(first, spoken)
        turn.reply("language.unsupported", spoken=spoken, detected=detected, answered_in=answered_in)


def _record_by_step(turn: Turn, message: ReceivedMessage) -> None:
    """Record the message where it belongs: the current question, the open form, or outside of both."""
    step, ref = turn.step, turn.ref
    case = turn.case(ref)
    in_danger = danger.open_case(turn)
    if in_danger is not None:
        danger.handle_message(turn, in_danger, message)
    elif step in FORM and case is not None and case.form_open:
        form_messages.handle_form_message(turn, case.ref, message)
    elif step in ("fresh", "human"):
        new_message.handle_first_words(turn, message, kind="human" if step == "human" else None)
    elif case is not None and step in _RECORDERS:
        _RECORDERS[step](turn, case.ref, message)
    elif not survey.take_message(turn, message):
        if step in FORM:
            turn.go_to(IDLE)
        if not (after_decision.take_words(turn, message) or after_decision.offer_reopening(turn, message)):
            new_message.handle_message(turn, message)


def _handle_edit(turn: Turn, incoming: EditInput) -> None:
    source = turn.conversation.find_source(incoming.source)
    case = None if source is None else turn.case(source[0])
    if source is None or case is None:
        if incoming.file is not None:
            _handle_message(turn, FileInput(incoming.file, incoming.text, incoming.source, incoming.at))
        elif source is None and incoming.text.startswith("/"):
            # A mistyped command was corrected.
            _handle_command(turn, parse_command(incoming.text, incoming.source, incoming.at))
        else:
            _handle_message(turn, TextInput(incoming.text, incoming.source, incoming.at))
        return
    ref, field, seq = source
    # The first words of a file that came without a caption, and another file, are additions.
    addition = read_back.current_field(turn, "story") if turn.ref == ref else new_message.ADDITION
    is_other_file = _is_other_file(turn, ref, incoming)
    if is_other_file and incoming.file is not None:
        add_message(turn, ref, addition, ReceivedMessage("", incoming.source, (incoming.file,)))
        if (incoming.file.size or 0) > MAX_FILE_BYTES:
            turn.reply("file.too_large")
    # Telegram also reports edits that change no word, for example when a link preview was loaded.
    earlier = turn.words(ref).get(field, "") if field else ""
    is_new_text = bool(incoming.text) and f"\n\n{incoming.text}\n\n" not in f"\n\n{earlier}\n\n"
    if is_new_text and field:
        record_edit(turn, ref, field, seq, incoming.text, incoming.source)
    elif is_new_text:
        add_message(turn, ref, addition, ReceivedMessage(incoming.text, incoming.source))
    if not is_new_text and not is_other_file:
        return
    if case.form_open and turn.ref == ref:
        if turn.step == "check":
            turn.state.pop("shown", None)
            read_back.read_back(turn, ref)
        return
    turn.reply("edit.noted", ref=ref)


def _is_other_file(turn: Turn, ref: str, incoming: EditInput) -> bool:
    """True when the edit replaced the file of the message: the earlier one is kept, and this one is fetched too."""
    earlier = {file.platform_unique_id for file in turn.conversation.load_files(ref)}
    return incoming.file is not None and incoming.file.platform_unique_id not in earlier


def _handle_group(turn: Turn, link: str) -> None:
    """In a group, only refer to the private chat, at most once an hour: others can read a complaint there."""
    until = turn.state.get("group_until")
    if until is not None and not turn.is_past(until):
        return
    turn.state["group_until"] = format_time(turn.now + timedelta(hours=1))
    turn.reply("group", link=link)


def _count_message(turn: Turn) -> None:
    level = min(FLOOD_CAPACITY, _flood_level(turn) + 1)
    is_notified = bool(turn.state.get("flood", {}).get("told")) and level >= FLOOD_OVER_BELOW
    turn.state["flood"] = {"level": round(level, 3), "at": format_time(turn.now), "told": is_notified}


def _flood_level(turn: Turn) -> float:
    bucket: dict[str, Any] = turn.state.get("flood", {})
    if not bucket:
        return 0.0
    passed = (turn.now - parse_time(bucket["at"])).total_seconds()
    return max(0.0, float(bucket["level"]) - max(0.0, passed) * DRAIN_PER_SECOND)


def _drop_replies_in_flood(turn: Turn) -> None:
    """Above the limit, drop all replies but danger and receipts; once, confirm that everything arrived."""
    if "flood" not in turn.state or _flood_level(turn) <= FLOOD_LIMIT:
        return
    turn.keep_replies(
        lambda reply: (
            reply.lane is SendPriority.DANGER
            or (reply.kind != "say" and reply.template != "mydata.receipt")
            or reply.template.startswith(_ALWAYS_SENT)
        )
    )
    turn.wake_ups.clear()
    if not turn.state["flood"]["told"]:
        turn.state["flood"] = {**turn.state["flood"], "told": True}
        turn.reply("flood")
        turn.schedule_wake_up(f"{FLOOD_WAKE_UP}{turn.state['turn']}", turn.now + FLOOD_PAUSE)


def _check_flood_end(turn: Turn) -> None:
    """When the flood is over, ask the current question of the form again: its prompt was dropped."""
    if _flood_level(turn) > FLOOD_LIMIT:
        turn.schedule_wake_up(f"{FLOOD_WAKE_UP}{turn.state['turn']}", turn.now + FLOOD_PAUSE)
    else:
        form.ask_again(turn)
