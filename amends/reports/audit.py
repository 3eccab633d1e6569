"""The audit report (8.5) from the registers, the last count of the clauses and the last verification."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from complaints.times import local_time, parse_time
from reports.audit import AuditRecord, audit_report
from reports.document import Report
from reports.tally import Period
from store.custody.verify import last_verified
from store.proof.hash_chain import list_instance_events
from store.proof.log import latest_checkpoint
from store.registers import list_entries
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def build(store: Store, settings: Settings, period: Period, now: datetime) -> Report:
    counted = store.read(list_instance_events, "clauses", 1)
    verified, checkpoint = store.read(last_verified), store.read(latest_checkpoint)
    findings = [
        entry for entry in store.read(list_entries, "improvement") if entry.facts.get("source") == "audit"
    ]
    record = AuditRecord(
        audits=tuple(store.read(list_entries, "audit")),
        findings=tuple(findings),
        clauses=counted[0]["facts"]["statuses"] if counted else {},
        clauses_at=parse_time(counted[0]["at"]) if counted else None,
        verified_at=None if verified is None else parse_time(verified["at"]),
        verified_size=0 if verified is None else verified["size"],
        checkpoint_at=None if checkpoint is None else checkpoint.at,
        checkpoint_size=0 if checkpoint is None else checkpoint.size,
    )
    return audit_report(record, period, now, local_time(now, settings.organisation.timezone).date())
