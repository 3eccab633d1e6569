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
_MY_PEOPLE = (
    "mother|father|mum|mom|dad|wife|husband|son|daughter|child|parents|partner|neighbou?r|friend|client"
    "|grandmother|grandfather"
)
_FOR_ANOTHER = re.compile(
    rf"\b(?:on behalf of|for my (?:{_MY_PEOPLE})"
    r"|(?:annem|babam|eşim|kızım|oğlum|çocuğum|komşum|müvekkilim|kardeşim|dedem) (?:adına|için)"
    r"|adına (?:yazıyorum|başvuruyorum))\b",
    re.IGNORECASE,
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


def for_another(story: str) -> bool:
    """True when the story says that it is somebody else's."""
    return bool(_FOR_ANOTHER.search(story))
