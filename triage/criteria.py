"""Proposed values of the criteria of the initial assessment, each with its reason and what is behind it (7.5).

They prefill the form: a person reads and decides. The words are in `triage/phrases/criteria_<language>.toml`; a
reason is the id of a staff text, `criterion.<reason>`. `rule_grades` turns the gravest safety rule of a text into a
number for the classifier of critical cases.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from re import Pattern

import numpy as np
import numpy.typing as npt

from complaints.similarity import CLUSTER_FROM
from triage.matching import LANGUAGES, fold, read_phrases, read_table, whole_words
from triage.safety.signs import Sign, find_signs


@dataclass(frozen=True, slots=True)
class Criterion:
    """A proposed value of one field of the assessment form (docs/surfaces.md), and the code of its reason.

    `value` is as the form takes it: severity 1-5, safety 0-3, complexity 1-3, reach 1-4, recurrence 1-5, "yes" or
    "no" for a choice, True or False for a flag. What is behind the reason, as far as it has it: the complainant's
    `words` as written, the `category` that it follows from, a `probability` (0 to 1) with the `limit` that it
    exceeded, a `number` of matters or similar cases.
    """

    field: str
    value: int | str | bool
    reason: str
    words: tuple[str, ...] = ()
    category: str | None = None
    probability: float | None = None
    limit: float | None = None
    number: int | None = None

    def codes_and_figures(self) -> dict[str, int | str | bool | float]:
        """All but the words, without what it does not have: what an event and a card may hold."""
        values = {
            "field": self.field, "value": self.value, "reason": self.reason, "category": self.category,
            "probability": self.probability, "limit": self.limit, "number": self.number,
        }  # fmt: skip
        return {name: value for name, value in values.items() if value is not None}


_HIGHEST_RECURRENCE = 5
_HARM_PRESENT = 2
"""Safety from which on immediate action is needed."""

_TABLES = read_table("", "criteria.toml")
#: What a category suggests before anything is known about the case, with the reason.
COMPLEXITY, REACH, RECURRENCE = (
    {category: (value, reason) for category, (value, reason) in _TABLES[field].items()}
    for field in ("complexity", "reach", "recurrence")
)
COMPENSATION: Mapping[str, str] = _TABLES["compensation"]

_INJURY = frozenset({"injury", "poisoning", "crash", "violence"})
_VULNERABLE = frozenset({"vulnerable", "minor"})

#: All reasons; each has a staff text.
REASONS: frozenset[str] = frozenset(
    [
        *(reason for table in (COMPLEXITY, REACH, RECURRENCE) for _, reason in table.values()),
        *COMPENSATION.values(),
        *(reason for reasons in _TABLES["reasons"].values() for reason in reasons),
    ]
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
    probability: float | None = None,
    words: Mapping[str, str] | None = None,
) -> tuple[Criterion, ...]:
    """Propose complexity, reach, recurrence, immediate action and compensation (7.5); never raises.

    `kinds` are those of the signs of harm, `cues` those of `triage.intent`, and `words` those that each of them was
    found by. `issues` is the number of issues; `severity` (1-5) and `safety` (0-3) are the proposed ones, and
    `probability` (0 to 1) is that of the category. `like_confirmed` counts the confirmed similar cases of the last
    90 days, this one included. Whether immediate action is possible is proposed only where it is needed.
    """
    folded = fold(text)
    phrases = {
        name: text[slice(*folded.span(*match.span()))]
        for name, pattern in reversed(_patterns())
        if (match := pattern.search(folded.text))
    }
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
    found_by = {**(words or {}), **phrases}
    numbers = {"several_issues": issues, "like_confirmed": like_confirmed}
    return tuple(
        replace(criterion, category=category, probability=probability)
        if criterion.reason.startswith("category_")
        else replace(
            criterion, words=_words_behind(criterion.reason, found_by), number=numbers.get(criterion.reason)
        )
        for criterion in criteria
    )


#: The kinds of signs, cues and phrases that a reason of another name rests on.
_RESTS_ON: Mapping[str, tuple[str, ...]] = {
    "law": ("legal_threat", "law"),
    "several_times": ("again_told", "several_times"),
    "injury": tuple(sorted(_INJURY)),
    "cut_off_vulnerable": (*sorted(_VULNERABLE), "support", "cutoff_eviction", "cut_off"),
    "safety": ("safety",),
}


def _words_behind(reason: str, found_by: Mapping[str, str]) -> tuple[str, ...]:
    names = _RESTS_ON.get(reason, (reason,))
    return tuple(dict.fromkeys(found_by[name] for name in names if name in found_by))


def harm_criteria(
    signs: Sequence[Sign],
    text: str,
    *,
    severity: int,
    safety: int,
    severity_otherwise: Criterion | None = None,
    safety_otherwise: Criterion | None = None,
) -> tuple[Criterion, ...]:
    """The reasons of the proposed severity (1-5) and safety (0-3): the rules that demand them, or another reason."""
    if severity_otherwise is None:
        severity_otherwise = Criterion("severity", severity, "nothing_graver")
    if safety_otherwise is None:
        safety_otherwise = Criterion("safety", safety, "no_danger")
    for_severity = tuple(text[slice(*sign.span)] for sign in signs if sign.severity == severity)
    for_safety = tuple(text[slice(*sign.span)] for sign in signs if safety and sign.safety == safety)
    return (
        Criterion("severity", severity, "rule", for_severity) if for_severity else severity_otherwise,
        Criterion("safety", safety, "rule", for_safety) if for_safety else safety_otherwise,
    )


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
