"""Numbers, places and remedies that a story names.

A number or a place counts because of the word next to it ("order", "branch"), a bank account or a card because its
check digits are right. Of a card number only the last four digits become a fact. A remedy counts where the story asks
for it, not where it refuses it or reports it from others (Annex E).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from triage.facts.fact import Story, StoryFact
from triage.matching import any_of, fold, lines_of, read_phrases, with_parts

# First digits of Visa, Mastercard, American Express, Diners, Discover, Maestro and Troy.
_CARD = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|6(?:011|5\d\d)\d{12}"
    r"|(?:50|5[6-8]|6\d)\d{10,17}|9792\d{12}"
)
# Bank account numbers have 15 (Norway) to 34 (the standard's limit) characters.
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_LONG_NUMBER = re.compile(r"(?<![0-9a-z])[0-9](?:[\x20.\-]{0,2}[0-9]){11,18}(?![0-9a-z])")
_BANK_ACCOUNT = re.compile(r"(?<![0-9a-z])[a-z]{2}[0-9]{2}(?:[\x20-]?[a-z0-9]{1,4}+){3,9}(?![0-9a-z])")
_CALLED_CARD = re.compile(
    r"(?<![^\W_])(?:credit ?|debit ?|kredi ?|kredit|banka ?)?(?:card|kart|karte|tarjeta)[a-z]{0,8}"
    r"(?:\s{1,3}(?:no|number|nr|numara[a-z]{0,4}|nummer|numero|is|de|credito|debito)){0,3}[\s:#.=]{0,4}$"
)
_CALLED_CARD_LENGTH = 48
# Groups with spaces are one number only where each is long: "4471203 3 November" is a number and a day.
_NUMBER = (
    r"(?P<number>[a-z]{0,5}+[\-/]?[0-9][a-z0-9]{0,30}+(?:[\-/][a-z0-9]{1,20}+|\.[0-9]{1,20}+){0,5}+"
    r"(?:\x20[0-9]{3,6}+(?![\-/.,]?[a-z0-9])(?!\s{0,2}(?:@MONEY@))){0,4}+(?:\x20[0-9]{1,2}(?=[,;:!?)](?:\s|$)|\.(?!\S|\s{0,2}(?:@MONTH@))|\n|$))?+)"
    r"(?![a-z0-9])"
)
_DATE = re.compile(
    r"[0-9]{1,2}\.[0-9]{1,2}|[0-9]{1,2}[./\-][0-9]{1,2}[./\-](?:[0-9]{4}|[0-9]{2})|[0-9]{4}-[0-9]{2}-[0-9]{2}"
)
# The code of a booking with airlines and railways has six letters and figures; others have more, with two figures.
_RECORD_LOCATOR = re.compile(
    r"(?=(?:[0-9]*[a-z]){2})(?:[a-z0-9]{6}|(?=[a-z]*[0-9][a-z]*[0-9])[a-z0-9]{7,10})"
)
# "QW881" is a code, "100ml" and "3pm" are measures.
_LETTERS_FIRST = re.compile(r"[a-z]{1,5}[\-/]?[0-9]{3}.*")
_CLASS_OR_ACCENT = re.compile(r"\[[^\]]*\]|[áéíóúñüöäğışç]")
_YEAR = re.compile(r"19[5-9][0-9]|20[0-3][0-9]")
# After "no", or with a hyphen or slash, or of many figures. The rest of a phone number is none.
_CODE = re.compile(
    r"(?<![\w+.,@:/\-])(?<![0-9]\x20)(?P<mark>(?:n[ro]\.?|num\.?|#|n[.°]\s?o?)[\s:]{0,3})?"
    r"(?P<code>[a-z0-9]{1,12}(?:[\-/][a-z0-9]{1,12}){1,4}|[a-z]{2,4}[0-9]{5,12}|(?(mark)(?:[a-z]{1,3}\x20(?=[0-9]{5}))?|)[0-9]{3,17})(?![\w@/]|[\-.,:][0-9])"
)
_YEAR_AND_MONTH = re.compile(r"(?:19|20)[0-9]{2}[\-/][0-9]{1,2}")
_PHONE = re.compile(r"0[0-9]+|[5679][0-9]{8,9}")
_SORT_CODE = re.compile(r"(?<![\w\-])[0-9]{2}-[0-9]{2}-[0-9]{2}[\s,]{1,2}[0-9]{8}(?!\w)")
#: Digits that such a number needs: with letters, and of figures alone with and without a hyphen.
_DIGITS_WITH_LETTERS, _DIGITS_WITH_HYPHEN, _DIGITS_ALONE = 3, 5, 7
_SIGN = re.compile(r"[#:=]")
_AMOUNT = re.compile(r"[.,][0-9]|\s{0,2}(?:[£$€₺%]|\b(?:eur|gbp|usd|try|tl|chf)\b)")
#: Digits that a number needs next to its cue: with a word such as "number" between them, and without.
_DIGITS_IF_NAMED, _DIGITS_IF_NOT = 3, 4


def is_card(digits: str) -> bool:
    """Whether these digits can be the number of a payment card: its first digits and Luhn's check digit."""
    if not _CARD.fullmatch(digits):
        return False
    total = 0
    for position, character in enumerate(reversed(digits)):
        digit = int(character) * (1 + position % 2)
        total += digit - 9 * (digit > 9)
    return total % 10 == 0


def is_iban(number: str) -> bool:
    """Whether this is the number of a bank account (ISO 13616, modulo 97), in capitals and without spaces."""
    if not _IBAN.fullmatch(number):
        return False
    rearranged = number[4:] + number[:4]
    return int("".join(str(int(character, 36)) for character in rearranged)) % 97 == 1


def numbers(story: Story, language: str) -> Iterator[StoryFact]:
    folded = story.folded.text
    for kind, pattern in _number_patterns(language):
        for match in pattern.finditer(folded):
            number = match["number"].rstrip("-/.")
            end = match.start("number") + len(number)
            between = match["between"]
            is_named = (
                bool(re.search(r"[a-z]", between))
                or bool(_SIGN.search(between))
                or match["cue"].endswith(("nummer", "nr"))
                or match["cue"].startswith("numero de ")
            )
            if _is_reference(number, is_named=is_named) and not _AMOUNT.match(folded, end):
                start = min(match.start("cue"), match.start("number"))
                value = re.sub(r"\s", "", number).upper()
                yield story.fact(kind, value, start, max(end, match.end("cue")))


def codes(story: Story) -> Iterator[StoryFact]:
    """Numbers that look like those of a file, without a word next to them: "FB-2026-88x1", "26-0914", "no: 5561"."""
    for match in _CODE.finditer(story.folded.text):
        code = match["code"]
        least = _DIGITS_WITH_HYPHEN if re.search(r"[\-/]", code) else _DIGITS_ALONE
        if match["mark"] or re.search(r"[a-z]", code):
            least = _DIGITS_WITH_LETTERS
        is_other = _DATE.fullmatch(code) or _YEAR_AND_MONTH.fullmatch(code) or _PHONE.fullmatch(code)
        is_long = sum(character.isdigit() for character in code) >= least
        if is_long and not is_other and not _AMOUNT.match(story.folded.text, match.end()):
            yield story.fact("reference", code.upper(), *match.span("code"))


def _is_reference(number: str, *, is_named: bool) -> bool:
    if _DATE.fullmatch(number) or (not is_named and _YEAR.fullmatch(number)):
        return False
    digits = sum(character.isdigit() for character in number)
    return digits >= (_DIGITS_IF_NAMED if is_named else _DIGITS_IF_NOT) or bool(
        _RECORD_LOCATOR.fullmatch(number) or _LETTERS_FIRST.fullmatch(number)
    )


@lru_cache(maxsize=8)
def _number_patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = read_phrases("facts", language)
    words = table["numbers"]
    named, links = any_of(words["named"]), any_of(words["links"])
    money = "|".join(any_of(names) for names in table["amounts"]["currencies"].values())
    months = any_of(read_phrases("facts", language)["dates"]["months"])
    number = _NUMBER.replace("@MONEY@", rf"[£$€₺%]|(?:{money})\b").replace("@MONTH@", months)
    patterns = []
    for kind, cue in words["cues"].items():
        cue_first = (
            rf"(?<![^\W_])(?P<cue>{any_of(cue)})(?![^\W_])(?P<between>[\s.\-]{{0,3}}+(?:{named}\.?(?![a-z]))?"
            rf"\s{{0,3}}+(?:{links}(?![a-z]))?[\s:#=(\"'.]{{0,5}}+)"
        )
        patterns.append((kind, re.compile(cue_first + number)))
        if words["after"]:
            between = rf"\s{{0,3}}(?P<between>{any_of(words['after'])})\s{{1,3}}"
            number_first = rf"(?<![^\W_]){number}{between}(?P<cue>{any_of(cue)})(?![^\W_])"
            patterns.append((kind, re.compile(number_first)))
    return tuple(patterns)


def accounts(story: Story) -> Iterator[StoryFact]:
    """Bank accounts whose check digits are right, and British ones of a sort code and a number."""
    for match in _SORT_CODE.finditer(story.folded.text):
        yield story.fact("account", re.sub(r"[\s,]", " ", match.group()), *match.span())
    for match in _BANK_ACCOUNT.finditer(story.folded.text):
        # The words after the number look like groups of it: the longest part with right check digits counts.
        ends = [*(space.start() for space in re.finditer(r"[\x20-]", match.group())), len(match.group())]
        for end in reversed(ends):
            number = re.sub(r"[\s-]", "", match.group()[:end]).upper()
            if is_iban(number):
                yield story.fact("account", number, match.start(), match.start() + end)
                break


def cards(story: Story) -> Iterator[tuple[StoryFact, tuple[int, int]]]:
    """Payment cards: the last four digits, and the span of the whole number, which no other fact may show."""
    folded = story.folded.text
    for match in _LONG_NUMBER.finditer(folded):
        digits = re.sub(r"[^0-9]", "", match.group())
        # A number that is called a card is hidden even where its check digit is mistyped.
        before = folded[max(0, match.start() - _CALLED_CARD_LENGTH) : match.start()]
        if is_card(digits) or _CALLED_CARD.search(before):
            yield (
                story.fact("card", digits[-4:], _start_of_last_four(match), match.end()),
                story.folded.span(match.start(), match.end()),
            )


def _start_of_last_four(match: re.Match[str]) -> int:
    missing, position = 4, match.end()
    while missing:
        position -= 1
        missing -= match.string[position].isdigit()
    return position


def places(story: Story, language: str) -> Iterator[StoryFact]:
    """Branches and streets, each next to a word that says so, for a name alone may be a person's.

    They are searched in the text as written: capitals distinguish a name from a word.
    """
    for kind, pattern in _place_patterns(language):
        for match in pattern.finditer(story.text):
            start, end = match.span("place" if "place" in pattern.groupindex else 0)
            text = story.text[start:end]
            yield StoryFact(kind, " ".join(text.split()), text, (start, end))


@lru_cache(maxsize=8)
def _place_patterns(language: str) -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = read_phrases("facts", language)["places"]
    return tuple(
        (kind, re.compile(_CLASS_OR_ACCENT.sub(_with_plain_letter, line)))
        for kind, lines in table.items()
        for line in lines_of(lines)
    )


def _with_plain_letter(match: re.Match[str]) -> str:
    """A letter with a diacritic also matches without it ("autobus"); character classes stay as they are."""
    letter = match.group()
    return letter if letter.startswith("[") else f"[{letter}{fold(letter).text}]"


#: Characters before a wish in which words may show that it is only reported ("they said I want").
_REPORTED_WITHIN = 24
#: Remedies whose words contain a negation ("why not", "never again").
_WITH_NEGATION = frozenset({"explanation", "a_change", "tell_you"})
#: Characters between what is wanted and the verb at the end of its sentence, and between two things that are wanted.
_VERB_WITHIN, _NEXT_WISH_WITHIN = 60, 40
_THING = "thing"
#: A character within a sentence; the point of "4.500" ends none.
_IN_SENTENCE = r"(?:[^.!?;\n]|(?<=\d)\.(?=\d))"


def wishes(story: Story, language: str) -> Iterator[StoryFact]:
    """The remedies that a story asks for, as their codes.

    What a loss is about is no wish of its own: "pay for the repair" asks for no repair.
    """
    wanted = list(_wishes(story, language))
    losses = [thing for remedy, _, thing in wanted if remedy == "compensation"]
    for remedy, span, (start, end) in wanted:
        if remedy == "compensation":
            yield story.fact("remedy", remedy, start, end)
        elif not any(first <= start and end <= last for first, last in losses):
            yield story.fact("remedy", remedy, *span)


def _wishes(story: Story, language: str) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    """Each wish with its place in the folded text, and that of the thing that is wanted."""
    patterns, folded = _wish_patterns(language), story.folded.text
    ends = []
    for remedy, pattern in patterns.asked_for:
        for match in pattern.finditer(folded):
            start, end = match.span()
            declined = remedy not in _WITH_NEGATION and patterns.declined.search(match.group())
            reported = patterns.reported_before.search(folded[max(0, start - _REPORTED_WITHIN) : start])
            if not declined and not reported and not patterns.reported_after.match(folded, end):
                yield remedy, (start, end), match.span(_THING if _THING in pattern.groupindex else 0)
                ends.append(end)
    # "I want it repaired and my money back": the verb of the first wish also governs the next ones.
    read_from: set[int] = set()
    while ends:
        position = ends.pop()
        if position in read_from:
            continue
        read_from.add(position)
        for remedy, pattern in patterns.linked:
            linked = pattern.match(folded, position)
            if linked and not patterns.declined.search(linked.group()):
                yield remedy, linked.span(_THING), linked.span(_THING)
                ends.append(linked.end())


@dataclass(frozen=True, slots=True)
class _WishPatterns:
    asked_for: tuple[tuple[str, re.Pattern[str]], ...]
    linked: tuple[tuple[str, re.Pattern[str]], ...]
    declined: re.Pattern[str]
    reported_before: re.Pattern[str]
    reported_after: re.Pattern[str]


def _whole_words(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{text})(?![^\W_])")


@lru_cache(maxsize=8)
def _wish_patterns(language: str) -> _WishPatterns:
    table = read_phrases("facts", language)["remedies"]
    asked_for = []
    things_of, direct = (
        {remedy: with_parts(lines, table["parts"]) for remedy, lines in table[kind].items()}
        for kind in ("objects", "direct")
    )
    for remedy, things in things_of.items():
        thing = f"(?P<{_THING}>{any_of(things)})"
        if table["asks"].strip():
            gap = rf"\b(?:(?!\b{any_of(table['asks'])}){_IN_SENTENCE}){{1,26}}?(?<![^\W_])"
            asked_for.append((remedy, _whole_words(any_of(table["asks"]) + gap + thing)))
        if table["asks_after"].strip():
            gap = rf"{_IN_SENTENCE}{{1,{_VERB_WITHIN}}}?"
            asked_for.append((remedy, _whole_words(thing + gap + any_of(table["asks_after"]))))
    links = rf"{_IN_SENTENCE}{{0,{_NEXT_WISH_WITHIN}}}?(?<![^\W_]){any_of(table['links'])}\b"
    linked = [
        (
            remedy,
            re.compile(rf"{links}{_IN_SENTENCE}{{1,26}}?(?<![^\W_])(?P<{_THING}>{any_of(things)})(?![^\W_])"),
        )
        for remedy, things in things_of.items()
    ]
    asked_for += [(remedy, _whole_words(any_of(phrases))) for remedy, phrases in direct.items()]
    reported_before = rf"(?<![^\W_]){any_of(table['reported_before'])},?\s{{1,3}}$"
    return _WishPatterns(
        tuple(asked_for),
        tuple(linked),
        _whole_words(any_of(table["declined"])),
        re.compile(reported_before),
        re.compile(rf",?\s{{1,3}}{any_of(table['reported_after'])}(?![^\W_])"),
    )
