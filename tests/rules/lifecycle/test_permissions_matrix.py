"""Every role and every verb, as docs/permissions.md lists them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints import actors
from complaints.actions.authorisation import authorise
from complaints.actions.registry import ACTIONS
from complaints.actors import Actor
from complaints.case import Case
from complaints.case_values import FileReview
from complaints.errors import ComplaintError, NotAllowed
from complaints.vocabulary import Role, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ANNA,
    RULES,
    SYSTEM,
    TUGBA,
    a_received_case,
    an_assessed_case,
    staff,
)
from tests.who_may import verbs_of, who_may

#: Verbs of the complainant, the model and the system.
NOT_OF_STAFF = {
    Role.COMPLAINANT: """receive add confirm end_form answer accept disagree withdraw reopen bind survey
        link appeal_limit""",
    Role.MODEL: "propose",
    Role.SYSTEM: """end_form acknowledge fail_delivery inform deliver communicate_decision offer_recourse remedy_late
        lapse restrict survey erase redate hold release
        restrict_processing resume_processing check_decision draw_review review_limit talk""",
}


def _allowed() -> dict[Role, frozenset[Verb]]:
    staff_may = {
        role: frozenset(verb for form in forms for verb in verbs_of(form)) for role, forms in WHO_MAY.items()
    }
    staff_may[Role.TOP_MANAGEMENT] |= {Verb.ERASE}
    others = {role: frozenset(Verb(name) for name in names.split()) for role, names in NOT_OF_STAFF.items()}
    return staff_may | others


WHO_MAY = who_may()
ALLOWED = _allowed()


def _actor(role: Role) -> Actor:
    match role:
        case Role.COMPLAINANT:
            return ANNA
        case Role.SYSTEM:
            return SYSTEM
        case Role.MODEL:
            return Actor("model", frozenset({Role.MODEL}))
        case _:
            return staff("U7777777", role)


def _open_to(by: Actor) -> Case:
    """A complaint that this person owns, at the level where they decide, and that was drawn for their review."""
    case = an_assessed_case().case
    review = FileReview(by.id, case.logged_at, case.logged_at, case.version)
    return replace(case, owner=by.id, review=review, level=2 if by.roles <= {Role.TOP_MANAGEMENT} else 1)


VERBS = [verb for verb in Verb if verb is not Verb.RECEIVE]


def _role_for(case: Case, verb: Verb, by: Actor) -> Role | None:
    """The role that allows it; None if it is refused."""
    try:
        return authorise(case, verb, by)
    except NotAllowed:
        return None


@clause("5.3")
@pytest.mark.parametrize("role", list(ALLOWED))
def test_each_role_may_do_exactly_what_the_permissions_page_says(role: Role) -> None:
    by = _actor(role)
    case = _open_to(by)
    expected = {verb: role if verb in ALLOWED[role] else None for verb in VERBS}
    assert {verb: _role_for(case, verb, by) for verb in VERBS} == expected


@pytest.mark.parametrize("role", list(ALLOWED))
def test_only_complainant_intake_and_handling_roles_receive_a_complaint(role: Role) -> None:
    by = _actor(role)
    if Verb.RECEIVE in ALLOWED[role]:
        assert a_received_case(by=by).last.role is role
    else:
        with pytest.raises(NotAllowed):
            a_received_case(by=by)


def test_without_a_role_every_verb_is_refused() -> None:
    nobody = staff("U7777777")
    case = _open_to(nobody)
    assert [verb for verb in Verb if _role_for(case, verb, nobody) is not None] == []


def test_another_complainant_is_refused_every_verb() -> None:
    case, other = an_assessed_case().case, Actor("p2", frozenset({Role.COMPLAINANT}))
    assert [verb for verb in VERBS if _role_for(case, verb, other) is not None] == []


def test_the_event_records_the_least_role_that_allows_the_act() -> None:
    both = staff("U7777777", "handler", "manager")
    case = an_assessed_case().case
    assert authorise(case, Verb.REPLY, both) is Role.HANDLER
    assert authorise(case, Verb.UNRESTRICT, both) is Role.MANAGER


def test_a_decision_is_recorded_with_the_role_of_its_level() -> None:
    both = staff("U7777777", "handler", "manager")
    case = replace(an_assessed_case().case, level=2, owner=both.id)
    assert authorise(case, Verb.RESPOND, both) is Role.MANAGER


def test_every_verb_but_receive_has_a_function() -> None:
    verbs = {verb for verb, action in ACTIONS.items() if action.moves.begins is None}
    assert verbs == set(Verb) - {Verb.RECEIVE}
    with pytest.raises(ComplaintError):
        an_assessed_case().do(Verb.RECEIVE, ANNA)


@pytest.mark.parametrize("role", [role for role in WHO_MAY if role is not Role.INTAKE])
def test_only_handling_roles_and_auditors_read_complaints(role: Role) -> None:
    case = an_assessed_case().case
    expected = role in {Role.HANDLER, Role.MANAGER, Role.TOP_MANAGEMENT, Role.AUDITOR}
    assert actors.may_read(case, staff("U7777777", role)) is expected


def test_top_management_decides_only_at_its_own_level() -> None:
    case = replace(an_assessed_case(rules=RULES).case, owner=TUGBA.id)
    with pytest.raises(NotAllowed, match="is decided by: handler, manager"):
        authorise(case, Verb.RESPOND, TUGBA)
