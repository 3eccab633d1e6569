"""The public page on how to complain (4.2), from the same settings and texts as the bot so that they agree."""

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
    """One HTML page with the complaints policy of a jurisdiction in each of its languages, and links to the others.

    Without `country`, or with one that is not configured, it is the page of the organisation's own country.
    """
    rules = rulebooks.of(rulebooks.code(country or ""))
    sections = _links_to_others(rulebooks, rules, texts)
    sections += "".join(_section(language, rules, texts) for language in rules.languages)
    return (
        f'<!doctype html><html lang="{rules.languages[0]}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(rules.organisation)}</title><style>{_STYLE}</style>{sections}</html>"
    )


def _links_to_others(rulebooks: Rulebooks, current: Rulebook, texts: Texts) -> str:
    links = " · ".join(
        f'<a href="/?country={rules.country}" lang="{rules.languages[0]}">'
        f"{escape(texts.country(rules.languages[0], rules.country))}</a>"
        for rules in rulebooks
        if rules.country != current.country
    )
    return f"<nav>{links}</nav>" if links else ""


def _section(language: str, rules: Rulebook, texts: Texts) -> str:
    policy = texts.say(language, "policy", **policy_fields(language, rules, texts))
    title, _, rest = policy.partition("\n")
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in rest.split("\n") if line.strip())
    return f'<section lang="{language}"><h1>{escape(title)}</h1>{paragraphs}</section>'
