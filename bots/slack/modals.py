"""Every act's form as a modal, made from the one table of fields (docs/surfaces.md, "Modals")."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bots.slack.blocks import MODAL_BLOCKS, Block, actions, button, cut, plain, section
from bots.slack.inputs import input_block, keeping
from bots.slack.voice import Voice
from complaints.case import Case
from complaints.forms import FORMS, Field
from complaints.vocabulary import Flag, Target

#: What goes to the complainant is shown first.
PREVIEWED = frozenset({"reply", "ask", "inform", "resolve", "decide"})
NOTICE = "notice"
#: Ticks that a letter needs in some complaints, with the code of the refusal where they are missing.
CONFIRMED: Mapping[str, str] = {
    "language_confirmed": "language_not_confirmed",
    "disclosure_checked": "disclosure_not_checked",
}

_ROW = re.compile(r"(\w+)\.(\d+)\.\w+")
View = dict[str, Any]


@dataclass(frozen=True)
class Filling:
    """What a form starts from: values by path, choices that depend on the complaint, what to show with it.

    `shown` stands above the inputs. `rows` is how many rows of a group there are at first; `fixed` groups
    grow no further; `headings` stand above a row, by `group.N`.
    """

    initial: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    shown: Sequence[Block] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    headings: Mapping[str, Block] = field(default_factory=dict)


def metadata(ref: str, version: int, **more: Any) -> str:
    """The private_metadata of a view."""
    return json.dumps({"ref": ref, "version": version, **more}, separators=(",", ":"))


def modal(form: str, case: Case, voice: Voice, filling: Filling) -> View:
    """The form of an act on this complaint, drawn with its present work_version."""
    blocks: list[Block] = list(filling.shown)
    done: set[str] = set()
    for one in FORMS[form]:
        if one.group is None:
            if asked(one, case, voice):
                blocks.append(_input(form, one, one.name, case, voice, filling))
        elif one.group not in done:
            done.add(one.group)
            blocks += _rows(form, one.group, case, voice, filling)
    return {
        "type": "modal",
        "callback_id": form,
        "private_metadata": metadata(case.ref, case.work_version),
        "title": plain(voice.say(f"verb.{form}"), 24),
        "submit": plain(voice.say("modal.preview" if form in PREVIEWED else "modal.save"), 24),
        "close": plain(voice.say("modal.cancel"), 24),
        "blocks": blocks,
    }


def asked(one: Field, case: Case, voice: Voice) -> bool:
    """Does this complaint ask for this field at all?"""
    match one.name:
        case "language_confirmed":
            return case.language != voice.language
        case "disclosure_checked":
            return Flag.FOR_ANOTHER in case.flags
        case "media_heard":
            return (case.told_only_in_media and not case.media_heard) or "media_unheard" in case.flags
        case "answers_privacy":
            clock = case.target(Target.PRIVACY)
            return clock is not None and clock.met_at is None
        case "subject_heard_at" | "subject_supported_at" | "subject_outcome_at":
            return bool(case.subjects)
        case "subject_not_yet" | "subject_review_by":
            return bool(case.subjects)
        case "override_reason":
            return bool(case.signs) or case.assessment is not None
        case _:
            return True


def must(form: str, one: Field, case: Case) -> bool:
    """Is it required here? Of the ticks that some cases ask for, those that the contract stars."""
    if one.name == "media_heard":
        return case.told_only_in_media and not case.media_heard
    return one.required or (form, one.name) == ("reply", "language_confirmed")


def _input(form: str, one: Field, path: str, case: Case, voice: Voice, filling: Filling) -> Block:
    return input_block(
        form,
        one,
        path,
        voice,
        initial=filling.initial.get(path),
        choices=filling.choices.get(one.name),
        required=must(form, one, case),
    )


def _rows(form: str, group: str, case: Case, voice: Voice, filling: Filling) -> list[Block]:
    members = [one for one in FORMS[form] if one.group == group]
    blocks: list[Block] = []
    for row in range(filling.rows.get(group, 1)):
        if f"{group}.{row}" in filling.headings:
            blocks.append(filling.headings[f"{group}.{row}"])
        blocks += [_input(form, one, f"{group}.{row}.{one.name}", case, voice, filling) for one in members]
    if group not in filling.fixed:
        blocks.append(actions(f"more.{group}", [button(voice.say(f"modal.more_{group}"), "more", group)]))
    return blocks


def bare(view: Mapping[str, Any]) -> View:
    """A view as it came in a payload, without what Slack adds, so that it can be sent again."""
    keys = ("type", "callback_id", "private_metadata", "title", "submit", "close", "blocks", "clear_on_close")
    return {key: view[key] for key in keys if view.get(key) is not None}


def with_row(view: Mapping[str, Any], group: str, voice: Voice) -> View:
    """The view with one more row of a group, what was typed kept; unchanged where no more fit."""
    form = str(view["callback_id"])
    blocks = keeping(list(view["blocks"]), view.get("state", {}).get("values", {}))
    found = (_ROW.fullmatch(str(one.get("block_id"))) for one in blocks)
    row = max((int(one[2]) for one in found if one and one[1] == group), default=-1) + 1
    members = [one for one in FORMS[form] if one.group == group]
    at = next(n for n, one in enumerate(blocks) if one.get("block_id") == f"more.{group}")
    if len(blocks) + len(members) <= MODAL_BLOCKS - 1:  # one is left for a notice
        blocks[at:at] = [
            input_block(
                form,
                one,
                f"{group}.{row}.{one.name}",
                voice,
                choices=_offered(blocks, f"{group}.0.{one.name}"),
                required=False,
            )
            for one in members
        ]
    return {**bare(view), "blocks": blocks}


def with_matters(view: Mapping[str, Any], matters: Sequence[tuple[str, str]], voice: Voice) -> View:
    """The view with a row for each (words, category); rows that somebody filled stay, empty ones go.

    The rows are new ones: of an input that stands already Slack keeps what it shows.
    """
    group, form = "issues", str(view["callback_id"])
    blocks = keeping(list(view["blocks"]), view.get("state", {}).get("values", {}))
    members = [one for one in FORMS[form] if one.group == group]
    offered = {one.name: _offered(blocks, f"{group}.0.{one.name}") for one in members}
    rows: dict[int, list[Block]] = {}
    for block in blocks:
        found = _ROW.fullmatch(str(block.get("block_id")))
        if found and found[1] == group:
            rows.setdefault(int(found[2]), []).append(block)
    empty = [row for row, inputs in rows.items() if not any(_is_filled(one) for one in inputs)]
    blocks = [one for one in blocks if not any(one in rows[row] for row in empty)]
    at = next(n for n, one in enumerate(blocks) if one.get("block_id") == f"more.{group}")
    first = max(rows, default=-1) + 1
    for n, (text, category) in enumerate(matters):
        if len(blocks) + len(members) > MODAL_BLOCKS - 1:
            break
        start = {"text": text, "category": category}
        made = [
            input_block(
                form,
                one,
                f"{group}.{first + n}.{one.name}",
                voice,
                initial=start.get(one.name),
                choices=offered[one.name],
                required=False,
            )
            for one in members
        ]
        blocks[at:at] = made
        at += len(made)
    kept = [one for one in blocks if one.get("block_id") != f"matters.{group}"]
    return {**bare(view), "blocks": kept}


def _is_filled(block: Block) -> bool:
    element = block.get("element") or {}
    return any(element.get(name) for name in ("initial_value", "initial_option"))


def _offered(blocks: Sequence[Block], path: str) -> tuple[tuple[str, str], ...] | None:
    """The choices of an input that is there already: those of this complaint, not of every one."""
    for block in blocks:
        element = block.get("element") or {}
        if block.get("block_id") == path and element.get("type") in ("static_select", "radio_buttons"):
            return tuple((one["value"], one["text"]["text"]) for one in element["options"])
    return None


def with_notice(
    view: Mapping[str, Any], text: str, *, version: int | None = None, accessory: Block | None = None
) -> View:
    """The view with a notice on top, what was typed kept; `version` is what it counts as drawn with now."""
    old = [one for one in view["blocks"] if one.get("block_id") != NOTICE]
    blocks = keeping(old, view.get("state", {}).get("values", {}))
    notice = section(cut(text, 3000), block_id=NOTICE, accessory=accessory)
    changed = {**bare(view), "blocks": [notice, *blocks][:MODAL_BLOCKS]}
    if version is not None:
        known = json.loads(view.get("private_metadata") or "{}")
        changed["private_metadata"] = json.dumps({**known, "version": version}, separators=(",", ":"))
    return changed


def turning(what: str, ref: str, page: int, count: int, voice: Voice) -> Block:
    """The buttons `<what>.previous` and `<what>.next` of a view of several pages, numbered from 0."""
    row = []
    if page > 0:
        row.append(button(voice.say("open.earlier_page"), f"{what}.previous", f"{ref}:{page - 1}"))
    if page < count - 1:
        label = voice.say("open.later_page", page=page + 2, pages=count)
        row.append(button(label, f"{what}.next", f"{ref}:{page + 1}"))
    return actions("turning", row)


def from_home(view: Mapping[str, Any]) -> View:
    """The view as opened from the home: what is done in it shows there."""
    known = json.loads(view.get("private_metadata") or "{}")
    return {**view, "private_metadata": json.dumps({**known, "home": True}, separators=(",", ":"))}


def notice_view(title: str, text: str, voice: Voice, *, ref: str = "", version: int = 0) -> View:
    """A view that only says something."""
    return {
        "type": "modal",
        "callback_id": NOTICE,
        "private_metadata": metadata(ref, version),
        "title": plain(title, 24),
        "close": plain(voice.say("modal.close"), 24),
        "blocks": [section(text, block_id=NOTICE)],
    }
