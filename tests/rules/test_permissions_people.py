"""Who is kept from a complaint: owners, the named, the conflicted, earlier deciders, the restricted place."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints import permissions
from complaints.actions.authorisation import require_permission
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
    told = an_assessed_case()
    with pytest.raises(NotAllowed, match="take it first"):
        told.do(Verb.RESOLVE, BURAK, RESOLUTION, RESOLVED)
    assert told.do(Verb.RESOLVE, MONA, RESOLUTION, RESOLVED).last.role is Role.MANAGER


@clause("6.4")
def test_the_deputy_of_an_owner_who_is_away_acts_in_their_place_as_far_as_their_own_role_goes() -> None:
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
    told = an_investigated_case()
    with pytest.raises(NotAllowed, match="take it first"):
        decided(told, BURAK)
    assert decided(told, MONA).last.role is Role.MANAGER


@clause("4.9")
def test_only_the_owner_or_a_manager_closes() -> None:
    told = a_resolved_case().do(Verb.ACCEPT, ANNA)
    with pytest.raises(NotAllowed, match="take it first"):
        told.do(Verb.CLOSE, BURAK, {}, CAUSE)
    assert told.do(Verb.CLOSE, MONA, {}, CAUSE).last.role is Role.MANAGER


def test_anybody_who_handles_takes_a_complaint_without_owner() -> None:
    assert acknowledged(a_received_case()).do(Verb.ASSIGN, BURAK).case.owner == BURAK.id


def test_assessing_a_complaint_without_owner_takes_it() -> None:
    assert an_assessed_case(by=BURAK).case.owner == BURAK.id


def test_assessing_an_owned_complaint_leaves_it_where_it_is() -> None:
    assert assessed(an_assessed_case(), BURAK).case.owner == ALICE.id


def test_a_handler_takes_nothing_from_another() -> None:
    with pytest.raises(NotAllowed, match="has an owner already"):
        an_assessed_case().do(Verb.ASSIGN, BURAK)


def test_a_handler_gives_nothing_to_another() -> None:
    with pytest.raises(NotAllowed, match="Only a manager gives"):
        acknowledged(a_received_case()).do(Verb.ASSIGN, ALICE, {"owner": BURAK.id})


def test_a_manager_gives_a_complaint_to_another() -> None:
    assert an_assessed_case().do(Verb.ASSIGN, MONA, {"owner": BURAK.id}).case.owner == BURAK.id


def test_taking_what_one_has_changes_nothing() -> None:
    with pytest.raises(AlreadyDone):
        an_assessed_case().do(Verb.ASSIGN, ALICE)


@clause("C")
def test_a_person_named_in_the_words_neither_sees_nor_touches_it() -> None:
    told = a_received_case(subjects=(BURAK.id,))
    assert has(told, Flag.RESTRICTED)
    assert not permissions.may_read(told.case, BURAK)
    for verb in Verb:
        with pytest.raises(NotAllowed, match="not open to you"):
            require_permission(told.case, verb, BURAK)


@clause("C")
def test_a_manager_who_is_named_is_kept_out_like_anybody() -> None:
    told = a_received_case(subjects=(MONA.id,))
    assert not permissions.may_read(told.case, MONA)
    assert permissions.may_read(told.case, METE)


@clause("C")
def test_an_owner_who_is_named_later_has_the_complaint_no_longer() -> None:
    told = an_assessed_case().do(Verb.ADD, ANNA, a_message(subjects=(ALICE.id,)))
    assert told.case.owner is None


def test_nobody_named_or_conflicted_is_given_the_complaint() -> None:
    told = a_received_case(subjects=(BURAK.id,))
    with pytest.raises(NotAllowed, match="choose another person"):
        told.do(Verb.ASSIGN, MONA, {"owner": BURAK.id})


@clause("4.5")
def test_whoever_declares_a_conflict_is_out_and_no_longer_the_owner() -> None:
    told = an_assessed_case().do(Verb.DECLARE_CONFLICT, ALICE, {"who": ALICE.id}, REASON)
    assert told.case.owner is None
    with pytest.raises(NotAllowed, match="not open to you"):
        told.do(Verb.NOTE, ALICE, {}, {"text": "One word more."})


@clause("4.5")
def test_a_conflict_of_somebody_else_leaves_the_owner() -> None:
    told = an_assessed_case().do(Verb.DECLARE_CONFLICT, ALICE, {"who": BURAK.id}, REASON)
    assert told.case.owner == ALICE.id
    assert not permissions.may_read(told.case, BURAK)


def test_a_conflict_is_declared_once() -> None:
    told = an_assessed_case().do(Verb.DECLARE_CONFLICT, ALICE, {"who": BURAK.id}, REASON)
    with pytest.raises(AlreadyDone):
        told.do(Verb.DECLARE_CONFLICT, MONA, {"who": BURAK.id}, REASON)


def test_one_may_step_aside_without_having_been_let_in() -> None:
    told = a_received_case(subjects=(BURAK.id,))
    after = told.do(Verb.DECLARE_CONFLICT, ALICE, {"who": ALICE.id}, REASON)
    assert ALICE.id in after.case.conflicted


@clause("4.7")
def test_a_restricted_complaint_is_open_to_its_owner_managers_and_auditors_only() -> None:
    case = assessed(acknowledged(a_received_case()), MONA, category="staff_conduct").case
    assert case.restricted
    owned = replace(case, owner=BURAK.id)
    reads = {one.id for one in STAFF if permissions.may_read(owned, one)}
    assert reads == {BURAK.id, MONA.id, METE.id, TUGBA.id, AUDREY.id}


@clause("4.7")
def test_a_handler_cannot_take_a_restricted_complaint_but_be_given_it() -> None:
    told = a_received_case(subjects=(BURAK.id,))
    with pytest.raises(NotAllowed, match="ask a manager to assign it"):
        told.do(Verb.ASSIGN, ALICE)
    given = told.do(Verb.ASSIGN, MONA, {"owner": ALICE.id})
    assert permissions.may_read(given.case, ALICE)


def test_a_receipt_may_be_given_on_a_restricted_complaint() -> None:
    told = a_received_case(subjects=(BURAK.id,), signs=(a_sign("gas.gas_smell", 5, 3, danger=True),))
    assert told.do(Verb.RECEIPT, ORHAN).case.danger_receipt_at is not None


@clause("4.7")
@pytest.mark.parametrize("category", ["staff_conduct", "handling", "discrimination"])
def test_these_categories_restrict(category: str) -> None:
    assert has(an_assessed_case(category=category), Flag.RESTRICTED)


def test_a_sign_of_discrimination_restricts() -> None:
    assert has(a_received_case(signs=(a_sign("discrimination.discrimination", 3, 0),)), Flag.RESTRICTED)


def test_a_proposal_restricts_until_a_manager_releases_it() -> None:
    told = proposed(a_received_case(), restricted=True)
    assert has(told, Flag.RESTRICTED)
    released = told.do(Verb.UNRESTRICT, MONA, {}, REASON)
    assert not has(released, Flag.RESTRICTED)
    assert not has(proposed(released, restricted=True), Flag.RESTRICTED)


def test_a_release_stands_while_the_category_does() -> None:
    told = assessed(acknowledged(a_received_case()), MONA, category="handling")
    released = told.do(Verb.UNRESTRICT, MONA, {}, REASON)
    assert not has(assessed(released, MONA, category="handling"), Flag.RESTRICTED)
    assert has(assessed(released, MONA, category="staff_conduct"), Flag.RESTRICTED)


def test_a_name_in_new_words_restricts_again() -> None:
    told = proposed(a_received_case(), restricted=True).do(Verb.UNRESTRICT, MONA, {}, REASON)
    assert has(told.do(Verb.ADD, ANNA, a_message(subjects=(BURAK.id,))), Flag.RESTRICTED)


def test_anybody_who_handles_restricts_with_a_reason_but_only_a_manager_releases() -> None:
    told = an_assessed_case().do(Verb.RESTRICT, ALICE, {}, REASON)
    assert has(told, Flag.RESTRICTED)
    with pytest.raises(NotAllowed):
        told.do(Verb.UNRESTRICT, ALICE, {}, REASON)


@clause("F")
@pytest.mark.parametrize("verb", [Verb.RESPOND, Verb.INVESTIGATE, Verb.REASSESS])
def test_whoever_decided_below_does_not_review(verb: Verb) -> None:
    case = replace(a_case_at_level_two().case, owner=ALICE.id)
    both = replace(ALICE, roles=frozenset({Role.HANDLER, Role.MANAGER}))
    with pytest.raises(NotAllowed, match="another person reviews it"):
        require_permission(case, verb, both)


@clause("F")
def test_whoever_approved_below_does_not_review() -> None:
    drafted = decided(an_investigated_case(by=MONA, safety=1, severity=3), MONA)
    told = drafted.do(Verb.APPROVE, METE, {"agreed": "yes"})
    onward = told.do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    for person in (MONA, METE):
        with pytest.raises(NotAllowed, match="another person reviews it"):
            require_permission(onward.case, Verb.INVESTIGATE, person)
    assert require_permission(onward.case, Verb.INVESTIGATE, TUGBA) is Role.TOP_MANAGEMENT


@clause("F")
def test_whoever_only_investigated_below_does_not_review() -> None:
    told = an_investigated_case().do(Verb.INVESTIGATE, MONA, {"evidence": ALL_EVIDENCE})
    onward = decided(told).do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.DISAGREE, ANNA, {"reviewers": 1})
    with pytest.raises(NotAllowed, match="another person reviews it"):
        onward.do(Verb.INVESTIGATE, MONA, {"evidence": []})


@clause("F")
def test_the_next_level_is_decided_by_the_roles_of_that_level() -> None:
    told = a_case_at_level_two().do(Verb.ASSIGN, MONA, {"owner": BURAK.id})
    with pytest.raises(NotAllowed, match="is decided by: manager, top_management"):
        require_permission(told.case, Verb.RESPOND, BURAK)


@clause("F")
def test_an_earlier_decider_is_not_given_the_complaint_at_the_next_level() -> None:
    with pytest.raises(NotAllowed, match="at an earlier level"):
        a_case_at_level_two().do(Verb.ASSIGN, MONA, {"owner": ALICE.id})


@clause("F")
def test_escalating_before_a_decision_excludes_nobody() -> None:
    told = an_investigated_case(by=MONA).do(Verb.ESCALATE, MONA, {}, REASON)
    assert told.case.level == 2
    assert require_permission(told.case, Verb.INVESTIGATE, MONA) is Role.MANAGER


@clause("F")
def test_escalating_after_a_reopening_keeps_those_out_who_had_decided() -> None:
    told = decided(an_investigated_case(by=MONA), MONA).do(Verb.COMMUNICATE_DECISION, SYSTEM)
    lapsed = told.later(days=40).do(Verb.LAPSE, SYSTEM).do(Verb.REOPEN, ANNA, {}, REASON)
    up = lapsed.do(Verb.INVESTIGATE, METE, {"evidence": []}).do(Verb.ESCALATE, METE, {}, REASON)
    with pytest.raises(NotAllowed, match="another person reviews it"):
        require_permission(up.case, Verb.INVESTIGATE, MONA)
    assert require_permission(up.case, Verb.INVESTIGATE, METE) is Role.MANAGER


@clause("F")
def test_reviewers_are_of_the_level_and_have_no_part_below() -> None:
    case = a_case_at_level_two().case
    members = {one.id: one.roles for one in STAFF}
    assert permissions.eligible_reviewers(case, 2, members) == (MONA.id, METE.id, TUGBA.id)


@clause("F")
def test_a_small_organisation_may_have_no_reviewer_left() -> None:
    told = an_investigated_case(by=MONA)
    case = decided(told, MONA).case
    assert permissions.eligible_reviewers(case, 2, {ALICE.id: ALICE.roles, MONA.id: MONA.roles}) == ()


def test_a_level_beyond_the_last_has_no_reviewers() -> None:
    case = an_assessed_case(rules=RULES).case
    assert permissions.eligible_reviewers(case, 3, {one.id: one.roles for one in STAFF}) == ()
