"""Annex D: the follow-up form, from receipt to the correction that somebody verified."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Paragraph, Rows, Words
from amends.documents.case_file.steps import steps
from amends.documents.case_file.telling import Telling
from bots.rule_names import rule_name


def follow_up(told: Telling) -> Iterator[Block]:
    """Receipt, problem code, assessment, investigation, decisions, remedies, step log, end."""
    yield Heading(told.say("follow.title"), new_page=True)
    yield from _receipt(told)
    yield from _assessment(told)
    yield from _investigation(told)
    yield from _decisions(told)
    yield from _remedies(told)
    yield from steps(told)
    yield from _end(told)


def _receipt(told: Telling) -> Iterator[Block]:
    record, say = told.record, told.say
    # The first of them stands in the record once more, by itself.
    first = record["acknowledged_at"]
    acked = [
        say("follow.acked_level", level=level, when=told.moment(at))
        for level, at in record["acknowledgements"].items()
    ]
    yield Heading(say("follow.receipt"), 2)
    yield Fields(
        (
            (say("case.received_at"), told.moment(record["received_at"])),
            (say("case.acknowledged_at"), "\n".join(acked) or told.moment(first) or say("document.not_yet")),
            (say("case.last_contact_at"), told.moment(record["last_contact_at"])),
            (say("case.owner"), told.member(record["owner"])),
            (say("case.level"), str(record["level"])),
            (say("case.next_due"), _next(told)),
        )
    )


def _next(told: Telling) -> str | None:
    due = told.record["next_due"]
    if not due:
        return None
    return f"{told.labels.code('target', due['target'])}: {told.moment(due['at'])}"


def _assessment(told: Telling) -> Iterator[Block]:
    record, say, code = told.record, told.say, told.labels.code
    yield Heading(say("follow.assessment"), 2)
    if record["assessed_at"] is None:
        yield Paragraph(say("follow.not_assessed"))
    else:
        yield Fields(
            (
                (say("case.assessed_at"), told.moment(record["assessed_at"])),
                (say("case.assessed_by"), told.member(record["assessed_by"])),
                (say("case.text_read_at"), told.moment(record["text_read_at"])),
                (say("case.media_heard"), told.labels.yes(record["media_heard"])),
                (say("case.category"), code("category", record["category"])),
                (say("case.severity"), code("severity", str(record["severity"]))),
                (say("case.safety"), code("safety", str(record["safety"]))),
                (say("case.complexity"), code("complexity", str(record["complexity"]))),
                (say("case.reach"), code("reach", str(record["reach"]))),
                (say("case.recurrence"), code("recurrence", str(record["recurrence"]))),
                (say("case.priority"), record["priority"]),
                (say("case.immediate_needed"), told.labels.yes(record["immediate_needed"])),
                (say("case.immediate_possible"), told.labels.yes(record["immediate_possible"])),
                (say("case.immediate_action"), record["immediate_action"]),
                (say("case.compensation_likely"), told.labels.yes(record["compensation_likely"])),
                (say("case.override_reason"), record["override_reason"]),
            )
        )
    yield from _proposed(told)
    issues = tuple(
        (str(one["n"] + 1), code("category", one["category"]), one["text"], code("finding", one["finding"]))
        for one in record["issues"]
    )
    if issues:
        yield Heading(say("follow.issues"), 3)
        head = (say("table.number"), say("case.category"), say("table.text"), say("table.finding"))
        yield Rows(head, issues, widths=(1, 4, 9, 4))


def _proposed(told: Telling) -> Iterator[Block]:
    record, say, code = told.record, told.say, told.labels.code
    signs = "\n".join(dict.fromkeys(rule_name(one["rule"], say) for one in record["signs"]))
    made = record["proposal"] or None
    if made is None and not signs:
        return
    yield Heading(say("follow.proposal"), 3)
    rows = [(say("case.signs"), signs or None)]
    if made is not None:
        sure = say("follow.not_sure") if made.get("abstained") else f"{made['probability']:.0%}"
        rows = [
            (say("table.when"), told.moment(made["at"])),
            (say("case.category"), code("category", made["category"])),
            (say("case.probability"), sure),
            (say("case.severity"), code("severity", str(made["severity"]))),
            (say("case.safety"), code("safety", str(made["safety"]))),
            (say("case.model"), made.get("model")),
            (say("case.because"), _because(made.get("because"))),
            (say("case.matters"), _matters(made.get("issues", ()), code)),
            *rows,
        ]
    yield Fields(tuple(rows))


def _because(because: Sequence[Mapping[str, Any]] | None) -> str | None:
    """The words for (+) and against (-) with their weights, as they stand in the text."""
    if not because:
        return None
    return ", ".join(f"{one['word']} ({one['weight']:+.2f})" for one in because)


def _matters(issues: Sequence[Mapping[str, Any]], code: Callable[[str, str], str | None]) -> str | None:
    """Each matter with its category, where the story was read as more than one."""
    if len(issues) < 2:
        return None
    told = [(code("category", one["category"]), one.get("text")) for one in issues]
    return "; ".join(f"{category}: {text}" if text else str(category) for category, text in told)


def _investigation(told: Telling) -> Iterator[Block]:
    record, say = told.record, told.say
    yield Heading(say("follow.investigation"), 2)
    gathered = [told.labels.code("evidence", one) or one for one in record["evidence"]]
    people = ", ".join(record["subject_staff"]) or None
    yield Fields(
        (
            (say("case.evidence"), "\n".join(gathered) or None),
            (say("case.subject_staff"), people),
            (say("case.conflicted"), ", ".join(record["conflicted"]) or None),
            (say("case.restriction"), record["restriction"]),
        )
    )


def _decisions(told: Telling) -> Iterator[Block]:
    say, code = told.say, told.labels.code
    yield Heading(say("follow.decisions"), 2)
    if not told.record["decisions"]:
        yield Paragraph(say("document.not_yet"))
    for one in told.record["decisions"]:
        if one.get("external"):
            yield from _outside(told, one)
            continue
        yield Heading(say("follow.decision", level=one["level"]), 3)
        yield Fields(
            (
                (say("case.decided_at"), told.moment(one["at"])),
                (say("case.decided_by"), told.member(one["by"])),
                (say("case.approved_by"), told.member(one["approved_by"])),
                (say("case.communicated_at"), told.moment(one["communicated_at"]) or say("document.not_yet")),
                (say("case.cause_class"), code("cause", one["cause_class"])),
                (say("case.others_affected"), code("others", one["others_affected"])),
            )
        )
        found = tuple(
            (str(n), code("finding", each["finding"]), each["reasons"])
            for n, each in enumerate(one["findings"], start=1)
        )
        if found:
            yield Rows(
                (say("table.number"), say("table.finding"), say("table.reasons")), found, widths=(1, 4, 12)
            )
        for name, text in one["words"].items():
            if not name.endswith(".reasons"):
                yield Words(told.field(name), text)


def _outside(told: Telling, one: Mapping[str, Any]) -> Iterator[Block]:
    say = told.say
    yield Heading(say("follow.outside", body=one["body"] or ""), 3)
    yield Fields(
        (
            (say("case.decided_at"), told.moment(one["at"])),
            (say("case.logged_by"), told.member(one["by"])),
            (say("case.overturned"), told.labels.yes(one["overturned"])),
            (say("case.complainant_accepts"), told.labels.yes(one["complainant_accepts"])),
            (say("case.comply_by"), one["comply_by"]),
        )
    )
    for name, text in one["words"].items():
        yield Words(told.field(name), text)


def _remedies(told: Telling) -> Iterator[Block]:
    say = told.say
    yield Heading(say("follow.remedies"), 2)
    remedies = told.record["remedies"]
    if not remedies:
        yield Paragraph(say("document.none"))
        return
    yield Rows(
        (
            say("table.number"),
            say("table.what"),
            say("table.due"),
            say("table.done"),
            say("table.verified"),
        ),
        tuple(
            (
                str(one["n"] + 1),
                _promise(told, one),
                told.moment(one["due"]),
                _who_when(told, one["done_at"], one["done_by"]),
                _who_when(told, one["verified_at"], one["verified_by"]),
            )
            for one in remedies
        ),
        widths=(1, 6, 4, 4, 4),
    )


def _promise(told: Telling, one: Mapping[str, Any]) -> str:
    offer = told.say("follow.offer") if one["needs_acceptance"] else None
    outside = told.say("follow.by_outside") if one["external"] else None
    money = told.labels.amount(one["amount"], one["currency"])
    parts = (told.labels.code("remedy", one["type"]), one["text"], money, offer, outside)
    return "\n".join(each for each in parts if each)


def _who_when(told: Telling, at: str | None, by: str | None) -> str:
    if at is None:
        return told.say("document.not_yet")
    return "\n".join(each for each in (told.moment(at), told.member(by)) if each)


def _end(told: Telling) -> Iterator[Block]:
    record, say, code = told.record, told.say, told.labels.code
    yield Heading(say("follow.end"), 2)
    yield Fields(
        (
            (say("case.state"), code("state", record["state"])),
            (say("case.reply"), code("answer", record["reply"])),
            (say("case.reply_at"), told.moment(record["reply_at"])),
            (say("case.reply_reason"), record["reply_reason"]),
            (say("case.recourse_notice_at"), told.moment(record["recourse_notice_at"])),
            (say("case.close_code"), code("close_code", record["close_code"])),
            (say("case.closed_at"), told.moment(record["closed_at"])),
            (say("case.closed_by"), told.member(record["closed_by"])),
            (say("case.root_cause"), record["root_cause"]),
            (say("case.cause_class"), code("cause", record["cause_class"])),
            (say("case.others_affected"), code("others", record["others_affected"])),
            (say("case.others_action"), record["others_action"]),
            (say("case.reopen_count"), str(record["reopen_count"])),
            (say("case.reopen_reason"), record["reopen_reason"]),
        )
    )
