"""The conversation about a danger: the number first, one instruction, and an answer to everything that follows.

While it lasts there is no form and nothing to sign. The bot never permits: it forbids, sends away, or gives the
number to call. All that it adds to the number is in `complaints/hazards.toml`, and a safety officer signs it.
"""

from collections.abc import Iterable

from bots.dialogue import form
from bots.dialogue.buttons import OTHER_HAZARD, SAFE, YES_OR_NO, Rows
from bots.dialogue.record import ReceivedMessage, add_message, record_choice
from bots.dialogue.turn import FORM, IDLE, UNREAD, SignsInWords, Turn, own_signs, read_late
from complaints.actions.danger import is_certain
from complaints.case import Case
from complaints.case_values import clearest_signs
from complaints.deadlines.opening_hours import nobody_reads_until
from complaints.hazards import (
    DO,
    HAZARD_OF_KIND,
    HAZARDS,
    NEVER,
    Hazard,
    SafetySentence,
    call_number,
    deadliest_first,
    sentences,
    text_number,
)
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Danger, Rulebook
from complaints.times import local_time
from triage.facts.danger_talk import DangerMessage, read_danger_message
from triage.safety.organisation import ORGANISATION
from triage.safety.signs import LIKELY, find_signs

STEP = "danger"
#: Waits for the answer to "Is anybody in danger now?", or to "Is it safe to write here?".
ASKED, DISCREET = "danger_question", "danger_discreet"
STEPS = frozenset({STEP, ASKED, DISCREET})
FIELD = "danger"
#: The buttons under "What is it about?".
HAZARD_CHOICES = frozenset({OTHER_HAZARD, *(hazard.name for hazard in HAZARDS)})
#: So many things that are never to be done fit into one message that a person reads in danger.
_MOST_NEVER, _MOST_ANSWERED = 4, 2
#: After these the interrupted questions are not asked again.
_WITHOUT_QUESTIONS = frozenset({"self_harm", "violence", "stalking", "child"})


def open_case(turn: Turn) -> Case | None:
    """The complaint about whose danger the bot stays in the conversation."""
    return next((case for case in turn.conversation.cases if case.in_danger), None)


def handle_message(turn: Turn, case: Case, message: ReceivedMessage) -> None:
    """Record a message within a danger with what it answers; `reply_to_danger` replies."""
    content, ref = read_danger_message(message.text), case.ref
    signs = turn.signs_in(message.text, ref)
    answer = "unclear" if turn.step == ASKED else None
    # "No" is "yes" in Polish: words in a language that is not read here say neither, only the buttons do.
    if signs.danger is None and signs.look is None and not turn.state.get("unread_asked"):
        if turn.step == ASKED and content.denies:
            answer = "no"
        elif turn.step == STEP and content.is_over and _hazard(turn).name not in _WITHOUT_QUESTIONS:
            answer = "over"
    add_message(
        turn, ref, "addition", message, kind=FIELD, extra={"danger_answer": answer} if answer else None
    )
    if turn.step == DISCREET and content.denies:
        _stay_silent(turn)
    elif answer in ("no", "over"):
        _end(turn, case, answer)
    else:
        turn.within_danger = content
        if turn.step not in STEPS:
            turn.go_to(STEP, ref, resume=IDLE, resume_ref=None)


def offers(turn: Turn, choice: str) -> bool:
    """Whether this is one of the hazards that the complainant is asked to name."""
    return turn.step == STEP and choice in _offered(turn)


def handle_press(turn: Turn, case: Case, choice: str, step: str) -> None:
    """A button within a danger: an answer, or that it is over."""
    label = turn.texts.label(turn.language, choice)
    if not case.in_danger:
        # An old button: a person has ended it, or the complainant has.
        _resume(turn, case)
        return
    if step == DISCREET:
        record_choice(turn, case.ref, FIELD, label, {}, kind=FIELD)
        if choice == "no":
            _stay_silent(turn)
        else:
            turn.go_to(STEP, case.ref)
            _reply(turn, case.ref, "danger.listens", instruction=_instruction(turn, case.ref))
        return
    if choice in HAZARD_CHOICES:
        record_choice(turn, case.ref, FIELD, label, {}, kind=FIELD)
        _name_hazard(turn, case, choice)
        return
    answer = {"safe": "over"}.get(choice, choice)
    record_choice(turn, case.ref, FIELD, label, {"danger_answer": answer}, kind=FIELD)
    if answer == "yes":
        turn.within_danger = read_danger_message("")
    else:
        _end(turn, case, answer)


def stay(turn: Turn, case: Case) -> None:
    """A button that does not fit in a danger: the bot is still there."""
    turn.go_to(turn.step if turn.step in STEPS else STEP, case.ref)
    turn.state.setdefault("danger_language", turn.language)
    _reply(turn, case.ref, "danger.noted")


def reply_to_danger(turn: Turn) -> None:
    """Replace all replies of this turn by the reply to a danger, and pause the questions.

    The first sign, a deadlier hazard and a possible danger that becomes certain get the number and the instruction.
    Other messages get a short answer: the number is not pushed out of sight.
    """
    case = open_case(turn)
    ref, signs = turn.danger or (case.ref if case is not None else "", SignsInWords())
    content = turn.within_danger
    if turn.danger is None and content is None:
        return
    before = set(turn.state.get("hazards", []) if turn.step in STEPS else [])
    # "The fire brigade is coming" is no fire.
    mentioned = set() if content is not None and content.help_comes else _hazards_of(turn, ref, signs)
    hazards = [hazard.name for hazard in deadliest_first(before | mentioned)]
    is_first, was_asked = turn.step not in STEPS, turn.step == ASKED
    is_certain_now = any(map(is_certain, signs.signs)) or not (is_first or (was_asked and content is None))
    sign = signs.danger or signs.look
    if is_first:
        turn.state.update(resume=turn.step, resume_ref=turn.ref)
        # What language they write in is said in any case.
        turn.keep_replies(lambda reply: reply.template == "language.unsupported")
    written = sign.language if sign is not None else ""
    language = turn.texts.danger_language(written or turn.state.get("danger_language"), turn.language)
    turn.state.update(hazards=hazards, danger_language=language)
    if signs.hazards:
        turn.state["likely_hazards"] = signs.hazards
    if sign is not None and sign.rule == UNREAD:
        turn.state["unread_asked"] = sign.language
    if content is not None and content.cannot_call:
        turn.state["cannot_call"] = True
    if not is_certain_now:
        turn.go_to(ASKED, ref)
        _reply(turn, ref, "danger.ask", step=ASKED, call=_call(turn, ref))
        _say_if_late(turn, ref, language)
        return
    added = set(hazards) - before
    if case is not None and case.talk is not None and not added:
        # A person writes to them now.
        return
    turn.go_to(turn.step if turn.step == DISCREET else STEP, ref)
    if is_first or was_asked or (added and hazards[0] in added):
        _reply_first(turn, ref, signs)
        _say_if_late(turn, ref, language)
    elif added:
        _reply(turn, ref, "danger.also", call=_call(turn, ref, min(added, key=hazards.index)))
    elif content is not None:
        _reply_next(turn, ref, content)


def resume_if_ended(turn: Turn) -> None:
    """A person has ended the danger since the last message: what follows is an ordinary message."""
    if turn.step in STEPS and open_case(turn) is None:
        _forget(turn)


# --- what is said


def _reply_first(turn: Turn, ref: str, signs: SignsInWords) -> None:
    hazard, language = _hazard(turn), turn.state["danger_language"]
    if hazard.discreet:
        turn.go_to(DISCREET, ref)
        _reply(turn, ref, "danger.discreet", step=DISCREET, number=_number(turn, ref))
        return
    instruction = _own_text(turn, ref, signs, language) or _instruction(turn, ref)
    rows = () if hazard.name or instruction else _hazard_rows(turn, language)
    if rows:
        instruction = f"\n\n{turn.texts.text(language, 'danger.which')}"
    fields = {"call": _call(turn, ref), "instruction": instruction, "alert": _alert(turn, ref, language)}
    id_ = "danger"
    if "self_harm" in turn.state["hazards"]:
        listens = call_number("self_harm", turn.current_rules(ref).country)
        id_, fields["line"] = "danger.self_harm", listens.number if listens is not None else ""
        if hazard.name == "self_harm" and not turn.state.get("cannot_call"):
            # The line is for talking; who has done something needs the emergency service.
            fields["call"] = _call_emergency(turn, ref)
        if listens is None:
            id_ = "danger.self_harm_plain"
            del fields["line"]
    _reply(turn, ref, id_, buttons=rows, **fields)


def _name_hazard(turn: Turn, case: Case, choice: str) -> None:
    """The complainant says what it is about: the deadliest that they named speaks, unless a person writes to them."""
    ref = case.ref
    turn.go_to(STEP, ref)
    turn.state.setdefault("danger_language", turn.language)
    named = {choice, *turn.state.get("hazards", ())} if choice != OTHER_HAZARD else ()
    turn.state["hazards"] = [hazard.name for hazard in deadliest_first(named)]
    if case.talk is not None:
        return
    if choice == OTHER_HAZARD:
        _reply(turn, ref, "danger.noted")
    elif _hazard(turn).discreet or choice == "self_harm":
        _reply_first(turn, ref, SignsInWords())
    else:
        _reply(turn, ref, "danger.advice", call=_call(turn, ref), instruction=_instruction(turn, ref))


def _offered(turn: Turn) -> tuple[str, ...]:
    """The hazards that the words may be about, and none of them; () where nothing is known of them."""
    likely = turn.state.get("likely_hazards")
    return (*likely, OTHER_HAZARD) if likely else ()


def _hazard_rows(turn: Turn, language: str) -> Rows:
    """The hazards to name, two in a row; () in a language without the question."""
    names = _offered(turn) if turn.texts.says(language, "danger.which") else ()
    return tuple(tuple(names[place : place + 2]) for place in range(0, len(names), 2))


def _reply_next(turn: Turn, ref: str, content: DangerMessage) -> None:
    """Answer what is said later: a forbidden act, a question, news."""
    turn.go_to(STEP, ref)
    hazard, call, language = _hazard(turn), _call(turn, ref), str(turn.state["danger_language"])
    # The sentence about just this act first.
    rows = sorted(_never(turn, ref), key=lambda row: len(row.acts))
    forbidden = [row for row in rows if content.acts.intersection(row.acts)][:_MOST_ANSWERED]
    never = "".join(f" {row.text[language]}" for row in forbidden if language in row.text)
    is_forbidden = bool(forbidden) or bool(content.acts & _always_forbidden(turn, ref))
    if content.cannot_call:
        _reply(turn, ref, "danger.write", call=call)
    elif content.asks and content.wants_number:
        _reply(turn, ref, "danger.number", call=call)
    elif content.asks and is_forbidden and not content.asks_the_right:
        _reply(turn, ref, "danger.no", never=never, call=call)
    elif forbidden:
        _reply(turn, ref, "danger.never", never=never.strip(), call=call)
    elif hazard.name == "self_harm":
        _reply(turn, ref, "danger.stays", line=_number(turn, ref), call=_call_emergency(turn, ref))
    elif content.asks or is_forbidden:
        _reply(turn, ref, "danger.cannot_judge", call=call)
    elif hazard.discreet:
        _reply(turn, ref, "danger.listens", instruction="")
    elif content.is_outside:
        inside = (row.text.get(language, "") for row in rows if "enter" in row.acts)
        _reply(turn, ref, "danger.outside", never="".join(f" {text}" for text in inside))
    elif content.help_comes:
        _reply(turn, ref, "danger.help_comes")
    else:
        _reply(turn, ref, "danger.noted")


def _always_forbidden(turn: Turn, ref: str) -> set[str]:
    """The acts of these hazards that are answered by "No" in every country, once the table is signed."""
    names = turn.state["hazards"] if _is_signed(turn, ref) else []
    return {act for hazard in deadliest_first(names) for act in hazard.no}


def _reply(turn: Turn, ref: str, id_: str, *, step: str = STEP, buttons: Rows = (), **fields: str) -> None:
    language = str(turn.state["danger_language"])
    if not turn.texts.says(language, id_):
        # A language outside of the desk and the safety rules has only the texts that every danger needs.
        plain = "danger.cannot_judge" if "call" in fields else "danger.noted"
        id_ = "danger" if "alert" in fields else plain
    rows = (*buttons, *SAFE) if step == STEP else YES_OR_NO
    turn.reply(id_, buttons=rows, ref=ref, lane=SendPriority.DANGER, step=step, spoken=language, **fields)


def _say_if_late(turn: Turn, ref: str, language: str) -> None:
    """Below the reply about a danger: we read the message only now."""
    if turn.written_at is not None and read_late(turn.now, turn.written_at):
        zone = turn.rules_of(ref).calendar.zone
        time = turn.texts.moment(language, turn.written_at, zone)
        turn.add_below(turn.texts.text(language, "danger.late", time=time))


def _alert(turn: Turn, ref: str, language: str) -> str:
    rules = turn.current_rules(ref)
    until = nobody_reads_until(turn.now, rules.calendar, rules.on_call)
    if until is None:
        return turn.texts.text(language, "danger.alerting", ref=ref)
    case = turn.case(ref)
    time = turn.texts.moment(language, until, case.rules.calendar.zone if case else turn.zone)
    return turn.texts.text(language, "danger.nobody", ref=ref, time=time)


def _call(turn: Turn, ref: str, hazard: str | None = None) -> str:
    """The sentence with the number; for a person who cannot speak, how to reach help in writing."""
    language, number = str(turn.state["danger_language"]), _number(turn, ref, hazard)
    if not turn.state.get("cannot_call"):
        return turn.texts.text(language, "danger.call", number=number)
    written = text_number(_hazard(turn).name, turn.current_rules(ref).country, language)
    return written or turn.texts.text(language, "danger.ask_somebody", number=number)


def _call_emergency(turn: Turn, ref: str) -> str:
    number = turn.current_rules(ref).emergency_number
    return turn.texts.text(str(turn.state["danger_language"]), "danger.call", number=number)


def _number(turn: Turn, ref: str, hazard: str | None = None) -> str:
    rules = turn.current_rules(ref)
    entry = _own_entry(turn, rules) if hazard is None else None
    special = call_number(hazard or _hazard(turn).name, rules.country)
    return (entry.number if entry else None) or (special.number if special else rules.emergency_number)


def _instruction(turn: Turn, ref: str) -> str:
    """One instruction, and what is never to be done; nothing without a signed table or a source."""
    language, hazard = str(turn.state["danger_language"]), _hazard(turn)
    country = turn.current_rules(ref).country
    do = sentences(hazard.name, country, DO)[:1] if _is_signed(turn, ref) else ()
    never = _joined([*do, *_never(turn, ref)[:_MOST_NEVER]], language)
    also = call_number(hazard.name, country, second=True)
    name = also.name.get(language) if also is not None else None
    second = f"{name}: {also.number}." if also is not None and name else ""
    text = " ".join(filter(None, (never, second)))
    return f"\n\n{text}" if text else ""


def _never(turn: Turn, ref: str) -> list[SafetySentence]:
    """What is never to be done in this danger; hazards after the first say nothing on moving people."""
    if not _is_signed(turn, ref):
        return []
    country, (first, *others) = turn.current_rules(ref).country, turn.state["hazards"] or [""]
    joined = [row for name in others for row in sentences(name, country, NEVER) if "move" not in row.acts]
    return [*sentences(first, country, NEVER), *joined]


def _joined(rows: Iterable[SafetySentence], language: str) -> str:
    return " ".join(row.text[language] for row in rows if language in row.text)


def _is_signed(turn: Turn, ref: str) -> bool:
    rules = turn.current_rules(ref)
    return local_time(turn.now, rules.calendar.zone).date().isoformat() <= rules.hazards_signed_until


# --- which hazard


def _hazard(turn: Turn) -> Hazard:
    """The deadliest of this danger; one without a name where no kind of sign has advice."""
    return next(iter(deadliest_first(turn.state.get("hazards", []))), Hazard("", ()))


def _hazards_of(turn: Turn, ref: str, signs: SignsInWords) -> set[str]:
    clearest = clearest_signs(signs.signs)
    # The model has weighed the other signs. Where it names no hazard, a wrong instruction is worse than none; but
    # plain words of despair, violence or a child decide how we speak.
    kinds = {
        sign.kind
        for sign in clearest
        if sign.rule.endswith(LIKELY) or (sign.kind in HAZARD_OF_KIND and HAZARD_OF_KIND[sign.kind].unasked)
    }
    if any(sign.kind == ORGANISATION for sign in clearest):
        kinds |= _kinds_of(_own_entry(turn, turn.current_rules(ref), signs))
    return {HAZARD_OF_KIND[kind].name for kind in kinds if kind in HAZARD_OF_KIND}


def _own_entry(turn: Turn, rules: Rulebook, signs: SignsInWords | None = None) -> Danger | None:
    """The organisation's own entry for this danger: its number and text have precedence."""
    own = signs.own_danger if signs is not None else None
    if own is not None:
        turn.state["own_danger"] = own.rule.partition(".")[2]
    name = turn.state.get("own_danger")
    pairs = zip(rules.danger, own_signs(rules), strict=True)
    entry = next((entry for entry, sign in pairs if name in (sign.name, f"{sign.name}_past")), None)
    kinds = set(_hazard(turn).kinds)
    return entry or next(
        (entry for entry in rules.danger if kinds & set(map(str.casefold, entry.signs))), None
    )


def _kinds_of(entry: Danger | None) -> set[str]:
    """The built-in kinds of an own entry, by its wordings: "smell of gas" is about gas."""
    return {
        sign.kind for wording in (entry.signs if entry else ()) for sign in find_signs(wording) if sign.danger
    }


def _own_text(turn: Turn, ref: str, signs: SignsInWords, language: str) -> str:
    rules = turn.current_rules(ref)
    entry = _own_entry(turn, rules, signs)
    text = entry.text.get(language) if entry else None
    if entry and not text and not _hazard(turn).name:
        # Nothing built in fits this danger, so any text of the organisation is better.
        text = entry.text.get(rules.languages[0]) or next(iter(entry.text.values()), None)
    return "\n\n" + text.replace("{number}", _number(turn, ref)) if text else ""


# --- the end


def _stay_silent(turn: Turn) -> None:
    """It is not safe to write there: nothing more, until they write again."""
    turn.go_to(STEP, turn.ref)
    _reply(turn, str(turn.ref), "danger.silent")


def _end(turn: Turn, case: Case, answer: str) -> None:
    """The complainant denies the danger, or says that it is over: thank them, and go on where we were."""
    language = str(turn.state.get("danger_language", turn.language))
    turn.state["unread"] = turn.state.get("unread_asked")
    with_questions = not _WITHOUT_QUESTIONS.intersection(turn.state.get("hazards", []))
    _forget(turn)
    asks_again = with_questions and turn.step in FORM and turn.is_form_open(case.ref)
    if answer == "no" or not asks_again:
        turn.reply("danger.calm" if answer == "no" else "safe.noted", ref=case.ref, spoken=language)
    if asks_again and answer == "no" and turn.step == "story":
        # They were only at the beginning of their story.
        form.start(turn, case.ref)
    elif not (asks_again and form.ask_again(turn)):
        turn.go_to(IDLE)


def _resume(turn: Turn, case: Case) -> None:
    language = str(turn.state.get("danger_language", turn.language))
    _forget(turn)
    if not form.ask_again(turn):
        turn.go_to(IDLE)
        turn.reply("safe.noted", ref=case.ref, spoken=language)


def _forget(turn: Turn) -> None:
    """Back to the step that the danger interrupted, if there is one."""
    step, subject = str(turn.state.pop("resume", IDLE)), turn.state.pop("resume_ref", None)
    for name in ("hazards", "likely_hazards", "danger_language", "cannot_call", "own_danger"):
        turn.state.pop(name, None)
    turn.go_to(step if step not in STEPS else IDLE, subject)
