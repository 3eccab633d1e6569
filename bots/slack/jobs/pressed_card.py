"""Drawing the card that a person has just pressed: through the press's own address, before every other drawing."""

from slack_sdk.web.async_client import AsyncWebClient

from bots.slack.client.client import log_unexpected
from bots.slack.client.response_url import replace_original
from bots.slack.context import SlackContext
from bots.slack.jobs.card import draw_card, first_purpose, post_purposes, record_drawn
from bots.slack.payloads import PressedMessage
from store.cases.read import load_case
from store.slack import list_posts


async def draw_pressed_card(
    slack: SlackContext, client: AsyncWebClient, ref: str, pressed: PressedMessage, *, always: bool = False
) -> bool:
    """Replace the pressed card if it does not show the newest version, or `always`; False if it could not be done.

    Then the card's own obligation draws it, a little later.
    """
    try:
        return await _draw(slack, client, ref, pressed, always=always)
    except Exception as failure:  # noqa: BLE001 - the act is recorded and the obligation draws the card
        log_unexpected("drawing of a pressed card", failure)
        return False


async def _draw(
    slack: SlackContext, client: AsyncWebClient, ref: str, pressed: PressedMessage, *, always: bool
) -> bool:
    async with slack.presses.drawing(ref):
        case = await slack.store.aread(load_case, ref)
        posts = await slack.store.aread(list_posts, ref)
        post = next(
            (post for post in posts if (post.channel, post.ts) == (pressed.channel, pressed.ts)), None
        )
        purposes = post_purposes(case)
        if (
            post is None
            or post.ts is None
            or post.purpose not in purposes
            or (case.denied and case.restricted)
        ):
            # Not a card, or who may see it has to be decided first: the obligation does that.
            return False
        if post.shown_version >= case.version and not always:
            return True
        is_working_place = post.purpose == first_purpose(purposes)
        drawing = await draw_card(slack, case, post.purpose, post, is_working_place=is_working_place)
        message = drawing.message
        if not await replace_original(client, pressed.url, message.text, message.blocks):
            return False
        await record_drawn(slack, drawing, post.ts)
        return True
