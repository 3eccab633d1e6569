"""Which acts fit a complaint in its present state: two or three as buttons, the others in the menu."""

from dataclasses import dataclass

from complaints.actions.authorisation import may_approve, may_decide_appeal, refusal
from complaints.actions.evidence import open_statements
from complaints.actions.registry import ACTIONS, FORM_VERBS, form_verb
from complaints.actors import Actor
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.targets import next_due
from complaints.form_conditions import holds
from complaints.forms import CARD_ACTS, FORMS, SERVING
from complaints.obligations.approvals import awaits_reader
from complaints.vocabulary import ANSWERED, UNDECIDED, Target, Verb

_RECEIPT = CARD_ACTS["receipt"].of_use


@dataclass(frozen=True)
class CaseActions:
    """Names of forms: `buttons` in the order shown, `others` for the menu."""

    buttons: tuple[str, ...]
    others: tuple[str, ...]


def missing_for_decision(case: Case) -> str:
    """The code of what a decision lacks, while neither Decide nor Resolve is offered for that reason alone.

    So staff see why; empty if it lacks nothing.
    """
    refused = refusal(case, Verb.RESPOND)
    code = "" if refused is None else refused.code
    return code if code in ("evidence_missing", "subject_not_heard") and not fits("resolve", case) else ""


def fits(form: str, case: Case) -> bool:
    """True where a card offers this form: the complaint admits its act, and the act is of use now."""
    is_free = form not in FORM_VERBS or (form in FORMS and FORMS[form].is_for_many_acts)
    is_possible = is_free or refusal(case, verb_of(form, case)) is None
    return is_possible and (form not in CARD_ACTS or holds(CARD_ACTS[form].of_use, case))


def verb_of(form: str, case: Case) -> Verb:
    """The verb whose rights and states decide whether a form may be opened."""
    return form_verb(form, {}, assessed=case.assessment is not None)


def waiting_form(case: Case, actor: Actor | None = None) -> str:
    """The form of what waits for a second person; an appeal or a review only for this one."""
    approves = actor is not None and case.awaits_approval and may_approve(case, actor)
    if actor is not None and may_decide_appeal(case, actor) and not approves:
        return Verb.REVIEW_LIMIT.value
    if case.open_review is not None and not case.awaits_approval:
        return Verb.REVIEW_CASE.value
    return Verb.CHECK_DECISION.value if awaits_reader(case) else Verb.APPROVE.value


def available_actions(case: Case) -> CaseActions:
    """What may be done to this complaint now by anybody; rights are checked with the act."""
    if case.erased_at is not None:
        return CaseActions(("open",), ())
    fitting = [name for name in CARD_ACTS if fits(name, case)]
    first = [name for name in _first(case) if name in fitting and not _needs_owner(case, name)]
    danger = ["receipt" if case.unseen_alarm is not None else "end_danger"] if case.alarm is not None else []
    buttons = (*danger, *first[: 1 if danger else 2], "open")
    others = tuple(name for name in fitting if name not in buttons and name != "receipt")
    return CaseActions(buttons, others)


def _serving(case: Case, target: TargetSet) -> tuple[str, ...]:
    if target.target is Target.ACK:
        # In a chat the bot acknowledges.
        return ("given",) if case.is_offline else ()
    acts = SERVING.get(f"{target.target}.{target.of}") or SERVING.get(target.target, ())
    return tuple(name for name in acts if fits(name, case))


def first_actions(case: Case) -> tuple[str, ...]:
    """The acts to offer with the next due time: first those that meet it, then those of the card.

    An open danger comes first. Without an owner nothing comes before what the card offers, as taking it.
    """
    buttons, target = available_actions(case).buttons, next_due(case)
    serving = () if target is None else _serving(case, target)
    if _must_be_told(case):
        serving = ("given",)
    elif target is not None and target.target in (Target.DECIDE, Target.LEGAL):
        serving = _to_decide(case)
    if case.is_unowned:
        serving = tuple(name for name in serving if name in buttons)
    danger = tuple(name for name in buttons if name in ("receipt", "end_danger"))
    return tuple(dict.fromkeys((*danger, *serving, *buttons)))


def due_served(case: Case, name: str) -> TargetSet | None:
    """The earliest open due time that this act meets; the next due time if it meets none."""
    live = [target for target in case.current_targets() if target.met_at is None]
    met = [target for target in live if name in _serving(case, target)]
    return min(met, key=lambda target: target.internal_due, default=next_due(case))


def _must_be_told(case: Case) -> bool:
    """A decision that no chat takes now, so a person must communicate it."""
    decision = case.decision if case.state in ANSWERED and not case.reachable else None
    return decision is not None and decision.communicated_at is None


def _to_decide(case: Case) -> tuple[str, ...]:
    """The acts that lead to the decision, the most likely first."""
    # A complaint that was just escalated has no owner: assessing it again assigns it.
    is_new = case.assessment is None or (case.is_unowned and case.level > 1)
    start = ("assess", "take") if is_new else ("take",)
    following: tuple[str, ...] = ("decide", "resolve") if fits("decide", case) else ("resolve", "investigate")
    if open_statements(case):
        following = ("investigate", *following)
    if case.assessment is None:
        following = ()
    return "check_decision", "approve", *start, *following


def _first(case: Case) -> tuple[str, ...]:
    """The acts that take a complaint to its next state, the most likely first."""
    answer = ("reply",) if case.question_at is not None else ()
    if _must_be_told(case):
        answer = ("given", *answer)
    if case.state in UNDECIDED:
        return tuple(dict.fromkeys((*answer, *_to_decide(case), "reply")))
    if case.conduct.pending is not None:
        answer = (*answer, "approve")
    return tuple(dict.fromkeys((*answer, "reopen", "take", "close", "remedy", "verify", "reply")))


def _needs_owner(case: Case, name: str) -> bool:
    """True while the complaint has no owner, and the act is the owner's: taking it comes first."""
    return case.is_unowned and ACTIONS[FORM_VERBS[name]].owner_only


def executive_actions_alone(case: Case) -> CaseActions:
    """All actions, for an executive post that is the only post of a complaint."""
    available = available_actions(case)
    receipt = ("receipt",) if holds(_RECEIPT, case) and "receipt" not in available.buttons else ()
    return CaseActions((*receipt, *available.buttons), available.others)


def executive_actions(case: Case) -> CaseActions:
    """In the executive channel: confirm that one has seen it, and open it."""
    return CaseActions(("receipt", "open") if holds(_RECEIPT, case) else ("open",), ())
