"""Every verb with its row, and the questions that other modules ask the rows.

To add a verb, write its two functions and its row in the module of its stage, its form in `forms.toml` and its texts.
Permissions, the lifecycle, the version of the work and docs/lifecycle.md all come from the rows.
"""

from collections.abc import Callable, Mapping

from complaints.actions import (
    access,
    approval,
    assessment,
    closing,
    conduct,
    correspondence,
    danger,
    decision,
    evidence,
    intake,
    investigation,
    remedies,
    reply_and_recourse,
)
from complaints.actions.action import Action, WordKind
from complaints.case import Event, Facts
from complaints.forms import FORMS
from complaints.vocabulary import Verb

#: In the order of a complaint's life.
_STAGES = (
    intake, assessment, correspondence, evidence, decision, approval, reply_and_recourse, investigation, remedies,
    closing, conduct, access, danger,
)  # fmt: skip
ACTIONS: Mapping[Verb, Action] = {verb: row for stage in _STAGES for verb, row in stage.ROWS.items()}
if missing := [verb.value for verb in Verb if verb not in ACTIONS]:
    raise LookupError(f"no row for these verbs: {', '.join(missing)}")


def verbs_that(has: Callable[[Action], bool]) -> frozenset[Verb]:
    """The verbs whose row has this trait."""
    return frozenset(verb for verb, row in ACTIONS.items() if has(row))


#: Acts that bring a message of the complainant.
MESSAGE_VERBS = verbs_that(lambda row: row.words is WordKind.MESSAGE)
#: Letters that leave as staff wrote them, each at once.
LETTER_VERBS = verbs_that(lambda row: row.is_staff_message and row.words is WordKind.LETTER)
DECISION_VERBS = verbs_that(lambda row: row.words is WordKind.DECISION)
#: The answers of a second person.
SECOND_PERSON_VERBS = verbs_that(lambda row: row.is_second_person)
#: What staff can record of a conversation or letter, and the verb for it.
OFFLINE_VERBS: Mapping[str, Verb] = {what: verb for verb, row in ACTIONS.items() for what in row.spoken}
#: The verb of each form; `form_verb` covers the forms that choose by a field.
FORM_VERBS: Mapping[str, Verb] = {
    form: verb
    for verb, row in ACTIONS.items()
    if not row.chosen_by[0]
    for form in (row.form, *row.other_forms)
    if form
}


_CHOSEN = tuple((row.form, *row.chosen_by, verb) for verb, row in ACTIONS.items() if row.chosen_by[0])


def form_verb(form: str, facts: Facts, *, assessed: bool = False) -> Verb:
    """The verb of a form with these facts: several forms choose it by a field."""
    fields = {**facts, "assessed": assessed}
    if "what" in fields:
        return OFFLINE_VERBS[fields["what"]]
    chosen = (verb for name, field, values, verb in _CHOSEN if name == form and fields.get(field) in values)
    return next(chosen, FORM_VERBS[form])


def form_of(verb: str) -> str:
    """The form of an act, to open it again; an act without a form has its own name."""
    row = ACTIONS[Verb(verb)]
    return row.form or ("given" if row.spoken else verb)


def is_in_letter(verb: str, path: str) -> bool:
    """True where the complainant reads these words of the act in its letter; other words of its form are a note."""
    row, name = ACTIONS[Verb(verb)], path.rsplit(".", 1)[-1]
    if row.words not in (WordKind.LETTER, WordKind.DECISION):
        return False
    return name == "letter" or row.form not in FORMS or name in FORMS[row.form].read_by_complainant


def raises_work_version(event: Event) -> bool:
    """True when the event changed what staff act on: an act of staff, or a reply of the complainant."""
    return event.role in ACTIONS[event.verb].raises_work_version
