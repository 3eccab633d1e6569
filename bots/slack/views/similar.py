"""Similar complaints: one line each with a button that opens the prefilled form of a link; never any words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bots.slack.client.block_kit import Block, button, section
from bots.slack.texts import StaffTexts
from complaints.case import Case
from complaints.similarity import LinkSuggestion, SimilarCase, SimilarCluster, SuggestedLink, suggested_links
from complaints.times import local_time

#: So many references of a cluster are named; the command line lists the others.
_MAX_REFS = 6


def similar_blocks(
    case: Case, similar: Sequence[SimilarCase], texts: StaffTexts, *, now: datetime
) -> list[Block]:
    """The links to suggest, at most two lines; `similar` holds only what the reader may know of."""
    return [
        section(
            _line(case, link, texts),
            block_id=f"like.{link.step.value}",
            accessory=button(
                texts.text(f"like.do.{link.step.value}"),
                "case.link",
                f"{link.ref}:{link.step.value}:{link.other}",
            ),
        )
        for link in suggested_links(case, similar, now=now)
    ]


def link_initial(suggested_link: tuple[str, str]) -> Mapping[str, Any]:
    """The initial values of the form of a link, from the relation and the other reference of the button."""
    relation, other = suggested_link
    initial = {} if relation == LinkSuggestion.LOOK else {"relation": relation}
    return {**initial, "other_ref": other}


def cluster_lines(clusters: Sequence[SimilarCluster], texts: StaffTexts) -> list[str]:
    """`4: A7K-M3Q-9T, …`: each cluster with its size and the newest references."""
    return [
        texts.text(
            "like.cluster",
            number=cluster.count,
            refs=", ".join(cluster.refs[:_MAX_REFS]) + (" …" if cluster.count > _MAX_REFS else ""),
        )
        for cluster in clusters
    ]


def _line(case: Case, link: SuggestedLink, texts: StaffTexts) -> str:
    other = link.other if link.ref == case.ref else link.ref
    match link.step:
        case LinkSuggestion.LOOK if link.closed_at is not None:
            day = texts.day(local_time(link.closed_at, case.rules.calendar.zone).date())
            return texts.text("like.look", other=other, day=day)
        case LinkSuggestion.JOIN if link.incident is not None:
            return texts.text("like.known", number=link.count, other=other, incident=link.incident)
        case LinkSuggestion.JOIN:
            return texts.text("like.same_incident", number=link.count, other=other)
        case _:
            return texts.text("like.duplicate", other=other)
