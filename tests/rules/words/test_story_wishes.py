"""Wishes, amounts and numbers as people write them in a first story, in four languages (7.2)."""

from __future__ import annotations

from datetime import date

import pytest

from bots.dialogue.question_table import requested_remedies
from tests.rules.dialogue_play import Play
from triage.facts.finder import find_facts
from triage.intent import find_cues

TUESDAY = date(2026, 11, 24)
HELP = "What would put this right? Choose one, or write it in your own words."

WISHES = {
    "replacement": """
        I want another one
        I'd rather have a new one
        Can I have a different one?
        Exchange it please
        Give me a new one
        I want another.
        Ich will ein neues
        Ich möchte einen anderen
        Schicken Sie mir ein anderes
        Quiero otro
        Quiero otra.
        Quiero cambiarlo
        Deme otro
        Başka bir tane istiyorum
        Yenisi gelsin
        Başka bir ürün gönderin
    """,
    "money_back": """
        I want my money
        I want to be paid back
        I want both back
        Ich will mein Geld
        Ich habe 240 Euro bezahlt und möchte 60 Euro zurück
        Ich möchte die 120 Euro Kaution und die 40 Euro Gebühr zurück
        Paramı istiyorum
        Param geri gelsin
        I want 80 pounds for the phone and 20 pounds for the case back
    """,
    "compensation": """
        The floor is ruined. I want you to pay for the floor
        Please cover the cost of the repair
        I expect you to make good the damage
        I want the damage paid for
        I'd like damages
        I demand that you pay for the replacement of the carpet.
        Kindly arrange compensation for the three days without water.
        Please pay me £90 for the broken window
        You should pay for the plumber I had to call
        The least you can do is pay for the dry cleaning
        Who is going to pay for my carpet?
        Could you compensate us for the lost day?
        Please pay for the repair, it was 180 euros, and for the new hose
        Ich möchte, dass Sie mir den Schaden ersetzen
        Ich möchte, dass mir der Schaden ersetzt wird
        Ich möchte die Kosten für den Notdienst ersetzt bekommen
        Ich verlange Schadensersatz
        Bitte übernehmen Sie die Reparaturkosten
        Bitte bezahlen Sie den neuen Schlauch
        Sie müssen für den Schaden aufkommen
        Wer bezahlt mir den Boden?
        Den Schaden müssen Sie mir ersetzen.
        Ich fordere Ersatz für den Schaden
        Zahlt mir bitte die Reparatur!
        Quiero que me paguen los daños
        Exijo una indemnización
        Quiero que se hagan cargo de la reparación
        Páguenme el suelo, por favor.
        ¿Quién me paga el suelo?
        Tienen que pagarme la manguera nueva
        Solicito el pago de los daños.
        Hagan el favor de hacerse cargo de la reparación.
        Zeminin parasını ödeyin
        Zararımın karşılanmasını istiyorum
        Zararımı karşılayın.
        Tazminat istiyorum
        Hasarı sigortanız ödesin.
        Tamir masrafını ödemenizi istiyorum
        Zararımı kim karşılayacak?
    """,
    "apology": """
        Say sorry
        Arayın özür dileyin.
        Una disculpa.
    """,
    "repair": """
        Send an engineer
        Schicken Sie jemanden
        Manden a alguien
        Gelin tamir edin.
        gelin bakın tamir edin
        gel tamir et
    """,
}
CALLS = """
    Call me back
    Please call me back.
    Ring me on Monday
    Give me a call
    I want you to call me
    I would like a call
    Could someone phone me?
    Beni arayın
    Lütfen beni geri arayın
    Telefonla arayın
    Beni arar mısınız
    Aranmak istiyorum
    Rufen Sie mich zurück
    Bitte rufen Sie mich an
    Ich bitte um Rückruf
    Rückruf bitte
    Ich möchte zurückgerufen werden
    Llámenme por favor
    Llámeme
    Que alguien me llame
    Quiero una llamada
"""


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize(
    ("remedy", "wish"), [(remedy, wish) for remedy, text in WISHES.items() for wish in lines(text)]
)
def test_a_wish_in_common_words_is_one_of_our_remedies(remedy: str, wish: str) -> None:
    answer = requested_remedies(wish, find_facts(wish, received=TUESDAY))
    assert answer is not None
    assert answer.choices == (remedy,)


@pytest.mark.parametrize(
    "story",
    lines("""
        I want to pay by instalments.
        I do not want to pay for something I did not order.
        Why should I pay for it?
        They want me to pay for the damage but I did nothing.
        I should not have to pay for the repair.
        I refuse to pay for this.
        Please send me the bill so that I can pay for the course.
        I want the hose replaced.
        I don't want compensation, I want an apology.
        Ich möchte in Raten zahlen.
        Ich will nichts bezahlen, was ich nicht bestellt habe.
        Ich möchte, dass der Schlauch ersetzt wird.
        Ersetzen Sie bitte den Schlauch.
        Ich möchte, dass Sie die Verantwortung übernehmen.
        Quiero pagar a plazos.
        Quiero que me paguen la nómina de octubre.
        No quiero pagar algo que no he pedido.
        Quiero que alguien se haga cargo de mi caso.
        Taksitle ödemek istiyorum.
        Neden ben ödeyeyim?
        Paramı geri ödeyin.
    """),
)
def test_what_others_shall_not_pay_is_no_wish_for_compensation(story: str) -> None:
    facts = find_facts(story, received=TUESDAY, country="GB")
    assert "compensation" not in {fact.value for fact in facts}


@pytest.mark.parametrize(
    ("story", "amounts"),
    [
        (
            "I want you to pay for the floor, about 340 euros, and an apology.",
            {"compensation": ("340 euros", 34000, "EUR")},
        ),
        (
            "I want a refund of £30 and compensation of £100.",
            {"money_back": ("£30", 3000, "GBP"), "compensation": ("£100", 10000, "GBP")},
        ),
        (
            "Otel gecesinin 2.400 lirasını karşılamanızı rica ederim.",
            {"compensation": ("2.400 lira", 240000, "TRY")},
        ),
        ("Please repair the fence or pay me 180 pounds.", {"compensation": ("180 pounds", 18000, "GBP")}),
        (
            "Bitte reparieren Sie ihn oder zahlen Sie mir 180 Euro.",
            {"compensation": ("180 Euro", 18000, "EUR")},
        ),
        ("Quiero que lo reparen o me paguen 180 euros.", {"compensation": ("180 euros", 18000, "EUR")}),
        ("Onarın ya da bana 180 lira ödeyin.", {"compensation": ("180 lira", 18000, "TRY")}),
    ],
)
def test_each_wish_for_money_has_its_own_amount(story: str, amounts: dict[str, tuple[str, int, str]]) -> None:
    answer = requested_remedies(story, find_facts(story, received=TUESDAY, country="GB"))
    assert answer is not None
    assert answer.amounts == amounts


@pytest.mark.parametrize("wish", lines(CALLS))
def test_a_wish_to_be_called_is_understood_and_not_asked_again(wish: str) -> None:
    play = Play()
    play.writes(f"The water is brown. {wish}")
    play.presses("done")
    assert play.presses("skip") != [HELP]
    assert play.state["step"] == "check"
    assert "support_needs" in play.texts_of(play.ref)


@pytest.mark.parametrize(
    "report",
    [
        "You never call me back.",
        "They promised to call me back and did not.",
        "You call me names.",
        "Nobody would ring me.",
        "Beni aramadılar.",
        "Sie haben mich nicht zurückgerufen.",
        "Nadie me llamó.",
        "I want another appointment next week or I want nothing",
        "Ich möchte einen anderen Termin",
    ],
)
def test_a_report_about_calls_or_other_things_is_no_such_wish(report: str) -> None:
    values = {fact.value for fact in find_facts(report, received=TUESDAY) if fact.kind == "remedy"}
    assert "replacement" not in values
    assert "support_told" not in find_cues(report)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("My booking QW881 was cancelled", "booking", "QW881"),
        ("Meine Buchung ZX991 wurde storniert", "booking", "ZX991"),
        ("reserva QW881", "booking", "QW881"),
        ("Rezervasyon QW881 iptal edildi", "booking", "QW881"),
        ("Mi paquete 55123 no llegó", "order", "55123"),
        ("mi billete 70012", "order", "70012"),
        ("Paketim 55123 gelmedi", "order", "55123"),
        ("55123 numaralı paketim gelmedi", "order", "55123"),
        ("biletim 70012", "order", "70012"),
        ("my account ending 4471", "account", "4471"),
        ("mi cuenta que termina en 4471", "account", "4471"),
        ("Konto endet auf 4471", "account", "4471"),
        ("order A113 is late", "order", "A113"),
        ("job 2041 was done badly", "order", "2041"),
        ("Reparaturauftrag 4471", "order", "4471"),
        ("orden de trabajo 4471", "order", "4471"),
        ("iş emri 4471", "order", "4471"),
        ("iş no 4471", "order", "4471"),
    ],
)
def test_a_short_code_or_a_parcel_next_to_its_word_is_a_number(text: str, kind: str, value: str) -> None:
    pairs = [(fact.kind, fact.value) for fact in find_facts(text, received=TUESDAY)]
    assert (kind, value) in pairs


@pytest.mark.parametrize(
    "text", ["I order 100ml bottles", "The delivery 3pm was late", "a bill of 250kg coal"]
)
def test_a_measure_next_to_such_a_word_is_no_number(text: str) -> None:
    assert [fact for fact in find_facts(text, received=TUESDAY) if fact.kind in ("order", "invoice")] == []


@pytest.mark.parametrize(
    ("story", "amount"),
    [
        ("I paid 240 pounds and I want 60 pounds back.", ("60 pounds", 6000, "GBP")),
        ("240 lira ödedim ama 60 liramı geri istiyorum.", ("60 lira", 6000, "TRY")),
        ("Ich habe 240 Euro bezahlt und möchte 60 Euro zurück.", ("60 Euro", 6000, "EUR")),
        ("Pagué 240 euros y quiero 60 euros de vuelta.", ("60 euros", 6000, "EUR")),
        ("I want the £120 deposit and the £40 fee back.", ("£120 + £40", 16000, "GBP")),
        ("120 lira kargo ve 40 lira hizmet bedelini geri istiyorum.", ("120 lira + 40 lira", 16000, "TRY")),
        ("Quiero que me devuelvan los 120 euros de fianza y los 40 euros de tasa.",
         ("120 euros + 40 euros", 16000, "EUR")),
        ("Refund my £900 or give me £300 back.", None),
        ("I want £45 back and you charged £90 before.", None),
        ("I want £45 and 20 euros back.", None),
    ],
)  # fmt: skip
def test_of_two_amounts_the_wanted_ones_count_and_in_doubt_none(
    story: str, amount: tuple[str, int, str] | None
) -> None:
    answer = requested_remedies(story, find_facts(story, received=TUESDAY, country="GB"))
    assert answer is not None
    assert answer.choices == ("money_back",)
    assert answer.amounts.get("money_back") == amount


@pytest.mark.parametrize(
    "story",
    [
        "14 Kasım'da 34 KL 220 plakalı otobüs durmadı.",
        "The van, number plate AB12 CDE, blocked my door on Monday.",
        "Am Montag fuhr der Wagen mit Kennzeichen B-AB 1234 zu schnell.",
        "El taxi matrícula 1234 ABC no paró el lunes.",
    ],
)
def test_a_number_plate_says_where_it_was(story: str) -> None:
    assert [fact for fact in find_facts(story, received=TUESDAY) if fact.kind == "place"]


def test_a_wish_to_be_called_back_is_no_wish_for_money() -> None:
    text = "Send me another one and call me back, I work nights."
    answer = requested_remedies(text, find_facts(text, received=TUESDAY))
    assert answer is not None
    assert answer.choices == ("replacement",)
    assert "support_told" in find_cues(text)
    assert "support_told" not in find_cues("They said they would look and call me back.")


def test_a_wish_to_know_why_is_understood_in_turkish() -> None:
    text = "Neden böyle olduğunu bilmek istiyorum."
    answer = requested_remedies(text, find_facts(text, received=TUESDAY))
    assert answer is not None
    assert answer.choices == ("explanation",)


@pytest.mark.parametrize(
    ("story", "is_past"),
    [
        ("I was charged twice on Tuesday and I want it back.", True),
        ("Ich wurde am Dienstag doppelt belastet und will mein Geld.", True),
        ("Bu hafta iki kez kesildi ama param hâlâ yok, iade istiyorum.", True),
        ("I need it this week and not later!", False),
        ("On Tuesday I need it.", False),
    ],
)
def test_a_demand_in_the_next_clause_leaves_the_day_in_the_past(story: str, is_past: bool) -> None:
    days = [fact for fact in find_facts(story, received=TUESDAY) if fact.kind == "date"]
    assert bool(days) is is_past


@pytest.mark.parametrize(
    "story",
    [
        "I don't want another one, I want my money back.",
        "No quiero otro, quiero mi dinero.",
        "Ich will kein anderes, ich will mein Geld zurück.",
    ],
)
def test_a_wish_after_a_refused_remedy_is_read(story: str) -> None:
    answer = requested_remedies(story, find_facts(story, received=TUESDAY))
    assert answer is not None
    assert answer.choices == ("money_back",)
