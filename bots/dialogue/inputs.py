"""The incoming messages of the dialogue: text, files, edits, buttons, commands and wake-ups."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from store.values import ReceivedFile

#: Telegram lets bots download files up to 20 MiB. A larger file is recorded and counted, but not downloaded.
MAX_FILE_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class TextInput:
    """A text message, or a place on the map as text.

    `source` and `reply_to` are the channel's message ids. `is_forwarded`: another person wrote it.
    """

    text: str
    source: str
    at: datetime
    reply_to: str | None = None
    is_place: bool = False
    is_forwarded: bool = False


@dataclass(frozen=True)
class FileInput:
    """A message with a file and its caption. An album is several of these with the same `file.group`."""

    file: ReceivedFile
    caption: str
    source: str
    at: datetime
    reply_to: str | None = None
    is_forwarded: bool = False

    @property
    def too_large(self) -> bool:
        """True when the channel refuses the download."""
        return (self.file.size or 0) > MAX_FILE_BYTES


@dataclass(frozen=True)
class EditInput:
    """The new text of an earlier message, and its file if it has one: the earlier file or another one."""

    text: str
    source: str
    at: datetime
    file: ReceivedFile | None = None


@dataclass(frozen=True)
class ButtonInput:
    """A pressed button. `turn` is the number of the turn that sent it, to distinguish equal questions."""

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


def parse_command(text: str, source: str, at: datetime) -> CommandInput:
    """Parse the text of a command: `/add@the_bot A7K-M3Q-9T` is /add with a reference."""
    head, _, rest = text[1:].partition(" ")
    name, _, more = head.partition("\n")
    argument = f"{more}\n{rest}".strip() if more else rest.strip()
    return CommandInput(name.partition("@")[0].lower(), argument, source, at)


@dataclass(frozen=True)
class Elapsed:
    """The time of a `WakeUp` has come; `what` is copied from it."""

    what: str


@dataclass(frozen=True)
class Transcript:
    """What a machine made of the recording with this number of a complaint; the person did not write it."""

    ref: str
    file: int
    text: str


@dataclass(frozen=True)
class Translation:
    """What a machine made of the words of an event of a complaint, by field; `language` is that of the original."""

    ref: str
    seq: int
    words: Mapping[str, str]
    language: str


@dataclass(frozen=True)
class Blocked:
    """The person blocked the bot."""


@dataclass(frozen=True)
class Unblocked:
    """The person unblocked the bot."""


@dataclass(frozen=True)
class Unreadable:
    """A message with no content that could be recorded (a game, an invoice, a service message)."""


@dataclass(frozen=True)
class GroupSeen:
    """A message to the bot in a group; `link` leads to the private chat."""

    link: str


IncomingMessage = (
    TextInput
    | FileInput
    | EditInput
    | ButtonInput
    | CommandInput
    | Elapsed
    | Transcript
    | Translation
    | Blocked
    | Unblocked
    | Unreadable
    | GroupSeen
)
