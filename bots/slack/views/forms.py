"""The form of each act as a modal, made from the table of fields (docs/surfaces.md, "Modals"), and its values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
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
from bots.slack.texts import StaffTexts
from bots.slack.views.form_inputs import input_block, typed_blocks
from complaints.case import Case
from complaints.forms import DECISION_QUESTIONS, FORMS, NO_PAYMENT, Field, flag
from complaints.vocabulary import Flag, Target

View = dict[str, Any]

#: The letter of these acts is shown before it is sent; some of them send one only in some complaints.
PREVIEWED = frozenset({
    "reply", "ask", "inform", "resolve", "decide", "remedy", "close", "extend", "not_accept", "reclassify", "link",
    "external", "given", "warn_conduct", "limit_contact", "review_limit",
})  # fmt: skip
#: The callback id of a view that only says something, and the block id of a notice in any view.
NOTICE = "notice"
_NOTICE_AT_END = "notice.end"
#: Blocks of a view that a person has to scroll.
_LONG_VIEW = 6
#: Blocks of one page of a long form; the rest is for the page number, the button back and a notice.
_PAGE_BLOCKS = MODAL_BLOCKS - 4
#: Checkboxes that a letter needs in some complaints, with the error code if they are not ticked.
CONFIRMATIONS: Mapping[str, str] = {
    "language_confirmed": "language_not_confirmed",
    "disclosure_checked": "disclosure_not_checked",
}
#: Forms whose rows may all stay empty: what a filled row needs is checked when the form is read.
_MAY_STAY_EMPTY = frozenset({"investigate"})
#: The block id of an input in a row of a group: `issues.0.text`.
_ROW = re.compile(r"(\w+)\.(\d+)\.\w+")


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

    def with_typed(self, form: str, values: Mapping[str, Any], rows: Mapping[str, int]) -> FormPrefill:
        """The same with what was typed, and with at least so many rows of each group."""
        numbers = {group: max(count, rows.get(group, 1)) for group, count in self.rows.items()} | {
            group: count for group, count in rows.items() if group not in self.rows
        }
        initial = dict(self.initial)
        for path in values:
            if match := _ROW.fullmatch(path):
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
    submit = "modal.preview" if form in PREVIEWED else "modal.save"
    more: dict[str, Any] = {"ticked": list(prefill.ticked)} if prefill.ticked else {}
    stored = metadata(case.ref, case.work_version, **more)
    if len(pages) > 1:
        blocks.insert(0, context(texts.text("modal.page", page=page + 1, pages=len(pages))))
        if page > 0:
            back = button(texts.text("modal.previous_page"), "form.previous", case.ref)
            blocks.append(actions("turning", [back]))
        submit = submit if page == len(pages) - 1 else "modal.next_page"
        stored = metadata(
            case.ref,
            place.version or case.work_version,
            page=page,
            pages=len(pages),
            draft=place.draft,
            rows=dict(prefill.rows),
            **more,
        )
    return modal(texts, form, stored, blocks, title=f"verb.{form}", submit=submit)


def _form_pages(form: str, case: Case, texts: StaffTexts, prefill: FormPrefill) -> list[list[list[Block]]]:
    """The blocks of a form by page; what belongs together, as a row with its heading, stays on one page."""
    units: list[list[Block]] = [[block] for block in prefill.preface]
    groups: set[str] = set()
    for entry in FORMS[form]:
        if entry.group is None:
            if is_asked(form, entry, case, texts):
                units.append([_case_input(form, entry, entry.name, case, texts, prefill)])
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


def is_asked(form: str, entry: Field, case: Case, texts: StaffTexts) -> bool:
    if form == "approve" and entry.name in DECISION_QUESTIONS:
        return case.drafted is not None and case.drafted.checked
    if form == "assign" and entry.name == "reason":
        return bool(case.rules.required_training)
    match entry.name:
        case "attachments":
            return not case.is_offline
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
        case "incomplete":
            return case.rules.targets.completion is not None and case.incomplete_at is None
        case "period_from":
            return any(clock.after for clock in case.rules.targets.clocks)
        case "product":
            return bool(case.rules.products)
        case "branch":
            return bool(case.rules.branches)
        case "override_reason":
            return bool(case.signs) or case.assessment is not None
        case _:
            return True


def is_required(form: str, entry: Field, case: Case) -> bool:
    if entry.name == "media_heard":
        return case.only_in_media and not case.media_heard
    if form == "resolve" and entry.name == "amount":
        return case.asks_for_money
    if form == "approve" and entry.name in DECISION_QUESTIONS:
        return True
    if entry.group and form in _MAY_STAY_EMPTY:
        return False
    return entry.required


def _case_input(
    form: str, entry: Field, path: str, case: Case, texts: StaffTexts, prefill: FormPrefill
) -> Block:
    return input_block(
        form,
        entry,
        path,
        texts,
        initial=prefill.initial.get(path),
        choices=prefill.choices.get(entry.path, prefill.choices.get(entry.name)),
        required=is_required(form, entry, case),
    )


def _rows(form: str, group: str, case: Case, texts: StaffTexts, prefill: FormPrefill) -> list[list[Block]]:
    entries = group_fields(form, group)
    units: list[list[Block]] = []
    for row in range(prefill.rows.get(group, 1)):
        heading = prefill.headings.get(f"{group}.{row}")
        inputs = [
            _case_input(form, entry, f"{group}.{row}.{entry.name}", case, texts, prefill)
            for entry in entries
            if prefill.choices.get(entry.name) != ()
        ]
        units.append([heading, *inputs] if heading else inputs)
    if group not in prefill.fixed and units:
        more = button(texts.text(f"modal.more_{group}"), "more", group)
        units[-1] = [*units[-1], actions(f"more.{group}", [more])]
    return units


def group_fields(form: str, group: str) -> list[Field]:
    return [entry for entry in FORMS[form] if entry.group == group]


def with_row(view: Mapping[str, Any], group: str, texts: StaffTexts) -> View | None:
    """The view with one more row of a group and the typed values; None if it needs another page."""
    form = str(view["callback_id"])
    blocks = typed_blocks(view)
    number = max(_row_inputs(blocks, group), default=-1) + 1
    entries = group_fields(form, group)
    if has_pages(view) or len(blocks) + len(entries) > MODAL_BLOCKS - 1:  # the last block is for a notice
        return None
    place = _place_of_more(blocks, group)
    blocks[place:place] = _new_row(form, group, number, entries, blocks, texts)
    return {**resendable(view), "blocks": blocks}


def has_pages(view: Mapping[str, Any]) -> bool:
    return "pages" in json.loads(view.get("private_metadata") or "{}")


def with_matters(
    view: Mapping[str, Any], matters: Sequence[tuple[str, str]], texts: StaffTexts
) -> View | None:
    """The view with a new row for each (words, category); filled rows stay, empty rows are removed.

    None if the rows need another page.

    The rows are new blocks, because Slack does not change the value of an input that is shown already.
    """
    group, form = "issues", str(view["callback_id"])
    blocks = typed_blocks(view)
    entries = group_fields(form, group)
    template, rows = list(blocks), _row_inputs(blocks, group)
    empty = [block for inputs in rows.values() if not any(map(_is_filled, inputs)) for block in inputs]
    blocks = [block for block in blocks if block not in empty]
    place = _place_of_more(blocks, group)
    first = max(rows, default=-1) + 1
    if has_pages(view) or len(blocks) + len(matters) * len(entries) > MODAL_BLOCKS - 1:
        return None
    for number, (text, category) in enumerate(matters, start=first):
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
            initial=(initial or {}).get(entry.name, _default_shown(blocks, group, entry)),
            required=entry.required and form not in _MAY_STAY_EMPTY,
            choices=_choices_shown(blocks, f"{group}.0.{entry.name}"),
        )
        for entry in entries
        # A choice without options, such as the issue before an assessment, has no input in any row.
        if any(block.get("block_id") == f"{group}.0.{entry.name}" for block in blocks)
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


def _default_shown(blocks: Sequence[Block], group: str, entry: Field) -> str | None:
    """The currency of the first row, which is the same in every row."""
    first = next((block for block in blocks if block.get("block_id") == f"{group}.0.{entry.name}"), None)
    return None if entry.name != "currency" or first is None else first["element"].get("initial_value")


def _choices_shown(blocks: Sequence[Block], path: str) -> tuple[tuple[str, str], ...] | None:
    """The choices that an input shows: those of this complaint, and not of every complaint."""
    for block in blocks:
        element = block.get("element") or {}
        if block.get("block_id") == path and element.get("type") in ("static_select", "radio_buttons"):
            return tuple((option["value"], option["text"]["text"]) for option in element["options"])
    return None


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
    box = input_block("", flag(NO_PAYMENT), NO_PAYMENT, texts)
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
