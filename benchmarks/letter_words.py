"""The word weights of the letter warnings, learned from the written letters in `triage/letters/letters.csv`.

Run `python -m benchmarks.letter_words` after a change of the letters, rules or groups. It prints how each set does in
cross-validation. The label is the letter's: in a letter with a fault the sentence that weighs most is taken for the
faulty one, and the weights are learned again. Words belong to a language; the marks of rules and groups are learned
from the letters of all languages.
"""

import csv
import io
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np
from scipy.sparse import diags, hstack
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from benchmarks.word_weights import count_features, regression, write_weights
from store.redaction.masking import find_spans
from triage.letters.letter_rules import split_letter
from triage.letters.letter_sentences import WeighedSentence, read_sentences
from triage.letters.letter_warnings import LIMIT, WEIGHED, added_weight
from triage.matching import LANGUAGES, fold

FALSE_ALARMS = 0.06
"""Share of the good letters of `_USUAL`, held out by cross-validation, that all kinds together may warn of."""
# The sets with letters as long as people send (250 to 450 characters), in which the faulty words are marked.
_LONG = ("e", "h", "i", "k", "m")
# Those that are as hard as the letters of a day. The letters of set M were all written to be near the limit.
_USUAL = ("e", "h", "i", "k")
# Words against marks and groups, and these sets against shorter letters and single sentences. Chosen by
# cross-validation from 1, 1.5, 2 and 2.5, and from 1 and 3.
_WEIGHT_OF_WORDS = 2.0
_WEIGHT_OF_LONG = 3.0
# A word or part in fewer sentences is left out: 3 and 4 do equally well, and the files are a quarter smaller.
_FEWEST_ROWS = 4
# With one repeat of cross-validation, three sentences more moved the limits by 4 of 100 letters.
_FOLDS, _REPEATS, _ROUNDS = 5, 3, 2
# A weaker kind may have this share of the good letters at most.
_MOST_OF_A_KIND = 0.018
# One to four sentences without a place in a letter. In a passage the faulty ones are marked.
_SENTENCE, _PASSAGE = "sentence", "passage"
# A feature counts by how much more often it is in faulty sentences than in others: half its log ratio, half the mean
# of all, with one sentence added to each side. In cross-validation that finds 2 to 3 % more at equal false alarms.
_SHARE_OF_RATIO, _ADDED_SENTENCES = 0.5, 1.0


def read_letters() -> list[dict[str, str]]:
    """The written letters, and single sentences with or without a fault."""
    file = resources.files("triage").joinpath("letters", "letters.csv")
    # A letter has line breaks, so the file is not split into lines first.
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


def personal_spans(row: dict[str, str]) -> list[tuple[int, int, str]]:
    """The personal data in a letter that is not the complainant's, as `store.people.masked_texts` finds it."""
    own = set(fold(row["person"]).text.split())
    spans = [(span.start, span.end, span.kind) for span in find_spans(row["text"], language=row["language"])]
    return [span for span in spans if own.isdisjoint(fold(row["text"][span[0] : span[1]]).text.split())]


def main() -> None:
    letters = read_letters()
    sentences: list[WeighedSentence] = []
    letter_of: list[int] = []
    for number, row in enumerate(letters):
        # A sentence or passage has no salutation, so it gets one that is not weighed, and no place in a letter.
        before = "-:\n" if row["source"] in (_SENTENCE, _PASSAGE) else ""
        personal = [
            (start + len(before), end + len(before), kind) for start, end, kind in personal_spans(row)
        ]
        letter = split_letter(before + row["text"])
        read = read_sentences(letter, row["language"], personal)[bool(before) :]
        sentences += [sentence.without_place() for sentence in read] if before else read
        letter_of += [number] * len(read)
    train(letters, sentences, np.array(letter_of))


def train(letters: list[dict[str, str]], sentences: list[WeighedSentence], letter_of: Any) -> None:
    """Learn and write the weights of all languages."""
    languages = [letters[number]["language"] for number in letter_of]
    words, word_names = count_features(
        [
            [f"{language}:{word}" for word in sentence.words]
            for language, sentence in zip(languages, sentences, strict=True)
        ],
        fewest_rows=_FEWEST_ROWS,
    )
    rare = TfidfTransformer().fit(words)
    marks, mark_names = count_features((sentence.marks for sentence in sentences), fewest_rows=3)
    groups, group_names = count_features((sentence.groups for sentence in sentences), fewest_rows=5)
    matrix = hstack([_WEIGHT_OF_WORDS * rare.transform(words), marks, groups]).tocsr()
    names = [*word_names, *mark_names, *group_names]
    others = [1.0] * (len(names) - len(word_names))
    rarity = np.array([*rare.idf_, *others])
    share = np.array([*(_WEIGHT_OF_WORDS * rare.idf_), *others])
    usual = np.array([row["source"] in _USUAL for row in letters])
    good = usual & np.array([not row["warnings"] for row in letters])
    columns: list[Any] = [rarity**2]
    scores, faulty, intercepts = {}, {}, []
    for kind in WEIGHED:
        ratios, model, scores[kind] = _learn(matrix, letter_of, letters, kind, sentences)
        faulty[kind] = usual & np.array([kind in row["warnings"].split() for row in letters])
        columns.append(model.coef_[0] * share * ratios)
        intercepts.append(model.intercept_[0])
    chosen = choose_limits(scores, faulty, good)
    limits = [0.0, *(chosen[kind] - intercept for kind, intercept in zip(WEIGHED, intercepts, strict=True))]
    rows = dict(zip(names, zip(*columns, strict=True), strict=True))
    for language in LANGUAGES:
        own = {
            name.removeprefix(f"{language}:"): row
            for name, row in rows.items()
            if name.startswith((f"{language}:", "#"))
        }
        write_weights("letters", language, own | {LIMIT: tuple(limits)}, digits=1)


def choose_limits(
    scores: Mapping[str, Any], faulty: Mapping[str, Any], good: Any, budget: float = FALSE_ALARMS
) -> dict[str, float]:
    """The limit of each kind with which most faulty letters are warned of, at this share of good letters.

    One price for a false alarm of any kind: each limit in turn goes where warnings of faults less the price of false
    alarms are most, and the lowest price that keeps to the budget is taken.
    """
    steps = {
        kind: np.sort(row[good])[::-1][: int(_MOST_OF_A_KIND * good.sum()) : 2]
        for kind, row in scores.items()
    }

    def counts(limits: Mapping[str, float]) -> tuple[int, int]:
        warned = {kind: scores[kind] > limit for kind, limit in limits.items()}
        hits = np.any([warned[kind] & faulty[kind] for kind in warned], axis=0)
        return int(hits.sum()), int(np.any(list(warned.values()), axis=0)[good].sum())

    best: tuple[int, int, dict[str, float]] = (-1, 0, {})
    for price in np.geomspace(0.3, 30, 30):
        limits = {kind: row[0] for kind, row in steps.items()}
        for kind, row in list(steps.items()) * 3:
            values = [counts(limits | {kind: limit}) for limit in row]
            limits[kind] = row[int(np.argmax([hits - price * alarms for hits, alarms in values]))]
        hits, alarms = counts(limits)
        if alarms <= budget * good.sum() and hits > best[0]:
            best = (hits, alarms, limits)
    # What is left of the budget goes to one limit after another.
    while True:
        lower = [best[2] | {kind: limit} for kind, row in steps.items() for limit in row]
        able = [(*counts(limits), limits) for limits in lower]
        able = [row for row in able if row[1] <= budget * good.sum() and row[0] > best[0]]
        if not able:
            break
        best = max(able, key=lambda row: (row[0] - best[0]) / max(1, row[1] - best[1]))
    print("held out: recall", best[0], int(np.any(list(faulty.values()), axis=0).sum()),
          "false alarms", best[1], int(good.sum()))  # fmt: skip
    for kind, limit in best[2].items():
        print(kind, int((scores[kind] > limit)[faulty[kind]].sum()), int(faulty[kind].sum()),
              "false alarms", int((scores[kind][good] > limit).sum()))  # fmt: skip
    return best[2]


def _learn(
    matrix: Any,
    letter_of: Any,
    letters: list[dict[str, str]],
    kind: str,
    sentences: list[WeighedSentence],
) -> tuple[Any, LogisticRegression, Any]:
    """The ratios and the regression of a kind, and for each letter the weight of its heaviest sentence, held out."""
    faulty = np.array([kind in row["warnings"].split() for row in letters])
    skipped = np.array([_is_skipped(row, kind) for row in letters])
    shares = np.array([_WEIGHT_OF_LONG if row["source"] in _LONG else 1.0 for row in letters])[letter_of]
    hits = np.array([kind in sentence.causes for sentence in sentences])
    # 1 in the sentence that the author marked, 0 in the others of that letter, -1 where nothing is marked.
    marked = np.array(
        [_is_marked(sentence, letters[n], kind) for sentence, n in zip(sentences, letter_of, strict=True)]
    )
    lengths = np.log(np.maximum(1, np.bincount(letter_of, minlength=len(letters))))
    is_faulty = faulty[letter_of] & (marked != 0)
    can_warn = np.array([sentence.can_warn(kind) for sentence in sentences])
    repeats = []
    for number in range(_REPEATS):
        scores = np.full(len(letters), -np.inf)
        folds = GroupKFold(_FOLDS, shuffle=True, random_state=number)
        for training, held_out in folds.split(matrix, groups=letter_of):
            rows = training[~skipped[letter_of[training]]]
            _, scaled = _scale(matrix, is_faulty, rows)
            model = _fit(scaled, letter_of, faulty, hits, marked, rows, shares)
            able = held_out[can_warn[held_out] & ~skipped[letter_of[held_out]]]
            added = [added_weight(sentences[row], kind, lengths[letter_of[row]]) for row in able]
            np.maximum.at(scores, letter_of[able], model.decision_function(scaled[able]) + added)
        repeats.append(scores)
    scores = np.mean(repeats, axis=0)
    rows = np.flatnonzero(~skipped[letter_of])
    ratios, scaled = _scale(matrix, is_faulty, rows)
    return ratios, _fit(scaled, letter_of, faulty, hits, marked, rows, shares), scores


def _scale(matrix: Any, is_faulty: Any, rows: Any) -> tuple[Any, Any]:
    """How much each feature counts, by how often it is in faulty sentences of these rows and in the others.

    And the matrix of the features so scaled.
    """
    largest = np.maximum(abs(matrix).max(axis=0).toarray().ravel(), 1e-9)
    faulty, others = (
        np.asarray(matrix[part].sum(axis=0)).ravel() / largest + _ADDED_SENTENCES
        for part in (rows[is_faulty[rows]], rows[~is_faulty[rows]])
    )
    ratios = np.abs(np.log(faulty / faulty.sum()) - np.log(others / others.sum()))
    ratios = _SHARE_OF_RATIO * ratios + (1 - _SHARE_OF_RATIO) * ratios.mean()
    return ratios, (matrix @ diags(ratios)).tocsr()


def _is_marked(sentence: WeighedSentence, row: Mapping[str, str], kind: str) -> int:
    if not row["faults"]:
        return -1
    text = sentence.sentence.text.strip()
    faults = [line.split(": ", 1) for line in row["faults"].splitlines()]
    return int(any(name == kind and (fault in text or text in fault) for name, fault in faults))


def _is_skipped(row: dict[str, str], kind: str) -> bool:
    """A manager may admit, and a sentence with another fault may promise too."""
    has_other_fault = bool(row["warnings"]) and kind not in row["warnings"].split()
    return (kind == "admission" and row["role"] == "manager") or (
        kind == "promise_without_date" and row["source"] == _SENTENCE and has_other_fault
    )


def _fit(
    matrix: Any, letter_of: Any, faulty: Any, hits: Any, marked: Any, rows: Any, shares: Any
) -> LogisticRegression:
    """Learn from these rows: the faulty sentence is first the one marked or found by rules, then the heaviest."""
    is_faulty = faulty[letter_of[rows]] & (marked[rows] != 0)
    negative, candidates = rows[~is_faulty], rows[is_faulty]
    alone = np.bincount(letter_of)[letter_of[candidates]] == 1
    positive = candidates[alone | hits[candidates] | (marked[candidates] == 1)]
    for _ in range(_ROUNDS):
        labels = np.repeat([True, False], [len(positive), len(negative)])
        learned = np.concatenate([positive, negative])
        model = regression().set_params(dual=True, tol=1e-2)
        model.fit(matrix[learned], labels, sample_weight=shares[learned])
        heaviest: dict[int, tuple[float, int]] = {}
        for row, weight in zip(candidates, model.decision_function(matrix[candidates]), strict=True):
            number = letter_of[row]
            heaviest[number] = max(heaviest.get(number, (-np.inf, -1)), (weight, row))
        positive = np.array([row for _, row in heaviest.values()])
    return model


if __name__ == "__main__":
    main()
