"""Plays the stories of a file through the dialogue of a desk of four languages, and counts what they cost (7.2)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from bots.texts.catalogues import load_catalogues
from complaints.vocabulary import Verb
from tests.rules.dialogue_play import RULES, Play
from triage.facts.finder import find_facts

LANGUAGES = ("en", "tr", "de", "es")
TEXTS = load_catalogues(LANGUAGES)
RECEIVED = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)


def read_stories(name: str) -> list[dict[str, Any]]:
    file = Path(__file__).parents[1] / "stories" / name
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    received = table.get("received", RECEIVED)
    return [{"received": received, **story} for story in table["story"]]


@dataclass
class Result:
    """What one story cost: `asked` are the questions put, `faults` what should not have happened."""

    story: Mapping[str, Any]
    actions: int = 0
    asked: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    #: A danger after which the bot asks nothing more.
    left_to_people: bool = False


def play_story(story: Mapping[str, Any]) -> Result:
    """Write the story, press Done, skip every question, and send; the phone speaks another language."""
    play = Play(denies=True, language=None, rules=replace(RULES, languages=LANGUAGES), catalogue=TEXTS)
    play.now = story.get("received", RECEIVED)
    result = Result(story)
    play.writes(story["text"])
    if play.language != story["language"]:
        result.faults.append(f"answered in {play.language}")
    if play.state["step"] == "danger_discreet":
        play.presses("yes")
    if play.state["step"] == "danger":
        # The number to call comes first; what is urgent may cost one tap more.
        play.presses("safe")
    if play.state["step"] == "idle":
        # Taken for despair or violence: a person goes on from here.
        result.left_to_people = True
        return result
    if play.state["step"] == "story":
        play.presses("done")
    result.actions = 1
    while play.state["step"] != "check" and result.actions < 12:
        result.asked.append(play.state["step"])
        play.presses("skip")
        result.actions += 1
    read_back = play.text(play.replies[-1])
    details = str(play.replies[-1].fields.get("details", ""))
    play.presses("send")
    result.actions += 1
    _judge(play, result, read_back, details)
    return result


def _judge(play: Play, result: Result, read_back: str, details: str) -> None:
    story = result.story
    stated = [*story.get("told", ()), *(["help"] if story.get("remedies") else [])]
    stated += ["where"] if story.get("place") and story.get("days") else []
    result.faults += [f"asked {step}" for step in stated if step in result.asked]
    facts: dict[str, Any] = {}
    for act in play.acted:
        facts |= {name: value for name, value in act.facts.items() if name not in ("field",)}
    recorded = set(facts.get("remedies_requested", ())) or {facts.get("remedy_requested", "")} - {""}
    wanted = set(story.get("remedies", ()))
    words = play.texts_of(play.ref).get("remedy_requested", "")
    recorded |= {"own"} if words and not recorded else set()
    recorded = {"own" if code == "something_else" else code for code in recorded}
    if not wanted <= recorded or not recorded <= wanted | set(story.get("maybe", ())):
        result.faults.append(f"remedies {sorted(recorded)} for {sorted(wanted)}")
    where = play.texts_of(play.ref).get("where_and_when", "")
    if story.get("place") and story["place"] not in where and "where" not in result.asked:
        result.faults.append(f"place {where!r}")
    values = " ".join(
        fact.value
        for fact in find_facts(story["text"], received=story.get("received", RECEIVED).date(), country="GB")
        if fact.kind == "date" and " ".join(fact.text.split()) in where
    )
    if "where" not in result.asked:
        result.faults += [f"day {day} in {where!r}" for day in story.get("days", ()) if day not in values]
        result.faults += [f"corrected day {day}" for day in story.get("not_days", ()) if day in values]
    if "amount" in story:
        cents = facts.get("amount_requested")
        amount = f"{Decimal(cents) / 100:.2f} {facts['currency_requested']}" if cents else "none"
        if amount != story["amount"]:
            result.faults.append(f"amount {amount} for {story['amount']}")
    if play.case.confirmed_at != play.now or not any(act.verb is Verb.CONFIRM for act in play.acted):
        result.faults.append("not sent")
    result.faults += [
        f"not read back: {t!r}"
        for name, t in play.texts_of(play.ref).items()
        if t not in read_back and name != "danger"
    ]


if __name__ == "__main__":
    import statistics
    import sys

    results = [play_story(story) for story in read_stories(sys.argv[1])]
    for code in LANGUAGES:
        own = [result for result in results if result.story["language"] == code]
        if not own:
            continue
        print(
            f"== {code}: median {statistics.median(result.actions for result in own)}, "
            f"{sum(bool(result.faults) for result in own)} of {len(own)} with faults, "
            f"asked in vain {sum(f.startswith('asked') for r in own for f in r.faults)}"
        )
        if "-v" in sys.argv:
            for result in own:
                if result.faults:
                    print(result.actions, result.asked, result.faults, "|", result.story["text"][:150])
