"""What a person pressed, submitted, typed or opened in Slack, read from the payload."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from complaints.forms import FORMS

#: The button that opens the form to log a complaint after a trigger expired; the two shortcuts do the same.
LOG_AGAIN = "log.again"
#: Characters of a view's private_metadata that Slack accepts.
MAX_METADATA = 3000
#: Ends the callback id of a preview of the form with that name.
PREVIEW_SUFFIX = "_preview"
#: These open a form from anywhere, so their refusals are shown in a view too and not in the channel.
_ANSWERED_IN_A_VIEW = frozenset(
    {LOG_AGAIN, "home.move", "home.search", "home.templates", "home.template", "register.open"}
)
#: The block id of a row of buttons: the work version and the number of the drawing.
_ROW = re.compile(r"actions:(\d+)\.(\d+)")


@dataclass(frozen=True)
class PressedMessage:
    """The message whose button was pressed, and the `response_url` through which it can be replaced.

    The URL is a capability: it is never stored or logged. A form that a press opened keeps it in its
    private_metadata at Slack.
    """

    url: str
    channel: str
    ts: str


@dataclass(frozen=True)
class ButtonPress:
    """A button, a menu choice or a shortcut: `action` says what to do, `value` to which complaint or incident.

    `work_version` is that of the complaint when the button was drawn; None for a button without one.
    `message` is the message from which a complaint is to be logged. `response_url` answers a press in a message.
    """

    action: str
    value: str
    member_id: str
    trigger: str
    pressed_at: str = ""
    work_version: int | None = None
    channel: str | None = None
    thread: str | None = None
    view: Mapping[str, Any] | None = None
    from_menu: bool = False
    message: Mapping[str, Any] | None = None
    response_url: str | None = None
    pressed_message: PressedMessage | None = None

    @property
    def name(self) -> str:
        """The form or verb: what follows `case.` or `incident.`."""
        return self.action.partition(".")[2]

    @property
    def ref(self) -> str:
        return self.value.partition(":")[0]

    @property
    def detail(self) -> str:
        """What follows the reference: a page, a file's number, or the link that was offered."""
        return self.value.partition(":")[2]

    @property
    def suggested_link(self) -> tuple[str, str] | None:
        """The relation and the other reference that the button of a similar case offers."""
        relation, _, other = self.detail.partition(":")
        return (relation, other) if relation and other else None

    @property
    def case_ref(self) -> str | None:
        """The reference, where this is about one complaint."""
        return self.ref if self.action.partition(".")[0] in ("case", "open", "reason", "due") else None

    @property
    def attempt(self) -> str:
        """What a refused attempt is recorded as (4.7)."""
        group, _, name = self.action.partition(".")
        match group:
            case "case":
                return name
            case "incident":
                return f"incident_{name}"
            case "open" | "due":
                return group
            case "reason":
                return "open"
            case "log":
                return "log_complaint"
            case _:
                return self.name if self.action in ("home.move", "home.search") else self.action

    @property
    def metadata(self) -> ViewMetadata:
        return read_metadata(self.view or {})

    @property
    def key(self) -> str:
        """The same for a repeated delivery of this press: a trigger and the time of the press occur once."""
        return f"slack:{self.trigger}{self.pressed_at and '/' + self.pressed_at}"

    @property
    def resets_menu_of_card(self) -> bool:
        """Chosen in the menu of a card, which keeps the choice until the card is drawn again."""
        return self.from_menu and self.view is None

    @property
    def in_message(self) -> bool:
        """Pressed in a message: the answer is a message beneath it that only this person sees."""
        return self.view is None and self.channel is not None

    @property
    def in_home(self) -> bool:
        return self.view is not None and self.view.get("type") == "home"

    @property
    def in_modal(self) -> bool:
        return self.view is not None and self.view.get("type") == "modal"


@dataclass(frozen=True)
class ViewMetadata:
    """The private_metadata of a view about a complaint or an incident, whose number is 0 for a complaint."""

    ref: str
    version: int
    incident: int = 0
    draft: str | None = None
    page: int = 0
    from_home: bool = False
    pressed_message: PressedMessage | None = None
    #: Of a form or letter with several pages: their number, and the rows of each group.
    pages: int = 1
    rows: Mapping[str, int] = field(default_factory=dict)
    #: The steps of the investigation that the form showed as done when it was opened.
    ticked: tuple[str, ...] = ()
    #: The code of the template that filled its field.
    template: str = ""

    @property
    def is_last_page(self) -> bool:
        return self.page >= self.pages - 1


@dataclass(frozen=True)
class FormSubmission:
    """A submitted view."""

    view: Mapping[str, Any]
    member_id: str

    @property
    def callback(self) -> str:
        """The callback id: the form's name, with `_preview` where its letter was shown first."""
        return str(self.view["callback_id"])

    @property
    def form(self) -> str:
        return self.callback.removesuffix(PREVIEW_SUFFIX)

    @property
    def is_preview(self) -> bool:
        """The letter was shown, and this submission sends it."""
        return self.callback.endswith(PREVIEW_SUFFIX)

    @property
    def metadata(self) -> ViewMetadata:
        return read_metadata(self.view)

    @property
    def is_third(self) -> bool:
        """Slack shows at most three views on top of each other, and this is the third."""
        return self.view.get("previous_view_id") not in (None, self.view.get("root_view_id"))

    @property
    def case_ref(self) -> str | None:
        """The reference, where a refused attempt is recorded with the complaint."""
        return (self.metadata.ref or None) if self.form in FORMS or self.form == "stage" else None

    @property
    def attempt(self) -> str:
        """What a refused attempt is recorded as (4.7)."""
        return self.form if self.form == "move" else self.callback


@dataclass(frozen=True)
class SlashCommand:
    """`/complaints WORD REST`; the first word in lower case."""

    word: str
    rest: str
    member_id: str
    trigger: str
    channel: str


@dataclass(frozen=True)
class HomeOpened:
    """A person opened the app's home, on this tab."""

    member_id: str
    tab: str

    attempt = "home"
    case_ref = None


@dataclass(frozen=True)
class DirectMessage:
    """What a person typed in the direct messages with the app, or with `is_change` edited or deleted there.

    `ts` and `thread` are those of what was typed; without a thread of its own a message may begin one. `member_id`
    is empty for everything that no person typed there.
    """

    member_id: str
    channel: str
    ts: str
    thread: str
    text: str
    is_change: bool
    has_files: bool

    attempt = "talk"
    case_ref = None


Request = ButtonPress | FormSubmission | SlashCommand | HomeOpened | DirectMessage


def read_request(body: Mapping[str, Any]) -> Request:
    """Read any payload that has a listener. Raises KeyError for a payload of another kind."""
    if "command" in body:
        return _read_command(body)
    match body["type"]:
        case "block_actions":
            return _read_press(body)
        case "view_submission":
            return FormSubmission(body["view"], str(body["user"]["id"]))
        case "event_callback" if body["event"]["type"] == "message":
            return _read_message(body["event"])
        case "event_callback":
            return HomeOpened(str(body["event"]["user"]), str(body["event"].get("tab")))
        case "shortcut" | "message_action":
            return ButtonPress(
                LOG_AGAIN,
                "log",
                str(body["user"]["id"]),
                str(body["trigger_id"]),
                message=body.get("message"),
            )
        case other:
            raise KeyError(other)


def _read_message(event: Mapping[str, Any]) -> DirectMessage:
    subtype = event.get("subtype")
    is_change = subtype in ("message_changed", "message_deleted")
    message = event["previous_message"] if is_change else event
    # Without a new text Slack itself changed it: a preview of a link, a count of replies.
    is_edit = subtype != "message_changed" or event["message"].get("text") != message.get("text")
    is_typed = is_edit and not message.get("bot_id") and event.get("channel_type") == "im"
    if not is_typed or not (is_change or subtype in (None, "thread_broadcast", "file_share")):
        return DirectMessage("", str(event.get("channel")), str(event.get("ts")), "", "", is_change, False)
    text = str(message.get("text") or "")
    for name, character in _emoji(message.get("blocks")):
        text = text.replace(f":{name}:", character)
    ts = str(message["ts"])
    return DirectMessage(
        str(message.get("user") or ""), str(event["channel"]), ts, str(message.get("thread_ts") or ts), text,
        is_change, bool(message.get("files")),
    )  # fmt: skip


def _emoji(block: Any) -> Iterator[tuple[str, str]]:
    """The names and characters of the emoji in rich text: Slack writes 👍 as `:+1:`, which a chat would show."""
    if isinstance(block, Mapping) and block.get("type") == "emoji" and block.get("unicode"):
        yield str(block["name"]), "".join(chr(int(code, 16)) for code in str(block["unicode"]).split("-"))
    for part in block if isinstance(block, list) else block.get("elements") or () if block else ():
        yield from _emoji(part)


#: Fields that listeners and bolt read, with the types that Slack sends; any of them may be absent or null.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "type": str, "event": Mapping, "user": Mapping, "view": Mapping, "actions": list, "team": Mapping,
    "channel": Mapping, "container": Mapping, "message": Mapping, "enterprise": Mapping, "trigger_id": str,
    "team_id": str, "authorizations": list, "state": Mapping, "response_urls": list,
}  # fmt: skip
_NEEDED: Mapping[str, tuple[str, ...]] = {
    "block_actions": ("user", "actions", "trigger_id"),
    "view_submission": ("user", "view"),
    "event_callback": ("event",),
    "shortcut": ("user", "trigger_id"),
    "message_action": ("user", "trigger_id"),
}


#: What reading a part of the wrong shape raises; OverflowError for `Infinity`, RecursionError for `[[[[…`.
UNREADABLE = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)


def wrong_field(body: object) -> str | None:
    """The first field of a payload that is missing or has another type than Slack sends; None if all are right."""
    if not isinstance(body, Mapping):
        return "body"
    if "ssl_check" in body or body.get("type") == "url_verification":
        return None
    if "command" in body:
        return next((name for name in ("user_id", "trigger_id") if not isinstance(body.get(name), str)), None)
    for name, accepted in _TYPES.items():
        if body.get(name) is not None and not isinstance(body[name], accepted):
            return name
    kind = str(body.get("type"))
    if kind not in _NEEDED:
        return "type"
    missing = next((name for name in _NEEDED[kind] if body.get(name) is None), None)
    return missing or _wrong_part(kind, body)


def _wrong_part(kind: str, body: Mapping[str, Any]) -> str | None:
    """The field with a part that cannot be read."""
    if body.get("user") is not None and not isinstance(body["user"].get("id"), str):
        return "user"
    event = body.get("event")
    if event is not None and not isinstance(event.get("type"), str):
        return "event"
    if kind == "event_callback" and event is not None and event["type"] == "app_home_opened":
        return None if isinstance(event.get("user"), str) else "event"
    if kind == "event_callback" and event is not None and event["type"] == "message":
        try:
            read_request(body)
        except UNREADABLE:
            return "event"
    for element in body.get("actions") or ([{}] if kind == "block_actions" else []):
        if not isinstance(element, Mapping) or not isinstance(element.get("action_id"), str):
            return "actions"
    view = body.get("view")
    if view is not None:
        try:
            read_metadata(view)
            is_readable = kind != "view_submission" or (
                isinstance(view["callback_id"], str)
                and isinstance(blocks := view.get("blocks") or [], list)
                and all(isinstance(block, Mapping) for block in blocks)
                and isinstance((view.get("state") or {}).get("values") or {}, Mapping)
            )
        except UNREADABLE:
            return "view"
        if not is_readable:
            return "view"
    try:
        return None if kind == "event_callback" or read_request(body) else kind
    except UNREADABLE:
        return "actions"


def _read_press(body: Mapping[str, Any]) -> ButtonPress:
    """A pressed button, or a choice in the menu `case.more`, whose value is `case.<verb>:<reference>`."""
    element = body["actions"][0]
    chosen = (element.get("selected_option") or {}).get("value", "")
    action, value = str(element["action_id"]), str(element.get("value", chosen))
    from_menu = action == "case.more"
    if from_menu:
        action, _, value = str(element["selected_option"]["value"]).partition(":")
    row = _ROW.fullmatch(str(element.get("block_id", "")))
    container = body.get("container", {})
    channel = (body.get("channel") or {}).get("id") or container.get("channel_id")
    return ButtonPress(
        action=action,
        value=value,
        member_id=str(body["user"]["id"]),
        trigger=str(body["trigger_id"]),
        pressed_at=str(element.get("action_ts") or ""),
        work_version=int(row[1]) if row else None,
        channel=None if action in _ANSWERED_IN_A_VIEW else channel,
        thread=container.get("thread_ts"),
        view=body.get("view"),
        from_menu=from_menu,
        response_url=body.get("response_url"),
        pressed_message=_read_pressed_message(body),
    )


def _read_pressed_message(body: Mapping[str, Any]) -> PressedMessage | None:
    """The message of this press; in a form that was opened by an earlier press, the message of that one."""
    if body.get("view"):
        return read_metadata(body["view"]).pressed_message
    container = body.get("container", {})
    channel, ts = container.get("channel_id"), container.get("message_ts")
    if not (body.get("response_url") and channel and ts) or container.get("is_ephemeral"):
        return None
    return PressedMessage(str(body["response_url"]), str(channel), str(ts))


def _read_command(body: Mapping[str, Any]) -> SlashCommand:
    """A slash command; without a word it asks for help."""
    word, _, rest = str(body.get("text") or "help").strip().partition(" ")
    return SlashCommand(
        word=word.lower() or "help",
        rest=rest.strip(),
        member_id=str(body["user_id"]),
        trigger=str(body["trigger_id"]),
        channel=str(body.get("channel_id") or ""),
    )


def read_metadata(view: Mapping[str, Any]) -> ViewMetadata:
    """The private_metadata of a view; what it does not have is empty or 0."""
    stored = json.loads(view.get("private_metadata") or "{}")
    return ViewMetadata(
        ref=str(stored.get("ref", "")),
        version=int(stored.get("version", 0)),
        incident=int(stored.get("incident", 0)),
        draft=stored.get("draft"),
        page=int(stored.get("page", 0)),
        from_home=bool(stored.get("home")),
        pages=int(stored.get("pages", 1)),
        rows=stored.get("rows", {}),
        ticked=tuple(map(str, stored.get("ticked", ()))),
        template=str(stored.get("template", "")),
        pressed_message=PressedMessage(*map(str, stored["pressed"])) if "pressed" in stored else None,
    )


def with_pressed_message(view: Mapping[str, Any], message: PressedMessage | None) -> dict[str, Any]:
    """The same view about a complaint, which keeps where the card that opened it can be replaced."""
    metadata = view.get("private_metadata")
    if message is None or not metadata:
        return dict(view)
    stored = {**json.loads(metadata), "pressed": [message.url, message.channel, message.ts]}
    changed = json.dumps(stored, separators=(",", ":"))
    return {**view, "private_metadata": changed if len(changed) <= MAX_METADATA else metadata}


def pressed_message(request: Request) -> PressedMessage | None:
    """The message of a press, or of the press that opened this form."""
    match request:
        case ButtonPress():
            return request.pressed_message
        case FormSubmission():
            return request.metadata.pressed_message
        case _:
            return None


def pressed_card(request: Request) -> tuple[str, PressedMessage] | None:
    """The reference of the complaint and the message, where a press or its form is about one complaint."""
    message = pressed_message(request)
    if message is None or not isinstance(request, ButtonPress | FormSubmission) or not request.case_ref:
        return None
    return request.case_ref, message


def named_workspaces(body: Mapping[str, Any]) -> set[str]:
    """Every workspace that Slack names for this person; more than our own means a guest from outside."""
    user, team = body.get("user"), body.get("team")
    named = (
        user.get("team_id") if isinstance(user, Mapping) else None,
        team.get("id") if isinstance(team, Mapping) else body.get("team_id"),
    )
    return {str(team_id) for team_id in named if team_id}
