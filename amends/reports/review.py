"""The pack for the management review (8.6) from the registers and the other reports."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from amends.reports import analysis, monitoring, satisfaction
from complaints.registers.definitions import REGISTERS
from reports.document import Report
from reports.integrity import Proof
from reports.monitoring import Monitoring
from reports.review import ReviewInput, review_pack
from reports.tally import Period
from store.people.staff import list_members
from store.registers import list_entries
from store.store import Store

if TYPE_CHECKING:
    from amends.settings import Settings


def build(
    store: Store, settings: Settings, period: Period, now: datetime, proof: Proof | None = None
) -> Report:
    """The pack with the pages of three reports, the first of which has the key figures."""
    first = monitoring.build(store, settings, period, now, proof)
    figures: Monitoring = first.data
    parts = (
        first,
        analysis.build(store, settings, period, now, figures.coverage),
        satisfaction.build(store, settings, period, now, figures.trend),
    )
    return review_pack(
        ReviewInput(
            entries={name: tuple(store.read(list_entries, name)) for name in REGISTERS},
            parts=parts,
            period=period,
            now=now,
            zone=settings.organisation.timezone,
            staff=frozenset(member.id for member in store.read(list_members)),
        )
    )
