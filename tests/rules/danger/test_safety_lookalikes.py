"""Hyperbole, goods, questions and damage to things are no danger to people, in all four languages."""

from __future__ import annotations

import pytest

from triage.reader.danger import read_danger
from triage.safety.signs import find_signs

NO_PAGE = {
    "hyperbole": (
        "This queue will be the death of me.",
        "Bu kuyruk beni öldürecek.",
        "Diese Warteschlange bringt mich noch um.",
        "Esta cola me va a matar.",
    ),
    "goods": (
        "I ordered a carbon monoxide alarm and it never arrived.",
        "Karbonmonoksit alarmı sipariş ettim, gelmedi.",
        "Der Kohlenmonoxidmelder ist nie angekommen.",
        "El detector de monóxido de carbono que pedí no llegó.",
    ),
    "question": (
        "Can it catch fire if I leave it charging overnight?",
        "Gece şarjda bırakırsam yanar mı?",
        "Kann das Gerät Feuer fangen, wenn ich es über Nacht lade?",
        "¿Puede haber una fuga de gas si la caldera silba?",
    ),
    "wall": (
        "Your delivery van hit our garden wall and drove off.",
        "Kargo aracınız bahçe duvarımıza çarptı, üç tuğla düştü.",
        "Ihr Lieferwagen ist gegen unsere Gartenmauer gefahren.",
        "Su furgoneta chocó contra nuestro muro del jardín y se fue.",
    ),
}


@pytest.mark.parametrize("name", NO_PAGE)
@pytest.mark.parametrize("number", range(4))
def test_what_only_sounds_like_danger_pages_nobody(name: str, number: int) -> None:
    text = NO_PAGE[name][number]
    signs = read_danger(text, find_signs(text))
    assert not any(sign.danger for sign in signs)
    assert max((sign.severity for sign in signs), default=1) <= 4


@pytest.mark.parametrize("text", NO_PAGE["wall"], ids=range(4))
def test_a_vehicle_against_a_wall_is_no_road_accident(text: str) -> None:
    assert "crash" not in {sign.kind for sign in find_signs(text)}


@pytest.mark.parametrize(
    "text",
    [
        "Your van hit our wall with my husband standing there, he is hurt.",
        "Ihr Lieferwagen fuhr in unseren Zaun, ein Kind wurde verletzt.",
        "Kargo aracınız duvara çarptı, bir çocuk yaralandı.",
        "Su furgoneta chocó contra el muro y hay un niño herido.",
    ],
    ids=range(4),
)
def test_a_vehicle_against_a_wall_with_people_is_a_sign_of_harm(text: str) -> None:
    assert any(sign.severity >= 4 for sign in read_danger(text, find_signs(text)))


def test_a_real_danger_in_a_question_still_pages() -> None:
    assert any(sign.danger for sign in find_signs("Can you come? There is a strong smell of gas."))
    assert any(sign.danger for sign in find_signs("Why is there a smell of gas in my hall?"))
