"""Outside bodies decide in any state, above us; their decisions are communicated and lead to improvements
(7.9, F)."""

from __future__ import annotations

import pytest

from complaints.actions.authorisation import refusal
from complaints.vocabulary import CloseCode, Flag, State, Target, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    CAUSE,
    MONA,
    OTHER_REF,
    RULES,
    TUGBA,
    BuiltComplaint,
    a_case_offered_recourse,
    a_closed_case,
    a_communicated_case,
    a_received_case,
    acknowledged,
    an_assessed_case,
    at,
    has,
    remedied,
    rules_with,
)

BODY = {"body": "Consumer ombudsman", "outcome": "Repair it."}


def final(complaint: BuiltComplaint, **facts: object) -> BuiltComplaint:
    """The outside body took its final decision."""
    return complaint.do(Verb.CONCLUDE_EXTERNAL, MONA, {"event": "final", **facts}, BODY)


@clause("7.9")
@pytest.mark.parametrize(
    "complaint",
    [
        a_received_case(),
        an_assessed_case(),
        a_communicated_case(),
        a_case_offered_recourse(),
        a_closed_case(),
    ],
)
def test_an_outside_body_may_step_in_and_decide_in_any_state(complaint: BuiltComplaint) -> None:
    notified = complaint.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "file_sent"}, BODY)
    assert notified.case.state is complaint.case.state
    assert has(notified, Flag.EXTERNAL)
    ordered = final(notified, comply_by="2026-11-20")
    assert ordered.case.state is State.REMEDYING
    assert ordered.case.owed_remedies[-1].external


@clause("7.9")
def test_an_overturned_decision_is_kept_and_opens_an_improvement() -> None:
    closed = a_closed_case()
    overturned = final(closed, comply_by="2026-11-20")
    assert overturned.case.decisions == closed.case.decisions
    (outside,) = overturned.case.outside
    (improvement,) = overturned.case.improvements
    assert outside.overturned is True
    assert improvement.seq == overturned.last.seq
    assert improvement.due == at("2026-12-01 17:30")
    assert {"outside", "told_overturned"} <= overturned.kinds


def test_a_confirmed_decision_opens_no_improvement_and_is_communicated() -> None:
    confirmed = final(a_case_offered_recourse(), overturned="no")
    assert confirmed.case.improvements == ()
    assert confirmed.case.outside[0].overturned is False
    assert "outside" in confirmed.kinds
    assert "told_overturned" not in confirmed.kinds
    assert final(a_case_offered_recourse(), overturned="yes").case.improvements


def test_an_order_that_the_complainant_refuses_leads_to_the_next_recourse_step() -> None:
    steps = (*RULES.recourse, *RULES.recourse)
    rules = rules_with()
    rules = type(rules)(**{**rules.__dict__, "recourse": steps})
    refused = final(a_case_offered_recourse(rules=rules), comply_by="2026-11-20", complainant_accepts="no")
    assert refused.case.state is State.RECOURSE_OFFERED
    assert refused.obligation("next_recourse").facts["step"] == 1
    assert "next_recourse" not in final(refused, complainant_accepts="no").kinds


@pytest.mark.parametrize(
    ("complaint", "may"),
    [
        (a_case_offered_recourse(), True),
        (a_case_offered_recourse().do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"}, BODY), False),
        (final(a_case_offered_recourse(), overturned="no"), True),
        (final(a_case_offered_recourse(), comply_by="2026-11-20"), False),
        (a_communicated_case(), False),
        (final(a_communicated_case(), overturned="no"), True),
        (a_communicated_case(cause_class="single").do(Verb.ACCEPT, ANNA), True),
    ],
)
def test_closable_agrees_with_what_the_close_act_accepts(complaint: BuiltComplaint, *, may: bool) -> None:
    assert (refusal(complaint.case, Verb.CLOSE) is None) is may


def test_an_executed_order_closes_as_exhausted_even_after_acceptance() -> None:
    ordered = final(a_closed_case(), comply_by="2026-11-20")
    done = remedied(ordered, ordered.case.owed_remedies[-1].n)
    closed = done.do(Verb.CLOSE, ALICE, {"cause_class": "single"}, CAUSE)
    assert closed.case.close_code is CloseCode.EXHAUSTED


def test_a_withdrawn_complaint_that_continues_sends_nothing_more() -> None:
    withdrawn = an_assessed_case(safety=1).do(Verb.WITHDRAW, ANNA)
    assert withdrawn.case.state is State.ASSESSED
    assert has(withdrawn, Flag.WITHDRAWN)
    assert not withdrawn.kinds & {"acknowledge", "decision", "progress", "dates"}


def test_personal_data_has_a_target_of_its_own_that_rolls_to_a_working_day() -> None:
    rules = rules_with(privacy="30 days")
    complaint = an_assessed_case(rules=rules, category="privacy", severity=3)
    due = complaint.case.target(Target.PRIVACY)
    assert due is not None
    # Received Tue 3 Nov: the thirtieth day is Thu 3 Dec.
    assert due.internal_due == at("2026-12-03 17:30")
    answered = complaint.do(Verb.REPLY, ALICE, {"answers_privacy": True}, {"text": "Corrected."})
    assert answered.case.target(Target.PRIVACY).met_at is not None  # type: ignore[union-attr]
    saturday = an_assessed_case(rules=rules_with(privacy="32 days"), category="privacy", severity=3)
    assert saturday.case.target(Target.PRIVACY).internal_due == at("2026-12-07 17:30")  # type: ignore[union-attr]
    assert an_assessed_case(rules=rules).case.target(Target.PRIVACY) is None


def test_a_complaint_about_handling_is_restricted_and_excludes_the_handlers() -> None:
    complaint = acknowledged(a_received_case()).do(Verb.ASSIGN, ALICE)
    facts = {"other_ref": OTHER_REF, "relation": "about_handling_of", "handlers": [ALICE.id]}
    linked = complaint.do(Verb.LINK, TUGBA, facts)
    assert linked.case.owner is None
    assert linked.case.conflicted == {ALICE.id}
    assert has(linked, Flag.RESTRICTED)
    assert has(linked, Flag.ABOUT_HANDLING)
    assert linked.case.about == (OTHER_REF,)


def test_a_merged_complaint_passes_on_its_receipt_and_its_signs() -> None:
    complaint = an_assessed_case()
    facts = {
        "other_ref": OTHER_REF,
        "relation": "merged",
        "other_complainant": ANNA.id,
        "received_at": "2026-11-02T10:00:00Z",
        "signs": [{"rule": "injury.injury", "severity": 4, "safety": 2, "danger": False}],
    }
    whole = complaint.do(Verb.LINK, MONA, facts)
    assert whole.case.received_at == at("2026-11-02 10:00")
    assert whole.case.safety == 2
    assert whole.case.merged == (OTHER_REF,)
