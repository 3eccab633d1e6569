"""The decision: what was told, found, why, what is done by when, and what if you disagree (7.8, E).

What comes from outside bodies, and the way to them where nobody here is independent (7.9, F).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from bots.letters.letter import Letter, heading, parts
from complaints.deadlines.working_time import due


def short(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """What was put right on the spot; it carries the recourse like any decision."""
    return parts(
        letter.say("decision"),
        heading(letter.say("decision.found"), letter.say(f"finding.{facts['finding']}")),
        heading(letter.say("decision.did"), words["done"]),
        _decided_by(letter),
        _disagree(letter),
    )


def full(
    letter: Letter,
    facts: Mapping[str, Any],
    words: Mapping[str, str],
    *,
    told: Sequence[str],
    now: datetime,
) -> str:
    """Issue by issue; `told` are the issues in the words of the assessment, where there are any."""
    issues = []
    for n, issue in enumerate(facts.get("issues", [])):
        category = letter.case.issues[n].category if n < len(letter.case.issues) else "other"
        name = told[n].strip() if n < len(told) and told[n].strip() else letter.say(f"category.{category}")
        issues.append(
            parts(
                heading(letter.say("decision.told"), f"{n + 1}. {name}"),
                heading(letter.say("decision.found"), letter.say(f"finding.{issue['finding']}")),
                heading(letter.say("decision.why"), words.get(f"issues.{n}.reasons", "")),
            )
        )
    remedies = _remedies(letter, facts, words, now) or letter.say("decision.nothing")
    changes = words.get("changes", "").strip()
    return parts(
        letter.say("decision"),
        *issues,
        heading(letter.say("decision.will"), remedies),
        heading(letter.say("decision.changes"), changes) if changes else "",
        _decided_by(letter),
        _disagree(letter),
        letter.say(letter.way("decision.format", "decision.format.spoken")),
    )


def _remedies(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str], now: datetime) -> str:
    lines = []
    for n, one in enumerate(facts.get("remedies", [])):
        text = words.get(f"remedies.{n}.text", "")
        said = letter.remedy(one["type"], text, one.get("amount"), one.get("currency"))
        if one.get("needs_acceptance"):
            lines.append(letter.say("decision.offer", remedy=said))
            continue
        promised = one.get("promised_by_date")
        by: date | datetime = (
            date.fromisoformat(promised)
            if promised
            else due(now, letter.case.rules.targets.remedy, letter.case.rules.calendar).at
        )
        lines.append(letter.say("decision.remedy", remedy=said, date=letter.day(by)))
    return "\n".join(lines)


def _decided_by(letter: Letter) -> str:
    """A person, at which level; from the second on one who was not involved before (4.5)."""
    case = letter.case
    id_ = "decision.by" if case.level == 1 else "decision.by_others"
    return letter.say(id_, level=case.level, levels=case.rules.top_level)


def _disagree(letter: Letter) -> str:
    case = letter.case
    onward = "decision.next_level" if case.level < case.rules.top_level else "decision.no_level"
    lines = [
        letter.say(
            letter.way("decision.reply", "decision.reply.spoken"), span=letter.span(case.rules.targets.lapse)
        ),
        letter.say(onward),
        letter.bodies(),
    ]
    if case.rules.recourse:
        lines.append(letter.say("reply.outside", body=case.rules.recourse[0].body))
    return heading(letter.say("decision.disagree"), "\n".join(lines))


def concluded(letter: Letter, facts: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """The body decided, or we did what it decided: its decision stands above ours."""
    body = words.get("body", "").strip()
    if facts.get("event") == "complied":
        return letter.say("outside.complied", body=body)
    outcome = words.get("outcome", "").strip()
    by = facts.get("comply_by")
    owed = by and facts.get("complainant_accepts") != "no"
    return parts(
        letter.say("outside", body=body),
        heading(letter.say("outside.decided"), outcome) if outcome else "",
        letter.say("outside.above") if facts.get("overturned") == "yes" else "",
        letter.say("outside.by", date=letter.day(date.fromisoformat(str(by)))) if owed else "",
    )


def next_step(letter: Letter, step: int) -> str:
    """What the complainant refused from outside: the body that comes after it; `step` counts from 0."""
    one = letter.case.rules.recourse[step]
    return letter.say(
        "recourse.next", body=letter.step(step + 1, one.body, one.contact, free=one.free, limit=one.limit)
    )


def no_independent(letter: Letter) -> str:
    """Everybody who could decide it is part of the matter: the outside is open at once."""
    return letter.say("recourse.no_independent", bodies=letter.bodies())
