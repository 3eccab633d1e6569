"""A model as bytes and back, without ever running code from a file (docs/design.md, "The model").

The file is skops with plain arrays, numbers and strings only: the vocabularies are one joined string each
and the vectorisers are rebuilt, so it is small and loads at once. Anything else, a pickle above all, is
refused.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import skops.io

from triage.errors import UnreadableModel, UnusableEncoder
from triage.model.calibration import Calibration, Sigmoid
from triage.model.card import card
from triage.model.embeddings import Encoder, Meaning, recorded_encoder
from triage.model.features import rebuild_features
from triage.model.pipeline import Critical, Leaning, Linear, Model
from triage.neighbours import Neighbours

__all__ = ["card", "digest", "dump", "load"]

FORMAT = "amends-triage/4"
LARGEST = 200 * 1024 * 1024
"""Bytes a model may have unpacked; a small file that unpacks to more is refused before it is read."""

_REMEDY = "Train it again with `amends triage train`, or go back with `amends triage rollback`."


def digest(blob: bytes) -> str:
    """The SHA-256 of an artefact, hexadecimal, as the store keeps it beside the bytes."""
    return hashlib.sha256(blob).hexdigest()


def dump(model: Model) -> bytes:
    """The model as one file of bytes."""
    features, critical, neighbours = model.features, model.critical, model.neighbours
    content: dict[str, Any] = {
        "format": FORMAT,
        "version": model.version,
        "categories": "\n".join(model.categories),
        "words": _in_order(features.words),
        "word_idf": features.word_idf,
        "characters": _in_order(features.characters),
        "character_idf": features.character_idf,
        "weights": model.plane.weights,
        "intercepts": model.plane.intercepts,
        "slopes": model.calibration.slopes,
        "offsets": model.calibration.offsets,
        "mix": np.array(model.calibration.mix),
        "threshold": model.threshold,
        "facts": json.dumps(model.facts, ensure_ascii=False, sort_keys=True),
    }
    if critical is not None:
        content |= {
            "critical_weights": critical.plane.weights,
            "critical_intercepts": critical.plane.intercepts,
            "critical_leaning": critical.leaning.weights,
            "critical_ratios": critical.leaning.ratios,
            "critical_sigmoid": np.array([critical.sigmoid.slope, critical.sigmoid.offset, critical.counts]),
            "critical_threshold": critical.threshold,
        }
    if neighbours is not None:
        known = zip(neighbours.refs, neighbours.categories, neighbours.severities, strict=True)
        content |= {
            "neighbours": json.dumps([list(one) for one in known], ensure_ascii=False),
            "neighbour_vectors": neighbours.vectors,
            "neighbour_columns": neighbours.columns,
            "neighbour_directions": neighbours.directions,
        }
    if model.meaning is not None:
        meaning = model.meaning
        content |= {
            "encoder": f"{meaning.encoder}\n{meaning.fingerprint}",
            "meaning_weights": meaning.weights,
            "meaning_intercepts": meaning.intercepts,
            "meaning_shares": np.array([*meaning.shares, meaning.threshold]),
        }
    return bytes(skops.io.dumps(content, compression=zipfile.ZIP_DEFLATED, compresslevel=6))


def _in_order(vocabulary: Mapping[str, int]) -> str:
    """The terms in the order of their columns, a line each."""
    return "\n".join(sorted(vocabulary, key=vocabulary.__getitem__))


def load(blob: bytes, *, sha256: str | None = None) -> Model:
    """The model from its bytes; `sha256` is the recorded digest, None only for a file given by hand.

    Raises UnreadableModel for a file that was altered, is of another kind (a pickle), or of an unknown
    version.
    """
    if sha256 is not None and digest(blob) != sha256.lower():
        raise UnreadableModel(
            f"The model file is not the one that was recorded: its SHA-256 differs. {_REMEDY}"
        )
    if not blob.startswith(b"PK\x03\x04"):
        raise UnreadableModel(
            f"This is no model file of Amends (a pickle or another format); it was not opened. {_REMEDY}"
        )
    content = _content(blob)
    try:
        return _model(content)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UnreadableModel(f"The model file is incomplete: {error}. {_REMEDY}") from error


def _content(blob: bytes) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(BytesIO(blob)) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST:
                raise UnreadableModel(f"The model file unpacks to more than {LARGEST} bytes. {_REMEDY}")
        unknown = skops.io.get_untrusted_types(data=blob)
        if unknown:
            raise UnreadableModel(f"The model file holds types that are not allowed: {unknown}. {_REMEDY}")
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


def _model(content: dict[str, Any]) -> Model:
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
        raise ValueError("its arrays do not fit together")
    sharp, soft, share = content["mix"].tolist()
    critical = None
    if "critical_weights" in content:
        leaning = Leaning(content["critical_leaning"], content["critical_ratios"])
        if content["critical_weights"].shape != (1, columns) or not (
            leaning.weights.shape == leaning.ratios.shape == (columns,)
        ):
            raise ValueError("its arrays do not fit together")
        slope, offset, counts = content["critical_sigmoid"].tolist()
        critical = Critical(
            Linear(content["critical_weights"], content["critical_intercepts"]),
            leaning,
            counts,
            Sigmoid(slope, offset),
            float(content["critical_threshold"]),
        )
    meaning = _meaning(content, len(categories))
    encoder, without = _encoder(meaning)
    return Model(
        version=content["version"],
        categories=categories,
        features=features,
        plane=Linear(weights, content["intercepts"]),
        calibration=Calibration(content["slopes"], content["offsets"], (sharp, soft, share)),
        threshold=float(content["threshold"]),
        critical=critical,
        neighbours=_neighbours(content, len(content["word_idf"])),
        meaning=meaning,
        encoder=encoder,
        facts=json.loads(content["facts"]) | ({"without_encoder": without} if without else {}),
    )


def _neighbours(content: dict[str, Any], words: int) -> Neighbours | None:
    if "neighbours" not in content:
        return None
    known = json.loads(content["neighbours"])
    vectors, directions = content["neighbour_vectors"], content["neighbour_directions"]
    columns = content["neighbour_columns"]
    fits = vectors.shape == (len(known), directions.shape[1]) and len(columns) == len(directions)
    if not fits or (len(columns) and int(columns.max()) >= words):
        raise ValueError("its arrays do not fit together")
    return Neighbours(
        refs=tuple(ref for ref, _, _ in known),
        categories=tuple(category for _, category, _ in known),
        severities=tuple(severity for _, _, severity in known),
        vectors=vectors,
        columns=columns,
        directions=directions,
    )


def _meaning(content: dict[str, Any], categories: int) -> Meaning | None:
    if "encoder" not in content:
        return None
    name, fingerprint = content["encoder"].split("\n")
    weights, intercepts = content["meaning_weights"], content["meaning_intercepts"]
    if len(weights) != categories or intercepts.shape != (categories,):
        raise ValueError("its arrays do not fit together")
    by_words, by_vectors, threshold = content["meaning_shares"].tolist()
    return Meaning(name, fingerprint, weights, intercepts, (by_words, by_vectors), threshold)


def _encoder(meaning: Meaning | None) -> tuple[Encoder | None, str | None]:
    """The encoder the model was trained with; else why it answers by its words alone, for the card."""
    if meaning is None:
        return None, None
    try:
        found = recorded_encoder(meaning.encoder, meaning.fingerprint)
    except UnusableEncoder as wrong:
        return None, str(wrong)
    if found is None:
        return None, f"The encoder {meaning.encoder} that it was trained with is not installed here."
    return found, None
