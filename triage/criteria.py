"""Proposed values of the remaining criteria of the initial assessment, each with its reason (7.5).

They prefill the form: a person reads and decides. The words are in `triage/phrases/criteria_<language>.toml`; a
reason is the id of a staff text, `criterion.<reason>`. `rule_grades` turns the gravest safety rule of a text into a
number for the classifier of critical cases.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from re import Pattern

import numpy as np
import numpy.typing as npt

from complaints.similarity import CLUSTER_FROM
from triage.matching import LANGUAGES, fold, read_phrases, whole_words
from triage.safety.signs import Sign, find_signs


@dataclass(frozen=True, slots=True)
class Criterion:
    """A proposed value of one field of the assessment form (docs/surfaces.md), and the code of its reason.

    `value` is as the form takes it: complexity 1-3, reach 1-4, recurrence 1-5, "yes" or "no" for a choice, True or
    False for a flag.
    """

    field: str
    value: int | str | bool
    reason: str


_HIGHEST_RECURRENCE = 5
_HARM_PRESENT = 2
"""Safety from which on immediate action is needed."""

#: What a category suggests before anything is known about the case. Other categories: simple, one person, rare.
COMPLEXITY: Mapping[str, tuple[int, str]] = {
    # Only categories that are always a matter of law. A 2 demands more evidence, so the story must call for it.
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

#: All reasons; each has a staff text.
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


def propose_criteria(
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

    `kinds` are those of the signs of harm, `cues` those of `triage.intent`, `issues` the number of issues; `severity`
    (1-5) and `safety` (0-3) are the proposed ones. `like_confirmed` counts the confirmed similar cases of the last 90
    days, this one included. Whether immediate action is possible is proposed only where it is needed.

    `doubted` says that the severity comes from a category in doubt. Only then a reason for the severity is added,
    because nothing more on the card explains it.
    """
    folded = fold(text).text
    phrases = frozenset(name for name, pattern in _patterns() if pattern.search(folded))
    needed = _immediate(kinds, cues, phrases, safety=safety)
    criteria = [
        Criterion("complexity", *_complexity(category, kinds, phrases, issues=issues)),
        Criterion("reach", *_reach(category, phrases)),
        Criterion("recurrence", *_recurrence(category, cues, phrases, like_confirmed=like_confirmed)),
        Criterion("immediate_needed", *needed),
    ]
    if needed[0] == "yes":
        # "Needed but not possible" puts a case on top of the list, and no person has established that yet.
        criteria.append(Criterion("immediate_possible", "yes", "possible_unless_shown"))
    compensation = _compensation(category, kinds, phrases, severity=severity)
    criteria.append(Criterion("compensation_likely", *compensation))
    if doubted:
        criteria.append(Criterion("severity", severity, "doubted_category"))
    return tuple(criteria)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, Pattern[str]], ...]:
    tables = [read_phrases("criteria", language) for language in LANGUAGES]
    return tuple((name, whole_words(words)) for table in tables for name, words in table.items())


def _complexity(
    category: str, kinds: Collection[str], phrases: Collection[str], *, issues: int
) -> tuple[int, str]:
    if "legal_threat" in kinds or "law" in phrases:
        return 3, "law"
    for phrase in ("insurer", "third_party"):
        if phrase in phrases:
            return 3, phrase
    usual = COMPLEXITY.get(category, (1, "plain_facts"))
    if usual[0] >= 3:
        return usual
    if issues > 1:
        return 2, "several_issues"
    return (2, "disputed") if "disputed" in phrases else usual


def _reach(category: str, phrases: Collection[str]) -> tuple[int, str]:
    for value, phrase in ((4, "public"), (3, "a_group"), (2, "a_few")):
        if phrase in phrases:
            return value, phrase
    return REACH.get(category, (1, "one_person"))


def _recurrence(
    category: str, cues: Collection[str], phrases: Collection[str], *, like_confirmed: int
) -> tuple[int, str]:
    value, reason = RECURRENCE.get(category, (2, "nothing_before"))
    if "always" in phrases:
        value, reason = 5, "always"
    elif "again_told" in cues or "several_times" in phrases:
        value, reason = 4, "several_times"
    elif "again" in cues and value <= 3:
        value, reason = 3, "again"
    # One step higher, never more (docs/domain.md, section 4).
    if like_confirmed >= CLUSTER_FROM and value < _HIGHEST_RECURRENCE:
        return value + 1, "like_confirmed"
    return value, reason


def _immediate(
    kinds: Collection[str], cues: Collection[str], phrases: Collection[str], *, safety: int
) -> tuple[str, str]:
    if safety >= _HARM_PRESENT:
        return "yes", "safety"
    if "medical" in kinds:
        return "yes", "medical"
    vulnerable = not _VULNERABLE.isdisjoint(kinds) or "support" in cues
    if vulnerable and ("cutoff_eviction" in kinds or "cut_off" in phrases):
        return "yes", "cut_off_vulnerable"
    return "no", "nothing_presses"


def _compensation(
    category: str, kinds: Collection[str], phrases: Collection[str], *, severity: int
) -> tuple[bool, str]:
    if not _INJURY.isdisjoint(kinds) and severity >= 3:
        return True, "injury"
    for phrase in ("damage", "amount_lost", "statutory"):
        if phrase in phrases:
            return True, phrase
    if category in COMPENSATION:
        return True, COMPENSATION[category]
    return False, "no_loss_told"


_UNGRADED_SEVERITY, _GRADED_STEPS = 3, 2

HALVED_AT = 1_000
"""Characters into a text at which a sign counts half: people mostly begin with what they complain about."""


def rule_grade(found_signs: Iterable[Sign]) -> float:
    """The highest grade of the signs: 0 without a sign of severity 4 or 5, 0.5 for 4, 1 for 5 at the start of a text.

    A later position lowers the grade. Severity 3 gives none: every outage of a water company would be critical.
    """
    return max((_grade(sign) for sign in found_signs), default=0.0)


def _grade(sign: Sign) -> float:
    return max(0, sign.severity - _UNGRADED_SEVERITY) / _GRADED_STEPS / (1 + sign.span[0] / HALVED_AT)


def rule_grades(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """The grade of the gravest rule of each text as written, array (texts,)."""
    return np.array([rule_grade(find_signs(text)) for text in texts], dtype=np.float64)
