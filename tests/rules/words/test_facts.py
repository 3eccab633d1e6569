"""The facts in a story, in a normal form and never more than is written (7.2)."""

from __future__ import annotations

from datetime import date
from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triage.facts.fact import FACT_KINDS, StoryFact
from triage.facts.finder import find_facts
from triage.facts.references import is_card, is_iban

TUESDAY = date(2026, 11, 24)


def values(text: str, kind: str, *, country: str | None = "GB", received: date = TUESDAY) -> list[str]:
    """The values of a kind, in the order of the story."""
    facts = find_facts(text, received=received, country=country)
    return [fact.value for fact in facts if fact.kind == kind]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Order 4471203 came broken.", "order", "4471203"),
        ("My order number is AB-4711.", "order", "AB-4711"),
        ("order #4711 is late", "order", "4711"),
        ("Customer number 1234 5678 is mine", "customer", "12345678"),
        ("invoice INV-2026-0042", "invoice", "INV-2026-0042"),
        ("the meter no. 99887766", "meter", "99887766"),
        ("booking ref X7K2291", "booking", "X7K2291"),
        ("policy number 55-1234", "policy", "55-1234"),
        ("Bestellnummer: 4711", "order", "4711"),
        ("Meine Kundennummer lautet 12345", "customer", "12345"),
        ("Rechnung Nr. 881-22", "invoice", "881-22"),
        ("Zählernummer 99887766", "meter", "99887766"),
        ("Pedido n.º 4711", "order", "4711"),
        ("número de cliente: 12345", "customer", "12345"),
        ("factura 2231", "invoice", "2231"),
        ("Sipariş no: 4711", "order", "4711"),
        ("4711 numaralı siparişim", "order", "4711"),
        ("fatura no 881231", "invoice", "881231"),
        ("tesisat numaram 12345678", "meter", "12345678"),
        ("IBAN GB82 WEST 1234 5698 7654 32 please", "account", "GB82WEST12345698765432"),
        ("TR330006100519786457841326 hesabıma", "account", "TR330006100519786457841326"),
    ],
    ids=range(21),
)
def test_a_number_needs_a_word_next_to_it_or_check_digits(text: str, kind: str, value: str) -> None:
    assert values(text, kind) == [value]


@pytest.mark.parametrize(
    "text",
    [
        "The order in 2026 was late.",
        "I order 12 bottles a week.",
        "My invoice of £4000 is wrong, and the bill 4000 euros too high.",
        "Order of 03.11.2026 is missing.",
        "I waited 45 minutes and called 3 times.",
        "IBAN GB82 WEST 1234 5698 7654 33 is mistyped",
    ],
    ids=range(6),
)
def test_a_number_without_such_a_word_is_no_reference(text: str) -> None:
    kinds = {fact.kind for fact in find_facts(text, received=TUESDAY)}
    assert kinds <= {"date", "amount"}


def test_of_a_card_only_the_last_four_digits_are_shown() -> None:
    text = "Order number 4111 1111 1111 1111, my card number 5500005555555559 was charged £40."
    facts = find_facts(text, received=TUESDAY)
    assert [(fact.kind, fact.value, fact.text) for fact in facts] == [
        ("card", "1111", "1111"),
        ("card", "5559", "5559"),
        ("amount", "40.00 GBP", "£40"),
    ]


def test_a_mistyped_number_that_is_called_a_card_is_hidden_too() -> None:
    facts = find_facts("kredi kartı numaram 4111 1111 1111 1112", received=TUESDAY)
    assert [(fact.kind, fact.value) for fact in facts] == [("card", "1112")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on 3 November", "2026-11-03"),
        ("3 Nov", "2026-11-03"),
        ("Nov 3rd, 2025", "2025-11-03"),
        ("3 December", "2025-12-03"),
        ("by 3 December", "2026-12-03"),
        ("03.11.2026", "2026-11-03"),
        ("2026-11-03", "2026-11-03"),
        ("3.11.26", "2026-11-03"),
        ("25/12/2025", "2025-12-25"),
        ("12/25/2025", "2025-12-25"),
        ("yesterday", "2026-11-23"),
        ("the day before yesterday", "2026-11-22"),
        ("last Monday", "2026-11-23"),
        ("last Tuesday", "2026-11-17"),
        ("on Tuesday", "2026-11-24"),
        ("two weeks ago", "2026-11-10"),
        ("a couple of weeks ago", "2026-11-10"),
        ("a month ago", "2026-10-01/2026-10-31"),
        ("in October", "2026-10-01/2026-10-31"),
        ("in December", "2025-12-01/2025-12-31"),
        ("since October", "2026-10-01/2026-11-24"),
        ("since Monday", "2026-11-23/2026-11-24"),
        ("last week", "2026-11-16/2026-11-22"),
        ("this month", "2026-11-01/2026-11-24"),
        ("over the last three days", "2026-11-21/2026-11-24"),
        ("am 3. November", "2026-11-03"),
        ("vom 3.11.", "2026-11-03"),
        ("gestern Abend", "2026-11-23"),
        ("vorige Woche", "2026-11-16/2026-11-22"),
        ("letzten Montag", "2026-11-23"),
        ("vor zwei Wochen", "2026-11-10"),
        ("seit Oktober", "2026-10-01/2026-11-24"),
        ("seit drei Tagen", "2026-11-21/2026-11-24"),
        ("el 3 de noviembre de 2026", "2026-11-03"),
        ("ayer", "2026-11-23"),
        ("anteayer", "2026-11-22"),
        ("hace dos semanas", "2026-11-10"),
        ("la semana pasada", "2026-11-16/2026-11-22"),
        ("el lunes pasado", "2026-11-23"),
        ("desde octubre", "2026-10-01/2026-11-24"),
        ("3 Kasım'da", "2026-11-03"),
        ("dün", "2026-11-23"),
        ("evvelsi gün", "2026-11-22"),
        ("geçen pazartesi", "2026-11-23"),
        ("iki hafta önce", "2026-11-10"),
        ("geçen hafta", "2026-11-16/2026-11-22"),
        ("ekimden beri", "2026-10-01/2026-11-24"),
        ("pazartesi gününden beri", "2026-11-23/2026-11-24"),
        ("ekim ayında", "2026-10-01/2026-10-31"),
        ("iki haftadır", "2026-11-10/2026-11-24"),
    ],
    ids=range(50),
)
def test_a_day_is_counted_from_the_day_of_receipt(text: str, value: str) -> None:
    assert values(text, "date") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "next Monday",
        "31.02.2026",
        "I may 3 times",
        "every Monday",
        "it costs 3.11 or 10.11.12.13",
        "the mayor 3",
        "nächsten Montag",
        "gelecek pazartesi",
        "el proximo lunes",
    ],
    ids=range(9),
)
def test_a_day_in_the_future_or_not_in_the_calendar_is_no_date(text: str) -> None:
    assert values(text, "date") == []


def test_the_country_decides_between_month_and_day() -> None:
    assert values("11/03/2026", "date", country="GB") == ["2026-03-11"]
    assert values("11/03/2026", "date", country="US") == ["2026-11-03"]
    assert values("11.03.2026", "date", country="US") == ["2026-03-11"]


def test_a_leap_day_without_a_year_is_in_the_last_leap_year_or_nothing() -> None:
    assert values("on 29 February", "date", received=date(2027, 3, 1)) == []
    assert values("on 29 February", "date", received=date(2025, 3, 1)) == ["2024-02-29"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("£40", "40.00 GBP"),
        ("40 GBP", "40.00 GBP"),
        ("forty, no: 40 pounds", "40.00 GBP"),
        ("1.234,56 €", "1234.56 EUR"),
        ("1,234.56 USD", "1234.56 USD"),
        ("1,234 euros", "1234.00 EUR"),
        ("EUR 12,50", "12.50 EUR"),
        ("40,- €", "40.00 EUR"),
        ("250 TL", "250.00 TRY"),
        ("40 lira", "40.00 TRY"),
        ("350 liranın", "350.00 TRY"),
        ("350 liramı", "350.00 TRY"),
        ("20 dolarımı", "20.00 USD"),
        ("40 avronun", "40.00 EUR"),
        ("1.250,50 TL'lik", "1250.50 TRY"),
        ("2 bin lira", "2000.00 TRY"),
        ("50 TRY", "50.00 TRY"),
        ("40 dólares", "40.00 USD"),
        ("25 libras", "25.00 GBP"),
        ("20 Pfund", "20.00 GBP"),
    ],
    ids=range(20),
)
def test_an_amount_has_a_decimal_point_and_a_currency(text: str, value: str) -> None:
    assert values(text, "amount") == [value]


def test_the_country_decides_whose_dollar_is_meant() -> None:
    assert values("$40", "amount", country="CA") == ["40.00 CAD"]
    assert values("$40", "amount", country=None) == ["40.00 USD"]


@pytest.mark.parametrize("text", ["after my 3 try", "40 people", "version 1.2.3 €", "0 €"], ids=range(4))
def test_a_number_without_a_currency_is_no_amount(text: str) -> None:
    assert values(text, "amount") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I want my money back", "money_back"),
        ("Please refund me.", "money_back"),
        ("I'd like a full refund", "money_back"),
        ("we expect a replacement", "replacement"),
        ("I want it repaired", "repair"),
        ("please send someone out", "repair"),
        ("I would like to know why you refused a refund", "explanation"),
        ("I expect an apology", "apology"),
        ("I want this to never happen again", "a_change"),
        ("Please let me know when it comes", "information"),
        ("ich möchte mein Geld zurück", "money_back"),
        ("Ich verlange eine Erklärung", "explanation"),
        ("Bitte reparieren Sie das", "repair"),
        ("Ich will einen Ersatz", "replacement"),
        ("Ich erwarte eine Entschuldigung", "apology"),
        ("quiero que me devuelvan el dinero", "money_back"),
        ("exijo una explicación", "explanation"),
        ("quiero que lo reparen", "repair"),
        ("espero una disculpa", "apology"),
        ("paramı geri istiyorum", "money_back"),
        ("Para iadesi talep ediyorum", "money_back"),
        ("tamir edilmesini istiyorum", "repair"),
        ("yenisini istiyorum", "replacement"),
        ("özür bekliyorum", "apology"),
        ("açıklama istiyorum", "explanation"),
        ("bir daha yaşanmamasını istiyorum", "a_change"),
        ("Ich will, dass so etwas nicht wieder vorkommt", "a_change"),
        ("Quiero que esto no se repita", "a_change"),
    ],
    ids=range(28),
)
def test_a_remedy_is_recognised_by_its_words(text: str, value: str) -> None:
    assert values(text, "remedy") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "They refused a refund.",
        "I do not want a refund",
        "You told me that I do not get a refund",
        "If I want a refund I must call, they say",
        "They said I want a replacement too late",
        "I asked for a refund and got none",
        "They will not refund me",
        "and would not give me a refund",
        "they refuse to send me my money",
        "Ich will keine Erstattung",
        "Eine Erstattung wurde abgelehnt",
        "Wenn ich mein Geld zurück will",
        "No quiero una devolución",
        "me negaron el reembolso",
        "Para iadesi istiyorum dedim ama vermediler",
        "Paramın iadesini reddettiler",
        "Para iadesi istemiyorum",
    ],
    ids=range(17),
)
def test_a_remedy_refused_denied_or_reported_is_not_asked_for(text: str) -> None:
    assert values(text, "remedy") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("your branch in Leeds", "Leeds"),
        ("at 12 Mill Lane", "12 Mill Lane"),
        ("Ihre Filiale in Köln", "Köln"),
        ("in der Hauptstraße 5", "Hauptstraße 5"),
        ("la sucursal de Sevilla", "Sevilla"),
        ("en la calle Mayor 5", "calle Mayor 5"),
        ("Kadıköy şubesinde", "Kadıköy"),
        ("1 Kasım'da Merkez şubesinde", "Merkez"),
        ("3 Mayıs’ta Yeni Kadıköy'deki mağazanızda", "Yeni Kadıköy"),
        ("12 Eylül'de Çankaya Mahallesi'nde", "Çankaya Mahallesi"),
        ("Atatürk Caddesi No 5", "Atatürk Caddesi No 5"),
        ("19 Mayıs Caddesi 4", "19 Mayıs Caddesi 4"),
        ("1 Kasım Merkez şubesinde", "Merkez"),
    ],
    ids=range(13),
)
def test_a_place_needs_a_word_next_to_it_that_says_so(text: str, value: str) -> None:
    assert values(text, "place") + values(text, "branch") == [value]


@pytest.mark.parametrize(
    "text",
    [
        "Mary Brown came to Leeds",
        "in the shop in the rain",
        "I went to the branch in March",
        "Our deposits are gone",
        "the office at Monday's meeting",
    ],
    ids=range(5),
)
def test_a_name_alone_is_no_place(text: str) -> None:
    assert values(text, "place") + values(text, "branch") == []


def test_with_a_language_only_its_words_are_tried() -> None:
    assert find_facts("ayer", received=TUESDAY, language="en") == ()
    assert find_facts("ayer", received=TUESDAY, language="es")[0].value == "2026-11-23"
    assert find_facts("ayer", received=TUESDAY, language="fr")[0].value == "2026-11-23"


def test_the_order_of_a_story_is_kept_with_its_words_as_written() -> None:
    text = "Bestellung 4711 vom 3. November, 40 €: ich möchte mein Geld zurück!"
    assert find_facts(text, received=TUESDAY) == (
        StoryFact("order", "4711", "Bestellung 4711", (0, 15)),
        StoryFact("date", "2026-11-03", "3. November", (20, 31)),
        StoryFact("amount", "40.00 EUR", "40 €", (33, 37)),
        StoryFact("remedy", "money_back", "ich möchte mein Geld zurück", (39, 66)),
    )


def test_check_digits_are_verified() -> None:
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")
    assert not is_card("1234567890123452")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE89370400440532013001")


SEEDS = st.sampled_from(
    [
        "order 4711", "3 November", "since", "last Monday", "£40", "1.234,56 €", "I want", "a refund", "paramı",
        "geri istiyorum", "3 Kasım'da", "İ", "ß", "ﬁ", "e\u0301", "🔥", "4111 1111 1111 1111",
        "GB82 WEST 1234 5698 7654 32",
        "\n", "99/99/9999", "29 February", "hace 999 años", "999 weeks ago", "12 Mill Lane", "número", "n.º", "²",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(max_size=200), st.lists(st.one_of(SEEDS, st.text(max_size=6)), max_size=12).map(" ".join)
)


@given(TEXTS, st.dates(min_value=date(1900, 1, 1)), st.sampled_from([None, "GB", "US", "CA"]))
def test_any_text_on_any_day_is_read_without_an_error_and_spans_are_in_it(
    text: str, received: date, country: str | None
) -> None:
    for fact in find_facts(text, received=received, country=country):
        start, end = fact.span
        assert 0 <= start < end <= len(text)
        assert text[start:end] == fact.text
        assert fact.value
        assert fact.kind in FACT_KINDS


@given(st.text(alphabet="0123456789 -", min_size=12, max_size=24))
def test_no_fact_shows_more_of_a_card_than_four_digits(digits: str) -> None:
    text = f"order number {digits} of my card 4111111111111111 and account 4111-1111-1111-1111"
    for fact in find_facts(text, received=TUESDAY):
        assert "1111111" not in fact.value.replace("-", "")
        assert "411111" not in fact.text.replace("-", "").replace(" ", "")


@pytest.mark.parametrize(
    "piece",
    [
        "1.",
        "1 ",
        "order no ",
        "i want ",
        "3 nov ",
        "gb12 ",
        "Aa ",
        "🔥",
        "order 1-1",
        "4111 ",
        "calle ",
        "parami ",
    ],
    ids=range(12),
)
def test_a_hostile_text_takes_linear_time(piece: str) -> None:
    def spent(length: int) -> float:
        text = piece * (length // len(piece))
        started = thread_time()
        find_facts(text, received=TUESDAY)
        return thread_time() - started

    spent(100)
    # Processor time and a ratio, because tests share the machine: 3.8 to 4.1 for four times the text. A pattern whose
    # time grows with the square takes 16 times as long.
    assert spent(30_000) < 9 * spent(7_500)
