"""Greetings and thanks, which open no complaint; doubt does (design.md, "When a complaint exists")."""

from __future__ import annotations

import re

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_WITHOUT_SPACES = re.compile(r"[぀-ヿ㐀-鿿가-힯฀-๿]")

_SAID = {
    "en": """
    hi, hi there, hello, hello there, hey, hey there, good morning, good afternoon, good evening,
    good day, good night, how are you, hello how are you, hi how are you, is anyone there,
    anyone there, are you there, hello is anyone there, greetings, thanks, thank you,
    thank you very much, thanks a lot, many thanks, thank you so much, ok, okay, ok thanks,
    ok thank you, okay thanks, okay thank you, great thanks, cheers, all right, alright, fine,
    fine thanks, got it, understood, bye, goodbye, good bye
    """,
    "tr": """
    selam, selamlar, merhaba, merhabalar, selamün aleyküm, selamun aleyküm, günaydın, iyi günler,
    iyi akşamlar, iyi geceler, tünaydın, nasılsınız, merhaba nasılsınız, merhaba iyi günler,
    iyi günler merhaba, kimse var mı, orada mısınız, iyi çalışmalar, kolay gelsin, teşekkürler,
    teşekkür ederim, çok teşekkürler, çok teşekkür ederim, sağ olun, sağolun, çok sağ olun, tamam,
    tamam teşekkürler, tamam teşekkür ederim, peki, anladım, oldu, hoşça kalın, hoşçakalın,
    görüşürüz, iyi günler dilerim
    """,
}
#: By language, as they are said in lower case.
GREETINGS: dict[str, frozenset[str]] = {
    language: frozenset(" ".join(one.split()) for one in said.split(",")) for language, said in _SAID.items()
}


def words_in(text: str) -> list[str]:
    """The words of a text; scripts without spaces count by the letter."""
    return _WORD.findall(text) + _WITHOUT_SPACES.findall(text)


def is_greeting(text: str) -> bool:
    """True when there is nothing but a greeting or thanks, in any language that we know some of."""
    plain = " ".join(word.casefold() for word in _WORD.findall(text.replace("İ", "i").replace("I", "i")))
    turkish = " ".join(_WORD.findall(text.replace("İ", "i").replace("I", "ı").lower()))
    return any(plain in known or turkish in known for known in GREETINGS.values())


def qualifies(text: str) -> bool:
    """Two words or more that are not a greeting (design.md): a plain rule, never the model."""
    return len(words_in(text)) >= 2 and not is_greeting(text)
