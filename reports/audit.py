"""The audit report (8.5, H): what audits found, the state of each clause, and the last check of the record."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from complaints.forms import ANSWERS
from complaints.registers.definitions import REGISTERS
from complaints.registers.entries import Entry, answers_of
from reports.clauses.clause_evidence import ClauseStatus
from reports.clauses.table import CLAUSES, EDITIONS
from reports.document import Cell, Column, Mark, Report, Section, Sentence, Table, Tone, Verbatim, text
from reports.shared_tables import entry_table
from reports.tally import Period

_FIELDS = ("what", "since", "until", "owner", "size", "seed")
QUESTIONS = tuple(name for name in REGISTERS["audit"].fields if name.startswith("q_"))
_TONES = {ClauseStatus.MET: Tone.GOOD, ClauseStatus.VIOLATED: Tone.BAD}


@dataclass(frozen=True)
class AuditRecord:
    """What the report is computed from. `clauses` are the statuses of the last count, by number."""

    audits: tuple[Entry, ...]
    findings: tuple[Entry, ...]
    clauses: Mapping[str, str] = field(default_factory=dict)
    clauses_at: datetime | None = None
    verified_at: datetime | None = None
    verified_size: int = 0
    checkpoint_at: datetime | None = None
    checkpoint_size: int = 0


def audit_report(record: AuditRecord, period: Period, now: datetime, today: date) -> Report:
    """The audits of a period: those that began or were worked on in it."""
    audits = tuple(entry for entry in record.audits if any(period.holds(act.at) for act in entry.acts))
    codes = {entry.code for entry in audits}
    findings = tuple(entry for entry in record.findings if entry.facts.get("record") in codes)
    return Report(
        kind="audit",
        clause="8.5",
        title=text("audit.title"),
        as_of=now,
        period=period,
        summary=tuple(_summary(record, audits, findings)),
        sections=(
            Section(
                "audits", text("register.name.audit"), private=True,
                tables=(audit_table("audits", text("audit.audits"), audits, today, _FIELDS),),
            ),
            Section("answers", text("audit.answers"), tables=(_answers(audits),)),
            Section(
                "findings", text("audit.findings"),
                tables=(
                    entry_table("findings", "improvement", findings, today, ("what", "refs", "owner", "due")),
                ),
                private=True,
            ),
            Section("clauses", text("audit.clauses"), tables=(_clauses(record),)),
            Section("integrity", text("audit.integrity"), items=tuple(_integrity(record))),
        ),
        method=(Section("method", text("audit.title"), items=(text("audit.method"),)),),
        limits=() if record.clauses else (text("audit.no_clauses"),),
    )  # fmt: skip


def _summary(
    record: AuditRecord, audits: tuple[Entry, ...], findings: tuple[Entry, ...]
) -> Iterator[Sentence | Mark]:
    finished = sum(not entry.is_open for entry in audits)
    yield text("audit.count", len(audits), finished=finished)
    left_out = [
        ref for entry in audits for done in entry.acts_of("finish") for ref in done.facts.get("left_out", ())
    ]
    if left_out:
        yield Mark(Tone.WATCH, text("audit.left_out", len(left_out)))
    yield text("audit.finding_count", len(findings), open=sum(entry.is_open for entry in findings))
    if record.clauses:
        met = sum(status == ClauseStatus.MET for status in record.clauses.values())
        tone = Tone.BAD if ClauseStatus.VIOLATED in record.clauses.values() else Tone.GOOD
        yield Mark(
            tone, text("audit.clauses_met", met=met, total=len(record.clauses), moment=record.clauses_at)
        )
    yield from _integrity(record)


def _integrity(record: AuditRecord) -> Iterator[Sentence | Mark]:
    if record.verified_at is None:
        yield Mark(Tone.WATCH, text("audit.not_verified"))
    else:
        yield Mark(Tone.GOOD, text("audit.verified", moment=record.verified_at, size=record.verified_size))
    if record.checkpoint_at is not None:
        yield text("audit.checkpoint", moment=record.checkpoint_at, size=record.checkpoint_size)


def audit_table(
    id_: str, title: Sentence, audits: Sequence[Entry], today: date, fields: Sequence[str]
) -> Table:
    """The audits with these fields, and how many complaints of the sample of each have answers."""
    table = entry_table(id_, "audit", audits, today, fields)
    heads = (*table.columns, Column("answered", text("audit.answered")))
    rows = tuple((*row, len(answers_of(entry))) for row, entry in zip(table.rows, audits, strict=True))
    return Table(id_, title, heads, rows)


def _answers(audits: tuple[Entry, ...]) -> Table:
    """How often each question was answered how; the last answer for each complaint counts."""
    last = [done.facts for entry in audits for done in answers_of(entry).values()]
    counts = {name: Counter(facts.get(name) for facts in last) for name in QUESTIONS}
    heads = (
        Column("question", text("audit.question")),
        *(Column(answer, text(f"choice.{answer}")) for answer in ANSWERS),
    )
    rows: list[tuple[Cell, ...]] = [
        (text(f"register.field.{name}"), *(counts[name][answer] for answer in ANSWERS)) for name in QUESTIONS
    ]
    return Table("answers", text("audit.answers"), heads, tuple(rows))


def _clauses(record: AuditRecord) -> Table:
    heads = (
        Column("clause", text("audit.clause")),
        Column("clause_2018", text("audit.clause_2018")),
        Column("title", text("audit.clause_title")),
        Column("status", text("registers.state")),
    )
    rows: list[tuple[Cell, ...]] = []
    for row in CLAUSES:
        if (status := record.clauses.get(row.id)) is not None:
            name = text(f"clause.status.{ClauseStatus(status).name.lower()}")
            mark, number = Mark(_TONES.get(ClauseStatus(status), Tone.WATCH), name), EDITIONS["2018"][row.id]
            rows.append((Verbatim(row.id), Verbatim(number) if number else None, Verbatim(row.title), mark))
    return Table("clauses", text("audit.clauses"), heads, tuple(rows))
