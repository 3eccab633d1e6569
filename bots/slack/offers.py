"""Which acts fit a complaint as it stands: two or three as buttons, the others in the menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from complaints.actions.assessment import harm_of
from complaints.actions.authorisation import closable, possible_in_state
from complaints.actions.decision import fairness_owed, required_evidence
from complaints.case import Case
from complaints.lifecycle import UNDECIDED
from complaints.vocabulary import Flag, State, Target, Verb


@dataclass(frozen=True)
class Offer:
    """Form names: `buttons` in the order shown, `others` for the menu."""

    buttons: tuple[str, ...]
    others: tuple[str, ...]


def _undecided(case: Case) -> bool:
    return case.state in UNDECIDED and case.drafted is None


def _assess(case: Case) -> bool:
    verb = Verb.ASSESS if case.assessment is None else Verb.REASSESS
    return possible_in_state(case, verb)


def _resolve(case: Case) -> bool:
    """The short road: assessed, safe, slight, one issue."""
    return (
        _undecided(case)
        and case.assessment is not None
        and case.safety == 0
        and case.severity <= 2
        and len(case.issues) <= 1
        and not fairness_owed(case)
    )


def _decide(case: Case) -> bool:
    gathered = case.assessment is not None and not required_evidence(case) - case.evidence
    return _undecided(case) and gathered and not fairness_owed(case)


def _remedy(case: Case) -> bool:
    return case.is_open and any(one.done_at is None for one in case.owed_remedies)


def _verify(case: Case) -> bool:
    return case.is_open and any(one.done_at and not one.verified_at for one in case.owed_remedies)


def _extend(case: Case) -> bool:
    movable = (Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION)
    return case.is_open and any(
        one.target in movable and one.met_at is None for one in case.current_targets()
    )


def _reclassify(case: Case) -> bool:
    fresh = _undecided(case) and not case.decisions and case.reclassification is None
    return fresh and harm_of(case) < 3


def _receipt(case: Case) -> bool:
    danger = case.danger_at is not None and case.danger_receipt_at is None
    return danger or (Flag.SIGNIFICANT in case.flags and case.executive_receipt_at is None)


FITS: Mapping[str, Callable[[Case], bool]] = {
    "receipt": _receipt,
    "take": lambda case: case.is_open and case.owner is None,
    "open": lambda case: True,
    "assess": _assess,
    "assign": lambda case: case.is_open,
    "reply": lambda case: True,
    "note": lambda case: True,
    "ask": lambda case: case.is_open,
    "inform": lambda case: case.is_open,
    "investigate": _undecided,
    "resolve": _resolve,
    "decide": _decide,
    "approve": lambda case: case.awaits_approval,
    "remedy": _remedy,
    "verify": _verify,
    "close": closable,
    "extend": _extend,
    "escalate": lambda case: _undecided(case) and case.level < case.rules.top_level,
    "given": lambda case: case.is_open or case.told_by_people,
    "bind": lambda case: case.told_by_people and case.erased_at is None,
    "incident": lambda case: case.is_open or case.incident is not None,
    "external": lambda case: True,
    "reclassify": _reclassify,
    "not_accept": _undecided,
    "restrict": lambda case: True,
    "link": lambda case: True,
    "unrestrict": lambda case: case.restricted,
    "conflict": lambda case: case.is_open,
    "hold": lambda case: Flag.LEGAL_HOLD not in case.flags,
    "release": lambda case: Flag.LEGAL_HOLD in case.flags,
    "reopen": lambda case: case.state is State.CLOSED,
    "due": lambda case: bool(case.targets),
}


def verbs_for(case: Case) -> Offer:
    """What may be done to this complaint now, by anybody: rights are checked when somebody acts."""
    if case.erased_at is not None:
        return Offer(("open",), ())
    fitting = [name for name, fits in FITS.items() if fits(case)]
    danger = case.danger_at is not None and case.danger_receipt_at is None
    first = [name for name in _first(case) if name in fitting]
    buttons = (*(["receipt"] if danger else []), *first[: 1 if danger else 2], "open")
    others = tuple(name for name in fitting if name not in buttons and name != "receipt")
    return Offer(buttons, others)


def _first(case: Case) -> tuple[str, ...]:
    """The acts that carry a complaint on from here, the nearest first."""
    answer = ("reply",) if case.question_at is not None else ()
    # At a higher level nobody has it yet: assessing it again takes it.
    fresh = case.assessment is None or (case.owner is None and case.level > 1)
    start = ("assess", "take") if fresh else ("take",)
    if case.state in UNDECIDED:
        short: tuple[str, ...] = ("decide", "resolve") if _decide(case) else ("resolve", "investigate")
        if case.assessment is None:
            short = ()
        return tuple(dict.fromkeys((*answer, "approve", *start, *short, "reply")))
    return tuple(dict.fromkeys((*answer, "reopen", "close", "remedy", "verify", "reply")))


def executive_home(case: Case) -> Offer:
    """The same where the executive channel is the only place: everything is done from there."""
    offer = verbs_for(case)
    seen = ("receipt",) if _receipt(case) and "receipt" not in offer.buttons else ()
    return Offer((*seen, *offer.buttons), offer.others)


def executive(case: Case) -> Offer:
    """What the executive channel offers: to say that one has seen it, and to open it."""
    return Offer(("receipt", "open") if _receipt(case) else ("open",), ())
