"""What each form starts from: proposal, assessment, issues, remedies, causes, the letter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bots.slack.blocks import (
    Block,
    context,
    cut,
    divider,
    escaped,
    header,
    mention,
    pieces,
    said,
    section,
    weight,
)
from bots.slack.card import unpaid
from bots.slack.likes import initial, like_blocks
from bots.slack.modals import Filling
from bots.slack.proposed import doubtful, proposal_blocks, take_matters
from bots.slack.shown import said_blocks
from bots.slack.voice import Voice
from complaints.case import Case, Event
from complaints.case_values import RemedyOwed
from complaints.deadlines.fast_track import out_of_time
from complaints.deadlines.local_time import last_day
from complaints.forms import GIVEN
from complaints.lifecycle import ANSWERED
from complaints.rulebook import categories_of
from complaints.vocabulary import Flag, State, Verb
from store.values import OpenedCase

#: What may stand above the inputs of the assessment; the rest is in `open`.
_SHOWN_BLOCKS = 40
_SHOWN_BYTES = 120_000


#: What each relation does to the two, said before one is chosen.
_LINKS = ("link.duplicate", "link.same_incident", "link.about_handling_of")


def words_by_verb(events: Sequence[Event], *verbs: Verb) -> Mapping[str, str]:
    """The words of the latest of these acts."""
    found: Mapping[str, str] = {}
    for event in events:
        if event.verb in verbs:
            found = event.words
    return found


#: Forms that show what the complainant said: opening them is a read on the record.
READING: frozenset[str] = frozenset({"assess", "approve"})

#: The acts whose words (of staff) a form needs to show what it is about.
NEEDED: Mapping[str, tuple[Verb, ...]] = {
    "decide": (Verb.ASSESS, Verb.REASSESS),
    "approve": (Verb.RESPOND, Verb.RECLASSIFY, Verb.EXTEND),
    "remedy": (Verb.RESPOND, Verb.RESOLVE, Verb.CONCLUDE_EXTERNAL),
    "verify": (Verb.RESPOND, Verb.RESOLVE, Verb.CONCLUDE_EXTERNAL),
    "close": (Verb.RESPOND, Verb.RESOLVE),
}


def filling(
    form: str,
    case: Case,
    events: Sequence[Event],
    voice: Voice,
    *,
    now: datetime,
    opened: OpenedCase | None = None,
    letter: str = "",
    suggestion: tuple[str, int] | None = None,
    suggested: tuple[str, str] | None = None,
) -> Filling:
    """The filling of a form.

    `events` are the whole history, with words at least for the verbs in NEEDED; `opened` is there for the
    forms in READING; `letter` is what an approver is asked to agree to; `suggestion` is who might take an
    ownerless one, with how many that person has; `suggested` the link that a button offered.
    """
    match form:
        case "assess" if opened is not None:
            return _assess(opened, voice, now)
        case "assign" if case.owner is None and suggestion is not None:
            who, number = suggestion
            told = voice.say("assign.suggested", who=mention(who), number=number)
            return Filling(initial={"owner": who}, shown=[context(told)])
        case "assign" if case.owner is not None:
            return Filling(initial={"owner": case.owner})
        case "decide":
            owed = unpaid(case, voice, now)
            made = _decide(case, words_by_verb(events, Verb.ASSESS, Verb.REASSESS), voice)
            return replace(made, shown=[section(owed)]) if owed else made
        case "approve":
            return Filling(shown=_to_approve(case, letter, voice, opened))
        case "remedy":
            undone = [one for one in case.owed_remedies if one.done_at is None]
            return _remedies(undone, events, voice, {"done_at": int(now.timestamp()) // 60 * 60})
        case "verify":
            done = [one for one in case.owed_remedies if one.done_at and not one.verified_at]
            return _with_their_word(done, _remedies(done, events, voice, {}), voice)
        case "close":
            return _close(case, words_by_verb(events, Verb.RESPOND, Verb.RESOLVE))
        case "investigate":
            return Filling(initial={"evidence": sorted(case.evidence)})
        case "given":
            return _given(case, voice, now)
        case "link":
            other = "X" if suggested is None else suggested[1]
            effects = [context(voice.say(one, ref=case.ref, other=other)) for one in _LINKS]
            return Filling(initial=initial(suggested) if suggested is not None else {}, shown=effects)
        case _:
            return Filling()


def _assess(opened: OpenedCase, voice: Voice, now: datetime) -> Filling:
    """The words and the proposal above; the criteria proposed or in force, but never a safety (7.5)."""
    case = opened.case
    known = case.assessment
    if known is not None:
        start: dict[str, Any] = {
            name: getattr(known, name)
            for name in ("category", "severity", "complexity", "reach", "recurrence", "compensation_likely")
        }
        start["immediate_needed"] = "yes" if known.immediate_needed else "no"
        start["immediate_possible"] = "yes" if known.immediate_possible else None
    else:
        start = _proposed(case)
    return Filling(
        initial=start,
        choices={"category": _categories(case, voice)},
        shown=[
            *newest(opened, voice),
            *_out_of_time(case, voice),
            *proposal_blocks(opened, voice),
            *(take_matters(opened, voice) if known is None else ()),
            *like_blocks(case, opened.likes, voice, now=now),
        ],
    )


def _out_of_time(case: Case, voice: Voice) -> list[Block]:
    """That it may be older than the scheme takes up, which a person decides."""
    too_old = out_of_time(case)
    if too_old is None:
        return []
    within = voice.span(case.rules.accept_within or "")
    return [section(voice.say("flag.out_of_time", day=voice.day(too_old), within=within))]


def _proposed(case: Case) -> dict[str, Any]:
    """What the model and the rules propose: no category where they are not sure, and never a safety."""
    proposed = case.proposed
    sure = proposed is not None and not proposed.abstained
    start: dict[str, Any] = {
        "category": proposed.category if proposed is not None and sure else None,
        "complexity": 1,
        "reach": 1,
        "recurrence": 2,
        "immediate_needed": "no",
    }
    if proposed is not None:
        start |= {one.field: one.value for one in proposed.criteria}
    # Last: what holds may be higher than what this proposal gives a reason for.
    return start | {"severity": case.severity if proposed is not None or case.signs else None}


def _categories(case: Case, voice: Voice) -> tuple[tuple[str, str], ...]:
    """The categories to choose from; the two that the model cannot tell apart stand first (7.5)."""
    first = doubtful(case) if case.assessment is None else ()
    names = (*first, *(one for one in categories_of(case.rules) if one not in first))
    return tuple((one, voice.say(f"category.{one}")) for one in names)


def newest(opened: OpenedCase, voice: Voice) -> list[Block]:
    """What was said, as much of it as a form has room for, the newest kept."""
    blocks = said_blocks(opened, voice)
    kept: list[Block] = []
    heavy = 0
    for block in reversed(blocks):
        heavy += weight([block])
        if len(kept) == _SHOWN_BLOCKS or heavy > _SHOWN_BYTES:
            kept.append(section(voice.say("modal.rest_in_open")))
            break
        kept.append(block)
    return kept[::-1]


def _decide(case: Case, words: Mapping[str, str], voice: Voice) -> Filling:
    headings = {}
    for one in case.issues:
        about = voice.say(f"category.{one.category}")
        text = words.get(f"issues.{one.n}.text", "")
        headings[f"issues.{one.n}"] = section(
            voice.say("modal.issue", number=one.n + 1, category=about)
            + (f"\n{escaped(cut(text, 1000))}" if text else "")
        )
    return Filling(rows={"issues": len(case.issues)}, fixed=frozenset({"issues"}), headings=headings)


def _to_approve(case: Case, letter: str, voice: Voice, opened: OpenedCase | None) -> list[Block]:
    """The letter, or the reason for taking it for no complaint; below it what the complainant said."""
    head = voice.say("modal.letter")
    if case.reclassification is not None:
        head = voice.say("modal.reclassified", kind=voice.say(f"kind.{case.reclassification[0].value}"))
    elif case.drafted is None and case.extension is not None:
        asked = case.extension
        target, zone = voice.say(f"target.{asked.target.value}"), case.rules.calendar.zone
        head = voice.say("modal.extension_asked", target=target, day=voice.day(last_day(asked.until, zone)))
    said_before = [header(voice.say("open.said")), *newest(opened, voice)] if opened is not None else []
    return [section(head), *letter_blocks(letter), divider(), *said_before]


def _given(case: Case, voice: Voice, now: datetime) -> Filling:
    """Only what can have been said as the complaint stands."""
    decided = case.state in ANSWERED and case.decision is not None
    fits = {
        "acknowledge": case.level not in case.acks,
        "decision": decided and case.decision is not None and case.decision.communicated_at is None,
        "accept": decided,
        "disagree": decided,
        "recourse": case.state is State.DISAGREED,
        "letter": case.told_by_people,
        "withdraw": case.is_open and case.withdrawn_at is None,
        "authority": Flag.FOR_ANOTHER in case.flags,
    }
    choices = tuple((one, voice.say(f"given.{one}")) for one in GIVEN if fits.get(one, True))
    whole = {} if not choices else {"what": choices}
    return Filling(initial={"given_at": int(now.timestamp()) // 60 * 60}, choices=whole)


def letter_blocks(letter: str) -> list[Block]:
    """A letter exactly as it is, in as many paragraphs as it needs."""
    return [said(one) for one in pieces(letter)]


def remedy_label(one: RemedyOwed, words: Mapping[str, str], voice: Voice) -> str:
    """`2: Refund 150.00 GBP · the words of the promise`, at most 75 characters."""
    amount = f" {one.amount} {one.currency}" if one.amount else ""
    text = words.get("text", "")
    return cut(f"{one.n + 1}: {voice.say(f'remedy.{one.type}')}{amount}" + (f" · {text}" if text else ""), 75)


def remedy_words(events: Sequence[Event]) -> dict[int, dict[str, str]]:
    """The words of every promise by the remedy's number, numbered as the fold numbers them."""
    found: list[dict[str, str]] = []
    drafted: Event | None = None
    for event in events:
        match event.verb:
            case Verb.RESOLVE:
                found.append({"text": event.words.get("done", "")})
            case Verb.RESPOND if event.facts.get("needs_approval"):
                drafted = event
            case Verb.RESPOND:
                found += _promises(event)
            case Verb.APPROVE if drafted is not None and event.facts.get("of") == "respond":
                found += _promises(drafted) if event.facts["agreed"] == "yes" else []
                drafted = None
            case Verb.CONCLUDE_EXTERNAL if event.facts.get("event") == "final" and event.facts.get(
                "comply_by"
            ):
                found.append({"text": event.words.get("outcome", "")})
            case _:
                pass
    return dict(enumerate(found))


def _promises(event: Event) -> list[dict[str, str]]:
    count = len(event.facts.get("remedies", ()))
    return [{"text": event.words.get(f"remedies.{n}.text", "")} for n in range(count)]


def _remedies(
    which: Sequence[RemedyOwed], events: Sequence[Event], voice: Voice, initial: Mapping[str, Any]
) -> Filling:
    words = remedy_words(events)
    labels = tuple((str(one.n), remedy_label(one, words.get(one.n, {}), voice)) for one in which)
    only = {"remedy": labels[0][0]} if len(labels) == 1 else {}
    return Filling(initial={**initial, **only}, choices={"remedy": labels})


def _with_their_word(which: Sequence[RemedyOwed], filling: Filling, voice: Voice) -> Filling:
    """The complainant's own "yes, it is right" is proof for whoever checks."""
    labels = dict(filling.choices.get("remedy", ()))
    said_so = [labels[str(one.n)] for one in which if one.answer == "yes" and str(one.n) in labels]
    if not said_so:
        return filling
    lines = "\n".join(escaped(one) for one in said_so)
    return replace(filling, shown=[section(voice.say("modal.remedy_confirmed", remedies=lines))])


def _close(case: Case, words: Mapping[str, str]) -> Filling:
    decision = case.decision
    cause = words.get("root_cause") or words.get("cause")
    return Filling(initial={"root_cause": cause, "cause_class": decision.cause_class if decision else None})
