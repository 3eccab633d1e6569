"""What a failed call to Slack means, and how an unexpected failure is logged."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping

import aiohttp
from slack_sdk.errors import SlackApiError

log = logging.getLogger("amends.slack")

#: Network errors below Slack's own answers.
NETWORK = (aiohttp.ClientError, TimeoutError, OSError)
#: Slack's error codes for a problem of its own at this moment.
OUTAGE = frozenset({"fatal_error", "internal_error", "request_timeout", "service_unavailable"})
#: The message was deleted in Slack.
GONE = frozenset({"message_not_found", "thread_not_found"})
#: Error codes that another try will not change. A wrong token is not among them, because it is soon corrected.
PERMANENT: frozenset[str] = frozenset(
    {
        "as_user_not_supported", "cannot_dm_bot", "cant_delete_message", "cant_update_message",
        "channel_not_found", "ekm_access_denied", "file_not_found", "invalid_arguments",
        "invalid_blocks", "invalid_blocks_format", "is_archived", "messages_tab_disabled",
        "msg_too_long", "no_permission", "no_text", "not_in_channel", "restricted_action",
        "user_disabled", "user_not_found", "user_not_in_channel", "user_not_visible",
    }
)  # fmt: skip
#: Error codes for a trigger that is too old (about 3 seconds) or was used before.
_EXPIRED_TRIGGER = frozenset(
    {"expired_trigger_id", "exchanged_trigger_id", "invalid_trigger_id", "trigger_expired"}
)


def log_unexpected(what: str, failure: BaseException) -> None:
    """Log the type and the place of an unexpected failure; its message may hold people's words and is left out."""
    frames = reversed(traceback.extract_tb(failure.__traceback__)[-4:])
    place = " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    code = error_of(failure) if isinstance(failure, SlackApiError) else ""
    log.error("%s failed: %s %s at %s", what, type(failure).__name__, code, place)


def error_of(failure: SlackApiError) -> str:
    """Slack's error code; empty if the answer did not come from Slack's API (a page, plain text)."""
    body = getattr(failure.response, "data", failure.response)
    return str(body.get("error") or "") if isinstance(body, Mapping) else ""


def status_of(failure: SlackApiError) -> int | None:
    """The HTTP status of the answer, if there was one."""
    response = failure.response
    status = getattr(response, "status_code", getattr(response, "status", None))
    return status if isinstance(status, int) else None


def is_trigger_expired(failure: Exception) -> bool:
    """True if the view could not open because the call came too late."""
    return isinstance(failure, SlackApiError) and error_of(failure) in _EXPIRED_TRIGGER


def is_flood(failure: SlackApiError) -> bool:
    """True if Slack asks for a pause."""
    return status_of(failure) == 429 or error_of(failure) in ("ratelimited", "rate_limited")


def retry_after(failure: SlackApiError) -> float:
    """Seconds of the pause that Slack asks for; 30 if it names none."""
    headers = getattr(failure.response, "headers", None) or {}
    seconds = {str(name).lower(): value for name, value in headers.items()}.get("retry-after", 30)
    return float(seconds[0] if isinstance(seconds, list) else seconds)


def is_history_closed(failure: SlackApiError) -> bool:
    """True if history cannot be read at all; then a duplicate post is better than a missing one."""
    return error_of(failure) in ("unknown_method", "missing_scope") or status_of(failure) == 404
