"""The edition of the case file for an outside body: half a page of what happened, then what each statement rests on.

Parts 1 to 6 are read in five minutes; part 7 has every text word for word. Staff appear by role and a number.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from babel.dates import get_day_names

from amends.documents.blocks import Block, Fields, Heading, Paragraph, Rows, Wording
from amends.documents.case_file.evidence_view import EVIDENCE, EvidenceView
from amends.documents.case_file.follow_up import decisions, investigation, remedies
from amends.documents.case_file.form import enclosures, people
from amends.documents.case_file.register import (
    basis,
    brief,
    incident_fields,
    message_state,
    purpose,
    text_line,
    wording,
)
from amends.documents.facts import has_label, reason_words, value_words
from amends.settings.presets import preset_named
from complaints.actions.intake import MACHINE_MADE
from complaints.rulebook import Rulebook
from complaints.times import local_time
from store.cases.export import WholeCase

#: Code points of the complaint on the first page; part 2 has all of it.
_FIRST_WORDS = 280


def evidence(view: EvidenceView, whole: WholeCase, attached: tuple[str, ...]) -> Iterator[Block]:
    """All parts; `attached` are the names of the files in it that prove the record."""
    yield Paragraph(view.label("evidence.opening", zone=view.labels.zone, offset=", ".join(view.offsets)))
    yield from _summary(view)
    yield from _course(view)
    yield Heading(view.label("evidence.complaint"), new_page=True)
    for text in view.with_translations(view.record["texts"]):
        if view.events[text["seq"]]["role"] == "complainant" or text["translates"] is not None:
            yield Wording(text_line(view, text), text["text"])
    yield from _part_of_file(view, enclosures(view))
    if len(view.record["people"]) > 1:
        yield from _part_of_file(view, people(view, whole))
    if whole.incident is not None:
        yield from incident_fields(view, whole.incident)
    yield Heading(view.label("evidence.decisions"))
    yield from _part_of_file(view, investigation(view))
    yield from _part_of_file(view, decisions(view, without=("letter",)))
    yield from _part_of_file(view, remedies(view))
    yield from _other_reasons(view)
    yield from _rules(view, whole.rules)
    yield from _deliveries(view)
    yield from _people(view)
    yield Heading(view.label("evidence.proof"))
    count = view.labels.count("register.chain", len(view.record["events"]), head=whole.head)
    yield Paragraph(f"{count} {view.label('evidence.proof_how', names=', '.join(attached))}")
    yield from wording(view)


def _part_of_file(view: EvidenceView, blocks: Iterator[Block]) -> Iterator[Block]:
    """Blocks of the other edition without the numbers of its headings and without fields that are empty."""
    for block in blocks:
        if isinstance(block, Heading):
            yield replace(block, text=re.sub(r"^\d+\. ", "", block.text))
        elif isinstance(block, Fields):
            rows = tuple(row for row in block.rows if row[1])
            yield Fields(rows) if rows else Paragraph(view.label("document.none"))
        else:
            yield block


def _summary(view: EvidenceView) -> Iterator[Block]:
    """Half a page: who complained of what, what was decided and why, what was late, and how it is now."""
    record, label, code = view.record, view.label, view.labels.code
    wishes = (code("button", wish) or wish for wish in record["remedy_requested"])
    language = view.labels.domains[0].language_name(record["language"], view.labels.language)
    channel, received = code("channel", record["channel"]), view.moment(record["received_at"])
    reply = code("answer", record["reply"]), view.moment(record["reply_at"]), record["reply_reason"]
    state = (
        code("state", record["state"]),
        code("close_code", record["close_code"]),
        view.moment(record["closed_at"]),
    )
    late = [
        f"{code('target', target['target'])}: {words}"
        for target in view.due_times
        for is_late, words in (view.verdict(target),)
        if is_late
    ]
    rows = (
        (label("case.received_at"), _joined(received, channel, language)),
        (label("case.name"), record["name"]),
        (label("form.in_their_words"), _start(record["description"])),
        (label("case.category"), code("category", record["category"])),
        (label("case.remedy_requested"), ", ".join(wishes)),
        *(_decision(view, decision) for decision in record["decisions"]),
        *(_remedy(view, remedy) for remedy in record["remedies"]),
        (label("case.reply"), _joined(*reply)),
        (label("evidence.late_times"), "\n".join(late) or label("evidence.nothing_late")),
        (label("messages.title"), _message_counts(view)),
        (label("case.state"), _joined(*state)),
    )
    yield Heading(label("evidence.summary"), 2)
    yield Fields(tuple(row for row in rows if row[1]))


def _start(words: str | None) -> str:
    line = " ".join((words or "").split())
    return line if len(line) <= _FIRST_WORDS else f"{line[:_FIRST_WORDS]} …"


def _joined(*parts: str | None, between: str = " · ") -> str | None:
    return between.join(filter(None, parts)) or None


def _decision(view: EvidenceView, decision: Mapping[str, Any]) -> tuple[str, str | None]:
    """Its name, and in one line the findings, who took it when, when the complainant got it, and why."""
    label, taken = view.label, view.moment(decision["at"])
    if decision["external"]:
        changed = (
            None
            if decision["overturned"] is None
            else "overturned"
            if decision["overturned"]
            else "confirmed"
        )
        return label("follow.outside", body=decision["body"] or ""), _joined(
            label(f"evidence.{changed}") if changed else None, taken
        )
    delivered = view.moment(decision["communicated_at"])
    return label("follow.decision", level=decision["level"]), _joined(
        view.findings(decision),
        label("evidence.taken", when=taken, who=view.member(decision["by"])),
        label("evidence.given", when=delivered) if delivered else label("evidence.not_given"),
        _start(" ".join(row["reasons"] or "" for row in decision["findings"])),
    )


def _remedy(view: EvidenceView, remedy: Mapping[str, Any]) -> tuple[str, str | None]:
    money, done = view.labels.amount(remedy["amount"], remedy["currency"]), view.moment(remedy["done_at"])
    title = f"{view.label('table.promised')}: {view.labels.code('remedy', remedy['type'])}"
    done = f"{view.label('table.done')}: {done or view.label('document.not_yet')}"
    return title, _joined(money, remedy["text"], done)


def _message_counts(view: EvidenceView) -> str:
    messages: list[Mapping[str, Any]] = view.record["messages"]
    sent = [message for message in messages if message["direction"] == "out"]
    failed = sum(message["state"] in ("failed", "uncertain", "to_tell") for message in sent)
    return view.label("evidence.messages", received=len(messages) - len(sent), sent=len(sent), failed=failed)


def _course(view: EvidenceView) -> Iterator[Block]:
    """The main acts in their order, each with the dates that it answered."""
    dates: dict[tuple[str, str], list[str]] = {}
    for target in view.due_times:
        act, at = EVIDENCE["answers"].get(target["target"]), view.answered_at(target)
        if act and at:
            due = f"{view.labels.code('target', target['target'])}: {view.moment(target['promised_due'])}"
            dates.setdefault((act, at), []).append(f"{due} – {view.verdict(target)[1]}")
    rows = []
    for event in view.record["events"]:
        verb = event["verb"]
        if verb in EVIDENCE["main_acts"] and event["facts"].get("kind") not in MACHINE_MADE:
            facts = brief(view, event["facts"]) if verb in EVIDENCE["with_facts"] else None
            answered = _joined(*dates.get((verb, event["at"]), ()), between="\n")
            rows.append((view.moment(event["at"]), _joined(_act(view, event), facts, between="\n"), answered))
    yield Heading(view.label("evidence.course"), 2)
    yield Rows(view.titles("table.when", "table.what", "table.due"), tuple(rows), (4, 6, 7), small=True)


def _act(view: EvidenceView, event: Mapping[str, Any]) -> str:
    """What was done and who did it; what a program sent has no person; a decision has its level and findings."""
    did = view.labels.code("did", event["verb"]) or ""
    own = [row for row in view.record["decisions"] if row["seq"] < event["seq"] and not row["external"]]
    if event["verb"] == "fail_delivery":
        what, why = event["facts"].get("template"), event["facts"].get("because")
        return _joined(did, value_words("template", what, view.labels), reason_words(why, view.labels)) or did
    if event["verb"] == "communicate_decision" and own:
        return f"{did} – {view.label('follow.decision', level=own[-1]['level'])}: {view.findings(own[-1])}"
    return did if event["role"] == "system" else view.did(event)


def _other_reasons(view: EvidenceView) -> Iterator[Block]:
    """What staff wrote as the reason of an extension, a refusal or another act."""
    reasons = [
        text
        for text in view.record["texts"]
        if view.is_staff(event := view.events[text["seq"]])
        and event["verb"] not in EVIDENCE["words_elsewhere"]
        and text["translates"] is None
    ]
    if reasons:
        yield Heading(view.label("evidence.reasons"), 2)
    for text in reasons:
        yield Wording(text_line(view, text), text["text"])


def _rules(view: EvidenceView, rules: Rulebook) -> Iterator[Block]:
    """The rules that this complaint has kept since its receipt, and each due time by them."""
    label, record = view.label, view.record
    received = local_time(datetime.fromisoformat(record["received_at"]), view.labels.zone).date()
    off = [
        (day, name) for day, name in rules.calendar.holidays.items() if received <= day <= view.made_at.date()
    ]
    changed = [view.moment(event["at"]) for event in record["events"] if event["verb"] == "redate"]
    days_off = _joined(*(f"{view.labels.date(day)}: {name}" for day, name in sorted(off)), between="\n")
    # A time of our own settings has no source, nor has one that they changed.
    scheme = preset_named(rules.preset)
    of_day = scheme.on(received).rules
    sources = {(name, str(rule.value)): rule.source for name, rule in of_day.items() if rule.certain != "own"}
    rows = []
    for target in view.due_times:
        source = sources.get((target["basis"].partition(";")[0].partition(",")[0], target["span"]))
        answered = _joined(view.moment(view.answered_at(target)), view.verdict(target)[1], between="\n")
        name, promised = view.labels.code("target", target["target"]), view.moment(target["promised_due"])
        rule = _joined(basis(view, target), source, between="\n")
        rows.append((name, rule, view.moment(target["start"]), promised, answered))
    yield Heading(label("evidence.rules"))
    yield Fields(
        (
            (label("evidence.preset"), scheme.title),
            (label("case.jurisdiction"), record["jurisdiction"]),
            (label("case.rulebook"), record["rulebook"]),
            (label("evidence.rules_changed"), _joined(*changed) or label("document.no")),
            (label("evidence.hours"), _hours(view, rules)),
            (label("evidence.days_off"), days_off or label("document.none")),
        )
    )
    head = view.titles("table.target", "table.basis", "evidence.from", "table.promised", "table.met")
    yield Rows(head, tuple(rows), (3, 5, 4, 4, 4), small=True)


def _hours(view: EvidenceView, rules: Rulebook) -> str:
    if rules.calendar.always:
        return view.label("evidence.always")
    days = get_day_names("wide", locale=view.labels.language)
    lines: dict[str, list[str]] = {}
    for day, spans in sorted(rules.calendar.hours.items()):
        written = ", ".join(
            f"{start // 60:02}:{start % 60:02}–{end // 60:02}:{end % 60:02}" for start, end in spans
        )
        lines.setdefault(written, []).append(days[day])
    return "\n".join(f"{', '.join(names)}: {written}" for written, names in lines.items())


def _deliveries(view: EvidenceView) -> Iterator[Block]:
    """Each letter with what became of it; part 7 has the words of these and of all other messages."""
    sent = (message for message in view.record["messages"] if message["direction"] == "out")
    # A template is of its kind whatever follows the dot: `closing.resolved`.
    letters = ((message, (message["template"] or "").partition(".")[0]) for message in sent)
    rows = tuple(
        (
            view.moment(message["at"]),
            value_words("delivery", kind, view.labels),
            view.labels.code("channel", message["channel"] or None),
            message_state(view, message),
        )
        for message, kind in letters
        if has_label("delivery", kind, view.labels)
    )
    yield Heading(view.label("evidence.delivery"))
    yield Paragraph(f"{view.label('messages.truth')} {view.label('evidence.other_messages')}", quiet=True)
    head = view.titles("evidence.sent", "table.what", "case.channel", "table.state")
    yield Rows(head, rows, (4, 5, 3, 6), small=True)


def _people(view: EvidenceView) -> Iterator[Block]:
    """Who acted or read, staff by role and number: what they did, and when and why they opened the complaint."""
    label, code, rows = view.label, view.labels.code, []
    for by in dict.fromkeys((*view.numbers, *(entry["by"] for entry in view.record["reads"]))):
        acts = [event for event in view.record["events"] if event["by"] == by and by in view.numbers]
        reads = [entry for entry in view.record["reads"] if entry["by"] == by]
        roles = dict.fromkeys(code("part", entry["role"]) or "" for entry in (*acts, *reads))
        did = dict.fromkeys(code("did", event["verb"]) for event in acts)
        opened = Counter(purpose(view, entry["what"], entry["reason"]) for entry in reads)
        days = dict.fromkeys(view.moment(entry["at"]) for entry in (*reads[:1], *reads[-1:]))
        rows.append(
            (
                label("evidence.member", role=", ".join(roles), number=view.numbers[by])
                if by in view.numbers
                else view.who(by, reads[0]["role"]),
                _joined(*did, between=", "),
                _joined(*(f"{count} × {words}" for words, count in opened.items()), between="\n"),
                _joined(*days, between=" –\n"),
            )
        )
    yield Heading(label("evidence.people"))
    head = view.titles("table.who", "table.what", "register.reads", "table.when")
    yield Rows(head, tuple(rows), (4, 5, 5, 4), small=True)
