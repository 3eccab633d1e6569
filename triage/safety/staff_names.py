"""Members of staff named in a text, so that a complaint about a person is hidden from that person.

A name may be written in any case, without diacritics ("ayse"), with a Turkish ending ("Ayşe'nin", "Mehmet'e"), or
with a title and one name ("Mr Brown", "Ayşe Hanım"). Only names and aliases from the settings are searched for, as
whole words; there is no general list of names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from triage.folding import fold

# Turkish case, possessive and plural endings, with or without the apostrophe that separates them from a name.
SUFFIX = (
    r"(?:'[^\W\d_]{1,10}|s|es|l[ae]r|(?:l[ae]r)?(?:[iu]m|[iu]n|[iu]m[iu]z|[iu]n[iu]z|s?[iu])?"
    r"(?:n?[dt][ae]n?|n?y?[ea]|n?[iu]n|y?[iu]|n[iu]|y?l[ae]|[dt][ae]ki|[iu]m|c[ae])?)?"
)
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
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str] | None:
    words = _WORD.findall(fold(name).text)
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


def named_people(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` (full names or aliases of staff) that the text mentions, in their order.

    A full name is also found with a title and the last name, with an initial, or as "first name Bey / Hanım"; a first
    or last name alone only where it is an alias. Case is ignored: a false match costs a manager a look, a missed one
    shows a complaint to the person that it is about.
    """
    folded = fold(text).text
    mentioned = []
    for name in names:
        pattern = _pattern(name)
        if pattern is not None and pattern.search(folded):
            mentioned.append(name)
    return tuple(dict.fromkeys(mentioned))
