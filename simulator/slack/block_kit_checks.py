"""Checks of single Block Kit values. Each check adds its errors with a JSON pointer, as Slack does."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

Json = dict[str, Any]


class Problems:
    """The errors so far, and what is counted over a whole surface: focused elements, characters, blocks of a kind."""

    def __init__(self, surface: str) -> None:
        self.surface = surface
        self.messages: list[str] = []
        self.focused = 0
        self.markdown = 0
        self.cells = 0
        self.kinds = Counter[str]()

    def add(self, text: str, path: str) -> None:
        self.messages.append(f"[ERROR] {text} [json-pointer:{path}]")


Check = Callable[[Any, str, Problems], None]
Shape = dict[str, tuple[Check, bool]]


def required(check: Check) -> tuple[Check, bool]:
    return check, True


def optional(check: Check) -> tuple[Check, bool]:
    return check, False


def check_object(value: Any, path: str, problems: Problems, shape: Shape, what: str) -> bool:
    """Check an object's properties against a shape; False if the value is no object."""
    if not isinstance(value, dict):
        problems.add("must be an object", path)
        return False
    for key in value:
        if key not in shape and key != "type":
            problems.add(f"no additional properties allowed: {key} in {what}", f"{path}/{key}")
    for key, (check, is_required) in shape.items():
        if key in value and value[key] is not None:
            check(value[key], f"{path}/{key}", problems)
        elif is_required:
            problems.add(f"missing required field: {key}", path)
    return True


def shaped(what: str, shape: Shape) -> Check:
    """An object of this shape; `what` names it in errors."""

    def check(value: Any, path: str, problems: Problems) -> None:
        check_object(value, path, problems, shape, what)

    return check


def string(maximum: int, minimum: int = 1) -> Check:
    """A string; the bounds are in code points."""

    def check(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.add("must be a string", path)
        elif len(value) > maximum:
            problems.add(f"must be less than {maximum + 1} characters", path)
        elif len(value) < minimum:
            problems.add(f"must be more than {minimum - 1} characters", path)

    return check


def text(maximum: int, *, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Check:

    def check(value: Any, path: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in kinds:
            problems.add(f"must be a text object of type {' or '.join(kinds)}", path)
            return
        extra = {"emoji": optional(boolean)} if kind == "plain_text" else {"verbatim": optional(boolean)}
        check_object(value, path, problems, {"text": required(string(maximum)), **extra}, kind)

    return check


def plain(maximum: int) -> Check:
    return text(maximum, kinds=("plain_text",))


def boolean(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, bool):
        problems.add("must be a boolean", path)


def focus(value: Any, path: str, problems: Problems) -> None:
    """focus_on_load: at most one element in a view, none in a message."""
    boolean(value, path, problems)
    if value is True:
        problems.focused += 1
        if problems.surface == "message":
            problems.add("focus_on_load is for views", path)
        elif problems.focused > 1:
            problems.add("only one element may have focus_on_load", path)


def integer(minimum: int, maximum: int) -> Check:
    """A whole number within bounds."""

    def check(value: Any, path: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            problems.add(f"must be an integer from {minimum} to {maximum}", path)

    return check


def number(value: Any, path: str, problems: Problems) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.add("must be a number", path)


def number_text(value: Any, path: str, problems: Problems) -> None:
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+(\.\d+)?", value):
        problems.add("must be a number in a string", path)


def one_of(*allowed: str) -> Check:

    def check(value: Any, path: str, problems: Problems) -> None:
        if value not in allowed:
            problems.add(f"must be one of {', '.join(allowed)}", path)

    return check


def day(value: Any, path: str, problems: Problems) -> None:
    """YYYY-MM-DD."""
    try:
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        problems.add("must be a date of the form YYYY-MM-DD", path)


def clock_time(value: Any, path: str, problems: Problems) -> None:
    """HH:mm."""
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        problems.add("must be a time of the form HH:mm", path)


def url(value: Any, path: str, problems: Problems) -> None:
    """A web address of at most 3,000 characters."""
    string(3000)(value, path, problems)
    if isinstance(value, str) and not re.match(r"(https?|slack|mailto|tel):", value):
        problems.add("must be a valid URL", path)


def items(minimum: int, maximum: int, check_item: Check) -> Check:
    """A list; the bounds are numbers of items."""

    def check(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.add("must be an array", path)
            return
        if len(value) > maximum:
            problems.add(f"no more than {maximum} items allowed", path)
        if len(value) < minimum:
            problems.add(f"must have at least {minimum} items", path)
        for number, item in enumerate(value):
            check_item(item, f"{path}/{number}", problems)

    return check


def anything(value: Any, path: str, problems: Problems) -> None:
    """Any value: not checked."""
