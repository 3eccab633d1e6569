"""Codes and counts in the English words of the command line: `2 bd` as `2 working days`, `1 row`, `2 rows`."""

import re

_SPAN = re.compile(r"(?<![\w.-])(-?)(\d+(?:\.\d+)?) (bd|wh)\b")
_UNITS = {"bd": "working day", "wh": "working hour"}
_CODE = re.compile(r"(?<![\w/-])[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?![\w/-])")
_QUESTION = re.compile(r"\bq([1-9])\b")
_NAMES = {
    "answered_no_reply": "answered, no reply",
    "not_complaint": "no complaint",
    "ack": "acknowledgement",
}


def in_words(text: str) -> str:
    """The text with lengths of time and codes in words; dates, numbers and references stay."""
    text = _SPAN.sub(_length, text)
    text = _QUESTION.sub(r"survey question \1", text)
    return _CODE.sub(lambda match: _NAMES.get(match[0], match[0].replace("_", " ")), text)


def _length(match: re.Match[str]) -> str:
    before, number, unit = match.groups()
    plural = "" if number == "1" else "s"
    return f"{number} {_UNITS[unit]}{plural}{' before' if before else ''}"


def pluralise(number: int, singular: str, plural: str | None = None) -> str:
    """A number with its noun: `1 row`, `2 rows`, `1,200 rows`. Give an irregular `plural`."""
    return f"{number:,} {singular if number == 1 else plural or f'{singular}s'}"
