"""Annex B: the complainant's form, as far as it was filled in.

Annex D's step log: each step with who and when, those that are still missing among them.

Annex D: the follow-up form, from receipt to the correction that somebody verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from amends.documents.blocks import Block, Fields, Heading, Paragraph, Rows, Wording
from amends.documents.case_file.register import Telling, halves
from bots.sign_names import rule_name
from store.cases.export import WholeCase

#: Parts of the people of a complaint beside the complainant, in the form's order.
_OTHERS = ("affected", "representative", "witness", "subject")


def form(told: Telling, whole: WholeCase) -> Iterator[Block]:
    """Person, agent, product and place, problem, remedy asked for, date and signature, enclosures."""
    record, say = told.record, told.say
    yield Heading(say("form.title"))
    yield Fields(
        (
            (say("case.ref"), record["ref"]),
            (say("case.received_at"), told.moment(record["received_at"])),
            (say("case.logged_at"), told.moment(record["logged_at"])),
            (say("case.channel"), told.labels.code("channel", record["channel"])),
            (say("case.language"), record["language"]),
        )
    )
    yield from _people(told, whole)
    yield Heading(say("form.product"), 2)
    yield Fields(
        (
            (say("case.category"), told.labels.code("category", record["category"])),
            (say("case.where_and_when"), record["where_and_when"]),
            *((told.labels.code("number", kind) or kind, value) for kind, value in whole.identifiers),
        )
    )
    yield Heading(say("form.problem"), 2)
    yield Wording(say("form.in_their_words"), record["description"] or "")
    yield Heading(say("form.remedy"), 2)
    asked = [told.labels.code("button", one) or one for one in record["remedy_requested"]]
    yield Fields(
        (
            (say("case.remedy_requested"), "\n".join(asked) or None),
            (say("form.in_their_words"), record["remedy_requested_text"]),
        )
    )
    yield Heading(say("form.signature"), 2)
    yield Paragraph(_signature(told))
    yield from _enclosures(told)


def _people(told: Telling, whole: WholeCase) -> Iterator[Block]:
    record, say = told.record, told.say
    everybody = record["people"]
    if not everybody:
        # The edition for somebody complained about: nothing is said of the people at all.
        return
    yield Heading(say("form.person"), 2)
    # One complaint told to staff and bound to a chat later has both: they are the same person.
    mine = [one for one in everybody if one["role"] == "complainant"]
    names = " / ".join(dict.fromkeys((*whole.names, record["name"] or ""))).strip(" /")
    yield Fields(
        (
            (say("case.name"), names or None),
            (say("case.person_id"), record["complainant"]),
            *(_point(told, point) for one in mine for point in one["contact_points"]),
            (say("case.support_needs"), whole.needs),
            (say("case.flags"), ", ".join(_flags(told)) or None),
        )
    )
    yield Heading(say("form.agent"), 2)
    others = [one for part in _OTHERS for one in everybody if one["role"] == part]
    if not others and not record["for_whom"]:
        yield Paragraph(say("form.no_agent"))
        return
    yield Fields(((say("case.for_whom"), record["for_whom"]),))
    for one in others:
        yield Fields(
            (
                (say("case.part"), told.labels.code("person", one["role"])),
                (say("case.name"), one.get("name")),
                (say("case.person_id"), one["id"]),
                (say("case.relation"), one["relation"]),
                (say("case.authority"), one.get("authority")),
                (say("case.may_receive"), told.labels.yes(one["may_receive"])),
                *(_point(told, point) for point in one["contact_points"]),
            )
        )


def _point(told: Telling, point: Mapping[str, Any]) -> tuple[str, str | None]:
    marks = [told.say(f"point.{name}") for name in ("verified", "preferred", "blocked") if point[name]]
    name = told.labels.code("channel", point["channel"]) or ""
    if point["address"] is None:
        return name, None
    return name, f"{point['address']} ({', '.join(marks)})" if marks else point["address"]


def _flags(told: Telling) -> Iterator[str]:
    for flag in told.record["flags"]:
        yield told.labels.code("flag", flag) or flag


def _signature(told: Telling) -> str:
    record = told.record
    if record["confirmed_at"]:
        return told.say("form.signed", when=told.moment(record["confirmed_at"]))
    if record["form_ended_at"]:
        return told.say("form.unsigned", when=told.moment(record["form_ended_at"]))
    return told.say("form.open")


def _enclosures(told: Telling) -> Iterator[Block]:
    yield Heading(told.say("form.enclosures"), 2)
    files = told.record["files"]
    if not files:
        yield Paragraph(told.say("document.none"))
        return
    yield Rows(
        (
            told.say("table.number"),
            told.say("table.when"),
            told.say("table.what"),
            told.say("table.state"),
            told.say("table.digest"),
        ),
        tuple(
            (
                str(one["seq"]),
                told.moment(one["at"]),
                _what(told, one),
                told.labels.code("stored", one["state"]),
                halves(one["sha256"]),
            )
            for one in files
        ),
        widths=(1, 4, 6, 3, 6),
        small=True,
    )


def _what(told: Telling, one: Mapping[str, Any]) -> str:
    size = told.labels.count("case.bytes", one["size"]) if one["size"] is not None else None
    named = (told.labels.code("file", one["kind"]), one["name"], one["mime"], size)
    return "\n".join(each for each in named if each)


#: The steps of the form and the acts that are such a step.
_STEPS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"receive"}),
    "acknowledged": frozenset({"acknowledge", "fail_delivery"}),
    "assessed": frozenset({"assess", "reassess"}),
    "investigated": frozenset({"investigate"}),
    "decided": frozenset({"resolve", "respond", "approve", "not_accept", "reclassify"}),
    "told": frozenset({"communicate_decision"}),
    "answered": frozenset({"accept", "disagree", "withdraw"}),
}
#: What need not happen is no gap when it did not.
_ONLY_IF: Mapping[str, frozenset[str]] = {
    "next_level": frozenset({"escalate", "offer_recourse"}),
    "outside": frozenset({"notify_external", "conclude_external"}),
}
_LAST: Mapping[str, frozenset[str]] = {
    "ended": frozenset({"close", "lapse", "merge"}),
    "reopened": frozenset({"reopen"}),
}
_OPTIONAL = frozenset({*_ONLY_IF, "reopened", "investigated"})


def steps(told: Telling) -> Iterator[Block]:
    """The table of steps; a remedy's correction is verified by somebody, at a time, or not yet."""
    yield Heading(told.say("step.title"), 2)
    rows = [
        *(row for step, verbs in {**_STEPS, **_ONLY_IF}.items() for row in _acts(told, step, verbs)),
        *_corrections(told),
        *(row for step, verbs in _LAST.items() for row in _acts(told, step, verbs)),
    ]
    head = (told.say("table.step"), told.say("table.when"), told.say("table.who"))
    yield Rows(head, tuple(rows), widths=(6, 5, 6))


def _acts(told: Telling, step: str, verbs: frozenset[str]) -> Iterator[tuple[str | None, ...]]:
    found = [one for one in told.record["events"] if one["verb"] in verbs]
    if not found and step not in _OPTIONAL:
        yield told.say(f"step.{step}"), told.say("document.not_yet"), None
    for one in found:
        did = told.labels.code("did", one["verb"])
        yield f"{told.say(f'step.{step}')}\n{did}", told.moment(one["at"]), told.who(one["by"], one["role"])


def _corrections(told: Telling) -> Iterator[tuple[str | None, ...]]:
    remedies: list[Mapping[str, Any]] = told.record["remedies"]
    if not remedies:
        yield told.say("step.corrected"), told.say("step.nothing_promised"), None
    for one in remedies:
        number = one["n"] + 1
        yield _step(told, "corrected", number, one["done_at"], one["done_by"])
        yield _step(told, "verified", number, one["verified_at"], one["verified_by"])


def _step(told: Telling, step: str, number: int, at: str | None, by: str | None) -> tuple[str | None, ...]:
    name = f"{told.say(f'step.{step}')} {number}"
    return name, told.moment(at) or told.say("document.not_yet"), told.member(by)


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
                yield Wording(told.field(name), text)


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
        yield Wording(told.field(name), text)


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
