"""Money in the words of staff keeps its limit: it is an amount of the act, or its author says that it is none (E)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from bots.slack.letter_check import with_amounts
from complaints.case import changed
from complaints.errors import BadFacts
from complaints.forms import FORMS, INCIDENT_FORMS, NO_PAYMENT, PREVIEWED, Field, Input, read
from complaints.vocabulary import Verb
from tests.clauses import clause
from tests.rules.builders import (
    ALICE,
    ANNA,
    MONA,
    RESOLUTION,
    RESOLVED,
    SYSTEM,
    TUGBA,
    a_communicated_case,
    a_refund,
    an_assessed_case,
    an_investigated_case,
    decided,
)
from triage.facts.stated_amounts import require_amounts

#: A payment of 900 in the words of each language.
WORDING: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "en": (
        "We paid {sum} back to your card today.",
        {"GBP": "£900", "EUR": "900 euros", "TRY": "900 lira", "USD": "$900"},
    ),
    "de": (
        "Wir haben Ihnen heute {sum} überwiesen.",
        {"GBP": "900 Pfund", "EUR": "900,00 €", "TRY": "900 TL", "USD": "900 Dollar"},
    ),
    "es": (
        "Hoy le hemos devuelto {sum}.",
        {"GBP": "900 libras", "EUR": "900 euros", "TRY": "TRY 900", "USD": "900 dólares"},
    ),
    "tr": (
        "Bugün kartınıza {sum} iade ettik.",
        {"GBP": "900 sterlin", "EUR": "900 avro", "TRY": "₺900", "USD": "900 dolar"},
    ),
}


#: With a refund of 50 to carry out.
MONEY_FORMS = frozenset(name for name, form in FORMS.items() if form.checks_sums)
DECIDED = a_communicated_case(remedies=[a_refund("50.00")])


def texts_in(fields: tuple[Field, ...]) -> list[str]:
    return [
        field.path.replace(".N.", ".0.") for field in fields if field.input is Input.TEXT and field.sealed
    ]


def combinations() -> Iterator[Any]:
    """Every form × field × wording × currency in which somebody could promise 900."""
    places = [(form, path) for form in sorted(MONEY_FORMS) for path in texts_in(FORMS[form].fields)]
    places += [
        (form, path)
        for form in ("incident_update", "incident_decide")
        for path in texts_in(INCIDENT_FORMS[form].fields)
    ]
    for form, path in places:
        for language, (_, sums) in WORDING.items():
            for currency in sums:
                yield pytest.param(form, path, language, currency, id=f"{form}-{path}-{language}-{currency}")


def promise(language: str, currency: str) -> str:
    wording, sums = WORDING[language]
    return wording.format(sum=sums[currency])


def submit(form: str, facts: dict[str, Any], words: Mapping[str, str]) -> None:
    if form in INCIDENT_FORMS:
        require_amounts(facts, words, "GB", facts)
    else:
        with_amounts(form, DECIDED.case, facts, words)


def test_every_form_whose_words_reach_the_complainant_is_checked_in_at_least_150_ways() -> None:
    # Of the others with a preview none has words for the complainant.
    assert {form for form in PREVIEWED if texts_in(FORMS[form].fields)} <= MONEY_FORMS | {
        "close",
        "given",
        "link",
    }
    assert len(list(combinations())) >= 150


@clause("E")
@pytest.mark.parametrize(("form", "path", "language", "currency"), list(combinations()))
def test_a_sum_above_the_limit_in_any_field_of_any_form_is_refused(
    form: str, path: str, language: str, currency: str
) -> None:
    words = {path: promise(language, currency)}
    # Without any amount, and beside an amount that its author may grant alone.
    small = {"amount": "50.00", "currency": currency}
    for grants in ({"remedies": [{"type": "apology"}]}, {"remedies": [{"type": "refund", **small}]}, small):
        facts: dict[str, Any] = {"remedy": "0", **grants}
        with pytest.raises(BadFacts) as refused:
            submit(form, facts, words)
        assert (refused.value.code, refused.value.field) == ("unstated_sums", path)
        assert refused.value.values == {"sums": WORDING[language][1][currency]}


def test_a_sum_that_is_entered_is_named_freely_once_in_each_field_and_so_is_the_total() -> None:
    rows = [{"amount": "40.00", "currency": "GBP"}, {"amount": "60.00", "currency": "GBP"}]
    words = {
        "issues.0.reasons": "You get £40 and £60, together 100 pounds.",
        "remedies.0.text": "£40 to your card",
        "remedies.1.text": "£60 off the next bill",
    }
    assert require_amounts({}, words, "GB", {"remedies": rows}) == {}
    for path, text in (
        ("changes", "We pay 40 pounds and another 40 pounds."),
        ("remedies.0.text", "£40, and £60 again"),
        ("changes", "We pay 40 euros."),
    ):
        with pytest.raises(BadFacts):
            require_amounts({}, {path: text}, "GB", {"remedies": rows})


def test_the_proof_of_a_payment_names_what_was_promised_and_no_more() -> None:
    case = a_communicated_case(remedies=[a_refund("50.00")]).case
    facts = {"remedy": "0", "done_at": "2026-11-04T10:00:00Z"}
    assert with_amounts("remedy", case, facts, {"proof": "Bank receipt: £50.00"}) == facts
    with pytest.raises(BadFacts):
        with_amounts("remedy", case, facts, {"proof": "Bank receipt: £90.00"})


def test_who_states_that_a_sum_is_no_payment_is_recorded_with_the_sums() -> None:
    words = {"text": "Your bill of £900 was wrong, and that of 1.200,50 € was right."}
    case = an_assessed_case().case
    facts = with_amounts("reply", case, {NO_PAYMENT: True}, words)
    assert facts[NO_PAYMENT] == ["1200.50EUR", "900.00GBP"]
    replied = an_assessed_case().do(Verb.REPLY, ALICE, facts, words)
    assert replied.events[-1].facts[NO_PAYMENT] == ["1200.50EUR", "900.00GBP"]


@pytest.mark.parametrize("none", ["none", " None ", "keiner", "ninguno", "yok"])
def test_none_in_the_field_of_an_amount_states_that_nothing_is_paid(none: str) -> None:
    facts, _ = read("resolve", {"amount": none, "currency": "GBP", **RESOLUTION, **RESOLVED})
    assert facts[NO_PAYMENT] is True
    assert not facts.keys() & {"amount", "currency"}
    row = {
        "remedies.0.type": "apology", "remedies.0.amount": none, "issues.0.finding": "upheld",
        "issues.0.reasons": "We erred.", "others_affected": "none", "root_cause": "A slip", "cause_class": "single",
    }  # fmt: skip
    facts, _ = read("decide", row, defaults={"currency": "GBP"})
    assert facts[NO_PAYMENT] is True
    assert "amount" not in facts["remedies"][0]


def test_an_amount_or_none_is_needed_only_where_the_complainant_asked_for_money_or_a_payment_is_chosen() -> (
    None
):
    plain = an_assessed_case().case
    asks = changed(plain, remedies_requested=("money_back",))
    facts = dict(RESOLUTION)
    assert with_amounts("resolve", plain, facts, RESOLVED) == facts
    for case, more in ((asks, {}), (plain, {"type": "refund"})):
        with pytest.raises(BadFacts) as refused:
            with_amounts("resolve", case, {**facts, **more}, RESOLVED)
        assert (refused.value.code, refused.value.field) == ("required", "amount")
    assert with_amounts("resolve", asks, {**facts, NO_PAYMENT: True}, RESOLVED)[NO_PAYMENT] == []


def resolution(amount: str, **more: str) -> dict[str, str]:
    return {**RESOLUTION, "amount": amount, "currency": "GBP", **more}


@clause("E")
def test_resolve_records_a_payment_with_its_kind_and_amount_and_keeps_the_limit() -> None:
    assessed = an_assessed_case()
    (remedy,) = assessed.do(Verb.RESOLVE, ALICE, resolution("100.00"), RESOLVED).case.remedies
    assert (remedy.type, remedy.amount, remedy.currency) == ("compensation", "100.00", "GBP")
    refund = assessed.do(Verb.RESOLVE, ALICE, resolution("100.00", type="refund"), RESOLVED).case.remedies[0]
    assert refund.type == "refund"
    with pytest.raises(BadFacts) as refused:
        assessed.do(Verb.RESOLVE, ALICE, resolution("100.01"), RESOLVED)
    assert (refused.value.code, refused.value.field) == ("above_limit", "amount")
    with pytest.raises(BadFacts, match="currency"):
        assessed.do(Verb.RESOLVE, ALICE, {**RESOLUTION, "amount": "1.00"}, RESOLVED)


@clause("E")
def test_the_limit_is_for_the_sum_of_all_acts_on_a_complaint() -> None:
    resolved = an_investigated_case().do(Verb.RESOLVE, ALICE, resolution("80.00"), RESOLVED)
    again = resolved.do(Verb.COMMUNICATE_DECISION, SYSTEM).do(Verb.ACCEPT, ANNA)
    closed = again.do(Verb.CLOSE, ALICE, {"cause_class": "single"}, {"root_cause": "Read twice."})
    reopened = closed.do(Verb.REOPEN, MONA, {}, {"reason": "New facts."})
    assert decided(reopened, remedies=[a_refund("20.00")]).case.drafted is None
    waiting = decided(reopened, remedies=[a_refund("20.01")])
    assert waiting.case.drafted is not None
    assert waiting.events[-1].facts["above_limit"]
    # Nothing new is granted, or in another currency without a limit.
    assert decided(reopened).case.drafted is None
    assert decided(reopened, remedies=[a_refund("1.00", currency="EUR")]).case.drafted is not None
    # The approver's limit is for the sum too.
    large = decided(reopened, remedies=[a_refund("1950.00")])
    with pytest.raises(Exception, match="above your limit"):
        large.do(Verb.APPROVE, MONA, {"agreed": "yes"})
    assert large.do(Verb.APPROVE, TUGBA, {"agreed": "yes"}).case.drafted is None


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("A payment of two thousand pounds was agreed.", "2000.00 GBP"),
        ("Eleven hundred and fifty quid will be with you on Monday.", "1150.00 GBP"),
        ("Wir überweisen vierhundertachtzig Euro.", "480.00 EUR"),
        ("Le abonaremos mil doscientos cincuenta euros.", "1250.00 EUR"),
        ("Yirmi bin üç yüz seksen lira havale edildi.", "20380.00 TRY"),
        ("A refund of 450 was issued to your card.", "450.00 GBP"),
        ("Wir erstatten Ihnen 450.", "450.00 GBP"),
        ("Procederemos a la devolución de 450.", "450.00 GBP"),
        ("450 iade edildi.", "450.00 GBP"),
    ],
)
def test_a_sum_in_words_or_without_a_currency_needs_its_amount(text: str, amount: str) -> None:
    with pytest.raises(BadFacts):
        require_amounts({}, {"text": text}, "GB")
    number, currency = amount.split()
    facts = {"amount": number, "currency": currency}
    assert require_amounts(facts, {"text": text}, "GB") == facts


@pytest.mark.parametrize(
    "text",
    [
        "We will give you our answer within 14 days.",
        "Your letter 4512 was returned to you.",
        "Sie zahlen bis 12.03.2026, wir senden Ihnen 2 Briefe.",
        "One of our drivers paid a visit at 10:30.",
    ],
)
def test_a_number_that_is_no_sum_needs_no_amount(text: str) -> None:
    assert require_amounts({}, {"text": text}, "GB") == {}
