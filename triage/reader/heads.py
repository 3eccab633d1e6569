"""The models of the reader: linear, one column of weights for each thing that a text may say.

They learn from shipped examples when a release is built (`triage.learning.reader_models`), and no desk changes them.
NumPy alone reads them. Each question has two models: one of words and sentence vectors, and its twin of words alone,
which answers where the encoder is not installed, and for texts that it is sure about.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from triage.encoder import FINGERPRINT
from triage.errors import UnreadableModel
from triage.reader.features import SIGN_VALUE, Places, Values, Window

Steps = npt.NDArray[np.int16]
#: A weight is a whole number from -this to this. With 127 one more question in a danger gets no answer; with 32,767
#: the wheel is 2.2 MB larger.
MOST_STEPS = 1_023

#: The questions of the reader: is there danger, and of which hazard; and what does a message do.
QUESTIONS = ("danger", "act")


@dataclass(frozen=True)
class Heads:
    """Weights by place (`triage.reader.features`), a column for each of `names`.

    A weight is a whole number of steps, times the one of `scales` for its column. `directions` are
    those of the sentence vector, None in a model of words alone; `encoder` is its fingerprint. The `limits` are
    weights, named by what a text does from there on (`triage.reader.danger`, `triage.reader.acts`).
    """

    names: tuple[str, ...]
    rarity: Values
    weights: Steps
    scales: Values
    directions: Values | None
    intercepts: Values
    limits: Mapping[str, float]
    encoder: str = ""

    def weigh(self, window: Window, vector: Values | None = None) -> Values:
        """The weight of each of `names` in a window."""
        steps = window.values(self.rarity) @ self.weights[window.places].astype(np.float32)
        steps += SIGN_VALUE * self.weights[window.sign_places].astype(np.float32).sum(axis=0)
        weights: Values = steps * self.scales + self.intercepts
        if self.directions is not None and vector is not None:
            weights += vector @ self.directions
        return weights

    def weight_of(self, places: Places, column: int) -> float:
        """What these features add to a column, for a comparison of the words of one window."""
        steps = self.rarity[places].astype(np.float32) @ self.weights[places, column].astype(np.float32)
        return float(steps * self.scales[column])


@dataclass(frozen=True)
class Twins:
    """The two models of a question; without vectors, words alone answer."""

    words: Heads
    vectors: Heads

    @property
    def uses_encoder(self) -> bool:
        return self.vectors.encoder == FINGERPRINT


def files_of(question: str) -> dict[str, Path]:
    """The files of a question, written by `make install` and into the wheel, not in git."""
    return {name: Path(__file__).with_name(f"{question}_{name}.npz") for name in ("words", "vectors")}


def read_twins(question: str) -> Twins:
    """The models of a question. Raises UnreadableModel where they were not built."""
    return Twins(**{name: _read(file) for name, file in files_of(question).items()})


def _read(file: Path) -> Heads:
    if not file.exists():
        raise UnreadableModel(
            f"{file} is missing: run `python -m triage.learning.reader_models`, or install the release again."
        )
    with np.load(file, allow_pickle=False) as arrays:
        return Heads(
            tuple(arrays["names"].tolist()),
            arrays["rarity"],
            arrays["weights"],
            arrays["scales"],
            arrays.get("directions"),
            arrays["intercepts"],
            dict(zip(arrays["limit_names"].tolist(), arrays["limits"].tolist(), strict=True)),
            str(arrays["encoder"]),
        )


def write(file: Path, heads: Heads) -> None:
    arrays: dict[str, Any] = {
        "names": np.array(heads.names),
        "rarity": heads.rarity,
        "weights": heads.weights,
        "scales": heads.scales,
        "intercepts": heads.intercepts,
        "encoder": np.array(heads.encoder),
        "limit_names": np.array(list(heads.limits)),
        "limits": np.array(list(heads.limits.values())),
    }
    if heads.directions is not None:
        arrays["directions"] = heads.directions
    np.savez_compressed(file, **arrays)
