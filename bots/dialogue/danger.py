"""The reply to signs of danger: the emergency number comes first, and the form pauses."""

from __future__ import annotations

from bots.dialogue.buttons import SAFE
from bots.dialogue.turn import IDLE, Turn, own_signs
from complaints.case_values import RecordedSign
from complaints.deadlines.opening_hours import nobody_reads_until
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Danger, Rulebook
from triage.safety.organisation import ORGANISATION

STEP = "danger"

#: Special emergency numbers by kind of sign and country. An organisation's own `[[danger]]` entry has precedence.
NUMBERS = {
    ("gas", "GB"): "0800 111 999",
    ("gas", "TR"): "187",
    ("self_harm", "GB"): "116 123",
    ("self_harm", "IE"): "116 123",
    ("self_harm", "US"): "988",
}


def reply_to_danger(turn: Turn) -> None:
    """Replace all replies of this turn by the danger reply, and pause the questions.

    The interrupted question is asked again when the person presses "I am safe, continue".
    """
    if turn.danger is None:
        return
    ref, sign = turn.danger
    earlier_rules = turn.state.get("danger", [])
    is_repeat = turn.step == STEP and sign.rule in earlier_rules
    resume_step = turn.state.get("resume", IDLE) if turn.step == STEP else turn.step
    subject = turn.state.get("resume_ref") if turn.step == STEP else turn.ref
    turn.replies.clear()
    turn.go_to(STEP, ref, resume=resume_step, resume_ref=subject, danger=sorted({*earlier_rules, sign.rule}))
    if not is_repeat:
        # A second reply for the same sign would only push the number out of sight.
        turn.reply("danger", buttons=SAFE, ref=ref, lane=SendPriority.DANGER, **_fields(turn, ref, sign))


def _fields(turn: Turn, ref: str, sign: RecordedSign) -> dict[str, str]:
    rules = turn.current_rules(ref)
    number, instruction = advice(turn, sign, rules)
    until = nobody_reads_until(turn.now, rules.calendar, rules.on_call)
    alert = (
        turn.text("danger.alerting", ref=ref)
        if until is None
        else turn.text("danger.nobody", ref=ref, time=turn.moment(until, turn.case(ref)))
    )
    return {"number": number, "instruction": instruction, "alert": alert}


def advice(turn: Turn, sign: RecordedSign, rules: Rulebook) -> tuple[str, str]:
    """The emergency number and the instruction for this sign, in the country of these rules."""
    kind, _, name = sign.rule.partition(".")
    entry = _own_entry(rules, name) if kind == ORGANISATION else _entry_for_kind(rules, kind)
    number = (entry.number if entry else None) or NUMBERS.get((kind, rules.country))
    number = number or rules.emergency_number
    text = (entry.text.get(turn.language) or entry.text.get(rules.languages[0])) if entry else None
    if text:
        return number, text.replace("{number}", number)
    id_ = f"danger.{kind}"
    return number, turn.text(id_ if turn.texts.has(id_) else "danger.other")


def _own_entry(rules: Rulebook, name: str) -> Danger | None:
    pairs = zip(rules.danger, own_signs(rules), strict=True)
    return next((entry for entry, sign in pairs if name in (sign.name, f"{sign.name}_past")), None)


def _entry_for_kind(rules: Rulebook, kind: str) -> Danger | None:
    """The organisation's own entry about the subject of a built-in sign ("gas"): it has the better number."""
    return next((entry for entry in rules.danger if kind in map(str.casefold, entry.signs)), None)


def resume(turn: Turn) -> None:
    """The person is safe: return to the interrupted step."""
    step, subject = str(turn.state.pop("resume", IDLE)), turn.state.pop("resume_ref", None)
    turn.state.pop("danger", None)
    turn.go_to(step, subject)
