"""A letter of staff that no channel has accepted yet: it meets no target, and taking it back undoes its decision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bots.slack.views.card import card
from bots.slack.views.home import case_row
from complaints.actors import SYSTEM
from complaints.errors import NotAllowed, OutOfOrder
from complaints.event_facts import ATTACHMENTS, HELD
from complaints.history import CaseHistory
from complaints.measures.marks import marks_of_events
from complaints.vocabulary import State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    BURAK,
    MONA,
    RESOLUTION,
    RESOLVED,
    TUGBA,
    BuiltComplaint,
    a_communicated_case,
    a_message,
    a_refund,
    a_resolved_case,
    an_assessed_case,
    an_investigated_case,
    decided,
)
from tests.rules.lifecycle.test_conduct import WHY, limit_facts, limited, warned
from tests.rules.lifecycle.test_quality_check import SHARE, YES
from tests.rules.lifecycle.test_quality_check import decided as drawn_decision
from tests.rules.slack_cases import voice

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


def questioned() -> BuiltComplaint:
    return an_assessed_case().do(Verb.ADD, ANNA, a_message(kind="question"), {"description": "When?"})


def asked_limit() -> BuiltComplaint:
    complaint = warned()
    return complaint.do(Verb.LIMIT_CONTACT, ALICE, limit_facts(complaint), WHY)


def appealed() -> BuiltComplaint:
    return limited().do(Verb.ADD, ANNA, a_message(kind="question")).do(Verb.APPEAL_LIMIT, ANNA)


def promised() -> BuiltComplaint:
    return decided(an_investigated_case(), remedies=[a_refund()]).do(Verb.COMMUNICATE_DECISION, SYSTEM)


def accepted() -> BuiltComplaint:
    return a_resolved_case().do(Verb.ACCEPT, ANNA)


LATER = "2026-11-20"
MORE_TIME = {"target": "decide", "extended_to": "2026-11-20"}
SPOKEN = {"given_at": "2026-11-03T10:00:00Z"}
OTHER = "4DP-67N-JQ"
#: What stands before each letter, and who sends it with which facts and words.
LETTERS: dict[str, tuple[Callable[[], BuiltComplaint], Verb, Any, dict[str, Any], dict[str, str]]] = {
    "reply": (questioned, Verb.REPLY, ALICE, {}, {"text": "On Monday."}),
    "ask": (questioned, Verb.ASK, ALICE, {"needed_by": "2026-11-10"}, {"text": "Which day?"}),
    "inform": (questioned, Verb.INFORM, ALICE, {"next_date": "2026-11-10"}, {"done": "Read", "left": "All"}),
    "warn_conduct": (questioned, Verb.WARN_CONDUCT, ALICE, {}, {"text": "Please write without names."}),
    "resolve": (questioned, Verb.RESOLVE, ALICE, dict(RESOLUTION), dict(RESOLVED)),
    "approve": (
        lambda: decided(an_investigated_case(), remedies=[a_refund("150.00")]),
        Verb.APPROVE, MONA, {"agreed": "yes"}, {},
    ),
    "check_decision": (
        lambda: drawn_decision(0), Verb.CHECK_DECISION, BURAK, {**YES, "agreed": "yes"}, {},
    ),
    "a limit": (asked_limit, Verb.APPROVE, MONA, {"agreed": "yes"}, {}),
    "kept": (appealed, Verb.REVIEW_LIMIT, TUGBA, {"outcome": "kept"}, WHY),
    "ended": (appealed, Verb.REVIEW_LIMIT, TUGBA, {"outcome": "ended"}, WHY),
    "not_accept": (questioned, Verb.NOT_ACCEPT, MONA, {}, {"reason": "It came too late."}),
    "extend": (an_assessed_case, Verb.EXTEND, MONA, dict(MORE_TIME), {"reason": "Parts are late."}),
    "an extension": (
        lambda: an_assessed_case().do(Verb.EXTEND, ALICE, MORE_TIME, {"reason": "Parts are late."}),
        Verb.APPROVE, MONA, {"agreed": "yes"}, {},
    ),
    "a reclassification": (
        lambda: an_assessed_case().do(Verb.RECLASSIFY, ALICE, {"kind": "praise"}, {"reason": "Thanks only."}),
        Verb.APPROVE, MONA, {"agreed": "yes"}, {},
    ),
    "remedy": (
        promised, Verb.REMEDY_DONE, ALICE, {"remedy": 0, "done_at": "2026-11-03T10:00:00Z"}, {"proof": "Seen"},
    ),
    "close": (accepted, Verb.CLOSE, ALICE, {"cause_class": "single"}, {"root_cause": "A slip"}),
    "accept by voice": (a_communicated_case, Verb.ACCEPT, ALICE, dict(SPOKEN), {"by_whom": "Anna"}),
    "disagree by voice": (a_communicated_case, Verb.DISAGREE, ALICE, {**SPOKEN, "reviewers": 1}, {"by_whom": "Anna"}),
    "withdraw by voice": (questioned, Verb.WITHDRAW, ALICE, dict(SPOKEN), {"by_whom": "Anna"}),
    "outside": (
        a_communicated_case, Verb.CONCLUDE_EXTERNAL, ALICE, {"event": "final", "overturned": "yes"},
        {"body": "Ombudsman", "outcome": "Pay it back."},
    ),
    "merge": (questioned, Verb.MERGE, ALICE, {"other_ref": OTHER, "other_complainant": ANNA.id}, {}),
    "renewed": (limited, Verb.REVIEW_LIMIT, TUGBA, {"outcome": "renewed", "until": LATER}, WHY),
}  # fmt: skip


def shown(complaint: BuiltComplaint) -> tuple[str, str, list[tuple[Any, ...]]]:
    """What people see of a complaint: its card and home row, and its open dates."""
    case, texts = complaint.case, voice("en")
    targets = [
        (target.target, target.of, target.start, target.internal_due, target.promised_due)
        for target in case.current_targets()
        if target.met_at is None
    ]
    blocks = [
        block for block in card(case, texts, now=complaint.at, draw=1).blocks if block["type"] != "actions"
    ]
    return str(blocks), case_row(case, texts, complaint.at), sorted(targets, key=str)


@clause("7.3")
@pytest.mark.parametrize("name", [*LETTERS, "decide"])
def test_every_letter_that_is_taken_back_leaves_the_complaint_as_it_was(name: str) -> None:
    if name == "decide":
        before, actor = an_investigated_case(), ALICE
        sent = decided(before, remedies=[a_refund()], held=10)
    else:
        begin, verb, actor, facts, words = LETTERS[name]
        before = begin()
        sent = before.do(verb, actor, {**facts, **WAITS}, words)
    back = sent.do(Verb.TAKE_BACK, actor, {"seq": sent.last.seq})
    # What was done stays done: somebody read it and worked on it, at this time.
    same = ("version", "work_version", "targets", "participants", "acted_at", "workers", "alarms")
    assert replace(back.case, **{field: getattr(before.case, field) for field in same}) == before.case
    assert shown(back) == shown(replace(before, at=back.at))


def test_what_the_complainant_writes_before_a_closing_is_taken_back_stays() -> None:
    refused = questioned().do(Verb.NOT_ACCEPT, MONA, WAITS, {"reason": "It came too late."})
    asked = refused.later(seconds=5).do(Verb.ADD, ANNA, a_message(kind="question"), {"description": "Is it?"})
    back = asked.do(Verb.TAKE_BACK, MONA, {"seq": refused.last.seq})
    assert (back.case.state, back.case.close_code) == (State.ASSESSED, None)
    assert (back.case.question_at, back.case.words) == (asked.at, asked.case.words)
    assert {Target.DECIDE, Target.REPLY} <= set(open_targets(back))


def test_a_closing_on_which_others_worked_is_not_taken_back() -> None:
    refused = questioned().do(Verb.NOT_ACCEPT, MONA, WAITS, {"reason": "It came too late."})
    worked = refused.do(Verb.REOPEN, TUGBA, {}, {"reason": "It did not."})
    with pytest.raises(OutOfOrder) as late:
        worked.do(Verb.TAKE_BACK, MONA, {"seq": refused.last.seq})
    assert late.value.code == "worked_on"


def test_an_ended_limit_is_not_restored_once_another_is_asked_for() -> None:
    ended = limited().do(Verb.REVIEW_LIMIT, TUGBA, {"outcome": "ended", **WAITS}, WHY)
    again = ended.do(Verb.LIMIT_CONTACT, ALICE, limit_facts(ended), WHY)
    with pytest.raises(OutOfOrder) as refused:
        again.do(Verb.TAKE_BACK, TUGBA, {"seq": ended.last.seq})
    assert refused.value.code == "worked_on"


# drafts


@pytest.mark.parametrize(
    "drafted",
    [
        lambda: decided(an_investigated_case(), remedies=[a_refund("150.00")]),
        lambda: drawn_decision(0),
        lambda: an_investigated_case(rules=SHARE).do(
            Verb.RESOLVE, ALICE, {**RESOLUTION, "draw": 0, "readers": 1, "is_new": False}, dict(RESOLVED)
        ),
    ],
)
def test_the_author_withdraws_a_draft_and_decides_again(drafted: Callable[[], BuiltComplaint]) -> None:
    waiting = drafted()
    seq = waiting.last.seq
    with pytest.raises(NotAllowed) as refused:
        waiting.do(Verb.TAKE_BACK, BURAK, {"seq": seq})
    assert refused.value.code == "not_allowed.author"
    back = waiting.do(Verb.TAKE_BACK, ALICE, {"seq": seq})
    assert (back.case.drafted, back.case.awaits_approval, back.case.decisions) == (None, False, ())
    assert Target.APPROVE not in open_targets(back)
    assert {Target.DECIDE} <= set(open_targets(back))
    assert {"draft_settled"} <= back.kinds
    assert not {"ask_approval", "check_late", "told_checked"} & back.kinds
    with pytest.raises(OutOfOrder):
        back.do(Verb.CHECK_DECISION, BURAK, {**YES, "agreed": "yes"})
    assert decided(back).case.state is State.DECIDED


def test_the_owner_withdraws_the_draft_of_another_person() -> None:
    waiting = decided(an_investigated_case(), MONA, remedies=[a_refund("5000.00")])
    assert (waiting.case.owner, waiting.case.drafted is not None) == (ALICE.id, True)
    assert waiting.do(Verb.TAKE_BACK, ALICE, {"seq": waiting.last.seq}).case.drafted is None


@clause("8.4")
def test_a_withdrawn_draft_is_neither_refused_nor_read_in_the_figures() -> None:
    waiting = drawn_decision(0)
    back = waiting.do(Verb.TAKE_BACK, ALICE, {"seq": waiting.last.seq})
    history = CaseHistory.of(back.events, back.case.rules)
    assert history.of_verb(Verb.RESPOND, Verb.APPROVE, Verb.CHECK_DECISION) == ()
    assert list(marks_of_events(history)) == []


def test_a_decision_that_went_unread_and_was_taken_back_is_counted_once() -> None:
    first = drawn_decision(0, readers=0, held=10)
    back = first.do(Verb.TAKE_BACK, ALICE, {"seq": first.last.seq})
    assert list(marks_of_events(CaseHistory.of(back.events, back.case.rules))) == []
