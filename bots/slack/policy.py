"""`/complaints policy`: the complaints policy in force, as the settings have it (5.2, 4.6, 7.1)."""

from __future__ import annotations

from collections.abc import Iterator

from bots.slack.blocks import Block, context, escaped, header, section
from bots.slack.voice import Voice
from complaints.rulebook import Rulebook


def policy(rules: Rulebook, voice: Voice) -> list[Block]:
    """What we promise, who decides, what it costs (nothing), and where one may go outside."""
    return [
        header(voice.say("policy.title")),
        section("\n".join(_promises(rules, voice))),
        section("\n".join([f"*{voice.say('policy.times')}*", *_times(rules, voice)])),
        section("\n".join([f"*{voice.say('policy.levels')}*", *_levels(rules, voice)])),
        section("\n".join([f"*{voice.say('policy.outside')}*", *_outside(rules, voice)])),
        context(voice.say("policy.version", version=rules.edition[:12], preset=escaped(rules.preset, 60))),
    ]


def _promises(rules: Rulebook, voice: Voice) -> Iterator[str]:
    yield voice.say("policy.free", organisation=escaped(rules.organisation, 200))
    for id_ in ("policy.people", "policy.fair", "policy.private", "policy.learn"):
        yield voice.say(id_)


def _times(rules: Rulebook, voice: Voice) -> Iterator[str]:
    yield voice.say("policy.ack", span=voice.span(rules.targets.ack))
    for priority, one in sorted(rules.targets.by_priority.items()):
        yield voice.say(
            "policy.priority",
            priority=str(priority),
            look=voice.span(one.look),
            first=voice.span(one.first_action),
            update=voice.span(one.update_every),
            decide=voice.span(one.decide),
        )
    if rules.targets.legal is not None:
        yield voice.say("policy.legal", span=voice.span(rules.targets.legal))
    for level, own in sorted(rules.targets.by_level.items()):
        if own.decide is not None:
            ack = voice.span(own.ack or rules.targets.escalated_ack)
            yield voice.say("policy.level_times", level=level, ack=ack, decide=voice.span(own.decide))
    if rules.targets.extension_cap is not None:
        yield voice.say("policy.extension", span=voice.span(rules.targets.extension_cap))
    if rules.targets.delay_notice is not None:
        yield voice.say("policy.delay", span=voice.span(rules.targets.delay_notice))


def _levels(rules: Rulebook, voice: Voice) -> Iterator[str]:
    for level, roles in sorted(rules.levels.items()):
        yield voice.say(
            "policy.level", level=level, roles=", ".join(voice.say(f"role.{one}") for one in roles)
        )
    for role, limit in sorted(rules.authority.items()):
        amount = f"{limit.amount / 100:.2f} {limit.currency}"
        yield voice.say("policy.limit", role=voice.say(f"role.{role}"), amount=amount)


def _outside(rules: Rulebook, voice: Voice) -> Iterator[str]:
    if not rules.recourse:
        yield voice.say("policy.no_outside")
    for one in rules.recourse:
        cost = voice.say("policy.outside_free") if one.free else voice.say("policy.outside_costs")
        parts = (escaped(one.body, 200), escaped(one.contact, 200), escaped(one.limit, 100), cost)
        yield "• " + " · ".join(part for part in parts if part)
