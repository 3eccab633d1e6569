"""Direct messages to staff: what they say and their buttons; never a complainant's name or words."""

from __future__ import annotations

from collections.abc import Sequence

from bots.slack.blocks import actions, button, section
from bots.slack.card import Drawn
from bots.slack.voice import Voice
from complaints.case import Case


def notice(case: Case, text: str, voice: Voice, forms: Sequence[str]) -> Drawn:
    """A message about a complaint with buttons for these forms; the first is the one to press."""
    row = [
        button(voice.say(f"verb.{form}"), f"case.{form}", case.ref, style="primary" if at == 0 else None)
        for at, form in enumerate(forms)
    ]
    return Drawn(text, [section(text), actions(f"actions:{case.work_version}.0", row)])
