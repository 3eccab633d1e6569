"""A letter of staff that no channel has accepted yet: it meets no target, and taking it back undoes its decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from complaints.actors import SYSTEM
from complaints.errors import OutOfOrder
from complaints.event_facts import ATTACHMENTS, HELD
from complaints.vocabulary import State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    MONA,
    RESOLUTION,
    RESOLVED,
    BuiltComplaint,
    a_message,
    a_refund,
    an_assessed_case,
    an_investigated_case,
    decided,
)

WAITS = {HELD: 10}


def open_targets(complaint: BuiltComplaint) -> dict[Target, int]:
    return {
        target.target: target.version for target in complaint.case.current_targets() if target.met_at is None
    }


@clause("7.3")
def test_a_reply_leaves_ten_seconds_later_and_meets_its_targets_when_it_is_delivered() -> None:
    questioned = an_assessed_case().do(Verb.ADD, ANNA, a_message(kind="question"), {"description": "When?"})
    written = questioned.do(Verb.REPLY, ALICE, WAITS, {"text": "On Monday."})
    assert (written.obligation("letter").due - written.at).total_seconds() == 10
    assert open_targets(written) == open_targets(questioned)
    sent = written.later(seconds=10).do(Verb.DELIVER, SYSTEM, {"seq": written.last.seq})
    assert Target.REPLY not in open_targets(sent)
    assert sent.case.question_answered_at == sent.at
    assert sent.last.facts["letter"] == "reply"


def test_a_letter_that_staff_gave_by_another_route_counts_from_then() -> None:
    written = an_assessed_case().do(Verb.REPLY, ALICE, WAITS, {"text": "On Monday."})
    facts = {"what": "letter", "given_at": "2026-11-03T10:00:00Z"}
    read_out = written.do(Verb.NOTE, ALICE, facts, {"by_whom": "Read out to her"})
    assert (read_out.case.unsent, read_out.case.contacted) == ((), True)


@clause("7.8")
def test_a_decision_is_taken_back_with_its_remedies_and_its_dates_run_on() -> None:
    before = an_investigated_case()
    made = decided(before, remedies=[a_refund()], held=10)
    assert made.case.state is State.DECIDED
    assert open_targets(made) == open_targets(before)
    assert made.obligation("decision").due > made.at

    back = made.do(Verb.TAKE_BACK, ALICE, {"seq": made.last.seq})
    assert (back.case.state, back.case.remedies, back.case.decision) == (before.case.state, (), None)
    assert open_targets(back) == open_targets(before)
    assert "targets" not in back.last.facts
    assert decided(back, held=10).case.state is State.DECIDED


def test_a_delivered_decision_cannot_be_taken_back() -> None:
    made = an_assessed_case().do(Verb.RESOLVE, ALICE, {**RESOLUTION, **WAITS}, RESOLVED)
    sent = made.do(Verb.COMMUNICATE_DECISION, SYSTEM)
    assert Target.DECIDE not in open_targets(sent)
    assert sent.case.contacted
    with pytest.raises(OutOfOrder) as refused:
        sent.do(Verb.TAKE_BACK, ALICE, {"seq": made.last.seq})
    assert refused.value.code == "already_sent"


def test_an_approval_is_taken_back_by_its_approver_and_the_draft_waits_again() -> None:
    drafted = decided(an_investigated_case(), remedies=[a_refund("150.00")], **{ATTACHMENTS: [1]})
    assert drafted.case.drafted is not None
    assert "attachment" not in drafted.kinds
    agreed = drafted.do(Verb.APPROVE, MONA, {"agreed": "yes", **WAITS})
    assert agreed.obligation("attachment").facts == {"seq": drafted.last.seq, "file": 1}
    back = agreed.do(Verb.TAKE_BACK, MONA, {"seq": agreed.last.seq})
    assert back.case.drafted is not None
    assert back.case.state is drafted.case.state
    assert Target.APPROVE in open_targets(back)


def test_a_withdrawal_ends_a_decision_that_has_not_left() -> None:
    made = decided(an_investigated_case(), held=10)
    withdrawn = made.do(Verb.WITHDRAW, ANNA)
    assert withdrawn.case.unsent == ()
    assert "decision" not in withdrawn.kinds


def test_nobody_hears_that_an_answer_is_missing_while_it_is_on_its_way() -> None:
    questioned = an_assessed_case().do(Verb.ADD, ANNA, a_message(kind="question"), {"description": "When?"})
    due = {obligation.key: obligation.due for obligation in questioned.obligations}
    late = replace(questioned, at=due["delay:reply:1"] - timedelta(hours=1))
    written = late.do(Verb.REPLY, ALICE, WAITS, {"text": "On Monday."})
    assert "delay:reply:1" not in written.keys
    # It was never delivered: a day later the notice is due as if it had not been written.
    early = questioned.do(Verb.REPLY, ALICE, WAITS, {"text": "On Monday."})
    assert "delay:reply:1" in early.keys

    investigated = an_investigated_case()
    missed = next(o for o in investigated.obligations if o.key.startswith("progress:decide"))
    near = replace(investigated, at=missed.due - timedelta(hours=1))
    assert missed.key not in decided(near, held=10).keys
