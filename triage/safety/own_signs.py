"""An organisation's own danger signs: the words of its `[[danger]]` settings, in addition to the built-in rules."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from triage.folding import fold
from triage.safety.rules import KEY, Matcher, Rule, RuleIndex
from triage.safety.staff_names import SUFFIX

#: The kind of an organisation's own signs: `own.smell_of_gas`.
ORGANISATION = "own"
_TOKEN = re.compile(r"[^\W_]+")
# The name is recorded with each message that contains the sign, in a column of 200 characters.
_LONGEST_NAME = 100
_GAP = r"[\x20\t\-_'\"*]{1,3}"
# A single word before one of these is an account or a product, not a danger: "gas bill", "yangın sigortası".
_ADMINISTRATIVE = (
    r"(?!"
    + _GAP
    + r"(?:bills?|billing|invoices?|meters?|prices?|pricing|tariffs?|accounts?|contracts?|company|companies|"
    r"suppl(?:y|ier|iers)|payments?|charges?|readings?|rates?|engineers?|cards?|insurance|bonus|stations?|customers?|"
    r"department|boilers?|cookers?|hobs?|ovens?|services?|certificates?|alarms?|doors?|exits?|drills?|fatura\w*|sayac\w*|"
    r"abone\w*|sozlesme\w*|fiyat\w*|ucret\w*|dagitim\w*|sirket\w*|tarife\w*|borc\w*|hesab\w*|parasi\w*|sigorta\w*|"
    r"kart\w*|odeme\w*|rechnung\w*|za?ehler\w*|zahler\w*|preis\w*|tarif\w*|vertrag\w*|anbieter\w*|versorger\w*|"
    r"abschlag\w*|herd\w*|heizung\w*|versicherung\w*|melder\w*|uebung\w*|ubung\w*)\b)"
)
# Spanish has such a word before it: "factura del gas", "salida de incendios"; German may: "Rechnung für Gas".
_PRECEDING = (
    "factura facturas recibo recibos boleta boletas cuenta medidor contador lectura tarifa precio precios contrato "
    "empresa compania proveedor pago deuda seguro tecnico estacion caldera cocina estufa calentador salida alarma "
    "extintor escalera escaleras detector simulacro poliza boca"
)
_ADMINISTRATIVE_BEFORE = "".join(
    f"(?<!{word} {link} )"
    for words, links in (
        (_PRECEDING, "de del"),
        ("puerta puertas seguro agua", "contra con"),
        ("rechnung abschlag preis vertrag zahler zaehler anbieter", "fur fuer von"),
    )
    for word in words.split()
    for link in links.split()
)


@dataclass(frozen=True, slots=True)
class DangerSign:
    """An organisation's `[[danger]]` entry: words that page people, and the sentence that the bot sends first.

    `text` is that sentence by language, `number` the emergency number to put into it. These signs are tested for
    denial and doubt like the built-in ones, which they never replace.
    """

    signs: tuple[str, ...]
    number: str | None
    text: Mapping[str, str]
    name: str


def own_sign(wordings: Sequence[str], number: str | None, text: Mapping[str, str]) -> DangerSign:
    """A `[[danger]]` entry as a sign, named after its first wording: `smell_of_gas`."""
    name = "_".join(_TOKEN.findall(fold(wordings[0] if wordings else "").text))
    return DangerSign(tuple(wordings), number, text, name[:_LONGEST_NAME] or "sign")


def index_own_signs(own_signs: Sequence[DangerSign]) -> RuleIndex:
    """The index of an organisation's signs; its words match with any ending, because they are not patterns."""
    index = RuleIndex()
    for sign in own_signs:
        rule = Rule(sign.name, ORGANISATION, 5, 3, True, (), suspicion=True)
        for wording in sign.signs:
            words = _TOKEN.findall(fold(wording).text)
            if words:
                matcher = Matcher(0, rule, _pattern(tuple(words)), (words[0],))
                index.by_letters.setdefault(words[0][:KEY], []).append(matcher)
    return index


@lru_cache(maxsize=256)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    pattern = r"[^\w\n]{1,3}".join(re.escape(word) for word in words) + SUFFIX + r"(?![^\W_])"
    if len(words) == 1:
        pattern = _ADMINISTRATIVE_BEFORE + pattern + _ADMINISTRATIVE
    return re.compile(pattern)
