"""Every role, every restriction and every route: what one function, `authorise`, decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from complaints.actions.authorisation import Access, authorise, is_allowed, needs_reason
from complaints.actions.registry import ACTIONS
from complaints.actors import MODEL, OPERATOR, SYSTEM, Actor, staff
from complaints.case import Case
from complaints.case_values import Fairness
from complaints.errors import NotAllowed
from complaints.vocabulary import Flag, Role, Verb
from tests.clauses import clause
from tests.rules.builders import ALICE, ANNA, BURAK, MONA, an_assessed_case

ME = "U7777777"
STAFF_ROLES = ("intake", "on_call", "auditor", "handler", "manager", "top_management")
#: The complaint as this person meets it.
SITUATIONS = (
    "open",
    "owned",
    "restricted",
    "restricted and owned",
    "about a manager",
    "worked on",
    "excluded",
)
#: For each route and role a letter for each situation: y for yes, and - for no.
EXPECTED = """
know       intake          y y - - - y -
know       on_call         y y - - - y -
know       auditor         y y y y y y -
know       handler         y y - y - y -
know       manager         y y y y - y -
know       top_management  y y y y y y -
read       intake          - - - - - - -
read       on_call         - - - - - - -
read       auditor         y y y y y y -
read       handler         y y - y - y -
read       manager         y y y y - y -
read       top_management  y y y y y y -
survey     intake          - - - - - - -
survey     on_call         - - - - - - -
survey     auditor         y - y - y - -
survey     handler         y - - - - - -
survey     manager         y - y - - - -
survey     top_management  y - y - y - -
stage      intake          y y y y y y -
stage      on_call         - - - - - - -
stage      auditor         - - - - - - -
stage      handler         y y y y y y -
stage      manager         y y y y y y -
stage      top_management  y y y y y y -
hand_over  intake          - - - - - - -
hand_over  on_call         - - - - - - -
hand_over  auditor         - - - - - - -
hand_over  handler         - - - - - - -
hand_over  manager         y y y y y y -
hand_over  top_management  y y y y y y -
report     intake          - - - - - - -
report     on_call         - - - - - - -
report     auditor         y y y y y y -
report     handler         - - - - - - -
report     manager         y y y y y y -
report     top_management  y y y y y y -
manage     intake          - - - - - - -
manage     on_call         - - - - - - -
manage     auditor         - - - - - - -
manage     handler         - - - - - - -
manage     manager         y y y y y y -
manage     top_management  y y y y y y -
templates  intake          - - - - - - -
templates  on_call         - - - - - - -
templates  auditor         - - - - - - -
templates  handler         - - - - - - -
templates  manager         y y y y y y -
templates  top_management  y y y y y y -
"""
ROWS = [
    (Access(route), role, situation, answer == "y")
    for route, role, *answers in map(str.split, EXPECTED.strip().splitlines())
    for situation, answer in zip(SITUATIONS, answers, strict=True)
]


def met(situation: str) -> Case:
    case = replace(an_assessed_case().case, acted_at={})
    if "restricted" in situation or situation == "about a manager":
        case = replace(case, flags=case.flags | {Flag.RESTRICTED})
    if situation == "about a manager":
        case = replace(case, fairness=Fairness(roles=frozenset({"manager"})))
    if "owned" in situation:
        case = replace(case, owner=ME)
    if situation == "worked on":
        case = replace(case, workers=frozenset({ME}))
    return replace(case, conflicted=frozenset({ME})) if situation == "excluded" else case


@clause("4.7")
def test_each_role_sees_exactly_what_the_table_says() -> None:
    assert [
        (route, role, situation, is_allowed(met(situation), route, staff(ME, role)))
        for route, role, situation, _ in ROWS
    ] == ROWS


def test_the_table_has_every_route_and_every_role() -> None:
    roles = {role.value for role in Role} - {"system", "model", "complainant"}
    assert {(route, role) for route, role, _, _ in ROWS} == {(a, r) for a in Access for r in roles}


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_no_act_is_open_to_a_person_who_is_excluded_or_may_not_read(role: str) -> None:
    by = staff(ME, role)
    verbs = [verb for verb in Verb if verb is not Verb.RECEIVE]
    excluded = met("excluded")
    assert [verb for verb in verbs if is_allowed(excluded, verb, by)] == []
    for case in (met("restricted"), met("about a manager")):
        allowed = [verb for verb in verbs if is_allowed(case, verb, by)]
        if not is_allowed(case, Access.READ, by):
            assert [verb for verb in allowed if not ACTIONS[verb].without_reading] == []


@pytest.mark.parametrize("situation", [*SITUATIONS, None])
def test_without_a_role_nothing_is_open(situation: str | None) -> None:
    case = met(situation) if situation else None
    assert [route for route in (*Access, *Verb) if is_allowed(case, route, staff(ME))] == []


@pytest.mark.parametrize("route", Access)
def test_the_complainant_sees_their_own_complaint_alone_and_the_model_none(route: Access) -> None:
    case = met("restricted")
    own = {Access.KNOW, Access.READ, Access.SURVEY}
    assert is_allowed(case, route, replace(ANNA, id=case.complainant)) is (route in own)
    assert not is_allowed(case, route, Actor("p2", frozenset({Role.COMPLAINANT})))
    assert not is_allowed(case, route, MODEL)
    assert (
        is_allowed(case, route, OPERATOR)
        is is_allowed(case, route, SYSTEM)
        is (route in {*own, Access.REPORT})
    )


def test_without_a_complaint_only_the_roles_count() -> None:
    assert authorise(None, Access.REPORT, MONA) is Role.MANAGER
    assert authorise(None, Verb.RECEIVE, ALICE) is Role.HANDLER
    with pytest.raises(NotAllowed) as refused:
        authorise(None, Access.HAND_OVER, ALICE)
    assert refused.value.code == "not_allowed.assign"


@clause("4.7")
def test_a_reason_is_needed_by_a_reader_whose_part_in_the_complaint_does_not_say_it() -> None:
    case = an_assessed_case().case
    assert case.owner == ALICE.id
    assert not needs_reason(case, ALICE)
    assert not needs_reason(case, MONA)
    assert not needs_reason(case, replace(BURAK, stands_in_for=frozenset({ALICE.id})))
    assert needs_reason(case, BURAK)
    assert needs_reason(case, staff(ME, "auditor"))
    nobodys = replace(case, owner=None)
    assert not needs_reason(nobodys, BURAK)
    assert needs_reason(nobodys, staff(ME, "auditor"))
    led = replace(case, fairness=Fairness(roles=frozenset({"manager"})))
    assert needs_reason(led, MONA)
