"""The card of an incident: what it is, how many complaints it has, how far the last update got; no case's words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bots.slack.blocks import Block, actions, button, context, escaped, fields, header, mention, section
from bots.slack.card import Drawn
from bots.slack.voice import Voice
from complaints.incidents import Incident
from complaints.vocabulary import State
from store.cases.incident_updates import UpdateDelivery

#: What can be done from it while it is open; `action_id` is `incident.<verb>`, the value its number.
VERBS = ("update", "join", "edit", "end")
#: So many references are named; of the rest only their number is told.
MOST_NAMED = 20
#: Reasons for which not even the reference is shown in the triage channel.
HIDDEN = frozenset({"restricted", "not_open"})


@dataclass(frozen=True)
class Standing:
    """Beside the incident: complaints by state, and each delivery of the last update."""

    counts: Mapping[str, int]
    deliveries: Sequence[UpdateDelivery] = field(default=())

    @property
    def waiting(self) -> bool:
        """Is a letter of the last update still on its way?"""
        return any(one.state == "waiting" for one in self.deliveries)


def incident_card(incident: Incident, standing: Standing, voice: Voice, *, zone: str, draw: int) -> Drawn:
    """The card as the record stands now."""
    title = headline(incident, voice)
    blocks: list[Block] = [header(title), fields(_fields(incident, standing, voice, zone))]
    line = incident.line_in(voice.language)
    blocks.append(
        section(f"*{voice.say('incident.line')}*\n{escaped(line) or voice.say('incident.no_line')}")
    )
    if standing.counts:
        states = [
            f"{voice.say(f'state.{state.value}')} {standing.counts[state.value]}"
            for state in State
            if standing.counts.get(state.value)
        ]
        blocks.append(context(" · ".join(states)))
    blocks += _update(incident, standing, voice, zone)
    if incident.is_open:
        blocks.append(_buttons(incident, voice, draw))
    return Drawn(
        f"{escaped(title)}. {voice.say('incident.cases', number=sum(standing.counts.values()))}", blocks
    )


def headline(incident: Incident, voice: Voice) -> str:
    """Its number and what it is, or that it ended."""
    name = voice.say("incident.number", number=incident.id)
    if not incident.is_open:
        name = f"{name} · {voice.say('incident.ended')}"
    return f"{name} · {incident.what}" if incident.what else name


def _fields(incident: Incident, standing: Standing, voice: Voice, zone: str) -> list[str]:
    rows = [
        ("incident.complaints", str(sum(standing.counts.values()))),
        ("card.owner", mention(incident.owner) if incident.owner else voice.say("card.no_owner")),
        ("incident.began", voice.moment(incident.started_at, zone)),
    ]
    if incident.ended_at is not None:
        rows.append(("incident.ended", voice.moment(incident.ended_at, zone)))
    if incident.area:
        rows.append(("incident.area", escaped(incident.area, 200)))
    return [f"*{voice.say(label)}*\n{value}" for label, value in rows]


def _update(incident: Incident, standing: Standing, voice: Voice, zone: str) -> list[Block]:
    if incident.updated_at is None:
        return [context(voice.say("incident.no_update"))]
    when = voice.moment(incident.updated_at, zone)
    blocks = [
        section(voice.say("incident.updated", when=when, how=delivery_words(standing.deliveries, voice)))
    ]
    left = [one for one in standing.deliveries if one.state == "left_out"]
    if left:
        blocks.append(context(voice.say("incident.left_out", refs=left_out_words(left, voice))))
    return blocks


def delivery_words(deliveries: Sequence[UpdateDelivery], voice: Voice) -> str:
    """`sent 47, waiting 2, failed 1 (blocked)`."""
    states = Counter(one.state for one in deliveries)
    words = [voice.say(f"incident.{state}", number=states[state]) for state in ("sent", "waiting")]
    if states["failed"]:
        why = Counter(str(one.reason) for one in deliveries if one.state == "failed")
        reasons = ", ".join(escaped(one, 40) for one in sorted(why))
        words.append(f"{voice.say('incident.failed', number=states['failed'])} ({reasons})")
    return ", ".join(words)


def left_out_words(left: Sequence[UpdateDelivery], voice: Voice) -> str:
    """`A7K-M3Q-9T (a matter of its own), 2 more that are not shown here`."""
    named = [one for one in left if one.reason not in HIDDEN]
    words = [f"{one.ref} ({voice.say(f'left_out.{one.reason}')})" for one in named[:MOST_NAMED]]
    rest = len(left) - len(words)
    return ", ".join([*words, *([voice.say("incident.more", number=rest)] if rest else [])])


def _buttons(incident: Incident, voice: Voice, draw: int) -> Block:
    row = [
        button(
            voice.say(f"incident.verb.{verb}"),
            f"incident.{verb}",
            str(incident.id),
            style="primary" if verb == "update" else None,
        )
        for verb in VERBS
    ]
    return actions(f"incident:{incident.version}.{draw}", row)
