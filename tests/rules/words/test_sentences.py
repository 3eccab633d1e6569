"""Sentence ends are found in informal typing too, and not after abbreviations, dates and amounts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.sentences import split_sentences


def sentence_texts(text: str) -> list[str]:
    return [text[low:high] for low, high in split_sentences(text)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("i was charged twice for march.", "the clerk shouted at my mother."),
        ("why was i charged twice for march?", "the clerk shouted at my mother."),
        ("nobody rang back for a week...", "the parcel came broken as well."),
        ("the shop closed at 5 p.m.", "your clerk would not let me in."),
        ("mart faturası iki kez çekildi.", "gişedeki memur anneme bağırdı."),
        ("su üç gündür hiç akmıyor!", "çağrı merkezi telefonu yüzümüze kapattı."),
        ("die rechnung wurde zweimal abgebucht.", "der mann am schalter hat mich angeschrien."),
        ("ich habe 12.50 zu viel bezahlt und warte auf 300.50.", "über den schaden spricht keiner."),
        ("me cobraron dos veces la misma factura.", "el empleado le gritó a mi madre."),
        ("¿por qué me cobraron dos veces marzo?", "además el paquete llegó roto."),
    ],
)
def test_a_sentence_may_end_before_a_small_letter(first: str, second: str) -> None:
    assert sentence_texts(f"{first} {second}") == [first, second]


@pytest.mark.parametrize(
    "text",
    [
        "you took 12.50 from my card, approx. two weeks ago it was",
        "several bills, e.g. that of last march, are wrong again",
        "the invoice no. 5 was charged twice to my own account",
        "i spoke to mr. Harold Miller about the broken washing machine",
        "the letter was signed by J. Smith from the second floor",
        "mehrere rechnungen, z.B. die vom märz, sind schon wieder falsch",
        "mehrere rechnungen, z. B. Die vom märz, sind schon wieder falsch",
        "die rechnung Nr. 7 wurde am 3. märz zweimal bei mir abgebucht",
        "Die Rechnung vom 3. März wurde zweimal von meinem Konto abgebucht",
        "das paket sollte bis zum 3.5. bei mir in der hauptstr. 12 sein",
        "ich habe mit Hr. Schmidt bzw. seiner kollegin darüber gesprochen",
        "dün gişede Sn. Ali beyle konuştum ama sonuç çıkmadı",
        "fatura no. 12 ödendi, 3. katta oturuyoruz, borç vb. yok dediler",
        "15. Mart günü gelen faturayı iki kez ödemek zorunda kaldık",
        "varias facturas, p. ej. la de marzo, están mal otra vez",
        "hablé con el Sr. Gómez y la Dña. Ana sobre la avería",
        "vivo en la avda. del mar núm. 4 y sigo sin agua",
        "“get out of my shop!” he shouted at my old mother",
    ],
)
def test_no_sentence_ends_after_an_abbreviation_a_date_or_an_amount(text: str) -> None:
    assert sentence_texts(text) == [text]


def test_an_abbreviation_may_end_a_sentence_when_no_figure_follows() -> None:
    assert sentence_texts("i asked for my money and they said no. the clerk then shouted at me.") == [
        "i asked for my money and they said no.",
        "the clerk then shouted at me.",
    ]


def test_a_number_does_not_end_a_sentence() -> None:
    assert sentence_texts(
        "You took 12.50 from my card, approx. two weeks ago. Nobody answers my letters about it."
    ) == [
        "You took 12.50 from my card, approx. two weeks ago.",
        "Nobody answers my letters about it.",
    ]


@given(st.text(alphabet="ab Zç.!?…\"'\n;1230ß", max_size=200))
def test_sentences_are_in_order_and_leave_out_only_white_space(text: str) -> None:
    spans = split_sentences(text)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert all(text[low:high].strip() == text[low:high] != "" for low, high in spans)
    assert "".join("".join(sentence_texts(text)).split()) == "".join(text.split())
