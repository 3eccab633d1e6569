"""The reply to signs of danger: the emergency number comes first, and the form pauses."""

from collections.abc import Mapping

from bots.dialogue.buttons import SAFE
from bots.dialogue.turn import IDLE, SignsInWords, Turn, own_signs, read_late
from complaints.deadlines.opening_hours import nobody_reads_until
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Danger, Rulebook
from triage.safety.organisation import ORGANISATION
from triage.safety.signs import find_signs

STEP = "danger"

#: Special emergency numbers by kind of sign and country, each with its source in docs/telegram.md ("Built-in
#: numbers"). An organisation's own `[[danger]]` entry has precedence.
NUMBERS: Mapping[str, Mapping[str, str]] = {
    "gas": {"AT": "128", "GB": "0800 111 999", "TR": "187"},
    "self_harm": {"AT": "142", "AU": "13 11 14", "CH": "143", "DE": "0800 1110111", "ES": "024", "GB": "116 123",
                  "IE": "116 123", "US": "988"},
    "fire": {"AT": "122", "CH": "118"},
    "medical": {"AT": "144", "CH": "144"},
    "violence": {"AT": "133", "CH": "117", "DE": "110"},
}  # fmt: skip


def reply_to_danger(turn: Turn) -> None:
    """Replace all replies of this turn by the danger reply, and pause the questions.

    The interrupted question is asked again when the person presses "I am safe, continue". A danger that is only
    likely stops no question: the number follows as one more sentence.
    """
    if turn.danger is None:
        return
    ref, signs = turn.danger
    sign = signs.danger
    if sign is None:
        _mention_number(turn, ref, signs)
        return
    earlier_rules = turn.state.get("danger", [])
    is_repeat = turn.step == STEP and sign.rule in earlier_rules
    resume_step = turn.state.get("resume", IDLE) if turn.step == STEP else turn.step
    subject = turn.state.get("resume_ref") if turn.step == STEP else turn.ref
    language = turn.texts.danger_language(sign.language, turn.language)
    turn.replies.clear()
    rules_of_signs = sorted({*earlier_rules, sign.rule})
    turn.go_to(
        STEP, ref, resume=resume_step, resume_ref=subject, danger=rules_of_signs, danger_language=language
    )
    if not is_repeat:
        # A second reply for the same sign would only push the number out of sight.
        fields = _fields(turn, ref, signs, language)
        turn.reply("danger", buttons=SAFE, ref=ref, lane=SendPriority.DANGER, spoken=language, **fields)
        _say_if_late(turn, ref, language)


def _mention_number(turn: Turn, ref: str, signs: SignsInWords) -> None:
    """Once in a complaint, and not after a danger reply that waits for an answer."""
    sign = signs.look
    if sign is None or turn.step == STEP or ref in turn.state.get("looked", []):
        return
    turn.state["looked"] = [*turn.state.get("looked", []), ref][-5:]
    rules = turn.current_rules(ref)
    number = NUMBERS.get(sign.kind, {}).get(rules.country)
    # Only a helpline listens at any hour; the emergency number sends help.
    id_ = "look.self_harm" if sign.kind == "self_harm" and number else "look.other"
    language = turn.texts.danger_language(sign.language, turn.language)
    turn.reply(id_, ref=ref, spoken=language, number=number or rules.emergency_number)
    _say_if_late(turn, ref, language)


def _say_if_late(turn: Turn, ref: str, language: str) -> None:
    """Below the reply about a danger: we read the message only now."""
    if turn.written_at is not None and read_late(turn.now, turn.written_at):
        zone = turn.rules_of(ref).calendar.zone
        time = turn.texts.moment(language, turn.written_at, zone)
        turn.add_below(turn.texts.text(language, "danger.late", time=time))


def _fields(turn: Turn, ref: str, signs: SignsInWords, language: str) -> dict[str, str]:
    rules = turn.current_rules(ref)
    number, instruction = advice(turn, signs, rules, language)
    until = nobody_reads_until(turn.now, rules.calendar, rules.on_call)
    if until is None:
        alert = turn.texts.text(language, "danger.alerting", ref=ref)
    else:
        case = turn.case(ref)
        time = turn.texts.moment(language, until, case.rules.calendar.zone if case else turn.zone)
        alert = turn.texts.text(language, "danger.nobody", ref=ref, time=time)
    return {"number": number, "instruction": instruction, "alert": alert}


def advice(turn: Turn, signs: SignsInWords, rules: Rulebook, language: str) -> tuple[str, str]:
    """The emergency number and the instruction for these signs, in the country of these rules.

    What the organisation's own entry lacks, a number or a text in this language, comes from the built-in advice for
    the kind of danger.
    """
    built_in, own = signs.built_in_danger, signs.own_danger
    entry = _entry_of(rules, own.rule.partition(".")[2]) if own else None
    kind = built_in.kind if built_in else _kind_of(entry)
    entry = entry or next((entry for entry in rules.danger if kind in map(str.casefold, entry.signs)), None)
    number = (entry.number if entry else None) or NUMBERS.get(kind, {}).get(rules.country)
    number = number or rules.emergency_number
    text = entry.text.get(language) if entry else None
    id_ = f"danger.{kind}"
    if not text and entry and not turn.texts.has(id_):
        # Nothing built in fits this danger, so any text of the organisation is better.
        text = entry.text.get(rules.languages[0]) or next(iter(entry.text.values()), None)
    if text:
        return number, text.replace("{number}", number)
    return number, turn.texts.text(language, id_ if turn.texts.has(id_) else "danger.other")


def _entry_of(rules: Rulebook, name: str) -> Danger | None:
    pairs = zip(rules.danger, own_signs(rules), strict=True)
    return next((entry for entry, sign in pairs if name in (sign.name, f"{sign.name}_past")), None)


def _kind_of(entry: Danger | None) -> str:
    """The built-in kind of an own entry, by its wordings: "smell of gas" is about gas."""
    signs = [
        sign for wording in (entry.signs if entry else ()) for sign in find_signs(wording) if sign.danger
    ]
    return signs[0].kind if signs else ORGANISATION


def resume(turn: Turn) -> None:
    """The person is safe: return to the interrupted step."""
    step, subject = str(turn.state.pop("resume", IDLE)), turn.state.pop("resume_ref", None)
    turn.state.pop("danger", None)
    turn.state.pop("danger_language", None)
    turn.go_to(step, subject)
