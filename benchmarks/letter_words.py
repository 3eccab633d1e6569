"""The word weights of the letter warnings, learned from the written letters in `triage/letters/letters.csv`.

Run `python -m benchmarks.letter_words` after a change of the letters, rules or groups. It prints how each set does in
cross-validation. The label is the letter's: in a letter with a fault the sentence that weighs most is taken for the
faulty one, and the weights are learned again. Words belong to a language; the marks of rules and groups are learned
from the letters of all languages.
"""

import csv
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
from scipy.sparse import hstack
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.word_weights import count_features, regression, write_weights
from store.redaction.masking import find_spans
from triage.letter_warnings import LIMIT, TRUST, WEIGHED, WeighedSentence, read_sentences
from triage.matching import LANGUAGES, fold

FALSE_ALARMS = {
    "others_data": 0.006, "internal": 0.01, "admission": 0.006, "promise_without_date": 0.012, "blaming": 0.01,
}  # fmt: skip
"""Share of good letters, held out by cross-validation and two by two, that each kind may warn of."""
# Words against marks and groups. Chosen by leaving out set E from 1 and 1.5.
_WEIGHT_OF_WORDS = 1.5
_FOLDS, _ROUNDS = 5, 3
_SENTENCE = "sentence"


def read_letters() -> list[dict[str, str]]:
    """The written letters, and single sentences with or without a fault."""
    file = resources.files("triage").joinpath("letters", "letters.csv")
    return list(csv.DictReader(file.read_text("utf-8").splitlines()))


def personal_spans(row: dict[str, str]) -> list[tuple[int, int, str]]:
    """The personal data in a letter that is not the complainant's, as `store.people.others_data` finds it."""
    own = set(fold(row["person"]).text.split())
    spans = [(span.start, span.end, span.kind) for span in find_spans(row["text"], language=row["language"])]
    return [span for span in spans if own.isdisjoint(fold(row["text"][span[0] : span[1]]).text.split())]


def main() -> None:
    letters = read_letters()
    sentences: list[WeighedSentence] = []
    letter_of: list[int] = []
    for number, row in enumerate(letters):
        # A single sentence has no salutation, so it gets one that is not weighed.
        before = "-:\n" if row["source"] == _SENTENCE else ""
        personal = [
            (start + len(before), end + len(before), kind) for start, end, kind in personal_spans(row)
        ]
        read = read_sentences(before + row["text"], row["language"], personal)[bool(before) :]
        sentences += read
        letter_of += [number] * len(read)
    languages = [letters[number]["language"] for number in letter_of]
    words, word_names = count_features(
        [f"{language}:{word}" for word in sentence.words]
        for language, sentence in zip(languages, sentences, strict=True)
    )
    rare = TfidfTransformer().fit(words)
    marks, mark_names = count_features((sentence.marks for sentence in sentences), fewest_rows=3)
    groups, group_names = count_features((sentence.groups for sentence in sentences), fewest_rows=5)
    matrix = hstack([_WEIGHT_OF_WORDS * rare.transform(words), marks, groups]).tocsr()
    names = [*word_names, *mark_names, *group_names]
    others = [1.0] * (len(names) - len(word_names))
    rarity = np.array([*rare.idf_, *others])
    share = np.array([*(_WEIGHT_OF_WORDS * rare.idf_), *others])
    columns: list[Any] = [rarity**2]
    limits: list[float] = [0.0]
    for kind in WEIGHED:
        model, limit = _learn(matrix, np.array(letter_of), letters, kind, sentences)
        columns.append(model.coef_[0] * share)
        limits.append(limit - model.intercept_[0])
    rows = dict(zip(names, zip(*columns, strict=True), strict=True))
    for language in LANGUAGES:
        own = {
            name.removeprefix(f"{language}:"): row
            for name, row in rows.items()
            if name.startswith((f"{language}:", "#"))
        }
        write_weights("letters", language, own | {LIMIT: tuple(limits)})


def _learn(
    matrix: Any, letter_of: Any, letters: list[dict[str, str]], kind: str, sentences: list[WeighedSentence]
) -> tuple[LogisticRegression, float]:
    """The regression of a kind, and the weight above which few good letters are."""
    faulty = np.array([kind in row["warnings"].split() for row in letters])
    good = np.array([not row["warnings"] and row["source"] != _SENTENCE for row in letters])
    skipped = np.array([_is_skipped(row, kind) for row in letters])
    hits = np.array([kind in sentence.causes for sentence in sentences])
    # 1 in the sentence that the author marked, 0 in the others of that letter, -1 where nothing is marked.
    marked = np.array(
        [_is_marked(sentence, letters[n], kind) for sentence, n in zip(sentences, letter_of, strict=True)]
    )
    can_warn = np.array([sentence.can_warn(kind) for sentence in sentences])
    scores = np.full(len(letters), -np.inf)
    folds = GroupKFold(_FOLDS, shuffle=True, random_state=1)
    for training, held_out in folds.split(matrix, groups=letter_of):
        model = _fit(matrix, letter_of, faulty, hits, marked, training[~skipped[letter_of[training]]])
        able = held_out[can_warn[held_out]]
        trust = TRUST[kind] * hits[able]
        np.maximum.at(scores, letter_of[able], model.decision_function(matrix[able]) + trust)
    # Two learned letters are as long as one that people send.
    pairs = scores[good & ~skipped]
    pairs = np.sort(np.maximum(pairs, np.roll(pairs, 1))[::2])
    limit = pairs[-1 - int(FALSE_ALARMS[kind] * len(pairs))]
    for source in "abce":
        own = np.array([row["source"] == source for row in letters]) & ~skipped
        print(kind, source, "recall", int((scores[faulty & own] > limit).sum()), int((faulty & own).sum()),
              "false alarms", int((scores[good & own] > limit).sum()), int((good & own).sum()))  # fmt: skip
    model = _fit(matrix, letter_of, faulty, hits, marked, np.flatnonzero(~skipped[letter_of]))
    return model, float(limit)


def _is_marked(sentence: WeighedSentence, row: Mapping[str, str], kind: str) -> int:
    faults = dict(line.split(": ", 1) for line in row["faults"].splitlines())
    if not faults:
        return -1
    text = faults.get(kind, "\n")
    return int(text in sentence.sentence.text or sentence.sentence.text in text)


def _is_skipped(row: dict[str, str], kind: str) -> bool:
    """A manager may admit, and a sentence with another fault may promise too."""
    has_other_fault = bool(row["warnings"]) and kind not in row["warnings"].split()
    return (kind == "admission" and row["role"] == "manager") or (
        kind == "promise_without_date" and row["source"] == _SENTENCE and has_other_fault
    )


def _fit(matrix: Any, letter_of: Any, faulty: Any, hits: Any, marked: Any, rows: Any) -> LogisticRegression:
    """Learn from these rows: the faulty sentence is first the one marked or found by rules, then the heaviest."""
    is_faulty = faulty[letter_of[rows]] & (marked[rows] != 0)
    negative, candidates = rows[~is_faulty], rows[is_faulty]
    alone = np.bincount(letter_of)[letter_of[candidates]] == 1
    positive = candidates[alone | hits[candidates] | (marked[candidates] == 1)]
    for _ in range(_ROUNDS):
        labels = np.repeat([True, False], [len(positive), len(negative)])
        model = (
            regression()
            .set_params(dual=True, tol=1e-3)
            .fit(matrix[np.concatenate([positive, negative])], labels)
        )
        heaviest: dict[int, tuple[float, int]] = {}
        for row, weight in zip(candidates, model.decision_function(matrix[candidates]), strict=True):
            number = letter_of[row]
            heaviest[number] = max(heaviest.get(number, (-np.inf, -1)), (weight, row))
        positive = np.array([row for _, row in heaviest.values()])
    return model


if __name__ == "__main__":
    main()
