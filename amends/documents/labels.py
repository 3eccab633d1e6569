"""Every label of a document in one language: our own catalogue first, then those of the chats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import InvalidOperation
from pathlib import Path

from bots.texts import Texts
from bots.texts import load as load_texts
from bots.texts.catalogue import read_file
from bots.texts.loading import COMPLAINANT, DOCUMENTS, STAFF, shipped


@dataclass(frozen=True)
class Labels:
    """The texts of one document. `zone` is where its times are told."""

    domains: tuple[Texts, ...]
    language: str
    zone: str

    def say(self, id_: str, **fields: object) -> str:
        """The text with its fields filled in; an id that no catalogue has raises UnknownText."""
        return self._of(id_).say(self.language, id_, **fields)

    def count(self, id_: str, number: int, **fields: object) -> str:
        """A text in the form for this number, which is its field {number}."""
        return self._of(id_).count(self.language, id_, number, **fields)

    def code(self, family: str, code: str | None) -> str | None:
        """A code of the record in words (`state.closed`); one without words as it is written there."""
        if code is None:
            return None
        id_ = f"{family}.{code}"
        if any(one.has(id_) for one in self.domains):
            return self.say(id_)
        return code.replace("_", " ")

    def moment(self, instant: str | datetime | None) -> str | None:
        """An instant of the record as `4 November 2026, 17:30`."""
        if instant is None:
            return None
        at = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
        return self.domains[0].moment(self.language, at, self.zone)

    def amount(self, amount: str | None, currency: str | None) -> str | None:
        """Money as the language writes it; as it stands in the record where that is no amount."""
        if amount is None:
            return None
        try:
            return self.domains[0].amount(self.language, amount, currency or "")
        except InvalidOperation:
            return f"{amount} {currency or ''}".strip()

    def yes(self, true: bool | None) -> str | None:
        """Yes or no; None stays open."""
        return None if true is None else self.say("document.yes" if true else "document.no")

    def page(self) -> str:
        """How the foot of a page counts, as Document wants it."""
        return self.say("document.page", n="{n}", of="{of}")

    def in_language(self, language: str) -> Labels:
        """The same in another language; in the first one where these catalogues lack it."""
        return Labels(self.domains, self.domains[0].language(language), self.zone)

    def in_zone(self, zone: str) -> Labels:
        """The same with its times told in another zone: a complaint's own."""
        return Labels(self.domains, self.language, zone)

    def _of(self, id_: str) -> Texts:
        return next((one for one in self.domains if one.has(id_)), self.domains[0])


def load_labels(
    languages: Iterable[str],
    zone: str,
    folder: Path | None = None,
    *,
    staff: bool = False,
    own: Mapping[str, Mapping[str, str]] | None = None,
) -> Labels:
    """The labels in these languages, at first in the first of them.

    `folder` holds an organisation's own texts, `own` the names of its own categories. `staff`: the words of
    staff too, for the case file, in these languages and no other: TextsError where one lacks a text. Else a
    language of the organisation's own that has no labels of documents is left out, and English stands in
    where none is left.
    """
    wanted = tuple(languages)
    if not staff:
        wanted = tuple(one for one in wanted if _has_labels(one, folder)) or ("en",)
    domains = (DOCUMENTS, STAFF, COMPLAINANT) if staff else (DOCUMENTS, COMPLAINANT)
    loaded = tuple(load_texts(wanted, folder, domain=one, own=own) for one in domains)
    return Labels(loaded, loaded[0].languages[0], zone)


def _has_labels(language: str, folder: Path | None) -> bool:
    """True where the documents of a language have labels: ours, or any of the organisation's own."""
    if shipped(language, DOCUMENTS):
        return True
    file = None if folder is None else folder / f"{language}.po"
    given = read_file(file, language) if file is not None and file.is_file() else {}
    return bool(given.keys() & shipped("en", DOCUMENTS).keys())
