"""Slack's mrkdwn cut into runs for the page: the app's escapes undone, links and mentions named."""

import re
from collections.abc import Callable
from typing import Any

Json = dict[str, Any]
EMOJI = {
    "warning": "⚠️",
    "white_check_mark": "✅",
    "rotating_light": "🚨",
    "hourglass": "⌛",
    "lock": "🔒",
    "microphone": "🎤",
    "paperclip": "📎",
    "bell": "🔔",
    "x": "❌",
    "eyes": "👀",
    "tada": "🎉",
    "arrow_right": "➡️",
    "red_circle": "🔴",
    "large_orange_circle": "🟠",
    "large_yellow_circle": "🟡",
    "large_green_circle": "🟢",
    "large_blue_circle": "🔵",
    "white_circle": "⚪",
    "speech_balloon": "💬",
    "calendar": "📅",
    "bust_in_silhouette": "👤",
    "memo": "📝",
    "+1": "👍",
    "wave": "👋",
    "star": "⭐",
    "fire": "🔥",
    "sos": "🆘",
    "information_source": "ℹ️",
    "question": "❓",
    "scales": "⚖️",
}
TOKEN = re.compile(
    r"```(?P<pre>.+?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>]+)>"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])|(?<![\w_])_(?P<italic>[^_\n]+)_(?![\w_])|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])",
    re.DOTALL,
)
SHORTCODE = re.compile(r":([a-z0-9_+-]+):")


def readable(text: str) -> str:
    """Emoji codes as characters, escapes undone."""
    shown = SHORTCODE.sub(lambda m: EMOJI.get(m.group(1), m.group()), text)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def runs_of_plain(text: str) -> list[Json]:
    """plain_text knows emoji codes and nothing else."""
    return [_run(SHORTCODE.sub(lambda m: EMOJI.get(m.group(1), m.group()), text), [])] if text else []


def runs(text: str, name_of: Callable[[str], str], marks: tuple[str, ...] = ()) -> list[Json]:
    """Runs of mrkdwn; `name_of` gives the name of a member or channel id."""
    found: list[Json] = []
    quoted = False
    for number, line in enumerate(_lines(text)):
        if number:
            found.append(_run("\n", list(marks)))
        quoted = line.startswith(("&gt;", ">"))
        body = re.sub(r"^(&gt;|>) ?", "", line) if quoted else line
        found += _inline(body, name_of, (*marks, "quote") if quoted else marks)
    return [run for run in found if run["text"]]


def _lines(text: str) -> list[str]:
    # A fenced block stays in one piece.
    parts = re.split(r"(```.+?```)", text, flags=re.DOTALL)
    lines = [""]
    for part in parts:
        if part.startswith("```"):
            lines[-1] += part
        else:
            first, *rest = part.split("\n")
            lines[-1] += first
            lines += rest
    return lines


def _inline(text: str, name_of: Callable[[str], str], marks: tuple[str, ...]) -> list[Json]:
    found: list[Json] = []
    at = 0
    for match in TOKEN.finditer(text):
        found.append(_run(readable(text[at : match.start()]), list(marks)))
        at = match.end()
        kind, inner = match.lastgroup, match.group(match.lastgroup or 0)
        if kind == "angle":
            found.append(_angle(inner, name_of, marks))
        elif kind in ("pre", "code"):
            found.append(_run(readable(inner), [*marks, str(kind)]))
        else:
            found += _inline(inner, name_of, (*marks, str(kind)))
    found.append(_run(readable(text[at:]), list(marks)))
    return found


def _angle(inner: str, name_of: Callable[[str], str], marks: tuple[str, ...]) -> Json:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        return _run("@" + (label or name_of(target[1:])), list(marks), mention=target[1:])
    if target.startswith("#"):
        return _run("#" + (label or name_of(target[1:])), list(marks), mention=target[1:])
    if target.startswith("!date^"):
        return _run(readable(label), list(marks)) | _date(target)
    if target.startswith("!"):
        return _run("@" + (label or target[1:]).lstrip("@"), list(marks), mention=target)
    return _run(readable(label or target), list(marks), url=target)


def _date(target: str) -> Json:
    """`!date^unix^format^link` for the page, which alone knows its zone; nothing when it is malformed."""
    _, seconds, form, *_ = [*target.split("^"), "", ""]
    if not seconds.isdigit() or not form:
        return {}
    return {"date": {"at": int(seconds) * 1000, "format": form}}


def _run(text: str, marks: list[str], *, url: str | None = None, mention: str | None = None) -> Json:
    return {"text": text, "marks": marks, "url": url, "mention": mention}


def annotated(value: Any, name_of: Callable[[str], str]) -> Any:
    """Blocks with `runs` beside every text object's text."""
    if isinstance(value, list):
        return [annotated(item, name_of) for item in value]
    if not isinstance(value, dict):
        return value
    full = {key: annotated(item, name_of) for key, item in value.items()}
    if value.get("type") == "mrkdwn":
        full["runs"] = runs(value["text"], name_of)
    elif value.get("type") == "plain_text" and isinstance(value.get("text"), str):
        full["runs"] = runs_of_plain(value["text"])
    return full
