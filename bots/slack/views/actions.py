"""Which acts fit a complaint in its present state: two or three as buttons, the others in the menu."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from complaints.actions.assessment import harm_of
from complaints.actions.authorisation import closable, may_approve, may_decide_appeal, possible_in_state
from complaints.actions.decision import fairness_owed
from complaints.actions.evidence import missing_evidence
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.forms import FORM_VERBS
from complaints.obligations.approvals import awaited_act
from complaints.vocabulary import UNDECIDED, Flag, State, Target, Verb


@dataclass(frozen=True)
class CaseActions:
    """Names of forms: `buttons` in the order shown, `others` for the menu."""

    buttons: tuple[str, ...]
    others: tuple[str, ...]


def _undecided(case: Case) -> bool:
    return case.state in UNDECIDED and case.drafted is None


def _assess(case: Case) -> bool:
    verb = Verb.ASSESS if case.assessment is None else Verb.REASSESS
    return possible_in_state(case, verb)


def _resolve(case: Case) -> bool:
    """The short way: assessed, without danger, not severe, one issue."""
    return (
        _undecided(case)
        and case.assessment is not None
        and case.safety == 0
        and case.severity <= 2
        and len(case.issues) <= 1
        and not fairness_owed(case)
    )


def _decide(case: Case) -> bool:
    return _undecided(case) and case.assessment is not None and not _lacking(case)


def _lacking(case: Case) -> str:
    """The code of the refusal of a decision that lacks evidence or a hearing; empty if it lacks nothing."""
    if missing_evidence(case):
        return "evidence_missing"
    return "subject_not_heard" if fairness_owed(case) else ""


def missing_for_decision(case: Case) -> str:
    """The same while neither Decide nor Resolve is offered for that reason alone, so that staff see why."""
    is_decidable = _undecided(case) and case.assessment is not None and not _resolve(case)
    return _lacking(case) if is_decidable else ""


def _remedy(case: Case) -> bool:
    return case.is_open and any(remedy.done_at is None for remedy in case.owed_remedies)


def _verify(case: Case) -> bool:
    return case.is_open and any(remedy.done_at and not remedy.verified_at for remedy in case.owed_remedies)


def _extend(case: Case) -> bool:
    movable = (Target.DECIDE, Target.REMEDY, Target.FIRST_ACTION)
    return case.is_open and any(
        target.target in movable and target.met_at is None for target in case.current_targets()
    )


def _reclassify(case: Case) -> bool:
    is_unanswered = _undecided(case) and not case.decisions and case.reclassification is None
    return is_unanswered and harm_of(case) < 3


def _receipt(case: Case) -> bool:
    danger = case.danger_at is not None and case.danger_receipt_at is None
    return (
        danger or case.look_is_open or (Flag.SIGNIFICANT in case.flags and case.executive_receipt_at is None)
    )


def _limit_contact(case: Case) -> bool:
    conduct = case.conduct
    return conduct.warned_at is not None and conduct.limit is None and not case.awaits_approval


FITS: Mapping[str, Callable[[Case], bool]] = {
    "receipt": _receipt,
    "take": lambda case: case.is_open and case.is_unowned,
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
    "approve": lambda case: awaited_act(case) is Verb.APPROVE,
    "check_decision": lambda case: awaited_act(case) is Verb.CHECK_DECISION,
    "remedy": _remedy,
    "verify": _verify,
    "close": closable,
    "extend": _extend,
    "escalate": lambda case: _undecided(case) and case.level < case.rules.top_level,
    "given": lambda case: case.is_open or case.is_offline,
    "bind": lambda case: case.is_offline and case.erased_at is None,
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
    "warn_conduct": lambda case: True,
    "limit_contact": _limit_contact,
    "appeal_limit": lambda case: case.conduct.limit is not None and not case.conduct.appealed,
    "review_limit": lambda case: case.conduct.limit is not None,
    "due": lambda case: bool(case.targets),
    "review_case": lambda case: case.open_review is not None,
    "improvement": lambda case: True,
}


def waiting_form(case: Case, actor: Actor | None = None) -> str:
    """The form of what waits for a second person; an appeal or a review only for this one."""
    approves = actor is not None and case.awaits_approval and may_approve(case, actor)
    if actor is not None and may_decide_appeal(case, actor) and not approves:
        return Verb.REVIEW_LIMIT.value
    if case.open_review is not None and not case.awaits_approval:
        return Verb.REVIEW_CASE.value
    return Verb.CHECK_DECISION.value if awaited_act(case) is Verb.CHECK_DECISION else Verb.APPROVE.value


def available_actions(case: Case) -> CaseActions:
    """What may be done to this complaint now by anybody; rights are checked with the act."""
    if case.erased_at is not None:
        return CaseActions(("open",), ())
    fitting = [name for name, fits in FITS.items() if fits(case)]
    danger = (case.danger_at is not None and case.danger_receipt_at is None) or case.look_is_open
    first = [name for name in _first(case) if name in fitting and not _needs_owner(case, name)]
    buttons = (*(["receipt"] if danger else []), *first[: 1 if danger else 2], "open")
    others = tuple(name for name in fitting if name not in buttons and name != "receipt")
    return CaseActions(buttons, others)


def _first(case: Case) -> tuple[str, ...]:
    """The acts that take a complaint to its next state, the most likely first."""
    answer = ("reply",) if case.question_at is not None else ()
    # A complaint that was just escalated has no owner: assessing it again assigns it.
    is_new = case.assessment is None or (case.is_unowned and case.level > 1)
    start = ("assess", "take") if is_new else ("take",)
    if case.state in UNDECIDED:
        following: tuple[str, ...] = ("decide", "resolve") if _decide(case) else ("resolve", "investigate")
        if case.assessment is None:
            following = ()
        return tuple(dict.fromkeys((*answer, "check_decision", "approve", *start, *following, "reply")))
    if case.conduct.pending is not None:
        answer = (*answer, "approve")
    return tuple(dict.fromkeys((*answer, "reopen", "take", "close", "remedy", "verify", "reply")))


def _needs_owner(case: Case, name: str) -> bool:
    """True while the complaint has no owner, and the act is the owner's: taking it comes first."""
    return case.is_unowned and ACTIONS[FORM_VERBS[name]].owner_only


def executive_actions_alone(case: Case) -> CaseActions:
    """All actions, for an executive post that is the only post of a complaint."""
    available = available_actions(case)
    receipt = ("receipt",) if _receipt(case) and "receipt" not in available.buttons else ()
    return CaseActions((*receipt, *available.buttons), available.others)


def executive_actions(case: Case) -> CaseActions:
    """In the executive channel: confirm that one has seen it, and open it."""
    return CaseActions(("receipt", "open") if _receipt(case) else ("open",), ())
