"""The pack for the management review and the audit report, from entries of the registers (8.5, 8.6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from complaints.registers.definitions import REGISTERS
from complaints.registers.entries import Entry, EntryAct
from complaints.vocabulary import Role
from reports.audit import AuditRecord, audit_report
from reports.clauses.table import CLAUSES
from reports.document import (
    Colleague,
    KeyFigure,
    Label,
    Mark,
    Ref,
    Report,
    Sentence,
    Table,
    Tone,
    Verbatim,
    for_channel,
    text,
)
from reports.review import ReviewInput, review_pack
from reports.shared_tables import OVERDUE
from reports.tally import Period
from tests.clauses import clause
from tests.rules.builders import ALICE, MONA, TUESDAY

PERIOD = Period(TUESDAY - timedelta(days=30), TUESDAY + timedelta(days=1))
TODAY = TUESDAY.date()


STAFF = frozenset({ALICE.id, MONA.id, "U0000008", "U0000009"})


def an_act(name: str, state: str, facts: dict[str, Any], words: dict[str, str] | None = None) -> EntryAct:
    due = facts.get("due")
    return EntryAct(
        1, TUESDAY, MONA.id, Role.MANAGER, name, facts, words or {}, state, facts.get("owner"),
        date.fromisoformat(due) if due else None,
    )  # fmt: skip


def an_entry(register: str, number: int, *acts: EntryAct) -> Entry:
    kept = tuple(replace(act, version=version) for version, act in enumerate(acts, start=1))
    return Entry(REGISTERS[register], number, kept)


def monitoring(mark: Mark) -> Report:
    figure = KeyFigure("escalated", text("kpi.escalated"), 3, None, mark)
    return Report("monitoring", "8.4", text("monitoring.title"), TUESDAY, PERIOD, figures=(figure,))


def pack(mark: Mark, **entries: tuple[Entry, ...]) -> Report:
    return review_pack(ReviewInput(entries, (monitoring(mark),), PERIOD, TUESDAY, "UTC", staff=STAFF))


def table(report: Report, id_: str) -> Table:
    return next(table for section in report.sections for table in section.tables if table.id == id_)


GOOD, BAD = Mark(Tone.GOOD, text("report.met")), Mark(Tone.BAD, text("report.not_met"))
LATE = {"source": "idea", "owner": ALICE.id, "due": (TODAY - timedelta(days=2)).isoformat()}


@clause("8.6")
def test_the_pack_begins_with_what_is_to_be_decided() -> None:
    late = an_entry("improvement", 1, an_act("add", "open", LATE, {"what": "Read meters twice"}))
    idea = an_entry("improvement", 2, an_act("suggest", "proposed", {}, {"what": "Call back"}))
    alert = an_entry("alert", 1, an_act("raise", "open", {"figure": "escalated", "until": "2026-10-31"}))
    missed = an_entry("objective", 1, an_act("add", "missed", {"figure": "upheld", "owner": MONA.id}))
    rows = table(pack(BAD, improvement=(idea, late), alert=(alert,), objective=(missed,)), "decide").rows
    assert [row[0].id for row in rows if hasattr(row[0], "id")] == [
        "review.matter.target", "review.matter.alert", "review.matter.objective", "review.matter.overdue",
        "review.matter.idea",
    ]  # fmt: skip
    assert rows[3][1:] == (Verbatim("Read meters twice"), TODAY - timedelta(days=2), Colleague(ALICE.id))
    assert table(pack(GOOD), "decide").rows == ()


def test_a_channel_gets_no_words_of_registers_and_no_owners() -> None:
    late = an_entry("improvement", 1, an_act("add", "open", LATE, {"what": "Read meters twice"}))
    held = an_entry(
        "review", 1, an_act("add", "held", {"done_on": "2026-10-20"}, {"decisions": "More staff"})
    )
    audit = an_entry("audit", 1, an_act("add", "open", {"owner": ALICE.id}, {"what": "Refunds"}))
    finding = {"source": "audit", "record": "audit-1", "owner": ALICE.id}
    action = an_entry("improvement", 2, an_act("raise", "proposed", finding, {"what": "No reply"}))
    whole = pack(BAD, improvement=(late,), review=(held,), audit=(audit,))
    for report in (whole, audit_report(AuditRecord((audit,), (action,)), PERIOD, TUESDAY, TODAY)):
        shown = str(for_channel(report))
        assert ALICE.id not in shown
        assert not any(words in shown for words in ("Read meters", "More staff", "Refunds", "No reply"))


def test_people_who_left_are_not_counted_as_trained_or_as_readers_of_the_policy() -> None:
    gone = {"subject": "complaints", "owner": "U0000099"}
    trained = [an_entry("training", n, an_act("add", "valid", {**gone, "owner": who})) for n, who in
               enumerate(("U0000099", ALICE.id), start=1)]  # fmt: skip
    read = replace(an_act("attest", "in_force", {}), by="U0000099")
    policy = an_entry("policy", 1, an_act("sign", "in_force", {}, {"what": "Policy"}), read)
    section = next(
        part for part in pack(GOOD, training=(*trained,), policy=(policy,)).sections if part.id == "people"
    )
    assert [item.fields["number"] for item in section.items[:2] if isinstance(item, Sentence)] == [1, 0]


@clause("8.6")
def test_the_pack_follows_up_the_actions_of_the_last_review() -> None:
    held = an_entry(
        "review", 1, an_act("add", "held", {"done_on": "2026-10-20"}, {"decisions": "More staff"})
    )
    action = {"source": "review", "record": "review-1", "due": TODAY.isoformat(), "owner": ALICE.id}
    ours = an_entry("improvement", 3, an_act("add", "open", action, {"what": "Hire"}))
    other = an_entry("improvement", 4, an_act("add", "open", {**action, "record": "review-9"}, {"what": "X"}))
    report = pack(GOOD, review=(held,), improvement=(ours, other))
    assert table(report, "actions").column("code") == (Verbatim("improvement-3"),)
    section = next(section for section in report.sections if section.id == "follow_up")
    assert section.notes == (text("review.decided", decisions=Verbatim("More staff")),)


@clause("8.7")
def test_the_pack_shows_whether_an_action_helped() -> None:
    done = an_act("done", "done", {"done_on": "2026-10-01"}, {"changed": "Meters are read twice"})
    facts = {"before": 40, "after": 12, "days": 30, "ratio_low": 0.14, "ratio_high": 0.58}
    report = pack(GOOD, improvement=(an_entry("improvement", 1, done, an_act("check", "effective", facts)),))
    ((code, what, before, after, ratio, state),) = table(report, "effects").rows
    assert (code, what, before, after) == (
        Verbatim("improvement-1"),
        Verbatim("Meters are read twice"),
        40,
        12,
    )
    assert state == Label("register.state", "effective")
    assert ratio is not None


@clause("8.5")
@clause("H")
def test_the_audit_report_counts_the_last_answer_for_each_complaint() -> None:
    answers = [
        an_act("answer", "open", {"ref": "A7K-M3Q-9T", "q_in_time": "no"}),
        an_act("answer", "open", {"ref": "A7K-M3Q-9T", "q_in_time": "yes"}),
        an_act("answer", "open", {"ref": "B7K-M3Q-9T", "q_in_time": "no"}),
    ]
    audit = an_entry("audit", 1, an_act("add", "open", {"size": "5"}, {"what": "Refunds"}), *answers)
    finding = {"source": "audit", "record": "audit-1", "refs": ["B7K-M3Q-9T"], "due": "2026-10-01"}
    action = an_entry("improvement", 1, an_act("raise", "proposed", finding, {"what": "No reply in time"}))
    statuses = {row.id: "met" for row in CLAUSES}
    record = AuditRecord((audit,), (action,), statuses, TUESDAY, TUESDAY, 9)
    report = audit_report(record, PERIOD, TUESDAY, TODAY)
    assert table(report, "audits").column("answered") == (2,)
    (in_time,) = [row for row in table(report, "answers").rows if row[0] == text("register.field.q_in_time")]
    assert in_time[1:] == (1, 1, 0)
    (row,) = table(report, "findings").rows
    assert (row[2], row[-1]) == ((Ref("B7K-M3Q-9T"),), OVERDUE)
    assert len(table(report, "clauses").rows) == len(CLAUSES)
    assert report.limits == ()
    assert audit_report(AuditRecord((), ()), PERIOD, TUESDAY, TODAY).limits != ()
