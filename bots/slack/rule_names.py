"""The safety rules that fired, by the names that staff read."""

from __future__ import annotations

from bots.sign_names import rule_name
from bots.slack.blocks import cut, escaped
from bots.slack.voice import Voice
from complaints.case import Case


def rule_names(case: Case, voice: Voice) -> str:
    """The names of the rules that fired, in the reader's language, as mrkdwn."""
    names = dict.fromkeys(rule_name(one.rule, voice.say) for one in case.signs)
    return escaped(cut(", ".join(names), 300))
