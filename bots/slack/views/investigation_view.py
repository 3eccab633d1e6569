"""The investigation for staff: the plan with its open steps, evidence, statements and findings (7.6, D)."""

from collections.abc import Iterator, Mapping, Sequence

from bots.slack.client.block_kit import Block, context, cut, escaped, section, sections
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_modals import FormPrefill
from complaints.actions.evidence import NEW, investigation_level, open_statements, open_steps, plan_of
from complaints.case import Case, Event
from complaints.case_values import EvidenceItem, Statement
from store.values import OpenedCase

#: Code points of what a piece of evidence shows, and the number of similar cases that are named.
_LENGTH, _SIMILAR = 150, 8


def investigation_blocks(case: Case, events: Sequence[Event], texts: StaffTexts) -> list[Block]:
    """The plan, and what was gathered; `events` with their words, for a person who may read them."""
    if case.assessment is None or not (case.is_open or case.evidence_items or case.statements):
        return []
    return sections(_lines(case, {event.seq: event.words for event in events}, texts))


def _lines(case: Case, words: Mapping[int, Mapping[str, str]], texts: StaffTexts) -> Iterator[str]:
    missing, steps = open_steps(case), plan_of(case).steps
    yield texts.text(
        "investigation.plan",
        level=investigation_level(case),
        done=len(steps) - len(missing),
        all=len(steps),
        steps=" · ".join(
            f"{'☐' if step in missing else '☑'} {texts.text(f'evidence.{step}')}" for step in steps
        ),
    )
    for item in case.evidence_items:
        item_words = words.get(item.seq, {})
        parts = [
            item_words.get(f"{item.row}.{name}", "") for name in ("shows", "says", "from_whom", "reference")
        ]
        yield f"• {_item(item, texts)}: {escaped(cut(' · '.join(filter(None, parts)) or '–', _LENGTH))}"
    for statement in case.statements:
        yield f"• {_statement(statement, words.get(statement.seq, {}), texts)}"
    for finding in case.issue_findings:
        yield "• " + texts.text(
            "investigation.finding",
            number=finding.issue + 1,
            finding=texts.text(f"finding.{finding.finding}"),
            basis=", ".join(map(str, finding.basis)) or "–",
        )


def _item(item: EvidenceItem, texts: StaffTexts) -> str:
    dated = f", {texts.day(item.dated)}" if item.dated else ""
    return f"{item.n}. {texts.text(f'evidence.{item.kind}')}{dated}"


def _statement(statement: Statement, words: Mapping[str, str], texts: StaffTexts) -> str:
    text_id = "investigation.dropped" if statement.dropped else "investigation.received"
    text_id = "investigation.asked" if statement.is_open else text_id
    whom = escaped(cut(words.get(f"{statement.row}.of_whom", "–"), _LENGTH))
    day = texts.day(statement.received_on or statement.due_on)
    return texts.text(text_id, number=statement.n, whom=whom, day=day)


def investigate_form(case: Case, opened: OpenedCase | None, texts: StaffTexts) -> FormPrefill:
    """The plan and the similar cases above the fields, a row for each open statement and each issue."""
    events = opened.events if opened else ()
    words = {event.seq: event.words for event in events}
    waiting = open_statements(case)
    issues = len(case.issues) if case.assessment is not None else 0
    initial: dict[str, object] = {"evidence": sorted(case.evidence)}
    headings: dict[str, Block] = {}
    for row, statement in enumerate(waiting):
        initial[f"received.{row}.statement"] = str(statement.n)
        headings[f"received.{row}"] = section(_statement(statement, words.get(statement.seq, {}), texts))
    for issue in range(issues):
        initial[f"findings.{issue}.issue"] = str(issue)
    similar = [other.ref for other in (opened.similar_cases if opened else ())[:_SIMILAR]]
    near = texts.text("investigation.similar", refs=", ".join(similar) or "–")
    return FormPrefill(
        initial=initial,
        choices={
            "issue": tuple((str(issue.n), _issue(issue.n, issue.category, texts)) for issue in case.issues),
            "statement": tuple((str(statement.n), str(statement.n)) for statement in waiting),
            "basis": (
                *((str(item.n), _item(item, texts)) for item in case.evidence_items),
                (NEW, texts.text("investigation.new")),
            ),
        },
        preface=[*investigation_blocks(case, events, texts), context(near)],
        rows={"received": len(waiting), "findings": issues},
        fixed=frozenset({"received", "findings"}),
        headings=headings,
        ticked=sorted(case.evidence),
    )


def _issue(number: int, category: str, texts: StaffTexts) -> str:
    return texts.text("choice.issue", number=number + 1, category=texts.text(f"category.{category}"))


def open_steps_warning(case: Case, texts: StaffTexts) -> list[Block]:
    """That the decision would leave steps of the plan open; it may (7.6)."""
    missing = ", ".join(texts.text(f"evidence.{step}") for step in open_steps(case))
    return [section(texts.text("investigation.open_steps", steps=missing))] if missing else []


def open_statements_warning(case: Case, events: Sequence[Event], texts: StaffTexts) -> list[Block]:
    """The statements that were asked for and did not come; a decision may be taken without them (7.6)."""
    words = {event.seq: event.words for event in events}
    lines = [
        f"• {_statement(statement, words.get(statement.seq, {}), texts)}"
        for statement in open_statements(case)
    ]
    return sections([texts.text("investigation.open_statements"), *lines]) if lines else []


def findings_initial(case: Case, events: Sequence[Event]) -> dict[str, str]:
    """The findings as first values of the decision, issue by issue."""
    words = {event.seq: event.words for event in events}
    return {
        path: value
        for finding in case.issue_findings
        for path, value in (
            (f"issues.{finding.issue}.finding", finding.finding),
            (
                f"issues.{finding.issue}.reasons",
                words.get(finding.seq, {}).get(f"{finding.row}.happened", ""),
            ),
        )
    }
