"""The investigation: the plan of its level, evidence, statements, and a finding for each issue (7.6, D)."""

from collections.abc import Mapping
from datetime import date

from complaints.actions.access import check_fairness_facts, record_fairness
from complaints.actions.action import Action, ActionRequest, WordKind, goes, something_waits
from complaints.actors import HANDLERS
from complaints.case import Case, Event, Facts, changed
from complaints.case_values import EvidenceItem, IssueFinding, Statement
from complaints.deadlines.opening_hours import closing_time
from complaints.errors import BadFacts, OutOfOrder
from complaints.event_facts import codes, form_facts
from complaints.priorities import priority_of
from complaints.rulebook import InvestigationPlan
from complaints.times import local_time
from complaints.vocabulary import RESTRICTING, UNDECIDED, Finding, Priority, State, Verb

#: The option for the evidence of the same act, which has no number yet.
NEW = "new"
_FIRST = ("complainant_heard", "records_checked")
_SECOND = (*_FIRST, "staff_statement", "rule_or_contract")
#: What each level of investigation gathers, unless `[investigation]` has another plan for it.
PLANS: Mapping[int, InvestigationPlan] = {
    1: InvestigationPlan(_FIRST, required=_FIRST),
    2: InvestigationPlan((*_SECOND, "similar_cases"), required=_SECOND),
    3: InvestigationPlan(
        (*_SECOND, "similar_cases", "site_or_item_seen", "independent_view"), required=_SECOND
    ),
}


def investigation_level(case: Case) -> int:
    """How deep the investigation goes by the assessment in force (7.6).

    3 for grave harm or danger, 2 for P1, P2 and complex matters, 1 for the others.
    """
    if case.severity >= 4 or case.safety >= 2:
        return 3
    is_complex = case.assessment is not None and case.assessment.complexity >= 2
    return 2 if is_complex or priority_of(case) in (Priority.P1, Priority.P2) else 1


def plan_of(case: Case) -> InvestigationPlan:
    """The plan of the level; an independent person looks at a matter about staff, handling or discrimination (C)."""
    level = investigation_level(case)
    plan = case.rules.investigation.get(level, PLANS[level])
    extra = ("independent_view",) if case.category in RESTRICTING else ()
    return InvestigationPlan(tuple(dict.fromkeys((*plan.required, *plan.steps, *extra))), plan.required)


def required_evidence(case: Case) -> frozenset[str]:
    """What must have been gathered before a decision (7.6)."""
    return frozenset(plan_of(case).required)


def missing_evidence(case: Case) -> tuple[str, ...]:
    """What an assessed complaint still lacks for a decision, in a fixed order (7.6)."""
    return () if case.assessment is None else tuple(sorted(required_evidence(case) - case.evidence))


def open_steps(case: Case) -> tuple[str, ...]:
    """The steps of the plan that are not done yet, in its order."""
    return tuple(step for step in plan_of(case).steps if step not in case.evidence)


def open_statements(case: Case) -> tuple[Statement, ...]:
    return tuple(statement for statement in case.statements if statement.is_open)


def check_investigate(case: Case, request: ActionRequest) -> Facts:
    """Start or continue the investigation; it is recorded in several acts (7.6).

    Evidence and statements have a day of their own, and a finding rests on evidence by its numbers. `withdrawn` are
    steps that were recorded as done and are not; not while a decision that rests on them waits for a second person.
    Raises BadFacts and OutOfOrder.
    """
    check_fairness_facts(case, request)
    facts, ticked = request.facts, request.facts.get("evidence", ())
    withdrawn = [step for step in facts.get("withdrawn", ()) if step in case.evidence and step not in ticked]
    if withdrawn and case.drafted is not None:
        raise something_waits(case)
    today = local_time(request.at, case.rules.calendar.zone).date()
    items, received = facts.get("items", ()), [dict(row) for row in facts.get("received", ())]
    for row, item in enumerate(items):
        _require_past(item.get("dated"), today, f"items.{row}.dated")
        _require_issue(case, item.get("issue"), f"items.{row}.issue")
    for row, request_row in enumerate(facts.get("statements", ())):
        if closing_time(date.fromisoformat(request_row["due_on"]), case.rules.calendar) <= request.at:
            raise BadFacts.worded("not_ahead:statement", field=f"statements.{row}.due_on", ref=case.ref)
    waiting = {statement.n for statement in open_statements(case)}
    for row, reply in enumerate(received):
        number = int(reply.get("statement") or -1)
        if number not in waiting:
            path = f"received.{row}.statement"
            raise BadFacts.worded("not_an_option:investigate", field=path, ref=case.ref)
        waiting.discard(number)
        if not reply.get("received_on"):
            if not request.words.get(f"received.{row}.not_needed", "").strip():
                raise BadFacts.worded("required:statement", field=f"received.{row}.received_on", ref=case.ref)
            reply["dropped"] = True
        _require_past(reply.get("received_on"), today, f"received.{row}.received_on")
    first = len(case.evidence_items) + 1
    came = sum(not reply.get("dropped") for reply in received)
    new = [str(number) for number in range(first, first + len(items) + came)]
    findings = [_finding(case, finding, row, new) for row, finding in enumerate(facts.get("findings", ()))]
    rows = {
        "items": items, "statements": facts.get("statements"), "received": received, "findings": findings,
        "withdrawn": withdrawn,
    }  # fmt: skip
    return {
        **{name: value for name, value in facts.items() if name not in rows},
        **{name: list(value) for name, value in rows.items() if value},
    }


def _finding(case: Case, finding: Facts, row: int, new: list[str]) -> Facts:
    """The finding with the numbers of its evidence; every finding but "no finding" rests on some."""
    if case.assessment is None:
        raise OutOfOrder.worded("not_assessed:decidable", ref=case.ref)
    issue = int(finding.get("issue") or 0)
    _require_issue(case, issue, f"findings.{row}.issue")
    earlier = [number for number in finding.get("basis", ()) if number != NEW]
    basis = [*earlier, *(new if NEW in finding.get("basis", ()) else ())]
    numbers = {str(item.n) for item in case.evidence_items} | set(new)
    if not basis and finding["finding"] != Finding.NO_FINDING:
        raise BadFacts.worded("required:finding", field=f"findings.{row}.basis", ref=case.ref)
    if not numbers.issuperset(basis):
        raise BadFacts.worded("not_an_option:finding", field=f"findings.{row}.basis", ref=case.ref)
    return {**finding, "issue": issue, "basis": basis}


def _require_past(day: str | None, today: date, path: str) -> None:
    if day is not None and date.fromisoformat(day) > today:
        raise BadFacts.worded("ahead:statement_received", field=path)


def _require_issue(case: Case, issue: object, path: str) -> None:
    if issue is not None and int(str(issue)) >= max(1, len(case.issues)):
        raise BadFacts.worded("not_an_option:issue", field=path, ref=case.ref)


def apply_investigate(case: Case, event: Event) -> Case:
    facts, seq = event.facts, event.seq
    items, statements = list(case.evidence_items), list(case.statements)
    for row, item in enumerate(facts.get("items", ())):
        dated = date.fromisoformat(item["dated"]) if item.get("dated") else None
        issue = int(item["issue"]) if item.get("issue") is not None else None
        items.append(EvidenceItem(len(items) + 1, seq, f"items.{row}", item["step"], dated, issue))
    for row, reply in enumerate(facts.get("received", ())):
        place = int(reply["statement"]) - 1
        if reply.get("dropped"):
            statements[place] = changed(statements[place], dropped=True)
            continue
        day = date.fromisoformat(reply["received_on"])
        statements[place] = changed(statements[place], received_on=day)
        kind = "staff_statement" if statements[place].inside else "third_party"
        items.append(EvidenceItem(len(items) + 1, seq, f"received.{row}", kind, day))
    for row, request_row in enumerate(facts.get("statements", ())):
        due_on, inside = date.fromisoformat(request_row["due_on"]), request_row["inside"] == "yes"
        statements.append(Statement(len(statements) + 1, seq, f"statements.{row}", event.at, due_on, inside))
    findings = {finding.issue: finding for finding in case.issue_findings}
    for row, finding in enumerate(facts.get("findings", ())):
        basis = tuple(int(number) for number in finding["basis"])
        number = int(finding["issue"])
        findings[number] = IssueFinding(number, seq, f"findings.{row}", finding["finding"], basis)
    gathered = {item.kind for item in items[len(case.evidence_items) :]}
    return changed(
        record_fairness(case, event),
        state=State.INVESTIGATING,
        evidence=case.evidence - set(facts.get("withdrawn", ())) | set(facts.get("evidence", ())) | gathered,
        evidence_items=tuple(items),
        statements=tuple(statements),
        issue_findings=tuple(findings[number] for number in sorted(findings)),
    )


# fmt: off
ROWS: Mapping[Verb, Action] = {
    Verb.INVESTIGATE: Action(
        "7.6", HANDLERS, goes(UNDECIDED, State.INVESTIGATING),
        check=check_investigate, apply=apply_investigate,
        words=WordKind.NOTE, form="investigate", facts=form_facts("investigate").plus(withdrawn=codes), judges=True,
        needs_independence=True, is_handling=True, shows_reading=True, decided_together=True, done="investigate",
    ),
}
# fmt: on
