"""Staff named in a text are found in every usual form of their name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.safety.organisation import named_people

STAFF = ("Ayşe Yılmaz", "John Brown", "Çağrı Öztürk", "Ana María López", "Can", "Işık Demir")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ayşe Yılmaz bana bağırdı", ("Ayşe Yılmaz",)),
        ("ayse yilmaz'in yüzünden", ("Ayşe Yılmaz",)),
        ("AYŞE YILMAZ'DAN ŞİKAYETÇİYİM", ("Ayşe Yılmaz",)),
        ("Ayşe Hanım'ın tavrı çok kötüydü", ("Ayşe Yılmaz",)),
        ("Yılmaz Ayşe adlı memur", ("Ayşe Yılmaz",)),
        ("A. Yılmaz imzalı mektup", ("Ayşe Yılmaz",)),
        ("Sayın Yılmaz cevap vermedi", ("Ayşe Yılmaz",)),
        ("Mr Brown hung up on me", ("John Brown",)),
        ("mr. brown's answer", ("John Brown",)),
        ("JOHN  BROWN", ("John Brown",)),
        ("John-Brown was rude", ("John Brown",)),
        ("the water is brown", ()),
        ("I ordered a brown coat, not this", ()),
        ("J. Brown signed it", ("John Brown",)),
        ("Brownfield John", ()),
        ("Çağrı Bey'e söyledim", ("Çağrı Öztürk",)),
        ("cagri ozturkten bıktım", ("Çağrı Öztürk",)),
        ("çağrı merkeziniz kapalı", ()),
        ("Ana Lopez ignored me", ("Ana María López",)),
        ("Señora Ana Maria Lopez", ("Ana María López",)),
        ("Can'ın davranışı", ("Can",)),
        ("canim yandi", ()),
        ("cancelled", ()),
        ("Işık Demir'le konuştum, John Brown da oradaydı", ("John Brown", "Işık Demir")),
        ("ışık yanmıyor", ()),
        ("", ()),
    ],
    ids=range(26),
)
def test_staff_are_found_by_name(text: str, expected: tuple[str, ...]) -> None:
    assert named_people(text, STAFF) == expected


@given(st.text(max_size=200), st.lists(st.text(max_size=30), max_size=5))
def test_any_text_and_any_name_are_accepted(text: str, names: list[str]) -> None:
    assert set(named_people(text, names)) <= set(names)


@given(st.sampled_from(STAFF), st.sampled_from(["", "'nin", "'ye", "'den", "'s", ".", "!", ","]))
def test_a_name_is_found_with_any_ending(name: str, ending: str) -> None:
    assert name in named_people(f"I spoke to {name}{ending} yesterday", STAFF)
