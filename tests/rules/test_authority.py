"""What a role may grant alone (Annex E; docs/surfaces.md, `[authority]`)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.actions.authorisation import may_approve
from complaints.actions.decision import exceeds, limit_of, minor_units, needs_approval, totals
from complaints.actors import Actor, staff
from complaints.rulebook import Limit
from complaints.vocabulary import Finding, Role, Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    AUDREY,
    BURAK,
    METE,
    MONA,
    TUGBA,
    a_refund,
    an_assessed_case,
    an_investigated_case,
    decided,
)

AUTHORITY = {"handler": Limit(10_000, "GBP"), "manager": Limit(200_000, "GBP")}
amounts = st.decimals("0.01", "99999.99", places=2).map(str)


@clause("E")
@pytest.mark.parametrize(
    ("by", "amount", "expected"),
    [
        (ALICE, "100.00", False),
        (ALICE, "100.01", True),
        (MONA, "2000.00", False),
        (MONA, "2000.01", True),
        (TUGBA, "1000000.00", False),
        (AUDREY, "0.01", True),
    ],
)
def test_a_sum_is_within_the_limit_or_not(by: Actor, amount: str, expected: bool) -> None:
    assert exceeds(by, [(amount, "GBP")], AUTHORITY) is expected


def test_granting_nothing_is_within_every_limit() -> None:
    assert not exceeds(AUDREY, [], AUTHORITY)


def test_another_currency_is_above_every_limit_but_the_tops() -> None:
    assert exceeds(MONA, [("1.00", "EUR")], AUTHORITY)
    assert not exceeds(TUGBA, [("1.00", "EUR")], AUTHORITY)


def test_the_top_has_a_limit_where_it_was_given_one() -> None:
    limited = {**AUTHORITY, "top_management": Limit(500_000, "GBP")}
    assert exceeds(TUGBA, [("5000.01", "GBP")], limited)


def test_of_several_roles_the_highest_limit_holds() -> None:
    both = staff("U1", "handler", "manager")
    assert limit_of(both, AUTHORITY) == Limit(200_000, "GBP")
    assert limit_of(staff("U1", Role.AUDITOR), AUTHORITY) == Limit(0, "")


@given(st.lists(amounts, min_size=1, max_size=6))
def test_amounts_add_up_to_the_penny(several: list[str]) -> None:
    summed = totals((one, "GBP") for one in several)
    assert summed == {"GBP": sum(minor_units(one) for one in several)}


@given(st.lists(amounts, min_size=1, max_size=6), st.integers(0, 5))
def test_splitting_a_sum_evades_no_limit(several: list[str], more: int) -> None:
    grants = [(one, "GBP") for one in several]
    one = str(sum(minor_units(one) for one in several))
    whole = [(f"{one[:-2] or '0'}.{one[-2:].zfill(2)}", "GBP")]
    assert exceeds(ALICE, grants, AUTHORITY) == exceeds(ALICE, whole, AUTHORITY)
    if exceeds(ALICE, grants, AUTHORITY):
        assert exceeds(ALICE, grants + grants[:more], AUTHORITY)


@clause("E")
def test_what_weighs_more_needs_a_second_person_whatever_the_sum() -> None:
    upheld, refused = [Finding.UPHELD], [Finding.NOT_UPHELD, Finding.NO_FINDING]
    plain, urgent = an_assessed_case().case, an_assessed_case(recurrence=5).case
    assert not needs_approval(plain, ALICE, [], refused)
    assert needs_approval(urgent, ALICE, [], refused)
    assert not needs_approval(urgent, ALICE, [], [*refused, Finding.PARTLY])
    assert needs_approval(an_assessed_case(severity=4).case, ALICE, [], upheld)
    assert needs_approval(an_assessed_case(safety=1).case, ALICE, [], upheld)
    assert needs_approval(plain, ALICE, [("100.01", "GBP")], upheld)


@clause("E")
def test_those_are_asked_who_could_agree() -> None:
    told = decided(an_investigated_case(), remedies=[a_refund("2500.00")])
    asked = [one.id for one in (ALICE, BURAK, MONA, METE, TUGBA, AUDREY) if may_approve(told.case, one)]
    assert asked == [TUGBA.id]
    small = decided(an_investigated_case(by=MONA, severity=4), MONA)
    assert [one.id for one in (ALICE, MONA, METE, TUGBA) if may_approve(small.case, one)] == [
        METE.id,
        TUGBA.id,
    ]


def test_for_a_reclassification_any_manager_but_its_author_is_asked() -> None:
    told = an_assessed_case().do(Verb.RECLASSIFY, MONA, {"kind": "praise"}, {"reason": "Thanks only."})
    assert [one.id for one in (ALICE, MONA, METE, TUGBA) if may_approve(told.case, one)] == [
        METE.id,
        TUGBA.id,
    ]


def test_nobody_is_asked_where_nothing_waits() -> None:
    assert not may_approve(an_assessed_case().case, MONA)
