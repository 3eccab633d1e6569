"""The safety rules that fired, by the names that staff read."""

from __future__ import annotations

from bots.slack.blocks import cut, escaped
from bots.slack.voice import Voice
from complaints.record import Case
from triage.safety import BUILT_IN, ORGANISATION

#: The rules that have a text, `rule.<name>`.
RULES: frozenset[str] = frozenset(rule.name for rule in BUILT_IN)
# How a sign stood, as the end of its name tells, and the text that says so.
_HOW = {"_possible": "rule.possible", "_past": "rule.past"}


def rule_names(case: Case, voice: Voice) -> str:
    """The names of the rules that fired, in the reader's language, as mrkdwn."""
    names = dict.fromkeys(_rule_name(one.rule, voice) for one in case.signs)
    return escaped(cut(", ".join(names), 300))


def _rule_name(rule: str, voice: Voice) -> str:
    """A rule by its text; one that the organisation named itself, or an older release, as it is called."""
    kind, _, name = rule.rpartition(".")
    known = next((one for one in (name, *map(name.removesuffix, _HOW)) if one in RULES), None)
    if known is None or kind == ORGANISATION:
        return name.replace("_", " ")
    said = voice.say(f"rule.{known}")
    return said if known == name else voice.say(_HOW[name.removeprefix(known)], rule=said)
