"""A proposal is only ever of a category that the rules of the complaint know (clause 7.5).

The proposed initial assessment (clause 7.5): category, matters, severity, the other criteria, with reasons
and doubt.

The model proposes, a person assesses. Safety rules can only raise what the model says, and without a model
the rules alone make the proposal, so that intake never waits for training.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse

from complaints.case_values import RULES_ALONE
from triage.criteria import Criterion, criteria, rule_grade
from triage.facts.fact import StoryFact
from triage.facts.finder import find_facts
from triage.intent import Intent, cues, intent
from triage.issues import IssueFound, issues
from triage.language_tables import LANGUAGES
from triage.model.calibration import Doubles
from triage.model.pipeline import CRITICAL, Model
from triage.neighbours import Neighbour
from triage.reasons import ProposalReason, reasons
from triage.safety.signs import DangerSign, Sign, signs
from triage.text import guess_language, normalise

FALLBACK = "other"
LEAST = 0.01
"""Below this summed probability the model says of no category of the desk's that it may be the one."""


def keep_allowed(row: Doubles, allowed: npt.NDArray[np.bool_]) -> Doubles | None:
    """Array (categories,): the probabilities of the categories that are allowed, summing to 1; None without any.

    A model may know more than a complaint's rules: trained on another organisation's file, or since a category
    was added. The whole vector is filtered and renormalised: what remains is how probable each category of the
    desk's is, given that it is one of them. Where less than `LEAST` remains, that is no reading of the text.
    """
    mass = float(row[allowed].sum())
    return np.where(allowed, row, 0.0) / mass if mass >= LEAST else None


RESTRICTED_AT = 0.30
"""From this summed probability of staff conduct, handling and discrimination on, a case is kept from view."""
WEIGHTY_FROM = 0.30
"""From this probability on a category in doubt gives its usual severity: below, "not sure" is as good as a guess.

Measured on the held-back texts: two thirds of the critical cases that any doubt would reveal, at little more than
half of the false alarms.
"""

_RESTRICTED_CATEGORIES = ("staff_conduct", "handling", "discrimination")
_RESTRICTING_KINDS = frozenset({"discrimination"})
_ALTERNATIVES = 3

# What a category means for severity before anything is known of the case (scale of clause 7.5).
_USUAL_SEVERITY = {"safety": 4, "discrimination": 4, "privacy": 3, "staff_conduct": 3}
_USUAL = 2


@dataclass(frozen=True, slots=True)
class About:
    """What is known beside the words: the languages and signs of the organisation, its country, the day of
    receipt, the complaint itself, how many like cases were confirmed in 90 days (itself among them), and the
    categories that the rules of the complaint know (None: all that the model knows).
    """

    languages: Sequence[str] = ("en", "tr")
    danger: Sequence[DangerSign] = ()
    country: str | None = None
    received: date | None = None
    ref: str | None = None
    like_confirmed: int = 0
    categories: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """A category that was not proposed, and its probability."""

    category: str
    probability: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed assessment. `abstained` means "not sure": show the first two categories and let the person
    choose.

    Probabilities are calibrated on held-back rows. `rules` are the names of the safety rules that fired,
    `signs` where. `restricted`: the case may be about a person or about our own handling and starts in the
    restricted place. `issues` are the matters, the main one first; `similar` confirmed cases by reference.
    """

    category: str
    probability: float
    alternatives: tuple[Alternative, ...]
    abstained: bool
    severity: int
    safety: int
    because: tuple[ProposalReason, ...]
    rules: tuple[str, ...]
    language: str
    model_version: str
    restricted: bool
    p_critical: float | None
    intent: Intent
    issues: tuple[IssueFound, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    details: tuple[StoryFact, ...] = ()
    similar: tuple[Neighbour, ...] = ()
    signs: tuple[Sign, ...] = ()

    @property
    def danger(self) -> bool:
        """Whether a sign of present danger was found."""
        return any(sign.danger for sign in self.signs)

    def as_json(self) -> dict[str, Any]:
        """Plain values under the keys that `--json` and the record use."""
        return {
            "category": self.category,
            "probability": self.probability,
            "alternatives": [
                {"category": other.category, "probability": other.probability} for other in self.alternatives
            ],
            "abstained": self.abstained,
            "severity": self.severity,
            "safety": self.safety,
            "because": [{"word": reason.word, "weight": reason.weight} for reason in self.because],
            "rules": list(self.rules),
            "language": self.language,
            "model_version": self.model_version,
            "restricted": self.restricted,
            "p_critical": self.p_critical,
            "intent": self.intent.kind,
            "intent_probability": round(self.intent.probability, 4),
            "issues": [
                {"text": one.text, "category": one.category, "probability": one.probability}
                for one in self.issues
            ],
            "criteria": [
                {"field": one.field, "value": one.value, "reason": one.reason} for one in self.criteria
            ],
            "details": [{"kind": one.kind, "value": one.value, "text": one.text} for one in self.details],
            "similar": [
                {
                    "ref": one.ref,
                    "category": one.category,
                    "severity": one.severity,
                    "likeness": one.likeness,
                }
                for one in self.similar
            ],
        }


def propose(model: Model | None, text: str, about: About | None = None) -> Proposal:
    """Propose an assessment for a text; any text is accepted, and only trained categories are proposed.

    Of these, only such as `about.categories` holds: probabilities are those among them, and where the model would
    have said another it is not sure. Where it knows none of them, or no word of this text, the category is "other"
    with probability 0, abstained.

    Severity is the highest of the rules' floors, 4 where the critical classifier raises an alert, and the
    usual severity of the category; where the model is not sure, of the graver of the two that it offers
    (from `WEIGHTY_FROM` on). Without a model the category is "other", abstained.
    """
    about = about or About()
    read = _Read.of(text, about)
    if model is None:
        return read.proposal(
            category=FALLBACK,
            probability=0.0,
            abstained=True,
            severity=max(read.floor, _USUAL),
            safety=read.safety,
            model_version=RULES_ALONE,
            restricted=read.restricting,
        )
    return _by_model(model, read)


def _by_model(model: Model, read: _Read) -> Proposal:
    text, known = read.text, read.about.categories
    matrix = model.matrix([text])
    whole = model.read([text], matrix)[0]
    p_critical = _p_critical(model, matrix, read.found)
    alert = model.critical is not None and p_critical is not None and p_critical > model.critical.threshold
    grave = max(read.floor, CRITICAL if alert and matrix.nnz else _USUAL)
    of_any_category: dict[str, Any] = {
        "model_version": model.version,
        "p_critical": None if p_critical is None else round(p_critical, 4),
        "similar": tuple(model.neighbours.nearest(matrix, but=read.about.ref)) if model.neighbours else (),
    }
    allowed = np.array([known is None or one in known for one in model.categories])
    row = keep_allowed(whole, allowed)
    # A text without one known word has the probabilities of the examples' mix, which say nothing about it.
    if row is None or matrix.nnz == 0:
        return read.proposal(
            category=FALLBACK,
            probability=0.0,
            abstained=True,
            severity=grave,
            safety=read.safety,
            restricted=read.restricting,
            **of_any_category,
        )
    sure_of = {one: float(row[place]) for place, one in enumerate(model.categories) if allowed[place]}
    ranked = sorted(sure_of, key=lambda one: -sure_of[one])
    category, others = ranked[0], ranked[1 : 1 + _ALTERNATIVES]
    abstained = sure_of[category] < model.sure_from or not allowed[whole.argmax()]
    matters = issues(model, text, whole=whole, allowed=allowed)
    # Both are offered to the person, so neither's harm may be left out.
    offered = ranked[: 2 if abstained else 1] if matters else []
    weighty = [_USUAL_SEVERITY.get(one, _USUAL) for one in offered if sure_of[one] >= WEIGHTY_FROM]
    usual = max(weighty, default=_USUAL)
    about_people = sum(sure_of.get(one, 0.0) for one in _RESTRICTED_CATEGORIES)
    return read.proposal(
        category=category,
        probability=round(sure_of[category], 4),
        alternatives=tuple(Alternative(one, round(sure_of[one], 4)) for one in others),
        abstained=bool(abstained),
        severity=max(grave, usual),
        doubted=abstained and usual > grave,
        safety=max(read.safety, 1 if category == "safety" and not abstained else 0),
        because=reasons(model, text, category, matrix),
        restricted=read.restricting or about_people >= RESTRICTED_AT,
        issues=matters,
        **of_any_category,
    )


def _p_critical(model: Model, matrix: sparse.csr_matrix, signs: Sequence[Sign]) -> float | None:
    found = model.critical_probabilities(matrix, np.array([rule_grade(signs)]))
    return None if found is None else float(found[0])


@dataclass(frozen=True, slots=True)
class _Read:
    """What is read without a model: signs, cues, intent, facts; `language` is the organisation's nearest to the
    one it is `spoken` in, for a desk of two hears stories in a third.
    """

    text: str
    about: About
    found: tuple[Sign, ...]
    language: str
    spoken: str

    @classmethod
    def of(cls, text: str, about: About) -> _Read:
        head = normalise(text[:2_000])
        spoken = guess_language(head, LANGUAGES)
        language = guess_language(head, about.languages)
        return cls(text, about, signs(text, extra=about.danger), language, spoken)

    @property
    def floor(self) -> int:
        """The severity that the rules demand."""
        return max((sign.severity for sign in self.found), default=1)

    @property
    def safety(self) -> int:
        """The safety that the rules demand."""
        return max((sign.safety for sign in self.found), default=0)

    @property
    def restricting(self) -> bool:
        """Whether a rule alone keeps it from view."""
        return any(sign.kind in _RESTRICTING_KINDS for sign in self.found)

    def proposal(
        self, *, severity: int, safety: int, category: str, doubted: bool = False, **more: Any
    ) -> Proposal:
        """The proposal with all that needs no model; `doubted`: its severity comes of a category in doubt."""
        matters = more.get("issues", ())
        return Proposal(
            **{"alternatives": (), "because": (), "p_critical": None} | more,
            category=category,
            severity=severity,
            safety=safety,
            rules=tuple(sign.rule for sign in self.found),
            language=self.language,
            intent=intent(self.text, language=self.spoken, found_signs=self.found),
            criteria=criteria(
                category=category,
                kinds=frozenset(sign.kind for sign in self.found),
                cues=cues(self.text),
                issues=max(1, len(matters)),
                severity=severity,
                safety=safety,
                text=self.text,
                like_confirmed=self.about.like_confirmed,
                doubted=doubted,
            ),
            details=self._details(),
            signs=self.found,
        )

    def _details(self) -> tuple[StoryFact, ...]:
        if self.about.received is None:
            return ()
        return find_facts(
            self.text, language=self.spoken, received=self.about.received, country=self.about.country
        )
