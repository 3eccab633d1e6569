"""A model as bytes and back, without running code from a file (docs/design.md, "The model").

The file is a skops archive that contains only arrays, numbers and strings. Vocabularies are stored as one string
each and the vectorisers are rebuilt, so it is small and loads quickly. Other types, above all pickles, are refused.
"""

import hashlib
import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np

from triage.encoder import FINGERPRINT, Encoder, installed_encoder
from triage.errors import UnreadableModel, UnusableEncoder
from triage.model.calibration import Calibration, Sigmoid
from triage.model.neighbours import Neighbours
from triage.model.pipeline import CriticalClassifier, LinearClassifier, Model, NormalisedLinear
from triage.model.text_features import rebuild_features
from triage.model.vector_classifier import VectorClassifier

FORMAT = "amends-triage/5"
LARGEST = 200 * 1024 * 1024
"""Largest unpacked size in bytes; a file that unpacks to more (a zip bomb) is refused before it is read."""

_REMEDY = "Train it again with `amends triage train`, or go back with `amends triage rollback`."
_MISMATCH = "its arrays do not fit together"


def digest(blob: bytes) -> str:
    """SHA-256 of an artefact in hexadecimal, as the store records it with the bytes."""
    return hashlib.sha256(blob).hexdigest()


def dump(model: Model) -> bytes:
    features, critical, neighbours = model.features, model.critical, model.neighbours
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": model.version,
        "categories": "\n".join(model.categories),
        "words": _in_column_order(features.words),
        "word_idf": features.word_idf,
        "characters": _in_column_order(features.characters),
        "character_idf": features.character_idf,
        "weights": model.linear.weights,
        "intercepts": model.linear.intercepts,
        "slopes": model.calibration.slopes,
        "offsets": model.calibration.offsets,
        "mix": np.array(model.calibration.mix),
        "threshold": model.threshold,
        "facts": json.dumps(model.facts, ensure_ascii=False, sort_keys=True),
    }
    if critical is not None:
        sigmoid = critical.sigmoid
        content |= {
            "critical_weights": critical.linear.weights,
            "critical_intercepts": critical.linear.intercepts,
            "critical_leaning": critical.normalised.weights,
            "critical_ratios": critical.normalised.ratios,
            "critical_sigmoid": np.array([sigmoid.slope, sigmoid.offset, critical.rule_weight]),
            "critical_threshold": critical.threshold,
        }
    if neighbours is not None:
        cases = zip(neighbours.refs, neighbours.categories, neighbours.severities, strict=True)
        content |= {
            "neighbours": json.dumps([list(case) for case in cases], ensure_ascii=False),
            "neighbour_vectors": neighbours.vectors,
            "neighbour_columns": neighbours.columns,
            "neighbour_directions": neighbours.directions,
        }
    if model.vectors is not None:
        vectors = model.vectors
        content |= {
            "encoder": vectors.fingerprint,
            "vector_weights": vectors.weights,
            "vector_intercepts": vectors.intercepts,
            "vector_shares": np.array([*vectors.exponents, vectors.threshold]),
        }
    import skops.io  # as in `_read_content`

    return bytes(skops.io.dumps(content, compression=zipfile.ZIP_DEFLATED, compresslevel=6))


def _in_column_order(vocabulary: Mapping[str, int]) -> str:
    return "\n".join(sorted(vocabulary, key=vocabulary.__getitem__))


def load(blob: bytes, *, sha256: str | None = None, with_encoder: bool = True) -> Model:
    """The model of an artefact.

    `sha256` is the recorded digest; the default None is only for a file that an operator names. A model
    `with_encoder` loads that in this process, where it was trained with it and it is installed. Raises
    UnreadableModel for a file that was altered, is of another kind (a pickle), or has an unknown version.
    """
    if sha256 is not None and digest(blob) != sha256.lower():
        raise UnreadableModel(
            f"The model file is not the one that was recorded: its SHA-256 differs. {_REMEDY}"
        )
    if not blob.startswith(b"PK\x03\x04"):
        raise UnreadableModel(
            f"This is no model file of Amends (a pickle or another format); it was not opened. {_REMEDY}"
        )
    content = _read_content(blob)
    try:
        return _build_model(content, with_encoder=with_encoder)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UnreadableModel(f"The model file is incomplete: {error}. {_REMEDY}") from error


def _read_content(blob: bytes) -> dict[str, Any]:
    import skops.io  # 0.4 s: it imports every estimator of scikit-learn, and many processes use no model

    try:
        with zipfile.ZipFile(BytesIO(blob)) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST:
                raise UnreadableModel(f"The model file unpacks to more than {LARGEST} bytes. {_REMEDY}")
        untrusted = skops.io.get_untrusted_types(data=blob)
        if untrusted:
            raise UnreadableModel(f"The model file holds types that are not allowed: {untrusted}. {_REMEDY}")
        content = skops.io.loads(blob, trusted=[])
    except UnreadableModel:
        raise
    except Exception as error:
        raise UnreadableModel(f"The model file is damaged: {error}. {_REMEDY}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise UnreadableModel(
            f"The model file is of an unknown version; this release reads {FORMAT}. {_REMEDY}"
        )
    return content


def _build_model(content: dict[str, Any], *, with_encoder: bool) -> Model:
    features = rebuild_features(
        content["words"].split("\n"),
        content["word_idf"],
        content["characters"].split("\n"),
        content["character_idf"],
    )
    columns = len(content["word_idf"]) + len(content["character_idf"])
    categories = tuple(content["categories"].split("\n"))
    weights = content["weights"]
    if weights.shape != (len(categories), columns) or content["slopes"].shape != (len(categories),):
        raise ValueError(_MISMATCH)
    normalised_temperature, softmax_temperature, share = content["mix"].tolist()
    mix = (normalised_temperature, softmax_temperature, share)
    vectors = _build_vectors(content, len(categories))
    encoder, reason = _find_encoder(vectors) if with_encoder else (None, None)
    return Model(
        version=content["version"],
        categories=categories,
        features=features,
        linear=LinearClassifier(weights, content["intercepts"]),
        calibration=Calibration(content["slopes"], content["offsets"], mix),
        threshold=float(content["threshold"]),
        critical=_build_critical(content, columns),
        neighbours=_build_neighbours(content, len(content["word_idf"])),
        vectors=vectors,
        encoder=encoder,
        facts=json.loads(content["facts"]) | ({"without_encoder": reason} if reason else {}),
    )


def _build_critical(content: dict[str, Any], columns: int) -> CriticalClassifier | None:
    if "critical_weights" not in content:
        return None
    normalised = NormalisedLinear(content["critical_leaning"], content["critical_ratios"])
    if content["critical_weights"].shape != (1, columns) or not (
        normalised.weights.shape == normalised.ratios.shape == (columns,)
    ):
        raise ValueError(_MISMATCH)
    slope, offset, rule_weight = content["critical_sigmoid"].tolist()
    return CriticalClassifier(
        LinearClassifier(content["critical_weights"], content["critical_intercepts"]),
        normalised,
        rule_weight,
        Sigmoid(slope, offset),
        float(content["critical_threshold"]),
    )


def _build_neighbours(content: dict[str, Any], words: int) -> Neighbours | None:
    if "neighbours" not in content:
        return None
    cases = json.loads(content["neighbours"])
    vectors, directions = content["neighbour_vectors"], content["neighbour_directions"]
    columns = content["neighbour_columns"]
    fits = vectors.shape == (len(cases), directions.shape[1]) and len(columns) == len(directions)
    if not fits or (len(columns) and int(columns.max()) >= words):
        raise ValueError(_MISMATCH)
    return Neighbours(
        refs=tuple(ref for ref, _, _ in cases),
        categories=tuple(category for _, category, _ in cases),
        severities=tuple(severity for _, _, severity in cases),
        vectors=vectors,
        columns=columns,
        directions=directions,
    )


def _build_vectors(content: dict[str, Any], categories: int) -> VectorClassifier | None:
    if "encoder" not in content:
        return None
    weights, intercepts = content["vector_weights"], content["vector_intercepts"]
    if len(weights) != categories or intercepts.shape != (categories,):
        raise ValueError(_MISMATCH)
    words, vectors, threshold = content["vector_shares"].tolist()
    return VectorClassifier(content["encoder"], weights, intercepts, (words, vectors), threshold)


def _find_encoder(vectors: VectorClassifier | None) -> tuple[Encoder | None, str | None]:
    """The encoder that the model was trained with, or the reason why it answers without it, for the card."""
    if vectors is None:
        return None, None
    try:
        encoder = installed_encoder() if vectors.fingerprint == FINGERPRINT else None
    except UnusableEncoder as error:
        return None, str(error)
    if encoder is None:
        return None, "The encoder that it was trained with is not installed here."
    return encoder, None
