"""A refusal of the rules in words for the person: why, and what to do instead."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from bots.slack.client.block_kit import Block, actions, button, mention
from bots.slack.texts import StaffTexts
from complaints.actions.evidence import missing_evidence
from complaints.actions.perform import perform
from complaints.actions.registry import raises_work_version
from complaints.actors import Actor
from complaints.case import Case, Event
from complaints.errors import AlreadyDone, BadFacts, ComplaintError, OutOfOrder, Stale, UnknownReference
from complaints.forms import WrongFields
from complaints.vocabulary import Target, Verb

#: The error codes that have a text of their own, `refused.<code>` in the catalogue.
CODES: frozenset[str] = frozenset(
    {
        "audit_unanswered", "bulk_one", "closure_name", "not_allowed.auditor", "not_an_auditor", "not_trained",
        "not_staff", "nothing_to_audit",
        "already_sent", "file_is_program", "file_too_large", "too_many_files", "not_allowed.sender", "worked_on",
        "accepted_before", "after_legal", "ahead", "already_acknowledged", "already_done", "already_ended",
        "already_so", "answered", "as_late_already", "assessed_before", "away_when", "completion_early",
        "completion_over", "currency", "decided_before", "disclosure_not_checked",
        "done_before", "erased", "evidence_for_all", "evidence_missing", "expired", "external_open", "form_expired",
        "incident_ended",
        "issue_without_finding", "issues_fixed", "language_not_confirmed", "legal_hold", "merged",
        "needs_approval", "new_message", "no_reply", "no_such_target", "nobody_of_staff", "nobody_to_tell",
        "not_a_date", "not_a_email", "not_a_moment", "not_a_number", "not_a_phone", "not_a_reference",
        "not_acknowledged", "not_ahead", "not_allowed", "not_allowed.assign", "not_allowed.excluded",
        "not_allowed.extension_cap", "not_allowed.identity", "not_allowed.identity_locked",
        "not_allowed.incident", "not_allowed.legal_cap", "not_allowed.level", "not_allowed.level_role",
        "not_allowed.limit", "not_allowed.lower", "not_allowed.manager", "not_allowed.other_person",
        "not_allowed.owned", "not_allowed.owner", "not_allowed.read", "not_allowed.restricted",
        "not_allowed.reviewer",
        "not_allowed.role", "not_allowed.second_person", "not_allowed.severity", "not_allowed.subject",
        "not_an_amount", "not_an_option", "not_assessed", "not_communicated", "not_done", "not_late",
        "no_limit", "no_warning",
        "not_open_to_you", "not_short", "nothing_to_approve", "nothing_to_receive", "nothing_to_tell",
        "open_offer", "other_closed", "other_incident", "others_unknown", "owned_before", "owner_no_handler",
        "passes_with_no",
        "question_open", "reason_needed",
        "received_before", "register_state",
        "remedy_owed", "required", "same_reference", "stale", "subject_not_heard",
        "too_early", "too_far", "too_long", "top_level", "unknown_incident", "unknown_reference",
        "verified_before", "waits_for_approval", "window_passed",
    }
)  # fmt: skip

#: Fields that the rules need only in some cases, with a text of their own that says in which.
NEEDED_BECAUSE: frozenset[str] = frozenset(
    {
        "media_heard", "nothing_why", "others_action", "override_reason", "reason", "remedies.currency",
        "remedies.type", "reply_days", "started_at", "subject_review_by", "until", "what",
    }
)  # fmt: skip


#: Groups whose rows may stay empty; a row that is filled in needs some of its fields.
_ROWS = frozenset({"items", "statements", "received", "findings"})


def refusal_text(error: ComplaintError, texts: StaffTexts, case: Case | None = None) -> str:
    """One or two sentences; an error code without a text of its own gets the text of its type."""
    if isinstance(error, Stale):
        return _stale(error, texts, case)
    if isinstance(error, AlreadyDone):
        ended = error.code == "incident_ended"
        return texts.text("refused.incident_ended" if ended else "refused.already_done")
    if isinstance(error, UnknownReference):
        unknown = error.code == "unknown_incident"
        return texts.text("refused.unknown_incident" if unknown else "refused.unknown_reference")
    if error.code == "evidence_missing" and case is not None:
        return not_decidable_text("evidence_missing", case, texts)
    legal = None if case is None else case.target(Target.LEGAL)
    if error.code == "after_legal" and case is not None and legal is not None:
        when = texts.due_time(legal.internal_due, case.rules.calendar.zone)
        return texts.text("refused.after_legal", when=when)
    if error.code == "required" and error.field is not None:
        return _required_text(error.field, texts)
    if error.code in CODES:
        return texts.text(f"refused.{error.code}")
    if isinstance(error, OutOfOrder) and case is not None:
        state = texts.text(f"state.{case.state.value}")
        return texts.text("refused.out_of_order", state=state, next=texts.text(f"next.{case.state.value}"))
    return texts.text("refused.not_allowed" if not isinstance(error, BadFacts) else "refused.bad_facts")


def not_decidable_text(code: str, case: Case, texts: StaffTexts) -> str:
    """What a complaint lacks for a decision, by name."""
    missing = ", ".join(texts.text(f"evidence.{kind}") for kind in missing_evidence(case))
    return texts.text(f"refused.{code}", missing=missing)


def owner_buttons(case: Case, form: str, actor: Actor, texts: StaffTexts, now: datetime) -> list[Block]:
    """Under a refusal for everybody but the owner: what this person may do instead."""
    row = []
    if case.owner is None:
        row.append(button(texts.text("verb.take"), "case.take", case.ref))
    else:
        row.append(button(texts.text("owner.ask"), "case.ask_owner", f"{case.ref}:{form}"))
        label = "owner.take_over" if may_take_over(case, actor, now) else "owner.ask_for_it"
        row.append(button(texts.text(label), "case.take_over", case.ref))
    return [actions(f"actions:{case.work_version}.0", row)]


def owner_refusal(case: Case, form: str, texts: StaffTexts) -> str:
    if case.owner is None:
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
    if path.partition(".")[0] in _ROWS:
        return texts.text("refused.required.row")
    return texts.text(f"refused.required.{name}" if name in NEEDED_BECAUSE else "refused.required")


def _stale(error: Stale, texts: StaffTexts, case: Case | None) -> str:
    if error.code == "new_message":
        when = "–"
        if case is not None and case.last_words_at is not None:
            when = texts.clock(case.last_words_at, case.rules.calendar.zone)
        return texts.text("refused.new_message", when=when)
    if case is None and not error.since:
        # An entry or an incident: its form keeps the old version, so a second try would fail as well.
        return texts.text("refused.changed")
    return texts.text("refused.stale", since=verb_names(error.since, texts))


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
    return texts.text(f"refused.{why}" if why in CODES else "refused.bad_facts")
