"""What can reach the dialogue: words, files, edits, presses, commands, time that passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.values import ReceivedFile

#: What a bot can fetch; a larger file is recorded and counts, but cannot be had (Telegram).
MOST_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class TextInput:
    """A text message. `source` and `reply_to` are the channel's message ids."""

    text: str
    source: str
    at: datetime
    reply_to: str | None = None


@dataclass(frozen=True)
class FileInput:
    """A message that carries a file; `caption` are its words. Albums are several, with `file.group`."""

    file: ReceivedFile
    caption: str
    source: str
    at: datetime
    reply_to: str | None = None

    @property
    def too_large(self) -> bool:
        """True when the channel will not hand it over."""
        return (self.file.size or 0) > MOST_BYTES


@dataclass(frozen=True)
class EditInput:
    """A message that was sent before, with its new words."""

    text: str
    source: str
    at: datetime


@dataclass(frozen=True)
class ButtonInput:
    """A button of ours. `turn` counts the turns of this talk: it tells which of several equal questions."""

    choice: str
    step: str
    ref: str | None
    turn: int


@dataclass(frozen=True)
class CommandInput:
    """A command such as /status; `argument` is the rest of its line."""

    name: str
    argument: str
    source: str
    at: datetime


def command_of(text: str, source: str, at: datetime) -> CommandInput:
    """A command from its text: `/add@the_bot A7K-M3Q-9T` is /add with a reference."""
    head, _, rest = text[1:].partition(" ")
    name, _, more = head.partition("\n")
    argument = f"{more}\n{rest}".strip() if more else rest.strip()
    return CommandInput(name.partition("@")[0].lower(), argument, source, at)


@dataclass(frozen=True)
class Elapsed:
    """The time of a `Wake` came; `what` is the wake's own."""

    what: str


@dataclass(frozen=True)
class Blocked:
    """The person blocked the bot."""


@dataclass(frozen=True)
class Unblocked:
    """The person let the bot in again."""


@dataclass(frozen=True)
class Unreadable:
    """A message of a kind that carries nothing to keep (a game, an invoice, a service note)."""


@dataclass(frozen=True)
class GroupSeen:
    """Somebody spoke to the bot in a group; `link` leads to the private chat."""

    link: str


IncomingMessage = (
    TextInput
    | FileInput
    | EditInput
    | ButtonInput
    | CommandInput
    | Elapsed
    | Blocked
    | Unblocked
    | Unreadable
    | GroupSeen
)
