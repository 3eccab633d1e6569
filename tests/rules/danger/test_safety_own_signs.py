"""An organisation's own `[[danger]]` signs follow the same rules for denials and other meanings."""

from __future__ import annotations

import pytest

from complaints.event_facts import check_wordless
from triage.safety.organisation import DangerSign, own_sign
from triage.safety.signs import find_signs

OWN = (
    DangerSign(("gas", "smell of gas"), "0800 111 999", {"en": "Leave now."}, "gas_line"),
    DangerSign(("chlorine cloud", "klor bulutu"), None, {"en": "Stay inside."}, "chlorine"),
    DangerSign(("gaz",), None, {"tr": "Hemen çıkın."}, "gaz_hatti"),
    DangerSign(("Chlorwolke",), None, {"de": "Bleiben Sie drinnen."}, "chlorwolke"),
    DangerSign(("derrame", "incendio"), None, {"es": "Salga de ahí."}, "derrame"),
)


def fired(text: str) -> set[str]:
    """The organisation's rules that fired."""
    return {sign.rule for sign in find_signs(text, extra=OWN) if sign.kind == "own"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("there is gas in the hall", {"gas_line"}),
        ("GAS!", {"gas_line"}),
        ("a chlorine cloud over the pool", {"chlorine"}),
        ("Klor bulutunu gördük", {"chlorine"}),
        ("evde gazdan duramıyoruz", {"gaz_hatti"}),
        ("my gas bill is wrong", set()),
        ("gas meter, gas supplier, gas boiler", set()),
        ("no smell of gas", set()),
        ("there is no chlorine cloud", set()),
        ("a gasket and a gaspipe", set()),
        ("gaz faturam yüksek", set()),
        ("gazete gelmedi", set()),
        ("klor bulutu yok", set()),
        ("Gas im Keller", {"gas_line"}),
        ("Über dem Bad steht eine Chlorwolke", {"chlorwolke"}),
        ("niemand kam wegen der Chlorwolke", {"chlorwolke"}),
        ("es gibt keine Chlorwolke", set()),
        ("die Rechnung für Gas ist falsch", set()),
        ("meine Gas-Rechnung und die Gasrechnung vom Mai", set()),
        ("hay gas en el patio", {"gas_line"}),
        ("nadie vino por el derrame", {"derrame"}),
        ("no hubo ningún derrame", set()),
        ("la factura del gas y el recibo de gas", set()),
        ("agua con gas", set()),
        ("la salida de incendio está cerrada", set()),
    ],
    ids=range(25),
)
def test_own_signs_are_matched_like_built_in_signs(text: str, expected: set[str]) -> None:
    assert fired(text) == expected


def test_an_own_sign_is_present_danger() -> None:
    sign = next(sign for sign in find_signs("gas in the hall", extra=OWN) if sign.rule == "gas_line")
    assert (sign.kind, sign.severity, sign.safety, sign.danger, sign.span) == ("own", 5, 3, True, (0, 3))


def test_an_own_sign_is_named_after_its_first_wording() -> None:
    names = [own_sign((wording,), None, {}).name for wording in ("smell of gas", "Gaz kokusu!", "…")]
    assert names == ["smell_of_gas", "gaz_kokusu", "sign"]


def test_two_own_signs_in_one_text_are_both_found() -> None:
    assert fired("gas in the hall and a chlorine cloud outside") == {"gas_line", "chlorine"}


def test_a_sign_without_letters_is_never_found() -> None:
    assert find_signs("!!!", extra=(DangerSign(("!!!", ""), None, {}, "empty"),)) == ()


def test_a_sign_with_a_long_wording_gets_a_name_that_fits_the_record() -> None:
    wording = "the green lamp above the second door of the pump house " * 6
    sign = own_sign((wording,), None, {})
    (match,) = find_signs(wording, extra=(sign,))
    check_wordless({"signs": [{"rule": match.rule}]})
