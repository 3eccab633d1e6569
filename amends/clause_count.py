"""The clause count for Slack and the command line, from the record, the settings, the texts and the roles."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from amends.settings import Settings, rulebook
from bots.texts.catalogues import load_catalogues as load_texts
from complaints.registers.definitions import REGISTERS
from reports.clauses.clause_evidence import OrganisationFacts, RolePeriod
from reports.clauses.count import CaseEvidence, ClauseCount, ClauseReport, count, list_case_evidence
from reports.clauses.principles import NOTICES
from reports.integrity import Proof
from reports.words import in_words
from store.cases.pages import list_role_periods, load_case_history
from store.custody.verify import verify
from store.database.errors import collecting_damage, damaged_ref
from store.proof.hash_chain import newest_instance_events
from store.registers import list_entries
from store.store import Store


def count_clauses(store: Store, settings: Settings, *, proof: bool = True) -> ClauseReport:
    """Every clause with today's evidence. With `proof` the whole hash chain is read and checked."""
    with collecting_damage() as damaged:
        report = count(store.whole_record(), organisation_facts(store, settings, proof=proof))
    return replace(report, damaged=tuple(dict.fromkeys(map(damaged_ref, damaged))))


def count_case_clauses(store: Store, settings: Settings, ref: str) -> list[CaseEvidence]:
    """The evidence of one complaint for each clause. Raises UnknownReference if there is no such complaint."""
    history = store.read(load_case_history, ref)
    return list(list_case_evidence(history, organisation_facts(store, settings, proof=False)))


def organisation_facts(store: Store, settings: Settings, *, proof: bool) -> OrganisationFacts:
    """What the count needs to know of the organisation today, apart from its complaints."""
    rules = rulebook(settings)
    texts = load_texts(rules.languages, settings.texts_folder)
    notices = [
        (language, text_id) for language in rules.languages for text_id in NOTICES if texts.has(text_id)
    ]
    verified = store.read(verify, opens=False) if proof else None
    recorded_at = store.read(newest_instance_events)
    return OrganisationFacts(
        now=store.now(),
        rules=rules,
        periods=tuple(RolePeriod(*row) for row in store.read(list_role_periods)),
        texts={
            language: {text_id: texts.raw(code, text_id) for code, text_id in notices if code == language}
            for language in rules.languages
        },
        versions={
            (language, text_id): version
            for language, text_id in notices
            if (version := texts.version(language, text_id)) is not None
        },
        settings=frozenset(_setting_names(settings.model_dump())),
        proof=None if verified is None else Proof(verified.entries, verified.first_bad),
        reported_at=recorded_at.get("report:monitoring"),
        entries={name: tuple(store.read(list_entries, name)) for name in REGISTERS},
        recorded_at=recorded_at,
    )


def clause_rows(report: ClauseReport, *, refs: bool = True) -> list[tuple[str, str, str, str]]:
    """For each clause: its number, title, status, and evidence on one line.

    `refs` False leaves out references, for readers who may not know of every complaint.
    """
    return [
        (row.clause.id, row.clause.title, row.status.value, in_words(evidence_line(row, refs=refs)))
        for row in report.clauses
    ]


def clause_lines(store: Store, settings: Settings) -> list[str]:
    """The count for Slack: one line for each clause, without references. The hash chain is not checked here."""
    rows = clause_rows(count_clauses(store, settings, proof=False), refs=False)
    return [
        f"{number} {title}: {status}" + (f" ({evidence})" if evidence else "")
        for number, title, status, evidence in rows
    ]


def evidence_line(row: ClauseCount, *, refs: bool = True) -> str:
    evidence = row.evidence
    if evidence.violated:
        first = evidence.violations[0]
        more = f" and {evidence.violated - 1} more" if evidence.violated > 1 else ""
        where = first.ref or "settings" if refs or first.ref is None else "a complaint"
        return f"{where}: {first.what}{more}"
    if evidence.missed:
        return "; ".join(f"too seldom: {figure.what}" for figure in evidence.missed)
    if row.clause.of:
        return f"sums up {', '.join(row.clause.of)}"
    shares = [
        f"{figure.what} {figure.share.hits} of {figure.share.of}"
        for figure in evidence.figures
        if figure.share is not None
    ]
    times = [f"{figure.what} {figure.p50:g}" for figure in evidence.figures if figure.p50 is not None]
    counts = [f"{figure.what} {figure.n}" for figure in evidence.figures]
    line = "; ".join((times + shares or counts)[:3])
    if row.clause.lacks is not None:
        return f"lacks {row.clause.lacks}" + (f" (so far: {line})" if line else "")
    return line


def _setting_names(settings: Mapping[str, Any]) -> Iterator[str]:
    for name, value in settings.items():
        yield str(name)
        for item in value if isinstance(value, list | tuple) else (value,):
            if isinstance(item, Mapping):
                yield from _setting_names(item)
