"""Whether a sign in a sentence is denied, merely possible, or past: the negation and hypotheticals of two languages.

English denies before the sign ("no injuries", "nobody was hurt"); Turkish after it ("yangın çıkmadı", "yaralı yok").
We walk from the sign over words that carry no content of their own and stop at the first that does, so that "nobody
came about the gas leak" is not taken for "no gas leak".
"""

from __future__ import annotations

import re
from enum import Enum


class Standing(Enum):
    """How a sign stands in its sentence."""

    SAID = "said"
    DENIED = "denied"
    POSSIBLE = "possible"
    PAST = "past"


_WORD = re.compile(r"[a-z0-9]+(?:'[a-z]+)*|[,:;()\-]")
_NEGATORS = frozenset(
    "no not never without nobody none neither nor zero cannot didnt doesnt dont wasnt werent isnt arent havent hasnt "
    "hadnt aint couldnt cant wont noone".split()
)
_ONLY = frozenset("only just merely joking kidding sure".split())
# Words that a negation reaches across: it still speaks of the sign behind them.
_CLEAR = frozenset(
    "a an any the one ones single of was were is are am be been being get got gets getting has have had did do does "
    "sign signs trace traces evidence smell smells smelling sort kind kinds type us them me anyone anybody anything "
    "person people else seriously badly actually physically really even ever yet personal bodily physical serious "
    "major minor severe further more other actual visible obvious immediate there i we it he she they you caused "
    "suffered reported resulting result cause suffer see seen saw in at scene house home car vehicle family building "
    "my our your this that party children kids passengers passenger driver thankfully luckily fortunately as whatsoever "
    "way".split()
)
_LIST = frozenset(["or", "nor", "and", "/"])
_MODALS = frozenset("could might may would can will".split())
_HAVE = frozenset("have of 've".split())
# Words between "could have" and the sign: "could have easily started a fire".
_TOWARDS = _CLEAR | frozenset(
    "easily started start starts led lead leads resulted ended ending end up set turned turn into to killed kill well "
    "have possibly potentially then also still both dead very badly someone somebody become became with by from "
    "happened happen seen caught catch catching on even".split()
)
_NEARLY = frozenset("almost nearly narrowly potential potentially".split())
_RISKY = re.compile(r"\b(?:risks?|danger|chances?|fears?|possibility|threat|hazard|in case|likelihood) (?:of|for) (?:an? |the |any )?$")
_IF = re.compile(
    r"(?<!know )(?<!sure )(?<!check )(?<!wonder )(?<!see )(?<!tell )(?<!ask )(?<!asked )(?<!checked )"
    r"\b(?<!as )(?:if|unless|imagine|suppose|lest|what if|in case|in the event)\b[^,]*$"
)
_AFTER_DENIED = re.compile(r"\s*(?:[:=\-]\s*(?:none|no|nil|0|zero|n/a)\b|\?\s*no\b|free\b)")
_AFTER_AVOIDED = re.compile(r"\W{1,3}(?:was|were|has been|could be|is)? ?(?:narrowly |only just )?(?:avoided|averted|prevented|unlikely)\b")
_PAST = re.compile(
    r"\b(?:last (?:week|month|year|winter|summer|spring|autumn|fall|january|february|march|april|may|june|july|august|"
    r"september|october|november|december)|(?:weeks|months|years) ago|a (?:week|month|year) ago|back in|in (?:19|20)\d\d|"
    r"(?:been|was|were|got|is now|are now|now) (?:fixed|repaired|put out|extinguished|sorted|resolved|made safe)|used to be|"
    r"(?:has|have|had|is|are|was) (?:now )?(?:gone|stopped|disappeared|cleared))\b"
    r"|\b(?:gecen|onceki) (?:hafta|ay|yil|sene|kis|yaz|bahar|sonbahar)\w*|\b(?:hafta|ay|yil|sene) (?:once|evvel)\w*"
    r"|\b(?:onarildi|tamir edildi|giderildi|sondu|sonduruldu)\b"
)
_UNRESOLVED = re.compile(
    r"\b(?:still|again|now(?! (?:fixed|repaired|gone|resolved|sorted))|right now|currently|keeps?|since|every|yet|ongoing|"
    r"(?:nobody|no one|noone|never|no engineer) (?:has )?(?:ever )?(?:come|came|turned|showed|fixed|repaired|been)|"
    r"(?:haven't|hasn't|havent|hasnt|not|wasn't|wasnt|never) (?:yet )?(?:been )?(?:come|fixed|repaired|stopped|gone|sorted|resolved|cleared))\b"
    r"|\b(?:hala|halen|yine|tekrar|simdi|su an|devam|surekli|gelen|gelmedi\w*|bitmedi\w*|gitmedi\w*|gecmedi\w*|"
    r"yapilmadi\w*|onarilmadi\w*|giderilmedi\w*)\b"
)

_TR_DENIED = re.compile(
    r"(?:yok(?:tu|tur|mus|sa)?|degil\w*|olmad[iy]\w*|olmadan|olmamis\w*|cikmad[iy]\w*|cikmadan|cikmamis\w*|bulunmad[iy]\w*|"
    r"bulunmuyor|bulunmamakta\w*|gormed[iy]\w*|gormuyor\w*|almad[iy]\w*|almiyor\w*|alinmad[iy]\w*|duymad[iy]\w*|duymuyor\w*|"
    r"yasanmad[iy]\w*|yasamad[iy]\w*|yasanmamis\w*|kalmad[iy]\w*|kalmamis\w*|gelmiyor\w*|hissetmed[iy]\w*|hissetmiyor\w*|"
    r"olmuyor|cikmiyor|etmed[iy]\w*|etmiyor\w*)$"
)
_TR_POSSIBLE = re.compile(
    r"(?:\w*(?:abil|ebil)(?:ir|ecek|iyor)\w*|\w+(?:acakti|ecekti)\w*|\w+(?:saydi|seydi)\w*|\w+(?:arsa|erse|irsa|ursa)|"
    r"risk\w*|tehlike(?:si|sin\w*)|ihtimal\w*|olasilig\w*|cikacak(?:ti)?|korku\w*)$"
)
_TR_UNREAL = re.compile(r"(?:\w*(?:abil|ebil)irdi\w*|\w+(?:acakti|ecekti)\w*|\w+(?:saydi|seydi)\w*)$")
# Words between a Turkish noun and the verb that denies it. Anything else ends the walk.
_TR_CLEAR = re.compile(
    r"(?:falan|filan|da|de|hic|henuz|artik|herhangi|bir|su|an|sey|seyi|sukur|cok|belirtisi|izi|kokusu|durumu|olayi|veya|"
    r"ya|yahut|ne|yaralanma|olum|olen|yaralanan|hasar|can|kaybi|soz|konusu|mevcut)$"
)
_TR_NEARLY = re.compile(r"\b(?:az kalsin|az daha|neredeyse|nerdeyse|kil payi)\b[^,.;]*$")


def _denied_before(words: list[str], listed: bool) -> bool:
    crossed = listed
    for word in reversed(words[-9:]):
        if word in _NEGATORS or word.endswith("n't"):
            return True
        if word in _ONLY:
            return False
        if word in _LIST:
            # "and" ends a denial ("no power and fire"); "or" carries it on.
            if word == "and":
                return False
            crossed = True
        elif word == "," and crossed:
            continue
        elif word not in _CLEAR and not (crossed and word.isalpha() and len(word) > 2):
            return False
    return False


def _possible_before(words: list[str], suspicion: bool) -> bool:
    have = False
    for word in reversed(words[-8:]):
        if word in _NEARLY or word.endswith("'ve") and word[:-3] in _MODALS:
            return True
        if word in _MODALS or word == "couldve":
            return have or not suspicion
        if word in _HAVE:
            have = True
        if word not in _TOWARDS:
            return False
    return False


def _turkish(after: str, suspicion: bool, own: str) -> Standing:
    if _TR_POSSIBLE.match(own) and not suspicion:
        return Standing.POSSIBLE
    for word in _WORD.findall(after)[:4]:
        if _TR_DENIED.match(word):
            return Standing.DENIED
        if (_TR_UNREAL if suspicion else _TR_POSSIBLE).match(word):
            return Standing.POSSIBLE
        if not _TR_CLEAR.match(word) or word in ("ya", ","):
            return Standing.SAID
    return Standing.SAID


def standing(sentence: str, start: int, end: int, *, negatable: bool, possible: bool, suspicion: bool) -> Standing:
    """How the sign at folded `sentence[start:end]` stands; a denial weighs before a doubt, a doubt before the past."""
    before, after = sentence[:start], sentence[end:]
    words = _WORD.findall(before[-160:])
    turkish = _turkish(after[:80], suspicion, sentence[start:end].rsplit(None, 1)[-1])
    if negatable:
        listed = re.match(r",?\s*(?:or|nor)\b|(?:,\s*\w+){1,2},?\s*(?:or|nor)\b", after) is not None
        if _denied_before(words, listed) or _AFTER_DENIED.match(after) or turkish is Standing.DENIED:
            return Standing.DENIED
    if possible and (
        turkish is Standing.POSSIBLE
        or _possible_before(words, suspicion)
        or _RISKY.search(before)
        or _IF.search(before[-160:])
        or _AFTER_AVOIDED.match(after)
        or _TR_NEARLY.search(before[-160:])
    ):
        return Standing.POSSIBLE
    if _PAST.search(sentence) and not _UNRESOLVED.search(sentence):
        return Standing.PAST
    return Standing.SAID
