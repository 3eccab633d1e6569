"""The model card: what a model was trained on, how good it is on held-back rows, and where it is weak.

The model card as a page that a person can read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.example import Example
from triage.model.calibration import Doubles, Integers
from triage.model.critical import ALERT_RATE, PREVALENCE, HeldBack
from triage.model.metrics import (
    accuracy_at,
    calibration_error,
    calibration_interval,
    f1_scores,
    log_loss,
    log_loss_interval,
    macro_f1_interval,
    proportion_interval,
    recall_at_alerts,
    recall_interval,
)
from triage.model.pipeline import Model

_FEW_ROWS = 15
_WEAK_F1 = 0.5


def rounded(value: float) -> float:
    """Four places: more would claim what few rows cannot say."""
    return round(float(value), 4)


def rounded_interval(bounds: tuple[float, float]) -> list[float]:
    """Both ends of a 95 % interval, as `rounded`."""
    return [rounded(bounds[0]), rounded(bounds[1])]


def sureness(right: npt.NDArray[np.bool_], sure: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Coverage and precision of the proposals that are sure, with Wilson's intervals; all arrays (rows,)."""
    hits, kept = int(right[sure].sum()), int(sure.sum())
    return {
        "coverage": rounded(sure.mean()),
        "coverage_interval": rounded_interval(proportion_interval(kept, len(sure))),
        "precision": rounded(hits / kept) if kept else None,
        "precision_interval": rounded_interval(proportion_interval(hits, kept)) if kept else None,
    }


def severity_recall(scores: Doubles, critical: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """How many critical rows are found at 10 % alerts, as if 6 % were critical, with its bootstrap interval."""
    found = recall_at_alerts(scores, critical, rate=ALERT_RATE, prevalence=PREVALENCE)
    between = recall_interval(scores, critical, rate=ALERT_RATE, prevalence=PREVALENCE)
    return {
        "rows": len(critical),
        "critical": int(critical.sum()),
        "recall_at_10": rounded(found),
        "recall_at_10_interval": rounded_interval(between),
    }


def training_facts(
    rows: Sequence[Example],
    categories: tuple[str, ...],
    probabilities: Doubles,
    labels: Integers,
    threshold: float,
    wanted_precision: float,
    severity: HeldBack | None,
) -> dict[str, Any]:
    """The card's facts from held-back probabilities (n, k) and labels (n,), as plain values.

    `severity` is how the classifier of critical cases ranked the rows held back from it.
    """
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    f1 = f1_scores(predicted, labels, len(categories))
    counts = Counter(row.category for row in rows)
    languages = Counter(row.language or "unknown" for row in rows)
    severities = Counter(row.severity for row in rows if row.severity is not None)
    right = predicted == labels
    sure = sureness(right, probabilities.max(axis=1) >= threshold)
    return {
        "rows": len(rows),
        "categories": {category: counts[category] for category in categories},
        "languages": dict(sorted(languages.items())),
        "severities": {str(grade): severities[grade] for grade in sorted(severities)},
        "severity": None if severity is None else severity_recall(severity.scores, severity.critical),
        "accuracy": rounded(right.mean()),
        "accuracy_interval": rounded_interval(proportion_interval(int(right.sum()), len(right))),
        "macro_f1": rounded(float(np.nanmean(f1))),
        "macro_f1_interval": rounded_interval(macro_f1_interval(predicted, labels, len(categories))),
        "log_loss": rounded(log_loss(probabilities, labels)),
        "log_loss_interval": rounded_interval(log_loss_interval(probabilities, labels)),
        "ece": rounded(calibration_error(probabilities, labels)),
        "ece_interval": rounded_interval(calibration_interval(probabilities, labels)),
        "accuracy_at_80": rounded(accuracy_at(probabilities, labels, 0.8)),
        "wanted_precision": wanted_precision,
        "threshold": rounded(threshold),
        **sure,
        "f1": {category: rounded(score) for category, score in zip(categories, f1.tolist(), strict=True)},
        "weaknesses": _weaknesses(categories, counts, f1, sure["coverage"], len(rows)),
    }


def _weaknesses(
    categories: tuple[str, ...], counts: Counter[str], f1: Doubles, coverage: float, rows: int
) -> list[str]:
    told = []
    few = [category for category in categories if counts[category] < _FEW_ROWS]
    if few:
        told.append(f"fewer than {_FEW_ROWS} examples: {', '.join(few)}")
    weak = [category for category, score in zip(categories, f1, strict=True) if score < _WEAK_F1]
    if weak:
        told.append(f"wrong as often as right on held-back rows: {', '.join(weak)}")
    if coverage == 0:
        told.append("never sure enough for the wanted precision: every proposal says not sure")
    if rows < 1_000:
        told.append("trained on few examples: figures vary by several points from one draw to the next")
    return told


def card(model: Model) -> dict[str, Any]:
    """The model card: version, data, figures on held-back rows, threshold of doubt and known weaknesses."""
    critical = model.critical
    return {
        "version": model.version,
        "classes": list(model.categories),
        "pipeline": (
            "TF-IDF of words 1-2 and characters 3-5, widened by a latent space below 2,000 rows; balanced "
            "linear planes of the kind chosen; sigmoids on held-back rows, read normalised and as a softmax, mixed"
        ),
        "critical": None if critical is None else {"alert_threshold": rounded(critical.threshold)},
        **model.facts,
    }


_HOW = {
    "time": "the most recent rows, from {since} on",
    "random": "drawn at random, each category in its share",
}
_FIGURES = (
    ("accuracy", "Accuracy", "of all proposals, how many were right"),
    ("macro_f1", "Macro-F1", "the mean over the categories of how well each is found; 1 is faultless"),
    ("log_loss", "Log-loss", "how far off the probabilities are; lower is better, 0 is faultless"),
    ("ece", "Calibration error", "how far a probability is from how often it is right; lower is better"),
    ("accuracy_at_80", "Accuracy, surest 80 %", "with the fifth it is least sure of left out"),
)


def page(card: Mapping[str, Any]) -> str:
    """The card (`card.card`, with what `history.learn` adds) as Markdown; what is missing is left out."""
    return "\n".join(_lines(card)) + "\n"


def share(figures: Mapping[str, Any], key: str) -> str:
    """ "80 % (71 to 87)"; a card of an earlier release has no interval."""
    bounds = figures.get(f"{key}_interval")
    between = f" ({bounds[0] * 100:.0f} to {bounds[1] * 100:.0f})" if bounds else ""
    return _percent(figures[key]) + between


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Model {card['version']}"
    yield ""
    yield f"It proposes one of {len(card['classes'])} categories; a person assesses (ISO 10002, 7.5)."
    yield ""
    yield from _data(card)
    judged = card.get("evaluation")
    if judged:
        yield from _judged(judged, card["held_back"])
    else:
        yield from ("## How good it is", "")
        yield "Too few rows to hold any back. The figures below come from within the training rows."
        yield ""
        yield from _figures(card)
        yield from _sureness(card)
        yield from _found(card.get("severity"))
    yield from _categories(card, judged)
    yield from _choice(card)
    yield from ("## Known weaknesses", "")
    yield from (f"- {told}" for told in _weaknesses_section(card, judged))
    yield ""
    yield f"Pipeline: {card['pipeline']}."
    if card.get("sha256"):
        yield f"SHA-256 of the file: `{card['sha256']}`."
    if (history := card.get("history")) is not None:
        yield f"SHA-256 of the history file beside it, {history['rows']} rows: `{history['sha256']}`."


def _data(card: Mapping[str, Any]) -> Iterator[str]:
    data = card.get("data", {})
    yield from ("## What it learnt from", "")
    yield f"- {data.get('rows', card['rows'])} labelled complaints"
    if data.get("starters"):
        yield f"- {data['starters']} starter examples, which stay in every training"
    if card.get("unlabelled"):
        yield f"- {card['unlabelled']} complaints without a category, for the words that go together"
    if data.get("first"):
        yield f"- received from {data['first']} to {data['last']}"
    if data.get("copies"):
        yield f"- of these, {data['copies']} repeat another one; copies were never on both sides"
    spoken = ", ".join(f"{language} {count}" for language, count in card["languages"].items())
    yield f"- languages: {spoken}"
    if card.get("severities"):
        graded = ", ".join(f"{severity}: {count}" for severity, count in card["severities"].items())
        yield f"- severities: {graded}"
    yield ""


def _judged(judged: Mapping[str, Any], held: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## How good it is", "")
    how = _HOW.get(held["how"], held["how"]).format(since=held["since"])
    yield f"Judged on {judged['rows']} rows that it had not seen ({how}), by a model trained on the others."
    yield ""
    yield from _figures(judged)
    yield from _sureness(judged)
    yield from _found(judged["severity"])
    if len(judged["languages"]) > 1:
        yield from ("| language | rows | accuracy | 95 % between |", "|---|---|---|---|")
        for language, one in judged["languages"].items():
            low, high = one["accuracy_interval"]
            yield f"| {language} | {one['rows']} | {one['accuracy']:.3f} | {low:.3f} and {high:.3f} |"
        yield ""


def _sureness(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["precision"] is None:
        yield "It was sure of none of them."
    else:
        yield (
            f"It is sure of {share(figures, 'coverage')} of them, and right in {share(figures, 'precision')} "
            'of those; of the rest it says "not sure".'
        )
    yield ""


def _found(severity: Mapping[str, Any] | None) -> Iterator[str]:
    if not severity:
        return
    rules = ""
    if "rules_recall" in severity:
        rules = f"; the safety rules alone find {_percent(severity['rules_recall'])}"
    yield (
        f"Of {severity['critical']} critical cases among {severity['rows']} graded ones it finds "
        f"{share(severity, 'recall_at_10')} when one case in ten raises an alert{rules}."
    )
    yield ""


def _figures(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from ("| figure | value | 95 % between | what it means |", "|---|---|---|---|")
    for key, name, meaning in _FIGURES:
        bounds = figures.get(f"{key}_interval")
        between = f"{bounds[0]:.3f} and {bounds[1]:.3f}" if bounds else "–"
        yield f"| {name} | {figures[key]:.3f} | {between} | {meaning} |"
    yield ""


def _categories(card: Mapping[str, Any], judged: Mapping[str, Any] | None) -> Iterator[str]:
    yield from ("## By category", "")
    yield from (
        "| category | learnt from | held back | precision | recall | F1 |",
        "|---|---|---|---|---|---|",
    )
    for category, count in card["categories"].items():
        one = judged["categories"].get(category, {}) if judged else {"f1": card["f1"].get(category)}
        cells = [_figure(one.get(name)) for name in ("precision", "recall", "f1")]
        yield f"| {category.replace('|', '/')} | {count} | {one.get('rows', '–')} | {' | '.join(cells)} |"
    yield ""


def _choice(card: Mapping[str, Any]) -> Iterator[str]:
    if not card.get("choice") and not card.get("candidates"):
        return
    yield from ("## Why this kind of model", "")
    choice = card.get("choice")
    if isinstance(choice, Mapping):
        yield from (f"- {name}: {told}" for name, told in choice.items())
    elif choice:
        yield str(choice)
    candidates = card.get("candidates") or ()
    rows = candidates.items() if isinstance(candidates, Mapping) else enumerate(candidates, 1)
    yield from (f"- {name}: {_inline(told)}" for name, told in rows)
    yield ""


def _inline(told: Any) -> str:
    return (
        ", ".join(f"{name} {value}" for name, value in told.items())
        if isinstance(told, Mapping)
        else str(told)
    )


def _weaknesses_section(card: Mapping[str, Any], judged: Mapping[str, Any] | None) -> Iterator[str]:
    yield from card["weaknesses"]
    contradictions = card.get("data", {}).get("contradictions")
    if contradictions:
        yield f"{contradictions} texts stand in the file under more than one category"
    if judged and judged["unknown_categories"]:
        yield f"too few examples to learn before the rows held back: {', '.join(judged['unknown_categories'])}"
    if judged and judged["severity"] is None:
        yield "no severities to judge by: the safety rules alone raise a case"
    few = [language for language, count in card["languages"].items() if count < 30 and language != "unknown"]
    if few:
        yield f"hardly any text to learn from in: {', '.join(few)}"
    yield "a category that is new, or not among these, is never proposed: look at what it is not sure of"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{value * 100:.0f} %"
