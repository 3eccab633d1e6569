"""The dialogue with a complainant as a pure function: (conversation, incoming message, now) -> turn."""

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
