"""The proposed initial assessment (clause 7.5): category, issues, severity and other criteria, with reasons.

The model proposes or says "not sure", and a person assesses. Safety rules can only raise what the model says. Without
a model the rules alone make the proposal, so intake never waits for training.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse

from complaints.case_values import RULES_ALONE
from triage.criteria import Criterion, harm_criteria, propose_criteria, rule_grade
from triage.encoder import Vectors
from triage.facts.fact import StoryFact
from triage.facts.finder import find_facts
from triage.intent import Intent, classify_intent, cue_words
from triage.issues import IssueFound, find_issues
from triage.matching import LANGUAGES
from triage.message_kind import load_phrases
from triage.model.calibration import Doubles, Mask
from triage.model.neighbours import Neighbour
from triage.model.pipeline import CRITICAL, Model, ProposalReason, find_critical_words, find_reasons
from triage.proposal_context import ProposalContext
from triage.safety.signs import Sign, find_signs
from triage.text import detect_language, guess_language, load_language_model, normalise

FALLBACK = "other"
LEAST_MASS = 0.01
"""If the probabilities of the desk's categories sum to less than this, the model does not know the text."""
RESTRICTED_AT = 0.30
"""Summed probability of staff conduct, handling and discrimination from which on a case starts restricted."""
WEIGHTY_FROM = 0.30
"""Probability from which on a category in doubt proposes its usual severity; below, it is no better than a guess.

On held-out texts this finds two thirds of the critical cases that every category in doubt would reveal, with little
more than half of the false alarms.
"""

_RESTRICTED_CATEGORIES = ("staff_conduct", "handling", "discrimination")
_RESTRICTING_KINDS = frozenset({"discrimination"})
_ALTERNATIVES = 3

# The severity that a category suggests before anything is known about the case (scale of clause 7.5).
_SEVERITY_OF_CATEGORY = {"safety": 4, "discrimination": 4, "privacy": 3, "staff_conduct": 3}
_USUAL_SEVERITY = 2


@dataclass(frozen=True, slots=True)
class Alternative:
    """A category that was not proposed, with its probability."""

    category: str
    probability: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed assessment.

    `abstained` means "not sure": show the first two categories and let the person choose. Probabilities are
    calibrated on held-out rows. `restricted` says that the case may be about a person or about our own handling, so
    it starts restricted. `rules` are the names of the safety rules that matched, `signs` also say where. `issues`
    begin with the main one; `similar` are confirmed cases by reference.
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
    #: The language in which the person writes, of any; None where that is not sure.
    written_in: str | None = None

    @property
    def danger(self) -> bool:
        return any(sign.danger for sign in self.signs)

    def as_json(self) -> dict[str, Any]:
        """Plain values under the keys that `--json` and the record use."""
        return {
            "category": self.category,
            "probability": self.probability,
            "alternatives": [asdict(other) for other in self.alternatives],
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
                {"text": issue.text, "category": issue.category, "probability": issue.probability}
                for issue in self.issues
            ],
            "criteria": [
                {**criterion.codes_and_figures(), "words": list(criterion.words)}
                for criterion in self.criteria
            ],
            "details": [{"kind": fact.kind, "value": fact.value, "text": fact.text} for fact in self.details],
            "similar": [
                {
                    "ref": case.ref,
                    "category": case.category,
                    "severity": case.severity,
                    "likeness": case.similarity,
                }
                for case in self.similar
            ],
        }


def load_phrases_and_languages() -> None:
    """Load the language model and compile the phrases of all languages, about a second; later proposals need not."""
    load_language_model()
    load_phrases()
    propose(None, "Nobody answers. It is dark.", ProposalContext())


def propose(
    model: Model | None, text: str, context: ProposalContext | None = None, vectors: Vectors | None = None
) -> Proposal:
    """Propose an assessment for any text.

    `vectors` (1, dimensions) is the one of the normalised text, for a model that was loaded without its encoder.

    Only categories of the model that are also in `context.categories` are proposed, with probabilities renormalised
    over them. It abstains below the model's threshold, and where the model would have preferred another category.
    Where the model knows none of them, or no word of the text, the category is "other" with probability 0, abstained.

    The severity is the highest of: the floors of the rules; 4 where the classifier of critical cases raises an alert;
    the usual severity of the category or, where it abstains, of the graver of the two shown, or of the two by words
    alone (with probability 0.3 or more). Without a model the category is "other", abstained.
    """
    context = context or ProposalContext()
    reading = _Reading.of_text(text, context)
    if model is None:
        severity = max(reading.severity_floor, _USUAL_SEVERITY)
        return reading.build_fallback(severity=severity, model_version=RULES_ALONE)
    return _propose_by_model(model, reading, model.encode([text]) if vectors is None else vectors)


def _propose_by_model(model: Model, reading: _Reading, vectors: Vectors | None) -> Proposal:
    text, context = reading.text, reading.context
    matrix = model.matrix([text])
    by_words = model.word_probabilities(matrix)
    probabilities = model.blend(by_words, vectors)[0]
    p_critical = _p_critical(model, matrix, reading.signs)
    alert = model.critical is not None and p_critical is not None and p_critical > model.critical.threshold
    alert = alert and matrix.nnz > 0
    severity = max(reading.severity_floor, CRITICAL if alert else _USUAL_SEVERITY)
    why_critical = _why_critical(model, text, matrix, p_critical) if alert else None
    common: dict[str, Any] = {
        "model_version": model.version,
        "p_critical": None if p_critical is None else round(p_critical, 4),
        "similar": tuple(model.neighbours.nearest(matrix, exclude=context.ref)) if model.neighbours else (),
    }
    allowed = np.array(
        [context.categories is None or category in context.categories for category in model.categories]
    )
    row = keep_allowed(probabilities, allowed)
    # The probabilities of a text without any word of the vocabulary are those of the training data.
    if row is None or matrix.nnz == 0:
        return reading.build_fallback(severity=severity, why_severity=why_critical, **common)
    by_category = {
        category: float(row[index]) for index, category in enumerate(model.categories) if allowed[index]
    }
    ranked = sorted(by_category, key=lambda category: -by_category[category])
    category, others = ranked[0], ranked[1 : 1 + _ALTERNATIVES]
    abstained = by_category[category] < model.abstains_below(vectors) or not allowed[probabilities.argmax()]
    # Also a story without words ("🔥🔥") leaves only the whole text.
    parts = (find_issues(model, part, whole=probabilities, allowed=allowed) for part in (context.story, text))
    issues = next(filter(None, parts), ())
    # Both categories are shown to the person, so the harm of either counts, in doubt also that of the two by words
    # alone: 71 of 80 grave held-out texts are found so, 69 without, and 70 without vectors.
    weighty = _weighty(by_category, 2 if abstained else 1) if issues else {}
    if issues and abstained:
        shares = (by_words[0] * allowed).tolist()
        weighty = _weighty(dict(zip(model.categories, shares, strict=True)), 2) | weighty
    gravest = max(weighty, key=_usual_severity, default=FALLBACK)
    usual = _usual_severity(gravest)
    why_severity = why_critical
    if usual > severity:
        reason = "doubted_category" if abstained else "usual_of_category"
        share = round(weighty[gravest], 4)
        why_severity = Criterion("severity", usual, reason, category=gravest, probability=share)
    why_safety = None
    if category == "safety" and not abstained:
        share = round(by_category[category], 4)
        why_safety = Criterion("safety", 1, "usual_of_category", category=category, probability=share)
    p_restricted = sum(by_category.get(name, 0.0) for name in _RESTRICTED_CATEGORIES)
    return reading.build_proposal(
        category=category,
        probability=round(by_category[category], 4),
        alternatives=tuple(Alternative(name, round(by_category[name], 4)) for name in others),
        abstained=bool(abstained),
        severity=max(severity, usual),
        why_severity=why_severity,
        safety=max(reading.safety_floor, 1 if why_safety else 0),
        why_safety=why_safety,
        because=find_reasons(model, text, category, matrix),
        restricted=reading.is_restricting or p_restricted >= RESTRICTED_AT,
        issues=issues,
        **common,
    )


def _weighty(by_category: Mapping[str, float], most: int) -> dict[str, float]:
    """The likeliest categories, so many at most, that are likely enough to propose their usual severity."""
    likeliest = sorted(by_category.items(), key=lambda entry: -entry[1])[:most]
    return {name: share for name, share in likeliest if share >= WEIGHTY_FROM}


def _usual_severity(category: str) -> int:
    return _SEVERITY_OF_CATEGORY.get(category, _USUAL_SEVERITY)


def _why_critical(
    model: Model, text: str, matrix: sparse.csr_matrix, p_critical: float | None
) -> Criterion | None:
    """Why the classifier of critical cases raised an alert: its probability, the limit, the strongest words."""
    if model.critical is None or p_critical is None:
        return None
    return Criterion(
        "severity",
        CRITICAL,
        "critical",
        find_critical_words(model, text, matrix),
        probability=round(p_critical, 4),
        limit=round(model.critical.threshold, 4),
    )


def keep_allowed(row: Doubles, allowed: Mask) -> Doubles | None:
    """The probabilities (categories,) of the allowed categories, summing to 1; None where they hardly have any.

    A model may know categories that a complaint's rulebook lacks: it was trained on another organisation's file, or
    a category was added since. What remains is how probable each category is, given that it is one of the desk's. If
    less than `LEAST_MASS` (0.01) remains, the model does not know the text.
    """
    mass = float(row[allowed].sum())
    return np.where(allowed, row, 0.0) / mass if mass >= LEAST_MASS else None


def _p_critical(model: Model, matrix: sparse.csr_matrix, found_signs: Sequence[Sign]) -> float | None:
    probabilities = model.critical_probabilities(matrix, np.array([rule_grade(found_signs)]))
    return None if probabilities is None else float(probabilities[0])


@dataclass(frozen=True, slots=True)
class _Reading:
    """What is read without a model.

    `spoken` is the most likely language among those of the tables, `language` among the organisation's, `written_in`
    among all, or None where that is not sure.
    """

    text: str
    context: ProposalContext
    signs: tuple[Sign, ...]
    language: str
    spoken: str
    written_in: str | None

    @classmethod
    def of_text(cls, text: str, context: ProposalContext) -> _Reading:
        head = normalise(text[:2_000])
        spoken = guess_language(head, LANGUAGES)
        language = guess_language(head, context.languages)
        signs = find_signs(text, extra=context.danger)
        return cls(text, context, signs, language, spoken, detect_language(head))

    @property
    def severity_floor(self) -> int:
        return max((sign.severity for sign in self.signs), default=1)

    @property
    def safety_floor(self) -> int:
        return max((sign.safety for sign in self.signs), default=0)

    @property
    def is_restricting(self) -> bool:
        """Whether the rules alone restrict the case."""
        return any(sign.kind in _RESTRICTING_KINDS for sign in self.signs)

    def build_fallback(self, **values: Any) -> Proposal:
        """The proposal of a text that no model knows: "other", not sure."""
        return self.build_proposal(
            category=FALLBACK,
            probability=0.0,
            abstained=True,
            safety=self.safety_floor,
            restricted=self.is_restricting,
            **values,
        )

    def build_proposal(
        self,
        *,
        severity: int,
        safety: int,
        category: str,
        probability: float,
        why_severity: Criterion | None = None,
        why_safety: Criterion | None = None,
        **values: Any,
    ) -> Proposal:
        """The proposal with all that needs no model; `why_…` is the reason where no rule demands the value."""
        issues = values.get("issues", ())
        cues = cue_words(self.text)
        return Proposal(
            **{"alternatives": (), "because": (), "p_critical": None} | values,
            category=category,
            probability=probability,
            severity=severity,
            safety=safety,
            rules=tuple(sign.rule for sign in self.signs),
            language=self.language,
            intent=classify_intent(self.text, language=self.spoken, found_signs=self.signs),
            criteria=(
                *harm_criteria(
                    self.signs,
                    self.text,
                    severity=severity,
                    safety=safety,
                    severity_otherwise=why_severity,
                    safety_otherwise=why_safety,
                ),
                *propose_criteria(
                    category=category,
                    probability=probability,
                    kinds=frozenset(sign.kind for sign in self.signs),
                    cues=frozenset(cues),
                    issues=max(1, len(issues)),
                    severity=severity,
                    safety=safety,
                    text=self.text,
                    like_confirmed=self.context.like_confirmed,
                    words={**cues, **self._words_of_signs()},
                ),
            ),
            details=self._details(),
            signs=self.signs,
            written_in=self.written_in,
        )

    def _words_of_signs(self) -> dict[str, str]:
        """The words of the gravest sign of each kind as written; under "safety" those of the most dangerous sign."""
        by_kind = {sign.kind: self.text[slice(*sign.span)] for sign in reversed(self.signs)}
        most_dangerous = max(self.signs, key=lambda sign: sign.safety, default=None)
        if most_dangerous is None:
            return by_kind
        return {**by_kind, "safety": self.text[slice(*most_dangerous.span)]}

    def _details(self) -> tuple[StoryFact, ...]:
        if self.context.received is None:
            return ()
        return find_facts(
            self.text, language=self.spoken, received=self.context.received, country=self.context.country
        )


def proposal_facts(proposal: Proposal, *, words: int) -> dict[str, Any]:
    """The codes and figures of a proposal, which an event and a card may hold; no words of the complainant."""
    values = proposal.as_json()
    copied = ("category", "alternatives", "severity", "safety", "abstained", "restricted", "rules")
    return {
        "words": words,
        **{name: values[name] for name in copied},
        "probability": round(values["probability"], 4),
        "intent": values["intent"],
        "intent_probability": values["intent_probability"],
        "issues": [
            {"category": issue["category"], "probability": issue["probability"]} for issue in values["issues"]
        ],
        "criteria": [criterion.codes_and_figures() for criterion in proposal.criteria],
        **({"happened_by": day} if (day := _last_date_in_story(proposal)) else {}),
        **({"written_in": proposal.written_in} if proposal.written_in else {}),
        "model": values["model_version"],
    }


def _last_date_in_story(proposal: Proposal) -> str | None:
    """The last date that the story mentions (ISO): a scheme that takes only recent events looks at it."""
    dates = [detail.value.rpartition("/")[2] for detail in proposal.details if detail.kind == "date"]
    return max(dates, default=None)


def proposal_words(proposal: Proposal) -> dict[str, str]:
    """The parts of a proposal that hold words or point to other people, for sealing: one JSON text for each field."""
    values = proposal.as_json()
    fields = {
        "because": values["because"],
        "matters": [issue["text"] for issue in values["issues"]],
        "evidence": [criterion["words"] for criterion in values["criteria"]],
        "details": values["details"],
        "similar": values["similar"],
    }
    return {field: json.dumps(content, ensure_ascii=False) for field, content in fields.items()}
