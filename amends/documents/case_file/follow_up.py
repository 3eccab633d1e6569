"""Annex D of the case file: the follow-up form, from receipt to the verified correction."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Paragraph, Rows, Wording
from amends.documents.case_file.record_view import RecordView
from bots.sign_names import rule_name

#: Annex D's steps and the verbs of the events that count as each step.
_STEPS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"receive"}),
    "acknowledged": frozenset({"acknowledge", "fail_delivery"}),
    "assessed": frozenset({"assess", "reassess"}),
    "investigated": frozenset({"investigate"}),
    "decided": frozenset({"resolve", "respond", "approve", "not_accept", "reclassify"}),
    "told": frozenset({"communicate_decision"}),
    "answered": frozenset({"accept", "disagree", "withdraw"}),
}
#: Steps that many complaints do not have: they are listed only if they happened.
_EXTRA_STEPS: Mapping[str, frozenset[str]] = {
    "next_level": frozenset({"escalate", "offer_recourse"}),
    "outside": frozenset({"notify_external", "conclude_external"}),
}
_LAST_STEPS: Mapping[str, frozenset[str]] = {
    "ended": frozenset({"close", "lapse", "merge"}),
    "reopened": frozenset({"reopen"}),
}
_OPTIONAL = frozenset({*_EXTRA_STEPS, "reopened", "investigated"})


def follow_up(view: RecordView) -> Iterator[Block]:
    """Annex D: receipt, assessment, investigation, decisions, remedies, step log and end."""
    yield Heading(view.label("follow.title"), new_page=True)
    yield from _receipt(view)
    yield from _assessment(view)
    yield from investigation(view)
    yield from decisions(view)
    yield from remedies(view)
    yield from _step_log(view)
    yield from _end(view)


def _receipt(view: RecordView) -> Iterator[Block]:
    record, label = view.record, view.label
    # The record has the first acknowledgement also as a field of its own.
    first = record["acknowledged_at"]
    acked = [
        label("follow.acked_level", level=level, when=view.moment(at))
        for level, at in record["acknowledgements"].items()
    ]
    yield Heading(label("follow.receipt"), 2)
    yield Fields(
        (
            (label("case.received_at"), view.moment(record["received_at"])),
            (
                label("case.acknowledged_at"),
                "\n".join(acked) or view.moment(first) or label("document.not_yet"),
            ),
            (label("case.last_contact_at"), view.moment(record["last_contact_at"])),
            (label("case.owner"), view.member(record["owner"])),
            (label("case.level"), str(record["level"])),
            (label("case.next_due"), _next_due(view)),
        )
    )


def _next_due(view: RecordView) -> str | None:
    due = view.record["next_due"]
    if not due:
        return None
    return f"{view.labels.code('target', due['target'])}: {view.moment(due['at'])}"


def _assessment(view: RecordView) -> Iterator[Block]:
    record, label, code = view.record, view.label, view.labels.code
    yield Heading(label("follow.assessment"), 2)
    if record["assessed_at"] is None:
        yield Paragraph(label("follow.not_assessed"))
    else:
        yield Fields(view.fields("assessment"))
    yield from _proposed(view)
    issues = tuple(
        (
            str(issue["n"] + 1),
            code("category", issue["category"]),
            issue["text"],
            code("finding", issue["finding"]),
        )
        for issue in record["issues"]
    )
    if issues:
        yield Heading(label("follow.issues"), 3)
        head = view.titles("table.number", "case.category", "table.text", "table.finding")
        yield Rows(head, issues, widths=(1, 4, 9, 4))


def _proposed(view: RecordView) -> Iterator[Block]:
    record, label, code = view.record, view.label, view.labels.code
    signs = "\n".join(dict.fromkeys(rule_name(sign["rule"], label) for sign in record["signs"]))
    proposal = record["proposal"] or None
    if proposal is None and not signs:
        return
    yield Heading(label("follow.proposal"), 3)
    rows = [(label("case.signs"), signs or None)]
    if proposal is not None:
        probability = (
            label("follow.not_sure") if proposal.get("abstained") else f"{proposal['probability']:.0%}"
        )
        rows = [
            (label("table.when"), view.moment(proposal["at"])),
            (label("case.category"), code("category", proposal["category"])),
            (label("case.probability"), probability),
            (label("case.severity"), code("severity", str(proposal["severity"]))),
            (label("case.safety"), code("safety", str(proposal["safety"]))),
            (label("case.model"), proposal.get("model")),
            (label("case.because"), _because(proposal.get("because"))),
            (label("case.matters"), _matters(proposal.get("issues", ()), code)),
            *rows,
        ]
    yield Fields(tuple(rows))


def _because(because: Sequence[Mapping[str, Any]] | None) -> str | None:
    """The words for (+) and against (-) the category with their weights, in the order of the text."""
    if not because:
        return None
    return ", ".join(f"{word['word']} ({word['weight']:+.2f})" for word in because)


def _matters(issues: Sequence[Mapping[str, Any]], code: Callable[[str, str], str | None]) -> str | None:
    """Each matter with its category, if the model found more than one."""
    if len(issues) < 2:
        return None
    matters = [(code("category", issue["category"]), issue.get("text")) for issue in issues]
    return "; ".join(
        f"{category}: {' '.join(text.split())}" if text else str(category) for category, text in matters
    )


def investigation(view: RecordView) -> Iterator[Block]:
    record, label = view.record, view.label
    yield Heading(label("follow.investigation"), 2)
    evidence = [view.labels.code("evidence", code) or code for code in record["evidence"]]
    yield Fields(
        (
            (label("case.evidence"), "\n".join(evidence) or None),
            (label("case.evidence_items"), _listed(view, "evidence_items")),
            (label("case.statements"), _listed(view, "statements")),
            (label("case.issue_findings"), _listed(view, "issue_findings")),
            (label("case.contact_limit"), _listed(view, "contact_limit")),
            *view.fields("investigation"),
        )
    )


#: What a line of the investigation shows, in this order.
_SHOWN = (
    "dated", "due_on", "received_on", "until", "of_whom", "happened", "shows", "says", "from_whom", "reference",
)  # fmt: skip


def _listed(view: RecordView, name: str) -> str | None:
    """A line for each entry: its codes, days and words, and the numbers of the evidence."""
    lines = []
    for entry in view.record.get(name, ()):
        codes = [("evidence", entry.get("kind")), ("finding", entry.get("finding"))]
        codes += [("limit", code) for code in entry.get("limits", ())]
        parts = [*(view.labels.code(*code) for code in codes), *(entry.get(part) for part in _SHOWN)]
        parts += [f"[{', '.join(map(str, entry['basis']))}]"] if entry.get("basis") else []
        number = entry.get("n") or entry.get("issue", 0) + 1
        lines.append(f"{number}. {' · '.join(part for part in parts if part)}")
    return "\n".join(lines) or None


def decisions(view: RecordView, without: Collection[str] = ()) -> Iterator[Block]:
    """Each decision with its findings and reasons; `without` are fields of its words to leave out."""
    label, code = view.label, view.labels.code
    yield Heading(label("follow.decisions"), 2)
    if not view.record["decisions"]:
        yield Paragraph(label("document.not_yet"))
    for decision in view.record["decisions"]:
        if decision.get("external"):
            yield from _outside_decision(view, decision)
            continue
        yield Heading(label("follow.decision", level=decision["level"]), 3)
        yield Fields(view.fields("decision", decision))
        findings = tuple(
            (str(n), code("finding", finding["finding"]), finding["reasons"])
            for n, finding in enumerate(decision["findings"], start=1)
        )
        if findings:
            yield Rows(
                view.titles("table.number", "table.finding", "table.reasons"),
                findings,
                widths=(1, 4, 12),
            )
        for name, text in decision["words"].items():
            if not name.endswith(".reasons") and name not in without:
                yield Wording(view.field(name), text)


def _outside_decision(view: RecordView, decision: Mapping[str, Any]) -> Iterator[Block]:
    yield Heading(view.label("follow.outside", body=decision["body"] or ""), 3)
    yield Fields(view.fields("outside_decision", decision))
    for name, text in decision["words"].items():
        yield Wording(view.field(name), text)


def remedies(view: RecordView) -> Iterator[Block]:
    label = view.label
    yield Heading(label("follow.remedies"), 2)
    remedies = view.record["remedies"]
    if not remedies:
        yield Paragraph(label("document.none"))
        return
    yield Rows(
        view.titles("table.number", "table.what", "table.due", "table.done", "table.verified"),
        tuple(
            (
                str(remedy["n"] + 1),
                _remedy_text(view, remedy),
                view.moment(remedy["due"]),
                _who_when(view, remedy["done_at"], remedy["done_by"]),
                _who_when(view, remedy["verified_at"], remedy["verified_by"]),
            )
            for remedy in remedies
        ),
        widths=(1, 6, 4, 4, 4),
    )


def _remedy_text(view: RecordView, remedy: Mapping[str, Any]) -> str:
    offer = view.label("follow.offer") if remedy["needs_acceptance"] else None
    outside = view.label("follow.by_outside") if remedy["external"] else None
    money = view.labels.amount(remedy["amount"], remedy["currency"])
    parts = (view.labels.code("remedy", remedy["type"]), remedy["text"], money, offer, outside)
    return "\n".join(part for part in parts if part)


def _who_when(view: RecordView, at: str | None, by: str | None) -> str:
    if at is None:
        return view.label("document.not_yet")
    return "\n".join(part for part in (view.moment(at), view.member(by)) if part)


def _step_log(view: RecordView) -> Iterator[Block]:
    """Each step with its time and person; a missing step and a missing verification are listed as open."""
    yield Heading(view.label("step.title"), 2)
    rows = [
        *(row for step, verbs in {**_STEPS, **_EXTRA_STEPS}.items() for row in _step_rows(view, step, verbs)),
        *_corrections(view),
        *(row for step, verbs in _LAST_STEPS.items() for row in _step_rows(view, step, verbs)),
    ]
    head = view.titles("table.step", "table.when", "table.who")
    yield Rows(head, tuple(rows), widths=(6, 5, 6))


def _step_rows(view: RecordView, step: str, verbs: frozenset[str]) -> Iterator[tuple[str | None, ...]]:
    events = [event for event in view.record["events"] if event["verb"] in verbs]
    if not events and step not in _OPTIONAL:
        yield view.label(f"step.{step}"), view.label("document.not_yet"), None
    for event in events:
        did = view.labels.code("did", event["verb"])
        yield (
            f"{view.label(f'step.{step}')}\n{did}",
            view.moment(event["at"]),
            view.who(event["by"], event["role"]),
        )


def _corrections(view: RecordView) -> Iterator[tuple[str | None, ...]]:
    remedies: list[Mapping[str, Any]] = view.record["remedies"]
    if not remedies:
        yield view.label("step.corrected"), view.label("step.nothing_promised"), None
    for remedy in remedies:
        number = remedy["n"] + 1
        yield _remedy_row(view, "corrected", number, remedy["done_at"], remedy["done_by"])
        yield _remedy_row(view, "verified", number, remedy["verified_at"], remedy["verified_by"])


def _remedy_row(
    view: RecordView, step: str, number: int, at: str | None, by: str | None
) -> tuple[str | None, ...]:
    name = f"{view.label(f'step.{step}')} {number}"
    return name, view.moment(at) or view.label("document.not_yet"), view.member(by)


def _end(view: RecordView) -> Iterator[Block]:
    yield Heading(view.label("follow.end"), 2)
    yield Fields(view.fields("end"))
