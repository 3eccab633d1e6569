"""Members of staff named in a text, so that a complaint about a person stays from that person's eyes.

A name may stand in any case, without its diacritics ("ayse"), with a Turkish ending ("Ayşe'nin",
"Mehmet'e") or with a title in place of the first name ("Mr Brown", "Ayşe Hanım"). Nothing is looked up in a
list of names: only what the organisation gave is searched for, as whole words.
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
# A name takes cases but not "my": "Canım" is a dear one, not Can. The shortest names take an ending only
# after an apostrophe, for "cana" and "cani" are words.
_CASES = (
    r"(?:'[^\W\d_]{1,10}|l[ae]r|(?:l[ae]r)?"
    r"(?:[dt][ae]n?|n?y?[ea]|n?[iu]n|y?[iu]|y?l[ae]|[dt][ae]ki))?"
)
_APOSTROPHE_ONLY = r"(?:'[^\W\d_]{1,10})?"
_SHORT = 3
_BEFORE = r"(?:mr|mrs|ms|miss|mx|dr|sir|sayin|bay|bayan|nurse|officer|agent|doktor|hemsire|memur)"
_AFTER = r"(?:bey|hanim|abi|abla|hoca|usta)"
_WORD = re.compile(r"[^\W_]+")


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str] | None:
    words = _WORD.findall(fold(name).text)
    if not words:
        return None
    gap = r"[\W_]{1,3}"
    ending = _APOSTROPHE_ONLY if len(words[-1]) <= _SHORT else _CASES
    ways = [gap.join(map(re.escape, words)) + ending]
    if len(words) > 1 and not re.fullmatch(_BEFORE, words[0]):
        first, last = re.escape(words[0]), re.escape(words[-1])
        ways += [
            f"{last}{gap}{gap.join(map(re.escape, words[:-1]))}{_CASES}",
            f"{_BEFORE}{gap}{last}{ending}",
            f"(?:{first}|{last}){gap}{_AFTER}{_CASES}",
            rf"{first[0]}\. ?{last}{ending}",
        ]
        if len(words) > 2:
            ways.append(f"{first}{gap}{last}{ending}")
    return re.compile(r"(?<![^\W_])(?:" + "|".join(ways) + r")(?![^\W_])")


def named_people(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` (full names or aliases of staff) that the text mentions, in the order given.

    A full name of several words is also found with a title and the last name, with an initial, or as "first
    name Bey / Hanım"; a bare first or last name only where it is listed as an alias. An alias counts in lower
    case too: taking a word for a name costs a manager's look, missing one shows a complaint to the very
    person it is about.
    """
    folded = fold(text).text
    found = []
    for name in names:
        pattern = _pattern(name)
        if pattern is not None and pattern.search(folded):
            found.append(name)
    return tuple(dict.fromkeys(found))
