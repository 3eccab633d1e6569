"""What a role may grant without approval (Annex E; docs/permissions.md, "Authority")."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.actions.authorisation import may_approve
from complaints.actions.decision import exceeds, minor_units, needs_approval, totals
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
def test_an_amount_is_within_or_above_the_limit(by: Actor, amount: str, expected: bool) -> None:
    assert exceeds(by, [(amount, "GBP")], AUTHORITY) is expected


def test_granting_nothing_is_within_every_limit() -> None:
    assert not exceeds(AUDREY, [], AUTHORITY)


def test_another_currency_is_above_every_limit_except_top_managements() -> None:
    assert exceeds(MONA, [("1.00", "EUR")], AUTHORITY)
    assert not exceeds(TUGBA, [("1.00", "EUR")], AUTHORITY)


def test_a_limit_set_for_top_management_applies() -> None:
    limited = {**AUTHORITY, "top_management": Limit(500_000, "GBP")}
    assert exceeds(TUGBA, [("5000.01", "GBP")], limited)


def test_of_several_roles_the_highest_limit_applies() -> None:
    both = staff("U1", "handler", "manager")
    assert not exceeds(both, [("2000.00", "GBP")], AUTHORITY)
    assert exceeds(both, [("2000.01", "GBP")], AUTHORITY)
    assert exceeds(staff("U1", Role.AUDITOR), [("0.01", "GBP")], AUTHORITY)


def test_each_currency_has_its_own_limit_and_one_without_a_limit_is_above_it() -> None:
    several = {
        "handler": Limit(5_000, "GBP", {"EUR": 6_000}),
        "manager": Limit(50_000, "EUR", {"USD": 10_000}),
    }
    both = staff("U1", "handler", "manager")
    for actor, amount, currency, expected in (
        (ALICE, "50.00", "GBP", False),
        (ALICE, "60.00", "EUR", False),
        (ALICE, "60.01", "EUR", True),
        (ALICE, "0.01", "TRY", True),
        (MONA, "0.01", "GBP", True),
        (both, "50.00", "GBP", False),
        (both, "500.00", "EUR", False),
        (both, "100.01", "USD", True),
        (TUGBA, "9999.00", "TRY", False),
    ):
        assert exceeds(actor, [(amount, currency)], several) is expected, (amount, currency)
    assert not exceeds(ALICE, [("50.00", "GBP"), ("60.00", "EUR")], several)


@given(st.lists(amounts, min_size=1, max_size=6))
def test_amounts_add_up_to_the_penny(several: list[str]) -> None:
    summed = totals((amount, "GBP") for amount in several)
    assert summed == {"GBP": sum(minor_units(amount) for amount in several)}


@given(st.lists(amounts, min_size=1, max_size=6), st.integers(0, 5))
def test_splitting_an_amount_does_not_avoid_the_limit(several: list[str], more: int) -> None:
    grants = [(amount, "GBP") for amount in several]
    total = str(sum(minor_units(amount) for amount in several))
    whole = [(f"{total[:-2] or '0'}.{total[-2:].zfill(2)}", "GBP")]
    assert exceeds(ALICE, grants, AUTHORITY) == exceeds(ALICE, whole, AUTHORITY)
    if exceeds(ALICE, grants, AUTHORITY):
        assert exceeds(ALICE, grants + grants[:more], AUTHORITY)


@clause("E")
def test_serious_urgent_or_expensive_decisions_need_a_second_person() -> None:
    upheld, refused = [Finding.UPHELD], [Finding.NOT_UPHELD, Finding.NO_FINDING]
    plain, urgent = an_assessed_case().case, an_assessed_case(recurrence=5).case
    assert not needs_approval(plain, ALICE, [], refused)
    assert needs_approval(urgent, ALICE, [], refused)
    assert not needs_approval(urgent, ALICE, [], [*refused, Finding.PARTLY])
    assert needs_approval(an_assessed_case(severity=4).case, ALICE, [], upheld)
    assert needs_approval(an_assessed_case(safety=1).case, ALICE, [], upheld)
    assert needs_approval(plain, ALICE, [("100.01", "GBP")], upheld)


@clause("E")
def test_only_people_who_may_approve_are_asked() -> None:
    complaint = decided(an_investigated_case(), remedies=[a_refund("2500.00")])
    approvers = [
        member.id
        for member in (ALICE, BURAK, MONA, METE, TUGBA, AUDREY)
        if may_approve(complaint.case, member)
    ]
    assert approvers == [TUGBA.id]
    small = decided(an_investigated_case(by=MONA, severity=4), MONA)
    assert [member.id for member in (ALICE, MONA, METE, TUGBA) if may_approve(small.case, member)] == [
        METE.id,
        TUGBA.id,
    ]


def test_any_manager_except_the_author_may_approve_a_reclassification() -> None:
    complaint = an_assessed_case().do(Verb.RECLASSIFY, MONA, {"kind": "praise"}, {"reason": "Thanks only."})
    assert [member.id for member in (ALICE, MONA, METE, TUGBA) if may_approve(complaint.case, member)] == [
        METE.id,
        TUGBA.id,
    ]


def test_without_a_pending_decision_no_one_may_approve() -> None:
    assert not may_approve(an_assessed_case().case, MONA)
