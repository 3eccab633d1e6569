"""Model files: the same output after the round trip, and refusal of everything that is not one of ours."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import Counter

import numpy as np
import pytest
import skops.io
from sklearn.svm import LinearSVC

from triage.errors import UnreadableModel
from triage.learning.examples import starter_examples, train_starter
from triage.model.artefact import digest, dump, load
from triage.model.card import model_card, render_card
from triage.model.pipeline import Model
from triage.proposal import propose

TEXTS = [
    "You charged me twice", "evde gaz kokusu var", "", "🔥", "kargom gelmedi",
    "My bill, my BILL!", "x" * 5_000
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> Model:
    return train_starter(("en", "tr"))


@pytest.fixture(scope="module")
def blob(model: Model) -> bytes:
    return dump(model)


def test_a_model_says_the_same_after_the_round_trip(model: Model, blob: bytes) -> None:
    again = load(blob, sha256=digest(blob))
    texts = [*TEXTS, *(example.text for example in starter_examples())]
    assert [propose(again, text).as_json() for text in TEXTS] == [
        propose(model, text).as_json() for text in TEXTS
    ]
    assert np.array_equal(
        again.word_probabilities(again.matrix(texts)), model.word_probabilities(model.matrix(texts))
    )
    assert model_card(again) == model_card(model)


def test_to_read_a_text_copies_no_weights(model: Model, blob: bytes) -> None:
    for each in (model, load(blob)):
        assert each.critical is not None
        assert all(linear.weights.T.flags.c_contiguous for linear in (each.linear, each.critical.linear))


def test_the_same_model_gives_a_file_of_the_same_size(model: Model, blob: bytes) -> None:
    assert abs(len(dump(model)) - len(blob)) < 100
    assert len(blob) < 3_000_000


def test_a_card_tells_data_figures_and_weaknesses(model: Model) -> None:
    told = model_card(model)
    assert told["version"] == model.version
    assert told["rows"] == len(starter_examples(("en", "tr")))
    assert set(told["classes"]) == set(told["categories"]) == set(told["f1"])
    assert told["languages"] == Counter(one.language for one in starter_examples(("en", "tr")))
    assert {
        "accuracy", "macro_f1", "log_loss", "ece", "ece_interval", "accuracy_at_80", "threshold", "coverage",
        "precision", "weaknesses", "critical", "pipeline", "severities",
    } <= set(told)  # fmt: skip
    assert told["severity"]["critical"] == sum(
        (row.severity or 0) >= 4 for row in starter_examples(("en", "tr"))
    )
    for place, key in (
        *((told, key) for key in ("accuracy", "macro_f1", "log_loss", "ece", "coverage", "precision")),
        (told["severity"], "recall_at_10"),
    ):
        low, high = place[f"{key}_interval"]
        assert low <= place[key] <= high
        assert low < high
    assert told["weaknesses"]


def test_the_page_of_a_card_tells_how_uncertain_its_figures_are_and_one_of_before_is_still_read(
    model: Model,
) -> None:
    told = model_card(model)
    shown = render_card(told)
    low, high = told["precision_interval"]
    assert f"right in {told['precision'] * 100:.0f} % ({low * 100:.0f} to {high * 100:.0f}) of those" in shown
    assert f"Of {told['severity']['critical']} critical cases among" in shown
    assert "| – |" not in "".join(line for line in shown.splitlines() if line.startswith("| Macro-F1"))
    before = {key: one for key, one in told.items() if "interval" not in key and key != "severity"}
    assert "critical cases" not in render_card(before)
    assert f"right in {told['precision'] * 100:.0f} % of those" in render_card(before)


def test_an_altered_file_is_refused(blob: bytes) -> None:
    altered = blob[:-1] + bytes([blob[-1] ^ 1])
    with pytest.raises(UnreadableModel, match=r"SHA-256 differs.*amends triage"):
        load(altered, sha256=digest(blob))


def test_an_upper_case_digest_is_the_same_digest(blob: bytes) -> None:
    assert load(blob, sha256=digest(blob).upper()).version


class Shell:
    """What a pickle could run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        raise_it = pytest.fail
        return raise_it, ("a pickle was opened",)


@pytest.mark.parametrize(
    "wrong",
    [pickle.dumps({"a": 1}), b"", b"PK", b"not a model", b"PK\x03\x04 broken", b"\x80\x04."],
    ids=range(6),
)
def test_a_pickle_or_another_format_is_refused(wrong: bytes) -> None:
    with pytest.raises(UnreadableModel, match="amends triage"):
        load(wrong, sha256=None)


def test_a_file_with_an_estimator_inside_is_refused() -> None:
    fitted = LinearSVC().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(UnreadableModel, match=r"unknown version|not allowed"):
        load(skops.io.dumps(fitted), sha256=None)


def test_a_file_with_a_type_of_ones_own_is_refused() -> None:
    with pytest.raises(UnreadableModel, match="not allowed"):
        load(skops.io.dumps({"format": "amends-triage/4", "odd": Shell}), sha256=None)


def test_a_file_of_another_version_is_refused() -> None:
    with pytest.raises(UnreadableModel, match="unknown version"):
        load(skops.io.dumps({"format": "amends-triage/99"}), sha256=None)


def test_an_incomplete_file_is_refused(blob: bytes) -> None:
    with pytest.raises(UnreadableModel, match="incomplete"):
        load(skops.io.dumps({"format": "amends-triage/4", "words": "a"}), sha256=None)


def test_a_file_that_unpacks_to_far_more_is_refused() -> None:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("schema.json", "w") as entry,
    ):
        for _ in range(210):
            entry.write(b"0" * 1024 * 1024)
    with pytest.raises(UnreadableModel, match="unpacks to more"):
        load(packed.getvalue(), sha256=None)
