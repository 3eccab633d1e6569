"""Put open complaints under today's rules or another jurisdiction: preview the new dates, then do it (7.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from complaints.actions.perform import ActResult, perform
from complaints.actors import OPERATOR
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.explanation import explained
from complaints.deadlines.rule_change import is_limited_by_promise, promised_later
from complaints.errors import OutOfOrder, Stale
from complaints.rulebook import Rulebook, Rulebooks
from complaints.vocabulary import State, Verb
from store.cases.act import act_on
from store.database.transaction import Tx
from store.record.load import CaseFile, load_case_file
from store.rulebooks import store_rulebook, with_closed_days
from store.tables import COMPLAINTS

#: References are fetched from the database in batches of this many.
_PAGE = 1000


@dataclass(frozen=True)
class RuleChange:
    """One date of a complaint before and after; `after` is None if the new rules do not have this target.

    `is_told`: a promised date moves later and the complainant is informed. `keeps_promise`: the new rules give a
    later date, but the promised date still holds. `because` explains the new date.
    """

    before: TargetSet | None
    after: TargetSet | None
    is_told: bool
    keeps_promise: bool
    because: tuple[str, ...]


@dataclass(frozen=True)
class RedatedCase:
    """What `redate` changes in one complaint, at the `version` that was previewed.

    `jurisdiction` and `rulebook` hold the values before and after.
    """

    ref: str
    version: int
    zone: str
    jurisdiction: tuple[str, str]
    rulebook: tuple[str, str]
    changes: tuple[RuleChange, ...]


def list_open_refs(tx: Tx, jurisdiction: str | None = None) -> list[str]:
    """References of the open complaints, of one jurisdiction or of all, the earliest received first."""
    columns = COMPLAINTS.c
    states = [state.value for state in State if state is not State.CLOSED]
    query = select(columns.ref, columns.received_at).where(columns.state.in_(states))
    if jurisdiction is not None:
        query = query.where(columns.jurisdiction == jurisdiction)
    rows = tx.connection.execute(query.order_by(columns.received_at, columns.ref)).yield_per(_PAGE)
    return [row.ref for row in rows]


def preview_redate(
    tx: Tx,
    ref: str,
    rulebooks: Rulebooks,
    reason: str,
    *,
    jurisdiction: str | None = None,
    later: bool = False,
) -> RedatedCase:
    """What `redate` would change now; writes nothing, raises the same errors."""
    file = load_case_file(tx, ref)
    rules = _rules(tx, rulebooks, file.case, jurisdiction)
    facts = _facts(tx, file, rules, later=later)
    done = perform(
        file.case, Verb.REDATE, at=tx.now, actor=OPERATOR, facts=facts, words={"reason": reason}, rules=rules
    )
    return _redated(file.case, done)


def redate(
    tx: Tx,
    ref: str,
    rulebooks: Rulebooks,
    reason: str,
    *,
    jurisdiction: str | None = None,
    later: bool = False,
    seen_version: int | None = None,
) -> RedatedCase:
    """Put an open complaint under today's settings, with the law of the day on which it was received.

    The rules are those of its own jurisdiction, or of the one named.
    `seen_version` is the version that was previewed. Raises Stale if the complaint has changed since. Raises
    AlreadyDone if it has these rules already, OutOfOrder if it is closed or its jurisdiction is no longer configured.
    """
    file = load_case_file(tx, ref, lock=True)
    rules = _rules(tx, rulebooks, file.case, jurisdiction)
    if seen_version is not None and file.case.version != seen_version:
        raise Stale.worded("stale:redate", ref=ref)
    store_rulebook(tx, rules)
    facts = _facts(tx, file, rules, later=later)
    recorded, after = act_on(tx, file, Verb.REDATE, OPERATOR, facts, {"reason": reason}, rules=rules)
    return _redated(file.case, ActResult(recorded.event, after.case, ()))


def _rules(tx: Tx, rulebooks: Rulebooks, case: Case, jurisdiction: str | None) -> Rulebook:
    code = jurisdiction or case.rules.country
    if code not in rulebooks.codes:
        raise OutOfOrder.worded(
            "out_of_order:rules", ref=case.ref, name=code, codes=", ".join(rulebooks.codes)
        )
    return with_closed_days(tx, rulebooks).at(case.received_at).of(code)


def _facts(tx: Tx, file: CaseFile, rules: Rulebook, *, later: bool) -> Mapping[str, Any]:
    before = tx.connection.execute(
        select(COMPLAINTS.c.rulebook_id).where(COMPLAINTS.c.ref == file.case.ref)
    ).scalar_one()
    return {"rulebook": rules.id, "before": before, "jurisdiction": rules.country, "later": later}


def _redated(before: Case, done: ActResult) -> RedatedCase:
    facts, case = done.event.facts, done.case
    later = promised_later(case, done.event)
    changes = []
    for row in facts.get("targets", ()):
        after = _target(case, row)
        is_told = after.of == 0 and after.target in later
        changes.append(_change(before.target(after.target, after.of), after, case, is_told=is_told))
    changes += [
        RuleChange(_target(before, row), None, is_told=False, keeps_promise=False, because=())
        for row in facts.get("met", ())
    ]
    return RedatedCase(
        ref=case.ref,
        version=before.version,
        zone=case.rules.calendar.zone,
        jurisdiction=(before.rules.country, case.rules.country),
        rulebook=(str(facts["before"]), str(facts["rulebook"])),
        changes=tuple(changes),
    )


def _target(case: Case, row: Mapping[str, Any]) -> TargetSet:
    return next(
        target
        for target in case.targets
        if (target.target.value, target.of, target.version) == (row["target"], row["of"], row["version"])
    )


def _change(before: TargetSet | None, after: TargetSet, case: Case, *, is_told: bool) -> RuleChange:
    return RuleChange(
        before if before is not None and before.met_at is None else None,
        after,
        is_told=is_told,
        keeps_promise=is_limited_by_promise(after),
        because=tuple(explained(case, after)),
    )
