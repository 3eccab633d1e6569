"""How to complain (4.2): what to do, how long it takes, what it costs and who can help, and the public page of it.

The page is in the reader's language, without a script or a picture from elsewhere. The poster gives the same facts;
times and outside bodies are those of the rules in force.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import segno

from bots.dialogue.commands import policy_fields, time_promise
from bots.texts.phrases import describe_body
from bots.texts.texts import Texts, language_name
from complaints.rulebook import Rulebook, Rulebooks

_STYLE = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
_ACCEPTED = re.compile(r"(?:^|,)\s*([a-z]{1,8}(?:-[a-z0-9]{1,8})*)\s*(?:;\s*q=([01](?:\.\d*)?))?\s*(?=,|$)")
_ADDRESS = re.compile(
    r"(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?P<web>(?:https?://)?(?:[\w-]+\.)+[a-z]{2,}(?:/[^\s<>,;]*)?)"
)


@dataclass(frozen=True)
class Answer:
    """The answer to a question: paragraphs, then a list. `ordered`: the list has steps in their order."""

    question: str
    paragraphs: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    ordered: bool = False


def answers(language: str, rules: Rulebook, texts: Texts) -> tuple[Answer, ...]:
    """How to complain, what happens then, how long it takes, what it costs and which outside bodies there are."""

    def text(id_: str, **fields: str) -> str:
        return texts.text(language, id_, **fields)

    languages = texts.together(language, [language_name(code) for code in rules.languages])
    bodies = tuple(describe_body(texts, language, step) for step in rules.recourse)
    levels = texts.count(language, "how.levels", rules.top_level)
    elsewhere = text("page.outside") if bodies else text("page.no_body", body=text("how.no_body"))
    return (
        Answer(text("page.how.title"), tuple(text("page.how", languages=languages).split("\n"))),
        Answer(text("page.steps.title"), items=tuple(text("page.steps").split("\n")), ordered=True),
        Answer(
            text("page.time.title"),
            (time_promise(language, rules, texts), text("page.time.longer")),
        ),
        Answer(text("page.cost.title"), (text("page.cost"),)),
        Answer(text("page.outside.title"), (levels, elsewhere), bodies, ordered=True),
    )


def chat_link(bot: str) -> str:
    """The address that opens the chat with the bot of this username."""
    return f"https://t.me/{bot}"


@lru_cache(maxsize=8)
def qr_code(link: str) -> str:
    """The QR code of an address as SVG, black on white with its quiet zone, so that it scans in dark colours too."""
    code = segno.make(link, error="m", micro=False)
    return str(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))


def public_page(
    rulebooks: Rulebooks,
    texts: Texts,
    *,
    country: str | None,
    languages: Sequence[str],
    bot: str | None,
    figures: Mapping[str, Any] | None = None,
) -> str:
    """The page of a country in the first of these languages that it has; as the bot would choose both.

    Without `country`, or with one that is not configured, the language decides. `bot` is the bot's username,
    `figures` the newest publication of figures.
    """
    code = rulebooks.code(country or "")
    every = rulebooks.of(code).languages if code else rulebooks.languages
    spoken = {name.lower(): name for name in every}
    wanted = next(
        (spoken[part] for name in languages for part in (name.lower(), name[:2].lower()) if part in spoken),
        None,
    )
    rules = rulebooks.for_person(code, wanted)
    language = texts.language(wanted if wanted in rules.languages else rules.languages[0])
    title = escape(texts.text(language, "page.title", org=rules.organisation))
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>"
        f"<header>{_links(rulebooks, rules, language, texts)}</header>"
        f"<main><h1>{title}</h1>{_chat(language, rules, texts, bot)}"
        f"{''.join(map(_section, (*answers(language, rules, texts), *_figures(language, texts, rules, figures))))}"
        f"</main><footer>{_policy(language, rules, texts)}</footer></body></html>"
    )


def _figures(
    language: str, texts: Texts, rules: Rulebook, figures: Mapping[str, Any] | None
) -> Iterator[Answer]:
    """The published figures (8.1), with the date; what was hidden has no line."""
    if figures is None:
        return
    zone = rules.calendar.zone
    first, last = (
        texts.short_date(language, date.fromisoformat(figures[name])) for name in ("first", "last")
    )
    published = texts.date(language, datetime.fromisoformat(figures["at"]), zone)
    lines = [
        texts.count(language, f"page.figures.{name}", int(figures[name]))
        for name in ("received", "median_days")
        if figures[name] is not None
    ]
    lines += [
        texts.text(language, f"page.figures.{key}", share=texts.percent(language, percent / 100, 0))
        for key, percent in figures["shares"].items()
        if percent is not None
    ]
    for name, number in figures["categories"].items():
        subject = texts.text(language, "page.figures.rest" if name == "rest" else f"category.{name}")
        lines.append(
            texts.text(
                language, "page.figures.subject", subject=subject, number=texts.number(language, number)
            )
        )
    opening = texts.text(language, "page.figures", first=first, last=last, published=published)
    yield Answer(texts.text(language, "page.figures.title"), (opening,), tuple(lines))


def accepted_languages(header: str) -> list[str]:
    """The languages of an Accept-Language header, the preferred first, in small letters."""
    weighted = _ACCEPTED.findall(header[:500].lower())
    ordered = sorted(weighted, key=lambda part: float(part[1] or 1), reverse=True)
    return [name for name, weight in ordered if float(weight or 1) > 0]


def _links(rulebooks: Rulebooks, current: Rulebook, language: str, texts: Texts) -> str:
    """The languages of this country, then the other countries, if there are any."""

    def link(country: str, code: str, name: str, *, is_current: bool = False) -> str:
        mark = ' aria-current="page"' if is_current else ""
        address = f"/?country={country}&amp;lang={code}"
        return f'<a href="{address}" lang="{code}" hreflang="{code}"{mark}>{escape(name)}</a>'

    spoken = [
        link(current.country, code, language_name(code), is_current=code == language)
        for code in current.languages
    ]
    others = [
        link(rules.country, rules.languages[0], texts.country(rules.languages[0], rules.country))
        for rules in rulebooks
        if rules.country != current.country
    ]
    return "".join(
        f'<nav aria-label="{escape(texts.text(language, id_))}">{"".join(links)}</nav>'
        for id_, links in (("page.languages", spoken if len(spoken) > 1 else []), ("page.countries", others))
        if links
    )


def _chat(language: str, rules: Rulebook, texts: Texts, bot: str | None) -> str:
    danger = texts.text(language, "page.danger", number=rules.emergency_number)
    opening = f"<p>{escape(texts.text(language, 'page.lead'))}</p>"
    closing = f'<p class="danger">{escape(danger)}</p>'
    if bot is None:
        return f"{opening}<p>{escape(texts.text(language, 'page.no_bot'))}</p>{closing}"
    link = chat_link(bot)
    return (
        f'{opening}<p><a class="open" href="{escape(link)}">{escape(texts.text(language, "page.open"))}</a></p>'
        f'<div class="code"><div role="img" aria-label="{escape(texts.text(language, "page.qr", link=link))}">'
        f"{qr_code(link)}</div><p>{escape(texts.text(language, 'page.scan', bot=bot))}</p></div>{closing}"
    )


def _section(answer: Answer) -> str:
    tag = "ol" if answer.ordered else "ul"
    items = "".join(f"<li>{_linked(item)}</li>" for item in answer.items)
    return (
        f"<section><h2>{escape(answer.question)}</h2>{_paragraphs(answer.paragraphs)}"
        f"{f'<{tag}>{items}</{tag}>' if items else ''}</section>"
    )


def _policy(language: str, rules: Rulebook, texts: Texts) -> str:
    """The complaints policy (5.2) as the bot gives it; its first line is the heading."""
    policy = texts.text(language, "policy", **policy_fields(language, rules, texts))
    title, _, rest = policy.partition("\n")
    lines = [*rest.split("\n"), texts.text(language, "page.commands")]
    return f"<h2>{escape(title)}</h2>{_paragraphs(lines)}"


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(f"<p>{_linked(line)}</p>" for line in lines if line.strip())


def _linked(text: str) -> str:
    """The text as HTML, with its web and mail addresses as links."""
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        address = match[0].rstrip(".")
        scheme = "mailto:" if match["mail"] else "" if address.startswith("http") else "https://"
        parts += [
            escape(text[end : match.start()]),
            f'<a href="{escape(scheme + address)}">{escape(address)}</a>',
        ]
        end = match.start() + len(address)
    return "".join(parts) + escape(text[end:])
