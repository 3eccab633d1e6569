"""Cues in a story that call for one more question: again, effect, support, the name, somebody else's (7.4).

They look at the text as the safety rules do, denial included, but raise nothing and stay out of the record:
only the dialogue asks for them. The patterns stand in `signs/asking_<language>.toml`.
"""

from __future__ import annotations

from triage.matching import index_of
from triage.rule import read_rules
from triage.safety import LANGUAGES, found_by

_RULES = tuple(rule for language in LANGUAGES for rule in read_rules(f"asking_{language}"))
KINDS: frozenset[str] = frozenset(rule.kind for rule in _RULES)
_INDEX = index_of(_RULES)


def cues(text: str) -> frozenset[str]:
    """The kinds of cue in a text, of every language that we know some of; never raises."""
    return frozenset(sign.kind for sign in found_by(text, _INDEX).values())
