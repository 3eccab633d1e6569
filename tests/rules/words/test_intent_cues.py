"""Cues in a story in four languages, used only by the dialogue (7.4)."""

from __future__ import annotations

import pytest

from triage.intent import CUE_KINDS, find_cues
from triage.matching import LANGUAGES
from triage.safety.safety_rules import read_rules


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_every_cue(language: str) -> None:
    assert {rule.kind for rule in read_rules(f"asking_{language}")} == CUE_KINDS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Die Störung ist wieder da", {"again"}),
        ("Das ist das dritte Mal", {"again_told"}),
        ("Ich musste ein Hotel bezahlen", {"effect_told"}),
        ("Ich bin verzweifelt", {"effect"}),
        ("Ich bin gehörlos", {"support"}),
        ("Ich brauche einen Dolmetscher", {"support", "support_told"}),
        ("Ich bleibe lieber anonym", {"anonymous"}),
        ("Ich schreibe für meine Mutter", {"for_another", "relation_relative"}),
        ("Ich möchte mich beschweren", {"insists"}),
        ("Ich will mich nicht beschweren", set()),
        ("Nie wieder kaufe ich hier", set()),
        ("De nuevo falla la línea", {"again", "happened_before"}),
        ("Es la tercera vez", {"again_told"}),
        ("Tuve que pagar un hotel", {"effect_told"}),
        ("Estoy desesperada", {"effect"}),
        ("Soy sorda", {"support"}),
        ("Necesito un intérprete", {"support", "support_told"}),
        ("No quiero dar mi nombre", {"anonymous"}),
        ("Escribo en nombre de mi madre", {"for_another", "relation_relative"}),
        ("Quiero poner una queja", {"insists"}),
        ("No tengo ninguna queja", set()),
        ("The red kettle came once and it is fast", set()),
    ],
    ids=range(22),
)
def test_cues_are_found_in_every_language(text: str, expected: set[str]) -> None:
    assert find_cues(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "You charged me twice for March",
        "Faturamda aynı ödeme iki kez alınmış",
        "Sie haben mir die Rechnung zweimal abgebucht",
        "Mir wurden zwei Mal 40 Euro abgebucht",
        "Me cobraron dos veces la factura de marzo",
    ],
)
def test_a_payment_taken_twice_is_no_repeated_incident(text: str) -> None:
    assert find_cues(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "It has happened twice already",
        "Bu arıza iki kez oldu",
        "Sular üç kez kesildi",
        "Das ist schon zweimal passiert",
        "Die Heizung ist dreimal ausgefallen",
        "Ya ha pasado dos veces",
        "Les he llamado dos veces",
    ],
)
def test_an_incident_repeated_twice_or_more_is_recognised(text: str) -> None:
    assert "again_told" in find_cues(text)
