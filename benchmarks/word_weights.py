"""Learning the weights of words: what the trainers of the safety rules and of the letter warnings share."""

import csv
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

# How far the weights may follow the examples: chosen by cross-validation from 3, 10 and 30.
_FREEDOM = 10.0


def regression() -> LogisticRegression:
    return LogisticRegression(C=_FREEDOM, class_weight="balanced", solver="liblinear", max_iter=3000)


def count_features(features: Iterable[Iterable[str]], fewest_rows: int = 2) -> tuple[Any, list[str]]:
    """A row for each text, of length 1, and the names of the columns: features in so many texts or more."""
    vectoriser = CountVectorizer(analyzer=lambda row: row, binary=True, min_df=fewest_rows)
    matrix = normalize(vectoriser.fit_transform(features).astype(float))
    return matrix, list(vectoriser.get_feature_names_out())


def write_weights(
    folder: str, language: str, weights: Mapping[str, Iterable[float]], digits: int = 2
) -> None:
    """The file of a language: a feature and its weights a line, with so many digits after the point."""
    file = Path(str(resources.files("triage").joinpath(folder, f"weights_{language}.csv")))
    lines = [[name, *(_short(weight, digits) for weight in row)] for name, row in sorted(weights.items())]
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(lines)


def _short(weight: float, digits: int) -> str:
    """The number in as few characters as can be: "-.3", "2", "0"."""
    sign, text = (
        "-" if weight < 0 else "",
        f"{abs(weight):.{digits}f}".rstrip("0").rstrip(".").removeprefix("0"),
    )
    return sign + text if text else "0"
