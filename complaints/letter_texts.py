"""What letters are made of: the words or files of a complaint (7.2), and templates with their fields (7.8)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from complaints.actions.intake import FORWARDED, TRANSCRIPT
from complaints.case import Case
from complaints.forms import FORMS


@dataclass(frozen=True)
class ComplaintText:
    """The complaint in the complainant's words; without any, its files (kind and seconds) and other words."""

    words: str = ""
    files: tuple[tuple[str, int | None], ...] = ()
    transcripts: tuple[str, ...] = ()
    forwarded: tuple[str, ...] = ()


NO_TEXT = ComplaintText()


def without_own_words(texts: Mapping[str, str], files: Iterable[tuple[str, int | None]]) -> ComplaintText:
    """A complaint without a description, from its newest texts by field and its files."""
    transcripts, forwarded = (
        tuple(text for name, text in texts.items() if name.split(".")[0] == field)
        for field in (TRANSCRIPT, FORWARDED)
    )
    return ComplaintText(files=tuple(files), transcripts=transcripts, forwarded=forwarded)


#: The form that a template is for, and the field of it that the template fills.
FILLED = {name: form.template_fills for name, form in FORMS.items() if form.template_fills}
#: What a template may name in braces; each comes from the record.
FIELDS = ("reference", "organisation", "received", "answer_by", "amount")
_FIELD = re.compile(r"\{([^{}]*)\}")
LONGEST = 3000


@dataclass(frozen=True)
class LetterTemplate:
    """One version of a template. `category` and `outcome` are empty if it fits each of them.

    `used` counts the letters that were sent with this version, and `edited` those that were changed before.
    """

    number: int
    version: int
    name: str
    form: str
    language: str
    category: str
    outcome: str
    text: str
    by: str
    at: datetime
    is_retired: bool = False
    used: int = 0
    edited: int = 0

    @property
    def code(self) -> str:
        """As the event of a letter names it: `3.2` is the second version of template 3."""
        return f"{self.number}.{self.version}"


def named_fields(text: str) -> tuple[str, ...]:
    """The fields that a text names in braces, known or not."""
    return tuple(dict.fromkeys(_FIELD.findall(text)))


def unknown_field(text: str) -> str | None:
    """The first field that no template has, or a single brace; None if there is none."""
    unknown = next((name for name in named_fields(text) if name not in FIELDS), None)
    return (
        next((brace for brace in "{}" if brace in _FIELD.sub("", text)), None) if unknown is None else unknown
    )


def fill_template(text: str, values: dict[str, str]) -> str:
    return _FIELD.sub(lambda match: values[match[1]], text)


def fits(template: LetterTemplate, form: str, case: Case, values: dict[str, str]) -> bool:
    """True if it is for this form, language and category, and the record has each field that it names.

    Once the first issue has a finding, templates for another outcome do not fit.
    """
    first = next((finding.finding for finding in case.issue_findings if finding.issue == 0), "")
    is_meant = (template.form, template.language) == (form, case.language) and not template.is_retired
    return (
        is_meant
        and template.category in ("", case.category)
        and (not first or template.outcome in ("", first))
        and set(named_fields(template.text)) <= set(values)
    )
