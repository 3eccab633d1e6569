"""The manifest from which the Slack app is created (`amends slack-manifest`)."""

from __future__ import annotations

from typing import Any

#: What the bot may do; each is used, and docs/slack-unproved.md says which only the real Slack can prove.
SCOPES: tuple[str, ...] = (
    "chat:write",
    "commands",
    "channels:read",
    "groups:read",
    "channels:history",
    "groups:history",
    "im:write",
    "files:write",
    "users:read",
    "usergroups:read",
    "metadata.message:read",
)

COMMAND = "/complaints"
SHORTCUTS: tuple[str, ...] = ("log_complaint", "log_from_message")
EVENTS: tuple[str, ...] = ("app_home_opened",)


def manifest(public_url: str | None = None) -> dict[str, Any]:
    """The manifest for Socket Mode, or for HTTP where Slack can reach `public_url` (its `/slack/events`)."""
    return {
        "_metadata": {"major_version": 2, "minor_version": 1},
        "display_information": {
            "name": "Amends",
            "description": "Complaints handled by the rules of ISO 10002",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                # Pages to on-call people and files asked for arrive here; nothing is read from it.
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": True,
            },
            "bot_user": {"display_name": "Amends", "always_online": True},
            "shortcuts": [
                {
                    "name": "Log a complaint",
                    "type": "global",
                    "callback_id": SHORTCUTS[0],
                    "description": "Record a complaint that reached you by phone, in person or by post",
                },
                {
                    "name": "Log as complaint",
                    "type": "message",
                    "callback_id": SHORTCUTS[1],
                    "description": "Record this message as a complaint",
                },
            ],
            "slash_commands": [
                {
                    "command": COMMAND,
                    "description": "Find, list and log complaints",
                    "usage_hint": "help, list, mine, show REF, log, search Q, stats, report, clauses, policy",
                    "should_escape": False,
                    **_reached_at(public_url, "url"),
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS), **_reached_at(public_url, "request_url")},
            "interactivity": {"is_enabled": True, **_reached_at(public_url, "request_url")},
            "org_deploy_enabled": False,
            "socket_mode_enabled": public_url is None,
            "token_rotation_enabled": False,
        },
    }


def _reached_at(public_url: str | None, key: str) -> dict[str, str]:
    return {} if public_url is None else {key: f"{public_url.rstrip('/')}/slack/events"}
