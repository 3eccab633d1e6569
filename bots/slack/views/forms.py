"""The form of each act as a modal, made from the table of fields (docs/surfaces.md, "Modals"), and its values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    cut,
    option,
    plain,
    section,
)
from bots.slack.texts import StaffTexts
from complaints.case import Case
from complaints.forms import FORMS, Field, Input
from complaints.vocabulary import Flag, Target

View = dict[str, Any]

#: The letter of these acts is shown before it is sent.
PREVIEWED = frozenset({"reply", "ask", "inform", "resolve", "decide"})
#: The callback id of a view that only says something, and the block id of a notice in any view.
NOTICE = "notice"
#: The action id of every input.
VALUE = "value"
#: Up to so many choices are radio buttons; more are a menu.
MAX_RADIO_BUTTONS = 5
#: Checkboxes that a letter needs in some complaints, with the error code if they are not ticked.
CONFIRMATIONS: Mapping[str, str] = {
    "language_confirmed": "language_not_confirmed",
    "disclosure_checked": "disclosure_not_checked",
}
#: The block id of an input in a row of a group: `issues.0.text`.
_ROW = re.compile(r"(\w+)\.(\d+)\.\w+")
#: Fields whose label differs from form to form.
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

#: The prefix of the ids of a choice's labels, by the name of the field.
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

#: Always a menu: an organisation may have any number of these.
_MENUS = frozenset({"jurisdiction"})

_LONG = frozenset(
    {
        "text", "immediate_action", "override_reason", "reasons", "facts", "done", "left", "reason", "how",
        "others_action", "changes", "nothing_why", "proof", "root_cause", "cause", "agreed_how", "lesson", "outcome",
        "words", "description", "remedy_requested",
    }
)  # fmt: skip
#: By the type of an input: where the payload has its value, and where a view has its initial value.
_INITIAL = {
    "plain_text_input": ("value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "datepicker": ("selected_date", "initial_date"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
}


@dataclass(frozen=True)
class FormPrefill:
    """What a form starts with: values by path, choices that depend on the complaint, blocks to show with it.

    `preface` is placed above the inputs. `rows` is the initial number of rows of a group; `fixed` groups get no more
    rows; `headings` are placed above a row, by `group.N`.
    """

    initial: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    preface: Sequence[Block] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    headings: Mapping[str, Block] = field(default_factory=dict)


def form_view(form: str, case: Case, texts: StaffTexts, prefill: FormPrefill) -> View:
    """The form of an act on this complaint, drawn for its present work version."""
    blocks: list[Block] = list(prefill.preface)
    groups: set[str] = set()
    for entry in FORMS[form]:
        if entry.group is None:
            if is_asked(entry, case, texts):
                blocks.append(_case_input(form, entry, entry.name, case, texts, prefill))
        elif entry.group not in groups:
            groups.add(entry.group)
            blocks += _rows(form, entry.group, case, texts, prefill)
    submit = "modal.preview" if form in PREVIEWED else "modal.save"
    stored = metadata(case.ref, case.work_version)
    return modal(texts, form, stored, blocks, title=f"verb.{form}", submit=submit)


def notice_view(text: str, texts: StaffTexts, *, title: str = "modal.notice", ref: str = "") -> View:
    """A view that only says something; `title` is the id of a text."""
    return modal(texts, NOTICE, metadata(ref, 0), [section(text, block_id=NOTICE)], title=title)


def modal(
    texts: StaffTexts,
    callback_id: str,
    private_metadata: str,
    blocks: Sequence[Block],
    *,
    title: str,
    submit: str | None = None,
    close: str | None = None,
) -> View:
    """A modal; `title`, `submit` and `close` are ids of texts, which are cut at Slack's 24 code points."""
    close = close or ("modal.close" if submit is None else "modal.cancel")
    labels = {"title": title, "close": close} | ({} if submit is None else {"submit": submit})
    return {
        "type": "modal",
        "callback_id": callback_id,
        "private_metadata": private_metadata,
        **{name: plain(texts.text(text_id), 24) for name, text_id in labels.items()},
        "blocks": list(blocks),
    }


def metadata(ref: str, version: int, **more: Any) -> str:
    return json.dumps({"ref": ref, "version": version, **more}, separators=(",", ":"))


def is_asked(entry: Field, case: Case, texts: StaffTexts) -> bool:
    match entry.name:
        case "language_confirmed":
            return case.language != texts.language
        case "disclosure_checked":
            return Flag.FOR_ANOTHER in case.flags
        case "media_heard":
            return (case.only_in_media and not case.media_heard) or "media_unheard" in case.flags
        case "answers_privacy":
            clock = case.target(Target.PRIVACY)
            return clock is not None and clock.met_at is None
        case (
            "subject_heard_at" | "subject_supported_at" | "subject_outcome_at"
            | "subject_not_yet" | "subject_review_by"
        ):  # fmt: skip
            return bool(case.subjects)
        case "override_reason":
            return bool(case.signs) or case.assessment is not None
        case _:
            return True


def is_required(form: str, entry: Field, case: Case) -> bool:
    if entry.name == "media_heard":
        return case.only_in_media and not case.media_heard
    return entry.required or (form, entry.name) == ("reply", "language_confirmed")


def _case_input(
    form: str, entry: Field, path: str, case: Case, texts: StaffTexts, prefill: FormPrefill
) -> Block:
    return input_block(
        form,
        entry,
        path,
        texts,
        initial=prefill.initial.get(path),
        choices=prefill.choices.get(entry.name),
        required=is_required(form, entry, case),
    )


def _rows(form: str, group: str, case: Case, texts: StaffTexts, prefill: FormPrefill) -> list[Block]:
    entries = _group_fields(form, group)
    blocks: list[Block] = []
    for row in range(prefill.rows.get(group, 1)):
        if f"{group}.{row}" in prefill.headings:
            blocks.append(prefill.headings[f"{group}.{row}"])
        blocks += [
            _case_input(form, entry, f"{group}.{row}.{entry.name}", case, texts, prefill) for entry in entries
        ]
    if group not in prefill.fixed:
        more = button(texts.text(f"modal.more_{group}"), "more", group)
        blocks.append(actions(f"more.{group}", [more]))
    return blocks


def _group_fields(form: str, group: str) -> list[Field]:
    return [entry for entry in FORMS[form] if entry.group == group]


def with_row(view: Mapping[str, Any], group: str, texts: StaffTexts) -> View:
    """The view with one more row of a group and the typed values; unchanged if no more blocks fit."""
    form = str(view["callback_id"])
    blocks = _typed_blocks(view)
    number = max(_row_inputs(blocks, group), default=-1) + 1
    entries = _group_fields(form, group)
    if len(blocks) + len(entries) <= MODAL_BLOCKS - 1:  # the last block is for a notice
        place = _place_of_more(blocks, group)
        blocks[place:place] = _new_row(form, group, number, entries, blocks, texts)
    return {**resendable(view), "blocks": blocks}


def with_matters(view: Mapping[str, Any], matters: Sequence[tuple[str, str]], texts: StaffTexts) -> View:
    """The view with a new row for each (words, category); filled rows stay, empty rows are removed.

    The rows are new blocks, because Slack does not change the value of an input that is shown already.
    """
    group, form = "issues", str(view["callback_id"])
    blocks = _typed_blocks(view)
    entries = _group_fields(form, group)
    template, rows = list(blocks), _row_inputs(blocks, group)
    empty = [block for inputs in rows.values() if not any(map(_is_filled, inputs)) for block in inputs]
    blocks = [block for block in blocks if block not in empty]
    place = _place_of_more(blocks, group)
    first = max(rows, default=-1) + 1
    for number, (text, category) in enumerate(matters, start=first):
        if len(blocks) + len(entries) > MODAL_BLOCKS - 1:
            break
        initial = {"text": text, "category": category}
        row = _new_row(form, group, number, entries, template, texts, initial=initial)
        blocks[place:place] = row
        place += len(row)
    blocks = [block for block in blocks if block.get("block_id") != f"matters.{group}"]
    return {**resendable(view), "blocks": blocks}


def _new_row(
    form: str,
    group: str,
    number: int,
    entries: Sequence[Field],
    blocks: Sequence[Block],
    texts: StaffTexts,
    *,
    initial: Mapping[str, str] | None = None,
) -> list[Block]:
    """The inputs of one more row, with the choices that the first row in `blocks` has."""
    return [
        input_block(
            form,
            entry,
            f"{group}.{number}.{entry.name}",
            texts,
            initial=(initial or {}).get(entry.name),
            choices=_choices_shown(blocks, f"{group}.0.{entry.name}"),
            required=False,
        )
        for entry in entries
    ]


def _row_inputs(blocks: Sequence[Block], group: str) -> dict[int, list[Block]]:
    """The inputs of each row of a group, by the row's number."""
    rows: dict[int, list[Block]] = {}
    for block in blocks:
        match = _ROW.fullmatch(str(block.get("block_id")))
        if match and match[1] == group:
            rows.setdefault(int(match[2]), []).append(block)
    return rows


def _place_of_more(blocks: Sequence[Block], group: str) -> int:
    """Where the button for one more row is: new rows are put in front of it."""
    return next(index for index, block in enumerate(blocks) if block.get("block_id") == f"more.{group}")


def _is_filled(block: Block) -> bool:
    element = block.get("element") or {}
    return any(element.get(name) for name in ("initial_value", "initial_option"))


def _choices_shown(blocks: Sequence[Block], path: str) -> tuple[tuple[str, str], ...] | None:
    """The choices that an input shows: those of this complaint, and not of every complaint."""
    for block in blocks:
        element = block.get("element") or {}
        if block.get("block_id") == path and element.get("type") in ("static_select", "radio_buttons"):
            return tuple((option["value"], option["text"]["text"]) for option in element["options"])
    return None


def with_notice(
    view: Mapping[str, Any], text: str, *, version: int | None = None, accessory: Block | None = None
) -> View:
    """The view with a notice on top and the typed values; `version` makes it count as drawn for that version."""
    blocks = [block for block in _typed_blocks(view) if block.get("block_id") != NOTICE]
    notice = section(cut(text, 3000), block_id=NOTICE, accessory=accessory)
    changed = {**resendable(view), "blocks": [notice, *blocks][:MODAL_BLOCKS]}
    if version is not None:
        changed["private_metadata"] = _changed_metadata(view, version=version)
    return changed


def opened_from_home(view: Mapping[str, Any]) -> View:
    """The view as opened from the home, which is redrawn when the view is submitted."""
    return {**view, "private_metadata": _changed_metadata(view, home=True)}


def _changed_metadata(view: Mapping[str, Any], **changes: Any) -> str:
    stored = json.loads(view.get("private_metadata") or "{}")
    return json.dumps({**stored, **changes}, separators=(",", ":"))


def resendable(view: Mapping[str, Any]) -> View:
    """A view from a payload without the fields that Slack adds, so that it can be sent back."""
    keys = ("type", "callback_id", "private_metadata", "title", "submit", "close", "blocks", "clear_on_close")
    return {key: view[key] for key in keys if view.get(key) is not None}


def page_buttons(what: str, ref: str, page: int, count: int, texts: StaffTexts) -> Block:
    """The buttons `<what>.previous` and `<what>.next` of a view with several pages, numbered from 0."""
    row = []
    if page > 0:
        row.append(button(texts.text("open.earlier_page"), f"{what}.previous", f"{ref}:{page - 1}"))
    if page < count - 1:
        label = texts.text("open.later_page", page=page + 2, pages=count)
        row.append(button(label, f"{what}.next", f"{ref}:{page + 1}"))
    return actions("turning", row)


def label_id(form: str, entry: Field) -> str:
    return _LABELS.get((form, entry.path), f"field.{entry.name}")


def choice_id(entry: Field, value: str) -> str:
    return f"{_CHOICES[entry.name]}.{value}"


def input_block(
    form: str,
    entry: Field,
    path: str,
    texts: StaffTexts,
    *,
    initial: Any = None,
    choices: tuple[tuple[str, str], ...] | None = None,
    required: bool | None = None,
    label: str | None = None,
) -> Block:
    """An input for a field; `path` is its block_id, `choices` are (value, label) if they depend on the complaint.

    `label` is given where the name of the field is not enough, as for a text in several languages.
    """
    return {
        "type": "input",
        "block_id": path,
        "label": plain(label or texts.text(label_id(form, entry)), 2000),
        "element": {"action_id": VALUE, **_element(entry, texts, initial, choices)},
        "optional": not (entry.required if required is None else required),
    }


def _element(
    entry: Field, texts: StaffTexts, initial: Any, choices: tuple[tuple[str, str], ...] | None
) -> Block:
    match entry.input:
        case Input.TEXT:
            is_long = entry.name.partition(".")[0] in _LONG
            element = {"type": "plain_text_input", "multiline": is_long, "max_length": entry.most}
            return element | _optional("initial_value", cut(str(initial), entry.most) if initial else None)
        case Input.AMOUNT:
            return {"type": "plain_text_input", "max_length": 16} | _optional("initial_value", initial)
        case Input.CHOICE | Input.WHOLE:
            named = choices if choices is not None else _named_options(entry, texts)
            selected = None if initial is None else str(initial)
            return _choice_element(named, selected, texts, menu=entry.name in _MENUS)
        case Input.FLAG:
            options = [option("yes", texts.text("choice.yes"))]
            element = {"type": "checkboxes", "options": options}
            return element | _optional("initial_options", options if initial else None)
        case Input.FLAGS:
            options = [option(value, label) for value, label in _named_options(entry, texts)]
            ticked = [choice for choice in options if choice["value"] in (initial or ())]
            return {"type": "checkboxes", "options": options} | _optional("initial_options", ticked or None)
        case Input.DATE:
            return {"type": "datepicker"} | _optional("initial_date", initial)
        case Input.MOMENT:
            return {"type": "datetimepicker"} | _optional("initial_date_time", initial)
        case Input.STAFF:
            return {"type": "users_select"} | _optional("initial_user", initial)


def _named_options(entry: Field, texts: StaffTexts) -> tuple[tuple[str, str], ...]:
    return tuple((value, texts.text(choice_id(entry, value))) for value in entry.options)


def _choice_element(
    named: tuple[tuple[str, str], ...], initial: str | None, texts: StaffTexts, *, menu: bool
) -> Block:
    options = [option(value, label) for value, label in named[:100]]
    selected = next((choice for choice in options if choice["value"] == initial), None)
    initial_option = _optional("initial_option", selected)
    if len(options) <= MAX_RADIO_BUTTONS and not menu:
        return {"type": "radio_buttons", "options": options} | initial_option
    placeholder = plain(texts.text("modal.choose"), 150)
    return {"type": "static_select", "options": options, "placeholder": placeholder} | initial_option


def _optional(name: str, value: Any) -> Block:
    return {} if value is None else {name: value}


def values_of(state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """The typed values by path, as `complaints.forms.read` takes them; empty inputs are left out."""
    values: dict[str, Any] = {}
    for path, entries in state.items():
        if VALUE in entries and (value := _typed_value(entries[VALUE])) is not None:
            values[path] = value
    return values


def _typed_value(entry: Mapping[str, Any]) -> Any:
    value_key, _ = _INITIAL.get(str(entry.get("type")), ("", ""))
    match entry.get(value_key):
        case {"value": choice}:
            return choice
        case list(choices):
            return [choice["value"] for choice in choices] or None
        case value:
            return value


def _typed_blocks(view: Mapping[str, Any]) -> list[Block]:
    """The blocks of a view with the typed values as initial ones, so that a redrawn view loses nothing."""
    state: Mapping[str, Mapping[str, Mapping[str, Any]]] = view.get("state", {}).get("values", {})
    blocks = []
    for block in view.get("blocks", ()):
        element = block.get("element")
        entry = state.get(str(block.get("block_id")), {}).get(VALUE)
        if block.get("type") == "input" and element and entry and element["type"] in _INITIAL:
            value_key, initial_key = _INITIAL[element["type"]]
            without_initial = {key: value for key, value in element.items() if key != initial_key}
            typed = entry.get(value_key)
            initial = {initial_key: typed} if typed else {}
            blocks.append({**block, "element": without_initial | initial})
        else:
            blocks.append(block)
    return blocks
