"""What the model proposed, in words: names and figures on the card, the words behind them in `open` and `assess`.

The card stands in a channel and holds no word of the complainant (docs/surfaces.md). What is shown in the forms is
for the person who opened them: words for and against, the matters, the facts of the story, like cases.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bots.slack.blocks import Block, actions, button, cut, escaped, said, section
from bots.slack.rule_names import rule_names
from bots.slack.voice import Voice
from complaints.case import Case
from complaints.case_values import RULES_ALONE, Proposed
from complaints.vocabulary import ContactKind
from store.values import OpenedCase

TAKE_MATTERS = "matters"
# Four matters as a button's value must stay within 2,000 characters, however many bytes a quote takes in JSON.
_WORDS, _DETAILS, _ISSUE = 8, 10, 220


def card_lines(case: Case, voice: Voice) -> list[str]:
    """The proposal on the card, until a person assessed: category or doubt, intent, how many matters."""
    proposed = case.proposed
    if proposed is None or case.assessment is not None:
        return []
    lines = [_sure_or_not(proposed, voice)]
    if proposed.intent is not ContactKind.COMPLAINT and case.kind is ContactKind.COMPLAINT:
        lines.append(
            voice.say(
                "card.intent",
                kind=voice.say(f"kind.{proposed.intent.value}"),
                percent=_percent(proposed.intent_probability),
            )
        )
    if len(proposed.issues) > 1:
        named = ", ".join(voice.say(f"category.{one}") for one in proposed.issues)
        lines.append(voice.say("card.matters", number=len(proposed.issues), categories=named))
    return lines


def _sure_or_not(proposed: Proposed, voice: Voice) -> str:
    grades = {"severity": proposed.severity, "safety": proposed.safety}
    if proposed.probability == 0:
        # A model that proposed, but knows none of the categories of this desk for it, is not "no model yet".
        without = proposed.model in (None, RULES_ALONE)
        return voice.say("card.rules_alone" if without else "card.knows_none", **grades)
    told = {
        "category": voice.say(f"category.{proposed.category}"),
        "percent": _percent(proposed.probability),
        **grades,
    }
    if not proposed.abstained or proposed.other is None:
        return voice.say("card.proposed", **told)
    return voice.say(
        "card.not_sure",
        other=voice.say(f"category.{proposed.other}"),
        other_percent=_percent(proposed.other_probability),
        **told,
    )


def _percent(share: float) -> int:
    return round(share * 100)


def doubtful(case: Case) -> tuple[str, ...]:
    """The two categories that the model cannot tell apart, for the form to offer them first."""
    proposed = case.proposed
    if proposed is None or not proposed.abstained or proposed.other is None or proposed.probability == 0:
        return ()
    return (proposed.category, proposed.other)


def proposal_blocks(opened: OpenedCase, voice: Voice) -> list[Block]:
    """Everything behind the proposal, for somebody who may read the words; nothing without one."""
    case, known = opened.case, opened.proposal or {}
    if case.proposed is None:
        return []
    lines = card_lines(case, voice) or [_sure_or_not(case.proposed, voice)]
    lines += [line for line in (_others(known, voice), *_for_and_against(known, voice)) if line]
    rules = rule_names(case, voice)
    if rules:
        lines.append(voice.say("card.rules", rules=rules))
    lines += _criteria(case.proposed, voice)
    blocks = [section("\n".join(lines))]
    blocks += _matters(known, voice)
    blocks += _details(known, voice)
    blocks += _similar(known, voice)
    return blocks


def _others(known: Mapping[str, Any], voice: Voice) -> str:
    others = ", ".join(
        f"{voice.say('category.' + str(one['category']))} {_percent(float(one['probability']))} %"
        for one in list(known.get("alternatives") or ())[:3]
    )
    return voice.say("open.alternatives", others=others) if others else ""


def _for_and_against(known: Mapping[str, Any], voice: Voice) -> list[str]:
    """The words for the category and those against it, as they stand in the text."""
    told: dict[str, list[str]] = {"open.because": [], "open.against": []}
    for one in list(known.get("because") or ())[:_WORDS]:
        id_ = "open.because" if float(one["weight"]) > 0 else "open.against"
        told[id_].append(f"“{escaped(str(one['word']), 60)}”")
    return [voice.say(id_, words=", ".join(words)) for id_, words in told.items() if words]


def _criteria(proposed: Proposed, voice: Voice) -> list[str]:
    """Why the other criteria are prefilled as they are."""
    return [
        voice.say(
            "open.criterion",
            field=voice.say(f"field.{one.field}"),
            reason=voice.say(f"criterion.{one.reason}"),
        )
        for one in proposed.criteria
    ]


def _details(known: Mapping[str, Any], voice: Voice) -> list[Block]:
    """The facts in the story, so that nobody asks for what was told."""
    told = [
        f"{voice.say('detail.' + str(one['kind']))}: {one['text']}"
        for one in list(known.get("details") or ())[:_DETAILS]
    ]
    return [said(f"{voice.say('open.details')}\n" + "\n".join(told))] if told else []


def _similar(known: Mapping[str, Any], voice: Voice) -> list[Block]:
    """The confirmed cases most like this one; the store left out those that the reader may not know."""
    told = [
        voice.say(
            "open.similar_one",
            ref=str(one["ref"]),
            category=voice.say(f"category.{one['category']}"),
            severity=one["severity"] if one.get("severity") is not None else "–",
            percent=_percent(float(one["likeness"])),
        )
        for one in known.get("similar") or ()
    ]
    return [section(f"{voice.say('open.similar')}\n" + "\n".join(told))] if told else []


def _matters(known: Mapping[str, Any], voice: Voice) -> list[Block]:
    """What each of several matters says; one alone is the story itself."""
    told = [
        f"{voice.say('category.' + category)}: {text}"
        for text, category in proposed_matters(known.get("issues"))
    ]
    return [said(f"{voice.say('open.matters')}\n" + "\n".join(told))] if told else []


def proposed_matters(issues: Any) -> list[tuple[str, str]]:
    """The matters proposed, as (words, category), where there are two or more."""
    matters = list(issues or ())
    if len(matters) < 2:
        return []
    return [(cut(str(one.get("text") or ""), _ISSUE), str(one["category"])) for one in matters]


def take_matters(opened: OpenedCase, voice: Voice) -> list[Block]:
    """The button that puts the proposed matters into the form's rows; none where there is one matter.

    A person takes them by a press: a row too many would demand a finding of its own.
    """
    matters = proposed_matters((opened.proposal or {}).get("issues"))
    if not matters:
        return []
    value = json.dumps(matters, ensure_ascii=False, separators=(",", ":"))
    return [actions("matters.issues", [button(voice.say("open.take_matters"), TAKE_MATTERS, value)])]
