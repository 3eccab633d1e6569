"""The title of an issue is its first sentence with content; formalities are no issue."""

from __future__ import annotations

import time

import pytest

from triage.sentences import is_formality, issue_title


@pytest.mark.parametrize(
    "sentence",
    [
        "Please put it right.",
        "Please put it right. R. Okafor",
        "My customer number is 4471902.",
        "My name is Rose Okafor.",
        "my name is rose okafor",
        "Kind regards, Rose Okafor",
        "You can reach me on 020 7946 0123.",
        "R. Okafor",
        "Lütfen bunu düzeltin.",
        "Lütfen düzeltin. Ayşe Yılmaz",
        "Müşteri numaram 4471902.",
        "4471902 numaralı aboneyim.",
        "Adım Ayşe Yılmaz.",
        "Gereğinin yapılmasını arz ederim.",
        "Saygılarımla, Ayşe Yılmaz",
        "Meine Kundennummer ist 4471902.",
        "Bitte bringen Sie das in Ordnung. K. Weber",
        "Mi número de cliente es 4471902.",
        "Por favor, arréglenlo.",
    ],
)
def test_a_number_a_name_or_a_closing_request_is_a_formality(sentence: str) -> None:
    assert is_formality(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "You sent my customer number 4471902 to my neighbour.",
        "My bill was 4000 pounds too high.",
        "Please help, there is a gas leak.",
        "Please put it right. GAS LEAK",
        "The clerk shouted at me.",
        "My order was 3 weeks late.",
        "Müşteri numaram 4471902 yanlış yazılmış.",
        "Lütfen gaz kaçağını durdurun.",
        "Kein Wasser.",
    ],
)
def test_a_sentence_that_says_what_went_wrong_is_no_formality(sentence: str) -> None:
    assert not is_formality(sentence)


@pytest.mark.parametrize(
    ("passage", "title"),
    [
        ("I was charged twice. The bank says five days.", "I was charged twice"),
        ("Hello. My name is Rose Okafor. I was charged twice for May.", "I was charged twice for May"),
        ("I was charged twice for May\nNobody answers the phone", "I was charged twice for May"),
        (
            "I have been charged twice for the same order of the third of May, and I want it in five days.",
            "I have been charged twice for the same order of the third of May",
        ),
        (
            "The engineer who came to our house last week left the boiler in pieces on the kitchen floor.",
            "The engineer who came to our house last week left the boiler in pieces on the",
        ),
        ("Su kahverengi akıyor. Çocuklara içiremiyorum.", "Su kahverengi akıyor"),
        ("Merhaba. Müşteri numaram 4471902. Faturam iki kez çekildi.", "Faturam iki kez çekildi"),
        ("Please put it right.", "Please put it right"),
        ("x" * 200, "x" * 80),
        ("", ""),
    ],
)
def test_the_title_is_the_first_sentence_with_content(passage: str, title: str) -> None:
    assert issue_title(passage) == title


def test_a_hostile_sentence_is_judged_in_time() -> None:
    start = time.perf_counter()
    for words in ("please help ", "my 1234 numarali ", "my name is a ", "dank danke "):
        is_formality(words * 4 + "x")
    assert time.perf_counter() - start < 1
