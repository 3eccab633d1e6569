"""The model card as a page that a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
    yield from (f"- {told}" for told in _weaknesses(card, judged))
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


def _weaknesses(card: Mapping[str, Any], judged: Mapping[str, Any] | None) -> Iterator[str]:
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
