"""Messages outside the form: a new complaint, an addition to an open one, or only a greeting
(docs/surfaces.md, "Telegram").

In doubt a first message is a complaint (docs/subsystems/intake.md, "When a complaint exists"). Later ones are added
to the newest open complaint. Only where one clearly is another matter, or several complaints are open, the person is
asked, once per burst of messages; "New complaint" then opens a record with the same words. A person who insists that
a matter closed as "not a complaint" is one gets it reopened (clause 3).
"""

import re
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from bots.dialogue import form, read_back, status
from bots.dialogue.buttons import INSIST, SURVEY, Rows
from bots.dialogue.record import (
    ReceivedMessage,
    add_message,
    find_numbers,
    is_waiting_for_complainant,
    receive,
    reply_added,
)
from bots.dialogue.turn import IDLE, Turn
from complaints.actions.intake import FORWARDED, THANKS, message_facts
from complaints.case import Case
from complaints.deadlines.working_time import due
from complaints.identifiers import find_reference
from complaints.times import format_time
from complaints.vocabulary import UNDECIDED, CloseCode, Verb
from store.values import PlannedAct, ReceivedFile
from triage.intent import dissatisfaction, find_cues, says_only
from triage.matching import fold
from triage.message_kind import MessageKind, classify_message, question_subjects

ADDITION = "addition"
INSISTENCE = "reopen_reason"
#: How long after the closing letter words of complaint reopen that matter, if no other complaint is open.
INSISTENCE_PERIOD = timedelta(days=30)
#: How many bursts can still get an answer to "New complaint, or an addition?". Older ones stay additions.
MAX_BURSTS = 5
MAX_OFFERED_CASES = 3

_CODE = re.compile(r"\d{8}", re.ASCII)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_WITHOUT_SPACES = re.compile(r"[぀-ヿ㐀-鿿가-힯฀-๿]")


def handle_message(turn: Turn, message: ReceivedMessage) -> None:
    """Handle a message that answers no question of the dialogue."""
    is_only_code = is_code(message.text) and not message.files
    if is_only_code and status.use_code(turn, message.text, may_be_words=bool(turn.open_cases)):
        return
    case = named_case(turn, message)
    if case is not None and _insists(turn, case, message):
        _reopen_with_message(turn, case, message)
    elif case is not None:
        _add(turn, message, case)
    elif not turn.open_cases:
        if not _reopen_if_insisted(turn, message):
            handle_first_words(turn, message)
    elif _is_new_danger(turn, message):
        start_complaint(turn, message)
    elif not message.files and (says_only("greetings", message.text) or _only_thanks(turn, message.text)):
        ref = turn.open_cases[0].ref
        if not says_only("greetings", message.text):
            add_message(turn, ref, ADDITION, message, kind=THANKS)
        turn.reply("greeting.open", ref=ref)
    else:
        _add(turn, message)


def handle_first_words(turn: Turn, message: ReceivedMessage, *, kind: str | None = None) -> None:
    """A message with no complaint that it could belong to: open one, or explain how to complain."""
    is_danger = turn.mentions_danger(message.text)
    is_thanks = bool(turn.conversation.cases) and not is_danger and _only_thanks(turn, message.text)
    if message.may_be_evidence or is_danger or (qualifies(message.text) and not is_thanks):
        start_complaint(turn, message, kind=kind)
    elif is_thanks or says_only("greetings", message.text):
        if turn.conversation.cases:
            turn.reply("greeting.closed")
        else:
            greet(turn)
    elif is_code(message.text):
        status.use_code(turn, message.text)
    else:
        turn.reply("hint")


def start_complaint(turn: Turn, message: ReceivedMessage, *, kind: str | None = None) -> None:
    form.start(turn, receive(turn, message, kind=kind))


def greet(turn: Turn) -> None:
    """Introduce the desk: whose it is, that people decide, and the emergency number."""
    turn.reply("start", org=turn.person_rules.organisation, number=turn.person_rules.emergency_number)
    if turn.rulebooks.are_several:
        turn.reply("start.country", country=turn.texts.country(turn.language, turn.rules.country))


def record_addition(turn: Turn, ref: str, message: ReceivedMessage) -> None:
    """Record the message that was announced by /add."""
    add_message(turn, ref, ADDITION, message)
    turn.go_to(IDLE)
    reply_added(turn, ref)
    open_burst(turn, ref, in_question=False)


def qualifies(text: str) -> bool:
    """True for two words or more that are not a greeting: a plain rule, never the model."""
    return len(words_in(text)) >= 2 and not says_only("greetings", text)


def words_in(text: str) -> list[str]:
    """The words of a text; in scripts without spaces each character counts as a word."""
    return _WORD.findall(text) + _WITHOUT_SPACES.findall(text)


def is_code(text: str) -> bool:
    """True for text that looks like a linking code, which connects a chat to a complaint logged by staff."""
    return bool(_CODE.fullmatch(text.strip()))


# --- which complaint a message belongs to


def named_case(turn: Turn, message: ReceivedMessage) -> Case | None:
    """The complaint that the message mentions, or the only one for which staff wait for an answer."""
    waiting = _waiting_cases(turn)
    return mentioned_case(turn, message) or (waiting[0] if len(waiting) == 1 else None)


def mentioned_case(turn: Turn, message: ReceivedMessage) -> Case | None:
    """The complaint that the message quotes or names."""
    quoted = turn.conversation.find_source(message.reply_to) if message.reply_to else None
    replied_to = (
        turn.conversation.find_ref_of_message(message.reply_to)
        if message.reply_to and quoted is None
        else None
    )
    named = find_reference(message.text) if message.text else None
    return turn.case(quoted[0] if quoted else replied_to or named)


def _waiting_cases(turn: Turn) -> list[Case]:
    return [case for case in turn.open_cases if is_waiting_for_complainant(case)]


def _is_new_danger(turn: Turn, message: ReceivedMessage) -> bool:
    """A new danger is a complaint of its own, unless the newest complaint is already about one."""
    newest = turn.open_cases[0]
    return turn.mentions_danger(message.text) and newest.alarm is None


def _add(turn: Turn, message: ReceivedMessage, named: Case | None = None) -> None:
    """Add a message to the complaint that it names, or to an open one; ask only where it is unclear to which."""
    burst, waiting = current_burst(turn), [] if named else _waiting_cases(turn)
    ref = named.ref if named else burst["ref"] if burst else (waiting or turn.open_cases)[0].ref
    is_free = not named and not waiting
    # Only a message that is not an answer to staff is weighed: that may ask the encoder.
    act = turn.act_of(message.text, _state(turn, ref)) if is_free else None
    asks = act is not None and (act.asks or message.text.rstrip().endswith(("?", "？", "؟")))
    # What the organisation knows, such as a price, is not in the record.
    if act and asks and act.kind != "ask_fact" and _is_answered(turn, message):
        add_message(turn, ref, "question", message, kind="question")
        read_back.answer_question(turn, turn.open_cases[0], message.text, buttons=())
        return
    is_other = is_free and is_other_matter(turn, ref, message.text)
    if burst is None or burst["ref"] != ref or (is_other and not burst["asked"]):
        is_unclear = is_other or (not named and len(turn.open_cases) > 1)
        burst = open_burst(turn, ref, in_question=is_unclear)
        buttons = _choices(turn, ref, waiting) if is_unclear else ()
        if waiting:
            # Staff wait for several answers; only the person knows which one this is.
            turn.reply("ask.answers_which", ref=ref, buttons=buttons, step="belongs")
        elif named and _is_not_complaint(named):
            turn.reply("added.not_complaint", ref=ref, buttons=INSIST)
        else:
            reply_added(turn, ref, asks=asks, buttons=buttons)
    kind, extra = "question" if asks else None, {"aside": True} if waiting else None
    add_message(turn, ref, burst["field"], message, kind=kind, extra=extra)
    burst["until"] = format_time(turn.burst_end())
    burst["files"] += [asdict(file) | {"name": None} for file in message.files]
    burst["forwarded"] = message.is_forwarded and burst.get("forwarded", True)
    burst["place"] = message.is_place and burst.get("place", True)


def is_other_matter(turn: Turn, ref: str, text: str) -> bool:
    """True for words that clearly are not about this complaint: only then the person is asked.

    They are likely about another matter (`triage.reader.acts`), they announce one and complain, or they name another
    order or contract.
    """
    kind = classify_message(text, default=MessageKind.ADDITION)
    announces = kind is MessageKind.NEW_MATTER and bool(dissatisfaction(text))
    words = " ".join(words for field, words in turn.words(ref).items() if field not in SURVEY)
    own, new = (set(find_numbers(turn, ref, part)) for part in (words, text))
    names_other = {number.kind for number in own} & {number.kind for number in new} and not own & new
    is_numbered = bool(names_other) and kind in (MessageKind.ADDITION, MessageKind.NEW_MATTER)
    return announces or is_numbered or turn.act_of(text, _state(turn, ref)).is_other


def _state(turn: Turn, ref: str) -> str:
    """The moment of a complaint in which a message comes (`triage.reader.acts`)."""
    case = turn.case(ref)
    return "after" if case is None or case.state in UNDECIDED else "decision"


def _only_thanks(turn: Turn, text: str) -> bool:
    """True for thanks and praise, and nothing that needs an answer."""
    act = turn.act_of(text, _state(turn, turn.conversation.cases[0].ref))
    is_thanks = act.is_sure and act.kind in ("thanks", "praise")
    return is_thanks and "?" not in text and not dissatisfaction(text)


def word_stems(text: str) -> set[str]:
    """The beginnings of the longer words, because Turkish and German words have endings."""
    return {word[:5] for word in words_in(fold(text).text) if len(word) >= 5}


def _is_answered(turn: Turn, message: ReceivedMessage) -> bool:
    """True if the record answers the question: one complaint, whose answer is still to come and not late."""
    case = turn.open_cases[0]
    is_clear = len(turn.open_cases) == 1 and not message.files and case.state in UNDECIDED
    return is_clear and read_back.promised_date(case) > turn.now and bool(question_subjects(message.text))


def add_and_offer(turn: Turn, ref: str, message: ReceivedMessage, template: str, buttons: Rows) -> None:
    """Add a message to a complaint and offer these buttons, once in a burst of messages."""
    burst = current_burst(turn)
    if burst is None or (burst["ref"], burst.get("offer")) != (ref, template):
        turn.reply(template, ref=ref, buttons=buttons, step="belongs")
        burst = open_burst(turn, ref, in_question=True)
        burst["offer"] = template
    add_message(turn, ref, burst["field"], message)
    burst["until"] = format_time(turn.burst_end())


def _choices(turn: Turn, ref: str, waiting: list[Case]) -> Rows:
    others = [case.ref for case in (*waiting, *turn.open_cases) if case.ref != ref]
    offered = list(dict.fromkeys(others))[: MAX_OFFERED_CASES - 1]
    return (("new",), *((f"add:{choice_ref}",) for choice_ref in (ref, *offered)))


def choose_complaint(turn: Turn, choice: str, ref: str | None, turn_number: int | None) -> None:
    """The answer to "New complaint, or an addition?".

    `turn_number` is the turn that asked; None means the last question. A second press finds the question
    answered: it only confirms again where the words are, or does nothing.
    """
    burst = close_burst(turn, turn_number)
    if choice == "new":
        if burst is not None:
            _start_from_burst(turn, _burst_message(turn, burst))
    elif ref is not None and turn.case(ref) is not None:
        if burst is not None and ref != burst["ref"]:
            add_message(turn, ref, turn.next_field(ADDITION, ref), _burst_message(turn, burst))
        elif burst is not None and is_waiting_for_complainant(turn.case(ref)):
            # The words are recorded already; only now is it clear that they are the answer staff wait for.
            facts = message_facts(field=ADDITION, has_words=False, source=f"belongs:{burst['turn']}")
            turn.plan(PlannedAct(Verb.ANSWER, ref, facts))
        reply_added(turn, ref)


def close_burst(turn: Turn, turn_number: int | None) -> dict[str, Any] | None:
    """End the burst that this turn asked about, None being the last; None if its question has an answer already."""
    in_question = [burst for burst in turn.state.get("bursts", []) if burst["asked"]]
    burst = next((burst for burst in reversed(in_question) if turn_number in (None, burst["turn"])), None)
    if burst is not None:
        burst["asked"] = False
        burst["until"] = format_time(turn.now)
    return burst


def _start_from_burst(turn: Turn, message: ReceivedMessage) -> None:
    if message.has_words or message.may_be_evidence:
        start_complaint(turn, message)
    else:
        turn.go_to("fresh")
        turn.reply("ask.fresh")


def _burst_message(turn: Turn, burst: dict[str, Any]) -> ReceivedMessage:
    """The messages of a burst as one message. The text comes from the record: the state holds no words."""
    files = tuple(ReceivedFile(**file) for file in burst["files"])
    words = turn.words(burst["ref"]) if turn.case(burst["ref"]) is not None else {}
    text, is_place = words.get(burst["field"], ""), burst.get("place", False)
    if burst.get("forwarded"):
        text = words.get(turn.latest_field(FORWARDED, burst["ref"]), "")
    source, is_forwarded = f"belongs:{burst['turn']}", burst.get("forwarded", False)
    return ReceivedMessage(text, source, files, is_place=is_place, is_forwarded=is_forwarded)


def current_burst(turn: Turn) -> dict[str, Any] | None:
    bursts = turn.state.get("bursts", [])
    return bursts[-1] if bursts and not turn.is_past(bursts[-1]["until"]) else None


def open_burst(turn: Turn, ref: str, *, in_question: bool) -> dict[str, Any]:
    burst: dict[str, Any] = {
        "turn": turn.state["turn"],
        "ref": ref,
        "until": format_time(turn.burst_end()),
        "field": turn.next_field(ADDITION, ref),
        "files": [],
        "asked": in_question,
    }
    turn.state["bursts"] = [*turn.state.get("bursts", []), burst][-MAX_BURSTS:]
    return burst


# --- insisting: a matter closed as "not a complaint" is reopened as one


def restorable_case(turn: Turn) -> Case | None:
    """The newest matter that was closed as "not a complaint" and can still be reopened by its person."""
    return next((case for case in turn.conversation.cases if _is_restorable(turn, case)), None)


def reopen_by_button(turn: Turn, case: Case) -> None:
    """The button "It is a complaint"."""
    if case.is_open:
        turn.reply("reopen.open", ref=case.ref)
    elif not _is_not_complaint(case):
        turn.reply("reply.closed", ref=case.ref)
    elif not within_reopen_window(turn, case):
        turn.reply("reopen.late", ref=case.ref)
    else:
        _reopen(turn, case, turn.texts.label(turn.language, "insist"))


def _is_not_complaint(case: Case) -> bool:
    return case.close_code is CloseCode.NOT_COMPLAINT and not case.is_open


def _is_restorable(turn: Turn, case: Case) -> bool:
    return _is_not_complaint(case) and within_reopen_window(turn, case)


def within_reopen_window(turn: Turn, case: Case) -> bool:
    """True while a closed complaint can still be reopened by its person."""
    targets, calendar = case.rules.targets, case.rules.calendar
    return turn.now <= due(case.closed_at or case.received_at, targets.reopen_window, calendar).at


def _insists(turn: Turn, case: Case, message: ReceivedMessage) -> bool:
    return _is_restorable(turn, case) and message.has_words and "insists" in find_cues(message.text)


def _reopen_if_insisted(turn: Turn, message: ReceivedMessage) -> bool:
    """Reopen the last such matter if this message, which names no complaint, insists on it."""
    case = restorable_case(turn)
    if case is None or turn.now > (case.closed_at or case.received_at) + INSISTENCE_PERIOD:
        return False
    insists = _insists(turn, case, message)
    if insists:
        _reopen_with_message(turn, case, message)
    return insists


def _reopen_with_message(turn: Turn, case: Case, message: ReceivedMessage) -> None:
    add_message(turn, case.ref, turn.next_field(INSISTENCE, case.ref), message)
    _reopen(turn, case, message.text)


def _reopen(turn: Turn, case: Case, reason: str) -> None:
    turn.plan(PlannedAct(Verb.REOPEN, case.ref, {"insisted": True}, {"reason": reason}))
    turn.go_to(IDLE)
    turn.reply("insist.restored", ref=case.ref)
