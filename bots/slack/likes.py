"""One line each about like complaints, with the button that opens the form of a link filled in; never a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bots.slack.blocks import Block, button, section
from bots.slack.voice import Voice
from complaints.case import Case
from complaints.deadlines.local_time import wall
from complaints.similarity import LinkSuggestion, SimilarCase, SimilarCluster, SuggestedLink, suggested

#: References of one cluster that are named; the command line lists the others.
_NAMED = 6


def like_blocks(case: Case, likes: Sequence[SimilarCase], voice: Voice, *, now: datetime) -> list[Block]:
    """What is offered, at most two lines; `likes` are those that whoever looks may know of."""
    return [
        section(
            _line(case, one, voice),
            block_id=f"like.{one.step.value}",
            accessory=button(voice.say(f"like.do.{one.step.value}"), "case.link", _value(one)),
        )
        for one in suggested(case, likes, now=now)
    ]


def _line(case: Case, one: SuggestedLink, voice: Voice) -> str:
    other = one.other if one.ref == case.ref else one.ref
    match one.step:
        case LinkSuggestion.LOOK if one.closed_at is not None:
            day = voice.day(wall(one.closed_at, case.rules.calendar.zone).date())
            return voice.say("like.look", other=other, day=day)
        case LinkSuggestion.JOIN if one.incident is not None:
            return voice.say("like.known", number=one.count, other=other, incident=one.incident)
        case LinkSuggestion.JOIN:
            return voice.say("like.same_incident", number=one.count, other=other)
        case _:
            return voice.say("like.duplicate", other=other)


def _value(one: SuggestedLink) -> str:
    return f"{one.ref}:{one.step.value}:{one.other}"


def initial(suggestion: tuple[str, str]) -> Mapping[str, Any]:
    """What the form of a link starts from: the relation and the other reference, as the button had them."""
    relation, other = suggestion
    known = {} if relation == LinkSuggestion.LOOK else {"relation": relation}
    return {**known, "other_ref": other}


def cluster_lines(clusters: Sequence[SimilarCluster], voice: Voice) -> list[str]:
    """`4: A7K-M3Q-9T, …`: each cluster with how many there are, the newest references first."""
    return [
        voice.say(
            "like.cluster",
            number=one.count,
            refs=", ".join(one.refs[:_NAMED]) + (" …" if one.count > _NAMED else ""),
        )
        for one in clusters
    ]
