"""Direct messages about entries of registers, and the figures of an effect check."""

from datetime import date
from typing import Any

from bots.slack.client.block_kit import SlackMessage, actions, button, section
from bots.slack.texts import StaffTexts
from complaints.registers.entries import Entry


def reminder_message(entry: Entry, text_id: str, texts: StaffTexts, **fields: Any) -> SlackMessage:
    """A direct message about an entry, with a button that opens it; it names the entry by its code alone."""
    register = texts.text(f"register.name.{entry.register.name}")
    text = texts.text(text_id, register=register, code=entry.code, **fields)
    row = actions(
        f"register.{entry.code}", [button(texts.text("register.open"), "register.open", entry.code)]
    )
    return SlackMessage(text, [section(text), row])


def alert_message(entry: Entry, texts: StaffTexts) -> SlackMessage:
    """A figure that crossed its limit, with a button that opens the form of the answer."""
    facts = entry.facts
    value, limit = (texts.percent(float(facts[name]) / 100) for name in ("value", "limit"))
    since, until = (texts.day(date.fromisoformat(facts[name])) for name in ("since", "until"))
    figure = texts.text(f"stats.{facts['figure']}")
    text = texts.text("register.alert", figure=figure, value=value, limit=limit, since=since, until=until)
    answer = button(
        texts.text("register.act.answer"), "register.act.answer", f"{entry.code}:answer", style="primary"
    )
    return SlackMessage(text, [section(text), actions(f"register.{entry.code}", [answer])])


def effect_text(entry: Entry, texts: StaffTexts) -> str:
    """What the check of an improvement counted; empty before it."""
    checked = entry.acts_of("check")
    if not checked:
        return ""
    facts = checked[-1].facts
    counted = texts.text("register.effect", before=facts["before"], after=facts["after"], days=facts["days"])
    if facts["ratio_high"] is None:
        return counted
    low, high = (texts.percent(facts[name]) for name in ("ratio_low", "ratio_high"))
    return f"{counted} {texts.text('register.effect_range', low=low, high=high)}"
