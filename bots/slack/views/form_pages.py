"""Forms with more inputs than one view holds: what was typed on the other pages waits in a sealed draft."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bots.slack.context import SlackContext
from bots.slack.payloads import ViewMetadata, read_metadata, with_pressed_message
from bots.slack.views.form_inputs import values_of
from bots.slack.views.form_modals import FormPlace, View, form_view, opened_from_home, with_metadata
from bots.slack.views.open_form import prefilled
from complaints.actors import Actor
from complaints.errors import BadFacts
from complaints.forms import NO_PAYMENT, WrongFields, read
from store.cases.read import load_case
from store.slack_posts import read_draft, save_draft


async def typed_values(slack: SlackContext, view: Mapping[str, Any]) -> dict[str, Any]:
    """What was typed on all pages, with None for an empty input. Raises BadFacts if the draft was deleted."""
    on_page = dict.fromkeys(input_paths(view)) | values_of(view["state"]["values"])
    draft_id = read_metadata(view).draft
    if draft_id is None:
        return on_page
    draft = await slack.store.aread(read_draft, draft_id)
    if draft is None:
        raise BadFacts.worded("form_expired:pages")
    return {**json.loads(draft.words["values"]), **on_page}


async def other_page(
    slack: SlackContext,
    view: Mapping[str, Any],
    actor: Actor,
    *,
    at: str | None = None,
    after: bool = False,
    page: int = 0,
    added: Mapping[str, Any] | None = None,
) -> View:
    """The page with the input `at`, the one `after` it, or `page`; what was typed so far is kept.

    `added` are values by path; an empty one adds its row.
    """
    metadata, form = read_metadata(view), str(view["callback_id"])
    values = {**await typed_values(slack, view), **(added or {})}
    draft = await slack.store.awrite(
        save_draft, metadata.ref, actor.id, f"{form}.pages", {}, {"values": json.dumps(values)}, "",
        metadata.version,
    )  # fmt: skip
    case = await slack.store.aread(load_case, metadata.ref)
    place = FormPlace(at, after, page, draft, metadata.version)
    start = await prefilled(slack, form, case, actor, is_redrawn=True)
    drawn = form_view(form, case, slack.texts, start.with_typed(values, metadata.rows), place)
    drawn = with_pressed_message(drawn, metadata.pressed_message)
    if metadata.ticked or read_metadata(drawn).ticked:
        # Of the first drawing: what others ticked since then is not withdrawn.
        drawn = with_metadata(drawn, ticked=list(metadata.ticked))
    if metadata.template:
        drawn = with_metadata(drawn, template=metadata.template)
    return opened_from_home(drawn) if metadata.from_home else drawn


async def next_page(
    slack: SlackContext,
    view: Mapping[str, Any],
    actor: Actor,
    *,
    options: Mapping[str, tuple[str, ...]],
) -> View:
    """The page after this one. Raises WrongFields for the inputs of this page."""
    values = await typed_values(slack, view)
    try:
        read(str(view["callback_id"]), values, options=options)
    except WrongFields as wrong:
        here = {path: why for path, why in wrong.fields.items() if path in input_paths(view)}
        if here:
            raise WrongFields(here) from wrong
    last = _last_place(view["blocks"])
    metadata: ViewMetadata = read_metadata(view)
    return await other_page(slack, view, actor, at=last, after=True, page=metadata.page + 1)


def input_paths(view: Mapping[str, Any]) -> list[str]:
    ids = [str(block["block_id"]) for block in view["blocks"] if block.get("type") == "input"]
    return [block_id for block_id in ids if block_id != NO_PAYMENT]


def _last_place(blocks: Sequence[Mapping[str, Any]]) -> str | None:
    """The last input or button for one more row; the blocks above the inputs have none."""
    ids = [str(block.get("block_id")) for block in blocks if block.get("type") in ("input", "actions")]
    return next((block_id for block_id in reversed(ids) if block_id != "turning"), None)
