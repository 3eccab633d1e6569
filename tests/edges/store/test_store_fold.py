"""After any sequence of acts, the rows equal the fold of the events (Hypothesis, both databases)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from complaints.actions.perform import fold
from complaints.actors import SYSTEM
from complaints.errors import ComplaintError
from complaints.vocabulary import Verb
from store.cases.act import act
from store.cases.read import load_case, load_history, open_case
from store.custody.verify import verify
from store.database.transaction import Tx
from store.store import Store
from tests.databases import FakeClock
from tests.edges.desk import ASSESSED, HANDLER, MANAGER, RESOLVED, RESOLVED_WORDS, TOP, Desk
from tests.edges.obligation_rows import assert_each_obligation_has_a_row_or_comes_in_time

_EVIDENCE = ["complainant_heard", "records_checked", "staff_statement", "rule_or_contract"]
_DECIDED = {
    "issues": [{"finding": "upheld"}],
    "remedies": [{"type": "refund", "amount": "250.00", "currency": "GBP"}],
    "others_affected": "none",
    "cause_class": "single",
}
_WORDS = {"issues.0.reasons": "why", "remedies.0.text": "money back", "root_cause": "an old pipe"}

Act = Callable[[Desk, str], Any]

ACTS: dict[str, Act] = {
    "add": lambda desk, ref: desk.add(ref, "And more."),
    "danger": lambda desk, ref: desk.add(ref, "Gas!", signs=_gas()),
    "end_form": lambda desk, ref: desk.store.write(act, ref, Verb.END_FORM, SYSTEM, {"because": "silence"}),
    "acknowledge": lambda desk, ref: desk.store.write(act, ref, Verb.ACKNOWLEDGE, SYSTEM),
    "assess": lambda desk, ref: desk.act(ref, Verb.ASSESS, facts=ASSESSED),
    "reassess": lambda desk, ref: desk.act(ref, Verb.REASSESS, facts={**ASSESSED, "severity": 3}),
    "assign": lambda desk, ref: desk.act(ref, Verb.ASSIGN, MANAGER, {"owner": MANAGER}),
    "note": lambda desk, ref: desk.act(ref, Verb.NOTE, words={"text": "note"}),
    "reply": lambda desk, ref: desk.act(ref, Verb.REPLY, words={"text": "reply"}),
    "investigate": lambda desk, ref: desk.act(ref, Verb.INVESTIGATE, facts={"evidence": _EVIDENCE}),
    "read": lambda desk, ref: desk.store.write(open_case, ref, desk.actor(HANDLER), "open"),
    "resolve": lambda desk, ref: desk.act(ref, Verb.RESOLVE, facts=RESOLVED, words=RESOLVED_WORDS),
    "respond": lambda desk, ref: desk.act(ref, Verb.RESPOND, facts=_DECIDED, words=_WORDS),
    "approve": lambda desk, ref: desk.act(ref, Verb.APPROVE, TOP, {"agreed": "yes"}),
    "told": lambda desk, ref: desk.store.write(act, ref, Verb.COMMUNICATE_DECISION, SYSTEM),
    "accept": lambda desk, ref: desk.complain(ref, Verb.ACCEPT),
    "disagree": lambda desk, ref: desk.complain(ref, Verb.DISAGREE, words={"words": "no"}),
    "withdraw": lambda desk, ref: desk.complain(ref, Verb.WITHDRAW),
    "done": lambda desk, ref: desk.act(
        ref, Verb.REMEDY_DONE, facts={"remedy": 0, "done_at": "2026-11-03T09:00:00Z"}, words={"proof": "x"}
    ),
    "verify": lambda desk, ref: desk.act(ref, Verb.VERIFY, MANAGER, {"remedy": 0}, {"how": "called"}),
    "close": lambda desk, ref: desk.act(
        ref, Verb.CLOSE, MANAGER, {"cause_class": "single"}, {"root_cause": "an old pipe"}
    ),
    "reopen": lambda desk, ref: desk.act(ref, Verb.REOPEN, MANAGER, words={"reason": "new"}),
}


def _gas() -> Any:
    from datetime import UTC, datetime

    from complaints.case_values import RecordedSign

    return (RecordedSign("danger.gas", 5, 3, True, datetime(2026, 11, 3, tzinfo=UTC)),)


@settings(
    max_examples=settings.default.max_examples // 8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    chosen=st.lists(st.sampled_from(sorted(ACTS)), max_size=12),
    likely=st.sampled_from(
        [
            (),
            ("assess", "read", "resolve", "acknowledge", "told", "accept", "close"),
            ("assess", "investigate", "read", "respond", "approve", "told", "done", "verify"),
            ("assess", "read", "resolve", "told", "disagree", "assess", "investigate"),
        ]
    ),
)
def test_rows_obligations_and_hash_chain_agree_with_the_fold_of_the_events(
    store: Store, clock: FakeClock, chosen: list[str], likely: tuple[str, ...]
) -> None:
    desk = Desk(store)
    desk.numbers = _numbers
    ref = desk.receive()
    for name in (*likely, *chosen):
        before = store.read(load_case, ref)
        try:
            ACTS[name](desk, ref)
        except ComplaintError:
            assert store.read(load_case, ref) == before
        clock.go_on(minutes=7)
    case = store.read(load_case, ref)
    assert fold(store.read(load_history, ref), case.rules) == case
    assert store.read(verify).first_bad is None
    assert_each_obligation_has_a_row_or_comes_in_time(store, case)


_numbers = count(1)


def test_a_case_is_read_again_after_the_transaction_that_changed_it_is_rolled_back(store: Store) -> None:
    desk = Desk(store)
    ref = desk.receive()

    def note_and_fail(tx: Tx) -> None:
        act(tx, ref, Verb.NOTE, desk.actor(HANDLER), {}, {"text": "never was"})
        assert load_case(tx, ref).version == 2
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        store.write(note_and_fail)
    desk.act(ref, Verb.ASSIGN, HANDLER, {"owner": HANDLER})
    desk.act(ref, Verb.NOTE, words={"text": "note"})

    assert [event.verb for event in store.read(load_history, ref)] == [Verb.RECEIVE, Verb.ASSIGN, Verb.NOTE]
    assert (store.read(load_case, ref).owner, store.read(load_case, ref).version) == (HANDLER, 3)
