"""Defaults of the remaining criteria of the initial assessment, each with its reason (7.5).

Standard library only. They are what a form is prefilled with: a person reads and decides. The words stand in
`triage/phrases/criteria_<language>.toml`; a reason is the id of a staff text, `criterion.<reason>`.

How grave the gravest safety rule of a text is, as a number to count with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from re import Pattern

import numpy as np
import numpy.typing as npt

from complaints.similarity import CLUSTER_FROM
from triage.folding import fold
from triage.language_tables import LANGUAGES, read_phrases, whole_words
from triage.safety.signs import Sign, signs


@dataclass(frozen=True, slots=True)
class Criterion:
    """A proposed value of one field of the assess form (docs/surfaces.md), and the code of its reason.

    `value` is as the form takes it: complexity 1-3, reach 1-4, recurrence 1-5, "yes" or "no" where one is
    chosen, True or False for a flag.
    """

    field: str
    value: int | str | bool
    reason: str


_MOST_LIKELY = 5
_PRESENT = 2

#: What a category means before anything is known of the case; what is not here is plain, one person's, rare.
COMPLEXITY: Mapping[str, tuple[int, str]] = {
    # Only what is always a matter of law: 2 demands more evidence, which the story must call for.
    "privacy": (3, "category_law"),
    "discrimination": (3, "category_law"),
}
REACH: Mapping[str, tuple[int, str]] = {
    "safety": (2, "category_others_exposed"),
    "privacy": (2, "category_others_exposed"),
    "discrimination": (2, "category_others_exposed"),
}
RECURRENCE: Mapping[str, tuple[int, str]] = {
    "information": (3, "category_comes_back"),
    "handling": (3, "category_comes_back"),
    "safety": (3, "category_comes_back"),
    "privacy": (3, "category_comes_back"),
    "discrimination": (3, "category_comes_back"),
}
COMPENSATION: Mapping[str, str] = {
    "compensation": "category_compensation",
    "discrimination": "category_statutory",
}

_INJURY = frozenset({"injury", "poisoning", "crash", "violence"})
_VULNERABLE = frozenset({"vulnerable", "minor"})

#: Every reason there is: each has a staff text.
REASONS: tuple[str, ...] = tuple(
    dict.fromkeys(
        [
            *(reason for table in (COMPLEXITY, REACH, RECURRENCE) for _, reason in table.values()),
            *COMPENSATION.values(),
            *("plain_facts", "several_issues", "disputed", "law", "third_party", "insurer"),
            *("one_person", "a_few", "a_group", "public"),
            *("nothing_before", "again", "several_times", "always", "like_confirmed"),
            *("nothing_presses", "safety", "medical", "cut_off_vulnerable", "possible_unless_shown"),
            *("injury", "damage", "amount_lost", "statutory", "no_loss_told"),
            "doubted_category",
        ]
    )
)


def criteria(
    *,
    category: str,
    kinds: Collection[str],
    cues: Collection[str],
    issues: int,
    severity: int,
    safety: int,
    text: str,
    like_confirmed: int = 0,
    doubted: bool = False,
) -> tuple[Criterion, ...]:
    """Propose complexity, reach, recurrence, immediate action and compensation (7.5); never raises.

    `kinds` are those of the signs of harm (`triage.safety.signs`), `cues` of `triage.intent`; `issues` their number,
    `severity` (1-5) and `safety` (0-3) those proposed; `like_confirmed` counts confirmed like cases of the
    last 90 days, this one among them. Whether immediate action is possible is proposed only where it is needed.
    A reason for the severity is given only where it is that of a category in doubt (`doubted`): nothing else on
    the card says so.
    """
    folded = fold(text).text
    told = frozenset(name for name, pattern in _patterns() if pattern.search(folded))
    needed = _immediate(kinds, cues, told, safety=safety)
    found = [
        Criterion("complexity", *_complexity(category, kinds, told, issues=issues)),
        Criterion("reach", *_reach(category, told)),
        Criterion("recurrence", *_recurrence(category, cues, told, like_confirmed=like_confirmed)),
        Criterion("immediate_needed", *needed),
    ]
    if needed[0] == "yes":
        # Needed and not possible goes to the top: that is a finding, which nobody has made yet.
        found.append(Criterion("immediate_possible", "yes", "possible_unless_shown"))
    found.append(
        Criterion("compensation_likely", *_compensation(category, kinds, cues, told, severity=severity))
    )
    if doubted:
        found.append(Criterion("severity", severity, "doubted_category"))
    return tuple(found)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, Pattern[str]], ...]:
    tables = [read_phrases("criteria", language) for language in LANGUAGES]
    return tuple((name, whole_words(words)) for table in tables for name, words in table.items())


def _complexity(
    category: str, kinds: Collection[str], told: Collection[str], *, issues: int
) -> tuple[int, str]:
    if "legal_threat" in kinds or "law" in told:
        return 3, "law"
    for sign in ("insurer", "third_party"):
        if sign in told:
            return 3, sign
    usual = COMPLEXITY.get(category, (1, "plain_facts"))
    if usual[0] >= 3:
        return usual
    if issues > 1:
        return 2, "several_issues"
    return (2, "disputed") if "disputed" in told else usual


def _reach(category: str, told: Collection[str]) -> tuple[int, str]:
    for value, sign in ((4, "public"), (3, "a_group"), (2, "a_few")):
        if sign in told:
            return value, sign
    return REACH.get(category, (1, "one_person"))


def _recurrence(
    category: str, cues: Collection[str], told: Collection[str], *, like_confirmed: int
) -> tuple[int, str]:
    value, reason = RECURRENCE.get(category, (2, "nothing_before"))
    if "always" in told:
        value, reason = 5, "always"
    elif "again_told" in cues or "several_times" in told:
        value, reason = 4, "several_times"
    elif "again" in cues and value <= 3:
        value, reason = 3, "again"
    # One step higher, never more (docs/domain.md, section 4).
    if like_confirmed >= CLUSTER_FROM and value < _MOST_LIKELY:
        return value + 1, "like_confirmed"
    return value, reason


def _immediate(
    kinds: Collection[str], cues: Collection[str], told: Collection[str], *, safety: int
) -> tuple[str, str]:
    if safety >= _PRESENT:
        return "yes", "safety"
    if "medical" in kinds:
        return "yes", "medical"
    vulnerable = not _VULNERABLE.isdisjoint(kinds) or "support" in cues
    if vulnerable and ("cutoff_eviction" in kinds or "cut_off" in told):
        return "yes", "cut_off_vulnerable"
    return "no", "nothing_presses"


def _compensation(
    category: str, kinds: Collection[str], cues: Collection[str], told: Collection[str], *, severity: int
) -> tuple[bool, str]:
    if not _INJURY.isdisjoint(kinds) and severity >= 3:
        return True, "injury"
    for sign in ("damage", "amount_lost", "statutory"):
        if sign in told:
            return True, sign
    if category in COMPENSATION:
        return True, COMPENSATION[category]
    return False, "no_loss_told"


_BELOW, _STEPS = 3, 2

HALVED_AT = 1_000
"""Characters into a text at which a sign counts half: what a person complains of mostly stands at the front."""


def rule_grade(found: Iterable[Sign]) -> float:
    """0 without a sign of severity 4, a half for 4, 1 for 5 at the beginning of a text; less the later it stands.

    A rule of severity 3 says nothing of a critical case: every outage of a water company would be one.
    """
    return max((_grade(sign) for sign in found), default=0.0)


def _grade(sign: Sign) -> float:
    return max(0, sign.severity - _BELOW) / _STEPS / (1 + sign.span[0] / HALVED_AT)


def rule_grades(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Array (texts,) of the grades of the gravest rule of each text as written."""
    return np.array([rule_grade(signs(text)) for text in texts], dtype=np.float64)
