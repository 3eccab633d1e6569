"""A safety rule by the name that staff read, in Slack and in documents."""

from __future__ import annotations

from collections.abc import Callable

from triage.safety.signs import BUILT_IN, ORGANISATION

#: The rules that have a text, `rule.<name>`.
RULES: frozenset[str] = frozenset(rule.name for rule in BUILT_IN)
# How a sign stood, as the end of its name tells, and the text that says so.
_HOW = {"_possible": "rule.possible", "_past": "rule.past"}


def rule_name(rule: str, say: Callable[..., str]) -> str:
    """A rule by its text; one that the organisation named itself, or an older release, as it is called.

    `say` gives the text of an id of the staff's catalogue, with its fields filled in.
    """
    kind, _, name = rule.rpartition(".")
    known = next((one for one in (name, *map(name.removesuffix, _HOW)) if one in RULES), None)
    if known is None or kind == ORGANISATION:
        return name.replace("_", " ")
    said = say(f"rule.{known}")
    return said if known == name else say(_HOW[name.removeprefix(known)], rule=said)
