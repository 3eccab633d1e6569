"""Cards and modals in Block Kit for the page's tests."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
CHANNEL = "C0000001"


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text}


def option(text: str, value: str | None = None) -> Json:
    return {"text": plain(text), "value": value or text.lower()}


def button(text: str, action: str, **more: Any) -> Json:
    return {"type": "button", "text": plain(text), "action_id": action, "value": "REF", **more}


def a_card(ref: str = "A7K-M3Q-9T", *, draw: int = 0) -> list[Json]:
    """A card with every block and element that cards use."""
    more = {
        "type": "static_select",
        "placeholder": plain("More"),
        "action_id": "case.more",
        "options": [option("Reply", f"case.reply:{ref}"), option("Note", f"case.note:{ref}")],
    }
    rich = {
        "type": "rich_text_section",
        "elements": [{"type": "text", "text": "Rich words", "style": {"bold": True}}],
    }
    return [
        {"type": "header", "text": plain(f"{ref} · service · 🟡 P3")},
        {
            "type": "section",
            "text": mrkdwn("*Received* and _waiting_, see <https://example.org|the rules> &amp; `P3`"),
        },
        {"type": "section", "fields": [mrkdwn("*Category*\nservice 0.71"), mrkdwn("*Severity*\n3")]},
        {"type": "rich_text", "elements": [rich]},
        {"type": "divider"},
        {"type": "context", "elements": [mrkdwn("1 message, no files")]},
        {
            "type": "container",
            "title": plain("History (1 entry)"),
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [{"type": "context", "elements": [mrkdwn("Assigned")]}],
        },
        {
            "type": "data_table",
            "caption": "Open complaints",
            "rows": [
                [{"type": "raw_text", "text": "Complaint"}, {"type": "raw_text", "text": "Owner"}],
                [{"type": "raw_text", "text": ref}, {"type": "raw_text", "text": "Alice"}],
            ],
        },
        {
            "type": "data_visualization",
            "title": "Open by priority",
            "chart": {
                "type": "bar",
                "series": [
                    {"name": "Open", "data": [{"label": "P1", "value": 2}, {"label": "P2", "value": 5}]}
                ],
                "axis_config": {"categories": ["P1", "P2"]},
            },
        },
        {
            "type": "actions",
            "block_id": f"actions:1.{draw}",
            "elements": [
                button("Assess", "case.assess", style="primary"),
                button("Take", "case.take"),
                more,
                {"type": "overflow", "action_id": "case.rest", "options": [option("Copy reference", "copy")]},
            ],
        },
    ]


def field(block: str, label: str, element: Json, **more: Any) -> Json:
    return {
        "type": "input",
        "block_id": block,
        "label": plain(label),
        "element": {"action_id": "value", **element},
        **more,
    }


def a_modal(title: str = "Assess", *, close: str = "Cancel", extra: list[Json] | None = None) -> Json:
    """A view with every input that modals use."""
    blocks = [
        field(
            "category",
            "Category",
            {"type": "static_select", "options": [option("Supply"), option("Service")]},
        ),
        field(
            "severity",
            "Severity",
            {"type": "radio_buttons", "options": [option(str(n)) for n in range(1, 6)]},
        ),
        field(
            "immediate_needed",
            "Immediate action needed",
            {"type": "checkboxes", "options": [option("Yes")]},
            optional=True,
        ),
        field("owner", "Owner", {"type": "users_select"}, optional=True),
        field("next_date", "Next date", {"type": "datepicker"}, optional=True),
        field("at_time", "At", {"type": "timepicker"}, optional=True),
        field("received_at", "Received", {"type": "datetimepicker"}, optional=True),
        field("amount", "Amount", {"type": "number_input", "is_decimal_allowed": True}, optional=True),
        field("email", "E-mail", {"type": "email_text_input"}, optional=True),
        field("place", "Channel", {"type": "conversations_select"}, optional=True),
        field(
            "text", "Text", {"type": "plain_text_input", "multiline": True}, hint=plain("In your own words")
        ),
    ]
    return {
        "type": "modal",
        "callback_id": "assess",
        "title": plain(title),
        "submit": plain("Assess it"),
        "close": plain(close),
        "blocks": [*blocks, *(extra or [])],
    }
