"""What an organisation's settings add to the safety rules: its own danger signs, and the names of its staff.

Its own signs are the words of its `[[danger]]` settings, in addition to the built-in rules. Staff named in a text are
found so that a complaint about a person is hidden from that person: a name may be written in any case, without
diacritics ("ayse"), with a Turkish ending ("Ayşe'nin", "Mehmet'e"), or with a title and one name ("Mr Brown", "Ayşe
Hanım"). Only names and aliases from the settings are searched for, as whole words; there is no general list of names.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from triage.matching import fold, read_table
from triage.safety.safety_rules import KEY, Matcher, Rule, RuleIndex

#: The kind of an organisation's own signs: `own.smell_of_gas`.
ORGANISATION = "own"
_TOKEN = re.compile(r"[^\W_]+")
# The name is recorded with each message that contains the sign, in a column of 200 characters.
_LONGEST_NAME = 100
# Turkish case, possessive and plural endings, with or without the apostrophe that separates them from a name.
_SUFFIX = (
    r"(?:'[^\W\d_]{1,10}|s|es|e[nrm]|l[ae]r|(?:l[ae]r)?(?:[iu]m|[iu]n|[iu]m[iu]z|[iu]n[iu]z|s?[iu])?"
    r"(?:n?[dt][ae]n?|n?y?[ea]|n?[iu]n|y?[iu]|n[iu]|y?l[ae]|[dt][ae]ki|[iu]m|c[ae])?)?"
)
_INNER = r"(?:e?s|e[nrm]?|n)?"
_GAP = r"[\x20\t\-_'\"*]{1,3}"
_TABLES = read_table("signs", "administrative.toml")
# A single word before one of these is an account or a product, not a danger: "gas bill", "yangın sigortası".
_ADMINISTRATIVE = rf"(?!{_GAP}(?:{'|'.join(_TABLES['after'].split())})\b)"
# Spanish has such a word before it: "factura del gas", "salida de incendios"; German may: "Rechnung für Gas".
_ADMINISTRATIVE_BEFORE = "".join(
    f"(?<!{word} {link} )"
    for entry in _TABLES["before"]
    for word in entry["words"].split()
    for link in entry["links"].split()
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
                matcher = Matcher(0, rule, _sign_pattern(tuple(words)), (words[0],))
                index.by_letters.setdefault(words[0][:KEY], []).append(matcher)
    return index


@lru_cache(maxsize=256)
def _sign_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    # In German and Spanish the inner words are inflected too: "starke Gerüche nach Gas", "olores a gas".
    inner = [re.escape(word) + (_INNER if len(word) > KEY else "") for word in words[:-1]]
    pattern = r"[^\w\n]{1,3}".join([*inner, re.escape(words[-1])]) + _SUFFIX + r"(?![^\W_])"
    if len(words) == 1:
        pattern = _ADMINISTRATIVE_BEFORE + pattern + _ADMINISTRATIVE
    return re.compile(pattern)


# A name takes case endings but not "my": "Canım" means "dear", not Can. The shortest names take an ending only after
# an apostrophe, because "cana" and "cani" are words.
_CASES = (
    r"(?:'[^\W\d_]{1,10}|l[ae]r|(?:l[ae]r)?"
    r"(?:[dt][ae]n?|n?y?[ea]|n?[iu]n|y?[iu]|y?l[ae]|[dt][ae]ki))?"
)
_APOSTROPHE_ONLY = r"(?:'[^\W\d_]{1,10})?"
_SHORT = 3
_TITLE_BEFORE = r"(?:mr|mrs|ms|miss|mx|dr|sir|sayin|bay|bayan|nurse|officer|agent|doktor|hemsire|memur)"
_TITLE_AFTER = r"(?:bey|hanim|abi|abla|hoca|usta)"


def named_people(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` (full names or aliases of staff) that the text mentions, in their order.

    A full name is also found with a title and the last name, with an initial, or as "first name Bey / Hanım"; a first
    or last name alone only where it is an alias. Case is ignored: a false match costs a manager a look, a missed one
    shows a complaint to the person that it is about.
    """
    folded = fold(text).text
    mentioned = []
    for name in names:
        pattern = _name_pattern(name)
        if pattern is not None and pattern.search(folded):
            mentioned.append(name)
    return tuple(dict.fromkeys(mentioned))


@lru_cache(maxsize=4096)
def _name_pattern(name: str) -> re.Pattern[str] | None:
    words = _TOKEN.findall(fold(name).text)
    if not words:
        return None
    gap = r"[\W_]{1,3}"
    ending = _APOSTROPHE_ONLY if len(words[-1]) <= _SHORT else _CASES
    forms = [gap.join(map(re.escape, words)) + ending]
    if len(words) > 1 and not re.fullmatch(_TITLE_BEFORE, words[0]):
        first, last = re.escape(words[0]), re.escape(words[-1])
        forms += [
            f"{last}{gap}{gap.join(map(re.escape, words[:-1]))}{_CASES}",
            f"{_TITLE_BEFORE}{gap}{last}{ending}",
            f"(?:{first}|{last}){gap}{_TITLE_AFTER}{_CASES}",
            rf"{first[0]}\. ?{last}{ending}",
        ]
        if len(words) > 2:
            forms.append(f"{first}{gap}{last}{ending}")
    return re.compile(r"(?<![^\W_])(?:" + "|".join(forms) + r")(?![^\W_])")
