"""The proposed initial assessment (clause 7.5): category, severity and safety, with reasons and doubt.

The model proposes, a person assesses. Safety rules can only raise what the model says, and without a model
the rules alone make the proposal, so that intake never waits for training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from triage.pipeline import CRITICAL, Model
from triage.reasons import Reason, reasons
from triage.safety import DangerSign, Sign, signs
from triage.text import guess_language, normalise

RESTRICTED_AT = 0.30
"""From this summed probability of staff conduct, handling and discrimination on, a case is kept from view."""

_RESTRICTED_CATEGORIES = ("staff_conduct", "handling", "discrimination")
_RESTRICTING_KINDS = frozenset({"discrimination"})
_ALTERNATIVES = 3
_NO_MODEL = "rules"

# What a category means for severity before anything is known of the case (scale of clause 7.5).
_USUAL_SEVERITY = {"safety": 4, "discrimination": 4, "privacy": 3, "staff_conduct": 3}
_USUAL = 2


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
    restricted place.
    """

    category: str
    probability: float
    alternatives: tuple[Alternative, ...]
    abstained: bool
    severity: int
    safety: int
    because: tuple[Reason, ...]
    rules: tuple[str, ...]
    language: str
    model_version: str
    restricted: bool
    p_critical: float | None
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
        }


def propose(
    model: Model | None,
    text: str,
    *,
    languages: Sequence[str] = ("en", "tr"),
    danger: Sequence[DangerSign] = (),
) -> Proposal:
    """Propose an assessment for a text; any text is accepted, and only trained categories are proposed.

    Severity is the highest of the rules' floors, 4 where the critical classifier raises an alert, and the
    usual severity of the category unless the model is not sure of it. Without a model the category is
    "other", abstained.
    """
    found = signs(text, extra=danger)
    language = guess_language(normalise(text[:2_000]), languages)
    floor = max((sign.severity for sign in found), default=1)
    safety = max((sign.safety for sign in found), default=0)
    rules = tuple(sign.rule for sign in found)
    restricting = any(sign.kind in _RESTRICTING_KINDS for sign in found)
    if model is None:
        return Proposal(
            category="other",
            probability=0.0,
            alternatives=(),
            abstained=True,
            severity=max(floor, _USUAL),
            safety=safety,
            because=(),
            rules=rules,
            language=language,
            model_version=_NO_MODEL,
            restricted=restricting,
            p_critical=None,
            signs=found,
        )
    matrix = model.matrix([text])
    row = model.probabilities(matrix)[0]
    by_category = dict(zip(model.categories, row.tolist(), strict=True))
    ranked = sorted(by_category, key=lambda category: -by_category[category])
    category, probability = ranked[0], by_category[ranked[0]]
    # A text without one known word has the probabilities of the examples' mix, which say nothing about it.
    abstained = probability < model.threshold or matrix.nnz == 0
    critical = model.critical_probabilities(matrix)
    p_critical = None if critical is None else float(critical[0])
    alert = model.critical is not None and p_critical is not None and p_critical > model.critical.threshold
    usual = _USUAL if abstained else _USUAL_SEVERITY.get(category, _USUAL)
    if category == "safety" and not abstained:
        safety = max(safety, 1)
    about_people = sum(by_category.get(other, 0.0) for other in _RESTRICTED_CATEGORIES)
    return Proposal(
        category=category,
        probability=round(probability, 4),
        alternatives=tuple(
            Alternative(other, round(by_category[other], 4)) for other in ranked[1 : 1 + _ALTERNATIVES]
        ),
        abstained=abstained,
        severity=max(floor, usual, CRITICAL if alert and matrix.nnz else 1),
        safety=safety,
        because=reasons(model, text, category),
        rules=rules,
        language=language,
        model_version=model.version,
        restricted=restricting or about_people >= RESTRICTED_AT,
        p_critical=None if p_critical is None else round(p_critical, 4),
        signs=found,
    )
