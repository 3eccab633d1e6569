"""What a story has told already, so that it is shown instead of asked; only where plain rules can tell."""

from __future__ import annotations

import re

_MONTHS = (
    "january|february|march|april|may|june|july|august|september|october|november|december",
    "ocak|şubat|mart|nisan|mayıs|haziran|temmuz|ağustos|eylül|ekim|kasım|aralık",
)
_DAY = re.compile(
    r"\b(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|yesterday|today|this morning"
    r"|last (?:night|week|month)|(?:on|since|last) (?:mon|tues|wednes|thurs|fri|satur|sun)day"
    rf"|\d{{1,2}}(?:st|nd|rd|th)? (?:{_MONTHS[0]})|(?:{_MONTHS[0]}) \d{{1,2}}"
    rf"|dün|bugün|bu sabah|dün gece|geçen (?:hafta|ay)|\d{{1,2}} (?:{_MONTHS[1]}))\b",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"\b(?:order|account|customer|invoice|contract|booking|policy|meter|reference|sipariş|hesap|müşteri|fatura"
    r"|sözleşme|abone|tesisat|sayaç|rezervasyon|poliçe)\w*\s*(?:no|number|nr|num|numara\w*)?\.?\s*[:#]?\s*"
    r"[A-Z0-9][A-Z0-9/-]*\d[A-Z0-9/-]{2,}",
    re.IGNORECASE,
)
_I_WANT = r"(?:i|we)(?:'d like| would like| want| expect| demand| ask for)[^.!?\n]{0,25}\b"
_WISHES = (
    ("money_back", _I_WANT + r"(?:refund|money back)\b"),
    ("replacement", _I_WANT + r"(?:replacement|a new one)\b"),
    ("apology", _I_WANT + r"apolog(?:y|ies)\b"),
    ("explanation", _I_WANT + r"explanation\b"),
    ("money_back", r"\b(?:paramı|ücretimi)[^.!?\n]{0,15}\b(?:iade|geri)\b[^.!?\n]{0,15}\bist(?:iyor|er)"),
    ("money_back", r"\biade[^.!?\n]{0,15}\b(?:istiyor|talep ediyor)"),
    ("apology", r"\bözür[^.!?\n]{0,20}\b(?:bekliyor|istiyor)"),
    ("explanation", r"\baçıklama[^.!?\n]{0,15}\b(?:bekliyor|istiyor)"),
    ("replacement", r"\b(?:değişim|yenisini)[^.!?\n]{0,15}\bistiyor"),
)
_DECLINED = re.compile(
    r"\b(?:don't|do not|didn't|not|never|refused?|denied|without|istemiyor\w*|reddet\w*)\b", re.IGNORECASE
)
_FOR_ONESELF = re.compile(
    r"\s*(?:it(?:'s| is) )?(?:for )?(?:me|myself|my own|mine|us|kendim|kendim için|benim|bizim)\b.{0,12}",
    re.IGNORECASE,
)
_RELATIVES = (
    "mother|father|mum|mom|dad|parents|wife|husband|brother|sister|grandmother|grandfather|grandson"
    "|granddaughter|aunt|uncle|nan"
)
_AKRABA = "annem|babam|eşim|kardeşim|dedem|ninem|teyzem|amcam|dayım|halam"
_RELATIONS = (
    ("guardian", r"\b(?:legal guardian|guardian of|vasisiyim|vasisi)\b"),
    ("carer", r"\b(?:(?:his|her|their|as a|as their) carer|i care for|i look after|bakıcısıyım)\b"),
    ("parent", r"\bmy (?:\w+ ){0,2}(?:son|daughter|child)\b|\b(?:oğlum|kızım|çocuğum)"),
    (
        "relative",
        rf"\bmy (?:\w+ ){{0,2}}(?:{_RELATIVES})\b|\b(?:{_AKRABA})",
    ),
)


def where_and_when(story: str) -> bool:
    """True when the story names a day and an order, account or the like with its number."""
    return bool(_DAY.search(story)) and bool(_SUBJECT.search(story))


def remedy(story: str) -> str | None:
    """The remedy that the story asks for in so many words, or None; a doubt is asked."""
    found = set()
    for choice, pattern in _WISHES:
        for hit in re.finditer(pattern, story, re.IGNORECASE):
            if not _DECLINED.search(hit.group()):
                found.add(choice)
    return found.pop() if len(found) == 1 else None


def for_oneself(text: str) -> bool:
    """True when an answer to "for whom?" says in so many words: for me."""
    return bool(_FOR_ONESELF.fullmatch(text.strip()))


def relation(story: str) -> str | None:
    """What the person is to whom the story is about, where it names just one; a doubt is asked."""
    found = [name for name, pattern in _RELATIONS if re.search(pattern, story, re.IGNORECASE)]
    # A guardian or carer says so; that it is their own son besides does not change the part they have.
    return found[0] if len(found) == 1 or found[:1] in (["guardian"], ["carer"]) else None
