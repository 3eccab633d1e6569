"""Keeping a file shorter than claims may be brought is a choice to be made knowingly (iso10002.md section 7)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from complaints.keeping import Keeping
from complaints.rulebook import Rulebook
from complaints.worktime import due

#: Until when a claim out of a contract may be brought, in general; longer ones exist (deeds, personal injury).
LIMITATION: Mapping[str, str] = {"GB": "72 months", "TR": "120 months"}
_ANY_DAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def scheme_caution(rules: Rulebook, scheme: Mapping[str, Any]) -> str | None:
    """The same of a scheme that asks to keep files for a time; counted from receipt it ends before ours at best."""
    asked = scheme.get("keep")
    if not rules.retention or asked is None:
        return None
    keeping = Keeping.parse(rules.retention)
    kept, wanted = (due(_ANY_DAY, span, rules.calendar).at for span in (keeping.span, asked))
    return (
        f"privacy.retention purges files {_after(keeping)}, but {rules.preset} asks to keep them for "
        f"{asked} from receipt: make sure that none goes too early"
        if kept < wanted
        else None
    )


def retention_caution(rules: Rulebook) -> str | None:
    """What `check` says about the time that files are kept; None where nothing need be said."""
    if not rules.retention:
        return None
    keeping = Keeping.parse(rules.retention)
    said = f"privacy.retention purges files {_after(keeping)} ({rules.country})"
    limit = LIMITATION.get(rules.country)
    if limit is None:
        return f"{said}: make sure that no limitation period is longer"
    kept, claimed = (due(_ANY_DAY, span, rules.calendar).at for span in (keeping.span, limit))
    return (
        f"{said}, but claims may be brought for {limit}: make sure that it is meant"
        if kept < claimed
        else None
    )


def _after(keeping: Keeping) -> str:
    return f"{keeping.span} after {'receipt' if keeping.from_receipt else 'closing'}"
