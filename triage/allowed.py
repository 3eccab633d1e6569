"""A proposal is only ever of a category that the rules of the complaint know (clause 7.5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from triage.proposal import Proposal

FALLBACK = "other"


def keep_allowed(proposal: Proposal, categories: Collection[str]) -> Proposal:
    """The proposal without categories that are not among `categories`.

    A model may know more than a complaint's rules: trained on another organisation's file, or since a category
    was added. Where it would have proposed such a one, the best of the others stands in and the model says
    "not sure"; with none left, "other".
    """
    alternatives = tuple(one for one in proposal.alternatives if one.category in categories)
    issues = tuple(one for one in proposal.issues if one.category in categories)
    if proposal.category in categories:
        return replace(proposal, alternatives=alternatives, issues=issues)
    best = alternatives[0] if alternatives else None
    return replace(
        proposal,
        category=best.category if best is not None else FALLBACK,
        probability=best.probability if best is not None else 0.0,
        alternatives=alternatives[1:],
        issues=issues,
        abstained=True,
        because=(),
    )
