"""Model files: a model answers the same after saving and loading, and every other file is refused."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import Counter

import numpy as np
import pytest
from sklearn.svm import LinearSVC

from tests.shared_models import starter_model
from triage.errors import UnreadableModel
from triage.learning.examples import starter_examples
from triage.learning.training import train
from triage.model.artefact import digest, dump, load
from triage.model.model_card import model_card, render_card
from triage.model.pipeline import Model
from triage.proposal import propose

TEXTS = [
    "You charged me twice", "evde gaz kokusu var", "", "🔥", "kargom gelmedi",
    "My bill, my BILL!", "x" * 5_000
]  # fmt: skip


#: A quarter of the examples: a model of them has all parts.
EXAMPLES = starter_examples(("en", "tr"))[::4]


@pytest.fixture(scope="module")
def model() -> Model:
    """Trained here, not loaded."""
    return train(EXAMPLES)


@pytest.fixture(scope="module")
def blob(model: Model) -> bytes:
    return dump(model)


def packed(content: object) -> bytes:
    """The content in a file of skops, imported here: that takes 0.4 s in each process that collects tests."""
    import skops.io

    return bytes(skops.io.dumps(content))


def test_a_model_answers_the_same_after_saving_and_loading(model: Model, blob: bytes) -> None:
    again = load(blob, sha256=digest(blob))
    texts = [*TEXTS, *(example.text for example in starter_examples(("en", "tr")))]
    assert [propose(again, text).as_json() for text in TEXTS] == [
        propose(model, text).as_json() for text in TEXTS
    ]
    assert np.array_equal(
        again.word_probabilities(again.matrix(texts)), model.word_probabilities(model.matrix(texts))
    )
    assert model_card(again) == model_card(model)


def test_reading_a_text_copies_no_weights(model: Model, blob: bytes) -> None:
    for loaded in (model, load(blob)):
        assert loaded.critical is not None
        assert all(linear.weights.T.flags.c_contiguous for linear in (loaded.linear, loaded.critical.linear))


def test_the_same_model_gives_a_file_of_the_same_size(model: Model, blob: bytes) -> None:
    assert abs(len(dump(model)) - len(blob)) < 100
    assert len(dump(starter_model(("en", "tr")))) < 3_500_000


def test_a_card_has_data_figures_and_weaknesses(model: Model) -> None:
    card = model_card(model)
    assert card["version"] == model.version
    assert card["rows"] == len(EXAMPLES)
    assert set(card["classes"]) == set(card["categories"]) == set(card["f1"])
    assert card["languages"] == Counter(example.language for example in EXAMPLES)
    assert {
        "accuracy", "macro_f1", "log_loss", "ece", "ece_interval", "accuracy_at_80", "threshold", "coverage",
        "precision", "weaknesses", "critical", "pipeline", "severities",
    } <= set(card)  # fmt: skip
    assert card["severity"]["critical"] == sum((row.severity or 0) >= 4 for row in EXAMPLES)
    for place, key in (
        *((card, key) for key in ("accuracy", "macro_f1", "log_loss", "ece", "coverage", "precision")),
        (card["severity"], "recall_at_10"),
    ):
        low, high = place[f"{key}_interval"]
        assert low <= place[key] <= high
        assert low < high
    assert card["weaknesses"]


def test_the_page_of_a_card_shows_intervals_and_still_renders_older_cards(
    model: Model,
) -> None:
    card = model_card(model)
    page = render_card(card)
    low, high = card["precision_interval"]
    assert f"right in {card['precision'] * 100:.0f} % ({low * 100:.0f} to {high * 100:.0f}) of those" in page
    assert f"Of {card['severity']['critical']} critical cases among" in page
    assert "| – |" not in "".join(line for line in page.splitlines() if line.startswith("| Macro-F1"))
    before = {key: value for key, value in card.items() if "interval" not in key and key != "severity"}
    assert "critical cases" not in render_card(before)
    assert f"right in {card['precision'] * 100:.0f} % of those" in render_card(before)


def test_an_altered_file_is_refused(blob: bytes) -> None:
    altered = blob[:-1] + bytes([blob[-1] ^ 1])
    with pytest.raises(UnreadableModel, match=r"SHA-256 differs.*amends triage"):
        load(altered, sha256=digest(blob))


def test_an_upper_case_digest_is_the_same_digest(blob: bytes) -> None:
    assert load(blob, sha256=digest(blob).upper()).version


class Shell:
    """An object whose pickle would run code."""

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
        load(packed(fitted), sha256=None)


def test_a_file_with_a_custom_type_is_refused() -> None:
    with pytest.raises(UnreadableModel, match="not allowed"):
        load(packed({"format": "amends-triage/5", "odd": Shell}), sha256=None)


def test_a_file_of_another_version_is_refused() -> None:
    with pytest.raises(UnreadableModel, match="unknown version"):
        load(packed({"format": "amends-triage/99"}), sha256=None)


def test_an_incomplete_file_is_refused(blob: bytes) -> None:
    with pytest.raises(UnreadableModel, match="incomplete"):
        load(packed({"format": "amends-triage/5", "words": "a"}), sha256=None)


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
