"""The conversation with a complainant as data: (state, heard, now) -> (state, acts, things to say); pure."""

from bots.dialogue.inputs import (
    Blocked,
    ButtonInput,
    CommandInput,
    EditInput,
    Elapsed,
    FileInput,
    GroupSeen,
    IncomingMessage,
    TextInput,
    Unblocked,
    Unreadable,
)
from bots.dialogue.step import step

__all__ = [
    "Blocked",
    "ButtonInput",
    "CommandInput",
    "EditInput",
    "Elapsed",
    "FileInput",
    "GroupSeen",
    "IncomingMessage",
    "TextInput",
    "Unblocked",
    "Unreadable",
    "step",
]
