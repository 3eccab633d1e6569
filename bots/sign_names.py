"""The names of safety rules and of rules of due times as staff read them, in Slack and in documents."""

from collections.abc import Callable

from complaints.deadlines.targets import BODY_REPLY_RULES
from complaints.hazards import HAZARDS
from complaints.vocabulary import Target
from triage.safety.organisation import ORGANISATION
from triage.safety.signs import BUILT_IN, LIKELY, UNCLEAR

#: The rules that have a text, `rule.<name>`.
RULES: frozenset[str] = frozenset(
    (
        *(rule.name for rule in BUILT_IN),
        *(f"{name}{LIKELY}" for name in (UNCLEAR, *(hazard.name for hazard in HAZARDS))),
        "unread",
    )
)
#: The text for each ending of a rule's name that qualifies the sign.
_QUALIFIERS = {"_possible": "rule.possible", "_past": "rule.past"}


def rule_name(rule: str, say: Callable[..., str]) -> str:
    """The text of a built-in rule; for rules of the organisation or of an older release, their own name.

    `say` gives the staff text of an id, with its fields filled in.
    """
    kind, _, name = rule.rpartition(".")
    built_in = next((base for base in (name, *map(name.removesuffix, _QUALIFIERS)) if base in RULES), None)
    if built_in is None or kind == ORGANISATION:
        return name.replace("_", " ")
    text = say(f"rule.{built_in}")
    return text if built_in == name else say(_QUALIFIERS[name.removeprefix(built_in)], rule=text)


BODY_REPLY_NAMES = dict(zip(BODY_REPLY_RULES, ("body_reply", "body_reply.1"), strict=True))


def due_rule_name(rule: str, say: Callable[..., str]) -> str:
    """`P3.first_action` as `P3, first human contact`; a rule of an older release keeps its own name."""
    if rule.startswith("clock."):
        return f"{say('target.legal')}, {rule.removeprefix('clock.').replace('_', ' ')}"
    priority, _, code = rule.rpartition(".")
    code = code.removesuffix("_every").removesuffix("_limit").removeprefix("escalated_")
    code = BODY_REPLY_NAMES.get(code, code)
    name = say(f"target.{code}") if code.split(".")[0] in set(Target) else code.replace("_", " ")
    return f"{priority}, {name}" if priority else name
