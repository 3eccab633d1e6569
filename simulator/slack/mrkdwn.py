"""Slack's mrkdwn as runs for the page: without escapes, with names for links and mentions."""

import json
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

Json = dict[str, Any]
EMOJI: dict[str, str] = json.loads((files("simulator") / "slack" / "emoji.json").read_text(encoding="utf-8"))
TOKEN = re.compile(
    r"```(?P<pre>.+?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>]+)>"
    r"|(?<![\w*])\*(?P<bold>[^*\n]+)\*(?![\w*])|(?<![\w_])_(?P<italic>[^_\n]+)_(?![\w_])|(?<![\w~])~(?P<strike>[^~\n]+)~(?![\w~])",
    re.DOTALL,
)
SHORTCODE = re.compile(r":([a-z0-9_+-]+):")


def readable(text: str) -> str:
    """The text with characters for emoji codes and without escapes."""
    text = SHORTCODE.sub(lambda m: EMOJI.get(m.group(1), m.group()), text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def runs_of_plain(text: str) -> list[Json]:
    """Runs of plain_text, in which only emoji codes are markup."""
    return [_run(SHORTCODE.sub(lambda m: EMOJI.get(m.group(1), m.group()), text), [])] if text else []


def runs(text: str, name_of: Callable[[str], str], marks: tuple[str, ...] = ()) -> list[Json]:
    """Runs of mrkdwn; `name_of` returns the name of a member or channel id."""
    pieces: list[Json] = []
    for number, line in enumerate(_lines(text)):
        if number:
            pieces.append(_run("\n", list(marks)))
        quoted = line.startswith(("&gt;", ">"))
        body = re.sub(r"^(&gt;|>) ?", "", line) if quoted else line
        pieces += _inline(body, name_of, (*marks, "quote") if quoted else marks)
    return [run for run in pieces if run["text"]]


def _lines(text: str) -> list[str]:
    # A fenced block is a single line.
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
    pieces: list[Json] = []
    end = 0
    for match in TOKEN.finditer(text):
        pieces.append(_run(readable(text[end : match.start()]), list(marks)))
        end = match.end()
        kind, inner = match.lastgroup, match.group(match.lastgroup or 0)
        if kind == "angle":
            pieces.append(_angle(inner, name_of, marks))
        elif kind in ("pre", "code"):
            pieces.append(_run(readable(inner), [*marks, str(kind)]))
        else:
            pieces += _inline(inner, name_of, (*marks, str(kind)))
    pieces.append(_run(readable(text[end:]), list(marks)))
    return pieces


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
    """The date of `!date^unix^format^link`, which the page shows in its zone; {} if it is malformed."""
    _, seconds, form, *_ = [*target.split("^"), "", ""]
    if not seconds.isdigit() or not form:
        return {}
    return {"date": {"at": int(seconds) * 1000, "format": form}}


def _run(text: str, marks: list[str], *, url: str | None = None, mention: str | None = None) -> Json:
    return {"text": text, "marks": marks, "url": url, "mention": mention}


def annotated(value: Any, name_of: Callable[[str], str]) -> Any:
    """Blocks in which every text object also has `runs`."""
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
