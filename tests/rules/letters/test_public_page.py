"""The public page: the reader's language, the times of the rulebook, the outside bodies and the way to the bot."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from amends.public_page import _STYLE, accepted_languages, public_page
from bots.texts.catalogues import load_catalogues
from complaints.rulebook import RecourseStep, Rulebooks
from tests.clauses import clause
from tests.rules.builders import RULES

LANGUAGES = ("en", "tr", "de", "es")
TEXTS = load_catalogues(LANGUAGES)
BODY = RecourseStep("Water Ombudsman", "ombudsman.example/form, help@ombudsman.example", "12 months")
OWN = replace(RULES, languages=LANGUAGES, recourse=(BODY,))


def page_of(
    *languages: str, rules: object = OWN, bot: str | None = "desk_bot", country: str | None = None
) -> str:
    books = Rulebooks(rules)  # type: ignore[arg-type]
    return public_page(books, TEXTS, country=country, languages=languages, bot=bot)


class Tags(HTMLParser):
    """Every tag with its attributes; fails on a tag that is not closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in ("meta", "path"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "path":
            assert self.open.pop() == tag


@pytest.mark.parametrize(
    ("header", "languages"),
    [
        ("de-AT,de;q=0.9,en;q=0.8", ["de-at", "de", "en"]),
        ("en;q=0.1, tr", ["tr", "en"]),
        ("de;q=0, en", ["en"]),
        ("x;q=many", []),
        ("", []),
    ],
)
def test_languages_are_read_in_the_order_of_preference(header: str, languages: list[str]) -> None:
    assert accepted_languages(header) == languages


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_is_whole_in_each_language(language: str) -> None:
    page = page_of(f"{language}-xx")
    tags = Tags(page)
    assert tags.open == []
    assert tags.seen[0] == ("html", {"lang": language}) or tags.seen[0][1]["lang"] == language
    assert [tag for tag, _ in tags.seen if tag in ("h1", "main", "header", "footer")].count("h1") == 1
    links = [attributes["href"] for tag, attributes in tags.seen if tag == "a"]
    assert "https://t.me/desk_bot" in links
    assert {"https://ombudsman.example/form", "mailto:help@ombudsman.example"} <= set(links)
    for id_ in ("page.how.title", "page.time.title", "page.cost.title", "page.outside.title"):
        assert TEXTS.text(language, id_) in page
    assert "{" not in page[page.index("</style>") :]


def test_an_unknown_language_gets_the_first_of_the_desk() -> None:
    assert page_of("fi", "sv") == page_of() == page_of("en")


@clause("4.2")
def test_the_times_are_those_of_the_rules_in_force() -> None:
    targets = replace(OWN.targets, ack="3 bd", legal="8 weeks")
    page = page_of("en", rules=replace(OWN, targets=targets))
    assert "We confirm your complaint within 3 working days. You get our answer within 8 weeks." in page
    later = page_of(
        "en", rules=replace(OWN, targets=replace(targets, legal=None, decide_from="acknowledged"))
    )
    assert "After that, you get our answer within" in later


def test_without_its_username_the_page_says_that_the_link_is_missing() -> None:
    page = page_of("en", bot=None)
    assert "t.me" not in page
    assert TEXTS.text("en", "page.no_bot") in page


def test_a_setting_is_never_markup() -> None:
    odd = replace(
        OWN,
        organisation="<b>Ours</b>",
        recourse=(RecourseStep('"><script>.example', """a.example/'"onclick=x"><i>"""),),
    )
    page = page_of("en", rules=odd)
    tags = Tags(page).seen
    assert not {"b", "i", "script"} & {tag for tag, _ in tags}
    assert not [attributes for _, attributes in tags if "onclick" in attributes]


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(letter * 2 for letter in colour)
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_text_has_a_contrast_of_seven_and_lines_of_three_in_both_colour_schemes() -> None:
    for scheme in re.findall(r":root\{([^}]*)\}", _STYLE):
        colours = dict(re.findall(r"--(\w+):#([0-9a-f]+)", scheme))

        def contrast(first: str, second: str, colours: dict[str, str] = colours) -> float:
            dark, light = sorted((luminance(colours[first]), luminance(colours[second])))
            return (light + 0.05) / (dark + 0.05)

        for text, ground in (("ink", "paper"), ("soft", "paper"), ("leaf", "paper"), ("on", "leaf")):
            assert contrast(text, ground) >= 7, (text, scheme)
        assert contrast("line", "paper") >= 3
