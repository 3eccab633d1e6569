"""Identifiers in complainants' texts: found by simple rules, never a day, an amount or a word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaints.identifiers import MOST, numbers_in
from tests.clauses import clause


@clause("7.2")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12 Mill Lane, account 8841207, since September", [("customer", "8841207")]),
        ("My contract number is AB-4711/7.", [("customer", "AB-4711/7")]),
        ("my contract no. AB-4711/7 ended", [("customer", "AB-4711/7")]),
        ("order #550123 and invoice INV-2026-0007", [("order", "550123"), ("order", "INV-2026-0007")]),
        ("4711 numaralı sipariş gelmedi", [("order", "4711")]),
        ("Müşteri numaram 123456, sipariş no: 99-1234", [("customer", "123456"), ("order", "99-1234")]),
        (
            "ring 020 7946 0018 or +90 532 123 45 67",
            [("phone", "020 7946 0018"), ("phone", "+90 532 123 45 67")],
        ),
        ("write to Anna.B@example.org please", [("email", "Anna.B@example.org")]),
        ("order 2026-11-03, order 12, a bill of 200 pounds", []),
        ("I have been waiting since 3 November 2026", []),
        ("Meine Kundennummer lautet 6612043", [("customer", "6612043")]),
        ("Rechnungsnr. 90177-2, Bestellung Nr. 47110", [("order", "90177-2"), ("order", "47110")]),
        ("Mi número de cliente es 5540098", [("customer", "5540098")]),
        ("pedido n.º 471103 y factura 33081", [("order", "471103"), ("order", "33081")]),
        ("Der Kunde wartet seit 2026", []),
    ],
)
def test_identifiers_are_found_as_written(text: str, expected: list[tuple[str, str]]) -> None:
    assert [(number.kind, number.value) for number in numbers_in([text])] == expected


def test_a_text_full_of_numbers_gives_a_limited_number_of_identifiers() -> None:
    many = " ".join(f"order {n}" for n in range(10_000, 10_100))

    assert len(numbers_in([many, many])) == MOST


@given(st.text(max_size=400))
def test_every_identifier_found_is_part_of_the_text(text: str) -> None:
    assert all(number.value in text for number in numbers_in([text]))
