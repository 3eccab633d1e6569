"""Texts by id in a language, and dates, numbers and amounts as that language writes them."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, cached_property
from gettext import c2py
from typing import Any
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.lists import format_list
from babel.messages.plurals import get_plural
from babel.numbers import format_currency, format_decimal, format_percent, get_territory_currencies

from complaints.deadlines.working_time import Span
from complaints.times import day_ended, last_day, local_time

FIELD = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
BUTTON = "button."
LANGUAGE = "lang_"
OWN_CODES = ("category.", "product.", "branch.")
#: The buttons whose labels contain the reference.
WITH_REF = ("add", "timeline", "form_copy")


class UnknownText(KeyError):
    """The code uses an id that no catalogue has, or leaves out a field: a programming error."""


@dataclass(frozen=True)
class CatalogueMessage:
    """The forms of a text: one, or one for each plural form of the language."""

    forms: tuple[str, ...]

    @cached_property
    def fields(self) -> frozenset[str]:
        return frozenset(name for form in self.forms for name in FIELD.findall(form))


class Texts:
    """The texts of one domain, in all configured languages. Immutable; shared by all chats."""

    def __init__(
        self,
        languages: tuple[str, ...],
        messages: Mapping[str, Mapping[str, CatalogueMessage]],
        *,
        danger: Mapping[str, Mapping[str, CatalogueMessage]] | None = None,
        informal: Texts | None = None,
    ) -> None:
        """`danger`: the texts of danger in further languages, which are not languages of the desk.

        `informal`: the same texts for people who are addressed as "du"; None where these are such texts already.
        """
        self._informal = informal
        self.languages = languages
        self._messages = messages
        self._danger = danger or {}
        # A label of another language could be typed and mean something different: "nu" is "now" in Dutch, and "no" in
        # Romanian. So typed labels count only in languages that the safety rules read.
        fully = [language for language, texts in self._danger.items() if "danger.discreet" in texts]
        self._choices = {
            _plain(message.forms[0]): id_.removeprefix(BUTTON)
            for language in (*fully, *reversed(languages))
            for id_, message in {**messages, **self._danger}[language].items()
            if id_.startswith(BUTTON) and not message.fields
        } | {_plain(language_name(language)): f"{LANGUAGE}{language}" for language in languages}

    def language(self, wanted: str | None) -> str:
        """The configured language for a wanted one (a code such as "tr-TR"); without a match, the first."""
        if wanted:
            for code in (wanted, wanted.replace("_", "-").split("-")[0].lower()):
                if code in self.languages:
                    return code
        return self.languages[0]

    def to(self, *, child: bool) -> Texts:
        """The texts in the form of address for this reader: a child is never addressed formally."""
        return self._informal or self if child else self

    def danger_language(self, wanted: str | None, otherwise: str | None) -> str:
        """The language of a text of danger: the wanted one where such texts exist, otherwise one of the desk."""
        return wanted if wanted and wanted in self._danger else self.language(wanted or otherwise)

    def says(self, language: str, id_: str) -> bool:
        """True where this text exists in this very language."""
        return id_ in self._danger.get(language, {}) or (language in self.languages and self.has(id_))

    def ids(self, language: str) -> frozenset[str]:
        return frozenset(self._messages[language])

    def has(self, id_: str) -> bool:
        return id_ in self._messages[self.languages[0]]

    def fields(self, language: str, id_: str) -> frozenset[str]:
        return self._message(language, id_).fields

    def text(self, language: str, id_: str, **fields: Any) -> str:
        """The text with its fields filled in; an unknown id or a missing field raises UnknownText."""
        return _filled(self._message(language, id_).forms[0], id_, fields)

    def raw(self, language: str, id_: str) -> str:
        """The text as in the catalogue, with its fields not filled in."""
        return self._message(language, id_).forms[0]

    def version(self, language: str, id_: str) -> str | None:
        """A fingerprint of the wording, twelve hex digits; None for an id that is no text."""
        if not self.has(id_):
            return None
        return hashlib.sha256(self.raw(language, id_).encode()).hexdigest()[:12]

    def count(self, language: str, id_: str, number: int, **fields: Any) -> str:
        """The plural form for this number; the field {number} is written as in the language."""
        language = self.language(language)
        forms = self._message(language, id_).forms
        form = forms[min(_plural(language)(number), len(forms) - 1)]
        return _filled(form, id_, {**fields, "number": self.number(language, number)})

    def span(self, language: str, written: str) -> str:
        """A length of time in words: `20 bd` as `20 working days`."""
        span = Span.parse(written)
        return self.count(language, f"span.{span.unit.value}", abs(span.number))

    def limit(self, language: str, written: str) -> str:
        """The time limit of an outside body: a length of time in words, or the organisation's own wording."""
        id_ = f"limit.{written}"
        if self.has(id_):
            # The wording of a preset.
            return self.text(language, id_)
        try:
            return self.span(language, written)
        except ValueError:
            return written

    def body(self, language: str, name: str) -> str:
        """An outside body that a preset describes, in the language; a name of its own stays as it is."""
        id_ = f"body.{name}"
        return self.text(language, id_) if self.has(id_) else name

    def label(self, language: str, choice: str, ref: str | None = None) -> str:
        """The label of a button. Some contain the reference; a language has its own name for itself."""
        if choice.startswith(LANGUAGE):
            return language_name(choice.removeprefix(LANGUAGE))
        return self.text(language, f"button.{choice}", **({"ref": ref} if choice in WITH_REF else {}))

    def choice_of(self, text: str) -> str | None:
        """The choice whose label this typed text is, in any configured language."""
        return self._choices.get(_plain(text))

    def day_by(self, language: str, due: datetime | date, zone: str) -> str:
        """The day by which something is due, in the zone; midnight at its end still counts as that day."""
        return self.date(language, last_day(due, zone) if isinstance(due, datetime) else due, zone)

    def promise(self, dates: dict[str, int], written: str, due: datetime, zone: str) -> str:
        """Note a promised date in `dates`, as it is written and in seconds since 1970; returns it as written."""
        # Midnight would be shown as the day after the one that it ends.
        dates[written] = int(due.timestamp()) - (day_ended(local_time(due, zone)) is not None)
        return written

    def time_by(self, language: str, due: datetime, now: datetime, zone: str) -> str:
        """`17:30 today`, or `10:00 on Monday, 9 November 2026`, in the zone."""
        is_today = local_time(due, zone).date() == local_time(now, zone).date()
        id_ = "time.today" if is_today else "time.day"
        if day_ended(local_time(due, zone)) is not None:
            id_ = "time.whole_day"
        day = self.day_by(language, due, zone)
        return self.text(language, id_, time=self.clock(language, due, zone), day=day)

    def short_date(self, language: str, day: date) -> str:
        """`4 November 2026`."""
        return str(format_date(day, "long", locale=_locale(self.language(language))))

    def day_of_year(self, language: str, day: date) -> str:
        """`4 Nov`, where there is little room."""
        return str(format_skeleton("MMMd", day, locale=_locale(self.language(language))))

    def month(self, language: str, day: date) -> str:
        """`November 2026`."""
        return str(format_skeleton("yMMMM", day, locale=_locale(self.language(language))))

    def date(self, language: str, at: datetime | date, zone: str) -> str:
        """`Wednesday, 4 November 2026`, in the zone."""
        day = at.astimezone(ZoneInfo(zone)).date() if isinstance(at, datetime) else at
        return str(format_date(day, "full", locale=_locale(self.language(language))))

    def moment(self, language: str, at: datetime, zone: str) -> str:
        """`4 November 2026, 17:30`, in the zone."""
        locale = _locale(self.danger_language(language, None))
        pattern = f"{locale.date_formats['long'].pattern}, HH:mm"
        return str(format_datetime(at, pattern, tzinfo=ZoneInfo(zone), locale=locale))

    def clock(self, language: str, at: datetime, zone: str) -> str:
        """`17:30`, in the zone."""
        return str(format_time(at, "HH:mm", tzinfo=ZoneInfo(zone), locale=_locale(self.language(language))))

    def number(self, language: str, number: int | Decimal) -> str:
        return str(format_decimal(number, locale=_locale(self.language(language))))

    def decimal(self, language: str, value: float, digits: int, *, signed: bool = False) -> str:
        """`1,234.50` with this many decimals; `signed` writes the sign of positive numbers too."""
        pattern = f"#,##0{'.' if digits else ''}{'0' * digits}"
        pattern = f"+{pattern};-{pattern}" if signed and round(value, digits) else pattern
        return str(format_decimal(value, pattern, locale=_locale(self.language(language))))

    def percent(self, language: str, value: float, digits: int) -> str:
        """A value between 0 and 1 as `82.1%`, `%82,1` or `82,1 %`."""
        locale = _locale(self.language(language))
        pattern = locale.percent_formats[None].pattern.replace("0", f"0.{'0' * digits}" if digits else "0")
        return str(format_percent(value, pattern, locale=locale))

    def amount(self, language: str, amount: str, currency: str) -> str:
        return str(format_currency(Decimal(amount), currency, locale=_locale(self.language(language))))

    def remedy(self, language: str, type_: str, amount: str | None, currency: str | None) -> str:
        """A promised remedy with its sum: `Compensation (€340.00)`."""
        name = self.text(language, f"remedy.{type_}")
        return f"{name} ({self.amount(language, amount, currency)})" if amount and currency else name

    def country(self, language: str, code: str) -> str:
        """The name of a country in the language, by its two-letter code: `Birleşik Krallık`."""
        return country_name(self.language(language), code)

    def language_name(self, code: str, language: str) -> str:
        """The name of a language in another one: `French`, `Französisch`."""
        name = _locale(self.danger_language(language, None)).languages.get(code.replace("-", "_"), code)
        return str(name)

    def together(self, language: str, things: list[str]) -> str:
        """`a, b and c`."""
        return str(format_list(things, locale=_locale(self.language(language))))

    def _message(self, language: str, id_: str) -> CatalogueMessage:
        further = self._danger.get(language, {})
        message = further.get(id_) or self._messages[self.language(language)].get(id_)
        if message is None and id_.startswith(OWN_CODES):
            # A code that the organisation removed from its settings; old complaints still have it.
            return CatalogueMessage((id_.partition(".")[2].replace("_", " "),))
        if message is None:
            raise UnknownText(f"no text has the id {id_!r}")
        return message


def country_name(language: str, code: str) -> str:
    return str(_locale(language).territories.get(code, code))


def currency_of(country: str) -> str | None:
    """The currency in which amounts are paid in a country, as GBP; None if the country is unknown."""
    return next(iter(get_territory_currencies(country)), None)


def language_name(language: str) -> str:
    """The name of a language in that language: `Türkçe`."""
    locale = Locale.parse(language.replace("-", "_"))
    return capitalised(str(locale.get_display_name(locale) or language), language)


def capitalised(words: str, language: str) -> str:
    """The words with a capital first letter, in Turkish with that of the dotted i: "İnceleme"."""
    first = words[:1].replace("i", "İ") if language == "tr" else words[:1]
    return first.upper() + words[1:]


def _filled(form: str, id_: str, fields: Mapping[str, Any]) -> str:
    # Not str.format: with it, an organisation's own text could read attributes of the values.
    missing = sorted({name for name in FIELD.findall(form) if name not in fields})
    if missing:
        raise UnknownText(f"the text {id_!r} needs the field {missing[0]!r}")
    return FIELD.sub(lambda match: str(fields[match.group(1)]), form)


@cache
def _plural(language: str) -> Callable[[int], int]:
    rule: Callable[[int], int] = c2py(get_plural(language).plural_expr)
    return rule


def _locale(language: str) -> Locale:
    # Plain "en" would write dates in the American order, which others read as a different day.
    return Locale.parse("en_GB" if language == "en" else language.replace("-", "_"))


def _plain(text: str) -> str:
    """A label normalised for comparison: case (with the Turkish i), accents, spacing, final punctuation.

    On a phone, many people type "si" for "Sí" and "degistir" for "Değiştir".
    """
    letters = (char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    folded = "".join(letters).replace("I", "i").replace("ı", "i")
    return " ".join(folded.casefold().replace("’", "'").split()).strip(" .!¡«»\"'")
