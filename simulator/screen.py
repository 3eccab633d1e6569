"""What a member of staff sees in Slack: channels, messages, cards and modals."""

from typing import Any

from simulator.slack.block_kit import cell_text, elements_of, options_of
from simulator.slack.block_kit_values import STATELESS
from simulator.slack.mrkdwn import readable
from simulator.slack.people import SlackImpossible, plain_values
from simulator.state.slack_state import Channel, Post, SlackMember, View
from simulator.state.world import World

Json = dict[str, Any]


class NotVisible(Exception):
    """A channel that the member is not in."""


class NotAcknowledged(Exception):
    """The app did not acknowledge in time, or with something that Slack cannot show."""


class FormRefused(Exception):
    """Errors shown in a modal: {block_id: text}."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{block}: {text}" for block, text in errors.items()))
        self.errors = errors


def element_labelled(
    blocks: list[Json], label: str, kinds: set[str] | None, value: str | None = None
) -> tuple[str, Json]:
    """The block_id and element with this text, placeholder, label or action_id. Raises SlackImpossible."""
    labels = []
    for block in blocks:
        for element in elements_of(block):
            if (kinds is not None and element["type"] not in kinds) or value not in (
                None,
                element.get("value"),
            ):
                continue
            names = [element.get(key, {}).get("text", "") for key in ("text", "placeholder")]
            names += [
                block.get("label", {}).get("text", "") if block["type"] == "input" else "",
                element["action_id"],
            ]
            if label in [*names, *map(readable, names)]:
                return block["block_id"], element
            labels.append(next((name for name in names if name), "?"))
    raise SlackImpossible(f"There is no {label!r}; there are: {', '.join(labels) or 'none'}.")


def texts_of(value: Any) -> list[str]:
    """All texts of blocks from top to bottom, without those of buttons and options."""
    texts: list[str] = []
    for block in value:
        objects = [block.get("text"), block.get("label"), block.get("hint"), *(block.get("fields") or [])]
        if block["type"] == "context":
            objects += block["elements"]
        texts += [
            readable(t["text"]) for t in objects if isinstance(t, dict) and isinstance(t.get("text"), str)
        ]
        if isinstance(block.get("text"), str):
            texts.append(readable(block["text"]))
        if block["type"] == "container":
            texts += [readable((block.get("title") or {}).get("text", "")), *texts_of(block["child_blocks"])]
        if block["type"] == "data_table":
            texts += [block["caption"], *(" · ".join(map(cell_text, row)) for row in block["rows"])]
        if block["type"] == "data_visualization":
            texts.append(block["title"])
        if block["type"] == "rich_text":
            # Nothing in it is markup.
            texts += [
                "".join(str(part.get("text", "")) for part in row["elements"]) for row in block["elements"]
            ]
    return texts


class DisplayedPost:
    """A message of a channel; properties read its current state."""

    def __init__(self, world: World, channel: Channel, post: Post) -> None:
        self.world, self._channel, self.post = world, channel, post

    @property
    def ts(self) -> str:
        return self.post.ts

    @property
    def channel(self) -> str:
        return self._channel.id

    @property
    def gone(self) -> bool:
        return self.post.deleted

    @property
    def blocks(self) -> list[Json]:
        return self.post.blocks

    @property
    def metadata(self) -> Json | None:
        return self.post.metadata

    @property
    def text(self) -> str:
        return "\n".join(texts_of(self.post.blocks)) or readable(self.post.text)

    @property
    def plain_text(self) -> str:
        return readable(self.post.text)

    @property
    def files(self) -> list[str]:
        return [self.world.slack.files[file_id].name for file_id in self.post.files]

    @property
    def thread(self) -> "list[Card]":
        """Replies, oldest first."""
        return [Card(self.world, self._channel, p) for p in self._channel.replies(self.post.ts)]


class Card(DisplayedPost):
    @property
    def buttons(self) -> list[str]:
        return [
            readable(e["text"]["text"]) for b in self.blocks for e in elements_of(b) if e["type"] == "button"
        ]

    def options(self, menu: str) -> list[str]:
        _, element = element_labelled(self.blocks, menu, None)
        return [option["text"]["text"] for option in options_of(element)]


class Room:
    """A channel as one member sees it."""

    def __init__(self, world: World, member: SlackMember, channel: Channel) -> None:
        self.world, self.member, self.state = world, member, channel

    @property
    def id(self) -> str:
        return self.state.id

    @property
    def posts(self) -> list[Card]:
        """Messages outside threads, oldest first, without deleted and ephemeral ones."""
        return [
            Card(self.world, self.state, p)
            for p in self.state.posts
            if not p.deleted and p.visible_to is None and p.thread_ts in (None, p.ts)
        ]

    @property
    def cards(self) -> list[Card]:
        """The app's messages with blocks."""
        return [card for card in self.posts if card.blocks and card.post.by_bot]

    def card(self, fragment: str) -> Card:
        """The newest card that contains the text. Raises SlackImpossible."""
        for card in reversed(self.cards):
            if fragment in card.text:
                return card
        raise SlackImpossible(
            f"There is no card with {fragment!r} in {self.id}: {[card.text for card in self.cards][-5:]}"
        )


class Modal:
    """A modal or home view; properties read its current state."""

    def __init__(self, world: World, view: View) -> None:
        self.world, self.view = world, view

    @property
    def id(self) -> str:
        return self.view.id

    @property
    def title(self) -> str:
        return str((self.view.content.get("title") or {}).get("text", ""))

    @property
    def callback_id(self) -> str:
        return str(self.view.content.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        return str(self.view.content.get("private_metadata", ""))

    @property
    def submit_label(self) -> str | None:
        label = self.view.content.get("submit")
        return label["text"] if label else None

    @property
    def close_label(self) -> str:
        return str((self.view.content.get("close") or {}).get("text", "Cancel"))

    @property
    def blocks(self) -> list[Json]:
        return self.view.blocks

    @property
    def texts(self) -> list[str]:
        return texts_of(self.view.blocks)

    @property
    def text(self) -> str:
        return "\n".join(self.texts)

    @property
    def labels(self) -> dict[str, str]:
        return {b["block_id"]: b["label"]["text"] for b in self.view.blocks if b["type"] == "input"}

    @property
    def buttons(self) -> list[str]:
        return [
            readable(e["text"]["text"]) for b in self.blocks for e in elements_of(b) if e["type"] == "button"
        ]

    @property
    def values(self) -> dict[str, Any]:
        """The plain values of the inputs by block_id, and by action_id in blocks with several elements."""
        nested = plain_values(self.view.values)
        return {block: next(iter(v.values())) if len(v) == 1 else v for block, v in nested.items()}

    @property
    def errors(self) -> dict[str, str]:
        return dict(self.view.errors)

    @property
    def notice(self) -> str | None:
        """The notice that Slack shows in the view."""
        return self.view.notice

    def options(self, label: str) -> list[str]:
        wanted = self.block_for(label)
        block = next(b for b in self.blocks if b["block_id"] == wanted)
        return [option["text"]["text"] for e in elements_of(block) for option in options_of(e)]

    def block_for(self, key: str) -> str:
        """The block_id of a block_id or a visible label. Raises SlackImpossible."""
        fillable = [
            b["block_id"] for b in self.blocks if any(e["type"] not in STATELESS for e in elements_of(b))
        ]
        if key in fillable:
            return key
        for block_id, label in self.labels.items():
            if label == key:
                return block_id
        raise SlackImpossible(f"Nothing to fill in is called {key!r}; there are: {', '.join(fillable)}.")
