"""One field of a form as an input of a modal, and the values that were typed into the inputs."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bots.slack.client.block_kit import Block, cut, option, plain
from bots.slack.staff_texts import StaffTexts
from complaints.actions.registry import form_of
from complaints.forms import FORMS, MOST_ATTACHMENTS, NO_PAYMENT, Field, Input
from complaints.vocabulary import Verb
from triage.hidden_characters import remove_misleading

#: The choices of an input, each with its label.
Choices = tuple[tuple[str, str], ...]
_NOTHING: Mapping[str, Any] = {}
#: The action id of every input.
VALUE = "value"
#: Slack's limit of one text input, in characters.
MOST_IN_INPUT = 3000
#: Up to so many choices are radio buttons; more are a menu.
MAX_RADIO_BUTTONS = 5
#: Up to so many flags are checkboxes, which Slack limits to 10.
MAX_CHECKBOXES = 10
_WITH_CHOICES = frozenset({Input.CHOICE, Input.WHOLE, Input.FLAG, Input.FLAGS})
#: By the type of an input: where the payload has its value, and where a view has its initial value.
_INITIAL = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "datepicker": ("selected_date", "initial_date"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
}


def word_label_id(verb: Verb, path: str) -> str | None:
    """The label under which staff typed the words at `path` of an act's event, if a form has them."""
    general, form = re.sub(r"\.\d+\.", ".N.", path), FORMS.get(form_of(verb))
    return next((entry.label for entry in form.fields if entry.path == general), None) if form else None


def input_block(
    entry: Field,
    path: str,
    texts: StaffTexts,
    *,
    initial: Any = None,
    choices: Choices | None = None,
    required: bool | None = None,
    label: str | None = None,
) -> Block:
    """An input for a field; `path` is its block_id, `choices` are (value, label) if they depend on the complaint.

    `label` is given where the name of the field is not enough, as for a text in several languages.
    """
    element = _with_initial(_element(entry, texts, choices), initial)
    block = {
        "type": "input",
        "block_id": path,
        "label": plain(label or texts.text(entry.label), 2000),
        "element": {"action_id": VALUE, **element},
        "optional": not (entry.required if required is None else required),
    }
    if (hint := reader_hint(entry)) is not None:
        block["hint"] = plain(texts.text(hint), 2000)
    if entry.input is Input.TEXT:
        block |= changed_hint(str(initial or ""), element["max_length"], texts)
    return block


def input_blocks(
    fields: Iterable[Field],
    texts: StaffTexts,
    initial: Mapping[str, Any] = _NOTHING,
    choices: Mapping[str, Choices] = _NOTHING,
) -> list[Block]:
    """The inputs of a form without rows, with what they start with and choices by their names.

    The label of a text in one language names the language.
    """
    return [
        input_block(
            entry,
            entry.name,
            texts,
            initial=initial.get(entry.name),
            choices=choices.get(entry.name),
            label=_label(entry, texts),
        )
        for entry in fields
    ]


def _label(entry: Field, texts: StaffTexts) -> str:
    language = entry.name.partition(".")[2]
    return texts.text(entry.label, **({"name": texts.language_name(language)} if language else {}))


def reader_hint(entry: Field) -> str | None:
    """The text that says who reads this field; none under what only staff choose or tick."""
    is_text = entry.input is Input.TEXT and entry.sealed
    if not entry.reader or (entry.reader == "staff" and not is_text):
        return None
    return f"reader.{entry.reader}{'.words' if is_text else ''}"


def changed_hint(words: str, most: int, texts: StaffTexts) -> Block:
    """The hint of an input that does not start with all of these words: no text may lose a part unnoticed."""
    kept = remove_misleading(words)
    hints = [texts.text("modal.cut", most=most)] if len(kept) > most else []
    hints += [texts.text("modal.hidden")] if kept != words else []
    return {"hint": plain(" ".join(hints), 2000)} if hints else {}


def _element(entry: Field, texts: StaffTexts, choices: Choices | None) -> Block:
    """The element of an input, empty."""
    named = choices or ()
    if choices is None and entry.input in _WITH_CHOICES:
        named = texts.choices(entry.choices, entry.options)
    options = [option(value, label) for value, label in named[:100]]
    match entry.input:
        case Input.TEXT:
            most = min(entry.most, MOST_IN_INPUT)
            return {"type": "plain_text_input", "multiline": entry.is_long, "max_length": most}
        case Input.AMOUNT:
            return {"type": "plain_text_input", "max_length": 16}
        case Input.CHOICE | Input.WHOLE if len(options) <= MAX_RADIO_BUTTONS and not entry.is_menu:
            return {"type": "radio_buttons", "options": options}
        case Input.CHOICE | Input.WHOLE:
            placeholder = plain(texts.text("modal.choose"), 150)
            return {"type": "static_select", "options": options, "placeholder": placeholder}
        case Input.FLAG | Input.FLAGS:
            options = [option(value, label) for value, label in named[-100:]]
            kind = "checkboxes" if len(options) <= MAX_CHECKBOXES else "multi_static_select"
            return {"type": kind, "options": options}
        case Input.DATE:
            return {"type": "datepicker"}
        case Input.MOMENT:
            return {"type": "datetimepicker"}
        case Input.FILES:
            return {"type": "file_input", "max_files": MOST_ATTACHMENTS}
        case Input.STAFF:
            return {"type": "users_select"}


def _with_initial(element: Block, value: Any) -> Block:
    """The element with this first value: a text, a code, or a list of codes; a ticked box is True."""
    _, key = _INITIAL.get(element["type"], ("", ""))
    first = value or None
    if key == "initial_value" and value:
        # Removed and not marked: what is sent back is saved, and a mark would become part of a name.
        first = cut(remove_misleading(str(value)), element["max_length"])
    elif key == "initial_option":
        first = next((choice for choice in element["options"] if choice["value"] == str(value)), None)
    elif key == "initial_options":
        ticked = ["yes"] if value is True else value or ()
        first = [choice for choice in element["options"] if choice["value"] in ticked] or None
    return {name: part for name, part in element.items() if name != key} | ({key: first} if first else {})


def another_input(block: Block, path: str, value: str | None = None, *, template: str = "") -> Block:
    """The same input for this path, empty or with this value; the code of a `template` makes it a new input."""
    element = {**block["element"], "action_id": f"{VALUE}.{template}" if template else VALUE}
    return {**block, "block_id": path, "element": _with_initial(element, value)}


def values_of(state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The typed values by path, as `complaints.forms.read` takes them; empty inputs are left out."""
    values: dict[str, Any] = {}
    for path, entries in state.items():
        if path != NO_PAYMENT and (value := _typed_value(entry_of(entries))) is not None:
            values[path] = value
    return values


def statement_of(view: Mapping[str, Any]) -> dict[str, bool]:
    """The fact that the author ticked that no sum in the words is a payment, if so."""
    ticked = _typed_value(entry_of(view["state"]["values"].get(NO_PAYMENT, {})))
    return {NO_PAYMENT: True} if ticked else {}


def entry_of(entries: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """The state of an input; one that was filled by a template has the template's code in its action id."""
    return next((entry for name, entry in entries.items() if name.partition(".")[0] == VALUE), {})


def _typed_value(entry: Mapping[str, Any]) -> Any:
    if entry.get("type") == "file_input":
        files = entry.get("files") or []
        return [{name: file.get(name) for name in ("id", "name", "size")} for file in files] or None
    value_key, _ = _INITIAL.get(str(entry.get("type")), ("", ""))
    match entry.get(value_key):
        case {"value": choice}:
            return choice
        case list(choices):
            return [choice["value"] for choice in choices] or None
        case value:
            return value


def typed_blocks(view: Mapping[str, Any]) -> list[Block]:
    """The blocks of a view with the typed values as initial ones, so that a redrawn view loses nothing."""
    state: Mapping[str, Mapping[str, Mapping[str, Any]]] = view.get("state", {}).get("values", {})
    blocks = []
    for block in view.get("blocks", ()):
        element = block.get("element")
        entry = entry_of(state.get(str(block.get("block_id")), {}))
        if block.get("type") == "input" and element and entry and element["type"] in _INITIAL:
            value_key, initial_key = _INITIAL[element["type"]]
            without_initial = {key: value for key, value in element.items() if key != initial_key}
            typed = entry.get(value_key)
            initial = {initial_key: typed} if typed else {}
            blocks.append({**block, "element": without_initial | initial})
        else:
            blocks.append(block)
    return blocks


def minute_of(moment: datetime) -> int:
    """The minute of this moment, as an input takes it."""
    return int(moment.timestamp()) // 60 * 60
