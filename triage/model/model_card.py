"""The model card: what a model was trained on, how good it is on held-out rows, and its known weaknesses.

It comes as plain values, for the store and `--json`, and as a page in Markdown.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from triage.defaults import ALERT_RATE
from triage.example import Example
from triage.model.calibration import Doubles, Integers, Mask
from triage.model.critical import PREVALENCE, HeldOutScores
from triage.model.pipeline import Model
from triage.model.prediction_metrics import (
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

#: What the owner of a model file must know.
PLAIN_FILE = (
    "The file is not encrypted. It holds words of the written examples, and words that at least {people} people "
    "used; in a CSV each row counts as a person."
)
_FEW_ROWS = 15
_FEW_OF_LANGUAGE = 30
_WEAK_F1 = 0.5


def model_card(model: Model) -> dict[str, Any]:
    """The model card as plain values: version, data, figures on held-out rows, threshold and weaknesses."""
    critical = model.critical
    return {
        "version": model.version,
        "classes": list(model.categories),
        "pipeline": (
            "TF-IDF of words 1-2 and characters 3-5, with a latent space below 2,000 rows; class-balanced linear "
            "classifiers of the kind chosen; sigmoids on held-back rows, normalised and as a softmax, mixed"
        ),
        "critical": None if critical is None else {"alert_threshold": rounded(critical.threshold)},
        **model.facts,
    }


def training_facts(
    rows: Sequence[Example],
    categories: tuple[str, ...],
    probabilities: Doubles,
    labels: Integers,
    threshold: float,
    wanted_precision: float,
    severity: HeldOutScores | None,
) -> dict[str, Any]:
    """The facts of a model's card, as plain values.

    `rows` are all training rows; `probabilities` (n, k) and `labels` (n,) those of the held-out ones; `severity` the
    held-out scores of the classifier of critical cases, None where there is none.
    """
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    f1 = f1_scores(predicted, labels, len(categories))
    counts = Counter(row.category for row in rows)
    languages = Counter(row.language or "unknown" for row in rows)
    severities = Counter(row.severity for row in rows if row.severity is not None)
    correct = predicted == labels
    coverage = coverage_and_precision(correct, probabilities.max(axis=1) >= threshold)
    return {
        "rows": len(rows),
        "categories": {category: counts[category] for category in categories},
        "languages": dict(sorted(languages.items())),
        "severities": {str(grade): severities[grade] for grade in sorted(severities)},
        "severity": None if severity is None else severity_recall(severity.scores, severity.critical),
        **accuracy_figures(probabilities, labels, float(np.nanmean(f1))),
        "wanted_precision": wanted_precision,
        "threshold": rounded(threshold),
        **coverage,
        "f1": {category: rounded(score) for category, score in zip(categories, f1.tolist(), strict=True)},
        "weaknesses": _weaknesses(categories, counts, f1, coverage["coverage"], len(rows)),
    }


def _weaknesses(
    categories: tuple[str, ...], counts: Counter[str], f1: Doubles, coverage: float, rows: int
) -> list[str]:
    weaknesses = []
    few = [category for category in categories if counts[category] < _FEW_ROWS]
    if few:
        weaknesses.append(f"fewer than {_FEW_ROWS} examples: {', '.join(few)}")
    weak = [category for category, score in zip(categories, f1, strict=True) if score < _WEAK_F1]
    if weak:
        weaknesses.append(f"wrong as often as right on held-back rows: {', '.join(weak)}")
    if coverage == 0:
        weaknesses.append("never sure enough for the wanted precision: every proposal says not sure")
    if rows < 1_000:
        weaknesses.append(
            "trained on few examples: figures vary by several points from one training to the next"
        )
    return weaknesses


def accuracy_figures(probabilities: Doubles, labels: Integers, macro_f1: float) -> dict[str, Any]:
    """Accuracy, macro-F1, log-loss and calibration error with their intervals, and accuracy on the surest 80 %."""
    predicted = probabilities.argmax(axis=1).astype(np.int64)
    hits, categories = int((predicted == labels).sum()), probabilities.shape[1]
    return {
        "accuracy": rounded(hits / len(labels)),
        "accuracy_interval": rounded_interval(proportion_interval(hits, len(labels))),
        "macro_f1": rounded(macro_f1),
        "macro_f1_interval": rounded_interval(macro_f1_interval(predicted, labels, categories)),
        "log_loss": rounded(log_loss(probabilities, labels)),
        "log_loss_interval": rounded_interval(log_loss_interval(probabilities, labels)),
        "ece": rounded(calibration_error(probabilities, labels)),
        # Its lower end is never above the figure.
        "ece_interval": rounded_interval(calibration_interval(probabilities, labels)),
        "accuracy_at_80": rounded(accuracy_at(probabilities, labels, 0.8)),
    }


def rounded(value: float) -> float:
    """The value with four decimals; more would suggest a precision that few rows do not have."""
    return round(float(value), 4)


def rounded_interval(bounds: tuple[float, float]) -> list[float]:
    """Both ends of a 95 % interval, as `rounded`."""
    return [rounded(bounds[0]), rounded(bounds[1])]


def coverage_and_precision(correct: Mask, covered: Mask) -> dict[str, Any]:
    """Coverage and precision of the proposals that are not "not sure", with Wilson's intervals; arrays (rows,)."""
    hits, kept = int(correct[covered].sum()), int(covered.sum())
    return {
        "coverage": rounded(covered.mean()),
        "coverage_interval": rounded_interval(proportion_interval(kept, len(covered))),
        "precision": rounded(hits / kept) if kept else None,
        "precision_interval": rounded_interval(proportion_interval(hits, kept)) if kept else None,
    }


def severity_recall(scores: Doubles, critical: Mask) -> dict[str, Any]:
    """Recall of critical rows (rows,) at 10 % alerts, re-weighted to 6 % critical, with its bootstrap interval."""
    recall = recall_at_alerts(scores, critical, rate=ALERT_RATE, prevalence=PREVALENCE)
    interval = recall_interval(scores, critical, rate=ALERT_RATE, prevalence=PREVALENCE)
    return {
        "rows": len(critical),
        "critical": int(critical.sum()),
        "recall_at_10": rounded(recall),
        "recall_at_10_interval": rounded_interval(interval),
    }


# The card as a page.

_SPLITS = {
    "time": "the most recent rows, from {since} on",
    "random": "drawn at random, each category in its share",
}
_METRICS = (
    ("accuracy", "Accuracy", "share of all proposals that were right"),
    ("macro_f1", "Macro-F1", "mean F1 score over the categories; 1 is perfect"),
    ("log_loss", "Log-loss", "how far off the probabilities are; lower is better, 0 is perfect"),
    ("ece", "Calibration error", "mean gap between a probability and how often it is right; lower is better"),
    ("accuracy_at_80", "Accuracy, surest 80 %", "without the fifth that it is least sure of"),
)


def render_card(card: Mapping[str, Any]) -> str:
    """The card, with the evaluation that a training adds to it, as Markdown; missing facts are left out."""
    return "\n".join(_lines(card)) + "\n"


def format_share(figures: Mapping[str, Any], key: str) -> str:
    """A share with its interval, as "80 % (71 to 87)"; a card of an earlier release has no interval."""
    bounds = figures.get(f"{key}_interval")
    interval = f" ({bounds[0] * 100:.0f} to {bounds[1] * 100:.0f})" if bounds else ""
    return _percent(figures[key]) + interval


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Model {card['version']}"
    yield ""
    yield f"It proposes one of {len(card['classes'])} categories; a person assesses (ISO 10002, 7.5)."
    yield ""
    yield from _data_section(card)
    evaluation = card.get("evaluation")
    if evaluation:
        yield from _evaluation_section(evaluation, card["held_back"])
    else:
        yield from ("## How good it is", "")
        yield "Too few rows to hold any back. The figures below come from cross-validation on the training rows."
        yield ""
        yield from _metrics_table(card)
        yield from _coverage_lines(card)
        yield from _severity_lines(card.get("severity"))
    yield from _categories_section(card, evaluation)
    yield from _choice_section(card)
    yield from ("## Known weaknesses", "")
    yield from (f"- {weakness}" for weakness in _all_weaknesses(card, evaluation))
    yield ""
    yield f"Pipeline: {card['pipeline']}."
    if card.get("sha256"):
        yield f"SHA-256 of the file: `{card['sha256']}`."
    if card.get("sha256") and card.get("fewest_people"):
        yield PLAIN_FILE.format(people=card["fewest_people"])
    if (history := card.get("history")) is not None:
        yield f"SHA-256 of its history file, {history['rows']} rows: `{history['sha256']}`."


def _data_section(card: Mapping[str, Any]) -> Iterator[str]:
    data = card.get("data", {})
    yield from ("## What it learned from", "")
    yield f"- {data.get('rows', card['rows'])} labelled complaints"
    if data.get("starters"):
        yield f"- {data['starters']} starter examples, which are part of every training"
    if card.get("unlabelled"):
        yield f"- {card['unlabelled']} complaints without a category, to learn which words occur together"
    if data.get("first"):
        yield f"- received from {data['first']} to {data['last']}"
    if data.get("copies"):
        yield f"- {data['copies']} of these repeat another; duplicates were never on both sides of the split"
    languages = ", ".join(f"{language} {count}" for language, count in card["languages"].items())
    yield f"- languages: {languages}"
    if card.get("severities"):
        severities = ", ".join(f"{severity}: {count}" for severity, count in card["severities"].items())
        yield f"- severities: {severities}"
    yield ""


def _evaluation_section(evaluation: Mapping[str, Any], held_back: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## How good it is", "")
    how = _SPLITS.get(held_back["how"], held_back["how"]).format(since=held_back["since"])
    yield f"Measured on {evaluation['rows']} held-back rows ({how}) with a model trained on the others."
    yield ""
    yield from _metrics_table(evaluation)
    yield from _coverage_lines(evaluation)
    yield from _severity_lines(evaluation["severity"])
    if len(evaluation["languages"]) > 1:
        yield from ("| language | rows | accuracy | 95 % between |", "|---|---|---|---|")
        for language, figures in evaluation["languages"].items():
            low, high = figures["accuracy_interval"]
            yield f"| {language} | {figures['rows']} | {figures['accuracy']:.3f} | {low:.3f} and {high:.3f} |"
        yield ""


def _metrics_table(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from ("| figure | value | 95 % between | what it means |", "|---|---|---|---|")
    for key, name, meaning in _METRICS:
        bounds = figures.get(f"{key}_interval")
        interval = f"{bounds[0]:.3f} and {bounds[1]:.3f}" if bounds else "–"
        yield f"| {name} | {figures[key]:.3f} | {interval} | {meaning} |"
    yield ""


def _coverage_lines(figures: Mapping[str, Any]) -> Iterator[str]:
    if figures["precision"] is None:
        yield "It was sure of none of them."
    else:
        yield (
            f"It is sure of {format_share(figures, 'coverage')} of them, and right in "
            f"{format_share(figures, 'precision')} "
            'of those; for the rest it says "not sure".'
        )
    yield ""


def _severity_lines(severity: Mapping[str, Any] | None) -> Iterator[str]:
    if not severity:
        return
    rules = ""
    if "rules_recall" in severity:
        rules = f"; the safety rules alone find {_percent(severity['rules_recall'])}"
    yield (
        f"Of {severity['critical']} critical cases among {severity['rows']} rows with a severity it finds "
        f"{format_share(severity, 'recall_at_10')} when one case in ten raises an alert{rules}."
    )
    yield ""


def _categories_section(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None) -> Iterator[str]:
    yield from ("## By category", "")
    yield from (
        "| category | learned from | held back | precision | recall | F1 |",
        "|---|---|---|---|---|---|",
    )
    for category, count in card["categories"].items():
        alone = {"f1": card["f1"].get(category)}
        figures = evaluation["categories"].get(category, {}) if evaluation else alone
        cells = " | ".join(_decimals(figures.get(name)) for name in ("precision", "recall", "f1"))
        yield f"| {category.replace('|', '/')} | {count} | {figures.get('rows', '–')} | {cells} |"
    yield ""


def _choice_section(card: Mapping[str, Any]) -> Iterator[str]:
    if not card.get("choice") and not card.get("candidates"):
        return
    yield from ("## Why this kind of model", "")
    choice = card.get("choice")
    if isinstance(choice, Mapping):
        yield from (f"- {name}: {reason}" for name, reason in choice.items())
    elif choice:
        yield str(choice)
    candidates = card.get("candidates") or ()
    rows = candidates.items() if isinstance(candidates, Mapping) else enumerate(candidates, 1)
    yield from (f"- {name}: {_inline(figures)}" for name, figures in rows)
    yield ""


def _all_weaknesses(card: Mapping[str, Any], evaluation: Mapping[str, Any] | None) -> Iterator[str]:
    yield from card["weaknesses"]
    contradictions = card.get("data", {}).get("contradictions")
    if contradictions:
        yield f"{contradictions} texts are in the file under more than one category"
    if evaluation and evaluation["unknown_categories"]:
        unknown = ", ".join(evaluation["unknown_categories"])
        yield f"too few examples outside the rows held back: {unknown}"
    if evaluation and evaluation["severity"] is None:
        yield "no severities to train or measure on: only the safety rules raise the severity"
    few = [
        language
        for language, count in card["languages"].items()
        if count < _FEW_OF_LANGUAGE and language != "unknown"
    ]
    if few:
        yield f"hardly any text to learn from in: {', '.join(few)}"
    yield "a category that is new, or not among these, is never proposed: look at what it is not sure of"


def _inline(figures: Any) -> str:
    if isinstance(figures, Mapping):
        return ", ".join(f"{name} {value}" for name, value in figures.items())
    return str(figures)


def _decimals(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _percent(value: float) -> str:
    return f"{value * 100:.0f} %"
