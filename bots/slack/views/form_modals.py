"""The form of each act as a modal, made from the table of fields (docs/surfaces.md, "Modals"), and its values."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bots.slack.client.block_kit import (
    MODAL_BLOCKS,
    Block,
    actions,
    button,
    context,
    cut,
    pages_of,
    plain,
    section,
)
from bots.slack.client.refused_blocks import alerts
from bots.slack.staff_texts import StaffTexts
from bots.slack.views.form_inputs import another_input, input_block, typed_blocks
from complaints.case import Case
from complaints.form_conditions import holds
from complaints.forms import FORMS, NO_PAYMENT, ROW_PATH, Field, flag, rows_in

View = dict[str, Any]

#: The callback id of a view that only says something, and the block id of a notice in any view.
NOTICE = "notice"
_NOTICE_AT_END = "notice.end"
#: Blocks of a view that a person has to scroll.
_LONG_VIEW = 6
#: Blocks of one page of a long form; the rest is for the page number, the button back and a notice.
_PAGE_BLOCKS = MODAL_BLOCKS - 4


@dataclass(frozen=True)
class FormPrefill:
    """What a form starts with: values by path, choices that depend on the complaint, blocks to show with it.

    `choices` are by the name of the field, or by its path (`issues.N.category`). `preface` is placed above the
    inputs. `rows` is the initial number of rows of a group; `fixed` groups get no more rows; `headings` are placed
    above a row, by `group.N`. `ticked` are the steps that the form shows as done: it can withdraw these only.
    """

    initial: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    preface: Sequence[Block] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    headings: Mapping[str, Block] = field(default_factory=dict)
    ticked: Sequence[str] = ()

    def plus(self, other: FormPrefill) -> FormPrefill:
        """Both; of two first values that of the other counts."""
        return FormPrefill(
            initial={**self.initial, **other.initial},
            choices={**self.choices, **other.choices},
            preface=[*self.preface, *other.preface],
            rows={**self.rows, **other.rows},
            fixed=self.fixed | other.fixed,
            headings={**self.headings, **other.headings},
            ticked=[*self.ticked, *other.ticked],
        )

    def with_typed(self, values: Mapping[str, Any], rows: Mapping[str, int]) -> FormPrefill:
        """The same with what was typed, and with at least so many rows of each group."""
        groups = {**self.rows, **rows}
        numbers = {group: max(self.rows.get(group, 1), rows.get(group, 1)) for group in groups}
        initial = dict(self.initial)
        for path in values:
            if match := ROW_PATH.fullmatch(path):
                numbers[match[1]] = max(numbers.get(match[1], 1), int(match[2]) + 1)
        numbers |= {group: self.rows.get(group, 1) for group in self.fixed}
        for group, count in numbers.items():
            # Only the currency is the same in every row: a remedy that was asked for is promised once.
            if currency := self.initial.get(f"{group}.0.currency"):
                initial = {f"{group}.{row}.currency": currency for row in range(count)} | initial
        return replace(self, initial={**initial, **values}, rows=numbers)


@dataclass(frozen=True)
class FormPlace:
    """Which page of a form to show: with this input, or after it; `page` if there is no such input.

    `draft` holds what was typed on all pages, `version` is the work version for which the form was first drawn.
    """

    at: str | None = None
    after: bool = False
    page: int = 0
    draft: str | None = None
    version: int | None = None

    def page_in(self, pages: Sequence[Sequence[Sequence[Block]]]) -> int:
        places = [(number, unit) for number, units in enumerate(pages) for unit in units]
        for index, (number, unit) in enumerate(places):
            if self.at is not None and any(block.get("block_id") == self.at for block in unit):
                return places[min(index + 1, len(places) - 1)][0] if self.after else number
        return max(0, min(self.page, len(pages) - 1))


def form_view(
    form: str, case: Case, texts: StaffTexts, prefill: FormPrefill, place: FormPlace | None = None
) -> View:
    """The form of an act on this complaint, drawn for its present work version.

    More than fits into one view is distributed over pages; all but the last are submitted to get to the next one.
    """
    place = place or FormPlace()
    pages = _form_pages(form, case, texts, prefill)
    page = place.page_in(pages)
    blocks = [block for unit in pages[page] for block in unit]
    submit = "modal.preview" if FORMS[form].is_previewed else "modal.save"
    more: dict[str, Any] = {"ticked": list(prefill.ticked)} if prefill.ticked else {}
    version = case.work_version
    if len(pages) > 1:
        blocks.insert(0, context(texts.text("modal.page", page=page + 1, pages=len(pages))))
        if page > 0:
            back = button(texts.text("modal.previous_page"), "form.previous", case.ref)
            blocks.append(actions("turning", [back]))
        submit = submit if page == len(pages) - 1 else "modal.next_page"
        version = place.version or version
        more |= {"page": page, "pages": len(pages), "draft": place.draft, "rows": dict(prefill.rows)}
    stored = metadata(case.ref, version, **more)
    return modal(texts, form, stored, blocks, title=f"verb.{form}", submit=submit)


def _form_pages(form: str, case: Case, texts: StaffTexts, prefill: FormPrefill) -> list[list[list[Block]]]:
    """The blocks of a form by page; what belongs together, as a row with its heading, stays on one page."""
    units: list[list[Block]] = [[block] for block in prefill.preface]
    groups: set[str] = set()
    for entry in FORMS[form].fields:
        if entry.group is None:
            if is_asked(entry, case, texts):
                units.append([_case_input(entry, entry.name, case, texts, prefill)])
        elif entry.group not in groups:
            groups.add(entry.group)
            units += _rows(form, entry.group, case, texts, prefill)
    if len([block for unit in units for block in unit]) < MODAL_BLOCKS:
        return pages_of(units, MODAL_BLOCKS - 1)
    return pages_of(units, _PAGE_BLOCKS)


def notice_view(
    text: str, texts: StaffTexts, *, title: str = "modal.notice", ref: str = "", level: str = "info"
) -> View:
    """A view that only says something; `title` is the id of a text, `level` that of the alert."""
    return modal(texts, NOTICE, metadata(ref, 0), alerts(text, level=level, block_id=NOTICE), title=title)


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
    return not entry.asked_if or holds(entry.asked_if, case, texts.language)


def _case_input(entry: Field, path: str, case: Case, texts: StaffTexts, prefill: FormPrefill) -> Block:
    return input_block(
        entry,
        path,
        texts,
        initial=prefill.initial.get(path),
        choices=prefill.choices.get(entry.path, prefill.choices.get(entry.name)),
        required=holds(entry.required_if, case) if entry.required_if else entry.required,
    )


def _rows(form: str, group: str, case: Case, texts: StaffTexts, prefill: FormPrefill) -> list[list[Block]]:
    units: list[list[Block]] = []
    for row in range(prefill.rows.get(group, 1)):
        heading = prefill.headings.get(f"{group}.{row}")
        inputs = [
            _case_input(entry, f"{group}.{row}.{entry.name}", case, texts, prefill)
            for entry in FORMS[form].rows_of(group)
            if prefill.choices.get(entry.name) != ()
        ]
        units.append([heading, *inputs] if heading else inputs)
    if group not in prefill.fixed and units:
        more = button(texts.text(f"modal.more_{group}"), "more", group)
        units[-1] = [*units[-1], actions(f"more.{group}", [more])]
    return units


def with_row(view: Mapping[str, Any], group: str) -> View | None:
    """The view with one more row of a group and the typed values; None if it needs another page."""
    return _with_rows(view, typed_blocks(view), group, [{}])


def with_matters(view: Mapping[str, Any], matters: Sequence[tuple[str, str]]) -> View | None:
    """The view with a new row for each (words, category); filled rows stay, empty rows are removed.

    None if the rows need another page.

    The rows are new blocks, because Slack does not change the value of an input that is shown already.
    """
    group, blocks = "issues", typed_blocks(view)
    empty = [
        block["block_id"]
        for inputs in _row_inputs(blocks, group).values()
        if not any(map(_is_filled, inputs.values()))
        for block in inputs.values()
    ]
    filled = [{"text": text, "category": category} for text, category in matters]
    return _with_rows(view, blocks, group, filled, without=[*empty, f"matters.{group}"])


def _with_rows(
    view: Mapping[str, Any],
    blocks: Sequence[Block],
    group: str,
    values: Sequence[Mapping[str, str]],
    *,
    without: Sequence[str] = (),
) -> View | None:
    """The view with a row for each of these values, like its first row, and without the blocks of these ids."""
    if has_pages(view):
        return None
    rows = _row_inputs(blocks, group)
    kept = [block for block in blocks if block.get("block_id") not in without]
    new = [
        block
        for number, row in enumerate(values, start=max(rows) + 1)
        for block in _new_row(rows[min(rows)], group, number, row)
    ]
    if len(kept) + len(new) > MODAL_BLOCKS - 1:  # the last block is for a notice
        return None
    place = next(index for index, block in enumerate(kept) if block.get("block_id") == f"more.{group}")
    return {**resendable(view), "blocks": [*kept[:place], *new, *kept[place:]]}


def has_pages(view: Mapping[str, Any]) -> bool:
    return "pages" in json.loads(view.get("private_metadata") or "{}")


def _new_row(
    first: Mapping[str, Block], group: str, number: int, values: Mapping[str, str]
) -> Iterator[Block]:
    """The inputs of one more row; only the currency is the same in every row."""
    for name, block in first.items():
        value = block["element"].get("initial_value") if name == "currency" else values.get(name)
        yield another_input(block, f"{group}.{number}.{name}", value)


def _row_inputs(blocks: Sequence[Block], group: str) -> dict[int, dict[str, Block]]:
    """The inputs of each row of a group, by the row's number and their name."""
    return rows_in(group, {str(block.get("block_id")): block for block in blocks})


def _is_filled(block: Block) -> bool:
    element = block.get("element") or {}
    return any(element.get(name) for name in ("initial_value", "initial_option"))


def with_notice(
    view: Mapping[str, Any],
    text: str,
    *,
    version: int | None = None,
    accessory: Block | None = None,
    level: str = "warning",
) -> View:
    """The view with a notice and the typed values; `version` makes it count as drawn for that version.

    A long view has it on top and at its end: Slack does not scroll, and the person is at one of them.
    """
    is_notice = re.compile(rf"{NOTICE}(\.|$)").match
    blocks = [block for block in typed_blocks(view) if not is_notice(str(block.get("block_id")))]
    is_long, room = len(blocks) >= _LONG_VIEW, MODAL_BLOCKS - len(blocks)

    def notices(block_id: str) -> list[Block]:
        lines = [] if accessory else alerts(cut(text, 3000), level=level, block_id=block_id)
        # A section can have a button, and one of them always has room.
        is_whole = lines and len(lines) <= room
        return lines if is_whole else [section(cut(text, 3000), block_id=block_id, accessory=accessory)]

    first, last = notices(NOTICE), notices(_NOTICE_AT_END)
    blocks = [*first, *blocks, *(last if is_long and len(first) + len(last) <= room else [])]
    changed = {**resendable(view), "blocks": blocks[:MODAL_BLOCKS]}
    if version is not None:
        changed["private_metadata"] = _changed_metadata(view, version=version)
    return changed


def with_statement(view: Mapping[str, Any], text: str, texts: StaffTexts) -> View:
    """The view with this refusal of a sum in the words, and a box to state that it is no payment."""
    noticed = with_notice(view, text, level="error")
    blocks = [block for block in noticed["blocks"] if block.get("block_id") != NO_PAYMENT]
    box = input_block(flag(NO_PAYMENT), NO_PAYMENT, texts)
    return {**noticed, "blocks": [*blocks[: MODAL_BLOCKS - 1], box]}


def with_metadata(view: Mapping[str, Any], **changes: Any) -> View:
    return {**view, "private_metadata": _changed_metadata(view, **changes)}


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
