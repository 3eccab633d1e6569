"""Members of staff named in a text, so that a complaint about a person stays from that person's eyes.

A name may stand in any case, without its diacritics ("ayse"), with a Turkish ending ("Ayşe'nin",
"Mehmet'e") or with a title in place of the first name ("Mr Brown", "Ayşe Hanım"). Nothing is looked up in a
list of names: only what the organisation gave is searched for, as whole words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from triage.folding import fold

# Turkish case, possessive and plural endings, with or without the apostrophe that separates them from a name.
SUFFIX = (
    r"(?:'[^\W\d_]{1,10}|s|es|l[ae]r|(?:l[ae]r)?(?:[iu]m|[iu]n|[iu]m[iu]z|[iu]n[iu]z|s?[iu])?"
    r"(?:n?[dt][ae]n?|n?y?[ea]|n?[iu]n|y?[iu]|n[iu]|y?l[ae]|[dt][ae]ki|[iu]m|c[ae])?)?"
)
_BEFORE = r"(?:mr|mrs|ms|miss|mx|dr|sir|sayin|bay|bayan|nurse|officer|agent|doktor|hemsire|memur)"
_AFTER = r"(?:bey|hanim|abi|abla|hoca|usta)"
_WORD = re.compile(r"[^\W_]+")


def _pattern(name: str) -> str | None:
    words = _WORD.findall(fold(name).text)
    if not words:
        return None
    gap = r"[\W_]{1,3}"
    ways = [gap.join(map(re.escape, words)) + SUFFIX]
    if len(words) > 1 and not re.fullmatch(_BEFORE, words[0]):
        first, last = re.escape(words[0]), re.escape(words[-1])
        ways += [
            f"{last}{gap}{gap.join(map(re.escape, words[:-1]))}{SUFFIX}",
            f"{_BEFORE}{gap}{last}{SUFFIX}",
            f"(?:{first}|{last}){gap}{_AFTER}{SUFFIX}",
            f"{first[0]}{gap}{last}{SUFFIX}",
        ]
        if len(words) > 2:
            ways.append(f"{first}{gap}{last}{SUFFIX}")
    return r"(?<![^\W_])(?:" + "|".join(ways) + r")(?![^\W_])"


def named_people(text: str, names: Sequence[str]) -> tuple[str, ...]:
    """Those of `names` (full names or aliases of staff) that the text mentions, in the order given.

    A full name of several words is also found with a title and the last name, with an initial, or as "first
    name Bey / Hanım"; a bare first or last name only where it is listed as an alias, since it may be an
    ordinary word.
    """
    folded = fold(text).text
    found = []
    for name in names:
        pattern = _pattern(name)
        if pattern is not None and re.search(pattern, folded):
            found.append(name)
    return tuple(dict.fromkeys(found))
