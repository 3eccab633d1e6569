"""The conversation with a complainant as data: (state, heard, now) -> (state, acts, things to say); pure."""

from bots.dialogue.heard import (
    Blocked,
    Command,
    Edited,
    Elapsed,
    FileHeard,
    GroupSeen,
    Heard,
    Press,
    Unblocked,
    Unreadable,
    Words,
)
from bots.dialogue.stepping import step

__all__ = [
    "Blocked",
    "Command",
    "Edited",
    "Elapsed",
    "FileHeard",
    "GroupSeen",
    "Heard",
    "Press",
    "Unblocked",
    "Unreadable",
    "Words",
    "step",
]
