"""Putting open complaints under the rules of today, or of another jurisdiction: looked at first, then done (7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from complaints.actions.perform import ActResult, perform
from complaints.actors import OPERATOR
from complaints.case import Case
from complaints.case_values import TargetSet
from complaints.deadlines.explanation import explained
from complaints.deadlines.rule_change import keeps_a_promise, promised_later
from complaints.errors import OutOfOrder, Stale
from complaints.rulebook import Rulebook, Rulebooks
from complaints.vocabulary import State, Verb
from store.cases.act import act_on
from store.cases.load import CaseFile, load_case_file
from store.database.transaction import Tx
from store.rulebooks import put_rulebook
from store.tables import COMPLAINTS

#: References are read so many at a time.
_PAGE = 1000


@dataclass(frozen=True)
class RuleChange:
    """One date of a complaint before and after; without `after` the new rules ask for none.

    `told`: the promise moves later, and the complainant is told; `kept`: the rules give a later date than was
    promised, and the promise stands. `because` is the new date explained.
    """

    before: TargetSet | None
    after: TargetSet | None
    told: bool
    kept: bool
    because: tuple[str, ...]


@dataclass(frozen=True)
class RedatedCase:
    """What `redate` does to one complaint, at the `version` that was looked at."""

    ref: str
    version: int
    zone: str
    jurisdiction: tuple[str, str]
    rulebook: tuple[str, str]
    changes: tuple[RuleChange, ...]


def list_open_refs(tx: Tx, jurisdiction: str | None = None) -> list[str]:
    """Every open complaint, of one jurisdiction or of all, the earliest received first."""
    one, found = COMPLAINTS.c, list[str]()
    states = [state.value for state in State if state is not State.CLOSED]
    query = select(one.ref, one.received_at).where(one.state.in_(states))
    if jurisdiction is not None:
        query = query.where(one.jurisdiction == jurisdiction)
    for row in tx.connection.execute(query.order_by(one.received_at, one.ref)).yield_per(_PAGE):
        found.append(row.ref)
    return found


def preview_redate(
    tx: Tx, ref: str, known: Rulebooks, reason: str, *, jurisdiction: str | None = None, later: bool = False
) -> RedatedCase:
    """What `redate` would do now; nothing is written. Raises what it would raise."""
    file = load_case_file(tx, ref)
    rules = _rules(known, file.case, jurisdiction)
    facts = _facts(tx, file, rules, later=later)
    done = perform(
        file.case, Verb.REDATE, at=tx.now, by=OPERATOR, facts=facts, words={"reason": reason}, rules=rules
    )
    return _redated(file.case, done)


def redate(
    tx: Tx,
    ref: str,
    known: Rulebooks,
    reason: str,
    *,
    jurisdiction: str | None = None,
    later: bool = False,
    seen: int | None = None,
) -> RedatedCase:
    """Let an open complaint go on under the rules, of those known, of its own jurisdiction or of the one named.

    `seen` is the version that was looked at: Stale where the complaint has moved on. Raises AlreadyDone where these
    rules say what its own say, OutOfOrder where it is closed, or has a jurisdiction that is no longer set.
    """
    file = load_case_file(tx, ref, lock=True)
    rules = _rules(known, file.case, jurisdiction)
    if seen is not None and file.case.version != seen:
        raise Stale(f"{ref} moved on since you looked: look at it again.")
    put_rulebook(tx, rules)
    facts = _facts(tx, file, rules, later=later)
    recorded, after = act_on(tx, file, Verb.REDATE, OPERATOR, facts, {"reason": reason}, rules=rules)
    return _redated(file.case, ActResult(recorded.event, after.case, ()))


def _rules(known: Rulebooks, case: Case, jurisdiction: str | None) -> Rulebook:
    code = jurisdiction or case.rules.country
    if code not in known.codes:
        raise OutOfOrder(
            f"{case.ref} cannot come under {code}: name one of {', '.join(known.codes)}.",
        )
    return known.of(code)


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
        after = next(
            one
            for one in case.targets
            if (one.target.value, one.of, one.version) == (row["target"], row["of"], row["version"])
        )
        told = after.of == 0 and after.target in later
        changes.append(_change(before.target(after.target, after.of), after, case, told=told))
    for row in facts.get("met", ()):
        gone = next(
            one
            for one in before.targets
            if (one.target.value, one.of, one.version) == (row["target"], row["of"], row["version"])
        )
        changes.append(RuleChange(gone, None, told=False, kept=False, because=()))
    return RedatedCase(
        ref=case.ref,
        version=before.version,
        zone=case.rules.calendar.zone,
        jurisdiction=(before.rules.country, case.rules.country),
        rulebook=(str(facts["before"]), str(facts["rulebook"])),
        changes=tuple(changes),
    )


def _change(before: TargetSet | None, after: TargetSet, case: Case, *, told: bool) -> RuleChange:
    return RuleChange(
        before if before is not None and before.met_at is None else None,
        after,
        told=told,
        kept=keeps_a_promise(after),
        because=tuple(explained(case, after)),
    )
