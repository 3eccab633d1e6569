"""Outside bodies: in every state, above ours, told to whoever decided, and learned from (7.9, F)."""

from __future__ import annotations

import pytest

from complaints.actions.authorisation import closable
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
    Told,
    a_case_offered_recourse,
    a_closed_case,
    a_received_case,
    a_told_case,
    acknowledged,
    an_assessed_case,
    at,
    has,
    remedied,
    rules_with,
)

BODY = {"body": "Consumer ombudsman", "outcome": "Repair it."}


def final(told: Told, **facts: object) -> Told:
    """The outside body decided."""
    return told.do(Verb.CONCLUDE_EXTERNAL, MONA, {"event": "final", **facts}, BODY)


@clause("7.9")
@pytest.mark.parametrize(
    "told", [a_received_case(), an_assessed_case(), a_told_case(), a_case_offered_recourse(), a_closed_case()]
)
def test_an_outside_body_may_step_in_and_decide_in_any_state(told: Told) -> None:
    notified = told.do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "file_sent"}, BODY)
    assert notified.case.state is told.case.state
    assert has(notified, Flag.EXTERNAL)
    ordered = final(notified, comply_by="2026-11-20")
    assert ordered.case.state is State.REMEDYING
    assert ordered.case.owed_remedies[-1].external


@clause("7.9")
def test_what_overturns_ours_leaves_it_as_it_was_and_opens_an_improvement() -> None:
    closed = a_closed_case()
    overturned = final(closed, comply_by="2026-11-20")
    assert overturned.case.decisions == closed.case.decisions
    (outside,) = overturned.case.outside
    (improvement,) = overturned.case.improvements
    assert outside.overturned is True
    assert improvement.seq == overturned.last.seq
    assert improvement.due == at("2026-12-01 17:30")
    assert {"outside", "told_overturned"} <= overturned.kinds


def test_what_confirms_ours_opens_none_and_tells_it_all_the_same() -> None:
    confirmed = final(a_case_offered_recourse(), overturned="no")
    assert confirmed.case.improvements == ()
    assert confirmed.case.outside[0].overturned is False
    assert "outside" in confirmed.kinds
    assert "told_overturned" not in confirmed.kinds
    assert final(a_case_offered_recourse(), overturned="yes").case.improvements


def test_an_order_that_the_complainant_refuses_binds_nobody_and_the_next_step_is_told() -> None:
    steps = (*RULES.recourse, *RULES.recourse)
    rules = rules_with()
    rules = type(rules)(**{**rules.__dict__, "recourse": steps})
    refused = final(a_case_offered_recourse(rules=rules), comply_by="2026-11-20", complainant_accepts="no")
    assert refused.case.state is State.RECOURSE_OFFERED
    assert refused.duty("next_recourse").facts["step"] == 1
    assert "next_recourse" not in final(refused, complainant_accepts="no").kinds


@pytest.mark.parametrize(
    ("told", "may"),
    [
        (a_case_offered_recourse(), True),
        (a_case_offered_recourse().do(Verb.NOTIFY_EXTERNAL, ALICE, {"event": "notified"}, BODY), False),
        (final(a_case_offered_recourse(), overturned="no"), True),
        (final(a_case_offered_recourse(), comply_by="2026-11-20"), False),
        (a_told_case(), False),
        (final(a_told_case(), overturned="no"), True),
        (a_told_case(cause_class="single").do(Verb.ACCEPT, ANNA), True),
    ],
)
def test_what_may_be_closed_is_what_close_lets_through(told: Told, *, may: bool) -> None:
    assert closable(told.case) is may


def test_after_an_order_was_carried_out_it_ends_as_exhausted_though_ours_was_accepted() -> None:
    ordered = final(a_closed_case(), comply_by="2026-11-20")
    done = remedied(ordered, ordered.case.owed_remedies[-1].n)
    closed = done.do(Verb.CLOSE, ALICE, {"cause_class": "single"}, CAUSE)
    assert closed.case.close_code is CloseCode.EXHAUSTED


def test_a_matter_withdrawn_but_going_on_inside_ends_as_withdrawn_and_tells_nothing_more() -> None:
    withdrawn = an_assessed_case(safety=1).do(Verb.WITHDRAW, ANNA)
    assert withdrawn.case.state is State.ASSESSED
    assert has(withdrawn, Flag.WITHDRAWN)
    assert not withdrawn.kinds & {"acknowledge", "decision", "progress", "dates"}


def test_personal_data_has_a_clock_of_its_own_that_rolls_to_a_working_day() -> None:
    rules = rules_with(privacy="30 days")
    told = an_assessed_case(rules=rules, category="privacy", severity=3)
    due = told.case.target(Target.PRIVACY)
    assert due is not None
    # Received Tue 3 Nov: the thirtieth day is Thu 3 Dec.
    assert due.internal_due == at("2026-12-03 17:30")
    answered = told.do(Verb.REPLY, ALICE, {"answers_privacy": True}, {"text": "Corrected."})
    assert answered.case.target(Target.PRIVACY).met_at is not None  # type: ignore[union-attr]
    saturday = an_assessed_case(rules=rules_with(privacy="32 days"), category="privacy", severity=3)
    assert saturday.case.target(Target.PRIVACY).internal_due == at("2026-12-07 17:30")  # type: ignore[union-attr]
    assert an_assessed_case(rules=rules).case.target(Target.PRIVACY) is None


def test_a_complaint_about_handling_is_for_other_people_and_apart() -> None:
    told = acknowledged(a_received_case()).do(Verb.ASSIGN, ALICE)
    facts = {"other_ref": OTHER_REF, "relation": "about_handling_of", "handlers": [ALICE.id]}
    linked = told.do(Verb.LINK, TUGBA, facts)
    assert linked.case.owner is None
    assert linked.case.conflicted == {ALICE.id}
    assert has(linked, Flag.RESTRICTED)
    assert has(linked, Flag.ABOUT_HANDLING)
    assert linked.case.about == (OTHER_REF,)


def test_a_merged_complaint_brings_its_receipt_and_its_signs() -> None:
    told = an_assessed_case()
    facts = {
        "other_ref": OTHER_REF,
        "relation": "merged",
        "other_complainant": ANNA.id,
        "received_at": "2026-11-02T10:00:00Z",
        "signs": [{"rule": "injury.injury", "severity": 4, "safety": 2, "danger": False}],
    }
    whole = told.do(Verb.LINK, MONA, facts)
    assert whole.case.received_at == at("2026-11-02 10:00")
    assert whole.case.safety == 2
    assert whole.case.merged == (OTHER_REF,)
