"""The card of a complaint: where it stands, what is due next, what can be done; never a name or a word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bots.slack import delivered, offers
from bots.slack.blocks import (
    Block,
    actions,
    button,
    context,
    fields,
    header,
    mention,
    option,
    section,
)
from bots.slack.likes import like_blocks
from bots.slack.offers import Offer, verbs_for
from bots.slack.proposed import card_lines
from bots.slack.rule_names import rule_names
from bots.slack.voice import Voice
from complaints.case import Case
from complaints.deadlines.fast_track import early_until, out_of_time, summary_owed
from complaints.deadlines.local_time import last_day
from complaints.deadlines.targets import next_due
from complaints.obligations.delay_notices import payment_owed
from complaints.priorities import priority_of
from complaints.similarity import SimilarCase
from complaints.vocabulary import ContactKind, Flag, Priority, State, Target
from store.values import Delivery

#: Which post of a complaint this is; the store keeps one of each at most.
CARD, RESTRICTED, EXECUTIVE = "card", "restricted", "executive"

_MARKS = {Priority.P1: "🔴", Priority.P2: "🟠", Priority.P3: "🟡", Priority.P4: "⚪"}
_PRIMARY = frozenset({"assess", "approve", "resolve", "decide", "close", "receipt"})


@dataclass(frozen=True)
class Drawn:
    """A message: `text` for notifications and screen readers, `blocks` for the eye."""

    text: str
    blocks: list[Block]


def card(
    case: Case,
    voice: Voice,
    *,
    now: datetime,
    draw: int,
    purpose: str = CARD,
    home: bool = False,
    likes: Sequence[SimilarCase] = (),
    told: Sequence[Delivery] = (),
) -> Drawn:
    """The card as the record stands now; `draw` counts the drawings of this post.

    `likes` are like complaints that everybody who sees this post may know of; `told` is what became of our notices.
    The executive post shows two buttons, unless it is the only one (`home`): then everything is done there.
    """
    offer = verbs_for(case)
    if purpose == EXECUTIVE:
        offer = offers.executive_home(case) if home else offers.executive(case)
    if case.erased_at is not None:
        gone = voice.say("card.erased", ref=case.ref)
        return Drawn(gone, [header(case.ref), section(gone), act_row(case, voice, offer, draw)])
    blocks = [
        header(headline(case, voice)),
        fields(_fields(case, voice)),
        section(next_words(case, voice, now)),
    ]
    lines = (
        _clocks(case, voice, now),
        _early(case, voice, now),
        unpaid(case, voice, now),
        *card_lines(case, voice),
        _rules(case, voice),
    )
    blocks += [context(line) for line in lines if line]
    shown = delivered.lines(delivered.for_card(told), case, voice, now)
    if shown:
        blocks.append(context(" · ".join(shown)))
    flags = flag_lines(case, voice)
    if flags:
        blocks.append(context(*flags))
    blocks += like_blocks(case, likes, voice, now=now)
    blocks.append(act_row(case, voice, offer, draw))
    return Drawn(f"{headline(case, voice)}. {next_words(case, voice, now, bold=False)}", blocks)


def headline(case: Case, voice: Voice) -> str:
    """Reference, state and priority on one line."""
    state = voice.say(f"state.{case.state.value}")
    if case.state is State.CLOSED and case.close_code is not None:
        state = f"{state}: {voice.say(f'close_code.{case.close_code.value}')}"
    priority = priority_of(case)
    return f"{case.ref} · {state} · {_MARKS[priority]} {priority.value}"


def _fields(case: Case, voice: Voice) -> list[str]:
    category = voice.say(f"category.{case.category}") if case.category else voice.say("card.no_category")
    if case.category and case.assessment is None:
        category = voice.say("card.not_assessed", category=category)
    owner = mention(case.owner) if case.owner else voice.say("card.no_owner")
    came = voice.moment(case.received_at, case.rules.calendar.zone)
    channel = voice.say(f"channel.{case.channel}")
    rows = [
        ("card.category", category),
        ("card.owner", owner),
        ("card.received", voice.say("card.received_how", when=came, channel=channel)),
        ("card.level", voice.say("card.level_of", level=case.level, top=case.rules.top_level)),
    ]
    if case.kind is not ContactKind.COMPLAINT:
        rows.append(("card.kind", voice.say(f"kind.{case.kind.value}")))
    return [f"*{voice.say(label)}*\n{value}" for label, value in rows]


def next_words(case: Case, voice: Voice, now: datetime, *, bold: bool = True) -> str:
    """The next due time in words, or that nothing is due."""
    following = next_due(case)
    if following is None:
        return voice.say("card.nothing_due")
    words = voice.due(following, case, now)
    return voice.say("card.next", due=f"*{words}*" if bold else words)


def _clocks(case: Case, voice: Voice, now: datetime) -> str:
    """The other open clocks."""
    following = next_due(case)
    others = sorted(
        (one for one in case.current_targets() if one.met_at is None and one is not following),
        key=lambda one: one.internal_due,
    )
    legal_last = [one for one in others if one.target is not Target.LEGAL]
    legal_last += [one for one in others if one.target is Target.LEGAL]
    if not others:
        return ""
    return voice.say("card.then", dues=" · ".join(voice.due(one, case, now) for one in legal_last[:8]))


def _early(case: Case, voice: Voice, now: datetime) -> str:
    """Until when settling it to their satisfaction is enough, where the scheme has such a way."""
    until = early_until(case)
    if until is None or until < now or not case.is_open or case.reply is not None:
        return ""
    return voice.say("card.early", when=voice.by(until, case.rules.calendar.zone))


def unpaid(case: Case, voice: Voice, now: datetime) -> str:
    """What the scheme has paid unasked as its time was missed; whoever decides promises it."""
    owed = payment_owed(case, now)
    if owed is None or not case.is_open:
        return ""
    return voice.say("card.payment_owed", amount=f"{owed.amount / 100:.2f} {owed.currency}")


def _rules(case: Case, voice: Voice) -> str:
    names = rule_names(case, voice)
    return voice.say("card.rules", rules=names) if names else ""


def flag_lines(case: Case, voice: Voice) -> list[str]:
    """What lies beside the state and should be seen, at most ten lines."""
    lines = []
    if case.danger_at is not None and case.danger_receipt_at is None:
        lines.append(voice.say("flag.danger_unseen"))
    if case.drafted is not None:
        lines.append(voice.say("flag.waits_for_approval", who=mention(case.drafted.by)))
    if case.reclassification is not None:
        kind, by = case.reclassification
        lines.append(voice.say("flag.reclassified", kind=voice.say(f"kind.{kind.value}"), who=mention(by)))
    if case.extension is not None:
        asked = case.extension
        lines.append(
            voice.say(
                "flag.extension_asked",
                target=voice.say(f"target.{asked.target.value}"),
                day=voice.day(last_day(asked.until, case.rules.calendar.zone)),
                who=mention(asked.by),
            )
        )
    if case.nobody_left:
        lines.append(voice.say("flag.nobody_left"))
    if case.fairness.review_by is not None and case.fairness.informed_at is None:
        lines.append(voice.say("flag.not_told", day=voice.day(case.fairness.review_by)))
    if case.incident is not None:
        id_ = "flag.incident_and_more" if case.second_issue else "flag.incident"
        lines.append(voice.say(id_, number=case.incident))
    if (too_old := out_of_time(case)) is not None:
        within = voice.span(case.rules.accept_within or "")
        lines.append(voice.say("flag.out_of_time", day=voice.day(too_old), within=within))
    if case.settled_early is not None:
        lines.append(voice.say("flag.summary_owed" if summary_owed(case) else "flag.settled_early"))
    if case.open_offer:
        lines.append(voice.say("flag.open_offer"))
    if case.reply is not None:
        lines.append(voice.say(f"flag.reply_{case.reply}"))
    order = [flag for flag in Flag if flag in case.flags and flag is not Flag.DANGER]
    return (lines + [voice.say(f"flag.{flag.value}") for flag in order])[:10]


def act_row(case: Case, voice: Voice, offer: Offer, draw: int) -> Block:
    """The buttons and the menu; the block says which work_version they were drawn with."""
    row = [
        button(
            voice.say(f"verb.{name}"),
            f"case.{name}",
            case.ref,
            style="primary" if at == 0 and name in _PRIMARY else None,
        )
        for at, name in enumerate(offer.buttons)
    ]
    if offer.others:
        row.append(
            {
                "type": "static_select",
                "action_id": "case.more",
                "placeholder": {"type": "plain_text", "text": voice.say("card.more"), "emoji": False},
                "options": [
                    option(f"case.{name}:{case.ref}", voice.say(f"verb.{name}")) for name in offer.others
                ],
            }
        )
    return actions(f"actions:{case.work_version}.{draw}", row)
