"""What the triage process is asked for: to hold the model in use, and to propose with it.

The process that asks passes no model and gets none, so that it loads neither SciPy nor scikit-learn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triage.encoder import Vectors
    from triage.model.pipeline import Model
    from triage.proposal_context import ProposalContext

#: By its SHA-256: only the model that was loaded last.
_loaded: dict[str, Model] = {}


def load_model(blob: bytes, sha256: str) -> None:
    """Hold this model from now on. Raises UnreadableModel, and keeps the one before."""
    from triage.model.artefact import load

    model = load(blob, sha256=sha256, with_encoder=False)
    _loaded.clear()
    _loaded[sha256] = model


def has_model(sha256: str) -> bool:
    return sha256 in _loaded


def propose_for_record(
    sha256: str | None, story: str, context: ProposalContext, vectors: Vectors | None, *, words: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """A proposal as an event holds it, and its parts to seal; without a model by the rules alone.

    `vectors` are those of the normalised story; without them the model answers by its words. Raises KeyError if this
    model was not loaded.
    """
    from triage.proposal import proposal_facts, proposal_words, propose

    proposal = propose(None if sha256 is None else _loaded[sha256], story, context, vectors)
    return proposal_facts(proposal, words=words), proposal_words(proposal)
