"""One step of the dialogue: from an incoming message to acts and replies (docs/design.md, rule 9).

A flood of messages is recorded completely, one reply confirms it, and prompts wait. The limit is a leaky bucket per
chat, kept in the dialogue state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bots.dialogue import (
    after_decision,
    button_handlers,
    commands,
    danger,
    form,
    my_data,
    new_message,
    survey,
)
from bots.dialogue.buttons import CHECK, SURVEY
from bots.dialogue.inputs import (
    Blocked,
    ButtonInput,
    CommandInput,
    EditInput,
    Elapsed,
    FileInput,
    GroupSeen,
    IncomingMessage,
    TextInput,
    Unblocked,
    Unreadable,
    parse_command,
)
from bots.dialogue.new_message import qualifies
from bots.dialogue.question_table import ORDER
from bots.dialogue.record import ReceivedMessage, add_message, record_edit, record_reachable_again, to_message
from bots.dialogue.turn import FORM, IDLE, Turn
from bots.texts.texts import Texts
from complaints.obligations.kinds import SendPriority
from complaints.times import format_time, parse_time
from store.values import Conversation, DialogueTurn
from triage.intent import says_only

#: By step, what records the words that answer its question.
_RECORDERS: Mapping[str, Callable[[Turn, str, ReceivedMessage], None]] = {
    "question": after_decision.record_question,
    "look_again": after_decision.record_disagreement,
    "reason": after_decision.record_reopen_reason,
    after_decision.REMEDY_FAULT: after_decision.record_remedy_fault,
    my_data.CORRECTION_STEP: my_data.record_correction,
    "add": new_message.record_addition,
}
_TURKISH_LETTERS = frozenset("ğışĞİŞ")
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
    if not isinstance(incoming, Elapsed):
        _count_message(turn)
    _handle(turn, incoming)
    if turn.blocked is False:
        # A person who writes can be written to again (7.3).
        record_reachable_again(turn)
    danger.reply_to_danger(turn)
    after_decision.promise_answer(turn)
    my_data.give_notice(turn)
    if not isinstance(incoming, Elapsed):
        _drop_replies_in_flood(turn)
    return turn.result()


def _handle(turn: Turn, incoming: IncomingMessage) -> None:
    match incoming:
        case TextInput() | FileInput():
            _handle_message(turn, incoming)
        case EditInput():
            _handle_edit(turn, incoming)
        case ButtonInput():
            button_handlers.handle_press(turn, incoming)
        case CommandInput():
            _handle_command(turn, incoming)
        case Elapsed(what=what):
            if what.startswith("burst:"):
                form.end_burst(turn, what)
            elif what.startswith(FLOOD_WAKE_UP):
                _check_flood_end(turn)
        case Blocked():
            turn.blocked = True
        case Unblocked():
            turn.blocked = False
        case Unreadable():
            turn.reply("unreadable")
        case GroupSeen(link=link):
            _handle_group(turn, link)


def _handle_command(turn: Turn, incoming: CommandInput) -> None:
    """Run a command. A story whose first word only looks like a command is a story."""
    turn.blocked = False
    if incoming.name not in commands.COMMANDS and qualifies(incoming.argument):
        text = f"/{incoming.name} {incoming.argument}"
        _handle_message(turn, TextInput(text, incoming.source, incoming.at))
    else:
        commands.run_command(turn, incoming)


def _handle_message(turn: Turn, incoming: TextInput | FileInput) -> None:
    turn.blocked = False
    if isinstance(incoming, TextInput):
        press = button_handlers.press_for_label(turn, incoming.text)
        if press is not None:
            button_handlers.handle_press(turn, press)
            return
        if turn.step not in (IDLE, danger.STEP) and commands.run_typed(turn, incoming):
            return
    _guess_language(turn, incoming)
    message = to_message(incoming)
    if not message.has_words and not message.files:
        turn.reply("unreadable")
        return
    _record_by_step(turn, message)
    if isinstance(incoming, FileInput) and incoming.too_large:
        turn.reply("file.too_large")


def _guess_language(turn: Turn, incoming: TextInput | FileInput) -> None:
    """Until a language is chosen, letters that only Turkish has outweigh the phone's language."""
    text = incoming.text if isinstance(incoming, TextInput) else incoming.caption
    undecided = turn.state.get("hinted") and not turn.conversation.cases
    if undecided and "tr" in turn.texts.languages and _TURKISH_LETTERS & set(text):
        turn.chosen_language = "tr"
        turn.state["hinted"] = False


def _record_by_step(turn: Turn, message: ReceivedMessage) -> None:
    """Record the message where it belongs: the current question, the open form, or outside of both."""
    step, ref = turn.step, turn.ref
    case = turn.case(ref)
    if step == danger.STEP and case is not None:
        add_message(turn, case.ref, new_message.ADDITION, message)
    elif step in FORM and case is not None and case.form_open:
        _handle_form_message(turn, case.ref, message)
    elif step in ("fresh", "human"):
        new_message.handle_first_words(turn, message, kind="human" if step == "human" else None)
    elif case is not None and step in _RECORDERS:
        _RECORDERS[step](turn, case.ref, message)
    elif not survey.take_message(turn, message):
        if step in FORM or step in SURVEY:
            turn.go_to(IDLE)
        if not (after_decision.take_words(turn, message) or after_decision.offer_reopening(turn, message)):
            new_message.handle_message(turn, message)


def _handle_form_message(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    step = turn.step
    is_plain_yes = says_only("affirms", message.text) or says_only("greetings", message.text)
    if step == "story":
        form.continue_story(turn, ref, message)
    elif message.is_place and step != "where":
        form.record_place(turn, ref, message)
        form.ask_again(turn)
    elif step in ORDER and not message.files and not turn.mentions_danger(message.text):
        form.record_answer(turn, ref, message)
    elif step == "check" and not message.files and is_plain_yes:
        turn.reply("check.press", ref=ref, buttons=CHECK)
    else:
        # A file or a call for help is an addition, and the question stays open. Words after the read-back
        # belong to the story.
        field = form.current_field(turn, "story") if step == "check" else new_message.ADDITION
        add_message(turn, ref, field, message)
        if step == "check":
            form.read_back(turn, ref)
        elif not message.files:
            form.ask_again(turn)


def _handle_edit(turn: Turn, incoming: EditInput) -> None:
    source = turn.conversation.find_source(incoming.source)
    if source is None:
        if incoming.text.startswith("/"):
            # A mistyped command was corrected.
            _handle_command(turn, parse_command(incoming.text, incoming.source, incoming.at))
        else:
            _handle_message(turn, TextInput(incoming.text, incoming.source, incoming.at))
        return
    ref, field, seq = source
    case = turn.case(ref)
    if case is None:
        _handle_message(turn, TextInput(incoming.text, incoming.source, incoming.at))
        return
    if f"\n\n{incoming.text}\n\n" in f"\n\n{turn.words(ref).get(field, '')}\n\n":
        # Telegram also reports edits that change no word, for example when a link preview was loaded.
        return
    record_edit(turn, ref, field, seq, incoming.text, incoming.source)
    if case.form_open and turn.ref == ref:
        if turn.step == "check":
            form.read_back(turn, ref)
        elif form.awaits_confirmation(turn):
            # The edit may change the answer that is shown for a Yes.
            form.ask(turn, turn.step, ref)
        return
    turn.reply("edit.noted", ref=ref)


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
    turn.replies[:] = [
        reply
        for reply in turn.replies
        if reply.lane is SendPriority.DANGER
        or (reply.kind != "say" and reply.template != "mydata.receipt")
        or reply.template.startswith(_ALWAYS_SENT)
    ]
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
