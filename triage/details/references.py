"""Numbers that say what a story is about: by the word beside them, or because they prove themselves.

A card number is never a detail: only that there is one, and its last four digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from triage.details.checksums import is_card, is_iban
from triage.details.detail import Detail, Story
from triage.language_tables import any_of, read_phrases

_LONG = re.compile(r"(?<![0-9a-z])[0-9](?:[\x20.\-]{0,2}[0-9]){11,18}(?![0-9a-z])")
_BANK = re.compile(r"(?<![0-9a-z])[a-z]{2}[0-9]{2}(?:[\x20-]?[a-z0-9]{1,4}+){3,9}(?![0-9a-z])")
# Groups apart are one number only where each is long: "4471203 3 November" is a number and a day.
_NUMBER = (
    r"(?P<number>[a-z]{0,5}+[\-/]?[0-9][a-z0-9]{0,30}+(?:[\-/][a-z0-9]{1,20}+|\.[0-9]{1,20}+){0,5}+"
    r"(?:\x20[0-9]{3,6}+(?![\-/.,]?[a-z0-9])(?!\s{0,2}(?:@MONEY@))){0,4}+)(?![a-z0-9])"
)
_DATE = re.compile(r"[0-9]{1,2}[./\-][0-9]{1,2}[./\-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2}")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_SIGN = re.compile(r"[#:=]")
_AMOUNT = re.compile(r"[.,][0-9]|\s{0,2}(?:[£$€₺%]|\b(?:eur|gbp|usd|try|tl|chf)\b)")
#: Digits that a number needs without a word such as "number" beside its cue, and with one.
_BARE, _NAMED = 4, 3


@lru_cache(maxsize=8)
def _patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = read_phrases("details", language)
    numbers = table["numbers"]
    named, links = any_of(numbers["named"]), any_of(numbers["links"])
    money = "|".join(any_of(words) for words in table["amounts"]["currencies"].values())
    number = _NUMBER.replace("@MONEY@", rf"[£$€₺%]|(?:{money})\b")
    found = []
    for kind, cue in numbers["cues"].items():
        before = (
            rf"(?<![^\W_])(?P<cue>{any_of(cue)})(?![^\W_])(?P<between>[\s.\-]{{0,3}}+(?:{named}\.?(?![a-z]))?"
            rf"\s{{0,3}}+(?:{links}(?![a-z]))?[\s:#=(\"'.]{{0,5}}+)"
        )
        found.append((kind, re.compile(before + number)))
        if numbers["after"]:
            between = rf"\s{{0,3}}(?P<between>{any_of(numbers['after'])})\s{{1,3}}"
            found.append((kind, re.compile(rf"(?<![^\W_]){number}{between}(?P<cue>{any_of(cue)})(?![^\W_])")))
    return tuple(found)


def numbers(story: Story, language: str) -> Iterator[Detail]:
    """The numbers with a word beside them that says what they are."""
    folded = story.folded.text
    for kind, pattern in _patterns(language):
        for hit in pattern.finditer(folded):
            number = hit["number"].rstrip("-/.")
            end = hit.start("number") + len(number)
            whole = (min(hit.start("cue"), hit.start("number")), max(end, hit.end("cue")))
            between = hit["between"]
            named = (
                bool(re.search(r"[a-z]", between))
                or bool(_SIGN.search(between))
                or hit["cue"].endswith(("nummer", "nr"))
            )
            if _stands(number, named=named) and not _AMOUNT.match(folded, end):
                value = re.sub(r"\s", "", number).upper()
                yield story.detail(kind, value, *whole)


def _stands(number: str, *, named: bool) -> bool:
    digits = sum(character.isdigit() for character in number)
    if _DATE.fullmatch(number) or (not named and _YEAR.fullmatch(number)):
        return False
    return digits >= (_NAMED if named else _BARE)


def accounts(story: Story) -> Iterator[Detail]:
    """Bank accounts whose check digits are right."""
    for hit in _BANK.finditer(story.folded.text):
        # The words that follow are groups of letters, too: the longest beginning that proves itself counts.
        groups = [*(one.start() for one in re.finditer(r"[\x20-]", hit.group())), len(hit.group())]
        for end in reversed(groups):
            number = re.sub(r"[\s-]", "", hit.group()[:end]).upper()
            if is_iban(number):
                yield story.detail("account", number, hit.start(), hit.start() + end)
                break


def cards(story: Story) -> Iterator[tuple[Detail, tuple[int, int]]]:
    """Payment cards: the last four digits, and the place of the whole, which no other detail may show."""
    folded = story.folded.text
    for hit in _LONG.finditer(folded):
        digits = re.sub(r"[^0-9]", "", hit.group())
        if is_card(digits) or _called_card(folded, hit.start()):
            last = _last_four(hit)
            yield (
                story.detail("card", digits[-4:], last, hit.end()),
                story.folded.span(hit.start(), hit.end()),
            )


_CALLED = re.compile(
    r"(?<![^\W_])(?:credit ?|debit ?|kredi ?|kredit|banka ?)?(?:card|kart|karte|tarjeta)[a-z]{0,8}"
    r"(?:\s{1,3}(?:no|number|nr|numara[a-z]{0,4}|nummer|numero|is|de|credito|debito)){0,3}[\s:#.=]{0,4}$"
)


def _called_card(folded: str, start: int) -> bool:
    """A number that is called a card is hidden even where its check digit is mistyped."""
    return bool(_CALLED.search(folded[max(0, start - 48) : start]))


def _last_four(hit: re.Match[str]) -> int:
    left, place = 4, hit.end()
    while left:
        place -= 1
        left -= hit.string[place].isdigit()
    return place
