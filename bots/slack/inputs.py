"""One field of the table of fields as one input block, and the typed state of a view read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots.slack.blocks import Block, cut, option, plain
from bots.slack.voice import Voice
from complaints.forms import Field, Input

VALUE = "value"
#: Up to so many choices stand open as radio buttons; more go into a menu.
RADIO = 5

#: Where a name means something else in one form than elsewhere.
_LABELS: Mapping[tuple[str, str], str] = {
    ("reply", "text"): "field.letter",
    ("note", "text"): "field.note",
    ("ask", "text"): "field.question",
    ("assess", "issues.N.text"): "field.issue",
    ("assess", "issues.N.category"): "field.issue_category",
    ("decide", "remedies.N.text"): "field.remedy_text",
    ("decide", "remedies.N.type"): "field.remedy_type",
    ("inform", "done"): "field.done_so_far",
    ("resolve", "done"): "field.done",
    ("resolve", "cause"): "field.root_cause",
    ("approve", "reason"): "field.reason_not",
    ("verify", "remedy"): "field.remedy_verify",
}

#: The catalogue prefix of a choice's labels, by the field's name.
_CHOICES: Mapping[str, str] = {
    "category": "category",
    "severity": "severity",
    "safety": "safety",
    "complexity": "complexity",
    "reach": "reach",
    "recurrence": "recurrence",
    "finding": "finding",
    "type": "remedy",
    "cause_class": "cause",
    "others_affected": "others",
    "evidence": "evidence",
    "kind": "kind",
    "target": "target",
    "event": "external",
    "what": "given",
    "relation": "relation",
    "channel": "channel",
    "answer_by": "channel",
    "immediate_needed": "choice",
    "immediate_possible": "choice",
    "agreed": "choice",
    "overturned": "choice",
    "complainant_accepts": "choice",
    "subject_not_yet": "not_yet",
}
#: Always a menu: of these an organisation has as many as it likes.
_MENUS = frozenset({"jurisdiction"})
_LONG = frozenset(
    {
        "text", "immediate_action", "override_reason", "reasons", "facts", "done", "left", "reason", "how",
        "others_action", "changes", "proof", "root_cause", "cause", "agreed_how", "lesson", "outcome",
        "words", "description", "remedy_requested",
    }
)  # fmt: skip


def label_id(form: str, field: Field) -> str:
    """The id of the label's text."""
    return _LABELS.get((form, field.path), f"field.{field.name}")


def choice_id(field: Field, value: str) -> str:
    """The id of a choice's text."""
    return f"{_CHOICES[field.name]}.{value}"


def input_block(
    form: str,
    field: Field,
    path: str,
    voice: Voice,
    *,
    initial: Any = None,
    choices: tuple[tuple[str, str], ...] | None = None,
    required: bool | None = None,
    label: str | None = None,
) -> Block:
    """An input; `path` is its block_id, `choices` (value, label) where they depend on the complaint.

    `label` where the field's own name does not say enough (a text in several languages).
    """
    made: Block = {
        "type": "input",
        "block_id": path,
        "label": plain(label or voice.say(label_id(form, field)), 2000),
        "element": {"action_id": VALUE, **_element(field, voice, initial, choices)},
        "optional": not (field.required if required is None else required),
    }
    return made


def _element(field: Field, voice: Voice, initial: Any, choices: tuple[tuple[str, str], ...] | None) -> Block:
    match field.input:
        case Input.TEXT:
            long = field.name.partition(".")[0] in _LONG
            return {"type": "plain_text_input", "multiline": long, "max_length": field.most} | _given(
                "initial_value", cut(str(initial), field.most) if initial else None
            )
        case Input.AMOUNT:
            return {"type": "plain_text_input", "max_length": 16} | _given("initial_value", initial)
        case Input.CHOICE | Input.WHOLE:
            named = choices if choices is not None else _named(field, voice)
            first = None if initial is None else str(initial)
            return _choice(named, first, voice, menu=field.name in _MENUS)
        case Input.FLAG:
            options = [option("yes", voice.say("choice.yes"))]
            return {"type": "checkboxes", "options": options} | _given(
                "initial_options", options if initial else None
            )
        case Input.FLAGS:
            options = [option(value, label) for value, label in _named(field, voice)]
            chosen = [one for one in options if one["value"] in (initial or ())]
            return {"type": "checkboxes", "options": options} | _given("initial_options", chosen or None)
        case Input.DATE:
            return {"type": "datepicker"} | _given("initial_date", initial)
        case Input.MOMENT:
            return {"type": "datetimepicker"} | _given("initial_date_time", initial)
        case Input.STAFF:
            return {"type": "users_select"} | _given("initial_user", initial)


def _named(field: Field, voice: Voice) -> tuple[tuple[str, str], ...]:
    return tuple((value, voice.say(choice_id(field, value))) for value in field.options)


def _choice(named: tuple[tuple[str, str], ...], initial: str | None, voice: Voice, *, menu: bool) -> Block:
    options = [option(value, label) for value, label in named[:100]]
    chosen = next((one for one in options if one["value"] == initial), None)
    first = _given("initial_option", chosen)
    if len(options) <= RADIO and not menu:
        return {"type": "radio_buttons", "options": options} | first
    return {
        "type": "static_select",
        "options": options,
        "placeholder": plain(voice.say("modal.choose"), 150),
    } | first


def _given(name: str, value: Any) -> Block:
    return {} if value is None else {name: value}


def values_of(state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """What was typed, by path, as `complaints.forms.read` takes it; what is empty is left out."""
    given: dict[str, Any] = {}
    for path, entries in state.items():
        if VALUE in entries:
            value = _typed(entries[VALUE])
            if value is not None:
                given[path] = value
    return given


def _typed(entry: Mapping[str, Any]) -> Any:
    match entry.get("type"):
        case "plain_text_input":
            return entry.get("value")
        case "static_select" | "radio_buttons":
            chosen = entry.get("selected_option")
            return chosen["value"] if chosen else None
        case "checkboxes":
            return [one["value"] for one in entry.get("selected_options") or []] or None
        case "datepicker":
            return entry.get("selected_date")
        case "datetimepicker":
            return entry.get("selected_date_time")
        case "users_select":
            return entry.get("selected_user")
        case _:
            return None


_INITIAL = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "datepicker": ("selected_date", "initial_date"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
}


def keeping(blocks: list[Block], state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> list[Block]:
    """The same inputs with what was typed as their initial values, so that a redrawn view loses nothing."""
    kept = []
    for block in blocks:
        element = block.get("element")
        entry = state.get(str(block.get("block_id")), {}).get(VALUE)
        if block.get("type") == "input" and element and entry and element["type"] in _INITIAL:
            name, initial = _INITIAL[element["type"]]
            bare = {key: value for key, value in element.items() if key != initial}
            typed = entry.get(name)
            kept.append({**block, "element": bare | ({initial: typed} if typed else {})})
        else:
            kept.append(block)
    return kept
