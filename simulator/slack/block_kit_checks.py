"""Checks of single values of Block Kit; each notes what is wrong with a JSON pointer, as Slack does."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

Json = dict[str, Any]


class Problems:
    """What was found, and how many things of some kinds a surface holds so far."""

    def __init__(self, surface: str) -> None:
        self.surface = surface
        self.messages: list[str] = []
        self.focused = 0
        self.markdown = 0

    def note(self, text: str, path: str) -> None:
        """One more problem."""
        self.messages.append(f"[ERROR] {text} [json-pointer:{path}]")


Check = Callable[[Any, str, Problems], None]
Shape = dict[str, tuple[Check, bool]]


def need(check: Check) -> tuple[Check, bool]:
    """A property that must be there."""
    return check, True


def may(check: Check) -> tuple[Check, bool]:
    """A property that may be there."""
    return check, False


def shaped(value: Any, path: str, problems: Problems, shape: Shape, what: str) -> bool:
    """Known properties only, all required ones, each as it should be. False when it is no object at all."""
    if not isinstance(value, dict):
        problems.note("must be an object", path)
        return False
    for key in value:
        if key not in shape and key != "type":
            problems.note(f"no additional properties allowed: {key} in {what}", f"{path}/{key}")
    for key, (check, required) in shape.items():
        if key in value and value[key] is not None:
            check(value[key], f"{path}/{key}", problems)
        elif required:
            problems.note(f"missing required field: {key}", path)
    return True


def string(maximum: int, minimum: int = 1) -> Check:
    """A string of so many code points."""

    def check(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, str):
            problems.note("must be a string", path)
        elif len(value) > maximum:
            problems.note(f"must be less than {maximum + 1} characters", path)
        elif len(value) < minimum:
            problems.note(f"must be more than {minimum - 1} characters", path)

    return check


def text(maximum: int, *, kinds: tuple[str, ...] = ("plain_text", "mrkdwn")) -> Check:
    """A text object."""

    def check(value: Any, path: str, problems: Problems) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if kind not in kinds:
            problems.note(f"must be a text object of type {' or '.join(kinds)}", path)
            return
        extra = {"emoji": may(boolean)} if kind == "plain_text" else {"verbatim": may(boolean)}
        shaped(value, path, problems, {"text": need(string(maximum)), **extra}, kind)

    return check


def plain(maximum: int) -> Check:
    """A plain_text object."""
    return text(maximum, kinds=("plain_text",))


def boolean(value: Any, path: str, problems: Problems) -> None:
    """True or false."""
    if not isinstance(value, bool):
        problems.note("must be a boolean", path)


def focus(value: Any, path: str, problems: Problems) -> None:
    """focus_on_load: one element in a view, none in a message."""
    boolean(value, path, problems)
    if value is True:
        problems.focused += 1
        if problems.surface == "message":
            problems.note("focus_on_load is for views", path)
        elif problems.focused > 1:
            problems.note("only one element may have focus_on_load", path)


def integer(minimum: int, maximum: int) -> Check:
    """A whole number within bounds."""

    def check(value: Any, path: str, problems: Problems) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            problems.note(f"must be an integer from {minimum} to {maximum}", path)

    return check


def number_text(value: Any, path: str, problems: Problems) -> None:
    """A number written as a string."""
    if not isinstance(value, str) or not re.fullmatch(r"-?\d+(\.\d+)?", value):
        problems.note("must be a number in a string", path)


def one_of(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: Any, path: str, problems: Problems) -> None:
        if value not in allowed:
            problems.note(f"must be one of {', '.join(allowed)}", path)

    return check


def day(value: Any, path: str, problems: Problems) -> None:
    """YYYY-MM-DD."""
    try:
        if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError
        date.fromisoformat(value)
    except ValueError:
        problems.note("must be a date of the form YYYY-MM-DD", path)


def clock_time(value: Any, path: str, problems: Problems) -> None:
    """HH:mm."""
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        problems.note("must be a time of the form HH:mm", path)


def url(value: Any, path: str, problems: Problems) -> None:
    """A web address of at most 3,000 characters."""
    string(3000)(value, path, problems)
    if isinstance(value, str) and not re.match(r"(https?|slack|mailto|tel):", value):
        problems.note("must be a valid URL", path)


def items(minimum: int, maximum: int, check_item: Check) -> Check:
    """A list of so many things."""

    def check(value: Any, path: str, problems: Problems) -> None:
        if not isinstance(value, list):
            problems.note("must be an array", path)
            return
        if len(value) > maximum:
            problems.note(f"no more than {maximum} items allowed", path)
        if len(value) < minimum:
            problems.note(f"must have at least {minimum} items", path)
        for number, item in enumerate(value):
            check_item(item, f"{path}/{number}", problems)

    return check


def anything(value: Any, path: str, problems: Problems) -> None:
    """Not looked into."""
