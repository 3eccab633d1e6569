"""Who is excluded: non-owners, named people, conflicts of interest, earlier deciders, restricted complaints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints import actors
from complaints.actions.authorisation import authorise, needs_reason
from complaints.errors import AlreadyDone, NotAllowed
from complaints.vocabulary import Flag, Role, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ALL_EVIDENCE,
    ANNA,
    AUDREY,
    BURAK,
    CAUSE,
    METE,
    MONA,
    ORHAN,
    RESOLUTION,
    RESOLVED,
    RULES,
    STAFF,
    SYSTEM,
    TUGBA,
    a_case_at_level_two,
    a_message,
    a_received_case,
    a_resolved_case,
    a_sign,
    acknowledged,
    an_assessed_case,
    an_investigated_case,
    assessed,
    decided,
    has,
    proposed,
)

REASON = {"reason": "For a reason."}


@clause("4.9")
def test_only_the_owner_or_a_manager_resolves() -> None:
    complaint = an_assessed_case()
    with pytest.raises(NotAllowed, match="take it first"):
        complaint.do(Verb.RESOLVE, BURAK, RESOLUTION, RESOLVED)
    assert complaint.do(Verb.RESOLVE, MONA, RESOLUTION, RESOLVED).last.role is Role.MANAGER


@clause("6.4")
def test_a_deputy_acts_for_an_absent_owner_within_their_own_role() -> None:
    deputy = replace(BURAK, stands_in_for=frozenset({ALICE.id}))
    elsewhere = replace(BURAK, stands_in_for=frozenset({METE.id}))
    done = an_assessed_case().do(Verb.RESOLVE, deputy, RESOLUTION, RESOLVED)
    assert (done.last.by, done.last.role) == (BURAK.id, Role.HANDLER)
    assert decided(an_investigated_case(), deputy).last.by == BURAK.id
    with pytest.raises(NotAllowed, match="take it first"):
        an_assessed_case().do(Verb.RESOLVE, elsewhere, RESOLUTION, RESOLVED)
    conflicted = an_assessed_case().do(Verb.DECLARE_CONFLICT, BURAK, {"who": BURAK.id}, REASON)
    with pytest.raises(NotAllowed, match="not open to you"):
        conflicted.do(Verb.RESOLVE, deputy, RESOLUTION, RESOLVED)


@clause("4.9")
def test_only_the_owner_or_a_manager_decides() -> None:
    complaint = an_investigated_case()
    with pytest.raises(NotAllowed, match="take it first"):
        decided(complaint, BURAK)
    assert decided(complaint, MONA).last.role is Role.MANAGER


@clause("4.9")
def test_only_the_owner_or_a_manager_closes() -> None:
    complaint = a_resolved_case().do(Verb.ACCEPT, ANNA)
    with pytest.raises(NotAllowed, match="take it first"):
        complaint.do(Verb.CLOSE, BURAK, {}, CAUSE)
    assert complaint.do(Verb.CLOSE, MONA, {}, CAUSE).last.role is Role.MANAGER


def test_any_handler_takes_a_complaint_without_owner() -> None:
    assert acknowledged(a_received_case()).do(Verb.ASSIGN, BURAK).case.owner == BURAK.id


def test_assessing_a_complaint_without_owner_makes_the_assessor_its_owner() -> None:
    assert an_assessed_case(by=BURAK).case.owner == BURAK.id


def test_assessing_an_owned_complaint_keeps_its_owner() -> None:
    assert assessed(an_assessed_case(), BURAK).case.owner == ALICE.id


def test_a_handler_cannot_take_a_complaint_from_its_owner() -> None:
    with pytest.raises(NotAllowed, match="has an owner already"):
        an_assessed_case().do(Verb.ASSIGN, BURAK)


@clause("4.9")
def test_a_handler_takes_a_complaint_whose_owner_has_left_by_taking_or_assessing_it() -> None:
    owned = an_assessed_case()
    left = replace(owned, case=replace(owned.case, former_owner=ALICE.id))
    assert left.do(Verb.ASSIGN, BURAK).case.owner == BURAK.id
    assert assessed(left, BURAK).case.owner == BURAK.id
    assert not left.do(Verb.ASSIGN, BURAK).case.is_unowned
    assert not needs_reason(left.case, BURAK)
    named = replace(left, case=replace(left.case, subjects=frozenset({BURAK.id})))
    with pytest.raises(NotAllowed):
        named.do(Verb.ASSIGN, BURAK)


def test_a_handler_cannot_assign_a_complaint_to_another() -> None:
    with pytest.raises(NotAllowed, match="Only a manager gives"):
        acknowledged(a_received_case()).do(Verb.ASSIGN, ALICE, {"owner": BURAK.id})


def test_a_manager_assigns_a_complaint_to_another() -> None:
    assert an_assessed_case().do(Verb.ASSIGN, MONA, {"owner": BURAK.id}).case.owner == BURAK.id


def test_taking_an_own_complaint_again_is_refused() -> None:
    with pytest.raises(AlreadyDone):
        an_assessed_case().do(Verb.ASSIGN, ALICE)


@clause("C")
def test_a_person_named_in_the_complaint_can_neither_read_nor_change_it() -> None:
    complaint = a_received_case(subjects=(BURAK.id,))
    assert has(complaint, Flag.RESTRICTED)
    assert not actors.may_read(complaint.case, BURAK)
    for verb in Verb:
        with pytest.raises(NotAllowed, match="not open to you"):
            authorise(complaint.case, verb, BURAK)


@clause("C")
def test_a_named_manager_is_excluded_too() -> None:
    complaint = a_received_case(subjects=(MONA.id,))
    assert not actors.may_read(complaint.case, MONA)
    assert actors.may_read(complaint.case, METE)


@clause("C")
def test_an_owner_who_is_named_later_is_no_longer_the_owner() -> None:
    complaint = an_assessed_case().do(Verb.ADD, ANNA, a_message(subjects=(ALICE.id,)))
    assert complaint.case.owner is None


def test_a_complaint_is_not_assigned_to_a_named_person() -> None:
    complaint = a_received_case(subjects=(BURAK.id,))
    with pytest.raises(NotAllowed, match="choose another person"):
        complaint.do(Verb.ASSIGN, MONA, {"owner": BURAK.id})


@clause("4.5")
def test_declaring_a_conflict_of_interest_removes_the_owner_and_their_access() -> None:
    complaint = an_assessed_case().do(Verb.DECLARE_CONFLICT, ALICE, {"who": ALICE.id}, REASON)
    assert complaint.case.owner is None
    with pytest.raises(NotAllowed, match="not open to you"):
        complaint.do(Verb.NOTE, ALICE, {}, {"text": "One word more."})


@clause("4.5")
def test_a_conflict_of_interest_of_another_person_keeps_the_owner() -> None:
    complaint = an_assessed_case().do(Verb.DECLARE_CONFLICT, ALICE, {"who": BURAK.id}, REASON)
    assert complaint.case.owner == ALICE.id
    assert not actors.may_read(complaint.case, BURAK)


def test_a_conflict_is_declared_once() -> None:
    complaint = an_assessed_case().do(Verb.DECLARE_CONFLICT, ALICE, {"who": BURAK.id}, REASON)
    with pytest.raises(AlreadyDone):
        complaint.do(Verb.DECLARE_CONFLICT, MONA, {"who": BURAK.id}, REASON)


def test_a_person_without_access_may_declare_a_conflict_of_interest() -> None:
    complaint = a_received_case(subjects=(BURAK.id,))
    after = complaint.do(Verb.DECLARE_CONFLICT, ALICE, {"who": ALICE.id}, REASON)
    assert ALICE.id in after.case.conflicted


@clause("4.7")
def test_a_restricted_complaint_is_open_to_its_owner_managers_and_auditors_only() -> None:
    case = assessed(acknowledged(a_received_case()), MONA, category="staff_conduct").case
    assert case.restricted
    owned = replace(case, owner=BURAK.id)
    reads = {member.id for member in STAFF if actors.may_read(owned, member)}
    assert reads == {BURAK.id, MONA.id, METE.id, TUGBA.id, AUDREY.id}


@clause("4.7")
def test_a_handler_cannot_take_a_restricted_complaint_but_can_be_assigned_it() -> None:
    complaint = a_received_case(subjects=(BURAK.id,))
    with pytest.raises(NotAllowed, match="ask a manager to assign it"):
        complaint.do(Verb.ASSIGN, ALICE)
    assigned = complaint.do(Verb.ASSIGN, MONA, {"owner": ALICE.id})
    assert actors.may_read(assigned.case, ALICE)


def test_on_call_staff_may_give_a_receipt_on_a_restricted_complaint() -> None:
    complaint = a_received_case(subjects=(BURAK.id,), signs=(a_sign("gas.gas_smell", 5, 3, danger=True),))
    assert complaint.do(Verb.RECEIPT, ORHAN).case.unseen_alarm is None


@clause("4.7")
@pytest.mark.parametrize("category", ["staff_conduct", "handling", "discrimination"])
def test_sensitive_categories_restrict_the_complaint(category: str) -> None:
    assert has(an_assessed_case(category=category), Flag.RESTRICTED)


def test_a_discrimination_sign_restricts_the_complaint() -> None:
    assert has(a_received_case(signs=(a_sign("discrimination.discrimination", 3, 0),)), Flag.RESTRICTED)


def test_a_proposal_restricts_until_a_manager_lifts_the_restriction() -> None:
    complaint = proposed(a_received_case(), restricted=True)
    assert has(complaint, Flag.RESTRICTED)
    released = complaint.do(Verb.UNRESTRICT, MONA, {}, REASON)
    assert not has(released, Flag.RESTRICTED)
    assert not has(proposed(released, restricted=True), Flag.RESTRICTED)


def test_a_lifted_restriction_holds_until_the_category_changes() -> None:
    complaint = assessed(acknowledged(a_received_case()), MONA, category="handling")
    released = complaint.do(Verb.UNRESTRICT, MONA, {}, REASON)
    assert not has(assessed(released, MONA, category="handling"), Flag.RESTRICTED)
    assert has(assessed(released, MONA, category="staff_conduct"), Flag.RESTRICTED)


def test_a_person_named_in_new_words_restricts_again() -> None:
    complaint = proposed(a_received_case(), restricted=True).do(Verb.UNRESTRICT, MONA, {}, REASON)
    assert has(complaint.do(Verb.ADD, ANNA, a_message(subjects=(BURAK.id,))), Flag.RESTRICTED)


def test_any_handler_restricts_with_a_reason_and_only_a_manager_lifts_it() -> None:
    complaint = an_assessed_case().do(Verb.RESTRICT, ALICE, {}, REASON)
    assert has(complaint, Flag.RESTRICTED)
    with pytest.raises(NotAllowed):
        complaint.do(Verb.UNRESTRICT, ALICE, {}, REASON)


@clause("F")
@pytest.mark.parametrize("verb", [Verb.RESPOND, Verb.INVESTIGATE, Verb.REASSESS])
def test_the_decider_of_a_lower_level_does_not_review(verb: Verb) -> None:
    case = replace(a_case_at_level_two().case, owner=ALICE.id)
    both = replace(ALICE, roles=frozenset({Role.HANDLER, Role.MANAGER}))
    with pytest.raises(NotAllowed, match="another person reviews it"):
        authorise(case, verb, both)


@clause("F")
def test_the_approver_of_a_lower_level_does_not_review() -> None:
    drafted = decided(an_investigated_case(by=MONA, safety=1, severity=3), MONA)
    complaint = drafted.do(Verb.APPROVE, METE, {"agreed": "yes"})
    onward = complaint.do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    for person in (MONA, METE):
        with pytest.raises(NotAllowed, match="another person reviews it"):
            authorise(onward.case, Verb.INVESTIGATE, person)
    assert authorise(onward.case, Verb.INVESTIGATE, TUGBA) is Role.TOP_MANAGEMENT


@clause("F")
def test_an_investigator_of_a_lower_level_does_not_review() -> None:
    complaint = an_investigated_case().do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE})
    onward = (
        decided(complaint).do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    )
    with pytest.raises(NotAllowed, match="another person reviews it"):
        onward.do(Verb.INVESTIGATE, MONA, {"evidence": []})


@clause("F")
def test_the_next_level_is_decided_by_the_roles_of_that_level() -> None:
    complaint = a_case_at_level_two().do(Verb.ASSIGN, MONA, {"owner": BURAK.id})
    with pytest.raises(NotAllowed, match="is decided by: manager, top_management"):
        authorise(complaint.case, Verb.RESPOND, BURAK)


@clause("F")
def test_a_decider_of_a_lower_level_is_not_assigned_at_the_next() -> None:
    with pytest.raises(NotAllowed, match="at an earlier level"):
        a_case_at_level_two().do(Verb.ASSIGN, MONA, {"owner": ALICE.id})


@clause("F")
def test_escalating_before_a_decision_excludes_no_one() -> None:
    complaint = an_investigated_case(by=MONA).do(Verb.ESCALATE, MONA, {}, REASON)
    assert complaint.case.level == 2
    assert authorise(complaint.case, Verb.INVESTIGATE, MONA) is Role.MANAGER


@clause("F")
def test_escalating_after_a_reopening_excludes_the_earlier_deciders() -> None:
    complaint = decided(an_investigated_case(by=MONA), MONA).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    lapsed = complaint.later(days=40).do(Verb.LAPSE, SYSTEM).do(Verb.REOPEN, ANNA, {}, REASON)
    up = lapsed.do(Verb.INVESTIGATE, METE, {"evidence": []}).do(Verb.ESCALATE, METE, {}, REASON)
    with pytest.raises(NotAllowed, match="another person reviews it"):
        authorise(up.case, Verb.INVESTIGATE, MONA)
    assert authorise(up.case, Verb.INVESTIGATE, METE) is Role.MANAGER


@clause("F")
def test_reviewers_have_a_role_of_the_level_and_took_no_part_before() -> None:
    case = a_case_at_level_two().case
    members = {member.id: member.roles for member in STAFF}
    assert actors.eligible_reviewers(case, 2, members) == (MONA.id, METE.id, TUGBA.id)


@clause("F")
def test_a_small_organisation_may_have_no_reviewer_left() -> None:
    complaint = an_investigated_case(by=MONA)
    case = decided(complaint, MONA).case
    assert actors.eligible_reviewers(case, 2, {ALICE.id: ALICE.roles, MONA.id: MONA.roles}) == ()


def test_a_level_beyond_the_last_has_no_reviewers() -> None:
    case = an_assessed_case(rules=RULES).case
    assert actors.eligible_reviewers(case, 3, {member.id: member.roles for member in STAFF}) == ()
