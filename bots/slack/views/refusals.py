"""A refusal of the rules in words for the person: why, and what to do instead; and warnings about a letter."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from bots.slack.client.block_kit import Block, actions, button, escaped, mention
from bots.slack.client.refused_blocks import ALERT
from bots.slack.staff_texts import StaffTexts
from complaints.actions.evidence import missing_evidence
from complaints.actions.perform import perform
from complaints.actions.registry import ACTIONS, FORM_VERBS, SECOND_PERSON_VERBS, raises_work_version
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, OutOfOrder, Stale
from complaints.forms import WrongFields
from complaints.vocabulary import Target, Verb

#: Groups whose rows may stay empty; a row that is filled in needs some of its fields.
_ROWS = frozenset({"items", "statements", "received", "findings"})


def refusal_text(error: ComplaintError, texts: StaffTexts, case: Case | None = None) -> str:
    """One or two sentences; an error code without a text of its own gets the text of its type."""
    if isinstance(error, Stale):
        return _stale(error, texts, case)
    if isinstance(error, AlreadyDone):
        ended = error.code == "incident_ended"
        return texts.text("refused.incident_ended" if ended else "refused.already_done")
    if error.code == "unstated_sums":
        return texts.text("refused.unstated_sums", sums=escaped(str(error.values["sums"]), 300))
    if error.code == "evidence_missing" and case is not None:
        return not_decidable_text("evidence_missing", case, texts)
    legal = None if case is None else case.target(Target.LEGAL)
    if error.code == "after_legal" and case is not None and legal is not None:
        when = texts.due_time(legal.internal_due, case.rules.calendar.zone)
        return texts.text("refused.after_legal", when=when)
    if error.code == "required" and error.field is not None:
        return _required_text(error.field, texts)
    if own_text := _own_text(error.code, texts):
        return own_text
    if isinstance(error, OutOfOrder) and case is not None:
        state = texts.text(f"state.{case.state.value}")
        return texts.text("refused.out_of_order", state=state, next=texts.text(f"next.{case.state.value}"))
    return texts.text("refused.not_allowed" if not isinstance(error, BadFacts) else "refused.bad_facts")


def _own_text(code: str, texts: StaffTexts) -> str | None:
    """The text of an error code, None if the catalogue has none; that of `out_of_order` needs the state."""
    text_id = f"refused.{code}"
    return texts.text(text_id) if code != OutOfOrder.code and texts.catalogue.has(text_id) else None


def not_decidable_text(code: str, case: Case, texts: StaffTexts) -> str:
    """What a complaint lacks for a decision, by name."""
    missing = ", ".join(texts.text(f"evidence.{kind}") for kind in missing_evidence(case))
    return texts.text(f"refused.{code}", missing=missing)


def owner_buttons(case: Case, form: str, actor: Actor, texts: StaffTexts, now: datetime) -> list[Block]:
    """Under a refusal for everybody but the owner: what this person may do instead."""
    row = []
    if case.is_unowned:
        row.append(button(texts.text("verb.take"), "case.take", case.ref))
    else:
        row.append(button(texts.text("owner.ask"), "case.ask_owner", f"{case.ref}:{form}"))
        label = "owner.take_over" if may_take_over(case, actor, now) else "owner.ask_for_it"
        row.append(button(texts.text(label), "case.take_over", case.ref))
    return [actions(f"actions:{case.work_version}.0", row)]


def owner_refusal(case: Case, form: str, texts: StaffTexts) -> str:
    if case.owner is None or case.is_unowned:
        return texts.text("refused.not_allowed.owner")
    act = texts.text(f"verb.{form}")
    return texts.text("owner.only", who=mention(case.owner), act=act)


def may_take_over(case: Case, actor: Actor, now: datetime) -> bool:
    try:
        perform(case, Verb.ASSIGN, at=now, actor=actor, facts={"owner": actor.id})
    except ComplaintError:
        return False
    return True


def _required_text(path: str, texts: StaffTexts) -> str:
    name = re.sub(r"\.\d+\.", ".", path)
    is_row = path.partition(".")[0] in _ROWS
    general = texts.text("refused.required.row" if is_row else "refused.required")
    # Some fields are needed only in some cases; their text says in which.
    return _own_text(f"required.{name}", texts) or general


def _stale(error: Stale, texts: StaffTexts, case: Case | None) -> str:
    if error.code == "not_read":
        return texts.text("refused.not_read")
    if error.code == "new_message":
        when = "–"
        if case is not None and case.last_words_at is not None:
            when = texts.clock(case.last_words_at, case.rules.calendar.zone)
        return texts.text("refused.new_message", when=when)
    if case is None and not error.since:
        # An entry or an incident: its form keeps the old version, so a second try would fail as well.
        return texts.text("refused.changed")
    return texts.text("refused.stale", since=verb_names(error.since, texts))


def no_longer_awaited(form: str, case: Case) -> OutOfOrder | None:
    """Why no answer of a second person is awaited any more; None if it is, or for another form."""
    if FORM_VERBS.get(form) not in SECOND_PERSON_VERBS:
        return None
    try:
        ACTIONS[FORM_VERBS[form]].requires(case)
    except OutOfOrder as refused:
        return refused
    return None


def verb_names(verbs: Sequence[str], texts: StaffTexts) -> str:
    """`Assigned, Assessed`, in the order of the events."""
    return ", ".join(texts.text(f"did.{verb}") for verb in dict.fromkeys(verbs)) or "–"


def verbs_since(events: Sequence[Event], version: int) -> tuple[str, ...]:
    """The verbs that raised the work version above this one."""
    verbs: list[str] = []
    reached = 0
    for event in events:
        if raises_work_version(event):
            reached += 1
            if reached > version:
                verbs.append(event.verb.value)
    return tuple(verbs)


def errors_by_field(
    error: ComplaintError, text: str, view_blocks: Sequence[Block], texts: StaffTexts
) -> Mapping[str, str]:
    """Errors by block_id for a modal, of no field at the first input; empty for a view without inputs.

    `text` is the refusal, for an error of one field.
    """
    inputs = [str(block["block_id"]) for block in view_blocks if block.get("type") == "input"]
    if isinstance(error, WrongFields):
        errors = {path: _wrong_text(path, why, texts) for path, why in error.fields.items()}
    else:
        errors = {error.field or "": text}
    in_view = {path: text for path, text in errors.items() if path in inputs}
    if in_view or not inputs:
        return in_view
    return {inputs[0]: next(iter(errors.values()))}


def _wrong_text(path: str, why: str, texts: StaffTexts) -> str:
    if why == "required":
        return _required_text(path, texts)
    return _own_text(why, texts) or texts.text("refused.bad_facts")


#: Characters of the letter that a warning quotes, at least and at most: with fewer it fits into an alert.
_QUOTED = 40, 160

#: The code of a warning, and the words of the letter that cause it.
Warned = tuple[str, str]


def warning_lines(warned: Iterable[Warned], texts: StaffTexts) -> str:
    """One line for each warning: the reason, the words, and what to do."""
    lines = []
    for code, cause in warned:
        room = ALERT - len(texts.text(f"letter_warning.{code}", words=""))
        words = escaped(" ".join(cause.split()), min(max(room, _QUOTED[0]), _QUOTED[1]))
        lines.append(f":warning: {texts.text(f'letter_warning.{code}', words=words)}")
    return "\n".join(lines)


def codes_of(warned: Iterable[Warned]) -> tuple[str, ...]:
    """The codes, as the event of an act keeps them in `overruled`; never the words."""
    return tuple(dict.fromkeys(code for code, _ in warned))


def overruled_line(codes: Sequence[str], texts: StaffTexts) -> str:
    """ "Sent although warned: promise without a date"."""
    return texts.text(
        "letter_warning.overruled", which=", ".join(texts.text(f"warned.{code}") for code in codes)
    )
