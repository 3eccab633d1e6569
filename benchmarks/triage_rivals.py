"""The models that triage is compared with: plain TF-IDF with logistic regression, and a plain calibrated SVM.

Both get the same rows as Amends, including the written examples.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.sparse as sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

Predict = Callable[[Sequence[str]], np.ndarray]
Make = Callable[[Sequence[str], Sequence[str]], tuple[Predict, tuple[str, ...]]]


def plain_regression(texts: Sequence[str], categories: Sequence[str]) -> tuple[Predict, tuple[str, ...]]:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=_rare(texts))
    classifier = LogisticRegression(max_iter=1000)
    classifier.fit(words.fit_transform(texts), categories)
    return (lambda texts_: classifier.predict_proba(words.transform(texts_))), tuple(classifier.classes_)


def plain_svm(texts: Sequence[str], categories: Sequence[str]) -> tuple[Predict, tuple[str, ...]]:
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=_rare(texts))
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True, min_df=_rare(texts))
    matrix = sparse.hstack([words.fit_transform(texts), letters.fit_transform(texts)]).tocsr()
    _, counts = np.unique(categories, return_counts=True)
    classifier: Any = CalibratedClassifierCV(LinearSVC(C=0.3, class_weight="balanced"), cv=3, ensemble=False)
    if counts.min() < 3:
        classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
    classifier.fit(matrix, categories)

    def predict(texts_: Sequence[str]) -> np.ndarray:
        columns = sparse.hstack([words.transform(texts_), letters.transform(texts_)]).tocsr()
        return np.asarray(classifier.predict_proba(columns))

    return predict, tuple(classifier.classes_)


def _rare(texts: Sequence[str]) -> int:
    return 2 if len(texts) > 1_000 else 1


REGRESSION, SVM = "plain TF-IDF + regression", "plain calibrated SVM"
RIVALS: Mapping[str, Make] = {REGRESSION: plain_regression, SVM: plain_svm}
