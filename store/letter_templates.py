"""The templates of letters: each save is a new version, with its author, in the log of the desk."""

from dataclasses import asdict, replace

from sqlalchemy import ColumnElement, func, select, update

from complaints.errors import BadFacts
from complaints.letter_templates import LetterTemplate
from store.database.errors import UnknownRow
from store.database.transaction import Tx
from store.proof.hash_chain import record_instance_event, sha256
from store.tables import LETTER_TEMPLATES

_COLUMNS = LETTER_TEMPLATES.c


def save_template(tx: Tx, template: LetterTemplate) -> LetterTemplate:
    """Store the next version; number 0 is a new template.

    Raises BadFacts if another version was saved after the one that `template` was made from.
    """
    highest = func.coalesce(func.max(_COLUMNS.number), 0)
    number = template.number or tx.connection.execute(select(highest)).scalar_one() + 1
    of_number = select(func.coalesce(func.max(_COLUMNS.version), 0)).where(_COLUMNS.number == number)
    version = tx.connection.execute(of_number).scalar_one()
    if template.number and template.version != version:
        raise BadFacts.worded("template_changed", field="text", number=number)
    saved = replace(template, number=number, version=version + 1, at=tx.now, used=0, edited=0)
    tx.add(LETTER_TEMPLATES, **asdict(saved))
    facts = {"template": saved.code, "by": saved.by, "retired": saved.is_retired, "text": sha256(saved.text)}
    record_instance_event(tx, "save_template", facts)
    return saved


def list_templates(tx: Tx) -> list[tuple[LetterTemplate, int, int]]:
    """The newest version of each template, with how often all its versions were used and changed before sending."""
    newest: dict[int, tuple[LetterTemplate, int, int]] = {}
    query = select(LETTER_TEMPLATES).order_by(_COLUMNS.number, _COLUMNS.version)
    for row in tx.connection.execute(query).mappings():
        template = LetterTemplate(**row)
        _, used, edited = newest.get(template.number, (None, 0, 0))
        newest[template.number] = (template, used + template.used, edited + template.edited)
    return list(newest.values())


def load_template(tx: Tx, code: str) -> LetterTemplate:
    """One version by its code, `3.2`. Raises UnknownRow."""
    row = tx.connection.execute(select(LETTER_TEMPLATES).where(*_is_version(code))).mappings().first()
    if row is None:
        raise _unknown(code)
    return LetterTemplate(**row)


def count_template_use(tx: Tx, code: str, *, is_edited: bool) -> None:
    tx.connection.execute(
        update(LETTER_TEMPLATES)
        .where(*_is_version(code))
        .values(used=_COLUMNS.used + 1, edited=_COLUMNS.edited + int(is_edited))
    )


def _is_version(code: str) -> tuple[ColumnElement[bool], ...]:
    """The row of a version; raises UnknownRow for what is no code."""
    number, _, version = code.partition(".")
    if not (number.isdecimal() and version.isdecimal()):
        raise _unknown(code)
    return _COLUMNS.number == int(number), _COLUMNS.version == int(version)


def _unknown(code: str) -> UnknownRow:
    return UnknownRow(f"no template has the code {code}")
