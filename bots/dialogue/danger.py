"""Signs of danger: the number comes first, the questions stop until the person is safe (Emergency)."""

from __future__ import annotations

from bots.dialogue.buttons import SAFE
from bots.dialogue.signs import own_signs
from bots.dialogue.turn import IDLE, Turn
from complaints.case_values import RecordedSign
from complaints.deadlines.working_time import nobody_reads_until
from complaints.obligations.kinds import SendPriority
from complaints.rulebook import Danger, Rulebook
from triage.safety.signs import ORGANISATION

STEP = "danger"

#: Numbers that help better than the general one; an organisation's own `[[danger]]` goes before them.
NUMBERS = {
    ("gas", "GB"): "0800 111 999",
    ("gas", "TR"): "187",
    ("self_harm", "GB"): "116 123",
    ("self_harm", "IE"): "116 123",
    ("self_harm", "US"): "988",
}


def speak(talk: Turn) -> None:
    """Put the danger answer before everything else of this turn, and stop the questions.

    What this turn would have asked is asked again at "I am safe, continue".
    """
    if talk.danger is None:
        return
    ref, sign = talk.danger
    known = talk.state.get("danger", [])
    again = talk.step == STEP and sign.rule in known
    resume = talk.state.get("resume", IDLE) if talk.step == STEP else talk.step
    subject = talk.state.get("resume_ref") if talk.step == STEP else talk.ref
    talk.says.clear()
    talk.go(STEP, ref, resume=resume, resume_ref=subject, danger=sorted({*known, sign.rule}))
    if not again:
        # Said twice for the same sign it would only bury the number under repeats.
        talk.say("danger", buttons=SAFE, ref=ref, lane=SendPriority.DANGER, **_answer(talk, ref, sign))


def _answer(talk: Turn, ref: str, sign: RecordedSign) -> dict[str, str]:
    rules = talk.in_force(ref)
    number, instruction = advice(talk, sign, rules)
    until = nobody_reads_until(talk.now, rules.calendar, rules.on_call)
    alert = (
        talk.line("danger.alerting", ref=ref)
        if until is None
        else talk.line("danger.nobody", ref=ref, time=talk.moment(until, talk.case(ref)))
    )
    return {"number": number, "instruction": instruction, "alert": alert}


def advice(talk: Turn, sign: RecordedSign, rules: Rulebook) -> tuple[str, str]:
    """The number and the instruction for this sign in the country of these rules."""
    kind, _, name = sign.rule.partition(".")
    own = _own(rules, name) if kind == ORGANISATION else _of_same_signs(rules, kind)
    number = (own.number if own else None) or NUMBERS.get((kind, rules.country))
    number = number or rules.emergency_number
    text = (own.text.get(talk.language) or own.text.get(rules.languages[0])) if own else None
    if text:
        return number, text.replace("{number}", number)
    id_ = f"danger.{kind}"
    return number, talk.line(id_ if talk.texts.has(id_) else "danger.other")


def _own(rules: Rulebook, name: str) -> Danger | None:
    named = zip(rules.danger, own_signs(rules), strict=True)
    return next((one for one, sign in named if name in (sign.name, f"{sign.name}_past")), None)


def _of_same_signs(rules: Rulebook, kind: str) -> Danger | None:
    """The organisation's entry for the matter of a built-in sign ("gas"), which knows the better number."""
    return next((one for one in rules.danger if kind in (sign.casefold() for sign in one.signs)), None)


def leave(talk: Turn) -> str:
    """The person is safe: return to the step that was interrupted."""
    step, subject = str(talk.state.pop("resume", IDLE)), talk.state.pop("resume_ref", None)
    talk.state.pop("danger", None)
    talk.go(step, subject)
    return step
