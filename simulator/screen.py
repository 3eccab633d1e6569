"""What a member of staff has on the screen: rooms, posts, cards, modals."""

from typing import Any

from simulator.slack.block_kit import elements_of, options_of
from simulator.slack.block_kit_values import STATELESS
from simulator.slack.people import SlackImpossible, plain_values
from simulator.slack.state import Channel, Member, Post, View
from simulator.slack.text import readable
from simulator.world import World

Json = dict[str, Any]


class NotVisible(Exception):
    """A channel that the member is not in."""


class NotAcknowledged(Exception):
    """The app did not acknowledge in time, or answered what Slack cannot show."""


class FormRefused(Exception):
    """Errors shown in a modal: {block_id: text}."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{block}: {text}" for block, text in errors.items()))
        self.errors = errors


def element_labelled(
    blocks: list[Json], label: str, kinds: set[str] | None, value: str | None = None
) -> tuple[str, Json]:
    """The block_id and element of that visible text, placeholder, label or action_id. Raises Impossible."""
    seen = []
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
            seen.append(next((name for name in names if name), "?"))
    raise SlackImpossible(f"There is no {label!r}; there are: {', '.join(seen) or 'none'}.")


def texts_of(value: Any) -> list[str]:
    """All texts people read in blocks, top down: not those of buttons and options."""
    found: list[str] = []
    for block in value:
        texts = [block.get("text"), block.get("label"), block.get("hint"), *(block.get("fields") or [])]
        if block["type"] == "context":
            texts += block["elements"]
        found += [
            readable(t["text"]) for t in texts if isinstance(t, dict) and isinstance(t.get("text"), str)
        ]
        if isinstance(block.get("text"), str):
            found.append(readable(block["text"]))
    return found


class PostShown:
    """A message of a channel, read anew each time it is asked."""

    def __init__(self, world: World, channel: Channel, post: Post) -> None:
        self.world, self._channel, self.post = world, channel, post

    @property
    def ts(self) -> str:
        """The message's ts."""
        return self.post.ts

    @property
    def channel(self) -> str:
        """The channel's id."""
        return self._channel.id

    @property
    def gone(self) -> bool:
        """Deleted."""
        return self.post.deleted

    @property
    def blocks(self) -> list[Json]:
        """Block Kit as it stands."""
        return self.post.blocks

    @property
    def metadata(self) -> Json | None:
        """The message's metadata."""
        return self.post.metadata

    @property
    def text(self) -> str:
        """All that is read in the message: its blocks' texts, else its text."""
        return "\n".join(texts_of(self.post.blocks)) or readable(self.post.text)

    @property
    def plain_text(self) -> str:
        """The text of the notification."""
        return readable(self.post.text)

    @property
    def files(self) -> list[str]:
        """Names of attached files."""
        return [self.world.slack.files[number].name for number in self.post.files]

    @property
    def thread(self) -> "list[Card]":
        """Replies, oldest first."""
        return [Card(self.world, self._channel, p) for p in self._channel.replies(self.post.ts)]


class Card(PostShown):
    """A message with things to press."""

    @property
    def buttons(self) -> list[str]:
        """Labels of the buttons."""
        return [
            readable(e["text"]["text"]) for b in self.blocks for e in elements_of(b) if e["type"] == "button"
        ]

    def options(self, menu: str) -> list[str]:
        """Texts of a menu's options."""
        _, element = element_labelled(self.blocks, menu, None)
        return [option["text"]["text"] for option in options_of(element)]


class Room:
    """A channel as one member sees it."""

    def __init__(self, world: World, member: Member, channel: Channel) -> None:
        self.world, self.member, self.state = world, member, channel

    @property
    def id(self) -> str:
        """The channel's id."""
        return self.state.id

    @property
    def posts(self) -> list[Card]:
        """Standing messages outside threads, oldest first; no ephemeral ones."""
        return [
            Card(self.world, self.state, p)
            for p in self.state.posts
            if not p.deleted and p.only_for is None and p.thread_ts in (None, p.ts)
        ]

    @property
    def cards(self) -> list[Card]:
        """Those with blocks that the app wrote."""
        return [card for card in self.posts if card.blocks and card.post.by_bot]

    def card(self, fragment: str) -> Card:
        """The newest card that contains the text. Raises Impossible."""
        for card in reversed(self.cards):
            if fragment in card.text:
                return card
        raise SlackImpossible(
            f"There is no card with {fragment!r} in {self.id}: {[card.text for card in self.cards][-5:]}"
        )


class Modal:
    """A view as it stands, read anew each time it is asked."""

    def __init__(self, world: World, view: View) -> None:
        self.world, self.view = world, view

    @property
    def id(self) -> str:
        """The view's id."""
        return self.view.id

    @property
    def title(self) -> str:
        """The title's words."""
        return str((self.view.content.get("title") or {}).get("text", ""))

    @property
    def callback_id(self) -> str:
        """The callback_id."""
        return str(self.view.content.get("callback_id", ""))

    @property
    def private_metadata(self) -> str:
        """What the app put away in the view."""
        return str(self.view.content.get("private_metadata", ""))

    @property
    def submit_label(self) -> str | None:
        """The words on the submit button."""
        found = self.view.content.get("submit")
        return found["text"] if found else None

    @property
    def close_label(self) -> str:
        """The words on the close button."""
        return str((self.view.content.get("close") or {}).get("text", "Cancel"))

    @property
    def blocks(self) -> list[Json]:
        """Block Kit as it stands."""
        return self.view.blocks

    @property
    def texts(self) -> list[str]:
        """All texts, top down."""
        return texts_of(self.view.blocks)

    @property
    def text(self) -> str:
        """All texts on lines of their own."""
        return "\n".join(self.texts)

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the inputs by block_id."""
        return {b["block_id"]: b["label"]["text"] for b in self.view.blocks if b["type"] == "input"}

    @property
    def buttons(self) -> list[str]:
        """Labels of the buttons in the view."""
        return [
            readable(e["text"]["text"]) for b in self.blocks for e in elements_of(b) if e["type"] == "button"
        ]

    @property
    def values(self) -> dict[str, Any]:
        """What stands in the inputs: plain values by block_id; by action_id too where a block has several."""
        nested = plain_values(self.view.values)
        return {block: next(iter(v.values())) if len(v) == 1 else v for block, v in nested.items()}

    @property
    def errors(self) -> dict[str, str]:
        """Errors shown by block_id."""
        return dict(self.view.errors)

    @property
    def notice(self) -> str | None:
        """Trouble that Slack shows in the view."""
        return self.view.notice

    def options(self, label: str) -> list[str]:
        """Texts of the options of an input, by block_id or label."""
        wanted = self.block_for(label)
        block = next(b for b in self.blocks if b["block_id"] == wanted)
        return [option["text"]["text"] for e in elements_of(block) for option in options_of(e)]

    def block_for(self, key: str) -> str:
        """The block_id meant by a block_id or a visible label. Raises Impossible."""
        known = [
            b["block_id"] for b in self.blocks if any(e["type"] not in STATELESS for e in elements_of(b))
        ]
        if key in known:
            return key
        for block_id, label in self.labels.items():
            if label == key:
                return block_id
        raise SlackImpossible(f"Nothing to fill in is called {key!r}; there are: {', '.join(known)}.")
