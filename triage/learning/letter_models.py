"""Learn the weights of the letter warnings: `python -m triage.learning.letter_models`.

`make install` and a release run it; nothing that runs does. The label is the letter's: in a letter with a fault the
sentence that weighs most is taken for the faulty one, and the weights are learned again. Words belong to a language;
the marks of rules and groups are learned from the letters of all languages.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from scipy.sparse import diags, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from triage.letters.letter_rules import split_letter
from triage.letters.letter_sentences import WEIGHTS, WeighedSentence, read_sentences
from triage.letters.letter_warnings import LIMIT, WEIGHED
from triage.matching import LANGUAGES

#: What weighs more is a warning. `python -m benchmarks.letter_words` chooses these by cross-validation.
LIMITS = {
    "others_data": -0.910,
    "internal": -0.664,
    "admission": -1.610,
    "promise_without_date": -1.213,
    "blaming": 0.312,
}
# The sets with letters as long as people send (250 to 450 characters), in which the faulty words are marked.
_LONG = ("e", "h", "i", "k", "m")
# Words against marks and groups, and these sets against shorter letters and single sentences. Chosen by
# cross-validation from 1, 1.5, 2 and 2.5, and from 1 and 3.
_WEIGHT_OF_WORDS = 2.0
_WEIGHT_OF_LONG = 3.0
# How far the weights may follow the examples: chosen by cross-validation from 3, 10 and 30.
_FREEDOM = 10.0
# A word or part in fewer sentences is left out: 3 and 4 do equally well, and the file is a quarter smaller.
_FEWEST_ROWS = 4
_ROUNDS = 2
# One to four sentences without a place in a letter. In a passage the faulty ones are marked.
_SENTENCE, _PASSAGE = "sentence", "passage"
# A feature counts by how much more often it is in faulty sentences than in others: half its log ratio, half the mean
# of all, with one sentence added to each side. In cross-validation that finds 2 to 3 % more at equal false alarms.
_SHARE_OF_RATIO, _ADDED_SENTENCES = 0.5, 1.0


@dataclass(frozen=True)
class LetterLabels:
    """What is known of one kind of warning: of each letter, and of each sentence.

    `marked` is 1 in the sentence that the author marked, 0 in the others of that letter, -1 where nothing is marked.
    `has_cause`: a rule found words.
    """

    is_faulty: Any
    is_skipped: Any
    marked: Any
    has_cause: Any


class Letters:
    """The written letters, single sentences and passages (`letters.csv`), sentence by sentence.

    `letter_of` is the letter of each row of `matrix`, whose columns are `names`; `rarity` and `share` are those of
    the columns.
    """

    def __init__(self) -> None:
        self.letters = _read_letters()
        read = [_sentences_of(row) for row in self.letters]
        self.sentences = [sentence for sentences in read for sentence in sentences]
        self.letter_of = np.repeat(np.arange(len(read)), [len(sentences) for sentences in read])
        words, word_names = _count(
            [
                [f"{self.letters[number]['language']}:{word}" for word in sentence.words]
                for number, sentence in zip(self.letter_of, self.sentences, strict=True)
            ],
            _FEWEST_ROWS,
        )
        rare = TfidfTransformer().fit(words)
        marks, mark_names = _count((sentence.marks for sentence in self.sentences), 3)
        groups, group_names = _count((sentence.groups for sentence in self.sentences), 5)
        self.matrix = hstack([_WEIGHT_OF_WORDS * rare.transform(words), marks, groups]).tocsr()
        self.names = [*word_names, *mark_names, *group_names]
        others = [1.0] * (len(self.names) - len(word_names))
        self.rarity = np.array([*rare.idf_, *others])
        self.share = np.array([*(_WEIGHT_OF_WORDS * rare.idf_), *others])

    def of_sources(self, sources: Sequence[str]) -> Any:
        return np.array([row["source"] in sources for row in self.letters])

    def labels(self, kind: str) -> LetterLabels:
        return LetterLabels(
            np.array([kind in row["warnings"].split() for row in self.letters]),
            np.array([_is_skipped(row, kind) for row in self.letters]),
            np.array(
                [
                    _is_marked(sentence, self.letters[number], kind)
                    for sentence, number in zip(self.sentences, self.letter_of, strict=True)
                ]
            ),
            np.array([kind in sentence.causes for sentence in self.sentences]),
        )

    def learn(self, labels: LetterLabels, rows: Any) -> tuple[Any, Any, LogisticRegression]:
        """How much each feature counts, the matrix so scaled, and the weights learned from these rows."""
        rows = rows[~labels.is_skipped[self.letter_of[rows]]]
        is_faulty = labels.is_faulty[self.letter_of] & (labels.marked != 0)
        ratios = self._ratios(rows[is_faulty[rows]], rows[~is_faulty[rows]])
        scaled = (self.matrix @ diags(ratios)).tocsr()
        return ratios, scaled, self._fit(scaled, labels, rows[is_faulty[rows]], rows[~is_faulty[rows]])

    def _ratios(self, faulty: Any, others: Any) -> Any:
        largest = np.maximum(abs(self.matrix).max(axis=0).toarray().ravel(), 1e-9)
        in_faulty, in_others = (
            np.asarray(self.matrix[part].sum(axis=0)).ravel() / largest + _ADDED_SENTENCES
            for part in (faulty, others)
        )
        ratios = np.abs(np.log(in_faulty / in_faulty.sum()) - np.log(in_others / in_others.sum()))
        return _SHARE_OF_RATIO * ratios + (1 - _SHARE_OF_RATIO) * ratios.mean()

    def _fit(self, matrix: Any, labels: LetterLabels, candidates: Any, negative: Any) -> LogisticRegression:
        """The faulty sentence is first the one marked or found by rules, then the heaviest."""
        weight_of = np.where(self.of_sources(_LONG), _WEIGHT_OF_LONG, 1.0)[self.letter_of]
        alone = np.bincount(self.letter_of)[self.letter_of[candidates]] == 1
        positive = candidates[alone | labels.has_cause[candidates] | (labels.marked[candidates] == 1)]
        for _ in range(_ROUNDS):
            learned = np.concatenate([positive, negative])
            model = LogisticRegression(
                C=_FREEDOM, class_weight="balanced", solver="liblinear", max_iter=3000, dual=True, tol=1e-2
            )
            model.fit(
                matrix[learned],
                np.repeat([True, False], [len(positive), len(negative)]),
                sample_weight=weight_of[learned],
            )
            heaviest: dict[int, tuple[float, int]] = {}
            for row, weight in zip(candidates, model.decision_function(matrix[candidates]), strict=True):
                number = self.letter_of[row]
                heaviest[number] = max(heaviest.get(number, (-np.inf, -1)), (weight, row))
            positive = np.array([row for _, row in heaviest.values()])
        return model


def _read_letters() -> list[dict[str, str]]:
    file = resources.files("triage").joinpath("letters", "letters.csv")
    # A letter has line breaks, so the file is not split into lines first.
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def _sentences_of(row: Mapping[str, str]) -> list[WeighedSentence]:
    is_letter = row["source"] not in (_SENTENCE, _PASSAGE)
    # A sentence or passage has no salutation, so it gets one that is not weighed, and no place in a letter.
    before = "" if is_letter else "-:\n"
    personal = [
        (start + len(before), end + len(before), kind) for start, end, kind in personal_spans(row["personal"])
    ]
    sentences = read_sentences(split_letter(before + row["text"]), row["language"], personal)
    return sentences if is_letter else [sentence.without_place() for sentence in sentences[1:]]


def personal_spans(written: str) -> list[tuple[int, int, str]]:
    """The column `personal`: start, end and kind of what masking finds and is not the complainant's."""
    spans = (span.split(":") for span in written.split())
    return [(int(start), int(end), kind) for start, end, kind in spans]


def _count(features: Iterable[Iterable[str]], fewest_rows: int) -> tuple[Any, list[str]]:
    """A row for each text, of length 1, and the names of the columns: features in so many texts or more."""
    vectoriser = CountVectorizer(analyzer=lambda row: row, binary=True, min_df=fewest_rows)
    matrix = normalize(vectoriser.fit_transform(features).astype(float))
    return matrix, list(vectoriser.get_feature_names_out())


def _is_marked(sentence: WeighedSentence, row: Mapping[str, str], kind: str) -> int:
    if not row["faults"]:
        return -1
    text = sentence.sentence.text.strip()
    faults = [line.split(": ", 1) for line in row["faults"].splitlines()]
    return int(any(name == kind and (fault in text or text in fault) for name, fault in faults))


def _is_skipped(row: Mapping[str, str], kind: str) -> bool:
    """A manager may admit, and a sentence with another fault may promise too."""
    has_other_fault = bool(row["warnings"]) and kind not in row["warnings"].split()
    return (kind == "admission" and row["role"] == "manager") or (
        kind == "promise_without_date" and row["source"] == _SENTENCE and has_other_fault
    )


def main() -> None:
    letters = Letters()
    columns, limits = [letters.rarity**2], [0.0]
    for kind in WEIGHED:
        ratios, _, model = letters.learn(letters.labels(kind), np.arange(len(letters.sentences)))
        columns.append(model.coef_[0] * letters.share * ratios)
        limits.append(LIMITS[kind] - model.intercept_[0])
    # Whole tenths.
    weights = np.round(10 * np.array(columns)).astype(np.int16)
    arrays: dict[str, Any] = {"limits": np.round(10 * np.array(limits)).astype(np.int16)}
    for language in LANGUAGES:
        own = [place for place, name in enumerate(letters.names) if name.startswith((f"{language}:", "#"))]
        arrays[f"{language}_features"] = np.array(
            "\n".join([*(letters.names[place].removeprefix(f"{language}:") for place in own), LIMIT])
        )
        arrays[f"{language}_weights"] = np.column_stack([weights[:, own], arrays["limits"]])
    del arrays["limits"]
    np.savez_compressed(WEIGHTS, **arrays)


if __name__ == "__main__":
    main()
