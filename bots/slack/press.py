"""What was pressed, chosen or submitted, by whom and where, read from Slack's payload."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ROW = re.compile(r"actions:(\d+)\.(\d+)")


@dataclass(frozen=True)
class Press:
    """A button or a menu choice. `drawn` is the work_version that it was drawn with, None without one."""

    form: str
    ref: str
    by: str
    trigger: str
    drawn: int | None = None
    channel: str | None = None
    thread: str | None = None
    view: Mapping[str, Any] | None = None
    at: str = ""
    #: What the form starts from, where the button offered a link: the relation and the other reference.
    suggested: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """The key of what this press does: a trigger and the moment of the press come once."""
        return f"slack:{self.trigger}{self.at and '/' + self.at}"

    @property
    def whispered(self) -> bool:
        """Answered by a message that only this person sees: it was pressed in a message."""
        return self.view is None and self.channel is not None

    @property
    def in_home(self) -> bool:
        """Pressed in the app's home."""
        return self.view is not None and self.view.get("type") == "home"

    @property
    def in_modal(self) -> bool:
        """Pressed in a modal, not in a message or the home view."""
        return self.view is not None and self.view.get("type") == "modal"


def read_press(body: Mapping[str, Any]) -> Press:
    """The press of a `case.*` button or of the menu `case.more`."""
    action = body["actions"][0]
    if action["action_id"] == "case.more":
        named, _, ref = str(action["selected_option"]["value"]).partition(":")
    else:
        named, ref = str(action["action_id"]), str(action.get("value", ""))
    ref, _, offered = ref.partition(":")
    relation, _, other = offered.partition(":")
    drawn = _ROW.fullmatch(str(action.get("block_id", "")))
    container = body.get("container", {})
    return Press(
        form=named.removeprefix("case."),
        ref=ref,
        by=str(body["user"]["id"]),
        trigger=str(body["trigger_id"]),
        at=str(action.get("action_ts") or ""),
        drawn=int(drawn[1]) if drawn else None,
        channel=(body.get("channel") or {}).get("id") or container.get("channel_id"),
        thread=container.get("thread_ts"),
        view=body.get("view"),
        suggested=(relation, other) if relation and other else None,
    )


def team_of(body: Mapping[str, Any]) -> set[str]:
    """Every workspace that this person is said to belong to; more than ours means a guest from outside."""
    said = {
        (body.get("user") or {}).get("team_id") if isinstance(body.get("user"), Mapping) else None,
        (body.get("team") or {}).get("id") if isinstance(body.get("team"), Mapping) else body.get("team_id"),
    }
    return {str(one) for one in said if one}


@dataclass(frozen=True)
class Meta:
    """The private_metadata of a view of ours."""

    ref: str
    version: int
    draft: str | None = None
    page: int = 0
    home: bool = False


def read_meta(view: Mapping[str, Any]) -> Meta:
    """Read it back."""
    known = json.loads(view.get("private_metadata") or "{}")
    ref, version, page = str(known.get("ref", "")), int(known.get("version", 0)), int(known.get("page", 0))
    return Meta(ref, version, known.get("draft"), page, bool(known.get("home")))
