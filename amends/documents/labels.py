"""Every label of a document in one language: from the documents' catalogue first, then from the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import InvalidOperation
from pathlib import Path

from bots.texts.catalogues import COMPLAINANT, DOCUMENTS, REPORTS, STAFF, read_file, shipped
from bots.texts.catalogues import load_catalogues as load_texts
from bots.texts.texts import Texts


@dataclass(frozen=True)
class Labels:
    """The labels of one document. Times are shown in `zone` (an IANA name); `names` are those of staff by id."""

    domains: tuple[Texts, ...]
    language: str
    zone: str
    names: Mapping[str, str] = field(default_factory=dict)

    def text(self, id_: str, **fields: object) -> str:
        """The text with its fields filled in. Raises UnknownText if no catalogue has this id."""
        return self._domain_of(id_).text(self.language, id_, **fields)

    def raw(self, id_: str) -> str:
        """The text with its fields not filled in."""
        return self._domain_of(id_).raw(self.language, id_)

    def has(self, id_: str) -> bool:
        return any(texts.has(id_) for texts in self.domains)

    def count(self, id_: str, number: int, **fields: object) -> str:
        """The text in the plural form for this number; {number} is one of its fields."""
        return self._domain_of(id_).count(self.language, id_, number, **fields)

    def code(self, family: str, code: str | None) -> str | None:
        """The label of a code in the record (`state.closed`), or the code with spaces if it has no label."""
        if code is None:
            return None
        id_ = f"{family}.{code}"
        if self.has(id_):
            return self.text(id_)
        return code.replace("_", " ")

    def moment(self, instant: str | datetime | None) -> str | None:
        """A date and time of the record as `4 November 2026, 17:30`."""
        if instant is None:
            return None
        at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        return self.domains[0].moment(self.language, at, self.zone)

    def short_date(self, day: date) -> str:
        """A day as `4 November 2026`."""
        return self.domains[0].short_date(self.language, day)

    def language_name(self, code: str) -> str:
        """The name of a language in this one: `German`, `Deutsch`."""
        return self.domains[0].language_name(code, self.language)

    def day_of_year(self, day: date) -> str:
        return self.domains[0].day_of_year(self.language, day)

    def month(self, day: date) -> str:
        return self.domains[0].month(self.language, day)

    def date(self, day: date) -> str:
        """A day as `Wednesday, 4 November 2026`."""
        return self.domains[0].date(self.language, day, self.zone)

    def decimal(self, value: float, digits: int, *, signed: bool = False) -> str:
        return self.domains[0].decimal(self.language, value, digits, signed=signed)

    def percent(self, value: float, digits: int) -> str:
        return self.domains[0].percent(self.language, value, digits)

    def together(self, things: list[str]) -> str:
        """`a, b and c`."""
        return self.domains[0].together(self.language, things)

    def amount(self, amount: str | None, currency: str | None) -> str | None:
        """Money as the language writes it; unchanged if it is not a number."""
        if amount is None:
            return None
        try:
            return self.domains[0].amount(self.language, amount, currency or "")
        except InvalidOperation:
            return f"{amount} {currency or ''}".strip()

    def yes_or_no(self, true: bool | None) -> str | None:
        """Yes, no, or None if it is not known."""
        return None if true is None else self.text("document.yes" if true else "document.no")

    def page(self) -> str:
        return self.text("document.page", n="{n}", of="{of}")

    def in_language(self, language: str) -> Labels:
        """The same labels in another language, or in the first one if the catalogues lack it."""
        return replace(self, language=self.domains[0].language(language))

    def in_zone(self, zone: str) -> Labels:
        """The same labels with times in another zone, such as a complaint's own."""
        return replace(self, zone=zone)

    def to(self, *, child: bool) -> Labels:
        """The same labels in the form of address for this reader."""
        return replace(self, domains=tuple(texts.to(child=child) for texts in self.domains))

    def _domain_of(self, id_: str) -> Texts:
        return next((texts for texts in self.domains if texts.has(id_)), self.domains[0])


def load_labels(
    languages: Iterable[str],
    zone: str,
    folder: Path | None = None,
    *,
    staff: bool = False,
    own: Mapping[str, Mapping[str, str]] | None = None,
    address: str = "formal",
) -> Labels:
    """The labels in these languages; the first language is used until `in_language`.

    `folder` has the organisation's own texts, `own` the names of its own categories. `staff` adds the
    texts of staff and of reports and accepts no other language: raises TextsError if a language lacks a text.
    Without `staff`, a language without labels for documents is skipped; if none is left, English is used.
    """
    wanted = tuple(languages)
    if not staff:
        wanted = tuple(language for language in wanted if _has_labels(language, folder)) or ("en",)
    domains = (DOCUMENTS, STAFF, REPORTS, COMPLAINANT) if staff else (DOCUMENTS, COMPLAINANT)
    loaded = tuple(
        load_texts(wanted, folder, domain=domain, own=own, address=address, further=False)
        for domain in domains
    )
    return Labels(loaded, loaded[0].languages[0], zone)


def _has_labels(language: str, folder: Path | None) -> bool:
    """True if a language has labels for documents: shipped ones, or any in the organisation's folder."""
    if shipped(language, DOCUMENTS):
        return True
    file = None if folder is None else folder / f"{language}.po"
    messages = read_file(file, language) if file is not None and file.is_file() else {}
    return bool(messages.keys() & shipped("en", DOCUMENTS).keys())
