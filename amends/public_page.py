"""The public page on how to complain (4.2): from the same settings and texts as the bot, so they agree."""

from __future__ import annotations

from html import escape

from bots.dialogue.commands import policy_fields
from bots.texts.texts import Texts
from complaints.rulebook import Rulebook, Rulebooks

_STYLE = (
    "body{font:17px/1.55 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1.2rem;"
    "color:#1d2430}"
    "section{margin-bottom:3rem}"
    "@media(prefers-color-scheme:dark){body{background:#14181e;color:#e6e9ee}}"
)


def public_page(rulebooks: Rulebooks, texts: Texts, country: str | None = None) -> str:
    """One HTML page with the complaints policy of a jurisdiction in each of its languages.

    Without `country`, or with one that is none of ours, it is the organisation's own; the others are named.
    """
    rules = rulebooks.of(rulebooks.code(country or ""))
    sections = _others(rulebooks, rules, texts)
    sections += "".join(_section(language, rules, texts) for language in rules.languages)
    return (
        f'<!doctype html><html lang="{rules.languages[0]}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(rules.organisation)}</title><style>{_STYLE}</style>{sections}</html>"
    )


def _others(rulebooks: Rulebooks, shown: Rulebook, texts: Texts) -> str:
    links = (
        f'<a href="/?country={one.country}" lang="{one.languages[0]}">'
        f"{escape(texts.country(one.languages[0], one.country))}</a>"
        for one in rulebooks
        if one.country != shown.country
    )
    named = " · ".join(links)
    return f"<nav>{named}</nav>" if named else ""


def _section(language: str, rules: Rulebook, texts: Texts) -> str:
    policy = texts.say(language, "policy", **policy_fields(language, rules, texts))
    title, _, rest = policy.partition("\n")
    paragraphs = "".join(f"<p>{escape(one)}</p>" for one in rest.split("\n") if one.strip())
    return f'<section lang="{language}"><h1>{escape(title)}</h1>{paragraphs}</section>'
